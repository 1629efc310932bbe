import ctypes

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heaplaw.refimpl import Allocation, FreeListAllocator, Layout, MisuseError, layout_new
from heaplaw.refimpl.allocators import freelist_free, freelist_new
from heaplaw.refimpl.memory import WordMemory
from heaplaw.refimpl.steps import freelist

FIXED = settings(derandomize=True, database=None, deadline=None)


def _offsets(subject: FreeListAllocator) -> list[tuple[int, int]]:
    """The free blocks: where each starts in the buffer, and its size."""
    return [(start - subject.buffer, size) for start, size in subject.free_blocks()]


def test_freelist__is_the_sources_example() -> None:
    subject = freelist_new(8192)
    assert (subject.free_list, subject.allocated) == (subject.buffer, 0)
    first = subject.alloc(layout_new(100, 8))
    second = subject.alloc(layout_new(500, 8))
    third = subject.alloc(layout_new(200, 8))
    assert first == Allocation(subject.buffer + 16, 104)
    assert second == Allocation(subject.buffer + 120 + 16, 504)
    assert third == Allocation(subject.buffer + 640 + 16, 200)
    assert (subject.total_allocated(), subject.remaining()) == (856, 8192 - 856)
    assert subject.dealloc(second.ptr) == subject.dealloc(first.ptr) == 0
    assert _offsets(subject) == [(0, 120), (120, 520), (856, 8192 - 856)]
    fourth = subject.alloc(layout_new(300, 8))  # the first that fits, in the list's order: where the second was
    assert fourth.ptr == second.ptr
    assert _offsets(subject) == [(0, 120), (120 + 320, 200), (856, 8192 - 856)]
    assert freelist_free(subject) == 0


def test_header__holds_the_size_header_included() -> None:
    subject = FreeListAllocator.new(256)
    block = subject.alloc(Layout(40, 8))
    size, start = (ctypes.c_uint64.from_address(block.ptr - back).value for back in (16, 8))
    assert (size, start) == (56, block.ptr - 16)


@pytest.mark.parametrize(("size", "taken"), [(0, 32), (1, 32), (16, 32), (17, 40), (24, 40), (25, 48)])
def test_blocks__are_at_least_32_bytes(size: int, taken: int) -> None:
    subject = FreeListAllocator.new(1024)
    block = subject.alloc(Layout(size, 1))
    assert (subject.total_allocated(), block.size) == (taken, taken - 16)
    assert subject.dealloc(block.ptr) == 0
    assert subject.total_allocated() == 0


@pytest.mark.parametrize(
    ("size", "usable", "rests"), [(48, 48, [(64, 32)]), (49, 80, []), (80, 80, []), (40, 40, [(56, 40)])]
)
def test_blocks__are_split_when_the_rest_is_at_least_32_bytes(
    size: int, usable: int, rests: list[tuple[int, int]]
) -> None:
    subject = FreeListAllocator.new(96)
    assert subject.alloc(Layout(size, 8)).size == usable
    assert _offsets(subject) == rests


def test_a_large_alignment__leaves_a_free_block_in_front_or_takes_the_gap_along() -> None:
    memory = WordMemory(0x1000, 0x1400)
    wide = freelist.init(0x1000, 0x400, memory)
    after, block = freelist.alloc(wide, 64, 256, memory)  # the gap of 240 bytes stays free
    assert block == 0x1100
    assert freelist.free_blocks(after, memory) == [(0x1000, 0xF0), (0x1140, 0x2C0)]
    assert after.allocated == 80
    memory = WordMemory(0x10D8, 0x1400)
    near = freelist.init(0x10D8, 0x328, memory)
    after, block = freelist.alloc(near, 64, 256, memory)  # a gap of 24 bytes is too small to be a block
    assert (block, after.allocated) == (0x1100, 104)
    assert freelist.free_blocks(after, memory) == [(0x1140, 0x2C0)]
    assert freelist.free_blocks(freelist.dealloc(after, block, memory), memory) == [(0x10D8, 104), (0x1140, 0x2C0)]


def test_a_large_alignment__leaves_at_least_32_bytes_behind_the_front() -> None:
    memory = WordMemory(0x10D0, 0x1108)
    tight = freelist.init(0x10D0, 56, memory)  # split off, the gap of 32 bytes would leave a block of 24
    after, block = freelist.alloc(tight, 8, 256, memory)
    assert (block, after.allocated, after.free_list) == (0x1100, 56, 0)


def test_dealloc__goes_to_the_head_and_joins_nothing() -> None:
    subject = FreeListAllocator.new(160)
    blocks = [subject.alloc(Layout(16, 8)).ptr for _ in range(5)]
    for ptr in blocks:
        subject.dealloc(ptr)
    assert _offsets(subject) == [(128, 32), (96, 32), (64, 32), (32, 32), (0, 32)]
    assert not subject.alloc(Layout(17, 8))
    assert subject.remaining() == 160


