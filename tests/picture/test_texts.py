"""Witness texts of faulty allocators of every shape are as stored in golden/. HEAPLAW_UPDATE=1 writes them anew."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from heaplaw.spec.history import Op
from heaplaw.spec.shapes import SHAPES, Kind

from .mappings import HEAPS

GOLDEN = Path(__file__).parent / "golden"
A = Kind.ALLOC
RENEW = Op(Kind.RENEW)


def asked(*sizes: int) -> list[Op]:
    """Plain requests."""
    return [Op(A, size) for size in sizes]


METHODS = """
python = "mine"
shape = "stack"
buffer = 512
stack = "Stack(buffer, capacity)"
destroy = "drop()"
alloc = "get(size)"
aligned = "get(size, align)"
pop = "pop(ptr, osize)"
reset = "reset()"
remaining = "left()"
[promises]
alignment = 8
"""
MODULE = """
class Stack:
    def __init__(self, buffer, capacity):
        self.base, self.capacity, self.tops = buffer, capacity, [0]

    def get(self, size, align=8):
        start = -(-(self.base + self.tops[-1]) // align) * align - self.base
        if start + size > self.capacity:
            return None
        self.tops.append(start + size)
        return self.base + start

    aligned = alloc = get

    def pop(self, ptr=0, osize=0):
        if len(self.tops) > 1:
            self.tops.pop()
            self.tops[-1] += 8

    def reset(self):
        self.tops = [0]

    def left(self):
        return self.capacity - self.tops[-1]

    def drop(self):
        pass
"""


def compared(name: str, lines: list[str]) -> None:
    """The text is the stored one, but for addresses; it fits, and speaks of nothing that was not named."""
    assert max(map(len, lines)) <= 80, lines
    assert sum(line.startswith("  >") for line in lines) == (0 if "times:" in lines[0] else 1)
    made: set[str] = set()
    for line in lines:
        if step := re.match(r"  [ >] +\d+  (.*)", line):
            given, call = re.match(r"(?:([pm]\d+) = )?(.*)", step[1].partition("  -> ")[0]).groups()  # type: ignore[union-attr]
            out = re.search(r"&([pm]\d+)", call)
            assert set(re.findall(r"(?<!&)\b[pm]\d+\b", call)) <= made, line
            made |= {name for name in (given, out and out[1]) if name}
    text = re.sub(r"0x[0-9a-f]{6,}", "0x…", "\n".join(lines)) + "\n"
    golden = GOLDEN / f"{name}.txt"
    if os.environ.get("HEAPLAW_UPDATE"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text)
    assert text == golden.read_text()


def test_a_fault_of_each_shape(known: Any, found: Any) -> None:
    case = found(f"mutant:{known.mutant}", known.law, known.ops)
    assert case.subject.shape.name == known.name.partition("-")[0]
    compared(known.name, case.lines)


def test_every_shape_is_told() -> None:
    golden = {path.stem.partition("-")[0] for path in GOLDEN.iterdir()}
    assert golden >= set(SHAPES)


def test_several_instances(found: Any, mapped: Callable[..., Path]) -> None:
    ops = [
        Op(A, 48, instance=1),
        *asked(48),
        Op(A, 20, instance=1),
        Op(A, 5000),
        Op(Kind.FREE, slot=1),
        Op(RENEW.kind, instance=1),
        Op(A, 48, instance=1),
        Op(A, 16, instance=1),
    ]
    compared("instances", found(mapped(HEAPS), "blocks_disjoint", ops[:5]).lines)
    lines = found(mapped(HEAPS), "blocks_disjoint", ops[5:]).lines
    assert lines[0].split("  -> ")[0].split() == ["1", "hp_close(heap),", "made", "again"]  # one instance: no number
    compared("instances-renewed", lines)


def test_methods(found: Any, mapped: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(MODULE)
    ops = [*asked(40), Op(Kind.ALIGNED, 10, align=64), *[Op(Kind.POP)] * 3]
    compared("methods", found(mapped(METHODS), "lifo_pop", ops).lines)


def test_an_object(found: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    pop, reset = Op(Kind.POP), Op(Kind.RESET)
    ops = [*asked(40), Op(Kind.ALIGNED, 10, align=64), *asked(2**20), pop, reset, *asked(40), pop, *asked(40), RENEW]
    compared("object", found("mine:Stack", "lifo_pop", ops, shape="stack").lines)


def test_ten_steps_fit_on_a_screen(found: Any) -> None:
    """With the blank line between them, steps and picture have 24 lines at most."""
    ops = [*asked(*[64] * 8, 33, 17)]
    assert len(found("mutant:size-33", "blocks_disjoint", ops).lines) <= 24
    ops = [Op(Kind.MARK), *asked(8, 8, 8, 8, 8, 8), Op(Kind.MARK), *asked(8), Op(Kind.RELEASE, slot=0)]
    assert len(found("mutant:arena-inner-only", "total_is_live_bytes", ops).lines) <= 24
