"""Typed helpers: views of memory that an allocator owns."""

import ctypes

import pytest

from heaplaw.refimpl.system import (
    Freelist,
    Limited,
    MisuseError,
    Platform,
    Subsystem,
    Switches,
    Trace,
    allocators_get,
    allocators_init,
    allocators_shutdown,
    arena_scope,
    delete,
    new,
    new_array,
    new_array_zeroed,
    new_zeroed,
    strdup,
    text_at,
)


class Pair(ctypes.Structure):
    """A number and an address: 16 bytes, aligned to 8."""

    _fields_ = [("number", ctypes.c_int32), ("address", ctypes.c_void_p)]


class Aligned(ctypes.Structure):
    """A union would do."""

    _fields_ = [("bytes", ctypes.c_char * 24)]


def test_new__is_a_view_of_a_block_of_its_size() -> None:
    platform = Trace(Platform())
    pair = new(Pair, platform, tag="pair")
    assert pair is not None
    pair.number, pair.address = 7, 0x1234
    (leak,) = platform.leaks()
    assert (leak.address, leak.size, leak.tag) == (ctypes.addressof(pair), 16, "pair")
    assert leak.file == __file__
    assert ctypes.string_at(leak.address, 4) == (7).to_bytes(4, "little")
    delete(pair, platform)
    assert platform.leaks() == []


def test_zeroed__is_zero_on_recycled_memory() -> None:
    freelist = Freelist(64, 1)
    dirty = freelist.alloc(64)
    ctypes.memset(dirty, 0xFF, 64)
    freelist.free(dirty)
    pair = new_zeroed(Pair, freelist)
    assert pair is not None
    assert (ctypes.addressof(pair), pair.number, pair.address) == (dirty, 0, None)
    delete(pair, freelist)
    numbers = new_array_zeroed(ctypes.c_int16, 30, freelist)
    assert numbers is not None
    assert list(numbers) == [0] * 30


def test_array__has_its_elements() -> None:
    platform = Platform()
    numbers = new_array(ctypes.c_int64, 10, platform)
    assert numbers is not None
    numbers[:] = list(range(10))
    assert (len(numbers), sum(numbers), platform.current_bytes()) == (10, 45, 80)
    delete(numbers, platform)
    assert platform.current_bytes() == 0
    empty = new_array(Pair, 0, platform)
    assert empty is not None
    assert (len(empty), platform.current_bytes()) == (0, 0)


@pytest.mark.parametrize("count", [2**60, 2**61, 2**61 + 1, 2**64, 2**100])
def test_array__whose_size_would_wrap_is_refused(count: int) -> None:
    platform = Platform()
    assert new_array(ctypes.c_int64, count, platform) is None
    assert new_array_zeroed(Pair, count, platform) is None
    assert platform.allocations() == 0


def test_array__of_less_than_nothing_is_misuse() -> None:
    with pytest.raises(MisuseError, match=r"new_array\(c_long, -1\): a count"):
        new_array(ctypes.c_int64, -1, Platform())


def test_refusal__gives_nothing() -> None:
    full = Limited(Platform(), 8)
    assert (new(Pair, full), new_zeroed(Pair, full), strdup("too long", full)) == (None, None, 0)


@pytest.mark.parametrize("text", ["", "hello", "grüße, 世界"])
def test_strdup__copies_text(text: str) -> None:
    platform = Platform()
    copy = strdup(text, platform)
    assert text_at(copy) == text
    assert platform.current_bytes() == len(text.encode()) + 1
    assert strdup(text.encode(), platform) != copy


def test_strdup__of_a_zero_byte_is_misuse() -> None:
    with pytest.raises(MisuseError, match="zero byte inside"):
        strdup("a\0b", Platform())


def test_delete__of_another_type_is_misuse() -> None:
    platform = Platform()
    pair = new(Pair, platform)
    assert pair is not None
    with pytest.raises(MisuseError, match="the block there has 16 bytes"):
        delete(Aligned.from_address(ctypes.addressof(pair)), platform)
    delete(pair, platform)


def test_of__says_which_allocator() -> None:
    allocators_init(switches=Switches())
    strdup("hello", Subsystem.STRINGS)
    assert allocators_get(Subsystem.STRINGS).current_bytes() == 6
    with arena_scope() as temp:
        new(Pair)
        assert temp.current_bytes() == 16
    pair = new(Pair)
    assert allocators_get(Subsystem.VM).current_bytes() == 16
    assert pair is not None
    delete(pair)
    assert allocators_shutdown().bytes == 6
