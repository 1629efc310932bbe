"""The driver in Python: it runs a trace call by call, and leaves the same history as the driver written in C.

It holds as little as possible (no NumPy), and reads and writes payloads through raw addresses, after asking the kernel
whether they are mapped.
"""

import ctypes
from collections.abc import MutableSequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Protocol

from heaplaw.layout import FINISHED, IN_CALL, IN_PAYLOAD, PROGRESS
from heaplaw.spec.event import NONE, NULL, Flag, Status
from heaplaw.spec.layout import PTRDIFF_MAX
from heaplaw.spec.shapes import Kind

GRANULE, CACHED = 65536, 4096
"""Granules of memory known to be mapped are remembered, at most CACHED of them."""
WHOLE, SHIFTS, SAMPLE, SAMPLES = 65536, 4096, 4096, 16
"""Blocks up to WHOLE bytes are written over their whole size; of larger ones SAMPLES pages of SAMPLE bytes."""


class Calls(Protocol):
    """A subject's operations in this process."""

    def call(self, kind: int, size: int, align: int, count: int, ptr: int) -> tuple[int, int, int]:
        """Carry out one operation: (status, address or 0, errno)."""
        ...

    def usable(self, ptr: int) -> int:
        """The usable size, bytes; 0 where the subject does not say."""
        ...

    def counters(self) -> tuple[int, int] | None:
        """(free blocks, allocated blocks), where the subject counts them."""
        ...

    def has(self, kind: int) -> bool:
        """The operation is there."""
        ...

    def address(self, ptr: int) -> int:
        """The real address of what the subject calls `ptr`."""
        ...


