"""The first-fit free list, and its variant that joins freed neighbours."""

from .patch import Patch

__all__ = ["COALESCING", "PATCHES", "PROOF"]

_STEPS = "steps/freelist.py"
_OVERLAP = (
    "blocks_disjoint", "payload_kept", "in_bounds", "failure_is_reported", "sized", "total_is_live_bytes",
    "remaining_is_rest", "usable_sizes_disjoint", "usable_size_covers_request", "first_fit", "split_leaves_minimum",
    "capacity_comes_back", "zeroed", "freed_is_reusable", "failure_changes_nothing", "aligned",
)  # fmt: skip
"""Where two blocks share bytes, headers and links are soon overwritten: any of these may be the first to show it."""

PATCHES = (
    Patch(
        "ref-freelist-rest-of-16", _STEPS,
        "    if room - taken >= LEAST:\n", "    if room - taken >= HEADER:\n",
        "split_leaves_minimum", "a rest of 16 or 24 bytes is split off, too small for any request",
    ),
    Patch(
        "ref-freelist-least-forgotten", _STEPS,
        "    taken = max(lead + align_up(size, WORD), LEAST)\n",
        "    taken = max(lead + align_up(size, WORD), HEADER)\n",
        "split_leaves_minimum", "a small request gets a block of less than 32 bytes",
    ),
    Patch(
        "ref-freelist-rest-too-long", _STEPS,
        "        write_block(start + taken, room - taken, following, memory)\n",
        "        write_block(start + taken, room, following, memory)\n",
        "blocks_disjoint", "the rest keeps the size of the whole block, and reaches into the next",
        _OVERLAP,
    ),
    Patch(
        "ref-freelist-header-uncounted", _STEPS,
        "    taken = max(lead + align_up(size, WORD), LEAST)\n",
        "    taken = max(lead + align_up(size, WORD) - HEADER, LEAST)\n",
        "blocks_disjoint", "the header is not counted in a block's size: the next block begins inside the payload",
        _OVERLAP,
    ),
    Patch(
        "ref-freelist-size-unrounded", _STEPS,
        "    taken = max(lead + align_up(size, WORD), LEAST)\n",
        "    taken = max(lead + size, LEAST)\n",
        "failure_is_reported", "sizes are not rounded up to 8: the next header cannot be written",
        _OVERLAP,
    ),
    Patch(
        "ref-freelist-lead-ignored", _STEPS,
        "    return size <= room - lead, onward\n", "    return size <= room - HEADER, onward\n",
        "in_bounds", "a block counts as large enough although the aligned payload begins further up",
        _OVERLAP,
    ),
    Patch(
        "ref-freelist-exact-refused", _STEPS,
        "    return size <= room - lead, onward\n", "    return size < room - lead, onward\n",
        "first_fit", "a block of exactly the size is passed by",
        ("freed_is_reusable", "capacity_comes_back", "failure_changes_nothing"),
    ),
    Patch(
        "ref-freelist-large-spared", _STEPS,
        "        if fits:\n", "        if fits and (size_of(place.block, memory) < 1 << 10 or onward.block == 0):\n",
        "first_fit", "large blocks are spared as long as another one follows in the list",
    ),
    Patch(
        "ref-freelist-front-whole", _STEPS,
        "        memory.write(before, gap)\n", "        memory.write(before, gap + room)\n",
        "blocks_disjoint", "what is left in front of an aligned payload keeps the size of the whole block",
        _OVERLAP,
    ),
    Patch(
        "ref-freelist-front-counted", _STEPS,
        "start, start + gap, room - gap, HEADER\n", "start, start + gap, room, HEADER\n",
        "blocks_disjoint", "the gap in front of an aligned payload is handed out twice: in front, and behind the end",
        _OVERLAP,
    ),
    Patch(
        "ref-freelist-start-forgotten", _STEPS,
        "    block, size = memory.read(ptr - WORD), memory.read(ptr - HEADER)\n",
        "    block, size = ptr - HEADER, memory.read(ptr - HEADER)\n",
        "blocks_disjoint", "a freed block is taken to begin at its header, although a rest in front went out with it",
        _OVERLAP,
    ),
    Patch(
        "ref-freelist-freed-twice", _STEPS,
        "else push(less, block, size, memory)\n",
        "else push(push(less, block, size, memory), block, size, memory)\n",
        "blocks_disjoint", "a freed block is put into the list twice, and linked to itself",
        (*_OVERLAP, "constant_time"),
    ),
    Patch(
        "ref-freelist-free-counts-payload", _STEPS,
        "    less = replace(state, allocated=state.allocated - size)\n",
        "    less = replace(state, allocated=state.allocated - size + HEADER)\n",
        "total_is_live_bytes", "a freed block's header stays in the count",
        ("remaining_is_rest",),
    ),
    Patch(
        "ref-freelist-usable-whole", _STEPS,
        "    return size - (ptr - start)\n", "    return size\n",
        "usable_sizes_disjoint", "the usable size counts the header",
        ("in_bounds", "sized", "payload_kept"),
    ),
    Patch(
        "ref-freelist-free-walks", _STEPS,
        "    return insert(less, block, size, memory) if state.coalesces else",
        "    return insert(less, block, size, memory) if state.capacity else",
        "constant_time", "freed blocks are put in order of address, for which the list is walked",
    ),
    Patch(
        "ref-freelist-looks-again", _STEPS,
        "        fits, onward = visit(place, size, align, memory)\n",
        "        for _ in range(7):\n            fits, onward = visit(place, size, align, memory)\n",
        "linear_time", "each block of the list is looked at seven times",
    ),
    Patch(
        "ref-freelist-zero-words", _STEPS,
        "        zero(memory, block, size)\n", "        zero(memory, block, size - size % 8)\n",
        "zeroed", "zeroing stops at the last whole word of recycled memory",
    ),
)  # fmt: skip

