"""Layout arithmetic: alignments and paddings, in bytes, on unbounded integers of any engine."""

from functools import singledispatch

from .logic import Truth, Word, ite, mod_pow2

SIZE_MAX = 2**64 - 1
"""Largest value of `size_t` on a 64-bit machine (C17 7.20.3)."""
PTRDIFF_MAX = 2**63 - 1
"""Largest value of `ptrdiff_t`: no object may be larger, since its ends could not be subtracted (C17 6.5.6 p9)."""
MAX_ALIGN = 16
"""`alignof(max_align_t)` on x86-64 and aarch64 Linux (C17 6.2.8 p2)."""
PAGE = 4096
"""Granule, in bytes, in which footprints are counted."""


@singledispatch
def is_power_of_two(a: Word) -> Truth:
    """`a` is 1, 2, 4, 8, …"""
    return a > 0 and a & (a - 1) == 0


def align_up(a: Word, align: Word) -> Word:
    """The least multiple of `align` (a power of two) that is at least `a`. Unbounded: it does not wrap."""
    excess = mod_pow2(a, align)
    return ite(excess == 0, a, a + (align - excess))


def fundamental_alignment(size: Word, max_align: int = MAX_ALIGN) -> Word:
    """The strictest alignment, in bytes, that an object fitting into `size` bytes can require.

    An object's size is a multiple of its alignment, so a request of 8 bytes can hold no object aligned to 16. At least
    1, at most `max_align`. Source: C23 7.24.3 p1 ("… and size less than or equal to the size requested").
    """
    result: Word = max_align
    step = max_align
    while step > 1:
        result = ite(size < step, step // 2, result)
        step //= 2
    return result
