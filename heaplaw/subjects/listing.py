"""What can be judged here: built-in subjects, the mappings that ship, and the user's own. Nothing is started."""

import importlib.machinery
import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import takewhile
from pathlib import Path
from textwrap import wrap
from typing import Any

from heaplaw import mapping, mappings
from heaplaw.errors import UsageError
from heaplaw.mapping import Mapping, MappingError
from heaplaw.terminal.marked import Marked, Role, mark
from heaplaw.terminal.page import PLAIN, Page

from .build import LANGUAGES
from .elf import read_exports
from .mapped import NotInstalledError, found_library
from .native import c_library

USABLE = "usable"
LOCAL = Path(".heaplaw")
"""The user's mappings for one project: below the current folder."""
BUILT_IN = {
    "libc": "the C library's malloc",
    "pymem_raw": "CPython's PyMem_RawMalloc, …",
    "pymem": "CPython's PyMem_Malloc, …",
    "pyobject": "CPython's PyObject_Malloc, …",
}
"""Subjects that need no mapping, and what they are."""
VERSION = 1
"""Of the JSON document."""
_LEAST, _BELOW = 30, 6
"""Columns that a description has at least; where it begins when it has no room beside the name."""


@dataclass(frozen=True)
class Entry:
    """A subject: its name, and what is known of it without starting it."""

    name: str
    shape: str
    """Empty where the mapping cannot be read."""
    state: str
    """`usable`, or why it is not and what to do."""
    what: str
    origin: str
    """`built in`, `reference implementation`, or the folder of the mapping."""
    path: str = ""
    """The mapping's file."""


def folders() -> list[Path]:
    """Where mappings are looked for by name, in this order: the user's folders, then what ships."""
    told = os.environ.get("XDG_CONFIG_HOME", "")
    try:
        # A relative path is to be ignored (XDG Base Directory Specification).
        home = Path(told) if Path(told).is_absolute() else Path.home() / ".config"
        return [LOCAL, home / "heaplaw" / "mappings", mappings.FOLDER]
    except RuntimeError:  # there is no home
        return [LOCAL, mappings.FOLDER]


def find_mapping(name: str) -> Path | None:
    """The mapping called `name`: a user's comes before one that ships. None when there is none."""
    return next((path for path in _files() if path.stem == name), None)


def names() -> list[str]:
    """Every name that stands for a subject, each once, those of the built-in ones first."""
    from heaplaw.references.table import REFERENCES

    return list(dict.fromkeys((*BUILT_IN, *(path.stem for path in _files()), *(f"ref:{name}" for name in REFERENCES))))


def mappings_of(library: Path) -> list[str]:
    """Names of mappings that ship for the library in the file `library`."""
    return [
        path.stem
        for path in _mappings_in(mappings.FOLDER)
        if (read := _read(path)) and read.kind == "library" and _is_for(read, library)
    ]


def entries() -> list[Entry]:
    """All that can be judged. A name stands for the first mapping that has it; without one, for what is built in."""
    from heaplaw.references.table import REFERENCES

    owners: dict[str, Path] = {}
    mapped = [
        _entry(path, folder, owners.setdefault(path.stem, path))
        for folder in folders()
        for path in _mappings_in(folder)
    ]
    built_in = [
        Entry(name, "malloc", f"hidden by {owners[name]}" if name in owners else _built_in(name), what, "built in")
        for name, what in BUILT_IN.items()
    ]
    reference = [
        Entry(f"ref:{name}", found.shape, USABLE, found.what, "reference implementation")
        for name, found in REFERENCES.items()
    ]
    return built_in + mapped + reference


def listing(page: Page = PLAIN) -> list[Marked]:
    """All of them below the place where they are from: each begins a line, and goes on below where it is longer."""
    every = entries()
    name_width = max(len(entry.name) for entry in every)
    shape_width = max(len(entry.shape) for entry in every)
    lines: list[Marked] = []
    for origin in dict.fromkeys(entry.origin for entry in every):
        title = "with heaplaw" if origin == str(mappings.FOLDER) else origin
        lines += ([Marked("")] if lines else []) + [mark(title, Role.STRONG)]
        for entry in every:
            if entry.origin == origin:
                lines += _told(entry, f"  {entry.name:<{name_width}}  {entry.shape:<{shape_width}}  ", page.columns)
    usable = sum(entry.state == USABLE for entry in every)
    closing = f"{usable} of {len(every)} usable; heaplaw check NAME judges one, heaplaw init LIB begins another"
    return [*lines, Marked(""), *(Marked(text) for text in wrap(closing, page.columns))]


