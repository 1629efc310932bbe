import ctypes
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heaplaw.refimpl import (
    GlobalAllocator,
    Layout,
    MisuseError,
    global_alloc,
    global_alloc_zeroed,
    global_dealloc,
    global_realloc,
    layout_array,
)
from heaplaw.refimpl.allocators import libc

FIXED = settings(derandomize=True, database=None, deadline=None)
ALIGNMENTS = [2**k for k in range(13)]


@pytest.fixture(autouse=True)
def nothing_stays() -> Iterator[None]:
    before = libc.live_blocks()
    yield
    assert libc.live_blocks() == before


def test_global__hands_out_real_memory() -> None:
    layout = Layout(100, 8)
    block = global_alloc(layout)
    assert block.ptr % 8 == 0
    assert block.size >= 100
    ctypes.memset(block.ptr, 0x5A, block.size)
    assert libc.live_blocks()[block.ptr] == layout
    global_dealloc(block.ptr, layout)


@FIXED
@given(st.integers(0, 5000), st.sampled_from(ALIGNMENTS), st.booleans())
def test_global__keeps_alignment_and_zeroes(size: int, align: int, zeroed: bool) -> None:
    layout = Layout(size, align)
    block = (global_alloc_zeroed if zeroed else global_alloc)(layout)
    assert block
    assert block.ptr % align == 0
    if zeroed:
        assert not any(ctypes.string_at(block.ptr, size))
    ctypes.memset(block.ptr, 0xEE, size)
    global_dealloc(block.ptr, layout)


@FIXED
@given(st.integers(0, 3000), st.sampled_from(ALIGNMENTS), st.integers(0, 3000), st.sampled_from(ALIGNMENTS))
def test_realloc__keeps_bytes_and_alignment(old_size: int, old_align: int, size: int, align: int) -> None:
    old, new = Layout(old_size, old_align), Layout(size, align)
    block = global_alloc(old)
    text = bytes(at % 251 for at in range(old_size))
    ctypes.memmove(block.ptr, text, old_size)
    moved = global_realloc(block.ptr, old, new)
    assert moved.ptr % align == 0
    assert moved.size >= size
    common = min(old_size, size)
    assert ctypes.string_at(moved.ptr, common) == text[:common]
    assert libc.live_blocks()[moved.ptr] == new
    global_dealloc(moved.ptr, new)


@pytest.mark.parametrize("align", [8, 4096])
def test_global__a_refusal_changes_nothing(align: int) -> None:
    layout, vast = Layout(64, align), Layout(2**62, align)
    assert (global_alloc(vast).ptr, global_alloc(vast).size) == (0, 0)
    assert not global_alloc_zeroed(vast)
    block = global_alloc(layout)
    ctypes.memset(block.ptr, 7, 64)
    assert not global_realloc(block.ptr, layout, vast)
    assert ctypes.string_at(block.ptr, 64) == b"\7" * 64
    global_dealloc(block.ptr, layout)


def test_global__refuses_what_it_did_not_hand_out() -> None:
    layout, other = Layout(64, 8), Layout(65, 8)
    block = global_alloc(layout)
    live = libc.live_blocks()
    for ptr, given_layout, why in (
        (block.ptr + 8, layout, "not a live block"),
        (0, layout, "not a live block"),
        (block.ptr, other, "has the layout Layout"),
    ):
        with pytest.raises(MisuseError, match=why) as error:
            global_dealloc(ptr, given_layout)
        assert f"{ptr:#x}" in str(error.value)
        with pytest.raises(MisuseError, match=why):
            global_realloc(ptr, given_layout, layout)
    assert libc.live_blocks() == live
    global_dealloc(block.ptr, layout)
    with pytest.raises(MisuseError, match="freed already"):
        global_dealloc(block.ptr, layout)


def test_the_sources_examples() -> None:
    layout = layout_array(8, 8, 100)
    block = global_alloc_zeroed(layout)
    assert ctypes.string_at(block.ptr, 800) == bytes(800)
    global_dealloc(block.ptr, layout)


def test_c_names__do_what_c_says() -> None:
    subject = GlobalAllocator()
    ptr = subject.malloc(24)
    assert ptr % 8 == 0
    assert subject.usable_size(ptr) >= 24
    ctypes.memset(ptr, 3, 24)
    ptr = subject.realloc(ptr, 5000)
    assert ctypes.string_at(ptr, 24) == b"\3" * 24
    subject.free(ptr)
    aligned = subject.aligned_alloc(512, 100)
    assert aligned % 512 == 0
    aligned = subject.realloc(aligned, 3000)
    assert aligned % 512 == 0
    subject.free(aligned)
    zeroed = subject.calloc(7, 9)
    assert ctypes.string_at(zeroed, 63) == bytes(63)
    subject.free(zeroed)
    subject.free(0)
    fresh = subject.realloc(0, 10)
    assert fresh
    subject.free(fresh)
    empty = [subject.malloc(0), subject.calloc(0, 8), subject.calloc(8, 0)]
    assert len(set(empty) - {0}) == 3
    for each in empty:
        subject.free(each)


@pytest.mark.parametrize("size", [2**62, 2**63 - 1, 2**63, 2**64 - 1])
def test_c_names__refuse_what_no_object_can_be(size: int) -> None:
    subject = GlobalAllocator()
    kept = subject.malloc(16)
    assert subject.malloc(size) == subject.calloc(1, size) == subject.calloc(size, 2) == 0
    assert subject.aligned_alloc(16, size) == subject.realloc(kept, size) == 0
    assert subject.calloc(2**33, 2**33) == 0
    subject.free(kept)


def test_c_names__refuse_misuse() -> None:
    subject = GlobalAllocator()
    ptr = subject.malloc(16)
    subject.free(ptr)
    for call in (subject.free, subject.usable_size):
        with pytest.raises(MisuseError, match=f"{ptr:#x}"):
            call(ptr)
    with pytest.raises(MisuseError, match=f"{ptr:#x}"):
        subject.realloc(ptr, 8)
    with pytest.raises(MisuseError, match="align = 24"):
        subject.aligned_alloc(24, 48)
