# ruff: noqa: INP001
"""A bump allocator whose newest block can grow and shrink in place: a buffer for text that becomes longer, say."""

import ctypes


class TailBump:
    """Blocks one behind the other over a buffer of its own, at multiples of 8."""

    def __init__(self, capacity: int = 256) -> None:
        self.capacity = capacity
        self._memory = ctypes.create_string_buffer(capacity + 16)
        self.buffer = -(-ctypes.addressof(self._memory) // 16) * 16
        self._end = self.buffer
        self._newest = 0

    def alloc(self, size: int) -> int:
        """The address of `size` bytes; 0 when there is no room."""
        start = -(-self._end // 8) * 8
        if start + size > self.buffer + self.capacity:
            return 0
        self._newest, self._end = start, start + size
        return start

    def grow_last(self, block: int, size: int) -> int:
        """Make the newest block larger, where it is; 0 when `block` is not that, is larger, or there is no room."""
        if block != self._newest or block + size < self._end or block + size > self.buffer + self.capacity:
            return 0
        self._end = block + size
        return block

    def shrink_last(self, block: int, size: int) -> bool:
        """Give back what the newest block has beyond `size` bytes; False when `block` is not that, or is smaller."""
        if block != self._newest or block + size > self._end:
            return False
        self._end = block + size
        return True

    def reset(self) -> None:
        """End all blocks."""
        self._end, self._newest = self.buffer, 0

    def remaining(self) -> int:
        """Bytes behind the newest block."""
        return self.buffer + self.capacity - self._end


class HastyTailBump(TailBump):
    """Faulty: who wants less is never refused, "for that there is always room" — also where another block follows."""

    def shrink_last(self, block: int, size: int) -> bool:
        """Give back what the newest block has beyond `size` bytes."""
        if block + size > self._end:
            return False
        self._end = block + size
        return True
