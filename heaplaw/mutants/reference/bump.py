"""The bump allocator: one offset that only grows."""

from .patch import Patch

__all__ = ["PATCHES", "PROOF"]

_STEPS = "steps/bump.py"

PATCHES = (
    Patch(
        "ref-bump-padding-forgotten", _STEPS,
        "    taken = padding + size\n", "    taken = size\n",
        "blocks_disjoint", "the padding in front of a block is not taken: the next block begins inside this one",
        ("bump_monotonic", "payload_kept", "total_is_live_bytes"),
    ),
    Patch(
        "ref-bump-one-byte-over", _STEPS,
        "    if size > left - padding:\n", "    if size > left - padding + 1:\n",
        "in_bounds", "a block may end one byte behind the buffer",
        ("sized", "buffer_respected", "fits_is_served", "failure_is_reported"),
    ),
    Patch(
        "ref-bump-sum-wraps", _STEPS,
        "    if size > left - padding:\n", "    if (padding + size) % 2**64 > left:\n",
        "overflow_is_failure", "padding and size are added in 64 bits: the sum of a vast size wraps",
        ("in_bounds", "sized", "failure_is_reported"),
    ),
    Patch(
        "ref-bump-offset-aligned", _STEPS,
        "    padding = align_up(top, align) - top\n", "    padding = align_up(state.offset, align) - state.offset\n",
        "aligned", "the offset is aligned instead of the address",
    ),
    Patch(
        "ref-bump-align-ignored", _STEPS,
        "alloc(state, op.size, op.align)", "alloc(state, op.size, ALIGN)",
        "aligned", "an aligned request is served like a plain one",
    ),
    Patch(
        "ref-bump-reset-keeps-total", _STEPS,
        "    return replace(state, offset=0, allocated=0)\n", "    return replace(state, offset=0)\n",
        "total_is_live_bytes", "a reset leaves the count of bytes as it was",
        ("reset_frees_all",),
    ),
    Patch(
        "ref-bump-reset-keeps-offset", _STEPS,
        "    return replace(state, offset=0, allocated=0)\n", "    return replace(state, allocated=0)\n",
        "remaining_is_rest", "a reset frees nothing",
        ("reset_frees_all",),
    ),
    Patch(
        "ref-bump-refusal-counts", _STEPS,
        "    if size > left - padding:\n        return state, 0\n",
        "    if size > left - padding:\n        return replace(state, allocated=state.allocated + padding), 0\n",
        "failure_changes_nothing", "a refused request is counted with its padding",
        ("total_is_live_bytes",),
    ),
    Patch(
        "ref-bump-product-forgotten", _STEPS,
        "alloc_zeroed(state, extent(op.count, op.size), ALIGN, memory)", "alloc_zeroed(state, op.size, ALIGN, memory)",
        "sized", "a zeroed request is served as if for one element",
        ("blocks_disjoint", "payload_kept", "total_is_live_bytes", "zeroed", "overflow_is_failure", "remaining_is_rest",
         "in_bounds", "bump_monotonic"),
    ),
    Patch(
        "ref-bump-zero-words", _STEPS,
        "        zero(memory, block, size)\n", "        zero(memory, block, size - size % 8)\n",
        "zeroed", "zeroing stops at the last whole word of recycled memory",
    ),
    Patch(
        "ref-bump-total-unpadded", _STEPS,
        "allocated=state.allocated + taken)", "allocated=state.allocated + min(size, 1 << 10))",
        "total_is_live_bytes", "the count of bytes takes no block for longer than 1024",
    ),
)  # fmt: skip

PROOF = (
    Patch(
        "ref-bump-always-first", _STEPS,
        "    top, left = state.buffer + state.offset, state.remaining\n",
        "    top, left = state.buffer, state.remaining\n",
        "blocks_disjoint", "every block begins where the buffer does",
        ("bump_monotonic", "payload_kept"),
    ),
    Patch(
        "ref-bump-offset-restarts", _STEPS,
        "offset=state.offset + taken", "offset=taken",
        "remaining_is_rest", "the offset counts the newest block only: what was taken before it is free again",
        ("blocks_disjoint",),
    ),
    Patch(
        "ref-bump-last-bytes-written", _STEPS,
        "    served = True if op.kind == Kind.RESET else block != 0\n",
        "    memory.write(state.buffer + state.capacity - 4, 0)\n"
        "    served = True if op.kind == Kind.RESET else block != 0\n",
        "buffer_respected", "every operation writes a word that ends 4 bytes behind the buffer",
        ("payload_kept",),
    ),
    Patch(
        "ref-bump-counters-late", _STEPS,
        "after.remaining, after.allocated, after.env)", "state.remaining, state.allocated, after.env)",
        "remaining_is_rest", "the counters told are those from before the operation",
        ("total_is_live_bytes",),
    ),
    Patch(
        "ref-bump-refusal-undefined", "steps/request.py",
        "Status.OK if served else Status.FAILED", "Status.OK if served else Status.WRONG",
        "failure_is_reported", "what is refused gets something that is neither a block nor the failure value",
    ),
    Patch(
        "ref-bump-room-doubted", _STEPS,
        "    if size > left - padding:\n", "    if size > left - padding or size + align >= left:\n",
        "fits_is_served", "what fits with the most padding that there can be is refused where it fits just so",
    ),
    Patch(
        "ref-bump-reset-refused", _STEPS,
        "    served = True if op.kind == Kind.RESET else block != 0\n", "    served = block != 0\n",
        "free_is_served", "a reset says that it was refused",
    ),
    Patch(
        "ref-bump-begins-with-a-word", _STEPS,
        "    return BumpState(buffer, capacity, 0, 0)\n",
        "    memory.write(buffer, capacity)\n    return BumpState(buffer, capacity, 8, 8)\n",
        "buffer_respected", "the capacity is kept in the first word of a buffer that may have none",
    ),
)  # fmt: skip
"""Faults of single steps and turns that the others leave alone: for proofs, which look at each of these."""
