"""Any state of a free list: the list as a ghost sequence, any live block, and what is counted.

The ghost says of each place in the list which block stands there (`at`) and how long it is (`length`); memory and state
agree with it. What is said of all blocks is *instantiated* on those that a step touches and on arbitrary ones;
nothing is quantified. That any two free blocks are apart makes the list acyclic.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from heaplaw.refimpl.steps.freelist import HEADER, LEAST, FreeListState
from heaplaw.spec.event import View
from heaplaw.spec.layout import PTRDIFF_MAX
from heaplaw.spec.logic import Truth, Word, every, implies, ite, neg
from heaplaw.spec.report import Node

from .paths import Source, Table, TableMemory
from .tables import WORD

SMALL = 3
"""Counterexamples with at most so many free blocks are looked for first."""
APART = "any two free blocks are apart"
CLEAR = "free blocks and live ones are apart"
OBJECT = "the buffer is no larger than any object, and ends below 2**64"
COVERED = "each byte of the whole words lies in a free block or in a live one"
NODE = "a free block is whole words of the buffer, 32 bytes at least, which begin with its size and the next one"
WHOLE = "a live block is whole words of the buffer, 32 bytes at least, with its header in front of the payload"


def is_object(source: Source, buffer: Word, capacity: Word) -> Truth:
    """A buffer that somebody can have."""
    return (buffer >= 1) & (capacity <= PTRDIFF_MAX) & (buffer + capacity < source.modulus)


def outside(start: Word, size: Word, other: Word, other_size: Word) -> Truth:
    """Two ranges of bytes share none."""
    return (start + size <= other) | (other + other_size <= start)


@dataclass(frozen=True)
class Live:
    """A block that has been handed out. Mathematical integers, as everything here; bytes."""

    start: Word
    length: Word
    """From its start on: a rest in front, the header, the payload, a rest behind."""
    payload: Word
    requested: Word

    @property
    def usable(self) -> Word:
        """What its owner may use."""
        return self.length - (self.payload - self.start)

    def apart(self, other: "Live") -> Truth:
        """No byte is in both."""
        return outside(self.start, self.length, other.start, other.length)


@dataclass(frozen=True)
class Situation:
    """A free list's state and memory with the ghost sequence of its free blocks."""

    state: FreeListState
    low: Word
    high: Word
    """The whole words of the buffer, [low, high)."""
    count: Word
    """Free blocks, by the ghost."""
    at: Table
    length: Table
    free: Word
    """Bytes of all free blocks."""
    words: Table
    ordered: bool
    """The list is in order of address, and no two free blocks touch."""
    owner: Table
    """Of each byte: the place of the free block in which it lies; -1 where it lies in a live one."""

    def exists(self, place: Word) -> Truth:
        """There is a free block at `place`."""
        return (place >= 0) & (place < self.count)

    def node(self, place: Word) -> Node:
        """The free block at `place`, as laws see it."""
        return Node(self.at[place], self.length[place])

    def block(self, place: Word) -> Word:
        """Where the free block at `place` starts; 0 behind the end, and in front of the head."""
        return ite(self.exists(place), self.at[place], 0)

    def framed(self) -> Truth:
        """The whole words lie in the buffer."""
        end = self.state.buffer + self.state.capacity
        return (self.low >= self.state.buffer) & (self.high >= self.low) & (self.high <= end)

    def headed(self) -> Truth:
        """The list begins with the ghost's first block."""
        return (self.count >= 0) & (self.state.free_list == self.block(0))

    def within(self, start: Word, length: Word) -> Truth:
        """A block as any is: whole words of the buffer, and 32 bytes at least."""
        words = (start % WORD == 0) & (length % WORD == 0)
        return words & (length >= LEAST) & (start >= self.low) & (start + length <= self.high)

    def linked(self, place: Word) -> Truth:
        """At `place` is a block, whose words say how long it is and which is the next."""
        start, length = self.at[place], self.length[place]
        says = (self.words[start] == length) & (self.words[start + WORD] == self.block(place + 1))
        return implies(self.exists(place), self.within(start, length) & says)

    def apart(self, place: Word, other: Word) -> Truth:
        """Free blocks at two places are apart; in order, the earlier one lies below, and does not touch."""
        a, b, both = self.node(place), self.node(other), self.exists(place) & self.exists(other)
        if self.ordered:
            rising = implies(place < other, a.start + a.size < b.start)
            return implies(both, rising & implies(other < place, b.start + b.size < a.start))
        return implies(both & neg(place == other), outside(a.start, a.size, b.start, b.size))

    def clear(self, live: Live, place: Word) -> Truth:
        """A live block and the free one at `place` are apart."""
        return implies(self.exists(place), outside(live.start, live.length, self.at[place], self.length[place]))

    def headers(self, live: Live) -> Truth:
        """A live block is one, and its header says so."""
        behind = (live.payload % WORD == 0) & (live.payload >= live.start + HEADER) & (live.requested >= 0)
        fits = live.payload + live.requested <= live.start + live.length
        said = (self.words[live.payload - HEADER] == live.length) & (self.words[live.payload - WORD] == live.start)
        return self.within(live.start, live.length) & behind & fits & said

    def conserved(self) -> Truth:
        """What is allocated and what is free make up all whole words."""
        return (self.free >= 0) & (self.state.allocated + self.free == self.high - self.low)

    def covered(self, address: Word, live: Word) -> Truth:
        """A byte of the whole words lies in a free block or in a live one, of which there are `live`."""
        owner = self.owner[address]
        start, length = self.at[owner], self.length[owner]
        inside = self.exists(owner) & (address >= start) & (address < start + length)
        return implies((address >= self.low) & (address < self.high), inside | ((owner == -1) & (live >= 1)))


