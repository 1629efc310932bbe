"""The allocators of the system, as plain objects: sizes and tags in, addresses and numbers out.

Runs in the worker. Tags are numbers there: 0 is none, 3 is "tag 3".
"""

import os
from collections.abc import Callable
from importlib import import_module
from typing import Any

from heaplaw.spec.layout import SIZE_MAX

PACKAGE = "HEAPLAW_REFERENCE"
"""The environment variable that names the package of the reference implementation: a faulty one may stand in."""
LIMIT = 16 * 1024
"""Most bytes that may be live in the allocator with a limit."""
FEW = 8 * 1024
"""Bytes that a starved allocator's parent gives it at most."""
SITE = ("program.swift", 42)
"""What each request gives as its file and line."""
_PREFIX = "tag "


def package(name: str) -> Any:
    """A module of the reference implementation."""
    return import_module(f"{os.environ.get(PACKAGE, 'heaplaw.refimpl')}.{name}")


def tag_of(label: int) -> str:
    """The tag that a label stands for."""
    return f"{_PREFIX}{label}" if label else ""


def label_of(tag: str) -> int:
    """The label of a tag; the largest word for one that was never given."""
    number = tag.removeprefix(_PREFIX)
    return int(number) if number.isdigit() and tag_of(int(number)) == tag else 0 if tag == "" else SIZE_MAX


class Plain:
    """Any allocator of the interface."""

    def __init__(self, allocator: Any) -> None:
        self.allocator = allocator
        self._listed: list[Any] | None = None

    def _changing(self) -> Any:
        """The allocator, about to be called: what its leak report said is out of date."""
        self._listed = None
        return self.allocator

    def alloc(self, size: int, label: int = 0) -> int:
        """A block, or 0."""
        return int(self._changing().alloc(size, tag=tag_of(label), site=SITE))

    def aligned(self, size: int, align: int, label: int = 0) -> int:
        """A block at a multiple of `align`, or 0."""
        return int(self._changing().alloc(size, align, tag=tag_of(label), site=SITE))

    def zeroed(self, size: int, label: int = 0) -> int:
        """A block of zeros, or 0."""
        return int(self._changing().alloc_zeroed(size, tag=tag_of(label), site=SITE))

    def realloc(self, ptr: int, size: int) -> int:
        """The block with another size, or 0."""
        return int(self._changing().realloc(ptr, size, site=SITE))

    def free(self, ptr: int, osize: int) -> None:
        """End a block: told its size and not, in turns, as the address has it."""
        if ptr % 32:
            self._changing().free_sized(ptr, osize)
        else:
            self._changing().free(ptr)

    def reset(self) -> None:
        """End all blocks."""
        self._changing().reset()

    def mark(self) -> int:
        """Enter a scope."""
        return int(self._changing().mark())

    def release(self, mark: int) -> None:
        """Leave a scope."""
        self._changing().release(mark)

    def drop(self) -> None:
        """End the allocator."""
        self._changing().drop()

    def invariant(self) -> bool:
        """Its books agree with each other and with what lies in memory."""
        return bool(self.allocator.invariant())

    # What it reports.

    def total_bytes(self) -> int:
        return int(self.allocator.total_bytes())

    def current_bytes(self) -> int:
        return int(self.allocator.current_bytes())

    def peak_bytes(self) -> int:
        return int(self.allocator.peak_bytes())

    def allocations(self) -> int:
        return int(self.allocator.allocations())

    def footprint(self) -> int:
        return int(self.allocator.footprint())

    def tag_count(self, label: int) -> int:
        return int(self.allocator.tag_count(tag_of(label)))

    def tag_current(self, label: int) -> int:
        return int(self.allocator.tag_current(tag_of(label)))

    def tag_peak(self, label: int) -> int:
        return int(self.allocator.tag_peak(tag_of(label)))

    def _leaks(self) -> list[Any]:
        """The report that would be written now."""
        if self._listed is None:
            self._listed = list(self.allocator.leaks())
        return self._listed

    def leak_count(self) -> int:
        return len(self._leaks())

    def leak_bytes(self) -> int:
        return sum(leak.size for leak in self._leaks())

    def _lines(self, ptr: int) -> list[Any]:
        return [leak for leak in self._leaks() if leak.address == ptr]

    def leak_lines(self, ptr: int) -> int:
        return len(self._lines(ptr))

    def leak_size(self, ptr: int) -> int:
        return sum(leak.size for leak in self._lines(ptr)[:1])

    def leak_tag(self, ptr: int) -> int:
        lines = self._lines(ptr)
        if not lines:
            return 0
        return label_of(lines[0].tag) if (lines[0].file, lines[0].line) == SITE else SIZE_MAX


