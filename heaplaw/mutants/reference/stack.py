"""The stack: frames, each with a header that says where the frame below begins."""

from .patch import Patch

__all__ = ["PATCHES", "PROOF"]

_STEPS = "steps/stack.py"
_TOO_LOW = ("remaining_is_rest", "total_is_live_bytes", "blocks_disjoint", "payload_kept", "in_bounds")
"""A stack whose top is too low counts too little, and hands out live bytes again."""

PATCHES = (
    Patch(
        "ref-stack-prev-lost", _STEPS,
        "    return replace(state, offset=state.prev_offset, prev_offset=below)\n",
        "    return replace(state, offset=state.prev_offset)\n",
        "lifo_pop", "a pop does not read where the frame below begins: the second pop in a row changes nothing",
        ("remaining_is_rest", "total_is_live_bytes"),
    ),
    Patch(
        "ref-stack-pops-two", _STEPS,
        "    return replace(state, offset=state.prev_offset, prev_offset=below)\n",
        "    return replace(state, offset=below, prev_offset=below)\n",
        "lifo_pop", "a pop takes the frame below with it",
        _TOO_LOW,
    ),
    Patch(
        "ref-stack-first-stays", _STEPS,
        "    if state.offset == 0:\n        return state\n    below",
        "    if state.prev_offset == 0:\n        return state\n    below",
        "lifo_pop", "the first block counts as an empty stack: it is never popped",
        ("remaining_is_rest", "total_is_live_bytes"),
    ),
    Patch(
        "ref-stack-header-not-counted", _STEPS,
        "    if size > left - lead - padding:\n", "    if size > left - padding:\n",
        "in_bounds", "the header is not counted when the end is checked",
        ("sized", "remaining_is_rest", "failure_is_reported"),
    ),
    Patch(
        "ref-stack-header-in-payload", _STEPS,
        "offset=state.offset + lead + padding + size,", "offset=state.offset + lead + padding + size - WORD,",
        "payload_kept", "the top lies 8 bytes too low: the next header overwrites the end of the newest block",
        (*_TOO_LOW, "lifo_pop", "failure_is_reported"),
    ),
    Patch(
        "ref-stack-padding-lost", _STEPS,
        "offset=state.offset + lead + padding + size,", "offset=state.offset + lead + size,",
        "blocks_disjoint", "padding is not counted in the top: the next frame begins inside this block",
        (*_TOO_LOW, "lifo_pop"),
    ),
    Patch(
        "ref-stack-header-aligned", _STEPS,
        "    padding = align_up(behind, align) - behind\n",
        "    padding = align_up(behind - HEADER, align) - (behind - HEADER)\n",
        "aligned", "the header is aligned instead of the payload",
    ),
    Patch(
        "ref-stack-header-at-payload", _STEPS,
        "    memory.write(behind - HEADER, state.prev_offset)\n",
        "    memory.write(behind + padding - HEADER, state.prev_offset)\n",
        "lifo_pop", "the header lies in front of the payload, and a pop looks for it in front of the padding",
        (*_TOO_LOW, "failure_is_reported"),
    ),
    Patch(
        "ref-stack-header-stores-top", _STEPS,
        "    memory.write(behind - HEADER, state.prev_offset)\n",
        "    memory.write(behind - HEADER, state.offset)\n",
        "lifo_pop", "a header says where its own frame begins",
        ("remaining_is_rest", "total_is_live_bytes"),
    ),
    Patch(
        "ref-stack-header-unaligned", _STEPS,
        "    return align_up(state.buffer + frame, WORD)\n", "    return state.buffer + frame\n",
        "failure_is_reported", "headers are not aligned: behind a block of odd length none can be written",
        ("aligned",),
    ),
    Patch(
        "ref-stack-sum-wraps", _STEPS,
        "    if size > left - lead - padding:\n", "    if (lead + padding + size) % 2**64 > left:\n",
        "overflow_is_failure", "header, padding and size are added in 64 bits: the sum of a vast size wraps",
        ("in_bounds", "sized", "failure_is_reported"),
    ),
    Patch(
        "ref-stack-zero-words", _STEPS,
        "        zero(memory, block, size)\n", "        zero(memory, block, size - size % 8)\n",
        "zeroed", "zeroing stops at the last whole word of recycled memory",
    ),
    Patch(
        "ref-stack-reset-keeps-top", _STEPS,
        "    return replace(state, offset=0, prev_offset=0)\n",
        "    return replace(state, offset=state.prev_offset, prev_offset=0)\n",
        "remaining_is_rest", "a reset ends the newest block only",
        ("total_is_live_bytes", "reset_frees_all"),
    ),
)  # fmt: skip

