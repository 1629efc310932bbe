"""Allocators with seeded faults, to measure what laws and test plans are able to find.

``mutants.c`` beside this file is one shared library with functions ``mut_malloc``, ``mut_free``,
``mut_calloc``, ``mut_realloc``, ``mut_aligned_alloc``, ``mut_posix_memalign`` and
``mut_malloc_usable_size``. The environment variable ``HEAPLAW_MUTANT`` names the variant and is read at the
first call. This module says which variants there are, and which law each faulty one breaks. Python objects
with faults are in ``pools`` and ``heaps``.
"""

from dataclasses import dataclass
from pathlib import Path

__all__ = ["CORRECT", "MUTANTS", "SOURCE", "VARIABLE", "Mutant"]

VARIABLE = "HEAPLAW_MUTANT"
"""The environment variable that chooses a variant of the C library."""

SOURCE = Path(__file__).with_name("mutants.c")
"""The file to compile; it includes the headers beside it."""


@dataclass(frozen=True)
class Mutant:
    """One allocator with one fault."""

    name: str
    law: str
    """The law that the fault breaks."""
    base: str
    """The correct variant from which it differs in one place."""
    summary: str
    needs: str
    """What it takes to make the fault visible."""
    also: tuple[str, ...] = ()
    """Laws under which the same fault may legitimately be seen first."""
    hidden: bool = False
    """It outlives two million uniform random operations with sizes from 1 to 4096."""


CORRECT: tuple[str, ...] = (
    "ok-firstfit",
    "ok-classes",
    "ok-classes-fifo",
    "ok-poison",
    "ok-null-zero",
    "ok-realloc-moves",
    "ok-downward",
    "ok-usable-exact",
)

_FIT = "ok-firstfit"
_CLS = "ok-classes"
_FIFO = "ok-classes-fifo"
_MOVES = "ok-realloc-moves"
_DOWN = "ok-downward"
_EXACT = "ok-usable-exact"
_OVERLAP = (
    "usable_sizes_disjoint", "payload_kept", "failure_is_reported", "usable_size_covers_request", "sized",
    "realloc_keeps_prefix", "zeroed",
)  # fmt: skip
"""Where two blocks share bytes, or a block is short, any of these may be the first to show it."""

