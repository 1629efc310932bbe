"""Obligations on the reference bump's own steps: every operation through `step`, over any buffer.

What `proofs.own` says of an allocator, this one being known by its steps, an invariant, and what it owns; and that a
reset brings the very first state back.
"""

from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any

from heaplaw.refimpl.steps import bump
from heaplaw.refimpl.steps.bump import BumpState
from heaplaw.spec.event import Block
from heaplaw.spec.history import Op
from heaplaw.spec.logic import Truth, every
from heaplaw.spec.shapes import Kind

from .claims import as_stated
from .own import SCOPE, TRUSTED, stated
from .parts import Parts, taken
from .paths import Source
from .prove import Claim, Obligation, family
from .stepping import INVARIANT, arbitrary, begun, called
from .symbolic import plain


def invariant(state: BumpState) -> Truth:
    """What is taken lies in the buffer, and is counted."""
    return (state.offset <= state.capacity) & (state.allocated == state.offset)


def owns(state: BumpState, block: Block) -> Truth:
    """A live block lies in what is taken."""
    return (block.ptr >= state.buffer) & (block.ptr + block.extent <= state.buffer + state.offset)


def anew(source: Source, own: Parts) -> Claim:
    """After a reset the state is that of construction: whatever is asked then is answered as it was at first."""
    state = arbitrary(source, own)
    source.assume(own.invariant(state, 0), INVARIANT)
    memory = source.memory(source.table("word"))
    seen, _ = called(source, own, own.mapped(state, source.machine), Op(Kind.RESET), 0, memory)
    after, start = plain(seen), plain(begun(source, own, state))
    same = every(one == other for one, other in zip(own.numbers(after), own.numbers(start), strict=True))
    return Claim(True, same, said=lambda: f"{after}, at first {start}")


def obligations(steps: Any = bump) -> Iterator[Obligation[Any]]:
    """All obligations on a bump's steps: the reference's, or a faulty copy of that module."""
    own = taken(SimpleNamespace(init=steps.init, step=steps.step, invariant=invariant, owns=owns), "bump")
    yield from stated(own)
    words = {"as_at_first": "after a reset the state is the one that construction gave, in every field"}
    trusted = (
        *TRUSTED,
        "a step's answer depends on nothing but its state, its request and what it reads: none is read",
    )
    yield from family("bump", "reset", partial(anew, own=own), {"as_at_first": as_stated}, SCOPE, words, trusted)
