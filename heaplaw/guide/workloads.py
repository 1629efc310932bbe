"""Named workloads, and what of the memory that they need is lost: exact numbers, from a seed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import TypeAlias

from .stands import Given, Maker, Stand

__all__ = ["SEED", "WORKLOADS", "Fragmentation", "Workload", "fragmentation"]

SEED = 1
Step: TypeAlias = tuple[int, int]
"""A block's number, and its size in bytes; size -1: its end."""
END = -1


@dataclass(frozen=True)
class Workload:
    """A program of requests and ends."""

    name: str
    what: str
    steps: tuple[Step, ...]

    @property
    def largest(self) -> int:
        """Bytes of the largest request."""
        return max(size for _, size in self.steps)

    @property
    def one_size(self) -> bool:
        """All requests are of one size."""
        return len({size for _, size in self.steps if size != END}) == 1


def _churn(random: Random, size: Callable[[], int], live: int, turns: int) -> Iterator[Step]:
    """So many live blocks; a random one gives way to a new one, again and again."""
    there = list(range(live))
    for number in there:
        yield number, size()
    for turn in range(turns):
        place = random.randrange(live)
        yield there[place], END
        there[place] = live + turn
        yield there[place], size()


def _mixed() -> Iterator[Step]:
    random = Random(SEED)
    return _churn(random, lambda: random.randrange(16, 513), 200, 1_000)


def _one_size() -> Iterator[Step]:
    return _churn(Random(SEED), lambda: 64, 200, 1_000)


def _ramp() -> Iterator[Step]:
    """Three times: 300 blocks, larger each time round, and then all but a tenth end in random order."""
    random, kept, number = Random(SEED), list[int](), 0
    for turn in range(3):
        made = list(range(number, number + 300))
        for each in made:
            yield each, random.randrange(16, 129) << turn
        number += 300
        random.shuffle(made)
        for each in made[30:]:
            yield each, END
        kept += made[:30]
    for each in reversed(kept):
        yield each, END


def _alternating() -> Iterator[Step]:
    """Small and large blocks side by side; the small ones end, and somewhat larger ones follow."""
    for pair in range(300):
        yield 2 * pair, 24
        yield 2 * pair + 1, 200
    for pair in range(300):
        yield 2 * pair, END
    for number in range(600, 900):
        yield number, 40


def _nested() -> Iterator[Step]:
    """Calls within calls: a block begins, or the newest one ends."""
    random, pile = Random(SEED), list[int]()
    for number in range(1_500):
        if pile and random.randrange(100) < 45:
            yield pile.pop(), END
        else:
            pile.append(number)
            yield number, random.randrange(16, 513)


def _together() -> Iterator[Step]:
    """Frames: 100 blocks each, which end all at once."""
    random = Random(SEED)
    for frame in range(5):
        numbers = range(100 * frame, 100 * frame + 100)
        for number in numbers:
            yield number, random.randrange(16, 513)
        for number in numbers:
            yield number, END


WORKLOADS = (
    Workload("one size", "200 live blocks of 64 bytes, 1,000 replaced", tuple(_one_size())),
    Workload("mixed", "steady mixed sizes: 200 live, 16 to 512 bytes, 1,000 replaced", tuple(_mixed())),
    Workload("ramp", "ramp and drain: 300 blocks, three times, 9 of 10 ended", tuple(_ramp())),
    Workload(
        "alternate",
        "alternating sizes: 300 small ones give way to larger ones",
        tuple(_alternating()),
    ),
    Workload("nested", "1,500 steps into and out of calls, 16 to 512 bytes each", tuple(_nested())),
    Workload("together", "5 frames of 100 blocks of 16 to 512 bytes, ended at once", tuple(_together())),
)


@dataclass(frozen=True)
class Fragmentation:
    """What came of a workload. Bytes, when most memory was needed."""

    needed: int
    live: int
    """Asked for by blocks that are live for the program."""
    taken: int
    """Taken by these blocks, with headers, padding and rests."""

    @property
    def internal(self) -> float:
        """Part of the memory that live blocks take beyond what was asked for."""
        return (self.taken - self.live) / self.needed

    @property
    def external(self) -> float:
        """Part of the memory that is in no live block: holes, and blocks that cannot be ended yet."""
        return max(0, self.needed - self.taken) / self.needed

    @property
    def lost(self) -> float:
        """Part of the memory that the program asked for nothing of."""
        return (self.needed - self.live) / self.needed


class _Program:
    """A program that ends its blocks as the allocator lets it: at once, or when all above, or all, have ended."""

    def __init__(self, maker: Maker, stand: Stand) -> None:
        self.maker, self.stand = maker, stand
        self.live: dict[int, Given] = {}
        self.pile: list[tuple[int, Given]] = []
        """Blocks that a stack still holds, in order of birth."""

    def alloc(self, number: int, size: int) -> None:
        """Make a block."""
        self.live[number] = self.stand.alloc(size)
        self.pile.append((number, self.live[number]))

    def end(self, number: int) -> None:
        """The program needs a block no more."""
        block = self.live.pop(number)
        if self.maker.ends == "any":
            self.stand.end(block)
        elif self.maker.ends == "newest":
            while self.pile and self.pile[-1][0] not in self.live:
                self.stand.end(self.pile.pop()[1])
        elif not self.live:
            self.stand.reset()


def fragmentation(maker: Maker, workload: Workload) -> Fragmentation:
    """Run a workload on a fresh allocator."""
    requested = sum(size for _, size in workload.steps if size != END)
    stand = maker.make(2 * requested + 64 * len(workload.steps), len(workload.steps), workload.largest)
    program, most = _Program(maker, stand), Fragmentation(0, 0, 0)
    for number, size in workload.steps:
        if size == END:
            program.end(number)
            continue
        program.alloc(number, size)
        if stand.held() > most.needed:
            blocks = program.live.values()
            most = Fragmentation(stand.held(), sum(b.size for b in blocks), sum(b.taken for b in blocks))
    return most
