# ruff: noqa: INP001
"""A pool that gives memory back: `trim` clears the free blocks at its end, and hands them out again when need is."""

import ctypes


class TrimPool:
    """Blocks of one size. Those below `top` have been handed out at least once since they were last trimmed."""

    def __init__(self, block_size: int = 64, num_blocks: int = 4) -> None:
        self.block_size, self.num_blocks = block_size, num_blocks
        self.capacity = block_size * num_blocks
        self._memory = ctypes.create_string_buffer(self.capacity + 16)
        self.buffer = -(-ctypes.addressof(self._memory) // 16) * 16
        self._free: list[int] = []
        self.top = 0

    def alloc(self) -> int:
        """The address of a free block, one that was used before if there is any; 0 when all are taken."""
        if self._free:
            return self._free.pop()
        if self.top == self.num_blocks:
            return 0
        self.top += 1
        return self.buffer + (self.top - 1) * self.block_size

    def dealloc(self, block: int) -> None:
        """Take a block back."""
        self._free.append(block)

    def trim(self) -> int:
        """Give back the free blocks at the end; how many these were."""
        before = self.top
        while self.top and self._last() in self._free:
            self._free.remove(self._last())
            self._give_back(self._last())
        return before - self.top

    def _last(self) -> int:
        return self.buffer + (self.top - 1) * self.block_size

    def _give_back(self, block: int) -> None:
        """The operating system would be told here; a block of zeros is what it would give later."""
        ctypes.memset(block, 0, self.block_size)
        self.top -= 1


class ForgetfulTrimPool(TrimPool):
    """Faulty: blocks that are given back stay on the list of free ones."""

    def trim(self) -> int:
        """Give back the free blocks at the end; how many these were."""
        before = self.top
        while self.top and self._last() in self._free:
            self._give_back(self._last())
        return before - self.top


class HastyTrimPool(TrimPool):
    """Faulty: believes to have one block more than fits into its buffer."""

    def __init__(self, block_size: int = 64, num_blocks: int = 4) -> None:
        super().__init__(block_size, num_blocks + 1)
        self.capacity = block_size * num_blocks
