"""Traces of bumps, stacks and arenas, run on a tiny region in plain Python: whether they are what they mean to be."""

import itertools
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np
import pytest

from heaplaw.models import generate
from heaplaw.spec.event import NONE, Env, Event, Status, View
from heaplaw.spec.heap import Heap
from heaplaw.spec.history import Trace, plain_env
from heaplaw.spec.layout import PTRDIFF_MAX, SIZE_MAX, align_up
from heaplaw.spec.shapes import REQUESTS, SHAPES, Kind

ROOM, N = 65536, 20_000


def same(a: Trace, b: Trace) -> bool:
    return all(np.array_equal(np.asarray(a.columns[name]), np.asarray(b.columns[name])) for name in a.columns)


@dataclass
class Region:
    """One instance. `things` are live blocks and marks: what they are, and where the region ended before them."""

    env: Env
    top: int = 0
    things: dict[int, tuple[Kind, int]] = field(default_factory=dict[int, tuple[Kind, int]])

    @property
    def room(self) -> int:
        return int(self.env.capacity) or ROOM

    def request(self, index: int, kind: Kind, size: int, align: int) -> int:
        """The address of a new block, or 0."""
        at = align_up(self.top, align)
        if at + size > self.room:
            return 0
        self.things[index] = (kind, self.top)
        self.top = at + size
        return 2**20 + at

    def back_to(self, index: int) -> None:
        """End everything from `index` on."""
        gone = [thing for thing in self.things if thing >= index]
        if gone:
            self.top = self.things[gone[0]][1]
        for thing in gone:
            del self.things[thing]

    def newest(self) -> int:
        """The newest block, or NONE."""
        return max((thing for thing, (kind, _) in self.things.items() if kind != Kind.MARK), default=NONE)


@dataclass
class Played:
    """What came of a trace: each operation's event, and the view after it."""

    events: list[Event] = field(default_factory=list[Event])
    views: list[View] = field(default_factory=list[View])
    stale: list[int] = field(default_factory=list[int])
    """Operations that named what does not live."""
    tops: list[int] = field(default_factory=list[int])
    """Bytes taken in the instance, after each operation."""

    @property
    def twins(self) -> int:
        """Operations that had been asked before in the same state."""
        return sum(bool(view.twin) for view in self.views)


def play(trace: Trace) -> Played:
    """Run the trace on tiny regions, and keep the abstract heap."""
    regions: dict[int, Region] = {}
    heap, played = Heap(), Played()
    env = trace.env
    for index, op in enumerate(trace.ops()):
        region = regions.setdefault(op.instance, Region(env))
        status, ptr, owner = Status.OK, 0, NONE
        if op.kind in REQUESTS:
            align = op.align or int(env.max_align)
            ptr = region.request(index, op.kind, op.size * op.count, align)
            status = Status.OK if ptr else Status.FAILED
        elif op.kind == Kind.MARK:
            region.things[index] = (op.kind, region.top)
        elif op.kind in (Kind.RESET, Kind.RENEW):
            region.back_to(0)
        else:
            owner = region.newest() if op.kind == Kind.POP else op.slot
            if op.kind != Kind.POP and owner not in region.things:
                status = Status.SKIPPED
                played.stale.append(index)
            elif op.kind in (Kind.POP, Kind.RELEASE) and owner != NONE:
                region.back_to(owner)
        event = Event(op.kind, op.size, op.align, op.count, status, ptr=ptr, index=index, instance=op.instance, env=env)
        heap.absorb(index, event, owner)
        played.events.append(event)
        played.views.append(heap.view(event))
        played.tops.append(region.top)
    return played


def drawn(shape: str, capacity: int, kinds: frozenset[Kind] | None = None, n: int = N, profile: str = "mixed") -> Trace:
    env = replace(plain_env(shape), capacity=capacity)
    return next(generate.campaigns(shape, kinds or SHAPES[shape].operations, env, n, 5, profile))


@cache
def played_on(shape: str, capacity: int) -> Played:
    return play(drawn(shape, capacity))


SUBJECTS = [(shape, capacity) for shape in ("bump", "stack", "arena") for capacity in (1024, 65536)]


