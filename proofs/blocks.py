"""Blocks of one size on an intrusive LIFO list, wherever they lie: the ghost, the invariant, and what is claimed.

The ghost is an order of all blocks, `at` (place to block) with its inverse `place` (block to place), and `spot`,
where each block lies. The first `depth` places are the free list, the bottom of the stack first; the live blocks have
the rest. That `at` and `place` are inverse makes the list acyclic and the free blocks `depth` many. Beside the ghost
stands what a history says by itself: which blocks are out, and which addresses were freed and not handed out again.
Nothing is quantified: what is assumed for all places or blocks is *instantiated* on the terms that a step touches, and
shown of any one.

A pool's blocks lie on a grid (`proofs.pool`); those of the system's freelist lie in chunks (`proofs.fixed`).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from heaplaw.refimpl.steps.pool import PoolState
from heaplaw.spec.event import Block, Event, Order, View
from heaplaw.spec.heap import block_of
from heaplaw.spec.logic import Truth, Word, every, implies, ite, neg
from heaplaw.spec.report import Report
from heaplaw.spec.shapes import Kind

from .claims import read_back
from .paths import Source, Table, TableMemory
from .prove import Claim, law_claim
from .tables import WORD, Access, Changed, Mapped

SMALL = 3
"""Counterexamples with at most so many blocks are looked for first."""
TRUSTED = (
    "induction over the number of operations, and of a loop's turns",
    "only live blocks are freed: the class that users hold checks, the steps cannot tell",
)
FIELDS = ("buffer", "block_size", "num_blocks", "free_list", "num_free")


@dataclass(frozen=True)
class Situation:
    """A list's state and memory with the ghost, and what the history says. Mathematical integers."""

    state: PoolState
    depth: Word
    """Free blocks, by the ghost."""
    at: Table
    place: Table
    spot: Table
    words: Table
    out: Table
    """1 for each block that was handed out and not freed since."""
    freed: Table
    """Addresses that were freed and not handed out again, the oldest first …"""
    known: Word
    """… so many."""

    def exists(self, index: Word) -> Truth:
        """There is a block `index`; and there are as many places."""
        return (index >= 0) & (index < self.state.num_blocks)

    def free(self, index: Word) -> Truth:
        """Block `index` is on the free list."""
        return (self.place[index] >= 0) & (self.place[index] < self.depth)

    def live(self, index: Word) -> Truth:
        """Block `index` has been handed out, as the history tells it."""
        return self.exists(index) & (self.out[index] == 1)

    @property
    def top(self) -> Word:
        """The block that is handed out next."""
        return self.at[self.depth - 1]

    @property
    def newest(self) -> Word:
        """The address freed last, of those not handed out again; 0: none is known."""
        return ite(self.known == 0, 0, self.freed[self.known - 1])

    def counted(self) -> Truth:
        """The counter and the head of the list are as the ghost says."""
        state = self.state
        head = ite(self.depth == 0, 0, self.spot[self.top])
        enough = (self.depth >= 0) & (self.depth <= state.num_blocks)
        return enough & (state.num_free == self.depth) & (state.free_list == head)

    def linked(self, place: Word) -> Truth:
        """At `place` is a block, whose place that is; if free, its first word links to the one below."""
        index = self.at[place]
        below = ite(place == 0, 0, self.spot[self.at[place - 1]])
        link = implies(place < self.depth, self.words[self.spot[index]] == below)
        return implies(self.exists(place), self.exists(index) & (self.place[index] == place) & link)

    def placed(self, index: Word) -> Truth:
        """Block `index` has a place, and is there."""
        place = self.place[index]
        return implies(self.exists(index), self.exists(place) & (self.at[place] == index))

    def either(self, index: Word) -> Truth:
        """Block `index` is on the free list, or out: never both, and never neither."""
        return implies(self.exists(index), neg(self.free(index) == self.live(index)))

    def reached(self, index: Word) -> Truth:
        """The head of the list leads to block `index`, or the link in the free block above it does."""
        place, at = self.place[index], self.spot[index]
        return ite(place == self.depth - 1, self.state.free_list == at, self.words[self.spot[self.at[place + 1]]] == at)

    def remembered(self, number: Word) -> Truth:
        """The addresses that were freed are the top of the stack, in that order."""
        few = (self.known >= 0) & (self.known <= self.depth)
        there = self.freed[number] == self.spot[self.at[self.depth - self.known + number]]
        return few & implies((number >= 0) & (number < self.known), there)

    def lies(self, index: Word) -> Truth:
        """Block `index` lies in the address space, at a multiple of 8, or of 16 where its size is one."""
        at, size = self.spot[index], self.state.block_size
        aligned = (at % WORD == 0) & implies(size % 16 == 0, at % 16 == 0)
        return implies(self.exists(index), (at >= WORD) & aligned)

    def apart(self, one: Word, other: Word) -> Truth:
        """Two blocks have no byte in common."""
        a, b, size = self.spot[one], self.spot[other], self.state.block_size
        two = self.exists(one) & self.exists(other) & neg(one == other)
        return implies(two, (a + size <= b) | (b + size <= a))

    def pushed(self, index: Word, state: PoolState, words: Table) -> "Situation":
        """After a step that made block `index` free: it changes places with the first live one."""
        other, left = self.at[self.depth], self.place[index]
        return replace(
            self,
            state=state,
            depth=self.depth + 1,
            at=Changed(Changed(self.at, left, other), self.depth, index),
            place=Changed(Changed(self.place, other, left), index, self.depth),
            words=words,
            out=Changed(self.out, index, 0),
            freed=Changed(self.freed, self.known, self.spot[index]),
            known=self.known + 1,
        )

    def popped(self, ptr: Word, state: PoolState, words: Table) -> "Situation":
        """After a step that handed out the top of the stack, at `ptr` as it says."""
        again = (self.known > 0) & (self.newest == ptr)
        return replace(
            self,
            state=state,
            depth=self.depth - 1,
            words=words,
            out=Mapped(lambda index: ite(self.spot[index] == ptr, 1, self.out[index])),
            known=ite(again, self.known - 1, self.known),
        )


