"""An arena that grows by chunks, with marks, as pure steps. Source: the allocator system, Arena; glibc's obstacks.

Parameters: `chunk_size` (bytes of an ordinary chunk, header included, a multiple of 16). State: see `ArenaState`.
Memory: `Chunks`, words and where chunks come from. A chunk begins with a header of four words, which is the state
that the arena was in before it took the chunk: its newest chunk, that one's top and end, and the total. So the
state is bounded, and giving the newest chunk back restores exactly what was before. Blocks follow, upwards; what
is left of a chunk that a request did not fit into is lost until the next chunk is given back. A request that no
ordinary chunk could hold gets a chunk of its own.

A mark is a word: the top at that moment (0 before the first chunk). Blocks begin above their chunk's header, so
no address is in two chunks. A reset keeps the oldest chunk, whatever its size, and gives the others back; a
release gives back every chunk taken since its mark.

Preconditions, in bytes: `chunk_size` is at most 2**63; an alignment is a power of two, at most 2**63; what the parent
lends is as `Chunks.take` says.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from heaplaw.spec.event import Env, Event, Padding, Zero
from heaplaw.spec.history import Op
from heaplaw.spec.layout import MAX_ALIGN, PTRDIFF_MAX, align_up
from heaplaw.spec.logic import Truth, Word, ite, mod_pow2, neg
from heaplaw.spec.protocols import Memory
from heaplaw.spec.shapes import Kind

from ..memory import zero
from .request import WORD, answered, extent

HEADER = 32
"""Bytes of a chunk's header: four words, and a multiple of 16, so that the first block is aligned."""
LARGEST = PTRDIFF_MAX - HEADER
"""No request, with the padding before it, is larger, bytes."""


class Chunks(Memory, Protocol):
    """Words, and the parent that chunks come from."""

    def take(self, size: Word) -> Word:
        """The address, a multiple of 16, of `size` bytes (a multiple of 16) that end below 2**64, none of them lent
        already; 0: there are none.
        """
        ...

    def give(self, address: Word, size: Word) -> None:
        """Give a chunk back, with the size that it was taken with."""
        ...


@dataclass(frozen=True)
class ArenaState:
    """Addresses and sizes in bytes; before the first chunk `chunk`, `top` and `end` are 0."""

    chunk_size: Word
    chunk: Word
    """Address of the newest chunk."""
    top: Word
    """One past the newest block: where the next one may begin."""
    end: Word
    """One past the newest chunk."""
    total: Word
    """Bytes handed out and not taken back, padding before blocks included."""

    @property
    def env(self) -> Env:
        """What is constant over the arena's life."""
        return Env(
            MAX_ALIGN,
            False,
            header=HEADER,
            zero_size=Zero.UNIQUE,
            padding=Padding.COUNTED,
            aligned_multiple=False,
            most_cost=4,
        )


def init(chunk_size: Word) -> ArenaState:
    """An arena that holds nothing; chunks have `chunk_size` bytes, rounded up to a multiple of 16, at least 48."""
    rounded, least = align_up(chunk_size, MAX_ALIGN), HEADER + MAX_ALIGN
    return ArenaState(ite(rounded < least, least, rounded), 0, 0, 0, 0)


def padding(address: Word, align: Word) -> Word:
    """Bytes from `address` up to the next multiple of `align`, a power of two. Nothing wraps: it is below `align`."""
    excess = mod_pow2(address, align)
    return align_up(excess, align) - excess


def fits(state: ArenaState, size: Word, align: Word) -> Truth:
    """`size` bytes (at least 1) aligned to `align` fit between the top and the end of the newest chunk."""
    gap, room = padding(state.top, align), state.end - state.top
    if gap > room:
        return False
    return size <= room - gap


def bump(state: ArenaState, size: Word, align: Word) -> tuple[ArenaState, Word]:
    """Hand out what `fits` says fits; its address."""
    gap = padding(state.top, align)
    block = state.top + gap
    return replace(state, top=block + size, total=state.total + gap + size), block


def chunk_for(state: ArenaState, size: Word, align: Word) -> Word:
    """Bytes of a chunk in which the block surely fits; 0 when no object can be so large."""
    if align > LARGEST:
        return 0
    slack = ite(align > MAX_ALIGN, align - MAX_ALIGN, 0)
    if size > LARGEST - slack:
        return 0
    needed = align_up(HEADER + slack + size, MAX_ALIGN)
    return ite(needed > state.chunk_size, needed, state.chunk_size)


def grow(state: ArenaState, size: Word, memory: Chunks) -> ArenaState:
    """Take a chunk of `size` bytes from the parent and store the state in its header; as it was when there is none."""
    chunk = memory.take(size)
    if chunk == 0:
        return state
    memory.write(chunk, state.chunk)
    memory.write(chunk + WORD, state.top)
    memory.write(chunk + 2 * WORD, state.end)
    memory.write(chunk + 3 * WORD, state.total)
    return replace(state, chunk=chunk, top=chunk + HEADER, end=chunk + size)


def saved(state: ArenaState, memory: Memory) -> ArenaState:
    """The state in the newest chunk's header: the one before it was taken."""
    return ArenaState(
        state.chunk_size,
        memory.read(state.chunk),
        memory.read(state.chunk + WORD),
        memory.read(state.chunk + 2 * WORD),
        memory.read(state.chunk + 3 * WORD),
    )


