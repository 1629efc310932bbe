"""What all allocators have in common: requests are checked, then served by a few hooks, then booked."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from heaplaw.spec.layout import MAX_ALIGN, PTRDIFF_MAX, is_power_of_two

from ..allocators.base import counted
from .errors import MisuseError
from .interface import Allocator, Leak, Site, Statistics
from .ledger import Book, ChunkTag, Held, Ledger, Note
from .words import clear, copy

Blocks: TypeAlias = list[tuple[int, Held]]
"""Blocks with what is held of them, newest first."""


@dataclass(frozen=True)
class Mark:
    """What a mark stands for: the next block's serial number when it was taken, and the hooks' own mark."""

    serial: int
    inner: int


class Booked(Allocator):
    """The interface over hooks: `_take` and `_give` must be there, the others have defaults made of these two.

    A hook is called with what was checked already. When it returns, or raises, before the books are changed, nothing
    has happened; so hooks raise, if they do, before they change anything.
    """

    def __init__(self, name: str, alignment: int = MAX_ALIGN) -> None:
        self.name = name
        self.alignment = alignment
        self.ledger = Ledger()
        self._marks: dict[int, Mark] = {}
        self._marked = 0
        self._dropped = False
        self._thread: int | None = None

    def confine(self) -> None:
        """From now on calls from other threads than this one are refused."""
        self._thread = threading.get_ident()

    def report_to(self, book: Book) -> None:
        """Tell `book` of every block from now on; blocks that are live already stay unknown to it."""
        if self.ledger.blocks:
            raise MisuseError("report_to", f"{self.name} has live blocks, which the book would miss")
        self.ledger.book.above = book

    # Hooks.

    def _take(self, size: int, align: int, note: Note) -> int:
        """A block, or 0."""
        raise NotImplementedError

    def _give(self, ptr: int, held: Held) -> None:
        """End a live block."""
        raise NotImplementedError

    def _take_zeroed(self, size: int, align: int, note: Note) -> int:
        """A block of zeros, or 0."""
        ptr = self._take(size, align, note)
        if ptr != 0:
            clear(ptr, size)
        return ptr

    def _resize(self, ptr: int, held: Held, size: int, note: Note) -> int:
        """The block's new address, or 0."""
        return self._moved(ptr, held, size, note)

    def _moved(self, ptr: int, held: Held, size: int, note: Note) -> int:
        """Another block with the old one's content, which ends; 0, and the old one stays."""
        new = self._take(size, held.align, note)
        if new != 0:
            copy(new, ptr, min(held.size, size))
            self._give(ptr, held)
        return new

    def _mark(self) -> int:
        """A mark for `_unwind`."""
        return 0

    def _unwind(self, dying: Blocks, mark: int | None) -> None:
        """End the blocks made since `_mark` gave `mark`; all for None."""
        for ptr, held in dying:
            self._give(ptr, held)

    def _close(self, dying: Blocks) -> None:
        """End all blocks and give everything back."""
        self._unwind(dying, None)

    def _site(self, site: Site | None) -> Site | None:
        """What is recorded as the place of a request."""
        return site

    # The interface.

    def alloc(self, size: int, align: int | None = None, *, tag: str = "", site: Site | None = None) -> int:
        return self._request("alloc", self._take, size, align, Note(tag, self._site(site)))

    def alloc_zeroed(self, size: int, align: int | None = None, *, tag: str = "", site: Site | None = None) -> int:
        return self._request("alloc_zeroed", self._take_zeroed, size, align, Note(tag, self._site(site)))

    def realloc(self, ptr: int, size: int, *, tag: str = "", site: Site | None = None) -> int:
        if ptr == 0:
            return self._request("realloc", self._take, size, None, Note(tag, self._site(site)))
        self._enter("realloc")
        check_size("realloc", size)
        held = self._held("realloc", ptr)
        if size > PTRDIFF_MAX:
            return 0
        note = Note(tag or held.tag, self._site(site))
        new = self._resize(ptr, held, size, note)
        if new != 0:
            self.ledger.died(ptr)
            self.ledger.born(new, size, held.align, note)
        return new

    def free(self, ptr: int) -> None:
        self._enter("free")
        if ptr != 0:
            self._end(ptr, self._held("free", ptr))

    def free_sized(self, ptr: int, size: int) -> None:
        self._enter("free_sized")
        if ptr == 0:
            return
        held = self._held("free_sized", ptr)
        if held.size != size:
            raise MisuseError(
                f"free_sized({ptr:#x}, {size}) of {self.name}", f"the block there has {counted(held.size)}", ptr
            )
        self._end(ptr, held)

    def reset(self) -> None:
        self._enter("reset")
        dying = self._ending("reset", 0)
        self._unwind(dying, None)
        self._marks.clear()
        self._forget(dying)

    def mark(self) -> int:
        self._enter("mark")
        self._marked += 1
        self._marks[self._marked] = Mark(self.ledger.upcoming, self._mark())
        return self._marked

    def release(self, mark: int) -> None:
        self._enter("release")
        if mark not in self._marks:
            raise MisuseError(f"release({mark}) of {self.name}", "no mark of this allocator, or one that has ended")
        taken = self._marks[mark]
        dying = self._ending(f"release({mark})", taken.serial)
        self._unwind(dying, taken.inner)
        self._marks = {other: kept for other, kept in self._marks.items() if other < mark}
        self._forget(dying)

    def drop(self) -> None:
        self._enter("drop")
        dying = self._ending("drop", 0)
        self._close(dying)
        self._dropped = True
        self._marks.clear()
        self._forget(dying)

    def statistics(self) -> Statistics:
        return self.ledger.book.statistics()

    def leaks(self) -> list[Leak]:
        return list(self.ledger.leaks())

    def invariant(self) -> bool:
        return self.ledger.adds_up()

    # What these are made of.

    def _enter(self, doing: str) -> None:
        if self._dropped:
            raise MisuseError(f"{doing} of {self.name}", "it has been dropped")
        if self._thread is not None and self._thread != threading.get_ident():
            raise MisuseError(f"{doing} of {self.name}", "called from another thread than the one it is confined to")

    def check_unlent(self, doing: str, serial: int = 0) -> None:
        """Refuse to go on while another allocator hands out a live block, `serial` or later, or pieces of it."""
        for _, held in self.ledger.since(serial):
            if isinstance(held.tag, ChunkTag):
                owner = held.tag.owner
                raise MisuseError(f"{doing} of {self.name}", f"chunks of {owner} are live: drop {owner} first")

    def _ending(self, doing: str, serial: int) -> Blocks:
        """The live blocks from `serial` on, newest first, which may be ended together."""
        self.check_unlent(doing, serial)
        return self.ledger.since(serial)

    def _request(
        self, doing: str, take: Callable[[int, int, Note], int], size: int, align: int | None, note: Note
    ) -> int:
        self._enter(doing)
        check_size(doing, size)
        align = self.alignment if align is None else checked_align(doing, align, self.alignment)
        if size > PTRDIFF_MAX or align > PTRDIFF_MAX:
            return 0
        ptr = take(size, align, note)
        if ptr != 0:
            self.ledger.born(ptr, size, align, note)
        return ptr

    def _held(self, doing: str, ptr: int) -> Held:
        if type(ptr) is not int:
            raise MisuseError(f"{doing}({ptr!r}) of {self.name}", "an address is an integer")
        held = self.ledger.blocks.get(ptr)
        if held is None:
            raise MisuseError(f"{doing}({ptr:#x}) of {self.name}", self.ledger.what_is_known(ptr), ptr)
        return held

    def _end(self, ptr: int, held: Held) -> None:
        self._give(ptr, held)
        self.ledger.died(ptr)

    def _forget(self, dying: Blocks) -> None:
        for ptr, _ in dying:
            self.ledger.died(ptr)


def check_size(doing: str, size: int) -> None:
    """Refuse what is no size. Sizes above every object are none of this: they are refused with 0."""
    if type(size) is not int or size < 0:
        raise MisuseError(f"{doing}({size!r})", "a size is an integer of 0 bytes or more")


def check_allocator(doing: str, inner: object) -> None:
    """Refuse what serves no requests."""
    if not callable(getattr(inner, "free_sized", None)):
        raise MisuseError(f"{doing}({inner!r})", "it takes an allocator")


def check_callable(doing: str, function: object) -> None:
    """Refuse what cannot be called."""
    if not callable(function):
        raise MisuseError(f"{doing}({function!r})", "it takes a function")


def checked_align(doing: str, align: int, least: int) -> int:
    """An alignment of at least `least`; what is none is refused."""
    if type(align) is not int or not is_power_of_two(align):
        raise MisuseError(f"{doing}(align={align!r})", "an alignment is a power of two")
    return max(align, least)
