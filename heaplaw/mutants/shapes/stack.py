"""Stacks."""

from heaplaw.mutants import Mutant

from .variant import Correct

__all__ = ["CORRECT", "MUTANTS"]

_STACK = "ok-stack"
_ASIDE = "ok-stack-aside"
_DEEP = "ok-stack-deep"

CORRECT = (
    Correct(_STACK, "stack.toml", "a header of 8 bytes in front of each block"),
    Correct(_ASIDE, "stack_aside.toml", "headers in an array of their own"),
    Correct(_DEEP, "stack_deep.toml", "many blocks, at constant cost"),
)

_TOO_LOW = (
    "remaining_is_rest", "total_is_live_bytes", "blocks_disjoint", "payload_kept", "failure_changes_nothing",
)  # fmt: skip
"""A stack whose top is too low counts too little, and hands out live bytes again."""

MUTANTS = (
    # --- popping
    Mutant(
        "stack-pop-padding", "lifo_pop", _STACK,
        "a pop does not give back the padding in front of the header",
        "a block with padding, then a pop",
        also=("remaining_is_rest", "total_is_live_bytes", "reset_frees_all"),
    ),
    Mutant(
        "stack-pop-twice", "lifo_pop", _STACK,
        "the block below is remembered in one place only; the second pop in a row changes nothing",
        "two requests, two pops",
        also=("remaining_is_rest", "total_is_live_bytes", "reset_frees_all"),
    ),
    Mutant(
        "stack-pop-empty", "remaining_is_rest", _STACK,
        "popping an empty stack takes a header's length from its top",
        "a pop of an empty stack",
        also=("lifo_pop", "invariant_holds", "fits_is_served"),
    ),
    Mutant(
        "stack-pop-zero", "lifo_pop", _STACK,
        "a block of no bytes counts as popped already: the one below goes too",
        "two requests, the second of size 0, then a pop",
        also=_TOO_LOW, hidden=True,
    ),
    Mutant(
        "stack-depth-64", "lifo_pop", _STACK,
        "a pop at depth 65 empties the stack",
        "65 live blocks, then a pop",
        also=_TOO_LOW, hidden=True,
    ),
    Mutant(
        "stack-aside-ring", "lifo_pop", _ASIDE,
        "the array aside is a ring of 64 headers",
        "65 live blocks, then pops until 64 are gone",
        also=("remaining_is_rest", "total_is_live_bytes", "reset_frees_all", "invariant_holds"), hidden=True,
    ),
    Mutant(
        "stack-pop-refused", "free_is_served", _STACK,
        "after a request that exceeds the whole buffer the next pop is refused",
        "a request, one above the capacity, a pop",
        hidden=True,
    ),
    Mutant(
        "stack-reset-newest", "lifo_pop", _STACK,
        "a reset leaves the place of the newest block",
        "a request, a reset, a pop",
        also=("remaining_is_rest", "total_is_live_bytes", "reset_frees_all", "invariant_holds", "fits_is_served"),
    ),
    # --- where blocks lie
    Mutant(
        "stack-header-in-tail", "payload_kept", _STACK,
        "a header begins at the multiple of 8 below the top, in the last bytes of the block before",
        "a size that is no multiple of 8, then another request",
        also=("lifo_pop", "total_is_live_bytes", "failure_changes_nothing"),
    ),
    Mutant(
        "stack-fill-over", "in_bounds", _STACK,
        "the header is not counted when the end is checked",
        "a request that leaves less than 8 bytes for its header",
        also=("sized", "invariant_holds"),
    ),
    Mutant(
        "stack-first-whole", "in_bounds", _STACK,
        "the first block may be as long as the whole buffer, without its header",
        "a request of nearly the capacity on an empty stack",
        also=("sized",), hidden=True,
    ),
    Mutant(
        "stack-aside-unaligned", "aligned", _ASIDE,
        "blocks shorter than their alignment are aligned to 8 bytes only",
        "a size from 1 to 15 behind one that is no multiple of 16",
    ),
    Mutant(
        "stack-size-wrap", "overflow_is_failure", _STACK,
        "top + header + padding + size wraps",
        "a size less than the used bytes away from SIZE_MAX",
        also=("failure_is_reported", "remaining_is_rest", "total_is_live_bytes"), hidden=True,
    ),
    # --- counters, zeroed memory, the instance
    Mutant(
        "stack-total-padding", "total_is_live_bytes", _STACK,
        "a pop leaves the padding in the total",
        "a block with padding, then a pop",
        also=("lifo_pop",),
    ),
    Mutant(
        "stack-check-zero", "invariant_holds", _STACK,
        "the check finds fault with a block of no bytes",
        "size 0",
        hidden=True,
    ),
    Mutant(
        "stack-zero-once", "zeroed", _STACK,
        "zeroing takes what no zeroed request has used before for zero",
        "a dirty block, a pop, a zeroed request",
    ),
    Mutant(
        "stack-drop-live", "made_again", _STACK,
        "a stack that is dropped with blocks live cannot be made again over the same buffer",
        "a request, a drop, a new instance",
    ),
    # --- what calls cost
    Mutant(
        "stack-pop-searches", "instructions_bounded", _DEEP,
        "a pop walks down to the lowest block",
        "many live blocks, a pop",
        hidden=True,
    ),
    Mutant(
        "stack-push-adds", "instructions_bounded", _DEEP,
        "a request counts the live blocks by walking down",
        "many live blocks, a request",
        hidden=True,
    ),
)  # fmt: skip
