"""The corpus on disk: one checksummed JSON file for each stretch, named by its content, written whole or not at all.

Folders of two machines are merged by copying the files of one to the other: the same stretch has the same name.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np

from heaplaw import __version__
from heaplaw.models.script import Script
from heaplaw.spec.event import NONE, NULL
from heaplaw.spec.shapes import SHAPES, Kind
from heaplaw.store import check_folder, checksum, write_whole

FORMAT, VERSION = "heaplaw.stretch", 1
OPTION = "--corpus"
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
    """(shape, stretch) of a document; ValueError, TypeError or KeyError in words when it is not one."""
    if document.get("format") != FORMAT:
        raise ValueError("not a stretch of heaplaw")
    if document["version"] != VERSION:
        raise ValueError(f"written in version {document['version']} of the format; this heaplaw reads {VERSION}")
    if document["checksum"] != checksum(document):
        raise ValueError("damaged or changed since it was written (its checksum does not match)")
    shape = SHAPES[document["shape"]].name
    kind = np.array(document["kind"], np.int64)
    n = len(kind)
    if not 0 < n <= LONGEST or any(len(document[name]) != n for name in _COLUMNS):
        raise ValueError("its columns are empty, too long, or of different lengths")
    slot = np.array(document["slot"], np.int64)
    words = [np.array(document[name], np.uint64) for name in ("size", "align", "count")]
    if not set(kind.tolist()) <= _KINDS or bool(((slot < -2) | (slot >= np.arange(n))).any()):
        raise ValueError("an operation that does not exist, or that names a later one")
    slot = np.where(slot == -1, NONE, np.where(slot == -2, NULL, slot))
    return shape, Script(kind.astype(np.uint8), slot, *words)


def parsed(text: str) -> object:
    """JSON; ValueError in words."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise ValueError(f"no JSON, or not whole ({error})") from error


@dataclass
class Corpus:
    """A folder of stretches of one shape. Files of other shapes are left alone."""

    folder: Path
    shape: str
    problems: list[str] = field(default_factory=list[str])
    """What could not be read, a line each."""
    read: int = 0
    written: int = 0

    def __post_init__(self) -> None:
        check_folder(self.folder, OPTION)

    def load(self) -> list[Script]:
        """The stretches that lie there, in the order of their names; files that are none go into `problems`."""
        found = list[Script]()
        for path in sorted(self.folder.glob("*.json")) if self.folder.is_dir() else ():
            try:
                document = parsed(path.read_text())
                if not isinstance(document, dict):
                    raise TypeError("not a stretch of heaplaw")
                shape, script = script_of(cast("dict[str, Any]", document))
            except OSError as error:
                self.problems.append(f"{path}: left out: {error.strerror}")
            except KeyError as error:
                self.problems.append(f"{path}: left out: without {error}, or with an unknown one")
            except (AttributeError, OverflowError, RecursionError, TypeError, ValueError) as error:
                self.problems.append(f"{path}: left out: {error}")
            else:
                found += [script] if shape == self.shape else []
        self.read = len(found)
        return found

    def keep(self, script: Script) -> None:
        """Write a stretch, unless it lies there already."""
        path = self.folder / name_of(self.shape, script)
        if not path.exists():
            write_whole(path, json.dumps(document_of(self.shape, script)) + "\n", OPTION)
            self.written += 1
