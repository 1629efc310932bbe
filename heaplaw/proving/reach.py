"""A refuted step, and whether operations lead to a broken law: the explorer's shortest trace from a fresh allocator."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from heaplaw.killmatrix.rigs import fuelled
from heaplaw.models.explore import Witness, explore
from heaplaw.models.exploring.model import Model
from heaplaw.models.exploring.reference import BUFFER, arena_model, bump_model, freelist_model, pool_model, stack_model
from heaplaw.models.session import applicable
from heaplaw.mutants.reference import load
from heaplaw.proofs.parts import Parts, taken
from heaplaw.proofs.stepping import in_full
from heaplaw.proofs.symbolic import plain
from heaplaw.proofs.wrapping import Wrapped
from heaplaw.refimpl.memory import AccessError
from heaplaw.spec.event import Event
from heaplaw.spec.history import Op
from heaplaw.spec.law import AnyLaw, Scope
from heaplaw.spec.protocols import Memory
from heaplaw.spec.shapes import Kind

from .parts import PARTS, Target, thing_of

__all__ = ["STATES", "shortest"]

CAPACITY = 64
"""Bytes of a bump's buffer."""
STATES = 5_000
"""States that are looked at, at most."""
WRAPPING = tuple(
    op for size in (2**64 - 8, 2**64 - 32) for op in (Op(Kind.ALLOC, size), Op(Kind.ALIGNED, size, align=32))
)
"""Requests that make careless sums wrap."""
_MODELS: dict[str, Callable[[Any], Model]] = {
    "bump": lambda step: bump_model(CAPACITY, step=step),
    "pool": lambda step: pool_model(16, 3, step),
    "stack": lambda step: stack_model(128, step=step),
    "freelist": lambda step: freelist_model(144, align=64, step=step),
    "coalescing": lambda step: freelist_model(160, align=64, coalesces=True, step=step),
    "arena": lambda step: arena_model(192, step=step),
}


def shortest(target: Target, part: str) -> Witness | str:
    """The shortest trace that breaks a law, each state of a small model looked at; in words when there is none."""
    laws: list[AnyLaw] | None = None
    if target.kind == "own" and part == "bump":
        own = taken(thing_of(target), part)
        laws = [each for each in applicable(part, own.offers) if each.scope is not Scope.RUN]
        model = _own_bump(own)
    elif target.kind == "mutant" and part in _MODELS:
        model = _MODELS[part](fuelled(load(target.name, PARTS[part].module).step))
    else:
        return "this is not explored: only bumps and the reference's allocators are"
    wraps = tuple(op for op in WRAPPING if op.kind in model.kinds)
    try:
        found = explore(replace(model, requests=(*model.requests, *wraps)), STATES, laws=laws)
    except AccessError as error:
        return f"the faulty steps reach beyond their memory while they are explored: {error}"
    except Exception as error:  # noqa: BLE001 - a user's code, or a faulty one: whatever it raises is not ours
        return f"the steps fail while they are explored: {type(error).__name__}: {error}"
    if found.witness is not None:
        return found.witness
    if not found.complete and found.states < STATES:
        return f"a literal run does not show what the search met after {found.states:,} states of {model.bound}"
    extent = "all" if found.complete else "the first"
    return f"no law is broken in {extent} {found.states:,} states of {model.bound}"


def _own_bump(own: Parts) -> Model:
    """A user's bump, on a machine's integers: they wrap at 64 bits."""
    stepped = in_full(own)

    def step(state: Any, op: Op, ptr: int, memory: Memory) -> tuple[Any, Event]:
        seen = replace(op, size=Wrapped(op.size), align=Wrapped(op.align), count=Wrapped(op.count))
        after, event = stepped(state, seen, Wrapped(ptr), memory)
        return after, plain(event)

    model = bump_model(CAPACITY, step=fuelled(step), reports=False)
    requests = tuple(op for op in model.requests if op.kind in own.kinds)
    first = own.init(Wrapped(BUFFER), Wrapped(CAPACITY), model.memory())

    def init(memory: Memory) -> Any:
        return first

    return replace(model, init=init, requests=requests, goals={})
