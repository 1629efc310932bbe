"""CrossHair contracts on the reference pool's steps, and `confirm`, which asks CrossHair for all paths.

A contract is a function that runs one step on a pool of `BLOCKS` blocks in any reachable order and answers
by a shared law. CrossHair follows the step, the law and the contract through Python itself: an engine apart
from `proofs.symbolic`, which shares no code with it. Its integers do not wrap, and the number of blocks is
bounded; the buffer's address is not.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any, TypeAlias

from heaplaw.refimpl.steps import pool
from heaplaw.refimpl.steps.pool import PoolState
from heaplaw.spec.catalogue import law
from heaplaw.spec.event import Block, Event, View
from heaplaw.spec.heap import block_of
from heaplaw.spec.protocols import Memory
from heaplaw.spec.shapes import Kind
from heaplaw.spec.verdict import Confirmed, Unknown

BLOCKS = 3
SIZE = 16
ORDERS = ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0))
"""Which block is where: the first `num_free` are the free list, bottom first; the rest are live."""

Alloc: TypeAlias = Callable[[PoolState, Memory], tuple[PoolState, int]]
Dealloc: TypeAlias = Callable[[PoolState, int, Memory], PoolState]


class Cells:
    """A memory of few words, looked up by comparing addresses: a dictionary would make CrossHair fix them."""

    def __init__(self) -> None:
        self._cells: list[tuple[int, int]] = []

    def read(self, address: int) -> int:
        """The word at `address`; LookupError for one that was never written."""
        for at, value in reversed(self._cells):
            if at == address:
                return value
        raise LookupError("a word is read that was never written")

    def write(self, address: int, value: int) -> None:
        """Make `value` the word at `address`."""
        self._cells.append((address, value))


@dataclass(frozen=True)
class Pool:
    """A pool, its memory, and the addresses of its live blocks."""

    state: PoolState
    memory: Cells
    live: tuple[int, ...]

    @property
    def view(self) -> View:
        """The heap as the history tells it."""
        return View(self.state.num_free, self.state.num_blocks - self.state.num_free, len(self.live))


def pool_of(buffer: int, order: int, num_free: int) -> Pool:
    """The pool at `buffer` whose blocks are in the given order, the first `num_free` of them free."""
    places = tuple(buffer + index * SIZE for index in ORDERS[order])
    state, memory = PoolState(buffer, SIZE, BLOCKS, 0, 0), Cells()
    for place in places[:num_free]:
        memory.write(place, state.free_list)
        state = replace(state, free_list=place, num_free=state.num_free + 1)
    return Pool(state, memory, places[num_free:])


def after_alloc(alloc: Alloc, before: Pool) -> tuple[Event, View]:
    """Carry out an ALLOC: what came of it, and the heap afterwards."""
    state, ptr = alloc(before.state, before.memory)
    e = pool.event(state, Kind.ALLOC, ptr, ptr != 0)
    return e, View(e.num_free, e.num_allocated, len(before.live) + (1 if e.makes else 0))


def after_dealloc(dealloc: Dealloc, before: Pool) -> tuple[Event, View]:
    """Carry out a FREE of the live block that is first in the order."""
    state = dealloc(before.state, before.live[0], before.memory)
    e = pool.event(state, Kind.FREE, 0, True, SIZE)
    return e, View(e.num_free, e.num_allocated, len(before.live) - 1)


def alloc_lawful(alloc: Alloc, before: Pool) -> bool:
    """The laws on an ALLOC hold: alignment, bounds, grid, counters, progress, disjointness from each live block."""
    e, post = after_alloc(alloc, before)
    on_event = all(law(name).holds(e) for name in ("aligned", "in_bounds", "pool_on_grid"))
    on_step = all(
        law(name).holds(before.view, e, post)
        for name in ("pool_conserved", "accounting_exact", "pool_serves_while_free", "failure_changes_nothing")
    )
    if not e.makes:
        return on_event and on_step
    made = block_of(e, 1)
    return on_event and on_step and all(law("blocks_disjoint").holds(Block(ptr, SIZE), made) for ptr in before.live)


def dealloc_lawful(dealloc: Dealloc, before: Pool) -> bool:
    """The laws on a FREE hold: its counters."""
    e, post = after_dealloc(dealloc, before)
    return all(law(name).holds(before.view, e, post) for name in ("pool_conserved", "accounting_exact"))


def alloc_obeys_laws(buffer: int, order: int, num_free: int) -> bool:
    """One `alloc` of the reference pool, full pools included.

    pre: 8 <= buffer < 2**64 - 48
    pre: buffer % 8 == 0
    pre: 0 <= order < 6
    pre: 0 <= num_free <= 3
    post: _
    """
    return alloc_lawful(pool.alloc, pool_of(buffer, order, num_free))


def dealloc_obeys_laws(buffer: int, order: int, num_free: int) -> bool:
    """One `dealloc` of a live block of the reference pool.

    pre: 8 <= buffer < 2**64 - 48
    pre: buffer % 8 == 0
    pre: 0 <= order < 6
    pre: 0 <= num_free <= 2
    post: _
    """
    return dealloc_lawful(pool.dealloc, pool_of(buffer, order, num_free))


def freed_block_returns(buffer: int, order: int, num_free: int) -> bool:
    """After a `dealloc`, `alloc` serves, and gives lawful blocks until the pool is full again.

    pre: 8 <= buffer < 2**64 - 48
    pre: buffer % 8 == 0
    pre: 0 <= order < 6
    pre: 0 <= num_free <= 2
    post: _
    """
    before = pool_of(buffer, order, num_free)
    return drains_lawfully(pool.alloc, pool.dealloc, before)


def drains_lawfully(alloc: Alloc, dealloc: Dealloc, before: Pool) -> bool:
    """Free one live block, then allocate until nothing is free: each allocation is lawful."""
    state = dealloc(before.state, before.live[0], before.memory)
    now = Pool(state, before.memory, before.live[1:])
    for _ in range(BLOCKS - len(now.live)):
        if not alloc_lawful(alloc, now):
            return False
        state, ptr = alloc(now.state, now.memory)
        now = Pool(state, now.memory, (*now.live, ptr))
    return True


CONTRACTS: tuple[Callable[..., bool], ...] = (alloc_obeys_laws, dealloc_obeys_laws, freed_block_returns)


@dataclass(frozen=True)
class ContractRefuted:
    """CrossHair's counterexample, in its words."""

    message: str


def confirm(contract: Callable[..., Any], seconds: float = 60.0) -> Confirmed | ContractRefuted | Unknown:
    """CrossHair's answer on a function with a contract in its docstring; anything but "all paths" is Unknown."""
    core: Any = import_module("crosshair.core_and_libs")
    options: Any = import_module("crosshair.options")
    kinds = core.MessageType
    chosen = options.AnalysisOptionSet(
        analysis_kind=[options.AnalysisKind.PEP316],
        report_all=True,
        per_condition_timeout=seconds,
        per_path_timeout=seconds,
    )
    messages: list[Any] = core.run_checkables(core.analyze_function(contract, chosen))
    for message in messages:
        if message.state in (kinds.POST_FAIL, kinds.POST_ERR, kinds.EXEC_ERR):
            return ContractRefuted(str(message.message))
    if messages and all(message.state == kinds.CONFIRMED for message in messages):
        return Confirmed()
    return Unknown("; ".join(str(message.message) for message in messages) or "the function has no contract")
