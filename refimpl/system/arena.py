"""An arena that grows by chunks from a parent. Source: the allocator system, Arena Allocator."""

from collections.abc import Generator
from contextlib import contextmanager

from ..steps import arena
from .base import Blocks, Booked, check_size
from .errors import MisuseError
from .interface import Allocator
from .ledger import ChunkTag, Held, Note
from .malloc import parent_of
from .words import ProcessWords


class ParentChunks(ProcessWords):
    """Chunks are blocks of a parent allocator; `held` has their bytes."""

    def __init__(self, parent: Allocator, name: str) -> None:
        self.held = 0
        self.asking = False
        """The parent is being called."""
        self._parent = parent
        self._tag = ChunkTag.of(name)

    def take(self, size: int) -> int:
        """The address of a chunk, or 0."""
        with self._called():
            ptr = self._parent.alloc(size, tag=self._tag)
        if ptr != 0:
            self.held += size
        return ptr

    def give(self, address: int, size: int) -> None:
        """Give a chunk back."""
        with self._called():
            self._parent.free_sized(address, size)
        self.held -= size

    @contextmanager
    def _called(self) -> Generator[None, None, None]:
        self.asking = True
        try:
            yield
        finally:
            self.asking = False


class Arena(Booked):
    """Linear allocation in chunks of `chunk_size` bytes (`steps.arena` decides everything about memory).

    `free` ends a block for the books, so that `current_bytes` is what its owners still hold, and misuse is refused;
    the memory comes back by `release`, `reset` or `drop` only. `reset` keeps the oldest chunk for what comes next, if
    it is an ordinary one, and gives the others back to the parent; `drop` gives all back. Without a `parent` chunks
    are the platform's. While the parent is being called (it may collect, or call somebody back) blocks may be freed;
    all else is refused.
    """

    def __init__(self, chunk_size: int = 4096, parent: Allocator | None = None, name: str = "arena") -> None:
        check_size("Arena", chunk_size)
        super().__init__(name)
        self._state = arena.init(chunk_size)
        self._chunks = ParentChunks(parent_of("Arena", parent), name)

    def _enter(self, doing: str) -> None:
        super()._enter(doing)
        if self._chunks.asking and doing not in ("free", "free_sized"):
            raise MisuseError(f"{doing} of {self.name}", "it is in the middle of asking its parent for a chunk")

    def footprint(self) -> int:
        """Bytes of all chunks."""
        return self._chunks.held

    def invariant(self) -> bool:
        """The chain of chunks is whole, and every live block lies in one of them."""
        if not (super().invariant() and arena.sound(self._state, self._chunks, self._chunks.held)):
            return False
        chunks = arena.chunks(self._state, self._chunks)
        return all(
            any(chunk + arena.HEADER <= ptr <= ptr + held.size <= end for chunk, end in chunks)
            for ptr, held in self.ledger.blocks.items()
        )

    def _take(self, size: int, align: int, note: Note) -> int:
        self._state, ptr = arena.alloc(self._state, size, align, self._chunks)
        return int(ptr)

    def _give(self, ptr: int, held: Held) -> None:
        """Only the books change."""

    def _resize(self, ptr: int, held: Held, size: int, note: Note) -> int:
        """A smaller block stays where it is."""
        return ptr if size <= held.size else super()._resize(ptr, held, size, note)

    def _mark(self) -> int:
        return int(self._state.top)

    def _unwind(self, dying: Blocks, mark: int | None) -> None:
        if mark is None:
            self._state = arena.reset(self._state, self._chunks)
            if self._chunks.held > self._state.chunk_size:  # one large request must not cost its chunk for ever
                self._state = arena.drop(self._state, self._chunks)
        else:
            self._state = arena.release(self._state, mark, self._chunks)

    def _close(self, dying: Blocks) -> None:
        self._state = arena.drop(self._state, self._chunks)
