"""Any operation in any state of an allocator that somebody wrote as pure steps: the scenarios that `proofs.own` claims
something of.

The allocator's own functions run while a scenario does, where their `if`, `and`, `or` fork the path; claims only
combine what they gave.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from heaplaw.spec.catalogue import law
from heaplaw.spec.event import Block, Event, View
from heaplaw.spec.heap import block_of
from heaplaw.spec.history import COUNTERS, Op
from heaplaw.spec.layout import PTRDIFF_MAX
from heaplaw.spec.logic import Truth, Word, every, implies, ite
from heaplaw.spec.shapes import REQUESTS, Kind

from .guard import event_fault, promises_fault, state_fault
from .parts import AnyWords, Parts, promises
from .paths import Source
from .symbolic import plain
from .tables import WORD, Table, TableMemory

MOST_LIVE = 2**63
"""So many blocks nobody makes: a counter of live blocks need not be made for more."""
OF_BYTES = ("total_is_live_bytes", "remaining_is_rest")
PRESENT = (*OF_BYTES, "pool_conserved", "accounting_exact", "free_count_exact")
"""Laws on the heap as it is after an operation, whatever came before: they held after the operation before, too."""
_FITS = "the buffer is not at address 0, ends below 2**64, and is no larger than an object can be"
_GRID = "the buffer of a pool begins at a multiple of 8"
INVARIANT = "the invariant holds before the step"
_OWNED = "live blocks are owned before the step"
_APART = "live blocks are disjoint before the step"
_COUNTED = "the laws on counters hold before the step"


class Beside(Enum):
    """What a scenario has beside a state and an operation: only what its claims speak of, for short counterexamples."""

    NOTHING = "nothing"
    COUNTS = "how many blocks and bytes are live"
    BLOCK = "any block that is live"
    ENDS = "the highest and the lowest block that is live"


@dataclass(frozen=True)
class Done:
    """An operation with all that is around it, as mathematical integers."""

    own: Parts
    before: Any
    after: Any
    told: Event
    """What the step said."""
    event: Event
    """The same, with what was really asked, of the buffer that was really given."""
    pre: View
    post: View
    memory: TableMemory
    words: Table
    """The memory before the step."""
    invariant: Truth = True
    """It holds after the step."""
    owned: Truth = True
    """The new block is owned, if there is one."""
    other: Block = Block(0, 0)
    """Any block that is live before the step, and not ended by it."""
    kept: Truth = True
    """`other` is owned still."""
    byte: Word = 0
    """Any byte of a block, from its start."""
    asked: Op = Op(Kind.CHECK)
    """What was asked, as the step was told it."""


class Words:
    """A memory as a step sees it: no more than it may use of it."""

    def __init__(self, memory: TableMemory) -> None:
        self.read, self.write, self.zero = memory.read, memory.write, memory.zero


# ------------------------------------------------------------------------------------------------ the scenarios


def numbers_fit(own: Parts, state: Any, modulus: int) -> Truth:
    """Every number of the state is a word."""
    return every((number >= 0) & (number < modulus) for number in own.numbers(state))


def assume_given(source: Source, own: Parts, buffer: Word, capacity: Word) -> None:
    """What is required of a buffer."""
    fits = (buffer >= 1) & (capacity >= 0) & (capacity <= PTRDIFF_MAX) & (buffer + capacity < source.modulus)
    source.assume(fits, _FITS)
    if not own.shape.sized:
        source.assume(buffer % WORD == 0, _GRID)


def arbitrary(source: Source, own: Parts) -> Any:
    """Any state over any buffer; the invariant is still to be assumed."""
    state = own.build(lambda name: source.number(f"state.{name}"), lambda name: source.truth(f"state.{name}"))
    source.assume(numbers_fit(own, state, source.modulus), "")
    assume_given(source, own, state.buffer, state.capacity)
    return state


def any_block(source: Source, own: Parts, state: Any, name: str) -> Block:
    """Any block that is live."""
    ptr, extent = source.number(f"{name}.ptr"), source.number(f"{name}.extent") if own.shape.sized else state.block_size
    source.assume((extent >= 0) & (ptr >= 0) & (ptr < source.modulus), "")
    block = Block(ptr, extent)
    source.assume(own.owns(state, block), _OWNED)
    return block


def asked(source: Source, own: Parts, kind: Kind) -> Op:
    """Any request of that kind."""
    sized = own.shape.sized and kind in REQUESTS
    size = source.number("size") if sized else 0
    count = source.number("count") if sized and kind is Kind.ZALLOC else 1
    source.assume((size >= 0) & (size < source.modulus) & (count >= 0) & (count < source.modulus), "")
    return Op(kind, size, align=source.power("align") if kind is Kind.ALIGNED else 0, count=count)


def called(source: Source, own: Parts, state: Any, op: Op, ptr: Word, memory: TableMemory) -> tuple[Any, Event]:
    """The step, on machine integers; the state after it, of these as well, and what it said, as mathematical ones."""
    machine = source.machine
    told_op = replace(op, size=machine(op.size), align=machine(op.align), count=machine(op.count))
    after, event = own.step(state, told_op, machine(ptr), Words(memory))
    own.refuse(state_fault(own.first, after) or event_fault(event))
    told = promised(own, event)
    own.refuse(promises_fault(told.env, own.env))
    return after, told


def promised(own: Parts, event: Event) -> Event:
    """An event of mathematical integers; one that makes no promises has those of the shape."""
    told: Event = plain(event)
    return replace(told, env=promises(event, own.shape))


def begun(source: Source, own: Parts, state: Any) -> Any:
    """The state, of machine integers, that construction gave over the same buffer."""
    memory = source.memory(source.table("word at first"))
    return initial(source, own, state.buffer, state.capacity, memory)


def initial(source: Source, own: Parts, buffer: Word, capacity: Word, memory: TableMemory) -> Any:
    """What construction gives, of machine integers."""
    state = own.init(source.machine(buffer), source.machine(capacity), Words(memory))
    own.refuse(state_fault(own.first, state))
    return state


def counters(own: Parts, state: Any) -> dict[str, Word]:
    """What a state says of its counters, by the fields of a view."""
    values = {COUNTERS[name]: getattr(state, name) for name in own.counters}
    return {name: value() if callable(value) else value for name, value in values.items()}


def real(own: Parts, state: Any, start: Any, op: Op, held: Word, told: Event) -> Event:
    """What the step said, with what was really asked, of the buffer that was really given."""
    first = View(**counters(own, start))
    env = replace(told.env, base=state.buffer, capacity=state.capacity, remaining=first.remaining, total=first.total)
    size = op.size
    if not own.shape.sized:
        env = replace(env, block_size=state.block_size, num_blocks=state.num_blocks)
        size = state.block_size if op.kind in REQUESTS else 0
    asked_for = {"kind": op.kind, "size": size, "align": op.align, "count": op.count, "held": held}
    return replace(told, **asked_for, flags=0, bad_at=0, env=env)


def in_full(own: Parts) -> Callable[[Any, Op, Word, Any], tuple[Any, Event]]:
    """The step, its events telling what was really asked, of the buffer that was really given: for engines that take an
    event at its word.
    """

    def step(state: Any, op: Op, ptr: Word, memory: Any) -> tuple[Any, Event]:
        after, event = own.step(state, op, ptr, memory)
        start = own.init(state.buffer, state.capacity, AnyWords())
        return after, real(own, state, start, op, event.held, promised(own, event))

    return step


def operate(source: Source, own: Parts, kind: Kind, beside: Beside) -> Done:
    """Any state, and any operation of that kind."""
    state, live = arbitrary(source, own), 0
    if own.counts or beside is Beside.COUNTS:
        live = source.number("live")
        least = (kind is Kind.FREE) + (beside in (Beside.BLOCK, Beside.ENDS))
        source.assume((live >= least) & (live < MOST_LIVE), "")
    elif beside is Beside.ENDS:
        live = 1
    source.assume(own.invariant(state, live), INVARIANT)
    gone = any_block(source, own, state, "freed") if kind is Kind.FREE else Block(0, 0)
    pre = View(live=live, **counters(own, state))
    other, byte = Block(0, 0), source.number("byte") if kind is Kind.ZALLOC or beside is Beside.BLOCK else 0
    if beside is Beside.BLOCK:
        other = any_block(source, own, state, "other")
        if kind is Kind.FREE:
            source.assume(law("blocks_disjoint").holds(other, gone), _APART)
    elif beside is Beside.ENDS:
        highest, lowest = (any_block(source, own, state, name) for name in ("highest", "lowest"))
        pre = replace(pre, high=highest.ptr + highest.extent, low=lowest.ptr)
    elif beside is Beside.COUNTS:
        pre = replace(pre, live_bytes=source.number("live_bytes"))
        source.assume((pre.live_bytes >= gone.extent) & implies(live == 0, pre.live_bytes == 0), "")
        if kind is Kind.FREE:
            source.assume(implies(live == 1, pre.live_bytes == gone.extent), "")
    op, start = asked(source, own, kind), plain(begun(source, own, state))
    words = source.table("word")
    memory = source.memory(words)
    seen, told = called(source, own, own.mapped(state, source.machine), op, gone.ptr, memory)
    after, e = plain(seen), real(own, state, start, op, gone.extent, told)
    if beside is Beside.COUNTS:
        for name in PRESENT:
            if own.obeys(name):
                source.assume(law(name).body(View(), Event(Kind.CHECK, 0, env=e.env), pre), _COUNTED)
    post = viewed(own, pre, e, after, start)
    return Done(
        own,
        state,
        after,
        told,
        e,
        pre,
        post,
        memory,
        words,
        unbroken(source, own, state, after, post.live),
        own.owns(after, block_of(e, 1)),
        other,
        own.owns(after, other),
        byte,
        op,
    )


def viewed(own: Parts, pre: View, e: Event, after: Any, start: Any) -> View:
    """The heap after the operation."""
    first, ended = View(**counters(own, start)), ite(e.served & (e.kind == Kind.FREE), 1, 0)
    sweeps = e.served & (e.kind == Kind.RESET)
    return View(
        live=ite(sweeps, 0, pre.live + ite(e.makes, 1, 0) - ended),
        live_bytes=ite(sweeps, 0, pre.live_bytes + ite(e.makes, e.extent, 0) - ite(ended == 1, e.held, 0)),
        after_failure=e.failed,
        undone_by=ite(sweeps, int(Kind.RESET), 0),
        back=sweeps,
        then_remaining=first.remaining,
        then_total=first.total,
        **counters(own, after),
    )


def unbroken(source: Source, own: Parts, before: Any, after: Any, live: Word) -> Truth:
    """The invariant, of words, of the same buffer."""
    same = every(getattr(before, name) == getattr(after, name) for name in own.constants)
    return own.invariant(after, live) & numbers_fit(own, after, source.modulus) & same


def repeat(source: Source, own: Parts, kind: Kind) -> Done:
    """Any state that is reset, and then any request: beside the same request as the very first one."""
    state = arbitrary(source, own)
    live = source.number("live") if own.counts else 0
    source.assume((live >= 0) & (live < MOST_LIVE), "")
    source.assume(own.invariant(state, live), INVARIANT)
    op = asked(source, own, kind)
    start = begun(source, own, state)
    _, first = called(source, own, start, op, 0, source.memory(source.table("word then")))
    words = source.table("word")
    memory = source.memory(words)
    reset, _ = called(source, own, own.mapped(state, source.machine), Op(Kind.RESET), 0, memory)
    after, told = called(source, own, reset, op, 0, memory)
    post = View(undone_by=Kind.RESET, twin=first.makes, twin_ptr=first.ptr)
    return Done(
        own, state, plain(after), told, real(own, state, plain(start), op, 0, told), View(), post, memory, words
    )


def reuse(source: Source, own: Parts) -> Done:
    """Any state in which a live block is freed, and then any request."""
    state = arbitrary(source, own)
    live = source.number("live") if own.counts else 1
    source.assume((live >= 1) & (live < MOST_LIVE), "")
    source.assume(own.invariant(state, live), INVARIANT)
    gone = any_block(source, own, state, "freed")
    op = asked(source, own, Kind.ALLOC)
    words = source.table("word")
    memory = source.memory(words)
    freed, _ = called(source, own, own.mapped(state, source.machine), Op(Kind.FREE), gone.ptr, memory)
    after, told = called(source, own, freed, op, 0, memory)
    e = real(own, state, plain(begun(source, own, state)), op, 0, told)
    return Done(own, state, plain(after), told, e, View(freed=gone.extent), View(), memory, words)


@dataclass(frozen=True)
class Begun:
    """What construction gave."""

    invariant: Truth
    before: Block
    """What it was given: a buffer."""
    after: Any
    event: Event
    """Construction, as an operation."""
    post: View
    memory: TableMemory


def construct(source: Source, own: Parts) -> Begun:
    """Any buffer."""
    given = Block(source.number("buffer"), source.number("capacity"))
    assume_given(source, own, given.ptr, given.extent)
    memory = source.memory(source.table("word"))
    after = plain(initial(source, own, given.ptr, given.extent, memory))
    same = (after.buffer == given.ptr) & (after.capacity == given.extent)
    whole = own.invariant(after, 0) & numbers_fit(own, after, source.modulus) & same
    made = real(own, after, after, Op(Kind.RENEW), 0, promised(own, Event(Kind.RENEW, 0)))
    return Begun(whole, given, after, made, View(**counters(own, after)), memory)
