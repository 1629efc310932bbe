"""Records of live blocks, 64 bytes each, in real memory: what tracing costs.

A record is eight words: address, size, file, line, tag, serial number, and the records before and after it, so that all
records are one list, in order of birth. File and tag are numbers of texts, where a program in C would keep pointers.
"""

from enum import IntEnum

from .freelist import Freelist
from .interface import Allocator, Leak
from .words import WORD, ProcessWords


class Field(IntEnum):
    """The words of a record."""

    ADDRESS = 0
    SIZE = 1
    FILE = 2
    LINE = 3
    TAG = 4
    SERIAL = 5
    OLDER = 6
    """The record before this one; 0 in the oldest."""
    NEWER = 7
    """The record after this one; 0 in the newest."""


RECORD = WORD * len(Field)
"""Bytes of metadata for each live block."""


class Texts:
    """Texts by number, each once; number 0 is the empty one."""

    def __init__(self) -> None:
        self._numbers = {"": 0}
        self._texts = [""]

    def number(self, text: str) -> int:
        """The number of a text."""
        if text not in self._numbers:
            self._numbers[text] = len(self._texts)
            self._texts.append(text)
        return self._numbers[text]

    def text(self, number: int) -> str:
        """The text of a number."""
        return self._texts[number]


class Records:
    """A list of records that come from a freelist, whose chunks come from `parent`."""

    def __init__(self, parent: Allocator | None = None) -> None:
        self.blocks = Freelist(RECORD, parent=parent, name="trace records")
        self._words = ProcessWords()
        self._texts = Texts()
        self._newest = 0

    def reserve(self) -> int:
        """Room for a record, not yet in the list; 0 when there is none."""
        return self.blocks.alloc(RECORD)

    def cancel(self, record: int) -> None:
        """Give back what `reserve` gave."""
        self.blocks.free_sized(record, RECORD)

    def append(self, record: int, leak: Leak) -> None:
        """Write the newest record."""
        texts = self._texts
        values = (leak.address, leak.size, texts.number(leak.file), leak.line, texts.number(leak.tag), leak.serial)
        for field, value in zip(Field, (*values, self._newest, 0), strict=True):
            self._put(record, field, value)
        if self._newest != 0:
            self._put(self._newest, Field.NEWER, record)
        self._newest = record

    def unlink(self, record: int) -> None:
        """Take a record out of the list: O(1)."""
        older, newer = self._get(record, Field.OLDER), self._get(record, Field.NEWER)
        if older != 0:
            self._put(older, Field.NEWER, newer)
        if newer != 0:
            self._put(newer, Field.OLDER, older)
        else:
            self._newest = older

    def read(self) -> list[Leak]:
        """What the records say, the oldest first; stops after as many as there are: a cycle shows as a repeat."""
        found: list[Leak] = []
        record, count = self._newest, self.blocks.ledger.book.whole.live
        while record != 0 and len(found) <= count:
            address, size, file, line, tag, serial, older, _ = self._words.read_all(record, len(Field))
            found.append(Leak(address, size, self._texts.text(file), line, self._texts.text(tag), serial))
            record = older
        return found[::-1]

    def drop(self) -> None:
        """Give all records back."""
        self.blocks.drop()
        self._newest = 0

    def _get(self, record: int, field: Field) -> int:
        return self._words.read(record + WORD * field)

    def _put(self, record: int, field: Field, value: int) -> None:
        self._words.write(record + WORD * field, value)
