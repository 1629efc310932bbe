"""What is missing is told with what it costs; what is broken makes the exit code 1; no check takes the others along."""

import json
import os
import re
import resource
import subprocess
import sys
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from heaplaw import doctor, native, schemas
from heaplaw.cli import cli
from heaplaw.doctor import BROKEN, CHECKS, MISSING, OK, Check, Finding, document, examined, lines, machine, software
from heaplaw.doctor.text import exit_code
from heaplaw.terminal.page import Page

jsonschema: Any = import_module("jsonschema")
GOOD = Finding("thing", OK, "version 1")
LACKS = Finding("other", MISSING, "not installed", "a great deal is not done, or not so well", "get it")

WRONG = Finding("third", BROKEN, "does not run", "nothing works", "mend it")


def of(name: str) -> Finding:
    (check,) = (check for check in CHECKS if check.name == name)
    return examined(check)


@pytest.fixture
def no_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine without programs."""
    monkeypatch.setenv("PATH", str(tmp_path))
    for variable in ("CC", "CXX"):
        monkeypatch.delenv(variable, raising=False)


# ---- words


def test_lines() -> None:
    assert [line.text for line in lines([GOOD, LACKS, WRONG])] == [
        "ok      thing                 version 1",
        "missing other                 not installed",
        "        costs  a great deal is not done, or not so well",
        "        do     get it",
        "broken  third                 does not run",
        "        costs  nothing works",
        "        do     mend it",
        "SUMMARY: heaplaw doctor: 1 ok, 1 missing, 1 broken",
    ]


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_lines__fit(columns: int) -> None:
    long = Finding("x", MISSING, "it is there: " + "/a/path" * 6, "costs much " * 20, "do this " * 20)
    assert max(len(line) for line in lines([GOOD, long], Page.of(columns))) <= columns


@pytest.mark.parametrize("columns", [60, 80, 120])
@pytest.mark.parametrize("times", [4, 6, 8, 30])
def test_lines__never_break_a_path(columns: int, times: int) -> None:
    path = "/a/pa-th" * times
    found = Finding("x", MISSING, f"{path}: no", path, f"remove {path}")
    told = [line.text for line in lines([found], Page.of(columns))]
    assert [line.count(path) for line in told if path in line] == [1, 1, 1]
    assert all(len(line) <= max(columns, 15 + len(path) + 1) for line in told)
    assert told[0].startswith("missing x")


def test_exit_code__only_what_is_broken_is_an_error() -> None:
    assert [exit_code([GOOD]), exit_code([GOOD, LACKS]), exit_code([LACKS, WRONG])] == [0, 0, 1]


def test_document__keeps_to_the_schema() -> None:
    made = document([GOOD, LACKS, WRONG])
    jsonschema.validate(made, schemas.load("doctor"))
    assert made["exit_code"] == 1


def test_every_finding_that_is_not_ok__has_a_cost(no_path: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEAPLAW_NO_NATIVE", "1")
    found = [examined(check) for check in CHECKS if check.name not in ("driver in Python", "compiled driver")]
    lacking = [each for each in found if each.state != OK]
    assert {"C compiler", "C++ compiler", "compiled judge", "mutants in C"} <= {each.name for each in lacking}
    assert all(each.cost for each in lacking)


# ---- isolation


@pytest.mark.parametrize("error", [RuntimeError("it\nbroke"), SystemExit(3), OSError()])
def test_a_check_that_fails__is_a_finding(error: BaseException) -> None:
    def ask() -> Finding:
        raise error

    found = examined(Check("odd", ask))
    assert (found.name, found.state) == ("odd", BROKEN)
    assert type(error).__name__ in found.detail
    assert "\n" not in found.detail


def test_examine__goes_on_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> list[Finding]:
        raise KeyError("x")

    monkeypatch.setattr(doctor, "CHECKS", (Check("bad", lambda: 1 / 0), Check("good", lambda: GOOD)))  # type: ignore[arg-type, return-value]
    monkeypatch.setattr(software, "libraries", fails)
    assert [each.state for each in doctor.examine()] == [BROKEN, OK, BROKEN]


# ---- single checks, on a machine that is made to lack something


def test_no_native__rules_the_driver_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEAPLAW_NO_NATIVE", "1")
    found = of("compiled driver")
    assert (found.state, found.remedy) == (MISSING, "unset HEAPLAW_NO_NATIVE")
    assert "100,000" in found.cost
    assert of("compiled judge").state == MISSING
    assert "mutants are left out" in of("mutants in C").cost


def test_a_driver_that_does_not_run__is_broken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    host = tmp_path / native.HOST
    host.write_text("#!/bin/sh\necho no such luck\nexit 1\n")
    host.chmod(0o755)
    monkeypatch.delenv("HEAPLAW_NO_NATIVE", raising=False)
    monkeypatch.setattr(native, "find", lambda _name: host)
    found = of("compiled driver")
    assert found.state == BROKEN
    assert str(host) in found.detail
    assert of("compiled judge").state == BROKEN  # a shell script is no library


def test_drivers__run() -> None:
    assert of("driver in Python").state == OK
    assert of("compiled driver").state == (OK if native.find(native.HOST) else MISSING)


def test_memfd_refused__is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_name: str) -> int:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "memfd_create", refused)
    assert of("shared memory").state == BROKEN
    assert "Operation not permitted" in of("shared memory").detail
    assert of("driver in Python").state == BROKEN


@pytest.mark.parametrize(("limit", "state"), [(-1, OK), (2**40, OK), (8 * 2**30, MISSING)])
def test_address_space(monkeypatch: pytest.MonkeyPatch, limit: int, state: str) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _which: (limit, limit))
    assert of("address space").state == state


def test_no_compiler(no_path: None) -> None:
    found = of("C++ compiler")
    assert (found.state, found.remedy) == (MISSING, "install g++, or set CXX")
    assert "pmr_buffer" in found.cost
    assert "obstack" in of("C compiler").cost
    assert of("Rust").state == of("Zig").state == MISSING


def test_compilers_that_are_named_wrongly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "no-such-compiler -O2")
    assert "no-such-compiler" in of("C compiler").detail
    assert of("C compiler").state == BROKEN
    monkeypatch.setenv("CC", "'")
    assert of("C compiler").state == BROKEN
    monkeypatch.setenv("CC", "false")
    assert of("C compiler").state == BROKEN


def test_a_package_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", absent)
    found = of("z3-solver")
    assert (found.state, found.remedy) == (BROKEN, "pip install z3-solver")
    assert "prove" in found.cost
    assert of("pytest-xdist").state == MISSING


def test_a_package_that_does_not_load(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> object:
        raise ImportError("libz3.so: cannot open shared object file")

    monkeypatch.setattr(software, "import_module", broken)
    assert of("z3-solver").state == BROKEN
    assert "libz3.so" in of("z3-solver").detail


def test_packages__are_the_ones_that_heaplaw_depends_on() -> None:
    required = " ".join(metadata.requires("heaplaw") or [])
    assert all(name in required for name in software.NEEDED)
    assert software.USES.keys() == set(software.NEEDED)
    assert [each.name for each in map(software.package, software.NEEDED) if each.state != OK] == []


def test_plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", raising=False)
    assert of("pytest plugin").state == OK
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    assert of("pytest plugin").remedy == "pytest -p heaplaw.plugin"


def test_a_folder_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(machine, "OUTPUT", tmp_path / "file" / "out")
    found = of("output folder")
    assert found.state == BROKEN
    assert "is a file" in found.detail


def test_libraries__that_are_not_here_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    from heaplaw import mappings
    from heaplaw.subjects import listing

    made = [
        listing.Entry("glibc", "malloc", listing.USABLE, "", str(mappings.FOLDER)),
        listing.Entry("jemalloc", "malloc", "not here: install libjemalloc2", "", str(mappings.FOLDER)),
        listing.Entry("pmr", "malloc", "needs a compiler: install g++", "", str(mappings.FOLDER)),
        listing.Entry("mine", "malloc", "broken: 2 errors", "", ".heaplaw"),
    ]
    monkeypatch.setattr(listing, "entries", lambda: made)
    told, jemalloc = software.libraries()  # what a missing compiler costs is said of the compiler
    assert told.detail == "1 of 3 mappings that ship are usable"
    assert (jemalloc.state, jemalloc.remedy) == (MISSING, "install libjemalloc2")


@pytest.mark.parametrize("name", ["valgrind", "stepping"])
def test_what_nothing_uses__is_told_so(no_path: None, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    def answer(*_given: object, **_named: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess([], 0, "-1\n", "")

    monkeypatch.setattr(subprocess, "run", answer)
    assert of(name).state == MISSING
    assert of(name).cost.startswith("nothing today")


# ---- the command


def test_command__without_programs_and_compiled_code(tmp_path: Path) -> None:
    environment = {**os.environ, "PATH": str(tmp_path), "HEAPLAW_NO_NATIVE": "1", "CC": "", "CXX": ""}
    done = subprocess.run(
        [sys.executable, "-m", "heaplaw.cli", "doctor"],
        capture_output=True,
        text=True,
        timeout=120,
        env=environment,
        cwd=tmp_path,
    )
    assert (done.returncode, done.stderr) == (0, ""), done
    told = done.stdout.splitlines()
    assert [line for line in told if len(line) > 80 and not re.fullmatch(r" {15}/\S+", line)] == []  # no path is broken
    for start in ("missing compiled driver", "missing C compiler", "missing C++ compiler", "ok      driver in Python"):
        assert any(line.startswith(start) for line in told), start
    assert told[-1].startswith("SUMMARY: heaplaw doctor: ")
    assert not list(tmp_path.iterdir()), "nothing is left behind"


def test_command__where_no_folder_can_be_made__warns_of_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = subprocess.run(
        [sys.executable, "-m", "heaplaw.cli", "doctor"],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "HYPOTHESIS_STORAGE_DIRECTORY": str(tmp_path / "file" / "below")},
        cwd=tmp_path,
    )
    assert done.stderr == ""
    assert "missing Hypothesis database" in done.stdout


def test_command__where_numpy_does_not_load(tmp_path: Path) -> None:
    (tmp_path / "numpy.py").write_text('raise ImportError("numpy is not whole")\n')
    done = subprocess.run(
        [sys.executable, "-c", "from heaplaw.commands.doctor import command; command([])"],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
    )
    assert (done.returncode, done.stderr) == (1, ""), done
    assert "numpy is not whole" in " ".join(done.stdout.split())
    assert "broken  numpy" in done.stdout


def test_command__json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "CHECKS", (Check("thing", lambda: GOOD), Check("third", lambda: WRONG)))
    result = CliRunner().invoke(cli, ["doctor", "--json"])
    assert result.exit_code == 1
    made = json.loads(result.output)
    jsonschema.validate(made, schemas.load("doctor"))
    assert [each["name"] for each in made["findings"]][:3] == ["thing", "third", "libraries"]
