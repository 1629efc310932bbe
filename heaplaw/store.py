"""Witnesses on disk: one checksummed JSON file each, named by its content, written whole or not at all."""

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from heaplaw.errors import UsageError
from heaplaw.plan import MOST_INSTANCES
from heaplaw.spec.catalogue import law
from heaplaw.spec.event import NONE, NULL, Env, Status
from heaplaw.spec.history import History, Op, Trace, make_trace, plain_env
from heaplaw.spec.shapes import SHAPES, Kind

from .minimise import Witness

VERSION = 1
PLAIN = ("kind", "slot", "size", "align", "count", "instance", "label")
MOST_TOLD = 2000
"""Of traces up to this length it is kept how each operation ended."""
ALWAYS = ("max_align", "align_by_size", "base", "capacity", "block_size", "num_blocks")
"""What every witness tells of its subject, also one of the first."""
MOST_STEPS = 200_000
"""Longer traces are cut, and say so. A trace that repeats itself is stored once, with the number of times."""


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
    """Those that broke the law."""
    unserved: Mapping[int, Status] | None
    """How those operations ended that were not served; None where the witness does not say."""
    calls: Mapping[str, Any]
    """How a library was called; empty for other subjects, and where the witness does not say."""
    document: Mapping[str, Any]


def check_folder(folder: Path, option: str = "--output") -> None:
    """UsageError when nothing could be written there; leaves nothing behind. `option` is what chose the folder."""
    there = folder
    try:
        while not there.exists() and there != there.parent:
            there = there.parent
        if not there.is_dir():
            raise UsageError(f"{folder}: {there} is a file, not a folder; choose another with {option}")
        with tempfile.TemporaryDirectory(dir=there, prefix=".heaplaw-"):  # as the superuser, only trying tells
            pass
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(
            f"{folder}: cannot be written to ({there}: {reason}); choose another folder with {option}"
        ) from error


def document_of(witness: Witness, subject: Mapping[str, Any], identity: str, seed: int) -> dict[str, Any]:
    """The witness as JSON: numbers are decimal, addresses hexadecimal strings."""
    trace, history = witness.trace, witness.history
    length, times = repetition(trace)
    kept = min(length, MOST_STEPS)
    found = law(witness.law)
    described = dict(subject)
    calls = described.pop("calls", None)
    return {
        "heaplaw": VERSION,
        "law": found.id,
        "name": found.name,
        "sentence": found.sentence,
        "subject": described,
        **({"calls": calls} if calls else {}),
        "identity": identity,
        "shape": trace.shape,
        "env": {key: int(value) for key, value in vars(history.told).items()},
        "profile": trace.profile,
        "seed": seed,
        "operations": [_row(trace.op(index)) for index in range(kept)],
        "times": times,
        "truncated": kept < length,
        "broken_at": [int(i) for i in witness.violation.operations],
        **({"unserved": _unserved(history)} if len(history) <= MOST_TOLD else {}),
        "observed": witness.violation.observed,
        "required": witness.violation.required,
        "ranges": [
            {"operation": r.op, "low": r.low, "high": r.high, "tried": r.tried, "failed": r.failed}
            for r in witness.ranges
        ],
        "replayed": list(witness.replayed),
        "shrunk_from": witness.shrunk_from,
    }


def _unserved(history: History) -> dict[str, str]:
    """The operations that were not served, and how they ended."""
    statuses = (Status(int(status)) for status in history.columns["status"])
    return {str(index): status.name for index, status in enumerate(statuses) if status != Status.OK}


def _row(op: Op) -> dict[str, Any]:
    """One operation; which instance it is about, where that is not the first, and its tag, where it has one."""
    row = {"op": op.kind.name, "slot": op.slot, "size": op.size, "align": op.align, "count": op.count}
    return {**row, **({"instance": op.instance} if op.instance else {}), **({"label": op.label} if op.label else {})}


def repetition(trace: Trace) -> tuple[int, int]:
    """(length, times): the trace is its first `length` operations, `times` over, each time on blocks of its own."""
    n = len(trace)
    columns = {name: np.asarray(trace.columns[name], np.int64 if name == "slot" else np.uint64) for name in PLAIN}
    slot = columns.pop("slot")
    own = (slot != NONE) & (slot != NULL)
    for length in (1, 2, 3, 4):
        if n % length or n < 8 * length:
            continue
        same = all(bool((column[length:] == column[:-length]).all()) for column in columns.values())
        moved = np.where(own[:-length], slot[:-length] + length, slot[:-length])
        if same and bool((moved == slot[length:]).all()):
            return length, n // length
    return n, 1


