"""The corpus on disk: one checksummed JSON file for each stretch, named by its content, written whole or not at all.

Folders of two machines are merged by copying the files of one to the other: the same stretch has the same name.
"""

import hashlib
import json
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np

from heaplaw import __version__
from heaplaw.errors import UsageError
from heaplaw.models.script import Script
from heaplaw.spec.event import NONE, NULL
from heaplaw.spec.shapes import SHAPES, Kind
from heaplaw.store import check_folder, checksum, write_whole

FORMAT, VERSION = "heaplaw.stretch", 1
OPTION = "--corpus"
AGAIN = "delete it, or copy it again from where it came"
"""What can be done about a file that is damaged."""
LONGEST = 20_000
"""Operations of a stretch that is read, at most."""
_KINDS = frozenset(int(kind) for kind in Kind)
_COLUMNS = ("kind", "slot", "size", "align", "count")


def document_of(shape: str, script: Script) -> dict[str, Any]:
    """A stretch as JSON: columns of numbers; a slot is -1 where there is none, and -2 where it is the null pointer."""
    slot = np.where(script.slot == NONE, -1, np.where(script.slot == NULL, -2, script.slot))
    columns = {name: (slot if name == "slot" else getattr(script, name)).tolist() for name in _COLUMNS}
    body = {"heaplaw": __version__, "format": FORMAT, "version": VERSION, "shape": shape, **columns}
    return {**body, "checksum": checksum(body)}


def name_of(shape: str, script: Script) -> str:
    """The file's name: a digest of the shape and the operations."""
    document = document_of(shape, script)
    core = json.dumps([shape, *(document[name] for name in _COLUMNS)])
    return f"{shape}-{hashlib.sha256(core.encode()).hexdigest()[:16]}.json"


def script_of(document: Mapping[str, Any]) -> tuple[str, Script]:
    """(shape, stretch) of a document; ValueError in words when it is not one."""
    if document.get("format") != FORMAT:
        raise ValueError("not a stretch of heaplaw; move it elsewhere")
    if missing := [name for name in ("version", "checksum", "shape", *_COLUMNS) if name not in document]:
        raise ValueError(f"without {missing[0]!r}, which every stretch has; {AGAIN}")
    if document["version"] != VERSION:
        raise ValueError(
            f"written in version {document['version']} of the format; this heaplaw reads {VERSION}; delete it"
        )
    if document["checksum"] != checksum(document):
        raise ValueError(f"damaged or changed since it was written (its checksum does not match); {AGAIN}")
    try:
        return _whole(document)
    except (AttributeError, OverflowError, TypeError) as error:
        raise ValueError(f"a column that does not hold numbers alone, or too large ones; {AGAIN}") from error


def _whole(document: Mapping[str, Any]) -> tuple[str, Script]:
    """The same of a document with all its fields."""
    shape = document["shape"]
    if shape not in SHAPES:
        raise ValueError(f"of shape {shape!r}, which this heaplaw does not know; delete it, or use a newer heaplaw")
    kind = np.array(document["kind"], np.int64)
    n = len(kind)
    if not 0 < n <= LONGEST or any(len(document[name]) != n for name in _COLUMNS):
        raise ValueError(f"its columns are empty, too long, or of different lengths; {AGAIN}")
    slot = np.array(document["slot"], np.int64)
    words = [np.array(document[name], np.uint64) for name in ("size", "align", "count")]
    if not set(kind.tolist()) <= _KINDS or bool(((slot < -2) | (slot >= np.arange(n))).any()):
        raise ValueError(f"an operation that does not exist, or that names a later one; {AGAIN}")
    slot = np.where(slot == -1, NONE, np.where(slot == -2, NULL, slot))
    return shape, Script(kind.astype(np.uint8), slot, *words)


def parsed(text: str) -> object:
    """JSON; ValueError in words."""
    try:
        return json.loads(text)
    except (RecursionError, ValueError) as error:
        raise ValueError(f"not JSON, or cut off; {AGAIN}") from error


def text_of(path: Path) -> str:
    """The text of a regular file; ValueError in words for what is none, since a pipe may keep a reader waiting."""
    if path.is_symlink() and not path.exists():
        raise ValueError("a link to a file that is not there; delete it")
    if not stat.S_ISREG(path.stat().st_mode):
        raise ValueError("a folder, a pipe or a device, not a file; move it elsewhere")
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"not text in UTF-8; {AGAIN}") from error


def check_place(folder: Path) -> None:
    """UsageError when a corpus cannot lie there: it has a folder of its own, made where its parent exists."""
    if folder == Path():  # an empty name as well
        raise UsageError(
            f"{OPTION}: a corpus has a folder of its own, of many small files; name one, as {OPTION} corpus"
        )
    check_folder(folder, OPTION)
    if not folder.parent.is_dir():
        raise UsageError(f"{folder}: there is no folder {folder.parent}; make it, or choose another with {OPTION}")


@dataclass
class Corpus:
    """A folder of stretches of one shape. Files of other shapes are left alone."""

    folder: Path
    shape: str
    problems: list[str] = field(default_factory=list[str])
    """What could not be read, a line each."""
    read: int = 0
    written: int = 0
    there: int = 0
    """Stretches that were kept and not written: the same ones lay there, read or found before."""

    def __post_init__(self) -> None:
        check_place(self.folder)

    def load(self) -> list[Script]:
        """The stretches that lie there, in the order of their names; files that are none go into `problems`."""
        found = list[Script]()
        for path in sorted(self.folder.glob("*.json")) if self.folder.is_dir() else ():
            try:
                document = parsed(text_of(path))
                if not isinstance(document, dict):
                    raise ValueError("not a stretch of heaplaw; move it elsewhere")
                shape, script = script_of(cast("dict[str, Any]", document))
            except OSError as error:
                self.problems.append(f"{path}: left out: cannot be read: {error.strerror}")
            except ValueError as error:
                self.problems.append(f"{path}: left out: {error}")
            else:
                found += [script] if shape == self.shape else []
        self.read = len(found)
        return found

    def keep(self, script: Script) -> None:
        """Write a stretch, unless it lies there already."""
        path = self.folder / name_of(self.shape, script)
        if path.exists():
            self.there += 1
            return
        write_whole(path, json.dumps(document_of(self.shape, script)) + "\n", OPTION)
        self.written += 1
