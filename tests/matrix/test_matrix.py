"""The matrix says what can be asked, marks what was decided, and shows nothing as more than it is."""

import json
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from typing import Any

import pytest
from click.testing import CliRunner

from heaplaw import schemas
from heaplaw.cli import cli
from heaplaw.commands.matrix import exit_code
from heaplaw.errors import UsageError
from heaplaw.matrix import ENGINES, Item, Matrix, listed, run, running
from heaplaw.matrix.listing import applying, proving_parts
from heaplaw.matrix.text import cell, document, lines, short, subject_cell, whole
from heaplaw.models.session import applicable
from heaplaw.mutants.pools import POOL_MUTANTS
from heaplaw.proving.parts import CONTRACTS, PARTS, names
from heaplaw.proving.parts import REFERENCE as STEPS
from heaplaw.spec.catalogue import CATALOGUE, law
from heaplaw.subjects.reference import reference_subject
from heaplaw.terminal.marked import Marked
from heaplaw.terminal.page import Page

jsonschema: Any = import_module("jsonschema")
SCHEMA = schemas.load("matrix")


@pytest.fixture(scope="module")
def everything() -> Matrix:
    return listed()


def text_of(found: list[Marked]) -> list[str]:
    return [line.text for line in found]


def of(matrix: Matrix, engine: str, name: str) -> dict[str, Item]:
    return {item.name: item for item in matrix.items(engine, law(name))}


# ---- what is listed


def test_every_law__has_a_row_and_evidence(everything: Matrix) -> None:
    assert [each.id for each in everything.laws] == sorted(each.id for each in CATALOGUE.values())
    bare = [each for each in everything.laws if not any(everything.items(engine, each) for engine in ENGINES)]
    # Laws of scenes speak of calls that no reference allocator has, and that no drawn trace makes: tests/clauses break
    # each of them, and each clause, by an allocator of its own.
    assert [each.id for each in bare if not each.scenes] == []


def test_only_laws__are_listed(everything: Matrix) -> None:
    assert all(items.keys() <= CATALOGUE.keys() for items in everything.evidence.values())


def test_obligations__are_those_of_the_proofs_by_name_and_reading(everything: Matrix) -> None:
    known = {name for part in proving_parts() for name in names(STEPS, part)}
    shown = [item for items in everything.evidence["prove"].values() for item in items]
    assert {item.name for item in shown} == {name for name in known if name.rpartition(".")[2] in CATALOGUE}
    assert len({(item.name, item.detail) for item in shown}) == len(shown)


def test_what_the_machinery_proves_of_itself__is_no_evidence() -> None:
    assert not {"judge", "bits", "facts", "laws", CONTRACTS} & set(proving_parts())
    assert set(proving_parts()) <= PARTS.keys()


def test_contracts__count_for_the_laws_that_speak_in_them(everything: Matrix) -> None:
    assert set(of(everything, "confirm", "lifo_pop")) == {"contracts.stack.pop"}
    assert set(of(everything, "confirm", "layout_extends_like_c")) == {"contracts.layout.extend"}
    # It goes by the name there too, as all laws on layouts do; but an array is no extension.
    assert "contracts.layout.array" not in of(everything, "confirm", "layout_extends_like_c")


def test_laws_on_whole_runs__are_not_for_machines_and_explorers(everything: Matrix) -> None:
    assert not everything.items("machine", law("reuse"))
    assert not everything.items("explore", law("reuse"))


@pytest.mark.parametrize("name", ["global", "pool", "limited"])
def test_laws_of_a_reference_allocator__are_those_that_its_check_judges(name: str) -> None:
    subject = reference_subject(name)
    try:
        assert applying(name) == applicable(subject.shape.name, subject.offers)
    finally:
        subject.close()


# ---- what is shown


