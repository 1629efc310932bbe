"""Memories: words of 8 bytes behind `read` and `write`, and bytes behind `peek` and `poke`.

Words are what steps use (`spec.protocols.Memory`); bytes are what the owners of blocks use. `RealMemory` has
real addresses, `WordMemory` is a dictionary that copies and freezes cheaply, `ProcessBytes` is the memory of
this process, reached so that a bad address shows as a short transfer instead of a crash.
"""

import ctypes
import os
from collections.abc import Iterator
from typing import Any, Protocol, runtime_checkable

from heaplaw.spec.layout import MAX_ALIGN, PAGE, align_up
from heaplaw.spec.logic import Word
from heaplaw.spec.protocols import Memory

WORD = 8
"""Bytes in a word."""
WORD_MASK = 2**64 - 1


class AccessError(Exception):
    """A word was read or written where there is none: out of bounds, unaligned, or after `close`."""


@runtime_checkable
class Zeroing(Protocol):
    """A memory that can make a range of bytes zero in one go."""

    def zero(self, address: Word, size: Word) -> None: ...


def zero(memory: Memory, address: Word, size: Word) -> None:
    """Make the bytes [address, address + size) of `memory` zero, and change no other.

    A memory with a `zero` of its own does it in one go: real memory by memset, a symbolic one by noting the range. In
    any other, word by word, the bytes beside the range being kept (the low byte of a word comes first).
    """
    if isinstance(memory, Zeroing):
        memory.zero(address, size)
        return
    end = address + size
    for at in range(address - address % WORD, end, WORD):
        before, after = max(0, address - at), max(0, at + WORD - end)
        if before == 0 and after == 0:
            memory.write(at, 0)
        else:
            word = memory.read(at)
            high = 256 ** (WORD - after)
            memory.write(at, word % 256**before + word // high * high)


def _refuse(address: int, start: int, end: int) -> AccessError:
    return AccessError(f"no word at {address:#x}: the memory is [{start:#x}, {end:#x}), in words of {WORD} bytes")


class RealMemory:
    """A buffer of this process, aligned to 16 bytes and zeroed: addresses are real, words lie in native
    order.

    `size` is in bytes and is rounded up to whole words. `MemoryError` when there are not so many. A word outside the
    buffer raises `AccessError`, as does a range to be zeroed. `over` takes memory that somebody else owns, as it is.
    """

    def __init__(self, size: int) -> None:
        size = int(align_up(size, WORD))
        try:
            raw = (ctypes.c_char * (size + MAX_ALIGN))()
        except (OverflowError, MemoryError) as error:
            raise MemoryError(f"{size} bytes could not be had") from error
        self._take(int(align_up(ctypes.addressof(raw), MAX_ALIGN)), size, raw)

    @classmethod
    def over(cls, address: int, size: int, owner: object = None) -> "RealMemory":
        """The bytes [address, address + size), which are `owner`'s: it is kept alive until `close`, and never freed."""
        memory = cls.__new__(cls)
        memory._take(address, size, owner)
        return memory

    def _take(self, address: int, size: int, owner: object) -> None:
        self.address, self.size, self._owner = address, size, owner
        self._first = int(align_up(address, WORD))
        words = max(0, address + size - self._first) // WORD
        self._end = self._first + words * WORD
        self._words = (ctypes.c_uint64 * words).from_address(self._first)

    def _refuse(self, address: int) -> AccessError:
        return _refuse(address, self.address, self.address + self.size)

    def _index(self, address: int) -> int:
        if address % WORD != 0 or not self._first <= address < self._end:
            raise self._refuse(address)
        return (address - self._first) // WORD

    def read(self, address: int) -> int:
        """The word at `address`."""
        return self._words[self._index(address)]

    def write(self, address: int, value: int) -> None:
        """Make `value` (modulo 2**64) the word at `address`."""
        self._words[self._index(address)] = value & WORD_MASK

    def zero(self, address: int, size: int) -> None:
        """Make the bytes [address, address + size) zero."""
        if address < self.address or size > self.size - (address - self.address):
            raise self._refuse(address)
        ctypes.memset(address, 0, size)

    def close(self) -> None:
        """Give the buffer back to its owner; no word can be read or written afterwards."""
        self._take(self.address, 0, None)


class WordMemory:
    """The words that lie in [start, end), in a dictionary; a word never written is 0.

    Only words that are not 0 are kept, so that two memories of equal content are equal, and freeze to equal
    values.
    """

    def __init__(self, start: int = 0, end: int = 2**64, words: dict[int, int] | None = None) -> None:
        self.start = start
        self.end = end - (end - start) % WORD
        self._words = {} if words is None else words

    def _check(self, address: int) -> None:
        if not self.start <= address <= self.end - WORD or address % WORD != 0:
            raise _refuse(address, self.start, self.end)

    def read(self, address: int) -> int:
        """The word at `address`."""
        self._check(address)
        return self._words.get(address, 0)

    def write(self, address: int, value: int) -> None:
        """Make `value` (modulo 2**64) the word at `address`."""
        self._check(address)
        if value == 0:
            self._words.pop(address, None)
        else:
            self._words[address] = value & WORD_MASK

    def zero(self, address: int, size: int) -> None:
        """Make the bytes [address, address + size) zero."""
        if self.poke(address, bytes(size)) < size:
            raise _refuse(address, self.start, self.end)

    def copy(self) -> "WordMemory":
        """Another memory of the same content."""
        return WordMemory(self.start, self.end, self._words.copy())

    def freeze(self) -> frozenset[tuple[int, int]]:
        """The content as a value: the words that are not 0, with their addresses."""
        return frozenset(self._words.items())

    def _reachable(self, address: int, size: int) -> int:
        """Bytes from `address` on, at most `size`, that lie in this memory."""
        return max(0, min(size, self.end - address)) if address >= self.start else 0

    def peek(self, address: int, size: int) -> bytes:
        """Up to `size` bytes from `address` on: fewer where the memory ends, none where there is none."""
        count = self._reachable(address, size)
        if count == 0:
            return b""
        first = address - address % WORD
        words = (self._words.get(at, 0) for at in range(first, address + count, WORD))
        return b"".join(word.to_bytes(WORD, "little") for word in words)[address - first :][:count]

    def poke(self, address: int, data: bytes) -> int:
        """Write the leading bytes of `data` that fit, from `address` on; how many."""
        count = self._reachable(address, len(data))
        if count == 0:
            return 0
        first = address - address % WORD
        last = int(align_up(address + count, WORD))
        if first != address or last != address + count:
            data = self.peek(first, address - first) + data[:count] + self.peek(address + count, last - address - count)
        for at in range(first, last, WORD):
            self.write(at, int.from_bytes(data[at - first : at - first + WORD], "little"))
        return count


class _IoVec(ctypes.Structure):
    """`struct iovec` (POSIX.1-2017 sys/uio.h)."""

    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


def _pages(address: int, size: int) -> Iterator[tuple[int, int]]:
    """[address, address + size) cut at page boundaries: a transfer stops at the first piece that is not
    there.
    """
    end = address + size
    while address < end:
        stop = min(end, address - address % PAGE + PAGE)
        yield address, stop - address
        address = stop


class ProcessBytes:
    """The memory of this process, or its part [start, end).

    Transfers go through `process_vm_readv` and `process_vm_writev` (Linux), which stop at a page that is not
    mapped or not writable. Where the system has or permits neither, bytes are copied plainly, and a bad
    address ends the process.
    """

    def __init__(self, start: int = PAGE, end: int = 2**64) -> None:
        self.start = start
        self.end = end
        libc = ctypes.CDLL(None, use_errno=True)
        self._read = getattr(libc, "process_vm_readv", None)
        self._write = getattr(libc, "process_vm_writev", None)

    def _transfer(self, function: Any, local: int, address: int, size: int) -> int:  # pyright: ignore[reportPrivateUsage]
        """Bytes transferred between `local` and `address`; -1 when the system has no such call."""
        if function is None:
            return -1
        pieces = list(_pages(address, size))
        here = _IoVec(local, size)
        there = (_IoVec * len(pieces))(*(_IoVec(start, length) for start, length in pieces))
        word = ctypes.c_ulong
        done = function(os.getpid(), ctypes.byref(here), word(1), there, word(len(pieces)), word(0))
        if done >= 0:
            return int(done)
        return 0 if ctypes.get_errno() == 14 else -1  # EFAULT: nothing is mapped there

    def _count(self, address: int, size: int) -> int:
        return max(0, min(size, self.end - address)) if address >= self.start else 0

    def peek(self, address: int, size: int) -> bytes:
        """Up to `size` bytes from `address` on: fewer where the memory ends, none where there is none."""
        count = self._count(address, size)
        if count == 0:
            return b""
        buffer = ctypes.create_string_buffer(count)
        done = self._transfer(self._read, ctypes.addressof(buffer), address, count)
        return ctypes.string_at(address, count) if done < 0 else buffer.raw[:done]

    def poke(self, address: int, data: bytes) -> int:
        """Write the leading bytes of `data` that can be written, from `address` on; how many."""
        count = self._count(address, len(data))
        if count == 0:
            return 0
        buffer = ctypes.create_string_buffer(data, len(data))
        done = self._transfer(self._write, ctypes.addressof(buffer), address, count)
        if done < 0:
            ctypes.memmove(address, data, count)
            return count
        return done
