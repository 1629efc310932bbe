"""The books of an allocator: which blocks are live, and totals, current and peak sizes in all and by tag.

A ledger is what the classes know beside their memory, so that misuse is refused by name; it is in no block's way and
counts as no overhead. Bytes are those asked for.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from ..allocators.base import counted
from .errors import MisuseError
from .interface import Leak, Site, Statistics, TagStatistics

REMEMBERED = 256
"""Freed addresses that are remembered, so that a double free can be told from a foreign pointer."""


class ChunkTag(str):
    """The tag of a block that `owner`, another allocator, hands out whole or in pieces: it must not be ended
    from below.
    """

    __slots__ = ("owner",)
    owner: str
    """Its name."""

    @classmethod
    def of(cls, owner: str, tag: str | None = None) -> "ChunkTag":
        """`tag`, by default that of an allocator's chunks."""
        made = cls(f"chunks of {owner}" if tag is None else tag)
        made.owner = owner
        return made


def check_tag(tag: object) -> None:
    """Refuse what is no text."""
    if not isinstance(tag, str):
        raise MisuseError(f"tag={tag!r}", "a tag is a text")


def check_site(site: object) -> None:
    """Refuse what is no place in a program."""
    match site:
        case (str(), int()) if isinstance(site, tuple):
            return
        case _:
            raise MisuseError(f"site={site!r}", "a site is a pair of file and line")


@dataclass(frozen=True)
class Note:
    """What a program says of a request beside its size. `MisuseError` when that is no tag, or no site."""

    tag: str
    site: Site | None

    def __post_init__(self) -> None:
        check_tag(self.tag)
        if self.site is not None:
            check_site(self.site)


@dataclass(frozen=True)
class Held:
    """A live block."""

    size: int
    align: int
    tag: str
    site: Site | None
    serial: int


@dataclass
class Tally:
    """Sums over some blocks."""

    total: int = 0
    current: int = 0
    peak: int = 0
    count: int = 0
    live: int = 0

    def grow(self, size: int) -> None:
        """A block came."""
        self.total += size
        self.current += size
        self.peak = max(self.peak, self.current)
        self.count += 1
        self.live += 1

    def shrink(self, size: int) -> None:
        """A block went."""
        self.current -= size
        self.live -= 1


@dataclass
class Book:
    """Sums over all blocks, and by tag; `above` is told the same (a registry's book of all its subsystems)."""

    whole: Tally = field(default_factory=Tally)
    tags: dict[str, Tally] = field(default_factory=dict[str, Tally])
    above: "Book | None" = None

    def grow(self, size: int, tag: str) -> None:
        """A block came."""
        self.whole.grow(size)
        self.tags.setdefault(tag, Tally()).grow(size)
        if self.above is not None:
            self.above.grow(size, tag)

    def shrink(self, size: int, tag: str) -> None:
        """A block went."""
        self.whole.shrink(size)
        self.tags[tag].shrink(size)
        if self.above is not None:
            self.above.shrink(size, tag)

    def statistics(self) -> Statistics:
        """The sums as they are now."""
        tags = {tag: TagStatistics(tally.count, tally.current, tally.peak) for tag, tally in self.tags.items()}
        whole = self.whole
        return Statistics(whole.total, whole.current, whole.peak, whole.count, whole.live, tags)


class Ledger:
    """The live blocks of one allocator, in order of birth, with its book."""

    def __init__(self) -> None:
        self.book = Book()
        self.blocks: dict[int, Held] = {}
        self._freed: deque[tuple[int, int]] = deque(maxlen=REMEMBERED)

    @property
    def upcoming(self) -> int:
        """The serial number of the next block."""
        return self.book.whole.count + 1

    def born(self, ptr: int, size: int, align: int, note: Note) -> None:
        """A block was handed out."""
        self.blocks[ptr] = Held(size, align, note.tag, note.site, self.upcoming)
        self.book.grow(size, note.tag)

    def died(self, ptr: int) -> None:
        """A live block was ended."""
        held = self.blocks.pop(ptr)
        self.book.shrink(held.size, held.tag)
        self._freed.append((ptr, held.size))

    def since(self, serial: int) -> list[tuple[int, Held]]:
        """The live blocks from `serial` on, newest first."""
        found: list[tuple[int, Held]] = []
        for ptr, held in reversed(self.blocks.items()):
            if held.serial < serial:
                break
            found.append((ptr, held))
        return found

    def leaks(self) -> Iterator[Leak]:
        """The live blocks, oldest first."""
        for ptr, held in self.blocks.items():
            file, line = held.site or ("", 0)
            yield Leak(ptr, held.size, file, line, held.tag, held.serial)

    def adds_up(self) -> bool:
        """The sums, in all and by tag, are those of the live blocks."""
        sizes: dict[str, list[int]] = {tag: [] for tag in self.book.tags}
        for held in self.blocks.values():
            sizes[held.tag].append(held.size)
        of_tags = all(
            (tally.current, tally.live) == (sum(sizes[tag]), len(sizes[tag])) for tag, tally in self.book.tags.items()
        )
        whole, tallies = self.book.whole, self.book.tags.values()
        sums = (sum(t.total for t in tallies), sum(t.current for t in tallies), sum(t.count for t in tallies))
        return of_tags and sums == (whole.total, whole.current, whole.count) and whole.live == len(self.blocks)

    def what_is_known(self, ptr: int) -> str:
        """What the books say of an address that is no live block, in words."""
        for start, held in self.blocks.items():
            if start < ptr < start + held.size:
                return f"it lies {counted(ptr - start)} inside the live block of {counted(held.size)} at {start:#x}"
        for start, size in reversed(self._freed):
            if start == ptr:
                return f"the block of {counted(size)} there is freed already"
        return "no block of this allocator starts there"
