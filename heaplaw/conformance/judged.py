"""One check of one subject, as findings: a law each, in words that test runners show."""

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from heaplaw.spec.catalogue import law, laws_of
from heaplaw.spec.dialects import NAMES, named
from heaplaw.spec.shapes import SHAPES

from .failures import heading

if TYPE_CHECKING:
    from heaplaw.check import Report
    from heaplaw.subjects import ProcessSubject

Outcome: TypeAlias = Literal["holds", "violated", "expected", "gone", "undecided", "not applicable"]
"""`gone`: a violation was expected, and none came."""
PROMISES = "its promises"
UNDECLARED = "none declared"
MORE = (
    "a longer run may decide it (operations=… in the test, or --heaplaw-operations), "
    "or an allocator of another capacity"
)
ENDED = "a run ended early, as another law tells: what is broken there comes first"


@dataclass(frozen=True)
class Finding:
    """What came of one law."""

    outcome: Outcome
    summary: str
    """One line: what was found, or why nothing could be."""
    lines: tuple[str, ...] = ()
    """All that there is to say of a violation."""


@dataclass(frozen=True)
class Judged:
    """What came of checking a subject; where `error` is not empty it could not be checked."""

    title: str = ""
    """Subject, version, shape, seed and dialect, in one line."""
    findings: Mapping[str, Finding] | None = None
    """By the law's name."""
    error: str = ""

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> "Judged":
        """Back from JSON."""
        told: dict[str, dict[str, Any]] | None = document["findings"]
        if told is None:
            return cls(document["title"], None, document["error"])
        findings = {name: Finding(f["outcome"], f["summary"], tuple(f["lines"])) for name, f in told.items()}
        return cls(document["title"], findings)


@dataclass(frozen=True)
class Settings:
    """How a subject is checked. `operations`: None for as many as its kind is usually given; `seconds`: the time limit
    for making a violation of each law short; `output`: where witnesses are kept.
    """

    seed: int = 0
    operations: int | None = None
    seconds: float = 20.0
    output: Path = Path("heaplaw-out")


def dialect(shape: str, dialects: int = 0, offers: frozenset[str] = frozenset()) -> str:
    """By which texts a subject is judged, where standards and manuals differ."""
    if dialects:
        return named(dialects)
    if shape == "malloc":
        return UNDECLARED
    if shape == "lua_alloc":
        return "Lua 5.1 to 5.3" if "shrinks" in offers else "Lua 5.4"
    return PROMISES


def dialect_of(subject: "ProcessSubject") -> str:
    """By which texts a subject is judged."""
    return dialect(subject.shape.name, int(subject.env.dialects), subject.offers)


def title(subject: "ProcessSubject", seed: int) -> str:
    """What is judged: subject, version, shape, seed and dialect."""
    shape = subject.shape.name
    return f"{subject.identity}   shape {shape}   seed {seed}   dialect {dialect_of(subject)}"


@dataclass(frozen=True)
class Clause:
    """One item: a law; or what one dialect says in its place."""

    law: str
    dialect: str = ""
    """Empty: those in force."""

    @property
    def id(self) -> str:
        """HL902-zero_resize_answered, or HL902-zero_resize_answered@C17: it does not change from release to release."""
        found = law(self.law)
        return f"{found.id}-{found.name}" + (f"@{self.dialect.replace(' ', '-')}" if self.dialect else "")


def clauses(shape: str) -> list[Clause]:
    """The items of a shape, in order of the laws' ids: each law, and each dialect that says something of it."""
    found: list[Clause] = []
    for item in laws_of(SHAPES[shape].name, scenes=True):
        found.append(Clause(item.name))
        found += [Clause(item.name, name) for name in item.dialects if shape == "lua_alloc"]
        found += [Clause(item.name, NAMES[dialect]) for dialect in item.clauses]
    return found


def finding_of(judged: Judged, clause: Clause, own: str) -> Finding:
    """What came of an item; `own`: the dialects in force."""
    found = law(clause.law)
    if clause.dialect in found.dialects:
        return Finding("not applicable", f"judged by {own}; {clause.dialect}, {found.dialects[clause.dialect]}")
    assert judged.findings is not None
    if not clause.dialect:
        return judged.findings[clause.law]
    whole, part = judged.findings[clause.law], judged.findings.get(f"{clause.law}@{clause.dialect}")
    return part or replace(whole, outcome="not applicable" if whole.outcome != "undecided" else whole.outcome)