MUTANTS: tuple[Mutant, ...] = (
    # --- aligned
    Mutant(
        "class-1008-skew", "aligned", _CLS,
        "blocks of the class 1008 are carved from offset 8",
        "a size from 993 to 1008",
    ),
    Mutant(
        "align-page-large", "aligned", _CLS,
        "alignments of a page and more are honoured only for sizes below a page",
        "alignment >= 4096 together with size >= 4096",
        hidden=True,
    ),
    Mutant(
        "align-64k-as-page", "aligned", _CLS,
        "blocks with maps of their own are aligned to a page at most",
        "alignment >= 8192, alignment + size > 16 KiB, mostly",
        hidden=True,
    ),
    Mutant(
        "align-recycled", "aligned", _FIT,
        "an aligned request is served from a recycled chunk as it lies",
        "3 operations: a free chunk that fits, then an aligned request",
        hidden=True,
    ),
    # --- sized
    Mutant(
        "big-page-short", "sized", _CLS,
        "the length of a large map forgets the header; the last page is inaccessible",
        "size > 16 KiB whose remainder by 4096 is 0 or above 4032",
        also=("failure_is_reported", "payload_kept"), hidden=True,
    ),
    Mutant(
        "truncate-32", "sized", _FIT,
        "sizes are cut to 32 bits; the block is short",
        "size >= 2**32 with low 32 bits below 1 GiB",
        also=("usable_size_covers_request", "blocks_disjoint", "failure_is_reported"), hidden=True,
    ),
    # --- blocks_disjoint
    Mutant(
        "size-33", "blocks_disjoint", _CLS,
        "33 bytes are served from the class 32",
        "exact size 33 and a neighbour",
        also=_OVERLAP,
    ),
    Mutant(
        "lifo-triple", "blocks_disjoint", _CLS,
        "after three frees in a row, each just below the last, one block is handed out twice",
        "3 frees newest first of one size up to 1 KiB, then 2 requests of it",
        also=_OVERLAP, hidden=True,
    ),
    Mutant(
        "slab-tail-over", "blocks_disjoint", _CLS,
        "one block too many is carved; it reaches into the next slab",
        "64 KiB of live blocks of one class that does not divide 64 KiB",
        also=_OVERLAP, hidden=True,
    ),
    Mutant(
        "free-64-skew", "blocks_disjoint", _CLS,
        "when 64 blocks of a class wait, the next one comes out 16 bytes too high",
        "64 free blocks of one class from 32 to 1024, then requests of it",
        also=_OVERLAP, hidden=True,
    ),
    Mutant(
        "grow-eats-small", "blocks_disjoint", _FIT,
        "growth in place takes a live neighbour when that is of the smallest size",
        "realloc by up to 32 bytes beside a live block of at most 16 bytes",
        also=_OVERLAP,
    ),
    Mutant(
        "slab-release-early", "blocks_disjoint", _CLS,
        "a slab returns to the pool while one block in it is live",
        "16 KiB of one size up to 256, drained down to a single block, then other requests",
        also=_OVERLAP, hidden=True,
    ),
    Mutant(
        "live-count-8bit", "blocks_disjoint", _CLS,
        "the count of live blocks of a slab has 8 bits; with 256 the slab counts as free",
        "more than 256 live blocks of one size up to 128, then frees and requests",
        also=_OVERLAP,
        hidden=True,
    ),
    Mutant(
        "carve-16bit", "blocks_disjoint", _FIFO,
        "the carving offset has 16 bits; a slab filled exactly begins anew with live blocks",
        "64 KiB of live blocks of one size 16, 32, 64 ... 1024 (rounded up to 16)",
        also=_OVERLAP, hidden=True,
    ),
    Mutant(
        "zero-not-taken", "blocks_disjoint", _CLS,
        "a request for 0 bytes shows the first waiting block and leaves it in the list",
        "3 operations: free of a block up to 16 bytes, malloc(0), malloc(1)",
        also=_OVERLAP, hidden=True,
    ),
    Mutant(
        "calloc-16bit", "blocks_disjoint", _CLS,
        "products in calloc keep 16 bits; the block is short",
        "calloc of 64 KiB or more",
        also=_OVERLAP, hidden=True,
    ),
    Mutant(
        "coalesce-live", "blocks_disjoint", _FIT,
        "a freed block joins with the live one below when five neighbours have one size",
        "5 live neighbours of one size, free of the middle one, then requests",
        also=_OVERLAP, hidden=True,
    ),
    # --- payload_kept
    Mutant(
        "poison-plus-8", "payload_kept", "ok-poison",
        "poisoning freed memory goes 8 bytes too far",
        "3 operations: a free beside a live block of the same class",
    ),
    Mutant(
        "free-tag-in-tail", "payload_kept", _FIT,
        "free writes its tag into the last 8 bytes of the live block below",
        "free of the upper neighbour of a block whose size is 9 modulo 16",
        also=("failure_is_reported",),
    ),
    Mutant(
        "fifo-stale-tail", "payload_kept", _FIFO,
        "an emptied queue keeps its tail; the next free writes a link into that live block",
        "a class of at least 16 bytes: free, malloc, free of another block",
        also=("reuse",),
    ),
    Mutant(
        "big-unmap-extra", "payload_kept", _CLS,
        "freeing a large block unmaps one page behind it",
        "free of a block >= 128 KiB below another large live block",
        also=("failure_is_reported", "blocks_disjoint"), hidden=True,
    ),
    Mutant(
        "split-tail-long", "payload_kept", _FIT,
        "a remainder of 96 bytes counts as 128 and reaches into the block above",
        "a free chunk exactly 96 bytes larger than needed below a live block",
        also=("blocks_disjoint", "failure_is_reported"),
    ),
    Mutant(
        "coalesce-tag-far", "payload_kept", _FIT,
        "joining on both sides into more than 256 KiB writes the tag into the next payload",
        "a drain of 256 KiB of neighbours below a live block, last free with free memory on both sides",
        hidden=True,
    ),
    # --- realloc
    Mutant(
        "realloc-words", "realloc_keeps_prefix", _MOVES,
        "only whole 8-byte words are copied",
        "a realloc with the smaller size not divisible by 8",
    ),
    Mutant(
        "realloc-page-only", "realloc_keeps_prefix", _CLS,
        "at most one page is copied",
        "a moving realloc with both sizes above 4096",
        hidden=True,
    ),
    Mutant(
        "realloc-big-to-small", "realloc_keeps_prefix", _CLS,
        "moving from a map of its own to a class copies the header along",
        "realloc from more than 16 KiB to a quarter or less",
        hidden=True,
    ),
    Mutant(
        "realloc-from-base", "realloc_keeps_prefix", _CLS,
        "the copy starts at the class block, not at the aligned pointer within",
        "aligned_alloc with alignment above 16, then a moving realloc",
        hidden=True,
    ),
    Mutant(
        "realloc-chain-6", "realloc_keeps_prefix", _MOVES,
        "after six growths in a row of one block the last 16 bytes are not copied",
        "7 operations: one block grown six times, nothing between",
        hidden=True,
    ),
    Mutant(
        "shrink-tail-early", "realloc_keeps_prefix", _FIT,
        "shrinking in place returns the tail from 32 bytes too early",
        "realloc to at least 256 bytes and at most half",
        also=("blocks_disjoint", "usable_size_covers_request", "sized"),
    ),
    Mutant(
        "realloc-fail-frees", "realloc_failure_keeps_block", _CLS,
        "a failed realloc frees the old block",
        "a failing realloc, then a request of the old size",
        also=("blocks_disjoint", "payload_kept", "failure_changes_nothing"), hidden=True,
    ),
    Mutant(
        "realloc-fail-writes", "realloc_failure_keeps_block", _DOWN,
        "a failed realloc writes a pointer into the old block",
        "a failing realloc",
        also=("payload_kept", "failure_changes_nothing"), hidden=True,
    ),
    Mutant(
        "realloc-fail-shrinks", "realloc_failure_keeps_block", _FIT,
        "a failed realloc leaves the old block cut to half",
        "a failing realloc of a block of at least 240 bytes",
        also=("payload_kept", "blocks_disjoint", "failure_changes_nothing", "usable_size_covers_request"),
        hidden=True,
    ),
    # --- zeroed
    Mutant(
        "calloc-512-dirty", "zeroed", _CLS,
        "calloc does not clear blocks of the class 512",
        "a recycled block, calloc of 497 to 512 bytes",
    ),
    Mutant(
        "calloc-count-only", "zeroed", _FIT,
        "calloc(n, size) clears n bytes",
        "recycled memory, calloc with size > 1",
    ),
    Mutant(
        "calloc-trusts-slab", "zeroed", _CLS,
        "calloc takes newly carved memory for zero although slabs are recycled",
        "a slab wholly freed, then calloc of another class",
    ),
    Mutant(
        "calloc-trusts-map", "zeroed", _CLS,
        "a freed large map is kept and reused; calloc takes it for zero",
        "free of a dirty block above 16 KiB, then calloc of a large size not above it",
        hidden=True,
    ),
    Mutant(
        "calloc-trusts-top", "zeroed", _FIT,
        "calloc takes memory above the last block for zero although freed blocks return there",
        "free of the topmost block, then calloc",
    ),
    # --- failure_is_reported: the process ends or hangs
    Mutant(
        "abort-ptrdiff", "failure_is_reported", _CLS,
        "abort for one size",
        "exact size PTRDIFF_MAX + 1",
        also=("overflow_is_failure",), hidden=True,
    ),
    Mutant(
        "exit-after-5", "failure_is_reported", _CLS,
        "the fifth free in a row of one class ends the process with status 0",
        "5 frees in a row of one size up to 1 KiB",
        hidden=True,
    ),
    Mutant(
        "coalesce-loop", "failure_is_reported", _FIT,
        "joining three chunks of one size never ends",
        "5 operations: a block freed between two free ones of its size, at most 1 KiB",
    ),
    Mutant(
        "crash-at-1000", "failure_is_reported", _CLS,
        "null dereference when a class has exactly 1000 live blocks and none waiting",
        "1000 live blocks of one size up to 1 KiB",
        hidden=True,
    ),
    Mutant(
        "stack-smash", "failure_is_reported", _CLS,
        "a shrinking copy through a stack buffer of 128 bytes takes 256",
        "a moving realloc down to 129 ... 136 bytes",
    ),
    # --- overflow_is_failure
    Mutant(
        "header-wrap", "overflow_is_failure", _FIT,
        "size + header wraps",
        "a size of the last 16 up to SIZE_MAX",
        hidden=True,
    ),
    Mutant(
        "calloc-wrap", "overflow_is_failure", _CLS,
        "the product in calloc wraps",
        "factors whose product wraps to a small size",
        hidden=True,
    ),
    Mutant(
        "calloc-wrap-2-33", "overflow_is_failure", _FIT,
        "factors below 2**33 are not checked for overflow",
        "both factors from 2**31 to 2**33, e.g. 2**32 twice",
        hidden=True,
    ),
    Mutant(
        "align-wrap", "overflow_is_failure", _CLS,
        "size + alignment wraps",
        "alignment of at least 32 and a size within it of SIZE_MAX",
        hidden=True,
    ),
    Mutant(
        "realloc-wrap", "overflow_is_failure", _FIT,
        "realloc to nearly SIZE_MAX succeeds in place",
        "realloc of a live block to a size of the last 64 up to SIZE_MAX",
        hidden=True,
    ),
    Mutant(
        "signed-compare", "overflow_is_failure", _DOWN,
        "sizes just above PTRDIFF_MAX compare as negative and get a small block",
        "a size from PTRDIFF_MAX + 1 to PTRDIFF_MAX + 4096",
        hidden=True,
    ),
    # --- failure_changes_nothing
    Mutant(
        "fail-refuses-next", "failure_changes_nothing", _CLS,
        "after a failure the next large request is refused",
        "a failing request, then one above 16 KiB",
        also=("failure_is_reported",), hidden=True,
    ),
    Mutant(
        "fail-sticky", "failure_changes_nothing", _FIT,
        "after three failures in a row the next 64 requests are refused",
        "4 operations: three failing requests, then any",
        also=("failure_is_reported",), hidden=True,
    ),
    Mutant(
        "fail-scribbles", "failure_changes_nothing", _FIT,
        "a failed request clears the first 8 bytes of the newest live block",
        "a request, then a failing one",
        also=("payload_kept", "realloc_failure_keeps_block"), hidden=True,
    ),
    # --- usable_size_covers_request
    Mutant(
        "usable-plus-8", "usable_sizes_disjoint", _CLS,
        "the usable size is 8 too large and reaches into the neighbour",
        "writing all usable bytes beside a live block, or comparing usable extents",
        also=("blocks_disjoint", "payload_kept"),
    ),
    Mutant(
        "usable-24-short", "usable_size_covers_request", _EXACT,
        "the usable size of 24 bytes is 16",
        "exact size 24",
    ),
    Mutant(
        "usable-stale", "usable_size_covers_request", _EXACT,
        "growth in place leaves the old usable size",
        "realloc that grows in place, then the usable size",
    ),
    # --- reuse
    Mutant(
        "no-reuse-2048", "reuse", _CLS,
        "blocks of the classes 4096, 8192 and 16384 are never reused",
        "steady use of sizes from 2049 to 16384",
        also=("failure_is_reported",),
    ),
    Mutant(
        "fifo-tail-lost", "reuse", _FIFO,
        "when 16 blocks of a class wait, the next free loses the last one",
        "rounds of more than 16 frees of one class",
        hidden=True,
    ),
    Mutant(
        "coalesce-forgets", "reuse", _FIT,
        "freed neighbours are never joined",
        "rounds of fill and drain with growing sizes",
        also=("failure_is_reported",), hidden=True,
    ),
    Mutant(
        "leak-eighth", "reuse", _DOWN,
        "every eighth freed block is lost",
        "steady use, some dozens of MiB in total",
        also=("failure_is_reported",), hidden=True,
    ),
    Mutant(
        "realloc-leaks-old", "reuse", _CLS,
        "a moving realloc does not free old blocks of 1 KiB and more",
        "rounds of growth chains",
        also=("failure_is_reported",), hidden=True,
    ),
    Mutant(
        "aligned-front-lost", "reuse", _FIT,
        "the piece in front of an aligned block is never freed",
        "rounds of aligned requests and frees",
        hidden=True,
    ),
    Mutant(
        "fail-drops-lists", "reuse", _DOWN,
        "a failed request drops all lists of freed blocks",
        "rounds of fill, drain and a failing request",
        also=("failure_changes_nothing",), hidden=True,
    ),
    # --- first_operation
    Mutant(
        "first-free", "first_operation", _CLS,
        "crash when free(NULL) comes before any request",
        "free(NULL) as the first call of the process",
        also=("failure_is_reported",), hidden=True,
    ),
    Mutant(
        "first-calloc", "first_operation", _FIT,
        "crash when calloc is the first call",
        "calloc as the first call of the process",
        also=("failure_is_reported",),
    ),
    Mutant(
        "first-realloc", "first_operation", _CLS,
        "crash when realloc is the first call",
        "realloc(NULL, n) as the first call of the process",
        also=("failure_is_reported",),
    ),
    Mutant(
        "first-aligned", "first_operation", _FIT,
        "crash when an aligned request is the first call",
        "aligned_alloc or posix_memalign as the first call of the process",
        also=("failure_is_reported",), hidden=True,
    ),
)  # fmt: skip
