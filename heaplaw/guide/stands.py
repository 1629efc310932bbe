"""The reference allocators, each under one plain interface, over memories that count."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from heaplaw.models.reporting import Counting
from heaplaw.refimpl import system
from heaplaw.refimpl.memory import WordMemory
from heaplaw.refimpl.steps import arena, bump, freelist, pool, stack
from heaplaw.refimpl.system.words import ProcessWords
from heaplaw.spec.history import Op
from heaplaw.spec.layout import align_up
from heaplaw.spec.shapes import Kind

BUFFER = 2**20
"""Where buffers begin."""
CHUNK = 4096
"""Bytes that the growing allocators take at a time."""


class Counted(Counting):
    """Words of another memory; what was read and written since `forget`, and where was read."""

    def __init__(self, memory: Any) -> None:
        super().__init__(memory)
        self.read_at: set[int] = set()

    def read(self, address: int) -> int:
        self.read_at.add(address)
        return super().read(address)

    def forget(self) -> None:
        """Begin to count anew."""
        self.words = 0
        self.read_at.clear()


class Chunked(Counted):
    """Chunks side by side in one large memory; no chunk's place is used again."""

    def __init__(self) -> None:
        super().__init__(WordMemory(BUFFER))
        self.held = 0
        self._next = BUFFER

    def take(self, size: int) -> int:
        """A chunk."""
        address, self._next = self._next, int(align_up(self._next + size, 16))
        self.held += size
        return address

    def give(self, address: int, size: int) -> None:
        """Give a chunk back."""
        self.held -= size


@dataclass(frozen=True)
class Given:
    """A block: its address, the bytes that it takes from the allocator, and the bytes asked for."""

    ptr: int
    taken: int
    size: int


class Stand(ABC):
    """One allocator with nothing handed out."""

    memory: Counted

    @abstractmethod
    def alloc(self, size: int) -> Given:
        """A block; `RefusedError` when there is none."""

    def end(self, block: Given) -> None:
        """End a block, where single blocks can be ended at all."""
        raise NotImplementedError

    def reset(self) -> None:
        """End all blocks, where that can be asked for."""
        raise NotImplementedError

    @abstractmethod
    def held(self) -> int:
        """Bytes of memory that were ever needed at one time."""

    def nodes(self) -> Sequence[int]:
        """Addresses of the blocks on the free list, where the allocator keeps one that it walks."""
        return ()


class RefusedError(Exception):
    """A request was refused: the stand is too small for what is asked of it."""


class Steps(Stand):
    """Pure steps over one buffer, or over chunks."""

    def __init__(self, steps: Any, state: Any, memory: Counted) -> None:
        self.steps, self.state, self.memory = steps, state, memory
        self._total = 0
        self._most = 0

    def _do(self, kind: Kind, size: int = 0, ptr: int = 0) -> Any:
        self.state, event = self.steps.step(self.state, Op(kind, size), ptr, self.memory)
        return event

    def alloc(self, size: int) -> Given:
        event = self._do(Kind.ALLOC, size)
        if event.ptr == 0:
            raise RefusedError(f"{size} bytes")
        whole = int(event.env.block_size or event.total - self._total)
        self._total = event.total
        usable = int(event.usable or event.env.block_size or size)
        self._most = max(self._most, int(event.ptr) + usable - BUFFER)
        return Given(int(event.ptr), whole, size)

    def end(self, block: Given) -> None:
        self._total = self._do(Kind.POP if self.steps is stack else Kind.FREE, ptr=block.ptr).total

    def reset(self) -> None:
        self._total = self._do(Kind.RESET).total

    def held(self) -> int:
        return self._most

    def nodes(self) -> Sequence[int]:
        return [start for start, _ in freelist.free_blocks(self.state, self.memory)] if self.steps is freelist else ()


class Growing(Steps):
    """The arena's steps."""

    def __init__(self) -> None:
        self.chunks = Chunked()
        self._peak = 0
        super().__init__(arena, arena.init(CHUNK), self.chunks)

    def alloc(self, size: int) -> Given:
        given = super().alloc(size)
        self._peak = max(self._peak, self.chunks.held)
        return given

    def held(self) -> int:
        return self._peak


class Fixed(Stand):
    """The system's freelist: real memory, whose words are counted; addresses are never shown."""

    def __init__(self, block_size: int) -> None:
        self.allocator = system.Freelist(block_size, max(1, CHUNK // block_size))
        self.memory = Counted(ProcessWords())
        vars(self.allocator)["_words"] = self.memory

    def alloc(self, size: int) -> Given:
        ptr = self.allocator.alloc(size)
        if ptr == 0:
            raise RefusedError(f"{size} bytes")
        return Given(ptr, self.allocator.block_size, size)

    def end(self, block: Given) -> None:
        self.allocator.free_sized(block.ptr, block.size)

    def held(self) -> int:
        return self.allocator.footprint()


def over_buffer(steps: Any, capacity: int, **more: Any) -> Steps:
    """Steps over a buffer of `capacity` bytes."""
    memory = Counted(WordMemory(BUFFER, BUFFER + capacity))
    return Steps(steps, steps.init(BUFFER, capacity, memory, **more), memory)


def a_pool(block_size: int, blocks: int) -> Steps:
    """A pool with room for so many blocks."""
    memory = Counted(WordMemory(BUFFER, BUFFER + pool.rounded(block_size) * blocks))
    return Steps(pool, pool.init(BUFFER, block_size, blocks, memory), memory)


@dataclass(frozen=True)
class Maker:
    """How a stand is made that has room for `capacity` bytes in `blocks` blocks of at most `largest` bytes."""

    make: Callable[[int, int, int], Stand]
    ends: str
    """Which blocks can be ended: any, newest, all (together)."""
    one_size: bool = False
    grows: bool = False
    """It takes more memory when it needs more."""


MAKERS: dict[str, Maker] = {
    "Bump": Maker(lambda capacity, blocks, largest: over_buffer(bump, capacity), "all"),
    "Pool": Maker(lambda capacity, blocks, largest: a_pool(largest, blocks), "any", one_size=True),
    "FreeList": Maker(lambda capacity, blocks, largest: over_buffer(freelist, capacity), "any"),
    "Stack": Maker(lambda capacity, blocks, largest: over_buffer(stack, capacity), "newest"),
    "Coalescing": Maker(lambda capacity, blocks, largest: over_buffer(freelist, capacity, coalesces=True), "any"),
    "Arena": Maker(lambda capacity, blocks, largest: Growing(), "all", grows=True),
    "Fixed": Maker(lambda capacity, blocks, largest: Fixed(largest), "any", one_size=True, grows=True),
}
"""The allocators that are measured: the source's four, the free list that joins, and the system's arena and freelist.
"""