def run(subject: "ProcessSubject", settings: Settings) -> Judged:
    """Check a subject, and close it; KeyboardInterrupt when the user interrupts."""
    from heaplaw.check import check
    from heaplaw.errors import HostError, UsageError

    try:
        report = check(subject, settings.seed, settings.operations, seconds=settings.seconds)
        if report.interrupted:
            raise KeyboardInterrupt
        return Judged(title(subject, settings.seed), _findings(report, settings))
    except (HostError, UsageError) as error:
        return Judged(title(subject, settings.seed), error=str(error))
    except Exception as error:
        if os.environ.get("HEAPLAW_TRACEBACK"):
            raise
        said = f"heaplaw itself failed: {type(error).__name__}: {error}"
        return Judged(error=f"{said} (please report it; HEAPLAW_TRACEBACK=1 shows where)")
    finally:
        subject.close()


def _findings(report: "Report", settings: Settings) -> dict[str, Finding]:
    """A finding for every law of a report."""
    from heaplaw.check import APART
    from heaplaw.report import unmet
    from heaplaw.spec.history import Completed
    from heaplaw.spec.verdict import Error, Holds, NotApplicable, Unknown, Violated

    unkept = {} if report.short else {verdict.law: reason for verdict, reason in unmet(report)}
    witnessed = _witnessed(report, settings)
    ended = any(not isinstance(end, Completed) for profile, end in report.ends if profile not in APART)
    short = ENDED if ended else MORE
    findings: dict[str, Finding] = {}
    for verdict in report.verdicts:
        name, outcome, stated = verdict.law, verdict.outcome, law(verdict.law)
        if name in unkept:
            now = "does not apply" if isinstance(outcome, NotApplicable) else "holds"
            text = f"{stated.id} {name} {now}, and was expected to be violated"
            findings[name] = Finding("gone", f"{text} ({unkept[name]}); take the expectation out")
        elif isinstance(outcome, Violated):
            known = report.expected.get(name)
            findings[name] = Finding("expected", known.reason) if known else witnessed[name]
        elif isinstance(outcome, Holds):
            findings[name] = Finding("holds", f"tested on {verdict.evidence}")
        elif isinstance(outcome, NotApplicable):
            findings[name] = Finding("not applicable", outcome.why)
        else:
            assert isinstance(outcome, Unknown | Error)
            findings[name] = Finding("undecided", f"{stated.id} {name} not decided: {outcome.why}", (short,))
    return findings | _by_dialect(report)


def _by_dialect(report: "Report") -> dict[str, Finding]:
    """A finding for each dialect that speaks of a law where they differ: in force it is judged, else skipped."""
    from heaplaw.terminal.clauses import forces, spoken

    findings: dict[str, Finding] = {}
    for one in spoken(report):
        stated, said, known = one.law, one.said, report.expected.get(one.law.name)
        head = f"{stated.id} {stated.name} {'forbidden' if said.broken else 'allowed'} by {one.name}"
        told = f"{head}: {'; '.join(said.forbidden or report.clauses.answers[stated.name])}"
        if not report.subject.env.dialects or one.dialect not in forces(report, stated):
            findings[f"{stated.name}@{one.name}"] = Finding("not applicable", f"not in force; {told}")
        elif not said.broken:
            findings[f"{stated.name}@{one.name}"] = Finding("holds", f"tested on {said.judged:,} operations")
        elif known:
            findings[f"{stated.name}@{one.name}"] = Finding("expected", known.reason)
        else:
            lines = (told, "", f"    clause    {one.name} {one.text}", f"    see       {stated.id}-{stated.name}")
            findings[f"{stated.name}@{one.name}"] = Finding("violated", told, lines)
    return findings


def _witnessed(report: "Report", settings: Settings) -> dict[str, Finding]:
    """The violations with their witnesses, by law."""
    from heaplaw.errors import UsageError
    from heaplaw.report import failure
    from heaplaw.store import document_of, save
    from heaplaw.terminal.facts import causes

    subject = report.subject
    found: dict[str, Finding] = {}
    for group in causes(report.witnesses):
        for witness in group:
            path: Path | None = None
            try:
                path = save(
                    settings.output,
                    document_of(witness, report.subject_of(witness).spec, subject.identity, settings.seed),
                )
                kept: list[str] = []
            except UsageError as error:
                kept = [f"    not kept  {error}"]
            also = [other.law for other in group if other is not witness]
            seen = failure(subject, witness, path, also, said=report.said(witness))
            lines = (title(subject, settings.seed), "", *seen, *kept)
            found[witness.law] = Finding("violated", heading(seen), lines)
    return found
