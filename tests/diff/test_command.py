"""The command: what it says, how it ends, what it stores; bad input is one line."""

import json
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from heaplaw import __version__
from heaplaw.schemas import load
from heaplaw.store import load as load_witness

from .conftest import Diff

Draft202012Validator: Any = import_module("jsonschema").Draft202012Validator  # it ships no types
GOOD, FAULTY = "mutant:ok-classes", "mutant:calloc-512-dirty"
SMALL = ("--seed", "1", "-n", "2000")


def closed(schema: Any) -> Any:
    """The schema that allows nothing but what it names."""
    if isinstance(schema, dict):
        inner = {key: closed(value) for key, value in schema.items()}
        return {**inner, "additionalProperties": False} if "properties" in schema else inner
    return [closed(item) for item in schema] if isinstance(schema, list) else schema


def documented(text: str) -> dict[str, Any]:
    """The document, valid, without what depends on time."""
    found: dict[str, Any] = json.loads(re.sub(r"0x[0-9a-f]{6,}", "0x…", text))
    Draft202012Validator(closed(load("diff"))).validate(found)
    assert (found["heaplaw"], found["format"], found["version"]) == (__version__, "heaplaw.diff", 1)
    del found["run"]
    return found


@pytest.mark.usefixtures("few", "mutants")
def test_a_law_that_is_newly_broken(diff: Diff) -> None:
    ran = diff(GOOD, FAULTY, *SMALL)
    assert (ran.code, ran.summary) == (1, "now VIOLATED HL204 zeroed")
    assert re.search(r"^  HL204  zeroed +held -> VIOLATED$", ran.out, re.MULTILINE)
    (marked,) = re.findall(r"^  > +(\d+) .*", ran.out, re.MULTILINE)
    assert marked == "3"
    assert "old       does not break it on these steps, 3 of 3 times" in ran.out
    assert max(map(len, ran.out.splitlines()[:-1])) <= 80  # the last line is for machines, however long
    (path,) = re.findall(r"again +heaplaw replay (\S+)$", ran.out, re.MULTILINE)
    assert load_witness(Path(path)).identity == FAULTY


@pytest.mark.usefixtures("few", "mutants")
def test_the_way_back_and_the_document(diff: Diff) -> None:
    ran = diff(FAULTY, GOOD, *SMALL, "--json")
    assert ran.code == 0
    found = documented(ran.out)
    (change,) = found["laws"]
    assert (change["id"], change["grade"], change["witness"]["side"]) == ("HL204", "better", "old")
    assert (change["old"]["outcome"], change["new"]["outcome"]) == ("violated", "holds")
    assert change["witness"]["other"] == {"failed": 0, "runs": 3, "why": None}
    assert found["same_traces"]
    assert not found["behaviours"]
    assert documented(diff(FAULTY, GOOD, *SMALL, "--json").out) == found


@pytest.mark.usefixtures("few", "mutants")
def test_behaviour_alone(diff: Diff) -> None:
    ran = diff(GOOD, "mutant:ok-null-zero", *SMALL)
    assert (ran.code, ran.summary) == (0, "1 behaviour changed")
    assert "a request for 0 bytes: a block -> NULL" in ran.out
    strict = diff(GOOD, "mutant:ok-null-zero", *SMALL, "--strict", "--json")
    assert strict.code == documented(strict.out)["exit_code"] == 1


@pytest.mark.usefixtures("few", "mutants")
def test_both_broken_by_chance_on_one(diff: Diff, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run of the old one that does not come upon its fault is found out: its steps break the old one as well."""
    from heaplaw.difference import comparing
    from heaplaw.difference.judging import Side, judged
    from heaplaw.spec.verdict import Holds, Verdict

    def missing(*given: Any) -> Side:
        side = judged(*given)
        if not seen:
            side.verdicts["zeroed"] = Verdict("zeroed", Holds(), side.verdicts["zeroed"].evidence)
        seen.append(side)
        return side

    seen: list[Side] = []
    monkeypatch.setattr(comparing, "judged", missing)
    ran = diff(FAULTY, FAULTY, *SMALL)
    assert (ran.code, ran.summary) == (0, "violated by both HL204")
    assert "chance: the old breaks it too on these steps, 3 of 3 times" in " ".join(ran.out.split())


@pytest.mark.parametrize("name", ["mutant:ok-firstfit", "mutant:calloc-512-dirty"])
@pytest.mark.usefixtures("few", "mutants")
def test_the_same_twice(diff: Diff, name: str) -> None:
    ran = diff(name, name, "--seed", "3", "-n", "2000", "--strict")
    assert (ran.code, ran.summary) == (0, "no difference")


@pytest.mark.slow
@pytest.mark.parametrize("seed", ["1", "2"])
@pytest.mark.parametrize("name", ["glibc", "ref:pool"])
def test_the_same_twice_by_all_probes(diff: Diff, name: str, seed: str) -> None:
    ran = diff(name, name, "--seed", seed, "-n", "2000", "--strict")
    assert (ran.code, ran.summary) == (0, "no difference")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "Missing argument 'OLD'"),
        (("glibc",), "Missing argument 'NEW'"),
        (("glibc", "./none.so"), "none.so: no such file"),
        (("cpython", "pymem"), "cpython: stands for 3 allocators"),
        (("ref:pool", "ref:stack"), "the shape pool, "),
        (("ref:pool", "ref:pool", "--shape", "pool"), "--shape pool is for Python objects"),
        (("glibc", "ref:global", "--prefix", "je_"), "--prefix je_ is for shared libraries"),
    ],
)
def test_bad_input(diff: Diff, words: tuple[str, ...], said: str) -> None:
    ran = diff(*words)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert all(line.startswith("error: ") for line in ran.err.splitlines())
    assert len(ran.err.splitlines()) <= 2


def test_all_mistakes_of_both(diff: Diff, tmp_path: Path) -> None:
    (tmp_path / "broken.toml").write_text("x=\n")
    ran = diff("broken.toml", "none.toml")
    assert (ran.code, ran.out) == (2, "")
    assert "not TOML" in ran.err
    assert "--> none.toml" in ran.err
    assert diff("broken.toml", "broken.toml").err.count("not TOML") == 1


@pytest.mark.usefixtures("few")
def test_python_objects(diff: Diff, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two pools in Python; what one alone counts is said, and the laws on it have ceased to apply."""
    examples = Path(__file__).resolve().parents[2] / "examples"
    for path in (examples / "conform" / "stack_pool.py", examples / "violate" / "hasty_pool.py"):
        (tmp_path / path.name).write_text(path.read_text())
    monkeypatch.syspath_prepend(tmp_path)
    options = ("--shape", "pool", "--block-size", "32", "--num-blocks", "4", "--seed", "1", "-n", "200")
    ran = diff("stack_pool:StackPool", "hasty_pool:HastyPool", *options, "--json")
    assert ran.code == 1
    found = documented(ran.out)
    assert {"what": "counters", "old": "num_allocated, num_free_blocks", "new": ""} in found["apart"]
    grades = {change["id"]: change["grade"] for change in found["laws"]}
    assert grades["HL105"] == "worse"
    assert grades["HL402"] == "other"
    (bounds,) = (change for change in found["laws"] if change["id"] == "HL105")
    steps = bounds["witness"]["steps"]
    assert [step["differs"] for step in steps] == [False, False, False, False, True]
    assert steps[-1]["old"] == "0"
