"""The engine that looks at the reference allocators from state to state: exhaustive exploration. In words."""

import textwrap
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from heaplaw.spec.catalogue import CATALOGUE
from heaplaw.spec.verdict import Evidence, Holds, NotApplicable, Outcome, Unknown, Violated

if TYPE_CHECKING:
    from heaplaw.models.explore import Bounds

WORDS: dict[type[object], str] = {Holds: "holds", Violated: "VIOLATED", Unknown: "unknown"}


@dataclass(frozen=True)
class Shown:
    """A part of an evidence, in words, where the rest stands above."""

    text: str

    def __str__(self) -> str:
        return self.text


def line(name: str, outcome: Outcome, evidence: Evidence | Shown) -> str:
    """One law, or one other obligation, decided."""
    stated = CATALOGUE.get(name)
    detail = str(evidence) if isinstance(outcome, Holds | Violated) else str(getattr(outcome, "why", ""))
    return f"  {stated.id if stated else '     '}  {name:<27} {WORDS.get(type(outcome), 'error'):<9} {detail}"


class Engine:
    """One run of an engine: lines as they come, and at last whether everything was shown."""

    def __init__(self) -> None:
        self.broken = self.undecided = 0

    def count(self, outcome: Outcome) -> None:
        """Take a decision in."""
        self.broken += isinstance(outcome, Violated)
        self.undecided += not isinstance(outcome, Holds | Violated)

    def layouts(self) -> Iterator[str]:
        """The layout functions on every combination of boundary values."""
        from heaplaw.models.layouts import ALIGNS, COUNTS, SIZES, judged

        found = judged()
        yield f"layouts: every combination of {len(SIZES)} sizes, {len(ALIGNS)} alignments and {len(COUNTS)} counts"
        yield f"  {found.calls:,} layouts asked for, from -1 to 2**63"
        for verdict in found.verdicts:
            self.count(verdict.outcome)
            yield line(verdict.law, verdict.outcome, verdict.evidence)

    def explore(
        self, name: str, bounds: "Bounds", progress: Callable[[str], None] = lambda _text: None
    ) -> Iterator[str]:
        """Every state of a small reference allocator: what was visited and reached, and every law."""
        from heaplaw.models.explore import REFERENCE, explore
        from heaplaw.picture import heap_text
        from heaplaw.steps import steps_text

        started = time.process_time()
        found = explore(REFERENCE[name](bounds), progress=progress)
        took = time.process_time() - started
        yield f"{name}: {found.model.bound}"
        yield (
            f"  {found.states:,} states, {found.transitions:,} transitions, at most {found.depth} operations deep; "
            f"{took:.1f} s, {found.states / max(took, 0.01):,.0f} states/s"
        )
        reached = "reached: " + "; ".join(goal for goal, there in found.goals.items() if there)
        missed = [] if found.witness or not found.missed else ["never reached: " + "; ".join(found.missed)]
        for text in (reached, *missed):
            yield from textwrap.wrap(text, 116, initial_indent="  ", subsequent_indent="    ")
        for verdict in found.verdicts:
            if isinstance(verdict.outcome, NotApplicable):
                continue
            self.count(verdict.outcome)
            shown = Shown("; ".join(("exhausted", *verdict.notes)))
            yield line(verdict.law, verdict.outcome, shown if found.complete else Shown("by the trace below"))
        if found.witness is not None:
            history, violation = found.witness.history, found.witness.violations[0]
            yield f"{CATALOGUE[violation.law].id} {violation.law} VIOLATED: {violation.observed}"
            yield from ("", *steps_text(history, violation.operations, violation.law))
            yield from ("", *heap_text(history, violation.operations), f"    required  {violation.required}")
