"""All allocators with a seeded fault, looked up where they are defined, and what it takes to run each."""

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from heaplaw import native
from heaplaw.mutants import MUTANTS, UNUSUAL, Mutant
from heaplaw.mutants.heaps import HEAP_MUTANTS
from heaplaw.mutants.lists import LIST_CORRECT, LIST_MUTANTS
from heaplaw.mutants.pools import POOL_MUTANTS
from heaplaw.mutants.reference import REFERENCE_MUTANTS, package
from heaplaw.mutants.shapes import SHAPE_CORRECT, SHAPE_MUTANTS
from heaplaw.subjects import ProcessSubject, resolve
from heaplaw.subjects.python import object_subject

__all__ = ["CORRECT_CASES", "COUNTED", "NATIVE", "Case", "Source", "all_cases", "present"]


class Source(Enum):
    """Where a mutant is defined; the value is what people read."""

    HEAP = "C, malloc"
    SHAPES = "C, by a mapping"
    LISTS = "C, lists that are shown"
    PYTHON_POOL = "Python, pool"
    PYTHON_HEAP = "Python, malloc"
    REFERENCE = "reference"


NATIVE = (Source.HEAP, Source.SHAPES)
"""Those in C: each is told by a name, and differs from a correct allocator of the same library."""
OPERATIONS = {
    Source.HEAP: 100_000,
    Source.SHAPES: 30_000,
    Source.LISTS: 600,
    Source.PYTHON_POOL: 3_000,
    Source.PYTHON_HEAP: 10_000,
    Source.REFERENCE: 1_500,
}
"""Operations of the main run, where `NEEDED` does not say otherwise."""
_MANY_BLOCKS = ("slab-release-early", "live-count-8bit", "carve-16bit", "crash-at-1000", "fail-refuses-next")
_LEAKS = ("fifo-tail-lost", "aligned-front-lost", "realloc-leaks-old", "leak-eighth", "coalesce-forgets")
_RARE = ("freelist-tail-stays", "freelist-refusal-drops", "lua-map-to-class", "pool-reset-keeps-list")
_COSTLY = (
    *("pool-free-walks", "pool-alloc-counts", "stack-push-adds", "bump-rewalks", "bump-used-rewalks"),
    *("ok-pool-many", "ok-stack-deep", "ok-bump-long", "ok-arena-long", "ok-arena-doubles-long"),
)
_NEAR_LIMITS = ("ref-limit-one-over", "ref-limit-refuses-last")
NEEDED: dict[str, int] = {
    **dict.fromkeys((*_MANY_BLOCKS, *_LEAKS), 300_000),
    **dict.fromkeys(_RARE, 100_000),
    **dict.fromkeys(_COSTLY, 1_000),
    **dict.fromkeys(_NEAR_LIMITS, 20_000),
    **{made.name: made.operations for made in LIST_MUTANTS},
    "ref-limit-ignores-small": 8_000,
    "ref-books-size-of-16-bits": 4_000,
}
"""Operations of the main run that some faults need."""
_BLOCKS = 6
"""Blocks of a pool that is made for a mutant: few, so that it is often full."""


COUNTED = "instructions_bounded"
"""The law that is broken by counts of instructions, and by no trace."""


@dataclass(frozen=True)
class Case:
    """An allocator, and what must be found in it; nothing, where it is correct."""

    name: str
    source: Source
    group: str
    """The kind of allocator, for tables: a shape, or a part of the reference."""
    target: str
    """What `subjects.resolve` or `object_subject` takes; of the reference's, the package to import instead of it."""
    law: str = ""
    """The law that the fault was made for."""
    laws: frozenset[str] = frozenset()
    """The laws that count as a kill."""
    summary: str = ""
    base: str = ""
    """The correct allocator from which one in C differs in one place."""

    @property
    def library(self) -> str | None:
        """The compiled library that it is in, if it is in one."""
        return {Source.HEAP: native.MUTANTS, Source.SHAPES: native.SHAPES}.get(self.source)

    @property
    def operations(self) -> int:
        """Operations of the main run."""
        return NEEDED.get(self.name, OPERATIONS[self.source])

    @property
    def traced(self) -> bool:
        """A trace shows the fault, and it can be kept: of mutants in C that are built with heaplaw."""
        return self.source in NATIVE and self.law != COUNTED

    def subject(self) -> ProcessSubject:
        """The allocator in a process of its own; not for the reference's."""
        if self.library is not None or self.source is Source.LISTS:
            return resolve(self.target)[0]
        if self.source is Source.PYTHON_POOL:
            # The size that is no multiple of 8 shows whether sizes are rounded.
            size = 20 if self.name == "unrounded" else 64
            return object_subject(self.target, "pool", {"num_blocks": _BLOCKS, "block_size": size})
        return object_subject(self.target, "malloc")


def present(case: Case) -> bool:
    """The library that the case is in is built here, if it is in one; what is compiled at first use can be."""
    if case.source is Source.LISTS:
        return shutil.which(os.environ.get("CC", "").partition(" ")[0] or "cc") is not None
    return case.library is None or native.find(case.library) is not None


def _of_c(mutants: Iterable[Mutant], source: Source, group: str) -> list[Case]:
    return [
        Case(m.name, source, group, f"mutant:{m.name}", m.law, frozenset({m.law, *m.also}), m.summary, m.base)
        for m in mutants
    ]


def all_cases() -> list[Case]:
    """Every mutant of the project."""
    shapes = [case for shape, group in SHAPE_MUTANTS.items() for case in _of_c(group, Source.SHAPES, shape)]
    pools = [
        Case(
            m.name,
            Source.PYTHON_POOL,
            "pool",
            f"{m.pool.__module__}:{m.pool.__name__}",
            m.law,
            frozenset({m.law, *m.also}),
            m.summary,
        )
        for m in POOL_MUTANTS
    ]
    heaps = [
        Case(
            m.name,
            Source.PYTHON_HEAP,
            "malloc",
            f"{m.heap.__module__}:{m.heap.__name__}",
            m.law,
            frozenset({m.law, *m.also}),
            m.summary,
        )
        for m in HEAP_MUTANTS
    ]
    lists = [
        Case(m.name, Source.LISTS, "freelist", f"mutant:{m.name}", m.law, frozenset({m.law}), m.summary)
        for m in LIST_MUTANTS
    ]
    reference = [
        Case(p.name, Source.REFERENCE, group, package(p.name), p.law, frozenset({p.law, *p.also}), p.summary)
        for group, patches in REFERENCE_MUTANTS.items()
        for p in patches
    ]
    return [*reference, *_of_c(MUTANTS, Source.HEAP, "malloc"), *pools, *heaps, *shapes, *lists]


CORRECT_CASES: tuple[Case, ...] = (
    *(
        Case(c.name, Source.SHAPES, shape, f"mutant:{c.name}", summary=c.summary)
        for shape, group in SHAPE_CORRECT.items()
        for c in group
    ),
    *(Case(name, Source.HEAP, "malloc", f"mutant:{name}", summary=said) for name, said in UNUSUAL.items()),
    *(Case(c.name, Source.LISTS, "freelist", f"mutant:{c.name}", summary=c.summary) for c in LIST_CORRECT[:2]),
    Case("CorrectPool", Source.PYTHON_POOL, "pool", "heaplaw.mutants.pools:CorrectPool", summary="written in Python"),
    Case("CorrectHeap", Source.PYTHON_HEAP, "malloc", "heaplaw.mutants.heaps:CorrectHeap", summary="written in Python"),
)
"""The correct allocators that the mutants are made of, but for the reference itself."""
