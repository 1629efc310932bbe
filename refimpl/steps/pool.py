"""A pool of fixed-size blocks with an intrusive LIFO free list, as pure steps. Source: Vais std/allocator,
PoolAllocator.

Parameters: `buffer` (address, multiple of 8, at least 8), `block_size` (bytes, rounded up to a multiple of 8, at least
8), `num_blocks`. Precondition: the buffer with all blocks, of the rounded size, ends at or below 2**64. State: see
`PoolState`. Each free block's first word holds the address of the next free block, 0 at the end.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from heaplaw.spec.event import Env, Event, Status
from heaplaw.spec.history import Op
from heaplaw.spec.layout import align_up
from heaplaw.spec.logic import Truth, Word, ite
from heaplaw.spec.protocols import Memory
from heaplaw.spec.shapes import Kind

WORD = 8
"""Bytes of a free-list link, and so the least block size."""


@dataclass(frozen=True)
class PoolState:
    """The fields of Vais' PoolAllocator. Addresses and sizes in bytes."""

    buffer: Word
    block_size: Word
    num_blocks: Word
    free_list: Word
    """Address of the first free block; 0 when the pool is full."""
    num_free: Word

    @property
    def capacity(self) -> Word:
        """Bytes of the buffer."""
        return self.block_size * self.num_blocks

    @property
    def env(self) -> Env:
        """What is constant over the pool's life."""
        return Env(WORD, False, self.buffer, self.capacity, self.block_size, self.num_blocks, most_cost=1)


def rounded(block_size: Word) -> Word:
    """The block size that a pool really uses: a multiple of 8, at least 8 bytes."""
    return ite(block_size <= WORD, WORD, align_up(block_size, WORD))


def thread(state: PoolState, index: Word, memory: Memory) -> PoolState:
    """Put block `index`, never threaded before, at the head of the free list: one turn of `thread_all`'s loop."""
    block = state.buffer + index * state.block_size
    memory.write(block, state.free_list)
    return replace(state, free_list=block, num_free=state.num_free + 1)


def thread_all(state: PoolState, blocks: Word, memory: Memory) -> PoolState:
    """Put the first `blocks` blocks of the buffer, never threaded before, on top of the free list: the one at `buffer`
    is handed out first. O(blocks).
    """
    full = state.num_free + blocks
    while state.num_free < full:
        state = thread(state, full - state.num_free - 1, memory)
    return state


def init(buffer: Word, block_size: Word, num_blocks: Word, memory: Memory) -> PoolState:
    """A pool with every block free; the first block handed out is the one at `buffer`. O(num_blocks)."""
    return thread_all(PoolState(buffer, rounded(block_size), num_blocks, 0, 0), num_blocks, memory)


def alloc(state: PoolState, memory: Memory) -> tuple[PoolState, Word]:
    """Take the first free block: O(1), one read. Its address, 0 when the pool is full."""
    if state.num_free == 0:
        return state, 0
    block = state.free_list
    return replace(state, free_list=memory.read(block), num_free=state.num_free - 1), block


def dealloc(state: PoolState, ptr: Word, memory: Memory) -> PoolState:
    """Put a live block back at the head of the free list: O(1), one write.

    `ptr` must be a live block: a header-less pool cannot tell in O(1); the class that users hold checks.
    """
    memory.write(ptr, state.free_list)
    return replace(state, free_list=ptr, num_free=state.num_free + 1)


def event(state: PoolState, kind: Kind, ptr: Word, served: Truth, held: Word = 0) -> Event:
    """What came of an operation, with the pool's counters after it."""
    return Event(
        kind,
        state.block_size if kind == Kind.ALLOC else 0,
        status=Status.OK if served else Status.FAILED,
        held=held,
        ptr=ptr,
        num_free=state.num_free,
        num_allocated=state.num_blocks - state.num_free,
        env=state.env,
    )


def step(state: PoolState, op: Op, ptr: Word, memory: Memory) -> tuple[PoolState, Event]:
    """Carry out ALLOC, or FREE of the block at `ptr`; ValueError for any other kind."""
    if op.kind == Kind.ALLOC:
        after, block = alloc(state, memory)
        return after, event(after, Kind.ALLOC, block, block != 0)
    if op.kind == Kind.FREE:
        after = dealloc(state, ptr, memory)
        return after, event(after, Kind.FREE, 0, True, state.block_size)
    raise ValueError(f"a pool has no operation {op.kind!r}")


def free_blocks(state: PoolState, memory: Memory) -> Sequence[int]:
    """Addresses of the free blocks, in list order; stops after `num_blocks` so that a cycle shows as a repeat."""
    found: list[int] = []
    block = int(state.free_list)
    while block != 0 and len(found) <= state.num_blocks:
        found.append(block)
        block = int(memory.read(block))
    return found
