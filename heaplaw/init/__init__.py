"""`heaplaw init`: a first mapping, written from what a shared library exports and its debug information says."""

import glob
import os
from pathlib import Path

from heaplaw.errors import UsageError
from heaplaw.subjects.elf import Exports, read_exports
from heaplaw.subjects.listing import mappings_of
from heaplaw.subjects.mapped import library_folders

from .guess import candidates, guess
from .signatures import STANDARD, read_signatures
from .text import Draft, draft
from .words import Group, groups

__all__ = ["Draft", "drafted", "write_mapping"]

PRINT = "-"
"""What stands for the standard output."""


def write_mapping(
    library: str, shape: str | None = None, output: str = "", force: bool = False, prefix: str | None = None
) -> list[str]:
    """Write a mapping for the shared library `library` to `output`, and give the lines to be printed.

    `output`: a file, a folder, "-" for none (the mapping itself is then given), or empty for NAME.toml, here. A file
    that is there is left alone unless `force`. UsageError, one line, when there is nothing to be written, or no place.
    """
    where = found_library(library)
    target = Path() if output == PRINT else _target(output, where)
    if output != PRINT and not force and os.path.lexists(target):
        raise UsageError(f"{target}: there is one already: --force writes over it, -o FILE elsewhere")
    folder = Path() if output == PRINT else target.parent
    made = drafted(where, folder, shape, prefix)
    if output == PRINT:
        return [*made.lines, *(f"# {line}" for line in _closing(made, where, "FILE"))]
    _write(target, made, force)
    return [f"{target}: written", *_closing(made, where, str(target))]


def drafted(where: Path, folder: Path, shape: str | None = None, prefix: str | None = None) -> Draft:
    """The mapping for the library in the file `where`, as it would be in `folder`."""
    exports = read_exports(where)
    found = groups(exports.functions)
    named = {name for group in found.values() if group.score for name in group.names}
    read = read_signatures(where, named)
    standard = {name: signature for name, signature in STANDARD.items() if name in exports.functions}
    known = {**standard, **read}
    likely = candidates(found, known)
    if prefix is not None:
        likely = _chosen(likely, prefix, where)
    if not likely:
        raise UsageError(_nothing(where, exports))
    told = guess(likely, known, exports.functions, shape)
    return draft(told, _named(where, folder), name_of(where), bool(read))


def name_of(where: Path) -> str:
    """What a library is called: libtlsf.so.2 is tlsf."""
    return where.name.partition(".so")[0].removeprefix("lib") or "mapping"


def found_library(library: str) -> Path:
    """The file that the user means: a path, or a name that the loader would find."""
    if "/" in library or os.path.lexists(library):
        return Path(library)
    found = _loaded(library)
    if found is None:
        raise UsageError(f"{library}: no such file, neither here nor where the loader looks")
    return found


def _loaded(name: str) -> Path | None:
    """The file that the loader takes for a library's name."""
    return next((folder / name for folder in library_folders() if (folder / name).is_file()), None)


# ------------------------------------------------------------------------------------------------- what is said


def _named(where: Path, folder: Path) -> str:
    """How a mapping in `folder` names the library: as the loader does if that finds it, else by a path from there."""
    path = os.path.relpath(where.absolute(), folder.resolve())
    if where.is_absolute() and _loaded(where.name) == where:
        path = where.name
    elif "/" not in path:
        path = f"./{path}"
    try:
        path.encode()
    except UnicodeEncodeError as error:
        raise UsageError(f"{str(where)!a}: the name is not UTF-8, and no mapping can hold it") from error
    return glob.escape(path)


def _closing(made: Draft, where: Path, name: str) -> list[str]:
    """What there is to do."""
    lines: list[str] = []
    if made.guessed:
        how = "" if made.read else " (a library built with -g leaves less to be guessed)"
        lines.append(f"guessed, to be checked: {_numbers(made.guessed)}{how}")
    ready = mappings_of(where)
    if ready:
        lines.append(f"there is a mapping for this library already: heaplaw check {' or '.join(ready)}")
    if made.missing:
        return [*lines, f"to be filled in: {_numbers(made.missing)} of {name}; then: heaplaw check {name}"]
    return [*lines, f"next: heaplaw check {name}"]


def _numbers(numbers: tuple[int, ...]) -> str:
    *most, last = map(str, numbers)
    return f"lines {', '.join(most)} and {last}" if most else f"line {last}"


def _chosen(likely: list[Group], prefix: str, where: Path) -> list[Group]:
    """The groups with the one first whose names begin with `prefix`."""
    key = prefix.strip("_").lower()
    chosen = [group for group in likely if group.key == key]
    if not chosen:
        known = ", ".join(group.prefix or "''" for group in likely[:5])
        instead = f"; what does begins with {known}" if known else ""
        raise UsageError(f"{where}: nothing that begins with {prefix} looks like an allocator{instead}")
    return [*chosen, *(group for group in likely if group.key != key)]


def _nothing(where: Path, exports: Exports) -> str:
    """Why no mapping can be written."""
    if any(group.score for group in groups(exports.hidden).values()):
        return (
            f"{where}: its allocator is static or hidden: declare it extern, with default visibility, and build again"
        )
    names = sorted(name for name in exports.functions if not name.startswith("_Z"))
    mangled = len(exports.functions) - len(names)
    if not exports.functions:
        return f"{where}: it exports no functions"
    some = f" ({', '.join(names[:6])}{', …' if len(names) > 6 else ''})" if names else ""
    cpp = f'; {mangled} have C++ names: what is declared extern "C" can be called' if mangled else ""
    return (
        f"{where}: none of the {len(exports.functions)} functions that it exports looks like an allocator's{some}{cpp}"
    )


# ---------------------------------------------------------------------------------------------------- the file


def _target(output: str, where: Path) -> Path:
    """The file to be written."""
    path = Path(output)
    if not output or path.is_dir():
        return path / f"{name_of(where)}.toml"
    if path.suffix != ".toml":
        raise UsageError(f"{output}: the name of a mapping ends in .toml")
    return path


def _write(target: Path, made: Draft, force: bool) -> None:
    text = "".join(f"{line}\n" for line in made.lines)
    try:
        with target.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise UsageError(f"{target}: there is one already: --force writes over it, -o FILE elsewhere") from error
    except OSError as error:
        raise UsageError(f"{target}: cannot be written: {error.strerror}") from error
