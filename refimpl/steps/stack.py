"""A stack over one buffer, as pure steps: the newest block ends first. Source: Vais std/allocator, StackAllocator.

Preconditions, in bytes: `buffer` is at least 1 and of any alignment, `capacity` at most 2**63 - 1, and
`buffer + capacity` below 2**64; an alignment is a power of two, at most 2**63. No step has a loop; `alloc` writes one
word, `pop` reads one.

The stack is a chain of *frames*, each from where the top was to where it is after an allocation: up to 7 bytes, so that
the header's address is a multiple of 8; the header of 8 bytes; padding up to the alignment, none where that is 8 or
less; the payload. Where the newest frame starts is `prev_offset`; its header holds where the frame below it starts.

What the source leaves open:

- The header stands in front of the padding: directly in front of the payload only where that is aligned to 8 or less.
  So the header is found from where the frame starts, its one word is enough, and a pop brings both offsets back
  exactly, at any depth and whatever the padding was. (Directly in front of every payload, one word cannot do that:
  where the frame below starts, and where this one did, are two numbers.)
- Popping an empty stack is served and changes nothing. A stack is empty when `offset` is 0.
- `remaining` is what lies behind the top. It and `total_allocated`, which counts headers and padding, add up to the
  capacity.
- A block of 0 bytes has a frame and an address of its own, and is popped like any other.
- What is refused changes nothing.
"""

from dataclasses import dataclass, replace

from heaplaw.spec.event import Env, Event, Padding
from heaplaw.spec.history import Op, plain_env
from heaplaw.spec.layout import align_up
from heaplaw.spec.logic import Word
from heaplaw.spec.protocols import Memory
from heaplaw.spec.shapes import Kind

from ..memory import zero
from .request import ALIGN, MAX_REQUEST_ALIGN, WORD, answered, extent

HEADER = WORD
"""Bytes of a header."""
_ENV = replace(
    plain_env("stack"),
    max_align=ALIGN,
    header=HEADER + WORD - 1,  # and what aligns it
    padding=Padding.COUNTED,
    max_request_align=MAX_REQUEST_ALIGN,
    most_cost=1,
)


@dataclass(frozen=True)
class StackState:
    """The fields of Vais' StackAllocator. Addresses and sizes in bytes."""

    buffer: Word
    capacity: Word
    offset: Word
    """The top: where the next frame starts, from the buffer's start."""
    prev_offset: Word
    """Where the newest frame starts; 0 when there is none."""

    @property
    def allocated(self) -> Word:
        """Bytes of all frames: payloads, headers and padding."""
        return self.offset

    @property
    def remaining(self) -> Word:
        """Bytes behind the top."""
        return self.capacity - self.offset

    @property
    def env(self) -> Env:
        """What is constant over the stack's life."""
        return replace(_ENV, base=self.buffer, capacity=self.capacity, remaining=self.capacity, total=0)


def init(buffer: Word, capacity: Word, memory: Memory) -> StackState:
    """An empty stack. O(1); memory is left as it is."""
    return StackState(buffer, capacity, 0, 0)


def header_of(state: StackState, frame: Word) -> Word:
    """Address of the header of the frame that starts at the offset `frame`."""
    return align_up(state.buffer + frame, WORD)


def alloc(state: StackState, size: Word, align: Word, memory: Memory) -> tuple[StackState, Word]:
    """Push a block of `size` bytes at a multiple of `align`: O(1). Its address, 0 where it does not fit."""
    top, left = state.buffer + state.offset, state.remaining
    lead = header_of(state, state.offset) - top + HEADER
    if lead > left:
        return state, 0
    behind = top + lead
    padding = align_up(behind, align) - behind
    if padding > left - lead:
        return state, 0
    if size > left - lead - padding:
        return state, 0
    memory.write(behind - HEADER, state.prev_offset)
    after = replace(state, offset=state.offset + lead + padding + size, prev_offset=state.offset)
    return after, behind + padding


def alloc_zeroed(state: StackState, size: Word, align: Word, memory: Memory) -> tuple[StackState, Word]:
    """As `alloc`, the block's bytes being 0: O(size)."""
    after, block = alloc(state, size, align, memory)
    if block != 0:
        zero(memory, block, size)
    return after, block


def pop(state: StackState, memory: Memory) -> StackState:
    """End the newest block, and with it its frame: O(1), one read. An empty stack stays as it is."""
    if state.offset == 0:
        return state
    below = memory.read(header_of(state, state.prev_offset))
    return replace(state, offset=state.prev_offset, prev_offset=below)


def reset(state: StackState) -> StackState:
    """End all blocks: O(1)."""
    return replace(state, offset=0, prev_offset=0)


def step(state: StackState, op: Op, ptr: Word, memory: Memory) -> tuple[StackState, Event]:
    """Carry out ALLOC (aligned to 8), ZALLOC (likewise), ALIGNED, POP (of the newest block; `ptr` says nothing) or
    RESET; ValueError for any other kind.
    """
    block: Word = 0
    if op.kind == Kind.ALLOC:
        after, block = alloc(state, op.size, ALIGN, memory)
    elif op.kind == Kind.ZALLOC:
        after, block = alloc_zeroed(state, extent(op.count, op.size), ALIGN, memory)
    elif op.kind == Kind.ALIGNED:
        after, block = alloc(state, op.size, op.align, memory)
    elif op.kind == Kind.POP:
        after = pop(state, memory)
    elif op.kind == Kind.RESET:
        after = reset(state)
    else:
        raise ValueError(f"a stack has no operation {op.kind!r}")
    served = True if op.kind in (Kind.POP, Kind.RESET) else block != 0
    return after, answered(op, served, block, after.remaining, after.allocated, after.env)
