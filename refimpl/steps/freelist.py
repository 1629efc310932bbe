"""A first-fit free list over one buffer, as pure steps. Source: Vais std/allocator, FreeListAllocator.

Preconditions, in bytes: `buffer` is at least 1 and of any alignment, `capacity` at most 2**63 - 1, and
`buffer + capacity` below 2**64; an alignment is a power of two, at most 2**63. Blocks start at multiples of 8; their
sizes are multiples of 8, and at least 32.

A free block begins with its size, header included, and the address of the next free block, 0 at the end. A live block
has its header of 16 bytes directly in front of the payload: the size of the whole block, and the address at which it
starts.

What the source leaves open:

- `alloc` takes the first block, in list order, that holds the payload at its first aligned address. What is left behind
  the payload, and what is left in front where a larger alignment leaves a gap, becomes a free block of its own if it is
  at least 32 bytes and leaves as much; a smaller rest goes out with the block, and comes back with it. The parts stay
  where the block stood in the list, the front one first.
- `dealloc` is O(1): the block goes to the head of the list, and is never joined with its neighbours. With `coalesces`
  the list is in order of address instead, and `dealloc` walks to the block's place, O(n), and joins both neighbours:
  when everything is freed, the whole capacity is one block again.
- `allocated` counts live blocks whole: payloads, headers, and rests that went out with them. `remaining` is the
  capacity less that: the free blocks with their headers, and what no block can have (up to 7 bytes at either end of the
  buffer, or all of one that holds no block). It is approximate in that no single block need be so large.
- A block of 0 bytes has a header and an address of its own.
- What is refused changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from heaplaw.spec.event import Env, Event, Padding
from heaplaw.spec.history import Op, plain_env
from heaplaw.spec.layout import align_up
from heaplaw.spec.logic import Truth, Word, mod_pow2
from heaplaw.spec.protocols import Memory
from heaplaw.spec.shapes import Kind

from ..memory import zero
from .request import ALIGN, MAX_REQUEST_ALIGN, WORD, answered, extent

HEADER = 2 * WORD
"""Bytes of a header: size and next, or size and start."""
LEAST = 32
"""Bytes of the smallest block, header included."""
_ENV = replace(
    plain_env("freelist"),
    max_align=ALIGN,
    header=HEADER,
    padding=Padding.COUNTED,
    max_request_align=MAX_REQUEST_ALIGN,
    minimum=LEAST,
    most_cost=5,
    constant_alloc=False,
)


@dataclass(frozen=True)
class FreeListState:
    """The fields of Vais' FreeListAllocator, and which variant it is. Addresses and sizes in bytes."""

    buffer: Word
    capacity: Word
    free_list: Word
    """Address of the first free block; 0 when there is none."""
    allocated: Word
    """Bytes of the live blocks, headers and rests included."""
    coalesces: bool = False
    """The list is in order of address, and freed neighbours are joined."""

    @property
    def remaining(self) -> Word:
        """Bytes that are not handed out, free blocks' headers included."""
        return self.capacity - self.allocated

    @property
    def env(self) -> Env:
        """What is constant over the allocator's life."""
        return replace(
            _ENV,
            base=self.buffer,
            capacity=self.capacity,
            remaining=self.capacity,
            total=0,
            coalesces=self.coalesces,
            constant_free=not self.coalesces,
        )


@dataclass(frozen=True)
class Place:
    """A place in the list: between the free block `before` (0: the head) and `block` (0: the end)."""

    before: Word
    block: Word


def size_of(block: Word, memory: Memory) -> Word:
    """Bytes of the free block at `block`."""
    return memory.read(block)


def next_of(block: Word, memory: Memory) -> Word:
    """The free block after the one at `block`; 0 at the end."""
    return memory.read(block + WORD)


def write_block(block: Word, size: Word, following: Word, memory: Memory) -> None:
    """Make the `size` bytes at `block` a free block in front of `following`."""
    memory.write(block, size)
    memory.write(block + WORD, following)


def link(state: FreeListState, before: Word, block: Word, memory: Memory) -> FreeListState:
    """Make `block` the one after `before`, or the head where that is 0."""
    if before == 0:
        return replace(state, free_list=block)
    memory.write(before + WORD, block)
    return state


def init(buffer: Word, capacity: Word, memory: Memory, coalesces: bool = False) -> FreeListState:
    """A list of one free block: the whole words of the buffer, where these are 32 bytes at least. O(1)."""
    empty = FreeListState(buffer, capacity, 0, 0, coalesces)
    lead = align_up(buffer, WORD) - buffer
    if capacity < lead + LEAST:
        return empty
    whole = capacity - lead
    write_block(buffer + lead, whole - mod_pow2(whole, WORD), 0, memory)
    return replace(empty, free_list=buffer + lead)


# ------------------------------------------------------------------------------------------------- allocate


def lead_of(block: Word, align: Word) -> Word:
    """Bytes from the start of a block to its first multiple of `align` that has a header before it."""
    return align_up(block + HEADER, align) - block


def visit(place: Place, size: Word, align: Word, memory: Memory) -> tuple[Truth, Place]:
    """Whether the block at `place` holds `size` bytes at a multiple of `align`, and the next place: one turn of the
    walk. Two reads.
    """
    room, onward = size_of(place.block, memory), Place(place.block, next_of(place.block, memory))
    if size > room:  # most of a long list are fragments: a glance is enough
        return False, onward
    lead = lead_of(place.block, align)
    if lead > room:
        return False, onward
    return size <= room - lead, onward


