"""Mutants of the reference implementation: each is a patch of one piece of its source.

`load(name)` gives the whole reference implementation with that fault, a package of its own; the same package can be
imported as `heaplaw.mutants.reference.NAME`, with `-` written as `_`, so that `module:Class` targets reach it from any
process: ``heaplaw.mutants.reference.ref_stack_prev_lost.allocators:StackAllocator``.
"""

from importlib import import_module
from types import ModuleType

from . import arena, books, bump, fixed, freelist, interface, layout, libc, pool, registry, sizes, stack, trace
from .loader import Finder, install
from .patch import Patch, PatchError

__all__ = [
    "PATCHES",
    "REFERENCE_MUTANTS",
    "STEP_MUTANTS",
    "SUBJECTS",
    "Patch",
    "PatchError",
    "load",
    "package",
    "subjects_of",
]

REFERENCE_MUTANTS: dict[str, tuple[Patch, ...]] = {
    "layout": layout.PATCHES,
    "global": libc.PATCHES,
    "bump": bump.PATCHES,
    "pool": pool.PATCHES,
    "stack": stack.PATCHES,
    "freelist": freelist.PATCHES,
    "coalescing": freelist.COALESCING,
    "arena": arena.PATCHES,
    "fixed": fixed.FIXED,
    "trace": trace.TRACE,
    "books": books.BOOKS,
    "tags": books.TAGS,
    "scopes": interface.SCOPES,
    "registry": registry.PATCHES,
    "limits": interface.LIMITS,
    "interface": interface.INTERFACE,
}
"""The mutants, by the part of the reference that they are in."""

SUBJECTS: dict[str, tuple[str, ...]] = {
    "layout": (),
    "global": ("global",),
    "bump": ("bump",),
    "pool": ("pool",),
    "stack": ("stack",),
    "freelist": ("freelist",),
    "coalescing": ("freelist-coalescing",),
    "arena": ("arena",),
    "fixed": ("fixed",),
    "trace": ("trace", "trace-arena"),
    "books": ("platform",),
    "tags": ("platform",),
    "scopes": ("arena",),
    "registry": ("registry",),
    "limits": ("limited",),
    "interface": ("platform", "arena", "pools", "fixed"),
}
"""The subjects (`ref:NAME`) that show the mutants of a part, the likeliest first; layouts are no allocator's."""

PATCHES: dict[str, Patch] = {patch.name: patch for group in REFERENCE_MUTANTS.values() for patch in group}
"""All mutants, by name."""

STEP_MUTANTS: dict[str, tuple[Patch, ...]] = {
    "layout": layout.PROOF,
    "bump": bump.PROOF,
    "pool": pool.PROOF,
    "stack": stack.PROOF,
    "freelist": freelist.PROOF,
    "arena": arena.PROOF,
    "fixed": fixed.PROOF,
    "sizes": sizes.PROOF,
    "books": books.PROOF,
}
"""Faults for proofs alone, by the part that they are in: each obligation is refuted by a mutant, one of these if need
be. They can be loaded like the others.
"""

_IDENTIFIERS = {
    patch.identifier: patch
    for patch in (*PATCHES.values(), *(patch for group in STEP_MUTANTS.values() for patch in group))
}
_NAMED = {patch.name: patch for patch in _IDENTIFIERS.values()}

install(Finder(__name__, _IDENTIFIERS.get))


def load(name: str, module: str = "") -> ModuleType:
    """The reference implementation with the fault `name`, or its module of that name ("steps.pool").

    KeyError when there is no such mutant, PatchError when its patch does not fit the source any more.
    """
    return import_module(package(name) + (f".{module}" if module else ""))


def subjects_of(name: str) -> tuple[str, ...]:
    """The subjects (`ref:NAME`) that show the mutant `name`, when its package stands in for the reference."""
    part = next(part for part, group in REFERENCE_MUTANTS.items() if PATCHES[name] in group)
    return PATCHES[name].subjects or SUBJECTS[part]


def package(name: str) -> str:
    """The package that stands for `heaplaw.refimpl` in the mutant `name`: `subjects.reference` takes it, and every
    module of the reference can be imported from it.
    """
    return f"{__name__}.{_NAMED[name].identifier}"
