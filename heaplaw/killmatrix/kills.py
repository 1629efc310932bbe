"""Recorded kills: for each mutant in C a short trace that shows its fault, on disk, and what it shows when run again.

A folder holds a file of JSON lines for each kind of allocator, sorted by mutant; a line is one kill. It is named by its
law and a digest of mutant and trace, as stored witnesses are, so that a line that was changed is noticed. Operations
leave out what is as usual; a trace longer than `LONGEST` is compressed, and one that repeats itself is stored once.
"""

import base64
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

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


@dataclass(frozen=True)
class Recorded:
    """One kill."""

    mutant: str
    law: str
    trace: Trace

    @property
    def id(self) -> str:
        """The law's id and the first digits of a digest of mutant and trace."""
        return store.identifier({"law": law(self.law).id, "subject": {"mutant": self.mutant}, **_body(self.trace)})


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
    try:
        files = [(path, path.read_text()) for path in sorted(folder.glob("*.jsonl"))]
    except OSError as error:
        raise UsageError(f"{error.filename}: cannot be read: {error.strerror}") from error
    if not files and not folder.is_dir():
        raise UsageError(f"{folder}: no such folder; heaplaw mutants --record writes one")
    return [
        _read(f"{path}:{number}", line)
        for path, text in files
        for number, line in enumerate(text.splitlines(), 1)
        if line.strip()
    ]


def _read(where: str, line: str) -> Recorded:
    try:
        told = json.loads(line)
        rows = told["operations"] if "operations" in told else _unpacked(told["packed"])
        ops = list(_repeated([_op(row) for row in rows], int(told.get("times", 1))))
        trace = make_trace(SHAPES[told["shape"]].name, ops, profile=told["profile"])
        kill = Recorded(told["mutant"], law(told["law"]).name, trace)
        if kill.id != told["id"]:
            raise UsageError(f"{where}: changed since it was recorded (its digest is {kill.id})")
    except (KeyError, TypeError, ValueError, zlib.error) as error:
        raise UsageError(f"{where}: not a recorded kill ({type(error).__name__} {error})") from error
    return kill


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
