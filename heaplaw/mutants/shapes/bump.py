"""Bump allocators."""

from heaplaw.mutants import Mutant

from .variant import Correct

__all__ = ["CORRECT", "MUTANTS"]

_UP = "ok-bump"
_DOWN = "ok-bump-down"
_LONG = "ok-bump-long"

CORRECT = (
    Correct(_UP, "bump.toml", "moves up"),
    Correct(_DOWN, "bump_down.toml", "moves from the buffer's end to its start"),
    Correct("ok-bump-null-zero", "bump_null_zero.toml", "a request for no bytes gives NULL"),
    Correct(_LONG, "bump_long.toml", "many blocks, at constant cost"),
)

MUTANTS = (
    # --- where blocks lie
    Mutant(
        "bump-align-relative", "aligned", _UP,
        "alignment counts from the buffer's start, not from address 0",
        "an alignment above the buffer's own",
    ),
    Mutant(
        "bump-last-byte", "in_bounds", _UP,
        "a block may end one byte past the buffer",
        "a request that exceeds what is left, with its padding, by exactly one byte",
        also=("sized", "fits_is_served", "remaining_is_rest", "blocks_disjoint", "bump_monotonic"),
    ),
    Mutant(
        "bump-first-over", "in_bounds", _UP,
        "the first block may end up to 16 bytes past the buffer",
        "a request of more than the capacity, by at most 16 bytes, as the first since a reset",
        also=("sized", "fits_is_served", "remaining_is_rest"), hidden=True,
    ),
    Mutant(
        "bump-straddles", "in_bounds", _UP,
        "with alignments above 64 the padding is not counted when the end is checked",
        "alignment >= 128 where less is left than size and padding, but not less than the size",
        also=("sized",),
    ),
    Mutant(
        "bump-down-below", "in_bounds", _DOWN,
        "aligning down goes below the buffer's start",
        "a request that fits where the buffer begins, but not with its padding",
        also=("sized",),
    ),
    Mutant(
        "bump-count-8bit", "blocks_disjoint", _UP,
        "the count of blocks has 8 bits; at 256 the buffer counts as unused",
        "257 requests without a reset",
        also=("bump_monotonic", "payload_kept", "remaining_is_rest", "total_is_live_bytes"), hidden=True,
    ),
    Mutant(
        "bump-fills-gaps", "bump_monotonic", _UP,
        "a small request takes padding that an aligned one left behind",
        "an alignment that costs 32 bytes of padding or more, then a request of at most 16 bytes",
        also=("fits_is_served",),
    ),
    Mutant(
        "bump-footer", "buffer_respected", _UP,
        "eight bytes behind the newest block are written, also where the buffer has ended",
        "a block that ends less than 8 bytes before the buffer does",
    ),
    # --- what is served, and what is not
    Mutant(
        "bump-align-wrap", "overflow_is_failure", _UP,
        "offset + padding + size wraps",
        "a size less than the used bytes away from SIZE_MAX",
        also=("failure_is_reported", "blocks_disjoint", "bump_monotonic"), hidden=True,
    ),
    Mutant(
        "bump-signed", "overflow_is_failure", _UP,
        "sizes are compared as signed numbers",
        "a size above PTRDIFF_MAX",
        also=("failure_is_reported", "blocks_disjoint", "bump_monotonic"), hidden=True,
    ),
    Mutant(
        "bump-last-line", "fits_is_served", _UP,
        "the last 64 bytes are never served",
        "a request that leaves less than 64 bytes, its alignment included",
    ),
    Mutant(
        "bump-refused-advances", "failure_changes_nothing", _UP,
        "a refused request takes its padding all the same",
        "a refused request where padding is needed",
        also=("remaining_is_rest", "reset_frees_all"),
    ),
    Mutant(
        "bump-zero-shares", "blocks_disjoint", _UP,
        "a block of no bytes has the next one's address",
        "size 0, then any request",
        also=("invariant_holds", "bump_monotonic"), hidden=True,
    ),
    Mutant(
        "bump-zeroed-null", "zero_size_as_promised", _UP,
        "zeroed memory of no bytes is NULL, other memory is not",
        "a zeroed request of size 0",
        hidden=True,
    ),
    # --- reset, counters, zeroed memory
    Mutant(
        "bump-reset-total", "total_is_live_bytes", _UP,
        "a reset leaves the total",
        "a request, then a reset",
        also=("reset_frees_all",),
    ),
    Mutant(
        "bump-reset-limit", "fits_is_served", _UP,
        "after a reset no more is served than was used before it",
        "a reset of a buffer that was not full, then a request beyond what was used",
        also=("reset_frees_all",),
    ),
    Mutant(
        "bump-new-keeps", "reset_frees_all", _UP,
        "an instance made again begins where the old one had come to",
        "a drop with blocks live, then a new instance",
        also=("remaining_is_rest", "total_is_live_bytes"),
    ),
    Mutant(
        "bump-total-16bit", "total_is_live_bytes", _UP,
        "the total has 16 bits",
        "64 KiB of blocks: all of the buffer, to the last byte",
    ),
    Mutant(
        "bump-check-8bit", "invariant_holds", _UP,
        "the check counts blocks in 8 bits and finds none where there are 256",
        "256 requests without a reset",
        hidden=True,
    ),
    Mutant(
        "bump-dirty", "zeroed", _UP,
        "memory that was not handed out since the last reset is taken for zero",
        "dirty blocks, a reset, a zeroed request",
    ),
    # --- what calls cost
    Mutant(
        "bump-rewalks", "instructions_bounded", _LONG,
        "a request counts the blocks anew",
        "many blocks, a request",
        hidden=True,
    ),
    Mutant(
        "bump-used-rewalks", "instructions_bounded", _LONG,
        "after a reset each request counts the blocks anew",
        "a reset, many blocks, a request",
        hidden=True,
    ),
)  # fmt: skip
