"""Models of the reference allocators, each with what its user may ask, and with what must be reachable.

The steps may be replaced, to see a fault found.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from heaplaw.refimpl.memory import WORD
from heaplaw.refimpl.steps import arena, bump, freelist, pool, stack
from heaplaw.spec.event import Event
from heaplaw.spec.history import Op
from heaplaw.spec.layout import SIZE_MAX
from heaplaw.spec.protocols import Memory, Step
from heaplaw.spec.shapes import Kind

from ..live import Held
from ..reporting import Reporting
from .model import Goal, Model, Moment

BUFFER = 0x1000
"""Where an explored buffer starts; any other multiple of the largest alignment asked for gives the same states."""

HUGE = Op(Kind.ALLOC, SIZE_MAX - 7)
"""More than any object can have; added to what else is taken, it wraps."""


def sizes(least: int, most: int, step: int) -> tuple[int, ...]:
    """Sizes to ask for, bytes: every multiple of `step` from `least` to `most`."""
    return tuple(range(least, most + 1, step))


def settled(state: Any) -> Any:
    """The same state, with what is constant over the allocator's life worked out once."""
    there = state.__class__
    constant: Any = dataclass(frozen=True)(type(there.__name__, (there,), {"env": state.env}))
    return constant(**vars(state))


# ---- pools

POOL_GOALS: Mapping[str, Goal] = {
    "the pool fills": lambda before, e, after: len(after.live) == e.env.num_blocks,
    "a full pool refuses": lambda before, e, after: bool(e.failed) and len(before.live) == e.env.num_blocks,
    "the pool empties again": lambda before, e, after: len(before.live) > 0 and not after.live,
}


def pool_model(block_size: int, num_blocks: int, step: Step = pool.step, reports: bool = True) -> Model:
    """A pool whose user allocates and frees in every order. `reports`: what it costs is told, and judged."""
    size = pool.rounded(block_size)

    def init(memory: Memory) -> Any:
        return settled(pool.init(BUFFER, block_size, num_blocks, memory))

    def keeps(state: pool.PoolState, live: tuple[Held, ...], memory: Memory) -> Iterable[int]:
        return pool.free_blocks(state, memory)  # each begins with the link to the next

    env = pool.PoolState(BUFFER, size, num_blocks, 0, 0).env
    return Model(
        name="pool",
        shape="pool",
        env=env,
        start=BUFFER,
        end=BUFFER + size * num_blocks,
        init=init,
        step=Reporting(step, env) if reports else step,
        requests=(Op(Kind.ALLOC, size), Op(Kind.FREE)),
        keeps=keeps,
        goals=POOL_GOALS,
        bound=f"pools of {num_blocks} block{'s' * (num_blocks != 1)} of {size} bytes",
    )


# ---- bump allocators and stacks


def _padded(before: Moment, e: Event, after: Moment) -> bool:
    """The block does not begin where it would without an alignment."""
    return bool(e.makes) and e.kind == Kind.ALIGNED and after.state.offset - before.state.offset > e.size + 8


BUMP_GOALS: Mapping[str, Goal] = {
    "the last byte is handed out": lambda before, e, after: bool(e.makes) and after.state.remaining == 0,
    "a request is refused": lambda before, e, after: bool(e.failed),
    "an alignment costs padding": _padded,
    "a full buffer is reset": lambda before, e, after: e.kind == Kind.RESET and before.state.remaining == 0,
    "an empty buffer is reset": lambda before, e, after: e.kind == Kind.RESET and not before.live,
}
STACK_GOALS: Mapping[str, Goal] = {
    **BUMP_GOALS,
    "a pop at depth three": lambda before, e, after: e.kind == Kind.POP and len(before.live) == 3,
    "an empty stack is popped": lambda before, e, after: e.kind == Kind.POP and not before.live,
    "the stack empties by pops": lambda before, e, after: e.kind == Kind.POP and len(before.live) == 1,
}


def _regional(capacity: int, most: int, align: int, zeroed: bool) -> tuple[Op, ...]:
    """Requests of every multiple of 8 up to `most` bytes, some aligned, one zeroed; and resets."""
    return (
        *(Op(Kind.ALLOC, size) for size in sizes(8, min(most, capacity + 8), 8)),
        *(Op(Kind.ALIGNED, size, align=align) for size in (8, 24)),
        *((Op(Kind.ZALLOC, 8, count=2),) if zeroed else ()),
        HUGE,
        Op(Kind.RESET),
    )


