"""The reference pool's steps are proved; faulty ones are refuted, by the law that they break, on integers."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from heaplaw.proofs.pool import BLOCK_SIZES, PoolSteps, obligations
from heaplaw.proofs.prove import Claim, Obligation, Refuted, Result, prove, prove_one, verdicts
from heaplaw.proofs.symbolic import Reading
from heaplaw.refimpl.steps import pool
from heaplaw.refimpl.steps.pool import PoolState
from heaplaw.spec.catalogue import CATALOGUE, law
from heaplaw.spec.law import implied
from heaplaw.spec.verdict import Error, Holds, Proved, Unknown, Violated


def refuted_laws(results: list[Result]) -> set[str]:
    return {result.obligation.law for result in results if isinstance(result.answer, Refuted)}


@pytest.mark.parametrize("reading", list(Reading))
@pytest.mark.parametrize("block_size", BLOCK_SIZES)
def test_reference__every_obligation_is_proved(block_size: int, reading: Reading) -> None:
    results = prove(obligations(block_sizes=(block_size,), readings=(reading,)))
    assert [result for result in results if not isinstance(result.answer, Proved)] == []
    assert len(results) == 21


def test_reference__every_law_is_about_something() -> None:
    names = {item.law for item in obligations()}
    assert names - set(CATALOGUE) == {"invariant", "accesses"}
    offered = {"malloc", "free", "num_free_blocks", "num_allocated", "bounds", "grid"}
    of_pools = {
        name for name, item in CATALOGUE.items() if "pool" in item.shapes and item.needs <= implied(frozenset(offered))
    }
    # These speak of payloads, of processes, of a free that is refused (the steps refuse none), of two steps in a row.
    others = {"sized", "failure_is_reported", "free_is_served", "freed_is_reusable"}
    assert of_pools - names == others


def test_verdicts__one_line_for_each_law() -> None:
    found = verdicts(prove(obligations(block_sizes=(16,))))
    assert all(isinstance(verdict.outcome, Holds) for verdict in found)
    assert "unbounded integers and 64-bit integers that wrap" in str(found[0].evidence)


# --------------------------------------------------------------------------------------------- seeded faults


def alloc_keeps_counter(state: PoolState, memory: Any) -> tuple[PoolState, Any]:
    after, block = pool.alloc(state, memory)
    return replace(after, num_free=state.num_free), block


def alloc_off_by_a_word(state: PoolState, memory: Any) -> tuple[PoolState, Any]:
    after, block = pool.alloc(state, memory)
    return after, block + 8 if block != 0 else 0


def alloc_keeps_head(state: PoolState, memory: Any) -> tuple[PoolState, Any]:
    after, block = pool.alloc(state, memory)
    return replace(after, free_list=state.free_list), block


def alloc_refuses_last(state: PoolState, memory: Any) -> tuple[PoolState, Any]:
    if state.num_free == 1:
        return state, 0
    return pool.alloc(state, memory)


def alloc_past_the_end(state: PoolState, memory: Any) -> tuple[PoolState, Any]:
    after, block = pool.alloc(state, memory)
    return after, state.buffer + state.num_blocks * state.block_size if block != 0 else 0


def alloc_never_checks(state: PoolState, memory: Any) -> tuple[PoolState, Any]:
    block = state.free_list
    return replace(state, free_list=memory.read(block), num_free=state.num_free - 1), block


def alloc_takes_the_second(state: PoolState, memory: Any) -> tuple[PoolState, Any]:
    after, block = pool.alloc(state, memory)
    if block != 0 and after.free_list != 0:
        return after, after.free_list
    return after, block


def alloc_counts_refusals(state: PoolState, memory: Any) -> tuple[PoolState, Any]:
    if state.num_free == 0:
        return replace(state, num_free=state.num_free + 1), 0
    return pool.alloc(state, memory)


def alloc_clears_the_buffer(state: PoolState, memory: Any) -> tuple[PoolState, Any]:
    memory.write(state.buffer, 0)
    return pool.alloc(state, memory)


def dealloc_forgets_link(state: PoolState, ptr: Any, memory: Any) -> PoolState:
    return replace(state, free_list=ptr, num_free=state.num_free + 1)


def dealloc_counts_twice(state: PoolState, ptr: Any, memory: Any) -> PoolState:
    after = pool.dealloc(state, ptr, memory)
    return replace(after, num_free=after.num_free + 1)


def dealloc_links_a_word_late(state: PoolState, ptr: Any, memory: Any) -> PoolState:
    memory.write(ptr + 8, state.free_list)
    return replace(state, free_list=ptr, num_free=state.num_free + 1)


def dealloc_drops_the_rest(state: PoolState, ptr: Any, memory: Any) -> PoolState:
    return pool.dealloc(replace(state, free_list=0), ptr, memory)


def thread_short_stride(state: PoolState, index: Any, memory: Any) -> PoolState:
    block = state.buffer + index * (state.block_size - 8)
    memory.write(block, state.free_list)
    return replace(state, free_list=block, num_free=state.num_free + 1)


def thread_forgets_link(state: PoolState, index: Any, memory: Any) -> PoolState:
    block = state.buffer + index * state.block_size
    return replace(state, free_list=block, num_free=state.num_free + 1)


FAULTS: list[tuple[PoolSteps, str, set[str]]] = [
    (PoolSteps(alloc=alloc_keeps_counter), "alloc", {"accounting_exact", "invariant"}),
    (PoolSteps(alloc=alloc_off_by_a_word), "alloc", {"pool_on_grid", "invariant"}),
    (PoolSteps(alloc=alloc_keeps_head), "alloc", {"invariant"}),
    (PoolSteps(alloc=alloc_refuses_last), "alloc", {"pool_serves_while_free"}),
    (PoolSteps(alloc=alloc_past_the_end), "alloc", {"in_bounds", "invariant"}),
    (PoolSteps(alloc=alloc_never_checks), "alloc", {"failure_changes_nothing", "accesses", "invariant"}),
    (PoolSteps(alloc=alloc_takes_the_second), "alloc", {"invariant"}),
    (PoolSteps(alloc=alloc_counts_refusals), "alloc", {"failure_changes_nothing", "accounting_exact"}),
    (PoolSteps(alloc=alloc_clears_the_buffer), "alloc", {"payload_kept", "invariant"}),
    (PoolSteps(dealloc=dealloc_forgets_link), "dealloc", {"invariant"}),
    (PoolSteps(dealloc=dealloc_counts_twice), "dealloc", {"accounting_exact", "invariant"}),
    (PoolSteps(dealloc=dealloc_links_a_word_late), "dealloc", {"accesses", "invariant"}),
    (PoolSteps(dealloc=dealloc_drops_the_rest), "dealloc", {"invariant"}),
    (PoolSteps(thread=thread_short_stride), "thread", {"invariant"}),
    (PoolSteps(thread=thread_forgets_link), "thread", {"invariant"}),
]


def fault_name(value: object) -> str:
    if not isinstance(value, PoolSteps):
        return ""
    own = PoolSteps()
    return next(
        part.__name__
        for part in (value.alloc, value.dealloc, value.thread)
        if part not in (own.alloc, own.dealloc, own.thread)
    )


@pytest.mark.parametrize("reading", list(Reading))
@pytest.mark.parametrize(("steps", "call", "expected"), FAULTS, ids=fault_name)
def test_fault__is_refuted_by_its_law(steps: PoolSteps, call: str, expected: set[str], reading: Reading) -> None:
    results = prove(obligations(steps, (24,), (reading,)))
    assert expected <= refuted_laws(results)
    for result in results:
        assert isinstance(result.answer, Proved | Refuted), result
        if isinstance(result.answer, Refuted):
            assert result.obligation.name.startswith(f"{call}:")
            assert result.answer.whole, "the counterexample's state satisfies the whole invariant"


def test_fault__blocks_of_a_word_overlap_instead() -> None:
    results = prove(obligations(PoolSteps(alloc=alloc_off_by_a_word), (8,), (Reading.W64,)))
    broken = refuted_laws(results)
    assert {"blocks_disjoint", "in_bounds"} <= broken
    assert "pool_on_grid" not in broken


@pytest.mark.parametrize("reading", list(Reading), ids=lambda reading: reading.name.lower())
def test_fault__a_doubled_count_breaks_conservation(reading: Reading) -> None:
    steps = PoolSteps(dealloc=dealloc_counts_twice)
    assert "pool_conserved" in refuted_laws(prove(obligations(steps, (16,), (reading,))))


def test_fault__end_of_the_address_space_wraps_to_null() -> None:
    steps = PoolSteps(alloc=alloc_past_the_end)
    results = prove(obligations(steps, (16,), (Reading.W64,)))
    answer = next(result.answer for result in results if result.obligation.law == "pool_serves_while_free")
    assert isinstance(answer, Refuted), "the block past a buffer that ends at 2**64 has address 0: a refusal"
    values = dict(answer.values)
    assert values["buffer"] + 16 * values["num_blocks"] == 2**64


def test_fault__verdict_carries_the_counterexample() -> None:
    steps = PoolSteps(alloc=alloc_past_the_end)
    results = prove(obligations(steps, (16,), (Reading.UNBOUNDED,)))
    found = {verdict.law: verdict for verdict in verdicts(results)}
    assert isinstance(found["in_bounds"].outcome, Violated)
    assert isinstance(found["accounting_exact"].outcome, Holds)
    assert "inside [" in found["in_bounds"].notes[0]
    assert "num_blocks = " in found["in_bounds"].notes[0]


# ------------------------------------------------------------------------------- laws are looked up, not copied


def change(monkeypatch: pytest.MonkeyPatch, name: str, body: Callable[..., Any]) -> None:
    monkeypatch.setitem(CATALOGUE, name, replace(law(name), body=body))


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("aligned", lambda e: e.ptr % 16 == 0),
        ("blocks_disjoint", lambda a, b: (a.ptr + a.extent < b.ptr) | (b.ptr + b.extent < a.ptr)),
        ("pool_serves_while_free", lambda pre, e, post: e.served),
        ("accounting_exact", lambda pre, e, post: post.num_allocated == pre.live),
        ("payload_kept", lambda e: e.intact > e.held),
        ("in_bounds", lambda e: e.ptr > e.env.base),
    ],
)
def test_law__stated_too_strongly_is_refuted(
    monkeypatch: pytest.MonkeyPatch, name: str, body: Callable[..., Any]
) -> None:
    change(monkeypatch, name, body)
    assert refuted_laws(prove(obligations(block_sizes=(24,), readings=(Reading.W64,)))) == {name}


def test_law__whose_premise_is_never_met_is_not_proved(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(e: Any) -> Any:
        return e.ptr < 0

    monkeypatch.setitem(CATALOGUE, "aligned", replace(law("aligned"), premise=never))
    answer = prove_one(next(item for item in obligations() if item.law == "aligned")).answer
    assert isinstance(answer, Unknown)
    assert "vacuous" in answer.why


# -------------------------------------------------------------------------------------------------- outcomes


def obligation(build: Callable[[Any], Claim], reading: Reading = Reading.UNBOUNDED) -> Obligation:
    return Obligation("a test", "none", "a statement", reading, build)


def test_outcome__contradictory_hypotheses_are_vacuous() -> None:
    def build(source: Any) -> Claim:
        source.assume(source.number("x") < 0)
        source.assume(source.number("x") > 0)
        return Claim(True, True)

    answer = prove_one(obligation(build)).answer
    assert isinstance(answer, Unknown)
    assert "vacuous" in answer.why


def test_outcome__failure_of_the_scenario_is_an_error() -> None:
    def build(source: Any) -> Claim:
        if source.number("x") > 0:
            raise ValueError("no such operation")
        return Claim(True, source.number("x") > 0)

    assert prove_one(obligation(build)).answer == Error("ValueError: no such operation")


def test_outcome__what_does_not_replay_is_unknown() -> None:
    def build(source: Any) -> Claim:
        x = source.number("x")
        return Claim(True, x == 0 if not isinstance(x, int) else True)

    answer = prove_one(obligation(build)).answer
    assert isinstance(answer, Unknown)
    assert "does not replay" in answer.why


def test_outcome__too_small_a_budget_is_unknown() -> None:
    def build(source: Any) -> Claim:
        x, y, z = (source.number(name) for name in "xyz")
        source.assume((x > 1) & (y > 1) & (z > 1))
        return Claim(True, (x * x * x + y * y * y == z * z * z) == (x < 0))

    answer = prove_one(obligation(build), rlimit=1000).answer
    assert isinstance(answer, Unknown)
    assert "z3 gave up" in answer.why


def test_outcome__overflow_shows_only_in_w64_and_replays() -> None:
    def build(source: Any) -> Claim:
        x = source.machine(source.number("x"))
        source.assume(source.number("x") >= 0)
        return Claim(True, x + 1 > x)

    assert isinstance(prove_one(obligation(build)).answer, Proved)
    answer = prove_one(obligation(build, Reading.W64)).answer
    assert isinstance(answer, Refuted)
    assert answer.values == (("x", 2**64 - 1),)
