"""What a law is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Generic, TypeAlias, TypeVarTuple

from .dialects import Clause, Dialect
from .logic import Truth, implies

Args = TypeVarTuple("Args")
"""What a law is given, by its scope: (Event), (Block, Block), (View, Event, View) or (Run)."""

PROMISES = frozenset(
    {"coalesces", "reuse order", "zero size", "errno", "shrinks", "free null", "limit", "minimum", "overhead"}
    | {"constant time", "linear time", "zero resize", "usable bytes", "misuse"}
    | {"constant cost"}
)
"""What a subject offers by promising it, rather than by having it."""
FACTS = frozenset(
    {"C functions", "buffer", "bounds", "grid", "renew", "reset or renew", "giving back", "huge sizes"}
    | {"any aligned size"}
)
"""What else a subject may offer, beside operations and counters: called as C; over memory that it is given; whose place
is known; in which blocks stand side by side; made again; brought back to its beginning; given memory back in some
way; asked for sizes above PTRDIFF_MAX, and for aligned blocks whose size is no multiple of the alignment.
"""


def implied(offers: frozenset[str]) -> frozenset[str]:
    """What a subject offers, with what follows from it."""
    whole = {"reset or renew"} if {"reset", "renew"} & offers else set[str]()
    back = {"giving back"} if {"free", "pop", "reset", "release"} & offers else set[str]()
    return offers | whole | back


class Scope(Enum):
    """What a law's premise and body are given."""

    EVENT = "event"
    """One operation: `(e: Event)`."""
    PAIR = "pair"
    """Two blocks: `(a: Block, b: Block)`, the later one second."""
    STEP = "step"
    """An operation with the heap before and after it: `(pre: View, e: Event, post: View)`."""
    RUN = "run"
    """A whole history: `(r: Run)`."""
    COST = "cost"
    """What one operation costs at two sizes of the heap: `(cost: Cost)`. Counted apart from all runs."""
    LAYOUT = "layout"
    """A layout and how it came about: `(laid: Laid)`. These laws speak of no shape: no allocator is involved."""


@dataclass(frozen=True)
class Law(Generic[*Args]):
    """A law: a premise that says where it speaks, and a body that says what must hold there.

    `premise` and `body` use only the operators of `spec.logic`, are total, and mean unbounded integers; `observed` and
    `required` run on concrete values only, after a violation, and give words with units.
    """

    id: str
    name: str
    sentence: str
    source: str
    scope: Scope
    shapes: frozenset[str]
    premise: Callable[[*Args], Truth]
    body: Callable[[*Args], Truth]
    observed: Callable[[*Args], str]
    required: Callable[[*Args], str]
    accepts: tuple[tuple[*Args], ...]
    """Arguments on which premise and body hold."""
    rejects: tuple[tuple[*Args], ...]
    """Arguments on which the premise holds and the body does not."""
    needs: frozenset[str] = frozenset()
    """Operations, counters and promises without which the law is not applicable."""
    min_judged: int = 1
    dialects: Mapping[str, str] = field(default_factory=dict[str, str])
    """Dialect to clause, for every standard or manual that states the law."""
    clauses: Mapping[Dialect, Clause] = field(default_factory=dict[Dialect, Clause])
    """What each dialect allows, where they differ: then the body is what those in force permit."""
    scenes: bool = False
    """Judged in scenes alone: what it speaks of comes in no drawn trace, or means something at the beginning only."""

    def holds(self, *args: *Args) -> Truth:
        """Premise entails body, on arguments of any engine."""
        return implies(self.premise(*args), self.body(*args))


AnyLaw: TypeAlias = Law[*tuple[Any, ...]]
"""A law of whatever scope."""
