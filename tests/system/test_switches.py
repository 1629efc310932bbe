"""The environment's switches, each in a process of its own; the program stays the same."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from heaplaw.refimpl.system import MisuseError, Switches

PROGRAM = """\
from heaplaw.refimpl.system import Subsystem, allocators_get, allocators_shutdown, arena_scope, strdup, text_at
import sys
vm = allocators_get(Subsystem.VM)
vm.alloc(200, tag="game-state")
copy = strdup("hello", Subsystem.STRINGS)
with arena_scope(4096) as temp:
    temp.alloc(1024)
print(text_at(copy), type(vm).__name__, type(temp).__name__)
allocators_get(Subsystem.STRINGS).free(copy)
if "shutdown" in sys.argv:
    allocators_shutdown()
"""
STATISTICS = """\
=== Memory Allocator Statistics ===

--- VM Core ---
Total Allocated:  200 bytes
Current Usage:    200 bytes
Peak Usage:       200 bytes
Allocations:      1

--- Strings ---
Total Allocated:  6 bytes
Current Usage:    0 bytes
Peak Usage:       6 bytes
Allocations:      1

=== Allocation by Tag ===
| Tag                 | Count | Current Size | Peak Size |
|---------------------|-------|--------------|-----------|
| game-state          |     1 |         200  |      200  |
"""
LEAKS = """\
=== MEMORY LEAKS DETECTED ===
200 bytes leaked in 1 allocation
  0x…: 200 bytes at {}:4 [game-state]
"""


def run(folder: Path, environment: dict[str, str], *arguments: str) -> tuple[str, str]:
    """What the program writes to stdout and stderr."""
    program = folder / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HEAPLAW_")}
    done = subprocess.run(
        [sys.executable, str(program), *arguments],
        capture_output=True,
        text=True,
        env={**kept, **environment},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, re.sub("0x[0-9a-f]+", "0x…", done.stderr)


CASES = {
    "none": ({}, "hello Platform Arena\n", ""),
    "stats": ({"HEAPLAW_MEM_STATS": "1"}, "hello Platform Arena\n", STATISTICS),
    "debug": ({"HEAPLAW_MEM_DEBUG": "yes"}, "hello Trace Trace\n", LEAKS),
    "off": ({"HEAPLAW_CUSTOM_ALLOCATORS": "0"}, "hello Platform Platform\n", ""),
    "all": (
        {"HEAPLAW_MEM_STATS": "on", "HEAPLAW_MEM_DEBUG": "1", "HEAPLAW_CUSTOM_ALLOCATORS": "off"},
        "hello Trace Trace\n",
        STATISTICS + "\n" + LEAKS,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_switch__needs_no_change_to_the_program(case: str, tmp_path: Path) -> None:
    environment, expected, reports = CASES[case]
    out, errors = run(tmp_path, environment)
    assert (out, errors) == (expected, reports.format(tmp_path / "program.py"))


def test_shutdown__reports_once(tmp_path: Path) -> None:
    _, errors = run(tmp_path, {"HEAPLAW_MEM_STATS": "1"}, "shutdown")
    assert errors == STATISTICS


def test_switches__are_read_from_the_environment() -> None:
    assert Switches.from_environment({}) == Switches(stats=False, debug=False, custom=True)
    assert Switches.from_environment({"HEAPLAW_MEM_STATS": " TRUE ", "HEAPLAW_MEM_DEBUG": ""}) == Switches(stats=True)
    assert Switches.from_environment({"HEAPLAW_CUSTOM_ALLOCATORS": "OFF"}) == Switches(custom=False)
    with pytest.raises(MisuseError, match=r"HEAPLAW_MEM_DEBUG='2': a switch is one of 1, on, yes, true, 0"):
        Switches.from_environment({"HEAPLAW_MEM_DEBUG": "2"})
