"""`heaplaw subjects`: what can be judged by name here, found without starting or compiling anything."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from heaplaw.mapping import load
from heaplaw.mappings import FOLDER
from heaplaw.references.table import REFERENCES
from heaplaw.subjects import listing
from heaplaw.subjects.listing import BUILT_IN, USABLE, Entry, entries, find_mapping, mappings_of, names
from heaplaw.terminal.page import Page

SHIPPED = sorted(path.stem for path in FOLDER.glob("*.toml"))
MINE = '# Mine: {what}\nlibrary = "{library}"\nshape = "malloc"\nalloc = "my_malloc(size)"\nfree = "my_free(ptr)"\n'
FUNCTIONS = "void *my_malloc(unsigned long n) { return 0; } void my_free(void *p) {}"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with no mappings of any user's."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path


def saved(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.toml"
    path.write_text(text)
    return path


def named(name: str) -> Entry:
    (found,) = (entry for entry in entries() if entry.name == name)
    return found


# ------------------------------------------------------------------------------------------------------ the list


def test_everything_that_ships_is_listed(here: Path) -> None:
    found = {entry.name: entry for entry in entries()}
    assert list(found) == [*BUILT_IN, *SHIPPED, *(f"ref:{name}" for name in REFERENCES)]
    for name in BUILT_IN:
        assert (found[name].state, found[name].shape, found[name].origin) == (USABLE, "malloc", "built in")
    for name in SHIPPED:
        text = (FOLDER / f"{name}.toml").read_text()
        assert found[name].shape == load(FOLDER / f"{name}.toml").shape
        assert " ".join(text.replace("\n# ", " ").split()).startswith(f"# {found[name].what}")
        assert found[name].what.endswith("."), "a whole sentence"
        assert not found[name].state.startswith(("broken", "hidden")), found[name]


def test_columns_line_up(here: Path, run: Any) -> None:
    saved(here / ".heaplaw", "longish_name_of_a_mapping", MINE.format(what="words " * 30, library="./none.so"))
    saved(here / ".heaplaw", "other", MINE.format(what="words " * 30, library="libc"))
    ran = run("subjects")
    assert (ran.code, ran.err) == (0, "")
    lines = [line for line in ran.out.splitlines() if line.startswith("  ")]
    rows = [line for line in lines if line[2] != " "]
    assert len(rows) == len(entries())
    width = max(len(entry.name) for entry in entries())
    shapes = max(len(entry.shape) for entry in entries())
    for row, entry in zip(rows, entries(), strict=True):
        assert row[2 : 2 + width].rstrip() == entry.name
        assert row[4 + width : 4 + width + shapes].rstrip() == entry.shape
        told = row[6 + width + shapes :]
        assert told.startswith(entry.state) or told == entry.state.partition(": ")[0] + ":"
    assert max(map(len, lines)) <= 80
    assert ran.out.count("…") == sum(entry.what.count("…") for entry in entries())  # nothing is cut
    titles = [line for line in ran.out.splitlines() if line and not line.startswith(" ")]
    assert titles[:4] == ["built in", ".heaplaw", "with heaplaw", "reference implementation"]
    usable = sum(entry.state == USABLE for entry in entries())
    assert titles[4].startswith(f"{usable} of {len(entries())} usable")


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_every_description_is_whole_and_fits(here: Path, columns: int) -> None:
    folder = "a-folder-with-a-name-that-is-long/" * 3
    saved(here / ".heaplaw", "mine", MINE.format(what="words " * 30, library="libc"))
    saved(here / ".heaplaw", "other", MINE.format(what="it", library=f"./{folder}none.so"))
    lines = [line.text for line in listing.listing(Page.of(columns))]
    starts = [place for place, line in enumerate(lines) if line.startswith("  ") and line[2] != " "]
    ends = [*starts[1:], len(lines)]
    assert len(starts) == len(entries())
    for entry, start, end in zip(entries(), starts, ends, strict=True):
        told = " ".join(" ".join(lines[start:end]).split())
        assert " ".join((entry.what if entry.state == USABLE else entry.state).split()) in told
    assert [line.strip() for line in lines if len(line) > columns] == [f"./{folder}none.so"] * (columns < 120)


def test_as_json_it_is_the_same(here: Path, run: Any) -> None:
    saved(here / ".heaplaw", "mine", MINE.format(what="x", library="./none.so"))
    ran = run("subjects", "--json")
    document = json.loads(ran.out)
    assert (ran.code, ran.err, document["version"]) == (0, "", listing.VERSION)
    assert [row["name"] for row in document["subjects"]] == [entry.name for entry in entries()]
    mine = next(row for row in document["subjects"] if row["name"] == "mine")
    assert mine == {
        "name": "mine",
        "shape": "malloc",
        "state": "not here: ./none.so",
        "usable": False,
        "what": "Mine: x",
        "origin": ".heaplaw",
        "path": ".heaplaw/mine.toml",
    }


# ---------------------------------------------------------------------------------------------------- the states


def test_a_library_that_is_here(here: Path, compiled: Callable[..., Path]) -> None:
    compiled(FUNCTIONS, "libmy.so", "-shared", "-fPIC")
    saved(here / ".heaplaw", "mine", MINE.format(what="it", library="../libmy.so"))
    assert named("mine") == Entry("mine", "malloc", USABLE, "Mine: it", ".heaplaw", ".heaplaw/mine.toml")


def test_a_library_that_is_not(here: Path) -> None:
    text = MINE.format(what="it", library="libnowhere.so.9")
    saved(here / ".heaplaw", "mine", text)
    assert named("mine").state == "not here: libnowhere.so.9"
    saved(here / ".heaplaw", "mine", f'{text}package = "libnowhere9"\n')
    assert named("mine").state == "not here: install libnowhere9"


def test_a_mapping_with_mistakes(here: Path, run: Any) -> None:
    saved(here / ".heaplaw", "mine", MINE.format(what="it", library="libc") + "fre = 1\nreset = 2\n")
    entry = named("mine")
    assert (entry.state, entry.shape, entry.what) == (
        "broken: 3 errors, see heaplaw check .heaplaw/mine.toml",
        "",
        "Mine: it",
    )
    assert "3 errors" in run("check", ".heaplaw/mine.toml").err
    saved(here / ".heaplaw", "mine", "")
    assert (named("mine").state, named("mine").what) == ("broken: 1 error, see heaplaw check .heaplaw/mine.toml", "")


def test_a_library_without_the_functions(here: Path, compiled: Callable[..., Path]) -> None:
    compiled("void *my_malloc(unsigned long n) { return 0; }", "libmy.so", "-shared", "-fPIC")
    saved(here / ".heaplaw", "mine", MINE.format(what="it", library="../libmy.so"))
    assert named("mine").state == "broken: 1 error, see heaplaw check .heaplaw/mine.toml"
    (here / "libmy.so").write_text("no library")
    assert re.fullmatch(r"broken: .*libmy\.so: not a shared library.*", named("mine").state)


def test_a_source_needs_a_compiler(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = MINE.format(what="it", library="").replace('library = ""', 'source = "mine.cc"')
    saved(here / ".heaplaw", "mine", text)
    (here / ".heaplaw" / "mine.cc").write_text("#error this is never compiled")
    monkeypatch.setenv("CXX", "no-such-compiler -O2")
    assert named("mine").state == "needs a compiler: install g++"
    monkeypatch.setenv("CXX", "'")
    assert named("mine").state.startswith("needs a compiler: CXX=")
    monkeypatch.setenv("CXX", "sh -c false")  # a program that is there: it is not asked to do anything
    assert named("mine").state == USABLE


def test_a_python_module_is_looked_for_and_not_imported(here: Path) -> None:
    text = '# Mine\npython = "{module}"\nshape = "malloc"\npool = "P()"\nalloc = "alloc(size)"\nfree = "free(ptr)"\n'
    (here / "my_module.py").write_text("raise SystemExit('imported')")
    saved(here / ".heaplaw", "mine", text.format(module="my_module"))
    assert named("mine").state == USABLE
    saved(here / ".heaplaw", "mine", text.format(module="no_such_module.part"))
    assert named("mine").state == "not here: no module no_such_module"


@pytest.mark.parametrize(
    ("comment", "told"),
    [
        ("# It has 2.5 parts, and\n# goes on. More of it.\n", "It has 2.5 parts, and goes on."),
        ("# A title\n#\n# A sentence.\n", "A title"),
        ("# No sentence\n# at all\n", "No sentence"),
        ("", ""),
    ],
)
def test_a_mapping_is_told_by_its_first_sentence(here: Path, comment: str, told: str) -> None:
    saved(here / ".heaplaw", "mine", comment + 'library = "libc"\n')
    assert named("mine").what == told


def test_nothing_is_started(here: Path, compiled: Callable[..., Path], run: Any) -> None:
    source = """
        #include <fcntl.h>
        __attribute__((constructor)) static void begin(void) { open("started", O_CREAT | O_WRONLY, 0600); }
        """
    compiled(source + FUNCTIONS, "libmy.so", "-shared", "-fPIC", "-w")
    saved(here / ".heaplaw", "mine", MINE.format(what="it", library="../libmy.so"))
    cache = here / "cache"
    assert run("subjects", env={"XDG_CACHE_HOME": str(cache)}).code == 0
    assert not (here / "started").exists()
    assert not cache.exists(), "no shim was compiled"
    run("check", "mine", "-n", "100", "--seed", "1")
    assert (here / "started").exists(), "a check does start it"


# ----------------------------------------------------------------------------------------------------- the names


def test_names_are_looked_up_from_the_nearest_folder_on(here: Path) -> None:
    assert find_mapping("jemalloc") == FOLDER / "jemalloc.toml"
    user = saved(here / "config" / "heaplaw" / "mappings", "jemalloc", "")
    assert find_mapping("jemalloc") == user
    near = saved(here / ".heaplaw", "jemalloc", MINE.format(what="it", library="libc"))
    assert find_mapping("jemalloc") == near.relative_to(here)
    states = {entry.path: entry.state for entry in entries() if entry.name == "jemalloc"}
    assert states[str(FOLDER / "jemalloc.toml")] == "hidden by .heaplaw/jemalloc.toml"
    assert names().count("jemalloc") == 1


def test_a_mapping_may_hide_what_is_built_in(here: Path) -> None:
    saved(here / ".heaplaw", "pymem", MINE.format(what="it", library="./none.so"))
    states = [entry.state for entry in entries() if entry.name == "pymem"]
    assert states == ["hidden by .heaplaw/pymem.toml", "not here: ./none.so"]


@pytest.mark.parametrize("name", ["", "no_such", "../jemalloc", "jemalloc.toml", "a\0b", "."])
def test_what_is_no_name(here: Path, name: str) -> None:
    saved(here, "jemalloc", "")
    assert find_mapping(name) is None


def test_names_are_those_of_the_list(here: Path) -> None:
    saved(here / "config" / "heaplaw" / "mappings", "mine", "")
    assert set(names()) == {entry.name for entry in entries()}
    assert {"libc", "pymem", "mine", *SHIPPED} <= set(names())


def test_a_relative_folder_of_settings_is_ignored(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved(here / "there" / "heaplaw" / "mappings", "mine", "")
    monkeypatch.setenv("XDG_CONFIG_HOME", "there")
    monkeypatch.setenv("HOME", str(here / "home"))
    assert find_mapping("mine") is None
    path = saved(here / "home" / ".config" / "heaplaw" / "mappings", "mine", "")
    assert find_mapping("mine") == path


def test_mappings_of_a_library(here: Path) -> None:
    assert mappings_of(Path("/nowhere/libtalloc.so.2")) == ["talloc"]
    assert mappings_of(Path("/nowhere/libother.so")) == []
