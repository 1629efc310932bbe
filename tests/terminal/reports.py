"""Reports made of histories that nobody ran: every verdict is there, and failures of several kinds."""

from collections.abc import Sequence
from dataclasses import replace

from heaplaw.check import Report
from heaplaw.host import Command
from heaplaw.minimise import Witness
from heaplaw.ranges import Range
from heaplaw.spec.catalogue import laws_of
from heaplaw.spec.event import Env, Flag, Status
from heaplaw.spec.history import Completed, Died, End, History, Op, Trace, make_history, make_trace, plain_env
from heaplaw.spec.judge import judge
from heaplaw.spec.law import implied
from heaplaw.spec.shapes import CALLS, SHAPES, Kind
from heaplaw.spec.verdict import Tested, Unknown, Verdict, Violated, Violation
from heaplaw.subjects import ProcessSubject
from heaplaw.subjects.base import Expected

BASE = 0x7F0000001000
A, F = Kind.ALLOC, Kind.FREE


def subject(shape: str, identity: str, expected: tuple[Expected, ...] = ()) -> ProcessSubject:
    """A subject that is never started."""
    offers = frozenset(CALLS[kind] for kind in SHAPES[shape].required)
    offers |= {
        "remaining",
        "total_allocated",
        "usable_size",
        "declared bounds",
    }
    notes = ("malloc is the C library's own: what the library does not export is taken from there",)
    spec = {"kind": "mapping", "path": f"{identity}.toml"}
    return ProcessSubject(
        identity, SHAPES[shape], offers, Command(["true"], [], {}), spec, "python", notes=notes, expected=expected
    )


def told(trace: Trace, rows: Sequence[dict[str, int]], end: End | None = None) -> History:
    """The history in which operations were served, and gave what was asked for, but for those that say otherwise."""
    sizes = [{"usable": op.size} if "ptr" in row else {} for op, row in zip(trace.ops(), rows, strict=True)]
    whole = [{"status": Status.OK, **size, **row} for size, row in zip(sizes, rows, strict=True)]
    return make_history(trace, whole, end or Completed())


def overlapping() -> History:
    """Ten steps; the last block shares bytes with one before, and one is padded."""
    ops = [*(Op(A, 64) for _ in range(8)), Op(F, slot=2), Op(A, 40)]
    rows = [{"ptr": BASE + 64 * at, "usable": 80 if at == 7 else 64} for at in range(8)]
    rows += [{"owner": 2, "held": 64}, {"ptr": BASE + 112}]
    return told(make_trace("malloc", ops, Env()), rows)


def outside() -> History:
    """A stack whose block reaches out of its buffer, and whose counters are wrong."""
    ops = [Op(A, 24), Op(A, 100), Op(Kind.POP), Op(A, 300)]
    rows = [
        {"ptr": BASE, "remaining": 232, "total": 24},
        {"ptr": BASE + 32, "remaining": 132, "total": 124},
        {"owner": 1, "held": 100, "remaining": 2**63, "total": 24},
        {"ptr": BASE + 32, "remaining": 0, "total": 324},
    ]
    env = replace(plain_env("stack"), base=BASE, capacity=256, remaining=256)
    return told(make_trace("stack", ops, env), rows)


def damaged() -> History:
    """A byte that is not what was written, found when the block is freed; then the process dies."""
    ops = [Op(A, 33), Op(A, 17), Op(F, slot=0), Op(Kind.RESIZE, 2**64 - 24, 1)]
    rows = [
        {"ptr": BASE, "usable": 40},
        {"ptr": BASE + 48},
        {"owner": 0, "held": 33, "flags": Flag.DAMAGED, "bad_at": 32},
        {"status": Status.DIED, "owner": 1, "held": 17},
    ]
    return told(make_trace("malloc", ops, Env()), rows, Died(3, 11, "payload"))


def steady() -> History:
    """A trace that repeats itself."""
    ops = [op for turn in range(40) for op in (Op(A, 4096), Op(F, slot=2 * turn))]
    rows = [row for turn in range(40) for row in ({"ptr": BASE + 4096 * turn}, {"owner": 2 * turn, "held": 4096})]
    return told(make_trace("malloc", ops, Env()), rows)


def report(history: History, identity: str = "mine", expected: tuple[Expected, ...] = ()) -> Report:
    """What the judge says of a history, with a witness of everything that is broken."""
    shape = history.trace.shape
    of = subject(shape, identity, expected)
    offered = implied(of.offers)
    verdicts = judge(history, laws_of(shape), has=offered)
    broken = [v for v in verdicts if isinstance(v.outcome, Violated) and v.law not in {e.law for e in expected}]
    witnesses = [
        Witness(
            v.law,
            history.trace,
            v.outcome.violations[0],
            history,
            12_345,
            (Range(0, 33, 47, 15, 15), Range(1, 2**63, 2**64 - 24, 48, 48)),
            (2, 3),
            9,
            complete=False,
        )
        for v in broken
        if isinstance(v.outcome, Violated)
    ]
    if not witnesses:
        last = len(history) - 1
        law_name = "reuse" if shape == "malloc" else "in_bounds"
        seen = Violation(law_name, (last,), "pages of 0.5 MiB covered with at most 0.00 MiB live", "at most 0.3 MiB")
        witnesses = [Witness(law_name, history.trace, seen, history, 200, runs=1)]
    undecided = Verdict("first_operation", Unknown("the run ended before it was asked"), Tested(0))
    verdicts = [undecided if v.law == undecided.law else v for v in verdicts]
    ends = [("mixed", history.end)]
    return Report(of, 7, verdicts, witnesses, len(history), 0.25, ends, last_words="double free or corruption " * 5)


def expected_one() -> Report:
    """A report in which a violation is expected."""
    reason = "the tail of a page is handed out twice where a request ends on it, which users of this one rely on"
    known = (Expected("blocks_disjoint", reason), Expected("sized", reason))
    return report(overlapping(), "an-allocator-with-a-rather-long-name 3.14.15 (/usr/lib/somewhere/libmine.so)", known)


def all_reports() -> list[Report]:
    """All of them."""
    return [*(report(each) for each in (overlapping(), outside(), damaged(), steady())), expected_one()]
