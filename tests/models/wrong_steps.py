"""Steps of every shape that do one thing wrong."""

from dataclasses import replace
from typing import Any

from heaplaw.models.exploring.model import Model
from heaplaw.models.exploring.reference import arena_model, bump_model, freelist_model, stack_model
from heaplaw.refimpl.steps import arena, bump, freelist, pool, stack
from heaplaw.refimpl.steps.pool import PoolState
from heaplaw.spec.event import Event
from heaplaw.spec.history import Op
from heaplaw.spec.protocols import Memory
from heaplaw.spec.shapes import Kind

A, F = Kind.ALLOC, Kind.FREE


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


def after(event: Event, state: Any) -> Event:
    """The event, with the counters of `state`."""
    return replace(event, remaining=state.remaining, total=state.allocated)


def bump_keeps_on_reset(state: Any, op: Op, ptr: int, memory: Any) -> tuple[Any, Event]:
    """A reset of a full buffer leaves its last 8 bytes taken, and does not count them."""
    now, event = bump.step(state, op, ptr, memory)
    if op.kind == Kind.RESET and state.remaining == 0:
        now = replace(now, offset=8)
    return now, event


def bump_clears_neighbour(state: Any, op: Op, ptr: int, memory: Any) -> tuple[Any, Event]:
    """A refused request clears the buffer's first word."""
    now, event = bump.step(state, op, ptr, memory)
    if event.failed:
        memory.write(state.buffer, 0)
    return now, event


def stack_pops_two(state: Any, op: Op, ptr: int, memory: Any) -> tuple[Any, Event]:
    """At depth three a pop takes two."""
    now, event = stack.step(state, op, ptr, memory)
    if op.kind == Kind.POP and state.prev_offset > 0 and now.prev_offset > 0:
        now = stack.pop(now, memory)
    return now, after(event, now)


def stack_forgets_padding(state: Any, op: Op, ptr: int, memory: Any) -> tuple[Any, Event]:
    """A pop leaves 8 bytes taken where there was padding."""
    now, event = stack.step(state, op, ptr, memory)
    if op.kind == Kind.POP and state.offset - now.offset > 40:
        now = replace(now, offset=now.offset + 8)
    return now, after(event, now)


def freelist_loses_rests(state: Any, op: Op, ptr: int, memory: Any) -> tuple[Any, Event]:
    """A block freed into an empty list is 16 bytes shorter."""
    now, event = freelist.step(state, op, ptr, memory)
    if op.kind == F and state.free_list == 0:
        memory.write(now.free_list, memory.read(now.free_list) - 16)
    return now, event


def freelist_splits_over_end(state: Any, op: Op, ptr: int, memory: Any) -> tuple[Any, Event]:
    """The piece behind a split begins 8 bytes too early."""
    now, event = freelist.step(state, op, ptr, memory)
    if op.kind == A and event.makes and now.free_list > event.ptr:
        size, following = memory.read(now.free_list), memory.read(now.free_list + 8)
        freelist.write_block(now.free_list - 8, size + 8, following, memory)
        now = replace(now, free_list=now.free_list - 8)
    return now, event


def freelist_never_joins(state: Any, op: Op, ptr: int, memory: Any) -> tuple[Any, Event]:
    """Blocks are put in order, and never joined."""
    if op.kind == F:
        block, size = memory.read(ptr - 8), memory.read(ptr - 16)
        place = freelist.Place(0, state.free_list)
        while place.block != 0 and place.block < block:
            place = freelist.Place(place.block, memory.read(place.block + 8))
        freelist.write_block(block, size, place.block, memory)
        now = freelist.link(replace(state, allocated=state.allocated - size), place.before, block, memory)
        return now, after(Event(F, 0, env=state.env), now)
    return freelist.step(state, op, ptr, memory)


def freelist_dirty_zeroes(state: Any, op: Op, ptr: int, memory: Any) -> tuple[Any, Event]:
    """Zeroing leaves out the last word."""
    if op.kind == Kind.ZALLOC:
        now, event = freelist.step(state, Op(A, op.size * op.count), ptr, memory)
        if event.makes:
            memory.write(event.ptr, 0)
        return now, replace(event, kind=op.kind, size=op.size, count=op.count)
    return freelist.step(state, op, ptr, memory)


def arena_drops_too_much(state: Any, op: Op, ptr: int, memory: Any) -> tuple[Any, Event]:
    """A release to a mark of an older chunk goes back to that chunk's beginning."""
    now, event = arena.step(state, op, ptr, memory)
    if op.kind == Kind.RELEASE and now.chunk != state.chunk != 0 and now.chunk != 0:
        now = replace(now, top=now.chunk + arena.HEADER)
        event = arena.event(now, op, 0, True)
    return now, event


def arena_keeps_chunks(state: Any, op: Op, ptr: int, memory: Any) -> tuple[Any, Event]:
    """A reset keeps the newest chunk, and forgets the older ones without giving them back."""
    if op.kind == Kind.RESET and state.chunk != 0:
        memory.write(state.chunk, 0)
        now = arena.cut(replace(state, total=state.top - state.chunk - arena.HEADER), state.chunk + arena.HEADER)
        return now, arena.event(now, op, 0, True)
    return arena.step(state, op, ptr, memory)


def _freelist(step: Any, coalesces: bool = False, zeroed: bool = False) -> Model:
    return freelist_model(128, coalesces=coalesces, zeroed=zeroed, step=step, reports=False)


WRONG: dict[str, tuple[Model, str, int]] = {
    "bump keeps": (bump_model(64, step=bump_keeps_on_reset, reports=False), "remaining_is_rest", 4),
    "bump clears": (bump_model(64, step=bump_clears_neighbour, reports=False), "payload_kept", 3),
    "stack pops two": (stack_model(96, step=stack_pops_two, reports=False), "lifo_pop", 4),
    "stack forgets": (stack_model(96, step=stack_forgets_padding, reports=False), "lifo_pop", 2),
    "freelist loses": (_freelist(freelist_loses_rests), "freed_is_reusable", 3),
    "freelist splits": (_freelist(freelist_splits_over_end), "payload_kept", 3),
    "freelist scatters": (_freelist(freelist_never_joins, coalesces=True), "capacity_comes_back", 5),
    "freelist dirty": (_freelist(freelist_dirty_zeroes, zeroed=True), "zeroed", 1),
    "arena drops": (arena_model(192, step=arena_drops_too_much), "blocks_disjoint", 5),
    "arena keeps": (arena_model(128, step=arena_keeps_chunks), "reset_frees_all", 5),
}
"""The model, a law that is broken, and how many operations show it."""
