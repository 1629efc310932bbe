"""The one table that every generator draws from: phases with their weights, classes of sizes, boundary values.

Bulk columns (`models.generate`) and Hypothesis strategies (`models.strategies`) are two readings of this table.
"""

from dataclasses import dataclass

from heaplaw.spec.layout import PAGE, PTRDIFF_MAX, SIZE_MAX
from heaplaw.spec.shapes import Kind


@dataclass(frozen=True)
class Phase:
    """A stretch of a trace with one pattern of lifetimes."""

    name: str
    weight: int
    """Share of a mixed trace, relative to the other phases."""


PHASES = (
    Phase("fill and drain", 3),
    Phase("churn", 4),
    Phase("first in, first out", 2),
    Phase("last in, first out", 2),
    Phase("fragment", 3),
    Phase("recycle", 3),
    Phase("grow and shrink", 3),
    Phase("zero after dirt", 2),
    Phase("aligned", 2),
    Phase("class sweep", 2),
    Phase("tides", 6),
)


@dataclass(frozen=True)
class SizeClass:
    """A family of request sizes, bytes, `low` to `high` inclusive."""

    name: str
    weight: int
    low: int
    high: int
    edges: int = 0
    """0: log-uniform between low and high. Otherwise a multiple of `edges`, give or take a few bytes (`NEAR`)."""


SIZES = (
    SizeClass("small", 46, 1, 512),
    SizeClass("word edges", 10, 8, 256, 8),
    SizeClass("class edges", 20, 16, 1024, 16),
    SizeClass("page edges", 4, PAGE, 8 * PAGE, PAGE),
    SizeClass("medium", 12, 512, 8192),
    SizeClass("large", 2, 8192, 65536),
    SizeClass("huge", 1, 65536, 2**20),
)
NEAR = (0, 0, 0, -1, 1, -8, 8, -16)
"""Distances from an edge, bytes, drawn uniformly."""
POWERS = tuple(2**k + d for k in range(4, 18) for d in (-1, 0, 1))
"""Powers of two and their neighbours, mixed into every family of sizes."""
POWERS_SHARE = 0.05
ZERO_SHARE = 0.004

NOTHING_LEAST = 4
"""Requests for 0 bytes in each phase of a bounded heap, at least: so many right after a free, and so many anywhere."""
FREED_BEFORE_NOTHING = (1, 1, 64, 256, 1024)
"""What was asked for of the block that is freed right before such a request, bytes …"""
SMALL_ALIGNMENTS = 4
"""… and from how many of the smallest alignments that may be asked for those that take one draw theirs."""

ALIGNMENTS = tuple(2**k for k in range(3, 17))
"""Alignments asked for, bytes: 8 to 64 KiB."""

