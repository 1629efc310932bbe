"""The catalogue: every law, by name. Engines look laws up here when they run, never keep copies of their own."""

from ..law import AnyLaw
from . import accounting, clauses, content, cost, layouts, limits, lists, lua, misuse, placement, pool, regions, reports

_MODULES = (placement, content, limits, pool, accounting, lists, cost, regions, lua, reports, layouts, clauses, misuse)
CATALOGUE: dict[str, AnyLaw] = {law.name: law for module in _MODULES for law in module.LAWS}


def law(name: str) -> AnyLaw:
    """The law of that name or id; KeyError when there is none."""
    for candidate in CATALOGUE.values():
        if name.lower() == candidate.name or name.upper() == candidate.id:
            return candidate
    raise KeyError(name)


def laws_of(shape: str, scenes: bool = False) -> list[AnyLaw]:
    """The laws that speak about `shape`, in order of id; with `scenes`, those too that only scenes judge."""
    found = (item for item in CATALOGUE.values() if shape in item.shapes and (scenes or not item.scenes))
    return sorted(found, key=lambda item: item.id)


__all__ = ["CATALOGUE", "AnyLaw", "law", "laws_of"]
