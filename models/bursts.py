"""Bursts: series of requests into an empty region, with nothing given back between them.

A bump is reset after each, a stack pops them, an arena releases them; and often the same burst comes again at once.
Each sort of burst draws sizes for many bursts at a time; `dressed` adds kinds and alignments, `seasoned` the requests
that are refused and the blocks that are read back.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np

from heaplaw.spec.event import Env
from heaplaw.spec.shapes import Kind

from . import table
from .asking import alignments, permitted, refused_sizes, stand_in, wrapping_factors
from .plan import class_sizes, draw_sizes, log_uniform
from .script import Kinds, Places, Rng, Script, Words, bare, filled, ragged, requests, stacked, woven

ROOM = 65536
"""Bytes that a region of unknown capacity is thought to have."""


@dataclass(frozen=True)
class Asker:
    """Who asks: the source of randomness, what may be asked for, and how much there is to be had."""

    rng: Rng
    kinds: frozenset[Kind]
    env: Env
    room: int
    """Bytes that are thought to fit."""
    most_live: int = 2**62
    """Bytes that a burst asks for in all, at most."""

    @cached_property
    def there(self) -> Kinds:
        """Requests that may be made."""
        return np.array([kind for kind in table.REGION_WEIGHTS if kind in self.kinds], np.uint8)

    @cached_property
    def alignments(self) -> Words:
        """Every alignment that may be asked for."""
        return np.array(alignments(self.env, 1), np.uint64)

    @property
    def large(self) -> int:
        """The largest size, bytes, of which several surely fit."""
        return max(1, self.room // 8)

    def draw_kinds(self, n: int) -> Kinds:
        """Kinds of `n` requests, by their weights."""
        shares = np.array([table.REGION_WEIGHTS[Kind(kind)] for kind in self.there.tolist()], float)
        return self.rng.choice(self.there, n, p=shares / shares.sum())

    def draw_sizes(self, n: int, most: int = 0) -> Words:
        """`n` sizes of the table's mixture, up to `most` bytes (the largest that surely fits), with a few of 0."""
        most = most or self.large
        families = [family for family in table.SIZES if family.high <= most]
        if not families:
            return log_uniform(self.rng, n, 1, most).astype(np.uint64)
        sizes = draw_sizes(self.rng, n, families)
        return np.where(sizes > np.uint64(most), np.uint64(1) + sizes % np.uint64(most), sizes)

    def asked(self, kind: Kinds, size: Words, align: Words, count: Words | None = None) -> Script:
        """Requests, within what may be asked for."""
        count = np.ones(len(kind), np.uint64) if count is None else count
        return requests(*permitted(self.env, self.kinds, (kind, size, align, count)))


@dataclass(frozen=True)
class Sizes:
    """What a sort of burst draws: sizes of all requests, bytes, and how many requests each burst has."""

    sizes: Words
    lengths: Places
    exact: bool = False
    """The burst means to fill the room to the last byte: small alignments, one kind of request."""
    kind: Kinds | None = None
    align: Words | None = None


@dataclass(frozen=True)
class Bursts:
    """Bursts, one after another."""

    script: Script
    lengths: Places

    @property
    def starts(self) -> Places:
        """Where each begins."""
        return np.cumsum(self.lengths) - self.lengths


Sort: TypeAlias = Callable[[Asker, int], Sizes]
"""Draws bursts of about so many requests in all."""


def _until(lengths: Places, ops: int) -> Places:
    """As many of the groups as have `ops` members in all, at least one, and none longer than that."""
    lengths = np.clip(lengths, 1, max(4, ops))
    return lengths[: max(1, int(np.searchsorted(np.cumsum(lengths), ops, side="right")))]