def document() -> dict[str, Any]:
    """All of them, for JSON."""
    return {
        "version": VERSION,
        "subjects": [{**asdict(entry), "usable": entry.state == USABLE} for entry in entries()],
    }


def _told(entry: Entry, start: str, columns: int) -> Iterator[Marked]:
    """The lines of one: `start` with its state, and more beside it where there is room, or below. No word is broken: it
    may be a path.
    """
    if entry.state == USABLE:
        head, text, role = start + mark(USABLE, Role.HELD) + "  ", entry.what, Role.DIM
        least = max(_LEAST, *map(len, text.split() or [""]))
    else:
        word, colon, text = entry.state.partition(": " if ": " in entry.state else " ")
        head, role = start + mark(word + colon, Role.UNDECIDED), Role.UNDECIDED
        least = len(text)
    column = len(head) if columns - len(head) >= least else _BELOW
    parts = wrap(text, columns - column, break_long_words=False, break_on_hyphens=False)
    if parts and column == len(head):
        yield head + mark(parts.pop(0), role)
    else:
        yield head.rstrip()
    yield from (" " * column + mark(part, role) for part in parts)


# --------------------------------------------------------------------------------------------------- the files


def _files() -> Iterator[Path]:
    return (path for folder in folders() for path in _mappings_in(folder))


def _mappings_in(folder: Path) -> list[Path]:
    """The mappings in a folder by name; none where it cannot be read."""
    try:
        return sorted(path for path in folder.iterdir() if path.suffix == ".toml" and path.is_file())
    except OSError:
        return []


def _read(path: Path) -> Mapping | None:
    try:
        return mapping.load(path)
    except MappingError:
        return None


def _is_for(read: Mapping, library: Path) -> bool:
    try:
        return os.path.samefile(found_library(read), library)  # noqa: PTH121 (either may be gone)
    except (OSError, UsageError):
        return library.name in read.where


# --------------------------------------------------------------------------------------------------- the states


def _built_in(name: str) -> str:
    if name == "libc":
        try:
            c_library()
        except UsageError as error:
            return f"not here: {error}"
    elif sys.implementation.name != "cpython":
        return "not here: this Python is not CPython"
    return USABLE


def _entry(path: Path, folder: Path, owner: Path) -> Entry:
    """What is known of a mapping; its name stands for the one in `owner`."""
    shape = ""
    try:
        read = mapping.load(path)
        shape = read.shape
        state = _state(read) if owner == path else f"hidden by {owner}"
    except MappingError as error:
        state = f"broken: {error.count} error{'s' if error.count > 1 else ''}, see heaplaw check {path}"
    return Entry(path.stem, shape, state, _first_sentence(path), str(folder), str(path))


def _state(read: Mapping) -> str:
    """Whether what a mapping judges is there; MappingError when it calls what is not."""
    if read.kind == "source":
        return _compiler(read)
    if read.kind == "python":
        return _module(read)
    try:
        mapping.check_symbols(read, read_exports(found_library(read)))
    except NotInstalledError:
        return f"not here: {_install(read) or ' or '.join(read.where)}"
    except UsageError as error:
        return f"broken: {error}"
    return USABLE


def _install(read: Mapping) -> str:
    return f"install {read.package}" if read.package else ""


def _compiler(read: Mapping) -> str:
    """Whether there is a compiler for the mapping's source. Whether it has what the source includes, it alone knows."""
    suffix = Path(read.where[0]).suffix
    language = next(language for language in LANGUAGES if suffix in language.suffixes)
    told = os.environ.get(language.variable, "")
    try:
        program = next(iter(shlex.split(told)), language.command)
    except ValueError:
        return f"needs a compiler: {language.variable}={told} is no command"
    return USABLE if shutil.which(program) else f"needs a compiler: install {language.package}"


def _module(read: Mapping) -> str:
    """Whether a Python module can be found; it is not imported, and neither is its package."""
    first = read.where[0].partition(".")[0]
    here = [str(Path.cwd()), *sys.path]
    known = first in sys.builtin_module_names or importlib.machinery.PathFinder.find_spec(first, here)
    return USABLE if known else f"not here: {_install(read) or f'no module {first}'}"


def _first_sentence(path: Path) -> str:
    """The first sentence of the comment that a mapping begins with; its first line where none of it is a sentence."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return ""
    comment = [line.lstrip("#").strip() for line in takewhile(lambda line: line.startswith("#"), lines)]
    paragraph = [*takewhile(bool, comment)]
    sentence = re.match(r".*?\.(?=\s|$)", " ".join(paragraph))
    return sentence[0] if sentence else "".join(paragraph[:1])
