"""C programs of witnesses build without a warning, as C and as C++, see the fault, and see none where there is none."""

import json
import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from heaplaw import native
from heaplaw.check import check
from heaplaw.emit import c_program
from heaplaw.emit.deployed import Deployed
from heaplaw.emit.judged import EXCESSIVE, OWED, SEEN, sees
from heaplaw.errors import UsageError
from heaplaw.mappings import FOLDER
from heaplaw.minimise import LIMITS, Witness
from heaplaw.models import generate
from heaplaw.mutants import MUTANTS
from heaplaw.mutants.shapes import SHAPE_MUTANTS
from heaplaw.plan import Plan, call, standard_plan
from heaplaw.spec.catalogue import CATALOGUE
from heaplaw.spec.history import Op
from heaplaw.spec.shapes import Kind
from heaplaw.spec.verdict import Violation
from heaplaw.store import Stored, checksum, document_of, load, save
from heaplaw.subjects import resolve
from heaplaw.wording import Wording

from .mappings import HEAPS

A, RESET, RENEW = Kind.ALLOC, Op(Kind.RESET), Op(Kind.RENEW)
ALL_MUTANTS = [*MUTANTS, *(mutant for group in SHAPE_MUTANTS.values() for mutant in group)]
HEALTHY = {mutant.name: mutant.base for mutant in ALL_MUTANTS}
WARNINGS = ("-Wall", "-Wextra", "-Werror")
CLASHES = """
source = "faulty.c"
shape = "bump"
buffer = { size = 4096, align = 64 }
storage = 64
bump = { call = "look(bump, buffer, capacity)", returns = "status" }
alloc = "begin(bump, size)"
aligned = "took(bump, size, align)"
reset = "freed(bump)"
remaining = { call = "held(bump)", returns = "int" }
invariant = { call = "fault(bump)", returns = "bool" }
"""


def commands(program: str) -> list[str]:
    """The lines of the comment that say how to build and run."""
    comment = program.partition("*/")[0]
    return [line.removeprefix(" *   ") for line in comment.splitlines() if line.startswith(" *   ")]


