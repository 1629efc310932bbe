"""Engines that look at one mutant, each on a seeded and fixed budget, until a law that counts is seen broken."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from itertools import islice
from types import ModuleType
from typing import TypeAlias, cast

from heaplaw.check import Check, Finding, nearness
from heaplaw.interrupts import asked
from heaplaw.judges import judge_fast
from heaplaw.minimise import Search, Witness, minimise
from heaplaw.minimise import shorten as fewer
from heaplaw.models import generate
from heaplaw.models.allocator_machine import killed_by_machine
from heaplaw.models.explore import explore
from heaplaw.models.layouts import judged
from heaplaw.models.session import Session
from heaplaw.mutants.reference import load, package, subjects_of
from heaplaw.refimpl.memory import AccessError
from heaplaw.spec.catalogue import CATALOGUE, laws_of
from heaplaw.spec.history import History, Trace
from heaplaw.spec.judge import Tally, judge
from heaplaw.spec.law import AnyLaw, implied
from heaplaw.spec.protocols import Limits
from heaplaw.spec.verdict import Violated, Violation
from heaplaw.staging import silent
from heaplaw.subjects import ProcessSubject, resolve
from heaplaw.subjects.reference import reference_subject

from .cases import COUNTED, Case, Source
from .matrix import Kill, Row
from .rigs import MODELS, RIGS, InProcess, Modules, fuelled

__all__ = ["ENGINES", "LIMITS", "SEED", "alarms_on", "breaks", "run", "seen_on"]

SEED = 1
LIMITS = Limits(cpu=0.5, wall=5.0)
"""What hangs does so for good: short limits tell as much."""
SECONDS = 8.0
"""Limit of minimising one witness. It bounds how short the trace gets, never whether a mutant counts as killed."""
SHORT = 10
"""Operations of a trace beside which none of a further law is looked for."""
IN_PROCESS = 3_000
"""Operations of the one trace that pure steps are run with in this process."""
LAYOUT = "layout"
"""The part of the reference that is no allocator."""
AT_FIRST = 300
"""Operations of the first trace that a mutant of the reference is checked with."""
STATES = 2_000
"""States that are explored at most …"""
FEW_STATES = 300
"""… and where short traces are not asked for."""
EXAMPLES, STEPS = 400, 60
"""Runs of a machine, and operations of each at most."""
Found: TypeAlias = tuple[tuple[Kill, ...], frozenset[str]]
"""The kill, if there is one, and all laws that were seen broken on the way."""


# ---- checks, as a user's


def of_check(case: Case, shorten: bool = True) -> Found:
    """Campaigns in a process of its own, judged by every law of the shape.

    For a mutant of the reference a short trace comes first, on each subject that may show it.
    """
    if case.source is not Source.REFERENCE:
        return _checked(case.subject(), case, None, shorten)
    broken: frozenset[str] = frozenset()
    for operations in (AT_FIRST, case.operations):
        for name in subjects_of(case.name):
            subject = reference_subject(name, package(case.name))
            kills, seen_here = _checked(subject, case, operations, shorten)
            broken |= seen_here
            if kills:
                return kills, broken
    return (), broken


@dataclass
class Timed(Check):
    """A check that remembers when it first saw a law broken that counts."""

    counting: frozenset[str] = frozenset()
    started: float = field(default_factory=time.monotonic)
    first: tuple[int, float] | None = None
    """Operations, and seconds."""

    def add(self, found: Iterable[Tally], history: History, viewed: bool = False) -> None:
        """Add up what was found in one history."""
        super().add(found, history, viewed)
        if self.first is None and (seen := [self.findings[name] for name in self.findings.keys() & self.counting]):
            at = min(max(finding.violation.operations, default=len(history) - 1) for finding in seen)
            self.first = self.done + at + 1, time.monotonic() - self.started


def _checked(subject: ProcessSubject, case: Case, until: int | None, shorten: bool) -> Found:
    """What a check finds; with `until`, traces of so many operations until one of them kills."""
    try:
        laws = laws_of(subject.shape.name, scenes=True)
        state = Timed(subject, SEED, case.operations, laws, LIMITS, counting=case.laws)
        if until is None:
            state.run()
        else:
            _until_killed(state, case, until)
        found = [finding for name, finding in state.findings.items() if name in case.laws]
        if state.costs is not None and state.costs.broken and COUNTED in case.laws:
            counted = sum(len(point.counts) for point in state.costs.costs.points)
            return (Kill(COUNTED, "check", counted),), frozenset({*state.findings, COUNTED})
        if not found or state.first is None:
            return (), frozenset(state.findings)
        nearest = min(found, key=nearness)
        kill = Kill(nearest.law.name, "check", len(nearest.history), *state.first)
        return (_short(subject, case, found, kill) if shorten else kill,), frozenset(state.findings)
    finally:
        subject.close()


def _short(subject: ProcessSubject, case: Case, found: Sequence[Finding], kill: Kill) -> Kill:
    """The kill with the shortest trace: of the law seen broken first, and of others while none is short."""
    kept: list[tuple[bool, int, Witness]] = []
    for finding in sorted(found, key=nearness):
        on = looked_at(subject, finding.law)
        witness = minimise(on, finding.law, finding.history, finding.violation, SECONDS)
        drifted = bool(case.base and alarms(case.base, witness.law, witness.trace))
        if drifted:
            witness = _only_fewer(on, finding, witness)
            drifted = bool(alarms(case.base, witness.law, witness.trace))
        kept.append((drifted, len(witness.trace), witness))
        if asked() or (not drifted and len(witness.trace) <= SHORT):
            break
    best = min(kept, key=lambda each: each[:2])[2]
    # One trace may break several laws: that for which the fault was made says most.
    named, own = CATALOGUE[best.law], CATALOGUE[case.law]
    alike = is_fresh(named) == is_fresh(own) and looked_at(subject, named) is looked_at(subject, own)
    named = own if alike and breaks(own, best.history, subject) else named
    return replace(kill, law=named.name, operations=len(best.trace), trace=best.trace)


def _only_fewer(subject: ProcessSubject, finding: Finding, drifted: Witness) -> Witness:
    """A witness whose operations are as they were drawn: making those plainer led to what breaks the law by itself."""
    search = Search(subject, finding.law, SECONDS)
    trace = fewer(search, finding.history.trace, finding.history, finding.violation)
    seen = search.look(trace)
    return replace(drifted, trace=trace, violation=seen[0], history=seen[1]) if seen else drifted


def is_fresh(found: AnyLaw) -> bool:
    """The law is seen broken in a process that was started for the trace."""
    return found.scenes or found.name == "first_operation"


def looked_at(subject: ProcessSubject, found: AnyLaw) -> ProcessSubject:
    """The subject, or the same with its free list shown, where the law needs to see that."""
    shown = found.needs <= implied(subject.offers) or subject.viewer is None
    return subject if shown or subject.viewer is None else subject.viewer


def seen_on(subject: ProcessSubject, found: str, trace: Trace) -> tuple[ProcessSubject, History]:
    """What a trace does that is to show that the law `found` is broken, and on which form of the subject."""
    law = CATALOGUE[found]
    on = looked_at(subject, law)
    return on, (on.run_fresh if is_fresh(law) else on.run)(trace, LIMITS)


def breaks(own: AnyLaw, history: History, subject: ProcessSubject) -> bool:
    """The law applies to the subject, and the history breaks it."""
    return bool(_broken_by(history, subject, [own]))


def _broken_by(history: History, subject: ProcessSubject, laws: Sequence[AnyLaw]) -> tuple[str, ...]:
    """Which of those laws that apply a history breaks."""
    offered, dialects = implied(subject.offers), subject.env.dialects
    applying = [law for law in laws if law.needs <= offered and not silent(law, dialects)]
    literal = any(law.scenes for law in applying)
    verdicts = (judge if literal else judge_fast)(history, applying)
    return tuple(verdict.law for verdict in verdicts if isinstance(verdict.outcome, Violated))


def alarms(base: str, found: str, trace: Trace) -> tuple[str, ...]:
    """Laws that a trace, which shows that the law `found` is broken, breaks on a correct allocator: there are none."""
    correct = resolve(f"mutant:{base}")[0]
    try:
        return alarms_on(correct, found, trace)
    finally:
        correct.close()


def alarms_on(correct: ProcessSubject, found: str, trace: Trace) -> tuple[str, ...]:
    """The same, of one that runs."""
    on, history = seen_on(correct, found, trace)
    return _broken_by(history, on, laws_of(correct.shape.name, scenes=CATALOGUE[found].scenes))


def _until_killed(state: Check, case: Case, operations: int) -> None:
    """The campaigns of a check, one after another, while no law that counts is broken."""
    subject = state.subject
    campaigns = generate.campaigns(subject.shape.name, subject.kinds, subject.env, operations, state.seed, small=True)
    for trace in islice(campaigns, 1 if operations == AT_FIRST else None):
        state.one(trace)
        if state.findings.keys() & case.laws:
            return


# ---- pure steps in this process


def copy_of(case: Case) -> Modules:
    """The modules of the reference with the case's fault."""
    return lambda name: load(case.name, name)


