"""The engines, asked: each decides what `listing` found for it, on seeded and fixed budgets."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from heaplaw.spec.catalogue import CATALOGUE
from heaplaw.spec.verdict import Error, Evidence, Holds, NotApplicable, Outcome, Tested, Unknown, Violated

from .items import Item, Matrix, merged
from .listing import LAYOUTS, proving_parts

if TYPE_CHECKING:
    from heaplaw.killmatrix import Row
    from heaplaw.models.session import Session
    from heaplaw.subjects import ProcessSubject

__all__ = ["run", "with_subjects"]

Progress: TypeAlias = Callable[[str], None]
Parts: TypeAlias = Iterator[tuple[str, Item]]
EXAMPLES, STEPS = 100, 60
"""Runs of a machine, and operations of each at most."""
LONGEST = 24
"""Columns that a subject's own words for itself may take in the table."""


def run(matrix: Matrix, engines: Sequence[str], progress: Progress = lambda _text: None) -> Iterator[Matrix]:
    """The matrix after each of `engines` is through. KeyboardInterrupt while one is at work: it has decided nothing."""
    for engine in engines:
        progress(engine)
        found = merged([*_RUN[engine](matrix, progress)])
        matrix = matrix.decided(engine, found)
        if engine == "mutants" and len(matrix.laws) == len(CATALOGUE):
            matrix = replace(matrix, faults=tuple(_unsound(matrix)))
        yield matrix


def with_subjects(
    matrix: Matrix,
    subjects: Sequence["ProcessSubject"],
    operations: int | None = None,
    progress: Progress = lambda _text: None,
) -> Iterator[Matrix]:
    """The matrix after each of `subjects` is checked; they are closed by the caller."""
    judged: list[tuple[str, Item]] = []
    for subject in subjects:
        progress(f"check {subject.identity}")
        name = column_of(subject, matrix.subjects)
        judged += _of_subject(subject, name, matrix.seed, operations, progress)
        matrix = replace(matrix, subjects=(*matrix.subjects, name), judged=merged(judged))
        yield matrix


def column_of(subject: "ProcessSubject", taken: Sequence[str]) -> str:
    """A short name that no other column has."""
    identity = subject.identity
    name = identity if len(identity) <= LONGEST and "/" not in identity else subject.name or identity
    return name if name not in taken else f"{name}#{len(taken) + 1}"


def _wanted(matrix: Matrix, engine: str) -> dict[str, set[str]]:
    """The names of items, with the laws that they speak of among those that are shown."""
    found: dict[str, set[str]] = {}
    for law in matrix.laws:
        for item in matrix.items(engine, law):
            found.setdefault(item.name, set()).add(law.name)
    return found


# ---- proofs and contracts


def _proofs(matrix: Matrix, progress: Progress) -> Parts:
    wanted = _wanted(matrix, "prove")
    for line in _decided({part: {n for n in wanted if n.startswith(f"{part}.")} for part in proving_parts()}, progress):
        if line.about in CATALOGUE:
            yield line.about, Item(line.name, line.reading, line.outcome)


def _contracts(matrix: Matrix, progress: Progress) -> Parts:
    from heaplaw.proving.parts import CONTRACTS

    wanted = _wanted(matrix, "confirm")
    for line in _decided({CONTRACTS: set(wanted)}, progress):
        for law in sorted(wanted[line.name]):
            yield law, Item(line.name, line.scope, line.outcome)


def _decided(parts: Mapping[str, set[str]], progress: Progress) -> Iterator[Any]:
    """The lines of the campaign on these names."""
    from heaplaw.proving.campaign import cores, decided, planned, tasks
    from heaplaw.proving.parts import REFERENCE

    work = tasks(REFERENCE, {part: names for part, names in parts.items() if names})
    total, done = planned(work), 0
    if not work:
        return
    for lines in decided(work, cores()):
        done += len(lines)
        progress(f"{done} of {total} decided")
        yield from lines


# ---- exploration and machines


def _explored(matrix: Matrix, progress: Progress) -> Parts:
    from heaplaw.models.explore import REFERENCE, Bounds, explore, laws_for

    for name, laws in _wanted(matrix, "explore").items():
        model = REFERENCE[name](Bounds())
        progress(f"explore {name}")
        chosen = [law for law in laws_for(model) if law.name in laws]
        for verdict in explore(model, progress=progress, laws=chosen).verdicts:
            if isinstance(verdict.outcome, NotApplicable):
                continue
            detail = f"{verdict.evidence}".removeprefix("exhausted: ")
            yield verdict.law, Item(name, detail, _word(verdict.outcome, "exhausted"))


