"""The state of a stack as its proofs know it: the ghost of its frames, and the invariant.

Place k of `frame` is where the top was when k blocks were live, so the ghost is the history of the tops: that a pop
leads from place k + 1 to place k, header and all, is that it undoes the newest live allocation, at any depth.
"""

from dataclasses import dataclass
from typing import Any

from heaplaw.refimpl.steps.stack import StackState
from heaplaw.spec.layout import PTRDIFF_MAX, align_up
from heaplaw.spec.logic import Truth, Word, implies, ite

from .paths import Source, Table, TableMemory
from .tables import WORD, Changed

SMALL = 2
"""Counterexamples with at most so many live blocks are looked for first."""
FIELDS = ("buffer", "capacity", "offset", "prev_offset")


@dataclass(frozen=True)
class Situation:
    """A stack's state and memory with the ghost of its frames, the oldest first. Mathematical integers."""

    state: StackState
    depth: Word
    """Live blocks."""
    frame: Table
    """Where frame k starts, from the buffer's start: the top when k blocks were live."""
    ptr: Table
    """The address of the block in frame k, …"""
    size: Table
    """… and the bytes that were asked for."""
    bytes: Table
    """Bytes asked for by the oldest k blocks together."""
    words: Table

    def header(self, index: Word) -> Word:
        """Address of the header of frame `index`."""
        return align_up(self.state.buffer + self.frame[index], WORD)

    def live(self, index: Word) -> Truth:
        """There is a frame `index`."""
        return (index >= 0) & (index < self.depth)

    def prev(self, index: Word) -> Word:
        """Where the newest frame starts when the top is at that of frame `index`; 0 where there is none."""
        return ite(index == 0, 0, self.frame[index - 1])

    def topped(self) -> Truth:
        """The top, and where the newest frame starts, are as the ghost says."""
        state = self.state
        ends = (self.frame[0] == 0) & (self.bytes[0] == 0) & (self.depth >= 0)
        tops = (state.offset == self.frame[self.depth]) & (state.prev_offset == self.prev(self.depth))
        return ends & tops & (state.offset >= 0) & (state.offset <= state.capacity)

    def linked(self, index: Word) -> Truth:
        """The header of frame `index` holds where the frame below starts."""
        return implies(self.live(index), self.words[self.header(index)] == self.prev(index))

    def framed(self, index: Word) -> Truth:
        """The block of frame `index` lies behind its header, and ends where the next frame starts, or below."""
        end = self.state.buffer + self.frame[index + 1]
        behind = self.ptr[index] >= self.header(index) + WORD
        inside = (self.size[index] >= 0) & (self.ptr[index] + self.size[index] <= end)
        return implies(self.live(index), behind & inside)

    def summed(self, index: Word) -> Truth:
        """The blocks up to that of frame `index` ask for no more than their frames have."""
        total = self.bytes[index] + self.size[index]
        within = (self.bytes[index] >= 0) & (self.bytes[index] <= self.frame[index])
        return implies(self.live(index), within & (self.bytes[index + 1] == total))

    def ordered(self, low: Word, high: Word) -> Truth:
        """Frames stand in the order of their places."""
        both = (low >= 0) & (low <= high) & (high <= self.depth)
        return implies(both, self.frame[low] <= self.frame[high])

    def invariant_at(self, index: Word, high: Word) -> Truth:
        """The invariant, for one frame and one pair of places."""
        of_frame = self.linked(index) & self.framed(index) & self.summed(index)
        return self.topped() & of_frame & self.ordered(index, high)

    def pushed(self, state: StackState, words: Table, ptr: Word, size: Word) -> "Situation":
        """After a request that was given `size` bytes at `ptr`."""
        depth = self.depth
        return Situation(
            state,
            depth + 1,
            Changed(self.frame, depth + 1, state.offset),
            Changed(self.ptr, depth, ptr),
            Changed(self.size, depth, size),
            Changed(self.bytes, depth + 1, self.bytes[depth] + size),
            words,
        )


def arbitrary(source: Source, steps: Any) -> tuple[Situation, StackState, TableMemory]:
    """Any stack: its situation, its state as the step sees it, its memory. Assumes what is not said for each frame."""
    state = steps.StackState(*(source.number(name) for name in FIELDS))
    tables = (source.table(name) for name in ("frame", "ptr", "size", "bytes", "word"))
    now = Situation(state, source.number("depth"), *tables)
    end = state.buffer + state.capacity
    source.assume((state.buffer >= 1) & (end < source.modulus), "the buffer lies in the address space")
    source.assume((state.capacity >= 0) & (state.capacity <= PTRDIFF_MAX), "the buffer is no larger than any object")
    source.assume(now.topped(), "the top, and where the newest frame starts, are as the ghost says")
    source.prefer((now.depth <= SMALL) & (state.capacity <= 256))
    for index in range(SMALL):
        source.prefer(now.invariant_at(index, index + 1))
    seen = steps.StackState(*(source.machine(getattr(state, name)) for name in FIELDS))
    return now, seen, source.memory(now.words)


def assume_at(source: Source, now: Situation, *indices: Word) -> None:
    """Instantiate what the invariant says of single frames, and of their order from the buffer's start to the top."""
    for index in indices:
        source.assume(now.linked(index), "each header holds where the frame below starts")
        source.assume(now.framed(index), "each block lies behind its header, in its frame")
        source.assume(now.summed(index), "the blocks ask for no more than their frames have")
        for low, high in ((0, index), (index + 1, now.depth), (index + 1, now.depth - 1)):
            source.assume(now.ordered(low, high), "frames stand in order")
