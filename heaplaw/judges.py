"""The fast judge: laws over columns, window by window, while the run goes on.

Laws over one operation or one step are evaluated by their own bodies on NumPy columns. Laws over pairs are decided by
the shadow (in C) or, where that is not built or time is not in order, by dominance counts; every pair that they
report is confirmed by the law's own body. What it finds agrees with the naive judge of `spec`.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heaplaw.spec.event import NONE, Block, Env, Event, Run, Status
from heaplaw.spec.heap import RUN_BLOCK_MAX, run_of
from heaplaw.spec.history import COUNTED, EVENT_COLUMNS, OP_COLUMNS, REPORT_COLUMNS, History
from heaplaw.spec.judge import KEPT, Online, Tally
from heaplaw.spec.law import AnyLaw, Scope, implied
from heaplaw.spec.layout import PAGE
from heaplaw.spec.report import REPORTS
from heaplaw.spec.shapes import SHAPES, Kind
from heaplaw.spec.verdict import Verdict

from .columns import TYPES, ColumnEvent, scalar
from .dominance import blocks_of, overlapping_pairs
from .ghosts import Ghost, swept
from .shadow import Shadow, native_library

WINDOW = 32_768
"""Operations judged at a time: their columns stay in the second-level cache."""
_FIELDS = [name for name in Event.__dataclass_fields__ if name not in ("index", "env", "report")]
_COUNTERS = (*COUNTED, "instance", "label")
"""Columns that are all zero, and not even mapped, where the subject has no such counter or a single instance."""
_NUMBERS = {column.name: column.width for column in (*OP_COLUMNS, *EVENT_COLUMNS, *REPORT_COLUMNS)}
Array = NDArray[Any]


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
        extent = e.room
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
        last = ptr % PAGE + np.maximum(extent[counted], 1) - 1  # from the page on: a bad pointer's end may wrap
        beyond = first + last // PAGE + 1
        self.pages = merge(np.concatenate((self.pages, np.stack((first, beyond), axis=1))))

    def run(self, steady: bool, foreign: int) -> Run:
        """The sums so far."""
        return Run(
            steady,
            PAGE * int((self.pages[:, 1] - self.pages[:, 0]).sum()),
            self.peak,
            self.turnover,
            self.refused,
            foreign,
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
        c = {**history.trace.columns, **history.columns}
        self._columns: dict[str, Array] = {
            name: np.asarray(column, TYPES[_NUMBERS[name]]) for name, column in c.items()
        }
        reported = REPORTS & history.counted
        told = [law for law in laws if law.needs & reported]
        self._told = Online(told) if told else None
        """Laws on what subjects report, which are Python objects and slow: judged literally."""
        self._event_laws = [law for law in laws if law.scope is Scope.EVENT and law not in told]
        self._step_laws = [law for law in laws if law.scope is Scope.STEP and law not in told]
        self._pair_laws = [law for law in laws if law.scope is Scope.PAIR]
        kinds = self._columns["kind"]
        self._sweeping = bool((kinds >= Kind.RESET).any())
        self._regions = bool((kinds >= Kind.POP).any()) or SHAPES[history.trace.shape].one_buffer
        self._several = bool(self._columns["instance"].any())
        self._read = [name for name in ("owner", *_FIELDS) if name in self._columns and self._mapped(name)]
        """Columns that laws may look at; a subject without counters leaves theirs unmapped, and so do we."""
        self._ghosts: dict[int, Ghost] = {}
        in_order = history.called is None
        self._shadow = Shadow() if self._pair_laws and in_order and native_library() else None
        self._crowded = False
        self._settled: dict[str, int] = {}
        """By law: violations kept when the current window began; at most KEPT."""
        self._footprint = Footprint() if history.trace.profile == "steady" and not self._sweeping else None

    def _mapped(self, name: str) -> bool:
        if name == "instance":
            return self._several
        return name not in _COUNTERS or name in self.history.counted

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
        if self.history.trace.profile == "steady":
            run = (
                self._footprint.run(True, self.history.told.foreign)
                if self._footprint is not None
                else run_of(self.history)
            )
            for law in self.laws:
                if law.scope is Scope.RUN:
                    self.tallies[law.name].judge((), run)
        for told in self._told.tallies if self._told else ():
            self.tallies[told.law.name] = told
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
        if not window["flags"].any():  # then `bad_at` is all zero, and not even mapped: leave it alone
            window["bad_at"] = np.zeros(len(rows), np.uint64)
        for name in _FIELDS:
            window.setdefault(name, np.zeros(len(rows), np.uint64))
        position = np.arange(self.called, self.called + len(rows), dtype=np.uint64)
        e = _event(window, position, self.history.told)
        owner = window["owner"]
        ends = e.ends & (owner != NONE)
        self._settled = {name: len(tally.violations) for name, tally in self.tallies.items()}
        if not self._several:
            self._judge(e, ends, owner, rows, 0)
        for instance in np.unique(window["instance"]).tolist() if self._several else ():
            of = np.flatnonzero(window["instance"] == instance)
            own = {name: column.take(of) for name, column in window.items()}
            told = self.history.told_by(instance)
            self._judge(_event(own, position.take(of), told), ends.take(of), owner.take(of), rows.take(of), instance)
        if self._several:
            self._in_order()
        if self._told is not None:
            for row in rows.tolist():
                self._told.feed(row, self.history.event(row), self.history.owner(row))
        if self._shadow is not None:
            self._pairs(e, ends, owner, rows)
        if self._footprint is not None:
            self._footprint.feed(start, len(self.history), e, ends, owner, rows)
        self.called += len(rows)

    def _in_order(self) -> None:
        """Instances were judged one by one: what was found in this window goes by time, and the first are kept."""
        for name, settled in self._settled.items():
            found = self.tallies[name].violations
            found[settled:] = sorted(found[settled:], key=lambda violation: violation.operations)[: KEPT - settled]

    def _judge(self, e: Event, ends: Array, owner: Array, rows: Array, instance: int) -> None:
        """Single operations and steps of one instance."""
        self._events(e, rows)
        if not self._step_laws:
            return
        if instance not in self._ghosts:
            self._ghosts[instance] = Ghost(e.env, self._regions, self.history.counted)
        pre, post = self._ghosts[instance].feed(e, owner, rows)
        for law in self._step_laws:
            self._decide(law, (pre, e, post), rows)

    def _events(self, e: Event, rows: Array) -> None:
        for law in self._event_laws:
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
        for place in places[: KEPT - self._settled[law.name]]:
            self._confirm(law, int(rows[place]), [scalar(arg, int(place)) for arg in args])

    def _confirm(self, law: AnyLaw, row: int, args: list[Any]) -> None:
        """A violation is reported only if the law says no on plain integers too."""
        fresh = Tally(law)
        fresh.judge((row,), *args)
        if not fresh.violations:
            raise AssertionError(f"{law.id} says no on columns and yes on integers, at operation {row}")
        self.tallies[law.name].violations += fresh.violations

    def _extents(self, law: AnyLaw, e: Event) -> Array:
        extent: Array = e.room
        if "usable_size" not in law.needs:
            return extent
        # A block of no bytes meets nobody, whatever is said of it.
        return np.where(extent == 0, extent, np.maximum(extent, e.usable))

    def _pairs(self, e: Event, ends: Array, owner: Array, rows: Array) -> None:
        """One shadow serves all laws over pairs: it takes each block as large as the widest of them does."""
        assert self._shadow is not None
        extent = np.maximum.reduce([self._extents(law, e) for law in self._pair_laws])
        columns = [ends, owner, e.makes, e.ptr, extent]
        columns += [e.sweeps, np.asarray(e.instance, np.uint8)] if self._sweeping else []
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
        return Block(e.ptr, int(e.room), usable=e.usable)

    def _by_dominance(self) -> None:
        c = self._columns
        n = self.done
        e = _event({name: c[name][:n] for name in _FIELDS}, np.arange(n, dtype=np.uint64), self.history.told)
        owner = c["owner"][:n]
        gone = swept(e, owner) if self._sweeping else None
        ends = e.ends & (owner != NONE)
        times = [None if t is None else np.asarray(t, np.uint64) for t in (self.history.called, self.history.returned)]
        for law in self._pair_laws:
            pairs, together = overlapping_pairs(
                blocks_of(n, ends, owner, e.makes, e.ptr, self._extents(law, e), *times, swept=gone)
            )
            for older, newer in pairs:
                self._confirm_pair(law, older, newer)
            self.tallies[law.name].judged = together


def _event(columns: dict[str, Array], position: Array, env: Env) -> Event:
    """An event of columns."""
    fields: dict[str, Any] = {name: columns[name] for name in _FIELDS}
    return ColumnEvent(**fields, index=position, env=env)


def spread(column: Array, rows: Array) -> Array:
    """A column of called operations, with zeroes for the operations between them that were skipped."""
    result = np.zeros(int(rows[-1]) - int(rows[0]) + 1, column.dtype)
    result[rows - int(rows[0])] = column
    return result


def judge_fast(history: History, laws: Sequence[AnyLaw], has: Iterable[str] | None = None) -> list[Verdict]:
    """Decide `laws` over a finished history."""
    offered = None if has is None else implied(frozenset(has))
    tallies = FastJudge(history, laws).finish()
    return [tallies[law.name].verdict(() if offered is None else law.needs - offered) for law in laws]


__all__ = ["FastJudge", "judge_fast"]
