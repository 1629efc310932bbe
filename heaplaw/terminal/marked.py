"""Text whose parts have roles: printed as it is where it is piped, and coloured by role on a terminal."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum


class Role(Enum):
    """What a part of a line is."""

    STRONG = "strong"
    """What a reader looks for first."""
    BROKEN = "broken"
    """A law is broken."""
    FAULT = "fault"
    """A byte that is wrong or shared; the step that did it."""
    HELD = "held"
    UNDECIDED = "undecided"
    DIM = "dim"
    """There for completeness."""
    CALL = "call"
    OWNED = "owned"
    """Bytes of a live block; its name."""
    ENDED = "ended"
    """Bytes of a block that is no longer live."""
    PADDING = "padding"
    """Bytes that nobody asked for."""
    BUFFER = "buffer"
    """The buffer and its edges."""
    ADDRESS = "address"
    LABEL = "label"
    COMMAND = "command"
    """To be copied."""


@dataclass(frozen=True)
class Marked:
    """A line, and which of its characters have a role: half-open ranges, in order."""

    text: str
    marks: tuple[tuple[int, int, Role], ...] = ()

    def __str__(self) -> str:
        return self.text

    def __len__(self) -> int:
        return len(self.text)

    def __add__(self, other: "Marked | str") -> "Marked":
        if isinstance(other, str):
            return Marked(self.text + other, self.marks)
        n = len(self.text)
        return Marked(self.text + other.text, self.marks + tuple((a + n, b + n, role) for a, b, role in other.marks))

    def __radd__(self, other: str) -> "Marked":
        return Marked(other) + self

    def rstrip(self) -> "Marked":
        """Without blanks at its end."""
        text = self.text.rstrip()
        return Marked(text, tuple((a, min(b, len(text)), role) for a, b, role in self.marks if a < len(text)))

    def ljust(self, columns: int) -> "Marked":
        """With blanks up to so many columns."""
        return Marked(self.text.ljust(columns), self.marks)


def mark(text: str, role: Role | None) -> Marked:
    """A text with one role; without one, as it is."""
    return Marked(text, ((0, len(text), role),) if role is not None and text else ())


def lines_of(texts: Iterable[Marked]) -> list[str]:
    """The plain lines."""
    return [line.text for line in texts]


def runs(signs: str) -> Iterator[tuple[int, int, str]]:
    """Where the same sign stands several times in a row: start, end, sign; blanks are left out."""
    start = 0
    for at in range(1, len(signs) + 1):
        if at == len(signs) or signs[at] != signs[start]:
            if signs[start] != " ":
                yield start, at, signs[start]
            start = at
