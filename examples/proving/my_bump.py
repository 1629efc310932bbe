# ruff: noqa: ARG004, INP001
"""A bump allocator as pure steps, to be proved."""

from dataclasses import dataclass, replace

from heaplaw.spec.event import Block, Event, Status
from heaplaw.spec.history import Op
from heaplaw.spec.layout import align_up
from heaplaw.spec.logic import Truth
from heaplaw.spec.shapes import Kind


@dataclass(frozen=True)
class State:
    """Addresses and sizes in bytes."""

    buffer: int
    capacity: int
    used: int
    total_allocated: int

    @property
    def remaining(self) -> int:
        return self.capacity - self.used


class MyBump:
    """Blocks follow each other upwards, aligned to 8 bytes, and end all at once."""

    @staticmethod
    def init(buffer: int, capacity: int, memory: object) -> State:
        return State(buffer, capacity, 0, 0)

    @staticmethod
    def step(state: State, op: Op, ptr: int, memory: object) -> tuple[State, Event]:
        if op.kind == Kind.ALLOC:
            block = align_up(state.buffer + state.used, 8)
            padding = block - state.buffer - state.used
            if padding > state.remaining or op.size > state.remaining - padding:
                return state, told(op, state, Status.FAILED)
            total = state.total_allocated + op.size
            after = replace(state, used=state.used + padding + op.size, total_allocated=total)
            return after, told(op, after, Status.OK, block)
        if op.kind == Kind.RESET:
            after = replace(state, used=0, total_allocated=0)
            return after, told(op, after, Status.OK)
        raise ValueError(f"no operation {op.kind.name}")

    @staticmethod
    def invariant(state: State) -> Truth:
        return (state.total_allocated <= state.used) & (state.used <= state.capacity)

    @staticmethod
    def owns(state: State, block: Block) -> Truth:
        return (block.ptr >= state.buffer) & (block.ptr + block.extent <= state.buffer + state.used)


def told(op: Op, state: State, status: Status, block: int = 0) -> Event:
    total = state.total_allocated
    return Event(op.kind, op.size, status=status, ptr=block, remaining=state.remaining, total=total)
