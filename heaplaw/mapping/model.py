"""A mapping that was read and found whole: frozen records, with every default filled in."""

from collections import abc
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from .problems import Position

Kind: TypeAlias = Literal["library", "source", "python"]


@dataclass(frozen=True)
class Call:
    """A call of a function: its arguments as words and whole numbers, and what its value means.

    NULL is 0; the instance is the word "instance", a pointer to where it is to be written "&instance"; a type tag,
    which only calls made of `lua_alloc` are given, is "tag". All other words are those of docs/mapping.md.
    """

    function: str
    arguments: tuple[str | int, ...]
    returns: str
    position: Position
    """Of the function's name in the file."""


@dataclass(frozen=True)
class Buffer:
    """Memory that an allocator is given: bytes, and the alignment of its start in bytes."""

    size: int
    align: int = 16


@dataclass(frozen=True)
class View:
    """How the free list is looked at: calls, or bytes to the word that says it (of `first` from the instance, of the
    others from the block). The first `header` bytes of a free block are nobody's.
    """

    first: Call | int
    next: Call | int
    size: Call | int
    header: int = 0

    @property
    def calls(self) -> tuple[Call, ...]:
        """Those that are calls."""
        return tuple(one for one in (self.first, self.next, self.size) if isinstance(one, Call))


@dataclass(frozen=True)
class Promises:
    """What an allocator promises; alignments in bytes. None: nothing is said."""

    alignment: int | None = None
    max_alignment: int | None = None
    aligned_size: str | None = None
    size_bits: int = 64
    zero_size: str = "unspecified"
    zero_resize: str = "unspecified"
    usable: str = "covers"
    direction: str = "any"
    reuse: str = "any"
    coalesces: bool | None = None
    padding: str = "any"
    errno: bool = False
    shrinks: bool = False
    free_null: bool | None = None
    misuse: abc.Mapping[str, str] | str | None = None
    """What happens to a double free and to other pointers that no block has: each a policy, or one for all."""
    dialects: tuple[str, ...] = ()
    """The standards and manuals in force; none: a fault is only what all of them forbid."""
    cost: str | abc.Mapping[str, str] | None = None
    """For all operations that make or end one block, or by operation: those that it does not name promise nothing."""
    thread_safe: bool | None = None
    fit: str = "any"
    minimum: int | None = None


@dataclass(frozen=True)
class Expect:
    """A violation that is known: the law's name, why, and for which versions of the library (None: for all)."""

    law: str
    reason: str
    issue: str | None
    version: str | None
    """What the version begins with, or "< 2.38": what it is below."""
    position: Position
    """Of the law's name in the file."""
    dialects: tuple[str, ...] = ()
    """Those of the dialects in force that forbid it, where it is expected of these alone."""


@dataclass(frozen=True)
class Mapping:
    """How an allocator is called. Sizes are bytes."""

    path: Path
    name: str
    shape: str
    kind: Kind
    where: tuple[str, ...]
    """Libraries to be tried in order, or the one source file or Python module, as written."""
    package: str | None
    preload: bool | None
    environment: abc.Mapping[str, str]
    buffer: Buffer | None
    storage: int
    """Bytes of zeroed memory that is the instance; 0: the instance is not the caller's."""
    instances: int
    instance: str | None
    """The word that the mapping calls the instance by; None: there is none."""
    init: tuple[Call, ...]
    create: tuple[Call, ...]
    """Calls that make an instance. Without storage one of them makes it (`returns` "pointer", or "&instance" among its
    arguments), and those after it are given it. With storage all of them are given the memory, and there may be none.
    """
    destroy: Call | None
    operations: dict[str, Call]
    counters: dict[str, Call]
    """With `base`, which is called once."""
    constants: dict[str, int]
    promises: Promises
    expect: tuple[Expect, ...]
    view: View | None = None
    text: str = field(default="", repr=False, compare=False)
    """The file as it was read, for errors that are found later."""

    @property
    def calls(self) -> tuple[Call, ...]:
        """Every call that the mapping makes."""
        ending = () if self.destroy is None else (self.destroy,)
        looking = () if self.view is None else self.view.calls
        return (*self.init, *self.create, *ending, *self.operations.values(), *self.counters.values(), *looking)
