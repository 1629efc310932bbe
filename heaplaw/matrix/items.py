"""What the matrix is made of: for each law and engine the single pieces of evidence, decided or not."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from heaplaw.spec.law import AnyLaw

__all__ = ["BROKEN", "ENGINES", "HARNESS", "SHOWN", "UNDECIDED", "Item", "Items", "Matrix", "merged"]

ENGINES: Mapping[str, str] = {
    "prove": "obligations that z3 decides on the reference's steps, per number reading",
    "confirm": "contracts that CrossHair follows through Python",
    "explore": "small reference allocators of which every state is visited",
    "machine": "Hypothesis machines on the reference's steps",
    "check": "reference allocators (ref:…), each run in a process of its own and judged",
    "mutants": "allocators with a fault seeded for the law",
}
"""The engines, in the order of the columns: what is counted for each."""
SHOWN = frozenset({"proved", "confirmed", "exhausted", "tested", "killed"})
BROKEN = frozenset({"refuted", "violated", "survives", "holds, though expected not to"})
UNDECIDED = frozenset({"unknown", "left out"})
HARNESS = "error"


@dataclass(frozen=True)
class Item:
    """One piece of evidence for a law: an obligation, a contract, an allocator, a mutant."""

    name: str
    detail: str = ""
    """What it is for, or what came of it, in words."""
    outcome: str = ""
    """Empty: not decided in this run. Else one of SHOWN or BROKEN, or unknown, error, expected (a known violation), not
    applicable, left out, by another law (of a mutant).
    """
    count: int = 0
    """Of what was tested: how many operations, pairs, steps or runs were judged; of a mutant: operations of the
    trace that kills it.
    """


Items: TypeAlias = dict[str, tuple[Item, ...]]
"""By the name of the law."""


@dataclass(frozen=True)
class Matrix:
    """Laws, and what stands behind each."""

    laws: tuple[AnyLaw, ...]
    evidence: Mapping[str, Items]
    """By engine."""
    ran: frozenset[str] = frozenset()
    """The engines whose items are decided."""
    subjects: tuple[str, ...] = ()
    """Those that were checked beside, by name."""
    judged: Items = field(default_factory=Items)
    """What came of them: an item a subject."""
    seed: int = 1
    faults: tuple[str, ...] = ()
    """What makes the whole kill matrix unsound, beside survivors, in words."""
    interrupted: str = ""
    """What was under way when an interrupt came."""

    def items(self, engine: str, law: AnyLaw) -> tuple[Item, ...]:
        """What an engine has for a law."""
        return self.evidence[engine].get(law.name, ())

    def decided(self, engine: str, items: Items) -> "Matrix":
        """The same, with an engine's items decided."""
        return replace(self, evidence={**self.evidence, engine: items}, ran=self.ran | {engine})

    @property
    def outcomes(self) -> set[str]:
        """Everything that was decided, of the laws that are shown."""
        names = {law.name for law in self.laws}
        found = [self.judged, *(self.evidence[engine] for engine in self.ran)]
        return {item.outcome for items in found for name in names for item in items.get(name, ())}


def merged(parts: list[tuple[str, Item]]) -> Items:
    """Items by law."""
    found: dict[str, list[Item]] = {}
    for name, item in parts:
        found.setdefault(name, []).append(item)
    return {name: tuple(items) for name, items in found.items()}
