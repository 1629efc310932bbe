"""Large blocks straight from the operating system. Source: the allocator system's future list, Memory Mapping."""

import mmap

from heaplaw.spec.layout import align_up

from .base import Blocks, check_allocator, check_size
from .interface import Allocator
from .ledger import Held, Note
from .malloc import libc
from .wrapper import Wrapper

_ANONYMOUS = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
_WRITABLE = mmap.PROT_READ | mmap.PROT_WRITE
_FAILED = 2**64 - 1
"""MAP_FAILED, as a pointer."""


def pages(size: int) -> int:
    """Bytes of the whole pages that `size` bytes need; at least one page."""
    return int(align_up(max(1, size), mmap.PAGESIZE))


class Mapped(Wrapper):
    """Blocks of `threshold` bytes or more are mappings of their own, whole pages that are unmapped when the block ends;
    smaller ones, and those aligned to more than a page, are `inner`'s.
    """

    def __init__(self, inner: Allocator, threshold: int = 128 * 1024, name: str = "") -> None:
        check_allocator("Mapped", inner)
        check_size("Mapped", threshold)
        super().__init__(inner, name or f"mapped {inner.name}")
        self.threshold = threshold
        self._footprint = 0

    def footprint(self) -> int:
        """The inner allocator's, and all mapped pages."""
        return self._footprint + self.inner.footprint()

    def _passed_on(self, held: Held) -> bool:
        return not self.maps(held.size, held.align)

    def maps(self, size: int, align: int) -> bool:
        """Such a block is a mapping of its own."""
        return size >= self.threshold and align <= mmap.PAGESIZE

    def _take(self, size: int, align: int, note: Note) -> int:
        if not self.maps(size, align):
            return super()._take(size, align, note)
        ptr = libc().mmap(None, pages(size), _WRITABLE, _ANONYMOUS, -1, 0)
        if ptr is None or ptr == _FAILED:
            return 0
        self._footprint += pages(size)
        return int(ptr)

    def _take_zeroed(self, size: int, align: int, note: Note) -> int:
        """Fresh pages are zeros."""
        return self._take(size, align, note) if self.maps(size, align) else super()._take_zeroed(size, align, note)

    def _resize(self, ptr: int, held: Held, size: int, note: Note) -> int:
        """In place while the pages stay the same; across the threshold the block moves."""
        before, after = self.maps(held.size, held.align), self.maps(size, held.align)
        if before and after and pages(held.size) == pages(size):
            return ptr
        return self._moved(ptr, held, size, note) if before or after else super()._resize(ptr, held, size, note)

    def _give(self, ptr: int, held: Held) -> None:
        if not self.maps(held.size, held.align):
            super()._give(ptr, held)
            return
        libc().munmap(ptr, pages(held.size))
        self._footprint -= pages(held.size)

    def _unmap_all(self, dying: Blocks) -> None:
        for ptr, held in dying:
            if self.maps(held.size, held.align):
                self._give(ptr, held)

    def _unwind(self, dying: Blocks, mark: int | None) -> None:
        super()._unwind(dying, mark)
        self._unmap_all(dying)

    def _close(self, dying: Blocks) -> None:
        super()._close(dying)
        self._unmap_all(dying)
