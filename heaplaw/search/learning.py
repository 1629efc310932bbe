"""From histories to knowledge: where classes of sizes end, what fits, how many blocks lie side by side."""

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from heaplaw.models.adaptive import Knowledge
from heaplaw.spec.event import Status
from heaplaw.spec.shapes import ALIGN_TAKERS, REQUESTS, Kind

from .behaviour import Column, Facts

FAR = 2**20
"""Blocks further apart than this, bytes, do not lie side by side."""
VAST = 2**24
"""What is larger, bytes, is refused for its own sake, and not because the subject is full."""
MOST_EDGES, MOST_GAPS, MOST_ROWS = 400, 24, 64
"""As many are kept of each sort."""
_PLAIN = np.array([int(kind) for kind in REQUESTS if kind not in ALIGN_TAKERS], np.uint8)
_ALIGNED = np.array([int(kind) for kind in ALIGN_TAKERS], np.uint8)


@dataclass
class Learner:
    """What was learnt so far."""

    steps: dict[int, int] = field(default_factory=dict[int, int])
    """For each size what a block of it takes: its usable size, or the least distance to the next one, bytes."""
    largest: int = 0
    refused: int = 0
    fills: dict[int, int] = field(default_factory=dict[int, int])
    runs: dict[int, int] = field(default_factory=dict[int, int])
    aligns: set[int] = field(default_factory=set[int])

    def take(self, f: Facts) -> None:
        """Learn from the facts of one run."""
        plain = f.makes & np.isin(f.kind, _PLAIN)
        at = np.flatnonzero(plain)
        if len(at):
            self._distances(f, at)
        if f.usable.any():
            sizes, where = np.unique(f.extent[at], return_index=True)
            self.steps.update(zip(sizes.tolist(), f.usable[at][where].tolist(), strict=True))
        if len(at):
            self.largest = max(self.largest, int(f.extent[at].max()))
        aligned = f.makes & np.isin(f.kind, _ALIGNED)
        self.aligns |= set(np.unique(f.align[aligned]).tolist())
        self._refusals(f)

    def _distances(self, f: Facts, at: Column) -> None:
        """How far apart equal blocks come, and after how many of them the next one comes from elsewhere."""
        size, ptr = f.extent[at], f.ptr[at].astype(np.int64)
        delta = np.abs(np.diff(ptr))
        beside = (size[1:] == size[:-1]) & (at[1:] == at[:-1] + 1) & (delta > 0) & (delta < FAR)
        for s, d in zip(size[1:][beside].tolist(), delta[beside].tolist(), strict=True):
            if d >= s and d < self.steps.get(s, FAR):
                self.steps[s] = d
        # Rows: consecutive requests of one size whose distance is the same, up to one whose is another.
        if len(at) < 8:
            return
        same = beside[1:] & beside[:-1] & (delta[1:] == delta[:-1])
        ends = np.flatnonzero(~same)
        lengths = np.diff(ends, prepend=-1)
        broken = lengths >= 4
        for end, length in zip(ends[broken].tolist(), lengths[broken].tolist(), strict=True):
            if end + 2 < len(size) and size[end + 2] == size[end + 1]:  # it went on, but elsewhere
                self.runs[int(size[end])] = int(length) + 1

    def _refusals(self, f: Facts) -> None:
        """What was refused, and how many blocks were live then."""
        failed = np.flatnonzero((f.status == Status.FAILED) & np.isin(f.kind, _PLAIN) & (f.extent <= VAST))
        if not len(failed):
            return
        change = f.makes.astype(np.int64) - f.ends
        total = np.cumsum(change)
        swept = (f.status == Status.OK) & ((f.kind == Kind.RESET) | (f.kind == Kind.RENEW))
        live = total - np.maximum.accumulate(np.where(swept, total, 0))
        empty = failed[live[failed] == 0]
        if len(empty):
            least = int(f.extent[empty].min())
            self.refused = min(self.refused or least, least)
        for row in failed[:MOST_ROWS].tolist():
            blocks, size = int(live[row]), int(f.extent[row])
            if 0 < blocks < 2**16 and row and f.extent[row - 1] == f.extent[row]:
                self.fills[size] = blocks

    def known(self) -> Knowledge:
        """What is known now."""
        sizes = sorted(self.steps)
        edges, gaps = list[int](), list[tuple[int, int]]()
        for low, high in pairwise(sizes):
            if self.steps[low] == self.steps[high]:
                continue
            if high - low == 1:
                edges.append(low)
            elif len(gaps) < MOST_GAPS and low >= 64:
                gaps.append((low, high))
        if len(edges) > MOST_EDGES:
            edges = edges[:: 1 + len(edges) // MOST_EDGES]
        return Knowledge(
            tuple(edges),
            tuple(gaps),
            self.largest,
            self.refused,
            tuple(list(self.fills.items())[-MOST_ROWS:]),
            tuple(list(self.runs.items())[-MOST_ROWS:]),
            tuple(sorted(self.aligns)),
        )
