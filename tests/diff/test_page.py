"""docs/diff.md says what is so, on the two heaps of examples/diff. HEAPLAW_UPDATE=1 writes what it shows anew."""

import importlib.util
import os
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "diff.md"


def documents() -> ModuleType:
    """What runs documents, from beside the tests of all other pages."""
    spec = importlib.util.spec_from_file_location("documents", ROOT / "tests" / "docs" / "documents.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def test_the_page_is_so(tmp_path: Path) -> None:
    if shutil.which("cc") is None:
        pytest.skip("no compiler (Debian: gcc)")
    running = documents()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "HEAPLAW", "COV"))}
    path = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", os.defpath)])
    variables = {**kept, "PATH": path, "XDG_CACHE_HOME": str(tmp_path / "cache"), "LC_ALL": "C.UTF-8", "NO_COLOR": "1"}
    for attempt in range(8):
        here = tmp_path / str(attempt)
        shutil.copytree(ROOT / "examples" / "diff", here)
        try:
            done = list(running.run(PAGE.read_text(), here, variables))
        except running.DiffersError as wrong:
            if not os.environ.get("HEAPLAW_UPDATE"):
                raise
            PAGE.write_text(PAGE.read_text().replace(wrong.shown, wrong.said, 1))
        else:
            assert len(done) == 4
            return
    pytest.fail("the page differs each time")
