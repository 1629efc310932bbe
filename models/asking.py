"""What may be asked for: the limits of an `Env` and of the operations that are there, applied to drawn columns."""

from collections.abc import Collection
from functools import lru_cache

import numpy as np

from heaplaw.spec.event import Env
from heaplaw.spec.layout import SIZE_MAX
from heaplaw.spec.shapes import Kind

from . import table
from .script import Kinds, Words

NOTHING_PROMISED = Env()
"""An unbounded malloc that takes everything."""
ASKED = (Kind.ALLOC, Kind.ALIGNED, Kind.POSIX_ALIGNED, Kind.ZALLOC)
"""Requests, those first that stand in for others that are not there."""
NEAR_LARGEST = range(65)
"""Distances from the largest size that may be asked for, bytes."""


def alignments(env: Env, least: int = 8, most: int = 2**16) -> tuple[int, ...]:
    """Alignments from `least` to `most` bytes that may be asked for; the largest allowed one, where all are larger."""
    allowed = max(1, int(env.max_request_align))
    highest = min(2 ** (allowed.bit_length() - 1), most)
    found = tuple(2**k for k in range(64) if least <= 2**k <= highest)
    return found or (highest,)


def _limited(env: Env) -> list[int]:
    """Sizes around the widths of integers and the largest size, bytes, where not all of a word may be asked for."""
    largest = env.max_request
    if largest >= SIZE_MAX:
        return []
    return [largest - d for d in NEAR_LARGEST if d <= largest] + [2**k + d for k in range(8, 36) for d in (-1, 0, 1)]


@lru_cache(maxsize=64)
def refused_sizes(env: Env, above: int = 0) -> Words:
    """Sizes above `above` that hardly any allocator can serve, of those that may be asked for, bytes.

    A bounded heap refuses whatever exceeds its capacity; otherwise only the vast is thought to be refused. Empty where
    everything that may be asked for may well be served.
    """
    capacity = int(env.capacity)
    beyond = [2**k + d for k in range(8, 36) for d in (-1, 0, 1, 24)] if capacity else []
    beyond += [capacity + d for d in (1, 8, 16, 64, 4096)] if capacity else []
    above = max(above, capacity or 2**31)
    sizes = [*table.REFUSED_SIZES, *beyond, *_limited(env)]
    return np.array([s for s in dict.fromkeys(sizes) if above < s <= env.max_request], np.uint64)


@lru_cache(maxsize=64)
def wrapping_factors(env: Env, above: int = 0) -> Words:
    """Pairs (count, size) whose product no object can have, or exceeds what may be asked for; most wrap."""
    above = above if env.capacity else max(above, 2**36)  # less may be served after all, and would have to be zeroed
    bits = int(env.max_request).bit_length()
    narrow = [(2**k, 2 ** (bits - k) + d) for k in range(1, bits) for d in (0, 1, 8)] if bits < 64 else []
    pairs = [(c, s) for c, s in (*table.WRAPPING_FACTORS, *narrow) if max(c, s) <= env.max_request and c * s > above]
    return np.array(pairs, np.uint64).reshape(-1, 2)


def stand_in(kinds: Collection[Kind]) -> Kind:
    """The plainest request that is there."""
    return next(kind for kind in ASKED if kind in kinds)


def permitted(
    env: Env, kinds: Collection[Kind], columns: tuple[Kinds, Words, Words, Words], raw: bool = False
) -> tuple[Kinds, Words, Words, Words]:
    """Requests (kind, size, align, count), with everything that may not be asked for replaced by something that may.

    `raw`: a size that cannot be rounded up to a multiple of its alignment without wrapping stays as it is.
    """
    kind, size, align, count = columns
    absent = [k for k in ASKED if k not in kinds]
    if absent:
        kind = np.where(np.isin(kind, [int(k) for k in absent]), np.uint8(stand_in(kinds)), kind).astype(np.uint8)
    takes = (kind == Kind.ALIGNED) | (kind == Kind.POSIX_ALIGNED)
    one = np.uint64(1)
    align = np.where(takes, np.clip(align, one, np.uint64(alignments(env, 1)[-1])), np.uint64(0))
    whole = kind != Kind.ZALLOC if env.counted else np.ones(len(kind), np.bool_)
    if absent or not env.counted:
        size, count = np.where(whole, _product(size, count), size), np.where(whole, one, count)
    largest = np.uint64(env.max_request)
    if env.max_request < SIZE_MAX:
        size = np.where(size > largest, size % (largest + one), size)
        count = np.where(count > largest, count % (largest + one), count)
    if env.aligned_multiple:
        mask = np.where(kind == Kind.ALIGNED, align, one) - one
        up = (size + mask) & ~mask
        otherwise = size if raw and env.max_request == SIZE_MAX else size & ~mask
        size = np.where((up >= size) & (up <= largest), up, otherwise)
    return kind, size, align, count


def _product(size: Words, count: Words) -> Words:
    """`size * count`, or the largest word where that is larger."""
    fits = size <= np.uint64(SIZE_MAX) // np.maximum(count, np.uint64(1))
    return np.where(fits, size * np.where(fits, count, np.uint64(0)), np.uint64(SIZE_MAX))
