"""The source's own usage examples, restated. What they leave open is in the tests of each allocator."""

import ctypes

from heaplaw.refimpl import (
    BumpAllocator,
    FreeListAllocator,
    Layout,
    PoolAllocator,
    StackAllocator,
    global_alloc,
    global_alloc_zeroed,
    global_dealloc,
    layout_array,
    layout_extend,
    layout_for_i32,
    layout_for_i64,
    layout_for_ptr,
    layout_new,
)


def test_global_allocator() -> None:
    layout = layout_for_i64()
    block = global_alloc(layout)
    assert block.ptr != 0
    ctypes.c_int64.from_address(block.ptr).value = -5
    global_dealloc(block.ptr, layout)


def test_bump_allocator() -> None:
    bump = BumpAllocator.new(4096)
    first = bump.alloc(layout_for_i64())
    second = bump.alloc(layout_for_i32())
    third = bump.alloc(layout_array(8, 8, 10))
    assert first.ptr < second.ptr < third.ptr
    assert bump.reset() == 0
    assert bump.alloc(layout_for_ptr()).ptr == first.ptr
    assert bump.drop() == 0


def test_pool_allocator() -> None:
    pool = PoolAllocator.new(64, 100)
    ptrs = [pool.alloc(), pool.alloc(), pool.alloc()]
    assert len(set(ptrs) - {0}) == 3
    assert pool.dealloc(ptrs[1]) == 0
    assert pool.num_free_blocks() == 98
    assert (pool.num_allocated(), pool.num_free, pool.num_blocks) == (2, 98, 100)
    assert (pool.block_size, pool.capacity, pool.free_list) == (64, 6400, ptrs[1])
    assert pool.alloc() == ptrs[1]  # freed last, handed out first
    assert pool.drop() == 0


def test_free_list_allocator() -> None:
    freelist = FreeListAllocator.new(8192)
    first = freelist.alloc(layout_new(100, 8))
    second = freelist.alloc(layout_new(500, 8))
    third = freelist.alloc(layout_new(200, 8))
    assert freelist.dealloc(second.ptr) == 0
    assert freelist.dealloc(first.ptr) == 0
    fourth = freelist.alloc(layout_new(300, 8))
    assert fourth.ptr == second.ptr
    assert fourth.ptr + fourth.size <= third.ptr
    assert freelist.drop() == 0


def test_stack_allocator() -> None:
    stack = StackAllocator.new(2048)
    stack.alloc(layout_for_i64())
    second = stack.alloc(layout_for_i32())
    third = stack.alloc(layout_for_ptr())
    assert stack.pop() == 1
    assert stack.alloc(layout_for_ptr()) == third
    assert [stack.pop(), stack.pop()] == [1, 1]
    assert stack.alloc(layout_for_i32()) == second
    assert stack.reset() == 0
    assert stack.remaining() == 2048
    assert stack.drop() == 0


def test_layout_extension() -> None:
    base = layout_for_i64()
    pair = layout_extend(base, layout_for_i32())
    whole = layout_extend(pair, layout_for_ptr())
    assert whole == Layout(24, 8)
    block = global_alloc(whole)
    global_dealloc(block.ptr, whole)


def test_zeroed_allocation() -> None:
    block = global_alloc_zeroed(layout_array(8, 8, 100))
    bump = BumpAllocator.new(4096)
    zeroed = bump.alloc_zeroed(layout_for_i64())
    assert ctypes.string_at(block.ptr, 800) == bytes(800)
    assert ctypes.c_int64.from_address(zeroed.ptr).value == 0
    bump.drop()
    global_dealloc(block.ptr, layout_array(8, 8, 100))


def test_custom_arena_pattern() -> None:
    room = layout_new(1048576, 8)
    buffer = global_alloc_zeroed(room).ptr
    arena = BumpAllocator.from_buffer(buffer, 1048576)
    block = arena.alloc(layout_array(8, 8, 1000))
    assert block.ptr == buffer
    ctypes.memset(block.ptr, 0x77, block.size)
    assert arena.reset() == 0
    assert arena.drop() == 0
    assert ctypes.string_at(buffer, 8001) == b"\x77" * 8000 + b"\0"  # still its owner's, as it was left
    global_dealloc(buffer, room)
