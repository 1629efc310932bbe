"""The arena that grows by chunks, with marks."""

from .patch import Patch

__all__ = ["PATCHES", "PROOF"]

_STEPS = "steps/arena.py"
_CORRUPT = (
    "failure_is_reported", "payload_kept", "blocks_disjoint", "sized", "stats_exact", "scope_frees_all",
    "overhead_bounded", "release_frees_all", "reset_frees_all", "zeroed", "aligned", "total_is_live_bytes",
    "free_is_served", "remaining_is_rest", "made_again", "leak_report_exact",
)  # fmt: skip
"""What lies outside of a chunk is the C library's, and soon anything may break."""

PATCHES = (
    Patch(
        "ref-arena-tail-overrun", _STEPS,
        "    return size <= room - gap\n", "    return size <= room + HEADER - gap\n",
        "payload_kept", "the last block of a chunk may reach 32 bytes beyond it",
        _CORRUPT,
    ),
    Patch(
        "ref-arena-header-forgotten", _STEPS,
        "    needed = align_up(HEADER + slack + size, MAX_ALIGN)\n",
        "    needed = align_up(slack + size, MAX_ALIGN)\n",
        "payload_kept", "a chunk of its own for a large block has no room for the chunk's header",
        _CORRUPT,
    ),
    Patch(
        "ref-arena-slack-forgotten", _STEPS,
        "    slack = ite(align > MAX_ALIGN, align - MAX_ALIGN, 0)\n    if size", "    slack = 0\n    if size",
        "payload_kept", "a chunk for an aligned block has no room for the padding",
        _CORRUPT,
    ),
    Patch(
        "ref-arena-align-ignored", _STEPS,
        "    gap = padding(state.top, align)\n    block", "    gap = padding(state.top, MAX_ALIGN)\n    block",
        "aligned", "every block is aligned to 16 bytes, whatever was asked for",
    ),
    Patch(
        "ref-arena-gap-overlaps", _STEPS,
        "    return replace(state, top=block + size, total", "    return replace(state, top=state.top + size, total",
        "blocks_disjoint", "the top does not move over the padding: the next block begins inside this one",
        _CORRUPT,
    ),
    Patch(
        "ref-arena-end-stale", _STEPS,
        "        memory.read(state.chunk + 2 * WORD),\n        memory", "        state.end,\n        memory",
        "failure_is_reported", "a chunk that is given back leaves its end to the chunk before it",
        _CORRUPT,
    ),
    Patch(
        "ref-arena-top-stale", _STEPS,
        "        memory.read(state.chunk + WORD),\n", "        memory.read(state.chunk) + HEADER,\n",
        "blocks_disjoint", "after a chunk is given back the one before it counts as empty",
        _CORRUPT,
    ),
    Patch(
        "ref-arena-scope-takes-chunk", _STEPS,
        "            return cut(state, mark)\n        state",
        "            return cut(state, state.chunk + HEADER)\n        state",
        "blocks_disjoint", "leaving a scope frees the whole chunk, with blocks from before the scope",
        _CORRUPT,
    ),
    Patch(
        "ref-arena-mark-at-top", _STEPS,
        "& (mark <= state.top)\n", "& (mark < state.top)\n",
        "payload_kept", "a scope in which nothing was allocated takes the whole chunk with it",
        _CORRUPT,
    ),
    Patch(
        "ref-arena-chunk-shorter", _STEPS,
        "    memory.give(state.chunk, state.end - state.chunk)\n",
        "    memory.give(state.chunk, state.top - state.chunk)\n",
        "failure_is_reported", "a chunk is given back as if it ended at its newest block",
        _CORRUPT,
    ),
    Patch(
        "ref-arena-reset-over-header", _STEPS,
        "    return cut(state, state.chunk + HEADER)\n\n\ndef drop", "    return cut(state, state.chunk)\n\n\ndef drop",
        "failure_is_reported", "after a reset blocks lie over the chunk's header",
        _CORRUPT,
    ),
    Patch(
        "ref-arena-zero-size-nothing", _STEPS,
        "    wanted = ite(size == 0, 1, size)\n", "    wanted = size\n",
        "leak_report_exact", "a block of no bytes takes nothing, and shares its address with the next",
        ("blocks_disjoint", "failure_is_reported", "payload_kept", "stats_exact", "zero_size_as_promised"),
    ),
    Patch(
        "ref-arena-chunks-kept", _STEPS,
        "    memory.give(state.chunk, state.end - state.chunk)\n    return before\n", "    return before\n",
        "overhead_bounded", "chunks are not given back",
        ("reuse",),
    ),
)  # fmt: skip

