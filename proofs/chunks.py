"""An arena between two operations, with the parent's record of what it has lent: the ghost of the proofs on arenas.

Level 0 is the arena before its first chunk, level `depth` the arena now; each level between is a state that it was in
just before it took the next chunk, and that it comes back to when that chunk is given back. `chunk` and `end` are the
parent's record of the chunk that was lent last on each level, and `held` its bytes with all those below; `top` and
`total` are the saved states'. Hypotheses are *instantiated* on the levels that a step touches; nothing is quantified.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import combinations, product
from typing import Any

from heaplaw.refimpl.steps.arena import HEADER, ArenaState
from heaplaw.spec.event import View
from heaplaw.spec.history import Op
from heaplaw.spec.layout import MAX_ALIGN
from heaplaw.spec.logic import Truth, Word, every, implies, ite, neg, one_of
from heaplaw.spec.shapes import Kind

from .claims import read_back
from .paths import Source, Table
from .prove import Claim, law_claim
from .symbolic import plain
from .tables import WORD, Changed

LARGEST_CHUNK = 2**63
NAMES = ("chunk_size", "chunk", "top", "end", "total")
SMALL = 2
"""Counterexamples with at most so many chunks are looked for first."""


@dataclass(frozen=True)
class Situation:
    """An arena's state and memory, with the ghost. Mathematical integers."""

    state: ArenaState
    depth: Word
    """Chunks that are lent."""
    chunk: Table
    end: Table
    held: Table
    top: Table
    total: Table
    words: Table

    def is_held(self, level: Word) -> Truth:
        """On `level` there is a chunk."""
        return (level >= 1) & (level <= self.depth)

    def first(self, level: Word) -> Word:
        """Where the first block of a level's chunk may begin."""
        return self.chunk[level] + HEADER

    def counted(self) -> Truth:
        """The state is that of the newest level."""
        level, state = self.depth, self.state
        now = (self.chunk[level], self.top[level], self.end[level], self.total[level])
        size = (state.chunk_size % MAX_ALIGN == 0) & (state.chunk_size >= HEADER + MAX_ALIGN)
        same = every(a == b for a, b in zip((state.chunk, state.top, state.end, state.total), now, strict=True))
        return (level >= 0) & same & size & (state.chunk_size <= LARGEST_CHUNK)

    def bottom(self) -> Truth:
        """Before the first chunk all is 0."""
        return every(of[0] == 0 for of in (self.chunk, self.top, self.end, self.total, self.held))

    def lent(self, level: Word, modulus: int) -> Truth:
        """What the parent has promised of a level's chunk."""
        low, high, below = self.chunk[level], self.end[level], self.held[level - 1]
        place = (low >= MAX_ALIGN) & (low % MAX_ALIGN == 0) & (high < modulus)
        size = (high - low >= HEADER + MAX_ALIGN) & (high - low <= LARGEST_CHUNK)
        sums = (below >= 0) & (self.held[level] == below + (high - low)) & (self.held[level] < modulus)
        return implies(self.is_held(level), place & size & sums)

    def apart(self, one: Word, other: Word) -> Truth:
        """The parent lends no byte twice."""
        both = self.is_held(one) & self.is_held(other) & neg(one == other)
        return implies(both, (self.end[one] <= self.chunk[other]) | (self.end[other] <= self.chunk[one]))

    def filled(self, level: Word) -> Truth:
        """A level's top lies in its chunk, and its total is that of the level below with what lies below the top."""
        top, total = self.top[level], self.total[level]
        taken = top - self.first(level)
        inside = (taken >= 0) & (top <= self.end[level])
        sums = (total == self.total[level - 1] + taken) & (total >= 0)
        return implies(self.is_held(level), inside & sums & (total <= self.held[level] - (self.end[level] - top)))

    def stored(self, level: Word) -> Truth:
        """A chunk's header holds the level below."""
        tables = (self.chunk, self.top, self.end, self.total)
        words = ((self.words[self.chunk[level] + WORD * at], of[level - 1]) for at, of in enumerate(tables))
        return implies(self.is_held(level), every(word == value for word, value in words))

    def invariant_at(self, level: Word) -> Truth:
        """The invariant, on one level."""
        return self.counted() & self.bottom() & self.filled(level) & self.stored(level)

    def settled(self, state: ArenaState, words: Table) -> "Situation":
        """With this state on the newest level."""
        top, total = Changed(self.top, self.depth, state.top), Changed(self.total, self.depth, state.total)
        return replace(self, state=state, top=top, total=total, words=words)

    def at(self, level: Word) -> ArenaState:
        """The state on a level."""
        return replace(
            self.state, chunk=self.chunk[level], top=self.top[level], end=self.end[level], total=self.total[level]
        )