def arbitrary(
    source: Source, steps: Any, spot: Callable[[PoolState], Table]
) -> tuple[Situation, PoolState, TableMemory]:
    """Any list: its situation, its state as the step sees it, and its memory. Assumes what is not said for each place
    or block, nor of where blocks lie.
    """
    source.split()
    state = steps.PoolState(*(source.number(name) for name in FIELDS))
    depth, known, words = source.number("depth"), source.number("known"), source.table("word")
    at, place, out, freed = (source.table(name) for name in ("at", "place", "out", "freed"))
    now = Situation(state, depth, at, place, spot(state), words, out, freed, known)
    sized = (state.block_size >= WORD) & (state.block_size % WORD == 0)
    source.assume(sized, "the block size is a multiple of 8")
    source.assume(now.counted(), "the counter and the head of the list are as the ghost says")
    source.prefer((state.num_blocks <= SMALL) & (state.block_size <= 32))
    for each in range(SMALL):
        source.prefer(now.linked(each) & now.placed(each) & now.either(each))
    seen = steps.PoolState(*(source.machine(getattr(state, name)) for name in FIELDS))
    return now, seen, source.memory(now.words)


def assume_at(source: Source, now: Situation, places: Iterable[Word], indices: Iterable[Word]) -> None:
    """Instantiate the invariant."""
    for place in places:
        source.assume(now.linked(place), "each place has a block, and a free one's first word links to the one below")
    for index in indices:
        source.assume(now.placed(index), "each block has a place, and is there")
        source.assume(now.either(index), "each block is on the free list, or out")


@dataclass(frozen=True)
class Stepped:
    """An operation with all that is around it, as mathematical integers."""

    before: Situation
    after: Situation
    pre: View
    event: Event
    post: View
    freeing: Word
    """The block that a FREE names; -1 for an ALLOC."""
    place: Word
    """Any place, …"""
    index: Word
    """… any block, …"""
    word: Word
    """… any word of it, …"""
    number: Word
    """… and any position among the freed ones: what is shown of these is shown of all."""
    accesses: tuple[Access, ...]

    @property
    def accessed(self) -> tuple[Word, ...]:
        """The addresses of all words that were read or written."""
        return tuple(each.address for each in self.accesses)


def told(now: Situation, view: View) -> Truth:
    """The history agrees with the ghost: live blocks; nothing free after a refusal; something free after a FREE; the
    address freed last.
    """
    refused = implies(view.after_failure, (now.depth == 0) & (view.owed == 0))
    reusable = (view.freed >= 0) & implies(view.freed > 0, now.depth >= 1)
    live = view.live == now.state.num_blocks - now.depth
    return live & refused & reusable & (view.newest_free == now.newest)


