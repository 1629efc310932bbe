"""Verdicts in words: plain text, at most 80 columns where names allow it."""

from collections.abc import Sequence
from pathlib import Path
from textwrap import wrap

from heaplaw.spec.catalogue import law
from heaplaw.spec.history import Completed
from heaplaw.spec.law import FACTS, PROMISES
from heaplaw.spec.report import REPORTS
from heaplaw.spec.shapes import CALLS
from heaplaw.spec.shapes import WORDS as WORDS_OF_KINDS
from heaplaw.spec.verdict import Error, Holds, NotApplicable, Unknown, Verdict, Violated

from .check import Report
from .minimise import Witness, involved_ranges
from .picture import heap_text
from .steps import ending, steps_text
from .subjects import ProcessSubject, names_without_calls
from .wording import Wording

SHAPE_WORDS = {CALLS[kind]: word for kind, word in WORDS_OF_KINDS.items()}

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
    subject, shape = report.subject, report.subject.shape
    calls = [name_of_call(name, shape.name) for name in sorted(subject.offers - PROMISES - FACTS)]
    absent = [name_of_call(name, shape.name) for name in names_without_calls(shape, subject.offers)]
    driver = DRIVERS[subject.driver]
    if subject.spec["kind"] == "object" or "python" in subject.spec.get("calls", {}):
        driver = "driver in Python"
    promises = sorted(subject.offers & PROMISES)
    lines = [
        f"{subject.identity}   shape {shape.name}   seed {report.seed}   {driver}",
        *folded("found", calls),
        *folded("absent", absent, " (left out)"),
    ]
    lines += folded("promised", [word.replace(" ", "_") for word in promises]) if shape.name != "malloc" else []
    return lines + [f"note      {note}" for note in subject.notes]


def name_of_call(name: str, shape: str) -> str:
    """What an operation is called where it is not the C library's."""
    return SHAPE_WORDS.get(name, name) if shape not in ("malloc", "lua_alloc") else name


def folded(label: str, words: Sequence[str], ending: str = "") -> list[str]:
    """Words behind a label, over as many lines as they need."""
    lines = wrap(" ".join(words) + ending, 70) if words else []
    return [f"{label if place == 0 else '':<10}{line}" for place, line in enumerate(lines)]


def table(report: Report) -> list[str]:
    """A line a law: outcome, evidence, number judged."""
    lines: list[str] = []
    unreported = [v for v in report.verdicts if isinstance(v.outcome, NotApplicable) and is_on_reports(v, report)]
    for verdict in sorted(report.verdicts, key=lambda v: law(v.law).id):
        if verdict in unreported:
            continue
        outcome, known = verdict.outcome, report.expected.get(verdict.law)
        word = WORDS[type(outcome)]
        evidence = str(verdict.evidence)
        detail = "tested on " + (evidence[:-1] if evidence.startswith("1 ") else evidence)
        if isinstance(outcome, Violated):
            detail += f", broken {outcome.total:,} time{'s' * (outcome.total != 1)}"
            word = "expected" if known else word
        elif isinstance(outcome, Unknown | NotApplicable | Error):
            detail = outcome.why
        lines.append(f"  {law(verdict.law).id}  {verdict.law:<27} {word:<15} {detail}")
        if known and isinstance(outcome, Violated):
            lines += [f"  {'':<49} {part}" for part in wrap(known.reason, 60)]
    if unreported:
        laws = f"{len(unreported)} laws on statistics, leaks, limits, costs"
        lines.append(f"  and    {laws:<43} not applicable: not reported")
    return lines


def is_on_reports(verdict: Verdict, report: Report) -> bool:
    """The law is on what subjects report, or on a limit, and this one does not report that, or has none."""
    return bool((law(verdict.law).needs & (REPORTS | {"limit"})) - report.subject.offers)


def unmet(report: Report) -> list[tuple[Verdict, str]]:
    """Expected violations that did not come, with the reasons for which they were expected."""
    expected = report.expected
    decided = (v for v in report.verdicts if not isinstance(v.outcome, Violated | Unknown))
    return [(verdict, expected[verdict.law].reason) for verdict in decided if verdict.law in expected]


