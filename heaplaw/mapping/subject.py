"""What a mapping judges, and the memory that it gives: every key of the top level that is no call."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from . import vocabulary as vocab
from .fields import Section
from .model import Buffer, Kind
from .problems import did_you_mean, listing, tick

_LIBRARY = "a path, a name for the loader, or a list of them"


@dataclass(frozen=True)
class Judged:
    """What is judged, and where it is."""

    kind: Kind | None
    """None: it was not said, or said twice."""
    where: tuple[str, ...]
    package: str | None
    preload: bool | None
    environment: dict[str, str]


def judged(top: Section, given: frozenset[str]) -> Judged:
    """The keys that say what is judged; `given` holds also those that were meant."""
    kinds = [kind for kind in vocab.KINDS if kind in given]
    if not kinds:
        top.problems.add(
            f"nothing says what is judged: one of {listing(vocab.KINDS)} is needed",
            None,
            'for example library = "./libmine.so"',
        )
    for other in kinds[1:]:
        first = top.document.key((kinds[0],))
        line = f"{tick(kinds[0])} is in line {first.line}" if first else ""
        top.problems.add(f"only one of {listing(vocab.KINDS)} can be judged", top.document.key((other,)), line)
    where = {"library": _library(top), "source": _source(top), "python": _module(top)}
    kind = kinds[0] if len(kinds) == 1 else None
    preload = top.flag("preload")
    if kind not in (None, "library") and "preload" in top.table:
        top.problems.add("only a `library` can be preloaded", top.document.key(("preload",)))
    return Judged(
        kind=cast("Kind | None", kind),
        where=where[kind] if kind else (),
        package=top.text("package"),
        preload=preload,
        environment=_environment(top),
    )


def _library(top: Section) -> tuple[str, ...]:
    names = top.texts("library", _LIBRARY)
    written: object = top.table.get("library")
    for name in names:
        element = ("library", cast("list[object]", written).index(name)) if isinstance(written, list) else ("library",)
        position = top.document.value(element)
        if not Path(name).name or name.endswith(("/", "..")):
            top.problems.add(f"{tick(name)} is a folder, not a library", position)
        elif "**" in name:
            top.problems.add(f"{tick(name)} goes through folders", position, "a `*` stands for a part of one name")
    return names


def _source(top: Section) -> tuple[str, ...]:
    name = top.text("source", "the path of a C or C++ file")
    if name is None:
        return ()
    folder = top.document.path.parent
    path = folder / name
    if path.suffix not in vocab.SOURCES:
        top.refuse("source", f"{tick(name)} is neither C nor C++", f"its name must end in {listing(vocab.SOURCES)}")
    elif not os.path.isfile(path):  # noqa: PTH113 (Path.is_file raises on names that no file can have)
        top.refuse("source", f"there is no file {tick(name)} beside the mapping", _similar(path))
    return (name,)


def _similar(path: Path) -> str:
    try:
        there = sorted(entry.name for entry in path.parent.iterdir() if entry.suffix in vocab.SOURCES)
    except OSError:
        there = []
    return did_you_mean(path.name, there)


def _module(top: Section) -> tuple[str, ...]:
    name = top.text("python", 'a module such as "package.module"')
    if name is None:
        return ()
    if not all(part.isidentifier() for part in name.split(".")):
        advice = 'as in an import, without ".py": "package.module"'
        top.refuse("python", f"{tick(name)} is not the name of a module", advice)
    return (name,)


def _environment(top: Section) -> dict[str, str]:
    table = top.below("environment", "a table of strings")
    found: dict[str, str] = {}
    for name in table.table if table else ():
        assert table is not None
        value: object = table.table[name]
        if not name or "=" in name or "\0" in name:
            position = table.document.key((*table.route, name))
            table.problems.add(f"{tick(name)} is not the name of a variable", position)
        elif not isinstance(value, str):
            quoted = isinstance(value, (int, float)) and not isinstance(value, bool)
            table.wrong(name, value, "a string", "write the number in quotes" if quoted else "")
        elif table.sound(name, value, empty=True):
            found[name] = value
    return found


def constants(top: Section) -> dict[str, int]:
    """The constants that are given."""
    found = {
        name: top.number(name, *span, "bytes as a whole number" if name != "num_blocks" else "a whole number")
        for name, span in vocab.CONSTANTS.items()
    }
    if "buffer" in top.table and "capacity" in top.table:
        advice = "`capacity` is for an instance that makes its own buffer"
        top.problems.add("`capacity` is the size of `buffer` already", top.document.key(("capacity",)), advice)
    return {name: value for name, value in found.items() if value is not None}


def buffer(top: Section) -> Buffer | None:
    """The buffer, if one is given."""
    value = top.table.get("buffer")
    if not isinstance(value, dict):
        size = top.number("buffer", 1, vocab.MOST_BYTES, "bytes as a whole number, or a table of `size` and `align`")
        return None if size is None else Buffer(size)
    table = top.below("buffer")
    assert table is not None
    meant = table.unknown(vocab.BUFFER_KEYS, {})
    if "size" not in table.table and "size" not in meant:
        top.refuse("buffer", "`buffer` has no `size`", "for example { size = 65536, align = 4096 }")
    size = table.number("size", 1, vocab.MOST_BYTES, "bytes as a whole number")
    align = table.power("align", vocab.MOST_ALIGN)
    return None if size is None else Buffer(size, align or Buffer(size).align)
