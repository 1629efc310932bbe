"""Shapes: what kind of interface a subject offers, as data."""

from collections.abc import Collection
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
    POP = 8
    """Ends the newest live block of the instance; nothing, where there is none."""
    RESET = 9
    """Ends all blocks of the instance."""
    MARK = 10
    """Takes a mark."""
    RELEASE = 11
    """Ends all blocks of the instance made since the mark in `slot`, and that mark with those taken after it."""
    RENEW = 12
    """Destroys the instance and makes it again."""
    RESIZE_TO_ZERO = 13
    """`realloc(slot, 0)`. Nobody touches the block afterwards, whatever came of it."""
    ODD_ALIGNED = 14
    """`aligned_alloc(align, size)` with an alignment that is none: no power of two. What it gives is left alone."""
    ODD_POSIX_ALIGNED = 15
    """`posix_memalign(&out, align, size)` with such an alignment, or one that no pointer has."""
    MISFREE = 16
    """`free` of a pointer that no live block has; `size` says which: a Misuse. Only where that is defined."""
    FILL_USABLE = 17
    """Not a call: the owner writes the block up to the usable size that was told, and reads it back."""


REQUESTS = (Kind.ALLOC, Kind.ZALLOC, Kind.ALIGNED, Kind.POSIX_ALIGNED)
"""Operations that ask for a new block."""
MAKERS = (*REQUESTS, Kind.RESIZE)
"""Operations that hand out a block when they succeed."""
TAKERS = (Kind.RESIZE, Kind.FREE, Kind.CHECK)
"""Operations that name a block by the slot that holds it."""
ENDERS = (Kind.FREE, Kind.RESIZE, Kind.POP)
"""Operations that end one block when they succeed."""
SWEEPERS = (Kind.RESET, Kind.RELEASE, Kind.RENEW)
"""Operations that end many blocks at once when they succeed."""
READERS = (*TAKERS, Kind.POP, *SWEEPERS)
"""Operations before which the driver reads the payload of the blocks that they end or resize."""
UNDOERS = (Kind.POP, *SWEEPERS)
"""Operations that bring an earlier state back."""
ALIGN_TAKERS = (Kind.ALIGNED, Kind.POSIX_ALIGNED)
"""Operations that are told the alignment."""
FUNCTION_OF: dict[Kind, Kind] = {
    Kind.RESIZE_TO_ZERO: Kind.RESIZE,
    Kind.ODD_ALIGNED: Kind.ALIGNED,
    Kind.ODD_POSIX_ALIGNED: Kind.POSIX_ALIGNED,
    Kind.MISFREE: Kind.FREE,
}
"""Operations that standards treat apart from the one whose function they call: scenes alone have them."""
PROBES = (*FUNCTION_OF, Kind.FILL_USABLE)
"""All operations that scenes alone have."""


class Misuse(IntEnum):
    """Which pointer a MISFREE is given. The numbers stand in files: never renumber."""

    DOUBLE = 1
    """That of a block which was freed, right after it was."""
    INTERIOR = 2
    """One into a live block, 16 bytes behind its beginning."""
    UNALIGNED = 3
    """One byte behind the beginning of a live block."""
    FOREIGN = 4
    """One to memory that the allocator never had."""


CALLS: dict[Kind, str] = {
    Kind.ALLOC: "malloc",
    Kind.ZALLOC: "calloc",
    Kind.RESIZE: "realloc",
    Kind.FREE: "free",
    Kind.ALIGNED: "aligned_alloc",
    Kind.POSIX_ALIGNED: "posix_memalign",
    Kind.CHECK: "check",
    Kind.POP: "pop",
    Kind.RESET: "reset",
    Kind.MARK: "mark",
    Kind.RELEASE: "release",
    Kind.RENEW: "renew",
    Kind.RESIZE_TO_ZERO: "realloc to 0",
    Kind.ODD_ALIGNED: "aligned_alloc oddly",
    Kind.ODD_POSIX_ALIGNED: "posix_memalign oddly",
    Kind.MISFREE: "misuse of free",
    Kind.FILL_USABLE: "fill",
}
"""The C library's name for each operation, where it has one; also the symbol, after a prefix, that a shared library is
asked for.
"""
WORDS: dict[Kind, str] = {
    **CALLS,
    Kind.ALLOC: "alloc",
    Kind.ZALLOC: "zeroed",
    Kind.ALIGNED: "aligned",
}
"""The word for each operation that all shapes share: the key of mappings, the first name looked for on objects."""