def few_large(a: Asker, ops: int) -> Sizes:
    """A few large ones, to the end and beyond it, and smaller ones after what was refused."""
    lengths = _until(a.rng.integers(2, 13, max(1, ops // 4)), ops)
    return Sizes(log_uniform(a.rng, int(lengths.sum()), max(1, a.room // 16), a.room).astype(np.uint64), lengths)


def many_small(a: Asker, ops: int) -> Sizes:
    """Many small ones, up to a part of the room or beyond it."""
    sizes = a.draw_sizes(max(4, ops), max(1, min(a.large, int(log_uniform(a.rng, 1, 16, 8192)[0]))))
    filled = a.room / (float(sizes.mean()) + 8)
    lengths = _until((filled * a.rng.choice(np.array(table.FILLED), len(sizes))).astype(np.int64), len(sizes))
    return Sizes(sizes[: int(lengths.sum())], lengths)


def very_many(a: Asker, ops: int) -> Sizes:
    """Tiny ones in one long series."""
    n = int(min(10 * ops, a.room // 8)) + 2
    return Sizes(a.draw_sizes(n, min(a.large, 16)), np.array([n]))


def one_size(a: Asker, ops: int) -> Sizes:
    """Blocks of one size, until no more fit."""
    sizes = np.maximum(class_sizes(a.rng, max(1, ops), table.SIZES[2]), 1) % np.uint64(a.large) + np.uint64(1)
    lengths = _until(a.room // sizes.astype(np.int64) + 3, ops)
    return Sizes(np.repeat(sizes[: len(lengths)], lengths), lengths)


def exact_fill(a: Asker, ops: int) -> Sizes:
    """A few, then one that leaves k bytes or none, then what just fits or does not, or single bytes to the end."""
    m = max(1, ops // 6)
    before = a.rng.choice(np.array([0, 0, 1, 2, 4]), m)
    left = (np.arange(m) + a.rng.integers(0, table.MOST_LEFT)) % table.MOST_LEFT
    left = np.where(a.rng.random(m) < 0.3, a.rng.integers(0, 3 * table.MOST_LEFT, m), left)
    form = a.rng.choice(np.arange(5), m, p=np.array([0.3, 0.1, 0.25, 0.25, 0.1]))
    tails = np.choose(form, [left // 8 + 2, left + 2, np.full(m, 4), np.full(m, 4), left // 8 + 3])
    lengths = _until(before + 1 + tails, ops)
    group, place = ragged(lengths)
    first = np.minimum(log_uniform(a.rng, len(group), 1, a.large), a.room).astype(np.int64)
    first = np.where(a.rng.random(len(group)) < 0.5, (first + 15) // 16 * 16, first)
    ahead, at = place < before[group], place - before[group] - 1
    taken = np.bincount(group, np.where(ahead, first, 0), len(lengths)).astype(np.int64)
    k = left[group]
    just_beyond, in_two = np.choose(np.clip(at, 0, 2), [k + 1, k, 1 + 0 * k]), np.where(at == 0, k - 1, 1)
    tail = np.choose(form[group], [1 + 0 * k, 1 + 0 * k, just_beyond, in_two, 8 + 0 * k])
    sizes = np.where(ahead, first, np.where(at < 0, a.room - taken[group] - k, tail))
    return Sizes(np.maximum(sizes, 0).astype(np.uint64), lengths, exact=True)


def halving(a: Asker, ops: int) -> Sizes:
    """From beyond the room downwards: each size twice, then half of it, to single bytes."""
    turns = 2 * a.room.bit_length() + 4
    lengths = _until(np.full(max(1, ops // turns), turns), max(ops, turns))
    group, place = ragged(lengths)
    halves: Places = np.maximum(2 * a.room >> (place // 2), 1)
    some = a.rng.integers(-1, 2, len(lengths))[group]
    return Sizes(np.maximum(halves + some, 1).astype(np.uint64), lengths)


def every_alignment(a: Asker, ops: int) -> Sizes:
    """Odd sizes at each alignment in turn, upwards, downwards, or the least between others."""
    lengths = _until(a.rng.integers(6, 30, max(1, ops // 12)), ops)
    group, place = ragged(lengths)
    m, least = len(lengths), min(len(a.alignments), 6)
    tops = a.rng.integers(1, np.where(a.rng.random(m) < 0.5, least, len(a.alignments)), endpoint=True)[group]
    form = a.rng.integers(0, 4, m)[group]
    up = place % tops
    forms = [up, tops - 1 - up, np.where(place % 2 == 0, 0, tops - 1), a.rng.integers(0, tops)]
    align = a.alignments[np.choose(form, forms)]
    most = a.rng.choice(np.array([40, 40, 400]), m)[group]
    sizes = np.minimum(a.rng.integers(1, most, endpoint=True) | 1, a.large).astype(np.uint64)
    kind = np.full(len(group), Kind.ALIGNED, np.uint8)
    plain = a.rng.random(len(group)) < 0.15
    kind[plain] = stand_in(a.kinds)
    return Sizes(sizes, lengths, kind=kind, align=align)


def nothing(a: Asker, ops: int) -> Sizes:
    """Requests for 0 bytes among small ones, before the first and after the last that fits."""
    lengths = _until(a.rng.integers(1, 24, max(1, ops // 8)), ops)
    group, place = ragged(lengths)
    sizes = a.draw_sizes(len(group), min(64, a.large))
    sizes[a.rng.random(len(group)) < 0.4] = 0
    full = (a.rng.random(len(lengths)) < 0.3)[group] & (place == 1)
    sizes[full] = a.room
    return Sizes(sizes, lengths)


def zero_after_dirt(a: Asker, ops: int) -> Sizes:
    """A burst of plain requests, then one of zeroed requests over the same bytes."""
    turns = 8
    pairs = max(1, ops // (2 * turns))
    dirty: Words = log_uniform(a.rng, pairs * turns, 1, max(1, a.room // 6)).astype(np.uint64).reshape(pairs, 1, turns)
    sizes: Words = np.concatenate((dirty, np.roll(dirty, 1, axis=2)), axis=1).ravel()
    kind = np.tile(np.repeat(np.array([stand_in(a.kinds), Kind.ZALLOC], np.uint8), turns), pairs)
    return Sizes(sizes, np.full(2 * pairs, turns), kind=kind)


def chunk_edges(a: Asker, ops: int) -> Sizes:
    """Sizes around those of chunks: powers of two and multiples of a page, give or take a header."""
    lengths = _until(a.rng.integers(1, 16, max(1, ops // 6)), ops)
    n = int(lengths.sum())
    most = max(9, a.room.bit_length() - 2)
    powers = 2 ** a.rng.integers(6, most, n, endpoint=True)
    pages = 4096 * a.rng.integers(1, max(2, a.room // 16384), n, endpoint=True)
    edge = np.where(a.rng.random(n) < 0.5, powers, pages)
    edge = np.where(a.rng.random(n) < 0.5, edge[0], edge)
    near = np.where(a.rng.random(n) < 0.6, a.rng.choice(np.array([0, -8, -16, -24, -32, -48, -64, 8, 1, -1]), n), 0)
    near = np.where(near == 0, a.rng.integers(-64, 65, n), near)
    return Sizes(np.maximum(edge + near, 1).astype(np.uint64), lengths)


def dressed(a: Asker, drawn: Sizes) -> Bursts:
    """Sizes with kinds and alignments, each burst in its own manner; no more bytes than there is time for."""
    lengths = _affordable(drawn)
    n = int(lengths.sum())
    group, _ = ragged(lengths)
    sizes = _bounded(a, drawn.sizes[:n], lengths, group)
    m = len(lengths)
    own = a.draw_kinds(m)[group]
    mixed = (a.rng.random(m) < 0.5)[group] & (not drawn.exact)
    kind = np.where(mixed, a.draw_kinds(n), own).astype(np.uint8) if drawn.kind is None else drawn.kind[:n]
    least = min(5, len(a.alignments))
    tops = np.where(a.rng.random(m) < (0.75 if drawn.exact else 0.5), least, len(a.alignments))
    top = a.rng.integers(0, tops)[group]
    align = a.alignments[top if drawn.exact else a.rng.integers(0, top, endpoint=True)]
    parts = a.rng.choice(np.array([1, 1, 2, 4, 8, 3], np.uint64), n)
    parts = np.where((kind == Kind.ZALLOC) & (sizes % parts == 0) & (sizes > 0), parts, np.uint64(1))
    script = a.asked(kind, sizes // parts, align if drawn.align is None else drawn.align[:n], parts)
    return Bursts(script, lengths)


def _affordable(drawn: Sizes) -> Places:
    """As many of the bursts as ask for a bounded number of bytes an operation, at least two."""
    ends = np.cumsum(drawn.lengths)
    spent = np.cumsum(drawn.sizes.astype(float))[ends - 1]
    return drawn.lengths[: max(2, int((spent <= table.BYTES_PER_OP * len(drawn.sizes)).sum()))]


def _bounded(a: Asker, sizes: Words, lengths: Places, group: Places) -> Words:
    """Sizes of bursts that never ask for more than `a.most_live` bytes in all."""
    total = np.cumsum(sizes.astype(float))
    before = (total - sizes)[np.cumsum(lengths) - lengths]
    return np.where(total - before[group] > a.most_live, sizes % np.uint64(64), sizes)


def refusals(a: Asker, n: int) -> Script | None:
    """`n` requests that are refused, of every kind and alignment; None where no such size may be asked for."""
    sizes, pairs = refused_sizes(a.env), wrapping_factors(a.env)
    if not len(sizes):
        return None
    kind, size, count = a.draw_kinds(n), a.rng.choice(sizes, n), np.ones(n, np.uint64)
    if not a.env.capacity:  # it may be served after all: nobody shall have to zero that
        kind[(size <= np.uint64(table.VAST_SIZES[-1])) & (kind == Kind.ZALLOC)] = stand_in(a.kinds - {Kind.ZALLOC})
    wraps = (kind == Kind.ZALLOC) & (a.rng.random(n) < 0.7) & bool(len(pairs))
    if len(pairs):
        factors = pairs[a.rng.integers(0, len(pairs), n)]
        count[wraps], size[wraps] = factors[wraps, 0], factors[wraps, 1]
    return a.asked(kind, size, a.rng.choice(a.alignments, n), count)


def seasoned(a: Asker, bursts: Bursts, share: float) -> Bursts:
    """The bursts with refusals anywhere (`share` of the operations), and with some blocks read back."""
    n = len(bursts.script)
    group, _ = ragged(bursts.lengths)
    ends = np.cumsum(bursts.lengths)[group]
    asked = np.cumsum(np.minimum(bursts.script.size, np.uint64(a.room)).astype(np.int64))
    served = asked - np.append(0, asked)[bursts.starts][group] <= a.room  # likely: what is not, nobody can read back
    looked = np.flatnonzero(served & (a.rng.random(n) < table.READ_SHARE))
    extra = [bare(np.full(len(looked), Kind.CHECK, np.uint8), looked)]
    after = [a.rng.integers(looked, ends[looked])]
    many = int(a.rng.binomial(n, min(1.0, share)))
    huge = refusals(a, many) if many else None
    if huge is not None:
        extra.append(huge)
        after.append(a.rng.integers(0, n, many))
    places = np.concatenate(after)
    script, order = woven(bursts.script, stacked(extra), places)
    whose = np.concatenate((group, group[places]))[order]
    return Bursts(script, np.bincount(whose, minlength=len(bursts.lengths)))


def around_refusals(a: Asker, groups: int) -> Bursts | None:
    """Boundary groups: small ones before, between and after refusals, and read back after them."""
    rng = a.rng
    lengths = rng.integers(4, 9, groups)
    group, place = ragged(lengths)
    n = len(group)
    huge = refusals(a, n)
    if huge is None:
        return None
    drawn = dressed(a, Sizes(a.draw_sizes(n, min(256, a.large)), lengths))
    small = drawn.script
    n, group, place = len(small), group[: len(small)], place[: len(small)]
    is_huge = (place > 0) & (place % 2 == 1) | (rng.random(n) < 0.3) & (place > 0)
    whole = filled(small, is_huge, huge, np.flatnonzero(is_huge))
    looked = np.flatnonzero(~is_huge & (rng.random(n) < 0.5))
    ends = np.cumsum(drawn.lengths)[group]
    checks = bare(np.full(len(looked), Kind.CHECK, np.uint8), looked)
    places = rng.integers(looked, ends[looked])
    script, order = woven(whole, checks, places)
    whose = np.concatenate((group, group[places]))[order]
    return Bursts(script, np.bincount(whose, minlength=len(drawn.lengths)))


def unread(b: Bursts) -> Bursts:
    """The bursts without what is read back in them."""
    asks = b.script.kind != Kind.CHECK
    group, _ = ragged(b.lengths)
    return Bursts(b.script.taken(np.flatnonzero(asks)), np.bincount(group[asks], minlength=len(b.lengths)))


GROUP = 8
"""Operations of a boundary group, about."""
SORTS: dict[str, tuple[int, Sort]] = {
    "few large": (2, few_large),
    "many small": (4, many_small),
    "very many": (1, very_many),
    "one size": (2, one_size),
    "exact fill": (4, exact_fill),
    "halving": (1, halving),
    "every alignment": (3, every_alignment),
    "nothing": (1, nothing),
    "zero after dirt": (2, zero_after_dirt),
}
"""Sorts of bursts with their weights."""


def uniform(a: Asker, ops: int) -> Bursts:
    """The plain alternative: any request, sizes uniform, bursts of any length."""
    n = max(1, ops)
    most = max(1, a.room // 16) if a.env.capacity else 4096
    lengths = _until(a.rng.geometric(1 / 64, n), n)
    n = int(lengths.sum())
    sizes = a.rng.integers(1, most, n, endpoint=True).astype(np.uint64)
    script = a.asked(a.rng.choice(a.there, n), sizes, a.rng.choice(a.alignments, n))
    return Bursts(script, lengths)
