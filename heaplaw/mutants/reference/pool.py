"""The pool: a grid of blocks, and a free list that lies in them."""

from .patch import Patch

__all__ = ["PATCHES"]

_STEPS = "steps/pool.py"

PATCHES = (
    Patch(
        "ref-pool-round-to-4", _STEPS,
        "return max(WORD, int(align_up(block_size, WORD)))",
        "return max(WORD, int(align_up(block_size, WORD // 2)))",
        "aligned",
        "block sizes are rounded up to 4 bytes instead of 8",
    ),
)  # fmt: skip
