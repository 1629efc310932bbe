"""What there is to say of a report and its witnesses, in words and numbers: text and JSON are made of these."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from heaplaw.check import Report
from heaplaw.minimise import Witness, involved_ranges
from heaplaw.spec.catalogue import law
from heaplaw.spec.history import Completed
from heaplaw.spec.law import FACTS, PROMISES
from heaplaw.spec.report import REPORTS
from heaplaw.spec.shapes import CALLS
from heaplaw.spec.shapes import WORDS as WORDS_OF_KINDS
from heaplaw.spec.verdict import Error, Holds, NotApplicable, Unknown, Verdict, Violated
from heaplaw.steps import ending
from heaplaw.subjects import names_without_calls

SHAPE_WORDS = {CALLS[kind]: word for kind, word in WORDS_OF_KINDS.items()}
WORDS = {
    Holds: "holds",
    Violated: "VIOLATED",
    Unknown: "unknown",
    NotApplicable: "not applicable",
    Error: "error",
}
DRIVERS = {"native": "driver in C", "python": "driver in Python: slower; no compiled driver here"}
CONSTANT = "constant cost"
"""What laws on costs need: that some cost is promised, constant or amortised."""


def driver_of(report: Report) -> str:
    """What ran the subject."""
    subject = report.subject
    python = subject.spec["kind"] == "object" or "python" in subject.spec.get("calls", {})
    return "driver in Python" if python else DRIVERS[subject.driver]


def name_of_call(name: str, shape: str) -> str:
    """What an operation is called where it is not the C library's."""
    return SHAPE_WORDS.get(name, name) if shape not in ("malloc", "lua_alloc") else name


def found(report: Report) -> list[str]:
    """The operations and counters that the subject has."""
    subject = report.subject
    return [name_of_call(name, subject.shape.name) for name in sorted(subject.offers - PROMISES - FACTS)]


def absent(report: Report) -> list[str]:
    """The operations of the shape that it lacks."""
    subject = report.subject
    return [name_of_call(name, subject.shape.name) for name in names_without_calls(subject.shape, subject.offers)]


def promises(report: Report) -> list[str]:
    """What it promises, by the names that laws need; of costs, which they are."""
    offered = report.subject.offers & PROMISES
    costs = {f"{word} cost" for word in report.subject.cost.values()} if CONSTANT in offered else set[str]()
    return sorted((offered - {CONSTANT}) | costs if costs else offered)


def is_on_reports(verdict: Verdict, report: Report) -> bool:
    """The law is on what subjects report, or on a limit, and this one does not report that, or has none."""
    return bool((law(verdict.law).needs & (REPORTS | {"limit"})) - report.subject.shown)


def unmet(report: Report) -> list[tuple[Verdict, str]]:
    """Expected violations that did not come, with the reasons for which they were expected."""
    expected = report.expected
    decided = (v for v in report.verdicts if not isinstance(v.outcome, Violated | Unknown))
    return [(verdict, expected[verdict.law].reason) for verdict in decided if verdict.law in expected]


def tallied(report: Report) -> dict[str, int]:
    """The verdicts, counted: an expected violation is no violation here."""
    kinds = [type(verdict.outcome) for verdict in report.verdicts]
    return {
        "holds": kinds.count(Holds),
        "violated": len(report.broken),
        "expected": kinds.count(Violated) - len(report.broken),
        "unknown": kinds.count(Unknown),
        "not-applicable": kinds.count(NotApplicable),
        "error": kinds.count(Error),
    }


def counts(report: Report) -> str:
    """The verdicts, counted, in words."""
    found = tallied(report)
    parts = [f"{found['holds']} hold", f"{found['violated']} violated"]
    parts += [f"{found['expected']} violated as expected"] if found["expected"] else []
    rest = ((Unknown, "unknown"), (NotApplicable, "not-applicable"), (Error, "error"))
    parts += [f"{found[name]} {WORDS[kind]}" for kind, name in rest if found[name]]
    return ", ".join(parts)


def observed_text(witness: Witness) -> str:
    """What was observed; with how the run ended, if it ended there."""
    history, text = witness.history, witness.violation.observed
    if not isinstance(history.end, Completed) and history.end.op in witness.violation.operations:
        return text if ending(history) in text else f"{text} ({ending(history)})"
    return text


def sizes_text(witness: Witness) -> list[str]:
    """The sizes that fail, steps with the same answer together."""
    steps: dict[str, list[str]] = {}
    for found in involved_ranges(witness.ranges, witness.trace):
        steps.setdefault(str(found), []).append(str(found.op + 1))
    return [f"step{'s' * (len(of) > 1)} {', '.join(of)}: {text}" for text, of in steps.items()]


def found_text(witness: Witness) -> str:
    """How the trace was found, and how surely it shows the fault."""
    failed, runs = witness.replayed
    n = len(witness.trace)
    text = f"{n:,} step{'s' * (n != 1)}"
    text += f", shrunk from {witness.shrunk_from:,}" if witness.runs else ", not shrunk"
    text += " (stopped early)" if witness.runs and not witness.complete else ""
    if runs:
        text += f"; replayed {failed} of {runs} times" + ("" if failed == runs else ": not deterministic")
    return text


def causes(witnesses: Sequence[Witness]) -> list[list[Witness]]:
    """Witnesses, those of the same steps together."""
    groups: dict[tuple[Any, ...], list[Witness]] = {}
    for witness in witnesses:
        trace = witness.trace
        steps = tuple(trace.op(index) for index in range(min(len(trace), 200)))
        groups.setdefault((len(trace), steps), []).append(witness)
    return list(groups.values())


@dataclass(frozen=True)
class Failure:
    """One cause: the witness that is told, the other laws that its steps break, and where it is stored."""

    witness: Witness
    also: tuple[str, ...] = ()
    path: Path | None = None
    """None where it could not be stored."""
    said: str = ""
    """What a Python object answered instead of a block, in its own words."""
