"""How a garbage collector uses an allocator. Source: the allocator system's future list, GC Integration; debt and the
emergency collection are Lua's (`lgc.c`, `lmem.c`).
"""

from collections.abc import Callable
from typing import TypeAlias

from .base import check_allocator, check_callable, check_size
from .errors import MisuseError
from .interface import Allocator
from .ledger import Held, Note
from .wrapper import Wrapper

Collect: TypeAlias = Callable[[bool], None]
"""Frees what is unreachable, through the allocator; told whether it is an emergency, in which no finalizer may run."""


class GcAllocator(Wrapper):
    """Counts `debt`, the bytes allocated less the bytes ended since the last collection, and collects in time.

    A request (a resize, too) that finds a debt above `threshold` runs `collect` first, before its own block exists, so
    that nothing unrooted is there to be freed; then debt is 0. A request that `inner` refuses runs one emergency
    collection and is tried once more. A collection is never entered from within one: requests that `collect` makes
    are served or refused plainly. What `collect` raises ends the request, with no block made; debt stays.
    """

    def __init__(self, inner: Allocator, collect: Collect, threshold: int, name: str = "") -> None:
        check_allocator("GcAllocator", inner)
        check_callable("GcAllocator", collect)
        check_size("GcAllocator", threshold)
        super().__init__(inner, name or f"collected {inner.name}")
        self.threshold = threshold
        self.collections = 0
        """Collections that ended, the emergency ones included."""
        self.emergencies = 0
        self._collect = collect
        self._collecting = False
        self._paid = 0

    @property
    def debt(self) -> int:
        """Bytes; below 0 when more was ended than allocated."""
        return self.ledger.book.whole.current - self._paid

    def collect(self, *, emergency: bool = False) -> bool:
        """Run a collection now, unless one is running; whether it was run."""
        if self._collecting:
            return False
        self._collecting = True
        try:
            self._collect(emergency)
        finally:
            self._collecting = False
        self.collections += 1
        self.emergencies += emergency
        self._paid = self.ledger.book.whole.current
        return True

    def _served(self, ask: Callable[[], int]) -> int:
        if self.debt > self.threshold:
            self.collect()
        ptr = ask()
        if ptr == 0 and self.collect(emergency=True):
            ptr = ask()
        return ptr

    def _take(self, size: int, align: int, note: Note) -> int:
        take = super()._take
        return self._served(lambda: take(size, align, note))

    def _take_zeroed(self, size: int, align: int, note: Note) -> int:
        take = super()._take_zeroed
        return self._served(lambda: take(size, align, note))

    def _resize(self, ptr: int, held: Held, size: int, note: Note) -> int:
        resize = super()._resize

        def ask() -> int:
            if self.ledger.blocks.get(ptr) is not held:
                raise MisuseError(
                    f"realloc({ptr:#x}) of {self.name}", "the collection that it ran freed the block", ptr
                )
            return resize(ptr, held, size, note)

        return self._served(ask)
