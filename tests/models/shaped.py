"""Correct objects of several shapes, named and called in different ways."""

import ctypes


class Regions:
    """Blocks follow each other upwards in memory of its own, or in somebody else's: a bump allocator, stack and arena.

    The first `skip` bytes are left out. Marks are no numbers.
    """

    def __init__(self, memory: bytearray | None = None, skip: int = 0) -> None:
        self._memory = bytearray(512) if memory is None else memory
        start = ctypes.addressof(ctypes.c_char.from_buffer(self._memory))
        self.buffer = -(-start // 16) * 16 + skip
        self.capacity = start + len(self._memory) - self.buffer
        self._ends = [self.buffer]

    def alloc(self, size: int, align: int) -> int:
        at = -(-self._ends[-1] // align) * align
        if at + size > self.buffer + self.capacity:
            return 0
        self._ends.append(at + size)
        return at

    def pop(self) -> None:
        del self._ends[max(1, len(self._ends) - 1) :]

    def reset(self) -> None:
        del self._ends[1:]

    def mark(self) -> tuple[int]:
        return (len(self._ends),)

    def release(self, mark: tuple[int]) -> None:
        del self._ends[mark[0] :]

    def remaining(self) -> int:
        return self.buffer + self.capacity - self._ends[-1]

    def total_allocated(self) -> int:
        return self._ends[-1] - self.buffer

    def destroy(self) -> None:
        self._ends = []


class Offsets:
    """First fit over a memory of its own, in offsets from its start. Wants to know what it gets back."""

    def __init__(self) -> None:
        self.memory = bytearray(1024)
        self._live: dict[int, int] = {}

    def alloc(self, size: int) -> int | None:
        room, at = max(16, -(-size // 16) * 16), 0
        for start in sorted(self._live):
            if at + room <= start:
                break
            at = start + self._live[start]
        if at + room > len(self.memory):
            return None
        self._live[at] = room
        return at

    def dealloc(self, ptr: int, size: int) -> None:
        assert self._live.pop(ptr) == max(16, -(-size // 16) * 16)

    def realloc(self, ptr: int, size: int) -> int | None:
        new = self.alloc(size)
        if new is not None:
            both = min(size, self._live[ptr])
            self.memory[new : new + both] = self.memory[ptr : ptr + both]
            del self._live[ptr]
        return new


class Lua(Offsets):
    """One call for everything."""

    def __call__(self, ptr: int | None, old_size: int, size: int) -> int | None:
        if size == 0:
            if ptr is not None:
                self.dealloc(ptr, old_size)
            return None
        return self.alloc(size) if ptr is None else self.realloc(ptr, size)
