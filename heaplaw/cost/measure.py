"""Counts what calls cost, in instructions: by single steps in the native host, on a heap of several sizes."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median_low
from typing import TYPE_CHECKING

import numpy as np

from heaplaw.errors import HostError, UncountedError
from heaplaw.host import Command, Host
from heaplaw.spec.catalogue.cost import APART, MORE, Form, in_words
from heaplaw.spec.event import Status
from heaplaw.spec.history import Completed, Died, History, Trace
from heaplaw.spec.protocols import Limits
from heaplaw.spec.shapes import UNDOERS, Kind
from heaplaw.subjects import ProcessSubject

from .workload import LEAST, POINTS, Interface, Workload, points, probe, workload

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CALLS", "CAP", "Costs", "Point", "measure"]

CAP = 8_000
"""Instructions of one call that are counted: what takes more does not depend on how much more."""
CALLS = 13
"""Calls of each operation at each size of the heap."""
STEEP = 4
"""Where the median call takes so many times as many instructions at the second size, and some more, the largest is left
out: what is filled by such calls takes too long.
"""
SIGTRAP = 5
_BOUND = {"LD_BIND_NOW": "1"}
"""Libraries are bound when they are loaded: no call pays for looking a symbol up."""


@dataclass(frozen=True)
class Point:
    """What the calls of one operation cost at one size of the heap."""

    kind: Kind
    form: Form
    blocks: int
    """Live blocks; free ones, where the heap is nearly full."""
    counts: tuple[int, ...]
    """Instructions of each call that was served and counted; `cap + 1` stands for more."""
    rows: tuple[int, ...] = ()
    """Their rows in the trace."""
    live: int = 0
    """Blocks that were live before the first of them, where that is known."""

    @property
    def worst(self) -> int:
        """Instructions of the most expensive call."""
        return max(self.counts)

    @property
    def median(self) -> int:
        """Instructions of the call in the middle (of two, the cheaper one)."""
        return median_low(self.counts)


@dataclass(frozen=True)
class Costs:
    """What a subject's operations cost; or why that was not counted."""

    points: tuple[Point, ...] = ()
    cap: int = CAP
    why: str = ""
    """Why nothing was counted, or not all."""
    left: tuple[str, ...] = ()
    """What was left out, since a promise was broken before."""

    @property
    def rows(self) -> dict[tuple[Kind, Form], list[Point]]:
        """The points of each operation in each form of the heap, smallest heap first."""
        found: dict[tuple[Kind, Form], list[Point]] = {}
        for point in sorted(self.points, key=lambda each: (each.kind, each.form, each.blocks)):
            found.setdefault((point.kind, point.form), []).append(point)
        return found


