"""Recorded kills: for each mutant in C a short trace that shows its fault, on disk, and what it shows when run again.

A folder holds a file of JSON lines for each kind of allocator, sorted by mutant; a line is one kill. It is named by its
law and a digest of mutant and trace, as stored witnesses are, so that a line that was changed is noticed. Operations
leave out what is as usual; a trace longer than `LONGEST` is compressed, and one that repeats itself is stored once.
"""

import base64
import hashlib
import json
import stat
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, cast

from heaplaw import store
from heaplaw.errors import UsageError
from heaplaw.spec.catalogue import CATALOGUE, law
from heaplaw.spec.event import NONE, NULL
from heaplaw.spec.history import Op, Trace, make_trace
from heaplaw.spec.shapes import SHAPES, Kind
from heaplaw.subjects import resolve

from .cases import Case, all_cases, present
from .engines import alarms_on, breaks, seen_on
from .matrix import Row

__all__ = ["Again", "Recorded", "again", "load", "record"]

LONGEST = 60
"""Operations of traces that are stored in words."""
_PLAIN = Op(Kind.ALLOC)
_FIELDS = ("id", "mutant", "law", "shape", "profile")
_ANEW = "delete it, and record it anew (heaplaw mutants NAME --record FOLDER)"


@dataclass(frozen=True)
class Recorded:
    """One kill."""

    mutant: str
    law: str
    trace: Trace

    @property
    def id(self) -> str:
        """The law's id and the first digits of a digest of mutant and trace."""
        number, body = law(self.law).id, _body(self.trace)
        told = [{"mutant": self.mutant}, number, *(body[name] for name in ("shape", "operations", "times"))]
        # Of a kill that is all: what is required follows from the mutant's mapping.
        return f"{number}-{hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:8]}"


@dataclass(frozen=True)
class Again:
    """What a recorded kill shows now."""

    kill: Recorded
    broken: bool
    """The trace breaks the recorded law on the mutant."""
    alarms: tuple[str, ...]
    """Laws that it breaks on the correct allocator that the mutant is made of."""

    @property
    def sound(self) -> bool:
        """The law sees the fault, and nothing else."""
        return self.broken and not self.alarms


# ---- on disk


def _body(trace: Trace) -> dict[str, Any]:
    """Shape and operations: what is stored once, and how many times over it is run."""
    length, times = store.repetition(trace)
    return {"shape": trace.shape, "operations": [_row(trace.op(index)) for index in range(length)], "times": times}


def _row(op: Op) -> dict[str, Any]:
    """The operation's name, and what is not as usual."""
    usual = asdict(_PLAIN)
    told = {name: value for name, value in asdict(op).items() if name != "kind" and value != usual[name]}
    return {"op": op.kind.name, **told}


def _packed(rows: Sequence[Mapping[str, Any]]) -> str:
    text = json.dumps(rows, separators=(",", ":"))
    return base64.b85encode(zlib.compress(text.encode(), 9)).decode()


def _unpacked(text: str) -> Any:
    return json.loads(zlib.decompress(base64.b85decode(text)))


def _line(kill: Recorded) -> str:
    trace, body = kill.trace, _body(kill.trace)
    rows, times = body["operations"], {"times": body["times"]} if body["times"] > 1 else {}
    told = {"operations": rows} if len(rows) <= LONGEST else {"packed": _packed(rows)}
    head = {"id": kill.id, "mutant": kill.mutant, "law": kill.law, "steps": len(trace)}
    return json.dumps({**head, "shape": trace.shape, "profile": trace.profile, **times, **told})


def record(folder: Path, rows: Iterable[Row]) -> int:
    """Write the kills of these rows into `folder`, in place of earlier ones of the same mutants; how many there were.

    Kills of mutants that are no more go. UsageError where the folder cannot be written to.
    """
    known = {case.name: case.group for case in all_cases() if case.traced}
    found = {
        row.case.name: Recorded(row.case.name, kill.law, kill.trace)
        for row in rows
        for kill in row.kills[:1]
        if kill.trace is not None and row.case.name in known
    }
    earlier = {kill.mutant: kill for kill in load(folder)} if folder.is_dir() else {}
    kept = {name: kill for name, kill in {**earlier, **found}.items() if name in known}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for group in sorted({known[name] for name in found}):
            lines = [_line(kept[name]) for name in sorted(kept) if known[name] == group]
            (folder / f"{group}.jsonl").write_text("".join(f"{line}\n" for line in lines))
    except OSError as error:
        raise UsageError(f"{folder}: cannot be written to: {error.strerror}; choose another folder") from error
    return len(found)


