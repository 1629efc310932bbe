"""Shapes: what kind of interface a subject offers, as data."""

from dataclasses import dataclass
from enum import IntEnum


class Kind(IntEnum):
    """What an operation of a trace does. The numbers stand in files and in the native driver: never renumber."""

    ALLOC = 1
    """`malloc(size)`, or a pool's `alloc()`."""
    ZALLOC = 2
    """`calloc(count, size)`."""
    RESIZE = 3
    """`realloc(slot, size)`, with size above 0."""
    FREE = 4
    """`free(slot)`, a pool's `dealloc`."""
    ALIGNED = 5
    """`aligned_alloc(align, size)`."""
    POSIX_ALIGNED = 6
    """`posix_memalign(&out, align, size)`."""
    CHECK = 7
    """Not a call: the owner reads its payload back."""


MAKERS = (Kind.ALLOC, Kind.ZALLOC, Kind.RESIZE, Kind.ALIGNED, Kind.POSIX_ALIGNED)
"""Operations that hand out a block when they succeed."""
TAKERS = (Kind.RESIZE, Kind.FREE, Kind.CHECK)
"""Operations that name a block by the slot that holds it."""
ALIGN_TAKERS = (Kind.ALIGNED, Kind.POSIX_ALIGNED)
"""Operations that are told the alignment."""

CALLS: dict[Kind, str] = {
    Kind.ALLOC: "malloc",
    Kind.ZALLOC: "calloc",
    Kind.RESIZE: "realloc",
    Kind.FREE: "free",
    Kind.ALIGNED: "aligned_alloc",
    Kind.POSIX_ALIGNED: "posix_memalign",
    Kind.CHECK: "check",
}
"""The C library's name for each operation; also the symbol, after a prefix, that a shared library is asked for."""


@dataclass(frozen=True)
class Shape:
    """An interface: which operations it must and may have, and what it says about itself."""

    name: str
    required: frozenset[Kind]
    optional: frozenset[Kind]
    counters: frozenset[str]
    """Counters that a subject of this shape may offer; laws that need an absent one are not applicable."""
    align_by_size: bool
    """Blocks are aligned for any object that fits (malloc); otherwise all to one promised alignment (pool)."""

    @property
    def operations(self) -> frozenset[Kind]:
        """All operations of the shape."""
        return self.required | self.optional


MALLOC = Shape(
    name="malloc",
    required=frozenset({Kind.ALLOC, Kind.FREE}),
    optional=frozenset({Kind.ZALLOC, Kind.RESIZE, Kind.ALIGNED, Kind.POSIX_ALIGNED}),
    counters=frozenset({"usable_size"}),
    align_by_size=True,
)
POOL = Shape(
    name="pool",
    required=frozenset({Kind.ALLOC, Kind.FREE}),
    optional=frozenset(),
    counters=frozenset({"num_free_blocks", "num_allocated", "bounds"}),
    align_by_size=False,
)
SHAPES: dict[str, Shape] = {shape.name: shape for shape in (MALLOC, POOL)}
