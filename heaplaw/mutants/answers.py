"""Faulty variants of ``mutants.c`` by what calls answer: refusals, overflows, usable sizes, reuse, first calls."""

from .mutant import Mutant

__all__ = ["MUTANTS"]

_FIT = "ok-firstfit"
_CLS = "ok-classes"
_FIFO = "ok-classes-fifo"
_DOWN = "ok-downward"
_EXACT = "ok-usable-exact"

MUTANTS: tuple[Mutant, ...] = (
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
    Mutant(
        "null-freed-later", "failure_is_reported", _CLS,
        "a free of NULL enters a list; the next request of up to 32 bytes crashes",
        "free(NULL), then a request of at most 32 bytes",
        hidden=True,
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
    Mutant(
        "usable-shrunk", "usable_sizes_disjoint", _EXACT,
        "shrinking in place leaves the old usable size",
        "realloc to at least 32 bytes less, then a request served from what was given back",
        also=("blocks_disjoint", "payload_kept"),
    ),
    Mutant(
        "usable-grown", "usable_sizes_disjoint", _FIT,
        "after growth in place the usable size reaches over the next header into the next block",
        "realloc that grows in place below a live block, or writing all usable bytes",
        also=("blocks_disjoint", "payload_kept", "failure_is_reported"),
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
