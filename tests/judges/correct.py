"""Tiny allocators that do what is asked of them, one for each kind of memory, and random histories of them.

Each keeps its state as few words: where the next block goes, what is free. They are exact: counters say what is so.
"""

import random
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from errno import ENOMEM
from typing import Any

from heaplaw.spec.event import Direction, Env, Order, Padding, Status, Zero
from heaplaw.spec.history import History, plain_env
from heaplaw.spec.layout import align_up
from heaplaw.spec.shapes import ALIGN_TAKERS, REQUESTS, SHAPES, Kind

from .scribe import Scribe

CAPACITY = 4096
SIZES = (8, 8, 8, 24, 100)
ODD_SIZES = (0, 1, 7, 500, 1000, 5000, 2**40, 2**63 - 1, 2**63, 2**64 - 8)


@dataclass
class Bump:
    """One buffer from one end to the other."""

    env: Env
    header: int = 0
    used: int = 0
    """Bytes from the end that it began at, padding and headers included."""
    bytes: int = 0
    """Bytes that were asked for and are live."""

    def ask(self, size: int, align: int) -> int:
        """An address, or 0."""
        down, room = self.env.direction == Direction.DOWN, max(size, 1 if self.env.zero_size == Zero.UNIQUE else 0)
        low, high = int(self.env.base), int(self.env.base) + CAPACITY
        if down:
            at = (high - self.used - room) // align * align
            used = high - at + self.header
        else:
            at = align_up(low + self.used + self.header, align)
            used = at + room - low
        if used > CAPACITY:
            return 0
        self.used, self.bytes = used, self.bytes + size
        return int(at)

    @property
    def total(self) -> int:
        """Bytes that it says it has handed out: whoever does not promise to count padding does not."""
        return self.used if self.env.padding == Padding.COUNTED else self.bytes

    def counters(self) -> dict[str, int]:
        """What it says of itself."""
        return {"remaining": CAPACITY - self.total, "total": self.total, "sound": 1}


@dataclass
class Arena:
    """Chunks of its own, one after another; each is a bump."""

    env: Env
    chunks: list[Bump] = field(default_factory=list[Bump])

    def ask(self, size: int, align: int) -> int:
        at = self.chunks[-1].ask(size, align) if self.chunks else 0
        if not at and size <= CAPACITY // 2 and len(self.chunks) < 3:
            base = int(self.env.base) + 2 * CAPACITY * len(self.chunks)
            self.chunks.append(Bump(replace(self.env, base=base)))
            at = self.chunks[-1].ask(size, align)
        return at

    def counters(self) -> dict[str, int]:
        total = sum(chunk.total for chunk in self.chunks)
        return {"remaining": 3 * CAPACITY - total, "total": total, "sound": 1}


@dataclass
class Holes:
    """First fit: the live stretches are known, what lies between is free."""

    env: Env
    live: dict[int, tuple[int, int, int]] = field(default_factory=dict[int, tuple[int, int, int]])
    """By address: where the stretch begins and ends, bytes, and the size asked for."""

    def fits(self, size: int, align: int, gone: int = 0) -> int:
        """Where a block would go if the block at `gone` were not there; 0 when nowhere."""
        at, room = int(self.env.base), max(size, 1)
        for first, last, _ in sorted(each for ptr, each in self.live.items() if ptr != gone):
            if align_up(at + 8, align) + room <= first:
                break
            at = last
        ptr = int(align_up(at + 8, align))
        return ptr if ptr + room <= self.env.base + CAPACITY else 0

    def ask(self, size: int, align: int) -> int:
        ptr = self.fits(size, align)
        if ptr:
            self.live[ptr] = ptr - 8, ptr + max(size, 1), size
        return ptr

    def free(self, ptr: int) -> None:
        del self.live[ptr]

    def resize(self, ptr: int, size: int, align: int) -> int:
        """The block's new address; 0: refused, and the block is where it was."""
        at = ptr if size <= self.live[ptr][2] else self.fits(size, align, ptr)
        if at:
            del self.live[ptr]
            self.live[at] = at - 8, at + max(size, 1), size
        return at

    def counters(self) -> dict[str, int]:
        bytes_, stretches = 0, 0
        for first, last, size in self.live.values():
            bytes_, stretches = bytes_ + size, stretches + last - first
        total = bytes_ if self.env.padding == Padding.EXCLUDED else stretches
        return {"remaining": CAPACITY - total, "total": total, "sound": 1}


@dataclass
class Pool:
    """Blocks of one size; those that were freed wait in a list, those that were never used in order."""

    env: Env
    unused: int = 0
    free_list: list[int] = field(default_factory=list[int])
    live: int = 0

    def ask(self, size: int, align: int) -> int:
        fresh = self.unused < self.env.num_blocks
        if not self.free_list and not fresh:
            return 0
        self.live += 1
        if not self.free_list or (fresh and self.env.reuse_order == Order.FIFO):
            self.unused += 1
            return int(self.env.base + self.env.block_size * (self.unused - 1))
        return self.free_list.pop(0 if self.env.reuse_order == Order.FIFO else -1)

    def free(self, ptr: int) -> None:
        self.live -= 1
        self.free_list.append(ptr)

    def counters(self) -> dict[str, int]:
        return {"num_free": self.env.num_blocks - self.live, "num_allocated": self.live, "sound": 1}


