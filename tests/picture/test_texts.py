"""Witness texts of faulty allocators of every shape are as stored in golden/. HEAPLAW_UPDATE=1 writes them anew."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from heaplaw.spec.event import NULL
from heaplaw.spec.history import Op
from heaplaw.spec.shapes import SHAPES, Kind

GOLDEN = Path(__file__).parent / "golden"
A, R, F = Kind.ALLOC, Kind.RESIZE, Kind.FREE
POP, RESET, RENEW = Op(Kind.POP), Op(Kind.RESET), Op(Kind.RENEW)


def asked(*sizes: int) -> list[Op]:
    """Plain requests."""
    return [Op(A, size) for size in sizes]


def freed(slot: int) -> Op:
    """The block of that operation is freed."""
    return Op(F, slot=slot)


CASES: dict[str, tuple[str, str, list[Op]]] = {
    "malloc": ("size-33", "blocks_disjoint", asked(33, 17)),
    "malloc-resize": ("realloc-words", "realloc_keeps_prefix", [*asked(1), Op(R, 1, 0)]),
    "bump": ("bump-last-byte", "in_bounds", asked(65521, 1)),
    "bump-down": (
        "bump-down-below",
        "in_bounds",
        [
            *(Op(Kind.ALIGNED, size, align=128) for size in (32417, 16385, 8177, 4097, 2033)),
            Op(Kind.ALIGNED, 1025, align=512),
            Op(Kind.ALIGNED, 513, align=128),
        ],
    ),
    "bump-reset": ("bump-reset-total", "reset_frees_all", [*asked(24), RESET]),
    "bump-beside": ("bump-footer", "buffer_respected", [*asked(65521), Op(Kind.ALIGNED, 8, align=1)]),
    "pool": ("pool-poison-wide", "payload_kept", [*asked(48, 48), freed(0), freed(1)]),
    "pool-renew": ("pool-new-keeps", "accounting_exact", [*asked(48), RENEW]),
    "pool-grid": ("pool-reset-shifts", "pool_on_grid", [RESET, *asked(48)]),
    "pool-full": ("pool-full-again", "pool_serves_while_free", asked(*[48] * 101)),
    "stack": ("stack-pop-twice", "lifo_pop", [*asked(64, 32), POP, POP]),
    "stack-swept": ("stack-header-in-tail", "payload_kept", [*asked(65497, 0), RESET]),
    "stack-empty": ("stack-pop-empty", "remaining_is_rest", [POP]),
    "stack-again": (
        "stack-pop-padding",
        "reset_frees_all",
        [*asked(0), POP, Op(Kind.ALIGNED, 24, align=1), RESET, Op(Kind.ALIGNED, 24, align=1)],
    ),
    "stack-refused": ("stack-pop-refused", "free_is_served", [*asked(1, 65537), POP]),
    "freelist": ("freelist-rest-48", "blocks_disjoint", [*asked(177), Op(Kind.ALIGNED, 9, align=32), *asked(0, 24)]),
    "freelist-check": ("freelist-tail-stays", "invariant_holds", [*asked(16369), freed(0), *asked(49105), freed(2)]),
    "freelist-wrap": ("freelist-header-wrap", "overflow_is_failure", [*asked(1), Op(R, 2**64 - 32, 0)]),
    "arena": (
        "arena-inner-only",
        "total_is_live_bytes",
        [Op(Kind.MARK), *asked(64), Op(Kind.MARK), *asked(32), Op(Kind.RELEASE, slot=0)],
    ),
    "lua_alloc": ("lua-copy-words", "realloc_keeps_prefix", [*asked(1), Op(R, 17, 0)]),
    "lua_alloc-free": ("lua-free-returns", "free_gives_null", [*asked(8), freed(0)]),
    "lua_alloc-died": ("lua-tag-as-size", "failure_is_reported", [Op(R, 17, NULL)]),
}
"""Mutants, the laws that they break, and how."""
HEAPS = """
source = "faulty.c"
shape = "malloc"
instances = 2
buffer = 1024
init = { call = "hp_begin(hook_malloc, hook_free)", returns = "errno" }
heap = "hp_open(&heap, buffer, capacity)"
destroy = "hp_close(heap)"
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


@pytest.mark.parametrize("name", CASES)
def test_a_fault_of_each_shape(name: str, found: Any) -> None:
    mutant, law_name, ops = CASES[name]
    case = found(f"mutant:{mutant}", law_name, ops)
    assert case.subject.shape.name == name.partition("-")[0]
    compared(name, case.lines)


def test_every_shape_is_told() -> None:
    assert {name.partition("-")[0] for name in CASES} == set(SHAPES)


def test_several_instances(found: Any, mapped: Callable[..., Path]) -> None:
    ops = [
        Op(A, 48, instance=1),
        *asked(48),
        Op(A, 20, instance=1),
        Op(A, 5000),
        Op(F, slot=1),
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
    ops = [*asked(40), Op(Kind.ALIGNED, 10, align=64), POP, POP, POP]
    compared("methods", found(mapped(METHODS), "lifo_pop", ops).lines)


def test_an_object(found: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    ops = [*asked(40), Op(Kind.ALIGNED, 10, align=64), *asked(2**20), POP, RESET, *asked(40), POP, *asked(40), RENEW]
    compared("object", found("mine:Stack", "lifo_pop", ops, shape="stack").lines)


def test_ten_steps_fit_on_a_screen(found: Any) -> None:
    """With the blank line between them, steps and picture have 24 lines at most."""
    ops = [*asked(*[64] * 8, 33, 17)]
    assert len(found("mutant:size-33", "blocks_disjoint", ops).lines) <= 24
    ops = [Op(Kind.MARK), *asked(8, 8, 8, 8, 8, 8), Op(Kind.MARK), *asked(8), Op(Kind.RELEASE, slot=0)]
    assert len(found("mutant:arena-inner-only", "total_is_live_bytes", ops).lines) <= 24