@dataclass(frozen=True)
class Lying:
    """A block, and the level whose chunk it lies in."""

    level: Word
    ptr: Word
    room: Word

    def inside(self, now: Situation) -> Truth:
        """It lies in its chunk, below the top."""
        place = (self.ptr >= now.first(self.level)) & (self.ptr + self.room <= now.top[self.level])
        return now.is_held(self.level) & place & (self.room >= 1)


@dataclass(frozen=True)
class Taken:
    """A mark, with what the arena's total was."""

    level: Word
    top: Word
    total: Word

    def good(self, now: Situation) -> Truth:
        """No release or reset has ended it."""
        exists = (self.level >= 0) & (self.level <= now.depth)
        inside = (self.top >= now.first(self.level)) & (self.top <= now.top[self.level])
        total = self.total == now.total[self.level] - (now.top[self.level] - self.top)
        return exists & ite(self.level == 0, self.top == 0, inside) & total

    def covers(self, block: Lying) -> Truth:
        """The block was made before the mark was taken."""
        below = (block.level == self.level) & (block.ptr + block.room <= self.top)
        return (block.level < self.level) | below

    def follows(self, older: "Taken") -> Truth:
        """The other mark was taken before this one, or is this one."""
        return (older.level < self.level) | ((older.level == self.level) & (older.top <= self.top))


def arbitrary(source: Source, steps: Any) -> tuple[Situation, ArenaState]:
    """Any arena: its situation, and its state as the steps see it. Assumes what is not said for each level."""
    state = steps.ArenaState(*(source.number(name) for name in NAMES))
    chunk, end, held, top, total = (
        source.table(f"{name} of level") for name in ("chunk", "end", "held", "top", "total")
    )
    now = Situation(state, source.number("depth"), chunk, end, held, top, total, source.table("word"))
    source.assume(now.counted(), "the state is that of the newest level")
    source.assume(now.bottom(), "before the first chunk all is 0")
    source.prefer((now.depth <= SMALL) & (state.chunk_size <= 64))
    for level in range(1, SMALL + 1):
        source.prefer(now.lent(level, source.modulus) & now.filled(level) & now.stored(level))
    source.prefer(now.apart(1, 2))
    return now, machine_state(source, steps, state)


def machine_state(source: Source, steps: Any, state: ArenaState) -> ArenaState:
    """A state as the steps see it."""
    seen: ArenaState = steps.ArenaState(*(source.machine(getattr(state, name)) for name in NAMES))
    return seen


def assume_at(source: Source, now: Situation, here: Iterable[Word], elsewhere: Iterable[Word] = ()) -> None:
    """Instantiate the invariant, and the parent's promises: chunks that a step touches are apart from all of them."""
    touched, others = tuple(here), tuple(elsewhere)
    for level in (*touched, *others):
        source.assume(now.lent(level, source.modulus), PROMISED)
        source.assume(now.filled(level), "each top lies in its chunk, and the totals count what lies below the tops")
        source.assume(now.stored(level), STORED)
    for one, other in (*combinations(touched, 2), *product(touched, others)):
        source.assume(now.apart(one, other), DISJOINT)


PROMISED = "a chunk is aligned to 16, ends below 2**64, and all chunks together have less than 2**64 bytes"
DISJOINT = "the parent lends no byte twice"
COVERED = "the totals cover the live blocks, and are 0 where there are none"
GOOD = "a mark lies in its chunk, at or below the top; the total at it is known"
STORED = "each chunk's header holds the state from before it was taken"


