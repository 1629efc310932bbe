"""Verdicts in words: plain text, at most 80 columns where names allow it."""

from collections.abc import Sequence
from pathlib import Path
from textwrap import wrap

from heaplaw.spec.catalogue import law
from heaplaw.spec.history import Completed
from heaplaw.spec.verdict import Error, Holds, NotApplicable, Unknown, Verdict, Violated

from .check import Report
from .minimise import Witness, involved_ranges
from .picture import ending, heap_text, steps_text
from .subjects import names_without_calls

WORDS = {
    Holds: "holds",
    Violated: "VIOLATED",
    Unknown: "unknown",
    NotApplicable: "not applicable",
    Error: "error",
}
DRIVERS = {"native": "driver in C", "python": "driver in Python: slower; no compiled driver here"}


def header(report: Report) -> list[str]:
    """What is judged, and how."""
    subject = report.subject
    calls = [name for name in sorted(subject.offers) if name not in ("C functions", "bounds")]
    if subject.shape.name == "pool":
        calls = [{"malloc": "alloc", "free": "dealloc"}.get(name, name) for name in calls]
    absent = names_without_calls(subject.shape, subject.offers)
    driver = DRIVERS[subject.driver]
    if subject.spec["kind"] == "object":
        driver = "driver in Python"
    lines = [
        f"{subject.identity}   shape {subject.shape.name}   seed {report.seed}   {driver}",
        "found   " + " ".join(calls),
    ]
    return lines + (["absent  " + " ".join(absent) + " (left out)"] if absent else [])


def table(verdicts: Sequence[Verdict]) -> list[str]:
    """A line a law: outcome, evidence, number judged."""
    lines: list[str] = []
    for verdict in sorted(verdicts, key=lambda v: law(v.law).id):
        outcome = verdict.outcome
        word = WORDS[type(outcome)]
        evidence = str(verdict.evidence)
        detail = "tested on " + (evidence[:-1] if evidence.startswith("1 ") else evidence)
        if isinstance(outcome, Violated):
            detail += f", broken {outcome.total:,} time{'s' * (outcome.total != 1)}"
        elif isinstance(outcome, Unknown | NotApplicable | Error):
            detail = outcome.why
        lines.append(f"  {law(verdict.law).id}  {verdict.law:<27} {word:<15} {detail}")
    return lines


def counts(verdicts: Sequence[Verdict]) -> str:
    """The verdicts, counted."""
    kinds = [type(verdict.outcome) for verdict in verdicts]
    parts = [f"{kinds.count(Holds)} hold", f"{kinds.count(Violated)} violated"]
    parts += [f"{kinds.count(k)} {WORDS[k]}" for k in (Unknown, NotApplicable, Error) if kinds.count(k)]
    return ", ".join(parts)


def observed_text(witness: Witness) -> str:
    """What was observed; with how the run ended, if it ended there."""
    history, text = witness.history, witness.violation.observed
    if not isinstance(history.end, Completed) and history.end.op in witness.violation.operations:
        return f"{text} ({ending(history)})"
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


def failure(witness: Witness, where: Path | None, also: Sequence[str] = ()) -> list[str]:
    """A broken law: what was seen, the trace, the heap, the exact sizes, and what to type next."""
    broken = law(witness.law)
    violation, history = witness.violation, witness.history
    observed = observed_text(witness)
    lines = [f"{broken.id} {broken.name} VIOLATED: {observed}", "", *steps_text(history, violation.operations)]
    drawn = heap_text(history, violation.operations) if len(history) <= 200 else []
    lines += ["", *drawn, ""] if drawn else [""]
    rows = [("law", broken.sentence), ("source", broken.source)]
    rows += [("observed", observed), ("required", violation.required)]
    rows += [("size", text) for text in sizes_text(witness)]
    rows += [("also", f"{law(name).id} {name} breaks on the same steps") for name in also]
    rows += [("found", found_text(witness))]
    rows += [("again", f"heaplaw replay {where}")] if where is not None else []
    rows += [("why", f"heaplaw laws {broken.id}")]
    for name, text in rows:
        whole = name in ("again", "why")  # to be copied: never broken over lines
        folded = [text] if whole else wrap(text, 80 - 14)
        lines += [f"    {name if k == 0 else '':<8}  {part}" for k, part in enumerate(folded)]
    return lines


def summary(report: Report) -> str:
    """One line that can be searched for."""
    broken = [verdict for verdict in report.verdicts if isinstance(verdict.outcome, Violated)]
    if not broken:
        return f"SUMMARY: heaplaw: {report.subject.identity}: {counts(report.verdicts)}"
    names = ", ".join(f"{law(v.law).id} {v.law}" for v in broken)
    return f"SUMMARY: heaplaw: {report.subject.identity}: VIOLATED {names}"


def closing(report: Report) -> list[str]:
    """Counts, time, and how runs ended that did not end well."""
    lines = [
        f"{report.operations:,} operations, {report.seconds:.1f} s: {counts(report.verdicts)}",
    ]
    for profile, end in report.ends:
        if not isinstance(end, Completed) and profile != "first":
            lines.append(f"the {profile} run ended at operation {end.op:,}; later operations were not judged")
    if report.last_words:
        lines.append(f"the subject's last words: {report.last_words}")
    return lines


__all__ = ["closing", "counts", "ending", "failure", "header", "summary", "table"]
