"""What came of a step, in words that no address is part of: what two allocators' answers are compared by."""

import errno
from collections.abc import Collection
from math import gcd
from typing import Any

import numpy as np

from heaplaw.models.words import power
from heaplaw.spec.event import ERRNO_CLEARED, NONE, Event, Status
from heaplaw.spec.history import Completed, History
from heaplaw.spec.layout import PAGE
from heaplaw.spec.shapes import MAKERS, Kind
from heaplaw.steps import COUNTERS as TOLD
from heaplaw.steps import ending
from heaplaw.wording import Names

from .probes import ALIGNED, COUNTERS, ERRNO, GAP, MOVED, PLACE, SCENE, SERVED, USABLE

Answer = tuple[str, ...]
ANSWERING = (Kind.RESIZE_TO_ZERO, Kind.ODD_ALIGNED, Kind.ODD_POSIX_ALIGNED)
"""Operations of scenes that ask for a block."""


def answers(history: History, watch: str, counted: Collection[str] = ()) -> tuple[Answer, ...]:
    """What came of each step, as far as `watch` asks; `counted`: counters that both have."""
    return tuple(_answer(history, index, watch, counted) for index in range(len(history)))


def comparable(a: History, b: History, index: int, watch: str) -> bool:
    """What the step is watched for can be compared: who refuses what is told by probes that watch just that."""
    statuses = {int(history.columns["status"][index]) for history in (a, b)}
    if watch in (SERVED, SCENE):
        return True
    return statuses == {Status.OK} or (watch == ERRNO and statuses == {Status.FAILED})


def refusal(shape: str) -> str:
    """What a refused request gives."""
    return "NULL" if shape in ("malloc", "lua_alloc") else "refused"


def code(number: int) -> str:
    """An error by its name."""
    return errno.errorcode.get(number, str(number))


def _answer(history: History, index: int, watch: str, counted: Collection[str]) -> Answer:
    e, end = history.event(index), history.end
    if not isinstance(end, Completed) and end.op == index:
        return (ending(history),)
    if e.status == Status.SKIPPED:
        return ("not called",)
    if e.status in (Status.WRONG, Status.DIED):
        return ("neither a block nor a refusal" if e.kind in MAKERS else "neither done nor refused",)
    if e.kind in ANSWERING:
        return (refusal(history.trace.shape), _error(e)) if e.failed else ("a block",)
    if e.failed:
        word = refusal(history.trace.shape) if e.kind in MAKERS else "refused"
        return (word, _error(e)) if watch == ERRNO or (watch == SCENE and e.kind not in MAKERS) else (word,)
    words = [_served(history, index, e, watch)]
    words += _counters(history, index, counted) if watch == COUNTERS else []
    return tuple(word for word in words if word)


def _error(e: Event) -> str:
    if e.kind in (Kind.POSIX_ALIGNED, Kind.ODD_POSIX_ALIGNED):
        return f"returns {code(int(e.err))}"
    return f"errno {code(int(e.err))}" if e.err else "errno not set"


def _served(history: History, index: int, e: Event, watch: str) -> str:
    if not e.makes:
        changed = "errno set to 0" if e.err == ERRNO_CLEARED else f"errno became {code(int(e.err))}"
        return "" if watch == COUNTERS else changed if watch == SCENE and e.err else "done"
    if watch == USABLE:
        return f"usable {power(int(e.usable))}"
    if watch == ALIGNED:
        return f"multiples of {common_power(history)}" if index == len(history) - 1 else "a block"
    if watch == PLACE:
        return _place(history, index, e)
    if watch == MOVED:
        return "a block" if e.kind != Kind.RESIZE else "in place" if _stays(history, index, e) else "moved"
    if watch == GAP:
        return _gap(history, index, e)
    return "" if watch == COUNTERS else "a block"


def common_power(history: History) -> int:
    """The largest power of two, a page at most, that divides the addresses of all blocks, bytes."""
    made = np.isin(np.asarray(history.trace.columns["kind"]), MAKERS)
    found: Any = np.asarray(history.columns["ptr"], np.uint64)[made & (np.asarray(history.columns["ptr"]) != 0)]
    whole = gcd(PAGE, *found.tolist())
    return whole & -whole


def _place(history: History, index: int, e: Event) -> str:
    """Whether the block lies where an earlier one lay, which has ended: laws see to it that it has."""
    same = [i for i in range(index) if history.event(i).makes and history.event(i).ptr == e.ptr]
    ended = any(history.trace.op(i).kind not in MAKERS for i in range(index))
    if same:
        return f"where {Names(history.trace)[same[-1]]} was"
    return "elsewhere" if ended else "a block"


def _stays(history: History, index: int, e: Event) -> bool:
    owner = history.owner(index)
    return owner != NONE and history.event(owner).ptr == e.ptr


def _gap(history: History, index: int, e: Event) -> str:
    before = [i for i in range(index) if history.event(i).makes]
    if not before:
        return "a block"
    distance = int(e.ptr) - int(history.event(before[-1]).ptr)
    return f"{'-' if distance < 0 else '+'}{power(abs(distance))} from {Names(history.trace)[before[-1]]}"


def _counters(history: History, index: int, counted: Collection[str]) -> list[str]:
    """What the step added to each counter."""
    env, words = history.told, list[str]()
    first = {"remaining": env.remaining, "total_allocated": env.total, "num_free_blocks": env.num_blocks}
    for name, (word, column_name) in TOLD.items():
        if name not in counted:
            continue
        column: Any = history.columns[column_name]
        before = int(column[index - 1]) if index else int(first.get(name, 0))
        change = int(column[index]) - before
        words.append(f"{word} {change:+}")
    return words
