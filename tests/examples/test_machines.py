"""examples/machines and docs/machines.md: what is correct passes, what is faulty fails as it says, programs run.

HEAPLAW_UPDATE=1 writes what the document shows anew.
"""

import os
import pickle
import re
import shutil
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from heaplaw.machines import AllocatorMachine, BumpMachine, LawViolated
from heaplaw.replay import run_again
from heaplaw.store import load

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "machines"
DOCUMENT = ROOT / "docs" / "machines.md"
BLOCK = re.compile(r"(<!-- (run|failure|program)(?:: (\w+))? -->\n```\w+\n)(.*?)```", re.DOTALL)
MODULES = ("trim_pool", "tail_bump", "test_own", "test_faulty")
FAULTY = {
    "ForgetfulTrimPoolMachine": "blocks_disjoint",
    "HastyTailBumpMachine": "remaining_is_rest",
    "WatchedForgetfulTrimPoolMachine": "",
}
"""The law that is broken; none where the user's own invariant is."""


def normalised(text: str) -> str:
    """Without addresses, which differ from run to run."""
    return re.sub(r"0x[0-9a-f]{6,}", "0x…", text)


@pytest.fixture(scope="module")
def examples() -> Iterator[dict[str, Any]]:
    """All that the examples define, by name."""
    path, names = [*sys.path], dict[str, Any]()
    sys.path.insert(0, str(EXAMPLES))
    for module in map(import_module, MODULES):
        names |= {name: value for name, value in vars(module).items() if not name.startswith("_")}
    yield names
    sys.path[:] = path
    for name in MODULES:
        del sys.modules[name]


def run(machine: type[RuleBasedStateMachine], examples: int = 100, steps: int = 20) -> None:
    """Run it as users do, in few examples."""
    own = machine.TestCase.settings
    # The backend: what else was imported into this process would change what Hypothesis draws.
    found = settings(
        own, backend="heaplaw", derandomize=True, database=None, max_examples=examples, stateful_step_count=steps
    )
    run_state_machine_as_test(machine, settings=found)


@pytest.fixture(scope="module")
def failures(examples: dict[str, Any]) -> dict[str, AssertionError]:
    """What comes of the faulty ones."""
    found: dict[str, AssertionError] = {}
    for name in FAULTY:
        with pytest.raises(AssertionError) as caught:
            run(examples[name], steps=12 if issubclass(examples[name], BumpMachine) else 20)
        found[name] = caught.value
    return found


@pytest.mark.parametrize("name", ["TrimPoolMachine", "WatchedTrimPoolMachine", "TailBumpMachine"])
def test_correct_ones_pass(name: str, examples: dict[str, Any]) -> None:
    run(examples[name], 8)


@pytest.mark.parametrize("name", FAULTY)
def test_faulty_ones_fail_with_a_short_program(name: str, failures: dict[str, AssertionError]) -> None:
    failure = failures[name]
    if FAULTY[name]:
        assert isinstance(failure, LawViolated)
        assert failure.violations[0].law == FAULTY[name]
        text = str(failure)
        assert len(failure.program().splitlines()) <= 9
    else:
        assert type(failure) is AssertionError
        text = failure.__notes__[0]
    assert max(map(len, text.splitlines())) <= 80
    assert len(text.splitlines()) <= 24


@pytest.mark.parametrize("name", [name for name, law in FAULTY.items() if law])
def test_programs_that_are_printed_fail_in_the_same_way(
    name: str, failures: dict[str, AssertionError], examples: dict[str, Any]
) -> None:
    failure = failures[name]
    assert isinstance(failure, LawViolated)
    names = dict(examples)
    exec(failure.program(), names)
    test = next(value for key, value in names.items() if key.startswith("test_hl"))
    with pytest.raises(LawViolated) as caught:
        test()
    assert normalised(str(caught.value)) == normalised(str(failure))
    assert caught.value.program() == failure.program()
    again = pickle.loads(pickle.dumps(failure))
    assert (str(again), again.trace.ops()) == (str(failure), failure.trace.ops())


# ---- the document


def shown(kind: str, name: str, failures: dict[str, AssertionError]) -> str:
    """What the document shows of a failure."""
    failure = failures[name]
    if kind == "program":
        assert isinstance(failure, LawViolated)
        return failure.program()
    text = str(failure) if isinstance(failure, LawViolated) else failure.__notes__[0]
    return normalised(text) + "\n"


def test_document__shows_what_is_said(failures: dict[str, AssertionError]) -> None:
    text = DOCUMENT.read_text()

    shown_of: list[str] = []

    def block(found: re.Match[str]) -> str:
        head, kind, name, body = found.groups()
        shown_of.extend([name] if kind != "run" else [])
        return f"{head}{body if kind == 'run' else shown(kind, name, failures)}```"

    written = BLOCK.sub(block, text)
    if os.environ.get("HEAPLAW_UPDATE"):
        DOCUMENT.write_text(written)
    assert written == DOCUMENT.read_text()
    assert sorted(set(shown_of)) == sorted(FAULTY)


def test_document__all_that_it_imports_lies_in_the_examples() -> None:
    modules = set(re.findall(r"^from (\w+) import", DOCUMENT.read_text(), re.MULTILINE)) - {"hypothesis"}
    assert "trim_pool" in modules
    assert {f"{name}.py" for name in modules} <= {path.name for path in EXAMPLES.iterdir()}


def test_document__its_programs_run(examples: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(EXAMPLES / "trim_pool.py", tmp_path)
    names: dict[str, Any] = {}
    programs = [body for _, kind, _, body in BLOCK.findall(DOCUMENT.read_text()) if kind == "run"]
    for program in programs:
        exec(program, names)
    machines = {
        name: value
        for name, value in names.items()
        if isinstance(value, type) and issubclass(value, AllocatorMachine) and "make" in dir(value)
    }
    own = {"TrimPoolMachine", "LookingMachine", "TailBumpMachine", "WatchedTrimPoolMachine"}
    assert own <= set(machines)
    for name in sorted(own):
        run(machines[name], 5)
    stored = load(names["path"])
    lines, broken = run_again(stored, 1)
    assert broken == 1
    assert any("HL105 in_bounds VIOLATED" in str(line) for line in lines)
