"""The bump allocator that users hold."""

from typing import TYPE_CHECKING

from ..layout import REFUSED, Allocation, Layout
from ..steps import bump
from .base import Buffered, check_layout

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class BumpAllocator(Buffered):
    """Blocks follow each other upwards in one buffer, and end all at once. Source: Vais std/allocator, BumpAllocator.

    `alloc` takes constant time; `alloc_zeroed` writes the block. The buffer is the allocator's own, fresh and zeroed,
    or somebody else's (`from_buffer`: an address, or a writable buffer of at least `capacity` bytes): then neither
    `reset` nor `drop` touches it. `allocated` and `total_allocated` count what was taken since the last reset, padding
    included: with `remaining` they add up to `capacity`. What else is settled is told in `steps.bump`. Any call after
    `drop` raises `MisuseError` and changes nothing.
    """

    _name = "bump allocator"

    def __init__(self, capacity: int, buffer: "int | WriteableBuffer | None" = None) -> None:
        super().__init__(capacity, buffer)
        self._state = bump.init(self.buffer, capacity, self._memory)

    @property
    def offset(self) -> int:
        """Where the next block's padding begins, bytes from the buffer's start."""
        return int(self._state.offset)

    @property
    def allocated(self) -> int:
        """Bytes taken since the last reset, padding included."""
        return int(self._state.allocated)

    def alloc(self, layout: Layout) -> Allocation:
        """A block of exactly `layout.size` bytes; refused when it does not fit."""
        self._check_usable("alloc()")
        check_layout("alloc", layout)
        self._state, ptr = bump.alloc(self._state, layout.size, layout.align)
        return Allocation(ptr, layout.size) if ptr else REFUSED

    def alloc_zeroed(self, layout: Layout) -> Allocation:
        """As `alloc`, the block's bytes being 0."""
        self._check_usable("alloc_zeroed()")
        check_layout("alloc_zeroed", layout)
        self._state, ptr = bump.alloc_zeroed(self._state, layout.size, layout.align, self._memory)
        return Allocation(ptr, layout.size) if ptr else REFUSED

    def reset(self) -> int:
        """End all blocks; 0."""
        self._check_usable("reset()")
        self._state = bump.reset(self._state)
        return 0

    def remaining(self) -> int:
        """Bytes behind the last block."""
        self._check_usable("remaining()")
        return int(self._state.remaining)

    def total_allocated(self) -> int:
        """Bytes taken since the last reset, padding included."""
        self._check_usable("total_allocated()")
        return self.allocated


def bump_new(capacity: int) -> BumpAllocator:
    """A bump allocator over a buffer of its own."""
    return BumpAllocator.new(capacity)


def bump_free(allocator: BumpAllocator) -> int:
    """End a bump allocator and give its own buffer back; 0."""
    return allocator.drop()
