"""The arena's steps over a bounded memory, by the catalogue's laws; the same on integers that wrap."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heaplaw.proofs.wrapping import Wrapped
from heaplaw.refimpl.memory import WordMemory
from heaplaw.refimpl.steps import arena
from heaplaw.refimpl.steps.arena import ArenaState
from heaplaw.spec.catalogue import law
from heaplaw.spec.event import NONE, Event, Flag
from heaplaw.spec.history import Op
from heaplaw.spec.judge import Online
from heaplaw.spec.layout import align_up
from heaplaw.spec.shapes import SWEEPERS, Kind

FIXED = settings(derandomize=True, database=None, deadline=None, max_examples=60)
LAWS = [
    *(
        "aligned",
        "blocks_disjoint",
        "payload_kept",
        "zeroed",
        "overflow_is_failure",
        "failure_is_reported",
    ),
    *("failure_changes_nothing", "reset_frees_all", "release_frees_all", "total_is_live_bytes"),
    "zero_size_as_promised",
]
START, SIZE = 0x10000, 2048
Act = tuple[Op, int]


class Stack(WordMemory):
    """Chunks are taken from a region upwards, and given back newest first."""

    def __init__(self, start: int, size: int) -> None:
        super().__init__(start, start + size)
        self.taken: list[tuple[int, int]] = []

    def take(self, size: int) -> int:
        at = int(sum(self.taken[-1])) if self.taken else self.start
        if size > self.end - at:
            return 0
        self.taken.append((at, int(size)))
        return at

    def give(self, address: int, size: int) -> None:
        assert self.taken.pop() == (address, size)


def acts() -> st.SearchStrategy[list[Act]]:
    sizes = st.integers(0, 300) | st.sampled_from([0, 1, 16, 208, 209, 1000, 2000, 2**63 - 33, 2**63, 2**64 - 1])
    ask = st.builds(Op, st.just(Kind.ALLOC), sizes)
    aligned = st.builds(Op, st.just(Kind.ALIGNED), sizes, align=st.sampled_from([1, 2, 8, 32, 256, 2**62, 2**63]))
    zeroed = st.builds(Op, st.just(Kind.ZALLOC), st.integers(0, 40) | st.just(2**62), count=st.integers(0, 9))
    other = st.sampled_from([Op(Kind.MARK), Op(Kind.MARK), Op(Kind.RELEASE), Op(Kind.RELEASE), Op(Kind.RESET)])
    return st.lists(st.tuples(st.one_of(ask, ask, aligned, zeroed, other), st.integers(0, 5)), max_size=30)


class Run:
    """Steps with their memory, judged as they go."""

    def __init__(self, laws: Sequence[str] = LAWS) -> None:
        self.memory = Stack(START, SIZE)
        self.state = arena.init(240)
        self.online = Online([law(name) for name in laws])
        self.marks: dict[int, int] = {}
        self.blocks: dict[int, tuple[int, int]] = {}
        self.index = 0

    def act(self, op: Op, pick: int = 0) -> Event | None:
        owner = NONE
        if op.kind == Kind.RELEASE:
            if not self.marks:
                return None
            owner = list(self.marks)[pick % len(self.marks)]
        wrong = op.kind in SWEEPERS and any(not self._kept(at) for at in self.blocks)
        self.state, event = arena.step(self.state, op, self.marks.get(owner, 0), self.memory)
        size, flag = int(event.extent), Flag.DAMAGED if wrong else Flag.NOTHING
        if op.kind == Kind.ZALLOC and event.makes and self.memory.peek(event.ptr, size) != bytes(size):
            flag = Flag.NOT_ZERO
        if op.kind in SWEEPERS:
            since = owner if op.kind == Kind.RELEASE else -1
            self.marks = {at: mark for at, mark in self.marks.items() if at < since}
            self.blocks = {at: block for at, block in self.blocks.items() if at < since}
        elif op.kind == Kind.MARK:
            self.marks[self.index] = event.ptr
        elif event.makes:
            self.blocks[self.index] = event.ptr, size
            self.memory.poke(event.ptr, bytes([self.index % 255 + 1] * size))
            assert START <= event.ptr <= START + SIZE - size
        event = replace(event, flags=int(flag), held=1 if wrong else 0, index=self.index)
        broken = self.online.feed(self.index, event, owner)
        assert not broken, broken
        assert all(self._kept(at) for at in self.blocks), "a live block has changed"
        self.index += 1
        return event

    def _kept(self, at: int) -> bool:
        ptr, size = self.blocks[at]
        return self.memory.peek(ptr, size) == bytes([at % 255 + 1] * size)


@FIXED
@given(acts())
def test_steps__keep_the_laws_of_an_arena(program: list[Act]) -> None:
    run = Run()
    for op, pick in program:
        run.act(op, pick)
        assert [(at, at + size) for at, size in reversed(run.memory.taken)] == arena.chunks(run.state, run.memory)
    assert arena.drop(run.state, run.memory) == arena.init(240)
    assert run.memory.taken == []


@FIXED
@given(acts(), st.integers(200, 400))
def test_shrink__undoes_grow(program: list[Act], size: int) -> None:
    run = Run([])
    for op, pick in program:
        run.act(op, pick)
    before, taken = run.state, run.memory.taken.copy()
    grown = arena.grow(before, int(align_up(size, 16)), run.memory)
    if grown != before:
        assert arena.shrink(grown, run.memory) == before
    assert run.memory.taken == taken


@FIXED
@given(acts())
def test_release__to_a_fresh_mark_brings_the_state_back(program: list[Act]) -> None:
    run = Run([])
    for op, _ in program:
        if op.kind not in SWEEPERS:
            run.act(op)
            before, mark = run.state, run.state.top
            after, _ = arena.alloc(before, 100, 32, run.memory)
            after, _ = arena.alloc(after, 200, 16, run.memory)
            assert arena.release(after, mark, run.memory) == before


def test_oversize__gets_a_chunk_of_its_own() -> None:
    run = Run()
    run.act(Op(Kind.ALLOC, 100))
    run.act(Op(Kind.ALLOC, 1000))
    assert [size for _, size in run.memory.taken] == [240, 1040]
    assert run.state.end - run.state.top == 8
    run.act(Op(Kind.ALLOC, 208))
    assert [size for _, size in run.memory.taken] == [240, 1040, 240]


def test_reset__keeps_the_oldest_chunk_and_gives_back_the_others() -> None:
    run = Run()
    first = run.act(Op(Kind.ALLOC, 100))
    run.act(Op(Kind.ALLOC, 200))
    run.act(Op(Kind.RESET))
    assert run.memory.taken == [(START, 240)]
    again = run.act(Op(Kind.ALLOC, 100))
    assert first is not None
    assert again is not None
    assert again.ptr == first.ptr


def test_refused__changes_nothing() -> None:
    run = Run()
    run.act(Op(Kind.ALLOC, 100))
    before, taken, words = run.state, run.memory.taken.copy(), run.memory.freeze()
    for op in (Op(Kind.ALLOC, SIZE), Op(Kind.ALIGNED, 1, align=2**63), Op(Kind.ZALLOC, 2**62, count=4)):
        event = run.act(op)
        assert event is not None
        assert event.failed
        assert (run.state, run.memory.taken, run.memory.freeze()) == (before, taken, words)


def test_other_operations__are_refused() -> None:
    with pytest.raises(ValueError, match="an arena has no operation"):
        arena.step(arena.init(64), Op(Kind.FREE), 0, Stack(START, SIZE))


# -------------------------------------------------------------------------------------- integers that wrap

EDGE = 2**64 - 16 - SIZE


class WrappedStack(Stack):
    """Machine integers in and out."""

    def take(self, size: int) -> int:
        return Wrapped(super().take(size))

    def read(self, address: int) -> int:
        return Wrapped(super().read(address))


@FIXED
@given(acts())
def test_steps__wrap_nowhere_even_at_the_end_of_the_address_space(program: list[Act]) -> None:
    plainly, wrapping = Stack(EDGE, SIZE), WrappedStack(EDGE, SIZE)
    state, other = arena.init(240), ArenaState(*(Wrapped(field) for field in vars(arena.init(240)).values()))
    marks: list[int] = []
    for op, _ in program:
        mark = marks.pop() if op.kind == Kind.RELEASE and marks else 0
        marks = [] if op.kind == Kind.RESET else marks
        seen = replace(op, size=Wrapped(op.size), align=Wrapped(op.align), count=Wrapped(op.count))
        state, event = arena.step(state, op, mark, plainly)
        other, same = arena.step(other, seen, Wrapped(mark), wrapping)
        assert (event.ptr, event.status, event.total) == (same.ptr, same.status, same.total)
        assert vars(state) == {name: int(value) for name, value in vars(other).items()}
        if op.kind == Kind.MARK:
            marks.append(event.ptr)
    assert (plainly.taken, plainly.freeze()) == (wrapping.taken, wrapping.freeze())
