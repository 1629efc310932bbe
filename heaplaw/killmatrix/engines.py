"""Engines that look at one mutant, each on a seeded and fixed budget, until a law that counts is seen broken."""

from collections.abc import Callable
from typing import TypeAlias, cast

from heaplaw.check import Check, nearness
from heaplaw.minimise import minimise
from heaplaw.models import generate
from heaplaw.models.allocator_machine import killed_by_machine
from heaplaw.models.session import Session
from heaplaw.mutants.reference import load, package
from heaplaw.spec.catalogue import CATALOGUE, laws_of
from heaplaw.spec.protocols import Limits
from heaplaw.subjects import ProcessSubject
from heaplaw.subjects.reference import reference_subject

from .cases import Case, Source
from .matrix import Kill, Row
from .rigs import REFERENCES, RIGS, InProcess, Modules

__all__ = ["ENGINES", "LIMITS", "SEED", "run"]

SEED = 1
LIMITS = Limits(cpu=0.5, wall=5.0)
"""What hangs does so for good: short limits tell as much."""
SECONDS = 8.0
"""Limit of minimising one witness. It bounds how short the trace gets, never whether a mutant counts as killed."""
IN_PROCESS = 3_000
"""Operations of one that is run in this process, as pure steps; it has no longer steady part."""
EXAMPLES = 100
"""Runs of a machine, of 30 operations at most."""
Found: TypeAlias = tuple[tuple[Kill, ...], frozenset[str]]
"""The kill, if there is one, and all laws that were seen broken on the way."""


# ---- checks, as a user's


def of_check(case: Case) -> Found:
    """Campaigns in a process of its own, judged by every law of the shape."""
    if case.source is not Source.REFERENCE:
        return _checked(case.subject(), case)
    broken: frozenset[str] = frozenset()
    for name in REFERENCES.get(case.group, ()):
        kills, seen_here = _checked(reference_subject(name, package(case.name)), case)
        broken |= seen_here
        if kills:
            return kills, broken
    return (), broken


def _checked(subject: ProcessSubject, case: Case) -> Found:
    try:
        state = Check(subject, SEED, case.operations, laws_of(subject.shape.name), LIMITS)
        if case.source is Source.REFERENCE:
            _until_killed(state, case)
        else:
            state.run()
        found = [finding for name, finding in state.findings.items() if name in case.laws]
        if not found:
            return (), frozenset(state.findings)
        nearest = min(found, key=nearness)
        witness = minimise(subject, nearest.law, nearest.history, nearest.violation, SECONDS)
        return (Kill(nearest.law.name, "check", len(witness.trace)),), frozenset(state.findings)
    finally:
        subject.close()


def _until_killed(state: Check, case: Case) -> None:
    """The campaigns of a check, one after another, while no law that counts is broken."""
    subject = state.subject
    campaigns = generate.campaigns(
        subject.shape.name, subject.kinds, subject.env, state.operations, state.seed, small=True
    )
    for trace in campaigns:
        state.one(trace)
        if state.findings.keys() & case.laws:
            return


# ---- pure steps in this process


def copy_of(case: Case) -> Modules:
    """The modules of the reference with the case's fault."""
    return lambda name: load(case.name, name)


def of_session(case: Case, modules: Modules | None = None) -> Found:
    """The traces of a check on the pure steps, judged literally operation by operation."""
    if case.group not in RIGS:
        return (), frozenset()
    subject, broken = InProcess(RIGS[case.group], modules or copy_of(case)), set[str]()
    for trace in subject.rig.traces(subject.modules, IN_PROCESS, SEED):
        session = Session(subject.rig.live(subject.modules))
        for op in generate.cut(trace, IN_PROCESS).ops():
            broken |= {violation.law for violation in session.do(op).violations}
            if broken & case.laws:
                return _shortened(subject, session, case), frozenset(broken)
    return (), frozenset(broken)


def _shortened(subject: InProcess, session: Session, case: Case) -> tuple[Kill, ...]:
    """The kill of the latest operation, its trace made short."""
    violation = next(found for found in session.steps[-1].violations if found.law in case.laws)
    witness = minimise(cast("ProcessSubject", subject), CATALOGUE[violation.law], session.history(), violation, SECONDS)
    return (Kill(violation.law, "session", len(witness.trace)),)


def of_machine(case: Case) -> Found:
    """The Hypothesis machine of the shape on the pure steps; it shrinks what it finds."""
    if case.group not in RIGS:
        return (), frozenset()
    rig, modules = RIGS[case.group], copy_of(case)
    found = killed_by_machine(lambda: rig.live(modules), rig.shape, EXAMPLES, SEED, shrink=True)
    broken = frozenset(violation.law for violation in found.violations) if found else frozenset[str]()
    counting = sorted(broken & case.laws, key=lambda name: (name != case.law, name))
    kills = (Kill(counting[0], "machine", len(found.trace)),) if found and counting else ()
    return kills, broken


# ---- all of them

ENGINES: dict[str, Callable[[Case], Found]] = {"session": of_session, "check": of_check, "machine": of_machine}
"""By name, the fastest first."""


def run(case: Case, every: bool = False) -> Row:
    """Look at one mutant, with one engine after another until one kills it; with all where `every`.

    Those of other sources than the reference are checked alone, as a user's allocator is.
    """
    names = list(ENGINES) if case.source is Source.REFERENCE else ["check"]
    kills: tuple[Kill, ...] = ()
    broken: frozenset[str] = frozenset()
    for name in names:
        found, also = ENGINES[name](case)
        kills, broken = kills + found, broken | also
        if kills and not every:
            break
    return Row(case, kills, broken)
