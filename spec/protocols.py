"""What third parties and engines implement; nobody subclasses anything."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from .event import Env, Event
from .history import History, Op, Trace
from .logic import Truth, Word
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


class Steps(Protocol):
    """A reference allocator as pure steps over a memory: what is explored, proved, and wrapped into classes."""

    def init(self, env: Env, memory: Memory) -> Any:
        """The state after construction."""
        ...

    def step(self, state: Any, op: Op, ptr: Word, memory: Memory) -> tuple[Any, Event]:
        """Carry out `op` (`ptr`: the address of the block it names): the new state, and what came of it."""
        ...

    def invariant(self, state: Any, memory: Memory) -> Truth:
        """What holds of every reachable state."""
        ...

    def view(self, state: Any, memory: Memory) -> Sequence[int]:
        """The free blocks' addresses, in list order."""
        ...
