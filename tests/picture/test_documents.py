"""Witnesses in files: what is written is read back, also by a later heaplaw; they are replayed from anywhere."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields, replace
from enum import IntEnum
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heaplaw.errors import UsageError
from heaplaw.minimise import Witness
from heaplaw.spec.event import NONE, NULL, Env, Status
from heaplaw.spec.history import Op, make_history, make_trace, plain_env
from heaplaw.spec.shapes import SHAPES, Kind
from heaplaw.spec.verdict import Violation
from heaplaw.store import checksum, document_of, load, save

A, POP = Kind.ALLOC, Op(Kind.POP)
SUBJECT = {"kind": "mapping", "path": "mine", "calls": {"instance": "pool", "library": "libmine.so"}}


@st.composite
def operations(draw: Any) -> list[Op]:
    """Any operations at all."""
    return [
        Op(
            draw(st.sampled_from(sorted(Kind))),
            draw(st.integers(0, 2**64 - 1)),
            draw(st.sampled_from([NONE, NULL, *range(place)])),
            draw(st.integers(0, 2**64 - 1)),
            draw(st.integers(0, 2**64 - 1)),
            draw(st.integers(0, 7)),
        )
        for place in range(draw(st.integers(1, 6)))
    ]


@st.composite
def environments(draw: Any) -> Env:
    """Any promises at all."""
    said: dict[str, Any] = {}
    for field in fields(Env):
        plain = getattr(Env(), field.name)
        if isinstance(plain, bool):
            said[field.name] = draw(st.booleans())
        elif isinstance(plain, IntEnum):
            said[field.name] = draw(st.sampled_from(list(type(plain))))
        else:
            said[field.name] = draw(st.integers(0, 2**64 - 1))
    return Env(**said)


def witness(ops: list[Op], env: Env, shape: str, statuses: list[Status]) -> Witness:
    """A witness whose last operation is at fault."""
    rows = [{"status": status} for status in statuses]
    history = make_history(make_trace(shape, ops, env), rows, env=env)
    return Witness("aligned", history.trace, Violation("aligned", (len(ops) - 1,), "so", "thus"), history, 9)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(ops=operations(), env=environments(), shape=st.sampled_from(sorted(SHAPES)), data=st.data())
def test_what_is_written_is_read_back(ops: list[Op], env: Env, shape: str, data: Any, tmp_path_factory: Any) -> None:
    statuses = [data.draw(st.sampled_from(list(Status))) for _ in ops]
    document = document_of(witness(ops, env, shape, statuses), SUBJECT, "mine", 3)
    folder = tmp_path_factory.getbasetemp() / "documents"
    stored = load(save(folder, document))
    assert (stored.trace.ops(), stored.trace.shape) == (ops, shape)
    assert stored.trace.env == env
    assert all(type(getattr(stored.trace.env, f.name)) is type(getattr(env, f.name)) for f in fields(Env))
    assert stored.subject == {"kind": "mapping", "path": "mine"}
    assert stored.calls == SUBJECT["calls"]
    assert stored.unserved == {at: status for at, status in enumerate(statuses) if status != Status.OK}
    assert all(("instance" in row) == (op.instance != 0) for row, op in zip(document["operations"], ops, strict=True))


def test_a_trace_that_repeats_itself_is_stored_once(tmp_path: Path) -> None:
    ops = [Op(A, 64), Op(Kind.MARK), Op(Kind.RELEASE, slot=1)]
    turns = [replace(op, slot=op.slot + 3 * turn if op.slot != NONE else NONE) for turn in range(10) for op in ops]
    known = witness(turns, Env(), "arena", [Status.OK] * 30)
    document = document_of(known, SUBJECT, "mine", 3)
    assert (len(document["operations"]), document["times"]) == (3, 10)
    assert load(save(tmp_path, document)).trace.ops() == turns
    other = [replace(op, instance=place // 15) for place, op in enumerate(turns)]
    document = document_of(witness(other, Env(), "arena", [Status.OK] * 30), SUBJECT, "mine", 3)
    assert document["times"] == 1
    assert load(save(tmp_path, document)).trace.ops() == other


OLD = {
    "heaplaw": 1,
    "law": "HL103",
    "name": "blocks_disjoint",
    "sentence": "blocks that are live at the same time share no byte",
    "subject": {
        "kind": "native",
        "path": "/opt/lib/libmine.so",
        "prefix": "mine_",
        "environment": {"MINE_FAULT": "a b"},
    },
    "identity": "libmine.so",
    "shape": "malloc",
    "env": {"max_align": 16, "align_by_size": 1, "base": 0, "capacity": 0, "block_size": 0, "num_blocks": 0},
    "profile": "mixed",
    "seed": 1,
    "operations": [
        {"op": "ALLOC", "slot": NONE, "size": 33, "align": 0, "count": 1},
        {"op": "RESIZE", "slot": 0, "size": 34, "align": 0, "count": 1},
        {"op": "POSIX_ALIGNED", "slot": NONE, "size": 8, "align": 32, "count": 1},
    ],
    "times": 1,
    "truncated": False,
    "broken_at": [1, 2],
    "observed": "1 byte shared, from 0x1020 to 0x1021",
    "required": "0 bytes shared",
    "ranges": [],
    "replayed": [3, 3],
    "shrunk_from": 12,
    "id": "HL103-0a2f9c11",
}
"""As the first heaplaw wrote it."""


def test_a_witness_of_the_first_heaplaw(tmp_path: Path) -> None:
    path = tmp_path / "old.json"
    path.write_text(json.dumps({**OLD, "checksum": checksum(OLD)}))
    stored = load(path)
    assert stored.trace.env == plain_env("malloc")
    assert {op.instance for op in stored.trace.ops()} == {0}
    assert (stored.unserved, stored.calls) == (None, {})
    from heaplaw.emit import c_program, pytest_regression

    text = c_program(stored)
    assert "mine_posix_memalign((uintptr_t)&out, 32u, 8u);" in text
    assert "MINE_FAULT='a b' ./witness" in text
    assert "cc -O0 witness.c -o witness /opt/lib/libmine.so -Wl,-rpath,/opt/lib\n" in text
    assert "HL103-0a2f9c11" in pytest_regression(stored)


@pytest.mark.parametrize(
    "change",
    [
        {"env": {**OLD["env"], "wishes": 3}},  # type: ignore[dict-item]
        {"env": {**OLD["env"], "zero_size": 9}},  # type: ignore[dict-item]
        {"operations": [{**OLD["operations"][0], "instance": 8}]},  # type: ignore[index]
        {"operations": [{**OLD["operations"][0], "instance": "first"}]},  # type: ignore[index]
        {"unserved": {"0": "LATE"}},
        {"unserved": {"first": "OK"}},
        {"unserved": 3},
    ],
)
def test_what_makes_no_sense_is_refused(change: dict[str, Any], tmp_path: Path) -> None:
    changed = {**OLD, **change}
    path = tmp_path / "odd.json"
    path.write_text(json.dumps({**changed, "checksum": checksum(changed)}))
    with pytest.raises(UsageError, match="not a stored trace"):
        load(path)


# ---- replays


def command(folder: Path, *arguments: str | Path) -> tuple[int, str, str]:
    """`heaplaw` with these arguments in that folder: exit code, output, errors."""
    run = subprocess.run(
        [sys.executable, "-m", "heaplaw.cli", *map(str, arguments)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "Traceback" not in run.stderr, run.stderr
    return run.returncode, run.stdout, run.stderr


HEAPS = """
source = "faulty.c"
shape = "malloc"
buffer = 1024
init = { call = "hp_begin(hook_malloc, hook_free)", returns = "errno" }
heap = "hp_open(&heap, buffer, capacity)"
alloc = "hp_take(heap, &out, size)"
free = { call = "hp_give(ptr)", returns = "errno" }
[promises]
alignment = 16
"""
METHODS = """
python = "mine"
shape = "stack"
buffer = 512
stack = "Stack(buffer, capacity)"
alloc = "get(size)"
pop = "pop()"
remaining = "left()"
"""
MODULE = """
class Stack:
    def __init__(self, buffer, capacity):
        self.base, self.capacity, self.tops = buffer, capacity, [0]

    def get(self, size):
        top = self.tops[-1] + (size + 7) // 8 * 8
        self.tops.append(top)
        return self.base + self.tops[-2]

    def pop(self):
        if len(self.tops) > 1:
            self.tops.pop()
            self.tops[-1] += 8

    def left(self):
        return self.capacity - self.tops[-1]