def bump_model(capacity: int, most: int = 48, align: int = 32, step: Step = bump.step, reports: bool = True) -> Model:
    """A bump allocator: requests up to `most` bytes, some aligned to `align`, and one that never fits."""

    def init(memory: Memory) -> Any:
        return settled(bump.init(BUFFER, capacity, memory))

    def keeps(state: bump.BumpState, live: tuple[Held, ...], memory: Memory) -> Iterable[int]:
        return ()

    env = bump.BumpState(BUFFER, capacity, 0, 0).env
    return Model(
        name="bump",
        shape="bump",
        env=env,
        start=BUFFER,
        end=BUFFER + capacity,
        init=init,
        step=Reporting(step, env) if reports else step,
        requests=_regional(capacity, most, align, zeroed=True),
        keeps=keeps,
        goals=BUMP_GOALS,
        bound=f"{capacity} bytes, requests of multiples of 8 up to {most} bytes, two aligned to {align}",
    )


def stack_model(capacity: int, most: int = 48, align: int = 32, step: Step = stack.step, reports: bool = True) -> Model:
    """A stack: requests up to `most` bytes, some aligned to `align`, pops and resets."""

    def init(memory: Memory) -> Any:
        return settled(stack.init(BUFFER, capacity, memory))

    def keeps(state: stack.StackState, live: tuple[Held, ...], memory: Memory) -> Iterable[int]:
        found: list[int] = []
        frame, depth = state.prev_offset, len(live)
        while depth > 0 and state.offset > 0:
            found.append(stack.header_of(state, frame))
            frame, depth = memory.read(found[-1]), depth - 1
        return found

    env = stack.StackState(BUFFER, capacity, 0, 0).env
    return Model(
        name="stack",
        shape="stack",
        env=env,
        start=BUFFER,
        end=BUFFER + capacity,
        init=init,
        step=Reporting(step, env) if reports else step,
        requests=(*_regional(capacity, most, align, zeroed=True), Op(Kind.POP)),
        keeps=keeps,
        goals=STACK_GOALS,
        bound=f"{capacity} bytes, requests of multiples of 8 up to {most} bytes, two aligned to {align}",
    )


# ---- free lists


@dataclass(frozen=True)
class Nodes:
    """The free blocks, in list order: addresses and sizes."""

    blocks: tuple[tuple[int, int], ...]

    @property
    def room(self) -> int:
        """Bytes of all of them."""
        return sum(size for _, size in self.blocks)


def _nodes(state: freelist.FreeListState, memory: Memory) -> Nodes:
    return Nodes(tuple(freelist.free_blocks(state, memory)))


def _splits(before: Moment, e: Event, after: Moment) -> bool:
    return bool(e.makes) and len(after.seen.blocks) >= len(before.seen.blocks)


def _whole(before: Moment, e: Event, after: Moment) -> bool:
    return bool(e.makes) and len(after.seen.blocks) < len(before.seen.blocks)


def _rest(before: Moment, e: Event, after: Moment) -> bool:
    """A rest too small for a block of its own goes out with the block."""
    return bool(e.makes) and before.seen.room - after.seen.room > max(freelist.LEAST, e.size + freelist.HEADER)


def _front_split(before: Moment, e: Event, after: Moment) -> bool:
    """What lies in front of an aligned block stays on the list."""
    starts = {address for address, _ in before.seen.blocks}
    ends = {address: address + size for address, size in after.seen.blocks}
    return bool(e.makes) and any(at in starts and end == e.ptr - freelist.HEADER for at, end in ends.items())


def _front_gap(before: Moment, e: Event, after: Moment) -> bool:
    """A gap in front of an aligned block goes out with it."""
    return bool(e.makes) and after.memory.read(e.ptr - WORD) != e.ptr - freelist.HEADER


def _fragmented(before: Moment, e: Event, after: Moment) -> bool:
    """A request is refused though there are bytes enough, in several blocks."""
    return bool(e.failed) and before.seen.room >= e.size + freelist.HEADER


