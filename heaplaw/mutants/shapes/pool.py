"""Pools: blocks of one size."""

from heaplaw.mutants import Mutant

from .variant import Correct

__all__ = ["CORRECT", "MUTANTS"]

_LIFO = "ok-pool"
_FIFO = "ok-pool-fifo"
_POISON = "ok-pool-poison"
_STATUS = "ok-pool-status"
_PAIR = "ok-pool-pair"
_MANY = "ok-pool-many"

CORRECT = (
    Correct(_LIFO, "pool.toml", "reuses the newest freed block first"),
    Correct(_FIFO, "pool_fifo.toml", "reuses the oldest freed block first"),
    Correct(_POISON, "pool.toml", "fills freed blocks with 0xDD"),
    Correct(_STATUS, "pool_status.toml", "returns a status, and the block through a pointer"),
    Correct(_PAIR, "pool_pair.toml", "two pools at once"),
    Correct(_MANY, "pool_many.toml", "many blocks, at constant cost"),
    Correct("ok-pool-bits", "pool_bits.toml", "keeps a bit for each block, aside; the lowest free block is handed out"),
)

MUTANTS = (
    # --- how many blocks there are, and where
    Mutant(
        "pool-one-too-many", "in_bounds", _LIFO,
        "the list holds one block more than there is room for",
        "one request more than there are blocks",
        also=("buffer_respected", "sized", "pool_serves_while_free"),
    ),
    Mutant(
        "pool-last-forgotten", "pool_serves_while_free", _LIFO,
        "the list lacks the last block",
        "as many requests as there are blocks",
    ),
    Mutant(
        "pool-reset-shifts", "pool_on_grid", _LIFO,
        "after a reset blocks begin 8 bytes further",
        "a reset, then a request",
        also=("aligned", "in_bounds"),
    ),
    Mutant(
        "pool-reset-keeps-list", "reset_frees_all", _LIFO,
        "a reset counts all blocks as free and leaves the list as it is",
        "a reset with blocks live, then as many requests as there are blocks",
        also=("pool_serves_while_free",),
    ),
    Mutant(
        "pool-full-again", "blocks_disjoint", _LIFO,
        "when no block is free the last one is handed out again",
        "one request more than there are blocks",
        also=("pool_serves_while_free", "payload_kept", "accounting_exact", "free_count_exact"),
    ),
    Mutant(
        "pool-shared-list", "pool_serves_while_free", _PAIR,
        "all pools have one free list",
        "two pools in use",
        also=(
            "blocks_disjoint", "reuse_order", "freed_is_reusable", "reset_frees_all", "payload_kept",
            "failure_changes_nothing",
        ),
    ),
    # --- the free list
    Mutant(
        "pool-fifo-stale-tail", "pool_serves_while_free", _FIFO,
        "an emptied queue keeps its tail; the next freed block is hung on a live one",
        "all blocks live, a free, a request",
        also=("payload_kept", "freed_is_reusable", "failure_changes_nothing"),
    ),
    Mutant(
        "pool-run-of-8", "blocks_disjoint", _LIFO,
        "after eight frees in a row, each just below the last, one block is handed out twice",
        "8 neighbours freed from the top down with nothing between, then 2 requests",
        also=("payload_kept", "pool_serves_while_free", "reuse_order"), hidden=True,
    ),
    Mutant(
        "pool-drain-loses", "pool_serves_while_free", _LIFO,
        "when a full pool is drained in one go the last block is lost",
        "all blocks live, all freed with nothing between, all asked for again",
        also=("reuse_order",), hidden=True,
    ),
    Mutant(
        "pool-drain-flips", "reuse_order", _LIFO,
        "when a full pool is drained in one go the last block is put behind the first free one",
        "all blocks live, all freed with nothing between, then a request",
        hidden=True,
    ),
    Mutant(
        "pool-full-once", "reuse_order", _LIFO,
        "once the pool has been full, freed blocks are put behind the first free one",
        "a request that is refused, two frees, a request",
    ),
    # --- counters
    Mutant(
        "pool-run-counts", "free_count_exact", _LIFO,
        "the eighth free in a row, each just above the last, counts twice",
        "8 neighbours freed from the bottom up with nothing between",
        also=("accounting_exact", "pool_conserved", "invariant_holds"), hidden=True,
    ),
    Mutant(
        "pool-new-keeps", "free_count_exact", _LIFO,
        "a pool made again keeps the old count of free blocks",
        "a drop with blocks live, then a new instance",
        also=("accounting_exact",),
    ),
    Mutant(
        "pool-check-drained", "invariant_holds", _LIFO,
        "the check finds fault with a pool that was full and is drained in one go",
        "all blocks live, all freed with nothing between",
        hidden=True,
    ),
    # --- what blocks hold
    Mutant(
        "pool-tag-below", "payload_kept", _LIFO,
        "the eighth free in a row, each just below the last, leaves a tag in the block below",
        "9 neighbours, the upper 8 freed from the top down with nothing between",
        hidden=True,
    ),
    Mutant(
        "pool-poison-wide", "payload_kept", _POISON,
        "poisoning a freed block goes 8 bytes too far",
        "a free below a live block",
        also=("buffer_respected", "pool_serves_while_free", "failure_changes_nothing"),
    ),
    Mutant(
        "pool-zero-late", "zeroed", _LIFO,
        "zeroing leaves the link of the free list in the block's first 4 bytes",
        "a zeroed request while another block is free",
    ),
    # --- success and failure by a status
    Mutant(
        "pool-status-null", "failure_is_reported", _STATUS,
        "a full pool reports success with NULL",
        "one request more than there are blocks",
    ),
    Mutant(
        "pool-status-fill", "pool_serves_while_free", _STATUS,
        "when all blocks are asked for in one go the last one is handed out with a failure",
        "as many requests as there are blocks, with nothing between",
        also=("failure_changes_nothing", "accounting_exact", "free_count_exact"), hidden=True,
    ),
    # --- what calls cost
    Mutant(
        "pool-free-walks", "instructions_bounded", _MANY,
        "a free counts the free blocks by walking their list",
        "many free blocks, a free",
        hidden=True,
    ),
    Mutant(
        "pool-alloc-counts", "instructions_bounded", _MANY,
        "a request counts the free blocks by walking their list",
        "many free blocks, a request",
        hidden=True,
    ),
    Mutant(
        "pool-keeps-order", "instructions_bounded", _MANY,
        "a freed block is put into a list in order of address",
        "many holes, a free",
        hidden=True,
    ),
    Mutant(
        "pool-above-4096", "instructions_bounded", _MANY,
        "with more than 4096 live blocks a free walks the list",
        "more than 4096 live and many free blocks, a free",
        hidden=True,
    ),
)  # fmt: skip
