"""A refuted step, and whether operations lead to a broken law: the explorer's shortest trace from a fresh allocator."""

from collections.abc import Callable
from typing import Any

from heaplaw.models.explore import Witness, explore
from heaplaw.models.exploring.model import Model
from heaplaw.models.exploring.reference import arena_model, bump_model, freelist_model, pool_model, stack_model
from heaplaw.refimpl.memory import AccessError

from .parts import PARTS, Target

__all__ = ["STATES", "shortest"]

STATES = 3_000
"""States that are looked at, at most."""
_MODELS: dict[str, Callable[[Any], Model]] = {
    "bump": lambda step: bump_model(64, step=step),
    "pool": lambda step: pool_model(16, 3, step),
    "stack": lambda step: stack_model(128, step=step),
    "freelist": lambda step: freelist_model(160, step=step),
    "coalescing": lambda step: freelist_model(160, coalesces=True, step=step),
    "arena": lambda step: arena_model(192, step=step),
}


def shortest(target: Target, part: str) -> Witness | str:
    """The shortest trace that breaks a law, each state of a small model looked at; in words when there is none."""
    from heaplaw.killmatrix.rigs import fuelled
    from heaplaw.mutants.reference import load

    if part not in _MODELS or target.kind != "mutant":
        return "this is not explored: only the reference's allocators are"
    model = _MODELS[part](fuelled(load(target.name, PARTS[part].module).step))
    try:
        found = explore(model, STATES)
    except AccessError as error:
        return f"the faulty steps ruin their own lists while they are explored: {error}"
    if found.witness is not None:
        return found.witness
    extent = "all" if found.complete else "the first"
    return f"no law is broken in {extent} {found.states:,} states of {model.bound}"
