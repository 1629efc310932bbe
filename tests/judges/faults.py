"""Random histories of allocators that do anything: any address, any counter, any answer, in every shape."""

import random
from collections.abc import Collection
from dataclasses import replace

from heaplaw.spec.event import NULL, Direction, Env, Flag, Order, Padding, Status, Zero
from heaplaw.spec.history import History, Op, plain_env
from heaplaw.spec.shapes import ALIGN_TAKERS, REQUESTS, SHAPES, SWEEPERS, Kind

from .scribe import Held, Scribe

TOP = 2**64
MIB = 2**20
GRAIN = 64
WILD = (0, 0x1000, 0x1001, 0x1008, 0x1040, 0x1048, 0x1080, 2**22 - 8, 2**22, 2**47, TOP - 64, TOP - 8, TOP - 3, TOP - 1)
SIZES = (8, 24, 64)
"""Few, so that the same is asked for again in the same state."""
ODD_SIZES = (0, 0, 1, 9, 65, MIB, MIB + 1, 2**48 + 1, 2**62, 2**63 - 1, 2**63, TOP - 8)
WEIGHTS = {Kind.ALLOC: 30, Kind.POP: 16, Kind.MARK: 10, Kind.RELEASE: 8, Kind.RESET: 5, Kind.RENEW: 2, Kind.CHECK: 4}
"""Of operations; others have 10."""
FAULTS: dict[tuple[Kind, Status], tuple[Flag, ...]] = {
    (Kind.ZALLOC, Status.OK): (Flag.NOT_ZERO, Flag.UNWRITABLE, Flag.OUTSIDE),
    (Kind.RESIZE, Status.OK): (Flag.DAMAGED, Flag.PREFIX_LOST, Flag.UNWRITABLE),
    (Kind.RESIZE, Status.FAILED): (Flag.DAMAGED, Flag.FAILED_CHANGED, Flag.FAILED_CHANGED),
    (Kind.ALLOC, Status.OK): (Flag.UNWRITABLE, Flag.OUTSIDE),
    (Kind.ALIGNED, Status.OK): (Flag.UNWRITABLE, Flag.OUTSIDE),
}
"""Flags that an operation may have; others: DAMAGED, OUTSIDE."""


def some_env(rng: random.Random, shape: str, instance: int = 0) -> Env:
    """Any promises, of an instance whose memory begins at 0x1000, or a MiB further for every one before it."""
    return replace(
        plain_env(shape),
        max_align=rng.choice((1, 8, 8, 16, 4096)),
        base=0x1000 + MIB * instance,
        capacity=rng.choice((0, 256, 4096, TOP - 1)),
        block_size=rng.choice((0, 64)) if shape == "pool" else 0,
        num_blocks=rng.choice((0, 2, 4)),
        header=rng.choice((0, 8, 32)),
        remaining=rng.choice((0, 256, 4096, 2**40)),
        total=rng.choice((0, 0, 16)),
        one_buffer=rng.random() < 0.6,
        coalesces=rng.random() < 0.5,
        zero_size=rng.choice(list(Zero)),
        direction=rng.choice(list(Direction)),
        padding=rng.choice(list(Padding)),
        reuse_order=rng.choice(list(Order)),
    )


