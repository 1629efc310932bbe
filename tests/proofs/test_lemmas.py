"""What judges and proofs stand on, and what they must not."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from heaplaw.proofs.facts import POWERS, SCHEMAS, Operators, z3
from heaplaw.proofs.lemmas import arithmetic, holes, obligations
from heaplaw.proofs.prove import Refuted, prove, unused
from heaplaw.spec.catalogue import CATALOGUE, law
from heaplaw.spec.event import Block
from heaplaw.spec.logic import neg
from heaplaw.spec.verdict import Proved


def test_lemmas__are_proved() -> None:
    results = prove([*obligations(), *arithmetic()])
    assert [(each.obligation.name, each.answer) for each in results if not isinstance(each.answer, Proved)] == []
    assert {result.obligation.name for result in results} == {
        "judge.neighbours_suffice.blocks_disjoint",
        "judge.order_is_irrelevant.blocks_disjoint",
        "judge.no_byte_is_shared.blocks_disjoint",
        "judge.a_byte_is_shared.blocks_disjoint",
        "judge.have_holes.other_checks",
        *(f"facts.{name}.fact" for name in SCHEMAS),
    }
    assert unused(results) == {}


def test_facts_on_remainders__are_proved_for_each_of_the_64_powers() -> None:
    (result,) = prove(each for each in arithmetic() if each.step == "remainder")
    assert result.paths == len(POWERS) == 64


@pytest.mark.parametrize("power", [1, 8, 2**37, 2**63])
def test_a_false_fact__is_refuted_whichever_power_it_is_false_of(monkeypatch: pytest.MonkeyPatch, power: int) -> None:
    def false(of: Operators, a: Any, p: Any) -> Iterator[Any]:
        yield z3.Implies(z3.And(p == power, a > 5), of.below(a + 1, p) != 0)

    monkeypatch.setitem(SCHEMAS, "remainder", (false, 2))
    (result,) = prove(each for each in arithmetic() if each.step == "remainder")
    assert isinstance(result.answer, Refuted)
    assert (dict(result.answer.values)["a"] + 1) % power == 0


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_every_schema__would_be_refuted_if_it_said_too_much(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    schema, count = SCHEMAS[name]

    def stronger(of: Operators, *terms: Any) -> Iterator[Any]:
        yield from schema(of, *terms)
        yield terms[0] != 4

    monkeypatch.setitem(SCHEMAS, name, (stronger, count))
    (result,) = prove(each for each in arithmetic() if each.step == name)
    assert isinstance(result.answer, Refuted), result.answer


def test_holes__are_refuted_where_the_law_is_not_fooled() -> None:
    results = prove(holes())
    assert len(results) == 2
    for result in results:
        assert isinstance(result.answer, Refuted)
        at = dict(result.answer.values)
        a, b = (Block(at[f"{name}.ptr"], at[f"{name}.extent"]) for name in "ab")
        assert not law("blocks_disjoint").holds(a, b)


def test_hole__ends_miss_containment() -> None:
    answer = prove(holes())[0].answer
    assert isinstance(answer, Refuted)
    at = dict(answer.values)
    assert at["b.ptr"] < at["a.ptr"] < at["a.ptr"] + at["a.extent"] < at["b.ptr"] + at["b.extent"]


def test_lemma__fails_for_a_law_that_looks_at_starts_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def starts_differ(a: Any, b: Any) -> Any:
        return (a.ptr == b.ptr) | (a.ptr + 8 <= b.ptr)

    weaker = replace(law("blocks_disjoint"), body=starts_differ)
    monkeypatch.setitem(CATALOGUE, "blocks_disjoint", weaker)
    refuted = {result.obligation.step for result in prove(obligations()) if isinstance(result.answer, Refuted)}
    assert {"order_is_irrelevant", "no_byte_is_shared", "a_byte_is_shared"} <= refuted


def test_lemma__fails_for_a_law_of_which_neighbours_say_too_little(monkeypatch: pytest.MonkeyPatch) -> None:
    def touch_or_keep_distance(a: Any, b: Any) -> Any:
        return ((a.ptr + a.extent) == b.ptr) | (a.ptr + a.extent + 8 <= b.ptr)

    monkeypatch.setitem(CATALOGUE, "blocks_disjoint", replace(law("blocks_disjoint"), body=touch_or_keep_distance))
    answers = {result.obligation.step: result.answer for result in prove(obligations())}
    assert isinstance(answers["neighbours_suffice"], Refuted)


def test_holes__would_be_the_laws_own_if_it_looked_at_the_ends_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def ends(a: Any, b: Any) -> Any:
        def inside(at: Any) -> Any:
            return (at >= a.ptr) & (at < a.ptr + a.extent)

        return neg(inside(b.ptr)) & neg(inside(b.ptr + b.extent - 1))

    monkeypatch.setitem(CATALOGUE, "blocks_disjoint", replace(law("blocks_disjoint"), body=ends))
    answers = {result.obligation.step: result.answer for result in prove(obligations())}
    assert isinstance(answers["have_holes"], Refuted)
    assert isinstance(answers["no_byte_is_shared"], Refuted)


def test_arithmetic__a_false_fact_is_refuted(monkeypatch: pytest.MonkeyPatch) -> None:
    def grows(of: Operators, a: Any, b: Any) -> Any:
        yield of.product(a, b) >= a

    monkeypatch.setitem(SCHEMAS, "product", (grows, 2))
    wrong = [each for each in arithmetic() if each.step == "product"]
    assert [type(each.answer) for each in prove(wrong)] == [Refuted]
