"""What a history shows of a subject's behaviour, as numbers: each operation has a few features, new ones are kept.

A feature is a small number, a digest of what it says ("a request of 33 to 64 bytes was served with the address freed
second to last, of a larger block"). No feature depends on where memory lies, only on distances in it, so that a run
repeated shows the same ones. Different features may share a number; then one of them may go unseen, and no more.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heaplaw.spec.event import NONE, Status
from heaplaw.spec.history import COUNTERS, History
from heaplaw.spec.shapes import ENDERS, MAKERS, Kind

SLOTS = 2**18
"""Features that are told apart, at most."""
COUNTS = 6
"""A feature that comes 2**COUNTS times or more in one run is counted too: each doubling is new."""
Column = NDArray[Any]
_MIX = np.uint64(0x9E3779B97F4A7C15)
_MAKERS = np.array([int(kind) for kind in MAKERS], np.uint8)
_ENDERS = np.array([int(kind) for kind in ENDERS], np.uint8)
WITHIN = 4096
"""Where blocks lie in a page tells something; where pages lie differs from process to process."""
FINE = 1024
"""Sizes up to this, bytes, are told apart in steps of 8; larger ones in quarters of a doubling."""


def bits(values: Column) -> Column:
    """The length of each number in binary digits."""
    return np.frexp(values.astype(np.float64))[1].astype(np.uint64)


def signed_bits(values: Column) -> Column:
    """The same for numbers of either sign: 64 is 0."""
    return np.where(values < 0, 64 - bits(-values).astype(np.int64), 64 + bits(values).astype(np.int64))


def size_class(sizes: Column) -> Column:
    """A coarse class of each size."""
    wide = (4 * np.log2(sizes.astype(np.float64) + 1)).astype(np.uint64) + np.uint64(1000)
    return np.where(sizes <= FINE, (sizes + np.uint64(7)) // np.uint64(8), wide)


def numbered(group: int, *parts: Column) -> Column:
    """The number of the feature that these parts make, for each row."""
    whole: Column = np.full(len(parts[0]), group, np.uint64)
    for part in parts:
        whole = (whole + part.astype(np.int64).astype(np.uint64) + np.uint64(1)) * _MIX
        whole ^= whole >> np.uint64(29)
    return (whole % np.uint64(SLOTS)).astype(np.int64)


@dataclass(frozen=True)
class Facts:
    """The operations of a history that were called, with what follows from them."""

    rows: Column
    """Their numbers in the trace."""
    kind: Column
    status: Column
    extent: Column
    """Bytes asked for."""
    makes: Column
    ends: Column
    ptr: Column
    usable: Column
    align: Column
    gone: Column
    """For operations that end a block: its address, else 0."""
    held: Column
    owner: Column
    """For operations that name a block: the place, among these rows, of the one that made it; else -1."""


def facts(history: History) -> Facts:
    """The facts of a history."""
    c = {**history.trace.columns, **history.columns}
    status = np.asarray(c["status"])
    rows = np.flatnonzero(status != Status.SKIPPED)
    kind, status = np.asarray(c["kind"])[rows], status[rows]
    size, count = (np.asarray(c[name], np.uint64)[rows] for name in ("size", "count"))
    product = size.astype(np.float64) * count.astype(np.float64)
    extent = np.where(product < 2.0**63, size * count, np.uint64(2**63))
    served = status == Status.OK
    owner = np.asarray(c["owner"])[rows].astype(np.int64)
    place = np.full(len(history) + 1, -1, np.int64)
    place[rows] = np.arange(len(rows))
    own = np.where(owner < len(history), place[np.minimum(owner, len(history))], -1)
    ptr = np.asarray(c["ptr"], np.uint64)[rows]
    makes = served & np.isin(kind, _MAKERS)
    ends = served & np.isin(kind, _ENDERS) & (owner != NONE) & (own >= 0)
    return Facts(
        rows,
        kind,
        status,
        extent,
        makes,
        ends,
        ptr,
        np.asarray(c["usable"], np.uint64)[rows],
        np.asarray(c["align"], np.uint64)[rows],
        np.where(ends, ptr[np.maximum(own, 0)], np.uint64(0)),
        np.asarray(c["held"], np.uint64)[rows],
        own,
    )


def reuse(f: Facts) -> tuple[Column, Column]:
    """For each block handed out how many were freed since its address was, counted from 1, and the size it had then;
    0 where the address was never freed.
    """
    n = len(f.rows)
    made, ended = np.flatnonzero(f.makes), np.flatnonzero(f.ends)
    at = np.concatenate((2 * ended, 2 * made + 1))
    where = np.concatenate((f.gone[ended], f.ptr[made]))
    size = np.concatenate((f.held[ended], f.extent[made]))
    freed = np.cumsum(f.ends)
    order = np.lexsort((at, where))
    at, where, size = at[order], where[order], size[order]
    hit = np.flatnonzero((where[1:] == where[:-1]) & (at[1:] % 2 == 1) & (at[:-1] % 2 == 0)) + 1
    age, before = np.zeros(n, np.int64), np.zeros(n, np.uint64)
    rows = at[hit] // 2
    age[rows] = 1 + freed[rows] - freed[at[hit - 1] // 2]
    before[rows] = size[hit - 1]
    return age, before


def runs(same: Column) -> Column:
    """For each row how many rows in a row, up to it, were as the one before."""
    place = np.arange(len(same))
    start = np.maximum.accumulate(np.where(same, 0, place))
    return place - start


def features(history: History) -> tuple[Facts, Column]:
    """The facts of a history, and the features of each called operation: a row for each sort, 0 where it has none."""
    f = facts(history)
    kind, status = f.kind, f.status
    if not len(f.rows):
        return f, np.zeros((1, 0), np.int64)
    width = bits(f.extent)
    served = f.extent if not f.usable.any() else f.usable
    family = np.where(f.makes, size_class(np.where(f.makes, served, np.uint64(0))), np.uint64(0))
    age, before = reuse(f)
    old = np.where(age > 4, 3 + bits(age).astype(np.int64), age)
    larger = np.sign(f.extent.astype(np.float64) - before.astype(np.float64)).astype(np.int64) * (age > 0)
    found = [
        numbered(1, kind, status, _column(history, "err", f.rows), _column(history, "flags", f.rows)),
        numbered(2, kind, status, width),
        _only(f.makes, numbered(3, kind, family, bits(served - np.minimum(served, f.extent)))),
        _only(f.makes, numbered(4, kind, old, larger, width)),
        _only(f.makes, numbered(5, kind, bits(f.align), bits(f.ptr & (~f.ptr + np.uint64(1)) & np.uint64(WITHIN - 1)))),
    ]
    outcome = numbered(6, kind, status, np.minimum(old, 6), larger)
    found += _in_a_row(f, outcome, width)
    found += _distances(f, family)
    found += _fullness(f, family)
    found += _counters(history, f)
    return f, np.stack(found)


def _only(where: Column, numbers: Column) -> Column:
    return np.where(where, numbers, 0)


def _column(history: History, name: str, rows: Column) -> Column:
    return np.asarray(history.columns[name]).astype(np.int64)[rows]


def _in_a_row(f: Facts, outcome: Column, width: Column) -> list[Column]:
    """What follows on what: three outcomes, two of them with sizes, and how long one goes on."""
    one, two = np.roll(outcome, 1), np.roll(outcome, 2)
    one[:1], two[:2] = 0, 0
    before = np.roll(width, 1)
    same = outcome == one
    return [
        numbered(7, outcome, one, two),
        numbered(8, outcome, one, width, np.minimum(before, 32)),
        numbered(9, outcome, bits(runs(same))),
    ]


def _distances(f: Facts, family: Column) -> list[Column]:
    """How blocks lie to the one before, resized ones to what they were, freed ones to the one freed before."""
    n, found = len(f.rows), list[Column]()
    for group, where, address, width in ((10, f.makes, f.ptr, f.extent), (11, f.ends, f.gone, f.held)):
        at = np.flatnonzero(where)
        numbers = np.zeros(n, np.int64)
        if len(at) > 1:
            delta = np.diff(address[at].astype(np.int64))
            delta = np.clip(delta, -(2**26), 2**26)
            same = width[at][1:] == width[at][:-1]
            direction = np.sign(delta)
            again = runs(np.concatenate(([False], direction[1:] == direction[:-1])))
            numbers[at[1:]] = numbered(
                group, f.kind[at[1:]], signed_bits(delta), same, np.minimum(again, 8), np.minimum(family[at[1:]], 8)
            )
        found.append(numbers)
    moved = f.makes & f.ends
    delta = np.clip(f.ptr.astype(np.int64) - f.gone.astype(np.int64), -(2**26), 2**26)
    grown = np.clip(f.extent.astype(np.float64) - f.held.astype(np.float64), -(2.0**40), 2.0**40)
    found.append(_only(moved, numbered(12, np.sign(delta), signed_bits(grown), bits(f.held))))
    return found


def _fullness(f: Facts, family: Column) -> list[Column]:
    """How many blocks, bytes, and blocks of one class were live when something happened."""
    change = f.makes.astype(np.int64) - f.ends
    many = _level(f, change)
    extent = np.where(f.makes, f.extent, np.uint64(0)).astype(np.int64) - np.where(f.ends, f.held, np.uint64(0)).astype(
        np.int64
    )
    full = _level(f, extent)
    own = np.where(f.ends & ~f.makes, family[np.maximum(f.owner, 0)], family)
    order = np.argsort(own, kind="stable")
    steps = change[order]
    total = np.cumsum(steps)
    first = np.concatenate(([True], own[order][1:] != own[order][:-1]))
    base = np.maximum.accumulate(np.where(first, np.arange(len(order)), 0))
    of_class = np.empty(len(order), np.int64)
    of_class[order] = total - (total - steps)[base]
    crowd = bits(np.maximum(of_class, 0))
    return [
        numbered(13, f.kind, f.status, bits(np.maximum(many, 0))),
        numbered(14, f.kind, f.status, bits(np.maximum(full, 0))),
        numbered(15, f.makes.astype(np.int64) * 2 + f.ends, crowd, np.minimum(own, 200)),
    ]


def _level(f: Facts, change: Column) -> Column:
    """The running sum, from 0 again after what empties the instance."""
    total = np.cumsum(change)
    swept = (f.status == Status.OK) & ((f.kind == Kind.RESET) | (f.kind == Kind.RENEW))
    return total - np.maximum.accumulate(np.where(swept, total, 0)) if swept.any() else total


def _counters(history: History, f: Facts) -> list[Column]:
    """How the subject's own counters moved."""
    found = list[Column]()
    for group, name in enumerate(sorted(set(COUNTERS.values()) & history.counted)):
        values = np.asarray(history.columns[name]).astype(np.int64)[f.rows]
        moved = np.diff(values, prepend=values[:1])
        found.append(numbered(20 + group, f.kind, f.status, signed_bits(np.clip(moved, -(2**40), 2**40))))
    return found