@dataclass(frozen=True)
class Given:
    """A chunk as it was given back, and as it had been lent: address and bytes."""

    address: Word
    size: Word
    lent_at: Word
    lent: Word

    def __str__(self) -> str:
        return f"{self.size} bytes at {self.address:#x} given back for {self.lent} bytes at {self.lent_at:#x}"

    @property
    def exact(self) -> Truth:
        """The parent gets what it lent."""
        return (self.address == self.lent_at) & (self.size == self.lent)


class Parent:
    """The steps' memory with the parent, who lends any chunk or none, and writes what he likes into those that he gets
    back. `now` follows what he does, not what the steps think.
    """

    def __init__(
        self, source: Source, now: Situation, levels: Iterable[Word], again: Iterable[Word] = (), name: str = "lent"
    ) -> None:
        """`levels` are those that a chunk is known to be apart from; sizes that were lent before are lent `again`."""
        self.now = now
        self.asked: list[Word] = []
        self.answers: list[Word] = []
        self.given: list[Given] = []
        self.memory = source.memory(now.words)
        self._source, self._levels, self._again, self._name = source, tuple(levels), tuple(again), name

    def read(self, address: Word) -> Word:
        """The word at `address`."""
        return self.memory.read(address)

    def write(self, address: Word, value: Word) -> None:
        """Make `value` the word at `address`."""
        self.memory.write(address, value)

    def zero(self, address: Word, size: Word) -> None:
        """Make bytes zero."""
        self.memory.zero(address, size)

    def take(self, size: Word) -> Word:
        """Lend a chunk, or none."""
        source, now, size = self._source, self.now, plain(size)
        at = source.number(f"{self._name} {len(self.asked)}")
        end, level, held = at + size, now.depth + 1, now.held[now.depth] + size
        self.asked.append(size)
        self.answers.append(at)
        good = (at >= MAX_ALIGN) & (at % MAX_ALIGN == 0) & (end < source.modulus) & (held < source.modulus)
        source.assume((at == 0) | good, PROMISED)
        for each in self._levels:
            there = now.is_held(each) & neg(at == 0)
            source.assume(implies(there, (end <= now.chunk[each]) | (now.end[each] <= at)), DISJOINT)
        for before in self._again:
            source.assume(
                implies(size <= before, neg(at == 0)), "what the parent lent then, and got back, he lends again"
            )
        chunk, high = Changed(now.chunk, level, at), Changed(now.end, level, end)
        lent = replace(now, depth=level, chunk=chunk, end=high, held=Changed(now.held, level, held))
        if at != 0:
            self.now = lent
        return source.machine(at)

    def give(self, address: Word, size: Word) -> None:
        """Take a chunk back."""
        now, low, size = self.now, plain(address), plain(size)
        lent_at = now.chunk[now.depth]
        self.given.append(Given(low, size, lent_at, now.end[now.depth] - lent_at))
        self.memory.forget(low, low + size)
        self.now = replace(now, depth=now.depth - 1)

    def settled(self, state: Any) -> Situation:
        """The situation, now that the steps have come to this state."""
        return self.now.settled(plain(state), self.memory.words)

    @property
    def accessed(self) -> tuple[Word, ...]:
        """The addresses of all words that the steps read or wrote."""
        return tuple(self.memory.accessed)

    def jump(self, then: Situation) -> None:
        """A loop has come to this situation."""
        self.now, self.memory.words = then, then.words


# ------------------------------------------------------------------------------------------------ what is around


@dataclass(frozen=True)
class Around:
    """Any live block with any word of it, and any mark and level. What is shown of these is shown of all."""

    block: Lying
    word: Word
    mark: Taken
    level: Word

    @property
    def levels(self) -> tuple[Word, ...]:
        """Where the invariant is wanted."""
        return self.block.level, self.mark.level, self.level


