"""The first-fit free list that users hold."""

from typing import TYPE_CHECKING, Self

from ..layout import REFUSED, Allocation, Layout
from ..steps import freelist
from .base import Buffered, MisuseError, check_address, check_layout, counted

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class FreeListAllocator(Buffered):
    """Blocks of any size, freed in any order, from the first free block that fits. Source: Vais std/allocator,
    FreeListAllocator.

    `alloc` takes time linear in the free blocks. `dealloc` takes constant time, and joins nothing; with `coalesce` it
    is linear too, and joins freed neighbours, so that the whole capacity comes back. `allocated` and `total_allocated`
    count what is live now, headers and rests included: with `remaining` they add up to `capacity`. `remaining` is
    approximate: free blocks' headers are in it, and it need not lie in one piece. What else is settled is told in
    `steps.freelist`.

    Freeing an address that is no live block of this list, and any call after `drop`, raise `MisuseError` and change
    nothing. A block may be written over the `size` of its `Allocation` only: headers stand between blocks.
    """

    _name = "free list"

    def __init__(self, capacity: int, buffer: "int | WriteableBuffer | None" = None, *, coalesce: bool = False) -> None:
        super().__init__(capacity, buffer)
        self._state = freelist.init(self.buffer, capacity, self._memory, coalesce)
        self._live: dict[int, int] = {}
        """Usable bytes of each live block, by address."""

    @classmethod
    def new(cls, capacity: int, *, coalesce: bool = False) -> Self:
        """A list over a buffer of its own, all of it free; with `coalesce`, freed neighbours are joined."""
        return cls(capacity, coalesce=coalesce)

    @classmethod
    def from_buffer(cls, buffer: "int | WriteableBuffer", capacity: int, *, coalesce: bool = False) -> Self:
        """A list over the first `capacity` bytes of memory that somebody else owns, and that outlives it."""
        return cls(capacity, buffer, coalesce=coalesce)

    @property
    def free_list(self) -> int:
        """Address of the first free block; 0 when there is none."""
        return int(self._state.free_list)

    @property
    def allocated(self) -> int:
        """Bytes of the live blocks, headers and rests included."""
        return int(self._state.allocated)

    def _entered(self, ptr: int) -> Allocation:
        if ptr == 0:
            return REFUSED
        self._live[ptr] = int(freelist.usable(ptr, self._memory))
        return Allocation(ptr, self._live[ptr])

    def alloc(self, layout: Layout) -> Allocation:
        """The first block in list order that fits, with all bytes up to its end; refused when none does."""
        self._check_usable("alloc()")
        check_layout("alloc", layout)
        self._state, ptr = freelist.alloc(self._state, layout.size, layout.align, self._memory)
        return self._entered(ptr)

    def alloc_zeroed(self, layout: Layout) -> Allocation:
        """As `alloc`, the first `layout.size` bytes being 0."""
        self._check_usable("alloc_zeroed()")
        check_layout("alloc_zeroed", layout)
        self._state, ptr = freelist.alloc_zeroed(self._state, layout.size, layout.align, self._memory)
        return self._entered(ptr)

    def _check_live(self, ptr: int, doing: str) -> None:
        self._check_usable(doing)
        if ptr not in self._live:
            raise MisuseError(f"{doing}: not a live block of this free list; {self._known(ptr)}")

    def dealloc(self, ptr: int) -> int:
        """Free the live block at `ptr`; 0."""
        check_address("dealloc", ptr)
        self._check_live(ptr, f"dealloc({ptr:#x})")
        self._state = freelist.dealloc(self._state, ptr, self._memory)
        del self._live[ptr]
        return 0

    def usable_size(self, ptr: int) -> int:
        """Bytes that may be used of the live block at `ptr`."""
        check_address("usable_size", ptr)
        self._check_live(ptr, f"usable_size({ptr:#x})")
        return self._live[ptr]

    def remaining(self) -> int:
        """Bytes that are not handed out, free blocks' headers included."""
        self._check_usable("remaining()")
        return int(self._state.remaining)

    def total_allocated(self) -> int:
        """Bytes of the live blocks, headers and rests included."""
        self._check_usable("total_allocated()")
        return self.allocated

    def free_blocks(self) -> list[tuple[int, int]]:
        """Address and size of every free block, in list order."""
        self._check_usable("free_blocks()")
        return list(freelist.free_blocks(self._state, self._memory))

    def _known(self, ptr: int) -> str:
        """What is known of an address that is none of the live blocks, in words: O(n)."""
        end = self.buffer + self.capacity
        if not self.buffer <= ptr < end:
            return f"it lies outside the buffer [{self.buffer:#x}, {end:#x})"
        for start, size in self._live.items():
            if start < ptr < start + size:
                return f"it lies {counted(ptr - start)} inside the live block of {counted(size)} at {start:#x}"
        for start, size in self.free_blocks():
            if start <= ptr < start + size:
                return f"it lies {counted(ptr - start)} inside the free block of {counted(size)} at {start:#x}"
        return "it lies in no block's payload: a header stands there, or padding"


def freelist_new(capacity: int) -> FreeListAllocator:
    """A free list over a buffer of its own, all of it free."""
    return FreeListAllocator.new(capacity)


def freelist_free(allocator: FreeListAllocator) -> int:
    """End a free list and give its own buffer back; 0."""
    return allocator.drop()