COALESCING = (
    Patch(
        "ref-coalesce-list-cut", _STEPS,
        "    after = link(state, before, following, memory)\n",
        "    after = link(state, before, following if before == 0 else 0, memory)\n",
        "capacity_comes_back", "taking a block that is not the first cuts the list behind it",
        ("freed_is_reusable", "failure_changes_nothing", "reuse"),
    ),
    Patch(
        "ref-coalesce-above-never", _STEPS,
        "    if following == block + size:\n", "    if following == block + size + WORD:\n",
        "capacity_comes_back", "a freed block is not joined with the one above it",
        ("freed_is_reusable", "failure_changes_nothing", "reuse"),
    ),
    Patch(
        "ref-coalesce-below-never", _STEPS,
        "        if block == place.before + below:\n", "        if block == place.before + below + WORD:\n",
        "capacity_comes_back", "a freed block is not joined with the one below it",
        ("failure_changes_nothing", "freed_is_reusable", "reuse"),
    ),
    Patch(
        "ref-coalesce-above-far", _STEPS,
        "    if following == block + size:\n", "    if following != 0 and following - block - size <= LEAST:\n",
        "blocks_disjoint", "a freed block is joined with the next free one over a small live one between them",
        _OVERLAP,
    ),
    Patch(
        "ref-coalesce-below-far", _STEPS,
        "        if block == place.before + below:\n", "        if block - place.before - below <= LEAST:\n",
        "blocks_disjoint", "a freed block is joined with the free one below over a small live one between them",
        _OVERLAP,
    ),
    Patch(
        "ref-coalesce-header-twice", _STEPS,
        "            write_block(place.before, below + size, following, memory)\n",
        "            write_block(place.before, below + size + HEADER, following, memory)\n",
        "blocks_disjoint", "a joined block counts its header twice, and reaches into the next",
        _OVERLAP,
    ),
    Patch(
        "ref-coalesce-size-lost", _STEPS,
        "            write_block(place.before, below + size, following, memory)\n",
        "            write_block(place.before, below, following, memory)\n",
        "capacity_comes_back", "a block that is joined with the one below is lost",
        ("freed_is_reusable", "failure_changes_nothing", "reuse", "remaining_is_rest"),
    ),
    Patch(
        "ref-coalesce-swallowed-stays", _STEPS,
        "size + size_of(place.block, memory), next_of(place.block, memory)\n",
        "size + size_of(place.block, memory), place.block\n",
        "blocks_disjoint", "a block that was joined with the one below it stays in the list",
        _OVERLAP,
    ),
    Patch(
        "ref-coalesce-order-lost", _STEPS,
        "    if place.block > block:\n", "    if place.block < block:\n",
        "capacity_comes_back", "the list is in no order: neighbours do not meet",
        ("freed_is_reusable", "failure_changes_nothing", "blocks_disjoint"),
    ),
    Patch(
        "ref-coalesce-end-skipped", _STEPS,
        "    if place.before != 0:\n        below", "    if place.before != 0 and place.block != 0:\n        below",
        "capacity_comes_back", "at the end of the list a freed block is not joined with the one below it",
        ("freed_is_reusable", "failure_changes_nothing", "reuse"),
    ),
    Patch(
        "ref-coalesce-first-skipped", _STEPS,
        "    if following == block + size:\n", "    if following == block + size and place.before != 0:\n",
        "capacity_comes_back", "a block freed below all others is not joined with the one above it",
        ("freed_is_reusable", "failure_changes_nothing", "reuse"),
    ),
)  # fmt: skip

