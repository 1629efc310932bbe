"""What requests and ends cost, in words read and written, by the number of blocks; and what that says."""

from collections.abc import Sequence
from dataclasses import dataclass

from .stands import CHUNK, Given, Maker, Stand

__all__ = ["COUNTS", "Cost", "Costs", "measured"]

COUNTS = (10, 1_000, 10_000)
"""Blocks that are live, and as many that are free where single blocks can be ended."""
SIZE = 64
"""Bytes of each block."""
LARGER = 200
"""Bytes of the measured request where sizes may differ: no hole between two blocks holds it."""


@dataclass(frozen=True)
class Cost:
    """The dearest of some operations, and the free blocks that it looked at."""

    words: int
    nodes: int


@dataclass(frozen=True)
class Costs:
    """The costs of one kind of operation at each of `COUNTS`."""

    at: tuple[Cost, ...]

    @property
    def order(self) -> str:
        """O(1) where all are equal, O(n) where they grow by the same for each further block; else what they are."""
        words = [cost.words for cost in self.at]
        if len(set(words)) == 1:
            return "O(1)"
        steps = [(words[i + 1] - words[i], COUNTS[i + 1] - COUNTS[i]) for i in range(len(words) - 1)]
        (rise, run), (later, further) = steps
        return "O(n)" if rise > 0 and rise * further == later * run else "neither O(1) nor O(n)"


def filled(maker: Maker, n: int) -> tuple[Stand, list[Given]]:
    """A stand with `n` blocks live, in order of birth, and `n` holes between them where single blocks can be ended."""
    stand = maker.make(4 * n * CHUNK // 16 + CHUNK * CHUNK // 16, 3 * n, SIZE)
    if maker.ends != "any":
        return stand, [stand.alloc(SIZE) for _ in range(n)]
    blocks = [stand.alloc(SIZE) for _ in range(2 * n)]
    for block in reversed(blocks[::2]):
        stand.end(block)
    return stand, blocks[1::2]


def one(stand: Stand, work: "Work") -> Cost:
    """What one operation costs."""
    nodes = frozenset(stand.nodes())
    stand.memory.forget()
    work()
    return Cost(stand.memory.words, len(nodes & stand.memory.read_at))


class Work:
    """An operation that is measured."""

    def __init__(self, stand: Stand, size: int = 0, block: Given | None = None) -> None:
        self.stand, self.size, self.block = stand, size, block

    def __call__(self) -> None:
        if self.block is None:
            self.stand.alloc(self.size)
        else:
            self.stand.end(self.block)


def dearest(costs: Sequence[Cost]) -> Cost:
    """The cost with the most words."""
    return max(costs, key=lambda cost: (cost.words, cost.nodes))


def request_cost(maker: Maker, stand: Stand, n: int) -> Cost:
    """The dearest request: of so many that more memory is surely taken, where it is taken in chunks."""
    size = SIZE if maker.one_size else LARGER
    more = CHUNK // SIZE if maker.grows else 1
    return dearest([one(stand, Work(stand, size)) for _ in range(n + more if maker.one_size and maker.grows else more)])


def end_cost(maker: Maker, stand: Stand, live: Sequence[Given]) -> Cost:
    """The dearer of the oldest and the newest block's end. (A stack ends its newest whichever is named.)"""
    chosen = [live[-1]] if maker.ends == "newest" else [live[-1], live[0]]
    return dearest([one(stand, Work(stand, block=block)) for block in chosen])


def measured(maker: Maker) -> tuple[Costs, Costs | None]:
    """What requests cost, and ends; None where single blocks cannot be ended."""
    requests, ends = list[Cost](), list[Cost]()
    for n in COUNTS:
        stand, live = filled(maker, n)
        requests.append(request_cost(maker, stand, n))
        if maker.ends != "all":
            ends.append(end_cost(maker, stand, live))
    return Costs(tuple(requests)), Costs(tuple(ends)) if ends else None
