"""The allocators that users hold: thin classes around the pure steps, over real memory. Source: Vais std/allocator.

The steps decide everything; a class adds what an allocator cannot know in O(1) by itself, namely which addresses are
live, so that misuse is refused by name (`MisuseError`) instead of corrupting a list. A request that cannot be served is
no misuse: it gets the source's failure value, an `Allocation` of 0 and 0, or the address 0. `drop`, `reset` and
`dealloc` return 0, `pop` the number of blocks that it ended: 1, or 0 on an empty stack. Nothing here is safe for use by
several threads at a time, except the global functions.
"""

from .base import MisuseError
from .bump import BumpAllocator, bump_free, bump_new
from .freelist import FreeListAllocator, freelist_free, freelist_new
from .libc import GlobalAllocator, global_alloc, global_alloc_zeroed, global_dealloc, global_realloc
from .pool import PoolAllocator, pool_free, pool_new
from .stack import StackAllocator, stack_free, stack_new

__all__ = [
    "BumpAllocator",
    "FreeListAllocator",
    "GlobalAllocator",
    "MisuseError",
    "PoolAllocator",
    "StackAllocator",
    "bump_free",
    "bump_new",
    "freelist_free",
    "freelist_new",
    "global_alloc",
    "global_alloc_zeroed",
    "global_dealloc",
    "global_realloc",
    "pool_free",
    "pool_new",
    "stack_free",
    "stack_new",
]