PROOF: tuple[Patch, ...] = (
    Patch(
        "ref-freelist-made-unaligned", _STEPS,
        "    lead = align_up(buffer, WORD) - buffer\n    if capacity", "    lead = buffer - buffer\n    if capacity",
        "failure_is_reported", "a list over a buffer that is not aligned begins at its first byte",
    ),
    Patch(
        "ref-freelist-payload-late", _STEPS,
        "    payload, gap = start + lead, lead - HEADER\n", "    payload, gap = start + lead + size, lead - HEADER\n",
        "in_bounds", "the payload is put where its end should be, with its header",
        _OVERLAP,
    ),
    Patch(
        "ref-freelist-start-behind", _STEPS,
        "    memory.write(payload - WORD, start)\n",
        "    memory.write(payload - WORD, payload + room)\n    memory.write(payload + room, start)\n",
        "payload_kept", "where a block starts is written behind its end, and that place into the header",
        _OVERLAP,
    ),
    Patch(
        "ref-freelist-taken-uncounted", _STEPS,
        "    return replace(after, allocated=after.allocated + taken), payload\n", "    return after, payload\n",
        "total_is_live_bytes", "what is handed out is not counted",
        ("remaining_is_rest",),
    ),
    Patch(
        "ref-freelist-refusal-counted", _STEPS,
        "    return state, 0\n", "    return replace(state, allocated=state.allocated + LEAST), 0\n",
        "failure_changes_nothing", "a refusal is counted as a block",
        ("total_is_live_bytes", "remaining_is_rest"),
    ),
    Patch(
        "ref-freelist-refusal-undefined", _STEPS,
        "    if block == 0:\n"
        "        return after, answered(op, False, 0, after.remaining, after.allocated, after.env)\n",
        "    if block == 0:\n"
        "        told = answered(op, False, 0, after.remaining, after.allocated, after.env)\n"
        "        return after, replace(told, status=4)\n",
        "failure_is_reported", "what is refused gets something that is neither a block nor the failure value",
    ),
    Patch(
        "ref-freelist-size-ignored", _STEPS,
        "    if size > room:  # most of a long list are fragments: a glance is enough\n"
        "        return False, onward\n"
        "    lead = lead_of(place.block, align)\n"
        "    if lead > room:\n"
        "        return False, onward\n"
        "    return size <= room - lead, onward\n",
        "    return lead_of(place.block, align) <= room, onward\n",
        "overflow_is_failure", "any block will do, however much is asked for",
        _OVERLAP,
    ),
    Patch(
        "ref-freelist-walk-begins-late", _STEPS,
        "    place = Place(0, state.free_list)\n    while place.block != 0:\n        fits",
        "    place = Place(state.free_list, state.free_list)\n    while place.block != 0:\n        fits",
        "blocks_disjoint", "the first block of the list is taken to stand before itself",
        _OVERLAP,
    ),
    Patch(
        "ref-freelist-last-unseen", _STEPS,
        "    while place.block != 0:\n        fits",
        "    while place.block != 0 and next_of(place.block, memory) != 0:\n        fits",
        "first_fit", "the last block of the list is not looked at",
        ("freed_is_reusable", "failure_changes_nothing", "capacity_comes_back"),
    ),
    Patch(
        "ref-freelist-pushed-behind", _STEPS,
        "    write_block(block, size, state.free_list, memory)\n",
        "    write_block(block + size + HEADER, size, state.free_list, memory)\n",
        "payload_kept", "a freed block's size and link are written a header behind it",
        _OVERLAP,
    ),
    Patch(
        "ref-freelist-free-overcounts", _STEPS,
        "    less = replace(state, allocated=state.allocated - size)\n",
        "    less = replace(state, allocated=state.allocated - size - HEADER)\n",
        "remaining_is_rest", "a freed block's header is taken off the count twice",
        ("total_is_live_bytes",),
    ),
    Patch(
        "ref-freelist-last-free-refused", _STEPS,
        "        return after, answered(op, True, 0,", "        return after, answered(op, after.allocated > 0, 0,",
        "free_is_served", "when the last live block is freed, that is reported as refused",
    ),
    Patch(
        "ref-coalesce-joined-behind", _STEPS,
        "    write_block(block, size, following, memory)\n",
        "    write_block(block + size + HEADER, size, following, memory)\n",
        "payload_kept", "a freed block's size and link are written a header behind it",
        _OVERLAP,
    ),
    Patch(
        "ref-coalesce-walk-begins-late", _STEPS,
        "    place = Place(0, state.free_list)\n    while place.block != 0:\n        here",
        "    place = Place(state.free_list, state.free_list)\n    while place.block != 0:\n        here",
        "blocks_disjoint", "the first block of the list is taken to stand before itself",
        _OVERLAP,
    ),
    Patch(
        "ref-coalesce-looks-again", _STEPS,
        "        here, place = pass_by(place, block, memory)\n",
        "        for _ in range(7):\n"
        "            here, onward = pass_by(place, block, memory)\n"
        "        place = onward\n",
        "linear_time", "each block of the list is looked at seven times",
    ),
)  # fmt: skip
"""Faults of single steps and turns that the others leave alone: for proofs, which look at each of these."""
