import json
from dataclasses import replace
from functools import cache
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
from heaplaw.spec.history import Op, make_trace
from heaplaw.spec.protocols import Step
from heaplaw.spec.shapes import Kind
from heaplaw.spec.verdict import Exhausted, Holds, NotApplicable, Unknown, Violated

from . import wrong_steps

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


@cache
def searched(name: str) -> tuple[Exploration, Search]:
    """A model explored, and the search that saw all its states: once in a process, whichever tests it is given."""
    searches: list[Search] = []

    class Kept(Search):
        def run(self, limit: int) -> tuple[bool, Fault | None]:
            searches.append(self)
            return super().run(limit)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("heaplaw.models.explore.Search", Kept)
        found = explore(MODELS[name])
    (search,) = searches
    return found, search


@pytest.mark.parametrize("name", MODELS)
def test_explore__visits_as_many_states_as_on_record_and_decides_every_law(name: str) -> None:
    found, _ = searched(name)
    assert [found.states, found.transitions, found.depth] == COUNTS[name]
    assert found.complete
    assert found.witness is None
    assert found.missed == []
    assert {verdict.law for verdict in found.verdicts} == {law.name for law in laws_for(MODELS[name])}
    open_ones = [v for v in found.verdicts if not isinstance(v.outcome, Holds | NotApplicable)]
    assert open_ones == []
    assert all(isinstance(verdict.evidence, Exhausted) for verdict in found.verdicts)


def test_explore__steps_run_and_laws_are_asked_once_for_all_that_can_be_told_apart() -> None:
    found, _ = searched("arena 128")
    assert found.runs < found.transitions / 10
    asked, evaluated = found.evaluated
    assert evaluated < asked / 5


@pytest.mark.slow
def test_explore__free_list_of_224_bytes() -> None:
    found = explore(freelist_model(224, reports=False))
    assert [found.states, found.transitions, found.depth] == COUNTS["freelist 224"]
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
    _, search = searched(name)
    for number in range(0, len(search.order), max(1, len(search.order) // 30)):
        text = search.order[number]
        for move, place in search.choices(text[search.head :]):
            _, after = search.follow(text, move, place)
            expected = search.same(after)
            for garbage in (0x0101, 2**63 + 5):
                assert successor(search, text, move, place, garbage) == expected


@pytest.mark.parametrize("name", MODELS)
def test_explore__ways_replay_literally(name: str) -> None:
    """The naive judge finds nothing on a shortest way either, and the same blocks are live at its end."""
    _, search = searched(name)
    last = len(search.order) - 1
    for number in (last, last // 2, last // 3):
        ops = operations(search, Fault(number, ()))
        session = replay(make_trace(MODELS[name].shape, ops, MODELS[name].env), subject_of(MODELS[name]))
        assert session.violations == []
        told = sorted((held.ptr, held.size) for held in search.held(search.order[number]))
        assert sorted((held.ptr, held.size) for held in session.slots.values()) == told


# ------------------------------------------------------------------------------------------ faulty steps

FAULTY: dict[Step, tuple[str, tuple[Kind, ...]]] = {
    wrong_steps.leaks_when_nothing_is_free: ("failure_is_reported", (A, A, A, F, A)),
    wrong_steps.forgets_the_second_free: ("accounting_exact", (A, A, F)),
    wrong_steps.links_itself: ("blocks_disjoint", (A, A, F, F, A, A)),
    wrong_steps.serves_one_too_many: ("pool_serves_while_free", (A, A, A, A)),
    wrong_steps.writes_through: ("payload_kept", (A, A, F, Kind.CHECK)),
    wrong_steps.refuses_by_raising: ("failure_is_reported", (A, A, A, A)),
}
"""What each of them breaks in a pool of 3 blocks, and the operations of a shortest trace that shows it."""


@pytest.mark.parametrize("step", FAULTY, ids=lambda step: step.__name__)
def test_explore_pool__gives_the_shortest_witness(step: Step) -> None:
    name, kinds = FAULTY[step]
    found = explore(pool_model(16, 3, step, reports=False))
    assert found.witness is not None
    trace = found.witness.trace
    assert name in [violation.law for violation in found.witness.violations]
    assert tuple(op.kind for op in trace.ops()) == kinds
    assert not found.complete
    assert name in [verdict.law for verdict in found.verdicts if isinstance(verdict.outcome, Violated)]
    assert not [verdict.law for verdict in found.verdicts if isinstance(verdict.outcome, Holds)]


# ---- faults of the other shapes


@pytest.mark.parametrize("name", wrong_steps.WRONG)
def test_explore__finds_faults_of_every_shape(name: str) -> None:
    model, law, length = wrong_steps.WRONG[name]
    found = explore(model)
    assert found.witness is not None, [v for v in found.verdicts if not isinstance(v.outcome, Holds)]
    assert law in {violation.law for violation in found.witness.violations}
    assert len(found.witness.trace) == length
    assert replay(found.witness.trace, subject_of(model)).violations
