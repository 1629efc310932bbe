"""Drives an allocator through its interface, and has every operation judged by the laws of the catalogue."""

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from hypothesis import strategies as st

from heaplaw.refimpl.system import (
    Allocator,
    Arena,
    Freelist,
    GcAllocator,
    Limited,
    Mapped,
    Observed,
    Platform,
    SizePools,
    ThreadLocal,
    Trace,
)
from heaplaw.spec.catalogue import law
from heaplaw.spec.event import NONE, Env, Event, Flag, Status, Zero
from heaplaw.spec.judge import Online
from heaplaw.spec.report import Report
from heaplaw.spec.shapes import SWEEPERS, Kind

LAWS = [
    *("aligned", "sized", "blocks_disjoint", "payload_kept", "realloc_keeps_prefix", "realloc_failure_keeps_block"),
    *("zeroed", "failure_is_reported", "overflow_is_failure", "failure_changes_nothing", "free_is_served"),
    *("zero_size_as_promised", "reset_frees_all", "release_frees_all", "scope_frees_all"),
    *("stats_exact", "peak_exact", "tags_exact", "leak_report_exact"),
]

SUBJECTS: dict[str, Callable[[], Allocator]] = {
    "platform": Platform,
    "arena": lambda: Arena(256),
    "arena over pools": lambda: Arena(160, parent=SizePools(chunk_size=1024)),
    "freelist": lambda: Freelist(64, 3),
    "freelist of 8 bytes": lambda: Freelist(1, 2),
    "pools": lambda: SizePools(sizes=(16, 48, 128), chunk_size=200),
    "trace of platform": lambda: Trace(Platform()),
    "trace of arena": lambda: Trace(Arena(256)),
    "trace of freelist": lambda: Trace(Freelist(100, 2)),
    "limited": lambda: Limited(Platform(), 300),
    "traced, limited pools": lambda: Trace(Limited(SizePools(chunk_size=512), 300)),
    "mapped": lambda: Mapped(Arena(256), 150),
    "observed": lambda: Observed(Trace(Platform()), lambda notice: None),
    "collected": lambda: GcAllocator(Freelist(128, 2), lambda emergency: None, 100),
    "thread-local": lambda: ThreadLocal(lambda: Trace(Platform())),
}

Act = tuple[Kind, int, int, int, int]
"""What to do: kind, size, alignment (0: the allocator's), label, and which of the blocks or marks."""


def tag_of(label: int) -> str:
    return f"tag {label}" if label else ""


def acts(largest: int = 300) -> st.SearchStrategy[list[Act]]:
    """Programs of the interface."""
    often = [Kind.ALLOC, Kind.ALLOC, Kind.ALLOC, Kind.ZALLOC, Kind.FREE, Kind.FREE, Kind.RESIZE, Kind.CHECK]
    kinds = st.sampled_from([*often, Kind.MARK, Kind.RELEASE, Kind.RESET])
    sizes = st.integers(0, largest) | st.sampled_from([0, 1, 8, 16, 64, 65, 2**62, 2**63, 2**64, 2**70])
    return st.lists(
        st.tuples(kinds, sizes, st.sampled_from([0, 0, 0, 1, 8, 64]), st.integers(0, 2), st.integers(0, 7)), max_size=30
    )


@dataclass(frozen=True)
class Block:
    ptr: int
    size: int
    label: int
    pattern: bytes


