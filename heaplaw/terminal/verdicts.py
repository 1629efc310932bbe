"""A report and its failures as lines with roles, for a page. Plain text and terminals print the same lines."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from textwrap import wrap

from heaplaw.check import APART, Report
from heaplaw.minimise import Witness
from heaplaw.picture import heap_lines
from heaplaw.spec.catalogue import law
from heaplaw.spec.history import Completed, History
from heaplaw.spec.verdict import Verdict, Violation
from heaplaw.steps import steps_lines
from heaplaw.subjects import ProcessSubject
from heaplaw.wording import Wording

from . import facts
from .marked import Marked, Role, mark
from .page import PLAIN, Page

LABELS = 14
"""Columns of the words before what is said of a failure."""
MOST_DRAWN = 200
"""Histories with more operations are not drawn."""


def header(report: Report, page: Page = PLAIN, version: str = "") -> list[Marked]:
    """What is judged, and how; `version`: of heaplaw, where the text begins with it."""
    subject, shape = report.subject, report.subject.shape.name
    first = [f"heaplaw {version}"] if version else []
    lines = packed([*first, subject.identity, f"shape {shape}", f"seed {report.seed}", facts.driver_of(report)], page)
    lines += folded("found", facts.found(report), page)
    lines += folded("absent", [*facts.absent(report), "(left out)"], page) if facts.absent(report) else []
    promised = [word.replace(" ", "_") for word in facts.promises(report)]
    lines += folded("promised", promised, page) if shape != "malloc" else []
    return lines + [line for note in subject.notes for line in folded("note", note.split(), page)]


def packed(parts: Sequence[str], page: Page) -> list[Marked]:
    """Parts side by side, as many as there is room for; the first of a line is not broken, however long it is."""
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1]) + 3 + len(part) <= page.columns:
            lines[-1] += f"   {part}"
        else:
            lines.append(f"{' ' * 10 if lines else ''}{part}")
    return [mark(line, Role.STRONG) for line in lines]


def folded(label: str, words: Sequence[str], page: Page) -> list[Marked]:
    """Words behind a label, over as many lines as they need; a word is never broken."""
    lines = wrap(" ".join(words), page.columns - 10, break_long_words=False, break_on_hyphens=False)
    return [
        mark(f"{label if place == 0 else '':<10}", Role.LABEL) + mark(line, Role.DIM)
        for place, line in enumerate(lines)
    ]


def failure(
    subject: ProcessSubject,
    witness: Witness,
    where: Path | None,
    also: Sequence[str] = (),
    page: Page = PLAIN,
    said: str = "",
    ruling: Sequence[tuple[str, str]] = (),
) -> list[Marked]:
    """A broken law: what was seen, the trace, the heap, the exact sizes, and what to type next.

    `where`: the stored witness; `also`: laws that the same steps break; `said`: the subject's own words; `ruling`:
    what dialects say of it.
    """
    broken, violation = law(witness.law), replace(witness.violation, observed=facts.observed_text(witness))
    lines, rows = shown(witness.history, violation, Wording.of(subject), page)
    rows += ruling
    rows += [("size", text) for text in facts.sizes_text(witness)]
    rows += [("also", f"{law(name).id} {name} breaks on the same steps") for name in also]
    rows += [("found", facts.found_text(witness))]
    rows += [("again", f"heaplaw replay {where}")] if where is not None else []
    rows += [("why", f"heaplaw explain {broken.id}")]
    if subject.spec["kind"] == "mapping":
        rows += [("known?", f'[[expect]] law = "{broken.id}", reason = "…" in the mapping, each on its own line')]
    rows += [("said", said)] if said else []
    return [*lines, *(line for name, text in rows for line in labelled(name, text, page))]


def shown(
    history: History, violation: Violation, wording: Wording, page: Page
) -> tuple[list[Marked], list[tuple[str, str]]]:
    """A broken law in a history: the verdict, the steps and the heap; then the rows that tell what was asked."""
    broken, guilty = law(violation.law), violation.operations
    verdict = f"{broken.id} {broken.name} VIOLATED: {violation.observed}"
    lines = [mark(text, Role.BROKEN) for text in wrap(verdict, page.columns, subsequent_indent=" " * 4)]
    lines += [Marked(""), *steps_lines(history, guilty, broken.name, wording, page)]
    drawn = heap_lines(history, guilty, page) if len(history) <= MOST_DRAWN else []
    lines += [Marked(""), *drawn, Marked("")] if drawn else [Marked("")]
    rows = [("law", broken.sentence), ("source", broken.source)]
    return lines, [*rows, ("observed", violation.observed), ("required", violation.required)]


def labelled(name: str, text: str, page: Page) -> list[Marked]:
    """A row of a failure; what is to be copied is never broken over lines."""
    copied = name in ("again", "why")
    parts = [text] if copied else wrap(text, page.columns - LABELS)
    role = Role.COMMAND if copied else Role.STRONG if name == "observed" else None
    return [mark(f"    {name if at == 0 else '':<8}  ", Role.LABEL) + mark(part, role) for at, part in enumerate(parts)]


def surprises(report: Report, page: Page = PLAIN) -> list[Marked]:
    """What to say of expected violations that did not come. A run shorter than those that are made when nothing is said
    may just not have met them.
    """
    lines: list[str] = []
    for verdict, reason in facts.unmet(report):
        text = f"{law(verdict.law).id} {verdict.law}: {facts.WORDS[type(verdict.outcome)]}"
        whole = f"{text}, though a violation is expected ({reason}); remove the [[expect]]"
        short = f"{text} in this short run; a violation is expected, and whether it is gone only a whole run tells"
        lines += wrap(short if report.short else whole, page.columns)
    return [mark(line, Role.UNDECIDED) for line in lines]


def closing(report: Report, page: Page = PLAIN) -> list[Marked]:
    """Counts, time, and how runs ended that did not end well."""
    texts = [f"{report.operations:,} operations, {report.seconds:.1f} s: {facts.counts(report)}"]
    for profile, end in report.ends:
        if not isinstance(end, Completed) and profile not in APART:
            texts.append(f"the {profile} run ended at operation {end.op:,}; later operations were not judged")
    texts += [f"the subject's last words: {report.last_words}"] if report.last_words else []
    return [Marked(line) for text in texts for line in wrap(text, page.columns, subsequent_indent="  ")]


def summary(report: Report) -> Marked:
    """One line that can be searched for, however long: what the exit code is for, the gravest first."""
    start = f"SUMMARY: heaplaw: {report.subject.identity}: "
    absent = [] if report.short else [verdict for verdict, _ in facts.unmet(report)]
    parts = [f"expected and not seen {_named(absent)}"] if absent else []
    parts += ["interrupted"] if report.interrupted else []
    if report.broken:
        return start + mark("; ".join([f"VIOLATED {_named(report.broken)}", *parts]), Role.BROKEN)
    open_ = parts or facts.tallied(report)["unknown"]
    return start + mark("; ".join([*parts, facts.counts(report)]), Role.UNDECIDED if open_ else Role.HELD)


def _named(found: Sequence[Verdict]) -> str:
    return ", ".join(f"{law(verdict.law).id} {verdict.law}" for verdict in found)