@pytest.mark.parametrize(
    ("outcomes", "ran", "shown"),
    [
        ([], True, "-"),
        (["", ""], False, "(2)"),
        (["proved", "proved"], True, "2"),
        (["proved", "unknown"], True, "1/2"),
        (["tested", "error"], True, "ERROR"),
        (["proved", "refuted", "error"], True, "BROKEN"),
    ],
)
def test_cell(outcomes: list[str], ran: bool, shown: str) -> None:
    assert cell([Item("x", outcome=outcome) for outcome in outcomes], ran) == shown


def test_mutants__that_another_law_killed_do_not_count() -> None:
    items = [Item("a", outcome="killed"), Item("b", outcome="by another law")]
    assert cell(items, True, "mutants") == "1/2"
    assert cell(items[:1], True, "mutants") == "1/1"
    assert cell([*items, Item("c", outcome="survives")], True, "mutants") == "BROKEN"


@pytest.mark.parametrize(
    ("item", "shown"),
    [
        (None, "-"),
        (Item("s", outcome="not applicable"), "-"),
        (Item("s", outcome="tested", count=645_333), "645k"),
        (Item("s", outcome="violated", count=9), "BROKEN"),
        (Item("s", outcome="holds, though expected not to", count=9), "BROKEN"),
        (Item("s", outcome="expected", count=9), "expected"),
        (Item("s", outcome="unknown"), "unknown"),
    ],
)
def test_subject_cell(item: Item | None, shown: str) -> None:
    assert subject_cell(item) == shown


def test_short_counts() -> None:
    assert [short(count) for count in (0, 999, 1000, 437_432_045, 10**10)] == ["0", "999", "1k", "437M", "10G"]


@pytest.mark.parametrize("width", [80, 60])
def test_lines__fit(everything: Matrix, width: int) -> None:
    found = text_of(lines(everything, Page.of(width)))
    assert max(map(len, found[:-1])) <= width
    assert sum(line.startswith("HL") for line in found) == len(CATALOGUE)


def test_nothing_run__says_so(everything: Matrix) -> None:
    found = text_of(lines(everything))
    text = "\n".join(found)
    assert "NOT RUN" in text
    assert "nothing was run" in found[-1]
    table = [line for line in found if line.startswith("HL")]
    assert all(word == "-" or word.startswith("(") for line in table for word in line.split()[2:])
    for word in ("proved", "confirmed", "exhausted", "tested", "killed"):
        assert word not in text


def test_one_law__names_everything(everything: Matrix) -> None:
    text = "\n".join(text_of(whole(everything, law("HL503"))))
    for name in ("stack.pop.lifo_pop", "contracts.stack.pop", "ref:stack"):
        assert name in text
    for item in everything.items("mutants", law("HL503")):
        assert item.name in text
    assert max(map(len, text.splitlines())) <= 80


# ---- what is decided


@pytest.fixture(autouse=True)
def few_examples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "EXAMPLES", 10)


def decided(everything: Matrix, name: str, *engines: str) -> Matrix:
    matrix = replace(everything, laws=(law(name),))
    for found in run(matrix, engines):
        matrix = found
    return matrix


def test_run__decides_what_was_listed_and_no_more(everything: Matrix) -> None:
    before = replace(everything, laws=(law("HL403"),))
    after = decided(everything, "HL403", "prove", "machine")
    assert after.ran == {"prove", "machine"}
    assert {i.outcome for i in after.items("prove", law("HL403"))} == {"proved"}
    assert {i.outcome for i in after.items("machine", law("HL403"))} == {"tested"}
    for engine in ENGINES:
        listing = [(i.name, i.detail) for i in before.items(engine, law("HL403"))]
        got = [(i.name, i.detail) for i in after.items(engine, law("HL403"))]
        assert [name for name, _ in got] == [name for name, _ in listing]
        assert engine in after.ran or got == listing
    assert exit_code(after) == 0


def test_explore_and_layouts(everything: Matrix) -> None:
    assert [(i.name, i.outcome) for i in decided(everything, "HL403", "explore").items("explore", law("HL403"))] == [
        ("pool", "exhausted")
    ]
    (layouts,) = decided(everything, "HL804", "check").items("check", law("HL804"))
    assert (layouts.name, layouts.outcome) == ("layouts", "tested")
    assert layouts.count > 100


