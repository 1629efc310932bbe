"""The interface that all allocators of the system share. Source: the allocator system, Abstract Allocator Interface.

Sizes and addresses are in bytes. A request that cannot be served gives 0 and changes nothing; a call that no correct
program makes (a negative size, an alignment that is no power of two, a double free, a foreign or interior pointer, a
wrong size, a use after `drop`) raises `MisuseError` and changes nothing. So does a `reset`, `release` or `drop` that
would end chunks of another allocator, which hands out pieces of them: that one is dropped first.

Allocators are not thread-safe: each thread has instances of its own (`perthread`); an instance that was `confine`d
refuses calls from other threads, others do not look.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

Site: TypeAlias = tuple[str, int]
"""Where a program allocates: file and line."""


@dataclass(frozen=True)
class TagStatistics:
    """What was allocated under one tag. Bytes are those asked for."""

    count: int = 0
    """Successful allocations so far."""
    current: int = 0
    """Bytes that are live now."""
    peak: int = 0
    """The most that `current` ever was."""


@dataclass(frozen=True)
class Statistics:
    """What an allocator did so far. Bytes are those asked for, but in `footprint`."""

    total_bytes: int
    """Handed out in all."""
    current_bytes: int
    """Live now."""
    peak_bytes: int
    """The most that were ever live between two operations."""
    allocations: int
    """Successful allocations; a successful realloc is one, of its new size, and a free of the old block."""
    live_blocks: int
    tags: Mapping[str, TagStatistics]
    """By tag, in order of first use; "" has what was allocated without one."""


@dataclass(frozen=True)
class Leak:
    """A block that is live: neither freed, nor ended by a reset or by the end of its scope."""

    address: int
    size: int
    """Bytes asked for."""
    file: str
    """Where it was allocated; "" when that was not recorded."""
    line: int
    tag: str
    serial: int
    """Which allocation of its allocator made it, counted from 1."""


class Allocator(ABC):
    """What a program may ask of an allocator."""

    name: str
    """For people."""
    alignment: int
    """What every block is aligned to, where not more is asked for: bytes, a power of two."""

    @abstractmethod
    def alloc(self, size: int, align: int | None = None, *, tag: str = "", site: Site | None = None) -> int:
        """The address of a new block, or 0.

        A block of 0 bytes has an address of its own. `align` is a power of two; less than `alignment` is as much.
        `tag` is for statistics; `site` is where the program allocates, which recording allocators find out themselves
        when it is left out.
        """

    @abstractmethod
    def alloc_zeroed(self, size: int, align: int | None = None, *, tag: str = "", site: Site | None = None) -> int:
        """As `alloc`, and all bytes of the block are 0."""

    @abstractmethod
    def realloc(self, ptr: int, size: int, *, tag: str = "", site: Site | None = None) -> int:
        """A block of `size` bytes that begins with what the live block `ptr` held, in its place or elsewhere, or 0, and
        then the old block stays as it was.

        The block keeps its alignment, and its tag unless another is given. `realloc(0, size)` is `alloc(size)`; size 0
        is a size like any other.
        """

    @abstractmethod
    def free(self, ptr: int) -> None:
        """End the live block `ptr`; 0 is no block, and ignored."""

    @abstractmethod
    def free_sized(self, ptr: int, size: int) -> None:
        """As `free`; `size` must be what was asked for."""

    @abstractmethod
    def reset(self) -> None:
        """End all blocks and marks."""

    @abstractmethod
    def mark(self) -> int:
        """A mark for `release`."""

    @abstractmethod
    def release(self, mark: int) -> None:
        """End all blocks made, or resized, since `mark`, with the mark itself and those taken after it."""

    @abstractmethod
    def drop(self) -> None:
        """End all blocks and give everything back; only statistics can be asked for afterwards."""

    @abstractmethod
    def statistics(self) -> Statistics:
        """Exact after every operation."""

    @abstractmethod
    def footprint(self) -> int:
        """Bytes held from the parent, or asked of the system, now: headers, padding and metadata included."""

    @abstractmethod
    def leaks(self) -> list[Leak]:
        """All live blocks, in order of birth."""

    @abstractmethod
    def invariant(self) -> bool:
        """The books agree with each other and with what lies in memory. O(blocks); for tests and debugging."""

    # Single numbers, for those who want no record.

    def total_bytes(self) -> int:
        """Bytes handed out in all so far."""
        return self.statistics().total_bytes

    def current_bytes(self) -> int:
        """Bytes asked for and live now."""
        return self.statistics().current_bytes

    def peak_bytes(self) -> int:
        """The most bytes that were ever live."""
        return self.statistics().peak_bytes

    def allocations(self) -> int:
        """Successful allocations so far, reallocs among them."""
        return self.statistics().allocations

    def tag_count(self, tag: str) -> int:
        """Successful allocations so far under a tag."""
        return self.statistics().tags.get(tag, TagStatistics()).count

    def tag_current(self, tag: str) -> int:
        """Bytes live now under a tag."""
        return self.statistics().tags.get(tag, TagStatistics()).current

    def tag_peak(self, tag: str) -> int:
        """The most bytes that were ever live under a tag."""
        return self.statistics().tags.get(tag, TagStatistics()).peak

    def leak_count(self) -> int:
        """Live blocks."""
        return len(self.leaks())

    def leak_bytes(self) -> int:
        """Bytes of all live blocks."""
        return sum(leak.size for leak in self.leaks())
