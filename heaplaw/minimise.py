"""From a long failing trace to a short one: fewer operations, then smaller sizes, then the range of sizes that fail.

Every candidate is run on the subject and judged by the law itself; whatever is reported was seen to fail. The search
is deterministic: it draws no random numbers.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from heaplaw.spec.event import NONE, NULL, Env, Status
from heaplaw.spec.heap import Heap
from heaplaw.spec.history import OP_COLUMNS, History, Hung, Op, Trace
from heaplaw.spec.judge import judge
from heaplaw.spec.law import AnyLaw, Scope
from heaplaw.spec.layout import SIZE_MAX
from heaplaw.spec.protocols import Limits
from heaplaw.spec.shapes import ALIGN_TAKERS, MAKERS, PROBES, SHAPES, Kind, Misuse
from heaplaw.spec.verdict import Verdict, Violated, Violation

from .columns import TYPES
from .judges import judge_fast
from .loops import shortest_loop
from .ranges import Range, failing_range, power, smallest
from .subjects import ProcessSubject

NAIVE_UP_TO = 20
"""Traces up to this length are judged by the naive judge."""
LIMITS = Limits(cpu=1.0, wall=6.0)
"""For the runs that confirm a witness."""
SEARCHING = Limits(cpu=0.2, wall=4.0)
HANGING = Limits(cpu=0.015, wall=2.0)
"""For the runs of a search: what hangs is many times slower than anything that ends, so short limits tell as much."""
INSIDE = {int(Misuse.INTERIOR): 16, int(Misuse.UNALIGNED): 1}
"""Bytes between the beginning of a block and the pointer into it that is freed."""
TWINNED = frozenset({"reset_frees_all", "lifo_pop", "release_frees_all"})
"""Laws that compare an operation with an earlier one that asked the same in the same state."""
FILLING = frozenset({"bump", "stack", "arena", "freelist"})
"""Shapes whose blocks lie side by side until there is no more room."""
HEADERS = (0, 8, 16, 24, 32)
"""Bytes that an allocator may add to a block: tried when one block takes the place of all others."""
TRIES = 64
"""Rows of blocks that are tried to be joined."""
FEW, MOST = 12, 20_000
"""In traces longer than the one, and not than the other, blocks that were made in a row are joined into one."""
MANY = 8
"""Traces with more operations are simplified in groups first."""
MIDDLING = 200
"""Traces with more operations are not simplified."""


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
    viewed: bool = False
    """The free list was looked at after every operation: another run would not show it."""


def is_meant(trace: Trace) -> bool:
    """Every pointer into a live block that is freed points into it: behind a shorter one it would be another misuse."""
    kinds, sizes = np.asarray(trace.columns["kind"]), trace.columns["size"]
    for index in np.flatnonzero(kinds == Kind.MISFREE).tolist() if SHAPES[trace.shape].sized else ():
        shift, slot = INSIDE.get(int(sizes[index]), 0), int(trace.columns["slot"][index])
        if shift and slot < len(trace) and int(sizes[slot]) * int(trace.columns["count"][slot]) <= shift:
            return False
    return True


def decided(history: History, found: AnyLaw) -> Verdict:
    """What a law says of one history: by the naive judge where that is short, or has what no other judge knows."""
    literal = (
        len(history) <= NAIVE_UP_TO
        or found.scenes
        or bool(np.isin(np.asarray(history.trace.columns["kind"]), PROBES).any())
    )
    return (judge if literal else judge_fast)(history, [found])[0]


@dataclass
class Search:
    """The state of one minimisation."""

    subject: ProcessSubject
    law: AnyLaw
    seconds: float
    limits: Limits = SEARCHING
    runs: int = 0
    deadline: float = field(init=False)

    def __post_init__(self) -> None:
        self.deadline = time.monotonic() + self.seconds

    @property
    def late(self) -> bool:
        """The time is used up."""
        return time.monotonic() > self.deadline

    def look(self, trace: Trace, limits: Limits | None = None) -> tuple[Violation, History] | None:
        """Run the trace: the first violation of the law and its history, if it is broken."""
        if not is_meant(trace):
            return None
        self.runs += 1
        limits = limits or self.limits
        # What the host forks for a run has made the instances and no more: for all other laws that is as good.
        run = self.subject.run_fresh if self.law.name == "first_operation" else self.subject.run
        history = run(trace, limits)
        if isinstance(history.end, Hung):
            self.limits = HANGING
        outcome = decided(history, self.law).outcome
        return (outcome.violations[0], history) if isinstance(outcome, Violated) else None

    def still_fails(self, trace: Trace) -> bool:
        """The trace breaks the law, and there was time to look."""
        return not self.late and self.fails(trace)

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


def twins(history: History) -> list[list[int]]:
    """Operations, those together that asked the same in the same state: laws that compare them need both or neither."""
    heap = Heap()
    made: dict[int, list[int]] = {}
    classes: dict[int, list[int]] = {}
    for index in range(len(history)):
        e = history.event(index)
        path, depth = made.setdefault(e.instance, []), heap.part(e).past.depth
        heap.absorb(index, e, history.owner(index))
        part = heap.part(e)
        first = path[depth] if part.view.twin and depth < len(path) else index
        classes.setdefault(first, []).append(index)
        if part.past.depth == depth + 1 and first == index:
            path[depth:] = [index]
    return list(classes.values())


def reduce_twins(search: Search, trace: Trace) -> Trace:
    """Delta debugging that leaves out operations together with their twins."""
    units = twins(search.subject.run(trace, search.limits))
    size = max(1, len(units) // 2)
    while not search.late:
        at, shrunk = len(units), False
        while at > 0 and not search.late:
            start = max(0, at - size)
            kept = sorted(index for unit in (*units[:start], *units[at:]) for index in unit)
            if kept and search.fails(shorter := take(trace, np.array(kept, np.int64))):
                place = {old: new for new, old in enumerate(kept)}
                units = [[place[index] for index in unit] for unit in (*units[:start], *units[at:])]
                trace, shrunk = shorter, True
            at = min(start, len(units))
        if size == 1:
            break
        size = max(1, size // 2) if not shrunk else size
    return trace


def reduce_operations(search: Search, trace: Trace) -> Trace:
    """Delta debugging: leave out ever smaller pieces, to a trace from which no single operation can be left out."""
    if search.law.name in TWINNED and len(trace) <= MANY * MIDDLING:
        trace = reduce_twins(search, trace)
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


def fuse(search: Search, trace: Trace) -> Trace:
    """Let a block live on in place of a later one of the same size: the free and the later request both go."""
    at = 0
    while at < len(trace) and not search.late:
        shorter = next((t for t in fused(trace, at) if search.fails(t)), None)
        trace, at = (shorter, at) if shorter is not None else (trace, at + 1)
    return trace


def fused(trace: Trace, at: int) -> list[Trace]:
    """The traces in which the block freed by operation `at` lives on as one of the next three of its size."""
    ops = trace.ops()
    op = ops[at]
    if op.kind != Kind.FREE or op.slot >= at:
        return []
    size = ops[op.slot].size
    later = [j for j in range(at + 1, len(ops)) if ops[j].kind == Kind.ALLOC and ops[j].size == size][:3]
    results: list[Trace] = []
    for j in later:
        renamed = [replace(other, slot=op.slot) if other.slot == j else other for other in ops]
        results.append(trace.with_ops(renamed).subset([k for k in range(len(ops)) if k not in (at, j)]))
    return results


def filled(search: Search, trace: Trace) -> Trace:
    """One block in place of all those before the last operation, as large as they are together."""
    seen = search.look(trace)
    if seen is None or len(trace) <= 2:
        return trace
    violation, history = seen
    last = max(violation.operations, default=len(trace) - 1)
    heap, e = Heap(), history.event(last)
    for index in range(last):
        heap.absorb(index, history.event(index), history.owner(index))
    live = [heap.live[index] for index in heap.part(e).live]
    if len(live) < 2:
        return trace
    top = int(e.ptr) if e.makes else max(block.ptr + block.extent for block in live)
    span, first = top - min(block.ptr for block in live), trace.op(min(heap.part(e).live))
    for header in HEADERS:
        if span > header:
            shorter = trace.with_ops([replace(first, size=span - header, count=1), trace.op(last)])
            if search.still_fails(shorter):
                return shorter
    return trace


def joined(search: Search, trace: Trace) -> Trace:
    """One block in place of many that were made in a row and that nobody names: as large as reaches over them all."""
    ops = trace.ops() if FEW < len(trace) <= MOST and SHAPES[trace.shape].sized else []
    seen = search.look(trace) if ops else None
    if seen is None:
        return trace
    named = {op.slot for op in ops}
    plain = [index for index, op in enumerate(ops) if op.kind == Kind.ALLOC and index not in named]
    rows = np.split(plain, np.flatnonzero(np.diff(plain) != 1) + 1)
    waiting = [(int(row[0]), int(row[-1])) for row in rows if len(row) > 1]
    for _ in range(TRIES):
        if not waiting or search.late:
            break
        low, high = waiting.pop()  # the latest first: what comes before keeps its places
        first, last = seen[1].event(low), seen[1].event(high)
        span = int(last.ptr) + int(last.extent) - int(first.ptr)
        if first.makes and last.makes and 0 < span <= trace.env.max_request:
            kept = [*range(low + 1), *range(high + 1, len(trace))]
            shorter = trace.subset(kept).ops()
            shorter[low] = replace(shorter[low], size=span)
            if search.fails(trace.with_ops(shorter)):
                trace = trace.with_ops(shorter)
                continue
        middle = (low + high) // 2
        waiting += [pair for pair in ((low, middle), (middle + 1, high)) if pair[0] < pair[1]]
    return trace


class Simplifier:
    """Plainer operations and smaller numbers, as long as the law stays broken."""

    def __init__(self, search: Search, trace: Trace) -> None:
        self.search, self.trace = search, trace
        self.ops = trace.ops()

    def accept(self, changes: dict[int, Op]) -> bool:
        """Take over these operations, if the law is still broken with them."""
        if self.search.late or all(self.ops[index] == op for index, op in changes.items()):
            return False
        changed = [changes.get(index, op) for index, op in enumerate(self.ops)]
        if not self.search.fails(self.trace.with_ops(changed)):
            return False
        self.ops = changed
        return True

    def run(self) -> Trace:
        """Simplify everything: groups of equal operations at once where there are many, then one by one."""
        makers = [index for index, op in enumerate(self.ops) if op.kind in MAKERS]
        if any(op.instance for op in self.ops):
            self.accept({index: replace(op, instance=0) for index, op in enumerate(self.ops)})
        if len(self.ops) > MANY or self.search.law.name in TWINNED:
            groups: dict[Op, list[int]] = {}
            for index in makers:
                groups.setdefault(replace(self.ops[index], slot=NONE), []).append(index)
            for members in sorted(groups.values(), key=len, reverse=True):
                if len(members) > 1:
                    self.simplify(members)
        for index in makers if len(makers) <= 5 * MANY else ():
            self.simplify([index])
        return self.trace.with_ops(self.ops)

    def simplify(self, members: list[int]) -> None:
        """Simplify operations that are equal, but for their slots, all in the same way."""
        first = members[0]
        op = self.ops[first]
        product = min(op.size * op.count, SIZE_MAX)

        def to(size: int | None = None, align: int | None = None, count: int | None = None) -> bool:
            now = self.ops[first]
            counted = replace(now, count=now.count if count is None else count)
            laid = with_align(counted, now.align if align is None else align)
            shaped = with_size(laid, now.size if size is None else size, self.trace.env)
            return self.accept({index: replace(shaped, slot=self.ops[index].slot) for index in members})

        if op.kind in (Kind.ZALLOC, *ALIGN_TAKERS):
            self.accept(dict.fromkeys(members, Op(Kind.ALLOC, product)))
        if self.ops[first].kind == Kind.ZALLOC and op.count != 1:
            to(count=1, size=product)
        if self.ops[first].kind in ALIGN_TAKERS:
            smallest(1, op.align, lambda a: to(align=a), powers=True)
        if SHAPES[self.trace.shape].sized:
            smallest(int(op.kind == Kind.RESIZE), self.ops[first].size, lambda s: to(size=s))
        if self.ops[first].kind == Kind.ZALLOC:
            smallest(0, self.ops[first].count, lambda c: to(count=c))


def with_size(op: Op, size: int, env: Env) -> Op:
    """The operation with another size; `aligned_alloc` takes multiples of the alignment only."""
    if op.kind == Kind.ALIGNED and env.aligned_multiple and size % op.align:
        size += op.align - size % op.align
    return replace(op, size=min(size, int(env.max_request)))


def with_align(op: Op, align: int) -> Op:
    """The operation with another alignment, which `posix_memalign` wants to be a multiple of a pointer's size."""
    return replace(op, align=max(align, 8) if op.kind == Kind.POSIX_ALIGNED else align)