def surprises(report: Report) -> list[str]:
    """What to say of expected violations that did not come. A run shorter than those that are made when nothing is said
    may just not have met them.
    """
    lines: list[str] = []
    for verdict, reason in unmet(report):
        text = f"{law(verdict.law).id} {verdict.law}: {WORDS[type(verdict.outcome)]}"
        whole = f"{text}, though a violation is expected ({reason}); remove the [[expect]]"
        short = f"{text} in this short run; a violation is expected, and whether it is gone only a whole run tells"
        lines += wrap(short if report.short else whole, 80)
    return lines


def counts(report: Report) -> str:
    """The verdicts, counted."""
    kinds = [type(verdict.outcome) for verdict in report.verdicts]
    expected = kinds.count(Violated) - len(report.broken)
    parts = [f"{kinds.count(Holds)} hold", f"{len(report.broken)} violated"]
    parts += [f"{expected} violated as expected"] if expected else []
    parts += [f"{kinds.count(k)} {WORDS[k]}" for k in (Unknown, NotApplicable, Error) if kinds.count(k)]
    return ", ".join(parts)


def matrix(reports: Sequence[Report]) -> list[str]:
    """A line a law, a column a subject: several tables, one below the other, where they would be too wide."""
    names = [report.subject.name or report.subject.identity for report in reports]
    wide = max(8, *(len(name) for name in names))
    most = max(1, (80 - 35) // (wide + 2))
    lines: list[str] = []
    for start in range(0, len(reports), most):
        part = list(zip(names, reports, strict=True))[start : start + most]
        cells = {name: {v.law: cell(v, report) for v in report.verdicts} for name, report in part}
        told = {v.law for _, report in part for v in report.verdicts if not is_on_reports(v, report)}
        laws = sorted(told, key=lambda name: law(name).id)
        lines += [f"{'':<35}" + "  ".join(f"{name:<{wide}}" for name, _ in part)]
        lines += [
            f"{law(name).id}  {name:<28}" + "  ".join(f"{cells[of].get(name, '-'):<{wide}}" for of, _ in part)
            for name in laws
        ]
        lines.append("")
    return [line.rstrip() for line in lines] + [
        "- the law does not apply: to the shape, or without what is absent or not promised"
    ]


def cell(verdict: Verdict, report: Report) -> str:
    """One word for a verdict."""
    if isinstance(verdict.outcome, Violated):
        return "expected" if verdict.law in report.expected else "VIOLATED"
    return "-" if isinstance(verdict.outcome, NotApplicable) else WORDS[type(verdict.outcome)]


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


def failure(subject: ProcessSubject, witness: Witness, where: Path | None, also: Sequence[str] = ()) -> list[str]:
    """A broken law: what was seen, the trace, the heap, the exact sizes, and what to type next."""
    broken = law(witness.law)
    violation, history = witness.violation, witness.history
    observed = observed_text(witness)
    steps = steps_text(history, violation.operations, broken.name, Wording.of(subject))
    lines = [f"{broken.id} {broken.name} VIOLATED: {observed}", "", *steps]
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
        parts = [text] if whole else wrap(text, 80 - 14)
        lines += [f"    {name if k == 0 else '':<8}  {part}" for k, part in enumerate(parts)]
    if subject.spec["kind"] == "mapping":
        lines += [f'    known?    [[expect]] law = "{broken.id}", reason = "…" in the mapping, each on its own line']
    return lines


def summary(report: Report) -> str:
    """One line that can be searched for."""
    if not report.broken:
        return f"SUMMARY: heaplaw: {report.subject.identity}: {counts(report)}"
    names = ", ".join(f"{law(v.law).id} {v.law}" for v in report.broken)
    return f"SUMMARY: heaplaw: {report.subject.identity}: VIOLATED {names}"


def closing(report: Report) -> list[str]:
    """Counts, time, and how runs ended that did not end well."""
    lines = [
        f"{report.operations:,} operations, {report.seconds:.1f} s: {counts(report)}",
    ]
    for profile, end in report.ends:
        if not isinstance(end, Completed) and profile != "first":
            lines.append(f"the {profile} run ended at operation {end.op:,}; later operations were not judged")
    if report.last_words:
        lines.append(f"the subject's last words: {report.last_words}")
    return lines


__all__ = ["closing", "counts", "ending", "failure", "header", "matrix", "summary", "surprises", "table", "unmet"]