@FIXED
@given(st.permutations(range(6)))
def test_dealloc__joins_both_neighbours_where_asked_to(order: list[int]) -> None:
    subject = FreeListAllocator.new(6 * 48, coalesce=True)
    blocks = [subject.alloc(Layout(32, 8)).ptr for _ in range(6)]
    assert subject.free_list == 0
    freed: set[int] = set()
    for place in order:
        subject.dealloc(blocks[place])
        freed.add(place)
        starts = sorted(at for at in freed if at - 1 not in freed)
        runs = [(start, next(end for end in range(start, 7) if end not in freed)) for start in starts]
        assert _offsets(subject) == [(48 * start, 48 * (end - start)) for start, end in runs]
    assert subject.alloc(Layout(6 * 48 - 16, 8)).ptr == blocks[0]


@pytest.mark.parametrize(
    ("buffer", "capacity", "blocks"),
    [
        (0x1000, 31, []),
        (0x1000, 32, [(0x1000, 32)]),
        (0x1001, 38, []),
        (0x1001, 39, [(0x1008, 32)]),
        (0x1000, 47, [(0x1000, 40)]),
        (0x1003, 0, []),
    ],
)
def test_init__takes_the_whole_words_of_the_buffer(buffer: int, capacity: int, blocks: list[tuple[int, int]]) -> None:
    memory = WordMemory(0x1000, 0x1100)
    state = freelist.init(buffer, capacity, memory)
    assert freelist.free_blocks(state, memory) == blocks
    assert state.remaining == capacity


def test_free_blocks__show_a_cycle_as_a_repeat() -> None:
    memory = WordMemory(0x1000, 0x1100)
    state = freelist.init(0x1000, 0x100, memory)
    memory.write(0x1008, 0x1000)
    found = freelist.free_blocks(state, memory)
    assert 1 < len(found) <= 0x100 // 32 + 1
    assert len(set(found)) == 1


def test_freelist__zeroes_used_memory() -> None:
    subject = FreeListAllocator.new(256)
    block = subject.alloc(Layout(100, 8))
    ctypes.memset(block.ptr, 0xFF, block.size)
    subject.dealloc(block.ptr)
    again = subject.alloc_zeroed(Layout(99, 8))
    assert again.ptr == block.ptr
    assert ctypes.string_at(again.ptr, 99) == bytes(99)
    assert not subject.alloc_zeroed(Layout(512, 8))


@pytest.mark.parametrize(
    ("offset", "known"),
    [
        (-16, "outside the buffer"),
        (256, "outside the buffer"),
        (16, "16 bytes inside the free block of 48 bytes"),
        (0, "0 bytes inside the free block"),
        (48, "in no block's payload: a header"),
        (72, "8 bytes inside the live block of 32 bytes"),
        (65, "1 byte inside the live block"),
        (112, "16 bytes inside the free block of 160 bytes"),
    ],
)
@pytest.mark.parametrize("coalesce", [False, True])
def test_misuse__is_refused_and_changes_nothing(offset: int, known: str, coalesce: bool) -> None:
    subject = FreeListAllocator.new(256, coalesce=coalesce)
    first, _ = subject.alloc(Layout(32, 8)), subject.alloc(Layout(32, 8))
    subject.dealloc(first.ptr)
    ptr = subject.buffer + offset
    before = subject.free_blocks(), subject.allocated, ctypes.string_at(subject.buffer, 256)
    for call in (subject.dealloc, subject.usable_size):
        with pytest.raises(MisuseError, match=known) as error:
            call(ptr)
        assert f"{ptr:#x}" in str(error.value)
    assert (subject.free_blocks(), subject.allocated, ctypes.string_at(subject.buffer, 256)) == before
    assert subject.alloc(Layout(32, 8)) == first


def test_drop__ends_every_use() -> None:
    subject, layout = FreeListAllocator.new(64), Layout(8, 8)
    block = subject.alloc(layout)
    assert subject.drop() == 0
    for call in (
        lambda: subject.alloc(layout),
        lambda: subject.alloc_zeroed(layout),
        lambda: subject.dealloc(block.ptr),
        lambda: subject.usable_size(block.ptr),
        subject.remaining,
        subject.total_allocated,
        subject.free_blocks,
        subject.drop,
    ):
        with pytest.raises(MisuseError, match=r"the free list at .* has been dropped"):
            call()


def test_a_refused_step_gives_the_same_state_and_writes_nothing() -> None:
    memory = WordMemory(0x1000, 0x1100)
    state = freelist.init(0x1000, 0x100, memory)
    before = memory.freeze()
    for size, align in ((2**64 - 1, 1), (2**63 - 1, 8), (241, 1), (2**64 - 16, 8), (0, 4096), (1, 2**63)):
        assert freelist.alloc(state, size, align, memory) == (state, 0)
    assert memory.freeze() == before
