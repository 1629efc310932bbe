"""Checks mappings one after the other, each in a process of its own: they are for libraries that replace malloc."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from heaplaw import mappings
from heaplaw.errors import UsageError
from heaplaw.mapping import Mapping, load
from heaplaw.mapping.problems import did_you_mean
from heaplaw.subjects.listing import USABLE, entries, find_mapping

from .facts import Survey, Surveyed

__all__ = ["chosen", "survey"]

MISSING = ("no such library", "; install ", "No such file or directory", "not found")
"""Signs that what a mapping needs is not on this machine."""
SHORTEN = 2
"""Seconds for making a violation short: the tables show none."""
PATIENCE = 1800
"""Seconds after which a check is given up."""


def chosen(names: Sequence[str]) -> dict[str, Path]:
    """The mappings of these names; all that ship where none is named. UsageError for a name that none has."""
    ready = {path.stem: path for path in sorted(mappings.FOLDER.glob("*.toml"))}
    if not names:
        return ready
    found: dict[str, Path] = {}
    for name in dict.fromkeys(names):
        path = find_mapping(name)
        if path is None:
            advice = did_you_mean(name, ready) or "`heaplaw subjects` lists them"
            raise UsageError(f"{name}: no mapping has this name; {advice}")
        found[name] = path
    return found


def survey(
    paths: dict[str, Path], seed: int, operations: int | None, progress: Callable[[str], None] = lambda _text: None
) -> Survey:
    """Check each mapping; MappingError for one with mistakes, UsageError for one that cannot be run here though what it
    needs is installed. An interrupt ends it with those that were checked.
    """
    states = {entry.path: entry.state for entry in entries()}
    found: list[Surveyed] = []
    try:
        for place, (name, path) in enumerate(paths.items()):
            progress(f"{name}, {place + 1} of {len(paths)}")
            read = load(path)
            state = states.get(str(path), USABLE)
            why = "" if state == USABLE else state.removeprefix("not here: ")
            told = {} if why else _told(path, name, seed, operations)
            found.append(_surveyed(name, read, told.get("report"), why or told.get("absent", "")))
    except KeyboardInterrupt:
        return Survey(tuple(found), seed, operations, interrupted=True)
    return Survey(tuple(found), seed, operations)


def _surveyed(name: str, read: Mapping, report: Any, absent: str) -> Surveyed:
    package = read.package or ""
    version = package_version(package) if report else ""
    return Surveyed(name, read.shape, package, version, read.expect, report, absent)


def _told(path: Path, name: str, seed: int, operations: int | None) -> dict[str, Any]:
    """The report of a check, or why there is none."""
    with TemporaryDirectory(prefix="heaplaw-") as folder:
        subject = name if path.parent == mappings.FOLDER else str(path.resolve())
        command = [sys.executable, "-m", "heaplaw.cli", "check", subject, "--json", "--seed", str(seed)]
        command += ["--seconds", str(SHORTEN), "--output", folder]
        command += [] if operations is None else ["--operations", str(operations)]
        try:
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False)
        except subprocess.TimeoutExpired as error:
            raise UsageError(f"{name}: its check took more than {PATIENCE} s; ask for fewer --operations") from error
    if done.returncode == 130:
        raise KeyboardInterrupt
    if done.stdout.strip():
        (report,) = json.loads(done.stdout)["subjects"]
        return {"report": report}
    why = (done.stderr.strip().splitlines() or ["it said nothing"])[-1].removeprefix("error: ")
    if any(sign in why for sign in MISSING):
        return {"absent": why}
    raise UsageError(f"{name}: {why}")


def package_version(package: str) -> str:
    """The installed version of the first package that a mapping names, where Debian's tools tell it; else empty."""
    name = next(iter(package.split()), "")
    if not name or shutil.which("dpkg-query") is None:
        return ""
    asked = ["dpkg-query", "-W", "-f=${Version}\n", name]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    return done.stdout.strip().partition("\n")[0] if done.returncode == 0 else ""
