"""What a bulk trace is drawn as, before it is laid out: blocks with lifetimes, and draws of kinds and sizes.

All randomness comes from one generator, made from the seed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from heaplaw.spec.event import Env
from heaplaw.spec.shapes import CALLS, Kind

from . import asking, table
from .script import Floats, Rng, Words

STEP = 1e-4
"""Distance in time between the operations of a group that stay together (ordinary ones are about 1 apart)."""


@dataclass
class Plan:
    """Blocks and what happens to them. Times are in operations from the start of the trace."""

    rng: Rng
    kinds: frozenset[Kind]
    weights: Mapping[str, int] = field(default_factory=lambda: table.KIND_WEIGHTS)
    most_align: int = table.ALIGNMENTS[-1]
    """Largest alignment asked for, bytes, if that may be asked for."""
    env: Env = Env()
    births: list[Floats] = field(default_factory=list[Floats])
    deaths: list[Floats] = field(default_factory=list[Floats])
    sizes: list[Words] = field(default_factory=list[Words])
    kind: list[NDArray[np.uint8]] = field(default_factory=list[NDArray[np.uint8]])
    align: list[Words] = field(default_factory=list[Words])
    count: list[Words] = field(default_factory=list[Words])
    total: int = 0
    resized: list[tuple[NDArray[np.int64], Floats, Words]] = field(
        default_factory=list[tuple[NDArray[np.int64], Floats, Words]]
    )
    checked: list[tuple[NDArray[np.int64], Floats]] = field(default_factory=list[tuple[NDArray[np.int64], Floats]])

    def __post_init__(self) -> None:
        self.alignments: Words = np.array(asking.alignments(self.env, 8, self.most_align), np.uint64)

    def add(
        self,
        birth: Floats,
        death: Floats,
        size: Words,
        kind: NDArray[np.uint8] | None = None,
        align: Words | None = None,
        count: Words | None = None,
    ) -> NDArray[np.int64]:
        """Add blocks; their numbers."""
        n = len(birth)
        self.births.append(birth)
        self.deaths.append(death)
        self.kind.append(draw_kinds(self.rng, n, self.kinds, self.weights) if kind is None else kind)
        self.sizes.append(size)
        self.align.append(self.rng.choice(self.alignments, n) if align is None else align)
        self.count.append(np.ones(n, np.uint64) if count is None else count)
        numbers = np.arange(self.total, self.total + n)
        self.total += n
        return numbers

    def resize(self, blocks: NDArray[np.int64], times: Floats, sizes: Words) -> None:
        """Resize blocks, where the subject can."""
        if Kind.RESIZE in self.kinds:
            self.resized.append((blocks, times, sizes))

    def check(self, blocks: NDArray[np.int64], times: Floats) -> None:
        """Read blocks back."""
        self.checked.append((blocks, times))


_POWERS: Words = np.array(table.POWERS, np.uint64)
_ASKING = (Kind.ALLOC, Kind.ZALLOC, Kind.ALIGNED, Kind.POSIX_ALIGNED)


def draw_kinds(
    rng: Rng, n: int, kinds: Iterable[Kind], weights: Mapping[str, int] = table.KIND_WEIGHTS
) -> NDArray[np.uint8]:
    """How `n` blocks are asked for, by their weights, among the operations that are there."""
    there = [kind for kind in _ASKING if kind in kinds]
    shares = np.array([weights[CALLS[kind]] for kind in there], float)
    drawn = rng.choice(np.array(there, np.uint8), n, p=shares / shares.sum())
    return drawn.astype(np.uint8)


def log_uniform(rng: Rng, n: int, low: float, high: float) -> Floats:
    """`n` numbers between `low` and `high`, each order of magnitude equally often."""
    return np.exp(rng.uniform(np.log(low), np.log(high + 1), n))


def class_sizes(rng: Rng, n: int, family: table.SizeClass) -> Words:
    """`n` sizes of one family, bytes."""
    if not family.edges:
        return log_uniform(rng, n, family.low, family.high).astype(np.uint64)
    edges: Words = (
        rng.integers(family.low // family.edges, family.high // family.edges, n, endpoint=True) * family.edges
    )
    sizes: Words = np.maximum(edges + rng.choice(np.array(table.NEAR), n), 0)
    return sizes.astype(np.uint64)


def draw_sizes(rng: Rng, n: int, families: Sequence[table.SizeClass] = table.SIZES) -> Words:
    """`n` sizes from the table's mixture, bytes."""
    weights = np.array([family.weight for family in families], float)
    which = rng.choice(len(families), n, p=weights / weights.sum())
    sizes: Words = np.empty(n, np.uint64)
    for index, family in enumerate(families):
        mask = which == index
        sizes[mask] = class_sizes(rng, int(mask.sum()), family)
    powers = rng.random(n) < table.POWERS_SHARE
    sizes[powers] = rng.choice(_POWERS, int(powers.sum()))
    sizes[rng.random(n) < table.ZERO_SHARE] = 0
    return sizes


def small_sizes(rng: Rng, n: int) -> Words:
    """`n` sizes without the large families, bytes: for phases in which very many blocks are live."""
    return draw_sizes(rng, n, [family for family in table.SIZES if family.high <= 8192])
