"""Obligations on the reference pool's own steps: `alloc`, `dealloc`, and `init` with its loop of `thread`s.

For any block size, any buffer that fits the address space, any number of blocks and any state that satisfies the
invariant. The invariant has a ghost: an order of all blocks, `at` (place to block index) with its inverse `place`. The
first `depth` places are the free list, the bottom of the stack first; the live blocks have the rest. That the two are
inverse makes the list acyclic and the free blocks `depth` many. Hypotheses are *instantiated* on the terms
that a step touches; nothing is quantified.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from heaplaw.refimpl.steps import pool
from heaplaw.refimpl.steps.pool import PoolState
from heaplaw.spec.event import Block, Event, Flag, View
from heaplaw.spec.heap import block_of
from heaplaw.spec.history import Op
from heaplaw.spec.logic import Truth, Word, every, implies, ite, neg
from heaplaw.spec.shapes import Kind

from .paths import Source, Table, TableMemory
from .prove import Claim, Obligation, family, law_claim
from .symbolic import plain
from .tables import WORD, Changed

SMALL = 3
"""Counterexamples with at most so many blocks are looked for first."""
TRUSTED = (
    "induction over the number of operations",
    "a bijection counts: `num_blocks - depth` places are as many blocks",
    "only live blocks are freed: the class that users hold checks, the steps cannot tell",
)


@dataclass(frozen=True)
class Situation:
    """A pool's state and memory with the ghost stack of its free blocks. Mathematical integers."""

    state: PoolState
    depth: Word
    """Free blocks, by the ghost."""
    at: Table
    place: Table
    words: Table

    def address(self, index: Word) -> Word:
        """Where block `index` starts."""
        return self.state.buffer + index * self.state.block_size

    def exists(self, index: Word) -> Truth:
        """There is a block `index`; and there are as many places."""
        return (index >= 0) & (index < self.state.num_blocks)

    def free(self, index: Word) -> Truth:
        """Block `index` is on the free list."""
        return (self.place[index] >= 0) & (self.place[index] < self.depth)

    def live(self, index: Word) -> Truth:
        """Block `index` has been handed out."""
        return self.exists(index) & neg(self.free(index))

    def counted(self) -> Truth:
        """The counter and the head of the list are as the ghost says."""
        state = self.state
        head = ite(self.depth == 0, 0, self.address(self.at[self.depth - 1]))
        return every(
            (
                self.depth >= 0,
                self.depth <= state.num_blocks,
                state.num_free == self.depth,
                state.free_list == head,
            )
        )

    def linked(self, place: Word) -> Truth:
        """At `place` is a block, whose place that is; if free, its first word links to the one below."""
        index = self.at[place]
        below = ite(place == 0, 0, self.address(self.at[place - 1]))
        link = implies(place < self.depth, self.words[self.address(index)] == below)
        return implies(self.exists(place), self.exists(index) & (self.place[index] == place) & link)

    def placed(self, index: Word) -> Truth:
        """Block `index` has a place, and is there."""
        place = self.place[index]
        return implies(self.exists(index), self.exists(place) & (self.at[place] == index))

    def invariant_at(self, place: Word, index: Word) -> Truth:
        """The invariant, at one place and for one block."""
        return self.counted() & self.linked(place) & self.placed(index)

    def pushed(self, index: Word, state: PoolState, words: Table) -> "Situation":
        """After a step that made block `index` free: it changes places with the first live one."""
        other, left = self.at[self.depth], self.place[index]
        at = Changed(Changed(self.at, left, other), self.depth, index)
        place = Changed(Changed(self.place, other, left), index, self.depth)
        return Situation(state, self.depth + 1, at, place, words)

    def popped(self, state: PoolState, words: Table) -> "Situation":
        """After a step that handed out the top of the stack."""
        return Situation(state, self.depth - 1, self.at, self.place, words)


def arbitrary(source: Source, steps: Any) -> tuple[Situation, PoolState, TableMemory]:
    """Any pool: its situation, its state as the step sees it, and its memory. Assumes what is not
    said for each place or block.
    """
    names = ("buffer", "block_size", "num_blocks", "free_list", "num_free")
    state = steps.PoolState(*(source.number(name) for name in names))
    now = Situation(state, source.number("depth"), source.table("at"), source.table("place"), source.table("word"))
    grid = (state.buffer >= WORD) & (state.buffer % WORD == 0)
    blocks = (state.num_blocks >= 1) & (state.block_size >= WORD) & (state.block_size % WORD == 0)
    source.assume(grid & blocks, "the buffer and the block size are multiples of 8, and there is a block")
    fits = state.buffer + state.block_size * state.num_blocks <= source.modulus
    source.assume(fits, "the buffer lies in the address space")
    source.assume(now.counted(), "the counter and the head of the list are as the ghost says")
    source.prefer((state.num_blocks <= SMALL) & (state.block_size <= 32))
    for each in range(SMALL):
        source.prefer(now.linked(each) & now.placed(each))
    seen = steps.PoolState(*(source.machine(getattr(state, name)) for name in names))
    return now, seen, source.memory(now.words)