@pytest.mark.parametrize(("shape", "capacity"), SUBJECTS)
def test_echoes_come_back_to_states_seen_before(shape: str, capacity: int) -> None:
    played = played_on(shape, capacity)
    assert played.twins > 0.12 * N
    wanted = {"bump": {Kind.RESET}, "stack": {Kind.POP, Kind.RESET}, "arena": {Kind.RELEASE, Kind.RESET}}[shape]
    backs = Counter(Kind(int(view.undone_by)) for view in played.views if view.twin)
    assert all(backs[kind] > 100 for kind in wanted), backs


@pytest.mark.parametrize(("shape", "capacity"), SUBJECTS)
def test_states_come_back_at_any_depth(shape: str, capacity: int) -> None:
    played = played_on(shape, capacity)
    depths = {view.live for view in played.views if view.twin}
    assert len(depths) > 25


@pytest.mark.parametrize("shape", ["bump", "stack", "arena"])
def test_renewals_are_rare_and_followed_by_echoes(shape: str) -> None:
    for kinds in (SHAPES[shape].operations | {Kind.RENEW}, SHAPES[shape].operations - {Kind.RESET} | {Kind.RENEW}):
        trace = drawn(shape, 4096, kinds, 10_000)
        played = play(trace)
        renewed = (np.asarray(trace.columns["kind"]) == Kind.RENEW).sum()
        assert renewed >= 4
        assert renewed <= 20 or (shape == "bump" and Kind.RESET not in kinds)
        echoed = 0
        for index in np.flatnonzero(np.asarray(trace.columns["kind"]) == Kind.RENEW).tolist():
            after = range(index + 1, len(trace))
            asked = (at for at in after if played.events[at].makes or played.events[at].kind == Kind.MARK)
            echoed += bool(played.views[next(asked, index)].twin)
        assert echoed >= 2


@pytest.mark.parametrize(("shape", "capacity"), SUBJECTS)
def test_hardly_anything_names_what_was_refused(shape: str, capacity: int) -> None:
    assert len(played_on(shape, capacity).stale) < 0.01 * N


@pytest.mark.parametrize(("shape", "capacity"), SUBJECTS)
def test_the_room_is_filled_to_the_last_byte_and_asked_beyond(shape: str, capacity: int) -> None:
    played = played_on(shape, capacity)
    assert sum(top == capacity for top in played.tops) > 20
    near = {capacity - top for top in played.tops if 0 < capacity - top < 64}
    assert len(near) > 20
    refused = [e for e in played.events if e.status == Status.FAILED]
    sizes = [e.size * e.count for e in refused]
    assert sum(1 <= size <= capacity for size in sizes) > 200
    assert sum(size > capacity for size in sizes) > 100
    served_after = sum(
        a.status == Status.FAILED and b.status == Status.OK and b.kind in REQUESTS
        for a, b in itertools.pairwise(played.events)
    )
    assert served_after > 50


@pytest.mark.parametrize(("shape", "capacity"), SUBJECTS)
def test_sizes_that_could_wrap_are_asked_for(shape: str, capacity: int) -> None:
    trace = drawn(shape, capacity, n=60_000)
    c = {name: np.asarray(column) for name, column in trace.columns.items()}
    sizes, aligned = c["size"], c["kind"] == Kind.ALIGNED
    assert (sizes > SIZE_MAX - 65).sum() > 20
    assert ((sizes > PTRDIFF_MAX - 20) & (sizes < PTRDIFF_MAX + 20)).any()
    assert (aligned & (sizes > SIZE_MAX - 4096)).any()
    assert set(c["align"][aligned].tolist()) == {2**k for k in range(13)}
    assert ((c["kind"] == Kind.ZALLOC) & (c["size"].astype(float) * c["count"] > 2.0**64)).any()
    assert (sizes[c["kind"] == Kind.ALLOC] == 0).sum() > 20


