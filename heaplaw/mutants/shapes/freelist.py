"""Free lists over a buffer."""

from heaplaw.mutants import Mutant

from .variant import Correct

__all__ = ["CORRECT", "MUTANTS"]

_PLAIN = "ok-freelist"
_JOINS = "ok-freelist-joins"
_BEST = "ok-freelist-best"
_POISON = "ok-freelist-poison"
_SIZED = "ok-freelist-sized"
_NEXT = "ok-freelist-next"

CORRECT = (
    Correct(_PLAIN, "freelist.toml", "first fit; freed chunks are never joined"),
    Correct(_JOINS, "freelist_joins.toml", "first fit in order of address; freed neighbours are joined"),
    Correct(_BEST, "freelist_joins.toml", "best fit; freed neighbours are joined"),
    Correct(_POISON, "freelist.toml", "fills freed blocks with 0xDD"),
    Correct(_SIZED, "freelist_sized.toml", "is told the size again when a block is freed"),
    Correct("ok-freelist-null-zero", "freelist_null_zero.toml", "a request for no bytes gives NULL"),
    Correct("ok-freelist-last", "freelist_joins.toml", "last fit: the highest chunk that is large enough"),
    Correct(_NEXT, "freelist_joins.toml", "next fit: the search goes on where the one before ended"),
)

_SHARED = (
    "payload_kept", "realloc_keeps_prefix", "invariant_holds", "total_is_live_bytes", "remaining_is_rest",
    "failure_changes_nothing", "freed_is_reusable", "failure_is_reported",
)  # fmt: skip
"""Where chunks overlap, headers are overwritten as well, and any of these may be the first to show it."""