def assume_at(source: Source, now: Situation, places: Iterable[Word], indices: Iterable[Word]) -> None:
    """Instantiate the invariant."""
    for place in places:
        source.assume(now.linked(place), "each place has a block, and a free one's first word links to the one below")
    for index in indices:
        source.assume(now.placed(index), "each block has a place, and is there")


@dataclass(frozen=True)
class Stepped:
    """An operation with all that is around it, as mathematical integers."""

    before: Situation
    after: Situation
    pre: View
    event: Event
    post: View
    freed: Word
    """Bytes that the operation before this one freed."""
    freeing: Word
    """Index of the block that a FREE names; -1 for an ALLOC."""
    place: Word
    """Any place, …"""
    index: Word
    """… any block …"""
    word: Word
    """… and any word of it: what is shown of these is shown of all."""
    accessed: tuple[Word, ...]


def views(source: Source, now: Situation) -> tuple[View, Word]:
    """The heap before the operation, as the history tells it, and how many bytes the latest call freed."""
    state, freed = now.state, source.number("freed")
    pre = View(
        state.num_free,
        state.num_blocks - state.num_free,
        source.number("live"),
        source.truth("after_failure"),
        source.number("owed"),
    )
    source.assume(told(now, pre, freed), "the history agrees with the ghost")
    return pre, freed


def told(now: Situation, view: View, freed: Word) -> Truth:
    """The history agrees with the ghost: live blocks; nothing free after a refusal; something free after a FREE."""
    refused = implies(view.after_failure, (now.depth == 0) & (view.owed == 0))
    reusable = (freed >= 0) & implies(freed > 0, now.depth >= 1)
    return (view.live == now.state.num_blocks - now.depth) & refused & reusable


def operate(source: Source, steps: Any, kind: Kind) -> Stepped:
    """Any pool, and one ALLOC, or FREE of any live block."""
    now, state, memory = arbitrary(source, steps)
    place, index, word = source.number("any_place"), source.number("any_block"), source.number("any_word")
    source.assume((word >= 0) & (WORD * word + WORD <= now.state.block_size), "the word is one of a block")
    assume_at(source, now, (place, place - 1, now.depth, now.depth - 1, now.depth - 2), (index,))
    pre, freed = views(source, now)
    freeing: Word = -1
    if kind is Kind.FREE:
        freeing = source.number("freeing")
        source.assume(now.live(freeing) & now.placed(freeing), "what is freed is live")
    ptr = source.machine(now.address(freeing)) if kind is Kind.FREE else 0
    seen, seen_event = steps.step(state, Op(kind), ptr, memory)
    new_state, e = plain(seen), plain(seen_event)
    after = _moved(now, new_state, memory.words, e, freeing)
    change = 1 if e.makes else (-1 if e.served else 0)
    post = View(e.num_free, e.num_allocated, pre.live + change, e.failed, ite(e.failed, freed, 0))
    touched = tuple(memory.accessed)
    return Stepped(now, after, pre, e, post, freed, freeing, place, index, word, touched)


def _moved(now: Situation, state: PoolState, words: Table, e: Event, freeing: Word) -> Situation:
    """The ghost follows what the operation answered, not what it did."""
    if e.makes:
        return now.popped(state, words)
    if e.kind == Kind.FREE:
        return now.pushed(freeing, state, words)
    return replace(now, state=state, words=words)


# ------------------------------------------------------------------------------------------- claims on a step


def on_event(name: str) -> Callable[[Stepped], Claim]:
    """A law on one operation."""
    return lambda done: law_claim(name, done.event)


def on_step(name: str) -> Callable[[Stepped], Claim]:
    """A law on an operation with the heap before and after."""
    return lambda done: law_claim(name, done.pre, done.event, done.post)


def disjoint(done: Stepped) -> Claim:
    """The block handed out, against any block that was live."""
    before = done.before
    older = Block(before.address(done.index), before.state.block_size, 0)
    newer = block_of(done.event, 1)
    return law_claim("blocks_disjoint", older, newer, given=done.event.makes & before.live(done.index))


def payload_kept(done: Stepped) -> Claim:
    """Any word of any block that is live before and after, read back by its owner afterwards."""
    before, size = done.before, done.before.state.block_size
    where = before.address(done.index) + WORD * done.word
    damaged = neg(done.after.words[where] == before.words[where])
    flags = ite(damaged, int(Flag.DAMAGED), 0)
    check = Event(Kind.CHECK, 0, flags=flags, held=size, bad_at=WORD * done.word, env=done.event.env)
    return law_claim("payload_kept", check, given=before.live(done.index) & neg(done.index == done.freeing))


