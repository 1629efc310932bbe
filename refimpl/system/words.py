"""This process's memory, plainly: for addresses that an allocator was given and still holds. A wrong one ends the
process; nothing is checked, as in the machine.
"""

import ctypes

WORD = 8
"""Bytes in a word."""


class ProcessWords:
    """Words of 8 bytes at real addresses, in native order (`spec.protocols.Memory`)."""

    def read(self, address: int) -> int:
        """The word at `address`."""
        return ctypes.c_uint64.from_address(address).value

    def read_all(self, address: int, count: int) -> list[int]:
        """`count` words from `address` on."""
        return list((ctypes.c_uint64 * count).from_address(address))

    def write(self, address: int, value: int) -> None:
        """Make `value` the word at `address`."""
        ctypes.c_uint64.from_address(address).value = value


def copy(target: int, source: int, size: int) -> None:
    """Copy `size` bytes; the two may overlap."""
    ctypes.memmove(target, source, size)


def clear(address: int, size: int) -> None:
    """Make `size` bytes 0."""
    ctypes.memset(address, 0, size)