def unchanged(name: str) -> ModuleType:
    """The modules of the reference itself: no fault at all."""
    return import_module(f"heaplaw.refimpl.{name}")


def of_explore(case: Case, shorten: bool = True, modules: Modules | None = None) -> Found:
    """Every state of a small model, as far as the budget goes; a fault comes with a shortest trace.

    A fault may ruin what the model itself reads, links and headers, before a law is broken: then another engine is
    needed.
    """
    if case.group not in MODELS:
        return (), frozenset()
    module, model = MODELS[case.group]
    started = time.monotonic()
    try:
        witness = explore(
            model(fuelled((modules or copy_of(case))(module).step)), STATES if shorten else FEW_STATES
        ).witness
    except AccessError:
        return (), frozenset()
    seconds = time.monotonic() - started
    return _killed("explore", case, *(witness.violations, len(witness.trace)) if witness else ((), 0), seconds=seconds)


def _killed(
    engine: str, case: Case, violations: Sequence[Violation], operations: int, seconds: float | None = None
) -> Found:
    """What an engine that stops at the first violation found: the kill under the law it was made for, if that is in."""
    broken = frozenset(violation.law for violation in violations)
    counting = sorted(broken & case.laws, key=lambda name: (name != case.law, name))
    return tuple(Kill(name, engine, operations, seconds=seconds) for name in counting[:1]), broken


