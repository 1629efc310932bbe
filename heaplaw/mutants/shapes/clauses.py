"""C's functions, with faults that single calls show: errno, odd alignments, 0 bytes, usable bytes, wrong frees."""

from heaplaw.mutants import Mutant

from .variant import Correct

__all__ = ["CORRECT", "MUTANTS"]

_BASE = "ok-clauses"

CORRECT = (
    Correct(_BASE, "clauses.toml", "aborts on a double free, ignores other wrong pointers; chunks are powers of two"),
)

MUTANTS = (
    # --- refusals
    Mutant(
        "clause-calloc-errno", "refusal_says_enomem", _BASE,
        "calloc leaves errno alone where the product wraps",
        "such a calloc",
        also=("errno_told",), hidden=True,
    ),
    Mutant(
        "clause-realloc-errno", "refusal_says_enomem", _BASE,
        "a realloc that fails restores errno",
        "a failing realloc of a block",
        also=("errno_told",), hidden=True,
    ),
    Mutant(
        "clause-refusal-sticks", "small_request_served", _BASE,
        "after a refusal the next request of up to 16 bytes is refused",
        "a failing request, then one of at most 16 bytes",
        also=("failure_changes_nothing",), hidden=True,
    ),
    Mutant(
        "clause-out-on-einval", "out_pointer_kept", _BASE,
        "posix_memalign writes to the out-pointer before it refuses an alignment",
        "posix_memalign with an alignment that is none",
        hidden=True,
    ),
    Mutant(
        "clause-out-on-enomem", "out_pointer_kept", _BASE,
        "posix_memalign writes an address to the out-pointer where there is no memory",
        "posix_memalign of a huge size",
        hidden=True,
    ),
    # --- alignments
    Mutant(
        "clause-einval-multiple", "bad_alignment_einval", _BASE,
        "posix_memalign accepts 24 and other multiples of a pointer's size that are no powers of two",
        "posix_memalign with the alignment 24",
        hidden=True,
    ),
    Mutant(
        "clause-einval-power", "bad_alignment_einval", _BASE,
        "posix_memalign accepts 1, 2 and 4",
        "posix_memalign with the alignment 4",
        hidden=True,
    ),
    Mutant(
        "clause-aligned-odd", "odd_alignment_refused", _BASE,
        "aligned_alloc serves an alignment that is no power of two as if it were 16",
        "aligned_alloc(3, 64)",
        hidden=True,
    ),
    Mutant(
        "clause-aligned-line", "odd_size_served", _BASE,
        "aligned_alloc refuses the alignment 64",
        "aligned_alloc of a cache line",
        also=("zero_size_answered", "small_request_served", "reuse"), hidden=True,
    ),
    Mutant(
        "clause-odd-size-refused", "odd_size_served", _BASE,
        "aligned_alloc refuses sizes that are no multiples of the alignment, although any is promised",
        "aligned_alloc(64, 100)",
        also=("failure_changes_nothing",), hidden=True,
    ),
    Mutant(
        "clause-small-skew", "small_sizes_aligned", _BASE,
        "blocks of up to 8 bytes are aligned to 8",
        "a request of at most 8 bytes, where a manual asks for 16",
    ),
    # --- nothing
    Mutant(
        "clause-zero-null", "zero_size_answered", _BASE,
        "malloc(0) gives NULL, although the manual in force asks for a block",
        "malloc(0)",
        also=("zero_size_as_promised",), hidden=True,
    ),
    Mutant(
        "clause-resize-zero-leaks", "reuse", _BASE,
        "realloc to 0 bytes gives NULL and keeps the block",
        "a long run of such calls",
        hidden=True,
    ),
    Mutant(
        "clause-resize-zero-stays", "zero_resize_as_promised", _BASE,
        "realloc to 0 bytes gives the block itself, neither freed nor resized",
        "realloc(p, 0)",
        also=("zero_resize_answered", "reuse"), hidden=True,
    ),
    Mutant(
        "clause-resize-zero-silent", "zero_resize_answered", _BASE,
        "realloc to 0 bytes frees the block and gives NULL without errno",
        "realloc(p, 0), judged by POSIX",
        hidden=True,
    ),
    # --- giving back, usable bytes
    Mutant(
        "clause-free-errno", "free_keeps_errno", _BASE,
        "freeing a block with a map of its own changes errno",
        "free of more than 64 KiB",
        hidden=True,
    ),
    Mutant(
        "clause-usable-header", "usable_bytes_writable", _BASE,
        "after a resize the header counts as usable: the last 16 bytes are another's, or nobody's",
        "a block of more than 64 KiB resized, then all its usable bytes written",
        also=("usable_sizes_disjoint", "payload_kept", "sized"), hidden=True,
    ),
    # --- pointers that must not be freed
    Mutant(
        "clause-double-quiet", "misuse_as_declared", _BASE,
        "a double free returns, although an abort is promised",
        "a block freed twice",
        hidden=True,
    ),
    Mutant(
        "clause-double-large", "misuse_as_declared", _BASE,
        "a double free of more than 4 KiB is not noticed",
        "such a block freed twice",
        hidden=True,
    ),
    Mutant(
        "clause-interior-taken", "blocks_disjoint", _BASE,
        "a pointer into a block frees that block, although it is to be ignored",
        "free of a pointer into a block, then a request of its size",
        also=("payload_kept", "misuse_as_declared", "usable_sizes_disjoint"), hidden=True,
    ),
    Mutant(
        "clause-foreign-crash", "misuse_as_declared", _BASE,
        "a pointer to memory of another's crashes",
        "free of such a pointer",
        hidden=True,
    ),
)  # fmt: skip
