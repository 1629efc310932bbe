"""What is installed, what importing it loads, and who may import whom."""

from __future__ import annotations

import ast
import importlib.util
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import heaplaw.spec
from heaplaw import native

ROOT = Path(__file__).resolve().parents[2]
FLOORS = {
    "spec": {"spec"},
    "refimpl": {"spec", "refimpl"},
    "models": {"spec", "refimpl", "models"},
    "proofs": {"spec", "refimpl", "proofs"},
}
HEAVY = {"numpy", "z3", "hypothesis", "crosshair", "pytest"}


def loaded_by(statement: str) -> set[str]:
    """Give the names of all modules in a fresh interpreter after `statement`."""
    code = f"{statement}\nimport sys\nsys.stdout.write(chr(10).join(sys.modules))"
    # Started outside the checkout, so that what is installed answers.
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT.anchor, timeout=60
    )
    return set(done.stdout.splitlines())


def ours(path: Path, package: str) -> set[str]:
    """Give the names directly below `heaplaw` that the file at `path`, a module in `package`, imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            base = importlib.util.resolve_name(base, package)
            names = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        found |= {parts[1] for parts in (name.split(".") for name in names) if parts[0] == "heaplaw" and parts[1:]}
    return found


@pytest.mark.parametrize("floor", FLOORS)
def test_a_floor_imports_only_floors_below(floor: str) -> None:
    strays: dict[str, set[str]] = {}
    files = sorted((ROOT / floor).rglob("*.py"))
    assert files
    for path in files:
        package = ".".join(("heaplaw", *path.relative_to(ROOT).parent.parts))
        if extra := ours(path, package) - FLOORS[floor]:
            strays[str(path.relative_to(ROOT))] = extra
    assert not strays


@pytest.mark.parametrize("name", FLOORS)
def test_source_links_are_relative_and_lead_to_the_folder(name: str) -> None:
    if (ROOT / "PKG-INFO").exists():
        pytest.skip("a source distribution holds folders in place of the links")
    link = ROOT / "heaplaw" / name
    assert link.is_symlink()
    assert os.readlink(link) == f"../{name}"  # noqa: PTH115  (Path.readlink would do; the text itself matters)


def test_nothing_imports_a_floor_by_its_bare_name() -> None:
    strays: list[str] = []
    for top in ("heaplaw/", *FLOORS, "tests"):
        for path in (ROOT / top).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names: list[str] = []
                if isinstance(node, ast.Import):
                    names = [alias.name for alias in node.names]
                elif isinstance(node, ast.ImportFrom) and node.level == 0:
                    names = [node.module or ""]
                if any(name.split(".")[0] in FLOORS for name in names):
                    strays.append(f"{path.relative_to(ROOT)}: {names[0]}")
    assert not strays


def test_importing_heaplaw_is_light() -> None:
    modules = loaded_by("import heaplaw")
    assert not HEAVY & modules
    assert not {f"heaplaw.{floor}" for floor in FLOORS} & modules


def test_importing_spec_loads_no_engine() -> None:
    # Every module of spec, not only its face.
    every = "import heaplaw.spec as s, importlib, pkgutil\n"
    every += "for m in pkgutil.walk_packages(s.__path__, 'heaplaw.spec.'): importlib.import_module(m.name)"
    modules = loaded_by(every)
    assert "heaplaw.spec" in modules
    assert not HEAVY & modules
    assert not {"spec", "heaplaw.refimpl", "heaplaw.models", "heaplaw.proofs"} & modules


def test_a_module_has_one_identity() -> None:
    assert heaplaw.spec.__name__ == "heaplaw.spec"
    assert "spec" not in loaded_by("import heaplaw.spec")


def test_native_files_can_be_forbidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEAPLAW_NO_NATIVE", "1")
    assert native.find(native.HOST) is None
    monkeypatch.setenv("HEAPLAW_NO_NATIVE", "0")
    assert native.find("no-such-file") is None


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a wheel of this tree: the one that HEAPLAW_WHEEL names, or one built here."""
    if named := os.environ.get("HEAPLAW_WHEEL"):
        return Path(named)
    if importlib.util.find_spec("scikit_build_core") is None:
        pytest.skip("scikit-build-core is not installed: pip install 'heaplaw[dev]'")
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-w", str(out)]
    done = subprocess.run([*command, str(ROOT)], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    (built,) = out.glob("heaplaw-*.whl")
    return built


@pytest.mark.slow
def test_wheel_content(wheel: Path) -> None:
    version, *_ = wheel.name.removeprefix("heaplaw-").split("-")
    with zipfile.ZipFile(wheel) as archive:
        names = {info.filename for info in archive.infolist() if not info.is_dir()}
    assert {name.split("/")[0] for name in names} == {"heaplaw", f"heaplaw-{version}.dist-info"}
    installed = {name for name in names if name.startswith("heaplaw/") and name.endswith(".py")}
    # Path.rglob does not follow links: each floor is listed under its real folder.
    sources = {str(path.relative_to(ROOT)) for path in (ROOT / "heaplaw").rglob("*.py")}
    for floor in FLOORS:
        sources |= {f"heaplaw/{path.relative_to(ROOT)}" for path in (ROOT / floor).rglob("*.py")}
    assert installed == sources
    data = {
        str(path.relative_to(ROOT))
        for kind in ("toml", "c", "cc", "h", "json")
        for path in (ROOT / "heaplaw").rglob(f"*.{kind}")
    }
    assert data <= names
    assert "heaplaw/py.typed" in names
    native_files = {name.rsplit("/", 1)[1] for name in names if name.startswith("heaplaw/_native/")}
    if native_files:  # built with a compiler: then complete, and the tag names the platform
        expected = set[str]()
        if (ROOT / "heaplaw/native/heaplaw.c").exists():
            expected |= {native.HOST, native.LIBRARY}
        if (ROOT / "heaplaw/mutants/mutants.c").exists():
            expected |= {native.MUTANTS}
        if (ROOT / "heaplaw/mutants/shapes/shapes.c").exists():
            expected |= {native.SHAPES}
        assert native_files == expected
        assert "-py3-none-" in wheel.name
        assert not wheel.name.endswith("-any.whl")
