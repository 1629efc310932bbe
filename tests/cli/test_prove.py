"""`heaplaw prove` as a user types it: what is proved, listed, explained and refuted; and what is refused."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from heaplaw.proofs.prove import Claim, Obligation
from heaplaw.proofs.symbolic import Reading
from heaplaw.proving import face, parts
from heaplaw.proving.campaign import Line, decided, planned, tasks
from heaplaw.proving.face import Proving
from heaplaw.proving.parts import PARTS, REFERENCE, Target, names

from .conftest import COMMAND

ROW = re.compile(
    r"  (proved|REFUTED|unknown|error|confirmed) +(\S+) +(HL\d+)? +(unbounded|wrapping) +\d+\.\d\d s  (.+)"
)


def rows(text: str) -> list[tuple[str, ...]]:
    """Outcome, name, law, reading and scope of each line."""
    found = [ROW.fullmatch(line) for line in text.splitlines()]
    return [match.groups("") for match in found if match]


def test_a_line_for_each_obligation_in_both_readings(run: Any) -> None:
    ran = run("prove", "pool.alloc")
    told = rows(ran.out)
    assert ran.code == 0, ran
    assert ("proved", "pool.alloc.aligned", "HL101", "wrapping") in {each[:4] for each in told}
    assert {each[0] for each in told} == {"proved"}
    assert {each[1] for each in told} == {name for name in names(REFERENCE, "pool") if name.startswith("pool.alloc.")}
    assert all(sum(other[1] == each[1] for other in told) == 2 for each in told)
    assert ran.out.splitlines()[-1].startswith(f"SUMMARY: heaplaw prove: {len(told)} obligations: {len(told)} proved; ")


def test_list_decides_nothing_and_names_all(run: Any) -> None:
    ran = run("prove", "--list", "pool", "judge")
    assert ran.code == 0
    for name in (*names(REFERENCE, "pool"), *names(REFERENCE, "judge")):
        assert f"  {name} " in ran.out
    assert "proved" not in ran.out.replace("be proved", "")


def test_explain_tells_statement_hypotheses_and_trust(run: Any) -> None:
    ran = run("prove", "--explain", "pool.alloc.blocks_disjoint")
    words = " ".join(ran.out.split())
    assert ran.code == 0
    for word in (
        "share no byte",
        "HL103",
        "unbounded proved in",
        "wrapping proved in",
        "used (unbounded and wrapping)",
        "not used by this proof",
        "trusts induction",
        "z3",
    ):
        assert word in words, (word, ran.out)


def test_a_seeded_fault_is_refuted_and_reached(run: Any) -> None:
    ran = run("prove", "mutant:ref-pool-last-kept")
    words = " ".join(ran.out.split())
    assert ran.code == 1
    assert {
        ("REFUTED", "pool.alloc.pool_serves_while_free", "HL404", reading) for reading in ("unbounded", "wrapping")
    } <= {each[:4] for each in rows(ran.out)}
    for word in (
        "the same step and the same claim, run on these integers that wrap at 64 bits, show it again",
        "a counterexample to induction",
        "reached HL404 pool_serves_while_free is broken by 3 operations from a fresh one",
        "p3 = alloc() -> 0",
    ):
        assert word in words, (word, ran.out)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("pol",), ["pol: no such part", "did you mean pool?"]),
        (("pool.allok.aligned",), ["no such obligation", "pool.alloc.aligned"]),
        (("mutant:ref-pool-last",), ["no such mutant", "ref-pool-last-kept"]),
        (("mutant:size-33",), ["no such mutant of the reference"]),
        (("ref-registry-unlimited",), ["no such mutant of the reference"]),
        (("my_bump:MyBump",), ["say which shape", "--shape bump"]),
        (("no_such_module:Thing", "--shape", "bump"), ["cannot import no_such_module"]),
        (("pool", "--shape", "bump"), ["--shape bump", "your own steps"]),
        (("--explain", "pool"), ["obligations", "--list pool"]),
        (("--list", "--explain", "pool.alloc.aligned"), ["--list and --explain"]),
        (("no_such_module", "--shape", "bump"), ["cannot import no_such_module"]),
        (("",), ["no such part"]),
    ],
)
def test_what_cannot_be_proved_is_refused_in_one_line(run: Any, arguments: tuple[str, ...], words: list[str]) -> None:
    run("prove", *arguments).refused(*words)


def test_ctrl_c_keeps_what_was_decided(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, "prove", "pool", "judge", "-j", "2"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    while not process.stdout.readline().startswith("  proved"):
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, (out, err)
    assert "SUMMARY: heaplaw prove: INCOMPLETE: " in out
    assert err.strip() == "interrupted; what is told above is decided, the rest is not"


# -------------------------------------------------------------------------------------------- one's own steps

EXAMPLE = Path(__file__).parents[2] / "examples" / "proving" / "my_bump.py"


def own(folder: Path, old: str = "", new: str = "") -> str:
    """The tutorial's bump in `folder`, changed; its name."""
    source = EXAMPLE.read_text()
    assert source.count(old) == 1 or not old
    (folder / "my_bump.py").write_text(source.replace(old, new) if old else source)
    return "my_bump:MyBump"


