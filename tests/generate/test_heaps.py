"""Traces of heaps with a bound and of pools, run on a small first-fit heap that joins freed neighbours."""

from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np
import pytest

from heaplaw.models import generate
from heaplaw.models.phases import RUNNERS
from heaplaw.models.table import RENEW_LEAST
from heaplaw.spec.catalogue import law
from heaplaw.spec.event import NONE, Event, Status, View, Zero
from heaplaw.spec.heap import Heap, run_of
from heaplaw.spec.history import Trace, make_history, plain_env
from heaplaw.spec.layout import align_up
from heaplaw.spec.shapes import MAKERS, REQUESTS, SHAPES, Kind

HEADER, GRAIN = 16, 16


@dataclass
class FirstFit:
    """Free ranges, as (start, end), in order."""

    capacity: int
    free: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    taken: dict[int, int] = field(default_factory=dict[int, int])
    """End of each block, by its address."""

    def __post_init__(self) -> None:
        self.free = [(0, self.capacity)]

    def take(self, size: int, align: int) -> int | None:
        """Address of a new block."""
        for at, (start, end) in enumerate(self.free):
            ptr = align_up(start + HEADER, max(align, GRAIN))
            stop = align_up(ptr + size, GRAIN)
            if stop <= end:
                self.free[at : at + 1] = [pair for pair in ((start, ptr - HEADER), (stop, end)) if pair[0] < pair[1]]
                self.taken[ptr] = stop
                return ptr
        return None

    def give(self, ptr: int) -> None:
        """Free a block."""
        pairs = sorted([*self.free, (ptr - HEADER, self.taken.pop(ptr))])
        self.free = []
        for start, end in pairs:
            if self.free and self.free[-1][1] == start:
                self.free[-1] = (self.free[-1][0], end)
            else:
                self.free.append((start, end))


@dataclass
class Run:
    """What came of a trace."""

    events: list[Event] = field(default_factory=list[Event])
    before: list[View] = field(default_factory=list[View])
    after: list[View] = field(default_factory=list[View])
    owners: list[int] = field(default_factory=list[int])
    stale: list[int] = field(default_factory=list[int])
    """Operations that named what was ended before, refusals aside."""


def run(trace: Trace) -> Run:
    """Run the trace on first-fit heaps, and keep the abstract heap."""
    heaps: dict[int, FirstFit] = {}
    slots: dict[int, tuple[int, int, int, int]] = {}
    heap, found = Heap(), Run()
    capacity, ended = int(trace.env.capacity) or 2**40, set[int]()
    for index, op in enumerate(trace.ops()):
        mine = heaps.setdefault(op.instance, FirstFit(capacity))
        status, ptr, owner, held = Status.OK, 0, NONE, 0
        if op.kind in (Kind.RESET, Kind.RENEW):
            heaps[op.instance] = FirstFit(capacity)
            gone = [slot for slot, block in slots.items() if block[3] == op.instance]
            ended.update(gone)
            for slot in gone:
                del slots[slot]
        elif op.slot != NONE:
            if op.slot not in slots:
                status = Status.SKIPPED
                if op.slot in ended:
                    found.stale.append(index)
            else:
                old, held, owner, _ = slots[op.slot]
                if op.kind == Kind.FREE:
                    mine.give(old)
                    del slots[op.slot]
                    ended.add(op.slot)
        if op.kind in MAKERS and status == Status.OK:
            new = mine.take(op.size * op.count, op.align or 1)
            status = Status.FAILED if new is None else Status.OK
            if op.kind == Kind.RESIZE:
                place = slots.pop(op.slot)
                if new is None:
                    slots[index] = place
                else:
                    mine.give(place[0])
            if new is not None:
                ptr = 2**20 + new
                slots[index] = (new, op.size * op.count, index, op.instance)
        event = Event(
            op.kind, op.size, op.align, op.count, status, held=held, ptr=ptr, index=index, instance=op.instance,
            env=trace.env,
        )  # fmt: skip
        found.before.append(heap.view(event))
        heap.absorb(index, event, owner)
        found.events.append(event)
        found.owners.append(owner)
        found.after.append(heap.view(event))
    return found


N = 20_000
PLAIN = (Kind.ALLOC, Kind.ZALLOC)


@cache
def traces(shape: str, capacity: int, n: int = N) -> list[Trace]:
    env = replace(plain_env(shape), capacity=capacity)
    return list(generate.campaigns(shape, SHAPES[shape].operations, env, n, 3))


@cache
def played(shape: str, capacity: int, place: int = 0) -> Run:
    return run(traces(shape, capacity)[place])


SUBJECTS = [("freelist", 4096), ("freelist", 65536), ("freelist", 2**20), ("malloc", 65536), ("lua_alloc", 65536)]


@pytest.mark.parametrize(("shape", "capacity"), SUBJECTS)
def test_nothing_names_what_has_ended(shape: str, capacity: int) -> None:
    assert played(shape, capacity).stale == []
    assert played(shape, capacity, 1).stale == []


@pytest.mark.parametrize(("shape", "capacity"), SUBJECTS)
def test_heaps_breathe_between_empty_and_full(shape: str, capacity: int) -> None:
    found = played(shape, capacity)
    live = np.array([view.live_bytes for view in found.after]) / capacity
    assert (live == 0).sum() > 200
    assert np.quantile(live, 0.5) < 0.6
    assert (live > 0.6).sum() > 500
    sizes = [e.extent for e in found.events if e.status == Status.FAILED]
    assert sum(1 <= size <= capacity for size in sizes) > 150
    assert sum(size == 0 or size > capacity for size in sizes) > 50


