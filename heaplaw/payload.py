"""What the owners of blocks write into them, in real memory: patterns, and what may be touched at all.

The same bytes at the same places as in the driver written in C. Memory is reached through raw addresses, after asking
the kernel whether it is mapped.
"""

import ctypes
from functools import cache
from typing import Any

PAGE = 4096
GRANULE, CACHED = 65536, 4096
"""Granules of memory known to be mapped are remembered, at most CACHED of them."""
WHOLE, SHIFTS, SAMPLE, SAMPLES = 65536, 4096, 4096, 16
"""Blocks up to WHOLE bytes are written over their whole size; of larger ones SAMPLES pages of SAMPLE bytes."""


@cache
def make_pattern() -> bytes:
    """The bytes that owners write."""
    x, out, mask = 0x9E3779B97F4A7C15, bytearray(SHIFTS + WHOLE + SAMPLE), 2**64 - 1
    for index in range(len(out)):
        x ^= (x << 13) & mask
        x ^= x >> 7
        x ^= (x << 17) & mask
        out[index] = (x >> 32) & 0xFF
    return bytes(out)


@cache
def _mincore() -> tuple[Any, Any]:
    function: Any = ctypes.CDLL(None).mincore
    function.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p]
    return function, ctypes.create_string_buffer(GRANULE // PAGE + 1)


def mapped(start: int, length: int) -> bool:
    """All pages of the stretch are mapped; `start` is a multiple of 4096, `length` is at most GRANULE, bytes."""
    function, vector = _mincore()
    return bool(function(start, length, vector) == 0)


def first_difference(a: bytes, b: bytes) -> int:
    """Length of the common prefix of two equally long strings."""
    if a == b:
        return len(a)
    return next(index for index, (x, y) in enumerate(zip(a, b, strict=True)) if x != y)


def spans(extent: int, limit: int) -> list[tuple[int, int]]:
    """The (offset, length) of what is written of a block, as far as its first `limit` bytes."""
    if extent <= WHOLE:
        return [(0, limit)]
    starts = [(extent - SAMPLE) * k // (SAMPLES - 1) for k in range(SAMPLES)]
    return [(at, min(SAMPLE, limit - at)) for at in starts if at < limit]


class Payload:
    """Writes and verifies owners' patterns."""

    def __init__(self) -> None:
        self.pattern = make_pattern()
        self._known: dict[int, int] = {}
        self.own: list[tuple[int, int]] = []
        """Half-open address ranges that are the driver's: no owner of a block may write there."""

    def _of(self, owner: int, at: int, length: int) -> bytes:
        start = ((owner * 2654435769 & 0xFFFFFFFF) >> 20) + (at & 0xFFFF)
        return self.pattern[start : start + length]

    def _span_reach(self, at: int, length: int) -> int:
        end = at + length
        if end > 2**56:
            return 0
        for start, stop in self.own:
            if at < stop and start < end:
                end = max(at, start)
        if end == at:
            return 0
        for granule in range(at // GRANULE, (end - 1) // GRANULE + 1):
            if self._known.get(granule % CACHED) == granule:
                continue
            if mapped(granule * GRANULE, GRANULE):
                self._known[granule % CACHED] = granule
                continue
            first, stop = max(granule * GRANULE, at // PAGE * PAGE), min((granule + 1) * GRANULE, end)
            for page in range(first, stop, PAGE):
                if not mapped(page, PAGE):
                    return max(0, page - at)
        return end - at

    def reach(self, ptr: int, extent: int) -> int:
        """Leading bytes of a block that may be touched."""
        for at, length in spans(extent, extent):
            reach = self._span_reach(ptr + at, length)
            if reach < length:
                return at + reach
        return extent

    def fill(self, ptr: int, owner: int, extent: int) -> None:
        """Write the owner's pattern."""
        for at, length in spans(extent, extent):
            ctypes.memmove(ptr + at, self._of(owner, at, length), length)

    def fill_rest(self, ptr: int, start: int, end: int) -> int:
        """Write the bytes from `start` to `end` of a block; the first that is not read back as written, or `end`."""
        if end <= start:
            return end
        written = bytes(~k & 0xFF for k in range(start, end))
        ctypes.memmove(ptr + start, written, len(written))
        return start + first_difference(ctypes.string_at(ptr + start, len(written)), written)

    def verify(self, ptr: int, owner: int, extent: int, limit: int) -> int:
        """Leading bytes of the first `limit` that are as the owner wrote them."""
        for at, length in spans(extent, limit):
            same = first_difference(ctypes.string_at(ptr + at, length), self._of(owner, at, length))
            if same < length:
                return at + same
        return limit

    def zeros(self, ptr: int, extent: int) -> int:
        """Leading zero bytes of a block."""
        for at, length in spans(extent, extent):
            same = first_difference(ctypes.string_at(ptr + at, length), bytes(length))
            if same < length:
                return at + same
        return extent
