"""The reference pool's steps are proved; faulty ones are refuted, by the laws that they break, on integers."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from heaplaw.mutants.reference import REFERENCE_MUTANTS, STEP_MUTANTS, load
from heaplaw.proofs.pool import obligations
from heaplaw.proofs.prove import Claim, Obligation, Refuted, Result, prove, prove_one
from heaplaw.proofs.symbolic import Reading
from heaplaw.spec.catalogue import CATALOGUE, law
from heaplaw.spec.law import implied
from heaplaw.spec.verdict import Error, Proved, Unknown

from .refuting import READINGS, assert_proved, never_refuted, refuted_by

REFUTES: dict[str, tuple[str, ...]] = {
    "ref-pool-last-kept": ("pool.alloc.pool_serves_while_free", "pool.alloc.freed_is_reusable"),
    "ref-pool-full-trusted": ("pool.alloc.invariant", "pool.alloc.failure_changes_nothing"),
    "ref-pool-list-cut": ("pool.dealloc.invariant", "pool.dealloc.free_xor_live"),
    "ref-pool-links-itself": ("pool.dealloc.invariant",),
    "ref-pool-link-behind": ("pool.dealloc.payload_kept", "pool.dealloc.accesses", "pool.dealloc.buffer_respected"),
    "ref-pool-freed-lost": ("pool.dealloc.order_kept",),
    "ref-pool-freed-uncounted": ("pool.dealloc.free_count_exact", "pool.dealloc.accounting_exact"),
    "ref-pool-order-lost": ("pool.dealloc.constant_time", "pool.dealloc.order_kept"),
    "ref-pool-link-second-word": ("pool.alloc.accesses",),
    "ref-pool-taken-uncounted": ("pool.alloc.free_count_exact", "pool.alloc.accounting_exact"),
    "ref-pool-grid-narrow": ("pool.init.preservation", "pool.init.accesses"),
    "ref-pool-counts-swapped": ("pool.dealloc.pool_conserved", "pool.dealloc.accounting_exact"),
    "ref-pool-count-late": ("pool.alloc.pool_conserved",),
    "ref-pool-half-word-up": (
        "pool.alloc.aligned", "pool.alloc.pool_on_grid", "pool.alloc.in_bounds", "pool.alloc.blocks_disjoint",
    ),
    "ref-pool-second-first": (
        "pool.alloc.reuse_order", "pool.alloc.order_kept", "pool.alloc.constant_time", "pool.alloc.free_xor_live",
    ),
    "ref-pool-behind-cleared": ("pool.alloc.payload_kept", "pool.alloc.buffer_respected"),
    "ref-pool-refusal-counts": ("pool.alloc.failure_changes_nothing",),
    "ref-pool-born-counted": ("pool.init.initialisation",),
    "ref-pool-asked-size-kept": ("pool.init.apart",),
    "ref-pool-thread-uncounted": ("pool.init.variant",),
    "ref-pool-thread-last-left": ("pool.init.all_free",),
    "ref-pool-rounded-more": ("pool.rounded.least",),
}  # fmt: skip


def stated(*abouts: str, reading: Reading | None = None) -> list[Obligation[Any]]:
    """The obligations on the reference with these names, less the part's; in one reading or both."""
    wanted = {f"pool.{about}" for about in abouts}
    return [each for each in obligations() if each.name in wanted and reading in (None, each.reading)]


def refuted(results: list[Result]) -> set[str]:
    return {result.obligation.name for result in results if isinstance(result.answer, Refuted)}


def test_reference__every_obligation_is_proved() -> None:
    assert_proved(prove(obligations()))


def test_reference__every_law_of_pools_is_looked_at() -> None:
    names = {item.about for item in obligations()}
    offered = {"malloc", "free", "num_free_blocks", "num_allocated", "bounds", "grid", "buffer", "reuse order", "cost"}
    offered |= {"constant time"}
    of_pools = {
        name for name, item in CATALOGUE.items() if "pool" in item.shapes and item.needs <= implied(frozenset(offered))
    }
    # These speak of what drivers and processes see, or of a free that is refused: the steps refuse none.
    assert of_pools - names == {"sized", "failure_is_reported", "free_is_served"}


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("mutant", REFUTES)
def test_mutant__is_refuted(mutant: str, reading: Reading) -> None:
    assert refuted_by(mutant, "steps.pool", obligations, REFUTES[mutant], [reading]) == []


def test_mutants__all_of_them_and_every_obligation() -> None:
    assert {patch.name for patch in (*REFERENCE_MUTANTS["pool"], *STEP_MUTANTS["pool"])} == REFUTES.keys()
    assert never_refuted(obligations, REFUTES) == set()


def test_refuted__on_a_state_of_the_whole_invariant() -> None:
    steps = load("ref-pool-link-behind", "steps.pool")
    (result,) = prove(
        each for each in obligations(steps) if (each.name, each.reading) == ("pool.dealloc.payload_kept", Reading.W64)
    )
    assert isinstance(result.answer, Refuted)
    assert result.answer.whole
    assert dict(result.answer.values)["num_blocks"] >= 2
    assert "num_blocks = " in result.answer.words


# ------------------------------------------------------------------------------- laws are looked up, not copied


def change(monkeypatch: pytest.MonkeyPatch, name: str, body: Callable[..., Any]) -> None:
    monkeypatch.setitem(CATALOGUE, name, replace(law(name), body=body))


STRONGER: dict[str, Callable[..., Any]] = {
    "aligned": lambda e: e.ptr % 16 == 0,
    "blocks_disjoint": lambda a, b: (a.ptr + a.extent < b.ptr) | (b.ptr + b.extent < a.ptr),
    "pool_serves_while_free": lambda pre, e, post: e.served,
    "accounting_exact": lambda pre, e, post: post.num_allocated == pre.live,
    "payload_kept": lambda e: e.intact > e.held,
    "in_bounds": lambda e: e.ptr > e.env.base,
}


@pytest.mark.parametrize(("name", "body"), STRONGER.items())
def test_law__stated_too_strongly_is_refuted(
    monkeypatch: pytest.MonkeyPatch, name: str, body: Callable[..., Any]
) -> None:
    change(monkeypatch, name, body)
    every = [each for each in obligations() if each.reading is Reading.W64 and each.about in STRONGER]
    assert {each.partition(".")[2].partition(".")[2] for each in refuted(prove(every))} == {name}


def test_law__whose_premise_is_never_met_is_not_proved(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(e: Any) -> Any:
        return e.ptr < 0

    monkeypatch.setitem(CATALOGUE, "aligned", replace(law("aligned"), premise=never))
    answer = prove_one(stated("alloc.aligned")[0]).answer
    assert isinstance(answer, Unknown)
    assert "vacuous" in answer.why


# -------------------------------------------------------------------------------------------------- outcomes


def obligation(build: Callable[[Any], Claim], reading: Reading = Reading.UNBOUNDED) -> Obligation[Claim]:
    return Obligation("test", "none", "claim", "a statement", "nothing", reading, build, lambda claim: claim)


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