def built(stored: Stored, folder: Path) -> Path:
    """The program, made as its comment says; it is C++ too."""
    (folder / "witness.c").write_text(c_program(stored))
    build, _ = commands((folder / "witness.c").read_text())
    for line in (build, build.replace("cc ", "c++ ", 1) if build.startswith("cc ") else build):
        done = subprocess.run([*line.split(), *WARNINGS], cwd=folder, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
    return folder / "witness"


def ran(program: Path, **environment: str) -> tuple[int, str]:
    """Exit code and output."""
    done = subprocess.run([program], env={**os.environ, **environment}, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout


def test_faults_of_every_shape(known: Any, found: Any, tmp_path: Path) -> None:
    stored = found(f"mutant:{known.mutant}", known.law, known.ops).stored(tmp_path)
    program = built(stored, tmp_path)
    assert commands(c_program(stored))[1].startswith(f"HEAPLAW_MUTANT={known.mutant} ")
    code, out = ran(program, HEAPLAW_MUTANT=known.mutant)
    assert (code == 3) == (not sees(stored) and "FAULT" not in out), out
    assert code != 0
    assert f"step {max(stored.operations) + 1}: " in out
    assert ("this law compares several" in " ".join(c_program(stored).split(" * "))) == (not sees(stored))
    code, out = ran(program, HEAPLAW_MUTANT=HEALTHY[known.mutant])
    assert code == (0 if sees(stored) else 3), out
    assert ("no fault seen" in out.splitlines()[-1:]) == sees(stored), out


@pytest.mark.parametrize("source", ["faulty.c", "faulty.cc"])
def test_instances_of_a_source(source: str, found: Any, mapped: Callable[..., Path], tmp_path: Path) -> None:
    ops = [RENEW, Op(A, 48, instance=1), Op(A, 5000), Op(A, 20, instance=1), Op(Kind.FREE, slot=1), RENEW]
    mapping = mapped(HEAPS.replace("faulty.c", source), source=source)
    stored = found(mapping, "blocks_disjoint", ops).stored(tmp_path)
    program = built(stored, tmp_path)
    assert commands(c_program(stored))[0].startswith("cc -O2" if source == "faulty.c" else "c++ -O2")
    code, out = ran(program)
    assert code == 1, out
    assert re.findall(r"FAULT: .*", out) == [
        "FAULT: shares bytes with the block of step 2",
        "FAULT: the block of step 2: byte 32 is not what was written",
    ]
    assert "step 4: hp_take(heap2, &p3, 20)\n" in out
    assert "refused: value -7" in out
    text = (tmp_path / source).read_text()
    (tmp_path / source).write_text(text.replace("size == 48 ? 32 : room", "room"))
    assert ran(built(stored, tmp_path))[0] == 0
    (tmp_path / source).write_text(text.replace("return probe ? 0 : 12", "return 12"))
    assert ran(built(stored, tmp_path)) == (2, "it could not be begun\n")


def test_names_that_the_program_has_itself(found: Any, mapped: Callable[..., Path], tmp_path: Path) -> None:
    ops = [Op(A, 24), Op(Kind.ALIGNED, 8, align=128), RESET]
    stored = found(mapped(CLASHES), "invariant_holds", ops).stored(tmp_path)
    assert 'uintptr_t took_(uintptr_t, uintptr_t, uintptr_t) __asm__("took");' in c_program(stored)
    code, out = ran(built(stored, tmp_path))
    assert (code, re.findall(r"FAULT: .*", out)) == (1, ["FAULT: its own check finds a fault"])
    assert re.findall(r"remaining (\d+)", out)[0] == "4096"
    assert re.findall(r"remaining (\d+)", out)[-1] == "4080"


def test_a_pop_that_names_its_block(found: Any, mapped: Callable[..., Path], tmp_path: Path) -> None:
    """It is not called where there is none."""
    text = CLASHES.replace('shape = "bump"', 'shape = "stack"\npop = "newest(bump, ptr)"')
    ops = [Op(Kind.POP), Op(A, 24), Op(A, 8), Op(Kind.POP), RESET]
    stored = found(mapped(text), "invariant_holds", ops).stored(tmp_path)
    code, out = ran(built(stored, tmp_path))
    assert (code, re.findall(r"FAULT: .*", out)) == (1, ["FAULT: its own check finds a fault"])
    assert re.findall(r"remaining (\d+)", out) == ["4096", "4072", "4064", "4072", "4080"]


def test_what_a_program_cannot_judge_is_printed(found: Any, tmp_path: Path) -> None:
    ops = [Op(A, 1), Op(A, 1), Op(Kind.POP), Op(Kind.POP)]
    stored = found("mutant:stack-pop-twice", "lifo_pop", ops).stored(tmp_path)
    code, out = ran(built(stored, tmp_path), HEAPLAW_MUTANT="stack-pop-twice")
    assert code == 3  # neither a pass nor a fault
    *_, counted, law, compare = out.splitlines()
    assert counted == "  remaining 65519  total_allocated 17"
    assert law == "not judged: HL503 lifo_pop compares several steps; no single step shows a fault"
    assert compare == "compare what is printed above with `observed` and `required` at the top of the source"
    assert "It ends with 3 where no single step shows a fault" in " ".join(
        c_program(stored).replace(" * ", " ").split()
    )
    assert "remaining = 65519, total_allocated = 17 bytes" in c_program(stored)


def test_programs_are_for_libraries(
    found: Any, mapped: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.py").write_text(
        "class Bump:\n    def __init__(self, buffer, capacity): self.at = buffer\n"
        "    def alloc(self, size): return self.at\n    def reset(self): pass\n"
    )
    monkeypatch.chdir(tmp_path)
    text = 'python = "mine"\nshape = "bump"\nbuffer = 64\nbump = "Bump(buffer, capacity)"\nalloc = "alloc(size)"\n'
    twice = [Op(A, 8), Op(A, 8)]
    for case in (found(mapped(text), "blocks_disjoint", twice), found("mine:Bump", "blocks_disjoint", twice, "bump")):
        with pytest.raises(UsageError, match="no C library; use --emit pytest"):
            c_program(case.stored(tmp_path))


def test_witnesses_that_do_not_say_enough(found: Any, tmp_path: Path) -> None:
    stored = found("mutant:lua-copy-words", "realloc_keeps_prefix", [Op(A, 1), Op(Kind.RESIZE, 17, 0)]).stored(tmp_path)

    def changed(**changes: Any) -> Stored:
        document = {**json.loads(stored.path.read_text()), **changes}
        stored.path.write_text(json.dumps({**document, "checksum": checksum(document)}))
        return load(stored.path)

    with pytest.raises(UsageError, match="check the subject again"):
        c_program(changed(calls=None))
    with pytest.raises(UsageError, match="the calls are described wrongly: KeyError 'plan'"):
        c_program(changed(calls={"library": None}))
    with pytest.raises(UsageError, match="2,001 steps are too many"):
        c_program(changed(calls=dict(stored.calls), operations=[dict(stored.document["operations"][0])] * 2001))


def test_how_a_library_comes_in() -> None:
    plain = standard_plan({"malloc": "malloc", "free": "free"})
    other = Plan(plain.operations, {"usable_size": call("their_size", "size", "ptr")})

    def made(plan: Plan, library: str | None, preload: bool) -> list[str]:
        return Deployed(plan, Wording(), library, preload, None, {}).commands()

    assert made(plain, None, False) == ["cc -O0 -fno-builtin witness.c -o witness", "./witness"]
    assert made(plain, "/a b/x.so", True) == [
        "cc -O0 -fno-builtin witness.c -o witness",
        "LD_PRELOAD='/a b/x.so' ./witness",
    ]
    assert made(other, "/a b/x.so", True) == [  # a function that the C library has not
        "cc -O0 -fno-builtin witness.c -o witness '/a b/x.so' -Wl,-rpath,'/a b'",
        "LD_PRELOAD='/a b/x.so' ./witness",
    ]


def test_laws_that_programs_know() -> None:
    assert SEEN | OWED | EXCESSIVE <= set(CATALOGUE)
    assert SEEN.isdisjoint(OWED | EXCESSIVE)


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPE_MUTANTS)
def test_every_witness_of_every_fault(shape: str, tmp_path: Path) -> None:
    """Whatever a check finds: the program sees it where it says so, and a healthy allocator passes."""
    if native.find(native.SHAPES) is None:
        pytest.skip("the allocators with faults are not built here (no C compiler)")
    for mutant in SHAPE_MUTANTS[shape]:
        (subject,) = resolve(f"mutant:{mutant.name}")
        try:
            report = check(subject, 1, 10_000, seconds=1.0)
        finally:
            subject.close()
        for witness in report.witnesses:
            if len(witness.trace) > 2000:
                continue
            stored = load(save(tmp_path, document_of(witness, subject.spec, subject.identity, 1)))
            program = built(stored, tmp_path)
            try:
                code, out = ran(program, HEAPLAW_MUTANT=mutant.name)
            except subprocess.TimeoutExpired:
                code, out = -1, ""  # a hang shows by itself
            assert code != 0, (mutant.name, witness.law, out)
            code, out = ran(program, HEAPLAW_MUTANT=mutant.base)
            assert code == (0 if sees(stored) else 3), (mutant.name, witness.law, out)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.toml")))
def test_programs_for_what_is_installed(name: str, tmp_path: Path) -> None:
    """They build as the comment says, and see no fault in what keeps the laws."""
    try:
        (subject,) = resolve(name)
    except UsageError as error:
        pytest.skip(str(error))
    try:
        subject.host(512)
        kinds, env, shape = subject.kinds, replace(subject.env, max_request=2**20), subject.shape.name
        trace = next(generate.campaigns(shape, kinds, env, 400, 5, small=True, instances=subject.instances))
        history = subject.run(generate.cut(trace, 300), LIMITS)
    finally:
        subject.close()
    nothing = Violation("reuse_order", (len(history) - 1,), "nothing", "nothing")  # a law that programs do not judge
    known = Witness("reuse_order", history.trace, nothing, history, len(history))
    stored = load(save(tmp_path, document_of(known, subject.spec, subject.identity, 1)))
    (tmp_path / "witness.c").write_text(c_program(stored))
    whole = " && ".join(commands(c_program(stored)))
    done = subprocess.run(whole, shell=True, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 3, done
    assert done.stdout.splitlines()[-2].startswith("not judged: HL407 reuse_order"), done