class Everything(Plain):
    """A registry: a label is a subsystem, and what is reported of a tag is what its subsystem reports.

    Marks and resets are those of all subsystems at once.
    """

    def __init__(self, registry: Any, subsystems: list[Any]) -> None:
        super().__init__(registry)
        self._every = [registry.get(subsystem) for subsystem in subsystems]
        self._subsystems = subsystems
        self._marks: list[list[int]] = []

    def _of(self, label: int) -> Any:
        self._listed = None
        return self._every[label]

    def alloc(self, size: int, label: int = 0) -> int:
        return int(self._of(label).alloc(size, tag=tag_of(label), site=SITE))

    def aligned(self, size: int, align: int, label: int = 0) -> int:
        return int(self._of(label).alloc(size, align, tag=tag_of(label), site=SITE))

    def zeroed(self, size: int, label: int = 0) -> int:
        return int(self._of(label).alloc_zeroed(size, tag=tag_of(label), site=SITE))

    def reset(self) -> None:
        for label in range(len(self._every)):
            self._of(label).reset()

    def mark(self) -> int:
        self._marks.append([int(self._of(label).mark()) for label in range(len(self._every))])
        return len(self._marks) - 1

    def release(self, mark: int) -> None:
        for label, inner in enumerate(self._marks[mark]):
            self._of(label).release(inner)

    def drop(self) -> None:
        self.allocator.shutdown()

    def invariant(self) -> bool:
        return all(bool(one.invariant()) for one in self._every)

    def total_bytes(self) -> int:
        return int(self.allocator.totals().total_bytes)

    def current_bytes(self) -> int:
        return int(self.allocator.totals().current_bytes)

    def peak_bytes(self) -> int:
        return int(self.allocator.totals().peak_bytes)

    def allocations(self) -> int:
        return int(self.allocator.totals().allocations)

    def footprint(self) -> int:
        return sum(int(one.footprint()) for one in self._every)

    def _reported(self, label: int) -> Any:
        """What its statistics say of a subsystem."""
        return self.allocator.statistics()[self._subsystems[label]]

    def tag_count(self, label: int) -> int:
        return int(self._reported(label).allocations)

    def tag_current(self, label: int) -> int:
        return int(self._reported(label).current_bytes)

    def tag_peak(self, label: int) -> int:
        return int(self._reported(label).peak_bytes)

    def _leaks(self) -> list[Any]:
        if self._listed is None:
            self._listed = list(self.allocator.leaks().leaks)
        return self._listed


def made(build: Callable[[Any], Any]) -> Plain:
    """The allocator that `build` makes of the package `system`."""
    return Plain(build(package("system")))


def platform() -> Plain:
    return made(lambda system: system.Platform())


def arena() -> Plain:
    return made(lambda system: system.Arena(4096))


def arena_starved() -> Plain:
    return made(lambda system: system.Arena(1024, system.Limited(system.Platform(), FEW)))


def pools_starved() -> Plain:
    return made(lambda system: system.SizePools(system.Limited(system.Platform(), 16 * FEW), chunk_size=1024))


def trace_starved() -> Plain:
    return made(lambda system: system.Trace(system.Platform(), system.Limited(system.Platform(), FEW)))


def fixed() -> Plain:
    return made(lambda system: system.Freelist(64, 16))


def pools() -> Plain:
    return made(lambda system: system.SizePools())


def trace() -> Plain:
    return made(lambda system: system.Trace(system.Platform()))


def trace_arena() -> Plain:
    return made(lambda system: system.Trace(system.Arena(4096)))


def limited() -> Plain:
    return made(lambda system: system.Limited(system.Platform(), LIMIT))


def large() -> Plain:
    return made(lambda system: system.Mapped(system.Platform(), 16 * 1024))


def collected() -> Plain:
    def find_nothing(emergency: bool) -> None:
        """There is no garbage."""

    return made(lambda system: system.GcAllocator(system.Platform(), find_nothing, 16 * 1024))


def registry() -> Everything:
    system = package("system")
    return Everything(system.Registry(switches=system.Switches()), list(system.Subsystem))
