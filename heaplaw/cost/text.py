"""What was counted, and a broken promise, as lines and as JSON."""

from collections.abc import Sequence
from textwrap import wrap
from typing import Any

from heaplaw.spec.catalogue.cost import in_words, instructions_bounded
from heaplaw.spec.shapes import WORDS, Kind
from heaplaw.spec.verdict import Unknown, Violated
from heaplaw.subjects import ProcessSubject
from heaplaw.terminal.marked import Marked, Role, mark
from heaplaw.terminal.page import PLAIN, Page

from .callgrind import Compared
from .figures import Row, figures, table
from .judged import AMORTISED, Judged
from .measure import Costs, Point

__all__ = ["compared_lines", "document", "failure", "lines", "subject_document"]

LABELS = 14
"""Columns of the words before what is said of a failure."""


def failure(subject: ProcessSubject, judged: Judged, page: Page = PLAIN) -> list[Marked]:
    """A broken promise: what was counted, what was required, and what to type next."""
    law, (first, *_) = instructions_bounded, judged.tally.violations
    verdict = f"{law.id} {law.name} VIOLATED: {first.observed}"
    found = [mark(text, Role.BROKEN) for text in wrap(verdict, page.columns, subsequent_indent=" " * 4)]
    found += [Marked(""), *(Marked(line) for line in figures(judged.broken)), Marked("")]
    medians = all(judged.promised[Kind(cost.kind)] == AMORTISED for cost in judged.broken)
    rows = [("law", law.sentence), ("source", law.source), ("observed", first.observed), ("required", first.required)]
    rows += [("counted", "the median call" if medians else "the worst call of each size; no time")]
    name = subject.name or subject.identity
    rows += [("again", f"heaplaw cost {name}"), ("why", f"heaplaw explain {law.id}")]
    if subject.spec["kind"] == "mapping":
        rows += [("known?", f'[[expect]] law = "{law.id}", reason = "…" in the mapping, each on its own line')]
    return [*found, *(line for label, text in rows for line in labelled(label, text, page))]


def labelled(name: str, text: str, page: Page) -> list[Marked]:
    """A row of a failure; what is to be copied is never broken over lines."""
    copied = name in ("again", "why")
    parts = [text] if copied else wrap(text, page.columns - LABELS)
    role = Role.COMMAND if copied else Role.STRONG if name == "observed" else None
    return [mark(f"    {name if at == 0 else '':<8}  ", Role.LABEL) + mark(part, role) for at, part in enumerate(parts)]


def rows_of(costs: Costs, median: bool) -> list[Row]:
    """A row for each operation and form of the heap: of the median call, or of the worst."""
    return [
        Row(kind, form, tuple((p.blocks, p.median if median else p.worst) for p in points), costs.cap)
        for (kind, form), points in costs.rows.items()
    ]


def lines(identity: str, shape: str, judged: Judged, page: Page = PLAIN) -> list[Marked]:
    """All that was counted of one subject, and the law's word where something is promised."""
    costs = judged.costs
    found = [mark(f"{identity}   shape {shape}", Role.STRONG)]
    if costs.points:
        sizes = sorted({point.blocks for point in costs.points})
        numbers = ", ".join(f"{n:,}" for n in sizes)
        told = f"Instructions of a call with {numbers} blocks in the heap (free ones, where it is nearly full); times: "
        told += "the most over the fewest."
        found += [Marked(text) for text in wrap(told, page.columns)]
        for title, median in (("the worst call", False), ("the median call", True)):
            rows = rows_of(costs, median)
            text = table(rows, 0 if page.narrow else page.columns)
            found += [Marked(""), mark(title, Role.LABEL), *map(Marked, text)]
    if costs.why:
        found += [Marked(""), *(mark(text, Role.UNDECIDED) for text in wrap(f"not counted: {costs.why}", page.columns))]
    if costs.left:
        told = f"left out, since a promise is broken: {', '.join(costs.left)}"
        found += [Marked(""), *map(Marked, wrap(told, page.columns, subsequent_indent="    "))]
    return [*found, Marked(""), *verdict_lines(judged, page)]


