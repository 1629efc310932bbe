"""A fixed-size pool over real memory, and pools that differ from it by one fault each."""

import ctypes
from dataclasses import dataclass

__all__ = ["POOL_MUTANTS", "CorrectPool", "PoolMutant"]

_GRID = 16
_SLACK = 4096  # behind the last block, so that a pool with a fault damages nothing but itself


class CorrectPool:
    """Blocks of one size on a grid, handed out newest first.

    Free blocks form a list: the first 8 bytes of each hold the address of the next one, little-endian, and
    0 ends it.
    """

    def __init__(self, block_size: int = 64, num_blocks: int = 100) -> None:
        if block_size < 1 or num_blocks < 0:
            raise ValueError("block_size must be positive and num_blocks not negative")
        self.num_blocks = num_blocks
        self.stride = self.block_size = self._stride(block_size)
        self._buffer = ctypes.create_string_buffer(self.stride * num_blocks + _GRID + _SLACK)
        address = ctypes.addressof(self._buffer)
        self.start = -(-address // _GRID) * _GRID
        self.buffer = self.start
        self.capacity = self.stride * num_blocks
        rounded = CorrectPool._stride(self, block_size)
        self.alignment = min(_GRID, rounded & -rounded)
        self._free = num_blocks
        self._head = 0
        for i in reversed(range(num_blocks)):
            self._push(self.start + i * self.stride)

    @property
    def end(self) -> int:
        """The address just behind the last block."""
        return self.start + self.stride * self.num_blocks

    def alloc(self) -> int:
        """Address of a block, or 0 when all are handed out."""
        if self._head == 0:
            return 0
        self._free -= 1
        return self._pop()

    def dealloc(self, ptr: int) -> None:
        """Take back a block."""
        self._push(ptr)
        self._free += 1

    def num_free_blocks(self) -> int:
        """How many more blocks can be handed out."""
        return self._free

    def num_allocated(self) -> int:
        """How many blocks are handed out."""
        return self.num_blocks - self._free

    def _stride(self, block_size: int) -> int:
        return -(-block_size // 8) * 8

    def _push(self, ptr: int) -> None:
        ctypes.memmove(ptr, self._head.to_bytes(8, "little"), 8)
        self._head = ptr

    def _pop(self) -> int:
        ptr = self._head
        self._head = int.from_bytes(ctypes.string_at(ptr, 8), "little")
        return ptr


class _OneTooMany(CorrectPool):
    """The list holds one block more than there is room for."""

    def __init__(self, block_size: int = 64, num_blocks: int = 100) -> None:
        super().__init__(block_size, num_blocks)
        first, self._head = self._head, 0
        self._push(self.end)
        beyond, self._head = self._head, first
        if num_blocks:
            last = self.end - self.stride
            ctypes.memmove(last, beyond.to_bytes(8, "little"), 8)
        else:
            self._head = beyond


class _CountsFailures(CorrectPool):
    """A failed request lowers the number of free blocks as well."""

    def alloc(self) -> int:
        self._free -= 1
        return self._pop() if self._head else 0


class _Guarded(CorrectPool):
    """No fault: a link that was overwritten ends the list instead of the process."""

    def _pop(self) -> int:
        ptr = super()._pop()
        if not self.start <= self._head < self.end:
            self._head = 0
        return ptr


class _TwiceAfterPair(_Guarded):
    """After two frees in reverse order of the two newest requests, the head is handed out twice."""

    def __init__(self, block_size: int = 64, num_blocks: int = 100) -> None:
        super().__init__(block_size, num_blocks)
        self._newest: list[int] = []
        self._run = 0
        self._again = 0
        self._pair = False

    def alloc(self) -> int:
        self._run = 0
        if self._again and self._free:
            ptr, self._again = self._again, 0
            self._free -= 1
            return ptr
        ptr = super().alloc()
        if ptr:
            self._newest.append(ptr)
            if self._pair:
                self._pair = False
                self._again = ptr
        return ptr

    def dealloc(self, ptr: int) -> None:
        if self._newest and self._newest[-1] == ptr:
            self._newest.pop()
            self._run += 1
        else:
            self._newest.clear()
            self._run = 0
        super().dealloc(ptr)
        self._pair = self._run == 2


class _Unrounded(_Guarded):
    """Block sizes are taken as they are: blocks are unaligned, and links of short ones reach too far."""

    def _stride(self, block_size: int) -> int:
        return block_size


class _CountsSeven(CorrectPool):
    """Every seventh block taken back is not subtracted from the number of allocated ones."""

    _taken_back = 0
    _missed = 0

    def dealloc(self, ptr: int) -> None:
        super().dealloc(ptr)
        self._taken_back += 1
        if self._taken_back % 7 == 0:
            self._missed += 1

    def num_allocated(self) -> int:
        return super().num_allocated() + self._missed


class _KeepsLast(CorrectPool):
    """The last free block is not handed out."""

    def alloc(self) -> int:
        return super().alloc() if self._free > 1 else 0


class _LosesEighth(CorrectPool):
    """Every eighth block taken back is neither free nor allocated any more."""

    _taken_back = 0
    _lost = 0

    def dealloc(self, ptr: int) -> None:
        self._taken_back += 1
        if self._taken_back % 8 == 0:
            self._lost += 1
        else:
            super().dealloc(ptr)

    def num_allocated(self) -> int:
        return super().num_allocated() - self._lost


class _LastOffGrid(CorrectPool):
    """The last block of the grid comes out 8 bytes too high."""

    def alloc(self) -> int:
        ptr = super().alloc()
        return ptr + 8 if ptr and ptr == self.end - self.stride else ptr

    def dealloc(self, ptr: int) -> None:
        super().dealloc(ptr - 8 if ptr == self.end - self.stride + 8 else ptr)


class _RaisesWhenFull(CorrectPool):
    """A request to a full pool raises instead of returning 0."""

    def alloc(self) -> int:
        ptr = super().alloc()
        if ptr == 0:
            raise IndexError("the pool is full")
        return ptr


class _StartsAtEight(CorrectPool):
    """The grid starts 8 bytes behind an aligned address."""

    def __init__(self, block_size: int = 64, num_blocks: int = 100) -> None:
        super().__init__(block_size, num_blocks)
        self.start += 8
        self._head = 0
        for i in reversed(range(num_blocks)):
            self._push(self.start + i * self.stride)


class _FailureDropsList(CorrectPool):
    """After a failed request the first block taken back is forgotten, though counted as free."""

    _failed = False

    def alloc(self) -> int:
        ptr = super().alloc()
        if ptr == 0:
            self._failed = True
        return ptr

    def dealloc(self, ptr: int) -> None:
        before = self._head
        super().dealloc(ptr)
        if self._failed:
            self._failed = False
            self._head = before


class _MarksNeighbour(CorrectPool):
    """Taking back a block writes a mark of 8 bytes just behind it."""

    def dealloc(self, ptr: int) -> None:
        super().dealloc(ptr)
        above = ptr + self.stride
        if above < self.end and not self._is_free(above):
            ctypes.memset(above, 0xDD, 8)

    def _is_free(self, ptr: int) -> bool:
        at = self._head
        while at and at != ptr:
            at = int.from_bytes(ctypes.string_at(at, 8), "little")
        return at == ptr


class _SparesOne(CorrectPool):
    """The count of free blocks never falls below 1."""

    def num_free_blocks(self) -> int:
        return max(1, super().num_free_blocks())


@dataclass(frozen=True)
class PoolMutant:
    """One pool with one fault."""

    name: str
    law: str
    pool: type[CorrectPool]
    summary: str
    needs: str
    also: tuple[str, ...] = ()


POOL_MUTANTS: tuple[PoolMutant, ...] = (
    PoolMutant(
        "one-too-many", "in_bounds", _OneTooMany,
        "hands out a block behind the end",
        "num_blocks + 1 requests",
        ("pool_conserved", "accounting_exact", "failure_is_reported"),
    ),
    PoolMutant(
        "counts-failures", "failure_changes_nothing", _CountsFailures,
        "a failed request lowers the number of free blocks",
        "a full pool and one more request",
        ("accounting_exact", "pool_conserved"),
    ),
    PoolMutant(
        "twice-after-pair", "blocks_disjoint", _TwiceAfterPair,
        "one block is handed out twice after two frees newest first",
        "6 operations: alloc twice, dealloc newest first, alloc twice",
        ("payload_kept",),
    ),
    PoolMutant(
        "unrounded", "aligned", _Unrounded,
        "block sizes are not rounded up to 8; links of blocks below 8 bytes destroy each other",
        "a block size that is not a multiple of 8, two requests",
        ("pool_on_grid", "pool_serves_while_free"),
    ),
    PoolMutant(
        "counts-seven", "accounting_exact", _CountsSeven,
        "every seventh dealloc leaves num_allocated as it was",
        "7 deallocs",
        ("pool_conserved",),
    ),
    PoolMutant(
        "spares-one", "free_count_exact", _SparesOne,
        "a full pool says that one block is free",
        "num_blocks requests",
        ("pool_conserved",),
    ),
    PoolMutant(
        "keeps-last", "pool_serves_while_free", _KeepsLast,
        "fails while one block is left",
        "num_blocks requests",
    ),
    PoolMutant(
        "loses-eighth", "pool_conserved", _LosesEighth,
        "every eighth block taken back is lost to both counters",
        "8 deallocs",
        ("accounting_exact",),
    ),
    PoolMutant(
        "last-off-grid", "pool_on_grid", _LastOffGrid,
        "the last block comes out 8 bytes too high",
        "num_blocks live blocks",
        ("aligned", "in_bounds"),
    ),
    PoolMutant(
        "raises-when-full", "failure_is_reported", _RaisesWhenFull,
        "raises instead of returning 0",
        "a full pool and one more request",
    ),
    PoolMutant(
        "starts-at-eight", "aligned", _StartsAtEight,
        "the grid starts at 8 modulo 16",
        "one request",
    ),
    PoolMutant(
        "failure-drops-list", "pool_serves_while_free", _FailureDropsList,
        "after a failed request the next block taken back is counted as free and never served",
        "a full pool, a failed request, one dealloc, one request",
        ("failure_changes_nothing",),
    ),
    PoolMutant(
        "marks-neighbour", "payload_kept", _MarksNeighbour,
        "dealloc writes 8 bytes into the live block above",
        "3 operations: two neighbours live, dealloc of the lower one",
    ),
)  # fmt: skip