def summed(number: Word, whole: Word, requested: Word) -> Truth:
    """Sums over so many live blocks: of their lengths, and of what was requested."""
    nothing = implies(number == 0, (whole == 0) & (requested == 0))
    return (number >= 0) & (requested >= 0) & (requested <= whole) & nothing


def told(now: Situation, view: View, witness: Word) -> Truth:
    """The history agrees with the ghost: what was just freed, or freed before a refusal, is in one free block; and the
    whole buffer holds what the empty heap has served.
    """
    room = ite(now.exists(witness), now.length[witness], 0)
    had = every((size >= 0) & implies(size > 0, size + HEADER <= room) for size in (view.freed, view.owed))
    fits = (view.live == 0) & (view.whole + HEADER <= now.high - now.low)
    whole = (view.whole >= 0) & implies(view.whole > 0, fits)
    return had & whole & summed(view.live, now.state.allocated, view.live_bytes)


def any_live(source: Source, name: str) -> Live:
    """Any live block."""
    return Live(*(source.number(f"{name}.{field}") for field in ("start", "length", "payload", "requested")))


def arbitrary(source: Source, steps: Any, ordered: bool) -> tuple[Situation, FreeListState, TableMemory]:
    """Any free list: its situation, its state as the step sees it, and its memory. Assumes what is not said for each
    block.
    """
    source.split()
    names = ("buffer", "capacity", "free_list", "allocated")
    state = steps.FreeListState(*(source.number(name) for name in names), ordered)
    low, high, count = source.number("low"), source.number("high"), source.number("count")
    at, length, words = source.table("at"), source.table("length"), source.table("word")
    now = Situation(state, low, high, count, at, length, source.number("free"), words, ordered, source.table("owner"))
    source.assume(is_object(source, state.buffer, state.capacity), OBJECT)
    source.assume(now.framed(), "the whole words lie in the buffer")
    source.assume(now.headed(), "the list begins with the ghost's first block")
    source.assume(now.conserved(), "all whole words are in blocks, live or free, and are counted")
    source.prefer((count <= SMALL) & (state.capacity <= 512) & (low == state.buffer) & (low % WORD == 0))
    for each in range(SMALL):
        source.prefer(now.linked(each))
    for pair in combinations(range(SMALL), 2):
        source.prefer(now.apart(*pair))
    seen = steps.FreeListState(*(source.machine(getattr(state, name)) for name in names), ordered)
    return now, seen, source.memory(words)


def assume_live(source: Source, now: Situation, *blocks: Live) -> None:
    """These are live."""
    for each in blocks:
        source.assume(now.headers(each), WHOLE)
        for place in range(SMALL):
            source.prefer(now.clear(each, place))
    for one, other in combinations(blocks, 2):
        source.assume(one.apart(other), "any two live blocks are apart")


def assume_nodes(source: Source, now: Situation, places: Iterable[Word]) -> None:
    """Instantiate what is said of each free block."""
    for place in places:
        source.assume(now.linked(place), NODE)


def assume_apart(source: Source, now: Situation, *pairs: tuple[Word, Word]) -> None:
    """Instantiate what is said of any two free blocks."""
    for pair in pairs:
        source.assume(now.apart(*pair), APART)


def assume_covered(source: Source, now: Situation, live: Word, *addresses: Word) -> None:
    """Instantiate what is said of each byte, and of the free block in which it lies."""
    for address in addresses:
        source.assume(now.covered(address, live), COVERED)
    assume_nodes(source, now, (now.owner[address] for address in addresses))


def assume_clear(source: Source, now: Situation, live: Live, places: Iterable[Word]) -> None:
    """Instantiate what is said of a live and a free block."""
    for place in places:
        source.assume(now.clear(live, place), CLEAR)
