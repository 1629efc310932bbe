"""The reference allocators side by side: their steps over simulated memory, judged after every operation, and the
classes that users hold, over real memory.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from heaplaw.refimpl.allocators import plain
from heaplaw.refimpl.memory import WordMemory
from heaplaw.refimpl.steps import bump, freelist, stack
from heaplaw.spec.catalogue import laws_of
from heaplaw.spec.event import NONE, Event
from heaplaw.spec.history import Op
from heaplaw.spec.judge import Online
from heaplaw.spec.law import implied
from heaplaw.spec.layout import SIZE_MAX
from heaplaw.spec.report import Report, first_fitting
from heaplaw.spec.shapes import CALLS, Kind

LARGE = (2**63 - 1, 2**63, 2**64 - 32, 2**64 - 8, 2**64 - 1)
SIZES = (0, 1, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 40, 63, 64, 100, 255, 500)
ALIGNMENTS = (1, 2, 4, 8, 16, 32, 64, 256, 4096)
COUNTS = (0, 1, 2, 3, 2**32, 2**63)
REQUESTS = (Kind.ALLOC, Kind.ZALLOC, Kind.ALIGNED)
COUNTERS = frozenset({"remaining", "total_allocated", "bounds", "huge sizes", "cost", "constant time"})


@dataclass(frozen=True)
class System:
    """A reference allocator: its steps, and the class that stands for it."""

    shape: str
    steps: Any
    kinds: tuple[Kind, ...]
    made: Callable[[int, int], Any]
    """The class, given a buffer's address and capacity."""
    fields: tuple[str, ...]
    """Fields that state and class have in common."""
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    offers: frozenset[str] = COUNTERS

    def init(self, buffer: int, capacity: int, memory: WordMemory) -> Any:
        return self.steps.init(buffer, capacity, memory, **self.options)


_LIST = COUNTERS | {"usable_size", "first_fit", "least_free", "least_taken", "minimum", "nodes", "linear time"}
SYSTEMS = {
    "bump": System("bump", bump, (*REQUESTS, Kind.RESET), plain.Bump, ("offset", "allocated")),
    "stack": System("stack", stack, (*REQUESTS, Kind.POP, Kind.RESET), plain.Stack, ("offset", "prev_offset")),
    "freelist": System(
        "freelist", freelist, (*REQUESTS, Kind.FREE), plain.FreeList, ("free_list", "allocated"), offers=_LIST
    ),
    "coalescing": System(
        "freelist",
        freelist,
        (*REQUESTS, Kind.FREE),
        plain.CoalescingFreeList,
        ("free_list", "allocated"),
        {"coalesces": True},
        _LIST | {"coalesces"},
    ),
}


class Counting(WordMemory):
    """Simulated memory that counts the words that are read and written; zeroing is none of them."""

    cost = 0

    def read(self, address: int) -> int:
        self.cost += 1
        return super().read(address)

    def write(self, address: int, value: int) -> None:
        self.cost += 1
        super().write(address, value)


@dataclass(frozen=True)
class Held:
    """A live block."""

    owner: int
    ptr: int
    size: int

    @property
    def pattern(self) -> bytes:
        return bytes((self.owner + at) % 251 + 1 for at in range(self.size))


