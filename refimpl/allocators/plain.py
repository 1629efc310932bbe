"""The allocators under the plain names of their shapes: sizes in, addresses out, 0 for a refusal, no layouts.

So they can be judged, and driven, as any other object is: `heaplaw check heaplaw.refimpl.allocators.plain:Bump --shape
bump`. Each works over a buffer that is given, which is its owner's. `PoolAllocator` and `GlobalAllocator` speak plainly
as they are.
"""

from collections.abc import Callable
from typing import ClassVar

from heaplaw.spec.layout import PTRDIFF_MAX

from ..layout import Allocation, Layout
from ..steps.request import ALIGN, extent
from .bump import BumpAllocator
from .freelist import FreeListAllocator
from .stack import StackAllocator


def _address(allocate: Callable[[Layout], Allocation], size: int, align: int) -> int:
    """The block that `allocate` gives; 0 when it is refused, as sizes are that no layout can have."""
    return 0 if size > PTRDIFF_MAX else allocate(Layout(size, align)).ptr


class _Plain:
    """What all of them have."""

    alignment: ClassVar = ALIGN
    """Bytes that every block's address is a multiple of when nothing else is asked."""

    def __init__(self, allocator: BumpAllocator | StackAllocator | FreeListAllocator) -> None:
        self._any = allocator
        self.buffer, self.capacity = allocator.buffer, allocator.capacity

    def alloc(self, size: int, align: int = ALIGN) -> int:
        """A block of `size` bytes at a multiple of `align`."""
        return _address(self._any.alloc, size, align)

    def calloc(self, count: int, size: int) -> int:
        """A zeroed block of `count * size` bytes."""
        return _address(self._any.alloc_zeroed, int(extent(count, size)), ALIGN)

    def remaining(self) -> int:
        """Bytes that are not handed out."""
        return self._any.remaining()

    def total_allocated(self) -> int:
        """Bytes that are handed out, padding and headers included."""
        return self._any.total_allocated()

    def drop(self) -> int:
        """End the allocator; 0."""
        return self._any.drop()


class Bump(_Plain):
    """A bump allocator over `capacity` bytes at the address `buffer`."""

    def __init__(self, buffer: int, capacity: int) -> None:
        self.allocator = BumpAllocator.from_buffer(buffer, capacity)
        super().__init__(self.allocator)

    def reset(self) -> int:
        """End all blocks; 0."""
        return self.allocator.reset()


class Stack(_Plain):
    """A stack over `capacity` bytes at the address `buffer`."""

    def __init__(self, buffer: int, capacity: int) -> None:
        self.allocator = StackAllocator.from_buffer(buffer, capacity)
        super().__init__(self.allocator)

    def pop(self) -> int:
        """End the newest block: 1, or 0 when there was none."""
        return self.allocator.pop()

    def reset(self) -> int:
        """End all blocks; 0."""
        return self.allocator.reset()


class FreeList(_Plain):
    """A free list over `capacity` bytes at the address `buffer`."""

    _coalesce = False

    def __init__(self, buffer: int, capacity: int) -> None:
        self.allocator = FreeListAllocator.from_buffer(buffer, capacity, coalesce=self._coalesce)
        super().__init__(self.allocator)

    def dealloc(self, ptr: int) -> int:
        """Free the live block at `ptr`; 0."""
        return self.allocator.dealloc(ptr)

    def usable_size(self, ptr: int) -> int:
        """Bytes that may be used of the live block at `ptr`."""
        return self.allocator.usable_size(ptr)


class CoalescingFreeList(FreeList):
    """A free list that joins freed neighbours, over `capacity` bytes at the address `buffer`."""

    _coalesce = True
