"""Claims that all parts make of what came of a step: the laws, on events and views; what an owner reads back."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from heaplaw.spec.event import Env, Event, Flag
from heaplaw.spec.logic import Truth, Word, ite
from heaplaw.spec.shapes import Kind

from .prove import Claim, law_claim

PLAIN = Env()


def as_stated(claim: Claim) -> Claim:
    """Of a scenario that ends in a claim: that one."""
    return claim


def on_event(name: str) -> Callable[[Any], Claim]:
    """A law on one operation: the record's `event`."""
    return lambda done: law_claim(name, done.event)


def on_step(name: str) -> Callable[[Any], Claim]:
    """A law on an operation with the heap before and after: the record's `pre`, `event` and `post`."""
    return lambda done: law_claim(name, done.pre, done.event, done.post)


def read_back(damaged: Truth, held: Word, at: Word, env: Env = PLAIN) -> Event:
    """The owner of a block of `held` bytes reads it; where it is damaged, it is so from the offset `at` on."""
    return Event(Kind.CHECK, 0, flags=ite(damaged, int(Flag.DAMAGED), 0), held=held, bad_at=at, env=env)


def in_ranges(where: Word, ranges: Iterable[tuple[Word, Word]]) -> Truth:
    """The byte at `where` lies in one of the ranges: their starts and sizes."""
    found: Truth = False
    for low, size in ranges:
        found = found | ((where >= low) & (where < low + size))
    return found


def byte_zeroed(e: Event, byte: Word, cleared: Truth, given: Truth = True) -> Claim:
    """The law on zeroed blocks, at any byte of the one handed out: whether it was cleared."""
    check = replace(e, flags=ite(cleared, 0, int(Flag.NOT_ZERO)), bad_at=byte)
    return law_claim("zeroed", check, given=given & (byte >= 0) & (byte < e.extent))