def test_own_steps_are_a_class_or_a_module_whole_or_in_part(run: Any, tmp_path: Path) -> None:
    whole = run("prove", own(tmp_path), "--shape", "bump")
    assert whole.code == 0, whole
    assert {each[0] for each in rows(whole.out)} == {"proved"}
    part = run("prove", "my_bump:MyBump", "bump.alloc.aligned", "--shape", "bump")
    assert [each[1] for each in rows(part.out)] == ["bump.alloc.aligned"] * 2
    (tmp_path / "plain.py").write_text(
        "from my_bump import MyBump\ninit, step = MyBump.init, MyBump.step\n"
        "invariant, owns = MyBump.invariant, MyBump.owns\n"
    )
    assert run("prove", "plain", "--shape", "bump").code == 0
    run("prove", "my_bump:MyBump", "bump.alloc.alined", "--shape", "bump").refused("did you mean bump.alloc.aligned?")
    told = run("prove", "my_bump:MyBump", "--explain", "bump.alloc.aligned", "--shape", "bump")
    assert told.code == 0
    assert "trusts" in told.out


STEP = "        if op.kind == Kind.ALLOC:\n"


@pytest.mark.parametrize("statement", ["import os; os._exit(0)", "raise SystemExit(0)", "while True: pass"])
def test_own_steps_that_end_the_process_or_never_end_are_refused(run: Any, tmp_path: Path, statement: str) -> None:
    target = own(tmp_path, STEP, f"        {statement}\n{STEP}")
    run("prove", target, "--shape", "bump", env={"HEAPLAW_TRYING": "5"}).refused("my_bump:MyBump: ")


@pytest.mark.parametrize("statement", ["raise SystemExit(0)", "raise KeyError('no size')"])
def test_own_steps_that_fail_for_some_requests_are_never_proved(run: Any, tmp_path: Path, statement: str) -> None:
    body = f"        if op.kind == Kind.ALLOC and op.size == 12345:\n            {statement}\n{STEP}"
    ran = run("prove", own(tmp_path, STEP, body), "--shape", "bump")
    assert ran.code == 4, ran.out
    failing = [line for line in ran.out.splitlines() if " bump.alloc." in line]
    assert failing
    assert all(line.startswith("  error ") for line in failing)
    if "KeyError" in statement:
        assert "KeyError: 'no size' (my_bump.py:" in ran.out


def test_a_process_that_ends_is_an_error_of_all_that_it_was_to_decide(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own(tmp_path)
    (tmp_path / "leaves.py").write_text(
        "import multiprocessing, os\nfrom my_bump import MyBump\n"
        "if multiprocessing.parent_process() is not None:\n    os._exit(0)\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [str(tmp_path), *sys.path])
    target = Target("own", "leaves:MyBump", "bump")
    work = tasks(target, {"bump": None})
    lines = [line for group in decided(work, 2) for line in group]
    assert len(lines) == planned(work) > 0
    assert {(line.outcome, line.why) for line in lines} == {
        ("error", "the process that ran the steps ended: do they exit?")
    }


# --------------------------------------------------------------------------- outcomes, without a step to prove


def _claim(build: Any, reading: Reading = Reading.UNBOUNDED) -> Obligation[Claim]:
    return Obligation("judge", "a", "test", "a statement", "a scope", reading, build, lambda claim: claim)


def _proving(patch: pytest.MonkeyPatch, *builds: Any) -> tuple[Proving, str]:
    made = tuple(_claim(build) for build in builds)
    patch.setattr(parts, "obligations", lambda target, part: made)
    patch.setattr("heaplaw.proving.campaign.obligations", lambda target, part: made)
    asked = Proving(["judge"], None, 1)
    return asked, "\n".join(asked.lines(lambda text: None))


def _well(source: Any) -> Claim:
    x = source.number("x")
    source.assume(x > 0, "x is positive")
    return Claim(True, x >= 1)


def _idle(source: Any) -> Claim:
    source.assume(source.number("y") > 5, "y is large")
    return _well(source)


def _vacuous(source: Any) -> Claim:
    source.assume(source.number("x") < 0, "x is negative")
    return _well(source)


def _failing(source: Any) -> Claim:
    raise ValueError("no such operation")


def _false(source: Any) -> Claim:
    return Claim(True, source.number("x") == 0)


@pytest.mark.parametrize(
    ("builds", "code", "words"),
    [
        ([_well], 0, "1 obligation: 1 proved"),
        ([_well, _vacuous], 3, "vacuous"),
        ([_well, _failing], 4, "ValueError: no such operation"),
        ([_idle], 4, "no proof uses the hypothesis: y is large"),
        ([_well, _false, _failing], 1, "1 proved, 1 refuted, 1 error"),
    ],
)
def test_only_what_is_proved_passes(monkeypatch: pytest.MonkeyPatch, builds: list[Any], code: int, words: str) -> None:
    asked, text = _proving(monkeypatch, *builds)
    assert asked.exit_code == code, text
    assert words in text


def test_nothing_decided_is_no_pass() -> None:
    asked = Proving(["judge"], None, 1)
    assert asked.exit_code == 3
    asked.results.append(Line("judge", "a", "b", "c", "d", "unbounded", "proved", 0.0))
    assert asked.exit_code == face.PROVED == 0


def test_parts_are_all_there() -> None:
    for part in PARTS:
        assert names(REFERENCE, part), part
