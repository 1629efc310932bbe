"""Short stretches written operation by operation, and what makes any stretch one that may be run: limits, an end."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import exp, log
from random import Random
from typing import TypeVar

import numpy as np

from heaplaw.models.asking import alignments, permitted, refused_sizes, stand_in, wrapping_factors
from heaplaw.models.plan import draw_sizes
from heaplaw.models.script import Flags, Floats, Places, Rng, Script, bare, joined, repeated, stacked
from heaplaw.spec.event import NONE, NULL, Env
from heaplaw.spec.shapes import ENDERS, MAKERS, REQUESTS, TAKERS, Kind

from .knowledge import Knowledge

T = TypeVar("T")
BESIDE = (0, 0, 0, 1, 1, -1, 8, -8, 16)
"""Distances from an edge, bytes."""
MOST_SIZE = 2**21
"""The largest block, bytes, that a stretch asks for without wanting a refusal: blocks are written and read whole."""
MOST_BYTES = 2**26
"""Bytes that a stretch asks for in all, at most, what is refused left aside."""
_MAKERS = np.array([int(kind) for kind in MAKERS], np.uint8)
_REQUESTS = np.array([int(kind) for kind in REQUESTS], np.uint8)
_NAMING = np.array([int(kind) for kind in TAKERS], np.uint8)
_ENDING = np.array([int(kind) for kind in ENDERS], np.uint8)


@dataclass(frozen=True)
class Kit:
    """What a draw may use: randomness, the subject's operations and limits, and what is known of it."""

    rng: Rng
    kinds: frozenset[Kind]
    env: Env
    known: Knowledge = Knowledge()
    huge: bool = True
    """More than 1 TiB may be asked for, which can only be refused."""

    @cached_property
    def requests(self) -> list[Kind]:
        """The requests that are there."""
        return [kind for kind in REQUESTS if kind in self.kinds]

    @cached_property
    def alignments(self) -> list[int]:
        """Alignments that may be asked for, small ones and those that were served more often."""
        found = list(alignments(self.env, 1))
        return found[:6] + found + list(self.known.aligns)

    @property
    def room(self) -> int:
        """Bytes that are thought to fit into one block."""
        return min(int(self.env.capacity) or MOST_SIZE, self.known.largest or MOST_SIZE, MOST_SIZE)

    @property
    def back(self) -> Kind | None:
        """What empties the instance at once."""
        return next((kind for kind in (Kind.RESET, Kind.RENEW) if kind in self.kinds), None)

    @cached_property
    def dice(self) -> Random:
        """Single draws, which NumPy makes slowly."""
        return Random(int(self.rng.integers(0, 2**63)))

    @cached_property
    def _table(self) -> list[int]:
        """Sizes of the table's mixture, bytes."""
        sizes: list[int] = draw_sizes(self.rng, 256).tolist()
        return sizes

    def chance(self, share: float) -> bool:
        """True that often."""
        return self.dice.random() < share

    def below(self, end: int) -> int:
        """A whole number from 0 on, and below `end` (0 where that is 0)."""
        return self.dice.randrange(max(1, end))

    def pick(self, items: Sequence[T]) -> T:
        """One of them."""
        return items[self.dice.randrange(len(items))]

    def number(self, low: int, high: int) -> int:
        """A whole number, small ones as often as large ones."""
        low = max(1, low)
        return int(exp(self.dice.uniform(log(low), log(max(low, high) + 1))))

    def edge(self) -> int:
        """A size at which something is known, or thought, to change."""
        known = self.known
        if known.gaps and self.chance(0.1):
            low, high = self.pick(known.gaps)
            return (low + high) // 2
        if known.edges and self.chance(0.7):
            return self.pick(known.edges)
        return self.pick(self._table)

    def size(self) -> int:
        """A size at, or a step beside, an edge."""
        size = self.edge() + self.pick(BESIDE)
        most = self.room if self.chance(0.1) else max(1, min(self.room, self.room // 8 or 1, 2**16))
        return size if 0 <= size <= most else 1 + size % most

    def sizes(self, n: int) -> list[int]:
        """A few sizes that are used together: the same edge from both sides, or edges of their own."""
        first = self.size()
        near = [max(1, first + d) for d in (0, 1, -1, 8)]
        return [first] + [self.pick(near) if self.chance(0.4) else self.size() for _ in range(n - 1)]


@dataclass
class Writer:
    """Writes a stretch; a block is the number of the operation that made it, or resized it last."""

    kit: Kit
    kind: list[int] = field(default_factory=list[int])
    slot: list[int] = field(default_factory=list[int])
    size: list[int] = field(default_factory=list[int])
    align: list[int] = field(default_factory=list[int])
    count: list[int] = field(default_factory=list[int])
    live: list[int] = field(default_factory=list[int])
    """Blocks that are live if all requests were served, in order of birth."""

    def __len__(self) -> int:
        return len(self.kind)

    def put(self, kind: Kind, size: int = 0, slot: int = NONE, align: int = 0, count: int = 1) -> int:
        """Any operation; its number."""
        for column, value in zip(
            (self.kind, self.slot, self.size, self.align, self.count),
            (int(kind), slot, size, align, count),
            strict=True,
        ):
            column.append(value)
        return len(self.kind) - 1

    def ask(self, size: int, kind: Kind | None = None, align: int = 0) -> int:
        """A request, of the plainest kind if none is said; the block."""
        kind = kind if kind in self.kit.kinds else None
        block = self.put(kind or stand_in(self.kit.kinds), size, align=align or 16)
        self.live.append(block)
        return block

    def resize(self, place: int, size: int) -> None:
        """Resize the block at this place of `live`, where there is such an operation."""
        if Kind.RESIZE in self.kit.kinds and self.live:
            place %= len(self.live)
            self.live[place] = self.put(Kind.RESIZE, max(1, size), self.live[place])

    def check(self, place: int) -> None:
        """Read the block at this place of `live` back."""
        if self.live:
            self.put(Kind.CHECK, slot=self.live[place % len(self.live)])

    def end(self, place: int) -> None:
        """Give the block at this place of `live` back; the newest, where one cannot choose."""
        if not self.live:
            return
        if Kind.FREE in self.kit.kinds:
            self.put(Kind.FREE, slot=self.live.pop(place % len(self.live)))
        elif Kind.POP in self.kit.kinds:
            self.put(Kind.POP)
            self.live.pop()

    def end_all(self, order: int) -> None:
        """Give everything back: oldest first, newest first, in any order, or first every other one."""
        n = len(self.live)
        if Kind.FREE not in self.kit.kinds:
            for _ in range(n if Kind.POP in self.kit.kinds else 0):
                self.end(-1)
            return
        rank = np.arange(n)
        orders = [rank, rank[::-1], self.kit.rng.permutation(n), np.concatenate((rank[::2], rank[1::2]))]
        blocks = [self.live[int(at)] for at in orders[order % len(orders)]]
        self.live.clear()
        for block in blocks:
            self.put(Kind.FREE, slot=block)

    def refuse(self) -> None:
        """A request that is refused, if such a one may be made."""
        kit, beyond = self.kit, refused_sizes(self.kit.env)
        if Kind.ZALLOC in kit.kinds and kit.chance(0.2) and len(pairs := wrapping_factors(kit.env)):
            count, size = pairs[kit.below(len(pairs))].tolist()
            self.put(Kind.ZALLOC, size, count=count)
            return
        size = kit.known.refused if kit.known.refused and kit.chance(0.4) else 0
        if not size and len(beyond):
            size = int(beyond[kit.below(len(beyond))])
        if not size:
            return
        if self.live and Kind.RESIZE in kit.kinds and kit.chance(0.3):
            place = kit.below(len(self.live))
            self.live[place] = self.put(Kind.RESIZE, size, self.live[place])
            return
        plain = [kind for kind in kit.requests if kind != Kind.ZALLOC or size > 2**36] or [stand_in(kit.kinds)]
        self.put(kit.pick(plain), size, align=kit.pick(kit.alignments))

    def script(self) -> Script:
        """What was written."""
        return Script(
            np.array(self.kind, np.uint8),
            np.array(self.slot, np.int64),
            np.array(self.size, np.uint64),
            np.array(self.align, np.uint64),
            np.array(self.count, np.uint64),
        )


def fitted(script: Script, kit: Kit) -> Script:
    """The stretch within what may be asked for: operations that are there, permitted sizes, not too many bytes."""
    known = np.isin(script.kind, np.array([int(kind) for kind in kit.kinds | {Kind.CHECK}], np.uint8))
    known |= np.isin(script.kind, _REQUESTS)
    dangling = np.isin(script.kind, _NAMING) & (script.slot == NONE)
    unwanted = ~known | dangling
    if not kit.huge:
        unwanted |= np.isin(script.kind, _MAKERS) & (script.size.astype(float) * script.count > 2.0**40)
    script = without(script, unwanted)
    asks = np.flatnonzero(np.isin(script.kind, _REQUESTS))
    columns = (script.kind[asks], script.size[asks], script.align[asks], script.count[asks])
    if kit.env.block_size:
        columns = (columns[0], np.full(len(asks), int(kit.env.block_size), np.uint64), columns[2], columns[3] * 0 + 1)
        kind, size, align, count = permitted(replace(kit.env, max_request=2**64 - 1), kit.kinds, columns)
    else:
        kind, size, align, count = permitted(kit.env, kit.kinds, columns)
    count = np.where(kind == Kind.ZALLOC, count, np.uint64(1))
    if not kit.env.capacity:  # it may be served after all: nobody shall have to zero, or to copy, that
        product = size.astype(float) * count.astype(float)
        kind = np.where((kind == Kind.ZALLOC) & _large(product), np.uint8(_plain(kit)), kind)
    script = script.taken(np.arange(len(script)))
    for column, values in zip(
        (script.kind, script.size, script.align, script.count), (kind, size, align, count), strict=True
    ):
        column[asks] = values
    resizes = np.flatnonzero(script.kind == Kind.RESIZE)
    script.size[resizes] = np.clip(script.size[resizes], np.uint64(1), np.uint64(kit.env.max_request))
    if not kit.env.capacity:
        some = resizes[_large(script.size[resizes].astype(float))]
        script.size[some] = 1 + script.size[some] % np.uint64(MOST_SIZE)
    return _affordable(script)


def _large(sizes: Floats) -> Flags:
    """Sizes that may well be served, but take long to fill."""
    found: Flags = (sizes > 2.0**26) & (sizes <= 2.0**36)
    return found


def _plain(kit: Kit) -> Kind:
    """The plainest request whose memory is not zeroed."""
    return stand_in(kit.kinds - {Kind.ZALLOC}) if kit.kinds & set(REQUESTS) - {Kind.ZALLOC} else Kind.ZALLOC


def _affordable(script: Script) -> Script:
    """The beginning of the stretch that asks for no more than `MOST_BYTES`, refusals left aside."""
    asked = np.where(np.isin(script.kind, _MAKERS), script.size.astype(float) * script.count.astype(float), 0.0)
    asked[asked > 2.0**31] = 0.0
    return script.cut(int(np.searchsorted(np.cumsum(asked), MOST_BYTES, side="right")))


def without(script: Script, gone: Flags) -> Script:
    """The stretch without these operations; what named a block of theirs goes too, and so on."""
    if not gone.any():
        return script
    gone = gone.copy()
    named = (script.slot < NULL) & (script.slot >= 0)
    target = np.where(named, script.slot, 0)
    while True:
        more = named & gone[target] & ~gone
        if not more.any():
            break
        gone |= more
    rows = np.flatnonzero(~gone)
    place = np.zeros(len(gone), np.int64)
    place[rows] = np.arange(len(rows))
    kept = script.taken(rows)
    inside = kept.slot < NULL
    kept.slot[inside] = place[kept.slot[inside]]
    return kept


def open_blocks(script: Script) -> Places:
    """The blocks that are live at the end, if all requests were served and nothing was popped or reset."""
    makes = np.isin(script.kind, _MAKERS)
    named = np.isin(script.kind, _ENDING) & (script.slot < NULL)
    makes[script.slot[named]] = False
    return np.flatnonzero(makes)


def drained(script: Script, kit: Kit) -> Script:
    """The stretch, with all that it leaves given back at its end."""
    n = len(script)
    if Kind.FREE in kit.kinds:
        left = open_blocks(script)
        if kit.chance(0.5):
            left = left[::-1] if kit.chance(0.5) else kit.rng.permutation(left)
        ends = bare(np.full(len(left), Kind.FREE, np.uint8), left + 0)
        whole = joined([script, bare(ends.kind)])
        whole.slot[n:] = left
        return whole
    if Kind.POP in kit.kinds:
        pops = int(np.isin(script.kind, _MAKERS).sum() - (script.kind == Kind.POP).sum())
        return joined([script, repeated(Kind.POP, max(0, pops))])
    return script if kit.back is None else joined([script, repeated(kit.back)])


def many_times(script: Script, times: int) -> Script:
    """The stretch again and again."""
    return joined([script] * times)


def inserted(script: Script, extra: Script, at: int) -> Script:
    """The stretch, with another one behind its first `at` operations; each keeps its own blocks."""
    tail = script.taken(np.arange(at, len(script)))
    whole = stacked([script.cut(at), extra, tail])
    n, m = at, len(extra)
    own = whole.slot < NULL
    own[:n] = False
    late = own.copy()
    late[: n + m] = False
    own[n + m :] = False
    whole.slot[own] += n
    whole.slot[late] += np.where(whole.slot[late] >= n, m, 0)
    return whole
