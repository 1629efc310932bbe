"""What --json prints: valid by the schemas that ship, the facts of the text, and the same from run to run."""

import json
import re
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from heaplaw import __version__, native
from heaplaw.schemas import envelope, load, names

from .conftest import Run

Draft202012Validator: Any = import_module("jsonschema").Draft202012Validator  # it ships no types
DOCS = Path(__file__).resolve().parents[2] / "docs" / "json.md"
OURS = ("check", "guide", "mutants", "replay", "subjects", "survey")
CHECK = ("check", "mutant:size-33", "-n", "2000", "--seed", "1", "--json")
needs_mutants = pytest.mark.skipif(native.find(native.MUTANTS) is None, reason="the mutants' library is not built here")


def closed(schema: Any) -> Any:
    """The schema that allows nothing but what it names: so what is printed is what is described."""
    if isinstance(schema, dict):
        inner = {key: closed(value) for key, value in schema.items()}
        return {**inner, "additionalProperties": False} if "properties" in schema else inner
    return [closed(item) for item in schema] if isinstance(schema, list) else schema


def valid(text: str, name: str) -> dict[str, Any]:
    """The document; it is one of `heaplaw NAME`."""
    document: dict[str, Any] = json.loads(text)
    Draft202012Validator(closed(load(name))).validate(document)
    assert (document["heaplaw"], document["format"], document["version"]) == (__version__, f"heaplaw.{name}", 1)
    return document


def compared(text: str) -> Any:
    """What is the same from run to run: addresses differ, and what depends on time stands apart."""
    found = json.loads(re.sub(r"0x[0-9a-f]{6,}", "0x…", text))
    for report in found["subjects"]:
        del report["run"]
    return found


@needs_mutants
def test_a_check(run: Run) -> None:
    ran = run(*CHECK)
    assert (ran.code, ran.err) == (1, "")
    document = valid(ran.out, "check")
    (report,) = document["subjects"]
    assert report["exit_code"] == document["exit_code"] == 1
    assert report["subject"]["identity"] == "mutant:size-33"
    assert sum(report["summary"].values()) == len(report["laws"])
    broken = {law["id"] for law in report["laws"] if law["outcome"] == "violated"}
    told = [entry["id"] for each in report["violations"] for entry in (each["law"], *each["also"])]
    assert sorted(told) == sorted(broken)
    assert report["summary"]["violated"] == len(broken)
    (overlap,) = (each for each in report["violations"] if each["law"]["id"] == "HL103")
    first, second = (int(op["result"]["address"], 16) for op in overlap["operations"])
    sizes = [op["size"] for op in overlap["operations"]]
    assert overlap["broken_at"] == [0, 1]
    assert overlap["observed"].startswith(f"{min(first, second) + sizes[first > second] - max(first, second)} byte")
    assert [op["call"] for op in overlap["operations"]] == [
        f"p{at + 1} = malloc({size})" for at, size in enumerate(sizes)
    ]

    again = run("replay", overlap["stored"], "--json")
    replayed = valid(again.out, "replay")
    assert (again.code, again.err, replayed["exit_code"]) == (1, "", 1)
    assert replayed["replayed"] == {"failed": 3, "runs": 3}
    assert replayed["id"] in overlap["stored"]
    here, there = replayed["violation"], overlap
    assert [op["call"] for op in here["operations"]] == [op["call"] for op in there["operations"]]
    assert here["stored"] == overlap["stored"] == replayed["path"]

    text = run(*CHECK[:-1]).out
    summary = report["summary"]
    counted = f"{summary['holds']} hold, {summary['violated']} violated, {summary['not-applicable']} not applicable"
    assert counted in text
    for each in report["laws"]:
        if each["outcome"] == "holds":
            judged = f"tested on {each['evidence']['judged']:,}"
            assert re.search(rf"{each['id']}  {each['name']} +holds +{judged}\b", text)
    for each in report["violations"]:
        assert f"{each['law']['id']} {each['law']['name']} VIOLATED: " in text
        assert f"heaplaw replay {each['stored']}" in text


@needs_mutants
def test_the_same_from_run_to_run_and_a_list_of_several(run: Run, tmp_path: Path) -> None:
    several = ("ref:bump", "ref:pool", "-n", "500", "--seed", "5", "--json")
    first, second = run("check", *several), run("check", *several)
    assert first.code == second.code == 0
    assert compared(first.out) == compared(second.out)
    document = valid(first.out, "check")
    assert [report["subject"]["shape"] for report in document["subjects"]] == ["bump", "pool"]
    assert {law["outcome"] for report in document["subjects"] for law in report["laws"]} <= {"holds", "not-applicable"}


