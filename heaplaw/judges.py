"""The fast judge: laws over columns, window by window, while the run goes on.

Laws over one operation or one step are evaluated by their own bodies on NumPy columns. Laws over pairs are decided by
the shadow (in C) or, where that is not built or time is not in order, by dominance counts; every pair that they
report is confirmed by the law's own body. What it finds agrees with the naive judge of `spec`.
"""

import ctypes
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heaplaw.spec.event import NONE, Block, Event, Run, Status, View
from heaplaw.spec.heap import RUN_BLOCK_MAX, first_view
from heaplaw.spec.history import EVENT_COLUMNS, OP_COLUMNS, History
from heaplaw.spec.judge import KEPT, Tally
from heaplaw.spec.law import AnyLaw, Scope
from heaplaw.spec.layout import PAGE
from heaplaw.spec.shapes import SHAPES, Kind
from heaplaw.spec.verdict import Verdict

from . import native
from .columns import TYPES, ColumnEvent
from .dominance import blocks_of, overlapping_pairs

WINDOW = 32_768
"""Operations judged at a time: their columns stay in the second-level cache."""
MOST_PAIRS = 1000
_FIELDS = [name for name in Event.__dataclass_fields__ if name not in ("index", "env")]
_NUMBERS = {column.name: column.width for column in (*OP_COLUMNS, *EVENT_COLUMNS)}
Array = NDArray[Any]


@cache
def _library() -> Any:
    """The shadow's library, or None."""
    path = native.find(native.LIBRARY)
    if path is None:
        return None
    library: Any = ctypes.CDLL(str(path))
    library.hl_shadow_new.restype = ctypes.c_void_p
    library.hl_shadow_free.argtypes = [ctypes.c_void_p]
    library.hl_shadow_pairs.restype, library.hl_shadow_pairs.argtypes = ctypes.c_uint64, [ctypes.c_void_p]
    library.hl_shadow_feed.restype = ctypes.c_uint64
    library.hl_shadow_feed.argtypes = [
        ctypes.c_void_p,
        ctypes.c_uint64,
        ctypes.c_uint64,
        *[ctypes.c_void_p] * 6,
        ctypes.c_uint64,
    ]
    return library


class Shadow:
    """Finds pairs of live blocks that share bytes, in order of time. See native/shadow.h."""

    def __init__(self) -> None:
        self._library = _library()
        self._shadow = self._library.hl_shadow_new()
        self._pairs = np.zeros((MOST_PAIRS, 2), np.uint32)

    def feed(
        self, base: int, ends: Array, owner: Array, makes: Array, ptr: Array, extent: Array
    ) -> tuple[list[tuple[int, int]], bool]:
        """Take in operations from `base` on; the pairs (older, newer) that overlap, and whether these are all."""
        held = [np.ascontiguousarray(a) for a in (ends.view(np.uint8), owner, makes.view(np.uint8), ptr, extent)]
        found = self._library.hl_shadow_feed(
            self._shadow,
            base,
            len(owner),
            *[a.ctypes.data for a in held],
            self._pairs.ctypes.data,
            MOST_PAIRS,
        )
        return [(int(a), int(b)) for a, b in self._pairs[: min(found, MOST_PAIRS)]], found <= MOST_PAIRS

    def together(self) -> int:
        """Pairs of blocks that were live at the same time."""
        return int(self._library.hl_shadow_pairs(self._shadow))

    def __del__(self) -> None:
        if self._shadow:
            self._library.hl_shadow_free(self._shadow)


class Footprint:
    """Sums up a run: pages covered, peak, turnover, refusals."""

    def __init__(self) -> None:
        self.pages: Array = np.empty((0, 2), np.uint64)  # merged, half-open ranges of page numbers
        self.live = self.peak = self.turnover = self.refused = 0
        self.extents: Array = np.zeros(0, np.int64)

    def feed(self, base: int, total: int, e: Event, ends: Array, owner: Array, rows: Array) -> None:
        """Take in the called operations at `rows` (absolute) of one window."""
        if not len(self.extents):
            self.extents = np.zeros(total, np.int64)
        extent = np.maximum(e.extent, 1)
        counted = e.makes & (e.extent <= RUN_BLOCK_MAX)
        self.extents[rows[counted]] = extent[counted]
        change = np.where(counted, extent, 0).astype(np.int64)
        self.turnover += int(change.sum())
        change[ends] -= self.extents[owner[ends]]
        levels = self.live + np.cumsum(change)
        self.peak, self.live = (
            max(self.peak, int(levels.max(initial=0))),
            int(levels[-1]) if len(levels) else self.live,
        )
        self.refused += int((e.failed & (e.extent >= 1) & (e.extent <= RUN_BLOCK_MAX)).sum())
        ptr = e.ptr[counted]
        first = ptr // PAGE
        beyond = first + (ptr % PAGE + extent[counted] - 1) // PAGE + 1  # in pages: a bad pointer's end may wrap
        self.pages = merge(np.concatenate((self.pages, np.stack((first, beyond), axis=1))))

    def run(self, steady: bool) -> Run:
        """The sums so far."""
        return Run(
            steady,
            PAGE * int((self.pages[:, 1] - self.pages[:, 0]).sum()),
            self.peak,
            self.turnover,
            self.refused,
        )


