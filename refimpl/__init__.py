"""The reference implementation: pure step functions over a memory, and thin classes around them.

What it may import: `heaplaw.spec`, and the standard library.
"""

from .allocators import (
    BumpAllocator,
    FreeListAllocator,
    GlobalAllocator,
    MisuseError,
    PoolAllocator,
    StackAllocator,
    global_alloc,
    global_alloc_zeroed,
    global_dealloc,
    global_realloc,
)
from .layout import (
    Allocation,
    Layout,
    LayoutError,
    layout_array,
    layout_extend,
    layout_for_i32,
    layout_for_i64,
    layout_for_ptr,
    layout_new,
)

__all__ = [
    "Allocation",
    "BumpAllocator",
    "FreeListAllocator",
    "GlobalAllocator",
    "Layout",
    "LayoutError",
    "MisuseError",
    "PoolAllocator",
    "StackAllocator",
    "global_alloc",
    "global_alloc_zeroed",
    "global_dealloc",
    "global_realloc",
    "layout_array",
    "layout_extend",
    "layout_for_i32",
    "layout_for_i64",
    "layout_for_ptr",
    "layout_new",
]
