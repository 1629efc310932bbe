from dataclasses import replace

import pytest

from heaplaw.models.explore import TWO_IN_A_ROW, explore, explore_pool, pool_model
from heaplaw.models.live import live_steps
from heaplaw.models.session import replay
from heaplaw.refimpl.memory import WordMemory
from heaplaw.refimpl.steps import pool
from heaplaw.refimpl.steps.pool import PoolState
from heaplaw.spec.catalogue import laws_of
from heaplaw.spec.event import Event
from heaplaw.spec.history import Op
from heaplaw.spec.law import implied
from heaplaw.spec.protocols import Memory, Step
from heaplaw.spec.shapes import Kind
from heaplaw.spec.verdict import Exhausted, Holds, Unknown, Violated

A, F = Kind.ALLOC, Kind.FREE
OFFERED = {"malloc", "free", "num_free_blocks", "num_allocated", "bounds", "grid"}
LAWS = {law.name for law in laws_of("pool") if law.needs <= implied(frozenset(OFFERED))} - TWO_IN_A_ROW


@pytest.mark.parametrize(
    ("num_blocks", "states", "transitions", "depth"),
    [(1, 2, 3, 1), (2, 5, 9, 4), (3, 16, 31, 6), (4, 65, 129, 8), (5, 326, 651, 10)],
)
@pytest.mark.parametrize("block_size", [8, 24])
def test_explore_pool__visits_every_state(
    block_size: int, num_blocks: int, states: int, transitions: int, depth: int
) -> None:
    found = explore_pool(block_size, num_blocks)
    assert (found.states, found.transitions, found.depth) == (states, transitions, depth)
    assert found.complete
    assert found.witness is None
    assert found.missed == []
    assert {verdict.law for verdict in found.verdicts} == LAWS
    held = {verdict.law for verdict in found.verdicts if isinstance(verdict.outcome, Holds)}
    exhausted = {verdict.law for verdict in found.verdicts if isinstance(verdict.evidence, Exhausted)}
    pairs = {"blocks_disjoint"} if num_blocks == 1 else set()  # one block is no pair: unknown, not held
    assert held == exhausted == LAWS - pairs


def test_explore_pool__cut_short_is_unknown() -> None:
    found = explore_pool(8, 4, limit=20)
    assert not found.complete
    assert found.states == 20
    assert all(isinstance(verdict.outcome, Unknown) for verdict in found.verdicts)


def test_explore_pool__a_missed_goal_is_unknown() -> None:
    model = replace(pool_model(8, 2), requests=(Op(Kind.ALLOC, 8),))
    found = explore(model)
    assert found.complete
    assert found.missed == ["the pool empties again"]
    assert all(isinstance(verdict.outcome, Unknown) for verdict in found.verdicts)


# ------------------------------------------------------------------------------------------ faulty steps


def leaks_when_nothing_is_free(state: PoolState, op: Op, ptr: int, memory: Memory) -> tuple[PoolState, Event]:
    """A block freed while the pool is full is counted, but not linked."""
    after, event = pool.step(state, op, ptr, memory)
    if op.kind == F and state.num_free == 0:
        after = replace(after, free_list=0)
    return after, event


def forgets_the_second_free(state: PoolState, op: Op, ptr: int, memory: Memory) -> tuple[PoolState, Event]:
    """A free that finds exactly one block free does nothing."""
    if op.kind == F and state.num_free == 1:
        return state, pool.event(state, F, 0, True)
    return pool.step(state, op, ptr, memory)


def links_itself(state: PoolState, op: Op, ptr: int, memory: Memory) -> tuple[PoolState, Event]:
    """A block freed above the head of the free list is linked to itself: it will be handed out twice."""
    after, event = pool.step(state, op, ptr, memory)
    if op.kind == F and ptr > state.free_list > 0:
        memory.write(ptr, ptr)
    return after, event


def serves_one_too_many(state: PoolState, op: Op, ptr: int, memory: Memory) -> tuple[PoolState, Event]:
    """A full pool hands out the block behind its buffer."""
    if op.kind == A and state.num_free == 0:
        return state, pool.event(state, A, state.buffer + state.capacity, True)
    return pool.step(state, op, ptr, memory)


def writes_through(state: PoolState, op: Op, ptr: int, memory: Memory) -> tuple[PoolState, Event]:
    """Freeing clears the first word of the buffer's first block, whoever owns it."""
    after, event = pool.step(state, op, ptr, memory)
    if op.kind == F and ptr != state.buffer:
        memory.write(state.buffer, 0)
    return after, event


def refuses_by_raising(state: PoolState, op: Op, ptr: int, memory: Memory) -> tuple[PoolState, Event]:
    if op.kind == A and state.num_free == 0:
        raise IndexError
    return pool.step(state, op, ptr, memory)


FAULTY: dict[Step, tuple[str, tuple[Kind, ...]]] = {
    leaks_when_nothing_is_free: ("failure_is_reported", (A, A, A, F, A)),
    forgets_the_second_free: ("accounting_exact", (A, A, F)),
    links_itself: ("blocks_disjoint", (A, A, F, F, A, A)),
    serves_one_too_many: ("pool_serves_while_free", (A, A, A, A)),
    writes_through: ("payload_kept", (A, A, F, F)),
    refuses_by_raising: ("failure_is_reported", (A, A, A, A)),
}
"""What each of them breaks in a pool of 3 blocks, and the operations of a shortest trace that shows it."""


@pytest.mark.parametrize("step", FAULTY, ids=lambda step: step.__name__)
def test_explore_pool__gives_the_shortest_witness(step: Step) -> None:
    name, kinds = FAULTY[step]
    found = explore_pool(16, 3, step)
    assert found.witness is not None
    trace = found.witness.trace
    assert name in [violation.law for violation in found.witness.violations]
    assert tuple(op.kind for op in trace.ops()) == kinds
    assert not found.complete
    assert name in [verdict.law for verdict in found.verdicts if isinstance(verdict.outcome, Violated)]
    assert not [verdict.law for verdict in found.verdicts if isinstance(verdict.outcome, Holds)]


@pytest.mark.parametrize("step", FAULTY, ids=lambda step: step.__name__)
def test_explore_pool__witness_replays(step: Step) -> None:
    found = explore_pool(16, 3, step)
    assert found.witness is not None
    env = found.witness.trace.env
    memory = WordMemory(env.base, env.base + env.capacity)
    subject = live_steps(step, pool.init(env.base, 16, 3, memory), memory, env)
    again = replay(found.witness.trace, subject)
    shown = [violation for violation in again.violations if violation.law not in TWO_IN_A_ROW]
    assert shown == list(found.witness.violations)
