"""Counts as figures: operations and forms of the heap down, numbers of blocks across."""

from collections.abc import Sequence
from dataclasses import dataclass

from heaplaw.spec.catalogue.cost import Cost, Form, in_words
from heaplaw.spec.shapes import WORDS, Kind

__all__ = ["BARS", "Row", "figures", "table"]

BARS = 20
"""Columns of the longest bar."""
LEAST = 4
"""Where no more are left, there are no bars."""
_INDENT = "    "


@dataclass(frozen=True)
class Row:
    """One operation in one form of the heap: instructions by number of blocks, smallest heap first."""

    kind: Kind
    form: Form
    counts: tuple[tuple[int, int], ...]
    """Blocks, and instructions there."""
    cap: int
    note: str = ""

    @property
    def most(self) -> int:
        """Instructions in the heap where they are most."""
        return max(count for _, count in self.counts)

    @property
    def ratio(self) -> str:
        """How many times as many instructions the dearest heap takes as the cheapest; empty with a single one."""
        if len(self.counts) < 2:
            return ""
        few, many = min(count for _, count in self.counts), self.most
        if many > self.cap:
            return "" if few > self.cap else f"> {self.cap / few:.1f}"
        return f"{many / few:.1f}"


def cell(count: int, cap: int) -> str:
    """Instructions; beyond the cap it is only known that there are more."""
    return f"> {cap:,}" if count > cap else f"{count:,}"


def table(rows: Sequence[Row], columns: int = 0) -> list[str]:
    """The rows as lines, a line each; with `columns` to spare, a bar for each whose length goes by its most."""
    sizes = sorted({blocks for row in rows for blocks, _ in row.counts})
    head = ["instructions", "heap", *(f"{n:,}" for n in sizes), "times"]
    body: list[list[str]] = []
    for row in rows:
        found = dict(row.counts)
        cells = [cell(found[n], row.cap) if n in found else "-" for n in sizes]
        body.append([WORDS[row.kind], in_words(row.form), *cells, row.ratio])
    widths = [max(len(line[at]) for line in (head, *body)) for at in range(len(head))]
    most = max((row.most for row in rows), default=1)
    bar = min(BARS, columns - len(_INDENT) - sum(widths) - 2 * len(widths))
    notes = ["", *(_bar(row, most, bar) if bar >= LEAST else row.note for row in rows)]
    return [_line(line, widths, note) for line, note in zip((head, *body), notes, strict=True)]


def _line(cells: Sequence[str], widths: Sequence[int], note: str) -> str:
    words = [text.ljust(width) for text, width in zip(cells[:2], widths[:2], strict=True)]
    numbers = [text.rjust(width) for text, width in zip(cells[2:], widths[2:], strict=True)]
    return (_INDENT + "  ".join([*words, *numbers, note])).rstrip()


def _bar(row: Row, most: int, columns: int) -> str:
    return "#" * max(1, round(columns * row.most / max(1, most)))


def row_of(cost: Cost) -> Row:
    """What the law is given, as a row."""
    counts = ((int(cost.few), int(cost.at_few)), (int(cost.many), int(cost.at_many)))
    return Row(Kind(cost.kind), Form(cost.form), counts, int(cost.cap))


def figures(costs: Sequence[Cost]) -> list[str]:
    """What the law is given, as lines."""
    return table([row_of(cost) for cost in costs])
