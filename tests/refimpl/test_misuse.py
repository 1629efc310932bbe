"""What is of the wrong type, or cannot be had, is refused by name."""

from collections.abc import Callable

import pytest

from heaplaw.models.allocator_machine import AllocatorMachine
from heaplaw.refimpl.allocators import (
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
from heaplaw.refimpl.layout import Layout, LayoutError, layout_array, layout_new

NO_LAYOUTS: dict[str, tuple[Callable[[], object], str]] = {
    "a fraction": (lambda: layout_new(1.5, 8), r"size = 1\.5: it must be an integer"),  # type: ignore[arg-type]
    "truth": (lambda: layout_new(True, True), r"size = True: it must be an integer"),
    "a true alignment": (lambda: layout_new(8, True), r"align = True: it must be an integer"),
    "a text": (lambda: layout_new("a", 8), r"size = 'a': it must be an integer"),  # type: ignore[arg-type]
    "a text to align to": (lambda: layout_new(8, "a"), r"align = 'a': it must be an integer"),  # type: ignore[arg-type]
    "nothing": (lambda: layout_new(None, 8), r"size = None: it must be an integer"),  # type: ignore[arg-type]
    "half an element": (lambda: layout_array(8, 8, 0.5), r"count = 0\.5: it must be an integer"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("what", NO_LAYOUTS)
def test_layout__of_what_is_no_number_is_refused(what: str) -> None:
    make, words = NO_LAYOUTS[what]
    with pytest.raises(LayoutError, match=words):
        make()


NO_CALLS: dict[str, tuple[Callable[[], object], str]] = {
    "pool of fractions": (lambda: PoolAllocator.new(1.5, 3), r"block_size = 1\.5: it must be an integer"),  # type: ignore[arg-type]
    "half a block": (lambda: PoolAllocator.new(8, 0.5), r"num_blocks = 0\.5: it must be an integer"),  # type: ignore[arg-type]
    "bump": (lambda: BumpAllocator.new(10.5), r"capacity = 10\.5: it must be an integer"),  # type: ignore[arg-type]
    "stack": (lambda: StackAllocator.new("x"), r"capacity = 'x': it must be an integer"),  # type: ignore[arg-type]
    "free list": (lambda: FreeListAllocator.new(True), r"capacity = True: it must be an integer"),
    "pool, text": (lambda: PoolAllocator.new(8, 2).dealloc("x"), r"dealloc\('x'\): an address is an integer"),  # type: ignore[arg-type]
    "pool, nothing": (lambda: PoolAllocator.new(8, 2).dealloc(None), r"dealloc\(None\): an address is an integer"),  # type: ignore[arg-type]
    "free list, text": (lambda: FreeListAllocator.new(64).dealloc("x"), r"dealloc\('x'\): an address"),  # type: ignore[arg-type]
    "free list, size": (lambda: FreeListAllocator.new(64).usable_size("x"), r"usable_size\('x'\): an address"),  # type: ignore[arg-type]
    "global, text": (lambda: global_dealloc("x", Layout(8, 8)), r"global_dealloc\('x'\): an address"),  # type: ignore[arg-type]
    "global, free": (lambda: GlobalAllocator().free("x"), r"free\('x'\): an address is an integer"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("what", NO_CALLS)
def test_types__are_looked_at(what: str) -> None:
    call, words = NO_CALLS[what]
    with pytest.raises(MisuseError, match=words):
        call()


BUFFERED: dict[str, type[BumpAllocator | StackAllocator | FreeListAllocator]] = {
    "bump": BumpAllocator,
    "stack": StackAllocator,
    "freelist": FreeListAllocator,
}


@pytest.mark.parametrize("name", BUFFERED)
def test_alloc__of_a_bare_size_says_how_to_make_a_layout(name: str) -> None:
    subject = BUFFERED[name].new(256)
    for doing in ("alloc", "alloc_zeroed"):
        with pytest.raises(MisuseError, match=rf"^{doing} takes a Layout, not 100: layout_new\(100, 8\)$"):
            getattr(subject, doing)(100)
    assert subject.total_allocated() == 0


def test_global_alloc__of_a_bare_size_says_so_too() -> None:
    for ask in (global_alloc, global_alloc_zeroed):
        with pytest.raises(MisuseError, match=rf"^{ask.__name__} takes a Layout, not 100: layout_new\(100, 8\)$"):
            ask(100)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    block = global_alloc(Layout(8, 8))
    with pytest.raises(MisuseError, match="global_realloc takes a Layout, not 'x'"):
        global_realloc(block.ptr, Layout(8, 8), "x")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    global_dealloc(block.ptr, Layout(8, 8))


@pytest.mark.parametrize("make", [StackAllocator.new, BumpAllocator.new, FreeListAllocator.new])
def test_buffer__that_cannot_be_had_is_told_with_its_size(make: Callable[[int], object]) -> None:
    with pytest.raises(MemoryError, match=f"^{2**62} bytes could not be had$"):
        make(2**62)


def test_machine__of_a_shape_that_is_none_names_the_shapes() -> None:
    with pytest.raises(ValueError, match=r"^Odd: 'stak' is no shape; shapes are malloc, .*stack"):
        type("Odd", (AllocatorMachine,), {"shape": "stak"})
