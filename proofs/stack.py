"""Obligations on the reference stack's own steps: requests of every kind, `pop` at any depth, `reset`, `init`.

For any buffer that fits the address space, any request, every alignment, and any state that satisfies the invariant
(`proofs.stack_state`, where the ghost is). Hypotheses are *instantiated* on the terms that a step touches; nothing is
quantified.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from heaplaw.refimpl.steps import stack
from heaplaw.refimpl.steps.stack import StackState
from heaplaw.spec.event import Block, Event, Flag, View
from heaplaw.spec.heap import block_of
from heaplaw.spec.history import Op
from heaplaw.spec.logic import Truth, Word, every, implies, ite, neg
from heaplaw.spec.report import Report
from heaplaw.spec.shapes import REQUESTS, Kind

from .claims import byte_zeroed, in_ranges, on_event, on_step, read_back
from .paths import Source, Table
from .prove import Claim, Obligation, family, law_claim
from .stack_state import FIELDS, Situation, arbitrary, assume_at
from .symbolic import plain
from .tables import WORD, Access

TRUSTED = (
    "induction over the number of operations",
    "owners write into their live blocks only",
)


@dataclass(frozen=True)
class Stepped:
    """An operation with all that is around it, as mathematical integers."""

    before: Situation
    after: Situation
    pre: View
    event: Event
    post: View
    index: Word
    """Any frame, …"""
    high: Word
    """… any place above …"""
    word: Word
    """… and the address of any word with a byte of its block: what is shown of these is shown of all."""
    byte: Word
    """Any offset."""
    accesses: tuple[Access, ...]
    zeroed: tuple[tuple[Word, Word], ...]


def views(source: Source, now: Situation) -> View:
    """The heap before the operation, as the history tells it. Nothing is owed: a stack frees no block that is named."""
    left = now.state.capacity - now.state.offset
    return View(
        live=now.depth,
        after_failure=source.truth("after_failure"),
        remaining=left,
        total=now.state.offset,
        live_bytes=now.bytes[now.depth],
    )


def request(source: Source, kind: Kind) -> Op:
    """Any request of that kind."""
    size = source.number("asked")
    source.assume((size >= 0) & (size < source.modulus), "")
    align, count = 0, 1
    if kind is Kind.ALIGNED:
        align = source.machine(source.power("align"))
    if kind is Kind.ZALLOC:
        count = source.number("count")
        source.assume((count >= 0) & (count < source.modulus), "")
        count = source.machine(count)
    return Op(kind, source.machine(size), align=align, count=count)


def operate(source: Source, steps: Any, kind: Kind) -> Stepped:
    """Any stack, and one operation."""
    now, state, memory = arbitrary(source, steps)
    index, high, word = source.number("any_frame"), source.number("any_place"), source.number("any_word")
    assume_at(source, now, index, now.depth - 1)
    source.assume(now.ordered(index, high), "frames stand in order")
    op = Op(kind) if kind not in REQUESTS else request(source, kind)
    seen, seen_event = steps.step(state, op, 0, memory)
    cost = Report(cost=len(memory.accesses))
    new_state, e = plain(seen), replace(plain(seen_event), report=cost)
    after = moved(now, new_state, memory.words, e)
    accesses, zeroed = tuple(memory.accesses), tuple(memory.zeroed)
    return Stepped(
        now,
        after,
        views(source, now),
        e,
        told(now, after, e),
        index,
        high,
        word,
        source.number("any_byte"),
        accesses,
        zeroed,
    )


def moved(now: Situation, state: StackState, words: Table, e: Event) -> Situation:
    """The ghost follows what the operation answered, not what it did."""
    if e.makes:
        return now.pushed(state, words, e.ptr, e.extent)
    if e.kind == Kind.POP:
        return replace(now, state=state, words=words, depth=ite(now.depth == 0, 0, now.depth - 1))
    return replace(now, state=state, words=words, depth=0 if e.kind == Kind.RESET else now.depth)


def told(now: Situation, after: Situation, e: Event) -> View:
    """The heap after the operation, as the history tells it: what undoes leads back to what the ghost remembers."""
    undoes = e.kind in (Kind.POP, Kind.RESET)
    top = now.frame[after.depth]
    return View(
        live=after.depth,
        after_failure=e.failed,
        remaining=e.remaining,
        total=e.total,
        live_bytes=after.bytes[after.depth],
        undone_by=e.kind if undoes else 0,
        back=undoes,
        then_remaining=now.state.capacity - top,
        then_total=top,
    )


# ------------------------------------------------------------------------------------------- claims on a step


def disjoint(done: Stepped) -> Claim:
    """The block handed out, against any block that was live."""
    before = done.before
    older = Block(before.ptr[done.index], before.size[done.index], 0)
    newer = block_of(done.event, 1)
    return law_claim("blocks_disjoint", older, newer, given=done.event.makes & before.live(done.index))


def payload_kept(done: Stepped) -> Claim:
    """Any word with a byte of any block that is live before and after, read back by its owner afterwards."""
    before, after = done.before, done.after
    start, size = before.ptr[done.index], before.size[done.index]
    inside = (done.word % WORD == 0) & (done.word > start - WORD) & (done.word < start + size)
    damaged = neg(after.words[done.word] == before.words[done.word])
    check = read_back(damaged, size, ite(done.word < start, 0, done.word - start), done.event.env)
    return law_claim("payload_kept", check, given=inside & before.live(done.index) & after.live(done.index))


def zeroed(done: Stepped) -> Claim:
    """Any byte of the block handed out is in a range that was made zero; nothing else is written there (`accesses`)."""
    return byte_zeroed(done.event, done.byte, in_ranges(done.event.ptr + done.byte, done.zeroed))


def buffer_respected(done: Stepped) -> Claim:
    """All that is written lies in the buffer."""
    state = done.before.state
    ranges = [(access.address, WORD) for access in done.accesses if access.writes] + list(done.zeroed)
    inside = every((at >= state.buffer) & (at + size <= state.buffer + state.capacity) for at, size in ranges)
    return law_claim("buffer_respected", replace(done.event, flags=ite(inside, 0, int(Flag.OUTSIDE))))


def invariant(done: Stepped) -> Claim:
    """The invariant again, for any frame and places; the buffer stays; the counters are the state's."""
    before, after, e = done.before.state, done.after.state, done.event
    same = (before.buffer == after.buffer) & (before.capacity == after.capacity)
    counters = (e.remaining == after.capacity - after.offset) & (e.total == after.offset)
    kept = done.after.invariant_at(done.index, done.high)
    return Claim(True, kept & same & counters, said=lambda: f"{before} became {after}")


