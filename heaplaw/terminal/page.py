"""How wide text is laid out."""

from dataclasses import dataclass

LEAST, MOST = 60, 120
"""Columns: narrower than the one nothing is readable, wider than the other lines are hard to follow."""


@dataclass(frozen=True)
class Page:
    """A page for text."""

    columns: int = 80

    @classmethod
    def of(cls, columns: int) -> "Page":
        """The page for a terminal of so many columns."""
        return cls(max(LEAST, min(MOST, columns)))

    @property
    def axis(self) -> int:
        """Columns of a picture's address axis: what names on the left and words on the right leave."""
        return self.columns - 36

    @property
    def narrow(self) -> bool:
        """Tables have no room for all their columns side by side."""
        return self.columns < 76


PLAIN = Page()
"""What is piped or stored: the same on every machine."""
