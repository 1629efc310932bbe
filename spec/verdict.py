"""Verdicts: what came of a law, and by what evidence. Evidence is never shown as more than it is."""

from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True)
class Violation:
    """A law broken at one place of a history: the operations involved (indices), in words."""

    law: str
    operations: tuple[int, ...]
    observed: str
    required: str


@dataclass(frozen=True)
class Holds:
    """No counterexample was found, or none exists: the evidence says which."""


@dataclass(frozen=True)
class Violated:
    """Broken; `violations` holds the first few, in order of time."""

    violations: tuple[Violation, ...]
    total: int


@dataclass(frozen=True)
class Unknown:
    """Not decided. Never counts as a pass."""

    why: str


@dataclass(frozen=True)
class NotApplicable:
    """The subject makes no such promise, or lacks what the law speaks of."""

    why: str


@dataclass(frozen=True)
class Error:
    """heaplaw itself failed."""

    why: str


Outcome: TypeAlias = Holds | Violated | Unknown | NotApplicable | Error


@dataclass(frozen=True)
class Tested:
    """`judged` operations, pairs or steps were looked at, of `runs` runs."""

    judged: int
    unit: str = "operations"
    runs: int = 1

    def __str__(self) -> str:
        return f"{self.judged:,} {self.unit}"


@dataclass(frozen=True)
class Exhausted:
    """Every state within the bound was visited."""

    states: int
    transitions: int
    bound: str

    def __str__(self) -> str:
        return f"exhausted: {self.states:,} states, {self.transitions:,} transitions; {self.bound}"


@dataclass(frozen=True)
class Confirmed:
    """CrossHair followed all paths; its integers do not wrap."""

    paths: str = "all paths"

    def __str__(self) -> str:
        return f"confirmed over {self.paths} (integers do not wrap)"


@dataclass(frozen=True)
class Proved:
    """z3 proved it for every state that satisfies the invariant."""

    scope: str

    def __str__(self) -> str:
        return f"proved for {self.scope}"


Evidence: TypeAlias = Tested | Exhausted | Confirmed | Proved


@dataclass(frozen=True)
class Verdict:
    """One law on one subject."""

    law: str
    outcome: Outcome
    evidence: Evidence
    notes: tuple[str, ...] = field(default=())
