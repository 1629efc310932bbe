"""The kill matrix in words, 80 columns wide, and as one JSON document."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from heaplaw.spec.catalogue import law

from .matrix import Matrix, Row, first

__all__ = ["document", "lines"]

LETTERS = {"machine": "m", "explore": "e", "check": "c", "session": "s"}
"""What stands in a cell for each engine."""
NAME = 33
"""Columns of a mutant's name."""


def document(matrix: Matrix) -> dict[str, Any]:
    """Everything, for programs."""
    return {
        "sound": matrix.sound,
        "mutants": [_entry(row) for row in matrix.rows],
        "survivors": [row.case.name for row in matrix.survivors],
        "laws": {name: _killed_by(matrix, name) for name in matrix.laws},
        "laws without a mutant": matrix.unmade,
        "laws that kill nothing": matrix.idle,
        "left out": [case.name for case in matrix.left_out],
        "not looked at": matrix.unseen,
    }


def _entry(row: Row) -> dict[str, Any]:
    return {
        "name": row.case.name,
        "source": row.case.source.value,
        "group": row.case.group,
        "summary": row.case.summary,
        "made for": row.case.law,
        "killed": row.killed,
        "kills": [{"law": kill.law, "engine": kill.engine, "operations": kill.operations} for kill in row.kills],
        "broken": sorted(row.broken),
    }


def _killed_by(matrix: Matrix, name: str) -> list[str]:
    """The mutants that broke a law."""
    return [row.case.name for row in matrix.rows if name in row.broken]


def lines(matrix: Matrix) -> list[str]:
    """A table for each kind of allocator, then what is wrong."""
    found = [
        "a row a mutant, a column a law by its number: the law that killed it, by e exploration,",
        "c a check, m a Hypothesis machine, s the steps in this process; + broken as well;",
        "then that law, what saw it, and operations of the shortest trace",
    ]
    tables = sorted(matrix.rows, key=lambda row: (row.case.group, row.case.source.value))
    for (group, source), rows in groupby(tables, key=lambda row: (row.case.group, row.case.source)):
        found += ["", *_table(f"{group} ({source.value})", list(rows))]
    return [*found, "", *_closing(matrix)]


def _table(title: str, rows: Sequence[Row]) -> list[str]:
    """Rows are mutants, columns are the laws that one of them broke; on the right the shortest witness."""
    laws = sorted({name for row in rows for name in row.broken | _laws(row)}, key=lambda name: law(name).id)
    numbers = [law(name).id.removeprefix("HL") for name in laws]
    heads = ["".join(column) for column in zip(*numbers, strict=True)] if numbers else []
    top = [f"{'':<{NAME}} {head}" for head in heads]
    top = [f"{title:<{NAME}} {heads[0]}", *top[1:]] if heads and len(title) <= NAME else [title, *top]
    return [line.rstrip() for line in (*top, *(_line(row, laws) for row in rows))]


def _laws(row: Row) -> set[str]:
    return {kill.law for kill in row.kills}


def _line(row: Row, laws: Sequence[str]) -> str:
    letters = {kill.law: LETTERS.get(kill.engine, "?") for kill in reversed(row.kills)}
    cells = "".join(letters.get(name, "+" if name in row.broken else ".") for name in laws)
    best = first(row.kills)
    said = "SURVIVES" if best is None else f"{law(best.law).id} {best.engine} {best.operations}"
    return f"{row.case.name:<{NAME}} {cells} {said}"


def _closing(matrix: Matrix) -> list[str]:
    """What survives, which laws kill nothing, and one line that can be searched for."""
    found = [f"SURVIVES  {row.case.name}: {row.case.summary}; made for {row.case.law}" for row in matrix.survivors]
    found += [f"NO MUTANT {law(name).id} {name}: no mutant was made for it" for name in matrix.unmade]
    found += [f"IDLE      {law(name).id} {name}: it kills no mutant" for name in matrix.idle]
    if matrix.left_out:
        found.append(f"left out  {len(matrix.left_out)} mutants written in C: their library is not built here")
    killed, laws = len(matrix.rows) - len(matrix.survivors), len(matrix.laws) - len(matrix.unmade) - len(matrix.idle)
    asked = f", {laws} of {len(matrix.laws)} laws kill one" if matrix.laws else ""
    rest = f"; interrupted, {matrix.unseen} not looked at" if matrix.unseen else ""
    found.append(f"SUMMARY: heaplaw: {killed} of {len(matrix.rows)} mutants killed{asked}{rest}")
    return found
