"""Telling somebody of every operation. Source: the allocator system's future list, Allocation Callbacks."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from .base import Blocks, check_allocator, check_callable
from .interface import Allocator, Site
from .ledger import Held
from .wrapper import Wrapper

_LOG = logging.getLogger(__name__)


class Happening(Enum):
    """What an allocator is heard doing."""

    ALLOC = "alloc"
    REALLOC = "realloc"
    FREE = "free"
    """Also of each block that a reset, a release or a drop ends, the newest first."""
    FAILURE = "failure"
    """A request was refused with 0."""


@dataclass(frozen=True)
class Notice:
    """What happened."""

    happening: Happening
    ptr: int
    """The block that was made, resized or ended; for a failure, the block that was not resized, or 0."""
    size: int
    """Bytes asked for; of the block that was ended."""
    tag: str
    old: int = 0
    """Where a resized block was."""


Callback: TypeAlias = Callable[[Notice], None]


class Observed(Wrapper):
    """Calls `callback` after every operation, when all is booked.

    A callback cannot disturb the program: what it raises (an `Exception`) is logged and counted in `errors`, and the
    operation's result is returned as it is. It may call the allocator; of what it does itself it is not told.
    """

    def __init__(self, inner: Allocator, callback: Callback, name: str = "") -> None:
        check_allocator("Observed", inner)
        check_callable("Observed", callback)
        super().__init__(inner, name or f"observed {inner.name}")
        self.errors = 0
        self._callback = callback
        self._telling = False

    def _tell(self, *notices: Notice) -> None:
        if self._telling:
            return
        self._telling = True
        try:
            for notice in notices:
                self._tell_one(notice)
        finally:
            self._telling = False

    def _tell_one(self, notice: Notice) -> None:
        try:
            self._callback(notice)
        except Exception:  # noqa: BLE001 - whatever it is: a listener's fault must not become the program's
            self.errors += 1
            _LOG.exception("a callback of %s raised on %s", self.name, notice)

    def _tell_of_request(self, ptr: int, size: int, tag: str) -> int:
        self._tell(Notice(Happening.ALLOC if ptr != 0 else Happening.FAILURE, ptr, size, tag))
        return ptr

    def alloc(self, size: int, align: int | None = None, *, tag: str = "", site: Site | None = None) -> int:
        return self._tell_of_request(super().alloc(size, align, tag=tag, site=site), size, tag)

    def alloc_zeroed(self, size: int, align: int | None = None, *, tag: str = "", site: Site | None = None) -> int:
        return self._tell_of_request(super().alloc_zeroed(size, align, tag=tag, site=site), size, tag)

    def realloc(self, ptr: int, size: int, *, tag: str = "", site: Site | None = None) -> int:
        if ptr == 0:
            return self._tell_of_request(super().realloc(ptr, size, tag=tag, site=site), size, tag)
        new = super().realloc(ptr, size, tag=tag, site=site)
        tag = self.ledger.blocks[new or ptr].tag
        if new != 0:
            self._tell(Notice(Happening.REALLOC, new, size, tag, old=ptr))
        else:
            self._tell(Notice(Happening.FAILURE, ptr, size, tag))
        return new

    def _end(self, ptr: int, held: Held) -> None:
        super()._end(ptr, held)
        self._tell(Notice(Happening.FREE, ptr, held.size, held.tag))

    def _forget(self, dying: Blocks) -> None:
        super()._forget(dying)
        self._tell(*(Notice(Happening.FREE, ptr, held.size, held.tag) for ptr, held in dying))
