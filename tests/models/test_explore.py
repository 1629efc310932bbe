import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from heaplaw.models.explore import (
    Exploration,
    Model,
    arena_model,
    bump_model,
    explore,
    explore_pool,
    freelist_model,
    laws_for,
    operations,
    pool_model,
    stack_model,
    subject_of,
)
from heaplaw.models.exploring.judging import Judge
from heaplaw.models.exploring.model import pattern_word
from heaplaw.models.exploring.recording import STATE, WORDS
from heaplaw.models.exploring.search import Fault, Search
from heaplaw.models.session import replay
from heaplaw.refimpl.steps import arena, bump, freelist, pool, stack
from heaplaw.refimpl.steps.pool import PoolState
from heaplaw.spec.event import Event
from heaplaw.spec.history import Op, make_trace
from heaplaw.spec.protocols import Memory, Step
from heaplaw.spec.shapes import Kind
from heaplaw.spec.verdict import Exhausted, Holds, NotApplicable, Unknown, Violated

A, F = Kind.ALLOC, Kind.FREE
MODELS: dict[str, Model] = {
    "pool 5 x 24": pool_model(24, 5),
    "bump 64": bump_model(64),
    "stack 96": stack_model(96),
    "freelist 128": freelist_model(128, zeroed=True),
    "freelist 144 aligned": freelist_model(144, align=64),
    "freelist coalescing 160": freelist_model(160, coalesces=True, zeroed=True),
    "freelist coalescing 144 aligned": freelist_model(144, align=64, coalesces=True),
    "arena 128": arena_model(128, marks=1),
}
COUNTS: dict[str, list[int]] = json.loads(Path(__file__).with_name("counts.json").read_text())
"""States, transitions, and the depth of each model; a change of the steps or of what matters in them shows here."""


@pytest.fixture(scope="module")
def explored() -> dict[str, Exploration]:
    return {name: explore(model) for name, model in MODELS.items()}


@pytest.mark.parametrize("name", MODELS)
def test_explore__visits_as_many_states_as_on_record(name: str, explored: dict[str, Exploration]) -> None:
    found = explored[name]
    assert [found.states, found.transitions, found.depth] == COUNTS[name]


@pytest.mark.parametrize("name", MODELS)
def test_explore__decides_every_law(name: str, explored: dict[str, Exploration]) -> None:
    found = explored[name]
    assert found.complete
    assert found.witness is None
    assert found.missed == []
    assert {verdict.law for verdict in found.verdicts} == {law.name for law in laws_for(MODELS[name])}
    open_ones = [v for v in found.verdicts if not isinstance(v.outcome, Holds | NotApplicable)]
    assert open_ones == []
    assert all(isinstance(verdict.evidence, Exhausted) for verdict in found.verdicts)


def test_explore__steps_run_and_laws_are_asked_once_for_all_that_can_be_told_apart(
    explored: dict[str, Exploration],
) -> None:
    found = explored["arena 128"]
    assert found.runs < found.transitions / 10
    asked, evaluated = found.evaluated
    assert evaluated < asked / 5


@pytest.mark.slow
def test_explore__free_list_of_256_bytes() -> None:
    found = explore(freelist_model(256))
    assert [found.states, found.transitions, found.depth] == COUNTS["freelist 256"]
    assert found.complete
    assert found.missed == []
    assert all(isinstance(verdict.outcome, Holds) for verdict in found.verdicts)


def test_explore_pool__cut_short_is_unknown() -> None:
    found = explore_pool(8, 4, limit=20)
    assert not found.complete
    assert found.states == 20
    assert all(isinstance(verdict.outcome, Unknown) for verdict in found.verdicts)


def test_explore_pool__a_missed_goal_is_unknown() -> None:
    model = replace(pool_model(8, 2), requests=(Op(Kind.ALLOC, 8),))
    found = explore(model)
    assert found.complete
    assert found.missed == ["the pool empties again"]
    assert all(isinstance(verdict.outcome, Unknown) for verdict in found.verdicts)


def test_explore__a_law_that_looks_back_further_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    def looks_at_oldest(judge: Judge, law: Any, looked: frozenset[str]) -> list[str]:
        judge.asked["accounting_exact"].add("oldest_free")
        return beyond(judge, law, looked)

    beyond = Judge.beyond
    monkeypatch.setattr(Judge, "beyond", looks_at_oldest)
    unknown = [v for v in explore_pool(8, 2).verdicts if isinstance(v.outcome, Unknown)]
    assert [(v.law, v.outcome) for v in unknown] == [
        ("accounting_exact", Unknown("it looks back further than the search: oldest_free"))
    ]


