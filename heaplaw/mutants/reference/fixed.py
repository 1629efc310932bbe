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

PROOF = (
    Patch(
        "ref-fixed-resize-frees", _FREELIST,
        "        return ptr if size <= self.block_size else 0\n",
        "        return ptr if size <= self.block_size else (self._give(ptr, held) or 0)\n",
        "failure_changes_nothing", "a block that cannot be resized is freed",
    ),
    Patch(
        "ref-fixed-resize-beyond", _FREELIST,
        "        return ptr if size <= self.block_size else 0\n",
        "        return ptr if size <= 2 * self.block_size else 0\n",
        "blocks_disjoint", "a block is resized over the next one",
    ),
    Patch(
        "ref-fixed-resize-whole-refused", _FREELIST,
        "        return ptr if size <= self.block_size else 0\n",
        "        return ptr if size < self.block_size else 0\n",
        "shrink_succeeds", "a resize to the whole block is refused",
    ),
    Patch(
        "ref-fixed-refusal-counts", _FREELIST,
        "        if chunk == 0:\n            return False\n",
        "        if chunk == 0:\n"
        "            self._state = replace(self._state, num_free=1)\n            return False\n",
        "failure_changes_nothing", "a chunk that cannot be had counts as a free block",
    ),
    Patch(
        "ref-fixed-last-kept", _FREELIST,
        "        if self._state.num_free > 0:\n", "        if self._state.num_free > 1:\n",
        "freed_is_reusable", "another chunk is taken while a block is free",
    ),
    Patch(
        "ref-fixed-whole-refused", _FREELIST,
        "        if size > self.block_size or align", "        if size >= self.block_size or align",
        "freed_is_reusable", "a request for a whole block is refused",
    ),
    Patch(
        "ref-fixed-second-word-up", _FREELIST,
        "pool.alloc(self._state, self._words)\n        return ptr\n",
        "pool.alloc(self._state, self._words)\n        return ptr + 16\n",
        "blocks_disjoint", "a block is handed out from its seventeenth byte on",
    ),
    Patch(
        "ref-fixed-behind-cleared", _FREELIST,
        "pool.alloc(self._state, self._words)\n        return ptr\n",
        "pool.alloc(self._state, self._words)\n"
        "        self._words.write(ptr + self.block_size, 0)\n        return ptr\n",
        "payload_kept", "the word behind a block that is handed out is cleared",
    ),
    Patch(
        "ref-fixed-chunk-short", _FREELIST,
        "self._parent.alloc(self.block_size * self._blocks,", "self._parent.alloc(self.block_size * self._blocks - 8,",
        "blocks_disjoint", "a chunk is eight bytes shorter than its blocks are",
    ),
)  # fmt: skip
"""Faults of single steps and turns that the others leave alone: for proofs, which look at each of these."""
