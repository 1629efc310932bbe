"""Arenas: chunks, marks and releases."""

from heaplaw.mutants import Mutant

from .variant import Correct

__all__ = ["CORRECT", "MUTANTS"]

_PLAIN = "ok-arena"
_DOUBLES = "ok-arena-doubles"
_LONG = "ok-arena-long"

CORRECT = (
    Correct(_PLAIN, "arena.toml", "chunks of one length"),
    Correct(_DOUBLES, "arena.toml", "each chunk is twice as long as the one before"),
    Correct("ok-arena-null-zero", "arena_null_zero.toml", "a request for no bytes gives NULL"),
    Correct(_LONG, "arena_long.toml", "chunks of one length, at amortised cost"),
    Correct("ok-arena-doubles-long", "arena_long.toml", "chunks that double, at amortised cost"),
)

MUTANTS = (
    # --- marks, releases, resets
    Mutant(
        "arena-release-one", "release_frees_all", _PLAIN,
        "a release gives back the newest chunk and no more",
        "a mark, requests that open two chunks, a release",
        also=("total_is_live_bytes", "reset_frees_all"),
    ),
    Mutant(
        "arena-inner-only", "release_frees_all", _PLAIN,
        "a release goes back to the latest mark, whichever is named",
        "a mark, a request, another mark, a release to the first",
        also=("total_is_live_bytes",),
    ),
    Mutant(
        "arena-mark-edge", "blocks_disjoint", _PLAIN,
        "a mark at the very end of a chunk is not found, and everything is released",
        "a chunk filled to its last byte, a mark, a release",
        also=("total_is_live_bytes", "payload_kept"),
    ),
    Mutant(
        "arena-mark-cells", "blocks_disjoint", _PLAIN,
        "marks are rounded down to 16 bytes; a release frees the end of a live block",
        "a size that is no multiple of 16, a mark, a release, a request of a smaller alignment",
        also=("total_is_live_bytes", "payload_kept"),
    ),
    Mutant(
        "arena-reset-limit", "sized", _DOUBLES,
        "a reset goes back to the first chunk, but not to its end",
        "requests that open a second chunk, a reset, more than the first chunk holds",
    ),
    # --- chunks for one large block
    Mutant(
        "arena-big-early", "blocks_disjoint", _PLAIN,
        "a release gives up the chunk below as well, if it is one large block's own",
        "a large block, a small one in a chunk behind it, a mark, a release, another block as large",
        also=("payload_kept",), hidden=True,
    ),
    Mutant(
        "arena-big-unaligned", "aligned", _PLAIN,
        "a large block begins behind its chunk's header, whatever the alignment",
        "alignment >= 128 with a size above 16 KiB",
        hidden=True,
    ),
    Mutant(
        "arena-big-counted", "release_frees_all", _PLAIN,
        "chunks of large blocks count as in use for ever",
        "rounds of large blocks and releases, 1 MiB in total",
        also=("reset_frees_all",), hidden=True,
    ),
    Mutant(
        "arena-big-check", "invariant_holds", _PLAIN,
        "the check counts chunks of large blocks one page too long",
        "a size above 16 KiB",
        hidden=True,
    ),
    Mutant(
        "arena-chunk-edge", "sized", _PLAIN,
        "the chunk's header is not counted when it is decided which blocks are large",
        "a size from 16321 to 16384",
        hidden=True,
    ),
    Mutant(
        "arena-size-wrap", "overflow_is_failure", _PLAIN,
        "header + size wraps",
        "a size of the last 4 KiB up to SIZE_MAX",
        hidden=True,
    ),
    # --- small blocks
    Mutant(
        "arena-align-over", "sized", _PLAIN,
        "padding is not counted when the chunk's end is checked, but for ordinary requests",
        "an alignment above 16 near a chunk's end",
    ),
    Mutant(
        "arena-zero-shares", "blocks_disjoint", _PLAIN,
        "a block of no bytes has the next one's address",
        "size 0, then any request",
        hidden=True,
    ),
    Mutant(
        "arena-zero-recycled", "zeroed", _PLAIN,
        "a chunk that is used again counts as new, and new chunks as zero",
        "a released chunk, then a zeroed request that opens a chunk",
    ),
    # --- what calls cost
    Mutant(
        "arena-all-chunks", "instructions_bounded", _LONG,
        "a request adds up the lengths of all chunks",
        "many chunks, a request",
        hidden=True,
    ),
    Mutant(
        "arena-release-walks", "instructions_bounded", _LONG,
        "a release adds up the lengths of all chunks",
        "many chunks, a mark, a release",
        hidden=True,
    ),
)  # fmt: skip