class Judged:
    """An allocator in use."""

    def __init__(self, allocator: Allocator, *, limit: int = 0) -> None:
        self.allocator = allocator
        self.env = Env(allocator.alignment, False, zero_size=Zero.UNIQUE, limit=limit, aligned_multiple=False)
        self.online = Online([law(name) for name in [*LAWS, *(["limit_enforced"] if limit else [])]])
        self.blocks: dict[int, Block] = {}
        self.marks: dict[int, int] = {}
        self.index = 0

    def run(self, program: Sequence[Act]) -> "Judged":
        for act in program:
            self.act(*act)
        return self

    def act(self, kind: Kind, size: int = 0, align: int = 0, label: int = 0, pick: int = 0) -> Event | None:
        """One operation, judged; None where there is no block or mark for it."""
        found = self.marks if kind == Kind.RELEASE else self.blocks
        if kind == Kind.RESIZE and align and found:  # a little more
            size = self.blocks[list(found)[pick % len(found)]].size + align
        # An allocator of one alignment refuses others, and promises nothing of 0 bytes of them.
        align = align if size and kind == Kind.ALLOC else 0
        owner = NONE
        if kind in (Kind.FREE, Kind.RESIZE, Kind.CHECK, Kind.RELEASE):
            if not found:
                return None
            owner = list(found)[pick % len(found)]
        event, made = self._call(kind, size, align, label, owner)
        said = made or self.blocks.get(owner)
        asked_for = label if kind in (Kind.ALLOC, Kind.ZALLOC) else 0
        self._settle(event, made, owner)
        event = replace(event, report=self._report(said, said.label if said else asked_for), index=self.index)
        broken = self.online.feed(self.index, event, owner)
        assert not broken, f"{self.allocator.name}, operation {self.index}, {event}: {broken}"
        assert self.allocator.invariant()
        self.index += 1
        return event

    def _call(self, kind: Kind, size: int, align: int, label: int, owner: int) -> tuple[Event, Block | None]:
        asked, flag, bad_at = align or None, Flag.NOTHING, 0
        held = self.blocks.get(owner, Block(0, 0, 0, b""))
        ended = list(self.blocks.values()) if kind in SWEEPERS else [held] if held.ptr else []
        wrong = next((at for block in ended if (at := first_wrong(block.ptr, block.pattern)) is not None), None)
        ptr, takes = 0, kind in (Kind.ALLOC, Kind.ZALLOC)
        if kind == Kind.ALLOC:
            ptr = self.allocator.alloc(size, asked, tag=tag_of(label))
        elif kind == Kind.ZALLOC:
            ptr = self.allocator.alloc_zeroed(size, asked, tag=tag_of(label))
            at = first_wrong(ptr, bytes(size)) if ptr else None
            flag, bad_at = (Flag.NOTHING, 0) if at is None else (Flag.NOT_ZERO, at)
        elif kind == Kind.RESIZE:
            ptr = self.allocator.realloc(held.ptr, size)
            at = first_wrong(ptr or held.ptr, held.pattern[:size] if ptr else held.pattern)
            lost = Flag.PREFIX_LOST if ptr else Flag.FAILED_CHANGED
            flag, bad_at, label = (Flag.NOTHING, 0, held.label) if at is None else (lost, at, held.label)
        elif kind == Kind.FREE:
            (self.allocator.free if label else lambda p: self.allocator.free_sized(p, held.size))(held.ptr)
        elif kind == Kind.RESET:
            self.allocator.reset()
        elif kind == Kind.MARK:
            ptr = self.allocator.mark()
        elif kind == Kind.RELEASE:
            self.allocator.release(self.marks[owner])
        if wrong is not None:
            flag, bad_at = Flag.DAMAGED, wrong
        refused = ptr == 0 and (takes or kind == Kind.RESIZE)
        aligned = kind == Kind.ALLOC and align
        event = Event(
            Kind.ALIGNED if aligned else kind,
            size if takes or kind == Kind.RESIZE else 0,
            align if aligned else 0,
            status=Status.FAILED if refused else Status.OK,
            flags=int(flag),
            held=held.size,
            ptr=ptr,
            bad_at=bad_at,
            label=label if takes else 0,
            env=self.env,
        )
        made = Block(ptr, size, label, pattern(self.index, size)) if event.makes else None
        return event, made

    def _settle(self, event: Event, made: Block | None, owner: int) -> None:
        since = -1 if event.kind == Kind.RESET else owner
        if event.kind in SWEEPERS:
            self.blocks = {index: block for index, block in self.blocks.items() if index < since}
            self.marks = {index: mark for index, mark in self.marks.items() if index < since}
        elif event.ends:
            del self.blocks[owner]
        if event.kind == Kind.MARK:
            self.marks[self.index] = event.ptr
        elif made is not None:
            ctypes.memmove(made.ptr, made.pattern, made.size)
            self.blocks[self.index] = made

    def _report(self, said: Block | None, label: int) -> Report:
        a, tag = self.allocator, tag_of(label)
        lines = [leak for leak in a.leaks() if said is not None and leak.address == said.ptr]
        return Report(
            current_bytes=a.current_bytes(),
            peak_bytes=a.peak_bytes(),
            total_bytes=a.total_bytes(),
            allocations=a.allocations(),
            tag_count=a.tag_count(tag),
            tag_current=a.tag_current(tag),
            tag_peak=a.tag_peak(tag),
            leak_count=a.leak_count(),
            leak_bytes=a.leak_bytes(),
            leak_lines=len(lines),
            leak_size=lines[0].size if lines else 0,
            leak_tag=int(lines[0].tag.removeprefix("tag ") or 0) if lines else 0,
            footprint=a.footprint(),
        )


def pattern(index: int, size: int) -> bytes:
    """What an owner writes: never zeros."""
    return bytes((index + at) % 251 + 1 for at in range(min(size, 4096)))


def first_wrong(ptr: int, expected: bytes) -> int | None:
    """The first offset at which memory does not hold what is expected."""
    found = ctypes.string_at(ptr, len(expected))
    return next((at for at, (a, b) in enumerate(zip(found, expected, strict=True)) if a != b), None)
