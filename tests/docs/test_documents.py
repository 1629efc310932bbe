"""What the documentation tells its reader to do is done, in a fresh folder, and says what stands there.

HEAPLAW_UPDATE=1 writes what is said now in place of what differs, whole: leave out by hand what need not be shown.
"""

import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from .documents import DiffersError, Step, Write, run

ROOT = Path(__file__).resolve().parents[2]
DOCS, EXAMPLES = ROOT / "docs", ROOT / "examples"
DOCUMENTS = {
    "tutorial": ("tutorial", "cc", "gcc"),
    "ci": ("", "bash", "bash"),
    "verify/c": ("c", "cc", "gcc"),
    "verify/cpp": ("cpp", "c++", "g++"),
    "verify/rust": ("rust", "rustc", "rustc"),
    "verify/zig": ("zig", "zig", "zig, or with pip: ziglang"),
    "verify/python": ("python", "bash", "bash"),
    "pytest": ("", "bash", "bash"),
    "cost": ("", "bash", "bash"),
}
"""Each document that is run: the folder of examples that it shows, the program that it needs, what to install."""
NOT_SHOWN = "# ruff: noqa: INP001\n"
SLOW = ("verify/zig", "pytest")
"""Where a compiler takes long, and what the tests of the plugin say too."""
MOST_UPDATES = 50
"""More commands than any page has: what differs then differs each time."""
QUIET = "-W ignore::pytest.PytestAssertRewriteWarning"
"""pytest warns of a package that is installed to be edited, as heaplaw may be here; a reader has it installed."""


def environment(cache: Path) -> dict[str, str]:
    """As a reader has it: heaplaw's commands are there, and no options of the test run that this is a part of."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "HEAPLAW", "COV"))}
    zig = find_spec("ziglang")
    places = [str(Path(sys.executable).parent), kept.get("PATH", os.defpath)]
    places += zig.submodule_search_locations or [] if zig else []
    ours = {"PATH": os.pathsep.join(places), "XDG_CACHE_HOME": str(cache), "PYTEST_ADDOPTS": QUIET}
    return {**kept, **ours, "COLUMNS": "80", "NO_COLOR": "1", "LC_ALL": "C.UTF-8"}


def carried_out(page: Path, folder: Path, variables: dict[str, str]) -> list[Step]:
    """All that the page says, done from the start: as often as it must be until it is so, if it is to be written."""
    for attempt in range(MOST_UPDATES + 1):
        here = folder / str(attempt)
        here.mkdir()
        text = page.read_text()
        try:
            return list(run(text, here, variables))
        except DiffersError as wrong:
            if not os.environ.get("HEAPLAW_UPDATE") or attempt == MOST_UPDATES:
                raise
            page.write_text(text.replace(wrong.shown, wrong.said, 1))
    raise AssertionError("not reached")


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in DOCUMENTS])
def test_document__is_so(name: str, tmp_path: Path) -> None:
    examples, needed, package = DOCUMENTS[name]
    variables = environment(tmp_path / "cache")
    if shutil.which(needed, path=variables["PATH"]) is None:
        pytest.skip(f"no {needed} (install {package})")
    done = carried_out(DOCS / f"{name}.md", tmp_path, variables)
    shown = {step.name: step.text for step in done if isinstance(step, Write)}
    if examples:
        stored = {path.name: path.read_text().removeprefix(NOT_SHOWN) for path in (EXAMPLES / examples).glob("*.*")}
        assert stored == {file: shown[file] for file in stored}