def shorten_run(search: Search, trace: Trace) -> Trace:
    """For a law about whole runs: a short loop that breaks it, else a shorter workload."""
    found = shortest_loop(search.fails, lambda: search.late, trace, search.subject.kinds)
    if found is not None:
        return found
    n = len(trace)
    while n > 64 and not search.late:
        shorter = take(trace, np.arange(n // 2))
        if not search.fails(shorter):
            break
        trace, n = shorter, n // 2
    return trace


def shared_cause(search: Search, earlier: Sequence[Witness]) -> Trace | None:
    """The shortest trace found for another law that breaks this one too, made shorter where that is possible."""
    if search.law.name == "first_operation":
        return None
    for witness in sorted(earlier, key=lambda known: len(known.trace)):
        if witness.complete and search.fails(witness.trace):
            return reduce_operations(search, witness.trace) if len(witness.trace) <= MANY else witness.trace
    return None


def shortest(search: Search, history: History, violation: Violation, earlier: Sequence[Witness]) -> tuple[Trace, bool]:
    """The shortest trace found; whether it was searched for, rather than known from another law."""
    if search.law.scope is Scope.RUN:
        return shorten_run(search, history.trace), True
    known = shared_cause(search, earlier)
    if known is not None:
        return known, False
    trace = shorten(search, history.trace, history, violation)
    if trace.shape in FILLING:
        trace = filled(search, trace)
    if len(trace) <= MIDDLING:
        trace = Simplifier(search, trace).run()
    if MANY < len(trace) <= MIDDLING:
        trace = fuse(search, trace)
    if len(trace) <= 5 * MANY:
        trace = reduce_operations(search, trace)
    if (shorter := joined(search, trace)) is not trace:
        trace = reduce_operations(search, Simplifier(search, shorter).run())
    return trace, True


def minimise(
    subject: ProcessSubject,
    law: AnyLaw,
    history: History,
    violation: Violation,
    seconds: float = 20.0,
    earlier: Sequence[Witness] = (),
) -> Witness:
    """The shortest trace found that breaks `law`, starting from the one that did.

    `earlier` holds witnesses of other laws: where one of them breaks this law too, no other is searched for.
    """
    hung = isinstance(history.end, Hung)
    search = Search(subject, law, seconds, HANGING if hung else SEARCHING)
    trace, length = history.trace, len(history.trace)
    best = Witness(law.name, trace, violation, history, length, complete=False)
    ranges: list[Range] = []
    try:
        trace, searched = shortest(search, history, violation, earlier)
        found = search.look(trace, LIMITS)
        if found is None:  # it failed once, and now does not: report what was first seen, honestly
            return replace(best, replayed=replayed(search, trace), runs=search.runs)
        trace, found = without_skipped(search, trace, found)
        best = Witness(law.name, trace, *found, length, complete=False)
        if searched and law.scope is not Scope.RUN and len(trace) <= MANY and not isinstance(found[1].end, Hung):
            ranges = [r for i in range(len(trace)) if (r := failing_range(search.still_fails, trace, i)) is not None]
        complete = not search.late
    except KeyboardInterrupt:
        complete = False
    return replace(
        best, ranges=tuple(ranges), replayed=replayed(search, best.trace), runs=search.runs, complete=complete
    )


def without_skipped(
    search: Search, trace: Trace, found: tuple[Violation, History]
) -> tuple[Trace, tuple[Violation, History]]:
    """The trace without operations that are not called: their slots are empty, since what made them was left out."""
    called = np.flatnonzero(np.asarray(found[1].columns["status"]) != Status.SKIPPED)
    if 0 < len(called) < len(trace) and (again := search.look(take(trace, called), LIMITS)):
        return take(trace, called), again
    return trace, found


def replayed(search: Search, trace: Trace, times: int = 3) -> tuple[int, int]:
    """How often the trace fails."""
    return sum(search.fails(trace) for _ in range(times)), times


def involved_ranges(ranges: Sequence[Range], trace: Trace) -> list[Range]:
    """The ranges worth telling: those that leave something to choose, or pin an exact size."""
    return [r for r in ranges if not (r.low <= 1 and r.high >= 2**20)]


__all__ = [
    "LIMITS",
    "NAIVE_UP_TO",
    "Range",
    "Search",
    "Witness",
    "decided",
    "involved_ranges",
    "minimise",
    "power",
    "take",
]