def view_before(source: Source, now: Situation, numbers: Sequence[Word]) -> View:
    """The heap before the operation, as the history tells it, with the order in which these blocks were freed."""
    state = now.state
    pre = View(
        state.num_free,
        state.num_blocks - state.num_free,
        source.number("live"),
        source.truth("after_failure"),
        source.number("owed"),
        freed=source.number("freed just before"),
        newest_free=now.newest,
    )
    source.assume(told(now, pre), "the history agrees with the ghost")
    for each in range(SMALL) if numbers else ():
        source.prefer(now.remembered(each))
    for number in numbers:
        source.assume(now.remembered(number), "the freed addresses are the top of the stack")
    return pre


def view_after(after: Situation, pre: View, e: Event) -> View:
    """The heap after it."""
    change = 1 if e.makes else (-1 if e.kind == Kind.FREE else 0)
    freed = e.held if e.kind == Kind.FREE else 0
    owed = ite(e.failed, pre.freed, 0)
    newest = after.newest
    return View(e.num_free, e.num_allocated, pre.live + change, e.failed, owed, freed=freed, newest_free=newest)


def followed(now: Situation, state: PoolState, words: Table, e: Event, freeing: Word) -> Situation:
    """The ghost after an operation: it follows what that answered, not what it did."""
    if e.makes:
        return now.popped(e.ptr, state, words)
    if e.kind == Kind.FREE:
        return now.pushed(freeing, state, words)
    return replace(now, state=state, words=words)


# ------------------------------------------------------------------------------------------- claims on a step


def blocks_disjoint(done: Stepped) -> Claim:
    """The block handed out, against any block that was live."""
    before = done.before
    older = Block(before.spot[done.index], before.state.block_size, 0)
    return law_claim(
        "blocks_disjoint", older, block_of(done.event, 1), given=done.event.makes & before.live(done.index)
    )


def payload_kept(done: Stepped) -> Claim:
    """Any word of any block that is live before and after, read back by its owner afterwards."""
    before, after = done.before, done.after
    check = word_read_back(before.spot[done.index], done.word, before.state.block_size, before.words, after.words)
    return law_claim("payload_kept", check, given=before.live(done.index) & neg(done.index == done.freeing))


def word_read_back(start: Word, word: Word, size: Word, before: Table, after: Table) -> Event:
    """The owner of a block reads one of its words back."""
    damaged = neg(after[start + WORD * word] == before[start + WORD * word])
    return read_back(damaged, size, WORD * word)


def invariant(done: Stepped) -> Claim:
    """The invariant again, at any depth and for any block; and the block handed out is the one that left the stack."""
    before, after, e = done.before, done.after, done.event
    kept = after.counted() & after.linked(done.place) & after.placed(done.index)
    same = every(getattr(before.state, name) == getattr(after.state, name) for name in FIELDS[:3])
    handed = implies(e.makes, e.ptr == before.spot[before.top])
    return Claim(True, kept & same & handed & told(after, done.post))


def free_xor_live(done: Stepped) -> Claim:
    """What the history says is out, by the addresses that came back, is just what no link of the list leads to."""
    after, index = done.after, done.index
    linked = after.free(index) & after.reached(index)
    return Claim(True, after.either(index) & implies(after.exists(index), neg(linked == after.live(index))))


def order_kept(done: Stepped) -> Claim:
    """The freed addresses are the top of the stack again, in that order, and the newest is at the list's head."""
    after = done.after
    return Claim(True, after.remembered(done.number) & implies(after.known > 0, after.state.free_list == after.newest))


def accesses(done: Stepped) -> Claim:
    """Each word read or written is the first of the block that changes hands, at a multiple of 8, so that words never
    overlap.
    """
    now = done.before
    handed = now.top if done.event.kind != Kind.FREE else done.freeing
    place = now.spot[handed]
    return Claim(
        True, every((address == place) & now.exists(handed) & (place % WORD == 0) for address in done.accessed)
    )


def reuse_order(done: Stepped) -> Claim:
    """Promised: last in, first out."""
    e = done.event
    return law_claim("reuse_order", done.pre, replace(e, env=replace(e.env, reuse_order=Order.LIFO)), done.post)


def constant_time(done: Stepped) -> Claim:
    """The words that were read and written, counted."""
    return law_claim("constant_time", replace(done.event, report=Report(cost=len(done.accesses))))


WORDS = {
    "invariant": "the free list is a duplicate-free chain of the free blocks, and the counter counts it",
    "accesses": "only the first word of the block that changes hands is read or written",
    "free_xor_live": "each block is on the free list, or handed out and not freed; never both, and never neither",
    "order_kept": "what was freed, and not handed out again, is the top of the list, the newest first",
}
"""What is no law, said."""