def accesses(done: Stepped) -> Claim:
    """Each word read or written stands in the buffer, at a multiple of 8, so that words never overlap, and in no live
    block, old or new; what is made zero is the new block's.
    """
    before, e, state = done.before, done.event, done.before.state
    start, size = before.ptr[done.index], before.size[done.index]
    own = every(
        (at % WORD == 0)
        & (at >= state.buffer)
        & (at + WORD <= state.buffer + state.capacity)
        & implies(before.live(done.index), apart(at, start, size))
        & implies(e.makes, apart(at, e.ptr, e.extent))
        for at in (access.address for access in done.accesses)
    )
    given = every((low >= e.ptr) & (low + length <= e.ptr + e.extent) & e.makes for low, length in done.zeroed)
    return Claim(True, own & given, said=lambda: f"read or written: {where(done.accesses)}")


def apart(at: Word, start: Word, size: Word) -> Truth:
    """The word at `at` has no byte of the `size` bytes from `start`."""
    return (at + WORD <= start) | (at >= start + size)


def untouched(done: Stepped) -> Claim:
    """No word is read or written."""
    return Claim(True, not done.accesses and not done.zeroed, said=lambda: f"read or written: {where(done.accesses)}")


def where(accesses: tuple[Access, ...]) -> str:
    """The addresses, in words."""
    return ", ".join(f"{access.address:#x}" for access in accesses) or "nothing"


COUNTED: Mapping[str, Callable[[Stepped], Claim]] = {
    "invariant": invariant,
    "total_is_live_bytes": on_step("total_is_live_bytes"),
    "remaining_is_rest": on_step("remaining_is_rest"),
}
ASKING: Mapping[str, Callable[[Stepped], Claim]] = {
    **{name: on_event(name) for name in ("aligned", "in_bounds", "failure_is_reported", "overflow_is_failure")},
    "blocks_disjoint": disjoint,
    "accesses": accesses,
    "buffer_respected": buffer_respected,
    "fits_is_served": on_step("fits_is_served"),
    "failure_changes_nothing": on_step("failure_changes_nothing"),
    "payload_kept": payload_kept,
    **COUNTED,
}
CLAIMS: Mapping[Kind, Mapping[str, Callable[[Stepped], Claim]]] = {
    Kind.ALLOC: {"constant_time": on_event("constant_time"), **ASKING},
    Kind.ALIGNED: {"constant_time": on_event("constant_time"), **ASKING},
    Kind.ZALLOC: {"zeroed": zeroed, **ASKING},
    Kind.POP: {
        "lifo_pop": on_step("lifo_pop"),
        "constant_time": on_event("constant_time"),
        "free_is_served": on_event("free_is_served"),
        "accesses": accesses,
        "payload_kept": payload_kept,
        **COUNTED,
    },
    Kind.RESET: {
        "reset_frees_all": on_step("reset_frees_all"),
        "free_is_served": on_event("free_is_served"),
        "untouched": untouched,
        **COUNTED,
    },
}
WORDS = {
    "invariant": "frames follow each other up to the top, each header holding where the frame below starts",
    "untouched": "memory is left as it is",
    "accesses": "only headers are read and written, each in the buffer, at a multiple of 8, in no live block",
    "identity": "a block is handed out, its owner writes into it, that is undone: the state is what it was before",
}