def _second(before: Moment, e: Event, after: Moment) -> bool:
    """The first free block is too small, a later one fits."""
    first = before.seen.blocks[:1]
    return bool(e.makes) and bool(first) and not first[0][0] <= e.ptr < first[0][0] + first[0][1]


def _out_of_order(before: Moment, e: Event, after: Moment) -> bool:
    return any(a > b for (a, _), (b, _) in pairwise(after.seen.blocks))


def _joins(change: int) -> Goal:
    def goal(before: Moment, e: Event, after: Moment) -> bool:
        return e.kind == Kind.FREE and len(after.seen.blocks) - len(before.seen.blocks) == change

    return goal


FREELIST_GOALS: Mapping[str, Goal] = {
    "a split happens": _splits,
    "a whole block goes out without a split": _whole,
    "a later block fits, the first does not": _second,
    "refused, though there are bytes enough": _fragmented,
    "everything is freed again": lambda before, e, after: len(before.live) > 0 and not after.live,
}
ALIGNED_GOALS: Mapping[str, Goal] = {
    "a gap in front of an aligned block is split off": _front_split,
    "a gap in front of an aligned block goes out with it": _front_gap,
    "a small rest goes out with its block": _rest,
}
PLAIN_GOALS: Mapping[str, Goal] = {"the list is out of order": _out_of_order}
JOINED_GOALS: Mapping[str, Goal] = {
    "a freed block joins no neighbour": _joins(1),
    "a freed block joins one neighbour": _joins(0),
    "neighbours join on both sides": _joins(-1),
}


def freelist_model(
    capacity: int,
    grid: int = 16,
    align: int = 0,
    coalesces: bool = False,
    zeroed: bool = False,
    step: Step = freelist.step,
    reports: bool = True,
) -> Model:
    """A free list: requests for which blocks of every multiple of `grid` bytes are taken, from the smallest to one that
    is too large; and some aligned to `align` bytes where that is not 0.
    """
    plain = sizes(freelist.LEAST - freelist.HEADER, capacity - freelist.HEADER + grid, grid)
    aligned = (8, 16, 40) if align else ()
    requests = (
        *(Op(Kind.ALLOC, size) for size in plain),
        *(Op(Kind.ALIGNED, size, align=align) for size in aligned),
        *((Op(Kind.ZALLOC, 8, count=3),) if zeroed else ()),
        HUGE,
        Op(Kind.FREE),
    )

    def init(memory: Memory) -> Any:
        return settled(freelist.init(BUFFER, capacity, memory, coalesces))

    def keeps(state: freelist.FreeListState, live: tuple[Held, ...], memory: Memory) -> Iterable[int]:
        heads = [block for block, _ in freelist.free_blocks(state, memory)]
        heads += [held.ptr - freelist.HEADER for held in live]
        return [word for head in heads for word in (head, head + WORD)]

    goals = {**FREELIST_GOALS, **(ALIGNED_GOALS if align else {}), **(JOINED_GOALS if coalesces else PLAIN_GOALS)}
    if capacity < 5 * freelist.LEAST:
        goals.pop("neighbours join on both sides", None)
    env = freelist.FreeListState(BUFFER, capacity, 0, 0, coalesces).env
    return Model(
        name="freelist coalescing" if coalesces else "freelist",
        shape="freelist",
        env=env,
        start=BUFFER,
        end=BUFFER + capacity,
        init=init,
        step=Reporting(step, env, freelist.free_blocks) if reports else step,
        requests=requests,
        keeps=keeps,
        goals=goals,
        bound=f"{capacity} bytes, blocks of multiples of {grid} bytes"
        + (f", {len(aligned)} requests aligned to {align}" if align else "")
        + (", one zeroed" if zeroed else ""),
        look=_nodes,
    )


# ---- arenas


def _chunks(state: arena.ArenaState, memory: Memory) -> int:
    return len(arena.chunks(state, memory))


def _chunks_change(kind: Kind, change: Callable[[int, int], bool]) -> Goal:
    def goal(before: Moment, e: Event, after: Moment) -> bool:
        return e.kind == kind and bool(e.served) and change(before.seen, after.seen)

    return goal


