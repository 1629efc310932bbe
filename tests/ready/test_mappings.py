"""Every ready mapping can be read, says where its promises come from, and calls what its library exports."""

import subprocess
from pathlib import Path

import pytest

from heaplaw.errors import UsageError
from heaplaw.mapping import Mapping, check_symbols, load
from heaplaw.mappings import FOLDER
from heaplaw.subjects.build import compiled
from heaplaw.subjects.elf import read_exports
from heaplaw.subjects.native import c_library

MAPPINGS = sorted(FOLDER.glob("*.toml"))


def in_loader_cache(name: str) -> Path | None:
    """The file that the loader takes for `name`."""
    listed = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True).stdout
    rows = (line.partition("=>") for line in listed.splitlines())
    return next((Path(path.strip()) for entry, _, path in rows if entry.split()[:1] == [name]), None)


def library(mapping: Mapping) -> Path:
    """The first of the mapping's libraries that is installed; the test is skipped where none is."""
    for where in mapping.where:
        if where == "libc":
            return c_library()
        if "/" in where:
            pattern = (FOLDER / where).resolve() if not where.startswith("/") else Path(where)
            found = sorted(Path("/").glob(str(pattern).removeprefix("/")))
            if found:
                return found[-1]
        elif (cached := in_loader_cache(where)) is not None:
            return cached
    pytest.skip(f"{mapping.name}: install {mapping.package}")


def built(mapping: Mapping) -> Path:
    """The mapping's compiled shim; the test is skipped where what it needs is not installed."""
    try:
        return compiled(FOLDER / mapping.where[0])
    except UsageError as error:
        if any(sign in str(error) for sign in ("install g", "No such file")):
            pytest.skip(f"{mapping.name}: install {mapping.package}")
        raise


@pytest.mark.parametrize("path", MAPPINGS, ids=lambda path: path.stem)
def test_a_mapping_is_whole(path: Path) -> None:
    mapping = load(path)
    assert mapping.name == path.stem
    assert mapping.package, "what to install where it is missing"
    text = path.read_text()
    assert text.startswith("# "), "a comment says what it is"
    assert max(map(len, text.splitlines())) <= 120
    if "[promises]" in text:
        source = text.partition("[promises]")[0].splitlines()[-1]
        promised = text.partition("[promises]\n")[2].partition("\n\n")[0].splitlines()
        assert source.startswith("# ") or all("#" in line for line in promised), "where the promises are made"


@pytest.mark.parametrize("path", MAPPINGS, ids=lambda path: path.stem)
def test_what_a_mapping_calls_is_exported(path: Path) -> None:
    mapping = load(path)
    judged = built(mapping) if mapping.kind == "source" else library(mapping)
    check_symbols(mapping, read_exports(judged))


def test_every_shim_belongs_to_a_mapping() -> None:
    used = {mapping.where[0] for mapping in map(load, MAPPINGS) if mapping.kind == "source"}
    there = {path.name for path in FOLDER.iterdir() if path.suffix in (".c", ".cc", ".cpp", ".cxx")}
    assert used == there


def test_mappings_cover_the_shapes() -> None:
    shapes = {mapping.shape for mapping in map(load, MAPPINGS)}
    assert shapes == {"malloc", "bump", "pool", "freelist", "arena", "lua_alloc"}
