"""Recorded kills: each trace breaks its law on its mutant again, and none on the correct allocator beneath it."""

import json
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from heaplaw import schemas
from heaplaw.cli import cli
from heaplaw.errors import UsageError
from heaplaw.killmatrix import kills
from heaplaw.killmatrix.cases import all_cases, present
from heaplaw.killmatrix.kills import Again, Recorded, again, load, record
from heaplaw.killmatrix.matrix import Kill, Row
from heaplaw.spec.event import NULL
from heaplaw.spec.history import Op, make_trace
from heaplaw.spec.shapes import Kind

Draft202012Validator: Any = import_module("jsonschema").Draft202012Validator  # it ships no types
FOLDER = Path(__file__).with_name("kills")
CASES = {case.name: case for case in all_cases() if case.traced}
KEPT = load(FOLDER)
needs_mutants = pytest.mark.skipif(not all(map(present, CASES.values())), reason="the mutants are not built here")


@needs_mutants
@pytest.mark.parametrize("group", sorted({case.group for case in CASES.values()}))
def test_every_recorded_kill__kills_again_and_spares_the_correct_allocator(group: str) -> None:
    those = [kill for kill in KEPT if CASES[kill.mutant].group == group]
    found = list(again(those))
    assert [each.kill.id for each in found if not each.broken] == []
    assert [(each.kill.id, each.alarms) for each in found if each.alarms] == []
    assert len(found) == len(those)


def test_every_mutant_in_c__has_a_recorded_kill_by_a_law_that_counts() -> None:
    """`heaplaw mutants --record tests/mutants/kills NAME` records one."""
    assert [kill.mutant for kill in KEPT] == [
        case.name for case in sorted(CASES.values(), key=lambda case: (case.group, case.name))
    ]
    assert [kill.mutant for kill in KEPT if kill.law not in CASES[kill.mutant].laws] == []