class Trial:
    """Steps over simulated memory, with every law that applies judged on each operation, and every payload kept."""

    def __init__(self, system: System, buffer: int, capacity: int) -> None:
        end = buffer + capacity
        self.memory = Counting(buffer - buffer % 8, end + -end % 8)
        self.system = system
        self.state = system.init(buffer, capacity, self.memory)
        self.live: list[Held] = []
        self.tiles = self.free
        """The free blocks at first."""
        self.index = 0
        offers = implied(system.offers | {CALLS[kind] for kind in system.kinds})
        self.online = Online([law for law in laws_of(system.shape) if law.needs <= offers])

    @property
    def free(self) -> list[tuple[int, int]]:
        """The free blocks of a free list."""
        return list(freelist.free_blocks(self.state, self.memory)) if self.system.shape == "freelist" else []

    def named(self, op: Op, pick: int) -> Held | None:
        """The block that an operation ends."""
        if op.kind == Kind.POP:
            return self.live[-1] if self.live else None
        return self.live[pick % len(self.live)] if op.kind == Kind.FREE and self.live else None

    def do(self, op: Op, pick: int = 0) -> Event | None:
        """Carry out and judge an operation; None where it names a block and there is none."""
        held = self.named(op, pick)
        if op.kind == Kind.FREE and held is None:
            return None
        self.check_payloads()
        free = self.free
        self.memory.cost = 0
        self.state, e = self.system.steps.step(self.state, op, held.ptr if held else 0, self.memory)
        e = replace(e, index=self.index, held=held.size if held else 0, report=self.report(e, free, held))
        violations = self.online.feed(self.index, e, held.owner if held else NONE)
        assert not violations, (op, self.state, violations)
        self.settle(op, held, e)
        if self.tiles:
            self.check_tiling()
        self.index += 1
        return e

    def settle(self, op: Op, held: Held | None, e: Event) -> None:
        """Who is live now; a new owner writes its payload."""
        if op.kind == Kind.RESET:
            self.live = []
        elif held is not None:
            self.live.remove(held)
        if e.makes:
            made = Held(self.index, e.ptr, int(e.extent))
            if op.kind == Kind.ZALLOC:
                assert self.memory.peek(made.ptr, made.size) == bytes(made.size)
            assert self.memory.poke(made.ptr, made.pattern) == made.size
            self.live.append(made)

    def check_tiling(self) -> None:
        """Free and live blocks of a free list fill the buffer's whole words, without gap or overlap."""
        live = [(int(self.memory.read(b.ptr - 8)), int(self.memory.read(b.ptr - 16))) for b in self.live]
        tiles = sorted([*self.free, *live])
        assert tiles[0][0] == self.tiles[0][0]
        assert all(start + size == above for (start, size), (above, _) in pairwise(tiles))
        assert sum(size for _, size in tiles) == sum(size for _, size in self.tiles)
        assert sum(size for _, size in live) == self.state.allocated
        if self.state.coalesces:
            assert all(start + size < above for (start, size), (above, _) in pairwise(self.free))

    def check_payloads(self) -> None:
        """All live blocks are as their owners wrote them."""
        for held in self.live:
            assert self.memory.peek(held.ptr, held.size) == held.pattern

    def report(self, e: Event, free: list[tuple[int, int]], held: Held | None) -> Report:
        """What the laws on free lists and costs ask for; `free`: the list before; `held`: the block that ended."""
        cost = self.memory.cost
        if self.system.shape != "freelist":
            return Report(cost=cost)
        live = [block.ptr for block in self.live if block is not held] + [int(e.ptr)] * bool(e.makes)
        taken = [int(self.memory.read(ptr - freelist.HEADER)) for ptr in live]
        first = 0 if e.unserviceable else first_fitting(free, int(e.extent), int(e.required_align), freelist.HEADER)
        return Report(
            cost=cost,
            nodes=len(free),
            first_fit=first,
            least_free=min((size for _, size in self.free), default=SIZE_MAX),
            least_taken=min(taken, default=SIZE_MAX),
        )


def drawn(rng: random.Random, system: System, remaining: int) -> tuple[Op, int]:
    """A random operation, boundary sizes being frequent, and which block it names."""
    backs = [kind for kind in system.kinds if kind not in (*REQUESTS, Kind.RESET)]
    kind = rng.choice([*REQUESTS, *backs, *backs, *backs])
    if Kind.RESET in system.kinds and rng.random() < 0.03:
        kind = Kind.RESET
    size = rng.choice((rng.choice(SIZES), rng.choice(SIZES), rng.randrange(64), rng.choice(LARGE)))
    if rng.random() < 0.1:
        size = max(0, remaining - rng.randrange(48))
    if kind not in REQUESTS:
        return Op(kind), rng.randrange(64)
    align = rng.choice(ALIGNMENTS) if kind == Kind.ALIGNED else 0
    return Op(kind, size, align=align, count=rng.choice(COUNTS) if kind == Kind.ZALLOC else 1), 0


def call(subject: Any, op: Op, ptr: int) -> int:
    """The same operation on a class of `plain`: the address that it gives."""
    match op.kind:
        case Kind.ALLOC:
            return int(subject.alloc(op.size))
        case Kind.ALIGNED:
            return int(subject.alloc(op.size, op.align))
        case Kind.ZALLOC:
            return int(subject.calloc(op.count, op.size))
        case Kind.FREE:
            assert subject.dealloc(ptr) == 0
        case Kind.POP:
            assert subject.pop() in (0, 1)
        case _:
            assert subject.reset() == 0
    return 0
