"""Blocks of one size on a LIFO free list. Source: the allocator system, Freelist Allocator; its list is the pool's
(`steps.pool`), which is A5 of Vais in another dress, and not Vais' FreeList, which serves all sizes.
"""

from dataclasses import replace

from heaplaw.spec.layout import MAX_ALIGN
from heaplaw.spec.logic import Word
from heaplaw.spec.protocols import Memory

from ..steps import pool
from ..steps.pool import PoolState
from .base import Blocks, Booked
from .errors import MisuseError
from .interface import Allocator
from .ledger import ChunkTag, Held, Note
from .malloc import parent_of
from .words import ProcessWords


def extended(state: PoolState, chunk: Word, blocks: Word, memory: Memory) -> PoolState:
    """The pool with `blocks` more free blocks, which lie at `chunk`, on top of its free list. O(blocks)."""
    longer = replace(state, buffer=chunk, num_blocks=state.num_blocks + blocks)
    return pool.thread_all(longer, blocks, memory)


class Freelist(Booked):
    """Blocks of `block_size` bytes (rounded up to a multiple of 8), in chunks of `blocks_per_chunk` from a parent.

    Blocks are aligned to 8 bytes, and to 16 where the block size is a multiple of 16. What is larger, or wants more
    alignment, is refused with 0. Chunks go back to the parent at `drop` only. `alloc` is O(1) but for a new chunk;
    `free` is O(1). A chunk, `block_size * blocks_per_chunk` bytes, is an object: of more than 2**63 - 1 bytes none can
    be had.
    """

    def __init__(
        self, block_size: int, blocks_per_chunk: int = 64, parent: Allocator | None = None, name: str = "freelist"
    ) -> None:
        if not all(type(number) is int for number in (block_size, blocks_per_chunk)):
            raise MisuseError(f"Freelist({block_size!r}, {blocks_per_chunk!r})", "both numbers are integers")
        if block_size < 0 or blocks_per_chunk < 1:
            raise MisuseError(
                f"Freelist({block_size}, {blocks_per_chunk})", "a block has 0 bytes or more, a chunk a block or more"
            )
        self.block_size = pool.rounded(block_size)
        super().__init__(name, MAX_ALIGN if self.block_size % MAX_ALIGN == 0 else pool.WORD)
        self._parent = parent_of("Freelist", parent)
        self._blocks = blocks_per_chunk
        self._state = PoolState(0, self.block_size, 0, 0, 0)
        self._words = ProcessWords()
        self._chunks: list[int] = []

    @property
    def num_free(self) -> int:
        """Blocks that are held and not handed out."""
        return int(self._state.num_free)

    def footprint(self) -> int:
        """Bytes of all chunks."""
        return int(self._state.capacity)

    def invariant(self) -> bool:
        """The free list has each block that is not live once, and nothing else."""
        if not super().invariant() or self.num_free + len(self.ledger.blocks) != self._state.num_blocks:
            return False
        grid = {chunk + index * self.block_size for chunk in self._chunks for index in range(self._blocks)}
        listed = pool.free_blocks(self._state, self._words)
        return len(listed) == self.num_free and {*listed, *self.ledger.blocks} == grid

    def _take(self, size: int, align: int, note: Note) -> int:
        if size > self.block_size or align > self.alignment or not self._has_free():
            return 0
        ptr: int
        self._state, ptr = pool.alloc(self._state, self._words)
        return ptr

    def _has_free(self) -> bool:
        """A block is free, after taking another chunk if need be."""
        if self._state.num_free > 0:
            return True
        chunk = self._parent.alloc(self.block_size * self._blocks, tag=ChunkTag.of(self.name))
        if chunk == 0:
            return False
        self._chunks.append(chunk)
        self._state = extended(self._state, chunk, self._blocks, self._words)
        return True

    def _give(self, ptr: int, held: Held) -> None:
        self._state = pool.dealloc(self._state, ptr, self._words)

    def _resize(self, ptr: int, held: Held, size: int, note: Note) -> int:
        """In place, as far as blocks reach."""
        return ptr if size <= self.block_size else 0

    def _close(self, dying: Blocks) -> None:
        for chunk in self._chunks:
            self._parent.free(chunk)
        self._chunks = []
        self._state = PoolState(0, self.block_size, 0, 0, 0)
