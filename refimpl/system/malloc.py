"""The platform's own allocator, behind the interface. Source: the allocator system, Platform Allocator."""

import ctypes
from functools import cache
from typing import Any

from heaplaw.spec.layout import MAX_ALIGN

from .base import Booked, check_allocator
from .interface import Allocator
from .ledger import Held, Note


@cache
def libc() -> Any:
    """The C library's malloc family, with its types."""
    library: Any = ctypes.CDLL(None, use_errno=True)
    word, pointer = ctypes.c_size_t, ctypes.c_void_p
    for name, result, arguments in (
        ("malloc", pointer, [word]),
        ("calloc", pointer, [word, word]),
        ("realloc", pointer, [pointer, word]),
        ("posix_memalign", ctypes.c_int, [ctypes.POINTER(pointer), word, word]),
        ("free", None, [pointer]),
        ("mmap", pointer, [pointer, word, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]),
        ("munmap", ctypes.c_int, [pointer, word]),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


def asked(size: int) -> int:
    """Bytes that malloc is asked for: it may answer 0 bytes with NULL, which would look like a refusal."""
    return max(1, size)


class Platform(Booked):
    """malloc, calloc, realloc, posix_memalign and free: real addresses, no header of ours. malloc is taken to align
    blocks of every size to 16 bytes, as the usual C libraries do and C17 7.22.3 p1 asks for.

    A reset frees every live block, which the ledger knows; so programs written for an arena run on it unchanged. What
    is neither freed nor dropped stays with the process, as with malloc.
    """

    def __init__(self, name: str = "platform") -> None:
        super().__init__(name)
        self._footprint = 0

    def footprint(self) -> int:
        """Bytes asked of malloc and not freed; what malloc adds is its own."""
        return self._footprint

    def _booked(self, ptr: int | None, size: int) -> int:
        if ptr is None:
            return 0
        self._footprint += asked(size)
        return ptr

    def _take(self, size: int, align: int, note: Note) -> int:
        if align <= MAX_ALIGN:
            return self._booked(libc().malloc(asked(size)), size)
        out = ctypes.c_void_p()
        refused = libc().posix_memalign(ctypes.byref(out), align, asked(size))
        return 0 if refused else self._booked(out.value, size)

    def _take_zeroed(self, size: int, align: int, note: Note) -> int:
        if align <= MAX_ALIGN:
            return self._booked(libc().calloc(1, asked(size)), size)
        return super()._take_zeroed(size, align, note)

    def _resize(self, ptr: int, held: Held, size: int, note: Note) -> int:
        if held.align > MAX_ALIGN:  # realloc keeps no alignment
            return super()._resize(ptr, held, size, note)
        new = libc().realloc(ptr, asked(size))
        if new is None:
            return 0
        self._footprint -= asked(held.size)
        return self._booked(new, size)

    def _give(self, ptr: int, held: Held) -> None:
        libc().free(ptr)
        self._footprint -= asked(held.size)


def parent_of(doing: str, parent: Allocator | None) -> Allocator:
    """Where an allocator's chunks come from: a platform of its own, unless one is given."""
    if parent is None:
        return Platform()
    check_allocator(doing, parent)
    return parent