# ------------------------------------------------------------------------------------- one after the other


@dataclass(frozen=True)
class Undone:
    """A request, what undid it, and the same request again. Mathematical integers."""

    served: Truth
    before: StackState
    back: StackState
    undoing: tuple[View, Event, View]
    again: tuple[View, Event, View]


def undo(source: Source, steps: Any, kind: Kind) -> Undone:
    """A stack at any depth, or as `init` made it where a RESET undoes that, is asked for a block; its owner writes what
    he likes; that is undone; then the same is asked for, whatever has come to be in memory. A RESET is of any state.
    """
    now, state, memory = arbitrary(source, steps)
    start = steps.init(state.buffer, state.capacity, memory) if kind is Kind.RESET else state
    op = request(source, Kind.ALIGNED)
    full, answer = steps.step(start, op, 0, memory)
    first = plain(answer)
    if not first.makes:
        return Undone(False, plain(start), plain(start), (View(), first, View()), (View(), first, View()))
    memory.forget(first.ptr, first.ptr + first.extent)
    end, undone = steps.step(full if kind is Kind.POP else state, Op(kind), 0, memory)
    _, second = steps.step(end, op, 0, source.memory(source.table("later")))
    gone, again, then = plain(undone), plain(second), now.state.capacity - plain(start).offset
    back = View(
        remaining=gone.remaining,
        total=gone.total,
        undone_by=kind,
        back=True,
        then_remaining=then,
        then_total=now.state.capacity - then,
    )
    twin = View(remaining=again.remaining, total=again.total, undone_by=kind, twin=True, twin_ptr=first.ptr)
    return Undone(True, plain(start), plain(end), (View(), gone, back), (back, again, twin))


def identity(done: Undone) -> Claim:
    """Exactly the state from before."""
    same = every(getattr(done.back, name) == getattr(done.before, name) for name in FIELDS)
    return Claim(done.served, same, said=lambda: f"{done.before} became {done.back}")


UNDOING: Mapping[Kind, str] = {Kind.POP: "lifo_pop", Kind.RESET: "reset_frees_all"}


# --------------------------------------------------------------------------------------------- construction


def made(source: Source, steps: Any) -> Stepped:
    """A new stack, over memory of any content."""
    now, state, memory = arbitrary(source, steps)
    index, high = source.number("any_frame"), source.number("any_place")
    new = plain(steps.init(state.buffer, state.capacity, memory))
    start = replace(now, state=new, depth=0)
    none = Event(Kind.RENEW, 0, remaining=new.remaining, total=new.allocated, env=plain(new.env))
    return Stepped(now, start, View(), none, View(), index, high, 0, 0, tuple(memory.accesses), tuple(memory.zeroed))


# ---------------------------------------------------------------------------------------------- obligations

NAMES = {Kind.ALLOC: "alloc", Kind.ALIGNED: "aligned", Kind.ZALLOC: "zalloc", Kind.POP: "pop", Kind.RESET: "reset"}


def obligations(steps: Any = stack) -> Iterator[Obligation[Any]]:
    """All obligations on a stack's steps: the reference's, or a faulty copy of that module."""
    scope = "every buffer, request, alignment and state that satisfies the invariant, at any depth"
    for kind, claims in CLAIMS.items():

        def scenario(source: Source, kind: Kind = kind) -> Stepped:
            return operate(source, steps, kind)

        yield from family("stack", NAMES[kind], scenario, claims, scope, WORDS, TRUSTED)
    for kind, name in UNDOING.items():

        def undoing(source: Source, kind: Kind = kind) -> Undone:
            return undo(source, steps, kind)

        def undone(done: Undone, name: str = name) -> Claim:
            return law_claim(name, *done.undoing, given=done.served)

        def again(done: Undone, name: str = name) -> Claim:
            return law_claim(name, *done.again, given=done.served)

        both = {"identity": identity, name: undone}
        yield from family("stack", f"alloc_{NAMES[kind]}", undoing, both, scope, WORDS, TRUSTED)
        yield from family("stack", f"alloc_{NAMES[kind]}_alloc", undoing, {name: again}, scope, WORDS, TRUSTED)
    start = {"invariant": invariant, "untouched": untouched}
    yield from family("stack", "init", lambda source: made(source, steps), start, "every buffer", WORDS)
