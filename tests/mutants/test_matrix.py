"""The kill matrix: survivors, laws without a mutant and laws that kill nothing are told, and make it unsound."""

import json
from dataclasses import replace

import pytest
from click.testing import CliRunner

from heaplaw.cli import cli
from heaplaw.errors import UsageError
from heaplaw.killmatrix import Case, Kill, Matrix, Row, all_cases, build, engines
from heaplaw.killmatrix.cases import Source
from heaplaw.killmatrix.matrix import chosen
from heaplaw.killmatrix.text import document, lines
from heaplaw.mutants import MUTANTS
from heaplaw.mutants.heaps import HEAP_MUTANTS
from heaplaw.mutants.lists import LIST_MUTANTS
from heaplaw.mutants.pools import POOL_MUTANTS
from heaplaw.mutants.reference import PATCHES
from heaplaw.mutants.shapes import SHAPE_MUTANTS
from heaplaw.spec.catalogue import CATALOGUE


def case(name: str, law: str, *also: str, group: str = "stack") -> Case:
    return Case(name, Source.REFERENCE, group, "", law, frozenset({law, *also}), f"what {name} does")


POPS = case("pops", "lifo_pop", "payload_kept")
SKEWS = case("skews", "aligned")
KILLED = {
    "pops": Row(POPS, (Kill("lifo_pop", "explore", 3), Kill("payload_kept", "check", 5)), POPS.laws | {"sized"}),
    "skews": Row(SKEWS, (Kill("aligned", "session", 1),), SKEWS.laws),
}


def killed(which: Case) -> Row:
    return KILLED[which.name]


def survives(which: Case) -> Row:
    return Row(which, (), frozenset({"sized"}))


def test_matrix__in_words() -> None:
    matrix = build([POPS, SKEWS], killed, whole=False)
    assert lines(matrix) == [
        "a row a mutant, a column a law by its number: the law that killed it, by",
        "e exploration, c a check, m a Hypothesis machine, s the steps in this process;",
        "+ broken as well; then that law, what saw it, and operations of the shortest",
        "trace",
        "",
        "stack (reference)                 1125",
        "                                  0000",
        "                                  1213",
        "pops                              .+ce HL503 explore 3",
        "skews                             s... HL101 session 1",
        "",
        "SUMMARY: heaplaw: 2 of 2 mutants killed",
    ]
    assert matrix.sound


def test_survivor__is_told() -> None:
    matrix = build([POPS, SKEWS], lambda which: survives(which) if which is SKEWS else killed(which), whole=False)
    assert [row.case for row in matrix.survivors] == [SKEWS]
    assert not matrix.sound
    assert "SURVIVES  skews: what skews does; made for aligned" in lines(matrix)
    assert "SUMMARY: heaplaw: 1 of 2 mutants killed" in lines(matrix)
    assert document(matrix)["survivors"] == ["skews"]


def only(*laws: str) -> Matrix:
    return Matrix(tuple(KILLED.values()), laws)


def test_law_without_a_mutant__is_told() -> None:
    matrix = only("aligned", "lifo_pop", "zeroed")
    assert matrix.unmade == ["zeroed"]
    assert matrix.idle == []
    assert not matrix.sound
    assert "NO MUTANT HL204 zeroed: no mutant was made for it" in lines(matrix)
    assert lines(matrix)[-1] == "SUMMARY: heaplaw: 2 of 2 mutants killed, 2 of 3 laws kill one"
    assert only("aligned", "lifo_pop").sound


def test_law_that_kills_nothing__is_told() -> None:
    lazy = replace(SKEWS, law="zeroed", laws=frozenset({"zeroed", "aligned"}))
    matrix = Matrix((KILLED["pops"], replace(KILLED["skews"], case=lazy)), ("aligned", "zeroed"))
    assert matrix.idle == ["zeroed"]
    assert matrix.unmade == ["aligned"]
    assert "IDLE      HL204 zeroed: it kills no mutant" in lines(matrix)


def test_whole_matrix__asks_for_every_law_of_the_catalogue() -> None:
    matrix = build([POPS, SKEWS], killed, whole=True)
    assert set(matrix.laws) == set(CATALOGUE)
    assert set(matrix.unmade) == set(CATALOGUE) - {"lifo_pop", "aligned"}
    assert not matrix.sound


def test_what_cannot_be_run_here__is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("heaplaw.native.find", lambda _name: None)
    of_c = Case("stack-pop-twice", Source.SHAPES, "stack", "mutant:stack-pop-twice", "lifo_pop")
    matrix = build([of_c, SKEWS], killed, whole=False)
    assert matrix.left_out == (of_c,)
    assert [row.case for row in matrix.rows] == [SKEWS]
    assert "left out  1 mutants written in C: their library is not built here" in lines(matrix)
    asked = replace(matrix, laws=("aligned", "lifo_pop"))
    assert (asked.unmade, asked.idle) == ([], [])


def test_an_interrupt__ends_it_and_keeps_what_was_found() -> None:
    def run(which: Case) -> Row:
        if which is not SKEWS:
            raise KeyboardInterrupt
        return killed(which)

    other = case("ref-other", "lifo_pop")
    matrix = build([SKEWS, other, other], run, whole=True)
    assert [row.case for row in matrix.rows] == [SKEWS]
    assert matrix.unseen == 2
    assert lines(matrix)[-1] == "SUMMARY: heaplaw: 1 of 1 mutants killed; interrupted, 2 not looked at"
    assert document(matrix)["not looked at"] == 2


def test_an_interrupt_while_a_trace_is_made_short__ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "asked", lambda: True)
    with pytest.raises(KeyboardInterrupt):
        engines.run(chosen(["ref-pool-last-kept"])[0])


def test_cases__are_all_mutants_of_the_project() -> None:
    shapes = [mutant.name for group in SHAPE_MUTANTS.values() for mutant in group]
    others = [*(m.name for m in MUTANTS), *(m.name for m in POOL_MUTANTS), *(m.name for m in HEAP_MUTANTS)]
    names = others + shapes + list(PATCHES) + [made.name for made in LIST_MUTANTS]
    assert sorted(case.name for case in all_cases()) == sorted(names)


def test_every_law__has_a_mutant_made_for_it() -> None:
    assert set(CATALOGUE) <= {case.law for case in all_cases()}


def test_chosen__takes_groups_and_names() -> None:
    assert {case.group for case in chosen(["stack"])} == {"stack"}
    assert [case.name for case in chosen(["ref-stack-prev-lost"])] == ["ref-stack-prev-lost"]
    assert len(chosen([])) == len(all_cases())
    with pytest.raises(UsageError, match=r"stak: no such group .* similar: stack"):
        chosen(["stak"])


# ---- the command


def test_command__exits_0_when_the_mutants_are_killed() -> None:
    done = CliRunner().invoke(cli, ["mutants", "ref-pool-last-kept", "ref-stack-prev-lost"])
    assert done.exit_code == 0
    assert done.output.splitlines()[-1] == "SUMMARY: heaplaw: 2 of 2 mutants killed"
    assert "ref-stack-prev-lost               ++e HL503 explore 4" in done.output.splitlines()


def test_command__exits_1_when_one_survives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("heaplaw.killmatrix.engines.run", survives)
    done = CliRunner().invoke(cli, ["mutants", "ref-pool-last-kept", "--json"])
    assert done.exit_code == 1
    told = json.loads(done.output)
    assert told["survivors"] == ["ref-pool-last-kept"]
    assert told["sound"] is False
    assert told["mutants"][0]["made for"] == "pool_serves_while_free"
