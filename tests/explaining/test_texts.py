"""What is told fits its page, is whole, and the page of the documentation is the one that the generator gives."""

import json
import os
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from heaplaw import console, explaining, schemas
from heaplaw.commands.explain import TOPICS as OFFERED
from heaplaw.errors import UsageError
from heaplaw.explaining.clauses import stated
from heaplaw.explaining.entries import ENTRIES
from heaplaw.explaining.topics import DIALECTS, EXIT_CODES, MAPPING, MISUSE, TOPICS, VERDICTS
from heaplaw.mapping import vocabulary
from heaplaw.mapping.vocabulary import PROMISES, TOP
from heaplaw.spec.catalogue import CATALOGUE
from heaplaw.spec.law import Scope
from heaplaw.terminal.facts import WORDS
from heaplaw.terminal.page import LEAST, Page

jsonschema: Any = import_module("jsonschema")
PAGE = Path(__file__).parents[2] / "docs" / "laws.md"


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_law_is_told_whole(name: str) -> None:
    law, entry, lines = CATALOGUE[name], ENTRIES[name], explaining.lines(name)
    assert lines == explaining.lines(law.id)
    assert lines == explaining.lines(law.id.lower())
    assert max(map(len, lines)) <= 80
    assert lines[0] == f"{law.id} {law.name}"
    text = " ".join(" ".join(lines).split())
    for part in (law.sentence, entry.words, law.source, entry.legitimate, *law.dialects.values(), *entry.settings):
        assert " ".join(part.split()) in text, part
    assert sum(line.startswith("  >") for line in lines) == (law.scope not in (Scope.RUN, Scope.LAYOUT, Scope.COST))


@pytest.mark.parametrize("name", [*CATALOGUE, *TOPICS])
def test_prose_fits_a_narrow_page(name: str) -> None:
    found = explaining.find(name)
    assert explaining.told([found])
    lines = explaining.told([found], Page.of(LEAST))
    over = [line.text for line in lines if len(line) > LEAST]
    assert not [line for line in over if not line.startswith(("  >", "   "))], over
    assert len(over) <= 4, over


def test_topics() -> None:
    assert tuple(TOPICS) == OFFERED
    for name in TOPICS:
        assert max(map(len, explaining.lines(name))) <= 80
    assert explaining.lines("exit_codes") == explaining.lines("exit-codes")
    codes = (console.HOLDS, console.BROKEN, console.USAGE, console.UNDECIDED, console.HARNESS, console.INTERRUPTED)
    assert [word for word, _ in EXIT_CODES.rows] == [str(code) for code in codes]
    assert {word for word, _ in VERDICTS.rows} == {word.lower() for word in WORDS.values()} | {"expected"}
    quoted = {word for _, text in MAPPING.rows for word in text.split("`")[1::2]}
    for word in quoted - {"law", "reason", "issue", "version"}:
        assert {*word.split()} <= {*TOP, *PROMISES}, word


def test_every_clause_is_told_with_what_it_allows() -> None:
    told = {said.dialect: said for said in stated(CATALOGUE["zero_resize_answered"])}
    assert "a block" in told["POSIX"].allows
    assert "NULL, errno not set" in told["POSIX"].forbids
    assert told["glibc"].allows == told["POSIX"].forbids[:1]
    assert told["C23"].open
    for law in CATALOGUE.values():
        text = " ".join(" ".join(explaining.lines(law.name)).split())
        for said in stated(law):
            assert f"{said.dialect} {said.text} {said.ruling}".strip() in text
            assert not said.open or not said.forbids
        assert any(said.forbids for said in stated(law)) == bool(law.clauses)


def test_topics_know_every_dialect_and_every_misuse() -> None:
    assert tuple(word for word, _ in DIALECTS.rows) == vocabulary.DIALECTS
    assert tuple(word for word, _ in MISUSE.rows) == (*vocabulary.MISUSES, *vocabulary.POLICIES)


def test_the_catalogue_lists_every_law_in_order() -> None:
    lines = explaining.catalogue()
    assert max(map(len, lines)) <= 80
    heads = [line.split()[:2] for line in lines if not line.startswith(" ")]
    assert heads == [[law.id, law.name] for law in sorted(CATALOGUE.values(), key=lambda law: law.id)]
    text = " ".join(" ".join(lines).split())
    assert all(law.sentence in text for law in CATALOGUE.values())


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("HL1033", "HL103"),
        ("block_disjoint", "blocks_disjoint"),
        ("Blocks-Disjoint", "blocks_disjoint"),
        ("verdict", "verdicts"),
        ("exitcodes", "exit-codes"),
        ("maping", "mapping"),
    ],
)
def test_what_was_meant(word: str, meant: str) -> None:
    with pytest.raises(UsageError, match=meant):
        explaining.find(word)


def test_nothing_is_like_it() -> None:
    with pytest.raises(UsageError, match="`heaplaw laws` lists the laws") as told:
        explaining.find("zzzzzz")
    assert "did you mean" not in str(told.value)


def test_the_document_is_that_of_the_schema() -> None:
    asked = [explaining.find(name) for name in (*CATALOGUE, *TOPICS)]
    found = explaining.document(asked)
    jsonschema.validate(found, schemas.load("explain"))
    assert json.loads(json.dumps(found)) == found
    assert [law["name"] for law in found["laws"]] == list(CATALOGUE)
    assert all(law["kept"]["judged"] >= 1 and "observed" not in law["kept"] for law in found["laws"])


def test_the_page_is_what_the_generator_gives() -> None:
    made = explaining.markdown()
    if os.environ.get("HEAPLAW_UPDATE"):
        PAGE.write_text(made, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == made, "HEAPLAW_UPDATE=1 writes it anew"


def test_the_page_links_to_every_law() -> None:
    made = explaining.markdown()
    for law in CATALOGUE.values():
        assert made.count(f"](#{law.id.lower()}-{law.name})") == 1
        assert made.count(f"({law.id.lower()}-{law.name})=\n### {law.id} {law.name}\n") == 1