def shrink(state: ArenaState, memory: Chunks) -> ArenaState:
    """Give the newest chunk back, with all blocks in it: one turn of release's and reset's loops. Undoes `grow`."""
    before = saved(state, memory)
    memory.give(state.chunk, state.end - state.chunk)
    return before


def alloc(state: ArenaState, size: Word, align: Word, memory: Chunks) -> tuple[ArenaState, Word]:
    """`size` bytes aligned to `align`, a power of two; 0 when the parent has no chunk. A size of 0 takes 1 byte.

    O(1): at most one chunk is taken. A refusal changes nothing.
    """
    wanted = ite(size == 0, 1, size)
    if fits(state, wanted, align):
        return bump(state, wanted, align)
    chunk_size = chunk_for(state, wanted, align)
    if chunk_size == 0:
        return state, 0
    grown = grow(state, chunk_size, memory)
    if grown.chunk == state.chunk:
        return state, 0
    return bump(grown, wanted, align)


def alloc_zeroed(state: ArenaState, size: Word, align: Word, memory: Chunks) -> tuple[ArenaState, Word]:
    """As `alloc`, the block's bytes being 0: O(size)."""
    after, block = alloc(state, size, align, memory)
    if block != 0:
        zero(memory, block, size)
    return after, block


def within(state: ArenaState, mark: Word) -> Truth:
    """The mark was taken in the newest chunk, at or below the top."""
    return (mark >= state.chunk + HEADER) & (mark <= state.top)


def cut(state: ArenaState, mark: Word) -> ArenaState:
    """Take back what was handed out above a mark of the newest chunk: the last turn of a release."""
    return replace(state, top=mark, total=state.total - (state.top - mark))


def release(state: ArenaState, mark: Word, memory: Chunks) -> ArenaState:
    """Take back all that was handed out since `mark`, which must be one that no release or reset has ended.

    O(chunks taken since). Of a foreign mark the steps cannot tell: the class that users hold checks.
    """
    while state.chunk != 0:
        if within(state, mark):
            return cut(state, mark)
        state = shrink(state, memory)
    return state


def oldest(state: ArenaState, memory: Memory) -> Truth:
    """The newest chunk is the only one, or there is none."""
    if state.chunk == 0:
        return True
    return memory.read(state.chunk) == 0


def reset(state: ArenaState, memory: Chunks) -> ArenaState:
    """Take everything back, and give all chunks but the oldest back. O(chunks)."""
    while neg(oldest(state, memory)):
        state = shrink(state, memory)
    if state.chunk == 0:
        return state
    return cut(state, state.chunk + HEADER)


def drop(state: ArenaState, memory: Chunks) -> ArenaState:
    """Take everything back, and give all chunks back: as after `init`. O(chunks)."""
    while state.chunk != 0:
        state = shrink(state, memory)
    return state


def event(state: ArenaState, op: Op, ptr: Word, served: Truth) -> Event:
    """What came of an operation, with the arena's counters after it."""
    return answered(op, served, ptr, state.end - state.top, state.total, state.env)


def step(state: ArenaState, op: Op, ptr: Word, memory: Chunks) -> tuple[ArenaState, Event]:
    """Carry out ALLOC (aligned to 16), ALIGNED, ZALLOC, RESET, MARK (the event's `ptr` is the mark), or RELEASE of the
    mark `ptr`; ValueError for any other kind.
    """
    if op.kind == Kind.MARK:
        return state, event(state, op, state.top, True)
    if op.kind == Kind.RELEASE:
        after = release(state, ptr, memory)
        return after, event(after, op, 0, True)
    if op.kind == Kind.RESET:
        after = reset(state, memory)
        return after, event(after, op, 0, True)
    if op.kind == Kind.ALLOC:
        after, block = alloc(state, op.size, MAX_ALIGN, memory)
    elif op.kind == Kind.ALIGNED:
        after, block = alloc(state, op.size, op.align, memory)
    elif op.kind == Kind.ZALLOC:
        after, block = alloc_zeroed(state, extent(op.count, op.size), MAX_ALIGN, memory)
    else:
        raise ValueError(f"an arena has no operation {op.kind!r}")
    return after, event(after, op, block, block != 0)


def sound(state: ArenaState, memory: Memory, taken: int) -> bool:
    """Tops lie in their chunks, the totals count what lies below them, all chunks have `taken` bytes together, and
    where no chunk is left nothing is. O(chunks), on plain integers.
    """
    held = 0
    while state.chunk != 0:
        before = saved(state, memory)
        held += int(state.end - state.chunk)
        inside = state.chunk + HEADER <= state.top <= state.end
        if held > taken or not inside or state.total - before.total != state.top - state.chunk - HEADER:
            return False
        state = before
    return held == taken and state == init(int(state.chunk_size))


def chunks(state: ArenaState, memory: Memory) -> Sequence[tuple[int, int]]:
    """Address and end of each chunk that is held, newest first; stops at a repeat, so that a cycle ends."""
    found: list[tuple[int, int]] = []
    chunk, end = int(state.chunk), int(state.end)
    while chunk != 0 and (chunk, end) not in found:
        found.append((chunk, end))
        chunk, end = int(memory.read(chunk)), int(memory.read(chunk + 2 * WORD))
    return found