def verdict_lines(judged: Judged, page: Page) -> list[Marked]:
    """What is promised, and whether it is kept."""
    law = instructions_bounded
    if not judged.promised:
        return [Marked(f"no cost is promised: {law.id} {law.name} does not apply")]
    words = ", ".join(f"{WORDS[kind]} {word}" for kind, word in sorted(judged.promised.items()))
    found = [Marked(text) for text in wrap(f"promised: {words}", page.columns, subsequent_indent="  ")]
    if judged.broken:
        first = judged.tally.violations[0]
        told = f"{law.id} {law.name} VIOLATED: {first.observed}; required: {first.required}"
        return [*found, *(mark(text, Role.BROKEN) for text in wrap(told, page.columns, subsequent_indent="    "))]
    if judged.tally.why:
        told = f"{law.id} {law.name} unknown: {judged.tally.why}"
        return [*found, *(mark(text, Role.UNDECIDED) for text in wrap(told, page.columns, subsequent_indent="    "))]
    note = f"; {judged.tally.note} alone" if judged.tally.note else ""
    told = f"{law.id} {law.name} holds: tested on {judged.tally.judged:,} costs{note}"
    return [*found, *(mark(text, Role.HELD) for text in wrap(told, page.columns, subsequent_indent="    "))]


def document(costs: Costs, judged: Judged) -> dict[str, Any]:
    """What was counted, as JSON."""
    return {
        "cap": costs.cap,
        "why": costs.why or None,
        "left_out": list(costs.left),
        "points": [point_of(point, costs) for points in costs.rows.values() for point in points],
        "promised": {WORDS[kind]: word for kind, word in sorted(judged.promised.items())},
        "broken": [
            {
                "operation": WORDS[Kind(cost.kind)],
                "heap": in_words(cost.form),
                "observed": instructions_bounded.observed(cost),
                "required": instructions_bounded.required(cost),
            }
            for cost in judged.broken
        ],
    }


def point_of(point: Point, costs: Costs) -> dict[str, Any]:
    """One operation at one size of the heap; null where it took more than the cap."""

    def told(count: int) -> int | None:
        return count if count <= costs.cap else None

    return {
        "operation": WORDS[point.kind],
        "heap": in_words(point.form),
        "blocks": point.blocks,
        "worst": told(point.worst),
        "median": told(point.median),
        "calls": [told(count) for count in point.counts],
    }


def compared_lines(both: Sequence[Compared]) -> list[Marked]:
    """The cross-check: the same calls counted twice."""
    found = [mark("the same calls by single steps, by Callgrind, and the difference", Role.LABEL)]
    width = max((len(WORDS[each.kind]) for each in both), default=0)
    for each in both:
        differing = sorted(set(each.differences) - {0})
        told = "equal" if not differing else "differs by " + ", ".join(f"{number:+d}" for number in differing)
        steps, others = sum(each.steps), sum(each.callgrind)
        calls = f"{len(each.steps)} call{'s' * (len(each.steps) != 1)}"
        name = f"    {WORDS[each.kind]:<{width}}  {each.blocks:>4} live"
        found.append(Marked(f"{name}  {calls}  {steps:>7,}  {others:>7,}  {told}"))
    return found


def subject_document(subject: ProcessSubject, judged: Judged, both: Sequence[Compared] | None = None) -> dict[str, Any]:
    """All that was counted of one subject, as JSON; with the cross-check, where it was made."""
    outcome = judged.tally.verdict().outcome
    word = "violated" if isinstance(outcome, Violated) else "unknown" if isinstance(outcome, Unknown) else "holds"
    told: dict[str, Any] = {
        "subject": {"identity": subject.identity, "shape": subject.shape.name},
        "outcome": word if judged.promised else "not-applicable",
        **document(judged.costs, judged),
    }
    if both is None:
        return told
    return {
        **told,
        "callgrind": [
            {
                "operation": WORDS[each.kind],
                "heap": in_words(each.form),
                "blocks": each.blocks,
                "steps": list(each.steps),
                "callgrind": list(each.callgrind),
            }
            for each in both
        ],
    }
