"""Judges what was counted: by the law of the catalogue, a record for each operation and form of the heap."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from heaplaw.spec.catalogue.cost import Cost, instructions_bounded
from heaplaw.spec.judge import Tally
from heaplaw.spec.law import AnyLaw
from heaplaw.spec.protocols import Limits
from heaplaw.spec.shapes import WORDS, Kind
from heaplaw.spec.verdict import Unknown, Verdict, Violated
from heaplaw.subjects import ProcessSubject

from .measure import Costs, Point, measure

__all__ = ["LAW", "CostTally", "Judged", "judge", "judged"]

LAW = instructions_bounded.name
AMORTISED = "amortised"


class CostTally(Tally):
    """The tally of a law on costs: what could not be counted, or not be decided, stays unknown, with the reason."""

    def __init__(self, law: AnyLaw, why: str = "") -> None:
        super().__init__(law)
        self.why = why

    def verdict(self, missing: Iterable[str] = ()) -> Verdict:
        """Violated wherever a promise is broken; else unknown where something was not decided."""
        found = super().verdict(missing)
        if missing or not self.why or isinstance(found.outcome, Violated):
            return found
        return Verdict(found.law, Unknown(self.why), found.evidence, found.notes)


@dataclass(frozen=True)
class Judged:
    """What was counted, and what the law says of it."""

    costs: Costs
    promised: Mapping[Kind, str]
    """"constant" or "amortised", of the operations whose cost is promised."""
    tally: CostTally
    broken: tuple[Cost, ...] = field(default=())


def records(costs: Costs, promised: Mapping[Kind, str]) -> list[Cost]:
    """What the law is asked: of each promised operation and form, the largest heap, and the next of known cost."""
    found: list[Cost] = []
    for (kind, form), points in costs.rows.items():
        if kind not in promised or len(points) < 2:
            continue
        *smaller, many = points
        known = [point for point in smaller if taken(point, promised) <= costs.cap] or smaller
        few = known[-1]
        counts = (taken(few, promised), taken(many, promised))
        found.append(Cost(kind, form, few.blocks, many.blocks, *counts, costs.cap))
    return found


def taken(point: Point, promised: Mapping[Kind, str]) -> int:
    """The count that a promise is about: the worst call's, or the median where the cost is amortised."""
    return point.median if promised.get(point.kind) == AMORTISED else point.worst


def judged(costs: Costs, promised: Mapping[Kind, str]) -> Judged:
    """Decide the law on what was counted."""
    tally, broken = CostTally(instructions_bounded), list[Cost]()
    tally.runs = 1
    open_: list[Cost] = []
    for cost in records(costs, promised):
        before = tally.judged
        if tally.judge((), cost) is not None:
            broken.append(cost)
        elif tally.judged == before:
            open_.append(cost)
    absent = [WORDS[kind] for kind in promised if not any(point.kind == kind for point in costs.points)]
    if costs.why:
        tally.why = f"not counted: {costs.why}"
    elif open_:
        tally.why = f"{instructions_bounded.observed(open_[0])}: calls are followed no further"
    elif absent:
        tally.why = f"not counted: {', '.join(absent)}"
    return Judged(costs, promised, tally, tuple(broken))


def judge(subject: ProcessSubject, limits: Limits = Limits()) -> Judged:
    """Count the operations of which the subject promises a cost, and decide."""
    promised = {kind: word for kind, word in subject.cost.items() if kind in subject.kinds}

    def broken(found: Costs) -> bool:
        return bool(judged(found, promised).broken)

    return judged(measure(subject, promised, limits, enough=broken), promised)
