"""What the documentation tells its reader to do is done, in a fresh folder, and says what stands there.
"""

import os
import shutil
import sys
from pathlib import Path

import pytest

from .documents import Write, run

ROOT = Path(__file__).resolve().parents[2]
DOCS, EXAMPLES = ROOT / "docs", ROOT / "examples"
SLOW = pytest.mark.slow
DOCUMENTS = {
    "tutorial": (EXAMPLES / "tutorial", {"cc": "gcc"}),
    "ci": (EXAMPLES / "tutorial", {"cc": "gcc"}),
    "verify/c": (EXAMPLES / "c", {"cc": "gcc"}),
    "verify/cpp": (EXAMPLES / "cpp", {"c++": "g++"}),
    "verify/rust": (EXAMPLES / "rust", {"rustc": "rustc, or https://rustup.rs"}),
    "verify/zig": (EXAMPLES / "zig", {"zig": "`pip install ziglang`, and its folder on PATH"}),
    "verify/python": (EXAMPLES / "python", {}),
}
"""Each document that is run: the folder that holds its files too, and the programs that it needs, with how to get them.
"""


def environment(home: Path) -> dict[str, str]:
    """As a reader has it, whose folders are all fresh: no options of the test run that we are part of."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "HEAPLAW", "COV"))}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    return {**kept, "PATH": path, "XDG_CACHE_HOME": str(home), "COLUMNS": "80", "NO_COLOR": "1", "LC_ALL": "C.UTF-8"}


@pytest.mark.parametrize("name", [pytest.param(name, marks=[SLOW] * (name == "verify/zig")) for name in DOCUMENTS])
def test_document__is_so(name: str, tmp_path: Path) -> None:
    folder, needed = DOCUMENTS[name]
    for program, package in needed.items():
        if shutil.which(program) is None:
            pytest.skip(f"no {program} (install {package})")
    (tmp_path / "cache").mkdir()
    here = tmp_path / "here"
    here.mkdir()
    shown = {
        step.name: step.text
        for step in run((DOCS / f"{name}.md").read_text(), here, environment(tmp_path / "cache"))
        if isinstance(step, Write)
    }
    stored = {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}
    assert {file: text for file, text in shown.items() if file in stored} == {
        file: text for file, text in stored.items() if file in shown
    }
    assert name == "ci" or set(stored) <= set(shown)