ARENA_GOALS: Mapping[str, Goal] = {
    "a first chunk is added": _chunks_change(Kind.ALLOC, lambda before, after: (before, after) == (0, 1)),
    "a further chunk is added": _chunks_change(Kind.ALLOC, lambda before, after: 0 < before < after),
    "a chunk serves a second block": lambda before, e, after: bool(e.makes) and before.seen == after.seen > 0,
    "a request gets a chunk of its own size": lambda before, e, after: (
        bool(e.makes) and after.seen > before.seen and after.state.end - after.state.chunk > after.state.chunk_size
    ),
    "the parent refuses": lambda before, e, after: bool(e.failed),
    "a release drops a chunk": _chunks_change(Kind.RELEASE, lambda before, after: after < before),
    "a release stays in its chunk": _chunks_change(Kind.RELEASE, lambda before, after: before == after > 0),
    "a release to before the first chunk": _chunks_change(Kind.RELEASE, lambda before, after: before > after == 0),
    "a reset keeps one of several chunks": _chunks_change(Kind.RESET, lambda before, after: before > after == 1),
}


def arena_model(capacity: int, chunk_size: int = 64, marks: int = 2, step: Step = arena.step) -> Model:
    """An arena whose parent has `capacity` bytes: two ordinary requests, one for a chunk of its own, one aligned."""

    def init(memory: Any) -> arena.ArenaState:
        return arena.init(chunk_size)

    def keeps(state: arena.ArenaState, live: tuple[Held, ...], memory: Memory) -> Iterable[int]:
        return [chunk + word * WORD for chunk, _ in arena.chunks(state, memory) for word in range(4)]

    return Model(
        name="arena",
        shape="arena",
        env=arena.init(chunk_size).env,
        start=BUFFER,
        end=BUFFER + capacity,
        init=init,
        step=step,
        requests=(
            Op(Kind.ALLOC, 16),
            Op(Kind.ALLOC, 32),
            Op(Kind.ALLOC, chunk_size),
            Op(Kind.ALIGNED, 8, align=32),
            Op(Kind.ZALLOC, 8, count=2),
            HUGE,
            Op(Kind.MARK),
            Op(Kind.RELEASE),
            Op(Kind.RESET),
        ),
        keeps=keeps,
        goals=ARENA_GOALS,
        bound=f"a parent of {capacity} bytes, chunks of {chunk_size} bytes, five requests, at most {marks} mark"
        + "s" * (marks != 1),
        look=_chunks,
        unasked={"zero_size_as_promised": "a request of 0 bytes takes one, and the explored requests are whole words"},
        chunked=True,
        most_marks=marks,
    )


# ---- all of them


@dataclass(frozen=True)
class Bounds:
    """How much is explored: bytes of the buffer, or of the parent, and the alignment that some requests ask for; of a
    pool, its blocks. 0: as is usual for the allocator.
    """

    capacity: int = 0
    align: int = 0
    grid: int = 0
    """Bytes between the sizes of a free list's blocks."""
    block_size: int = 0
    num_blocks: int = 0


def _freelist(coalesces: bool, capacity: int, align: int) -> Callable[[Bounds], Model]:
    """With a capacity of one's own, plain requests alone unless an alignment is asked for too."""

    def model(b: Bounds) -> Model:
        usual = not (b.capacity or b.align or b.grid)
        aligned = align if usual else b.align
        # What is told of the list makes it several times slower: small ones do.
        return freelist_model(b.capacity or capacity, b.grid or 16, aligned, coalesces, zeroed=usual, reports=usual)

    return model


REFERENCE: Mapping[str, Callable[[Bounds], Model]] = {
    "bump": lambda b: bump_model(b.capacity or 72, align=b.align or 32),
    "pool": lambda b: pool_model(b.block_size or 24, b.num_blocks or 5),
    "stack": lambda b: stack_model(b.capacity or 112, align=b.align or 32),
    "freelist": _freelist(False, 144, 64),
    "freelist-coalescing": _freelist(True, 160, 64),
    "arena": lambda b: arena_model(b.capacity or 160, marks=1),
}
"""The reference allocators by name, at small bounds unless larger ones are given."""
