"""What the documentation tells its reader to do is done, in a fresh folder, and says what stands there."""

import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from .documents import Write, run

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
}
"""Each document that is run: the folder of examples that it shows, the program that it needs, what to install."""
NOT_SHOWN = "# ruff: noqa: INP001\n"
SLOW = ("verify/zig", "pytest")
"""Where a compiler takes long, and what the tests of the plugin say too."""
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


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in DOCUMENTS])
def test_document__is_so(name: str, tmp_path: Path) -> None:
    examples, needed, package = DOCUMENTS[name]
    cache, here = tmp_path / "cache", tmp_path / "here"
    variables = environment(cache)
    if shutil.which(needed, path=variables["PATH"]) is None:
        pytest.skip(f"no {needed} (install {package})")
    cache.mkdir()
    here.mkdir()
    done = list(run((DOCS / f"{name}.md").read_text(), here, variables))
    shown = {step.name: step.text for step in done if isinstance(step, Write)}
    if examples:
        stored = {path.name: path.read_text().removeprefix(NOT_SHOWN) for path in (EXAMPLES / examples).glob("*.*")}
        assert stored == {file: shown[file] for file in stored}
