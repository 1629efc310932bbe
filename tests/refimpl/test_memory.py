import ctypes
import mmap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heaplaw.refimpl.memory import AccessError, ProcessBytes, RealMemory, WordMemory, zero

FIXED = settings(derandomize=True, database=None, deadline=None)


def test_real_memory__keeps_words_at_real_addresses() -> None:
    memory = RealMemory(20)
    assert memory.address % 16 == 0
    assert memory.size == 24
    memory.write(memory.address + 16, 2**64 - 1)
    assert [memory.read(memory.address + at) for at in (0, 8, 16)] == [0, 0, 2**64 - 1]
    assert ctypes.string_at(memory.address + 16, 8) == b"\xff" * 8


@pytest.mark.parametrize("offset", [-8, 24, 4])
def test_real_memory__refuses_what_is_no_word_of_its_own(offset: int) -> None:
    memory = RealMemory(24)
    with pytest.raises(AccessError):
        memory.write(memory.address + offset, 1)


def test_real_memory__refuses_after_close() -> None:
    memory = RealMemory(24)
    memory.close()
    with pytest.raises(AccessError):
        memory.read(memory.address)


def test_word_memory__zeros_leave_no_trace() -> None:
    memory = WordMemory(0, 64)
    empty = memory.freeze()
    memory.write(8, 5)
    other = memory.copy()
    memory.write(8, 0)
    assert memory.freeze() == empty
    assert other.read(8) == 5
    for address in (64, -8, 4):
        with pytest.raises(AccessError):
            memory.read(address)


@FIXED
@given(st.lists(st.tuples(st.integers(0, 80), st.binary(max_size=24)), max_size=8))
def test_word_memory__bytes_agree_with_a_byte_array(writes: list[tuple[int, bytes]]) -> None:
    memory, model = WordMemory(16, 64), bytearray(64)
    for address, data in writes:
        fits = data[: max(0, 64 - address)] if address >= 16 else b""
        assert memory.poke(address, data) == len(fits)
        model[address : address + len(fits)] = fits
    assert memory.peek(16, 100) == bytes(model[16:])
    assert memory.peek(19, 9) == bytes(model[19:28])


class Words:
    """A memory that knows words only."""

    def __init__(self, memory: WordMemory) -> None:
        self.read, self.write = memory.read, memory.write


@FIXED
@given(st.integers(16, 63), st.integers(0, 40), st.booleans())
def test_zero__changes_the_bytes_of_its_range_and_no_other(address: int, size: int, words_only: bool) -> None:
    size = min(size, 64 - address)
    memory, model = WordMemory(16, 64), bytearray(range(100, 148))
    memory.poke(16, bytes(model))
    zero(Words(memory) if words_only else memory, address, size)
    model[address - 16 : address - 16 + size] = bytes(size)
    assert memory.peek(16, 48) == bytes(model)


def test_real_memory__over_somebody_elses_bytes() -> None:
    owned = (ctypes.c_ubyte * 48)(*range(48))
    start = ctypes.addressof(owned) + 1
    memory = RealMemory.over(start, 30, owned)
    first = start + -start % 8
    memory.write(first, 2**64 - 1)
    assert memory.read(first) == 2**64 - 1
    zero(memory, start, 3)
    assert bytes(owned)[:5] == bytes([0, 0, 0, 0, 4])
    for address in (first - 8, first + 16, first + 1):
        with pytest.raises(AccessError):
            memory.read(address)
    for address, size in ((start - 1, 2), (start + 29, 2)):
        with pytest.raises(AccessError):
            memory.zero(address, size)
    memory.close()
    with pytest.raises(AccessError):
        memory.read(first)
    with pytest.raises(AccessError):
        memory.zero(start, 1)
    assert bytes(owned)[30:] == bytes(range(30, 48))


def test_process_bytes__stop_at_the_first_page_that_is_not_there() -> None:
    pages = mmap.mmap(-1, 2 * mmap.PAGESIZE)
    start = ctypes.addressof(ctypes.c_char.from_buffer(pages))
    memory = ProcessBytes()
    assert memory.poke(start, b"abc") == 3
    assert memory.peek(start, 4) == b"abc\0"
    if memory.poke(8, b"x") == 0:  # the system stops us at bad addresses
        assert memory.peek(0, 16) == b""
        assert memory.peek(2**63, 16) == b""


def test_process_bytes__keep_to_their_part() -> None:
    buffer = ctypes.create_string_buffer(64)
    start = ctypes.addressof(buffer)
    memory = ProcessBytes(start + 16, start + 32)
    assert memory.poke(start + 24, b"x" * 16) == 8
    assert memory.poke(start, b"x") == 0
    assert buffer.raw.count(b"x") == 8
