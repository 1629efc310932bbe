"""Which laws hold on each of two subjects, by the same traces, and what the other does on what one breaks."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from heaplaw.check import LATER, Check, Finding, nearness
from heaplaw.interrupts import asked
from heaplaw.judges import judge_fast
from heaplaw.minimise import LIMITS, NAIVE_UP_TO, Search, Witness, minimise
from heaplaw.models.words import power
from heaplaw.spec.catalogue import law, laws_of
from heaplaw.spec.event import NONE, NULL
from heaplaw.spec.history import OP_COLUMNS, History, Trace
from heaplaw.spec.judge import absence, judge
from heaplaw.spec.law import implied
from heaplaw.spec.protocols import Limits
from heaplaw.spec.shapes import CALLS, FUNCTION_OF, Kind
from heaplaw.spec.verdict import Holds, NotApplicable, Unknown, Verdict, Violated
from heaplaw.staging import Clauses, silent
from heaplaw.subjects import Expected, ProcessSubject
from heaplaw.terminal.facts import name_of_call

from .parts import NEW, OLD, Grade, LawChange, Replay, broken, decided

TIMES = 3
"""How often a witness is run on the other side."""
Progress = Callable[[str], None]


class Recording(Check):
    """A check that remembers what it drew."""

    drawn: list[str]

    def one(self, trace: Trace) -> None:
        """Run one trace."""
        self.drawn = [*getattr(self, "drawn", []), digest(trace)]
        super().one(trace)


def digest(trace: Trace) -> str:
    """What a trace asks, as a number of its own."""
    core = hashlib.sha256(trace.profile.encode())
    for column in OP_COLUMNS:
        core.update(np.ascontiguousarray(np.asarray(trace.columns[column.name], np.uint64)).tobytes())
    return core.hexdigest()


@dataclass
class Side:
    """One of the two, judged."""

    subject: ProcessSubject
    verdicts: dict[str, Verdict] = field(default_factory=dict[str, Verdict])
    findings: dict[str, Finding] = field(default_factory=dict[str, Finding])
    drawn: list[str] = field(default_factory=list[str])
    clauses: list[Clauses] = field(default_factory=list[Clauses])

    @property
    def expected(self) -> dict[str, Expected]:
        """Violations that its mapping knows, by law; not those of other dialects than were expected."""
        declared = self.subject.env.dialects
        known = (each for each in self.subject.expected if all(c.foreseen(each, declared) for c in self.clauses))
        return {each.law: each for each in known}


def judged(
    subject: ProcessSubject, narrow: ProcessSubject, seed: int, operations: int, limits: Limits, progress: Progress
) -> Side:
    """Judge a subject by what both have; then, for what the other lacks, by everything that it has itself."""
    side = Side(subject)
    limited, fewer = narrow.env != subject.env, narrow.kinds != subject.kinds
    for which in (narrow, subject) if limited or fewer else (narrow,):
        state = Recording(which, seed, operations, laws_of(subject.shape.name, scenes=True), limits, progress=progress)
        try:
            if which is narrow or fewer:
                state.run()
            else:  # the same operations within other limits: scenes tell what it may be asked beyond those of the other
                state.scenes()
        finally:
            which.close()
        side.clauses.append(state.clauses)
        side.drawn += state.drawn if which is narrow else []
        for verdict in state.verdicts():
            known = side.verdicts.get(verdict.law)
            open_ = known is None or isinstance(known.outcome, NotApplicable | Unknown)
            if (open_ and not isinstance(verdict.outcome, Unknown)) or known is None or worse(verdict, known):
                side.verdicts[verdict.law] = verdict
                if verdict.law in state.findings:
                    side.findings[verdict.law] = state.findings[verdict.law]
    return side


def worse(verdict: Verdict, known: Verdict) -> bool:
    """Broken, where it was not known to be."""
    return broken(verdict) and not broken(known)


def changes(old: Side, new: Side, seconds: float, progress: Progress) -> list[LawChange]:
    """The laws whose verdicts differ, in order of their ids: each violation with its witness, run on the other side."""
    names = [name for name in old.verdicts if different(old.verdicts[name], new.verdicts[name], old, new)]
    found: dict[str, LawChange] = {}
    witnesses: dict[str, list[Witness]] = {OLD: [], NEW: []}
    for name in sorted(names, key=lambda name: nearness_of(name, old, new)):
        change = plain_change(name, old, new)
        if broken(change.old) != broken(change.new):
            one, other = (new, old) if broken(change.new) else (old, new)
            side = NEW if one is new else OLD
            progress(f"minimising {law(name).id} {name}")
            earlier = witnesses[side]
            limit = seconds / LATER if any(known.complete for known in earlier) else seconds
            finding = one.findings[name]
            on, beside = (each.subject.viewer if finding.viewed else each.subject for each in (one, other))
            assert on is not None
            witness = minimise(on, finding.law, finding.history, finding.violation, limit, earlier)
            if asked():  # it ends with what it has; a comparison that lacks half is none
                raise KeyboardInterrupt
            witness = replace(comparable(witness, on, beside, limit), viewed=finding.viewed)
            earlier.append(witness)
            change = with_witness(change, side, witness, replayed(witness, beside))
        found[name] = change
    return sorted(found.values(), key=lambda change: law(change.law).id)


def nearness_of(name: str, old: Side, new: Side) -> tuple[bool, int]:
    """Sorts laws, those first whose violation is likely to lie nearest to a cause."""
    finding = new.findings.get(name) or old.findings.get(name)
    return nearness(finding) if finding else (True, 0)


def different(a: Verdict, b: Verdict, old: Side, new: Side) -> bool:
    """The verdicts are not of one kind; a violation that one mapping alone expects is no other verdict."""
    return type(a.outcome) is not type(b.outcome)


def plain_change(name: str, old: Side, new: Side) -> LawChange:
    """A change of a verdict, before it is known how the two break the law."""
    a, b = old.verdicts[name], new.verdicts[name]
    grade = Grade.OTHER
    if broken(b) and not broken(a):
        grade = Grade.WORSE
    elif broken(a) and isinstance(b.outcome, Holds):
        grade = Grade.BETTER
    elif decided(a) and isinstance(b.outcome, Unknown):
        grade = Grade.UNDECIDED
    return LawChange(a, b, grade, (old.expected.get(name), new.expected.get(name)))


def with_witness(change: LawChange, side: str, witness: Witness, other: Replay) -> LawChange:
    """The change, with how one breaks the law, and what the other does then: if it breaks it too, it was chance."""
    grade = Grade.CHANCE if other.failed else change.grade
    return replace(change, side=side, witness=witness, other=other, grade=grade)


def comparable(witness: Witness, one: ProcessSubject, other: ProcessSubject | None, seconds: float) -> Witness:
    """The witness; with another of the sizes that fail, where the two part before the fault as it is.

    A size that is just too large for the one may well fit into the other: then nothing is said of what it would have
    done after a refusal.
    """
    if other is None or missing(witness.trace, other) or alike(witness.trace, witness.history, other):
        return witness
    search = Search(one, law(witness.law), seconds)
    for found in reversed(witness.ranges):  # the step nearest to the fault first
        for size in (found.high, found.low):
            ops = witness.trace.ops()
            ops[found.op] = replace(ops[found.op], size=size)
            trace = witness.trace.with_ops(ops)
            seen = search.look(trace, LIMITS) if not search.late and not missing(trace, other) else None
            if seen and alike(trace, seen[1], other):
                again = sum(search.fails(trace) for _ in range(TIMES)), TIMES
                return replace(
                    witness, trace=trace, violation=seen[0], history=seen[1], ranges=(found,), replayed=again
                )
    return witness


def alike(trace: Trace, history: History, other: ProcessSubject) -> bool:
    """The other one serves and refuses the same, up to the last step."""
    beside = other.run(fitted(trace, other), LIMITS)
    last = len(trace) - 1
    return np.array_equal(history.columns["status"][:last], beside.columns["status"][:last])


def replayed(witness: Witness, other: ProcessSubject | None) -> Replay:
    """The witness of one side, on the other; None where that shows no free list, and the witness needs one."""
    if other is None:
        return Replay(why="it shows no free list")
    found, trace = law(witness.law), fitted(witness.trace, other)
    lacks = sorted(missing(trace, other))
    if lacks:
        return Replay(why=f"it has no {' and no '.join(lacks)}")
    absent = sorted(found.needs - implied(other.offers)) or (["clause"] if silent(found, other.env.dialects) else [])
    if absent:
        return Replay(why="; ".join(map(absence, absent)))
    decide = judge if len(trace) <= NAIVE_UP_TO else judge_fast
    histories = [
        other.run_fresh(trace, LIMITS) if found.name == "first_operation" else other.run(trace, LIMITS)
        for _ in range(TIMES)
    ]
    failed = [isinstance(decide(history, [found])[0].outcome, Violated) for history in histories]
    shown = failed.index(True) if any(failed) else 0
    return Replay(sum(failed), TIMES, histories[shown])


def missing(trace: Trace, subject: ProcessSubject) -> set[str]:
    """What a trace asks that the subject does not have, or may not be asked, in words."""
    env, shape = subject.env, subject.shape.name
    kinds: Sequence[int] = np.unique(np.asarray(trace.columns["kind"])).tolist()
    wanted = {FUNCTION_OF.get(Kind(kind), Kind(kind)) for kind in kinds} - {Kind.CHECK, Kind.FILL_USABLE}
    found = {name_of_call(CALLS[kind], shape) for kind in wanted - subject.kinds}
    slots = np.asarray(trace.columns["slot"])
    if "free null" not in subject.offers and bool((slots == NULL).any()):
        found.add("free of NULL")
    largest, align = (int(np.asarray(trace.columns[name], np.uint64).max(initial=0)) for name in ("size", "align"))
    found |= {f"request for {power(largest)} bytes"} if largest > env.max_request else set()
    found |= {f"alignment to {align} bytes"} if align > env.max_request_align else set()
    instances = int(np.asarray(trace.columns["instance"]).max(initial=0)) + 1
    return found | ({f"instance number {instances}"} if instances > subject.instances else set())


def fitted(trace: Trace, subject: ProcessSubject) -> Trace:
    """The trace, with the subject's own size of blocks where the shape is a pool."""
    if subject.shape.sized:
        return replace(trace, env=subject.env)
    ops = [replace(op, size=int(subject.env.block_size)) if op.slot == NONE and op.size else op for op in trace.ops()]
    return replace(trace.with_ops(ops), env=subject.env)
