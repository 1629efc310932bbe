"""The kill matrix in words, 80 columns wide, and as one JSON document; likewise recorded kills that were run again."""

from collections.abc import Sequence
from itertools import groupby
from statistics import median
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from heaplaw.spec.catalogue import law

from .matrix import Kill, Matrix, Row, first

if TYPE_CHECKING:
    from .kills import Again

__all__ = ["again_document", "again_lines", "document", "lines"]

LETTERS = {"machine": "m", "explore": "e", "check": "c", "session": "s"}
"""What stands in a cell for each engine."""
WIDTH = 80
NAME = 33
"""Columns of a mutant's name."""
FIGURES = {"median": "median", "nine of ten within": "ninth", "worst": "worst"}


def document(matrix: Matrix) -> dict[str, Any]:
    """Everything, for programs."""
    return {
        "sound": matrix.sound,
        "mutants": [_entry(row) for row in matrix.rows],
        "totals": _totals(matrix),
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
        "kills": [_kill(kill) for kill in row.kills],
        "broken": sorted(row.broken),
    }


def _kill(kill: Kill) -> dict[str, Any]:
    """One kill; what depends on the machine stands in `run`."""
    run = {} if kill.seconds is None else {"run": {"seconds": round(kill.seconds, 3)}}
    before = {} if kill.before is None else {"seen_after": kill.before}
    return {"law": kill.law, "engine": kill.engine, "operations": kill.operations, **before, **run}


def _totals(matrix: Matrix) -> dict[str, Any]:
    """Of the best kills: how many there are, and three figures of their lengths and times."""
    names = {"operations": "operations", "seen_after": "before"}
    counted = {name: found for name, field in names.items() if (found := _three(matrix, field))}
    seconds = _three(matrix, "seconds")
    run = {"run": {"seconds": {**seconds, **{k: round(seconds[k], 3) for k in ("median", "ninth")}}}} if seconds else {}
    return {"killed": len(matrix.rows) - len(matrix.survivors), "of": len(matrix.rows), **counted, **run}


def _three(matrix: Matrix, field: str) -> dict[str, Any]:
    """Median, ninth decile and worst of a number of the best kills, with the mutant of the worst."""
    found = [(getattr(kill, field), row.case.name) for row in matrix.rows if (kill := first(row.kills))]
    told = sorted((value, name) for value, name in found if value is not None)
    if not told:
        return {}
    values = [value for value, _ in told]
    ninth = values[min(len(values) - 1, 9 * len(values) // 10)]
    worst, name = told[-1]
    return {"median": median(values), "ninth": ninth, "worst": round(worst, 3), "mutant": name}


def _killed_by(matrix: Matrix, name: str) -> list[str]:
    """The mutants that broke a law."""
    return [row.case.name for row in matrix.rows if name in row.broken]


def lines(matrix: Matrix) -> list[str]:
    """A table for each kind of allocator, then what is wrong."""
    found = [
        "a row a mutant, a column a law by its number: the law that killed it, by",
        "e exploration, c a check, m a Hypothesis machine, s the steps in this process;",
        "+ broken as well; then that law, what saw it, and operations of the shortest",
        "trace",
    ]
    tables = sorted(matrix.rows, key=lambda row: (row.case.group, row.case.source.value))
    for (group, source), rows in groupby(tables, key=lambda row: (row.case.group, row.case.source)):
        found += ["", *_table(f"{group} ({source.value})", list(rows))]
    return [*found, "", *_timed(matrix), *_closing(matrix)]


def _timed(matrix: Matrix) -> list[str]:
    """How long each kill took; nothing where no engine tells."""
    rows = [(row, kill) for row in matrix.rows if (kill := first(row.kills)) and kill.seconds is not None]
    if not rows:
        return []
    head = f"{'how soon each was seen':<{NAME}} law   engine  steps     after  seconds"
    found = [head, *(_soon(row, kill) for row, kill in rows), ""]
    for title, field in (("steps", "operations"), ("after operations", "before"), ("seconds", "seconds")):
        if told := _three(matrix, field):
            form = ",.2f" if field == "seconds" else ",.6g"
            figures = ", ".join(f"{name} {told[key]:{form}}" for name, key in FIGURES.items())
            found += _wrapped(f"{title:<17} {figures} ({told['mutant']})", 18)
    return [*found, ""]


def _wrapped(line: str, indent: int) -> list[str]:
    """The line, with what is too wide for it indented below."""
    return wrap(line, WIDTH, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False)


def _soon(row: Row, kill: Kill) -> str:
    before = "" if kill.before is None else f"{kill.before:,}"
    steps = f"{kill.operations:,}"
    return f"{row.case.name:<{NAME}} {law(kill.law).id} {kill.engine:<7} {steps:>5} {before:>9} {kill.seconds:>8.2f}"


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
    told = [f"SURVIVES  {row.case.name}: {row.case.summary}; made for {row.case.law}" for row in matrix.survivors]
    told += [f"NO MUTANT {law(name).id} {name}: no mutant was made for it" for name in matrix.unmade]
    told += [f"IDLE      {law(name).id} {name}: it kills no mutant" for name in matrix.idle]
    found = [line for each in told for line in _wrapped(each, 10)]
    if matrix.left_out:
        found.append(f"left out  {len(matrix.left_out)} mutants written in C: their library is not built here")
    killed, laws = len(matrix.rows) - len(matrix.survivors), len(matrix.laws) - len(matrix.unmade) - len(matrix.idle)
    asked = f", {laws} of {len(matrix.laws)} laws kill one" if matrix.laws else ""
    rest = f"; interrupted, {matrix.unseen} not looked at" if matrix.unseen else ""
    found.append(f"SUMMARY: heaplaw: {killed} of {len(matrix.rows)} mutants killed{asked}{rest}")
    return found


# ---- recorded kills


def again_document(found: "Sequence[Again]") -> dict[str, Any]:
    """What recorded kills show now, for programs."""
    return {
        "sound": all(each.sound for each in found),
        "kills": [
            {
                "id": each.kill.id,
                "mutant": each.kill.mutant,
                "law": each.kill.law,
                "steps": len(each.kill.trace),
                "broken again": each.broken,
                "alarms": list(each.alarms),
            }
            for each in found
        ],
    }


def again_lines(found: "Sequence[Again]") -> list[str]:
    """What recorded kills show now: a line for each kind of allocator, then what is not as it was."""
    shapes = sorted({each.kill.trace.shape for each in found})
    told = [f"{'recorded kills':<16} {'run':>5} {'broke again':>12} {'alarms on the correct one':>26}"]
    for shape in shapes:
        those = [each for each in found if each.kill.trace.shape == shape]
        told.append(
            f"{shape:<16} {len(those):>5} {sum(each.broken for each in those):>12} "
            f"{sum(bool(each.alarms) for each in those):>26}"
        )
    told.append("")
    told += [f"HOLDS NOW {each.kill.id} {each.kill.mutant}" for each in found if not each.broken]
    for each in found:
        if each.alarms:
            told += _wrapped(f"ALARM     {each.kill.id} {each.kill.mutant}: {', '.join(each.alarms)}", 10)
    broken, alarms = sum(each.broken for each in found), sum(bool(each.alarms) for each in found)
    alarm = f"{alarms} alarm{'s' * (alarms != 1)}"
    told.append(f"SUMMARY: heaplaw: {broken} of {len(found)} recorded kills broke their law again, {alarm}")
    return told
