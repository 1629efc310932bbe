"""What fast judges stand on, and what they must not."""

from dataclasses import replace
from typing import Any

import pytest

from heaplaw.proofs.facts import SCHEMAS, Operators
from heaplaw.proofs.lemmas import arithmetic, holes, obligations
from heaplaw.proofs.prove import Refuted, prove
from heaplaw.spec.catalogue import CATALOGUE, law
from heaplaw.spec.event import Block
from heaplaw.spec.verdict import Proved


def test_lemmas__are_proved() -> None:
    results = prove(obligations())
    assert len(results) == 2
    assert all(isinstance(result.answer, Proved) for result in results), results


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
    assert any(isinstance(result.answer, Refuted) for result in prove(obligations()))


def test_arithmetic__every_fact_is_proved() -> None:
    results = prove(arithmetic())
    assert [(each.obligation.name, each.answer) for each in results if not isinstance(each.answer, Proved)] == []
    assert {each.obligation.step.partition("_")[0] for each in results} >= {"product", "quotient", "remainder"}


def test_arithmetic__a_false_fact_is_refuted(monkeypatch: pytest.MonkeyPatch) -> None:
    def grows(of: Operators, a: Any, b: Any) -> Any:
        yield of.product(a, b) >= a

    monkeypatch.setitem(SCHEMAS, "product", (grows, 2))
    wrong = [each for each in arithmetic() if each.step == "product"]
    assert [type(each.answer) for each in prove(wrong)] == [Refuted]
