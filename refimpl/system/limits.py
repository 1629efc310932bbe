"""A limit on what is live. Source: the allocator system's future list, Memory Limits."""

from .base import check_allocator, check_size
from .interface import Allocator
from .ledger import Held, Note
from .wrapper import Wrapper


class Limited(Wrapper):
    """Refuses with 0 what would make more than `limit` bytes live, counted as they are asked for; up to exactly the
    limit it never refuses by itself. A resize counts with its new size alone.
    """

    def __init__(self, inner: Allocator, limit: int, name: str = "") -> None:
        check_allocator("Limited", inner)
        check_size("Limited", limit)
        super().__init__(inner, name or f"limited {inner.name}")
        self.limit = limit

    def _allows(self, size: int, ended: int = 0) -> bool:
        return size <= self.limit - (self.ledger.book.whole.current - ended)

    def _take(self, size: int, align: int, note: Note) -> int:
        return super()._take(size, align, note) if self._allows(size) else 0

    def _take_zeroed(self, size: int, align: int, note: Note) -> int:
        return super()._take_zeroed(size, align, note) if self._allows(size) else 0

    def _resize(self, ptr: int, held: Held, size: int, note: Note) -> int:
        return super()._resize(ptr, held, size, note) if self._allows(size, held.size) else 0
