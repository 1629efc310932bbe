# ruff: noqa: INP001
"""A pool that keeps its free blocks on a Python list, the last one freed on top."""

import ctypes


class StackPool:
    """Blocks of one size, rounded up to a multiple of 8."""

    def __init__(self, block_size: int = 32, num_blocks: int = 16) -> None:
        self.block_size = -(-block_size // 8) * 8
        self.num_blocks = num_blocks
        self.capacity = self.block_size * num_blocks
        self._memory = ctypes.create_string_buffer(self.capacity + 8)
        self.buffer = -(-ctypes.addressof(self._memory) // 8) * 8
        self._free = [self.buffer + i * self.block_size for i in reversed(range(num_blocks))]

    def alloc(self) -> int:
        """The address of a free block; 0 when there is none."""
        return self._free.pop() if self._free else 0

    def dealloc(self, block: int) -> None:
        """Take a block back."""
        self._free.append(block)

    def num_free_blocks(self) -> int:
        """Blocks that are free."""
        return len(self._free)

    def num_allocated(self) -> int:
        """Blocks that are handed out."""
        return self.num_blocks - len(self._free)