def test_recorded_kills__are_short() -> None:
    lengths = sorted(len(kill.trace) for kill in KEPT)
    assert lengths[len(lengths) // 2] <= 4
    assert lengths[9 * len(lengths) // 10] <= 150
    assert lengths[-1] <= 2000
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 100_000


# ---- what is kept


def kill_of(name: str, trace: list[Op], law: str = "aligned") -> Row:
    found = Kill(law, "check", len(trace), trace=make_trace("malloc", trace))
    return Row(CASES[name], (found,), frozenset({law}))


SMALL = [Op(Kind.ALLOC, 33), Op(Kind.FREE, slot=0), Op(Kind.FREE, slot=NULL), Op(Kind.ZALLOC, 8, count=3)]
LOOP = [op for turn in range(30) for op in (Op(Kind.ALLOC, 5), Op(Kind.FREE, slot=2 * turn))]
LONG = [op for turn in range(100) for op in (Op(Kind.ALLOC, 16 * turn), Op(Kind.ALIGNED, 64, align=2 ** (turn % 9)))]


@pytest.mark.parametrize("trace", [SMALL, LOOP, LONG], ids=["small", "loop", "long"])
def test_record__keeps_traces_as_they_are(trace: list[Op], tmp_path: Path) -> None:
    assert record(tmp_path / "kept", [kill_of("size-33", trace)]) == 1
    (kept,) = load(tmp_path / "kept")
    assert (kept.mutant, kept.law, kept.trace.ops()) == ("size-33", "aligned", trace)
    assert (tmp_path / "kept" / "malloc.jsonl").stat().st_size < 3000


def test_record__takes_the_place_of_earlier_kills_of_the_same_mutants(tmp_path: Path) -> None:
    record(tmp_path, [kill_of("size-33", SMALL), kill_of("calloc-wrap", SMALL)])
    record(tmp_path, [kill_of("size-33", LOOP), replace(kill_of("header-wrap", SMALL), kills=())])
    assert {kill.mutant: len(kill.trace) for kill in load(tmp_path)} == {"calloc-wrap": 4, "size-33": 60}


def test_changed_line__is_noticed(tmp_path: Path) -> None:
    record(tmp_path, [kill_of("size-33", SMALL)])
    path = tmp_path / "malloc.jsonl"
    line = path.read_text()
    for wrong, said in (
        (line.replace('"size": 33', '"size": 34'), "changed since it was recorded"),
        (line.replace("FREE", "FLEE"), "not a recorded kill: an operation that does not exist"),
        (line[:-3], "not a recorded kill: not JSON, or cut off; delete it, and record it anew"),
        (line.replace('"operations"', '"packed"'), "not a recorded kill: its packed operations are damaged"),
        (line.replace('"law"', '"lew"'), "not a recorded kill: without 'law'"),
    ):
        path.write_text(wrong)
        with pytest.raises(UsageError, match=rf"malloc\.jsonl:1: {said}"):
            load(tmp_path)
    path.write_bytes(b"\xff")
    with pytest.raises(UsageError, match=r"malloc\.jsonl: not text in UTF-8"):
        load(tmp_path)
    with pytest.raises(UsageError, match="no such folder"):
        load(tmp_path / "nowhere")


@needs_mutants
def test_kill_that_shows_nothing__is_told() -> None:
    trace = make_trace("malloc", [Op(Kind.ALLOC, 32)])
    (found,) = again([Recorded("size-33", "blocks_disjoint", trace)])
    assert (found.broken, found.alarms, found.sound) == (False, (), False)
    with pytest.raises(UsageError, match="there is no mutant size-3"):
        list(again([Recorded("size-3", "blocks_disjoint", trace)]))


@needs_mutants
def test_alarm_on_the_correct_allocator__is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same allocator with the fault in place of the correct one."""
    case = replace(CASES["size-33"], base="size-33")
    monkeypatch.setattr(kills, "all_cases", lambda: [case])
    (found,) = again([kill for kill in KEPT if kill.mutant == "size-33"])
    assert found.broken
    assert found.kill.law in found.alarms
    assert not found.sound


# ---- the command


@needs_mutants
def test_command__records_and_replays(tmp_path: Path) -> None:
    made = CliRunner().invoke(cli, ["mutants", "pool-one-too-many", "ref-pool-last-kept", "--record", str(tmp_path)])
    assert made.exit_code == 0
    assert "ref-pool-last-kept" not in made.output  # its own short trace comes from an engine without a process
    assert f"1 kill kept in {tmp_path}" in made.output
    done = CliRunner().invoke(cli, ["mutants", "--replay", str(tmp_path)])
    assert done.exit_code == 0
    assert done.output.splitlines()[0] == "recorded kills     run  broke again  alarms on the correct one"
    assert done.output.splitlines()[1] == "pool                 1            1                          0"
    assert done.output.splitlines()[-1].startswith("SUMMARY: heaplaw: 1 of 1 recorded kills broke their law again")


def test_command__exits_1_where_a_kill_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    held = Again(KEPT[0], broken=False, alarms=("sized",))
    monkeypatch.setattr(kills, "again", lambda _kills: [held])
    done = CliRunner().invoke(cli, ["mutants", "--replay", str(FOLDER)])
    assert done.exit_code == 1
    assert f"HOLDS NOW {KEPT[0].id} {KEPT[0].mutant}" in done.output.splitlines()
    assert f"ALARM     {KEPT[0].id} {KEPT[0].mutant}: sized" in done.output.splitlines()
    told = json.loads(CliRunner().invoke(cli, ["mutants", "--replay", str(FOLDER), "--json"]).output)
    Draft202012Validator(schemas.load("kills")).validate(told)
    assert told["sound"] is False
    assert told["kills"][0]["alarms"] == ["sized"]


def test_command__refuses_what_makes_no_sense(tmp_path: Path) -> None:
    both = CliRunner().invoke(cli, ["mutants", "--replay", str(FOLDER), "--record", str(tmp_path)])
    assert "say one of them" in str(both.exception)
    none = CliRunner().invoke(cli, ["mutants", "ref-pool-last-kept", "--record", str(tmp_path)])
    assert "no mutant in C" in str(none.exception)
    for words in (["--replay", str(tmp_path)], ["pool", "ref-pool-last-kept", "--replay", str(FOLDER)]):
        absent = CliRunner().invoke(cli, ["mutants", *words])
        assert isinstance(absent.exception, UsageError)
        assert "it holds no kill" in str(absent.exception)