def identifier(document: Mapping[str, Any]) -> str:
    """Law and the first digits of a digest of what defines the witness: subject and operations.

    Of a path it is the name that counts: the same fault in the same project has one id, wherever the project lies.
    """
    subject = dict(document["subject"])
    subject |= {"path": Path(subject["path"]).name} if subject.get("path") else {}
    rest = [document[key] for key in ("law", "shape", "operations", "times")]
    if law(document["law"]).scenes:  # the same steps may break one promise, or one dialect, or another
        rest.append(document["required"])
    core = json.dumps([subject, *rest], sort_keys=True)
    return f"{document['law']}-{hashlib.sha256(core.encode()).hexdigest()[:8]}"


def checksum(document: Mapping[str, Any]) -> str:
    """A digest of everything else in the document."""
    rest = {key: value for key, value in document.items() if key != "checksum"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def save(folder: Path, document: Mapping[str, Any]) -> Path:
    """Write a witness; its path. The file is complete under its name, or absent."""
    body = {**document, "id": identifier(document)}
    body["checksum"] = checksum(body)
    text = json.dumps(body, indent=1 if len(body["operations"]) <= 1000 else None)
    path = folder / f"{body['id']}.json"
    write_whole(path, text + "\n", "--output")
    return path


def write_whole(path: Path, text: str, option: str) -> None:
    """Write a file that is complete under its name, or absent. UsageError names the option that chose its folder."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)  # noqa: PTH101 - a name, not a Path
        Path(temporary).replace(path)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}; choose another folder with {option}") from error


def load(path: Path) -> Stored:
    """Read a witness back; UsageError, in one line, when the file is not one."""
    try:
        document = json.loads(path.read_text())
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: not a stored trace ({error})") from error
    try:
        return _stored(path, document)
    except KeyError as error:
        raise UsageError(f"{path}: not a stored trace of heaplaw (without {error}, or with an unknown one)") from error
    except (AttributeError, TypeError, ValueError) as error:
        raise UsageError(f"{path}: not a stored trace of heaplaw ({error})") from error


def _operation(row: Mapping[str, Any]) -> Op:
    size, slot, align, count = (int(row[name]) for name in ("size", "slot", "align", "count"))
    op = Op(Kind[row["op"]], size, slot, align, count, int(row.get("instance", 0)), int(row.get("label", 0)))
    if not 0 <= op.instance < MOST_INSTANCES:
        raise ValueError(f"there is no instance {op.instance}")
    if not 0 <= op.label < 256:
        raise ValueError(f"there is no tag {op.label}")
    if not all(0 <= number < 2**64 for number in (op.size, op.align, op.count)) or not 0 <= op.slot < 2**32:
        raise ValueError(f"a number of {row} is out of range")
    return op


def _stored(path: Path, found: Any) -> Stored:
    if not isinstance(found, dict):
        raise TypeError(f"a {type(found).__name__}, not an object")  # pyright: ignore[reportUnknownArgumentType]
    document = cast("dict[str, Any]", found)
    if document["heaplaw"] != VERSION:
        raise UsageError(
            f"{path}: written in version {document['heaplaw']} of the format; this heaplaw reads {VERSION}"
        )
    if document["checksum"] != checksum(document):
        raise UsageError(f"{path}: damaged or changed since it was written (its checksum does not match)")
    ops = [_operation(row) for row in document["operations"]]
    if not ops:
        raise ValueError("it holds no operations")
    times, length = int(document["times"]), len(ops)
    if not 1 <= times * length <= 50_000_000:
        raise ValueError(f"{times} times {length} operations")
    if times > 1:
        ops = [
            op if op.slot in (NONE, NULL) else replace(op, slot=op.slot + turn * length)
            for turn in range(times)
            for op in ops
        ]
    shape = SHAPES[document["shape"]].name
    trace = make_trace(shape, ops, _env(shape, document["env"]), document["profile"], int(document["seed"]))
    unserved = document.get("unserved")
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
        {int(index): Status[name] for index, name in unserved.items()} if unserved is not None else None,
        document.get("calls") or {},
        document,
    )


def _env(shape: str, stored: Mapping[str, Any]) -> Env:
    """What was constant over the run; what an older witness does not tell is as the shape has it."""
    plain = plain_env(shape)
    if absent := [name for name in ALWAYS if name not in stored]:
        raise KeyError(absent[0])
    kinds: dict[str, Any] = {field.name: type(getattr(plain, field.name)) for field in fields(Env)}
    return replace(plain, **{name: kinds[name](value) for name, value in stored.items()})
