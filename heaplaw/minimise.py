"""From a long failing trace to a short one: fewer operations, then smaller sizes, then the exact range of sizes that fail.

Every candidate is run on the subject and judged by the law itself; whatever is reported was seen to fail. The search
is deterministic: it draws no random numbers.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from heaplaw.spec.event import NONE, NULL, NEVER
from heaplaw.spec.history import OP_COLUMNS, History, Op, Trace
from heaplaw.spec.judge import judge
from heaplaw.spec.law import AnyLaw, Scope
from heaplaw.spec.layout import SIZE_MAX
from heaplaw.spec.protocols import Limits
from heaplaw.spec.shapes import ALIGN_TAKERS, MAKERS, Kind
from heaplaw.spec.verdict import Violated, Violation

from .columns import TYPES
from .judges import judge_fast
from .subjects import ProcessSubject

NAIVE_UP_TO = 80
"""Traces up to this length are judged by the naive judge."""
INSIDE = 48
"""Sizes tried inside a failing range that is too wide to be tried whole."""
LIMITS = Limits(cpu=1.0, wall=6.0)


@dataclass(frozen=True)
class Range:
    """Sizes around that of operation `op` that fail as well: low to high inclusive, bytes."""

    op: int
    low: int
    high: int
    tried: int
    failed: int

    @property
    def exact(self) -> bool:
        """Every size in the range was tried, and failed."""
        return self.failed == self.tried == self.high - self.low + 1

    def __str__(self) -> str:
        if self.low == self.high:
            return f"fails for size {power(self.low)} alone"
        span = f"[{power(self.low)}, {power(self.high)}]"
        if self.exact:
            return f"fails for every size in {span}"
        if self.failed == self.tried:
            return f"fails for the sizes in {span}: both ends exact, {self.tried} sizes tried, all failed"
        return f"fails for {self.failed} of {self.tried} sizes tried in {span}"


def power(size: int) -> str:
    """A size in bytes, near a high power of two as 2**k ± d."""
    for k in range(31, 65):
        distance = size - 2**k
        if abs(distance) <= 4096:
            return f"2**{k}" + (f"{distance:+d}" if distance else "")
    return str(size)


@dataclass(frozen=True)
class Witness:
    """A short trace that breaks a law, with what it was seen to do."""

    law: str
    trace: Trace
    violation: Violation
    history: History
    shrunk_from: int
    ranges: tuple[Range, ...] = ()
    replayed: tuple[int, int] = (0, 0)
    """(failed, runs) of the final trace."""
    runs: int = 0
    """Runs of the subject that the search took."""
    complete: bool = True
    """False where the search was cut short: by its time limit, or by the user."""


@dataclass
class Search:
    """The state of one minimisation."""

    subject: ProcessSubject
    law: AnyLaw
    seconds: float
    runs: int = 0
    deadline: float = field(init=False)

    def __post_init__(self) -> None:
        self.deadline = time.monotonic() + self.seconds

    @property
    def late(self) -> bool:
        """The time is used up."""
        return time.monotonic() > self.deadline

    def look(self, trace: Trace) -> tuple[Violation, History] | None:
        """Run the trace: the first violation of the law and its history, if it is broken."""
        self.runs += 1
        if self.law.name == "first_operation":
            history = self.subject.run_fresh(trace, LIMITS)
        else:
            history = self.subject.run(trace, LIMITS)
        decide = judge if len(trace) <= NAIVE_UP_TO else judge_fast
        outcome = decide(history, [self.law])[0].outcome
        return (outcome.violations[0], history) if isinstance(outcome, Violated) else None

    def fails(self, trace: Trace) -> bool:
        """The trace breaks the law."""
        return self.look(trace) is not None


def take(trace: Trace, indices: np.ndarray) -> Trace:
    """`Trace.subset` for long traces: the operations at `indices`, slots renumbered."""
    n = len(trace)
    place = np.full(n + 1, NONE, np.int64)
    place[indices] = np.arange(len(indices))
    columns = {c.name: np.asarray(trace.columns[c.name], TYPES[c.width])[indices] for c in OP_COLUMNS}
    slot = columns["slot"].astype(np.int64)
    columns["slot"] = np.where(slot == NULL, NULL, place[np.where(slot < n, slot, n)]).astype(np.uint32)
    return replace(trace, columns=columns, parts=())


def chain(history: History, index: int) -> set[int]:
    """Operations that made or passed on the block that operation `index` names or makes."""
    found, at = {index}, index
    slots = history.trace.columns["slot"]
    while int(slots[at]) < len(history):
        at = int(slots[at])
        found.add(at)
    return found


def shorten(search: Search, trace: Trace, history: History, violation: Violation) -> Trace:
    """Fewer operations: the blocks involved alone, else the latest operations, then delta debugging."""
    last = max(violation.operations, default=len(trace) - 1)
    involved: set[int] = set()
    for index in violation.operations:
        involved |= chain(history, index)
        involved |= chain(history, history.owner(index)) if history.owner(index) < len(history) else set()
    base = np.array(sorted(involved), np.int64)
    candidates = [base]
    width = 8
    while width < last + 1:
        candidates.append(np.union1d(base, np.arange(max(0, last + 1 - width), last + 1)))
        width *= 4
    candidates.append(np.arange(last + 1))
    for candidate in candidates:
        if search.late:
            break
        if search.fails(short := take(trace, candidate)):
            return reduce_operations(search, short)
    return take(trace, np.arange(last + 1))


def reduce_operations(search: Search, trace: Trace) -> Trace:
    """Delta debugging: leave out ever smaller pieces, to a trace from which no single operation can be left out."""
    size = max(1, len(trace) // 2)
    while len(trace) > 1 and not search.late:
        at, shrunk = len(trace), False
        while at > 0 and not search.late:
            start = max(0, at - size)
            keep = np.concatenate((np.arange(start), np.arange(at, len(trace))))
            if len(keep) and search.fails(shorter := take(trace, keep)):
                trace, shrunk = shorter, True
            at = start
        if size == 1 and not shrunk:
            break
        size = size if shrunk and size == 1 else max(1, size // 2)
    return trace


def simplify(search: Search, trace: Trace) -> Trace:
    """Plainer operations and smaller numbers, one operation at a time, as long as the law stays broken."""
    ops = trace.ops()

    def accept(index: int, op: Op) -> bool:
        if op == ops[index] or search.late:
            return False
        changed = [*ops[:index], op, *ops[index + 1 :]]
        if not search.fails(trace.with_ops(changed)):
            return False
        ops[index] = op
        return True

    for index in range(len(ops)):
        op = ops[index]
        if op.kind in (Kind.ZALLOC, *ALIGN_TAKERS):
            accept(index, Op(Kind.ALLOC, min(op.size * op.count, SIZE_MAX)))
        if ops[index].kind == Kind.ZALLOC and ops[index].count != 1:
            accept(index, replace(ops[index], count=1, size=min(op.size * op.count, SIZE_MAX)))
        if ops[index].kind in ALIGN_TAKERS:
            least_align = smallest(
                1, ops[index].align, lambda a, i=index: accept(i, with_align(ops[i], a)), powers=True
            )
            accept(index, with_align(ops[index], least_align))
        if ops[index].kind in MAKERS and trace.shape == "malloc":
            low = 1 if ops[index].kind == Kind.RESIZE else 0
            smallest(low, ops[index].size, lambda s, i=index: accept(i, with_size(ops[i], s)))
        if ops[index].kind == Kind.ZALLOC:
            smallest(0, ops[index].count, lambda c, i=index: accept(i, replace(ops[i], count=c)))
    return trace.with_ops(ops)


def with_size(op: Op, size: int) -> Op:
    """The operation with another size; `aligned_alloc` takes multiples of the alignment only."""
    if op.kind == Kind.ALIGNED and size % op.align:
        size += op.align - size % op.align
    return replace(op, size=min(size, SIZE_MAX))


def with_align(op: Op, align: int) -> Op:
    """The operation with another alignment, which `posix_memalign` wants to be a multiple of a pointer's size."""
    return replace(op, align=max(align, 8) if op.kind == Kind.POSIX_ALIGNED else align)


