"""What is run to count what calls cost: a heap is filled to several sizes, and at each some calls are counted."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from heaplaw.spec.catalogue.cost import APART, Form
from heaplaw.spec.event import NONE, Env
from heaplaw.spec.history import Trace
from heaplaw.spec.shapes import ALIGN_TAKERS, REQUESTS, Kind

SIZES: tuple[int, ...] = (48, 16, 112, 64)
"""Bytes of requests, one after the other: the same at every size of the heap, so that the same calls are compared."""
ALIGN = 64
"""Bytes that aligned requests ask for."""
POINTS = ((10, 1_000, 100_000), (10, 1_000, 10_000), (10, 100, 1_000), (10, 100))
"""Numbers of live blocks, the most that the subject has room for."""
LEAST = 50
"""With room for fewer, nothing is told."""
MADE = ("kind", "slot", "size", "align")
"""Columns of the trace that differ from operation to operation."""
PAST = (3, 8)
"""Requests are counted from so many blocks before a power of two, and so many of them: a table that is full there
doubles.
"""
WARM = 4
"""Calls of each operation before anything is counted."""


@dataclass(frozen=True)
class Group:
    """Calls of one operation at one size of the heap."""

    kind: Kind
    form: Form
    blocks: int
    rows: tuple[int, ...]
    live: int = 0
    """Blocks that are live before the first of them."""


@dataclass(frozen=True)
class Workload:
    """A trace, and which of its calls are counted."""

    trace: Trace
    groups: tuple[Group, ...]

    def marks(self, cap: int, late: int) -> NDArray[np.uint64]:
        """The marks of native/step.h: up to `cap` instructions are counted, and `late` calls of a group may take more
        before its further ones are left out.
        """
        found = np.zeros(len(self.trace), np.uint64)
        for number, group in enumerate(self.groups, 1):
            found[list(group.rows)] = number << 32 | late << 24 | cap
        return found


@dataclass(frozen=True)
class Interface:
    """What can be called: operations, and what is constant over a run."""

    shape: str
    kinds: frozenset[Kind]
    env: Env
    room: int = 2**63
    """Blocks that there is room for, as far as was tried."""

    @property
    def requests(self) -> list[Kind]:
        """Operations that ask for a block, in order."""
        return [kind for kind in REQUESTS if kind in self.kinds]

    @property
    def blocks(self) -> int:
        """How many blocks there are, where that is known: a pool's; else 0."""
        return int(self.env.num_blocks) if self.shape == "pool" else 0

    @property
    def forms(self) -> tuple[Form, ...]:
        """The heaps that calls are counted in."""
        if Kind.FREE in self.kinds:
            return (Form.FRESH, Form.FRAGMENTED, *((Form.NEARLY_FULL,) if self.blocks else ()))
        return (Form.FRESH, Form.USED) if {Kind.RESET, Kind.POP} & self.kinds else (Form.FRESH,)

    def slack(self, calls: int) -> int:
        """Blocks that are live beyond a heap's size while calls are counted, at most."""
        ends = {Kind.FREE, Kind.POP} & self.kinds
        return calls * (1 if ends else len(self.requests)) + 2


