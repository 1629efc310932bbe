"""The pool that users hold."""

from collections.abc import Collection
from typing import Self

from ..steps import pool
from ..steps.pool import PoolState
from .base import Bounded, MisuseError, check_address, check_integer, counted


def what_is_known(state: PoolState, ptr: int, live: Collection[int]) -> str:
    """What a pool knows of an address that is none of its live blocks, in words."""
    start, end = int(state.buffer), int(state.buffer + state.capacity)
    if not start <= ptr < end:
        return f"it lies outside the pool's buffer [{start:#x}, {end:#x})"
    index, offset = divmod(ptr - start, int(state.block_size))
    condition = "live" if ptr - offset in live else "free"
    if offset:
        start = ptr - offset
        return f"it lies {counted(offset)} inside block {index}, which is {condition} and starts at {start:#x}"
    return f"block {index} starts there and is {condition} already"


class PoolAllocator(Bounded):
    """A pool of `num_blocks` blocks of `block_size` bytes each (rounded up to a multiple of 8, at least 8).

    `alloc` and `dealloc` take constant time; construction takes O(num_blocks). Blocks are aligned to 8 bytes,
    and to 16 where `block_size` is a multiple of 16. Freeing an address that is no live block of this pool,
    and any call after `drop`, raise `MisuseError` and change nothing. Source: Vais std/allocator, PoolAllocator.
    """

    _name = "pool"

    def __init__(self, block_size: int, num_blocks: int) -> None:
        check_integer("block_size", block_size)
        check_integer("num_blocks", num_blocks)
        if block_size < 0 or num_blocks < 0:
            raise MisuseError(f"a pool of {num_blocks} blocks of {block_size} bytes: neither can be negative")
        super().__init__(pool.rounded(block_size) * num_blocks)
        self._state = pool.init(self.buffer, block_size, num_blocks, self._memory)
        self._live: set[int] = set()

    @classmethod
    def new(cls, block_size: int, num_blocks: int) -> Self:
        """A pool with every block free."""
        return cls(block_size, num_blocks)

    @property
    def block_size(self) -> int:
        """Bytes of a block, as rounded up."""
        return int(self._state.block_size)

    @property
    def free_list(self) -> int:
        """Address of the block that is handed out next; 0 when the pool is full."""
        return int(self._state.free_list)

    @property
    def num_blocks(self) -> int:
        """Blocks in all."""
        return int(self._state.num_blocks)

    @property
    def num_free(self) -> int:
        """Blocks that are free."""
        return int(self._state.num_free)

    def alloc(self) -> int:
        """The address of a block that was free, 0 when none is."""
        self._check_usable("alloc()")
        self._state, ptr = pool.alloc(self._state, self._memory)
        if ptr != 0:
            self._live.add(ptr)
        return int(ptr)

    def dealloc(self, ptr: int) -> int:
        """Free the live block at `ptr`; 0."""
        check_address("dealloc", ptr)
        self._check_usable(f"dealloc({ptr:#x})")
        if ptr not in self._live:
            known = what_is_known(self._state, ptr, self._live)
            raise MisuseError(f"dealloc({ptr:#x}): not a live block of this pool; {known}")
        self._state = pool.dealloc(self._state, ptr, self._memory)
        self._live.remove(ptr)
        return 0

    def num_free_blocks(self) -> int:
        """Blocks that are free."""
        self._check_usable("num_free_blocks()")
        return self.num_free

    def num_allocated(self) -> int:
        """Blocks that are handed out."""
        self._check_usable("num_allocated()")
        return len(self._live)


def pool_new(block_size: int, num_blocks: int) -> PoolAllocator:
    """A pool with every block free."""
    return PoolAllocator.new(block_size, num_blocks)


def pool_free(allocator: PoolAllocator) -> int:
    """Give a pool's buffer back; 0."""
    return allocator.drop()
