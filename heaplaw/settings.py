"""Settings that lie with a project: the table `[tool.heaplaw]` of the nearest pyproject.toml that has one.

Light to import, and to use where there is no such table; what holds it against the command line's options is loaded
when there is one (`heaplaw/defaults.py`), and what knows lines and columns when there are mistakes in it.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

FILE = "pyproject.toml"
ROUTE = ("tool", "heaplaw")
"""How the table is reached from the top of the file."""

_NAMED = re.compile(rb"tool[\"']?\s*\.\s*[\"']?heaplaw\b")
"""A file that is no TOML is ours to complain of when it seems to hold the table."""


@dataclass(frozen=True)
class Settings:
    """What a project says of its checks; None, or empty: nothing. Paths are absolute."""

    subjects: tuple[str, ...] = ()
    """What is judged when nothing is named: absolute paths, and names as `heaplaw subjects` lists them."""
    seed: int | None = None
    operations: int | None = None
    """Of the main run."""
    seconds: float | None = None
    """For minimising each law."""
    output: Path | None = None
    """Where traces are kept."""
    path: Path | None = None
    """The file that said so; None when there is none."""


@dataclass(frozen=True)
class Table:
    """The table as it stands in the file at `path`, which is absolute."""

    path: Path
    value: object


def find(start: Path) -> Table | None:
    """The nearest table, in the folder `start` or one above; MappingError for a file that cannot be read, or is
    broken and seems to hold it.
    """
    for folder in (here := start.absolute(), *here.parents):
        path = folder / FILE
        try:
            data = path.read_bytes()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            continue
        except OSError:
            _refuse(path)
            continue
        try:
            whole = tomllib.loads(data.decode("utf-8-sig"))
        except (ValueError, RecursionError):
            if _NAMED.search(data):
                _refuse(path)
            continue
        tool = whole.get(ROUTE[0])
        if isinstance(tool, Mapping) and ROUTE[1] in tool:
            return Table(path, cast("Mapping[str, object]", tool)[ROUTE[1]])
    return None


def shown(path: Path) -> Path:
    """The path as seen from the current folder."""
    return Path(os.path.relpath(path))


def _refuse(path: Path) -> None:
    """MappingError for a file that cannot be read, or is no TOML: what is wrong with it, and where."""
    from .mapping.positions import read as read_with_places

    read_with_places(shown(path))


def read(start: Path) -> Settings:
    """The settings that hold in the folder `start`; MappingError, with all mistakes, when they cannot be used."""
    table = find(start)
    if table is None:
        return Settings()
    from .cli import cli
    from .defaults import checked

    folder = table.path.parent
    given: dict[str, Any] = checked(table, cli.commands, lambda text: os.path.normpath(folder / text)).get("check", {})
    output = given.get("output")
    return Settings(
        subjects=tuple(given.get("subjects", ())),
        seed=given.get("seed"),
        operations=given.get("operations"),
        seconds=given.get("seconds"),
        output=None if output is None else Path(output),
        path=table.path,
    )
