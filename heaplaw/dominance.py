"""The second, independent judge of disjointness: two dominance counts a block, in NumPy alone.

When block b is born, the live blocks number L; those that end at or before b's start, and those that start at or
after b's end, are disjoint from b. If the two counts do not add up to L, somebody overlaps b. "Live" is "born before"
less "dead before", so each count is two counts of points in a quadrant, answered for all blocks at once by a wavelet
matrix. It takes any times, and shares nothing with the shadow but the columns.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Blocks:
    """Blocks as columns; `index` is the operation that made each. Lifetimes are half-open: [birth, death)."""

    index: Ints
    ptr: Words
    extent: Words
    birth: Words
    death: Words


def count_less(values: Ints, prefix: Ints, bound: Ints) -> Ints:
    """For each query, how many of the first `prefix` values are below `bound`. Values are ranks, 0 to len(values)."""
    low, high = np.zeros_like(prefix), prefix.copy()
    result = np.zeros_like(prefix)
    for bit in reversed(range(max(1, len(values)).bit_length() + 1)):
        ones = (values >> bit) & 1
        zeros_before = np.concatenate(([0], np.cumsum(1 - ones)))
        zeros = zeros_before[-1]
        z_low, z_high = zeros_before[low], zeros_before[high]
        set_bit = ((bound >> bit) & 1).astype(bool)
        result += np.where(set_bit, z_high - z_low, 0)
        low = np.where(set_bit, zeros + low - z_low, z_low)
        high = np.where(set_bit, zeros + high - z_high, z_high)
        values = np.concatenate((values[ones == 0], values[ones == 1]))
    return result


def _ranks(values: Words) -> tuple[Words, Ints]:
    order = np.sort(values)
    return order, np.searchsorted(order, values, "left").astype(np.int64)


def _lasts(ptr: Words, extent: Words) -> Words:
    """Each block's last byte; past the address space, its very last. (An end, one further, might not be a word.)"""
    last = ptr + (extent - np.uint64(1))
    return np.where(last < ptr, np.uint64(2**64 - 1), last)


def overlapping_pairs(blocks: Blocks, most: int = 1000) -> tuple[list[tuple[int, int]], int]:
    """Pairs (older, newer) of operations whose blocks share bytes and moments, and the number of pairs live together.

    At most `most` newer blocks are followed up.
    """
    n = len(blocks.index)
    if n == 0:
        return [], 0
    order = np.lexsort((blocks.index, blocks.birth))
    ptr, extent, birth, death = (c[order] for c in (blocks.ptr, blocks.extent, blocks.birth, blocks.death))
    index, last = blocks.index[order], _lasts(ptr, extent)
    by_death = np.argsort(death, kind="stable")
    before = np.arange(n)
    gone = np.searchsorted(death[by_death], birth, "right").astype(np.int64)
    live = before - gone
    sorted_lasts, last_rank = _ranks(last)
    sorted_starts, start_rank = _ranks(ptr)
    below = np.searchsorted(sorted_lasts, ptr, "left").astype(np.int64)
    beyond = np.searchsorted(sorted_starts, last, "right").astype(np.int64)
    left = count_less(last_rank, before, below) - count_less(last_rank[by_death], gone, below)
    not_right = count_less(start_rank, before, beyond) - count_less(start_rank[by_death], gone, beyond)
    suspects = np.flatnonzero(not_right - left != 0)[:most]
    pairs: list[tuple[int, int]] = []
    for b in suspects:
        meets = (death[:b] > birth[b]) & (ptr[:b] <= last[b]) & (last[:b] >= ptr[b])
        pairs += [(int(index[a]), int(index[b])) for a in np.flatnonzero(meets)]
    return pairs, int(live.sum())


def blocks_of(
    history_length: int,
    ends: NDArray[Any],
    owner: NDArray[Any],
    makes: NDArray[Any],
    ptr: Words,
    extent: Words,
    called: Words | None = None,
    returned: Words | None = None,
    *,
    swept: dict[int, int] | None = None,
) -> Blocks:
    """Blocks from a history's columns: `makes` where one is born, `ends` where the block of `owner` dies.

    `swept`: for blocks that died together with others, the operation that ended them. Blocks of no bytes are left out.
    """
    index = np.flatnonzero(makes & (extent > 0))
    time = np.arange(history_length, dtype=np.uint64)
    call_time = 2 * time if called is None else called
    return_time = 2 * time + 1 if returned is None else returned
    death = np.full(history_length, 2**64 - 1, np.uint64)
    dying = np.flatnonzero(ends & (owner < history_length))
    death[owner[dying]] = call_time[dying]
    for block, end in (swept or {}).items():
        death[block] = call_time[end]
    return Blocks(index, ptr[index], extent[index], return_time[index], death[index])
