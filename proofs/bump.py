"""Obligations on the reference bump's own steps: every operation through `step`, over any buffer.

What `proofs.own` says of an allocator, this one being known by its steps, an invariant, and what it owns.
"""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from heaplaw.refimpl.steps import bump
from heaplaw.refimpl.steps.bump import BumpState
from heaplaw.spec.event import Block
from heaplaw.spec.logic import Truth

from .own import stated
from .parts import taken
from .prove import Obligation


def invariant(state: BumpState) -> Truth:
    """What is taken lies in the buffer, and is counted."""
    return (state.offset <= state.capacity) & (state.allocated == state.offset)


def owns(state: BumpState, block: Block) -> Truth:
    """A live block lies in what is taken."""
    return (block.ptr >= state.buffer) & (block.ptr + block.extent <= state.buffer + state.offset)


def obligations(steps: Any = bump) -> Iterator[Obligation[Any]]:
    """All obligations on a bump's steps: the reference's, or a faulty copy of that module."""
    thing = SimpleNamespace(init=steps.init, step=steps.step, invariant=invariant, owns=owns)
    return stated(taken(thing, "bump"))
