"""Allocators with seeded faults, to measure what laws and test plans are able to find.

``mutants.c`` beside this file is one shared library with functions ``mut_malloc``, ``mut_free``,
``mut_calloc``, ``mut_realloc``, ``mut_aligned_alloc``, ``mut_posix_memalign`` and
``mut_malloc_usable_size``. The environment variable ``HEAPLAW_MUTANT`` names the variant and is read at the
first call. This module says which variants there are, and which law each faulty one breaks. Python objects
with faults are in ``pools`` and ``heaps``, other shapes in ``shapes``.
"""

from collections.abc import Mapping
from pathlib import Path

from . import answers, blocks
from .mutant import Mutant

__all__ = ["CORRECT", "MUTANTS", "SOURCE", "UNUSUAL", "VARIABLE", "Mutant"]

VARIABLE = "HEAPLAW_MUTANT"
"""The environment variable that chooses a variant of the C library."""

SOURCE = Path(__file__).with_name("mutants.c")
"""The file to compile; it includes the headers beside it."""

UNUSUAL: Mapping[str, str] = {
    "ok-firstfit": "boundary tags: each header tells the size of the chunk below; freed neighbours are joined",
    "ok-classes": "size classes without headers; facts about blocks are kept aside, in a table of slabs",
    "ok-classes-fifo": "freed blocks are reused oldest first",
    "ok-poison": "freed memory is filled with 0xDD",
    "ok-null-zero": "a request for no bytes gives NULL, and so does a resize to none, which frees the block",
    "ok-realloc-moves": "a resize never works in place",
    "ok-downward": "blocks are cut from the high end of the region downward",
    "ok-usable-exact": "the usable size is the size that was asked for",
    "ok-bestfit": "the smallest free chunk that is large enough is taken",
    "ok-guards": "16 known bytes lie behind each block, and are looked at when it is freed",
    "ok-quarantine": "a freed block waits until 64 more were freed, or until memory is short",
}
"""The correct variants, and what is unusual about each."""

CORRECT: tuple[str, ...] = tuple(UNUSUAL)

MUTANTS: tuple[Mutant, ...] = (*blocks.MUTANTS, *answers.MUTANTS)
"""The variants with one fault."""
