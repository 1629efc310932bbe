import ctypes

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heaplaw.refimpl import Allocation, Layout, MisuseError, StackAllocator, layout_for_i32, layout_for_i64
from heaplaw.refimpl.allocators import stack_free, stack_new
from heaplaw.refimpl.memory import WordMemory
from heaplaw.refimpl.steps import stack

FIXED = settings(derandomize=True, database=None, deadline=None)


def test_stack__is_the_record_of_its_requirements() -> None:
    subject = stack_new(2048)
    first = subject.alloc(layout_for_i64())
    second = subject.alloc(layout_for_i32())
    assert (first, second) == (Allocation(subject.buffer + 8, 8), Allocation(subject.buffer + 24, 4))
    assert (subject.offset, subject.prev_offset) == (28, 16)
    third = subject.alloc(layout_for_i64())  # 4 bytes of padding in front of its header
    assert third == Allocation(subject.buffer + 40, 8)
    assert (subject.offset, subject.prev_offset) == (48, 28)
    assert (subject.remaining(), subject.total_allocated(), subject.capacity) == (2000, 48, 2048)
    assert subject.pop() == 1
    assert (subject.offset, subject.prev_offset) == (28, 16)
    assert subject.pop() == 1
    assert subject.alloc(layout_for_i32()) == second
    assert subject.reset() == 0
    assert (subject.offset, subject.prev_offset, subject.remaining()) == (0, 0, 2048)
    assert stack_free(subject) == 0


def test_pop__of_an_empty_stack_is_served_and_changes_nothing() -> None:
    subject = StackAllocator.new(64)
    assert subject.pop() == 0
    block = subject.alloc(Layout(0, 8))
    assert block == Allocation(subject.buffer + 8, 0)
    assert [subject.pop(), subject.pop(), subject.pop()] == [1, 0, 0]
    assert (subject.offset, subject.prev_offset) == (0, 0)


def test_blocks_of_no_bytes__are_popped_one_by_one() -> None:
    subject = StackAllocator.new(64)
    blocks = [subject.alloc(Layout(0, 1)).ptr for _ in range(8)]
    assert blocks == [subject.buffer + 8 * at for at in range(1, 9)]
    assert not subject.alloc(Layout(0, 1))
    assert [subject.pop() for _ in range(9)] == [1] * 8 + [0]


@FIXED
@given(
    st.lists(st.tuples(st.integers(0, 90), st.sampled_from([1, 2, 4, 8, 16, 64, 256])), max_size=30),
    st.integers(1, 64),
)
def test_pop__restores_every_state_at_any_depth(requests: list[tuple[int, int]], lead: int) -> None:
    memory = WordMemory(0, 0x4000)
    states = [stack.init(0x1000 + lead, 4096, memory)]
    for size, align in requests:
        state, block = stack.alloc(states[-1], size, align, memory)
        assert block % align == 0
        if block:
            memory.poke(block, b"\xff" * size)
            states.append(state)
    for before, after in zip(states[-2::-1], states[:0:-1], strict=True):
        assert stack.pop(after, memory) == before
    assert stack.pop(states[0], memory) == states[0]


def test_header__stands_before_the_padding_at_a_multiple_of_8() -> None:
    memory = WordMemory(0, 0x4000)
    state, _ = stack.alloc(stack.init(0x1000, 4096, memory), 3, 1, memory)
    after, block = stack.alloc(state, 10, 256, memory)
    assert (after.prev_offset, block) == (11, 0x1100)
    assert stack.header_of(after, after.prev_offset) == 0x1010
    assert memory.read(0x1010) == 0
    assert memory.read(0x1000) == 0


def test_stack__zeroes_used_memory() -> None:
    subject = StackAllocator.new(64)
    ctypes.memset(subject.alloc(Layout(40, 1)).ptr, 0xFF, 40)
    subject.pop()
    block = subject.alloc_zeroed(Layout(20, 1))
    assert ctypes.string_at(block.ptr, 24) == bytes(20) + b"\xff" * 4
    assert not subject.alloc_zeroed(Layout(64, 1))


def test_drop__ends_every_use() -> None:
    subject, layout = StackAllocator.new(64), Layout(8, 8)
    assert subject.drop() == 0
    for call in (
        lambda: subject.alloc(layout),
        lambda: subject.alloc_zeroed(layout),
        subject.pop,
        subject.reset,
        subject.remaining,
        subject.total_allocated,
        subject.drop,
    ):
        with pytest.raises(MisuseError, match=r"the stack at .* has been dropped"):
            call()


def test_stack__over_somebody_elses_memory_leaves_it_to_them() -> None:
    owned = bytearray(b"\xa5" * 64)
    subject = StackAllocator.from_buffer(owned, 33)
    assert not subject.alloc(Layout(33, 1))
    while subject.alloc(Layout(0, 1)):
        pass
    assert subject.drop() == 0
    assert owned[33:] == b"\xa5" * 31


def test_a_refused_step_gives_the_same_state_and_writes_nothing() -> None:
    memory = WordMemory(0x1000, 0x1040)
    state = stack.StackState(0x1004, 60, 10, 0)
    for size, align in ((2**64 - 1, 1), (2**63 - 1, 8), (41, 1), (0, 4096), (1, 2**63)):
        assert stack.alloc(state, size, align, memory) == (state, 0)
    assert not memory.freeze()
