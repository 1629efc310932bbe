"""A parent keeps the chunks that another allocator hands out pieces of: what would end them is refused."""

from collections.abc import Callable

import pytest

from heaplaw.refimpl.system import (
    Allocator,
    Arena,
    Freelist,
    GcAllocator,
    Limited,
    Mapped,
    MisuseError,
    Observed,
    Platform,
    Registry,
    SizePools,
    Subsystem,
    Switches,
    Trace,
    arena_scope,
)

PARENTS: dict[str, Callable[[], Allocator]] = {
    "platform": Platform,
    "arena": lambda: Arena(4096),
    "freelist": lambda: Freelist(8192),
    "traced": lambda: Trace(Arena()),
    "limited": lambda: Limited(Platform(), 2**20),
    "observed": lambda: Observed(Arena(), lambda notice: None),
    "collected": lambda: GcAllocator(Platform(), lambda emergency: None, 2**20),
    "mapped": lambda: Mapped(Arena(), 1024),
}
CHILDREN: dict[str, Callable[[Allocator], Allocator]] = {
    "freelist": lambda parent: Freelist(64, parent=parent),
    "arena": lambda parent: Arena(1024, parent=parent),
    "pools": lambda parent: SizePools(parent, sizes=(64,), chunk_size=1024),
    "records": lambda parent: Trace(Platform(), parent=parent),
}


@pytest.mark.parametrize("child", CHILDREN)
@pytest.mark.parametrize("parent", PARENTS)
def test_chunks__outlive_what_would_end_them(parent: str, child: str) -> None:
    below = PARENTS[parent]()
    mark = below.mark()
    above = CHILDREN[child](below)
    block = above.alloc(60)
    before = below.statistics(), below.leaks(), below.footprint()
    endings: list[Callable[[], None]] = [below.drop, below.reset, lambda: below.release(mark)]
    for end in endings:
        with pytest.raises(MisuseError, match=r"of .*: chunks of .* are live: drop .* first"):
            end()
    assert (below.statistics(), below.leaks(), below.footprint()) == before
    assert above.alloc(60) != 0
    above.free(block)
    assert above.invariant()
    assert below.invariant()
    above.drop()
    below.release(mark)
    below.drop()


def test_large_blocks__that_pools_pass_on_outlive_it_too() -> None:
    below = Platform()
    above = SizePools(below)
    block = above.realloc(above.alloc(100_000), 200_000, tag="large")
    assert below.tag_current("large") == 200_000
    with pytest.raises(MisuseError, match="reset of platform: chunks of pools are live: drop pools first"):
        below.reset()
    above.free(block)
    below.reset()
    below.drop()


def test_release__spares_chunks_from_before_the_mark() -> None:
    arena = Arena()
    above = Freelist(64, parent=arena)
    block, mark = above.alloc(60), arena.mark()
    arena.alloc(8)
    arena.release(mark)
    above.free(block)
    assert above.invariant()


def test_shutdown__drops_all_or_nothing() -> None:
    registry = Registry(switches=Switches())
    vm, ast = registry.get(Subsystem.VM), registry.get(Subsystem.AST)
    block = vm.alloc(8)
    above = Freelist(64, parent=ast)
    above.alloc(8)
    with pytest.raises(MisuseError, match="drop of AST: chunks of freelist are live: drop freelist first"):
        registry.shutdown()
    vm.free(block)
    above.drop()
    assert registry.shutdown().leaks == ()


def test_scope__is_left_and_its_arena_stays_with_its_chunks() -> None:
    scope = arena_scope(registry=Registry(switches=Switches()))
    children: list[Allocator] = []

    def leave_too_early() -> None:
        with scope as arena:
            children.append(Freelist(64, parent=arena))
            children[0].alloc(8)

    with pytest.raises(MisuseError, match="chunks of freelist are live"):
        leave_too_early()
    assert children[0].invariant()
    children[0].drop()
    scope.allocator.drop()