def merge(ranges: Array) -> Array:
    """The union of half-open ranges, as disjoint ranges in order."""
    if not len(ranges):
        return ranges
    ranges = ranges[np.argsort(ranges[:, 0], kind="stable")]
    reach = np.maximum.accumulate(ranges[:, 1])
    starts = np.concatenate(([True], ranges[1:, 0] > reach[:-1]))
    ends = np.concatenate((starts[1:], [True]))
    return np.stack((ranges[starts, 0], reach[ends]), axis=1)


class FastJudge:
    """Judges one history, in windows of operations that have returned."""

    def __init__(self, history: History, laws: Sequence[AnyLaw]) -> None:
        self.history = history
        self.laws = laws
        self.tallies = {law.name: Tally(law) for law in laws}
        self.done = 0
        self.called = 0
        self.view = first_view(history.told)
        self._freed: Any = np.uint64(0)
        self._live = 0
        c = {**history.trace.columns, **history.columns}
        self._columns: dict[str, Array] = {
            name: np.asarray(column, TYPES[_NUMBERS[name]]) for name, column in c.items()
        }
        counted = not {"num_free_blocks", "num_allocated"}.isdisjoint(SHAPES[history.trace.shape].counters)
        self._read = [
            name
            for name in self._columns
            if name == "owner" or (name in _FIELDS and (counted or name not in ("num_free", "num_allocated")))
        ]
        """Columns that laws may look at; a subject without counters leaves theirs unmapped, and so do we."""
        self._step_laws = [law for law in laws if law.scope is Scope.STEP]
        self._pair_laws = [law for law in laws if law.scope is Scope.PAIR]
        in_order = history.called is None
        self._shadow = Shadow() if self._pair_laws and in_order and _library() else None
        self._crowded = False
        self._footprint = Footprint() if history.trace.profile == "steady" else None

    def feed(self, upto: int) -> None:
        """Judge the operations before `upto` that were not judged yet."""
        while self.done < upto:
            stop = min(upto, self.done + WINDOW)
            self._window(self.done, stop)
            self.done = stop

    def finish(self) -> dict[str, Tally]:
        """Judge what is left; the tallies by law."""
        self.feed(len(self.history))
        if self._shadow is None:
            self._by_dominance()
        elif self._crowded and len(self._pair_laws) > 1:
            self._one_by_one()
        else:
            for law in self._pair_laws:
                self.tallies[law.name].judged = self._shadow.together()
        if self._footprint is not None:
            run = self._footprint.run(True)
            for law in self.laws:
                if law.scope is Scope.RUN:
                    self.tallies[law.name].judge((), run)
        for tally in self.tallies.values():
            tally.runs += 1
        return self.tallies

    def _window(self, start: int, stop: int) -> None:
        window = {name: self._columns[name][start:stop] for name in self._read}
        rows = np.arange(start, stop)
        if not window["status"].all():
            called = np.flatnonzero(window["status"] != Status.SKIPPED)
            window = {name: column.take(called) for name, column in window.items()}
            rows = rows[called]
        if not len(rows):
            return
        owner = window.pop("owner")
        if not window["flags"].any():  # then `bad_at` is all zero, and not even mapped: leave it alone
            window["bad_at"] = np.zeros(len(rows), np.uint64)
        for name in _FIELDS:
            window.setdefault(name, np.zeros(len(rows), np.uint64))
        position = np.arange(self.called, self.called + len(rows), dtype=np.uint64)
        e = ColumnEvent(**window, index=position, env=self.history.told)
        ends = e.ends & (owner != NONE)
        self._events(e, rows)
        if self._step_laws:
            self._steps(e, ends, rows)
        if self._shadow is not None:
            self._pairs(e, ends, owner, rows)
        if self._footprint is not None:
            self._footprint.feed(start, len(self.history), e, ends, owner, rows)
        self.called += len(rows)

    def _events(self, e: Event, rows: Array) -> None:
        for law in self.laws:
            if law.scope is Scope.EVENT:
                self._decide(law, (e,), rows)

    def _decide(self, law: AnyLaw, args: tuple[Any, ...], rows: Array) -> None:
        tally = self.tallies[law.name]
        premise = np.broadcast_to(law.premise(*args), rows.shape)
        judged = int(np.count_nonzero(premise))
        tally.judged += judged
        if not judged:
            return
        broken = premise & ~np.broadcast_to(law.body(*args), rows.shape)
        if not broken.any():
            return
        places = np.flatnonzero(broken)
        tally.broken += len(places)
        for place in places[: max(0, KEPT - len(tally.violations))]:
            self._confirm(law, int(rows[place]), [scalar(arg, int(place)) for arg in args])

    def _confirm(self, law: AnyLaw, row: int, args: list[Any]) -> None:
        """A violation is reported only if the law says no on plain integers too."""
        fresh = Tally(law)
        fresh.judge((row,), *args)
        if not fresh.violations:
            raise AssertionError(f"{law.id} says no on columns and yes on integers, at operation {row}")
        self.tallies[law.name].violations += fresh.violations

    def _steps(self, e: Event, ends: Array, rows: Array) -> None:
        births = e.makes
        live = (self._live + np.cumsum(births.astype(np.int64) - ends)).astype(np.uint64)
        failed = e.failed
        freed = np.where(e.served & (e.kind == Kind.FREE), e.held, np.uint64(0))
        freed_before = np.concatenate(([self._freed], freed[:-1]))
        post = View(e.num_free, e.num_allocated, live, failed, np.where(failed, freed_before, np.uint64(0)))
        pre = View(
            **{
                name: np.concatenate(
                    (
                        [np.asarray(getattr(self.view, name)).astype(getattr(post, name).dtype)],
                        getattr(post, name)[:-1],
                    )
                )
                for name in View.__dataclass_fields__
            }
        )
        for law in self._step_laws:
            self._decide(law, (pre, e, post), rows)
        self.view = scalar(post, len(rows) - 1)
        self._live, self._freed = int(live[-1]), freed[-1]

    def _extents(self, law: AnyLaw, e: Event) -> Array:
        extent: Array = np.maximum(e.extent, 1)
        return np.maximum(extent, e.usable) if "usable_size" in law.needs else extent

    def _pairs(self, e: Event, ends: Array, owner: Array, rows: Array) -> None:
        """One shadow serves all laws over pairs: it takes each block as large as the widest of them does."""
        assert self._shadow is not None
        extent = np.maximum.reduce([self._extents(law, e) for law in self._pair_laws])
        columns = [ends, owner, e.makes, e.ptr, extent]
        if len(rows) != int(rows[-1]) - int(rows[0]) + 1:
            columns = [spread(column, rows) for column in columns]
        pairs, complete = self._shadow.feed(int(rows[0]), *columns)
        self._crowded |= not complete
        for older, newer in pairs:
            for law in self._pair_laws:
                self._confirm_pair(law, older, newer)

    def _one_by_one(self) -> None:
        """Under the widest law more pairs overlap than are kept: judge each law alone, from the start."""
        for law in self._pair_laws:
            alone = FastJudge(self.history, [law])
            alone.feed(self.done)
            self.tallies[law.name] = alone.finish_pairs()

    def finish_pairs(self) -> Tally:
        """The tally of a judge of one law over pairs, for the operations fed so far."""
        assert self._shadow is not None
        tally = self.tallies[self._pair_laws[0].name]
        tally.judged = self._shadow.together()
        return tally

    def _confirm_pair(self, law: AnyLaw, older: int, newer: int) -> None:
        tally = self.tallies[law.name]
        tally.judge((older, newer), self.block(older), self.block(newer))

    def block(self, index: int) -> Block:
        """The block that operation `index` made, taken as live."""
        e = self.history.event(index)
        return Block(e.ptr, max(1, int(e.extent)), usable=e.usable)

    def _by_dominance(self) -> None:
        c = self._columns
        n = self.done
        fields = {name: c[name][:n] for name in _FIELDS}
        e = ColumnEvent(**fields, index=np.arange(n, dtype=np.uint64), env=self.history.told)
        owner = c["owner"][:n]
        ends = e.ends & (owner != NONE)
        times = [None if t is None else np.asarray(t, np.uint64) for t in (self.history.called, self.history.returned)]
        for law in self._pair_laws:
            pairs, together = overlapping_pairs(
                blocks_of(n, ends, owner, e.makes, e.ptr, self._extents(law, e), *times)
            )
            for older, newer in pairs:
                self._confirm_pair(law, older, newer)
            self.tallies[law.name].judged = together


def scalar(value: Any, place: int) -> Any:
    """Row `place` of an event or a view of columns, as plain integers."""
    kind = Event if isinstance(value, Event) else View
    fields: dict[str, Any] = {}
    for name in kind.__dataclass_fields__:
        column = getattr(value, name)
        fields[name] = column[place].item() if isinstance(column, np.ndarray) else column
    return kind(**fields)


def spread(column: Array, rows: Array) -> Array:
    """A column of called operations, with zeroes for the operations between them that were skipped."""
    result = np.zeros(int(rows[-1]) - int(rows[0]) + 1, column.dtype)
    result[rows - int(rows[0])] = column
    return result


def judge_fast(history: History, laws: Sequence[AnyLaw], has: Iterable[str] | None = None) -> list[Verdict]:
    """Decide `laws` over a finished history."""
    offered = None if has is None else frozenset(has)
    tallies = FastJudge(history, laws).finish()
    return [tallies[law.name].verdict(() if offered is None else law.needs - offered) for law in laws]


__all__ = ["FastJudge", "judge_fast"]
