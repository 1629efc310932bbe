"""A law is stated once: changing that one statement in the catalogue changes the answer of every engine.

Each engine is made to look at something that breaks a law (a body that demands nothing silences it) and at something
that keeps it (a stricter body makes it speak). All other laws are silenced, so that nothing else can answer.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from heaplaw import columns, ghosts, judges
from heaplaw.judges import judge_fast
from heaplaw.models import generate
from heaplaw.models.allocator_machine import AllocatorMachine
from heaplaw.models.explore import explore_pool
from heaplaw.models.session import LawViolated
from heaplaw.proofs import lemmas
from heaplaw.proofs.contracts import CONTRACTS, ContractRefuted, confirm
from heaplaw.proofs.loops import swapped
from heaplaw.proofs.pool import obligations
from heaplaw.proofs.prove import Obligation, Refuted, prove
from heaplaw.proofs.symbolic import Reading
from heaplaw.refimpl.allocators import PoolAllocator
from heaplaw.refimpl.steps import pool
from heaplaw.refimpl.steps.pool import PoolState
from heaplaw.spec.catalogue import CATALOGUE, law, laws_of
from heaplaw.spec.event import Block, Env, Event, Status, View
from heaplaw.spec.history import History, Op, make_history, make_trace
from heaplaw.spec.judge import judge
from heaplaw.spec.logic import Truth, mod_pow2, neg
from heaplaw.spec.protocols import Memory
from heaplaw.spec.shapes import Kind
from heaplaw.spec.verdict import Confirmed, Holds, Proved, Verdict, Violated
from heaplaw.subjects.resolve import resolve

SEED = 9_301
SIZE, BLOCKS = 24, 3
Body = Callable[..., Truth]


# --------------------------------------------------------------------------------- the changed statements


def weaker(*args: Any) -> Truth:
    """Demands nothing."""
    return True


def twice_aligned(e: Event) -> Truth:
    return mod_pow2(e.ptr, 2 * e.required_align) == 0


def far_apart(a: Block, b: Block) -> Truth:
    """16 bytes between blocks, in either order of their addresses."""
    return (a.ptr + a.extent + 16 <= b.ptr) | (b.ptr + b.extent + 16 <= a.ptr)


def one_more(pre: View, e: Event, post: View) -> Truth:
    return post.num_free + post.num_allocated == e.env.num_blocks + 1


STRICTER: dict[str, Body] = {
    "aligned": twice_aligned,
    "blocks_disjoint": far_apart,
    "pool_conserved": one_more,
}


def state(patch: pytest.MonkeyPatch, name: str, body: Body) -> None:
    """From here on the law of that name says `body`."""
    patch.setitem(CATALOGUE, name, replace(CATALOGUE[name], body=body))


def silence(patch: pytest.MonkeyPatch, but: str) -> None:
    """From here on all other laws demand nothing."""
    for other in CATALOGUE:
        if other != but:
            state(patch, other, weaker)


@pytest.fixture(params=STRICTER)
def name(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A law that is changed; all others demand nothing."""
    silence(monkeypatch, request.param)
    return str(request.param)


# --------------------------------------------------------------------------------------- what is looked at


class OffByHalfAWord(PoolAllocator):
    def alloc(self) -> int:
        ptr = super().alloc()
        return ptr + 4 if ptr else 0

    def dealloc(self, ptr: int) -> int:
        return super().dealloc(ptr - 4)


class HandsOutTwice(PoolAllocator):
    """With one block live, that one is handed out again."""

    def alloc(self) -> int:
        return next(iter(self._live)) if len(self._live) == 1 else super().alloc()

    def dealloc(self, ptr: int) -> int:
        return super().dealloc(ptr) if ptr in self._live else 0


class CountsOneMore(PoolAllocator):
    def num_free_blocks(self) -> int:
        return super().num_free_blocks() + 1


FAULTY: dict[str, type[PoolAllocator]] = {
    "aligned": OffByHalfAWord,
    "blocks_disjoint": HandsOutTwice,
    "pool_conserved": CountsOneMore,
}


def alloc_off_by_half_a_word(now: PoolState, memory: Memory) -> tuple[PoolState, Any]:
    after, block = pool.alloc(now, memory)
    return after, block + 4 if block != 0 else 0


def alloc_gives_the_first(now: PoolState, memory: Memory) -> tuple[PoolState, Any]:
    after, block = pool.alloc(now, memory)
    return after, now.buffer if block != 0 else 0


def counts_one_more(now: PoolState, kind: Kind, ptr: Any, served: Truth, held: Any = 0) -> Event:
    """The steps' event says one free block more."""
    said = pool.event(now, kind, ptr, served, held)
    return replace(said, num_free=said.num_free + 1)