MODELS: Mapping[str, Any] = {
    "malloc": Holes,
    "bump": Bump,
    "pool": Pool,
    "freelist": Holes,
    "stack": lambda env: Bump(env, header=8),
    "arena": Arena,
    "lua_alloc": Holes,
}


def envs_of(rng: random.Random, shape: str, instances: int) -> list[Env]:
    """What a correct allocator of that shape might promise, and keeps."""
    first = replace(
        plain_env(shape),
        capacity=8 * CAPACITY if shape == "arena" else CAPACITY,
        remaining=0 if shape == "pool" else 3 * CAPACITY if shape == "arena" else CAPACITY,
        block_size=64 if shape == "pool" else 0,
        num_blocks=5 if shape == "pool" else 0,
        coalesces=shape in ("malloc", "freelist", "lua_alloc"),
        zero_size=rng.choice((Zero.NULL, Zero.UNIQUE)),
        direction=rng.choice((Direction.UP, Direction.DOWN)),
        padding=rng.choice(list(Padding)),
        reuse_order=rng.choice((Order.LIFO, Order.FIFO)),
    )
    return [replace(first, base=0x10_0000 * (k + 1)) for k in range(instances)]


class Play:
    """Plays one history on an allocator for each instance."""

    def __init__(self, rng: random.Random, shape: str, instances: int) -> None:
        envs = envs_of(rng, shape, instances)
        self.rng, self.shape, self.scribe = rng, shape, Scribe(shape, tuple(envs))
        self.kinds = sorted({*SHAPES[shape].operations, Kind.CHECK, Kind.RENEW})
        self.weights = [{Kind.RESET: 2, Kind.RENEW: 1, Kind.RELEASE: 6}.get(kind, 10) for kind in self.kinds]
        self.models = [MODELS[shape](env) for env in envs]
        self.goes_back = not {Kind.POP, Kind.RELEASE}.isdisjoint(self.kinds)
        self.before: dict[int, Any] = {}
        """The state before each operation that made a block or a mark."""

    def history(self, length: int) -> History:
        for _ in range(length):
            kind, instance = self.rng.choices(self.kinds, self.weights)[0], self.rng.randrange(len(self.models))
            then = deepcopy(self.models[instance]) if self.goes_back else None
            at = self.one(kind, instance)
            self.before[at] = then
            if self.scribe.rows[at]["status"] != Status.SKIPPED:
                self.scribe.rows[at].update(self.models[instance].counters())
        return self.scribe.history()

    def one(self, kind: Kind, instance: int) -> int:
        """One operation; its row."""
        scribe, rng = self.scribe, self.rng
        blocks, marks = scribe.there(instance), scribe.marks(instance)
        if kind in REQUESTS:
            return self.ask(kind, instance)
        if kind in (Kind.FREE, Kind.RESIZE, Kind.CHECK, Kind.RELEASE):
            every = marks if kind == Kind.RELEASE else blocks
            if not every:
                return scribe.skip(kind, instance)
            row = rng.choice(every).row
            return self.named(kind, instance, row)
        if kind == Kind.MARK:
            return scribe.mark(instance, ptr=len(marks))
        if kind == Kind.POP:
            if blocks:
                self.back(instance, blocks[-1].row)
            return scribe.pop(instance)
        self.models[instance] = MODELS[self.shape](scribe.envs[instance])
        return scribe.reset(instance) if kind == Kind.RESET else scribe.renew(instance)

    def back(self, instance: int, row: int) -> None:
        """The state from before operation `row`."""
        self.models[instance] = deepcopy(self.before[row])

    def asked(self, kind: Kind) -> tuple[int, int, int]:
        """Size, alignment as it is asked for, and the count."""
        if self.shape == "pool":
            return 64, 0, 1
        size = self.rng.choice(SIZES if self.rng.random() < 0.8 else ODD_SIZES)
        return size, self.rng.choice((16, 64)) if kind in ALIGN_TAKERS else 0, 1 + 2 * (kind == Kind.ZALLOC)

    def ask(self, kind: Kind, instance: int) -> int:
        size, align, count = self.asked(kind)
        refused = size * count == 0 and self.scribe.envs[instance].zero_size == Zero.NULL
        ptr = 0 if refused else self.models[instance].ask(size * count, align or 16)
        more = {"usable": size * count} if ptr else {"err": ENOMEM}
        return self.scribe.ask(ptr, size, kind, instance, align, count, **more)

    def named(self, kind: Kind, instance: int, row: int) -> int:
        """An operation about the block, or the mark, that `row` made."""
        scribe, ptr = self.scribe, self.scribe.held[row].ptr
        if kind == Kind.RELEASE:
            self.back(instance, row)
            return scribe.release(row)
        if kind == Kind.CHECK:
            return scribe.check(row)
        if kind == Kind.FREE:
            self.models[instance].free(ptr)
            return scribe.free(row)
        size = max(1, self.asked(kind)[0])
        at = self.models[instance].resize(ptr, size, 16)
        return scribe.resize(row, at, size, **({"usable": size} if at else {"err": ENOMEM}))


def correct(rng: random.Random, shape: str, length: int, instances: int = 1) -> History:
    """A history in which no law is broken."""
    return Play(rng, shape, instances).history(length)
