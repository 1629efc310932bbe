"""The matrix in words, for a page of a width, and as one JSON document."""

import textwrap
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from heaplaw.schemas import envelope
from heaplaw.spec.law import AnyLaw
from heaplaw.terminal.marked import Marked, Role, mark
from heaplaw.terminal.page import PLAIN, Page

from .items import BROKEN, ENGINES, HARNESS, SHOWN, UNDECIDED, Item, Matrix

__all__ = ["cell", "closing", "document", "lines", "short", "subject_cell", "whole"]

NAME = 26
"""Columns of a law's name."""
COLUMN = 8
"""Columns of an engine; the first has one less, which the law's name leaves it."""
DONE = {
    "prove": "proved, for every state, size and capacity",
    "confirm": "confirmed over all paths",
    "explore": "exhausted: every state judged",
    "machine": "tested on random operations, no counterexample found in this run",
    "check": "tested on histories, no counterexample found in this run",
    "mutants": "killed by the law, of those made for it",
}
"""What a number without brackets means."""


def cell(items: Sequence[Item], ran: bool, engine: str = "") -> str:
    """One law and engine: `-` nothing to ask, `(n)` n can be asked, `n` all n are shown, `m/n` m of them are."""
    if not items:
        return "-"
    if not ran:
        return f"({len(items)})"
    outcomes = [item.outcome for item in items]
    if BROKEN.intersection(outcomes):
        return "BROKEN"
    if HARNESS in outcomes:
        return "ERROR"
    shown = sum(outcome in SHOWN for outcome in outcomes)
    return f"{shown}/{len(items)}" if shown < len(items) or engine == "mutants" else str(shown)


def short(count: int) -> str:
    """A count in at most four characters: 980, 645k, 437M."""
    for unit, word in ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "k")):
        if count >= unit:
            return f"{count // unit}{word}"
    return str(count)


def subject_cell(item: Item | None) -> str:
    """One law and subject: how much was judged, or what came of it."""
    if item is None or item.outcome == "not applicable":
        return "-"
    if item.outcome in SHOWN:
        return short(item.count)
    return "BROKEN" if item.outcome in BROKEN else "ERROR" if item.outcome == HARNESS else item.outcome


def lines(matrix: Matrix, page: Page = PLAIN) -> list[Marked]:
    """A line a law, a column an engine; the subjects' table below; what the numbers mean; one line to search for.

    Names of laws are left out on narrow pages.
    """
    names = 0 if page.narrow else NAME
    found = [Marked(" " * (6 + names)) + _row([*ENGINES])]
    for law in matrix.laws:
        cells = [cell(matrix.items(engine, law), engine in matrix.ran, engine) for engine in ENGINES]
        found.append(_head(law, names) + _row(cells))
    if matrix.subjects:
        found += [Marked(""), *_subjects(matrix, names, page.columns)]
    found += [Marked(""), *_legend(matrix, page.columns)]
    return [*(line.rstrip() for line in found), *closing(matrix)]


def _row(cells: Sequence[str]) -> Marked:
    """A table's cells."""
    line = Marked("")
    for place, text in enumerate(cells):
        line += " " * (COLUMN - (not place) - len(text)) + mark(text, role_of(text))
    return line


def role_of(text: str) -> Role | None:
    """What a cell is, for colours; its words say it too."""
    if text in ("BROKEN", "ERROR"):
        return Role.BROKEN
    if text.startswith("(") or text == "-":
        return Role.DIM
    if text == "unknown":
        return Role.UNDECIDED
    return Role.HELD if text[0].isdigit() else None


def _head(law: AnyLaw, names: int) -> Marked:
    return Marked(f"{law.id} {law.name if names else '':<{names}}")


