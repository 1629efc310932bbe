import ctypes

import pytest

from heaplaw.refimpl import Allocation, BumpAllocator, Layout, MisuseError, layout_array, layout_for_i32, layout_for_i64
from heaplaw.refimpl.allocators import bump_free, bump_new
from heaplaw.refimpl.steps import bump


def test_bump__is_the_record_of_its_requirements() -> None:
    subject = bump_new(4096)
    first = subject.alloc(layout_for_i64())
    second = subject.alloc(layout_for_i32())
    third = subject.alloc(layout_array(8, 8, 10))
    assert (first, second) == (Allocation(subject.buffer, 8), Allocation(subject.buffer + 8, 4))
    assert third == Allocation(subject.buffer + 16, 80)  # 4 bytes of padding
    assert (subject.offset, subject.allocated, subject.capacity) == (96, 96, 4096)
    assert (subject.remaining(), subject.total_allocated()) == (4000, 96)
    assert subject.reset() == 0
    assert (subject.offset, subject.remaining(), subject.total_allocated()) == (0, 4096, 0)
    assert subject.alloc(layout_for_i64()) == first
    assert bump_free(subject) == 0


def test_bump__serves_to_the_last_byte_and_no_further() -> None:
    subject = BumpAllocator.new(100)
    assert subject.alloc(Layout(99, 1))
    assert subject.alloc(Layout(2, 1)) == Allocation(0, 0)
    assert not subject.alloc(Layout(1, 8))
    assert subject.alloc(Layout(1, 1)).ptr == subject.buffer + 99
    assert subject.remaining() == 0
    assert subject.alloc(Layout(0, 1)) == Allocation(subject.buffer + 100, 0)


def test_bump__zero_bytes_take_nothing_and_may_share_an_address() -> None:
    subject = BumpAllocator.new(64)
    empty, block = subject.alloc(Layout(0, 8)), subject.alloc(Layout(8, 8))
    assert empty.ptr == block.ptr
    assert subject.total_allocated() == 8


def test_bump__zeroes_used_memory_and_no_byte_beside_it() -> None:
    subject = BumpAllocator.new(64)
    ctypes.memset(subject.alloc(Layout(64, 1)).ptr, 0xFF, 64)
    subject.reset()
    subject.alloc(Layout(3, 1))
    block = subject.alloc_zeroed(Layout(13, 1))
    assert ctypes.string_at(subject.buffer, 20) == b"\xff" * 3 + bytes(13) + b"\xff" * 4
    assert block == Allocation(subject.buffer + 3, 13)
    assert not subject.alloc_zeroed(Layout(64, 1))


def test_from_buffer__never_touches_what_it_does_not_own() -> None:
    owned = bytearray(b"\xa5" * 64)
    subject = BumpAllocator.from_buffer(owned, 48)
    block = subject.alloc(Layout(48, 1))
    assert not subject.alloc(Layout(1, 1))
    ctypes.memset(block.ptr, 1, 48)
    assert subject.reset() == subject.drop() == 0
    assert owned == b"\1" * 48 + b"\xa5" * 16
    owned.extend(b"more")  # nobody holds it any more


def test_from_buffer__takes_an_address_of_any_alignment() -> None:
    owned = (ctypes.c_char * 64)()
    address = ctypes.addressof(owned) + 3
    subject = BumpAllocator.from_buffer(address, 40)
    assert subject.buffer == address
    block = subject.alloc(Layout(16, 16))
    assert block.ptr % 16 == 0
    assert subject.total_allocated() == block.ptr + 16 - address
    assert address <= block.ptr <= address + 24


@pytest.mark.parametrize(
    ("buffer", "capacity"),
    [(0, 8), (-8, 8), (2**64 - 8, 8), (bytearray(7), 8), (b"read only", 4), (0x1000, -1), (0x1000, 2**63)],
)
def test_from_buffer__refuses_what_cannot_be_there(buffer: bytearray | int, capacity: int) -> None:
    with pytest.raises(MisuseError, match=r"buffer|capacity"):
        BumpAllocator.from_buffer(buffer, capacity)


@pytest.mark.parametrize("capacity", [-1, 2**63])
def test_new__refuses_a_capacity_that_cannot_be(capacity: int) -> None:
    with pytest.raises(MisuseError, match=f"capacity = {capacity}"):
        BumpAllocator.new(capacity)


@pytest.mark.parametrize("capacity", [2**62, 2**63 - 1])
def test_new__has_no_more_memory_than_the_system(capacity: int) -> None:
    with pytest.raises(MemoryError):
        BumpAllocator.new(capacity)


def test_drop__ends_every_use() -> None:
    subject, layout = BumpAllocator.new(64), Layout(8, 8)
    subject.alloc(layout)
    assert subject.drop() == 0
    for call in (
        lambda: subject.alloc(layout),
        lambda: subject.alloc_zeroed(layout),
        subject.reset,
        subject.remaining,
        subject.total_allocated,
        subject.drop,
    ):
        with pytest.raises(MisuseError, match=f"{subject.buffer:#x} has been dropped"):
            call()
    assert (subject.offset, subject.allocated, subject.capacity) == (8, 8, 64)


def test_a_refused_step_gives_the_same_state() -> None:
    state = bump.BumpState(0x1004, 64, 10, 10)
    for size, align in ((2**64 - 1, 1), (2**63 - 1, 8), (55, 1), (0, 4096), (1, 2**63)):
        assert bump.alloc(state, size, align) == (state, 0)