@dataclass(frozen=True)
class Shape:
    """An interface: which operations it must and may have, and what it says about itself."""

    name: str
    required: frozenset[Kind]
    optional: frozenset[Kind]
    counters: frozenset[str]
    """Counters that a subject of this shape may offer; laws that need an absent one are not applicable."""
    align_by_size: bool = False
    """Blocks are aligned for any object that fits (malloc); otherwise all to one promised alignment (pool)."""
    one_of: tuple[tuple[frozenset[Kind], ...], ...] = ()
    """Groups of alternatives: of each group, one set of operations at least must be there whole."""
    one_buffer: bool = False
    """All blocks come from one buffer in order, so that equal requests in equal states get equal addresses."""
    header: int = 0
    """Most bytes, beside padding, that an allocator adds to a request when its mapping does not say."""
    max_align: int = 16
    """The alignment of blocks, bytes, when nothing is promised."""

    @property
    def operations(self) -> frozenset[Kind]:
        """All operations of the shape but RENEW, which every instance that can be destroyed has."""
        return self.required | self.optional

    @property
    def sized(self) -> bool:
        """Requests say how many bytes they want."""
        return self.name != "pool"

    def lacks(self, kinds: Collection[Kind]) -> list[str]:
        """What is missing among `kinds`, in words; empty when the shape is whole."""
        missing = [WORDS[kind] for kind in sorted(self.required) if kind not in kinds]
        open_groups = [group for group in self.one_of if not any(choice <= set(kinds) for choice in group)]
        return missing + [" or ".join(map(_together, group)) for group in open_groups]


def _together(kinds: Collection[Kind]) -> str:
    return " and ".join(WORDS[kind] for kind in sorted(kinds))


_A, _Z, _R, _F, _AL = Kind.ALLOC, Kind.ZALLOC, Kind.RESIZE, Kind.FREE, Kind.ALIGNED
_ANY_REQUEST = (frozenset({_A}), frozenset({_AL}))

MALLOC = Shape(
    name="malloc",
    required=frozenset({_A, _F}),
    optional=frozenset({_Z, _R, _AL, Kind.POSIX_ALIGNED}),
    counters=frozenset({"usable_size", "invariant"}),
    align_by_size=True,
)
BUMP = Shape(
    name="bump",
    required=frozenset(),
    optional=frozenset({_A, _AL, _Z, Kind.RESET}),
    counters=frozenset({"remaining", "total_allocated", "invariant"}),
    one_of=(_ANY_REQUEST,),
    one_buffer=True,
    max_align=8,
)
POOL = Shape(
    name="pool",
    required=frozenset({_A, _F}),
    optional=frozenset({_Z, Kind.RESET}),
    counters=frozenset({"num_free_blocks", "num_allocated", "bounds", "grid", "invariant"}),
    max_align=8,
)
FREELIST = Shape(
    name="freelist",
    required=frozenset({_F}),
    optional=frozenset({_A, _AL, _Z, _R, Kind.RESET}),
    counters=frozenset({"usable_size", "remaining", "total_allocated", "invariant"}),
    one_of=(_ANY_REQUEST,),
    header=32,
    max_align=8,
)
STACK = Shape(
    name="stack",
    required=frozenset({Kind.POP}),
    optional=frozenset({_A, _AL, _Z, Kind.RESET}),
    counters=frozenset({"remaining", "total_allocated", "invariant"}),
    one_of=(_ANY_REQUEST,),
    one_buffer=True,
    header=16,
    max_align=8,
)
ARENA = Shape(
    name="arena",
    required=frozenset(),
    optional=frozenset({_A, _AL, _Z, Kind.RESET, Kind.MARK, Kind.RELEASE}),
    counters=frozenset({"remaining", "total_allocated", "invariant"}),
    one_of=(_ANY_REQUEST, (frozenset({Kind.RESET}), frozenset({Kind.MARK, Kind.RELEASE}))),
    header=64,
    max_align=8,
)
LUA_ALLOC = Shape(
    name="lua_alloc",
    required=frozenset({_A, _R, _F}),
    optional=frozenset(),
    counters=frozenset({"invariant"}),
    align_by_size=True,
)
SHAPES: dict[str, Shape] = {shape.name: shape for shape in (MALLOC, BUMP, POOL, FREELIST, STACK, ARENA, LUA_ALLOC)}
