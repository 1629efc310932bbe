"""What is told of a law beside what the law says itself."""

from dataclasses import dataclass
from typing import TypeAlias

from heaplaw.mapping.vocabulary import PROMISES
from heaplaw.spec.catalogue.cost import Cost
from heaplaw.spec.catalogue.layouts import Laid
from heaplaw.spec.history import History

Example: TypeAlias = History | Laid | Cost
"""A program with its results, a layout, or what an operation cost: what the law judges."""


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
    """Promises and constants of a mapping, each of which makes breaking it as the example does legitimate."""


def in_mapping(setting: str) -> list[str]:
    """A setting as it stands in a mapping, below the table that it belongs into."""
    return ["[promises]", setting] if setting.partition(" ")[0] in PROMISES else [setting]