PROOF = (
    Patch(
        "ref-arena-sum-wraps", _STEPS,
        "    return size <= room - gap\n", "    return state.top + gap + size <= state.end\n",
        "blocks_disjoint", "a request is compared by a sum that wraps",
    ),
    Patch(
        "ref-arena-aligned-to-words", _STEPS,
        "    return align_up(excess, align) - excess\n", "    return align_up(excess, WORD) - excess\n",
        "aligned", "blocks are aligned to words",
    ),
    Patch(
        "ref-arena-block-early", _STEPS,
        "    block = state.top + gap\n", "    block = state.top + gap - MAX_ALIGN\n",
        "blocks_disjoint", "a block begins 16 bytes early, in the block or the header before it",
    ),
    Patch(
        "ref-arena-linked-forwards", _STEPS,
        "    memory.write(chunk, state.chunk)\n",
        "    memory.write(chunk, state.chunk)\n    memory.write(state.top - WORD, chunk)\n",
        "payload_kept", "where the next chunk is gets written into the newest block",
    ),
    Patch(
        "ref-arena-refusal-counts", _STEPS,
        "    if grown.chunk == state.chunk:\n        return state, 0\n",
        "    if grown.chunk == state.chunk:\n        return replace(state, total=state.total + 1), 0\n",
        "failure_changes_nothing", "a refusal of the parent counts as a byte",
    ),
    Patch(
        "ref-arena-refusal-undefined", "steps/request.py",
        "Status.OK if served else Status.FAILED", "Status.OK if served else Status.WRONG",
        "failure_is_reported", "what is refused gets something that is neither a block nor the failure value",
    ),
    Patch(
        "ref-arena-total-forgotten", _STEPS,
        "total=state.total + gap + size), block", "total=state.total + gap), block",
        "total_is_live_bytes", "of a block only the padding counts",
    ),
    Patch(
        "ref-arena-count-forgotten", _STEPS,
        "alloc_zeroed(state, extent(op.count, op.size),", "alloc_zeroed(state, extent(1, op.size),",
        "zeroed", "of many elements one is handed out",
    ),
    Patch(
        "ref-arena-zero-words", _STEPS,
        "        zero(memory, block, size)\n", "        zero(memory, block, size - size % WORD)\n",
        "zeroed", "whole words alone are made zero",
    ),
    Patch(
        "ref-arena-zero-size-refused", _STEPS,
        "    wanted = ite(size == 0, 1, size)\n", "    wanted = size\n    if size == 0:\n        return state, 0\n",
        "zero_size_as_promised", "requests of no bytes are refused",
    ),
    Patch(
        "ref-arena-chunk-odd", _STEPS,
        "    needed = align_up(HEADER + slack + size, MAX_ALIGN)\n", "    needed = HEADER + slack + size\n",
        "blocks_disjoint", "a chunk of its own ends where the block ends, at any address",
    ),
    Patch(
        "ref-arena-marks-end", _STEPS,
        "event(state, op, state.top, True)", "event(state, op, state.end, True)",
        "release_frees_all", "a mark is where the chunk ends",
    ),
    Patch(
        "ref-arena-chunks-too-small", _STEPS,
        "ite(rounded < least, least, rounded)", "rounded",
        "failure_is_reported", "chunks may be too small for a header",
    ),
    Patch(
        "ref-arena-total-read-late", _STEPS,
        "        memory.read(state.chunk + 3 * WORD),\n", "        memory.read(state.top - WORD),\n",
        "total_is_live_bytes", "the total before a chunk is read from its last block",
    ),
    Patch(
        "ref-arena-cut-keeps-total", _STEPS,
        "    return replace(state, top=mark, total=state.total - (state.top - mark))\n",
        "    return replace(state, top=mark)\n",
        "total_is_live_bytes", "what is taken back from a chunk stays counted",
    ),
    Patch(
        "ref-arena-cut-keeps-top", _STEPS,
        "    return replace(state, top=mark, total=state.total - (state.top - mark))\n",
        "    return replace(state, total=state.total - (state.top - mark))\n",
        "release_frees_all", "what is taken back from a chunk is never handed out again",
    ),
    Patch(
        "ref-arena-endings-refused", _STEPS,
        "    return answered(op, served, ptr,", "    return answered(op, ptr != 0, ptr,",
        "free_is_served", "what gives no address is refused",
    ),
    Patch(
        "ref-arena-release-skips", _STEPS,
        "    while state.chunk != 0:\n        if within",
        "    state = saved(state, memory) if state.chunk != 0 else state\n"
        "    while state.chunk != 0:\n        if within",
        "overhead_bounded", "a release forgets the newest chunk",
    ),
    Patch(
        "ref-arena-reset-skips", _STEPS,
        "    while neg(oldest(state, memory)):\n",
        "    state = saved(state, memory) if neg(oldest(state, memory)) else state\n"
        "    while neg(oldest(state, memory)):\n",
        "overhead_bounded", "a reset forgets the newest chunk",
    ),
    Patch(
        "ref-arena-drop-skips", _STEPS,
        "    while state.chunk != 0:\n        state = shrink",
        "    state = saved(state, memory) if state.chunk != 0 else state\n"
        "    while state.chunk != 0:\n        state = shrink",
        "overhead_bounded", "a drop forgets the newest chunk",
    ),
    Patch(
        "ref-arena-drop-keeps-one", _STEPS,
        "    while state.chunk != 0:\n        state = shrink",
        "    while neg(oldest(state, memory)):\n        state = shrink",
        "overhead_bounded", "a drop leaves the oldest chunk",
    ),
)  # fmt: skip
"""Faults of single steps and turns that the others leave alone: for proofs, which look at each of these."""
