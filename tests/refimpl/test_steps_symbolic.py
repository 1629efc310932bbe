"""The steps run on symbolic values, in both readings, with no loop on one of them: what proofs execute is this code."""

from collections.abc import Callable
from typing import Any

import pytest

from heaplaw.proofs.facts import z3
from heaplaw.proofs.paths import Source, TableMemory, explore
from heaplaw.proofs.symbolic import Reading, plain, truth_term
from heaplaw.refimpl.steps import bump, freelist, request, stack
from heaplaw.refimpl.steps.freelist import FreeListState, Place
from heaplaw.spec.history import Op
from heaplaw.spec.logic import Truth
from heaplaw.spec.shapes import Kind

ALIGN = 16
LIMIT = 2_000_000


def _numbers(source: Source, *names: str) -> list[Any]:
    """Arbitrary numbers as a step sees them, the first two being a buffer and its capacity."""
    values = [source.number(name) for name in names]
    buffer, capacity = values[:2]
    source.assume((buffer >= 1) & (capacity < 2**63) & (buffer + capacity < 2**64))
    for value in values:
        source.assume(value >= 0)
    return [source.machine(value) for value in values]


def _memory(source: Source) -> TableMemory:
    return source.memory(source.table("word"))


def _inside(state: Any, ptr: Any, size: Any) -> Truth:
    buffer, capacity, at, bytes_ = plain(state.buffer), plain(state.capacity), plain(ptr), plain(size)
    return (at == 0) | ((at >= buffer) & (at + bytes_ <= buffer + capacity) & (at % ALIGN == 0))


def of_bump(source: Source) -> Truth:
    buffer, capacity, offset, size = _numbers(source, "buffer", "capacity", "offset", "size")
    source.assume(plain(offset) <= plain(capacity))
    state = bump.BumpState(buffer, capacity, offset, offset)
    after, e = bump.step(state, Op(Kind.ALIGNED, size, align=ALIGN), 0, _memory(source))
    return _inside(state, e.ptr, size) & (plain(after.offset) >= plain(offset))


def of_stack(source: Source) -> Truth:
    buffer, capacity, offset, size, below = _numbers(source, "buffer", "capacity", "offset", "size", "below")
    source.assume(plain(offset) <= plain(capacity))
    memory, state = _memory(source), stack.StackState(buffer, capacity, offset, below)
    after, e = stack.step(state, Op(Kind.ALIGNED, size, align=ALIGN), 0, memory)
    if e.ptr == 0:
        return _inside(state, e.ptr, size)
    back, _ = stack.step(after, Op(Kind.POP), 0, memory)
    restored = (plain(back.offset) == plain(offset)) & (plain(back.prev_offset) == plain(below))
    return _inside(state, e.ptr, size) & restored


def of_freelist(source: Source) -> Truth:
    """One turn of the walk, and taking the block that it finds, wherever that stands in the list."""
    buffer, capacity, block, room, size, before, allocated = _numbers(
        source, "buffer", "capacity", "block", "room", "size", "before", "allocated"
    )
    start, length = plain(block), plain(room)
    source.assume((start >= plain(buffer)) & (start % 8 == 0) & (length % 8 == 0) & (length >= 32))
    source.assume(start + length <= plain(buffer) + plain(capacity))
    source.assume((plain(before) % 8 == 0) & (plain(before) + 16 <= start))
    source.assume(plain(allocated) + length <= plain(capacity))
    memory, state = _memory(source), FreeListState(buffer, capacity, block, allocated)
    memory.write(block, room)
    memory.write(block + 8, 0)
    place = Place(before, block)
    fits, onward = freelist.visit(place, size, ALIGN, memory)
    if not fits:
        return plain(onward.before) == start
    after, ptr = freelist.take(state, place, size, ALIGN, onward.block, memory)
    freed = freelist.dealloc(after, ptr, memory)
    return _inside(state, ptr, size) & (plain(freed.allocated) == plain(allocated))


def of_join(source: Source) -> Truth:
    """Joining a block with neighbours, one turn of the walk before it."""
    buffer, capacity, block, size, before, following = _numbers(
        source, "buffer", "capacity", "block", "size", "before", "following"
    )
    memory, state = _memory(source), FreeListState(buffer, capacity, before, size, True)
    here, place = freelist.pass_by(Place(before, following), block, memory)
    if here:
        freelist.join(state, place, block, size, memory)
    return True


def of_extent(source: Source) -> Truth:
    size = source.machine(source.number("size"))
    source.assume(plain(size) >= 0)
    whole = request.extent(3, size)
    return (plain(whole) == 2**64 - 1) | (plain(whole) == 3 * plain(size))


@pytest.mark.parametrize("reading", Reading)
@pytest.mark.parametrize("scenario", [of_bump, of_stack, of_freelist, of_join, of_extent], ids=lambda f: f.__name__)
def test_steps__run_on_symbolic_values(scenario: Callable[[Source], Truth], reading: Reading) -> None:
    paths = explore(scenario, reading, LIMIT)
    assert len(paths) > 1
    for path in paths:
        assert path.result is True or str(path.possible(z3.Not(truth_term(path.result)))) == "unsat"
