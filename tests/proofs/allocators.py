"""Small allocators as pure steps, right ones, for tests that break them."""

from dataclasses import dataclass, replace
from typing import Any

from heaplaw.spec.event import Block, Event, Status
from heaplaw.spec.history import Op
from heaplaw.spec.layout import align_up
from heaplaw.spec.logic import Truth, Word
from heaplaw.spec.shapes import Kind


@dataclass(frozen=True)
class Pair:
    """A buffer of two blocks of 32 bytes, or of none where it is too small."""

    buffer: Word
    capacity: Word
    block_size: Word
    num_blocks: Word
    first: Truth
    """The first block is handed out …"""
    second: Truth
    """… and the second."""

    @property
    def num_allocated(self) -> Word:
        """Blocks that are handed out."""
        return (1 if self.first else 0) + (1 if self.second else 0)

    @property
    def num_free_blocks(self) -> Word:
        """Blocks that are not."""
        return self.num_blocks - self.num_allocated


class TwoBlocks:
    """A pool without a list."""

    def init(self, buffer: Word, capacity: Word, memory: Any) -> Pair:
        """Nothing is handed out."""
        return Pair(buffer, capacity, 32, 2 if capacity >= 64 else 0, False, False)

    def alloc(self, state: Pair) -> tuple[Pair, Word]:
        """The first block that is free."""
        if state.num_blocks == 0 or (state.first and state.second):
            return state, 0
        if not state.first:
            return replace(state, first=True), state.buffer
        return replace(state, second=True), state.buffer + 32

    def free(self, state: Pair, ptr: Word) -> Pair:
        """The block at `ptr` is free again."""
        return replace(state, first=False) if ptr == state.buffer else replace(state, second=False)

    def step(self, state: Pair, op: Op, ptr: Word, memory: Any) -> tuple[Pair, Event]:
        """ALLOC or FREE."""
        block, served = 0, True
        if op.kind == Kind.ALLOC:
            after, block = self.alloc(state)
            served = block != 0
        elif op.kind == Kind.FREE:
            after = self.free(state, ptr)
        else:
            raise ValueError(op.kind.name)
        status = Status.OK if served else Status.FAILED
        free, taken = after.num_free_blocks, after.num_allocated
        return after, Event(op.kind, 0, status=status, ptr=block, num_free=free, num_allocated=taken)

    def invariant(self, state: Pair) -> Truth:
        """Two blocks that fit, or none of which none is handed out."""
        if state.num_blocks == 0:
            return state.block_size == 32 and not state.first and not state.second
        return state.block_size == 32 and state.num_blocks == 2 and 64 <= state.capacity

    def owns(self, state: Pair, block: Block) -> Truth:
        """It is one of the two."""
        return (state.first & (block.ptr == state.buffer)) | (state.second & (block.ptr == state.buffer + 32))


@dataclass(frozen=True)
class Counted:
    """A bump's state, and how many blocks are live."""

    buffer: Word
    capacity: Word
    used: Word
    blocks: Word

    @property
    def remaining(self) -> Word:
        """Bytes behind the last block."""
        return self.capacity - self.used


class CountingBump:
    """All is free again when all blocks were freed. That is no free list: what was just freed is not served again."""

    def init(self, buffer: Word, capacity: Word, memory: Any) -> Counted:
        """Nothing is handed out."""
        return Counted(buffer, capacity, 0, 0)

    def alloc(self, state: Counted, size: Word) -> tuple[Counted, Word]:
        """The bytes behind the last block, from a multiple of 8 on."""
        top = state.buffer + state.used
        padding = align_up(top, 8) - top
        if padding > state.remaining or size > state.remaining - padding:
            return state, 0
        return replace(state, used=state.used + padding + size, blocks=state.blocks + 1), top + padding

    def free(self, state: Counted) -> Counted:
        """One block less; after the last one the buffer is as at first."""
        if state.blocks == 1:
            return replace(state, used=0, blocks=0)
        return replace(state, blocks=state.blocks - 1)

    def step(self, state: Counted, op: Op, ptr: Word, memory: Any) -> tuple[Counted, Event]:
        """ALLOC or FREE."""
        if op.kind == Kind.ALLOC:
            after, block = self.alloc(state, op.size)
            status = Status.OK if block != 0 else Status.FAILED
            return after, Event(op.kind, op.size, status=status, ptr=block, remaining=after.remaining)
        if op.kind == Kind.FREE:
            after = self.free(state)
            return after, Event(op.kind, 0, remaining=after.remaining)
        raise ValueError(op.kind.name)

    def invariant(self, state: Counted, live: Word) -> Truth:
        """What is taken lies in the buffer, and the count is right."""
        return (state.used <= state.capacity) & (state.blocks == live)

    def owns(self, state: Counted, block: Block) -> Truth:
        """It lies in what is taken."""
        return (block.ptr >= state.buffer) & (block.ptr + block.extent <= state.buffer + state.used)


SLOT = 64
"""Bytes of a slot."""


@dataclass(frozen=True)
class Slotted:
    """Slots of 64 bytes, and the one that was freed last."""

    buffer: Word
    capacity: Word
    taken: Word
    """Slots that were ever handed out."""
    spare: Word
    """Address of the one freed last; 0: it was handed out again."""


class LastFreed:
    """A free list of one: a slot for each block, and the slot freed last is handed out next. The others are lost."""

    def init(self, buffer: Word, capacity: Word, memory: Any) -> Slotted:
        """Nothing is handed out."""
        return Slotted(buffer, capacity, 0, 0)

    def base(self, state: Slotted) -> Word:
        """Where the first slot begins."""
        return align_up(state.buffer, 8)

    def alloc(self, state: Slotted, size: Word) -> tuple[Slotted, Word]:
        """The slot freed last, or the next one that was never handed out."""
        if size == 0 or size > SLOT:
            return state, 0
        if state.spare != 0:
            return replace(state, spare=0), state.spare
        used = self.base(state) - state.buffer + SLOT * state.taken
        if used > state.capacity or state.capacity - used < SLOT:
            return state, 0
        return replace(state, taken=state.taken + 1), state.buffer + used

    def free(self, state: Slotted, ptr: Word) -> Slotted:
        """The slot at `ptr` is free, and none else."""
        return replace(state, spare=ptr)

    def step(self, state: Slotted, op: Op, ptr: Word, memory: Any) -> tuple[Slotted, Event]:
        """ALLOC or FREE."""
        if op.kind == Kind.ALLOC:
            after, block = self.alloc(state, op.size)
            return after, Event(op.kind, op.size, status=Status.OK if block != 0 else Status.FAILED, ptr=block)
        if op.kind == Kind.FREE:
            return self.free(state, ptr), Event(op.kind, 0)
        raise ValueError(op.kind.name)

    def slot(self, state: Slotted, address: Word) -> Truth:
        """At the address is a slot that was handed out."""
        base = self.base(state)
        return (address >= base) & (address - base <= SLOT * (state.taken - 1)) & ((address - base) % SLOT == 0)

    def invariant(self, state: Slotted) -> Truth:
        """The slots that were handed out lie in the buffer; the spare one is among them."""
        end = self.base(state) + SLOT * state.taken
        fits = (state.taken == 0) | (end <= state.buffer + state.capacity)
        return fits & ((state.spare == 0) | self.slot(state, state.spare))

    def owns(self, state: Slotted, block: Block) -> Truth:
        """It has a slot, which is not the spare one."""
        return self.slot(state, block.ptr) & (block.ptr != state.spare) & (block.extent >= 1) & (block.extent <= SLOT)