@pytest.mark.parametrize(("shape", "capacity"), SUBJECTS)
def test_the_empty_heap_is_asked_for_nearly_everything(shape: str, capacity: int) -> None:
    found = played(shape, capacity)
    owed = [
        e for pre, e in zip(found.before, found.events, strict=True) if e.kind in PLAIN and 1 <= e.extent <= pre.whole
    ]
    assert sum(e.extent > 0.9 * capacity for e in owed) > 100
    assert all(e.status == Status.OK for e in owed)


@pytest.mark.parametrize(("shape", "capacity"), SUBJECTS)
def test_what_was_freed_is_asked_for_at_once(shape: str, capacity: int) -> None:
    found = played(shape, capacity)
    pairs = [(pre, e) for pre, e in zip(found.before, found.events, strict=True) if e.kind in PLAIN and e.extent]
    again = [(pre, e) for pre, e in pairs if e.extent <= pre.freed]
    assert sum(e.extent == pre.freed for pre, e in again) > 500
    assert sum(e.extent == pre.freed - 1 for pre, e in again) > 100
    assert sum(pre.live_bytes > 0.5 * capacity for pre, e in again) > 100
    assert sum(e.extent <= pre.owed for pre, e in pairs) > 15  # right after a refusal


@pytest.mark.parametrize(("shape", "capacity"), [*SUBJECTS, ("freelist", 0)])
@pytest.mark.parametrize("joins", [True, False])
def test_nothing_is_asked_for_where_it_surely_can_be_had(shape: str, capacity: int, joins: bool) -> None:
    """And anywhere else: a promise about 0 bytes is seen to be broken, whichever it is, by any sort of request."""
    found = played(shape, capacity)
    env = replace(plain_env(shape), capacity=capacity, coalesces=joins, zero_size=Zero.UNIQUE)
    asked, decided = Counter[Kind](), Counter[Kind]()
    for pre, e, post in zip(found.before, found.events, found.after, strict=True):
        if e.asks and e.extent == 0:
            asked[Kind(e.kind)] += 1
            refused = replace(e, status=Status.FAILED, ptr=0, env=env)
            decided[Kind(e.kind)] += not law("zero_size_as_promised").holds(pre, refused, post)
    there = SHAPES[shape].operations.intersection(REQUESTS)
    assert all(asked[kind] > 20 for kind in there)
    surely = there if joins or Kind.RESET in SHAPES[shape].operations else there & set(PLAIN)
    assert all(decided[kind] > 4 for kind in surely), decided


@pytest.mark.parametrize(("shape", "capacity"), SUBJECTS)
def test_steady_traces_stay_below_a_third_and_are_never_refused(shape: str, capacity: int) -> None:
    trace = traces(shape, capacity)[1]
    found = played(shape, capacity, 1)
    assert trace.profile == "steady"
    assert max(view.live_bytes for view in found.after) < capacity / 3
    rows = [
        {"status": int(e.status), "ptr": int(e.ptr), "held": int(e.held), "owner": owner}
        for e, owner in zip(found.events, found.owners, strict=True)
    ]
    summed = run_of(make_history(trace, rows))
    assert summed.refused == 0
    assert summed.turnover > 20 * capacity or capacity > 65536
    assert sum(e.status == Status.FAILED for e in found.events) > 10
    assert found.after[-1].live == 0


def test_echoes_follow_resets_and_renewals() -> None:
    for shape, kinds in (
        ("freelist", SHAPES["freelist"].operations | {Kind.RENEW}),
        ("lua_alloc", SHAPES["lua_alloc"].operations | {Kind.RENEW}),
        ("pool", SHAPES["pool"].operations | {Kind.RENEW}),
    ):
        env = replace(plain_env(shape), capacity=65536, block_size=64, num_blocks=100)
        trace = next(generate.campaigns(shape, kinds, env, N, 1))
        found = run(trace)
        backs = Counter(view.undone_by for view in found.after if view.twin)
        assert backs[Kind.RENEW] > 100
        assert backs[Kind.RESET] > 1000 or Kind.RESET not in kinds
        renewed = (np.asarray(trace.columns["kind"]) == Kind.RENEW).sum()
        assert RENEW_LEAST <= renewed <= 20


def test_unbounded_heaps_that_can_be_renewed_have_every_phase() -> None:
    kinds = SHAPES["malloc"].operations | {Kind.RENEW}
    first, last = generate.campaigns("malloc", kinds, plain_env("malloc"), 100_000, 1)
    assert {name for _, name in first.parts} == {*RUNNERS, "leaps"}
    assert Kind.RENEW in np.asarray(first.columns["kind"])
    assert last.profile == "steady"
    assert Kind.RENEW not in np.asarray(last.columns["kind"])


def test_pools_are_filled_exceeded_and_drained() -> None:
    for kinds in (SHAPES["pool"].required, SHAPES["pool"].operations):
        env = replace(plain_env("pool"), block_size=64, num_blocks=7)
        (trace,) = generate.campaigns("pool", kinds, env, N, 1)
        live, over, full, empty, held = 0, 0, 0, 0, set[int]()
        for index, op in enumerate(trace.ops()):
            assert op.size == (64 if op.kind in MAKERS else 0)
            if op.kind in MAKERS:
                over += live == 7
                if live < 7:
                    held.add(index)
            elif op.kind == Kind.FREE:
                held.discard(op.slot)
            elif op.kind == Kind.RESET:
                held.clear()
            live = len(held)
            full += live == 7
            empty += live == 0
        assert min(over, full, empty) > 500
        seen = {Kind(kind) for kind in np.asarray(trace.columns["kind"]).tolist()}
        assert seen == kinds | {Kind.CHECK}