class Chaos:
    """Draws one history. Much of it is regular, so that laws are kept and broken."""

    def __init__(self, rng: random.Random, shape: str, instances: int, without: Collection[Kind] = ()) -> None:
        envs = [some_env(rng, shape)]
        envs += [
            replace(envs[0], base=0x1000 + MIB * k, remaining=rng.choice((256, 4096))) for k in range(1, instances)
        ]
        self.rng, self.envs = rng, envs
        self.scribe = Scribe(shape, tuple(envs), rng.choice(("mixed", "steady")))
        self.kinds = sorted({*SHAPES[shape].operations, Kind.CHECK, Kind.RENEW}.difference(without))
        self.weights = [WEIGHTS.get(kind, 10) for kind in self.kinds]
        self.gone: set[int] = set()

    def history(self, length: int) -> History:
        """`length` operations, the last of which may not return."""
        for _ in range(length):
            self.one(self.rng.choices((Status.OK, Status.FAILED, Status.WRONG), (30, 3, 1))[0])
        if self.rng.random() < 0.3:
            self.one(self.rng.choice((Status.DIED, Status.DIED, Status.WRONG)))
        return self.scribe.history()

    def one(self, status: Status) -> None:
        """One operation, and what the counters say after it."""
        rng, scribe = self.rng, self.scribe
        instance, kind = rng.randrange(len(self.envs)), rng.choices(self.kinds, self.weights)[0]
        if instance in self.gone or rng.random() < 0.05:
            scribe.skip(kind, instance)
            return
        at = self.call(kind, instance, status)
        if status != Status.DIED:
            scribe.rows[at].update(self.counters(instance))
        if kind == Kind.RENEW and status != Status.OK:
            self.gone.add(instance)

    def call(self, kind: Kind, instance: int, status: Status) -> int:
        """The operation itself; skipped, where there is nothing that it could be about."""
        scribe, rng = self.scribe, self.rng
        blocks, marks = scribe.there(instance), scribe.marks(instance)
        if kind in REQUESTS:
            return self.ask(kind, instance, status)
        if kind in (Kind.FREE, Kind.RESIZE) and scribe.shape in ("malloc", "lua_alloc") and rng.random() < 0.1:
            return self.null(kind, instance, status)
        if kind in (Kind.FREE, Kind.RESIZE, Kind.CHECK):
            return self.about(kind, rng.choice(blocks), status) if blocks else scribe.skip(kind, instance)
        if kind == Kind.RELEASE:
            fault = self.fault(kind, status, blocks[-1:])
            return scribe.release(rng.choice(marks).row, status, **fault) if marks else scribe.skip(kind, instance)
        if kind == Kind.MARK:
            return scribe.mark(instance, status, ptr=0x1000 + GRAIN * len(blocks))
        simple = {Kind.POP: scribe.pop, Kind.RESET: scribe.reset, Kind.RENEW: scribe.renew}
        return simple[kind](instance, status, **self.fault(kind, status, blocks[-1:]))

    def place(self, instance: int) -> int:
        """Mostly the next place of a plain bump, which is the same in the same state; of a pool, any of few places."""
        if self.rng.random() < 0.25:
            return self.rng.choice(WILD)
        next_one = self.rng.randrange(4) if self.scribe.shape == "pool" else len(self.scribe.there(instance))
        return int(self.envs[instance].base) + GRAIN * next_one

    def size(self) -> int:
        return self.rng.choice(SIZES if self.rng.random() < 0.85 else ODD_SIZES)

    def ask(self, kind: Kind, instance: int, status: Status) -> int:
        rng, size = self.rng, self.size()
        count = rng.choice((1, 1, 3, 2**33, 0)) if kind == Kind.ZALLOC else 1
        align = rng.choice((8, 8, 16, 4096, 2**63)) if kind in ALIGN_TAKERS else 0
        more = {"usable": min(TOP - 1, size + rng.choice((0, 0, 8, 40)) - (0 < size and rng.random() < 0.05))}
        if status == Status.FAILED:
            more = {"err": rng.choice((0, 12, 22))}
        row = {**more, **self.fault(kind, status, [])}
        return self.scribe.ask(self.place(instance), size, kind, instance, align, count, status=status, **row)

    def null(self, kind: Kind, instance: int, status: Status) -> int:
        """A block is asked of a resize, or none is freed."""
        size, ptr = (self.size() or 1, self.place(instance)) if kind == Kind.RESIZE else (0, 0)
        at = self.scribe.add(Op(kind, size, NULL, instance=instance), status, None, ptr=ptr * (status == Status.OK))
        if kind == Kind.RESIZE and status == Status.OK:
            self.scribe.held[at] = Held(at, ptr, 0, instance)
        return at

    def about(self, kind: Kind, block: Held, status: Status) -> int:
        """What names one block."""
        scribe, fault = self.scribe, self.fault(kind, status, [])
        if kind == Kind.RESIZE:
            size = self.size() or 1
            return scribe.resize(block.row, self.place(block.instance), size, status, usable=size, **fault)
        if kind == Kind.FREE:
            told = self.rng.choice((0, 0, 0x1000)) if scribe.shape == "lua_alloc" else 0
            return scribe.free(block.row, status, ptr=told, **fault)
        return scribe.check(block.row, Status.OK if status == Status.WRONG else status, **fault)

    def fault(self, kind: Kind, status: Status, about: list[Held]) -> dict[str, int]:
        """Now and then a payload that is not as it should be; what ends many blocks says which one is meant."""
        if self.rng.random() >= 0.07:
            return {}
        flag = self.rng.choice(FAULTS.get((kind, status), (Flag.DAMAGED, Flag.DAMAGED, Flag.OUTSIDE)))
        found = about and kind in SWEEPERS and flag == Flag.DAMAGED
        which = {"ptr": about[0].ptr, "held": about[0].size} if found else {}
        return {"flags": int(flag), "bad_at": self.rng.choice((0, 0, 1, 7, 63)), **which}

    def counters(self, instance: int) -> dict[str, int]:
        """What the subject says: mostly right, as long as it fits."""
        env, blocks = self.envs[instance], self.scribe.there(instance)
        used = sum(each.size for each in blocks) + (8 * len(blocks) if env.padding != Padding.EXCLUDED else 0)
        right = {
            "num_free": env.num_blocks - len(blocks),
            "num_allocated": len(blocks),
            "remaining": env.remaining - used,
            "total": env.total + used,
            "sound": self.rng.choice((0, 1, 1, 1)),
        }
        if self.rng.random() < 0.15:
            right[self.rng.choice(list(right)[:4])] = self.rng.choice((0, 1, 8, TOP - 1))
        if self.rng.random() < 0.03:
            right["sound"] = 2
        return {name: min(max(0, int(value)), TOP - 1) for name, value in right.items()}


def faulty(rng: random.Random, shape: str, length: int, instances: int = 1, without: Collection[Kind] = ()) -> History:
    """A history of an allocator that does anything, `without` some operations of its shape."""
    return Chaos(rng, shape, instances, without).history(length)
