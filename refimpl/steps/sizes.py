"""Size classes: which size of block a request gets from a set of pools. Source: the allocator system's future list;
the spacing is jemalloc's, after Wilson et al. 1995, section 3.6.

Up to 128 bytes classes are 16 bytes apart; above, each doubling has four: 160, 192, 224, 256, 320, … 32768. Internal
fragmentation is bounded: a request of 1 byte or more wastes at most 15 bytes up to 128, above always less than a
quarter of the request (a fifth of its block). A request of 0 bytes gets the smallest class.
"""

from heaplaw.spec.logic import Word

SPACING = 16
"""Bytes between the small classes, and what every class is a multiple of."""
SMALL = 128
"""The largest class of the evenly spaced ones, bytes."""
PER_DOUBLING = 4
LARGEST = 32 * 1024
"""The largest class, bytes; larger requests are for a parent."""


def table() -> tuple[int, ...]:
    """The classes, ascending."""
    sizes = list(range(SPACING, SMALL + 1, SPACING))
    base = SMALL
    while base < LARGEST:
        sizes += [base + base // PER_DOUBLING * quarter for quarter in range(1, PER_DOUBLING + 1)]
        base *= 2
    return tuple(sizes)


SIZES = table()


def class_of(size: Word, sizes: tuple[int, ...] = SIZES) -> int:
    """The index of the least class that holds `size` bytes; `len(sizes)` when none does. O(log classes)."""
    low, high = 0, len(sizes)
    while low < high:
        middle = (low + high) // 2
        if size <= sizes[middle]:
            high = middle
        else:
            low = middle + 1
    return low


def class_size(size: Word, sizes: tuple[int, ...] = SIZES) -> int:
    """The bytes of the block that a request of `size` bytes gets; 0 when it is for a parent."""
    index = class_of(size, sizes)
    return sizes[index] if index < len(sizes) else 0
