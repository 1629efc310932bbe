"""Lines with roles, in the colours of a terminal, by rich: imported only where there is a terminal.

Blue and orange are told apart by all eyes; bold and reverse need no colour at all. No colour says what no word says.
"""

import re
from collections.abc import Sequence
from io import StringIO
from typing import Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .marked import Marked, Role
from .page import Page
from .tables import OTHERS, LawRow
from .tables import law_table as plain_table

STYLES = {
    Role.STRONG: "bold",
    Role.BROKEN: "bold dark_orange",
    Role.FAULT: "bold reverse dark_orange",
    Role.HELD: "dodger_blue1",
    Role.UNDECIDED: "bold",
    Role.DIM: "dim",
    Role.CALL: "dodger_blue1",
    Role.OWNED: "dodger_blue1",
    Role.ENDED: "dim",
    Role.PADDING: "dim cyan",
    Role.BUFFER: "bold",
    Role.ADDRESS: "cyan",
    Role.LABEL: "dim",
    Role.COMMAND: "bold dodger_blue1",
}
"""rich brings these down to what the terminal has: 16 colours, or none."""
Colours = Literal["auto", "standard", "256", "truecolor"]


class Screen:
    """Renders for a terminal: text with escape sequences, which somebody else writes."""

    def __init__(self, page: Page, colours: Colours = "auto") -> None:
        """`colours`: what the terminal can show; "auto" asks its name."""
        self.page = page
        self.console = Console(
            file=StringIO(),
            width=page.columns,
            force_terminal=True,
            color_system=colours,
            no_color=False,
            legacy_windows=False,
        )

    def lines(self, lines: Sequence[Marked]) -> str:
        """Lines that are laid out already; what is longer than the page stays whole, to be copied."""
        with self.console.capture() as captured:
            for line in lines:
                self.console.print(styled(line), soft_wrap=True, highlight=False)
        return trimmed(captured.get())

    def laws(self, rows: Sequence[LawRow]) -> str:
        """The table of laws."""
        with self.console.capture() as captured:
            self.console.print(law_table([row for row in rows if row.id != OTHERS], self.page))
            for line in plain_table([row for row in rows if row.id == OTHERS], self.page):
                self.console.print(styled(line), soft_wrap=True, highlight=False)
        return trimmed(captured.get())  # rich fills cells with blanks up to the edge


TAIL = re.compile(r"(?: |\x1b\[[\d;]*m)+$", re.MULTILINE)
"""Blanks at the end of a line, among them the sequences that end a style."""


def trimmed(text: str) -> str:
    """Without blanks at the ends of lines, and without the last line's end."""
    return TAIL.sub(lambda tail: tail[0].replace(" ", ""), text.removesuffix("\n"))


def styled(line: Marked) -> Text:
    """A line in the colours of its roles."""
    text = Text(line.text)
    for start, stop, role in line.marks:
        text.stylize(STYLES[role], start, stop)
    return text


def law_table(rows: Sequence[LawRow], page: Page) -> Table:
    """Law, name, verdict, evidence; on a narrow page evidence stands behind the verdict."""
    table = Table(
        box=None, padding=(0, 1 if page.narrow else 2, 0, 0), pad_edge=False, header_style="bold", highlight=False
    )
    heads = ("  law", "name", "verdict") if page.narrow else ("  law", "name", "verdict", "evidence")
    for at, head in enumerate(heads):
        table.add_column(head, no_wrap=at < len(heads) - 1, overflow="fold")
    for row in rows:
        last = row.brief() if page.narrow else row.detail
        verdict, told = Text(row.word, STYLES[row.role]), Text(f"{last} {row.remark}".rstrip(), "dim")
        name = Text(row.name, "dim" if row.role is Role.DIM else "")
        cells = (Text.assemble(verdict, " ", told),) if page.narrow else (verdict, told)
        table.add_row(f"  {row.id}", name, *cells)
    return table
