"""Your own allocator, proved: obligations on any allocator that is written as pure steps.

What it consists of, as a module, a class or an object:

- `init(buffer, capacity, memory)`: the first state. A state is a frozen dataclass of integers and truth values, with
  `buffer` and `capacity` (bytes) among its fields or properties; a pool's has `block_size` and `num_blocks` too.
- `step(state, op, ptr, memory)`: the new state, and the `Event` that came of `op` (`spec.protocols.Step`); ValueError
  for an operation that it does not have. `ptr` is the address of the block that a FREE names.
- `invariant(state)`, or `invariant(state, live)` with the number of live blocks: what holds before and after every
  operation.
- `owns(state, block)`: what holds of every live block, those of 0 bytes included.

Where a state has `remaining`, `total_allocated`, `num_free_blocks` or `num_allocated`, the laws on these counters are
proved too. Beside the invariant it is assumed of the state before a step that its live blocks are owned and disjoint,
and that the laws on counters held; that they do again is shown after it. So what is proved holds of every history, by
induction over its operations.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from heaplaw.spec.catalogue import laws_of
from heaplaw.spec.event import Block, Direction, Env, Flag, Padding, View
from heaplaw.spec.heap import block_of
from heaplaw.spec.history import COUNTERS
from heaplaw.spec.logic import Truth, Word, every, implies, ite, neg
from heaplaw.spec.shapes import CALLS, REQUESTS, Kind

from .claims import byte_zeroed, on_event, on_step, read_back
from .parts import OPERATIONS, NotProvable, Parts, taken
from .parts import PROVABLE as SHAPES
from .prove import Claim, Obligation, family, law_claim
from .stepping import OF_BYTES, PRESENT, Begun, Beside, Done, construct, operate, repeat, reuse
from .tables import WORD, TableMemory

TRUSTED = (
    "induction over the number of operations",
    "a step is a function of its arguments: it keeps nothing elsewhere, and asks neither a clock nor chance",
    "owners write into their own blocks only, and only live blocks are freed",
    "an alignment that is asked for is a power of two, and fewer than 2**63 blocks are live",
)
SCOPE = "every buffer, capacity, request and state that satisfies the invariant"
FIRST = f"{SCOPE}; the first request after a reset"
NEXT = f"{SCOPE}; the request after a free"


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
    """What is read and written are words of the buffer, and what is made zero are bytes of it."""
    end = buffer + capacity
    words = every(
        (each.address >= buffer) & (each.address + WORD <= end) & (each.address % WORD == 0) for each in memory.accesses
    )
    return words & every((size == 0) | ((at >= buffer) & (at + size <= end)) for at, size in memory.zeroed)


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
    return law_claim("blocks_disjoint", done.other, block_of(done.event, 1), given=done.event.makes)


def payload_kept(done: Done) -> Claim:
    """Any byte of any block that is live before and after, read back by its owner afterwards."""
    damaged = changed(done, done.other.ptr + done.byte)
    check = read_back(damaged, done.other.extent, done.byte, done.event.env)
    return law_claim("payload_kept", check, given=(done.byte >= 0) & (done.byte < done.other.extent))


def zeroed(done: Done) -> Claim:
    """Any byte of the block handed out."""
    return byte_zeroed(done.event, done.byte, made_zero(done.memory, done.event.ptr + done.byte))


def given(done: Done | Begun) -> tuple[Word, Word]:
    """The buffer: its address and its size in bytes."""
    return (
        (done.before.ptr, done.before.extent) if isinstance(done, Begun) else (done.before.buffer, done.before.capacity)
    )


def respected(done: Done | Begun) -> Claim:
    """Nothing is written outside of the buffer."""
    beside = outside(done.memory, *given(done))
    return law_claim("buffer_respected", replace(done.event, flags=ite(beside, int(Flag.OUTSIDE), 0)))


def accesses(done: Done | Begun) -> Claim:
    """Words are read and written inside of the buffer, at multiples of 8; bytes made zero lie in it."""

    def said() -> str:
        words = [f"{at:#x}" for at in done.memory.accessed]
        ranges = [f"[{at:#x}, {at + size:#x}) made zero" for at, size in done.memory.zeroed]
        return f"words are accessed at {', '.join(words)}" if words else ", ".join(ranges)

    return Claim(True, in_words(done.memory, *given(done)), said=said)


def unchanged(done: Done) -> Claim:
    """What is refused leaves every field of the state as it was."""
    names = done.own.fields
    same = every(getattr(done.after, name) == getattr(done.before, name) for name in names)
    return Claim(done.event.failed, same, said=lambda: f"refused in {done.before}; afterwards, {done.after}")


def invariant(done: Done | Begun) -> Claim:
    """The invariant holds afterwards; the buffer and what else never changes is as before."""
    return Claim(True, done.invariant, said=lambda: f"afterwards, {done.after}")


def _placed(block: Block, state: Any) -> str:
    return f"[{block.ptr:#x}, {block.ptr + block.extent:#x}) is not owned afterwards, by {state}"


def owns(done: Done) -> Claim:
    """The new block is owned."""
    return Claim(done.event.makes, done.owned, said=lambda: _placed(block_of(done.event, 1), done.after))


def owns_kept(done: Done) -> Claim:
    """Any block that was live, and is live still, is owned still."""
    return Claim(True, done.kept, said=lambda: _placed(done.other, done.after))


def truthful(done: Done) -> Claim:
    """The event tells what was asked, a block or a refusal, and the counters of the state after it."""
    told, e = done.told, done.event
    wanted = {COUNTERS[name]: getattr(done.post, COUNTERS[name]) for name in done.own.counters}
    asks = e.kind in REQUESTS
    pointer = told.called & implies(asks, ite(told.served, neg(told.ptr == 0), told.ptr == 0))
    # What an event leaves as it is by itself, and the size that a pool gives every block, are no lies.
    size = told.size == done.asked.size
    echoes = {
        "kind": told.kind == e.kind,
        "size": size if done.own.shape.sized else size | (told.size == e.size),
        "align": (told.align == e.align) | (told.align == 0),
        "count": (told.count == e.count) | (told.count == 1),
    }

    def said() -> str:
        for name, right in echoes.items():
            if not right:
                return f"the event says {name} = {getattr(told, name)}, asked was {getattr(e, name)}"
        if not pointer:
            return f"the event has status {int(told.status)} with the address {told.ptr:#x}"
        wrong = next(name for name, value in wanted.items() if getattr(told, name) != value)
        return f"the event says {wrong} = {getattr(told, wrong)}, the state afterwards {wanted[wrong]}"

    echoed = every(echoes.values())
    return Claim(
        True, echoed & pointer & every(getattr(told, name) == value for name, value in wanted.items()), said=said
    )


def at_first(name: str) -> Callable[[Begun], Claim]:
    """A law on counters, of the heap that construction makes."""
    return lambda begun: law_claim(name, View(), begun.event, begun.post)


# ------------------------------------------------------------------------------------------- what is claimed of what


Claims = dict[str, Callable[[Done], Claim]]
ALWAYS: Claims = {
    "invariant": invariant,
    "event": truthful,
    "accesses": accesses,
    "buffer_respected": respected,
}
OF_REQUESTS: dict[Beside, Claims] = {
    Beside.NOTHING: {
        "owns": owns,
        "refusal_changes_nothing": unchanged,
        **{
            name: on_event(name)
            for name in ("aligned", "in_bounds", "overflow_is_failure", "failure_is_reported", "pool_on_grid")
        },
    },
    Beside.COUNTS: {
        name: on_step(name) for name in ("failure_changes_nothing", "fits_is_served", "pool_serves_while_free")
    },
    Beside.BLOCK: {"blocks_disjoint": disjoint},
    Beside.ENDS: {"bump_monotonic": on_step("bump_monotonic")},
}


def claims(kind: Kind, beside: Beside) -> Claims:
    """What is claimed of an operation, in a scenario with what is beside it."""
    found: Claims = {}
    if beside is Beside.NOTHING:
        found |= ALWAYS
    if kind in REQUESTS:
        found |= OF_REQUESTS[beside]
    elif beside is Beside.NOTHING:
        found["free_is_served"] = on_event("free_is_served")
    if kind is Kind.ZALLOC and beside is Beside.NOTHING:
        found["zeroed"] = zeroed
    if kind is Kind.RESET and beside is Beside.NOTHING:
        found["reset_frees_all"] = on_step("reset_frees_all")
    if kind is not Kind.RESET and beside is Beside.BLOCK:
        found |= {"owns_kept": owns_kept, "payload_kept": payload_kept}
    if beside is Beside.COUNTS:
        found |= {name: on_step(name) for name in PRESENT}
    return found


WORDS = {
    "invariant": "the invariant holds afterwards; every number is a word; the buffer stays the same",
    "event": "the event tells what was asked, a block or a refusal, and the counters of the state after it",
    "accesses": "what is read and written are words of the buffer, at multiples of 8; what is made zero lies in it",
    "refusal_changes_nothing": "what is refused leaves every field of the state as it was",
    "owns": "the new block is owned",
    "owns_kept": "every block that was live before, and is still, is owned still",
}


# ------------------------------------------------------------------------------------------------- obligations


def obligations(thing: Any, shape: str) -> Iterator[Obligation[Any]]:
    """All obligations on `thing`, an allocator of that shape; NotProvable where it lacks something."""
    own = taken(thing, shape)
    return (replace(each, guarded=True) for each in stated(own))


def stated(own: Parts) -> Iterator[Obligation[Any]]:
    """All obligations on an allocator that was taken apart."""
    made = partial(family, own.shape.name, words=WORDS, trusted=TRUSTED)
    first: dict[str, Callable[[Begun], Claim]] = {
        "invariant": invariant,
        "accesses": accesses,
        "buffer_respected": respected,
    }
    # What bytes are counted at first is what the laws on bytes compare with: only blocks are counted from nothing.
    first |= {name: at_first(name) for name in PRESENT if own.obeys(name) and name not in OF_BYTES}
    yield from made("init", partial(construct, own=own), first, "every buffer and capacity")
    for kind in own.kinds:
        for beside in Beside:
            chosen = {name: claim for name, claim in claims(kind, beside).items() if name in WORDS or own.obeys(name)}
            if chosen:
                scenario = partial(operate, own=own, kind=kind, beside=beside)
                yield from made(kind.name.lower(), scenario, chosen, SCOPE)
        if kind in REQUESTS and Kind.RESET in own.kinds:
            again: Claims = {"reset_frees_all": on_step("reset_frees_all")}
            yield from made(kind.name.lower(), partial(repeat, own=own, kind=kind), again, FIRST)
    if {Kind.ALLOC, Kind.FREE} <= {*own.kinds}:
        soon: Claims = {"freed_is_reusable": on_step("freed_is_reusable")}
        yield from made("alloc", partial(reuse, own=own), soon, NEXT)


# ---------------------------------------------------------------------------------------------- what it is about


def about(thing: Any, shape: str) -> tuple[str, ...]:
    """What was found of `thing`, a line each: its operations, the laws of its shape that are not asked of it, and why,
    and what it promises. NotProvable as for `obligations`.
    """
    own = taken(thing, shape)
    return (_operations(own), *_left_out(own), _promises(own.env))


def _operations(own: Parts) -> str:
    there, absent = (", ".join(kind.name.lower() for kind in kinds) for kinds in (own.kinds, own.absent))
    return f"operations: {there}" + (f"; not there: {absent}" if absent else "")


BY_NEED = {
    **{name: f"no `{name}`" for name in ("num_free_blocks", "num_allocated", "remaining", "total_allocated")},
    **{CALLS[kind]: f"no {kind.name.lower()}" for kind in OPERATIONS},
    CALLS[Kind.RESIZE]: "resizing is not proved of steps",
    "reset or renew": "no reset",
}
"""Why a law is not asked, by what it needs and an allocator may lack."""


def _left_out(own: Parts) -> Iterator[str]:
    """The laws of the shape that are not asked: first those that the allocator lacks something for."""
    asked_for = {each.about for each in stated(own)}
    reasons: dict[str, list[str]] = {}
    for each in laws_of(own.shape.name):
        if each.name not in asked_for:
            lacks = [words for need, words in BY_NEED.items() if need in each.needs - own.offers]
            reasons.setdefault(" and ".join(lacks), []).append(each.name)
    elsewhere = reasons.pop("", [])
    for why, names in sorted(reasons.items()):
        yield f"not asked: {', '.join(names)} ({why})"
    if elsewhere:
        yield f"not asked: {', '.join(elsewhere)} (not of single steps, or of what states and events do not tell here)"


def _promises(env: Env) -> str:
    """What the laws take an allocator's word for."""
    words = [
        f"blocks aligned to {env.max_align}" if not env.align_by_size else f"blocks aligned, up to {env.max_align}"
    ]
    words += {Direction.UP: ["grows upwards"], Direction.DOWN: ["grows downwards"]}.get(Direction(env.direction), [])
    words += {
        Padding.COUNTED: ["counters count padding"],
        Padding.EXCLUDED: ["counters leave padding out"],
    }.get(Padding(env.padding), [])
    words += [f"at most {env.header} bytes beside a request"] if env.header else []
    return f"promises: {', '.join(words)}"


__all__ = ["SHAPES", "NotProvable", "about", "obligations", "stated"]
