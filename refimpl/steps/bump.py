"""A bump allocator over one buffer, as pure steps: blocks follow each other upwards and end all at once. Source: Vais
std/allocator, BumpAllocator.

Preconditions, in bytes: `buffer` is at least 1 and of any alignment, `capacity` at most 2**63 - 1, and
`buffer + capacity` below 2**64; an alignment is a power of two, at most 2**63. No step has a loop or touches memory,
except that `alloc_zeroed` zeroes the block.

What the source leaves open:

- `allocated` counts what is taken from the buffer since the last reset, padding included: `remaining` and
  `total_allocated` always add up to the capacity, and after a reset all is as at first.
- A block is aligned by its address, whatever the buffer's own alignment is; padding comes in front of it.
- A block of 0 bytes is served where its padding fits, takes nothing more, and may share its address with the next.
- What is refused changes nothing.
"""

from dataclasses import dataclass, replace

from heaplaw.spec.event import Direction, Env, Event, Padding
from heaplaw.spec.history import Op, plain_env
from heaplaw.spec.layout import align_up
from heaplaw.spec.logic import Word
from heaplaw.spec.protocols import Memory
from heaplaw.spec.shapes import Kind

from ..memory import zero
from .request import ALIGN, MAX_REQUEST_ALIGN, answered, extent

_ENV = replace(
    plain_env("bump"),
    max_align=ALIGN,
    direction=Direction.UP,
    padding=Padding.COUNTED,
    max_request_align=MAX_REQUEST_ALIGN,
)


@dataclass(frozen=True)
class BumpState:
    """The fields of Vais' BumpAllocator. Addresses and sizes in bytes."""

    buffer: Word
    capacity: Word
    offset: Word
    """Where the next block's padding begins, from the buffer's start."""
    allocated: Word
    """Bytes taken since the last reset, padding included: always `offset`."""

    @property
    def remaining(self) -> Word:
        """Bytes behind the last block."""
        return self.capacity - self.offset

    @property
    def total_allocated(self) -> Word:
        """`allocated`, by the name that the counter has everywhere."""
        return self.allocated

    @property
    def env(self) -> Env:
        """What is constant over the allocator's life."""
        return replace(_ENV, base=self.buffer, capacity=self.capacity, remaining=self.capacity, total=0)


def init(buffer: Word, capacity: Word, memory: Memory) -> BumpState:
    """An allocator with nothing taken. O(1); memory is left as it is."""
    return BumpState(buffer, capacity, 0, 0)


def alloc(state: BumpState, size: Word, align: Word) -> tuple[BumpState, Word]:
    """Take the next `size` bytes at a multiple of `align`: O(1). The block's address, 0 where they do not fit."""
    top, left = state.buffer + state.offset, state.remaining
    padding = align_up(top, align) - top
    if padding > left:
        return state, 0
    if size > left - padding:
        return state, 0
    taken = padding + size
    return replace(state, offset=state.offset + taken, allocated=state.allocated + taken), top + padding


def alloc_zeroed(state: BumpState, size: Word, align: Word, memory: Memory) -> tuple[BumpState, Word]:
    """As `alloc`, the block's bytes being 0: O(size)."""
    after, block = alloc(state, size, align)
    if block != 0:
        zero(memory, block, size)
    return after, block


def reset(state: BumpState) -> BumpState:
    """End all blocks: O(1). Their bytes stay as they are."""
    return replace(state, offset=0, allocated=0)


def step(state: BumpState, op: Op, ptr: Word, memory: Memory) -> tuple[BumpState, Event]:
    """Carry out ALLOC (aligned to 8), ZALLOC (likewise), ALIGNED or RESET; ValueError for any other kind."""
    block: Word = 0
    if op.kind == Kind.ALLOC:
        after, block = alloc(state, op.size, ALIGN)
    elif op.kind == Kind.ZALLOC:
        after, block = alloc_zeroed(state, extent(op.count, op.size), ALIGN, memory)
    elif op.kind == Kind.ALIGNED:
        after, block = alloc(state, op.size, op.align)
    elif op.kind == Kind.RESET:
        after = reset(state)
    else:
        raise ValueError(f"a bump allocator has no operation {op.kind!r}")
    served = True if op.kind == Kind.RESET else block != 0
    return after, answered(op, served, block, after.remaining, after.allocated, after.env)