MUTANTS = (
    # --- blocks that share bytes
    Mutant(
        "freelist-rest-48", "blocks_disjoint", _PLAIN,
        "a remainder of 16 bytes is entered as a chunk of 48",
        "a free chunk exactly 16 bytes larger than needed, then a request of 17 to 32 bytes",
        also=_SHARED,
    ),
    Mutant(
        "freelist-joins-live", "blocks_disjoint", _JOINS,
        "a freed chunk is joined with the live one above when three above it have its size",
        "4 live neighbours of one size, free of the lowest, a request of a larger size",
        also=_SHARED, hidden=True,
    ),
    Mutant(
        "freelist-grow-eats", "blocks_disjoint", _JOINS,
        "growth in place takes a live neighbour when that has the block's own size",
        "a resize to at most the double beside a live block of the same size",
        also=_SHARED,
    ),
    Mutant(
        "freelist-tail-stays", "blocks_disjoint", _PLAIN,
        "the last chunk of the list stays there when it is taken whole",
        "a request that fits the last free chunk exactly, and no earlier one",
        also=_SHARED,
    ),
    Mutant(
        "freelist-fourth-equal", "blocks_disjoint", _PLAIN,
        "after four frees in a row of chunks of one size, one chunk is handed out twice",
        "4 frees of one size with nothing between, then 2 requests of it",
        also=_SHARED, hidden=True,
    ),
    Mutant(
        "freelist-best-short", "blocks_disjoint", _BEST,
        "best fit takes a chunk that is up to 32 bytes too short",
        "a free chunk 16 or 32 bytes shorter than needed below a live block",
        also=_SHARED,
    ),
    Mutant(
        "freelist-grow-head", "invariant_holds", _JOINS,
        "growth in place over the list's first chunk leaves that in the list, unless it is the only one",
        "a resize upward beside the lowest free chunk with another free one above, then a request",
        also=("blocks_disjoint", *_SHARED),
    ),
    Mutant(
        "freelist-next-stale", "blocks_disjoint", _NEXT,
        "a chunk of at least 512 bytes that is taken whole stays in the list, unless it is the first",
        "a request that fits such a chunk exactly, and another of that size",
        also=_SHARED, hidden=True,
    ),
    Mutant(
        "freelist-header-wrap", "overflow_is_failure", _PLAIN,
        "size + header wraps",
        "a size of the last 32 up to SIZE_MAX",
        also=("failure_is_reported", "invariant_holds", "remaining_is_rest", "total_is_live_bytes"), hidden=True,
    ),
    Mutant(
        "freelist-count-wrap", "overflow_is_failure", _PLAIN,
        "count * size wraps",
        "factors whose product wraps to a small size",
        also=("failure_is_reported", "remaining_is_rest", "total_is_live_bytes"), hidden=True,
    ),
    # --- what blocks hold, and where they are
    Mutant(
        "freelist-poison-wide", "payload_kept", _POISON,
        "poisoning a freed block goes 24 bytes too far, over the next header into the next block",
        "a free below a live block",
        also=("blocks_disjoint", *_SHARED[1:]),
    ),
    Mutant(
        "freelist-align-offset", "aligned", _PLAIN,
        "alignment counts from the buffer's start, not from address 0",
        "an alignment above the buffer's own",
    ),
    Mutant(
        "freelist-fail-frees", "realloc_failure_keeps_block", _POISON,
        "a resize to more than the whole buffer frees the old block",
        "such a resize",
        also=("blocks_disjoint", *_SHARED), hidden=True,
    ),
    Mutant(
        "freelist-move-rounds", "realloc_keeps_prefix", _PLAIN,
        "only whole 16-byte lines of blocks above 512 bytes move",
        "a moving resize of more than 512 bytes that are no multiple of 16",
    ),
    Mutant(
        "freelist-zero-words", "zeroed", _PLAIN,
        "zeroed memory is cleared in whole 8-byte words only",
        "recycled memory, a zeroed request of a size not divisible by 8",
    ),
    # --- what comes back
    Mutant(
        "freelist-front-lost", "capacity_comes_back", _JOINS,
        "the piece in front of an aligned block is never free again",
        "an aligned request with a gap, everything freed, a large request",
        also=("reuse",),
    ),
    Mutant(
        "freelist-first-alone", "capacity_comes_back", _JOINS,
        "the buffer's first chunk is never joined with one freed above it",
        "the first chunk freed before the one above it, everything freed, a large request",
        also=("reuse",), hidden=True,
    ),
    Mutant(
        "freelist-shrunk-first", "capacity_comes_back", _JOINS,
        "what a resize gives back goes to the list's head, out of the order of address, and is joined with nothing",
        "a shrink in place with free chunks around, everything freed, a large request",
        also=("reuse", "freed_is_reusable", "failure_changes_nothing"), hidden=True,
    ),
    Mutant(
        "freelist-skips-last", "freed_is_reusable", _JOINS,
        "the search leaves out the last chunk of the list",
        "a free of the topmost block where no other free chunk is as large, then its size again",
        also=("failure_changes_nothing", "reuse"),
    ),
    Mutant(
        "freelist-trusts-size", "capacity_comes_back", _SIZED,
        "a freed chunk is taken to be as long as its size needs; what was not split off is lost",
        "a chunk taken whole with 16 bytes over, everything freed, a large request",
        also=("reuse",), hidden=True,
    ),
    Mutant(
        "freelist-refusal-drops", "failure_changes_nothing", _PLAIN,
        "a request above the whole buffer drops the first chunk of the list",
        "no room elsewhere, a free, such a request, the freed size again",
        hidden=True,
    ),
    # --- what is told
    Mutant(
        "freelist-total-resize", "total_is_live_bytes", _PLAIN,
        "a resize in place leaves the total",
        "a resize that needs no other chunk",
        also=("remaining_is_rest", "invariant_holds"),
    ),
    Mutant(
        "freelist-grown-total", "total_is_live_bytes", _JOINS,
        "a block that grew in place is taken off the total by its old size when it is freed",
        "growth over a free neighbour, then the block's free",
        also=("remaining_is_rest", "invariant_holds"),
    ),
    Mutant(
        "freelist-reset-total", "total_is_live_bytes", _PLAIN,
        "a reset leaves the total",
        "a request, then a reset",
        also=("remaining_is_rest", "invariant_holds"),
    ),
    Mutant(
        "freelist-zero-aligned", "zero_size_as_promised", _PLAIN,
        "an aligned request for no bytes gives NULL, others do not",
        "an aligned request of size 0",
        hidden=True,
    ),
    Mutant(
        "freelist-errno-lost", "errno_told", _PLAIN,
        "a request above the whole buffer is refused without errno",
        "such a request",
        hidden=True,
    ),
)  # fmt: skip
