"""Live subjects: objects and steps of this process that are driven operation by operation, as a trace's driver would
drive them.

A `Live` carries out one operation and answers with the event. `Checked` makes one out of bare calls (`StepCalls`,
`ObjectCalls`) by writing and checking payloads around them, as `spec.event.Flag` defines.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any, cast

from heaplaw.refimpl.memory import ProcessBytes
from heaplaw.spec.event import Env
from heaplaw.spec.protocols import Step
from heaplaw.spec.shapes import POOL, SHAPES, Kind, Shape

from ..methods import Method
from .calls import ObjectCalls, StepCalls, promises_of
from .driving import Calls, Checked, Live
from .payload import Held, Store, by_address, by_owner, fill, first_wrong, pattern, spans


def live_steps(
    step: Step,
    state: Any,
    memory: Any,
    env: Env,
    shape: Shape = POOL,
    kinds: Collection[Kind] | None = None,
    init: Callable[[], Any] | None = None,
) -> Checked:
    """Pure steps over a memory that also has `peek` and `poke`: see `StepCalls`."""
    return Checked(StepCalls(step, state, memory, env, shape, kinds, init), memory)


def live_object(
    subject: Any,
    shape: Shape,
    promises: Mapping[str, Any] | None = None,
    again: Callable[[], Any] | None = None,
    store: Store | None = None,
    own: Mapping[Kind, Method] | None = None,
) -> Checked:
    """A Python object of `shape`: see `ObjectCalls`.

    Payloads go to `store`, to its own `memory` where it has a simulated one, else to real addresses.
    """
    calls = ObjectCalls(subject, shape, promises, again, own)
    memory = store or getattr(subject, "memory", None)
    if memory is None or not hasattr(memory, "peek"):
        env = calls.env
        memory = ProcessBytes(env.base, env.base + env.capacity) if "bounds" in calls.offers else ProcessBytes()
    return Checked(calls, memory)


def live(
    subject: Any,
    shape: str,
    promises: Mapping[str, Any] | None = None,
    again: Callable[[], Any] | None = None,
    own: Mapping[Kind, Method] | None = None,
) -> Live:
    """`subject` as something to drive: as it is when it has `apply`, else by the methods of its shape, and those in
    `own`.
    """
    if hasattr(subject, "apply"):
        return cast("Live", subject)
    return live_object(subject, SHAPES[shape], promises, again, own=own)


__all__ = [
    "Calls",
    "Checked",
    "Held",
    "Live",
    "ObjectCalls",
    "StepCalls",
    "Store",
    "by_address",
    "by_owner",
    "fill",
    "first_wrong",
    "live",
    "live_object",
    "live_steps",
    "pattern",
    "promises_of",
    "spans",
]
