"""Mutants of the reference implementation: each is a patch of one piece of its source.

`load(name)` gives the whole reference implementation with that fault, a package of its own; the same package can be
imported as `heaplaw.mutants.reference.NAME`, with `-` written as `_`, so that `module:Class` targets reach it from any
process: ``heaplaw.mutants.reference.ref_stack_prev_lost.allocators:StackAllocator``.
"""

from importlib import import_module
from types import ModuleType

from . import arena, books, bump, fixed, freelist, interface, libc, pool, registry, stack, trace
from .loader import Finder, install
from .patch import Patch, PatchError

__all__ = ["PATCHES", "REFERENCE_MUTANTS", "Patch", "PatchError", "load", "package"]

REFERENCE_MUTANTS: dict[str, tuple[Patch, ...]] = {
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

PATCHES: dict[str, Patch] = {patch.name: patch for group in REFERENCE_MUTANTS.values() for patch in group}
"""All mutants, by name."""

_IDENTIFIERS = {patch.identifier: patch for patch in PATCHES.values()}

install(Finder(__name__, _IDENTIFIERS.get))


def load(name: str, module: str = "") -> ModuleType:
    """The reference implementation with the fault `name`, or its module of that name ("steps.pool").

    KeyError when there is no such mutant, PatchError when its patch does not fit the source any more.
    """
    return import_module(package(name) + (f".{module}" if module else ""))


def package(name: str) -> str:
    """The package that stands for `heaplaw.refimpl` in the mutant `name`: `subjects.reference` takes it, and every
    module of the reference can be imported from it.
    """
    return f"{__name__}.{PATCHES[name].identifier}"
