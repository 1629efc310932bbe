"""Traces (programs of operations over slots) and histories (what came of running one), as columns.

A trace is in static single assignment: a slot is the index of the operation that made it. Every subset of a trace is a
valid trace, since an operation on an empty slot is skipped. A resize that fails leaves its own slot holding the old
block. Columns are anything with `len` and integer indexing: lists, arrays, mapped memory.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Protocol, TypeAlias

from .event import NONE, NULL, Env, Event, Status
from .layout import fundamental_alignment
from .report import REPORTS, SILENT, Report
from .shapes import ALIGN_TAKERS, SHAPES, Kind


class Cells(Protocol):
    """A column's cells: a list, an array, mapped memory."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: Any, /) -> Any: ...
    def __iter__(self) -> Iterator[Any]: ...


Columns: TypeAlias = Mapping[str, Cells]


@dataclass(frozen=True)
class Column:
    """One column: unsigned integers of `width` bytes."""

    name: str
    width: int
    meaning: str


OP_COLUMNS = (
    Column("kind", 1, "what to do: a Kind"),
    Column(
        "slot",
        4,
        "index of the operation whose block or mark is meant; NULL: the null pointer; NONE where it takes none",
    ),
    Column("size", 8, "bytes asked for, of one element"),
    Column("align", 8, "alignment asked for, by the operations that take one; else 0"),
    Column("count", 8, "number of elements of ZALLOC; else 1"),
    Column("instance", 1, "which instance of the allocator is called"),
    Column("label", 1, "the tag that the new block is given; 0: none"),
)
EVENT_COLUMNS = (
    Column("status", 1, "how the operation ended: a Status"),
    Column("flags", 1, "what was wrong with a payload: a Flag"),
    Column(
        "err", 4, "errno after a refusal and, where it changed, after a free; the error code of POSIX_ALIGNED; else 0"
    ),
    Column("owner", 4, "index of the operation that gave birth to the block or mark named; NONE when there is none"),
    Column("held", 8, "requested size of the block named, bytes"),
    Column("ptr", 8, "address handed out, or what a MARK or a FREE returned; 0 when none was"),
    Column("usable", 8, "the subject's usable size of the block handed out, bytes; 0 where it says nothing"),
    Column("bad_at", 8, "first wrong offset, bytes, where flags is not 0"),
    Column("num_free", 8, "the subject's counter of free blocks, after the operation"),
    Column("num_allocated", 8, "the subject's counter of blocks handed out, after the operation"),
    Column("remaining", 8, "the subject's counter of bytes left, after the operation"),
    Column("total", 8, "the subject's counter of bytes handed out, after the operation"),
    Column("sound", 1, "the subject's check of itself, after the operation: 0 not asked, 1 well, 2 broken"),
)
COUNTERS: Mapping[str, str] = {
    "num_free_blocks": "num_free",
    "num_allocated": "num_allocated",
    "remaining": "remaining",
    "total_allocated": "total",
    "invariant": "sound",
}
"""The column of `EVENT_COLUMNS` that holds each of a subject's own counters."""
COUNTED = frozenset(COUNTERS.values())
"""Those columns."""
REPORT_COLUMNS = tuple(Column(name, 8, "the subject's own word: see spec.report") for name in sorted(REPORTS))
"""What a history may hold beside `EVENT_COLUMNS`, where the subject reports."""


@dataclass(frozen=True)
class Op:
    """One operation of a trace."""

    kind: Kind
    size: int = 0
    slot: int = NONE
    align: int = 0
    count: int = 1
    instance: int = 0
    label: int = 0


@dataclass(frozen=True)
class Trace:
    """A program of operations, with what is constant while it runs.

    `profile` names the workload ("mixed", "steady", "first", …); `parts` gives the first operation and the name of each
    phase, for people.
    """

    shape: str
    columns: Columns
    env: Env = field(default_factory=Env)
    profile: str = "mixed"
    seed: int = 0
    parts: tuple[tuple[int, str], ...] = ()

    def __len__(self) -> int:
        return len(self.columns["kind"])

    def op(self, index: int) -> Op:
        """The operation at `index`, as plain integers."""
        c = self.columns
        return Op(
            Kind(int(c["kind"][index])),
            int(c["size"][index]),
            int(c["slot"][index]),
            int(c["align"][index]),
            int(c["count"][index]),
            int(c["instance"][index]),
            int(c["label"][index]),
        )

    def ops(self) -> list[Op]:
        """All operations."""
        return [self.op(index) for index in range(len(self))]

    def with_ops(self, ops: Iterable[Op]) -> "Trace":
        """The same trace with other operations."""
        return make_trace(self.shape, ops, self.env, self.profile, self.seed)

    def subset(self, indices: Sequence[int]) -> "Trace":
        """The operations at `indices` (ascending), slots renumbered; a slot whose maker is left out becomes empty."""
        place = {NULL: NULL, **{old: new for new, old in enumerate(indices)}}
        ops = [self.op(index) for index in indices]
        return self.with_ops(replace(op, slot=place.get(op.slot, NONE)) for op in ops)


def make_trace(shape: str, ops: Iterable[Op], env: Env | None = None, profile: str = "mixed", seed: int = 0) -> Trace:
    """A trace from single operations."""
    listed = list(ops)
    columns = {
        "kind": [int(op.kind) for op in listed],
        "slot": [op.slot for op in listed],
        "size": [op.size for op in listed],
        "align": [op.align for op in listed],
        "count": [op.count for op in listed],
        "instance": [op.instance for op in listed],
        "label": [op.label for op in listed],
    }
    return Trace(shape, columns, env or plain_env(shape), profile, seed)


