"""What a comparison of two subjects consists of."""

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from heaplaw.minimise import Witness
from heaplaw.spec.history import History, Trace
from heaplaw.spec.verdict import Holds, Verdict, Violated
from heaplaw.subjects import Expected, ProcessSubject

from .probes import Probe

OLD, NEW = "old", "new"


@dataclass(frozen=True)
class Apart:
    """Something that the two do not have in common, in words of each; empty: nothing."""

    what: str
    old: str
    new: str


class Grade(Enum):
    """What a change of a verdict means."""

    WORSE = "worse"
    """A law that was not broken is: the new one breaks it where the old one does not."""
    BETTER = "better"
    """A law that was broken holds."""
    CHANCE = "chance"
    """Both break it on the same steps; one of the two runs did not come upon it."""
    UNDECIDED = "undecided"
    """What was decided is not."""
    OTHER = "other"
    """The law began to apply, or ceased to; or what was not decided is."""


@dataclass(frozen=True)
class Replay:
    """A witness of one side, run on the other."""

    failed: int = 0
    """Runs that broke the law …"""
    runs: int = 0
    """… of so many; 0 where it cannot be run."""
    history: History | None = None
    why: str = ""
    """Why it was not run, or is not judged."""


@dataclass(frozen=True)
class LawChange:
    """A law whose verdict is another."""

    old: Verdict
    new: Verdict
    grade: Grade
    known: tuple[Expected | None, Expected | None] = (None, None)
    """Why each mapping expects a violation, where it does."""
    side: str = ""
    """Which of the two breaks it; empty where neither does."""
    witness: Witness | None = None
    """How it does so."""
    other: Replay = Replay()
    """What the other one does then."""
    path: Path | None = None
    """Where the witness is stored."""

    @property
    def law(self) -> str:
        """The law's name."""
        return self.old.law


@dataclass(frozen=True)
class Behaviour:
    """A step to which the two answer differently, where no law says that one is wrong."""

    probe: Probe
    size: int
    """The smallest size with which they differ, bytes; 0 where the steps have none that varies."""
    traces: tuple[Trace, Trace]
    """What was run on each: the same, but for the size of a pool's blocks."""
    histories: tuple[History, History]
    answers: tuple[tuple[tuple[str, ...], ...], tuple[tuple[str, ...], ...]]
    """What came of each step, in words that no address is part of."""
    at: int
    """The first step that differs."""
    since: str = ""
    """For which sizes they differ, in words."""
    also: tuple[str, ...] = ()
    """Other probes with the same answers, in words."""


@dataclass(frozen=True)
class Footprint:
    """Memory that a steady workload takes, bytes of pages that blocks ever covered."""

    operations: int
    old: int
    new: int
    peak: int
    """Most bytes that are live at one time: the workload's own, and so the same for both."""


@dataclass
class Difference:
    """What changed."""

    old: ProcessSubject
    new: ProcessSubject
    seed: int
    operations: int
    """Operations that both were asked for, main run."""
    same_traces: bool
    apart: list[Apart]
    laws: list[LawChange]
    verdicts: tuple[list[Verdict], list[Verdict]]
    """All verdicts, of each, in the same order."""
    behaviours: list[Behaviour] = field(default_factory=list[Behaviour])
    footprint: Footprint | None = None
    """Where the two are so far apart that it is worth telling."""
    probes: int = 0
    """Probes that could be run on both."""
    unsteady: list[str] = field(default_factory=list[str])
    """Probes to which one of the two answers differently from run to run: nothing is said of them."""
    seconds: float = 0.0

    def of(self, grade: Grade) -> list[LawChange]:
        """The changes of that grade."""
        return [change for change in self.laws if change.grade is grade]

    @property
    def behaves_differently(self) -> int:
        """Differences in behaviour, the footprint's among them."""
        return len(self.behaviours) + (self.footprint is not None)

    @property
    def none(self) -> bool:
        """Nothing is different."""
        return not (self.laws or self.behaves_differently or self.apart)

    def as_before(self, kind: type[object]) -> list[str]:
        """Laws with that outcome on both, by name."""
        changed = {change.law for change in self.laws}
        return [v.law for v in self.verdicts[0] if v.law not in changed and isinstance(v.outcome, kind)]


def decided(verdict: Verdict) -> bool:
    """The law was broken, or was judged often enough to say that it holds."""
    return isinstance(verdict.outcome, Holds | Violated)


def broken(verdict: Verdict) -> bool:
    """The law was broken."""
    return isinstance(verdict.outcome, Violated)
