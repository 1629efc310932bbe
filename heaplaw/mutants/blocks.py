"""Faulty variants of ``mutants.c`` by where their blocks lie, and by what is in them."""

from .mutant import Mutant

__all__ = ["MUTANTS"]

_FIT = "ok-firstfit"
_CLS = "ok-classes"
_FIFO = "ok-classes-fifo"
_MOVES = "ok-realloc-moves"
_DOWN = "ok-downward"
_EXACT = "ok-usable-exact"
_POISON = "ok-poison"
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
    Mutant(
        "align-stale-cache", "aligned", _CLS,
        "the aligned block freed last serves the next aligned request of its class, whatever its alignment",
        "free of an aligned block, then a request of its class for a larger alignment",
        hidden=True,
    ),
    Mutant(
        "align-gap-16", "aligned", _FIT,
        "where 16 bytes before an aligned place remain the block begins 16 bytes behind it",
        "an aligned request whose chunk lies one line below a multiple of the alignment",
        hidden=True,
    ),
    Mutant(
        "top-unaligned", "aligned", _FIT,
        "each time that more memory is opened what follows begins 8 bytes higher",
        "a request that ends beyond the next 256 KiB, with another block below it",
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
    Mutant(
        "big-shrink-stale", "failure_is_reported", _CLS,
        "pages of a large map that a resize in place gave back still count as the block's",
        "a block of at least 64 KiB, shrunk in place, then grown to what it was at most",
        also=("payload_kept", "realloc_keeps_prefix", "sized"), hidden=True,
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
    Mutant(
        "coalesce-wraps", "blocks_disjoint", _FIT,
        "the topmost chunk is joined with the lowest one as well, as if the region were a ring",
        "the lowest block freed, then the topmost, then a request above the lowest one's size",
        also=_OVERLAP, hidden=True,
    ),
    Mutant(
        "split-min-bin", "payload_kept", _FIT,
        "a remainder of exactly the smallest size waits in the list of the sizes above, and is not unlinked from it",
        "a split that leaves 32 bytes below a live block, that rest used up, then requests of up to 48 bytes",
        also=("blocks_disjoint", *_OVERLAP), hidden=True,
    ),
    Mutant(
        "realloc-class-edge", "blocks_disjoint", _CLS,
        "a resize to one byte more than a class holds stays in place",
        "realloc to exactly one byte above a class",
        also=_OVERLAP,
    ),
    Mutant(
        "realloc-same-frees", "payload_kept", _CLS,
        "a resize to exactly what the class holds frees the block that it returns",
        "realloc within a class to the whole of it, then a request of that class",
        also=("blocks_disjoint", *_OVERLAP),
    ),
    Mutant(
        "list-power-of-two", "blocks_disjoint", _CLS,
        "when a list has just grown to 16, 32, 64 ... blocks its first one is handed out twice",
        "so many free blocks of one size up to 1 KiB, then at once 2 requests of it",
        also=_OVERLAP, hidden=True,
    ),
    Mutant(
        "aligned-free-as-start", "blocks_disjoint", _CLS,
        "an aligned block that is freed enters the list where its user saw it, not where it begins",
        "free of an aligned block of up to 1 KiB, then a request of its class",
        also=_OVERLAP, hidden=True,
    ),
    Mutant(
        "down-back-12bit", "blocks_disjoint", _DOWN,
        "the way back from an aligned block to its beginning has 12 bits",
        "an alignment of 8192 and a size that fits a class with it, free, then requests of that class",
        also=_OVERLAP, hidden=True,
    ),
    Mutant(
        "down-aligned-uncounted", "blocks_disjoint", _DOWN,
        "aligned blocks are not counted as live; everything starts anew while one of them lives",
        "an aligned block, all others freed, then requests",
        also=_OVERLAP, hidden=True,
    ),
    # --- payload_kept
    Mutant(
        "poison-plus-8", "payload_kept", _POISON,
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
        "poison-shrunk", "realloc_keeps_prefix", _POISON,
        "a resize in place fills what it gives up with poison, from the last whole line on",
        "realloc within a class to a smaller size not divisible by 16",
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
    Mutant(
        "calloc-trusts-resized", "zeroed", _CLS,
        "a freed map is kept when its block was resized in place; calloc takes it for zero",
        "a dirty block above 16 KiB resized in place, free, then calloc of a large size not above it",
        hidden=True,
    ),
    Mutant(
        "calloc-trusts-grown", "zeroed", _FIT,
        "where the topmost block grows in place, what lies above its old end counts as never used",
        "growth of the topmost block over memory that was used before, then calloc above it",
        hidden=True,
    ),
    Mutant(
        "calloc-words", "zeroed", _FIT,
        "calloc clears whole 8-byte words only",
        "recycled memory, calloc of a size not divisible by 8",
    ),
)  # fmt: skip
