"""`heaplaw cost`: tables, JSON, exit codes; and mappings that promise a cost."""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from heaplaw import mapping, schemas
from heaplaw.check import Report
from heaplaw.commands.cost import command
from heaplaw.errors import UsageError
from heaplaw.mapping import MappingError
from heaplaw.spec.shapes import Kind
from heaplaw.subjects import resolve
from heaplaw.subjects.promises import costs_of, read
from heaplaw.terminal.facts import promises

from .test_counting import counted

jsonschema: Any = import_module("jsonschema")
POOL = 'library = "libc"\nshape = "malloc"\nalloc = "malloc(size)"\nfree = "free(ptr)"\n[promises]\n'


@counted
def test_a_broken_promise() -> None:
    done = CliRunner().invoke(command, ["mutant:arena-release-walks", "--json"])
    assert done.exit_code == 1, done.output
    document = json.loads(done.stdout)
    jsonschema.validate(document, schemas.load("cost"))
    (subject,) = document["subjects"]
    assert subject["outcome"] == "violated"
    assert {each["operation"] for each in subject["broken"]} == {"release"}
    assert subject["left_out"], "the largest heap tells no more"


@counted
def test_tables_fit_the_page() -> None:
    done = CliRunner().invoke(command, ["mutant:ok-stack-deep"])
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert "the worst call" in lines
    assert any(line.startswith("HL434 instructions_bounded holds") for line in lines)
    assert sum(line.split()[:2] == ["pop", "fresh"] for line in lines) == 2


def test_without_a_promise_nothing_is_undecided() -> None:
    done = CliRunner().invoke(command, ["ref:bump"])
    assert done.exit_code == 0
    assert "not counted" in done.stdout


def promised(tmp_path: Path, text: str) -> dict[Kind, str]:
    path = tmp_path / "mine.toml"
    path.write_text(POOL + text + "\n")
    return costs_of(mapping.load(path).promises)


def test_costs_are_promised_by_a_word_or_by_operation(tmp_path: Path) -> None:
    word = promised(tmp_path, 'cost = "constant"')
    assert word[Kind.ALLOC] == word[Kind.POP] == "constant"
    assert Kind.RESET not in word
    table = promised(tmp_path, 'cost = { free = "constant", alloc = "any" }')
    assert table == {Kind.FREE: "constant"}
    assert promised(tmp_path, 'cost = "any"') == promised(tmp_path, "errno = true") == {}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('cost = "constnat"', "did you mean `constant`?"),
        ('cost = { fre = "constant" }', "did you mean `free`?"),
        ('cost = { free = "constnat" }', "did you mean `constant`?"),
        ('cost = { pop = "constant" }', "the mapping has no `pop`"),
        ("cost = 1", "expected"),
    ],
)
def test_mistakes_are_told(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(MappingError) as error:
        promised(tmp_path, text)
    assert told in error.value.report
    assert f"mine.toml:{POOL.count(chr(10)) + 1}:" in error.value.report


@counted
@pytest.mark.parametrize("word", ["constant", "amortised"])
def test_the_promise_is_told_as_it_was_made(word: str) -> None:
    subject = resolve("mutant:ok-stack-deep")[0]
    try:
        subject.cost = dict.fromkeys(subject.cost, word)
        assert f"{word} cost" in promises(Report(subject, 1, []))
    finally:
        subject.close()


def test_costs_are_promised_in_tests() -> None:
    assert costs_of(read({"cost": {"alloc": "amortised"}}, "here")) == {Kind.ALLOC: "amortised"}
    with pytest.raises(UsageError, match="one of"):
        read({"cost": {"alloc": "cheap"}}, "here")
