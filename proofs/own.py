"""Your own allocator, proved: obligations on any allocator that is written as pure steps.

What it consists of, as a module, a class or an object:

- `init(buffer, capacity, memory)`: the first state. A state is a frozen dataclass of integers and truth values, with
  `buffer` and `capacity` (bytes) among its fields or properties; a pool's has `block_size` and `num_blocks` too.
- `step(state, op, ptr, memory)`: the new state, and the `Event` that came of `op` (`spec.protocols.Step`); ValueError
  for an operation that it does not have. `ptr` is the address of the block that a FREE names.
- `invariant(state)`: what holds before and after every operation.
- `owns(state, block)`: what holds of every live block, those of 0 bytes included.

Where a state has `remaining`, `total_allocated`, `num_free_blocks` or `num_allocated`, the laws on these counters are
proved too. Beside the invariant it is assumed of the state before a step that its live blocks are owned and disjoint,
and that the laws on counters held; that they do again is shown after it. So what is proved holds of every history, by
induction over its operations.

The allocator's own functions run while a scenario does, where their `if`, `and`, `or` fork the path; claims only
combine what they gave.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from heaplaw.spec.catalogue import law
from heaplaw.spec.event import NEVER, Block, Env, Event, Flag, View
from heaplaw.spec.heap import block_of
from heaplaw.spec.history import COUNTERS, Op, plain_env
from heaplaw.spec.layout import PTRDIFF_MAX
from heaplaw.spec.logic import Truth, Word, every, implies, ite, neg
from heaplaw.spec.shapes import REQUESTS, Kind

from .parts import NotProvable, Parts, taken
from .paths import Source
from .prove import Claim, Obligation, family, law_claim
from .symbolic import plain
from .tables import WORD, Table, TableMemory

TRUSTED = (
    "induction over the number of operations",
    "owners write into their own blocks only, and only live blocks are freed",
    "an alignment that is asked for is a power of two",
)
SCOPE = "every buffer, capacity, request and state that satisfies the invariant"
INDUCTION = (
    "The state before satisfies the invariant, and may yet be one that is never reached: either the step is wrong, or "
    "the invariant is too weak to exclude that state."
)
"""What a counterexample is, in words."""
PRESENT = ("total_is_live_bytes", "remaining_is_rest", "pool_conserved", "accounting_exact", "free_count_exact")
"""Laws on the heap as it is after an operation, whatever came before: they held after the operation before, too."""
ON_EVENT = ("aligned", "in_bounds", "overflow_is_failure", "failure_is_reported", "pool_on_grid")
ON_STEP = ("failure_changes_nothing", "fits_is_served", "bump_monotonic", "pool_serves_while_free")
"""Laws on requests."""
_FITS = "the buffer is not at address 0, ends below 2**64, and is no larger than an object can be"
_INVARIANT = "the invariant holds before the step"
_OWNED = "live blocks are owned before the step"
_APART = "live blocks are disjoint before the step"
_COUNTED = "the laws on counters hold before the step"


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
    invariant: Truth
    """It holds after the step."""
    owned: Truth
    """The new block is owned, if there is one."""
    kept: Truth
    """`other` is owned still."""
    other: Block
    """Any block that is live before the step …"""
    there: Truth
    """… if there is one …"""
    lives: Truth
    """… and it is live after the step as well."""
    byte: Word
    """Any byte of a block, from its start."""
    memory: TableMemory
    words: Table
    """The memory before the step."""


# ------------------------------------------------------------------------------------------------ the scenarios


def numbers_fit(own: Parts, state: Any, modulus: int) -> Truth:
    """Every number of the state is a word."""
    return every((number >= 0) & (number < modulus) for number in own.numbers(state))


def assume_given(source: Source, buffer: Word, capacity: Word) -> None:
    """What is required of a buffer."""
    fits = (buffer >= 1) & (capacity >= 0) & (capacity <= PTRDIFF_MAX) & (buffer + capacity < source.modulus)
    source.assume(fits, _FITS)


def arbitrary(source: Source, own: Parts) -> Any:
    """Any state that satisfies the invariant."""
    state = own.build(lambda name: source.number(f"state.{name}"), lambda name: source.truth(f"state.{name}"))
    source.assume(numbers_fit(own, state, source.modulus), "")
    assume_given(source, state.buffer, state.capacity)
    source.assume(own.invariant(state), _INVARIANT)
    return state


def asked(source: Source, kind: Kind, sized: bool) -> Op:
    """Any request of that kind."""
    size = source.number("size") if kind in REQUESTS and sized else 0
    count = source.number("count") if kind is Kind.ZALLOC and sized else 1
    source.assume((size >= 0) & (size < source.modulus) & (count >= 0) & (count < source.modulus), "")
    return Op(kind, size, align=source.power("align") if kind is Kind.ALIGNED else 0, count=count)


def called(source: Source, own: Parts, state: Any, op: Op, ptr: Word, memory: TableMemory) -> tuple[Any, Event]:
    """The step, on machine integers; what came of it, as mathematical ones."""
    machine = source.machine
    told_op = replace(op, size=machine(op.size), align=machine(op.align), count=machine(op.count))
    after, event = own.step(state, told_op, machine(ptr), memory)
    return plain(after), _with_env(own, event)


def _with_env(own: Parts, event: Event) -> Event:
    """The event, with the promises of the shape where it makes none of its own."""
    silent = event.env is Event(0, 0).env
    told: Event = plain(event)
    return replace(told, env=plain_env(own.shape.name)) if silent else told


def begun(source: Source, own: Parts, state: Any) -> Any:
    """The state that construction gave, over the same buffer."""
    scratch = source.memory(source.table("word at first"))
    return plain(own.init(source.machine(state.buffer), source.machine(state.capacity), scratch))


def counters(own: Parts, state: Any) -> dict[str, Word]:
    """What a state says of its counters, by the fields of a view."""
    values = {name: getattr(state, name) for name in own.counters}
    return {COUNTERS[name]: value() if callable(value) else value for name, value in values.items()}


def real(own: Parts, state: Any, start: Any, op: Op, held: Word, said: Event) -> Event:
    """What the step said, with what was really asked, of the buffer that was really given."""
    first = counters(own, start)
    remaining, total = first.get("remaining", 0), first.get("total", 0)
    env: Env = replace(said.env, base=state.buffer, capacity=state.capacity, remaining=remaining, total=total)
    size = op.size
    if not own.shape.sized:
        env = replace(env, block_size=state.block_size, num_blocks=state.num_blocks)
        size = state.block_size if op.kind in REQUESTS else 0
    return replace(said, kind=op.kind, size=size, align=op.align, count=op.count, held=held, env=env)


def any_block(source: Source, own: Parts, state: Any, name: str, there: Truth) -> Block:
    """Any block that is live, if one is `there`."""
    ptr, extent = source.number(f"{name}.ptr"), source.number(f"{name}.extent")
    source.assume((extent >= 0) & (ptr >= 0) & (ptr < source.modulus), "")
    block = Block(ptr, extent if own.shape.sized else state.block_size)
    source.assume(implies(there, own.owns(state, block)), _OWNED)
    return block


def operate(source: Source, own: Parts, kind: Kind) -> Done:
    """Any state, and any operation of that kind."""
    state = arbitrary(source, own)
    live, live_bytes = source.number("live"), source.number("live_bytes")
    source.assume((live >= 0) & (live_bytes >= 0), "")
    there = live >= (2 if kind is Kind.FREE else 1)
    other = any_block(source, own, state, "other", there)
    freed, ptr = 0, 0
    if kind is Kind.FREE:
        gone = any_block(source, own, state, "freed", True)
        source.assume((live >= 1) & (live_bytes >= gone.extent), "")
        source.assume(implies(there, law("blocks_disjoint").holds(other, gone)), _APART)
        freed, ptr = gone.extent, gone.ptr
    high, low = 0, NEVER
    if own.shape.name == "bump":
        highest = any_block(source, own, state, "highest", live >= 1)
        lowest = any_block(source, own, state, "lowest", live >= 1)
        high, low = ite(live >= 1, highest.ptr + highest.extent, 0), ite(live >= 1, lowest.ptr, NEVER)
    start = begun(source, own, state)
    op = asked(source, kind, own.shape.sized)
    table = source.table("word")
    memory = source.memory(table)
    pre = View(live=live, live_bytes=live_bytes, high=high, low=low, **counters(own, state))
    after, told = called(source, own, own.mapped(state, source.machine), op, ptr, memory)
    e = real(own, state, start, op, freed, told)
    for name in present(own):
        source.assume(law(name).body(View(), Event(Kind.CHECK, 0, env=e.env), pre), _COUNTED)
    sweeps = e.served if kind is Kind.RESET else False
    ends = e.served if kind is Kind.FREE else False
    post = View(
        live=ite(sweeps, 0, live + ite(e.makes, 1, 0) - ite(ends, 1, 0)),
        live_bytes=ite(sweeps, 0, live_bytes + ite(e.makes, e.extent, 0) - ite(ends, freed, 0)),
        after_failure=e.failed,
        **counters(own, after),
    )
    return Done(
        own,
        state,
        after,
        told,
        e,
        pre,
        replace(post, back=sweeps, undone_by=ite(sweeps, int(Kind.RESET), 0), **_then(own, start)),
        _invariant(source, own, state, after),
        own.owns(after, Block(e.ptr, e.room)),
        own.owns(after, other),
        other,
        there,
        there & neg(sweeps),
        source.number("byte"),
        memory,
        table,
    )


def _then(own: Parts, start: Any) -> dict[str, Word]:
    first = counters(own, start)
    return {"then_remaining": first.get("remaining", 0), "then_total": first.get("total", 0)}


def _invariant(source: Source, own: Parts, before: Any, after: Any) -> Truth:
    same = every(getattr(before, name) == getattr(after, name) for name in own.constants)
    return own.invariant(after) & numbers_fit(own, after, source.modulus) & same


def repeat(source: Source, own: Parts, kind: Kind) -> Done:
    """Any state that is reset, and then any request: beside the same request as the very first one."""
    state = arbitrary(source, own)
    op = asked(source, kind, own.shape.sized)
    start = own.init(
        source.machine(state.buffer), source.machine(state.capacity), source.memory(source.table("word at first"))
    )
    _, first = called(source, own, start, op, 0, source.memory(source.table("word then")))
    memory = source.memory(source.table("word"))
    reset, _ = own.step(own.mapped(state, source.machine), Op(Kind.RESET), source.machine(0), memory)
    after, told = called(source, own, reset, op, 0, memory)
    e = real(own, state, plain(start), op, 0, told)
    post = View(undone_by=Kind.RESET, twin=first.makes, twin_ptr=first.ptr)
    nothing = Block(0, 0)
    return Done(
        own, state, after, told, e, View(), post, True, True, True, nothing, False, False, 0, memory, memory.words
    )


@dataclass(frozen=True)
class Begun:
    """What construction gave."""

    invariant: Truth
    state: Any
    buffer: Word
    capacity: Word
    memory: TableMemory


def construct(source: Source, own: Parts) -> Begun:
    """Any buffer."""
    buffer, capacity = source.number("buffer"), source.number("capacity")
    assume_given(source, buffer, capacity)
    memory = source.memory(source.table("word"))
    state = plain(own.init(source.machine(buffer), source.machine(capacity), memory))
    same = (state.buffer == buffer) & (state.capacity == capacity)
    fits = numbers_fit(own, state, source.modulus)
    return Begun(own.invariant(state) & fits & same, state, buffer, capacity, memory)


# ----------------------------------------------------------------------------------------------------- claims


def _none(truths: Iterator[Truth]) -> Truth:
    return every(neg(truth) for truth in truths)


def outside(memory: TableMemory, buffer: Word, capacity: Word) -> Truth:
    """A byte that is not in the buffer was written."""
    end = buffer + capacity
    words = (neg((each.address >= buffer) & (each.address + WORD <= end)) for each in memory.accesses if each.writes)
    ranges = ((size > 0) & neg((at >= buffer) & (at + size <= end)) for at, size in memory.zeroed)
    return neg(_none(words) & _none(ranges))


def in_words(memory: TableMemory, buffer: Word, capacity: Word) -> Truth:
    """What is read and written are words of the buffer."""
    end = buffer + capacity
    return every(
        (each.address >= buffer) & (each.address + WORD <= end) & (each.address % WORD == 0) for each in memory.accesses
    )


def written(memory: TableMemory, at: Word) -> list[tuple[Truth, Word]]:
    """For each word written: whether the byte `at` is one of its, and its address."""
    return [
        ((each.address <= at) & (at - each.address < WORD), each.address) for each in memory.accesses if each.writes
    ]


def made_zero(memory: TableMemory, at: Word) -> Truth:
    """The byte `at` was made zero."""
    ranges = neg(_none((start <= at) & (at - start < size) for start, size in memory.zeroed))
    words = [(hit, memory.words[address] == 0) for hit, address in written(memory, at)]
    return (ranges | neg(_none(hit & zero for hit, zero in words))) & every(implies(hit, zero) for hit, zero in words)


def changed(done: Done, at: Word) -> Truth:
    """The byte `at` may be another than before."""
    memory = done.memory
    ranges = ((start <= at) & (at - start < size) for start, size in memory.zeroed)
    words = (hit & neg(memory.words[place] == done.words[place]) for hit, place in written(memory, at))
    return neg(_none(ranges) & _none(words))


def disjoint(done: Done) -> Claim:
    """The block handed out, against any block that was live."""
    newer = block_of(done.event, 1)
    return law_claim("blocks_disjoint", done.other, newer, given=done.event.makes & done.there)


def payload_kept(done: Done) -> Claim:
    """Any byte of any block that is live before and after, read back by its owner afterwards."""
    flags = ite(changed(done, done.other.ptr + done.byte), int(Flag.DAMAGED), 0)
    check = Event(Kind.CHECK, 0, flags=flags, held=done.other.extent, bad_at=done.byte, env=done.event.env)
    within = (done.byte >= 0) & (done.byte < done.other.extent)
    return law_claim("payload_kept", check, given=done.lives & within)


def zeroed(done: Done) -> Claim:
    """Any byte of the block handed out."""
    e = done.event
    flags = ite(made_zero(done.memory, e.ptr + done.byte), 0, int(Flag.NOT_ZERO))
    within = (done.byte >= 0) & (done.byte < e.extent)
    return law_claim("zeroed", replace(e, flags=flags, bad_at=done.byte), given=within)


def respected(done: Done) -> Claim:
    """Nothing is written outside of the buffer."""
    beside = outside(done.memory, done.before.buffer, done.before.capacity)
    return law_claim("buffer_respected", replace(done.event, flags=ite(beside, int(Flag.OUTSIDE), 0)))


def accesses(done: Done | Begun) -> Claim:
    """Words are read and written inside of the buffer, at multiples of 8."""
    given = done if isinstance(done, Begun) else done.before
    return Claim(True, in_words(done.memory, given.buffer, given.capacity))


def invariant(done: Done | Begun) -> Claim:
    """The invariant holds afterwards; the buffer and what else never changes is as before."""
    state = done.state if isinstance(done, Begun) else done.after
    return Claim(True, done.invariant, said=lambda: f"the state after it is {state}")


def owns(done: Done) -> Claim:
    """The new block is owned."""
    e = done.event
    return Claim(e.makes, done.owned, said=lambda: f"the new block [{e.ptr:#x}, {e.ptr + e.room:#x}) with {done.after}")


def owns_kept(done: Done) -> Claim:
    """Any block that was live, and is live still, is owned still."""
    other = done.other
    return Claim(
        done.lives, done.kept, said=lambda: f"[{other.ptr:#x}, {other.ptr + other.extent:#x}) with {done.after}"
    )


def truthful(done: Done) -> Claim:
    """The event tells what was asked, a block or a refusal, and the counters of the state after it."""
    told, e = done.told, done.event
    asks = e.kind in REQUESTS
    same = every(getattr(told, name) == getattr(e, name) for name in ("kind", "size", "align", "count"))
    count = every(getattr(told, name) == value for name, value in counters(done.own, done.after).items())
    pointer = implies(asks, ite(told.served, neg(told.ptr == 0), told.ptr == 0))
    return Claim(True, same & count & pointer, said=lambda: f"{told} of {done.after}")


def on_event(name: str) -> Callable[[Done], Claim]:
    """A law on one operation."""
    return lambda done: law_claim(name, done.event)


def on_step(name: str) -> Callable[[Done], Claim]:
    """A law on an operation with the heap before and after."""
    return lambda done: law_claim(name, done.pre, done.event, done.post)


def applies(own: Parts, name: str) -> bool:
    """The law is about this allocator."""
    found = law(name)
    return own.shape.name in found.shapes and found.needs <= own.offers


def present(own: Parts) -> list[str]:
    """The laws on counters that are about this allocator."""
    return [name for name in PRESENT if applies(own, name)]


def claims(own: Parts, kind: Kind) -> dict[str, Callable[[Done], Claim]]:
    """What is claimed of an operation."""
    everywhere: dict[str, Callable[[Done], Claim]] = {"invariant": invariant, "event": truthful, "accesses": accesses}
    laws: dict[str, Callable[[Done], Claim]] = {
        "buffer_respected": respected,
        **{name: on_step(name) for name in PRESENT},
    }
    if kind in REQUESTS:
        laws |= {name: on_event(name) for name in ON_EVENT} | {name: on_step(name) for name in ON_STEP}
        laws["blocks_disjoint"] = disjoint
        everywhere["owns"] = owns
    else:
        laws["free_is_served"] = on_event("free_is_served")
    if kind is Kind.ZALLOC:
        laws["zeroed"] = zeroed
    if kind is Kind.RESET:
        laws["reset_frees_all"] = on_step("reset_frees_all")
    else:
        everywhere["owns_kept"] = owns_kept
        laws["payload_kept"] = payload_kept
    return everywhere | {name: claim for name, claim in laws.items() if applies(own, name)}


WORDS = {
    "invariant": "the invariant holds afterwards, of words; the buffer stays the same",
    "event": "the event tells what was asked, a block or a refusal, and the counters of the state after it",
    "accesses": "what is read and written are words of the buffer, at multiples of 8",
    "owns": "the new block is owned",
    "owns_kept": "every block that was live before, and is still, is owned still",
}


# ------------------------------------------------------------------------------------------------- obligations


def obligations(thing: Any, shape: str) -> Iterator[Obligation[Any]]:
    """All obligations on `thing`, an allocator of that shape; NotProvable where it lacks something."""
    return stated(taken(thing, shape))


def stated(own: Parts) -> Iterator[Obligation[Any]]:
    """All obligations on an allocator that was taken apart."""
    made = partial(family, own.name, words=WORDS, trusted=TRUSTED)
    yield from made(
        "init", partial(construct, own=own), {"invariant": invariant, "accesses": accesses}, "every buffer and capacity"
    )
    for kind in own.kinds:
        yield from made(kind.name.lower(), partial(operate, own=own, kind=kind), claims(own, kind), SCOPE)
    if Kind.RESET in own.kinds:
        again: dict[str, Callable[[Done], Claim]] = {"reset_frees_all": on_step("reset_frees_all")}
        for kind in own.kinds:
            if kind in REQUESTS:
                yield from made(
                    kind.name.lower(),
                    partial(repeat, own=own, kind=kind),
                    again,
                    f"{SCOPE}; the first request after a reset",
                )


__all__ = ["INDUCTION", "NotProvable", "obligations", "stated"]
