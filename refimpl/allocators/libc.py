"""The global allocator: the C library's malloc family behind layouts. Source: Vais std/allocator, Global Allocator.

Addresses are real. The `size` of an `Allocation` is what the C library says may be used (`malloc_usable_size`), and
what was asked for where it says nothing. A request for 0 bytes gets a block of its own.

Every block that is live is in one table, with its layout: O(1) a call. So an address that is not live here is refused,
and so is a layout that is not the one with which the block was asked for (or last resized).
"""

import ctypes
from typing import Any

from heaplaw.spec.layout import MAX_ALIGN, PTRDIFF_MAX, fundamental_alignment, is_power_of_two

from ..layout import REFUSED, Allocation, Layout
from ..steps.request import extent
from .base import MisuseError, check_address, check_layout

_live: dict[int, Layout] = {}
"""The blocks that these functions have handed out, and their layouts."""


def _function(name: str, result: Any, *arguments: Any) -> Any:
    """A function of the C library; None where it has none of that name."""
    function: Any = getattr(ctypes.CDLL(None), name, None)
    if function is not None:
        function.restype, function.argtypes = result, arguments
    return function


_pointer, _size = ctypes.c_void_p, ctypes.c_size_t
_malloc = _function("malloc", _pointer, _size)
_calloc = _function("calloc", _pointer, _size, _size)
_realloc = _function("realloc", _pointer, _pointer, _size)
_free = _function("free", None, _pointer)
_posix_memalign = _function("posix_memalign", ctypes.c_int, ctypes.POINTER(_pointer), _size, _size)
_usable_size = _function("malloc_usable_size", _size, _pointer)


def _is_plain(layout: Layout) -> bool:
    """`malloc` aligns blocks of this size to this alignment (C23 7.24.3 p1)."""
    return layout.align <= int(fundamental_alignment(layout.size))


def _entered(address: int | None, layout: Layout) -> Allocation:
    """What the C library gave, taken into the table."""
    if not address:
        return REFUSED
    _live[address] = layout
    return Allocation(address, _usable_size(address) if _usable_size else layout.size)


def _aligned(layout: Layout) -> int | None:
    """A block at a multiple of an alignment that `malloc` does not promise."""
    out = _pointer()
    pointer = ctypes.sizeof(_pointer)  # the least alignment that posix_memalign takes
    failed = _posix_memalign(ctypes.byref(out), max(layout.align, pointer), max(1, layout.size))
    return None if failed else out.value


def global_alloc(layout: Layout) -> Allocation:
    """A block of at least `layout.size` bytes at a multiple of `layout.align`."""
    check_layout("global_alloc", layout)
    return _entered(_malloc(max(1, layout.size)) if _is_plain(layout) else _aligned(layout), layout)


def global_alloc_zeroed(layout: Layout) -> Allocation:
    """As `global_alloc`, the first `layout.size` bytes being 0."""
    check_layout("global_alloc_zeroed", layout)
    if _is_plain(layout):
        return _entered(_calloc(1, max(1, layout.size)), layout)
    address = _aligned(layout)
    if address:
        ctypes.memset(address, 0, layout.size)
    return _entered(address, layout)


def live_blocks() -> dict[int, Layout]:
    """The blocks that are live, by address."""
    return dict(_live)


def _check_live(ptr: int, layout: Layout, doing: str) -> None:
    """`MisuseError` unless the block at `ptr` is live and has this layout."""
    check_address(doing, ptr)
    known = _live.get(ptr)
    if known is None:
        raise MisuseError(f"{doing}({ptr:#x}): not a live block; it was freed already, or not handed out here")
    if known != layout:
        raise MisuseError(f"{doing}({ptr:#x}, {layout}): the block there has the layout {known}")


def global_dealloc(ptr: int, layout: Layout) -> None:
    """Free the live block at `ptr`, which was asked for with `layout`."""
    _check_live(ptr, layout, "global_dealloc")
    del _live[ptr]
    _free(ptr)


def global_realloc(ptr: int, old_layout: Layout, new_layout: Layout) -> Allocation:
    """The live block at `ptr`, asked for with `old_layout`, as one of `new_layout`: in place or moved, its leading
    bytes kept, at a multiple of the new alignment. When it is refused the old block stays live, and as it was.
    """
    _check_live(ptr, old_layout, "global_realloc")
    check_layout("global_realloc", new_layout)
    if _is_plain(old_layout) and _is_plain(new_layout):
        del _live[ptr]  # first: as soon as it is freed, another thread may be given the address
        address = _realloc(ptr, max(1, new_layout.size))
        if not address:
            _live[ptr] = old_layout
        return _entered(address, new_layout)
    moved = global_alloc(new_layout)
    if moved:
        ctypes.memmove(moved.ptr, ptr, min(old_layout.size, new_layout.size))
        global_dealloc(ptr, old_layout)
    return moved


class GlobalAllocator:
    """The global allocator under the names of C: addresses instead of allocations, 0 for the null pointer.

    A size that no object can have is refused. Freeing or resizing what is not live raises `MisuseError`, as does an
    alignment that is no power of two. All objects of this class are one allocator.
    """

    def malloc(self, size: int) -> int:
        """A block of `size` bytes, aligned for any object of that size; 0 when refused."""
        return self.aligned_alloc(fundamental_alignment(size), size)

    def calloc(self, count: int, size: int) -> int:
        """A zeroed block of `count * size` bytes; 0 when refused, as products that overflow are."""
        whole = int(extent(count, size))
        return 0 if whole > PTRDIFF_MAX else global_alloc_zeroed(Layout(whole, fundamental_alignment(whole))).ptr

    def aligned_alloc(self, align: int, size: int) -> int:
        """A block of `size` bytes at a multiple of `align`; 0 when refused."""
        if not is_power_of_two(align):
            raise MisuseError(f"align = {align}: it must be a power of two")
        return 0 if max(align, size) > PTRDIFF_MAX else global_alloc(Layout(size, align)).ptr

    def realloc(self, ptr: int, size: int) -> int:
        """The block at `ptr` with `size` bytes; 0 when refused. A null pointer is `malloc`.

        An alignment beyond that of every type is kept; otherwise the new block has that which objects of its size need.
        """
        if ptr == 0:
            return self.malloc(size)
        old = self._layout_of(ptr, "realloc")
        align = old.align if old.align > MAX_ALIGN else int(fundamental_alignment(size))
        return 0 if size > PTRDIFF_MAX else global_realloc(ptr, old, Layout(size, align)).ptr

    def free(self, ptr: int) -> None:
        """Free the live block at `ptr`; nothing for the null pointer."""
        if ptr != 0:
            global_dealloc(ptr, self._layout_of(ptr, "free"))

    def usable_size(self, ptr: int) -> int:
        """Bytes that may be used of the live block at `ptr`."""
        layout = self._layout_of(ptr, "usable_size")
        return int(_usable_size(ptr)) if _usable_size else layout.size

    def _layout_of(self, ptr: int, doing: str) -> Layout:
        check_address(doing, ptr)
        if ptr not in _live:
            raise MisuseError(f"{doing}({ptr:#x}): not a live block; it was freed already, or not handed out here")
        return _live[ptr]