@pytest.mark.parametrize(("shape", "capacity"), SUBJECTS)
def test_zeroed_memory_was_dirty(shape: str, capacity: int) -> None:
    played = played_on(shape, capacity)
    used = dict.fromkeys(range(capacity), False)
    dirty = 0
    for event in played.events:
        if event.ptr:
            span = range(event.ptr - 2**20, event.ptr - 2**20 + int(event.extent))
            dirty += event.kind == Kind.ZALLOC and any(used[at] for at in span[:: max(1, len(span) // 4)])
            used.update(dict.fromkeys(span, True) if len(span) <= 512 else {})
    assert dirty > 200


def test_stacks_are_popped_at_every_depth_and_when_empty() -> None:
    trace = drawn("stack", 65536, n=60_000)
    played = play(trace)
    pops = [index for index, e in enumerate(played.events) if e.kind == Kind.POP]
    depths = {played.views[index].live for index in pops}
    assert set(range(100)) <= depths
    assert max(view.live for view in played.views) > 1000
    empty = sum(played.views[index - 1].live == 0 for index in pops if index)
    assert 50 < empty < 0.2 * len(pops)
    assert sum(played.views[i - 1].live > 3 for i, e in enumerate(played.events) if e.kind == Kind.RESET) > 20


def test_marks_nest_and_outer_ones_are_released_at_once() -> None:
    for kinds in (SHAPES["arena"].operations, SHAPES["arena"].operations - {Kind.RESET}):
        trace = drawn("arena", 65536, kinds)
        marks, deepest, at_once, empty, again = list[int](), 0, 0, 0, 0
        for index, op in enumerate(trace.ops()):
            if op.kind == Kind.MARK:
                again += marks[-1:] == [index - 1]
                marks.append(index)
            elif op.kind == Kind.RELEASE:
                at_once += marks[-1] != op.slot
                empty += op.slot == index - 1
                del marks[marks.index(op.slot) :]
            elif op.kind in (Kind.RESET, Kind.RENEW):
                marks.clear()
            deepest = max(deepest, len(marks))
        assert deepest >= 15
        assert min(at_once, again) > 100
        assert empty > 20


def test_an_arena_without_a_bound_is_asked_for_much_and_never_too_much() -> None:
    env = plain_env("arena")
    for instances, seed in ((1, 1), (4, 2)):
        trace = next(generate.campaigns("arena", SHAPES["arena"].operations, env, 200_000, seed, instances=instances))
        live, most = dict[int, tuple[int, int]](), 0
        now = 0
        for index, op in enumerate(trace.ops()):
            if op.kind in REQUESTS and op.size * op.count < 2**31:
                live[index] = (op.instance, op.size * op.count)
                now += op.size * op.count
            elif op.kind in (Kind.RESET, Kind.RELEASE):
                since = op.slot if op.kind == Kind.RELEASE else -1
                for gone in [i for i, (whose, _) in live.items() if whose == op.instance and i > since]:
                    now -= live.pop(gone)[1]
            most = max(most, now)
        assert 2**23 < most <= 2**26


def test_arenas_are_asked_for_sizes_around_those_of_chunks() -> None:
    trace = drawn("arena", 0, n=200_000)
    edges = np.asarray(trace.columns["size"])
    assert all(((edges >= 2**k - 64) & (edges <= 2**k + 64)).sum() > 50 for k in range(7, 17))


def test_a_bump_that_nothing_empties_gets_many_short_traces() -> None:
    for kinds in ({Kind.ALLOC}, {Kind.ALIGNED}, {Kind.ALLOC, Kind.ALIGNED, Kind.ZALLOC}):
        env = replace(plain_env("bump"), capacity=4096)
        traces = list(generate.campaigns("bump", frozenset(kinds), env, 24_000, 1))
        assert len(traces) > 10
        assert not any(same(a, b) for a, b in itertools.pairwise(traces))
        played = [play(trace) for trace in traces]
        assert sum(any(e.status == Status.FAILED for e in one.events) for one in played) > 8
        assert sum(one.tops[-1] > 3000 for one in played) > 8


@pytest.mark.parametrize("shape", ["bump", "stack", "arena"])
def test_the_plain_alternative_has_no_boundaries(shape: str) -> None:
    trace = drawn(shape, 65536, profile="uniform")
    assert trace.profile == "uniform"
    c = {name: np.asarray(column) for name, column in trace.columns.items()}
    asks = np.isin(c["kind"], [int(kind) for kind in REQUESTS])
    assert (c["size"][asks] * c["count"][asks] <= 4096 + 4096).all()
    assert set(c["kind"].tolist()) == {int(kind) for kind in SHAPES[shape].operations | {Kind.CHECK}}
    assert len(play(trace).stale) < 0.01 * N