def load(folder: Path) -> list[Recorded]:
    """The kills in a folder; UsageError, in one line, when it holds none, or one that is damaged."""
    files = [(path, _text(path)) for path in sorted(folder.glob("*.jsonl"))]
    if not files and not folder.is_dir():
        raise UsageError(f"{folder}: no such folder; heaplaw mutants --record writes one")
    return [
        _read(f"{path}:{number}", line)
        for path, text in files
        for number, line in enumerate(text.splitlines(), 1)
        if line.strip()
    ]


def _text(path: Path) -> str:
    """What a file of kills holds."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise UsageError(f"{path}: a folder, a pipe or a device, not a file of kills; move it elsewhere")
        return path.read_text("utf-8")
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}; move it elsewhere") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not text in UTF-8; {_ANEW}") from error


def _read(where: str, line: str) -> Recorded:
    """The kill that a line tells of; UsageError in words."""
    try:
        kill, identity = _told(line)
    except ValueError as error:
        raise UsageError(f"{where}: not a recorded kill: {error}; {_ANEW}") from error
    if kill.id != identity:
        raise UsageError(f"{where}: changed since it was recorded (its digest is {kill.id}); {_ANEW}")
    return kill


def _told(line: str) -> tuple[Recorded, str]:
    """A kill, and what it says that its digest is; ValueError in words."""
    try:
        told: Any = json.loads(line)
    except (RecursionError, ValueError) as error:
        raise ValueError("not JSON, or cut off") from error
    if not isinstance(told, dict):
        raise ValueError("not a JSON object")
    told = cast("dict[str, Any]", told)
    if missing := [name for name in _FIELDS if name not in told]:
        raise ValueError(f"without {missing[0]!r}")
    if "operations" not in told and "packed" not in told:
        raise ValueError("without 'operations', and without 'packed'")
    if told["shape"] not in SHAPES:
        raise ValueError(f"of shape {told['shape']!r}, which this heaplaw does not know")
    if told["law"] not in CATALOGUE:
        raise ValueError(f"of a law {told['law']!r}, which this heaplaw does not know")
    try:
        rows = told["operations"] if "operations" in told else _unpacked(told["packed"])
    except (RecursionError, TypeError, ValueError, zlib.error) as error:
        raise ValueError("its packed operations are damaged") from error
    try:
        ops = list(_repeated([_op(row) for row in rows], int(told.get("times", 1))))
        trace = make_trace(SHAPES[told["shape"]].name, ops, profile=told["profile"])
        return Recorded(told["mutant"], told["law"], trace), told["id"]
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise ValueError("an operation that does not exist, or with a word that is no number of it") from error


def _op(row: Mapping[str, Any]) -> Op:
    told = {name: int(value) for name, value in row.items() if name != "op"}
    return replace(_PLAIN, kind=Kind[row["op"]], **told)


def _repeated(ops: Sequence[Op], times: int) -> Iterator[Op]:
    """The operations so many times over, each time on blocks of their own."""
    for turn in range(times):
        for op in ops:
            yield op if op.slot in (NONE, NULL) else replace(op, slot=op.slot + turn * len(ops))


# ---- run again


def again(kills: Iterable[Recorded]) -> Iterator[Again]:
    """Each kill on its mutant and on the correct allocator; those of one allocator together.

    UsageError where a kill names no mutant.
    """
    cases = {case.name: case for case in all_cases() if case.traced}
    bases: dict[str, list[tuple[Recorded, Case]]] = {}
    for kill in kills:
        if kill.mutant not in cases:
            raise UsageError(f"{kill.id}: there is no mutant {kill.mutant}")
        case = cases[kill.mutant]
        if not present(case):
            raise UsageError(
                f"{kill.mutant}: its library is not built here; install a C compiler, then reinstall heaplaw"
            )
        bases.setdefault(case.base, []).append((kill, case))
    for base, those in bases.items():
        correct = resolve(f"mutant:{base}")[0]
        try:
            for kill, case in those:
                yield Again(kill, _broken(kill, case), alarms_on(correct, kill.law, kill.trace))
        finally:
            correct.close()


def _broken(kill: Recorded, case: Case) -> bool:
    subject = case.subject()
    try:
        on, history = seen_on(subject, kill.law, kill.trace)
        return breaks(CATALOGUE[kill.law], history, on)
    finally:
        subject.close()
