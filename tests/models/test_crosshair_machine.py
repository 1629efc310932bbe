"""The allocator machine under a solver: `backend="crosshair"` finds what needs one number out of thousands.

The pool here carves blocks of 4096 bytes out of a buffer whose capacity is the machine's own draw. The seeded
fault compares with one byte too many, so only capacities of the form 4096 k - 1 show it. Payloads are kept in
a store that remembers what was written instead of holding words: under the solver every word of a payload
would be traced.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, run_state_machine_as_test

from heaplaw.models.allocator_machine import AllocatorMachine
from heaplaw.models.live import Checked, StepCalls
from heaplaw.models.session import LawViolated, Session
from heaplaw.refimpl.memory import WordMemory
from heaplaw.spec.event import Env, Event, Status
from heaplaw.spec.history import Op
from heaplaw.spec.shapes import Kind

BLOCK = 4096
BASE = 0x10000
BOUNDED = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=30,
    phases=[Phase.generate],
    report_multiple_bugs=False,
    stateful_step_count=4,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


@dataclass(frozen=True)
class Carved:
    """A pool that carves blocks when they are first needed, and keeps those that come back."""

    capacity: int
    carved: int = 0
    free: tuple[int, ...] = ()

    @property
    def env(self) -> Env:
        return Env(8, False, BASE, self.capacity, BLOCK, self.capacity // BLOCK)

    def event(self, op: Op, ptr: int, served: bool) -> Event:
        live = self.carved - len(self.free)
        return Event(
            op.kind,
            op.size,
            status=Status.OK if served else Status.FAILED,
            ptr=ptr,
            num_free=self.env.num_blocks - live,
            num_allocated=live,
            env=self.env,
        )


def stepping(slack: int) -> Callable[[Carved, Op, int, Any], tuple[Carved, Event]]:
    """Steps that see `slack` bytes more than there are."""

    def step(state: Carved, op: Op, ptr: int, memory: Any) -> tuple[Carved, Event]:
        if op.kind == Kind.FREE:
            after = replace(state, free=(ptr, *state.free))
            return after, after.event(op, 0, True)
        if state.free:
            after = replace(state, free=state.free[1:])
            return after, after.event(op, state.free[0], True)
        if (state.carved + 1) * BLOCK <= state.capacity + slack:
            after = replace(state, carved=state.carved + 1)
            return after, after.event(op, BASE + state.carved * BLOCK, True)
        return state, state.event(op, 0, False)

    return step


class Remembered:
    """A store that gives back what was written at an address."""

    def __init__(self) -> None:
        self.written: dict[int, bytes] = {}

    def poke(self, address: int, data: bytes) -> int:
        self.written[address] = data
        return len(data)

    def peek(self, address: int, size: int) -> bytes:
        return self.written.get(address, bytes(size))[:size]


def machine(slack: int) -> type[AllocatorMachine]:
    class Machine(AllocatorMachine):
        shape = "pool"

        def pool_of(self, capacity: int) -> Checked:
            state = Carved(capacity)
            return Checked(StepCalls(stepping(slack), state, WordMemory(), state.env), Remembered())

        def make(self) -> Checked:
            return self.pool_of(0)

        @initialize(capacity=st.integers(0, 3 * BLOCK + 2))
        def choose_capacity(self, capacity: int) -> None:
            self.session = Session(self.pool_of(capacity))

    return Machine


def run(slack: int, backend: str) -> None:
    run_state_machine_as_test(machine(slack), settings=settings(BOUNDED, backend=backend))


def test_crosshair__finds_a_capacity_that_is_off_by_one() -> None:
    with pytest.raises(LawViolated) as caught:
        run(1, "crosshair")
    assert {violation.law for violation in caught.value.violations} == {
        "in_bounds",
        "pool_serves_while_free",
        "free_count_exact",
    }
    assert int(caught.value.trace.env.capacity) % BLOCK == BLOCK - 1


def test_random_search__does_not_find_it_in_as_many_examples() -> None:
    run(1, "hypothesis")


@pytest.mark.slow
def test_crosshair__passes_the_correct_steps() -> None:
    run(0, "crosshair")
