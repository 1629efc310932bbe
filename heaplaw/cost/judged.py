"""Judges what was counted: by the law of the catalogue, a record for each operation and form of the heap."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from heaplaw.spec.catalogue.cost import APART, Cost, Form, instructions_bounded
from heaplaw.spec.judge import Tally
from heaplaw.spec.law import AnyLaw
from heaplaw.spec.protocols import Limits
from heaplaw.spec.shapes import WORDS, Kind
from heaplaw.spec.verdict import Holds, Tested, Unknown, Verdict, Violated
from heaplaw.subjects import ProcessSubject

from .measure import Costs, Point, Shown, measure

__all__ = ["LAW", "CostTally", "Judged", "judge", "judged", "shown"]

LAW = instructions_bounded.name
AMORTISED = "amortised"


class CostTally(Tally):
    """The tally of a law on costs: what could not be counted, or not be decided, stays unknown, with the reason."""

    def __init__(self, law: AnyLaw, why: str = "") -> None:
        super().__init__(law)
        self.why = why
        self.medians: tuple[str, ...] = ()
        """Operations of which the median call alone is judged."""
        self.all_medians = False
        """There are no others."""

    def verdict(self, missing: Iterable[str] = ()) -> Verdict:
        """Violated wherever a promise is broken; else unknown where something was not decided."""
        found = super().verdict(missing)
        if not missing and not self.why and self.medians and isinstance(found.outcome, Holds):
            evidence = Tested(self.judged, "median costs" if self.all_medians else "worst and median costs", self.runs)
            return Verdict(found.law, found.outcome, evidence, (*found.notes, self.note))
        if missing or not self.why or isinstance(found.outcome, Violated):
            return found
        return Verdict(found.law, Unknown(self.why), found.evidence, found.notes)

    @property
    def note(self) -> str:
        """Which calls were judged, where that is not the worst; else empty."""
        return f"the median call of {', '.join(self.medians)}" if self.medians else ""


@dataclass(frozen=True)
class Judged:
    """What was counted, and what the law says of it."""

    costs: Costs
    promised: Mapping[Kind, str]
    """"constant" or "amortised", of the operations whose cost is promised."""
    tally: CostTally
    broken: tuple[Cost, ...] = field(default=())


def records(costs: Costs, promised: Mapping[Kind, str]) -> list[Cost]:
    """What the law is asked: of each promised operation and form, all pairs of heaps far enough apart.

    The clearest growth stands first. A nearly full heap is compared by its free blocks and by its live ones.
    """
    found: list[Cost] = []
    for (kind, form), points in costs.rows.items():
        if kind not in promised:
            continue
        said = [(point.blocks, taken(point, promised)) for point in points]
        found += pairs(kind, form, said, costs.cap)
        if form == Form.NEARLY_FULL:
            by_live = sorted((point.live, taken(point, promised)) for point in points)
            found += pairs(kind, Form.FULL, by_live, costs.cap)
    return sorted(found, key=lambda cost: cost.at_few / cost.at_many)


def pairs(kind: Kind, form: Form, said: Sequence[tuple[int, int]], cap: int) -> list[Cost]:
    """Each smaller heap with each larger one; of heaps with calls beyond the cap, what they say about each other is
    asked where nothing else is known.
    """
    apart = [(few, many) for at, few in enumerate(said) for many in said[at + 1 :] if many[0] // APART >= few[0]]
    known = [pair for pair in apart if pair[0][1] <= cap] or [pair for pair in apart if pair[1][1] > cap]
    return [Cost(kind, form, few, many, at_few, at_many, cap) for (few, at_few), (many, at_many) in known]


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
            if (cost.kind, cost.form) not in {(each.kind, each.form) for each in broken}:
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
    tally.medians = tuple(WORDS[kind] for kind in sorted(promised) if promised[kind] == AMORTISED)
    tally.all_medians = len(tally.medians) == len(promised)
    return Judged(costs, promised, tally, tuple(broken))


def judge(subject: ProcessSubject, limits: Limits = Limits()) -> Judged:
    """Count the operations of which the subject promises a cost, and decide."""
    promised = {kind: word for kind, word in subject.cost.items() if kind in subject.kinds}

    return judged(measure(subject, promised, limits, shown=shown(promised)), promised)


def shown(promised: Mapping[Kind, str]) -> Shown:
    """Which operations have broken what is promised of them."""
    return lambda found: {Kind(cost.kind) for cost in judged(found, promised).broken}
