"""What a history says beside the subject's own words, as columns: the views before and after every operation.

`spec.heap` defines it; `native/ghost.h` computes the same in C. Where that is not built, the definition itself does.
"""

import ctypes
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from heaplaw.spec.event import NONE, Env, Event, Order, Status, View
from heaplaw.spec.heap import Heap, first_view
from heaplaw.spec.history import COUNTED
from heaplaw.spec.shapes import Kind

from .columns import scalar
from .shadow import native_library

Array = NDArray[Any]
WITH_BLOCKS, WITH_PAST, WITH_ORDER = 1, 2, 4
_IN: dict[str, Any] = {
    "row": np.uint64, "kind": np.uint8, "status": np.uint8, "owner": np.uint32, "size": np.uint64, "align": np.uint64,
    "count": np.uint64, "held": np.uint64, "ptr": np.uint64, "remaining": np.uint64, "total": np.uint64,
    "extent": np.uint64, "room": np.uint64,
}  # fmt: skip
"""What the native part reads, in its order, with types."""
_WORDS = (
    "live", "live_bytes", "owed", "freed", "whole", "high", "low", "newest_free", "oldest_free", "undone_by",
    "then_remaining", "then_total", "twin_ptr",
)  # fmt: skip
_TRUTHS = ("reused", "back", "twin")
"""What it writes: words, then truths."""
_PAST = ("undone_by", "then_remaining", "then_total", "twin_ptr", "back", "twin")
_ORDER = ("newest_free", "oldest_free", "reused")


class Ghost:
    """Follows one instance through a history, window by window.

    `regions`: operations may be undone, or blocks are in order of address: then the past is kept. `counted`: columns of
    the counters that the subject has; with those of bytes, or with a limit on them, live bytes are added up.
    """

    def __init__(self, env: Env, regions: bool, counted: frozenset[str] = COUNTED) -> None:
        self._library = native_library()
        self._env = env
        self._view = first = first_view(env, counted)
        self._regions = regions
        order = env.reuse_order != Order.ANY
        sums = not counted.isdisjoint({"remaining", "total"}) or env.limit > 0
        self._with = WITH_BLOCKS * (regions or order or sums) + WITH_PAST * regions + WITH_ORDER * order
        self._heap = Heap(counted=counted)
        self._ghost = self._library.hl_ghost_new(self._with, first.remaining, first.total) if self._library else None

    def feed(self, e: Event, owner: Array, rows: Array) -> tuple[View, View]:
        """Take in called operations: the views before and after each, as columns."""
        derived = self._natively(e, owner, rows) if self._ghost else self._literally(e, owner, rows)
        failed = e.status == Status.FAILED
        post = View(
            num_free=e.num_free,
            num_allocated=e.num_allocated,
            after_failure=failed,
            remaining=e.remaining,
            total=e.total,
            **derived,
        )
        fields = View.__dataclass_fields__
        pre = View(**{name: _shifted(getattr(post, name), getattr(self._view, name)) for name in fields})
        self._view = View(**{name: _last(getattr(post, name)) for name in fields})
        return pre, post

    def _natively(self, e: Event, owner: Array, rows: Array) -> dict[str, Any]:
        n = len(rows)
        source: dict[str, Any] = {"row": rows, "owner": owner}
        given = {
            name: np.ascontiguousarray(source[name] if name in source else getattr(e, name), kind)
            for name, kind in _IN.items()
        }
        absent = set[str]() if self._with & WITH_PAST else set(_PAST)
        absent |= set[str]() if self._with & WITH_ORDER else set(_ORDER)
        absent |= set[str]() if self._with & WITH_BLOCKS else {"live_bytes"}
        absent |= set[str]() if self._regions else {"high", "low"}
        words = {name: np.empty(n, np.uint64) for name in _WORDS if name not in absent}
        truths = {name: np.empty(n, np.bool_) for name in _TRUTHS if name not in absent}
        out = {**words, **truths}
        self._library.hl_ghost_feed(
            self._ghost, n, _pointers(list(given.values())), _pointers([out.get(name) for name in (*_WORDS, *_TRUTHS)])
        )
        return out

    def _literally(self, e: Event, owner: Array, rows: Array) -> dict[str, Any]:
        """The same by the definition, operation by operation."""
        views: list[View] = []
        for place in range(len(rows)):
            single = scalar(e, place)
            self._heap.absorb(int(rows[place]), single, int(owner[place]))
            views.append(self._heap.view(single))
        words: dict[str, Any] = {name: np.array([getattr(view, name) for view in views], np.uint64) for name in _WORDS}
        return words | {name: np.array([getattr(view, name) for view in views], np.bool_) for name in _TRUTHS}

    def __del__(self) -> None:
        if self._ghost:
            self._library.hl_ghost_free(self._ghost)


def _pointers(columns: list[Array | None]) -> Any:
    """A C structure of pointers; NULL for what is left out."""
    return (ctypes.c_void_p * len(columns))(*[None if c is None else c.ctypes.data for c in columns])


def _shifted(column: Any, first: Any) -> Any:
    """Each operation's predecessor; a field that is no column says the same all the time."""
    if not isinstance(column, np.ndarray):
        return column
    values = cast("Array", column)
    shifted = np.empty_like(values)
    shifted[0], shifted[1:] = first, values[:-1]
    return shifted


def _last(column: Any) -> Any:
    return column[-1].item() if isinstance(column, np.ndarray) else column


def swept(e: Event, owner: Array) -> dict[int, int]:
    """For every block that died together with others, the operation that ended them."""
    made: dict[int, list[int]] = {}
    gone: dict[int, int] = {}
    instance = np.broadcast_to(np.asarray(e.instance), len(owner))
    happens = np.asarray(e.makes | e.sweeps | e.ends)
    sweeps, makes, ends = np.asarray(e.sweeps), np.asarray(e.makes), np.asarray(e.ends)
    dead = {int(block) for block in owner[ends] if block != NONE}
    for index in np.flatnonzero(happens).tolist():
        chain = made.setdefault(int(instance[index]), [])
        if sweeps[index]:
            since = int(owner[index]) if e.kind[index] == Kind.RELEASE and owner[index] != NONE else -1
            while chain and chain[-1] > since:
                block = chain.pop()
                if block not in dead:
                    gone[block] = index
        elif makes[index]:
            chain.append(index)
    return gone