def measure(
    subject: ProcessSubject,
    cost: Mapping[Kind, str] | None = None,
    limits: Limits = Limits(),
    calls: int = CALLS,
    shown: "Shown" = lambda _found: (),
) -> Costs:
    """Count the calls of every operation, or of those in `cost` alone, which says "constant" or "amortised" of each.

    `shown`: asked after each part which operations have broken their promise. These are counted no further; the others
    in heaps that take little time to fill.
    """
    command = subject.command
    if subject.driver != "native" or not isinstance(command, Command):
        return Costs(why=_no_driver(subject))
    face = Interface(subject.shape.name, subject.kinds, subject.env)
    if not face.requests:
        return Costs(why="it has no operation that asks for a block")
    with_half = cost is None or "amortised" in cost.values()
    bound = replace(command, environment={**command.environment, **_BOUND})
    counter = Counter(subject, bound, limits, calls, calls // 2 if with_half else 0)
    try:
        return counter.all(face, cost, shown)
    except UncountedError as error:
        return Costs(why=str(error))
    except HostError as error:
        return Costs(why=f"the process that is counted could not be started: {error}")
    finally:
        counter.close()


Shown = Callable[[Costs], Collection[Kind]]
"""Which operations have broken their promise, by what was counted so far."""


@dataclass
class Counter:
    """Counts the calls of one subject, in processes of its own."""

    subject: ProcessSubject
    command: Command
    limits: Limits
    calls: int
    late: int
    """How many calls of a group may take more than the cap before its further ones are left out."""
    _host: Host | None = None

    def all(self, face: Interface, cost: Mapping[Kind, str] | None, shown: Shown) -> Costs:
        """Every form of the heap, in every size that there is room for."""
        slack = face.slack(self.calls)
        # A large heap is not filled by calls that a small one makes slow already.
        for least, most in ((sizes[-2], sizes[-1]) for sizes in POINTS[1::-1]):
            face = replace(face, room=self._room(face, most * 3 // 2 + slack))
            scouted = points(face.room, slack)
            if face.room < most * 3 // 2 or most == POINTS[0][-1] or self._slow(face, scouted, least):
                break
        sizes = points(face.room, slack)
        found = Costs(why="" if sizes else _too_small(face.room, slack))
        for form in face.forms if sizes else ():
            found = self._form(face, form, sizes, cost, found, shown)
            if found.why:
                break
        return found

    def _room(self, face: Interface, most: int) -> int:
        """Blocks that there is room for, at most so many."""
        served = self._run(probe(face, min(face.blocks or most, most))).columns["status"]
        return int((np.asarray(served) == Status.OK).sum())

    def _slow(self, face: Interface, sizes: Sequence[int], least: int) -> bool:
        """Requests cost more and more while the heap is small."""
        scout = workload(face, Form.FRESH, [size for size in sizes if size <= least], self.calls)
        return steep(self._counted(scout, Costs()).points)

    def _form(
        self,
        face: Interface,
        form: Form,
        sizes: Sequence[int],
        cost: Mapping[Kind, str] | None,
        so_far: Costs,
        shown: Shown,
    ) -> Costs:
        """One form of the heap: the largest size last, and a smaller one where its filling would take too long.

        Where a promise is broken already, large heaps are left out: the calls that fill them may be the slow ones.
        """
        small, large = sizes[:-1], sizes[-1]
        if form == Form.NEARLY_FULL:  # at last nearly empty: few blocks are live
            large = face.blocks - sizes[0]
        broken = shown(so_far)
        if broken and (form == Form.NEARLY_FULL or (cost is not None and not set(cost) - set(broken))):
            return replace(so_far, left=(*so_far.left, in_words(form)))
        scout = only(workload(face, form, small, self.calls), cost, broken)
        first = self._counted(scout, so_far)
        if first.why:
            return first
        if broken := shown(first):
            what = f"{large:,} free" if form == Form.NEARLY_FULL else f"{large:,}"
            return replace(first, left=(*first.left, f"{in_words(form)} with {what}"))
        if steep([point for point in first.points if point.form == form]) and small[-1] * APART < large:
            large = small[-1] * APART
        whole = only(workload(face, form, (*small, large), self.calls), cost)
        last = replace(whole, groups=tuple(group for group in whole.groups if group.blocks == large))
        return self._counted(last, first)

    def counted(self, work: Workload) -> list[Point]:
        """What a workload's calls cost."""
        return taken(work, self._run(work.trace, work.marks(CAP, self.late)))

    def _counted(self, work: Workload, so_far: Costs) -> Costs:
        """What a workload adds."""
        history = self._run(work.trace, work.marks(CAP, self.late))
        why = "" if isinstance(history.end, Completed) else _ended(history)
        return replace(so_far, points=(*so_far.points, *taken(work, history)), why=why)

    def _run(self, trace: Trace, marks: "NDArray[np.uint64] | None" = None) -> History:
        """Run a trace without payloads: with marks, the counts are in the column `usable`."""
        if self._host is None or self._host.rows < len(trace):
            self.close()
            self._host = Host(self.command, 2 * len(trace))
        command = "run" if marks is None else "step"
        self._host.start(trace, self.limits, payload=False, command=command, marks=marks)
        return self._host.finish(trace, self.subject.told)

    def close(self) -> None:
        """End the process."""
        if self._host is not None:
            self._host.close()
            self._host = None


def steep(found: Sequence[Point]) -> bool:
    """Some call's cost grows with the heap already while that is small: filling a large one would take for ever."""
    by_kind: dict[Kind, list[Point]] = {}
    for point in found:
        if point.kind not in UNDOERS or point.kind == Kind.POP:  # those are not what fills a heap
            by_kind.setdefault(point.kind, []).append(point)
    return any(each[-1].median > STEEP * each[0].median + MORE for each in by_kind.values())


def only(work: Workload, cost: Mapping[Kind, str] | None, broken: Collection[Kind] = ()) -> Workload:
    """The workload with the calls counted of which something is promised, or all; but those that broke a promise."""
    asked = (group for group in work.groups if cost is None or group.kind in cost)
    return replace(work, groups=tuple(group for group in asked if group.kind not in broken))


def taken(work: Workload, history: History) -> list[Point]:
    """The counts of every group that has some."""
    status, counts = (np.asarray(history.columns[name]) for name in ("status", "usable"))
    if any(counts[row] > CAP + 1 for group in work.groups for row in group.rows):
        raise UncountedError("the native host is of another version than this package: install heaplaw anew")
    found: list[Point] = []
    for group in work.groups:
        rows = [row for row in group.rows if status[row] == Status.OK and counts[row]]
        if rows:
            each = tuple(int(counts[row]) for row in rows)
            found.append(Point(group.kind, group.form, group.blocks, each, tuple(rows), group.live))
    return found


def _no_driver(subject: ProcessSubject) -> str:
    if isinstance(subject.command, Command) and "calls" in subject.spec and "python" not in subject.spec["calls"]:
        return "instructions are counted by the driver in C, which is not built or not used here"
    return "it is called through Python, whose own instructions would be counted with it"


def _too_small(room: int, slack: int) -> str:
    least = LEAST + slack
    return (
        f"there is room for {room:,} blocks; two sizes far enough apart need {least:,}: "
        f"give it room for {least:,} (`num_blocks`, `buffer`, `capacity`)"
    )


def _ended(history: History) -> str:
    end = history.end
    if isinstance(end, Died) and end.signal == SIGTRAP:
        return "the subject does not let single steps through: a trap ended its process"
    assert not isinstance(end, Completed)
    return f"the run that is counted ended at operation {end.op:,} of {len(history):,}"
