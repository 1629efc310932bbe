"""The allocators' checks of themselves see what was damaged."""

import ctypes
from collections.abc import Callable

import pytest

from heaplaw.refimpl.system import Allocator, Arena, Freelist, Limited, Mapped, Platform, SizePools, ThreadLocal, Trace
from heaplaw.refimpl.system.base import Booked


def word(address: int) -> ctypes.c_uint64:
    return ctypes.c_uint64.from_address(address)


def chunk_of(arena: Arena) -> int:
    """The newest of two chunks, the first of which has a block of 8 bytes."""
    arena.alloc(8)
    return arena.alloc(220) - 32


def header_says_too_much() -> Allocator:
    arena = Arena(256)
    word(chunk_of(arena) + 8).value += 4096
    return arena


def header_counts_wrongly() -> Allocator:
    arena = Arena(256)
    word(chunk_of(arena) + 24).value += 8
    return arena


def chunk_is_lost() -> Allocator:
    arena = Arena(256)
    chunk = chunk_of(arena)
    for at in (0, 8, 16, 24):
        word(chunk + at).value = 0
    return arena


def freelist() -> tuple[Freelist, list[int]]:
    """Four blocks, of which the first two are free; the first is handed out next."""
    made = Freelist(32, 4)
    blocks = [made.alloc(32) for _ in range(4)]
    made.free(blocks[1])
    made.free(blocks[0])
    return made, blocks


def list_goes_round() -> Allocator:
    made, blocks = freelist()
    word(blocks[1]).value = blocks[0]
    return made


def list_has_a_live_block() -> Allocator:
    made, blocks = freelist()
    word(blocks[0]).value = blocks[2]
    word(blocks[2]).value = 0
    return made


def list_is_cut_short() -> Allocator:
    made, blocks = freelist()
    word(blocks[0]).value = 0
    return made


def record_says_another_size() -> Allocator:
    parent = Platform()
    trace = Trace(Platform(), parent)
    trace.alloc(10)
    (chunk,) = parent.leaks()
    word(chunk.address + 8).value = 11
    return trace


def someone_frees_behind_its_back(wrapper: Callable[[Allocator], Allocator]) -> Allocator:
    platform = Platform()
    made = wrapper(platform)
    platform.free(made.alloc(10))
    return made


def books_are_cooked(book: Callable[[Booked], None]) -> Allocator:
    platform = Platform()
    platform.alloc(10, tag="a")
    book(platform)
    return platform


def lose_bytes(platform: Booked) -> None:
    platform.ledger.book.whole.current -= 1


def lose_a_tag(platform: Booked) -> None:
    platform.ledger.book.tags["a"].live = 0


def lose_a_block(platform: Booked) -> None:
    platform.ledger.book.whole.live = 2


def pool_is_damaged() -> Allocator:
    pools = SizePools()
    first, second = pools.alloc(16), pools.alloc(16)
    pools.free(first)
    pools.free(second)
    word(second).value = second
    return pools


DAMAGES: dict[str, Callable[[], Allocator]] = {
    "header says too much": header_says_too_much,
    "header counts wrongly": header_counts_wrongly,
    "chunk is lost": chunk_is_lost,
    "list goes round": list_goes_round,
    "list has a live block": list_has_a_live_block,
    "list is cut short": list_is_cut_short,
    "record says another size": record_says_another_size,
    "pool is damaged": pool_is_damaged,
    "freed behind a limit": lambda: someone_frees_behind_its_back(lambda inner: Limited(inner, 100)),
    "freed behind a mapping": lambda: someone_frees_behind_its_back(Mapped),
    "freed behind a trace": lambda: someone_frees_behind_its_back(Trace),
    "freed behind a proxy": lambda: someone_frees_behind_its_back(lambda inner: ThreadLocal(lambda: Trace(inner))),
    "bytes lost": lambda: books_are_cooked(lose_bytes),
    "tag lost": lambda: books_are_cooked(lose_a_tag),
    "block lost": lambda: books_are_cooked(lose_a_block),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_invariant__sees_damage(damage: str) -> None:
    assert not DAMAGES[damage]().invariant()


def test_invariant__holds_of_what_was_about_to_be_damaged() -> None:
    arena = Arena(256)
    chunk_of(arena)
    assert arena.invariant()
    assert freelist()[0].invariant()
