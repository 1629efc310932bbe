"""The system's freelist: blocks of one size, in chunks."""

from .patch import Patch

__all__ = ["FIXED", "PROOF"]

_FREELIST = "system/freelist.py"
_CORRUPT = (
    "failure_is_reported", "payload_kept", "blocks_disjoint", "sized", "overhead_bounded", "free_is_served",
    "zeroed", "realloc_keeps_prefix", "stats_exact",
)  # fmt: skip

FIXED = (
    Patch(
        "ref-fixed-blocks-too-many", _FREELIST,
        "pool.thread_all(longer, blocks,", "pool.thread_all(longer, 2 * blocks,",
        "overhead_bounded", "each chunk is taken to hold twice the blocks that it does",
        _CORRUPT,
    ),
    Patch(
        "ref-fixed-chunk-uncounted", _FREELIST,
        "num_blocks=state.num_blocks + blocks)", "num_blocks=max(state.num_blocks, blocks))",
        "overhead_bounded", "the footprint is that of the first chunk only",
    ),
    Patch(
        "ref-fixed-freed-lost", _FREELIST,
        "        self._state = pool.dealloc(self._state, ptr, self._words)\n", "        self._words.read(ptr)\n",
        "overhead_bounded", "freed blocks are not handed out again",
        ("reuse", "freed_is_reusable"),
    ),
    Patch(
        "ref-fixed-freed-half", _FREELIST,
        "        self._state = pool.dealloc(self._state, ptr, self._words)\n",
        "        if self.ledger.book.whole.count % 2:\n"
        "            self._state = pool.dealloc(self._state, ptr, self._words)\n",
        "overhead_bounded", "about every other block is lost when it is freed",
        ("reuse",),
    ),
    Patch(
        "ref-fixed-align-ignored", _FREELIST,
        "if size > self.block_size or align > self.alignment or", "if size > self.block_size or",
        "aligned", "requests for more alignment than blocks have are served",
        ("overflow_is_failure",),
    ),
    Patch(
        "ref-fixed-block-narrow", _FREELIST,
        "        self.block_size = pool.rounded(block_size)\n",
        "        self.block_size = pool.rounded(block_size) - 8\n",
        "aligned", "blocks have 8 bytes less than they should, and stand 56 bytes apart",
        ("freed_is_reusable", *_CORRUPT),
    ),
    Patch(
        "ref-fixed-list-kept", _FREELIST,
        "        self._chunks.append(chunk)\n        self._state = extended(self._state, chunk,",
        "        self._chunks.append(chunk)\n        self._state = extended(self._state, self._chunks[0],",
        "blocks_disjoint", "the second chunk's blocks are taken to lie in the first chunk",
        _CORRUPT,
    ),
    Patch(
        "ref-fixed-chunk-nowhere", _FREELIST,
        "    longer = replace(state, buffer=chunk, num", "    longer = replace(state, num",
        "failure_is_reported", "a chunk's blocks are looked for at address 0",
        _CORRUPT,
    ),
    Patch(
        "ref-fixed-stale-free", _FREELIST,
        "        self._state = pool.dealloc(self._state, ptr, self._words)\n",
        "        self._state = pool.dealloc(self._state, ptr + self.block_size, self._words)\n",
        "payload_kept", "the block behind the freed one is put on the list",
        _CORRUPT,
    ),
)  # fmt: skip

PROOF: tuple[Patch, ...] = ()
"""Faults of single steps and turns that the others leave alone: for proofs, which look at each of these."""