REFUSED_SIZES = tuple(
    dict.fromkeys(
        [SIZE_MAX - d for d in (*range(65), PAGE - 1, PAGE, PAGE + 1, 65535)]
        + [PTRDIFF_MAX + d for d in (-PAGE, -64, -17, -16, -15, -1, 0, 1, 15, 16, 17, 64, PAGE)]
        + [2**k + d for k in range(36, 64) for d in (-1, 0, 1, 24)]
    )
)
"""Sizes that hardly any allocator can serve, and none may serve above PTRDIFF_MAX, bytes."""
VAST_SIZES = tuple(2**k + d for k in (31, 32, 33) for d in (-1, 0, 1, 16, 24))
"""Sizes beyond 32 bits that an allocator may well serve, asked for with plain `malloc` only: nothing zeroes them."""
WRAPPING_FACTORS = tuple(
    dict.fromkeys(
        [
            (2**k, 2 ** (64 - k) + d)
            for k in (1, 2, 4, 8, 16, 31, 32, 33, 48, 63)
            for d in (0, 1, 8, 64)
            if 2 ** (64 - k) + d <= SIZE_MAX
        ]
        + [
            (SIZE_MAX, 2),
            (2, SIZE_MAX),
            (SIZE_MAX, SIZE_MAX),
            (3, SIZE_MAX // 3 + 1),
            (PTRDIFF_MAX, 2),
            (2, PTRDIFF_MAX),
        ]
    )
)
"""(count, size) whose product exceeds PTRDIFF_MAX; most wrap to a small number."""
BOUNDARY_SHARE = 0.02
"""Share of the operations of a mixed trace that belong to boundary groups."""

KIND_WEIGHTS = {"malloc": 70, "calloc": 18, "aligned_alloc": 6, "posix_memalign": 6}
"""How a block is asked for, where the phase does not say."""
RESIZED_SHARE = 0.12
CHECKED_SHARE = 0.05
"""Blocks that are resized, or read back, once in their life, outside the phases made for it."""
LONGEST_GROWTH = 10
"""Resizes in a row of one block, at most."""
CROWDS = (300, 600, 1150, 1150, 2300)
"""Blocks of one exact size that are live together in a tide, about."""
CROWD_SIZES = (*(2**k for k in range(4, 11)), *range(16, 1025, 16), *(2**k for k in range(5, 11)))
"""Exact sizes of tides, bytes: powers of two as often as other edges of classes."""
REFUSED_IN_A_ROW = (0, 0, 1, 2, 3, 4)
"""Refusals before the refusal of a boundary group."""

STEADY_SIZES = SizeClass("steady", 1, 16, 8192)
STEADY_LIFETIME = 500
"""Mean lifetime of single blocks in a steady workload, in allocations; so about the number of them that are live."""
STEADY_CROWD = 48
STEADY_EXACT = 6
STEADY_CROWD_SIZES = SizeClass("steady crowds", 1, 64, 1024)
STEADY_KINDS = {"malloc": 50, "calloc": 20, "aligned_alloc": 15, "posix_memalign": 15}
STEADY_MOST_ALIGN = 2**10
"""Largest alignment asked for, bytes."""
STEADY_PART, STEADY_LEAST = 5, 20_000
"""A mixed run is followed by a steady one, so many times shorter, of so many operations at least."""
STEADY_RESIZED_SHARE = 0.2
STEADY_BOUNDARY_SHARE = 0.01
SMALL_SIZES = SizeClass("small steady", 1, 16, 512)
SMALL_LARGER = SizeClass("small steady, larger", 1, 2048, 12288)
SMALL_LARGER_SHARE = 0.15
SMALL_LIFETIME = 24
SMALL_CROWD = 12
"""The same for subjects that may have little room."""

BURSTS = (1, 1, 3, 20, 300)
"""Most operations in a row of one instance, where several take turns."""
STEADY_ABOVE = 2**20
"""Requests that a steady workload wants refused are larger, bytes: smaller ones count as refusals (law `reuse`)."""

REGION_WEIGHTS = {Kind.ALLOC: 60, Kind.ALIGNED: 25, Kind.ZALLOC: 15}
"""How a bump, a stack, an arena is asked for a block."""
FILLED = (0.1, 0.5, 0.9, 1.1, 1.3)
"""Parts of the room that series of small requests ask for."""
MOST_LEFT = 65
"""One more than the bytes that the request before the last ones leaves, at most; now and then three times that."""
READ_SHARE = 0.06
"""Requests of a region whose block is read back some time later."""
AGAIN = (1, 1, 2, 2, 3)
"""How often a burst is played, each time in the same state."""
CUT_SHARE = 0.12
"""Bursts that are cut short somewhere."""
REFUSED_BETWEEN = 6
"""Blocks of a heap over a buffer between whose end and successor a request is refused, for each boundary group."""
BYTES_PER_OP = 2**15
"""Bytes that a stretch may ask for in all, for each operation: large blocks take time to be written and read."""
RENEW_EVERY, RENEW_LEAST = 2000, 4
"""Operations for each renewal, about; least renewals of a trace."""
PIECE_LONGEST, PHASE_LONGEST = 4000, 30_000
"""Operations of one stretch, about, at most: of a bounded subject, and of one without a bound."""
MOST_LIVE = 60 * 2**20
"""Bytes that are live at one time in regions without a bound, at most."""
DEEPEST = 20
"""Marks within marks."""
ARENA_ROOMS = (4096, 2**16, 2**16, 2**18, 2**20)
"""Bytes that a stretch asks of an arena without a bound, about."""
ARENA_VAST = 2**24
"""The same, for a few very large blocks."""
FRESH = 24
"""Traces of a bump that nothing empties: each runs in a process of its own."""
LEFT_OVER = (*range(0, 72, 8), 1, 80, 96, 128, 160, 192, 256, 320, 512, 1024)
"""Bytes that a request for nearly everything leaves."""
LEAPS_SHARE = 0.03
"""Blocks of a `lua_Alloc`, for each operation, that are resized to any other size, several times."""
