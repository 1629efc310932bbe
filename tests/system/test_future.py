"""The source's future list: callbacks, collectors, mappings, size classes, thread-local instances."""

import logging
import threading
from pathlib import Path
from typing import Any

import pytest

from heaplaw.refimpl.system import (
    Allocator,
    Arena,
    Freelist,
    GcAllocator,
    Happening,
    Limited,
    Mapped,
    MisuseError,
    Notice,
    Observed,
    Platform,
    SizePools,
    ThreadLocal,
    Trace,
)

# ---------------------------------------------------------------------------------------------- callbacks


def test_callbacks__tell_of_every_operation_after_it_is_booked() -> None:
    seen: list[tuple[Happening, int, int, str, int]] = []
    totals: list[int] = []

    def listen(notice: Notice) -> None:
        seen.append((notice.happening, notice.ptr, notice.size, notice.tag, notice.old))
        totals.append(observed.current_bytes())

    observed = Observed(Limited(Platform(), 100), listen)
    a = observed.alloc(40, tag="a")
    b = observed.alloc_zeroed(30)
    assert observed.alloc(50) == 0
    c = observed.realloc(a, 60)
    assert observed.realloc(c, 90) == 0
    observed.free(b)
    d = observed.alloc(1)
    observed.reset()
    assert seen == [
        (Happening.ALLOC, a, 40, "a", 0),
        (Happening.ALLOC, b, 30, "", 0),
        (Happening.FAILURE, 0, 50, "", 0),
        (Happening.REALLOC, c, 60, "a", a),
        (Happening.FAILURE, c, 90, "a", 0),
        (Happening.FREE, b, 30, "", 0),
        (Happening.ALLOC, d, 1, "", 0),
        (Happening.FREE, d, 1, "", 0),
        (Happening.FREE, c, 60, "a", 0),
    ]
    assert totals == [40, 70, 70, 90, 90, 60, 61, 0, 0]


def test_callback__that_raises_disturbs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def grumble(notice: Notice) -> None:
        raise RuntimeError(f"no {notice.happening.value}")

    observed = Observed(Trace(Platform()), grumble)
    with caplog.at_level(logging.ERROR):
        block = observed.alloc(10)
        moved = observed.realloc(block, 20)
        other = observed.alloc(5)
        observed.free(moved)
        mark = observed.mark()
        observed.alloc(6)
        observed.release(mark)
    assert [leak.address for leak in observed.leaks()] == [other]
    assert (observed.current_bytes(), observed.peak_bytes(), observed.inner.leak_bytes()) == (5, 25, 5)
    assert observed.errors == 6
    assert "RuntimeError: no realloc" in caplog.text


def test_callback__may_allocate_and_is_not_told_of_that() -> None:
    kept: list[int] = []
    observed = Observed(Platform(), lambda notice: kept.append(observed.alloc(1)))
    observed.free(observed.alloc(8))
    assert (len(kept), observed.errors, observed.current_bytes()) == (2, 0, 2)
    observed.reset()
    assert (len(kept), observed.current_bytes()) == (4, 2)


# --------------------------------------------------------------------------------------------- collectors


class Heap:
    """A program whose garbage is what it no longer roots."""

    def __init__(self, inner: Allocator, threshold: int) -> None:
        self.gc = GcAllocator(inner, self.collect, threshold)
        self.garbage: list[int] = []
        self.calls: list[bool] = []
        self.inside: list[int] = []
        self.allocates_inside = 0

    def collect(self, emergency: bool) -> None:
        self.calls.append(emergency)
        if self.allocates_inside:
            self.inside.append(self.gc.alloc(self.allocates_inside))
        while self.garbage:
            self.gc.free(self.garbage.pop())

    def litter(self, size: int) -> None:
        self.garbage.append(self.gc.alloc(size))


def test_collector__runs_when_debt_passes_the_threshold() -> None:
    heap = Heap(Platform(), 100)
    heap.litter(100)
    assert (heap.gc.debt, heap.calls) == (100, [])
    heap.litter(1)
    assert (heap.gc.debt, heap.calls) == (101, [])
    block = heap.gc.alloc(7)
    assert (heap.gc.debt, heap.calls, heap.gc.current_bytes()) == (7, [False], 7)
    heap.gc.free(block)
    assert (heap.gc.debt, heap.gc.collections, heap.gc.emergencies) == (0, 1, 0)