"""


@pytest.mark.parametrize("kind", ["source", "python", "mutant", "folder"])
def test_replays_from_another_folder(
    kind: str, found: Any, mapped: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.py").write_text(MODULE)
    heaps, stack = [Op(A, 48), Op(A, 16)], [Op(A, 24), POP]
    monkeypatch.chdir(tmp_path)
    if kind == "source":
        case, mapping = found(mapped(HEAPS), "blocks_disjoint", heaps), tmp_path / "mine.toml"
    elif kind == "python":
        case, mapping = found(mapped(METHODS), "lifo_pop", stack), tmp_path / "mine.toml"
    elif kind == "mutant":
        case, mapping = found("mutant:stack-pop-twice", "lifo_pop", [Op(A, 1), Op(A, 1), POP, POP]), None
    else:  # a name that is known in one folder alone
        (tmp_path / ".heaplaw").mkdir()
        mapping = mapped(HEAPS).rename(tmp_path / ".heaplaw" / "local.toml")
        (tmp_path / "faulty.c").rename(tmp_path / ".heaplaw" / "faulty.c")
        case = found("local", "blocks_disjoint", heaps)
    path = case.stored(tmp_path).path
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    code, out, err = command(elsewhere, "replay", path)
    assert (code, err) == (1, ""), (out, err)
    assert "replayed 3 of 3 times" in out
    assert all(line in out for line in case.lines if line.startswith("  >"))
    if mapping is not None:
        mapping.unlink()
        code, out, err = command(elsewhere, "replay", path)
        assert (code, out) == (2, "")
        assert err == (
            f"error: {mapping}: the mapping that the stored trace was found with is not there, and there is no "
            f"{mapping.name} in this folder\n"
        )


def test_a_mapping_that_changed_is_used_as_it_is_now(found: Any, mapped: Callable[..., Path], tmp_path: Path) -> None:
    stored = found(mapped(HEAPS), "blocks_disjoint", [Op(A, 48), Op(A, 16)]).stored(tmp_path)
    mapped(HEAPS.replace("heap", "pool"))
    code, out, _ = command(tmp_path, "replay", stored.path)
    assert (code, "hp_take(pool, &p1, 48)" in out) == (1, True)
    source = tmp_path / "faulty.c"
    source.write_text(source.read_text().replace("size == 48 ? 32 : room", "room"))
    code, out, _ = command(tmp_path, "replay", stored.path)
    assert (code, "blocks_disjoint holds now: 0 of 3 runs broke it" in out) == (0, True)
    mapped(HEAPS.replace('shape = "malloc"', 'shape = "circle"'))
    code, out, err = command(tmp_path, "replay", stored.path)
    assert (code, out) == (2, "")
    assert "`circle`" in err


@pytest.mark.parametrize("kind", ["source", "python", "mutant", "object", "cpython"])
def test_regressions_for_pytest(
    kind: str, found: Any, mapped: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They fail until the repair; CPython's allocators keep the law, so theirs passes."""
    (tmp_path / "mine.py").write_text(MODULE + "    alloc = get\n")
    monkeypatch.chdir(tmp_path)
    stack = [Op(A, 24), POP]
    if kind == "source":
        stored = found(mapped(HEAPS), "blocks_disjoint", [Op(A, 48), Op(A, 16)]).stored(tmp_path)
    elif kind == "python":
        stored = found(mapped(METHODS), "lifo_pop", stack).stored(tmp_path)
    elif kind == "object":
        case = found("mine:Stack", "lifo_pop", [Op(A, 24), POP, Op(A, 24)], shape="stack")
        stored = case.stored(tmp_path)
    elif kind == "mutant":
        stored = found("mutant:stack-pop-twice", "lifo_pop", [Op(A, 1), Op(A, 1), POP, POP]).stored(tmp_path)
    else:
        document = document_of(
            witness([Op(A, 24)], plain_env("malloc"), "malloc", [Status.OK]),
            {"kind": "cpython", "family": "pymem"},
            "CPython",
            1,
        )
        stored = load(save(tmp_path, document))
    code, text, _ = command(tmp_path, "replay", stored.path, "--emit", "pytest")
    assert code == 0
    stored.path.unlink()
    (tmp_path / "test_regression.py").write_text(text)
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_regression.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == (0 if kind == "cpython" else 1), run
    assert "VIOLATED" in run.stdout or kind == "cpython"
