"""What third parties and engines implement; nobody subclasses anything."""

from dataclasses import dataclass
from typing import Any, Protocol

from .event import Event
from .history import History, Op, Trace
from .logic import Word
from .shapes import Shape


@dataclass(frozen=True)
class Limits:
    """What a run may take: CPU seconds and wall-clock seconds without progress, bytes of address space."""

    cpu: float = 5.0
    wall: float = 20.0
    memory: int = 16 * 2**30


class Subject(Protocol):
    """Something that runs traces, isolated, and says what came of them."""

    @property
    def shape(self) -> Shape: ...
    @property
    def identity(self) -> str:
        """Name and version, for people."""
        ...

    @property
    def offers(self) -> frozenset[str]:
        """Operations (by the names of `shapes.CALLS`) and counters that are there."""
        ...

    def run(self, trace: Trace, limits: Limits = Limits()) -> History:
        """Run `trace` in a process of its own."""
        ...


class Memory(Protocol):
    """Words of 8 bytes at addresses that are multiples of 8: real memory, a dictionary, or a z3 array."""

    def read(self, address: Word) -> Word: ...
    def write(self, address: Word, value: Word) -> None: ...


class Step(Protocol):
    """A reference allocator's operations as one pure step over a memory: what is explored, proved, and wrapped into
    the classes that users hold.
    """

    def __call__(self, state: Any, op: Op, ptr: Word, memory: Any, /) -> tuple[Any, Event]:
        """Carry out `op` (`ptr`: the address of the block it names): the new state, and what came of it."""
        ...