def test_collector__that_frees_nothing_counts_anew_all_the_same() -> None:
    heap = Heap(Platform(), 100)
    heap.gc.alloc(101)
    heap.gc.alloc(100)
    assert (heap.gc.debt, heap.calls) == (100, [False])
    heap.gc.alloc(1)
    assert (heap.gc.debt, heap.calls) == (101, [False])
    heap.gc.reset()
    assert heap.gc.debt == -101


def test_collector__runs_once_in_an_emergency_and_the_request_is_tried_again() -> None:
    heap = Heap(Limited(Platform(), 100), 10**6)
    heap.litter(60)
    kept = heap.gc.alloc(30)
    assert heap.gc.alloc(50) != 0
    assert heap.calls == [True]
    assert heap.gc.realloc(kept, 51) == 0
    assert heap.calls == [True, True]
    assert (heap.gc.emergencies, heap.gc.current_bytes()) == (2, 80)
    assert heap.gc.alloc_zeroed(21) == 0
    assert heap.calls == [True] * 3


def test_collector__is_never_entered_again() -> None:
    heap = Heap(Limited(Platform(), 100), 50)
    heap.litter(60)
    heap.allocates_inside = 60
    assert heap.gc.alloc(30) != 0
    assert (heap.calls, heap.inside) == ([False], [0])
    assert not GcAllocator(Platform(), lambda emergency: nested.append(gc.collect()), 0).collections
    nested: list[bool] = []
    gc = GcAllocator(Platform(), lambda emergency: nested.append(gc.collect()), 0)
    assert (gc.collect(), nested) == (True, [False])


def test_collector__that_raises_ends_the_request_and_changes_nothing() -> None:
    def fail(emergency: bool) -> None:
        raise OSError("cannot mark")

    gc = GcAllocator(Limited(Trace(Platform()), 100), fail, 50)
    block = gc.alloc(60)
    before = gc.statistics(), gc.inner.statistics(), gc.debt
    for ask in (lambda: gc.alloc(1), lambda: gc.realloc(block, 1), lambda: gc.alloc_zeroed(90)):
        with pytest.raises(OSError, match="cannot mark"):
            ask()
    assert (gc.statistics(), gc.inner.statistics(), gc.debt, gc.collections) == (*before, 0)
    gc.free(block)
    assert gc.alloc(100) != 0


def test_collector__that_frees_the_block_in_hand_is_told_so() -> None:
    heap = Heap(Platform(), 10)
    block = heap.gc.alloc(20)
    heap.garbage.append(block)
    with pytest.raises(MisuseError, match="the collection that it ran freed the block"):
        heap.gc.realloc(block, 30)
    assert heap.gc.leaks() == []


def test_arena__is_not_changed_while_its_parent_collects() -> None:
    arena = Arena(256, GcAllocator(Platform(), lambda emergency: arena.reset(), 0))
    arena.alloc(200)
    before = arena.statistics(), arena.footprint()
    with pytest.raises(MisuseError, match="in the middle of asking its parent for a chunk"):
        arena.alloc(200)
    assert (arena.statistics(), arena.footprint(), arena.invariant()) == (*before, True)


def test_arena__lets_a_collection_free_its_blocks() -> None:
    garbage: list[int] = []
    arena = Arena(256, GcAllocator(Platform(), lambda emergency: arena.free(garbage.pop()), 0))
    garbage.append(arena.alloc(200))
    assert arena.alloc(100) != 0
    assert (arena.current_bytes(), arena.invariant()) == (100, True)


def test_trace__of_a_collector_keeps_its_records_right() -> None:
    heap = Heap(Platform(), 10)
    trace = Trace(heap.gc)
    first = trace.alloc(20)
    second = trace.alloc(5)
    assert [(leak.address, leak.serial) for leak in trace.leaks()] == [(first, 1), (second, 2)]
    assert heap.calls == [False]


# ----------------------------------------------------------------------------------------------- mappings


def mapped(address: int) -> bool:
    """The process has memory at an address."""
    for line in Path("/proc/self/maps").read_text(encoding="ascii").splitlines():
        low, high = (int(end, 16) for end in line.split()[0].split("-"))
        if low <= address < high:
            return True
    return False