STEPS: dict[str, Any] = {
    "aligned": swapped(pool, alloc=alloc_off_by_half_a_word),
    "blocks_disjoint": swapped(pool, alloc=alloc_gives_the_first),
    "pool_conserved": swapped(pool, event=counts_one_more),
}
"""The steps' module with a faulty part, by the law that it breaks."""
ENV = Env(align_by_size=False, max_align=8, base=0x1000, capacity=SIZE * BLOCKS, block_size=SIZE, num_blocks=BLOCKS)


def planted(*places: int, num_free: int = 0) -> History:
    """A pool's history: blocks handed out at these addresses. `num_free` is added to its count of free blocks."""
    trace = make_trace("pool", [Op(Kind.ALLOC, SIZE)] * len(places), ENV)
    rows = [
        {"status": Status.OK, "ptr": ptr, "num_allocated": at, "num_free": BLOCKS - at + num_free}
        for at, ptr in enumerate(places, 1)
    ]
    return make_history(trace, rows)


HISTORIES: dict[str, History] = {
    "aligned": planted(0x1004, 0x1030),
    "blocks_disjoint": planted(0x1000, 0x1017),
    "pool_conserved": planted(0x1000, 0x1018, num_free=1),
}
CORRECT = planted(0x1000, 0x1018, 0x1030)


# --------------------------------------------------------------------------------------------- the engines
# Each: given a law's name, and whether to look at something faulty, the laws that it reports as broken.


def violated(verdicts: list[Verdict]) -> set[str]:
    return {verdict.law for verdict in verdicts if isinstance(verdict.outcome, Violated)}


def judged(history: History) -> set[str]:
    return violated(judge(history, laws_of(history.trace.shape)))


def judged_fast(history: History) -> set[str]:
    return violated(judge_fast(history, laws_of(history.trace.shape)))


def judged_without_c(history: History) -> set[str]:
    """By dominance counts, and by views taken from the definition."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(judges, "native_library", lambda: None)
        patch.setattr(ghosts, "native_library", lambda: None)
        return judged_fast(history)


JUDGES = {"naive judge": judged, "fast judge": judged_fast, "dominance": judged_without_c}


def by_naive(name: str, faulty: bool) -> set[str]:
    return judged(HISTORIES[name] if faulty else CORRECT)


def by_fast(name: str, faulty: bool) -> set[str]:
    return judged_fast(HISTORIES[name] if faulty else CORRECT)


def by_dominance(name: str, faulty: bool) -> set[str]:
    return judged_without_c(HISTORIES[name] if faulty else CORRECT)


FIXED = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=20,
    stateful_step_count=8,
    phases=[Phase.generate],
    report_multiple_bugs=False,
)


def by_machine(name: str, faulty: bool) -> set[str]:
    subject = FAULTY[name] if faulty else PoolAllocator

    class Machine(AllocatorMachine):
        shape = "pool"

        def make(self) -> Any:
            return subject(SIZE, BLOCKS)

    try:
        run_state_machine_as_test(Machine, settings=FIXED)
    except LawViolated as found:
        return {violation.law for violation in found.violations}
    return set()


def by_explorer(name: str, faulty: bool) -> set[str]:
    steps = STEPS[name] if faulty else pool
    found = explore_pool(SIZE, BLOCKS, steps.step, limit=200)
    told = {violation.law for violation in found.witness.violations} if found.witness else set[str]()
    assert told == violated(list(found.verdicts))
    return told


def claims(name: str, faulty: bool) -> list[Obligation[Any]]:
    every = obligations(STEPS[name] if faulty else pool)
    return [each for each in every if each.about == name and each.reading is Reading.UNBOUNDED]


def by_proof(name: str, faulty: bool) -> set[str]:
    results = prove(claims(name, faulty))
    assert results
    assert all(isinstance(each.answer, Proved | Refuted) for each in results), results
    return {each.obligation.about for each in results if isinstance(each.answer, Refuted)}


REQUEST = next(contract for contract in CONTRACTS if contract.name == "pool.alloc")


def by_contract(name: str, faulty: bool) -> set[str]:
    answer = confirm(REQUEST.on(STEPS[name]) if faulty else REQUEST.function)
    assert isinstance(answer, Confirmed | ContractRefuted)
    return {name} if isinstance(answer, ContractRefuted) else set()


Engine = Callable[[str, bool], set[str]]
ENGINES: dict[str, Engine] = {
    "naive judge": by_naive,
    "fast judge": by_fast,
    "dominance": by_dominance,
    "machine": by_machine,
    "explorer": by_explorer,
    "proof": by_proof,
    "contract": by_contract,
}
ON_CANDIDATES = {("blocks_disjoint", "fast judge"), ("blocks_disjoint", "dominance")}
"""Pairs that overlap are found first, then confirmed by the law: what is stricter than that is not looked for."""
every_engine = pytest.mark.parametrize("engine", ENGINES)


@every_engine
def test_weaker__silences_every_engine(name: str, engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ENGINES[engine](name, True) == {name}
    state(monkeypatch, name, weaker)
    assert ENGINES[engine](name, True) == set()


@every_engine
def test_stricter__makes_every_engine_speak(name: str, engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if (name, engine) in ON_CANDIDATES:
        pytest.skip("finds overlaps only, and asks the law about these")
    assert ENGINES[engine](name, False) == set()
    state(monkeypatch, name, STRICTER[name])
    assert ENGINES[engine](name, False) == {name}


def test_lemmas__are_about_the_law_as_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(isinstance(each.answer, Proved) for each in prove(lemmas.obligations()))
    assert all(isinstance(each.answer, Refuted) for each in prove(lemmas.holes()))
    state(monkeypatch, "blocks_disjoint", weaker)
    assert all(isinstance(each.answer, Proved) for each in prove(lemmas.holes()))


def test_native_run__is_judged_by_the_law_as_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    subject = resolve("glibc")[0]
    try:
        history = subject.run(generate.mixed(4000, SEED, subject.kinds))
    finally:
        subject.close()
    assert violated(judge_fast(history, [law("aligned")])) == set()
    state(monkeypatch, "aligned", twice_aligned)
    assert violated(judge_fast(history, [law("aligned")])) == {"aligned"}
    assert violated(judge(history, [law("aligned")])) == {"aligned"}
    state(monkeypatch, "aligned", weaker)
    (verdict,) = judge_fast(history, [law("aligned")])
    assert isinstance(verdict.outcome, Holds)


# ------------------------------------------------------------------------- regions: laws that judges alone know


def bump(*places: int, shape: str = "bump") -> History:
    """64 bytes are handed out at each place; 0: the instance is reset, or a stack popped."""
    back = Op(Kind.POP if shape == "stack" else Kind.RESET)
    trace = make_trace(shape, [Op(Kind.ALLOC, 64) if place else back for place in places])
    live: list[int] = []
    rows: list[dict[str, int]] = []
    for index, place in enumerate(places):
        if place:
            live.append(index)
            rows.append({"status": Status.OK, "ptr": place})
        elif shape == "stack":
            rows.append({"status": Status.OK, "owner": live.pop()})
        else:
            rows.append({"status": Status.OK})
    return make_history(trace, rows)


def marked_again(status: Status) -> History:
    """An arena's mark is taken, released, and taken again."""
    trace = make_trace("arena", [Op(Kind.MARK), Op(Kind.RELEASE, slot=0), Op(Kind.MARK)])
    return make_history(trace, [{"status": Status.OK}, {"status": Status.OK, "owner": 0}, {"status": status}])