def smallest(low: int, high: int, fails: Callable[[int], bool], powers: bool = False) -> int:
    """The least value that still fails, by bisection: `high` fails. Each accepted value is kept by `fails`."""
    if high <= low:
        return high
    for value in (low, low + 1) if not powers else (low,):
        if value < high and fails(value):
            return value
    while low + 1 < high:
        middle = 2 ** ((low.bit_length() + high.bit_length() - 1) // 2) if powers else (low + high) // 2
        if middle <= low or middle >= high:
            break
        if fails(middle):
            high = middle
        else:
            low = middle
    return high


def failing_range(search: Search, trace: Trace, index: int) -> Range | None:
    """The sizes around that of operation `index` for which the law is broken too."""
    ops = trace.ops()
    if ops[index].kind not in MAKERS or trace.shape != "malloc":
        return None
    step = ops[index].align if ops[index].kind == Kind.ALIGNED else 1
    size, seen = ops[index].size, dict[int, bool]()

    def fails(value: int) -> bool:
        if value not in seen:
            changed = [*ops[:index], replace(ops[index], size=value), *ops[index + 1 :]]
            seen[value] = search.fails(trace.with_ops(changed))
        return seen[value]

    low = size - step * gallop(
        lambda d: size - step * d >= (1 if ops[index].kind == Kind.RESIZE else 0) and fails(size - step * d)
    )
    high = size + step * gallop(lambda d: size + step * d <= SIZE_MAX and fails(size + step * d))
    width = (high - low) // step
    inside = (
        range(width + 1) if width <= 2 * INSIDE else sorted({width * k // INSIDE for k in range(INSIDE + 1)})
    )
    for k in inside:
        if search.late:
            break
        fails(low + step * k)
    tried = [value for value in seen if low <= value <= high]
    return Range(index, low, high, len(tried), sum(seen[value] for value in tried))


def gallop(fails: Callable[[int], bool]) -> int:
    """The largest distance d such that distances up to d fail, as far as doubling and bisection can tell."""
    good, step = 0, 1
    while fails(good + step) and step < 2**63:
        good += step
        step *= 2
    while step > 1:
        step //= 2
        if fails(good + step):
            good += step
    return good


def loop_trace(trace: Trace, size: int) -> Trace:
    """A steady workload in its plainest form: one block of `size` bytes comes and goes."""
    turns = -(-2 * (4 * size + 2**18) // max(1, size)) + 1
    ops: list[Op] = []
    for _ in range(turns):
        ops += [Op(Kind.ALLOC, size), Op(Kind.FREE, slot=len(ops))]
    return trace.with_ops(ops)


def shorten_run(search: Search, trace: Trace) -> Trace:
    """For a law about whole runs: the first size whose plainest loop breaks it, else a shorter workload."""
    for size in (16, 64, 256, 1024, 4096, 8192, 24, 32, 48, 128, 512, 2048, 3000, 65536):
        if search.late:
            return trace
        candidate = loop_trace(trace, size)
        if search.fails(candidate):
            size = smallest(1, size, lambda s: not search.late and search.fails(loop_trace(trace, s)))
            return loop_trace(trace, size)
    n = len(trace)
    while n > 64 and not search.late:
        shorter = take(trace, np.arange(n // 2))
        if not search.fails(shorter):
            break
        trace, n = shorter, n // 2
    return trace


def minimise(
    subject: ProcessSubject, law: AnyLaw, history: History, violation: Violation, seconds: float = 20.0
) -> Witness:
    """The shortest trace found that breaks `law`, starting from the one that did."""
    search = Search(subject, law, seconds)
    trace, length = history.trace, len(history.trace)
    best = Witness(law.name, trace, violation, history, length, complete=False)
    ranges: list[Range] = []
    try:
        if law.scope is Scope.RUN:
            trace = shorten_run(search, trace)
        else:
            trace = shorten(search, trace, history, violation)
            if len(trace) <= 200:
                trace = reduce_operations(search, simplify(search, trace))
        found = search.look(trace)
        if found is None:  # it failed once, and now does not: report what was first seen, honestly
            return replace(best, replayed=replayed(search, trace), runs=search.runs)
        best = Witness(law.name, trace, *found, length, complete=False)
        if law.scope is not Scope.RUN and len(trace) <= 40:
            ranges = [r for i in range(len(trace)) if (r := failing_range(search, trace, i)) is not None]
        complete = not search.late
    except KeyboardInterrupt:
        complete = False
    return replace(
        best, ranges=tuple(ranges), replayed=replayed(search, best.trace), runs=search.runs, complete=complete
    )


def replayed(search: Search, trace: Trace, times: int = 3) -> tuple[int, int]:
    """How often the trace fails."""
    return sum(search.fails(trace) for _ in range(times)), times


def involved_ranges(ranges: Sequence[Range], trace: Trace) -> list[Range]:
    """The ranges worth telling: those that leave something to choose, or pin an exact size."""
    return [r for r in ranges if not (r.low <= 1 and r.high >= 2**20)]


__all__ = ["NEVER", "Range", "Search", "Witness", "minimise", "take"]
