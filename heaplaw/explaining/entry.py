"""What is told of a law beside what the law says itself."""

from dataclasses import dataclass
from typing import TypeAlias

from heaplaw.spec.catalogue.layouts import Laid
from heaplaw.spec.history import History

Example: TypeAlias = History | Laid
"""A program with its results, or a layout: what the law judges."""


@dataclass(frozen=True)
class Entry:
    """One law, for the author of an allocator that has just broken it."""

    law: str
    """Its name in the catalogue."""
    words: str
    """What it asks, why that matters, and what has been seen to break it."""
    kept: Example
    """Keeps the law; something in it is judged."""
    broken: Example
    """Breaks the law."""
    legitimate: str
    """When breaking it is legitimate; begins with "never" where it is not."""
    settings: tuple[str, ...] = ()
    """Lines of a mapping, each of which makes breaking it so legitimate: `[promises]` where that is said, constants."""