@dataclass
class Seen:
    """Features that were seen, and how often at most in one run."""

    most: Column = field(default_factory=lambda: np.zeros(SLOTS, np.uint8))
    """Binary digits of the largest count of each feature in one run; 0 where it was never seen."""

    def __len__(self) -> int:
        return int(np.count_nonzero(self.most))

    def take(self, numbers: Column) -> Column:
        """Add the features of a run (see `features`): the places of operations that showed something new."""
        flat = numbers.ravel()
        counts = np.bincount(flat, minlength=SLOTS)
        counts[0] = 0
        there = np.flatnonzero(counts)
        digits = bits(counts[there]).astype(np.uint8)
        digits = np.where(digits > COUNTS, digits, 1)
        new = there[digits > self.most[there]]
        self.most[there] = np.maximum(self.most[there], digits)
        if not len(new):
            return np.zeros(0, np.int64)
        wanted = np.zeros(SLOTS, np.bool_)
        wanted[new] = True
        hits = np.flatnonzero(wanted[flat])
        # A feature is credited where it comes first, and one that came often also where it comes last.
        _, first = np.unique(flat[hits], return_index=True)
        _, last = np.unique(flat[hits][::-1], return_index=True)
        width = numbers.shape[1]
        return np.unique(np.concatenate((hits[first] % width, hits[len(hits) - 1 - last] % width)))
