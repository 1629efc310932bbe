"""Recording every live block, around any other allocator. Source: the allocator system, Trace Allocator."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from .base import Blocks, check_allocator
from .errors import MisuseError
from .interface import Allocator, Leak, Site
from .ledger import Held, Note, check_site
from .records import RECORD, Records
from .wrapper import Wrapper

if TYPE_CHECKING:
    from types import FrameType

PACKAGE = __name__.rpartition(".")[0] + "."
LINE_MAX = 2**31 - 1
Take: TypeAlias = Callable[[int, int, Note], int]


def caller_site() -> Site:
    """File and line of the innermost frame that is no allocator's."""
    frame: FrameType | None = sys._getframe()  # pyright: ignore[reportPrivateUsage] # inspect's way reads source files
    while frame is not None and str(frame.f_globals.get("__name__", "")).startswith(PACKAGE):
        frame = frame.f_back
    return ("", 0) if frame is None else (frame.f_code.co_filename, frame.f_lineno)


class Trace(Wrapper):
    """Keeps a record of 64 bytes for every live block of `inner`: address, size, file, line, tag, serial number.

    The site of a request that gives none is the caller's frame. Records come in chunks from `parent`, by default the
    platform, never from `inner`; a request for which there is no record is refused. `leaks()` reads the records.
    """

    def __init__(self, inner: Allocator, parent: Allocator | None = None, name: str = "") -> None:
        check_allocator("Trace", inner)
        super().__init__(inner, name or f"trace of {inner.name}")
        self._records = Records(parent)
        self._by_address: dict[int, int] = {}

    def leaks(self) -> list[Leak]:
        """All live blocks in order of birth, as the records tell it."""
        return self._records.read()

    def metadata_bytes(self) -> int:
        """Bytes of the records of live blocks: 64 each."""
        return RECORD * len(self._by_address)

    def footprint(self) -> int:
        """The inner allocator's, and the chunks that records come in."""
        return self.inner.footprint() + self._records.blocks.footprint()

    def _site(self, site: Site | None) -> Site:
        if site is None:
            return caller_site()
        check_site(site)
        file, line = site
        if not 0 <= line <= LINE_MAX:
            raise MisuseError(f"site=({file!r}, {line})", f"a line is a number from 0 to {LINE_MAX}")
        return site

    def invariant(self) -> bool:
        """The records are those of the live blocks."""
        known = list(self.ledger.leaks())
        return super().invariant() and self.leaks() == known and self._records.blocks.invariant()

    def _record(self, record: int, ptr: int, size: int, note: Note) -> None:
        file, line = note.site or ("", 0)
        self._records.append(record, Leak(ptr, size, file, line, note.tag, self.ledger.upcoming))
        self._by_address[ptr] = record

    def _recorded(self, take: Take, size: int, align: int, note: Note) -> int:
        """A block with its record; without the one not the other."""
        record = self._records.reserve()
        if record == 0:
            return 0
        ptr = 0
        try:
            ptr = take(size, align, note)
        finally:
            if ptr == 0:
                self._records.cancel(record)
        if ptr != 0:
            self._record(record, ptr, size, note)
        return ptr

    def _unrecord(self, ptr: int) -> int:
        record = self._by_address.pop(ptr)
        self._records.unlink(record)
        return record

    def _take(self, size: int, align: int, note: Note) -> int:
        return self._recorded(super()._take, size, align, note)

    def _take_zeroed(self, size: int, align: int, note: Note) -> int:
        return self._recorded(super()._take_zeroed, size, align, note)

    def _resize(self, ptr: int, held: Held, size: int, note: Note) -> int:
        new = super()._resize(ptr, held, size, note)
        if new != 0:
            self._record(self._unrecord(ptr), new, size, note)
        return new

    def _give(self, ptr: int, held: Held) -> None:
        super()._give(ptr, held)
        self._records.cancel(self._unrecord(ptr))

    def _unwind(self, dying: Blocks, mark: int | None) -> None:
        super()._unwind(dying, mark)
        for ptr, _ in dying:
            self._records.cancel(self._unrecord(ptr))

    def _close(self, dying: Blocks) -> None:
        super()._close(dying)
        self._records.drop()
        self._by_address.clear()