def around(source: Source, now: Situation) -> Around:
    """A live block, …"""
    block = Lying(*(source.number(name) for name in ("level of any_block", "any_block", "room of any_block")))
    mark = Taken(*(source.number(name) for name in ("level of any_mark", "any_mark", "total at any_mark")))
    word, level = source.number("any_word"), source.number("any_level")
    source.assume(block.inside(now), "live blocks lie in their chunks, below the top")
    source.assume(mark.good(now), GOOD)
    source.assume((word % WORD == 0) & overlaps(word, block), "the word is one of the block")
    return Around(block, word, mark, level)


def overlaps(word: Word, block: Lying) -> Truth:
    """The word has bytes of the block."""
    return (word > block.ptr - WORD) & (word < block.ptr + block.room)


@dataclass(frozen=True)
class Told:
    """What the history says was live, by the arena's total: each block takes a byte or more, so totals tell the states
    since the last release apart.
    """

    blocks: Table
    bytes: Table

    def view(self, state: ArenaState, total: Word) -> View:
        """The heap in a state, if what is live is what was when the total was `total`."""
        return View(
            live=self.blocks[total],
            live_bytes=self.bytes[total],
            remaining=state.end - state.top,
            total=state.total,
        )


def told(source: Source, totals: tuple[Word, ...]) -> Told:
    """Any history that agrees with the totals."""
    found = Told(source.table("live blocks"), source.table("live bytes"))
    for total in totals:
        blocks, size = found.blocks[total], found.bytes[total]
        some = (blocks >= 0) & implies(blocks == 0, total == 0) & implies(total == 0, blocks == 0)
        source.assume(
            some & (size >= 0) & (size <= total), "the totals cover the blocks, and are 0 where there are none"
        )
    return found


def same_state(one: ArenaState, other: ArenaState) -> Truth:
    """Two states are one."""
    return every(getattr(one, name) == getattr(other, name) for name in NAMES)


def in_words(now: Situation) -> str:
    """A state, when it is known."""
    state = now.state
    place = f"the chunk [{state.chunk:#x}, {state.end:#x}), its top at {state.top:#x}"
    return f"level {now.depth}: {place}, bytes in all: {state.total}"


def is_header_of(address: Word, now: Situation, levels: tuple[Word, ...]) -> Truth:
    """The word is one of a header's four, in a chunk that was lent, so it is no block's, and words never overlap."""
    own = [now.is_held(level) & one_of(address - now.chunk[level], range(0, HEADER, WORD)) for level in levels]
    found = own[0]
    for each in own[1:]:
        found = found | each
    return found & (address % WORD == 0)


def request(source: Source, kind: Kind) -> Op:
    """Any request of a kind."""
    size, count, align = source.number("size"), 1, 0
    fits = (size >= 0) & (size < source.modulus)
    if kind is Kind.ZALLOC:
        count = source.number("count")
        fits = fits & (count >= 0) & (count < source.modulus)
        source.prefer(count <= 2)
    elif kind is Kind.ALIGNED:
        align = source.power("align")
    source.assume(fits, "sizes and counts have 64 bits")
    return Op(kind, source.machine(size), align=source.machine(align), count=source.machine(count))


def word_kept(before: Situation, after: Situation, near: Around, given: Truth = True) -> Claim:
    """Any word of any block that is live before and after, read back by its owner afterwards."""
    block, word = near.block, near.word
    damaged = neg(before.words[word] == after.words[word])
    check = read_back(damaged, block.room, ite(word < block.ptr, 0, word - block.ptr), before.state.env)
    return law_claim("payload_kept", check, given=given)


def same_size(before: Situation, after: Situation) -> Truth:
    """The size of ordinary chunks stays."""
    return before.state.chunk_size == after.state.chunk_size


def headers_only(parent: Parent, now: Situation, levels: tuple[Word, ...], given: Truth = True) -> Claim:
    """Words of these chunks' headers alone were read or written."""
    words = parent.accessed
    own = every(is_header_of(address, now, levels) for address in words)
    return Claim(True, own & given, said=lambda: f"words at {', '.join(f'{address:#x}' for address in words)}")