def test_machines__make_the_allocator_again(everything: Matrix) -> None:
    only = replace(everything, evidence={**everything.evidence, "machine": {"made_again": (Item("bump"),)}})
    assert [i.outcome for i in decided(only, "HL505", "machine").items("machine", law("HL505"))] == ["tested"]


def _never(_event: object) -> bool:
    return False


def test_a_law_that_does_not_hold__is_broken(everything: Matrix, monkeypatch: pytest.MonkeyPatch) -> None:
    stated = CATALOGUE["pool_on_grid"]
    stricter = replace(stated, body=_never)
    monkeypatch.setitem(CATALOGUE, "pool_on_grid", stricter)
    after = decided(everything, "pool_on_grid", "explore", "machine")
    assert [cell(after.items(engine, stricter), True) for engine in ("explore", "machine")] == ["BROKEN", "BROKEN"]
    assert exit_code(after) == 1
    assert "VIOLATED" in "\n".join(text_of(whole(after, stricter)))


def test_mutants__of_one_law(everything: Matrix) -> None:
    after = decided(everything, "HL431", "mutants")
    (item,) = after.items("mutants", law("HL431"))
    assert item.outcome == "killed"
    assert item.count >= 1
    assert exit_code(after) == 0


# ---- the command


def ran(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli, ["matrix", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def test_command__a_subject_has_a_column() -> None:
    code, text = ran("ref:pool", "-n", "1000", "--json")
    found = json.loads(text)
    jsonschema.validate(found, SCHEMA)
    assert (code, found["subjects"], found["ran"]) == (0, ["ref:pool"], [])
    by_name = {each["name"]: each for each in found["laws"]}
    (grid,) = by_name["pool_on_grid"]["subjects"]
    assert (grid["outcome"], grid["count"] > 10) == ("tested", True)
    assert by_name["pool_on_grid"]["evidence"]["prove"][0]["outcome"] is None


def test_command__a_faulty_subject_is_told() -> None:
    mutant = next(m for m in POOL_MUTANTS if m.law == "free_count_exact")
    fault = f"{mutant.pool.__module__}:{mutant.pool.__name__}"
    code, text = ran(mutant.law, fault, "--shape", "pool", "-n", "1000")
    assert code == 1
    assert "VIOLATED" in text
    assert "1 broken" in text.splitlines()[-1]


def test_command__bad_names() -> None:
    for name in ("HL999", "ref:nothing", "blocks_disjont"):
        result = CliRunner().invoke(cli, ["matrix", name])
        assert isinstance(result.exception, UsageError)
        assert name in str(result.exception)


@pytest.mark.parametrize("name", ["HL999", "hl13", "HL1033"])
def test_laws_that_are_not_known__are_guessed_as_explain_does(name: str) -> None:
    told = [str(CliRunner().invoke(cli, [command, name]).exception) for command in ("explain", "matrix")]
    explained, asked = (text.partition("did you mean ")[2].partition("?")[0] for text in told)
    assert asked == explained != ""


def test_command__an_interrupt_leaves_what_was_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_given: object) -> Iterator[tuple[str, Item]]:
        raise KeyboardInterrupt
        yield

    monkeypatch.setitem(running._RUN, "machine", stopped)
    code, text = ran("HL403", "--run", "explore", "--run", "machine", "--run", "mutants")
    assert code == 130
    assert "exhausted" in text
    assert "interrupted: not decided: machine, mutants" in text


def test_documents__keep_to_the_schema(everything: Matrix) -> None:
    made: dict[str, Any] = document(everything)
    jsonschema.validate(made, SCHEMA)
    assert len(made["laws"]) == len(CATALOGUE)
    jsonschema.validate(document(decided(everything, "HL804", "check")), SCHEMA)