def never_again(pre: View, e: Event, post: View) -> Truth:
    """No request is served twice in one state."""
    return neg(post.twin & e.served)


def with_a_gap(pre: View, e: Event, post: View) -> Truth:
    return e.ptr >= pre.high + 16


REGIONS: dict[str, tuple[Body, History, History]] = {
    "bump_monotonic": (with_a_gap, bump(0x1000, 0x1020), bump(0x1000, 0x1040)),
    "reset_frees_all": (never_again, bump(0x1000, 0, 0x1040), bump(0x1000, 0, 0x1000)),
    "lifo_pop": (never_again, bump(0x1000, 0, 0x1040, shape="stack"), bump(0x1000, 0, 0x1000, shape="stack")),
    "release_frees_all": (never_again, marked_again(Status.FAILED), marked_again(Status.OK)),
}
"""By law: a stricter body, something that breaks the law, something that keeps it."""


@pytest.mark.parametrize("engine", JUDGES)
@pytest.mark.parametrize("region", REGIONS)
def test_regions__one_statement_for_every_judge(region: str, engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stricter, faulty, correct = REGIONS[region]
    silence(monkeypatch, region)
    assert (JUDGES[engine](faulty), JUDGES[engine](correct)) == ({region}, set())
    state(monkeypatch, region, weaker)
    assert JUDGES[engine](faulty) == set()
    state(monkeypatch, region, stricter)
    assert JUDGES[engine](correct) == {region}


@pytest.mark.parametrize("engine", JUDGES)
def test_event__one_statement_for_every_judge(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a block's room is stands in the event alone: blocks, edges and footprints follow."""
    touching = bump(0x1000, 0x1040, 0x1080)
    for law_name in CATALOGUE.keys() - {"bump_monotonic", "blocks_disjoint"}:
        state(monkeypatch, law_name, weaker)
    assert JUDGES[engine](touching) == set()
    monkeypatch.setattr(Event, "room", property(lambda e: e.extent + 1))
    # A column's derived fields are made once, from the event's own code.
    monkeypatch.setattr(columns.ColumnEvent, "room", columns._once("room"))
    assert JUDGES[engine](touching) == {"bump_monotonic", "blocks_disjoint"}
