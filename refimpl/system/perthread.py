"""An instance for each thread. Source: the allocator system's future list, Thread-Local Allocators."""

import threading
from collections.abc import Callable

from heaplaw.spec.layout import MAX_ALIGN

from .interface import Allocator, Leak, Site, Statistics


class ThreadLocal(Allocator):
    """Stands for the calling thread's own instance, which `make` makes at its first use; nothing is shared, so nothing
    is locked. Blocks, marks and statistics are an instance's: a block is freed by the thread that allocated it, from
    another one it is foreign. `drop` drops the calling thread's instance; the next use makes a new one.

    An instance outlives its thread, for whoever reads `instances` of what threads left behind.
    """

    def __init__(self, make: Callable[[], Allocator], name: str = "thread-local", alignment: int = MAX_ALIGN) -> None:
        self.name = name
        self.alignment = alignment
        self._make = make
        self._local = threading.local()
        self._instances: list[Allocator] = []

    def here(self) -> Allocator:
        """The calling thread's instance."""
        if not hasattr(self._local, "instance"):
            self._local.instance = self._make()
            self._instances.append(self._local.instance)  # atomic, as list.append is
        instance: Allocator = self._local.instance
        return instance

    def instances(self) -> list[Allocator]:
        """All instances that were made and not dropped."""
        return list(self._instances)

    def alloc(self, size: int, align: int | None = None, *, tag: str = "", site: Site | None = None) -> int:
        return self.here().alloc(size, align, tag=tag, site=site)

    def alloc_zeroed(self, size: int, align: int | None = None, *, tag: str = "", site: Site | None = None) -> int:
        return self.here().alloc_zeroed(size, align, tag=tag, site=site)

    def realloc(self, ptr: int, size: int, *, tag: str = "", site: Site | None = None) -> int:
        return self.here().realloc(ptr, size, tag=tag, site=site)

    def free(self, ptr: int) -> None:
        self.here().free(ptr)

    def free_sized(self, ptr: int, size: int) -> None:
        self.here().free_sized(ptr, size)

    def reset(self) -> None:
        self.here().reset()

    def mark(self) -> int:
        return self.here().mark()

    def release(self, mark: int) -> None:
        self.here().release(mark)

    def drop(self) -> None:
        instance = self.here()
        instance.drop()
        self._instances.remove(instance)
        del self._local.instance

    def statistics(self) -> Statistics:
        return self.here().statistics()

    def footprint(self) -> int:
        return self.here().footprint()

    def leaks(self) -> list[Leak]:
        return self.here().leaks()

    def invariant(self) -> bool:
        return self.here().invariant()