@needs_mutants
def test_a_law_that_holds_now(run: Run, tmp_path: Path) -> None:
    source = "class Pool:\n    def __init__(self, buffer, capacity, block_size):\n"
    source += "        self.free, self.buffer = list(range(buffer, buffer + capacity, block_size)), buffer\n"
    source += "    def alloc(self):\n        return self.free.pop() + ODD if self.free else 0\n"
    source += "    def dealloc(self, ptr):\n        self.free.append(ptr - ODD)\n"
    module = tmp_path / "mine.py"
    module.write_text(f"ODD = 4\n{source}")
    arguments = ("mine:Pool", "--shape", "pool", "--block-size", "32", "--capacity", "256", "-n", "100", "--seed", "1")
    ran = run("check", *arguments, "--json")
    assert ran.code == 1, ran
    violations = valid(ran.out, "check")["subjects"][0]["violations"]
    stored = next(each["stored"] for each in violations if each["law"]["id"] == "HL101")
    module.write_text(f"ODD = 0\n{source}")
    ran = run("replay", stored, "--json", "--times", "2")
    document = valid(ran.out, "replay")
    assert (ran.code, document["outcome"], document["violation"]) == (0, "holds", None)
    assert document["replayed"] == {"failed": 0, "runs": 2}


def test_mistakes_are_told_in_words(run: Run, tmp_path: Path) -> None:
    run("check", "no-such-subject", "--json").refused("no-such-subject")
    run("replay", "no-such-file.json", "--json").refused("no-such-file.json")
    run("replay", "no-such-file.json", "--json", "--emit", "c").refused("--emit and --json")


def test_other_documents_have_the_envelope_too(run: Run) -> None:
    assert valid(run("subjects", "--json").out, "subjects")["subjects"]
    ran = run("mutants", "bump-last-byte", "--json")
    assert valid(ran.out, "mutants")["mutants"][0]["name"] == "bump-last-byte"


def test_every_schema_is_one() -> None:
    assert set(names()) >= set(OURS)
    for name in names():
        schema = load(name)
        Draft202012Validator.check_schema(schema)
        assert schema["properties"]["format"]["const"] == f"heaplaw.{name}", name
        assert {"heaplaw", "format", "version"} <= set(schema["required"]), name
    with pytest.raises(KeyError, match="there is no such schema"):
        load("no-such-schema")
    with pytest.raises(KeyError):
        load("../pyproject")
    assert envelope("check", {"a": 1}) == {"heaplaw": __version__, "format": "heaplaw.check", "version": 1, "a": 1}


def test_check_and_replay_mean_the_same_by_a_violation() -> None:
    check, replay = load("check")["$defs"], load("replay")["$defs"]
    assert {name: check[name] for name in replay} == replay


def fields(schema: Mapping[str, Any]) -> Iterator[str]:
    """The names of all fields that a schema has, however deep."""
    for key, value in schema.items():
        if key == "properties":
            yield from value
        if isinstance(value, dict):
            yield from fields(value)
        if isinstance(value, list):
            for item in value:
                yield from fields(item) if isinstance(item, dict) else ()


def sections() -> dict[str, str]:
    """The document by its sections: `heaplaw check`, …"""
    parts = re.split(r"^## heaplaw (\w+)$", DOCS.read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("name", OURS)
def test_every_field_is_documented(name: str) -> None:
    told = sections()
    text = told[name] + (told["check"] if name == "replay" else "")
    named = set(fields(load(name))) - set(envelope(name, {}))
    assert not [field for field in sorted(named) if f"`{field}`" not in text]
    assert not re.search(r"\| +\|$", told[name].partition("|---|---|---|")[2], flags=re.MULTILINE)  # each is told


def holds_in(example: Any, real: Any) -> bool:
    """The example is part of what is printed; of lists some entries may be left out."""
    if isinstance(example, dict):
        return isinstance(real, dict) and all(
            key in real and holds_in(value, real[key]) for key, value in example.items()
        )
    if isinstance(example, list):
        return isinstance(real, list) and all(any(holds_in(item, other) for other in real) for item in example)
    return bool(example == real)


@needs_mutants
def test_the_example_is_what_is_printed(run: Run) -> None:
    told = sections()
    addresses = re.compile(r"0x7f[0-9a-f]{10}")

    def shown(name: str) -> Any:
        (example,) = re.findall(r"```json\n(.*?)```", told[name], flags=re.DOTALL)
        valid(example, name)
        found = json.loads(addresses.sub("0x…", example))
        return found if name == "replay" else {**found, "subjects": [{**found["subjects"][0], "run": {}}]}

    ran = run(*CHECK)
    assert f"heaplaw {' '.join(CHECK)}" in told["check"]
    example = shown("check")
    assert holds_in(example, json.loads(addresses.sub("0x…", ran.out)))
    (violation,) = example["subjects"][0]["violations"]
    again = run("replay", violation["stored"], "--json")
    assert holds_in(shown("replay"), json.loads(addresses.sub("0x…", again.out)))
