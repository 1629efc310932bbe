"""Engines that look at one mutant, each on a seeded and fixed budget, until a law that counts is seen broken."""

from collections.abc import Callable, Sequence
from importlib import import_module
from itertools import islice
from types import ModuleType
from typing import TypeAlias, cast

from heaplaw.check import Check, nearness
from heaplaw.interrupts import asked
from heaplaw.minimise import minimise
from heaplaw.models import generate
from heaplaw.models.allocator_machine import killed_by_machine
from heaplaw.models.explore import explore
from heaplaw.models.layouts import judged
from heaplaw.models.session import Session
from heaplaw.mutants.reference import load, package, subjects_of
from heaplaw.refimpl.memory import AccessError
from heaplaw.spec.catalogue import CATALOGUE, laws_of
from heaplaw.spec.protocols import Limits
from heaplaw.spec.verdict import Violation
from heaplaw.subjects import ProcessSubject
from heaplaw.subjects.reference import reference_subject

from .cases import Case, Source
from .matrix import Kill, Row
from .rigs import MODELS, RIGS, InProcess, Modules, fuelled

__all__ = ["ENGINES", "LIMITS", "SEED", "run"]

SEED = 1
LIMITS = Limits(cpu=0.5, wall=5.0)
"""What hangs does so for good: short limits tell as much."""
SECONDS = 8.0
"""Limit of minimising one witness. It bounds how short the trace gets, never whether a mutant counts as killed."""
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


def _checked(subject: ProcessSubject, case: Case, until: int | None, shorten: bool) -> Found:
    """What a check finds; with `until`, traces of so many operations until one of them kills."""
    try:
        state = Check(subject, SEED, case.operations, laws_of(subject.shape.name), LIMITS)
        if until is None:
            state.run()
        else:
            _until_killed(state, case, until)
        found = [finding for name, finding in state.findings.items() if name in case.laws]
        if not found:
            return (), frozenset(state.findings)
        nearest = min(found, key=nearness)
        operations = len(nearest.history)
        if shorten:
            operations = len(minimise(subject, nearest.law, nearest.history, nearest.violation, SECONDS).trace)
        return (Kill(nearest.law.name, "check", operations),), frozenset(state.findings)
    finally:
        subject.close()


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
    try:
        witness = explore(
            model(fuelled((modules or copy_of(case))(module).step)), STATES if shorten else FEW_STATES
        ).witness
    except AccessError:
        return (), frozenset()
    return _killed("explore", case, *(witness.violations, len(witness.trace)) if witness else ((), 0))


def _killed(engine: str, case: Case, violations: Sequence[Violation], operations: int) -> Found:
    """What an engine that stops at the first violation found: the kill under the law it was made for, if that is in."""
    broken = frozenset(violation.law for violation in violations)
    counting = sorted(broken & case.laws, key=lambda name: (name != case.law, name))
    return tuple(Kill(name, engine, operations) for name in counting[:1]), broken


def of_session(case: Case, shorten: bool = True, modules: Modules | None = None) -> Found:
    """The traces of a check on the pure steps, judged literally operation by operation; single requests of layouts."""
    if case.group == LAYOUT:
        return _killed("session", case, judged((modules or copy_of(case))(LAYOUT)).violations, 1)
    if case.group not in RIGS:
        return (), frozenset()
    subject, broken = InProcess(RIGS[case.group], modules or copy_of(case)), set[str]()
    for trace in islice(subject.rig.traces(subject.modules, IN_PROCESS, SEED), 1):
        session = Session(subject.rig.live(subject.modules))
        for op in trace.ops():
            broken |= {violation.law for violation in session.do(op).violations}
            if broken & case.laws:
                return _of_session(subject, session, case, shorten), frozenset(broken)
    return (), frozenset(broken)


def _of_session(subject: InProcess, session: Session, case: Case, shorten: bool) -> tuple[Kill, ...]:
    """The kill of the latest operation."""
    found = [violation for violation in session.steps[-1].violations if violation.law in case.laws]
    violation = min(found, key=lambda each: each.law != case.law)
    history = session.history()
    if shorten:
        law = CATALOGUE[violation.law]
        history = minimise(cast("ProcessSubject", subject), law, history, violation, SECONDS).history
    return (Kill(violation.law, "session", len(history)),)


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
