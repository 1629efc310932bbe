"""Pools of several sizes. Source: the allocator system's future list, Pool Allocators with size classes."""

from heaplaw.spec.layout import MAX_ALIGN

from ..steps.sizes import SIZES, class_of
from .base import Blocks, Booked
from .errors import MisuseError
from .freelist import Freelist
from .interface import Allocator
from .ledger import ChunkTag, Held, Note
from .malloc import parent_of


class SizePools(Booked):
    """A freelist for each size class of `sizes` (`steps.sizes`), made when first needed, in chunks of about
    `chunk_size` bytes from `parent`; what is larger, or aligned to more than 16 bytes, is the parent's.
    """

    def __init__(
        self,
        parent: Allocator | None = None,
        sizes: tuple[int, ...] = SIZES,
        chunk_size: int = 16384,
        name: str = "pools",
    ) -> None:
        if list(sizes) != sorted({size for size in sizes if size > 0 and size % MAX_ALIGN == 0}):
            raise MisuseError(f"SizePools(sizes={sizes})", "classes are multiples of 16 bytes, ascending")
        super().__init__(name)
        self._parent = parent_of("SizePools", parent)
        self._sizes = sizes
        self._chunk_size = chunk_size
        self._pools: dict[int, Freelist] = {}
        self._direct = 0

    def footprint(self) -> int:
        """Bytes of all chunks, and of the blocks that are the parent's."""
        return self._direct + sum(freelist.footprint() for freelist in self._pools.values())

    def invariant(self) -> bool:
        """Every pool is sound."""
        return super().invariant() and all(freelist.invariant() for freelist in self._pools.values())

    def _home(self, size: int, align: int) -> Allocator:
        """Who serves such a request."""
        index = class_of(size, self._sizes)
        if index == len(self._sizes) or align > MAX_ALIGN:
            return self._parent
        if index not in self._pools:
            size = self._sizes[index]
            blocks = max(1, self._chunk_size // size)
            self._pools[index] = Freelist(size, blocks, self._parent, f"{self.name} of {size} bytes")
        return self._pools[index]

    def _tag(self, home: Allocator, note: Note) -> str:
        """The request's tag; the parent is told whose the block is."""
        return ChunkTag.of(self.name, note.tag) if home is self._parent else note.tag

    def _count(self, home: Allocator, change: int) -> None:
        if home is self._parent:
            self._direct += change

    def _take(self, size: int, align: int, note: Note) -> int:
        home = self._home(size, align)
        ptr = home.alloc(size, align, tag=self._tag(home, note), site=note.site)
        if ptr != 0:
            self._count(home, size)
        return ptr

    def _take_zeroed(self, size: int, align: int, note: Note) -> int:
        home = self._home(size, align)
        ptr = home.alloc_zeroed(size, align, tag=self._tag(home, note), site=note.site)
        if ptr != 0:
            self._count(home, size)
        return ptr

    def _resize(self, ptr: int, held: Held, size: int, note: Note) -> int:
        home = self._home(held.size, held.align)
        if self._home(size, held.align) is not home:
            return super()._resize(ptr, held, size, note)
        new = home.realloc(ptr, size, tag=self._tag(home, note), site=note.site)
        if new != 0:
            self._count(home, size - held.size)
        return new

    def _give(self, ptr: int, held: Held) -> None:
        home = self._home(held.size, held.align)
        home.free_sized(ptr, held.size)
        self._count(home, -held.size)

    def _close(self, dying: Blocks) -> None:
        super()._close(dying)
        for freelist in self._pools.values():
            freelist.drop()
        self._pools.clear()
