"""Drawn conditions: rare histories that a fault may need, and which of them a run met.

Seeded faults are made by people who know the generators. These conditions are drawn instead, from distributions that no
generator knows: sizes are log-uniform, and not from its table. A run that meets a condition would have sprung a fault
that waits for it; nothing is judged. Sizes are in bytes, classes are of 16 bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import exp, log
from random import Random
from typing import TypeAlias

import numpy as np

from heaplaw.spec.event import Status
from heaplaw.spec.history import History
from heaplaw.spec.shapes import REQUESTS, Kind

Condition: TypeAlias = tuple[str | int, ...]
"""A sort and its parameters; see `SORTS`."""
SORTS = {
    "series": "2 to 6 requests of one exact size in a row",
    "downwards": "2 to 5 blocks of a class freed in a row, each below the last, and then a request of it",
    "crowd": "20 to 1,000 live blocks of a class",
    "crossing": "a resize from a class to one of the three below or above it",
    "refill": "a block of an exact size freed after a refusal, and its size, 1 less, or 1 or 8 more asked for at once",
    "history": "four operations in a row on one class: an order of requests, zeroed requests, resizes and frees",
}
LARGEST, CROWD = 2000, 1000
"""The largest size, and the largest crowd, that are drawn."""
CLASS = 16
_LETTERS = {Kind.ALLOC: "A", Kind.ALIGNED: "A", Kind.POSIX_ALIGNED: "A", Kind.ZALLOC: "Z"}
_DRAWN = "AAFFRZ"


def drawn(each: int, seed: int) -> dict[Condition, int]:
    """Conditions, about so many of each sort; those on crowds with the number of blocks, others with 0."""
    dice, found = Random(seed), dict[Condition, int]()

    def scaled(low: int, high: int) -> int:
        return int(exp(dice.uniform(log(low), log(high + 1))))

    for _ in range(each):
        size = scaled(1, LARGEST)
        family = class_of(size)
        found["series", dice.randrange(2, 7), size] = 0
        found["downwards", dice.randrange(2, 6), family] = 0
        found["crowd", family] = scaled(20, CROWD)
        found["crossing", family, max(1, family + dice.choice((-3, -2, -1, 1, 2, 3)))] = 0
        found["refill", size, max(1, size + dice.choice((-1, 0, 1, 8)))] = 0
        found["history", family, "".join(dice.choice(_DRAWN) for _ in range(4))] = 0
    return found


def class_of(size: int) -> int:
    """The class of a size, from 1 on."""
    return (size + CLASS - 1) // CLASS


@dataclass
class Watch:
    """Which conditions the runs so far have met."""

    wanted: Mapping[Condition, int]
    met: set[Condition] = field(default_factory=set[Condition])

    def feed(self, history: History) -> None:
        """Look at one run, which begins with nothing live."""
        walk = _Walk(self)
        columns = {**history.trace.columns, **history.columns}
        product = np.asarray(columns["size"]).astype(float) * np.asarray(columns["count"]).astype(float)
        asked = np.minimum(product, 2.0**62).astype(np.int64).tolist()
        names = ("kind", "status", "held", "ptr", "owner")
        kind, status, held, ptr, owner = (np.asarray(columns[name]).tolist() for name in names)
        for at in np.flatnonzero(np.asarray(columns["status"]) != Status.SKIPPED).tolist():
            if status[at] == Status.FAILED:
                walk.refused()
            elif status[at] != Status.OK:
                continue
            elif kind[at] in REQUESTS:
                walk.served(asked[at], _LETTERS[Kind(kind[at])])
            elif kind[at] == Kind.FREE and owner[at] < len(ptr):
                walk.freed(held[at], ptr[owner[at]])
            elif kind[at] == Kind.RESIZE:
                walk.resized(held[at], asked[at])


class _Walk:
    """One run, an operation at a time."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.live: dict[int, int] = {}
        self.size = self.series = self.down = self.family = self.below = self.since = self.given = 0
        self.history, self.of = "", 0

    def hit(self, *condition: str | int) -> None:
        if condition in self.watch.wanted:
            self.watch.met.add(condition)

    def follows(self, family: int, letter: str) -> None:
        self.history = (self.history + letter)[-4:] if self.of == family else letter
        self.of = family
        self.hit("history", family, self.history)

    def refused(self) -> None:
        self.series = self.down = self.given = 0
        self.history, self.since = "", 3

    def served(self, size: int, letter: str) -> None:
        family = class_of(size)
        self.series, self.size = (self.series + 1 if self.size == size else 1), size
        self.hit("series", self.series, size)
        for many in range(2, min(self.down, 5) + 1 if self.family == family else 0):
            self.hit("downwards", many, family)
        if self.since > 0 and self.given:
            self.hit("refill", self.given, size)
        self.count(family, 1)
        self.down = self.given = 0
        self.since -= 1
        self.follows(family, letter)

    def freed(self, size: int, address: int) -> None:
        family = class_of(size)
        self.down = self.down + 1 if self.family == family and address < self.below else 1
        self.family, self.below, self.given = family, address, size
        self.count(family, -1)
        self.series, self.since = 0, self.since - 1
        self.follows(family, "F")

    def resized(self, old: int, new: int) -> None:
        family = class_of(new)
        if old:
            self.hit("crossing", class_of(old), family)
            self.count(class_of(old), -1)
        self.count(family, 1)
        self.series = self.down = self.given = 0
        self.since -= 1
        self.follows(family, "R")

    def count(self, family: int, change: int) -> None:
        self.live[family] = self.live.get(family, 0) + change
        if change > 0 and self.live[family] >= self.watch.wanted.get(("crowd", family), self.live[family] + 1):
            self.hit("crowd", family)