def _subjects(matrix: Matrix, names: int, width: int) -> Iterator[Marked]:
    """Laws that some subject was asked about, and the subjects: several tables where one would be too wide."""
    wide = max(COLUMN, *(len(name) + 2 for name in matrix.subjects))
    most = max(1, (width - 6 - names) // wide)
    asked = [law for law in matrix.laws if _asked(matrix, law)]
    for start in range(0, len(matrix.subjects), most):
        part = matrix.subjects[start : start + most]
        yield Marked(" " * (6 + names) + "".join(f"{name:>{wide}}" for name in part))
        for law in asked:
            by_name = {item.name: item for item in matrix.judged.get(law.name, ())}
            line = _head(law, names)
            for text in (subject_cell(by_name.get(name)) for name in part):
                line += " " * (wide - len(text)) + mark(text, role_of(text))
            yield line


def _asked(matrix: Matrix, law: AnyLaw) -> bool:
    return any(item.outcome != "not applicable" for item in matrix.judged.get(law.name, ()))


def _legend(matrix: Matrix, width: int) -> Iterator[Marked]:
    """What each column counts, and whether it was asked in this run."""
    for engine, what in ENGINES.items():
        yield from _labelled(engine, f"{what}{': ' + DONE[engine] if engine in matrix.ran else ''}", width)
    if any(engine not in matrix.ran for engine in ENGINES):
        yield from _labelled("(n)", "NOT RUN: so many can be asked (--run), and nothing of it is decided", width)
    if matrix.ran:
        yield from _labelled("n, m/n", "all n are shown, m of n are; what is not shown is not decided", width)
    yield from _labelled("-", "there is nothing to ask", width)
    if matrix.ran or matrix.subjects:
        told = "refuted, violated, or a mutant survives; `heaplaw matrix LAW` with the same options names it"
        yield from _labelled("BROKEN", told, width)
    if matrix.subjects:
        told = "operations, pairs or steps judged, no counterexample found in this run; expected: violated, as known"
        yield from _labelled("subjects", told, width)


def _labelled(label: str, text: str, width: int) -> Iterator[Marked]:
    for place, part in enumerate(textwrap.wrap(text, width - 10)):
        yield mark(f"{label if not place else '':<9} ", Role.LABEL) + part


def closing(matrix: Matrix) -> Iterator[Marked]:
    """What is wrong with the whole, what is not decided, and one line that can be searched for."""
    yield from (mark("FAULT", Role.BROKEN) + f"     {fault}" for fault in matrix.faults)
    if matrix.interrupted:
        yield Marked(f"interrupted: not decided: {matrix.interrupted}")
    yield _summary(matrix)


def _summary(matrix: Matrix) -> Marked:
    law = f"{len(matrix.laws)} law{'s' * (len(matrix.laws) != 1)}"
    done = [engine for engine in ENGINES if engine in matrix.ran] + [*matrix.subjects]
    if not done:
        return Marked(f"SUMMARY: heaplaw: {law}, nothing was run (--run ENGINE, or name a subject)")
    names = {each.name for each in matrix.laws}
    tables = [matrix.judged, *(matrix.evidence[engine] for engine in matrix.ran)]
    outcomes = [item.outcome for items in tables for name in names for item in items.get(name, ())]
    broken = sum(outcome in BROKEN for outcome in outcomes) + len(matrix.faults)
    undecided = sum(outcome in UNDECIDED for outcome in outcomes)
    return Marked(f"SUMMARY: heaplaw: {law}, {broken} broken, {undecided} undecided; run: {', '.join(done)}")


# ---- one law, whole


def whole(matrix: Matrix, law: AnyLaw, page: Page = PLAIN) -> list[Marked]:
    """Everything that stands behind one law, by name."""
    width = page.columns
    found = [mark(f"{law.id} {law.name}", Role.STRONG)]
    found += [Marked(f"  {part}") for part in textwrap.wrap(law.sentence, width - 2)]
    for engine, what in ENGINES.items():
        items, ran = matrix.items(engine, law), engine in matrix.ran
        state = cell(items, ran, engine) if items else "none"
        found += [Marked(""), *_titled(engine, state, what if ran or not items else f"{what}; NOT RUN", width)]
        found += _pieces(items, width)
    if matrix.subjects:
        found += [Marked(""), Marked("subjects")]
        found += _pieces(matrix.judged.get(law.name, ()), width)
    return found


def _titled(engine: str, state: str, what: str, width: int) -> Iterator[Marked]:
    for place, part in enumerate(textwrap.wrap(what, width - 17)):
        head = mark(f"{engine:<8}", Role.STRONG) + f"{state:<8} " if not place else Marked(" " * 17)
        yield head + part


def _pieces(items: Sequence[Item], width: int) -> Iterator[Marked]:
    """A line an item; those of one name and one outcome together."""
    left = 38 if width >= PLAIN.columns else 30
    for (name, outcome), group in groupby(items, lambda item: (item.name, item.outcome)):
        detail = ", ".join(dict.fromkeys(item.detail for item in group))
        word = outcome.upper() if outcome in BROKEN else outcome
        text = f"  {name:<{left}} {word + ': ' if word and detail else word}{detail}"
        role = Role.BROKEN if outcome in BROKEN else None
        for part in textwrap.wrap(text, width, subsequent_indent=" " * (left + 3), break_on_hyphens=False):
            yield mark(part, role)


# ---- for programs


def document(matrix: Matrix) -> dict[str, Any]:
    """Everything, for programs: `heaplaw/schemas/matrix.json` says what it looks like."""
    return envelope(
        "matrix",
        {
            "ran": [engine for engine in ENGINES if engine in matrix.ran],
            "subjects": [*matrix.subjects],
            "seed": matrix.seed,
            "faults": [*matrix.faults],
            "laws": [_law(matrix, law) for law in matrix.laws],
        },
    )


def _law(matrix: Matrix, law: AnyLaw) -> dict[str, Any]:
    return {
        "id": law.id,
        "name": law.name,
        "sentence": law.sentence,
        "evidence": {engine: [_entry(item) for item in matrix.items(engine, law)] for engine in ENGINES},
        "subjects": [_entry(item) for item in matrix.judged.get(law.name, ())],
    }


def _entry(item: Item) -> dict[str, Any]:
    """`outcome` is null where nothing was decided."""
    return {"name": item.name, "detail": item.detail, "outcome": item.outcome or None, "count": item.count}
