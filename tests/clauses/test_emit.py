"""A witness of each law on single clauses is stored, read back and run again, and as a C program shows the fault by
itself; on the allocator without the fault it shows none.
"""

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from heaplaw.emit import c_program, pytest_regression
from heaplaw.emit.judged import sees
from heaplaw.minimise import minimise
from heaplaw.replay import run_stored
from heaplaw.spec.catalogue import CATALOGUE
from heaplaw.spec.dialects import Dialect
from heaplaw.spec.judge import judge
from heaplaw.spec.verdict import Violated
from heaplaw.store import document_of, load, save
from heaplaw.subjects import ProcessSubject

from .conftest import SOURCE, Make
from .test_kills import KILLS, Kill, histories

EACH = tuple({kill.law: kill for kill in reversed(KILLS) if kill.fault}.values())
ENDED = (1, -11)
"""The program saw the fault; or a wild access, which shows by itself."""


@pytest.fixture(scope="module")
def allocator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The allocator, compiled to be linked."""
    made = tmp_path_factory.mktemp("allocator") / "allocator.o"
    subprocess.run([os.environ.get("CC", "cc"), "-O1", "-c", str(SOURCE), "-o", str(made)], check=True)
    return made


def under(subject: ProcessSubject, dialects: int) -> ProcessSubject:
    """The subject where these dialects are in force."""
    return replace(subject, env=replace(subject.env, dialects=dialects))


@pytest.mark.parametrize("kill", EACH, ids=lambda kill: kill.law)
def test_a_witness_shows_its_fault_by_itself(kill: Kill, make: Make, tmp_path: Path, allocator: Path) -> None:
    law, dialects = CATALOGUE[kill.law], max((d for d in Dialect if d & kill.dialects), default=0)
    subject = under(make(kill.fault, kill.policy, kill.promises), int(dialects))
    found = ((history, judge(history, [law])[0].outcome) for history in histories(subject, kill.scene))
    history, outcome = next((each, said) for each, said in found if isinstance(said, Violated))
    witness = minimise(subject, law, history, outcome.violations[0])
    assert witness.complete
    assert len(witness.trace) <= 4
    assert witness.replayed == (3, 3)
    stored = load(save(tmp_path, document_of(witness, subject.spec, subject.identity, 1)))
    assert stored.trace.ops() == witness.trace.ops()
    assert int(stored.trace.env.dialects) == int(dialects)
    assert sees(stored)
    assert run_stored(stored, 1).broken == 1
    compile(pytest_regression(stored), "regression.py", "exec")
    program = tmp_path / "witness.c"
    program.write_text(c_program(stored))
    made = tmp_path / "witness"
    command = [os.environ.get("CC", "cc"), "-Wall", "-Werror", str(program), str(allocator), "-o", str(made)]
    subprocess.run(command, check=True)
    plain = {name: value for name, value in os.environ.items() if not name.startswith("CLAUSE_")}
    policy = {"CLAUSE_POLICY": kill.policy} if kill.policy else {}
    faulty = subprocess.run([made], env={**plain, **policy, "CLAUSE_FAULT": kill.fault}, capture_output=True, text=True)
    assert faulty.returncode in (*ENDED, -6), faulty.stdout
    assert faulty.returncode != 1 or "FAULT" in faulty.stdout
    correct = subprocess.run([made], env=plain, capture_output=True, text=True)
    assert correct.returncode == 0, correct.stdout
    subject.close()


@pytest.mark.parametrize(("fault", "least"), [("interior-passes", 17), ("unaligned-passes", 2)])
def test_a_pointer_into_a_block_stays_one(fault: str, least: int, make: Make) -> None:
    law, subject = CATALOGUE["misuse_as_declared"], make(fault, promises={"misuse": "abort"})
    found = ((history, judge(history, [law])[0].outcome) for history in histories(subject, "misuse"))
    history, outcome = next((each, said) for each, said in found if isinstance(said, Violated))
    witness = minimise(subject, law, history, outcome.violations[0])
    assert [op.size for op in witness.trace.ops()][:1] == [least]
    assert len(witness.trace) == 2
    assert [found.low for found in witness.ranges] == [least]