def _machines(matrix: Matrix, progress: Progress) -> Parts:
    from heaplaw.killmatrix.engines import unchanged
    from heaplaw.killmatrix.rigs import RIGS
    from heaplaw.models.allocator_machine import MACHINES, killed_by_machine

    for name, laws in _wanted(matrix, "machine").items():
        rig = RIGS[name]
        progress(f"machine {name}")
        sessions: list[Session] = []

        def teardown(self: Any, base: Any = MACHINES[rig.shape], into: list["Session"] = sessions) -> None:
            base.teardown(self)
            into.append(self.session)

        machine = type(f"Counted{rig.shape}", (MACHINES[rig.shape],), {"teardown": teardown, "renews": True})
        make = partial(rig.live, unchanged)
        found = killed_by_machine(make, rig.shape, EXAMPLES, matrix.seed, STEPS, machine=machine)
        broken = {violation.law for violation in found.violations} if found else set[str]()
        judged = dict.fromkeys(laws, 0)
        for session in sessions:
            for tally in session.online.tallies:
                if tally.law.name in judged:
                    judged[tally.law.name] += tally.judged
        for law, count in judged.items():
            yield law, _of_machine(name, law, count, broken, len(sessions))


def _of_machine(name: str, law: str, count: int, broken: set[str], runs: int) -> Item:
    if law in broken:
        return Item(name, "the machine found a trace that breaks it", "violated")
    if broken:
        return Item(name, "the machine stopped at another law", "unknown")
    if count < CATALOGUE[law].min_judged:
        return Item(name, f"its premise was met {count} times in {runs} runs", "unknown")
    return Item(name, f"judged {count:,} times in {runs} runs", "tested", count)


# ---- checks


def _checks(matrix: Matrix, progress: Progress) -> Parts:
    from heaplaw.subjects.reference import reference_subject

    for name, laws in _wanted(matrix, "check").items():
        progress(f"check {name}")
        if name == LAYOUTS:
            yield from _layouts(laws)
            continue
        subject = reference_subject(name.removeprefix("ref:"))
        try:
            found = [*_of_subject(subject, name, matrix.seed, None, progress)]
        finally:
            subject.close()
        yield from ((law, item) for law, item in found if law in laws)


def _layouts(laws: set[str]) -> Parts:
    from heaplaw.models.layouts import judged

    for verdict in judged().verdicts:
        if verdict.law in laws:
            yield verdict.law, _item(LAYOUTS, verdict.outcome, verdict.evidence)


def _of_subject(subject: "ProcessSubject", name: str, seed: int, operations: int | None, progress: Progress) -> Parts:
    """Every law of the subject's shape, as `heaplaw check` judges it; nothing is made shorter."""
    from heaplaw.check import Check, Report
    from heaplaw.spec.catalogue import laws_of
    from heaplaw.terminal.facts import unmet

    count = operations or subject.operations
    state = Check(subject, seed, count, laws_of(subject.shape.name), progress=progress)
    state.run()
    report = Report(subject, seed, state.verdicts(), short=count < subject.operations)
    gone = {verdict.law for verdict, _reason in ([] if report.short else unmet(report))}
    for verdict in report.verdicts:
        item = _item(name, verdict.outcome, verdict.evidence)
        if item.outcome == "violated" and verdict.law in report.expected:
            item = replace(item, outcome="expected", detail=report.expected[verdict.law].reason)
        if verdict.law in gone:
            item = replace(item, outcome="holds, though expected not to")
        yield verdict.law, item


def _item(name: str, outcome: Outcome, evidence: Evidence) -> Item:
    count = evidence.judged if isinstance(evidence, Tested) else 0
    detail = str(getattr(outcome, "why", evidence))
    return Item(name, detail, _word(outcome, "tested"), count)


def _word(outcome: Outcome, shown: str) -> str:
    words = {Holds: shown, Violated: "violated", Unknown: "unknown", NotApplicable: "not applicable", Error: "error"}
    return words[type(outcome)]


# ---- mutants


def _mutants(matrix: Matrix, progress: Progress) -> Parts:
    from heaplaw.killmatrix import all_cases, build
    from heaplaw.killmatrix.engines import run as killing

    names = {law.name for law in matrix.laws}
    cases = [case for case in all_cases() if case.law in names]
    found = build(cases, killing, whole=False, progress=progress)
    if found.unseen:
        raise KeyboardInterrupt
    yield from ((row.case.law, _killed(row)) for row in found.rows)
    yield from ((case.law, Item(case.name, "its library is not built here", "left out")) for case in found.left_out)


def _killed(row: "Row") -> Item:
    """Of a mutant: whether the law that it was made for killed it."""
    from heaplaw.killmatrix.matrix import first

    case, best = row.case, first(row.kills)
    if best is None:
        return Item(case.name, case.summary, "survives")
    detail = f"{best.engine}, {best.operations} operation{'s' * (best.operations != 1)}"
    if case.law in row.broken:
        return Item(case.name, detail, "killed", best.operations)
    return Item(case.name, f"{CATALOGUE[best.law].id} {best.law}, by {detail}", "by another law", best.operations)


def _unsound(matrix: Matrix) -> Iterator[str]:
    """Laws without a mutant, or that kill none of those that were made for them."""
    for law in matrix.laws:
        items = matrix.items("mutants", law)
        if not items:
            yield f"{law.id} {law.name}: no mutant was made for it"
        elif not any(item.outcome in ("killed", "left out") for item in items):
            yield f"{law.id} {law.name}: it kills none of the mutants that were made for it"


_RUN: Mapping[str, Callable[[Matrix, Progress], Parts]] = {
    "prove": _proofs,
    "confirm": _contracts,
    "explore": _explored,
    "machine": _machines,
    "check": _checks,
    "mutants": _mutants,
}
