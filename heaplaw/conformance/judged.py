"""One check of one subject, as findings: a law each, in words that test runners show."""

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from heaplaw.spec.catalogue import law, laws_of
from heaplaw.spec.shapes import SHAPES

from .failures import heading

if TYPE_CHECKING:
    from heaplaw.check import Report
    from heaplaw.subjects import ProcessSubject

Outcome: TypeAlias = Literal["holds", "violated", "expected", "gone", "undecided", "not applicable"]
"""`gone`: a violation was expected, and none came."""
FAMILIES: Mapping[str, tuple[str, ...]] = {"malloc": ("C17", "C23"), "lua_alloc": ("Lua 5.1", "Lua 5.4")}
"""The dialects of a law that speak of each shape, by how their names begin."""
PROMISES = "its promises"
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


def dialect(shape: str, offers: frozenset[str] = frozenset()) -> str:
    """By which text a subject is judged, where standards and manuals differ."""
    if shape == "malloc":
        return "C23"
    if shape == "lua_alloc":
        return "Lua 5.1 to 5.3" if "shrinks" in offers else "Lua 5.4"
    return PROMISES


def title(subject: "ProcessSubject", seed: int) -> str:
    """What is judged: subject, version, shape, seed and dialect."""
    shape = subject.shape.name
    return f"{subject.identity}   shape {shape}   seed {seed}   dialect {dialect(shape, subject.offers)}"


@dataclass(frozen=True)
class Clause:
    """One item: a law; or what another dialect than the one judged says in its place."""

    law: str
    dialect: str = ""
    """Empty: the one judged."""

    @property
    def id(self) -> str:
        """HL101-aligned, or HL101-aligned@C17: it does not change from release to release."""
        found = law(self.law)
        return f"{found.id}-{found.name}" + (f"@{self.dialect.replace(' ', '-')}" if self.dialect else "")


def clauses(shape: str, judged: str = "") -> list[Clause]:
    """The items of a shape, in order of the laws' ids. `judged`: the dialect; the shape's own when left out."""
    own = judged or dialect(shape)
    found: list[Clause] = []
    for item in sorted(laws_of(SHAPES[shape].name), key=lambda one: one.id):
        found.append(Clause(item.name))
        others = (name for name in item.dialects if name.startswith(FAMILIES.get(shape, ())) and name != own)
        found += [Clause(item.name, name) for name in others]
    return found


def finding_of(judged: Judged, clause: Clause, own: str) -> Finding:
    """What came of an item."""
    found = law(clause.law)
    if clause.dialect:
        return Finding("not applicable", f"judged by {own}; {clause.dialect}, {found.dialects[clause.dialect]}")
    assert judged.findings is not None
    return judged.findings[clause.law]


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
    from heaplaw.report import unmet
    from heaplaw.spec.history import Completed
    from heaplaw.spec.verdict import Error, Holds, NotApplicable, Unknown, Violated

    unkept = {} if report.short else {verdict.law: reason for verdict, reason in unmet(report)}
    witnessed = _witnessed(report, settings)
    ended = any(not isinstance(end, Completed) for profile, end in report.ends if profile != "first")
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