def plain_env(shape: str) -> Env:
    """What is constant over a run of a subject that promises nothing beyond its shape."""
    found = SHAPES[shape]
    return Env(
        found.max_align,
        found.align_by_size,
        header=found.header,
        one_buffer=found.one_buffer,
        coalesces=found.name == "malloc",
        max_request_align=2**16 if found.name == "malloc" else 4096,
        aligned_multiple=found.name == "malloc",
    )


def block_align(op: Op, env: Env) -> int:
    """The alignment, in bytes, that a block handed out by `op` must have: for people and for drawing only."""
    if op.kind in ALIGN_TAKERS:
        return op.align
    return int(fundamental_alignment(op.size * op.count, env.max_align)) if env.align_by_size else int(env.max_align)


EXIT_CODES = 256
"""Above all signals: what an operation that ended the process itself tells is this and the exit code."""


@dataclass(frozen=True)
class Completed:
    """Every operation returned."""


@dataclass(frozen=True)
class Died:
    """A signal ended the run in `op`; `where` is "call" (in the subject) or "payload" (the driver touched a block)."""

    op: int
    signal: int
    where: str = "call"


@dataclass(frozen=True)
class Hung:
    """`op` did not return within the limit; `how` says which limit."""

    op: int
    how: str


@dataclass(frozen=True)
class Exited:
    """The process ended itself in `op`."""

    op: int
    code: int


End: TypeAlias = Completed | Died | Hung | Exited


@dataclass(frozen=True)
class History:
    """What came of running a trace on a subject.

    `called` and `returned` are the times of each operation's call and return; without them there is one thread, and
    operation i takes [2i, 2i + 1].
    """

    trace: Trace
    columns: Columns
    end: End = Completed()
    called: Cells | None = None
    returned: Cells | None = None
    env: Env | None = None
    """What the subject told about itself when it started, where that adds to the trace's."""
    others: tuple[Env, ...] = ()
    """The same for the second and further instances, which differ in where their memory lies."""
    counted: frozenset[str] = COUNTED
    """Columns of counters that the subject may have written, and of `REPORT_COLUMNS`."""

    def __len__(self) -> int:
        return len(self.trace)

    @property
    def told(self) -> Env:
        """What is constant over the run."""
        return self.env or self.trace.env

    def told_by(self, instance: int) -> Env:
        """What is constant over the run of one instance."""
        return self.others[instance - 1] if 0 < instance <= len(self.others) else self.told

    def call_time(self, index: int) -> int:
        """When operation `index` was called."""
        return 2 * index if self.called is None else int(self.called[index])

    def return_time(self, index: int) -> int:
        """When operation `index` returned."""
        return 2 * index + 1 if self.returned is None else int(self.returned[index])

    def event(self, index: int, position: int | None = None) -> Event:
        """Operation `index` with what came of it, as plain integers."""
        op, c = self.trace.op(index), self.columns
        return Event(
            kind=op.kind,
            size=op.size,
            align=op.align,
            count=op.count,
            status=int(c["status"][index]),
            flags=int(c["flags"][index]),
            held=int(c["held"][index]),
            ptr=int(c["ptr"][index]),
            usable=int(c["usable"][index]),
            bad_at=int(c["bad_at"][index]),
            num_free=int(c["num_free"][index]),
            num_allocated=int(c["num_allocated"][index]),
            remaining=int(c["remaining"][index]),
            total=int(c["total"][index]),
            sound=int(c["sound"][index]),
            err=self._code(index, int(c["err"][index])),
            index=index if position is None else position,
            instance=op.instance,
            label=op.label,
            report=self.report(index),
            env=self.told_by(op.instance),
        )

    def _code(self, index: int, err: int) -> int:
        """errno; of the operation that ended the process the signal, or EXIT_CODES and the exit code."""
        end = self.end
        if isinstance(end, Died) and end.op == index:
            return end.signal
        return EXIT_CODES + end.code if isinstance(end, Exited) and end.op == index else err

    def report(self, index: int) -> Report:
        """What the subject said of itself after operation `index`."""
        told = self._reported
        return Report(**{name: int(self.columns[name][index]) for name in told}) if told else SILENT

    @cached_property
    def _reported(self) -> frozenset[str]:
        """What the subject reports: the same for all operations, and asked for each."""
        return self.counted & REPORTS

    def owner(self, index: int) -> int:
        """Index of the operation that gave birth to the block that operation `index` names, or NONE."""
        return int(self.columns["owner"][index])


def make_history(
    trace: Trace, rows: Sequence[Mapping[str, int]], end: End | None = None, env: Env | None = None
) -> History:
    """A history from single rows of event columns; what a row leaves out is 0 (`owner`: NONE)."""
    missing = len(trace) - len(rows)
    reported = frozenset(name for row in rows for name in row) & REPORTS
    columns: dict[str, list[int]] = {}
    for name in (*(column.name for column in EVENT_COLUMNS), *sorted(reported)):
        absent = NONE if name == "owner" else int(Status.SKIPPED)
        columns[name] = [row.get(name, absent) for row in rows] + [absent] * missing
    return History(trace, columns, end or Completed(), env=env, counted=COUNTED | reported)