def invariant(done: Stepped) -> Claim:
    """The invariant again, at any depth and for any block; and the block handed out is the one that left the stack."""
    before, after, e = done.before, done.after, done.event
    kept = after.invariant_at(done.place, done.index)
    same = every(getattr(before.state, name) == getattr(after.state, name) for name in ("buffer", "block_size", "num_blocks"))
    freed = before.state.block_size if e.kind == Kind.FREE else 0
    handed = implies(e.makes, e.ptr == before.address(before.at[before.depth - 1]))
    return Claim(True, kept & same & handed & told(after, done.post, freed))


def accesses(done: Stepped) -> Claim:
    """Each word read or written is the first of the block that changes hands: inside of the buffer, at a multiple of 8,
    so that words never overlap.
    """
    now = done.before
    handed = now.at[now.depth - 1] if done.event.kind == Kind.ALLOC else done.freeing
    place = now.address(handed)
    apart = now.exists(handed) & (place % WORD == 0)
    return Claim(True, every((address == place) & apart for address in done.accessed))


BOTH: dict[str, Callable[[Stepped], Claim]] = {
    "invariant": invariant,
    "accesses": accesses,
    "payload_kept": payload_kept,
    **{
        name: on_step(name)
        for name in ("pool_conserved", "accounting_exact", "free_count_exact", "failure_changes_nothing")
    },
}
CLAIMS: dict[Kind, dict[str, Callable[[Stepped], Claim]]] = {
    Kind.ALLOC: {
        **{name: on_event(name) for name in ("aligned", "in_bounds", "pool_on_grid")},
        "blocks_disjoint": disjoint,
        "pool_serves_while_free": on_step("pool_serves_while_free"),
        **BOTH,
    },
    Kind.FREE: BOTH,
}
WORDS = {
    "invariant": "the free list is a duplicate-free chain of the free blocks, and the counter counts it",
    "accesses": "only the first word of the block that changes hands is read or written",
}


# --------------------------------------------------------------------------------------------- construction


def empty(source: Source, steps: Any) -> Claim:
    """The state in which construction's loop starts satisfies the loop's invariant: no block threaded."""
    now, _, _ = arbitrary(source, steps)
    place, index = source.number("any_place"), source.number("any_block")
    assume_at(source, now, (place,), (index,))
    start = Situation(replace(now.state, free_list=0, num_free=0), 0, now.at, now.place, now.words)
    return Claim(True, start.invariant_at(place, index) & threaded(start, index))


def threaded(now: Situation, index: Word) -> Truth:
    """Construction goes down from the last block: of all blocks, just those from `num_blocks - depth` up are free."""
    high, free = index >= now.state.num_blocks - now.depth, now.free(index)
    return implies(now.exists(index), implies(high, free) & implies(free, high))


def turn_keeps(source: Source, steps: Any) -> Claim:
    """One turn, `thread` of the highest block not yet threaded, keeps the loop's invariant and touches
    that block only.
    """
    now, state, memory = arbitrary(source, steps)
    place, index = source.number("any_place"), source.number("any_block")
    source.assume(now.depth < now.state.num_blocks, "a block is not threaded yet")
    new = now.state.num_blocks - now.depth - 1
    assume_at(source, now, (place, place - 1, now.depth, now.depth - 1), (index, new))
    for each in (index, new):
        source.assume(threaded(now, each), "construction has gone down to the place where it is")
    seen = steps.thread(state, source.machine(new), memory)
    after = now.pushed(new, plain(seen), memory.words)
    kept = after.invariant_at(place, index) & threaded(after, index)
    return Claim(True, kept & every(address == now.address(new) for address in memory.accessed))


# ---------------------------------------------------------------------------------------------- obligations


def _same(claim: Claim) -> Claim:
    return claim


def obligations(steps: Any = pool) -> Iterator[Obligation[Any]]:
    """All obligations on a pool's steps: the reference's, or a faulty copy of that module."""
    scope = "every buffer, block size, number of blocks and state that satisfies the invariant"
    for kind, claims in CLAIMS.items():
        call = "alloc" if kind is Kind.ALLOC else "dealloc"

        def scenario(source: Source, kind: Kind = kind) -> Stepped:
            return operate(source, steps, kind)

        yield from family("pool", call, scenario, claims, scope, WORDS, TRUSTED)
    parts: dict[str, Callable[[Source], Claim]] = {
        "init": lambda source: empty(source, steps),
        "thread": lambda source: turn_keeps(source, steps),
    }
    for name, build in parts.items():
        yield from family("pool", name, build, {"invariant": _same}, "every buffer and number of blocks", WORDS)