@cache
def make_pattern() -> bytes:
    """The bytes that owners write: the same as the C driver's."""
    x, out, mask = 0x9E3779B97F4A7C15, bytearray(SHIFTS + WHOLE + SAMPLE), 2**64 - 1
    for index in range(len(out)):
        x ^= (x << 13) & mask
        x ^= x >> 7
        x ^= (x << 17) & mask
        out[index] = (x >> 32) & 0xFF
    return bytes(out)


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
    """Writes and verifies owners' patterns in real memory."""

    def __init__(self) -> None:
        self.pattern = make_pattern()
        libc = ctypes.CDLL(None, use_errno=True)
        self._mincore: Any = libc.mincore
        self._mincore.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p]
        self._vector = ctypes.create_string_buffer(GRANULE // 4096 + 1)
        self._known: dict[int, int] = {}
        self.own: list[tuple[int, int]] = []
        """Half-open address ranges that are the driver's."""

    def _of(self, owner: int, at: int, length: int) -> bytes:
        start = ((owner * 2654435769 & 0xFFFFFFFF) >> 20) + (at & 0xFFFF)
        return self.pattern[start : start + length]

    def _span_reach(self, at: int, length: int) -> int:
        end = at + length
        if length == 0:
            return 0
        if end > 2**56 or any(at < stop and start < end for start, stop in self.own):
            return 0
        for granule in range(at // GRANULE, (end - 1) // GRANULE + 1):
            if self._known.get(granule % CACHED) == granule:
                continue
            if self._mapped(granule * GRANULE, GRANULE):
                self._known[granule % CACHED] = granule
                continue
            first, stop = max(granule * GRANULE, at // 4096 * 4096), min((granule + 1) * GRANULE, end)
            for page in range(first, stop, 4096):
                if not self._mapped(page, 4096):
                    return max(0, page - at)
        return length

    def _mapped(self, start: int, length: int) -> bool:
        return bool(self._mincore(start, length, self._vector) == 0)

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


@dataclass
class Slot:
    """A variable of the trace: a block, or the name of one (after a failed resize)."""

    ptr: int
    extent: int
    owner: int
    live: bool = True


@dataclass
class Driver:
    """One run of one trace."""

    calls: Calls
    columns: dict[str, MutableSequence[int]]
    head: MutableSequence[int]
    payload: Payload | None
    slots: dict[int, Slot] = field(default_factory=dict[int, Slot])

    def run(self, rows: int) -> None:
        """Run all rows, as they are published."""
        for index in range(rows):
            self.one(index)
        self.head[PROGRESS] = 4 * rows + FINISHED

    def _fault(self, index: int, flag: Flag, at: int) -> None:
        if not self.columns["flags"][index]:
            self.columns["flags"][index] = flag
            self.columns["bad_at"][index] = at

    def one(self, index: int) -> None:
        """Run row `index`."""
        c = self.columns
        kind = c["kind"][index]
        old = None
        if not ((kind == Kind.CHECK and c["slot"][index] != NULL) or self.calls.has(kind)):
            return
        if kind in (Kind.RESIZE, Kind.FREE, Kind.CHECK) and c["slot"][index] != NULL:
            named = self.slots.get(c["slot"][index]) if c["slot"][index] != NONE else None
            old = self.slots[named.owner] if named is not None else None
            if old is None or not old.live:
                return
            c["owner"][index] = old.owner
            c["held"][index] = old.extent
            if self.payload:
                self.head[PROGRESS] = 4 * index + IN_PAYLOAD
                c["status"][index] = Status.DIED
                intact = self.payload.verify(self.calls.address(old.ptr), old.owner, old.extent, old.extent)
                if intact < old.extent:
                    self._fault(index, Flag.DAMAGED, intact)
            if kind == Kind.CHECK:
                c["status"][index] = Status.OK
                self._count(index)
                return
        self._call(index, kind, old)
        self._count(index)

    def _call(self, index: int, kind: int, old: Slot | None) -> None:
        c = self.columns
        self.head[PROGRESS] = 4 * index + IN_CALL
        c["status"][index] = Status.DIED
        status, ptr, err = self.calls.call(
            kind, c["size"][index], c["align"][index], c["count"][index], old.ptr if old else 0
        )
        c["status"][index] = status
        if status != Status.OK:
            c["err"][index] = err
        if kind == Kind.FREE and old is not None and status == Status.OK:
            old.live = False
        elif status == Status.OK and kind != Kind.FREE:
            self._receive(index, kind, ptr, old)
        elif kind == Kind.RESIZE and old is not None:
            if self.payload:
                self.head[PROGRESS] = 4 * index + IN_PAYLOAD
                kept = self.payload.verify(self.calls.address(old.ptr), old.owner, old.extent, old.extent)
                if kept < old.extent:
                    self._fault(index, Flag.FAILED_CHANGED, kept)
            self.slots[index] = Slot(0, 0, old.owner)

    def _receive(self, index: int, kind: int, ptr: int, old: Slot | None) -> None:
        c = self.columns
        size, count = c["size"][index], c["count"][index]
        extent = 0 if size * count > PTRDIFF_MAX else size * count
        address = self.calls.address(ptr)
        c["ptr"][index] = address
        self.head[PROGRESS] = 4 * index + IN_PAYLOAD
        reach = self.payload.reach(address, extent) if self.payload else extent
        if reach < extent:
            c["flags"][index], c["bad_at"][index] = Flag.UNWRITABLE, reach
            extent = 0
        elif self.payload:
            if kind == Kind.ZALLOC and (zero := self.payload.zeros(address, extent)) < extent:
                self._fault(index, Flag.NOT_ZERO, zero)
            if old is not None:
                both = min(old.extent, extent)
                kept = self.payload.verify(address, old.owner, old.extent, both)
                if kept < both:
                    self._fault(index, Flag.PREFIX_LOST, kept)
            self.payload.fill(address, index, extent)
        self.head[PROGRESS] = 4 * index + IN_CALL
        c["usable"][index] = self.calls.usable(ptr)
        if old is not None:
            old.live = False
        self.slots[index] = Slot(ptr, extent, index)

    def _count(self, index: int) -> None:
        counted = self.calls.counters()
        if counted is not None:
            self.columns["num_free"][index], self.columns["num_allocated"][index] = counted
