"""What is explored: pure steps over a small memory, what their user may ask, and what must be reachable."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol, TypeAlias

from heaplaw.refimpl.memory import WORD, AccessError, WordMemory
from heaplaw.spec.event import Env, Event
from heaplaw.spec.history import Op
from heaplaw.spec.protocols import Memory, Step
from heaplaw.spec.shapes import SHAPES, UNDOERS, Kind, Shape

from ..live import Held, pattern

Taken: TypeAlias = tuple[tuple[int, int], ...]
"""Chunks that were taken from the parent: address and bytes, in order of address."""


@dataclass(frozen=True)
class Moment:
    """A state, for goals."""

    state: Any
    seen: Any
    """What `Model.look` sees in it."""
    live: tuple[Held, ...]
    memory: Memory


Goal: TypeAlias = Callable[[Moment, Event, Moment], bool]
"""Whether a transition (before, event, after) reaches what must be reachable."""


class Init(Protocol):
    """Construction: the first state of the steps over a memory, which must be hashable."""

    def __call__(self, memory: Any, /) -> Any: ...


@dataclass(frozen=True)
class Model:
    """A bounded allocator and its user.

    Owners write a pattern into their blocks that is a function of the address, and so does whoever had the memory
    before: every word that no part of the allocator counts on holds the pattern of its place. So payloads need no
    storing: damage is a write that lands in one.
    """

    name: str
    shape: str
    env: Env
    start: int
    end: int
    """Where memory begins and ends: multiples of 8."""
    init: Init
    step: Step
    requests: tuple[Op, ...]
    """What may be asked for at any time, in multiples of 8 bytes; operations that name a block, or a mark, are tried on
    each.
    """
    keeps: Callable[[Any, tuple[Held, ...], Memory], Iterable[int]]
    """Addresses of the words that matter in a state: those that some later step may read before it writes them."""
    goals: Mapping[str, Goal]
    bound: str
    """The bound in words."""
    look: Callable[[Any, Memory], Any] = lambda state, memory: None
    """What goals want to see of a state."""
    unasked: Mapping[str, str] = field(default_factory=dict[str, str])
    """Laws that nothing is asked for, and why."""
    chunked: bool = False
    """Memory comes in chunks from a parent, by `take` and `give`."""
    most_marks: int = 0
    """Marks that may be there at a time."""

    def __post_init__(self) -> None:
        """Payload words are whole."""
        assert all(op.size * op.count % WORD == 0 for op in self.requests), "requests of whole words only"
        assert self.start % WORD == 0
        assert self.end % WORD == 0

    @property
    def of_shape(self) -> Shape:
        """The shape, whole."""
        return SHAPES[self.shape]

    @cached_property
    def kinds(self) -> frozenset[Kind]:
        """The operations that are explored."""
        return frozenset(op.kind for op in self.requests)

    @cached_property
    def ordered(self) -> bool:
        """The order in which blocks were made matters: what was done may be undone, and asked again."""
        return bool(self.kinds & {*UNDOERS})

    def memory(self) -> WordMemory:
        """Fresh memory, full of the pattern."""
        words = {address: pattern_word(address) for address in range(self.start, self.end, WORD)}
        return (ChunkMemory if self.chunked else WordMemory)(self.start, self.end, words)


def pattern_word(address: int) -> int:
    """The word at `address` when it holds the pattern."""
    return int.from_bytes(pattern(address, 0, WORD), "little")


def take_from(taken: Taken, start: int, end: int, size: int) -> tuple[Taken, int]:
    """A parent hands out `size` bytes at the lowest place that has them: what is taken then, and the address or 0."""
    at = start
    for address, length in taken:
        if at + size <= address:
            break
        at = address + length
    if at + size > end:
        return taken, 0
    return tuple(sorted((*taken, (at, size)))), at


def give_to(taken: Taken, address: int, size: int) -> Taken:
    """A parent takes a chunk back; `AccessError` when it never handed it out."""
    if (address, size) not in taken:
        raise AccessError(f"no chunk of {size} bytes at {address:#x} was taken")
    return tuple(chunk for chunk in taken if chunk != (address, size))


def within_chunk(taken: Taken, address: int) -> bool:
    """The word at `address` lies in a chunk."""
    return any(start <= address < start + size for start, size in taken)


class ChunkMemory(WordMemory):
    """Words that are there only where chunks were taken."""

    taken: Taken = ()

    def take(self, size: int) -> int:
        """A chunk's address; 0 when there is no room for it."""
        self.taken, address = take_from(self.taken, self.start, self.end, size)
        return address

    def give(self, address: int, size: int) -> None:
        """Give a chunk back."""
        self.taken = give_to(self.taken, address, size)

    def _check(self, address: int) -> None:
        super()._check(address)
        if not within_chunk(self.taken, address):
            raise AccessError(f"the word at {address:#x} is in no chunk")

    def _reachable(self, address: int, size: int) -> int:
        """Bytes from `address` on, at most `size`, that lie in chunks."""
        end = address
        for start, length in self.taken:
            if start <= end < start + length:
                end = start + length
        return max(0, min(size, end - address))
