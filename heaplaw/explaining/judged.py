"""What the laws themselves say of the examples."""

from dataclasses import dataclass
from functools import cache

from heaplaw.spec.catalogue import law
from heaplaw.spec.history import History
from heaplaw.spec.judge import Tally, judge
from heaplaw.spec.law import AnyLaw
from heaplaw.spec.verdict import Violated, Violation

from .entries import ENTRIES
from .entry import Example


@dataclass(frozen=True)
class Judged:
    """An example before its law."""

    judged: int
    """How often the law's premise was met."""
    violation: Violation | None
    """The first place where it is broken."""

    @property
    def guilty(self) -> tuple[int, ...]:
        """The operations that broke it."""
        return self.violation.operations if self.violation else ()


def judged(found: AnyLaw, example: Example) -> Judged:
    """The naive judge's word on an example; a layout's law is evaluated on the layout."""
    if isinstance(example, History):
        (verdict,) = judge(example, [found])
        count = getattr(verdict.evidence, "judged", 0)
        outcome = verdict.outcome
        return Judged(count, outcome.violations[0] if isinstance(outcome, Violated) else None)
    tally = Tally(found)
    violation = tally.judge((), example)
    return Judged(tally.judged, violation)


@cache
def pair(name: str) -> tuple[Judged, Judged]:
    """The verdicts on both examples of the law of that name: on the one that keeps it, and the one that breaks it."""
    entry, found = ENTRIES[name], law(name)
    return judged(found, entry.kept), judged(found, entry.broken)
