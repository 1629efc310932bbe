"""What each engine can be asked about each law. Nothing is decided here: obligations are only named.

Everything is found where the engines find it: obligations in the proofs, the laws that a contract looks up, laws that
apply by what an allocator offers, mutants by the law that they were made for. There is no list beside the catalogue.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache

from heaplaw.spec.catalogue import CATALOGUE
from heaplaw.spec.law import AnyLaw, Scope

from .asked import laws_of_contract
from .items import Item, Items, Matrix, merged

__all__ = ["LAYOUTS", "applying", "listed", "proving_parts"]

LAYOUTS = "layouts"
"""The functions on layouts: no allocator is involved."""


def listed(laws: Sequence[AnyLaw] = ()) -> Matrix:
    """What stands behind `laws`, or behind all: nothing of it decided."""
    chosen = sorted(laws or CATALOGUE.values(), key=lambda law: law.id)
    return Matrix(tuple(chosen), {engine: found() for engine, found in _LISTED.items()})


@cache
def proving_parts() -> tuple[str, ...]:
    """The parts whose obligations are about the reference's steps, for every state; what the machinery proves of
    itself, and what is proved on few bits, is no evidence for a law.
    """
    from heaplaw.proving.parts import PARTS

    return tuple(name for name, part in PARTS.items() if part.module)


def _obligations() -> Iterator[tuple[str, Item]]:
    from heaplaw.proving.campaign import READINGS
    from heaplaw.proving.parts import REFERENCE, obligations

    for part in proving_parts():
        for made in obligations(REFERENCE, part):
            if made.about in CATALOGUE and not made.possible:
                yield made.about, Item(made.name, READINGS[made.reading])


def _contracts() -> Iterator[tuple[str, Item]]:
    from heaplaw.proofs.contracts import CONTRACTS
    from heaplaw.proving import parts

    for contract in CONTRACTS:
        for name in sorted(laws_of_contract(contract)):
            yield name, Item(f"{parts.CONTRACTS}.{contract.name}", contract.scope)


def _explored() -> Iterator[tuple[str, Item]]:
    from heaplaw.models.explore import REFERENCE, Bounds
    from heaplaw.models.explore import laws_for as explored_laws

    for allocator, made in REFERENCE.items():
        model = made(Bounds())
        for law in explored_laws(model):
            if law.name not in model.unasked:
                yield law.name, Item(allocator, model.bound)


def _machines() -> Iterator[tuple[str, Item]]:
    from heaplaw.killmatrix.engines import unchanged
    from heaplaw.killmatrix.rigs import RIGS
    from heaplaw.models.session import applicable

    for name, rig in RIGS.items():
        for law in applicable(rig.shape, rig.live(unchanged).offers):
            if law.scope is not Scope.RUN:  # a machine judges step by step
                yield law.name, Item(name, f"the machine of the shape {rig.shape}")


def applying(name: str) -> list[AnyLaw]:
    """The laws that apply to a reference allocator, by what it offers; it is not started."""
    from heaplaw.models.session import applicable
    from heaplaw.references.table import REFERENCES
    from heaplaw.spec.layout import PTRDIFF_MAX

    found = REFERENCES[name]
    huge = {"huge sizes"} if found.env.max_request > PTRDIFF_MAX else set[str]()
    return applicable(found.shape, found.plan.offers | found.promises | huge)


def _checked() -> Iterator[tuple[str, Item]]:
    from heaplaw.references.table import REFERENCES

    for name, found in REFERENCES.items():
        for law in applying(name):
            yield law.name, Item(f"ref:{name}", found.what)
    for law in CATALOGUE.values():
        if law.scope is Scope.LAYOUT:
            yield law.name, Item(LAYOUTS, "every combination of boundary values")


def _mutants() -> Iterator[tuple[str, Item]]:
    from heaplaw.killmatrix import all_cases

    for case in all_cases():
        yield case.law, Item(case.name, f"{case.group}, {case.source.value}")


_LISTED: Mapping[str, Callable[[], Items]] = {
    "prove": lambda: merged([*_obligations()]),
    "confirm": lambda: merged([*_contracts()]),
    "explore": lambda: merged([*_explored()]),
    "machine": lambda: merged([*_machines()]),
    "check": lambda: merged([*_checked()]),
    "mutants": lambda: merged([*_mutants()]),
}
