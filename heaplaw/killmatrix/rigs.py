"""How each part of the reference is run in this process: its pure steps over a small memory of words."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

from heaplaw.models import generate
from heaplaw.models.exploring.model import Model
from heaplaw.models.exploring.reference import arena_model, bump_model, freelist_model, pool_model, stack_model
from heaplaw.models.live import Live, live_steps
from heaplaw.models.reporting import Reporting
from heaplaw.models.session import replay
from heaplaw.refimpl.memory import WordMemory
from heaplaw.spec.event import Env, Event, Order
from heaplaw.spec.history import History, Op, Trace
from heaplaw.spec.protocols import Limits, Memory, Step
from heaplaw.spec.shapes import SHAPES, Kind

__all__ = ["MODELS", "RIGS", "InProcess", "Modules", "Rig", "fuelled"]

BUFFER = 0x10_0008
"""Where buffers begin: a multiple of 8, and of nothing more, so that offsets and addresses are aligned differently."""
CAPACITY = 4096
"""Bytes of a buffer: few, so that it is often full."""
FUEL = 10_000
"""Words that one operation on so small a memory may touch."""
_REQUESTS = frozenset({Kind.ALLOC, Kind.ZALLOC, Kind.ALIGNED})
_COUNTERS = ("num_free", "num_allocated", "remaining", "total", "usable")
"""What a driver would read as 64 bits, whatever a faulty allocator makes of it."""
Modules = Callable[[str], ModuleType]
"""Gives a module of the reference, or of a copy with a fault, by its name inside the package."""


class EndlessError(Exception):
    """An operation touched more words than any terminating one can."""


class Fuelled:
    """A memory for one operation, which ends loops that would go on for good."""

    def __init__(self, memory: Any) -> None:
        self._memory = memory
        self._left = FUEL

    def _burn(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise EndlessError(f"{FUEL:,} words were read and written, and no end")

    def read(self, address: int) -> int:
        self._burn()
        return int(self._memory.read(address))

    def write(self, address: int, value: int) -> None:
        self._burn()
        self._memory.write(address, value)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._memory, name)


def fuelled(step: Step) -> Step:
    """The step, on memories that end it when it does not end."""
    return lambda state, op, ptr, memory: step(state, op, ptr, Fuelled(memory))


@dataclass(frozen=True)
class Rig:
    """One allocator of the reference, as steps."""

    shape: str
    module: str
    """The steps, like steps.pool."""
    kinds: frozenset[Kind]
    init: Callable[[ModuleType, WordMemory], Any]
    """The first state over a memory."""
    promises: Mapping[str, Any]
    """Fields of `Env` that the steps keep, beside what their state says."""

    def live(self, modules: Modules) -> Live:
        """The allocator, fresh."""
        steps, memory = modules(self.module), WordMemory(BUFFER, BUFFER + CAPACITY)
        state = self.init(steps, memory)
        env: Env = replace(state.env, **self.promises)
        stepped = fuelled(steps.step)

        def step(now: Any, op: Op, ptr: int, words: Memory) -> tuple[Any, Event]:
            after, event = stepped(now, op, ptr, words)
            return after, replace(event, env=env, **{name: getattr(event, name) % 2**64 for name in _COUNTERS})

        listed = steps.free_blocks if self.shape == "freelist" else None
        told = Reporting(step, env, listed)
        return live_steps(told, state, memory, env, SHAPES[self.shape], self.kinds, lambda: self.init(steps, memory))

    def traces(self, modules: Modules, operations: int, seed: int) -> Iterator[Trace]:
        """What a check of this allocator would run."""
        live = self.live(modules)
        return generate.campaigns(self.shape, self.kinds | {Kind.RENEW}, live.env, operations, seed)


@dataclass(frozen=True)
class InProcess:
    """A rig as a subject, as far as making traces short needs one."""

    rig: Rig
    modules: Modules

    @property
    def kinds(self) -> frozenset[Kind]:
        """Operations that can be called."""
        return self.rig.kinds

    def run(self, trace: Trace, limits: Limits = Limits()) -> History:
        """Run `trace` on a fresh allocator."""
        return replay(trace, self.rig.live(self.modules)).history()

    run_fresh = run


def _over_buffer(steps: ModuleType, memory: WordMemory) -> Any:
    return steps.init(BUFFER, CAPACITY, memory)


RIGS: dict[str, Rig] = {
    "bump": Rig("bump", "steps.bump", _REQUESTS | {Kind.RESET}, _over_buffer, {}),
    "pool": Rig(
        "pool",
        "steps.pool",
        SHAPES["pool"].required,
        lambda steps, memory: steps.init(BUFFER, 24, 6, memory),
        {"reuse_order": Order.LIFO},
    ),
    "stack": Rig("stack", "steps.stack", _REQUESTS | {Kind.POP, Kind.RESET}, _over_buffer, {}),
    "freelist": Rig("freelist", "steps.freelist", _REQUESTS | {Kind.FREE}, _over_buffer, {}),
    "coalescing": Rig(
        "freelist",
        "steps.freelist",
        _REQUESTS | {Kind.FREE},
        lambda steps, memory: steps.init(BUFFER, CAPACITY, memory, coalesces=True),
        {},
    ),
}
"""The parts of the reference that are steps, by the group of their mutants."""

MODELS: dict[str, tuple[str, Callable[[Any], Model]]] = {
    "bump": ("steps.bump", lambda step: bump_model(64, step=step)),
    "pool": ("steps.pool", lambda step: pool_model(16, 3, step)),
    "stack": ("steps.stack", lambda step: stack_model(128, step=step)),
    "freelist": ("steps.freelist", lambda step: freelist_model(160, step=step)),
    "coalescing": ("steps.freelist", lambda step: freelist_model(160, coalesces=True, step=step)),
    "arena": ("steps.arena", lambda step: arena_model(192, step=step)),
}
"""What is explored exhaustively: the steps' module, and a small model of them, by the group of mutants."""
