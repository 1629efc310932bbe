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

PROOF: tuple[Patch, ...] = ()
"""Faults of single steps and turns that the others leave alone: for proofs, which look at each of these."""
