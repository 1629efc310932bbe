"""Allocators of all shapes, correct or with one seeded fault; malloc among them as manuals promise single clauses.

``shapes.c`` beside this file is one shared library (`heaplaw.native.SHAPES`); the mapping files here say how it is
called. The environment variable ``HEAPLAW_MUTANT`` names the variant and is read when the first instance is made; in
a mapping it names the correct variant that the mapping was written for. Each faulty variant has the mapping of the
correct one that it is made of, with all its promises.
"""

from pathlib import Path

from heaplaw.mutants import Mutant

from . import arena, bump, clauses, freelist, lua, pool, stack
from .variant import Correct

__all__ = ["MAPPING", "SHAPE_CORRECT", "SHAPE_MUTANTS", "SOURCE", "Correct"]

SOURCE = Path(__file__).with_name("shapes.c")
"""The file to compile; it includes the headers beside it."""

SHAPE_CORRECT: dict[str, tuple[Correct, ...]] = {
    "bump": bump.CORRECT,
    "pool": pool.CORRECT,
    "stack": stack.CORRECT,
    "freelist": freelist.CORRECT,
    "arena": arena.CORRECT,
    "lua_alloc": lua.CORRECT,
    "malloc": clauses.CORRECT,
}
"""The correct variants, by shape."""

SHAPE_MUTANTS: dict[str, tuple[Mutant, ...]] = {
    "bump": bump.MUTANTS,
    "pool": pool.MUTANTS,
    "stack": stack.MUTANTS,
    "freelist": freelist.MUTANTS,
    "arena": arena.MUTANTS,
    "lua_alloc": lua.MUTANTS,
    "malloc": clauses.MUTANTS,
}
"""The variants with one fault, by shape."""

_OF_CORRECT = {correct.name: SOURCE.with_name(correct.mapping) for group in SHAPE_CORRECT.values() for correct in group}

MAPPING: dict[str, Path] = {
    **_OF_CORRECT,
    **{mutant.name: _OF_CORRECT[mutant.base] for group in SHAPE_MUTANTS.values() for mutant in group},
}
"""The mapping file of each variant, by its name."""
