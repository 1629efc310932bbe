"""What two subjects have in common, operations and limits that traces for both are drawn by; and what they have not."""

from collections.abc import Callable, Collection
from dataclasses import replace

from heaplaw.errors import UsageError
from heaplaw.models.words import power
from heaplaw.spec.dialects import named
from heaplaw.spec.event import Env
from heaplaw.spec.history import COUNTERS
from heaplaw.spec.law import FACTS, PROMISES
from heaplaw.spec.shapes import CALLS, REQUESTS, Kind
from heaplaw.subjects import ProcessSubject
from heaplaw.terminal.facts import name_of_call

from .parts import Apart

TOLD = {
    "max_align": "alignment",
    "zero_size": "zero_size",
    "direction": "direction",
    "padding": "padding",
    "reuse_order": "reuse",
    "capacity": "capacity",
    "block_size": "block_size",
    "num_blocks": "num_blocks",
    "header": "header",
    "limit": "limit",
    "dialects": "dialects",
    "zero_resize": "zero_resize",
    "double_free": "double_free",
    "interior_free": "interior_free",
    "unaligned_free": "unaligned_free",
    "foreign_free": "foreign_free",
    "max_request_align": "max_alignment",
    "max_request": "largest size asked for",
}
"""Constants and promises that are told where they differ, and what they are called."""
VALUED = frozenset({"zero size", "reuse order", "limit"})
"""Promises that are told by their values."""


def common_kinds(old: ProcessSubject, new: ProcessSubject) -> frozenset[Kind]:
    """The operations that both have; UsageError where nothing can be compared with them."""
    if old.shape.name != new.shape.name:
        raise UsageError(
            f"{old.identity} has the shape {old.shape.name}, {new.identity} the shape {new.shape.name}: only versions "
            "of one interface can be compared"
        )
    kinds = old.kinds & new.kinds
    if not kinds & set(REQUESTS):
        raise UsageError(f"{old.identity} and {new.identity} have no request in common: there is nothing to compare")
    return kinds


def narrowed(subject: ProcessSubject, kinds: frozenset[Kind], other: ProcessSubject) -> ProcessSubject:
    """The subject as far as the two can be asked the same; with a process of its own."""
    gone = {CALLS[kind] for kind in subject.kinds - kinds}
    limited = limits(other.env)
    stated = subject.stated

    def told(env: Env) -> Env:
        return limited(stated(env) if stated else env)

    return replace(
        subject,
        offers=subject.offers - gone,
        env=limited(subject.env),
        stated=told,
        operations=min(subject.operations, other.operations),
        instances=min(subject.instances, other.instances),
        viewer=subject.viewer if not gone else None,
        _host=None,
    )


def limits(other: Env) -> Callable[[Env], Env]:
    """Takes the limits for drawing traces that both keep: laws do not know them."""

    def limited(env: Env) -> Env:
        return replace(
            env,
            max_request=min(env.max_request, other.max_request),
            max_request_align=min(env.max_request_align, other.max_request_align),
            aligned_multiple=env.aligned_multiple or other.aligned_multiple,
            counted=env.counted and other.counted,
            labels=min(env.labels, other.labels),
        )

    return limited


def apart(old: ProcessSubject, new: ProcessSubject) -> list[Apart]:
    """What is not common: operations, counters, promises, and what is constant."""
    shape, calls = old.shape.name, set(CALLS.values())
    names: dict[str, Callable[[frozenset[str]], Collection[str]]] = {
        "operations": lambda offers: {name_of_call(name, shape) for name in offers & calls},
        "counters": lambda offers: offers & {*COUNTERS, "usable_size"},
        "promises": lambda offers: {name.replace(" ", "_") for name in offers & PROMISES - VALUED},
        "facts": lambda offers: offers & FACTS - {"C functions"},
    }
    found: list[Apart] = []
    for what, chosen in names.items():
        there = set(chosen(old.offers)), set(chosen(new.offers))
        if there[0] != there[1]:
            found.append(only(what, *there))
    for name, word in TOLD.items():
        a, b = getattr(old.env, name), getattr(new.env, name)
        if a != b:
            told = named if name == "dialects" else _word
            found.append(Apart(word, told(a) or "none", told(b) or "none"))
    known = [{expected.law for expected in subject.expected} for subject in (old, new)]
    if known[0] != known[1]:
        found.append(only("expected violations", *known))
    return found


def only(what: str, old: set[str], new: set[str]) -> Apart:
    """What each has that the other has not."""
    return Apart(what, ", ".join(sorted(old - new)), ", ".join(sorted(new - old)))


def _word(value: object) -> str:
    name = getattr(value, "name", None)
    return name.lower() if isinstance(name, str) else power(value) if isinstance(value, int) else str(value)
