"""What owners write into their blocks, and what a block is to its owner."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

FULL = 64 * 1024
"""Blocks of up to so many bytes are written and read whole …"""
EDGE = 4096
"""… of larger ones the first and the last so many bytes."""
PERIOD = 251
"""The payload pattern repeats after so many bytes: prime, so that no power of two maps it onto itself."""
_TABLE = bytes(place % PERIOD + 1 for place in range(FULL + PERIOD))


@dataclass(frozen=True)
class Held:
    """A block, or a mark, in a slot."""

    owner: int
    """Index of the operation that gave birth to it."""
    ptr: int
    """The block's address, or the mark's word."""
    size: int
    """Bytes asked for; 0 for a mark."""
    tag: int = 0
    """Which pattern its owner wrote."""
    align: int = 0
    """The alignment asked for, bytes; 0 where none was."""
    mark: bool = False


class Store(Protocol):
    """Bytes at addresses; a transfer stops where there is no memory."""

    def peek(self, address: int, size: int) -> bytes: ...
    def poke(self, address: int, data: bytes) -> int: ...


def pattern(tag: int, offset: int, length: int) -> bytes:
    """What an owner writes at `offset` of its block: bytes from 1 to 251, never the zeros of fresh memory."""
    start = (tag + offset) % PERIOD
    return _TABLE[start : start + length]


def spans(size: int, limit: int | None = None) -> list[tuple[int, int]]:
    """The parts of a block of `size` bytes that are written and read, as offset and length, below `limit`."""
    parts = [(0, size)] if size <= FULL else [(0, EDGE), (size - EDGE, EDGE)]
    end = size if limit is None else limit
    return [(offset, min(length, end - offset)) for offset, length in parts if offset < end]


def first_wrong(store: Store, ptr: int, parts: Iterable[tuple[int, int]], tag: int | None) -> int | None:
    """The first offset in `parts` where the block at `ptr` is not its owner's (`tag` None: not zero)."""
    for offset, length in parts:
        expected = bytes(length) if tag is None else pattern(tag, offset, length)
        found = store.peek(ptr + offset, length)
        if found != expected:
            pairs = enumerate(zip(found, expected, strict=False))
            return offset + next((at for at, (a, b) in pairs if a != b), len(found))
    return None


def fill(store: Store, ptr: int, size: int, tag: int) -> int | None:
    """Write the owner's pattern; the first offset that cannot be written or read back, if any."""
    for offset, length in spans(size):
        written = store.poke(ptr + offset, pattern(tag, offset, length))
        if written < length:
            return offset + written
    return first_wrong(store, ptr, spans(size), tag)


def by_owner(index: int, ptr: int) -> int:
    """Every owner has its own pattern."""
    return index


def by_address(index: int, ptr: int) -> int:
    """Every byte's pattern is a function of its address: payloads do not depend on who owns them."""
    return ptr
