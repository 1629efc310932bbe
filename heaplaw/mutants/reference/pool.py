"""The pool: a grid of blocks, and a free list that lies in them."""

from .patch import Patch

__all__ = ["PATCHES", "PROOF"]

_STEPS = "steps/pool.py"

PATCHES = (
    Patch(
        "ref-pool-last-kept", _STEPS,
        "    if state.num_free == 0:\n", "    if state.num_free <= 1:\n",
        "pool_serves_while_free", "the last free block is not handed out",
    ),
    Patch(
        "ref-pool-full-trusted", _STEPS,
        "    if state.num_free == 0:\n", "    if state.num_blocks == 0:\n",
        "failure_is_reported", "a full pool is not noticed: the link at address 0 is read",
        ("pool_serves_while_free",),
    ),
    Patch(
        "ref-pool-list-cut", _STEPS,
        "    memory.write(ptr, state.free_list)\n", "    memory.write(ptr, 0)\n",
        "failure_is_reported", "a freed block is linked to nothing: the blocks free before are lost",
        ("pool_serves_while_free",),
    ),
    Patch(
        "ref-pool-links-itself", _STEPS,
        "    memory.write(ptr, state.free_list)\n", "    memory.write(ptr, ptr)\n",
        "blocks_disjoint", "a freed block is linked to itself, and handed out twice",
        ("payload_kept", "failure_is_reported"),
    ),
    Patch(
        "ref-pool-link-behind", _STEPS,
        "    memory.write(ptr, state.free_list)\n", "    memory.write(ptr + state.block_size, state.free_list)\n",
        "payload_kept", "the link is written into the block behind the freed one",
        ("failure_is_reported", "blocks_disjoint"),
    ),
    Patch(
        "ref-pool-freed-lost", _STEPS,
        "    return replace(state, free_list=ptr, num_free=state.num_free + 1)\n",
        "    return replace(state, num_free=state.num_free + 1)\n",
        "reuse_order", "a freed block is counted as free, and not put on the list",
        ("pool_serves_while_free", "failure_is_reported"),
    ),
    Patch(
        "ref-pool-freed-uncounted", _STEPS,
        "    return replace(state, free_list=ptr, num_free=state.num_free + 1)\n",
        "    return replace(state, free_list=ptr)\n",
        "free_count_exact", "a freed block is put on the list, and not counted as free",
        ("pool_conserved", "accounting_exact", "pool_serves_while_free"),
    ),
    Patch(
        "ref-pool-order-lost", _STEPS,
        "    memory.write(ptr, state.free_list)\n    return replace(state, free_list=ptr, ",
        "    if state.free_list != 0:\n"
        "        memory.write(ptr, memory.read(state.free_list))\n"
        "        memory.write(state.free_list, ptr)\n"
        "        return replace(state, num_free=state.num_free + 1)\n"
        "    memory.write(ptr, state.free_list)\n    return replace(state, free_list=ptr, ",
        "reuse_order", "a freed block is put second on the list: not the newest is handed out next",
        ("constant_time",),
    ),
    Patch(
        "ref-pool-link-second-word", _STEPS,
        "free_list=memory.read(block)", "free_list=memory.read(block + WORD)",
        "failure_is_reported", "the link is read from a block's second word",
        ("pool_serves_while_free", "blocks_disjoint"),
    ),
    Patch(
        "ref-pool-taken-uncounted", _STEPS,
        "num_free=state.num_free - 1), block", "num_free=state.num_free), block",
        "free_count_exact", "a block that is handed out still counts as free",
        ("accounting_exact", "pool_conserved", "failure_is_reported"),
    ),
    Patch(
        "ref-pool-grid-narrow", _STEPS,
        "    block = state.buffer + index * state.block_size\n",
        "    block = state.buffer + index * (state.block_size - WORD)\n",
        "pool_on_grid", "blocks stand 8 bytes too close to each other",
        ("blocks_disjoint", "payload_kept"),
    ),
    Patch(
        "ref-pool-counts-swapped", _STEPS,
        "        num_allocated=state.num_blocks - state.num_free,\n", "        num_allocated=state.num_free,\n",
        "accounting_exact", "free blocks are reported as allocated",
        ("pool_conserved",),
    ),
    Patch(
        "ref-pool-count-late", _STEPS,
        "        num_allocated=state.num_blocks - state.num_free,\n",
        "        num_allocated=ite(ptr == 0, state.num_blocks, state.num_blocks - 1) - state.num_free,\n",
        "pool_conserved", "the block that is just handed out is missing in the count",
        ("accounting_exact",),
    ),
)  # fmt: skip

PROOF = (
    Patch(
        "ref-pool-half-word-up", _STEPS,
        "num_free=state.num_free - 1), block\n", "num_free=state.num_free - 1), block + 4\n",
        "aligned", "a block is handed out from its fifth byte on",
    ),
    Patch(
        "ref-pool-second-first", _STEPS,
        "    block = state.free_list\n",
        "    block = state.free_list if state.num_free < 2 else memory.read(state.free_list)\n",
        "reuse_order", "the second free block is handed out, and the first is lost",
    ),
    Patch(
        "ref-pool-behind-cleared", _STEPS,
        "    block = state.free_list\n",
        "    block = state.free_list\n    memory.write(block + state.block_size, 0)\n",
        "payload_kept", "the word behind a block that is handed out is cleared",
    ),
    Patch(
        "ref-pool-refusal-counts", _STEPS,
        "        return state, 0\n", "        return replace(state, num_free=1), 0\n",
        "failure_changes_nothing", "a refusal counts as a free block",
    ),
    Patch(
        "ref-pool-born-counted", _STEPS,
        "num_blocks, 0, 0), num_blocks, memory)\n", "num_blocks, 0, 1), num_blocks, memory)\n",
        "free_count_exact", "a new pool counts a block before it has any",
    ),
    Patch(
        "ref-pool-asked-size-kept", _STEPS,
        "    return thread_all(PoolState(buffer, rounded(block_size), num_blocks, 0, 0), num_blocks, memory)\n",
        "    made = thread_all(PoolState(buffer, rounded(block_size), num_blocks, 0, 0), num_blocks, memory)\n"
        "    return replace(made, block_size=block_size)\n",
        "sized", "a new pool takes its blocks to be as large as was asked for, not as they are",
    ),
    Patch(
        "ref-pool-thread-uncounted", _STEPS,
        "    return replace(state, free_list=block, num_free=state.num_free + 1)\n",
        "    return replace(state, free_list=block)\n",
        "free_count_exact", "construction does not count the blocks that it puts on the list, and never ends",
    ),
    Patch(
        "ref-pool-thread-last-left", _STEPS,
        "    while state.num_free < full:\n", "    while state.num_free + 1 < full:\n",
        "pool_serves_while_free", "construction leaves the block at the buffer's start out",
    ),
    Patch(
        "ref-pool-rounded-more", _STEPS,
        "    return ite(block_size <= WORD, WORD, align_up(block_size, WORD))\n",
        "    return ite(block_size < WORD, WORD, align_up(block_size + 1, WORD))\n",
        "sized", "a block size that is a multiple of 8 is rounded up once more",
    ),
)  # fmt: skip
"""Faults of single steps and turns that the others leave alone: for proofs, which look at each of these."""