@pytest.mark.parametrize("end", ["free", "reset", "release", "drop", "shrink"])
def test_mapping__is_given_back(end: str) -> None:
    mib = 2**20
    allocator = Mapped(Platform(), mib)
    mark = allocator.mark()
    block = allocator.alloc(64 * mib + 1)
    assert (block % 4096, mapped(block), allocator.footprint()) == (0, True, 64 * mib + 4096)
    small = allocator.alloc(100)
    ends: dict[str, Any] = {
        "free": lambda: allocator.free(block),
        "reset": allocator.reset,
        "release": lambda: allocator.release(mark),
    }
    ends |= {"drop": allocator.drop, "shrink": lambda: allocator.realloc(block, 100)}
    ends[end]()
    assert not mapped(block)
    assert not mapped(block + 64 * mib)
    assert allocator.footprint() == {"free": 100, "shrink": 200}.get(end, 0)
    assert small != 0


def test_mapping__is_for_large_blocks_of_ordinary_alignment() -> None:
    allocator = Mapped(Platform(), 8192)
    below, at, aligned = allocator.alloc(8191), allocator.alloc(9000), allocator.alloc(8192, 8192)
    allocator.free(allocator.alloc(8192))
    assert allocator.inner.allocations() == 2
    assert at % 4096 == 0
    assert aligned % 8192 == 0
    assert allocator.inner.current_bytes() == 8191 + 8192
    assert allocator.realloc(at, 12_000) == at
    assert 0 not in (below, allocator.alloc_zeroed(10_000))
    assert allocator.alloc(2**62) == 0


# --------------------------------------------------------------------------------------------- size classes


def test_pools__reuse_by_class_and_leave_large_requests_to_the_parent() -> None:
    parent = Platform()
    pools = SizePools(parent, chunk_size=1024)
    first = pools.alloc(100)
    pools.free(first)
    assert pools.alloc(112) == first
    assert pools.alloc(113) != first
    assert parent.statistics().live_blocks == 2
    large = pools.alloc(40_000, tag="large")
    assert parent.tag_current("large") == 40_000
    assert pools.footprint() == parent.current_bytes() == 112 * 9 + 128 * 8 + 40_000
    moved = pools.realloc(large, 50)
    assert parent.tag_current("large") == 0
    assert pools.tag_current("large") == 50
    assert pools.realloc(moved, 64) == moved
    larger = pools.realloc(pools.alloc(40_000), 50_000)
    assert pools.footprint() == parent.current_bytes()
    pools.free(larger)
    assert pools.footprint() == parent.current_bytes() == 112 * 9 + 128 * 8 + 64 * 16
    pools.drop()
    assert parent.current_bytes() == 0


def test_pools__of_a_parent_that_has_nothing_refuse() -> None:
    pools = SizePools(Limited(Platform(), 100), chunk_size=200)
    assert pools.alloc(16) == 0
    assert pools.alloc(10**6) == 0
    assert pools.statistics().allocations == 0


# --------------------------------------------------------------------------------------------- thread-local


def test_threads__have_instances_of_their_own() -> None:
    shared = ThreadLocal(lambda: Trace(Freelist(64)))
    block = shared.alloc(10)
    failures: list[str] = []
    blocks: list[int] = []
    together = threading.Barrier(4)

    def work(number: int) -> None:
        together.wait()
        mine = [shared.alloc(number + 1) for _ in range(200)]
        for each in mine[::2]:
            shared.free(each)
        blocks.extend(mine[1::2])
        if shared.statistics().current_bytes != 100 * (number + 1):
            failures.append("statistics")
        try:
            shared.free(block)
        except MisuseError:
            return
        failures.append("another thread's block was freed")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(set(blocks)) == 400
    assert shared.current_bytes() == 10
    assert sorted(one.current_bytes() for one in shared.instances()) == [10, 100, 200, 300, 400]


def test_thread_local__drops_one_instance() -> None:
    shared = ThreadLocal(Arena)
    first = shared.here()
    shared.alloc(1)
    shared.drop()
    assert first.footprint() == 0
    assert (shared.instances(), shared.here() is first) == ([], False)


def test_confined__refuses_another_thread() -> None:
    platform = Platform()
    platform.confine()
    block = platform.alloc(1)
    errors: list[str] = []

    def elsewhere() -> None:
        for call in (lambda: platform.alloc(1), lambda: platform.free(block), platform.reset):
            try:
                call()
            except MisuseError as error:
                errors.append(str(error))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    words = "it is confined to"
    assert len(errors) == 3
    assert all("called from another thread than the one " + words in error for error in errors)
    assert platform.current_bytes() == 1