@dataclass
class Builder:
    """A trace in the making, with the blocks that are live in it, oldest first."""

    face: Interface
    calls: int
    """How many calls of each operation are counted at each size."""
    columns: dict[str, list[int]] = field(
        default_factory=lambda: {name: [] for name in ("kind", "slot", "size", "align")}
    )
    live: list[int] = field(default_factory=list[int])
    groups: list[Group] = field(default_factory=list[Group])
    _asked: int = 0

    def __post_init__(self) -> None:
        """The same draws in every run."""
        self._rng = random.Random(1)

    def _make(self, kind: Kind, size: int = 0, slot: int = NONE, align: int = 0) -> int:
        made = zip(self.columns.values(), (kind, slot, size, align), strict=True)
        for column, value in made:
            column.append(int(value))
        return len(self.columns["kind"]) - 1

    def request(self, kind: Kind) -> int:
        """A request."""
        env = self.face.env
        size = int(env.block_size) if self.face.shape == "pool" else SIZES[self._asked % len(SIZES)]
        align = min(ALIGN, int(env.max_request_align)) if kind in ALIGN_TAKERS else 0
        if kind == Kind.ALIGNED and env.aligned_multiple:
            size = (size + align - 1) // align * align
        self._asked += 1
        row = self._make(kind, size, align=align)
        self.live.append(row)
        return row

    def fill(self, blocks: int) -> None:
        """Requests until so many blocks are live."""
        many, kind = blocks - len(self.live), self.face.requests[0]
        if many <= 0:
            return
        if kind in ALIGN_TAKERS:
            for _ in range(many):
                self.request(kind)
            return
        if self.face.shape == "pool":
            sizes = [int(self.face.env.block_size)] * many
        else:
            at = self._asked % len(SIZES)
            sizes = (list(SIZES) * (many // len(SIZES) + 2))[at : at + many]
        self._asked += many
        self.live += self._all(kind, sizes, [NONE] * many)

    def _all(self, kind: Kind, sizes: list[int], slots: list[int]) -> range:
        """Many operations of one kind: they are most of the trace."""
        start, many = len(self.columns["kind"]), len(sizes)
        self.columns["kind"] += [int(kind)] * many
        self.columns["slot"] += slots
        self.columns["size"] += sizes
        self.columns["align"] += [0] * many
        return range(start, start + many)

    def resize(self) -> int:
        """A resize of one of the live blocks."""
        place = self._rng.randrange(len(self.live))
        size = SIZES[self._asked % len(SIZES)]
        self._asked += 1
        row = self._make(Kind.RESIZE, size, self.live[place])
        self.live[place] = row
        return row

    def free(self) -> int:
        """A block is freed, wherever it is among the others."""
        place = self._rng.randrange(len(self.live))
        self.live[place], self.live[-1] = self.live[-1], self.live[place]
        return self._make(Kind.FREE, slot=self.live.pop())

    def pop(self) -> int:
        """The newest block goes."""
        self.live.pop()
        return self._make(Kind.POP)

    def reset(self) -> int:
        """All blocks go."""
        self.live.clear()
        return self._make(Kind.RESET)

    def end(self) -> int | None:
        """A block goes, where one can."""
        kinds = self.face.kinds
        return self.free() if Kind.FREE in kinds else self.pop() if Kind.POP in kinds else None

    def warm(self) -> None:
        """Every operation, a few times. Each block ends at once: caches of freed blocks are not filled, from which all
        requests of a small heap would be served, and none of a large one.
        """
        for kind in self.face.requests:
            for _ in range(WARM):
                self.request(kind)
                if Kind.RESIZE in self.face.kinds:
                    self.resize()
                self.end()
        if Kind.MARK in self.face.kinds:
            self._marked([], [])
        while self.live and self.end() is not None:
            pass
        if self.live and Kind.RESET in self.face.kinds:
            self.reset()

    def _marked(self, marks: list[int], releases: list[int]) -> None:
        """A mark, two requests, and back."""
        mark = self._make(Kind.MARK)
        marks.append(mark)
        kept = len(self.live)
        for _ in range(2):
            self.request(self.face.requests[0])
        releases.append(self._make(Kind.RELEASE, slot=mark))
        del self.live[kept:]

    def _group(self, kind: Kind, form: Form, blocks: int, rows: Sequence[int], live: int = 0) -> None:
        if rows:
            self.groups.append(Group(kind, form, blocks, tuple(rows), live))

    def grow(self, blocks: int) -> None:
        """Fill, and count the requests with which the number of live blocks passes a power of two."""
        rows, (before, many) = list[int](), PAST
        for power in range(3, blocks.bit_length()):
            start = 2**power - before
            if len(self.live) <= start and start + many <= blocks:
                self.fill(start)
                rows += [self.request(self.face.requests[0]) for _ in range(many)]
        self._group(self.face.requests[0], Form.GROWING, blocks, rows)
        self.fill(blocks)

    def drain(self, blocks: int) -> None:
        """Blocks are freed in an irregular order until so many are live."""
        self._rng.shuffle(self.live)
        gone = self.live[blocks:]
        del self.live[blocks:]
        self._all(Kind.FREE, [0] * len(gone), gone)

    def count(self, form: Form, blocks: int) -> None:
        """Count every operation once with about so many blocks: as many are live afterwards, where blocks can end."""
        kinds, ends, live = self.face.kinds, list[int](), len(self.live)
        ender = Kind.FREE if Kind.FREE in kinds else Kind.POP
        for kind in self.face.requests:
            self._group(kind, form, blocks, [self.request(kind) for _ in range(self.calls)], live)
            gone = (self.end() for _ in range(self.calls))
            ends += [row for row in gone if row is not None]
        if Kind.RESIZE in kinds and self.live:
            self._group(Kind.RESIZE, form, blocks, [self.resize() for _ in range(self.calls)], live)
        self._group(ender, form, blocks, ends[: self.calls], live)
        if Kind.MARK in kinds:
            marks, releases = list[int](), list[int]()
            for _ in range(self.calls):
                self._marked(marks, releases)
            self._group(Kind.MARK, form, blocks, marks, live)
            self._group(Kind.RELEASE, form, blocks, releases, live)

    def fragment(self, blocks: int) -> None:
        """From half as many again, every other block is freed in an irregular order, and some room taken again."""
        self.fill(max(blocks, min(blocks * 3 // 2, self.face.room - self.face.slack(self.calls))))
        holes = self.live[::2]
        self._rng.shuffle(holes)
        gone = set(holes)
        self.live = [row for row in self.live if row not in gone]
        self._all(Kind.FREE, [0] * len(holes), holes)
        self.fill(blocks)

    def empty(self, form: Form, blocks: int) -> None:
        """All blocks go: by a reset, which is counted, or one after the other."""
        if Kind.RESET in self.face.kinds:
            self._group(Kind.RESET, form, blocks, [self.reset()])
        while self.live and self.end() is not None:
            pass

    def built(self) -> Workload:
        """What was made of it."""
        n = len(self.columns["kind"])
        columns = {**self.columns, "count": [1] * n, "instance": [0] * n, "label": [0] * n}
        return Workload(Trace(self.face.shape, columns, self.face.env, "cost"), tuple(self.groups))


def workload(face: Interface, form: Form, points: Sequence[int], calls: int) -> Workload:
    """The heap in that form, at each of `points`, smallest first; `calls` of each operation are counted at each."""
    made = Builder(face, calls)
    made.warm()
    for blocks in points:
        if form == Form.NEARLY_FULL:
            # All blocks once: else some calls would take blocks that were never used, and others those that were.
            if not made.groups:
                made.fill(face.blocks)
            made.drain(face.blocks - blocks)
            made.calls = min(calls, max(1, blocks // 2))
        elif form == Form.USED:
            made.fill(blocks)
            made.empty(form, blocks)
        elif form == Form.FRAGMENTED:
            made.fragment(blocks)
        elif form == Form.FRESH:
            made.grow(blocks)
        if form != Form.NEARLY_FULL:
            made.fill(blocks)
        made.count(form, blocks)
        if form == Form.FRAGMENTED and Kind.RESET in face.kinds:
            made.empty(form, blocks)
    return made.built()


def probe(face: Interface, most: int) -> Trace:
    """Requests alone: how many are served tells how many blocks there is room for."""
    made = Builder(face, 1)
    made.fill(most)
    return made.built().trace


def points(room: int, slack: int) -> tuple[int, ...]:
    """The sizes to count at, where there is room for `room` blocks; none where two would not be far enough apart."""
    found = next((sizes for sizes in POINTS if sizes[-1] + slack <= room), ())
    tenth = (room - slack) // APART
    return found or ((tenth, tenth * APART) if tenth * APART >= LEAST else ())


assert all(sizes[-1] // APART >= sizes[-2] for sizes in POINTS)
__all__ = ["Group", "Interface", "Workload", "points", "probe", "workload"]