# ------------------------------------------------------------------------------ states that are taken for one


def successor(search: Search, text: str, move: Any, place: int, garbage: int) -> str:
    """What a step really does, with `garbage` in every word that a state does not tell of."""
    model, tables = search.model, search.tables
    memory = model.memory()
    if model.chunked:
        memory.taken = tables.words.value(text[search.head - 1])  # type: ignore[attr-defined]
    written: dict[int, int] = {}
    for at, code in enumerate(text[WORDS : WORDS + (model.end - model.start) // 8]):
        address, value = model.start + 8 * at, tables.words.value(code)
        word = (pattern_word(address) ^ garbage) if value is None else value
        written[address] = word
    memory._words = {**written}  # pyright: ignore[reportPrivateUsage]
    live = text[search.head :]
    named = tables.blocks.value(live[place]) if place >= 0 else None
    state, event = model.step(tables.states.value(text[STATE]), move.op, named.ptr if named else 0, memory)
    outcome, after = search.follow(text, move, place)
    assert (event.status, event.ptr) == (outcome.event.status, outcome.event.ptr)
    payload = {
        at
        for block in search.held(after)
        for at in range(block.ptr, block.ptr + block.size, 8)
        if not block.mark and event.makes and block.ptr == event.ptr
    }
    words = [
        chr(0) if word == pattern_word(address) ^ garbage or address in payload else tables.words.code(word)
        for address, word in ((address, memory._words.get(address, 0)) for address in written)  # pyright: ignore[reportPrivateUsage]
    ]
    taken = tables.words.code(memory.taken) if model.chunked else ""  # type: ignore[attr-defined]
    really = tables.states.code(state) + outcome.counters + "".join(words) + taken + after[search.head :]
    return search.canonical(really)


@pytest.mark.parametrize("name", MODELS)
def test_canonical__states_that_are_taken_for_one_behave_as_one(name: str) -> None:
    """Whatever stands in the words that are left out of a state, the same is answered, and the same state follows."""
    search = Search(MODELS[name], laws_for(MODELS[name]))
    assert search.run(100_000) == (True, None)
    for number in range(0, len(search.order), max(1, len(search.order) // 40)):
        text = search.order[number]
        for move, place in search.choices(text[search.head :]):
            _, after = search.follow(text, move, place)
            expected = search.same(after)
            for garbage in (0x0101, 2**63 + 5):
                assert successor(search, text, move, place, garbage) == expected


@pytest.mark.parametrize("name", MODELS)
def test_explore__ways_replay_literally(name: str) -> None:
    """The naive judge finds nothing on a shortest way either, and the same blocks are live at its end."""
    search = Search(MODELS[name], laws_for(MODELS[name]))
    search.run(100_000)
    last = len(search.order) - 1
    for number in (last, last // 2, last // 3):
        ops = operations(search, Fault(number, ()))
        session = replay(make_trace(MODELS[name].shape, ops, MODELS[name].env), subject_of(MODELS[name]))
        assert session.violations == []
        told = sorted((held.ptr, held.size) for held in search.held(search.order[number]))
        assert sorted((held.ptr, held.size) for held in session.slots.values()) == told


# ------------------------------------------------------------------------------------------ faulty steps


def leaks_when_nothing_is_free(state: PoolState, op: Op, ptr: int, memory: Memory) -> tuple[PoolState, Event]:
    """A block freed while the pool is full is counted, but not linked."""
    after, event = pool.step(state, op, ptr, memory)
    if op.kind == F and state.num_free == 0:
        after = replace(after, free_list=0)
    return after, event


def forgets_the_second_free(state: PoolState, op: Op, ptr: int, memory: Memory) -> tuple[PoolState, Event]:
    """A free that finds exactly one block free does nothing."""
    if op.kind == F and state.num_free == 1:
        return state, pool.event(state, F, 0, True)
    return pool.step(state, op, ptr, memory)


def links_itself(state: PoolState, op: Op, ptr: int, memory: Memory) -> tuple[PoolState, Event]:
    """A block freed above the head of the free list is linked to itself: it will be handed out twice."""
    after, event = pool.step(state, op, ptr, memory)
    if op.kind == F and ptr > state.free_list > 0:
        memory.write(ptr, ptr)
    return after, event


def serves_one_too_many(state: PoolState, op: Op, ptr: int, memory: Memory) -> tuple[PoolState, Event]:
    """A full pool hands out the block behind its buffer."""
    if op.kind == A and state.num_free == 0:
        return state, pool.event(state, A, state.buffer + state.capacity, True)
    return pool.step(state, op, ptr, memory)


def writes_through(state: PoolState, op: Op, ptr: int, memory: Memory) -> tuple[PoolState, Event]:
    """Freeing clears the first word of the buffer's first block, whoever owns it."""
    after, event = pool.step(state, op, ptr, memory)
    if op.kind == F and ptr != state.buffer:
        memory.write(state.buffer, 0)
    return after, event


def refuses_by_raising(state: PoolState, op: Op, ptr: int, memory: Memory) -> tuple[PoolState, Event]:
    if op.kind == A and state.num_free == 0:
        raise IndexError
    return pool.step(state, op, ptr, memory)


FAULTY: dict[Step, tuple[str, tuple[Kind, ...]]] = {
    leaks_when_nothing_is_free: ("failure_is_reported", (A, A, A, F, A)),
    forgets_the_second_free: ("accounting_exact", (A, A, F)),
    links_itself: ("blocks_disjoint", (A, A, F, F, A, A)),
    serves_one_too_many: ("pool_serves_while_free", (A, A, A, A)),
    writes_through: ("payload_kept", (A, A, F, Kind.CHECK)),
    refuses_by_raising: ("failure_is_reported", (A, A, A, A)),
}
"""What each of them breaks in a pool of 3 blocks, and the operations of a shortest trace that shows it."""


@pytest.mark.parametrize("step", FAULTY, ids=lambda step: step.__name__)
def test_explore_pool__gives_the_shortest_witness(step: Step) -> None:
    name, kinds = FAULTY[step]
    found = explore_pool(16, 3, step)
    assert found.witness is not None
    trace = found.witness.trace
    assert name in [violation.law for violation in found.witness.violations]
    assert tuple(op.kind for op in trace.ops()) == kinds
    assert not found.complete
    assert name in [verdict.law for verdict in found.verdicts if isinstance(verdict.outcome, Violated)]
    assert not [verdict.law for verdict in found.verdicts if isinstance(verdict.outcome, Holds)]


# ---- faults of the other shapes


def after(event: Event, state: Any) -> Event:
    """The event, with the counters of `state`."""
    return replace(event, remaining=state.remaining, total=state.allocated)


def bump_keeps_on_reset(state: Any, op: Op, ptr: int, memory: Any) -> tuple[Any, Event]:
    """A reset of a full buffer leaves its last 8 bytes taken, and does not count them."""
    now, event = bump.step(state, op, ptr, memory)
    if op.kind == Kind.RESET and state.remaining == 0:
        now = replace(now, offset=8)
    return now, event


def bump_clears_neighbour(state: Any, op: Op, ptr: int, memory: Any) -> tuple[Any, Event]:
    """A refused request clears the buffer's first word."""
    now, event = bump.step(state, op, ptr, memory)
    if event.failed:
        memory.write(state.buffer, 0)
    return now, event


def stack_pops_two(state: Any, op: Op, ptr: int, memory: Any) -> tuple[Any, Event]:
    """At depth three a pop takes two."""
    now, event = stack.step(state, op, ptr, memory)
    if op.kind == Kind.POP and state.prev_offset > 0 and now.prev_offset > 0:
        now = stack.pop(now, memory)
    return now, after(event, now)


def stack_forgets_padding(state: Any, op: Op, ptr: int, memory: Any) -> tuple[Any, Event]:
    """A pop leaves 8 bytes taken where there was padding."""
    now, event = stack.step(state, op, ptr, memory)
    if op.kind == Kind.POP and state.offset - now.offset > 40:
        now = replace(now, offset=now.offset + 8)
    return now, after(event, now)


def freelist_loses_rests(state: Any, op: Op, ptr: int, memory: Any) -> tuple[Any, Event]:
    """A block freed into an empty list is 16 bytes shorter."""
    now, event = freelist.step(state, op, ptr, memory)
    if op.kind == F and state.free_list == 0:
        memory.write(now.free_list, memory.read(now.free_list) - 16)
    return now, event


def freelist_splits_over_end(state: Any, op: Op, ptr: int, memory: Any) -> tuple[Any, Event]:
    """The piece behind a split begins 8 bytes too early."""
    now, event = freelist.step(state, op, ptr, memory)
    if op.kind == A and event.makes and now.free_list > event.ptr:
        size, following = memory.read(now.free_list), memory.read(now.free_list + 8)
        freelist.write_block(now.free_list - 8, size + 8, following, memory)
        now = replace(now, free_list=now.free_list - 8)
    return now, event


def freelist_never_joins(state: Any, op: Op, ptr: int, memory: Any) -> tuple[Any, Event]:
    """Blocks are put in order, and never joined."""
    if op.kind == F:
        block, size = memory.read(ptr - 8), memory.read(ptr - 16)
        place = freelist.Place(0, state.free_list)
        while place.block != 0 and place.block < block:
            place = freelist.Place(place.block, memory.read(place.block + 8))
        freelist.write_block(block, size, place.block, memory)
        now = freelist.link(replace(state, allocated=state.allocated - size), place.before, block, memory)
        return now, after(Event(F, 0, env=state.env), now)
    return freelist.step(state, op, ptr, memory)


def freelist_dirty_zeroes(state: Any, op: Op, ptr: int, memory: Any) -> tuple[Any, Event]:
    """Zeroing leaves out the last word."""
    if op.kind == Kind.ZALLOC:
        now, event = freelist.step(state, Op(A, op.size * op.count), ptr, memory)
        if event.makes:
            memory.write(event.ptr, 0)
        return now, replace(event, kind=op.kind, size=op.size, count=op.count)
    return freelist.step(state, op, ptr, memory)


def arena_drops_too_much(state: Any, op: Op, ptr: int, memory: Any) -> tuple[Any, Event]:
    """A release to a mark of an older chunk goes back to that chunk's beginning."""
    now, event = arena.step(state, op, ptr, memory)
    if op.kind == Kind.RELEASE and now.chunk != state.chunk != 0 and now.chunk != 0:
        now = replace(now, top=now.chunk + arena.HEADER)
    return now, event


def arena_keeps_chunks(state: Any, op: Op, ptr: int, memory: Any) -> tuple[Any, Event]:
    """A reset keeps the newest chunk, and forgets the older ones without giving them back."""
    if op.kind == Kind.RESET and state.chunk != 0:
        memory.write(state.chunk, 0)
        now = arena.cut(replace(state, total=state.top - state.chunk - arena.HEADER), state.chunk + arena.HEADER)
        return now, arena.event(now, op, 0, True)
    return arena.step(state, op, ptr, memory)


OTHERS: dict[str, tuple[Model, str, int]] = {
    "bump keeps": (bump_model(64, step=bump_keeps_on_reset), "remaining_is_rest", 4),
    "bump clears": (bump_model(64, step=bump_clears_neighbour), "payload_kept", 3),
    "stack pops two": (stack_model(96, step=stack_pops_two), "lifo_pop", 4),
    "stack forgets": (stack_model(96, step=stack_forgets_padding), "lifo_pop", 2),
    "freelist loses": (freelist_model(128, step=freelist_loses_rests), "freed_is_reusable", 3),
    "freelist splits": (freelist_model(128, step=freelist_splits_over_end), "payload_kept", 3),
    "freelist never joins": (
        freelist_model(128, coalesces=True, step=freelist_never_joins),
        "capacity_comes_back",
        5,
    ),
    "freelist dirty": (freelist_model(128, zeroed=True, step=freelist_dirty_zeroes), "zeroed", 1),
    "arena drops": (arena_model(192, step=arena_drops_too_much), "blocks_disjoint", 5),
    "arena keeps": (arena_model(128, step=arena_keeps_chunks), "reset_frees_all", 5),
}
"""The model, a law that is broken, and how many operations show it."""


@pytest.mark.parametrize("name", OTHERS)
def test_explore__finds_faults_of_every_shape(name: str) -> None:
    model, law, length = OTHERS[name]
    found = explore(model)
    assert found.witness is not None, [v for v in found.verdicts if not isinstance(v.outcome, Holds)]
    assert law in {violation.law for violation in found.witness.violations}
    assert len(found.witness.trace) == length
    assert replay(found.witness.trace, subject_of(model)).violations
