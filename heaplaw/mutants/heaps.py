"""A heap with the shape of malloc as a Python object, and heaps that differ from it by one fault each."""

import ctypes
from dataclasses import dataclass

__all__ = ["HEAP_MUTANTS", "CorrectHeap", "HeapMutant"]

_ALIGN = 16


class CorrectHeap:
    """First fit over one buffer; what is free and what is live is kept beside it."""

    def __init__(self, size: int = 1 << 20) -> None:
        self._buffer = ctypes.create_string_buffer(size + _ALIGN)
        self.start = -(-ctypes.addressof(self._buffer) // _ALIGN) * _ALIGN
        self.end = self.start + size // _ALIGN * _ALIGN
        self._live: dict[int, int] = {}  # address -> bytes taken
        self._holes: list[tuple[int, int]] = [(self.start, self.end)]  # sorted, never adjacent

    def malloc(self, size: int) -> int:
        """Address of a block of at least ``size`` bytes, or 0."""
        room = self._room(size)
        for i, (low, high) in enumerate(self._holes):
            if high - low >= room:
                self._holes[i : i + 1] = [(low + room, high)] if high - low > room else []
                self._live[low] = room
                return low
        return 0

    def free(self, ptr: int) -> None:
        """Take back a block; 0 is no block."""
        if ptr:
            self._give_back(ptr, ptr + self._live.pop(ptr))

    def calloc(self, count: int, size: int) -> int:
        """Address of a block of ``count * size`` zero bytes, or 0."""
        ptr = self.malloc(count * size)
        if ptr:
            ctypes.memset(ptr, 0, count * size)
        return ptr

    def realloc(self, ptr: int, size: int) -> int:
        """Address of a block with the old contents, or 0 with the old block untouched."""
        if not ptr:
            return self.malloc(size)
        have = self._live[ptr]
        if self._room(size) <= have:
            return ptr
        new = self.malloc(size)
        if new:
            ctypes.memmove(new, ptr, self._kept(have, size))
            self.free(ptr)
        return new

    def _room(self, size: int) -> int:
        return max(-(-size // _ALIGN) * _ALIGN, _ALIGN)

    def _kept(self, old: int, new: int) -> int:
        return min(old, new)

    def _give_back(self, low: int, high: int) -> None:
        at = next((i for i, hole in enumerate(self._holes) if hole[0] > low), len(self._holes))
        if at < len(self._holes) and self._holes[at][0] == high:
            high = self._holes.pop(at)[1]
        if at > 0 and self._holes[at - 1][1] == low:
            at -= 1
            low = self._holes.pop(at)[0]
        self._holes.insert(at, (low, high))


class _RoomForMultiples(CorrectHeap):
    """Sizes of one above a multiple of 64 get the room of that multiple."""

    def _room(self, size: int) -> int:
        return super()._room(size - 1 if size % 64 == 1 and size > 1 else size)


class _CopiesShort(CorrectHeap):
    """A moving realloc of more than 256 bytes leaves out the last 8."""

    def _kept(self, old: int, new: int) -> int:
        kept = super()._kept(old, new)
        return kept - 8 if kept > 256 else kept


class _ProductOf32Bits(CorrectHeap):
    """The product in calloc is cut to 32 bits."""

    def calloc(self, count: int, size: int) -> int:
        return super().calloc(1, count * size & 0xFFFFFFFF)


class _ClearsCount(CorrectHeap):
    """``calloc`` clears as many bytes as there are elements."""

    def calloc(self, count: int, size: int) -> int:
        ptr = self.malloc(count * size)
        if ptr:
            ctypes.memset(ptr, 0, min(count, count * size))
        return ptr


class _FailureFrees(CorrectHeap):
    """A failed realloc takes the old block back."""

    def realloc(self, ptr: int, size: int) -> int:
        new = super().realloc(ptr, size)
        if ptr and not new:
            self._give_back(ptr, ptr + self._live[ptr])
        return new

    def free(self, ptr: int) -> None:
        if ptr and any(low <= ptr < high for low, high in self._holes):
            del self._live[ptr]
        else:
            super().free(ptr)


class _NeverJoins(CorrectHeap):
    """Neighbouring holes stay apart."""

    def _give_back(self, low: int, high: int) -> None:
        self._holes.append((low, high))
        self._holes.sort()


@dataclass(frozen=True)
class HeapMutant:
    """One heap with one fault."""

    name: str
    law: str
    heap: type[CorrectHeap]
    summary: str
    needs: str
    also: tuple[str, ...] = ()


HEAP_MUTANTS: tuple[HeapMutant, ...] = (
    HeapMutant(
        "room-for-multiples", "blocks_disjoint", _RoomForMultiples,
        "one byte too little for sizes of 1 modulo 64",
        "size 65, 129, ... and a neighbour",
        ("payload_kept", "sized"),
    ),
    HeapMutant(
        "copies-short", "realloc_keeps_prefix", _CopiesShort,
        "a moving realloc leaves out the last 8 bytes of more than 256",
        "a growing realloc of a block above 256 bytes with a size divisible by 16, or nearly",
    ),
    HeapMutant(
        "product-of-32-bits", "overflow_is_failure", _ProductOf32Bits,
        "the product in calloc is cut to 32 bits",
        "factors whose product has small low 32 bits, e.g. 2**32 and 2**32",
        ("blocks_disjoint", "sized"),
    ),
    HeapMutant(
        "clears-count", "zeroed", _ClearsCount,
        "calloc(n, size) clears n bytes",
        "recycled memory, calloc with size > 1",
    ),
    HeapMutant(
        "failure-frees", "realloc_failure_keeps_block", _FailureFrees,
        "a failed realloc takes the old block back",
        "a failing realloc, then a request that fits the old block",
        ("blocks_disjoint", "payload_kept"),
    ),
    HeapMutant(
        "never-joins", "reuse", _NeverJoins,
        "neighbouring holes stay apart",
        "a full heap of small blocks, drained, then a larger request",
        ("failure_is_reported",),
    ),
)  # fmt: skip
