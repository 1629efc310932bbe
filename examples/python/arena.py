# ruff: noqa: INP001
"""An arena of marks: blocks follow each other, and all that came after a mark end together."""

import ctypes


class Arena:
    """Blocks are addresses; 0 is a refusal."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._memory = ctypes.create_string_buffer(capacity + 16)
        self.buffer = -(-ctypes.addressof(self._memory) // 16) * 16
        self._used = 0

    def alloc(self, size: int) -> int:
        start = -(-self._used // 8) * 8
        if size > self.capacity - start:
            return 0
        self._used = start + size
        return self.buffer + start

    def mark(self) -> int:
        return self._used

    def release(self, mark: int) -> None:
        self._used = mark

    def reset(self) -> None:
        self._used = 0

    def remaining(self) -> int:
        return self.capacity - self._used
