import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heaplaw.models.live import Live, live, live_steps
from heaplaw.models.session import replay
from heaplaw.models.strategies import programs
from heaplaw.refimpl.allocators import PoolAllocator, pool_free, pool_new
from heaplaw.refimpl.memory import WordMemory
from heaplaw.refimpl.steps import pool
from heaplaw.spec.event import Env
from heaplaw.spec.history import Op, make_trace

FIXED = settings(derandomize=True, database=None, deadline=None)


def _fields(allocator: PoolAllocator) -> tuple[object, ...]:
    return allocator.free_list, allocator.num_free, allocator.num_allocated(), allocator.num_free_blocks()


def test_pool__is_the_record_of_its_requirements() -> None:
    allocator = PoolAllocator.new(20, 3)
    assert (allocator.block_size, allocator.num_blocks, allocator.capacity) == (24, 3, 72)
    assert allocator.free_list == allocator.buffer
    first, second, third = allocator.alloc(), allocator.alloc(), allocator.alloc()
    assert [first, second, third] == [allocator.buffer + 24 * index for index in range(3)]
    assert allocator.alloc() == 0
    assert allocator.dealloc(second) == 0
    assert allocator.alloc() == second
    assert (allocator.num_free_blocks(), allocator.num_allocated()) == (0, 3)


@pytest.mark.parametrize("num_blocks", [0, 1, 5])
def test_pool__serves_exactly_its_blocks(num_blocks: int) -> None:
    allocator = pool_new(1, num_blocks)
    assert len({allocator.alloc() for _ in range(num_blocks)} - {0}) == num_blocks
    assert allocator.alloc() == 0
    assert pool_free(allocator) == 0


@pytest.mark.parametrize(
    ("offset", "known"),
    [
        (0, "block 0 starts there and is free already"),
        (32, "block 1 starts there and is free already"),
        (24, "24 bytes inside block 0, which is free"),
        (70, "6 bytes inside block 2, which is live"),
        (-8, "outside the pool's buffer"),
        (96, "outside the pool's buffer"),
    ],
)
def test_dealloc__refuses_what_is_no_live_block(offset: int, known: str) -> None:
    allocator = PoolAllocator(32, 3)
    blocks = [allocator.alloc() for _ in range(3)]
    allocator.dealloc(blocks[1])
    allocator.dealloc(blocks[0])
    before = _fields(allocator)
    with pytest.raises(ValueError, match=known) as error:
        allocator.dealloc(allocator.buffer + offset)
    assert f"{allocator.buffer + offset:#x}" in str(error.value)
    assert _fields(allocator) == before
    assert allocator.alloc() == blocks[0]


def test_dealloc__refuses_a_double_free() -> None:
    allocator = PoolAllocator(32, 2)
    block = allocator.alloc()
    allocator.dealloc(block)
    with pytest.raises(ValueError, match="free already"):
        allocator.dealloc(block)
    assert allocator.num_free_blocks() == 2


@pytest.mark.parametrize("call", ["alloc", "dealloc", "num_free_blocks", "num_allocated", "drop"])
def test_drop__ends_every_use(call: str) -> None:
    allocator = PoolAllocator(32, 2)
    block = allocator.alloc()
    assert allocator.drop() == 0
    arguments = [block] if call == "dealloc" else []
    with pytest.raises(ValueError, match="has been dropped"):
        getattr(allocator, call)(*arguments)


def test_pool__negative_configuration_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        PoolAllocator(-1, 4)
    with pytest.raises(ValueError, match="negative"):
        PoolAllocator(8, -4)


def _steps(block_size: int, num_blocks: int) -> Live:
    memory = WordMemory(0x1000, 0x1000 + pool.rounded(block_size) * num_blocks)
    state = pool.init(0x1000, block_size, num_blocks, memory)
    return live_steps(pool.step, state, memory, state.env)


@FIXED
@given(st.integers(0, 40), st.integers(1, 6), st.data())
def test_pool__class_and_steps_do_the_same(block_size: int, num_blocks: int, data: st.DataObject) -> None:
    env = Env(align_by_size=False, block_size=pool.rounded(block_size), num_blocks=num_blocks)
    ops: list[Op] = data.draw(programs("pool", env, 30, frozenset({"malloc", "free"})))
    trace = make_trace("pool", ops, env)
    of_class = replay(trace, live(PoolAllocator(block_size, num_blocks), "pool"))
    of_steps = replay(trace, _steps(block_size, num_blocks))
    for a, b in zip(of_class.steps, of_steps.steps, strict=True):
        assert a.violations == b.violations == ()
        ours, theirs = a.event, b.event
        assert (ours.status, ours.flags, ours.held, ours.num_free, ours.num_allocated) == (
            theirs.status,
            theirs.flags,
            theirs.held,
            theirs.num_free,
            theirs.num_allocated,
        )
        if ours.makes:
            assert ours.ptr - ours.env.base == theirs.ptr - theirs.env.base
