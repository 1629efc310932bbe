"""An allocator with a seeded fault, for each law: what a violation looks like in a check."""

from dataclasses import dataclass

from heaplaw.mutants import MUTANTS, Mutant
from heaplaw.mutants.lists import LIST_MUTANTS
from heaplaw.mutants.reference import PATCHES, subjects_of
from heaplaw.mutants.shapes import SHAPE_MUTANTS
from heaplaw.spec.law import AnyLaw, Scope


@dataclass(frozen=True)
class Fault:
    """A mutant that `heaplaw check mutant:NAME` judges."""

    name: str
    summary: str


def _hidden(mutant: Mutant) -> bool:
    return mutant.hidden


def seeded(found: AnyLaw) -> Fault | None:
    """A fault that breaks the law, if possible one that is easily seen; None of layouts, which no check judges."""
    if found.scope is Scope.LAYOUT:
        return None
    compiled = (*MUTANTS, *(mutant for group in SHAPE_MUTANTS.values() for mutant in group))
    made = sorted((mutant for mutant in compiled if mutant.law == found.name), key=_hidden)
    made += sorted((mutant for mutant in compiled if found.name in mutant.also), key=_hidden)
    patched = [patch for patch in PATCHES.values() if patch.law == found.name and subjects_of(patch.name)]
    listed = [item for item in LIST_MUTANTS if item.law == found.name]
    faults = [Fault(item.name, item.summary) for item in made] + [Fault(item.name, item.summary) for item in patched]
    faults += [Fault(item.name, item.summary) for item in listed]
    return next(iter(faults), None)