def of_session(case: Case, shorten: bool = True, modules: Modules | None = None) -> Found:
    """The traces of a check on the pure steps, judged literally operation by operation; single requests of layouts."""
    if case.group == LAYOUT:
        return _killed("session", case, judged((modules or copy_of(case))(LAYOUT)).violations, 1)
    if case.group not in RIGS:
        return (), frozenset()
    started = time.monotonic()
    subject, broken = InProcess(RIGS[case.group], modules or copy_of(case)), set[str]()
    for trace in islice(subject.rig.traces(subject.modules, IN_PROCESS, SEED), 1):
        session = Session(subject.rig.live(subject.modules))
        for op in trace.ops():
            broken |= {violation.law for violation in session.do(op).violations}
            if broken & case.laws:
                seconds, before = time.monotonic() - started, len(session.steps)
                kill = _of_session(subject, session, case, shorten)
                return (replace(kill, before=before, seconds=seconds),), frozenset(broken)
    return (), frozenset(broken)


def _of_session(subject: InProcess, session: Session, case: Case, shorten: bool) -> Kill:
    """The kill of the latest operation."""
    found = [violation for violation in session.steps[-1].violations if violation.law in case.laws]
    violation = min(found, key=lambda each: each.law != case.law)
    history = session.history()
    if shorten:
        law = CATALOGUE[violation.law]
        history = minimise(cast("ProcessSubject", subject), law, history, violation, SECONDS).history
    return Kill(violation.law, "session", len(history))


def of_machine(case: Case, shorten: bool = True) -> Found:
    """The Hypothesis machine of the shape on the pure steps; it shrinks what it finds."""
    if case.group not in RIGS:
        return (), frozenset()
    rig, modules = RIGS[case.group], copy_of(case)
    found = killed_by_machine(lambda: rig.live(modules), rig.shape, EXAMPLES, SEED, STEPS, shrink=shorten)
    return _killed("machine", case, *(found.violations, len(found.trace)) if found else ((), 0))


# ---- all of them

ENGINES: dict[str, Callable[[Case, bool], Found]] = {
    "explore": of_explore,
    "session": of_session,
    "check": of_check,
    "machine": of_machine,
}
"""By name, first the one with the shortest traces."""
QUICK = ("session", "explore", "check", "machine")
"""The fastest first."""


def run(case: Case, shorten: bool = True) -> Row:
    """Look at one mutant, with one engine after another until one kills it.

    Those of other sources than the reference are checked alone, as a user's allocator is. `shorten`: look for
    short traces, which takes most of the time.
    """
    names = (list(ENGINES) if shorten else QUICK) if case.source is Source.REFERENCE else ["check"]
    broken: frozenset[str] = frozenset()
    for name in names:
        kills, also = ENGINES[name](case, shorten)
        if asked():  # making a trace short ends at an interrupt, and gives what it has
            raise KeyboardInterrupt
        broken |= also
        if kills:
            return Row(case, kills, broken)
    return Row(case, (), broken)
