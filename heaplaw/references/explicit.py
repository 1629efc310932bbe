"""The explicit allocators over buffers, as plain objects that tell what they cost and how their lists look.

Runs in the worker. The objects of `refimpl.allocators.plain` do the work; the memory that their steps use is counted.
"""

from typing import Any

from heaplaw.models.reporting import Counting
from heaplaw.refimpl.steps import freelist as freelist_steps
from heaplaw.spec.layout import SIZE_MAX
from heaplaw.spec.report import first_fitting

from .system import package


class Explicit:
    """An allocator over a buffer."""

    def __init__(self, plain: Any, allocator: Any) -> None:
        self.plain, self._allocator = plain, allocator
        self._counting = Counting(vars(allocator)["_memory"])
        vars(allocator)["_memory"] = self._counting

    def _begin(self) -> Any:
        """The allocator, about to be called: what is read and written from here on is the call's."""
        self._counting.words = 0
        return self.plain

    def alloc(self, size: int, align: int) -> int:
        """A block, or 0."""
        return int(self._begin().alloc(size, align))

    def calloc(self, count: int, size: int) -> int:
        """A zeroed block, or 0."""
        return int(self._begin().calloc(count, size))

    def reset(self) -> None:
        """End all blocks."""
        self._begin().reset()

    def pop(self) -> None:
        """End the newest block."""
        self._begin().pop()

    def drop(self) -> None:
        """End the allocator."""
        self.plain.drop()

    def remaining(self) -> int:
        return int(self.plain.remaining())

    def total_allocated(self) -> int:
        return int(self.plain.total_allocated())

    def cost(self) -> int:
        return self._counting.words


class Listed(Explicit):
    """A free list: what it was like before the latest operation is kept."""

    def __init__(self, plain: Any) -> None:
        super().__init__(plain, plain.allocator)
        self._before = 0
        self._now = self._listed()
        self._fit = self._spent = 0
        self._live: set[int] = set()

    def _listed(self) -> list[tuple[int, int]]:
        return list(self.plain.allocator.free_blocks())

    def _looked(self, size: int, align: int) -> None:
        """Before a call: what the list was like, and where a request would go."""
        self._before = len(self._now)
        self._fit = first_fitting(self._now, size, align, freelist_steps.HEADER)

    def alloc(self, size: int, align: int) -> int:
        self._looked(size, align)
        return self._made(super().alloc(size, align))

    def calloc(self, count: int, size: int) -> int:
        self._looked(count * size, int(self.plain.alignment))
        return self._made(super().calloc(count, size))

    def _made(self, ptr: int) -> int:
        """After a call; what is read from here on, for reports, is not the call's cost."""
        self._spent = self._counting.words
        self._now = self._listed()
        if ptr:
            self._live.add(ptr)
        return ptr

    def dealloc(self, ptr: int) -> None:
        """Free a block."""
        self._before, self._fit = len(self._now), 0
        self._begin().dealloc(ptr)
        self._live.discard(ptr)
        self._made(0)

    def usable_size(self, ptr: int) -> int:
        return int(self.plain.usable_size(ptr))

    def cost(self) -> int:
        return self._spent

    def nodes(self) -> int:
        return self._before

    def first_fit(self) -> int:
        return self._fit

    def least_free(self) -> int:
        return min((size for _, size in self._now), default=SIZE_MAX)

    def least_taken(self) -> int:
        """As the headers of live blocks say."""
        headers = (ptr - freelist_steps.HEADER for ptr in self._live)
        return min((int(freelist_steps.size_of(header, self._counting.memory)) for header in headers), default=SIZE_MAX)


class Pool(Explicit):
    """A pool of blocks of 64 bytes, which makes its own buffer."""

    def __init__(self, pool: Any) -> None:
        super().__init__(pool, pool)
        self.buffer = pool.buffer

    def take(self) -> int:
        """A block, or 0."""
        return int(self._begin().alloc())

    def dealloc(self, ptr: int) -> None:
        """Free a block."""
        self._begin().dealloc(ptr)

    def num_free_blocks(self) -> int:
        return int(self.plain.num_free_blocks())

    def num_allocated(self) -> int:
        return int(self.plain.num_allocated())


def bump(buffer: int, capacity: int) -> Explicit:
    plain = package("allocators.plain").Bump(buffer, capacity)
    return Explicit(plain, plain.allocator)


def stack(buffer: int, capacity: int) -> Explicit:
    plain = package("allocators.plain").Stack(buffer, capacity)
    return Explicit(plain, plain.allocator)


def freelist(buffer: int, capacity: int) -> Listed:
    return Listed(package("allocators.plain").FreeList(buffer, capacity))


def coalescing(buffer: int, capacity: int) -> Listed:
    return Listed(package("allocators.plain").CoalescingFreeList(buffer, capacity))


def pool() -> Pool:
    return Pool(package("allocators").PoolAllocator(64, 100))


def libc() -> Any:
    return package("allocators").GlobalAllocator()
