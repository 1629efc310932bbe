"""Total maps from integers to integers, and memories over them: of unknown content, or of what a model says.

A changed table keeps what it was changed from, and answers by comparing keys (`ite`), so one code serves terms and
integers. Memory is a map from addresses to words of 8 bytes. That is right where addresses are multiples of 8, so
that words do not overlap: every address that a step reads or writes is recorded, and an obligation speaks of it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from heaplaw.spec.logic import Truth, Word, ite, neg

from .facts import Term, z3
from .symbolic import Meaning, SymInt, as_read, int_term, plain

WORD = 8


class Table(Protocol):
    """A total map from integers to integers. A change gives a new one."""

    def __getitem__(self, key: Word) -> Word: ...


@dataclass(frozen=True)
class SymTable:
    """Any map: an array of z3."""

    array: Term

    def __getitem__(self, key: Word) -> SymInt:
        return SymInt(z3.Select(self.array, int_term(key)))


@dataclass(frozen=True)
class ModelTable:
    """What a model says of a map."""

    lookup: Callable[[int], int]

    def __getitem__(self, key: Word) -> int:
        return self.lookup(int(key))


@dataclass(frozen=True)
class Changed:
    """A map with another value at one key."""

    before: Table
    key: Word
    value: Word

    def __getitem__(self, key: Word) -> Word:
        return ite(key == self.key, self.value, self.before[key])


@dataclass(frozen=True)
class Mapped:
    """A map that is computed: a list that was shifted, say."""

    of: Callable[[Word], Word]

    def __getitem__(self, key: Word) -> Word:
        return self.of(key)


@dataclass(frozen=True)
class Forgotten:
    """Words, of which nothing is known that reach into [low, high): their owner may have written what he likes."""

    before: Table
    low: Word
    high: Word
    now: Table

    def __getitem__(self, key: Word) -> Word:
        return ite((key > self.low - WORD) & (key < self.high), self.now[key], self.before[key])


@dataclass(frozen=True)
class Access:
    """A word that was read or written."""

    address: Word
    writes: bool


@dataclass
class TableMemory:
    """A `spec.protocols.Memory` over a table. Every address that a step reads or writes is recorded.

    `zero` is recorded as a range; what the words in it are then is zero, and unknown where they reach beyond it.
    """

    words: Table
    reading: Meaning
    assume: Callable[[Truth, str], None]
    fresh: Callable[[], Table]
    """A map of which nothing is known."""
    accesses: list[Access] = field(default_factory=list[Access])
    zeroed: list[tuple[Word, Word]] = field(default_factory=list[tuple[Word, Word]])
    """Ranges that were made zero: address and size, bytes."""

    @property
    def accessed(self) -> list[Word]:
        """The addresses of all words that were read or written."""
        return [access.address for access in self.accesses]

    def read(self, address: Word) -> Word:
        """The word at `address`. A machine's word lies below its modulus."""
        self.accesses.append(Access(plain(address), False))
        word = self.words[plain(address)]
        if self.reading.modulus:
            self.assume((word >= 0) & (word < self.reading.modulus), "")
        return as_read(word, self.reading)

    def write(self, address: Word, value: Word) -> None:
        """Make `value` the word at `address`."""
        self.accesses.append(Access(plain(address), True))
        self.words = Changed(self.words, plain(address), plain(value))

    def zero(self, address: Word, size: Word) -> None:
        """Make the bytes [address, address + size) zero."""
        low, size = plain(address), plain(size)
        self.zeroed.append((low, size))
        before, high, edges = self.words, low + size, self.fresh()
        inside = Mapped(lambda key: ite((key >= low) & (key + WORD <= high), 0, edges[key]))
        self.words = Mapped(
            lambda key: ite((key > low - WORD) & (key < high) & neg(size == 0), inside[key], before[key])
        )

    def forget(self, low: Word, high: Word) -> None:
        """The owner of the bytes [low, high) writes what he likes."""
        self.words = Forgotten(self.words, plain(low), plain(high), self.fresh())
