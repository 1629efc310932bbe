"""Size classes: the table of classes, and the search for the least that holds a request."""

from .patch import Patch

__all__ = ["PROOF"]

_STEPS = "steps/sizes.py"

PROOF: tuple[Patch, ...] = (
    Patch(
        "ref-sizes-exact-fit-missed", _STEPS,
        "        if size <= sizes[middle]:\n", "        if size < sizes[middle]:\n",
        "overhead_bounded", "a request of just a class's size gets the class above",
    ),
    Patch(
        "ref-sizes-one-too-small", _STEPS,
        "            low = middle + 1\n    return low\n",
        "            low = middle + 1\n    return low - 1 if low else 0\n",
        "sized", "a request gets the class below the one that holds it",
    ),
    Patch(
        "ref-sizes-search-ends-early", _STEPS,
        "    while low < high:\n", "    while low + 1 < high:\n",
        "sized", "the search ends before its last comparison",
    ),
    Patch(
        "ref-sizes-odd-classes", _STEPS,
        "        sizes += [base + base // PER_DOUBLING * quarter for",
        "        sizes += [base + base // PER_DOUBLING * quarter - 8 for",
        "aligned", "classes above 128 bytes are no multiples of 16",
    ),
    Patch(
        "ref-sizes-two-in-a-doubling", _STEPS,
        "PER_DOUBLING = 4\n", "PER_DOUBLING = 2\n",
        "overhead_bounded", "a doubling has two classes: up to a third of a block is wasted",
    ),
    Patch(
        "ref-sizes-ends-at-half", _STEPS,
        "LARGEST = 32 * 1024\n", "LARGEST = 16 * 1024\n",
        "overhead_bounded", "requests above 16384 bytes are for a parent",
    ),
    Patch(
        "ref-sizes-parent-forgotten", _STEPS,
        "    return sizes[index] if index < len(sizes) else 0\n", "    return sizes[min(index, len(sizes) - 1)]\n",
        "sized", "what no class holds gets the largest",
    ),
    Patch(
        "ref-sizes-odd-are-large", _STEPS,
        "    low, high = 0, len(sizes)\n", "    low, high = 8 if size % 2 == 1 else 0, len(sizes)\n",
        "overhead_bounded", "the search passes over the first eight classes for odd sizes",
    ),
    Patch(
        "ref-sizes-descending", _STEPS,
        "for quarter in range(1, PER_DOUBLING + 1)]\n", "for quarter in range(PER_DOUBLING, 0, -1)]\n",
        "sized", "the classes of a doubling are listed from the largest down",
    ),
)  # fmt: skip
"""Faults for proofs: no subject shows them alone."""