def take(
    state: FreeListState, place: Place, size: Word, align: Word, following: Word, memory: Memory
) -> tuple[FreeListState, Word]:
    """Hand out the block at `place`, in front of `following`, which holds the request; its payload's address.

    O(1): one read, six writes at most.
    """
    start, room, lead, before = place.block, size_of(place.block, memory), lead_of(place.block, align), place.before
    payload, gap = start + lead, lead - HEADER
    split_front = False
    if gap >= LEAST:
        split_front = room - gap >= LEAST
    if split_front:
        before, start, room, lead = start, start + gap, room - gap, HEADER
    taken = max(lead + align_up(size, WORD), LEAST)
    if room - taken >= LEAST:
        write_block(start + taken, room - taken, following, memory)
        following = start + taken
    else:
        taken = room
    after = link(state, before, following, memory)
    if split_front:
        memory.write(before, gap)
    memory.write(payload - HEADER, taken)
    memory.write(payload - WORD, start)
    return replace(after, allocated=after.allocated + taken), payload


def alloc(state: FreeListState, size: Word, align: Word, memory: Memory) -> tuple[FreeListState, Word]:
    """Take `size` bytes at a multiple of `align` out of the first block that holds them: O(n) in the free blocks.

    The payload's address, 0 where no block does.
    """
    place = Place(0, state.free_list)
    while place.block != 0:
        fits, onward = visit(place, size, align, memory)
        if fits:
            return take(state, place, size, align, onward.block, memory)
        place = onward
    return state, 0


def alloc_zeroed(state: FreeListState, size: Word, align: Word, memory: Memory) -> tuple[FreeListState, Word]:
    """As `alloc`, the block's bytes being 0: O(n + size)."""
    after, block = alloc(state, size, align, memory)
    if block != 0:
        zero(memory, block, size)
    return after, block


# ----------------------------------------------------------------------------------------------------- free


def usable(ptr: Word, memory: Memory) -> Word:
    """Bytes from the live payload at `ptr` to its block's end."""
    start, size = memory.read(ptr - WORD), memory.read(ptr - HEADER)
    return size - (ptr - start)


def push(state: FreeListState, block: Word, size: Word, memory: Memory) -> FreeListState:
    """Put a block that is in no list at the head: O(1), two writes."""
    write_block(block, size, state.free_list, memory)
    return replace(state, free_list=block)


def pass_by(place: Place, block: Word, memory: Memory) -> tuple[Truth, Place]:
    """Whether `block` belongs at `place`, in order of address, and the next place: one turn of the walk. One read."""
    if place.block > block:
        return True, place
    return False, Place(place.block, next_of(place.block, memory))


def join(state: FreeListState, place: Place, block: Word, size: Word, memory: Memory) -> FreeListState:
    """Put a block that is in no list at `place`, joined with the neighbours that touch it.

    O(1): three reads and three writes at most.
    """
    following = place.block
    if following == block + size:
        size, following = size + size_of(place.block, memory), next_of(place.block, memory)
    if place.before != 0:
        below = size_of(place.before, memory)
        if block == place.before + below:
            write_block(place.before, below + size, following, memory)
            return state
    write_block(block, size, following, memory)
    return link(state, place.before, block, memory)


def insert(state: FreeListState, block: Word, size: Word, memory: Memory) -> FreeListState:
    """Put a block that is in no list at its place in order of address: O(n) in the free blocks."""
    place = Place(0, state.free_list)
    while place.block != 0:
        here, place = pass_by(place, block, memory)
        if here:
            break
    return join(state, place, block, size, memory)


def dealloc(state: FreeListState, ptr: Word, memory: Memory) -> FreeListState:
    """Put the block of a live payload back into the list: O(1), and O(n) where blocks are joined.

    `ptr` must be live: the steps cannot tell; the class that users hold checks.
    """
    block, size = memory.read(ptr - WORD), memory.read(ptr - HEADER)
    less = replace(state, allocated=state.allocated - size)
    return insert(less, block, size, memory) if state.coalesces else push(less, block, size, memory)


# ------------------------------------------------------------------------------------------------ the steps


def step(state: FreeListState, op: Op, ptr: Word, memory: Memory) -> tuple[FreeListState, Event]:
    """Carry out ALLOC (aligned to 8), ZALLOC (likewise), ALIGNED, or FREE of the block at `ptr`; ValueError for any
    other kind.
    """
    block: Word = 0
    if op.kind == Kind.ALLOC:
        after, block = alloc(state, op.size, ALIGN, memory)
    elif op.kind == Kind.ZALLOC:
        after, block = alloc_zeroed(state, extent(op.count, op.size), ALIGN, memory)
    elif op.kind == Kind.ALIGNED:
        after, block = alloc(state, op.size, op.align, memory)
    elif op.kind == Kind.FREE:
        after = dealloc(state, ptr, memory)
        return after, answered(op, True, 0, after.remaining, after.allocated, after.env)
    else:
        raise ValueError(f"a free list has no operation {op.kind!r}")
    if block == 0:
        return after, answered(op, False, 0, after.remaining, after.allocated, after.env)
    room = usable(block, memory)
    return after, answered(op, True, block, after.remaining, after.allocated, after.env, usable=room)


def free_blocks(state: FreeListState, memory: Memory) -> Sequence[tuple[int, int]]:
    """Addresses and sizes of the free blocks, in list order; stops after as many as there can be, so that a cycle shows
    as a repeat.
    """
    found: list[tuple[int, int]] = []
    block = int(state.free_list)
    while block != 0 and len(found) <= state.capacity // LEAST:
        found.append((block, int(size_of(block, memory))))
        block = int(next_of(block, memory))
    return found
