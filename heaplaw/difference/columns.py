"""Steps with the results of two, side by side."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from textwrap import wrap

from heaplaw.spec.history import Completed, History
from heaplaw.spec.shapes import SHAPES
from heaplaw.steps import MOST_STEPS, Telling
from heaplaw.subjects import ProcessSubject
from heaplaw.terminal.marked import Marked, Role, mark
from heaplaw.terminal.page import Page
from heaplaw.wording import Wording

from .parts import NEW, OLD, Behaviour, LawChange

INDENT = 10
"""Columns before the call: the sign, and the step's number."""
MOST_CALL = 34
"""Columns of calls, at most; longer ones go on in the next line."""
BETWEEN = 2
BEGINNING, END = 4, 8
"""Of long witnesses so many steps are shown, from either end …"""
FEW = 8
"""… and two of probes with more than so many, whose steps are alike."""


@dataclass(frozen=True)
class Row:
    """One step: its number, the call, and what came of it on each; or several, left out."""

    number: int
    call: str
    results: tuple[str, str]
    marked: bool = False
    omitted: int = 0
    """So many steps stand between the row before and the one after; the row is nothing else then."""


def side_by_side(rows: Sequence[Row], page: Page) -> list[Marked]:
    """The rows as lines."""
    call = max((len(row.call) for row in rows), default=0)
    call = max(12, min(call, MOST_CALL))
    each = (page.columns - INDENT - call - 2 * BETWEEN) // 2
    gap = " " * BETWEEN
    head = " " * (INDENT + call) + gap + mark(OLD, Role.STRONG).ljust(each) + gap + mark(NEW, Role.STRONG)
    return [head, *(line for row in rows for line in _lines(row, call, each))]


def _lines(row: Row, call: int, each: int) -> Iterator[Marked]:
    if row.omitted:
        yield mark(f"       … {row.omitted:,} operation{'s' * (row.omitted != 1)}", Role.DIM)
        return
    gap, came = " " * BETWEEN, Role.STRONG if row.marked else Role.DIM
    texts = ((row.call, call), (row.results[0], each), (row.results[1], each))
    parts = [wrap(text, width, break_on_hyphens=False) for text, width in texts]
    for place, (what, old, new) in enumerate(zip_longest(*parts, fillvalue="")):
        sign = mark(">" if row.marked else " ", Role.FAULT if row.marked else None)
        start = "  " + sign + mark(f" {row.number:4}", came) + "  " if place == 0 else Marked(" " * INDENT)
        line = start + mark(what, Role.CALL).ljust(call) + gap + mark(old, came).ljust(each) + gap + mark(new, came)
        yield line.rstrip()


def shortened(rows: Sequence[Row], most: int = MOST_STEPS, beginning: int = BEGINNING, end: int = END) -> list[Row]:
    """The rows; of more than `most`, those at both ends, and how many lie between."""
    if len(rows) <= most:
        return list(rows)
    left = len(rows) - beginning - end
    return [*rows[:beginning], Row(0, "", ("", ""), omitted=left), *rows[-end:]]


def calls(telling: tuple[Telling, Telling], count: int) -> list[str]:
    """The steps as calls: in the words of both, where these are the same, else in those of the shape."""
    texts = [[each.call(index) for index in range(count)] for each in telling]
    if texts[0] == texts[1]:
        return texts[0]
    plain = Telling(telling[0].history, ())
    return [plain.call(index) for index in range(count)]


def behaviour_rows(found: Behaviour, old: ProcessSubject, new: ProcessSubject) -> list[Row]:
    """The steps of a behaviour that changed, up to the first that differs."""
    a, b = found.histories
    count = found.at + 1
    spelled = calls((Telling(a, (), Wording.of(old)), Telling(b, (), Wording.of(new))), count)
    answers = found.answers
    rows = [
        Row(i + 1, spelled[i], (", ".join(answers[0][i]), ", ".join(answers[1][i])), i == found.at)
        for i in range(count)
    ]
    return shortened(rows, FEW, 2, 2)


def witness_rows(change: LawChange, old: ProcessSubject, new: ProcessSubject) -> list[Row]:
    """The steps of a witness, with what came of them on both; the first step is marked that went otherwise in more than
    where blocks lie, and the one that breaks the law, where there is none.
    """
    witness, other = change.witness, change.other.history
    assert witness is not None
    breaking, sound = (old, new) if change.side == OLD else (new, old)
    guilty = tuple(witness.violation.operations)
    told = Telling(witness.history, guilty, Wording.of(breaking), witness.law)
    beside = Telling(other, (), Wording.of(sound), witness.law) if other is not None else None
    count = told.last + 1
    spelled = calls((told, beside), count) if beside else [told.call(index) for index in range(count)]
    mine = [joined(told, index) for index in range(count)]
    others = [joined(beside, index) if beside else "" for index in range(count)]
    at = next((i for i in range(count) if beside and went(told, i) != went(beside, i)), told.last)
    rows = [
        Row(i + 1, spelled[i], (mine[i], others[i]) if change.side == OLD else (others[i], mine[i]), i == at)
        for i in range(count)
    ]
    return shortened(rows)


def joined(telling: Telling, index: int) -> str:
    """What came of a step, with remarks and what the law's counters say."""
    said = zip((word for word, _ in telling.counters), telling.said(index), strict=False)
    return ", ".join([*telling.result(index), *(f"{word} {value}" for word, value in said)])


def went(telling: Telling, index: int) -> tuple[object, ...]:
    """What came of a step; apart from addresses, where the shape does not say that they are equal in equal states."""
    history: History = telling.history
    e, end = history.event(index), history.end
    placed = int(not SHAPES[history.trace.shape].one_buffer)
    ended = not isinstance(end, Completed) and end.op == index
    return (ended, e.status, e.err, e.flags, e.sound, *telling.said(index), *telling.result(index)[placed:])


__all__ = ["NEW", "OLD", "Row", "behaviour_rows", "calls", "side_by_side", "witness_rows"]
