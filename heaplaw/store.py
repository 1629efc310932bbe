"""Witnesses on disk: one checksummed JSON file each, named by its content, written whole or not at all."""

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from heaplaw.spec.catalogue import law
from heaplaw.spec.event import Env
from heaplaw.spec.history import Op, Trace, make_trace
from heaplaw.spec.shapes import SHAPES, Kind

from .minimise import Witness
from .subjects import UsageError

VERSION = 1
MOST_STEPS = 1000
"""Longer traces are cut, and say so."""


@dataclass(frozen=True)
class Stored:
    """A witness read back."""

    path: Path
    id: str
    law: str
    subject: Mapping[str, Any]
    identity: str
    trace: Trace
    observed: str
    required: str
    operations: tuple[int, ...]
    document: Mapping[str, Any]


def check_folder(folder: Path) -> None:
    """UsageError when witnesses could not be written there; makes nothing."""
    there = folder
    while not there.exists() and there != there.parent:
        there = there.parent
    if not there.is_dir():
        raise UsageError(f"{folder}: {there} is a file, not a folder; choose another with --output")
    if not os.access(there, os.W_OK | os.X_OK):
        raise UsageError(f"{folder}: {there} cannot be written to; choose another folder with --output")


def document_of(witness: Witness, subject: Mapping[str, Any], identity: str, seed: int) -> dict[str, Any]:
    """The witness as JSON: numbers are decimal, addresses hexadecimal strings."""
    trace, history = witness.trace, witness.history
    kept = min(len(trace), MOST_STEPS)
    found = law(witness.law)
    return {
        "heaplaw": VERSION,
        "law": found.id,
        "name": found.name,
        "sentence": found.sentence,
        "subject": dict(subject),
        "identity": identity,
        "shape": trace.shape,
        "env": {key: int(value) for key, value in vars(history.told).items()},
        "profile": trace.profile,
        "seed": seed,
        "operations": [
            {"op": op.kind.name, "slot": op.slot, "size": op.size, "align": op.align, "count": op.count}
            for op in trace.ops()[:kept]
        ],
        "truncated": kept < len(trace),
        "broken_at": [int(i) for i in witness.violation.operations],
        "observed": witness.violation.observed,
        "required": witness.violation.required,
        "ranges": [
            {"operation": r.op, "low": r.low, "high": r.high, "tried": r.tried, "failed": r.failed}
            for r in witness.ranges
        ],
        "replayed": list(witness.replayed),
        "shrunk_from": witness.shrunk_from,
    }


def identifier(document: Mapping[str, Any]) -> str:
    """Law and the first digits of a digest of what defines the witness: subject and operations."""
    core = json.dumps([document[key] for key in ("law", "subject", "shape", "operations")], sort_keys=True)
    return f"{document['law']}-{hashlib.sha256(core.encode()).hexdigest()[:8]}"


def save(folder: Path, document: Mapping[str, Any]) -> Path:
    """Write a witness; its path. The file is complete under its name, or absent."""
    body = {**document, "id": identifier(document)}
    text = json.dumps(body, indent=1)
    path = folder / f"{body['id']}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=folder, prefix=".writing-")
        with os.fdopen(descriptor, "w") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except OSError as error:
        raise UsageError(
            f"{path}: cannot be written: {error.strerror}; choose another folder with --output"
        ) from error
    return path


def load(path: Path) -> Stored:
    """Read a witness back; UsageError, in one line, when the file is not one."""
    try:
        document = json.loads(path.read_text())
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"{path}: not a stored trace ({error})") from error
    try:
        if document["heaplaw"] != VERSION:
            raise UsageError(
                f"{path}: written in version {document['heaplaw']} of the format; this heaplaw reads {VERSION}"
            )
        ops = [
            Op(Kind[row["op"]], int(row["size"]), int(row["slot"]), int(row["align"]), int(row["count"]))
            for row in document["operations"]
        ]
        env = document["env"]
        told = Env(**{**env, "align_by_size": bool(env["align_by_size"])})
        trace = make_trace(
            SHAPES[document["shape"]].name, ops, told, document["profile"], int(document["seed"])
        )
        return Stored(
            path,
            document["id"],
            law(document["law"]).name,
            document["subject"],
            document["identity"],
            trace,
            document["observed"],
            document["required"],
            tuple(document["broken_at"]),
            document,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"{path}: not a stored trace of heaplaw (missing or wrong: {error})") from error
