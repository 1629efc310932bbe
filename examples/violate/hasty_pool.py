# ruff: noqa: INP001
"""A pool with an off-by-one: it believes to have one block more than fits into its buffer."""

import ctypes


class HastyPool:
    """Blocks of one size; the last one reaches beyond the buffer."""

    def __init__(self, block_size: int = 32, num_blocks: int = 4) -> None:
        self.block_size = -(-block_size // 8) * 8
        self.num_blocks = num_blocks
        self.capacity = self.block_size * num_blocks
        self._memory = ctypes.create_string_buffer(self.capacity + 4096)
        self.buffer = -(-ctypes.addressof(self._memory) // 8) * 8
        self._free = [self.buffer + i * self.block_size for i in range(num_blocks + 1)]

    def alloc(self) -> int:
        """The address of a free block; 0 when there is none."""
        return self._free.pop(0) if self._free else 0

    def dealloc(self, block: int) -> None:
        """Take a block back."""
        self._free.append(block)