PROOF: tuple[Patch, ...] = (
    Patch(
        "ref-stack-header-twice", _STEPS,
        "    memory.write(behind - HEADER, state.prev_offset)\n",
        "    memory.write(behind - HEADER, 0)\n    memory.write(behind - HEADER, state.prev_offset)\n",
        "constant_time", "a header is written twice",
    ),
    Patch(
        "ref-stack-header-read-twice", _STEPS,
        "    below = memory.read(header_of(state, state.prev_offset))\n",
        "    memory.read(header_of(state, state.prev_offset))\n"
        "    below = memory.read(header_of(state, state.prev_offset))\n",
        "constant_time", "a pop reads the header twice",
    ),
    Patch(
        "ref-stack-header-below", _STEPS,
        "    memory.write(behind - HEADER, state.prev_offset)\n",
        "    memory.write(behind - 2 * HEADER, state.prev_offset)\n",
        "payload_kept", "a header is written one word too low",
    ),
    Patch(
        "ref-stack-pop-erases", _STEPS,
        "    below = memory.read(header_of(state, state.prev_offset))\n",
        "    memory.write(header_of(state, state.prev_offset) - WORD, 0)\n"
        "    below = memory.read(header_of(state, state.prev_offset))\n",
        "payload_kept", "a pop erases the word in front of the header",
    ),
    Patch(
        "ref-stack-empty-popped", _STEPS,
        "    if state.offset == 0:\n        return state\n    below", "    below",
        "lifo_pop", "a pop reads the first header of an empty stack, whether there is one or not",
    ),
    Patch(
        "ref-stack-block-high", _STEPS,
        "    return after, behind + padding\n", "    return after, behind + padding + 4\n",
        "aligned", "the address handed out is 4 bytes too high",
    ),
    Patch(
        "ref-stack-block-low", _STEPS,
        "    return after, behind + padding\n", "    return after, behind + padding - 2 * HEADER\n",
        "blocks_disjoint", "the address handed out is 16 bytes too low",
    ),
    Patch(
        "ref-stack-room-kept", _STEPS,
        "    if lead > left:\n", "    if lead + 2 * WORD > left:\n",
        "fits_is_served", "the last 16 bytes are not handed out",
    ),
    Patch(
        "ref-stack-refusal-counted", _STEPS,
        "    if size > left - lead - padding:\n        return state, 0\n",
        "    if size > left - lead - padding:\n        return replace(state, offset=state.offset + lead), 0\n",
        "failure_changes_nothing", "a refused request takes its header",
    ),
    Patch(
        "ref-stack-counters-late", _STEPS,
        "after.remaining, after.allocated, after.env)\n", "state.remaining, state.allocated, after.env)\n",
        "remaining_is_rest", "the counters are those from before the operation",
    ),
    Patch(
        "ref-stack-undoing-refused", _STEPS,
        "    served = True if op.kind in (Kind.POP, Kind.RESET) else block != 0\n", "    served = block != 0\n",
        "free_is_served", "pops and resets are said to be refused",
    ),
    Patch(
        "ref-stack-refusal-undefined", "steps/request.py",
        "Status.OK if served else Status.FAILED", "Status.OK if served else Status.DIED",
        "failure_is_reported", "what is refused does not return",
    ),
    Patch(
        "ref-stack-reset-writes", _STEPS,
        "        after = reset(state)\n",
        "        memory.write(state.buffer, 0)\n        after = reset(state)\n",
        "constant_time", "a reset writes the first word",
    ),
    Patch(
        "ref-stack-begins-with-frame", _STEPS,
        "    return StackState(buffer, capacity, 0, 0)\n", "    return StackState(buffer, capacity, 0, HEADER)\n",
        "lifo_pop", "a new stack says that a frame starts behind the first header",
    ),
    Patch(
        "ref-stack-begins-by-writing", _STEPS,
        "    return StackState(buffer, capacity, 0, 0)\n",
        "    memory.write(buffer, 0)\n    return StackState(buffer, capacity, 0, 0)\n",
        "buffer_respected", "a new stack writes its first word, whether there is one or not",
    ),
)  # fmt: skip
"""Faults of single steps and turns that the others leave alone: for proofs, which look at each of these."""
