"""The laws can be kept together; those that contradict each other are named."""

from dataclasses import replace
from typing import Any

import pytest

from heaplaw.proofs import consistency
from heaplaw.proofs.prove import Refuted, Result, prove, unused
from heaplaw.spec.catalogue import CATALOGUE, law
from heaplaw.spec.shapes import SHAPES
from heaplaw.spec.verdict import Proved


def decided(name: str) -> Result:
    (result,) = prove(each for each in consistency.obligations() if each.name == name)
    return result


def change(monkeypatch: pytest.MonkeyPatch, name: str, **parts: Any) -> None:
    monkeypatch.setitem(CATALOGUE, name, replace(law(name), **parts))


@pytest.mark.parametrize("shape", [*SHAPES, consistency.LAYOUTS])
def test_laws__can_be_kept_together(shape: str) -> None:
    results = prove(each for each in consistency.obligations() if each.step == shape)
    assert [(each.obligation.name, each.answer) for each in results if not isinstance(each.answer, Proved)] == []
    assert results
    assert unused(results) == {}


def test_every_law__is_among_them() -> None:
    stated = consistency.obligations()
    assert {law.name for each in stated for law in consistency.laws_on(each.step, each.about)} == set(CATALOGUE)


@pytest.mark.parametrize(
    ("name", "parts", "obligation", "named"),
    [
        # What is handed out is aligned, and never is.
        ("sized", {"body": lambda e: e.ptr % 8 == 1}, "laws.malloc.operation", {"aligned", "sized"}),
        # An operation's counters are as the history has them, and are not.
        (
            "pool_conserved",
            {"body": lambda pre, e, post: (post.num_allocated > post.live) & (pre.live >= 0)},
            "laws.pool.operation",
            {"accounting_exact", "pool_conserved"},
        ),
        # On a step and on an event alike.
        (
            "fits_is_served",
            {"premise": lambda pre, e, post: e.called, "body": lambda pre, e, post: e.failed},
            "laws.bump.operation",
            {"fits_is_served"},
        ),
        (
            "usable_sizes_disjoint",
            {"body": lambda a, b: a.ptr == b.ptr},
            "laws.freelist.pair",
            {"blocks_disjoint", "usable_sizes_disjoint"},
        ),
        ("reuse", {"body": lambda r: r.footprint < 0}, "laws.malloc.run", {"reuse"}),
        (
            "layout_size_kept",
            {"body": lambda laid: laid.got_align == 2},
            "laws.layouts.layout",
            {"layout_align_is_largest", "layout_size_kept"},
        ),
    ],
)
def test_laws_that_contradict_each_other__are_named(
    monkeypatch: pytest.MonkeyPatch, name: str, parts: dict[str, Any], obligation: str, named: set[str]
) -> None:
    change(monkeypatch, name, **parts)
    answer = decided(obligation).answer
    assert isinstance(answer, Refuted), answer
    told = answer.words.partition("these contradict each other: ")[2].split(", ")
    assert named <= set(told)


def test_laws_that_can_only_be_kept_one_at_a_time__are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    change(monkeypatch, "first_operation", body=lambda e: e.num_free == 3)
    change(monkeypatch, "invariant_holds", body=lambda e: e.num_free == 4)
    answer = decided("laws.arena.operation").answer
    assert isinstance(answer, Refuted)
    assert answer.words == (
        "first_operation, invariant_holds speak at once: these contradict each other: first_operation, invariant_holds"
    )


def test_laws_that_speak_of_a_forbidden_answer__are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert {name for pair in consistency.ANSWERS for names in pair for name in names} <= set(CATALOGUE)
    monkeypatch.setattr(consistency, "ANSWERS", ())
    answer = decided("laws.bump.operation").answer
    assert isinstance(answer, Refuted)
    assert "overflow_is_failure speak at once" in answer.words


def test_a_law_that_can_never_speak__is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    change(monkeypatch, "made_again", premise=lambda e: e.ptr < 0)
    answer = decided("laws.stack.operation").answer
    assert isinstance(answer, Refuted)
    assert answer.words.startswith("made_again speaks: ")


def test_an_operation_that_no_law_abiding_allocator_serves__is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    change(monkeypatch, "free_is_served", body=lambda e: e.failed)
    change(monkeypatch, "failure_is_reported", premise=lambda e: e.called, body=lambda e: e.failed | (e.kind != 9))
    answer = decided("laws.stack.operation").answer
    assert isinstance(answer, Refuted)
    assert "RESET is served" in answer.words or "POP is served" in answer.words
