"""Python objects of every shape, named and called in different ways, and some that do one thing wrong."""

import ctypes


def memory_of(size: int) -> tuple[object, int]:
    """Memory of its own, and its first address that is a multiple of 16."""
    raw = ctypes.create_string_buffer(size + 16)
    return raw, -(-ctypes.addressof(raw) // 16) * 16


class Region:
    """Blocks follow each other; what ends them is left to the shapes."""

    def __init__(self, capacity: int = 4096) -> None:
        self.capacity = capacity
        self._memory, self.buffer = memory_of(capacity)
        self._at = [0]

    def take(self, size: int, align: int) -> int:
        """An address, or 0."""
        start = -(-(self.buffer + self._at[-1]) // align) * align - self.buffer
        if start + size > self.capacity:
            return 0
        self._at.append(start + size)
        return self.buffer + start

    def remaining(self) -> int:
        return self.capacity - self._at[-1]


class Bump(Region):
    """Over memory of somebody else's; the alignment may be left out."""

    def __init__(self, buffer: int, capacity: int) -> None:
        self.capacity, self.buffer, self._at = capacity, buffer, [0]

    def alloc(self, size: int, align: int = 1) -> int:
        return self.take(size, align)

    def alloc_zeroed(self, size: int) -> int:
        found = self.take(size, 8)
        if found:
            ctypes.memset(found, 0, size)
        return found

    def reset(self) -> None:
        del self._at[1:]

    def destroy(self) -> None:
        self._at = []

    def invariant(self) -> bool | None:
        assert self._at[-1] <= self.capacity
        return None

    @property
    def total_allocated(self) -> int:
        return self._at[-1]


class Overflowing(Bump):
    def alloc(self, size: int, align: int = 1) -> int:
        found = super().alloc(size, align)
        if found and size == 16:
            ctypes.memset(self.buffer + self.capacity + 3, 0, 1)
        return found


class Uncertain(Bump):
    def invariant(self) -> bool:
        assert len(self._at) < 20
        return len(self._at) != 10


class Stubborn(Bump):
    """Cannot be made a second time."""

    made = 0

    def __init__(self, buffer: int, capacity: int) -> None:
        super().__init__(buffer, capacity)
        Stubborn.made += 1
        if Stubborn.made > 1:
            raise RuntimeError("one is enough")


class Stack(Region):
    alignment = 16

    def allocate(self, size: int) -> int:
        if size > 2**40:
            raise MemoryError
        return self.take(size, 16)

    def pop(self) -> None:
        del self._at[max(1, len(self._at) - 1) :]


class Touchy(Stack):
    """Does not take it well when there is nothing to pop, and says so with the wrong word."""

    def pop(self) -> None:
        if len(self._at) == 1:
            raise IndexError("pop from an empty stack")
        super().pop()


class Huge(Stack):
    def allocate(self, size: int) -> int:
        if size > 2**40:
            raise OverflowError(size)
        return super().allocate(size)


class Arena(Region):
    """Its marks are no numbers."""

    def alloc(self, align: int, size: int) -> int:
        return self.take(size, align)

    def mark(self) -> tuple[int, str]:
        return len(self._at), "mark"

    def release(self, mark: tuple[int, str]) -> None:
        del self._at[mark[0] :]


class FreeList:
    """Deals in offsets into its memory, and wants to know the size of what is given back."""

    def __init__(self) -> None:
        self.memory = bytearray(4096)
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

    def dealloc(self, ptr: int | None, size: int) -> None:
        assert ptr is None or self._live.pop(ptr) in (max(16, -(-size // 16) * 16), 16)

    def realloc(self, ptr: int | None, size: int) -> int | None:
        found = self.alloc(size)
        if found is not None and ptr is not None:
            both = min(size, self._live[ptr])
            self.memory[found : found + both] = self.memory[ptr : ptr + both]
            del self._live[ptr]
        return found


class Lua(FreeList):
    """One call for everything."""

    def __call__(self, ptr: int | None, osize: int, nsize: int) -> int | None:
        if nsize:
            assert ptr is not None or osize < 10
            return self.realloc(ptr, nsize)
        self.dealloc(ptr, osize)
        return None


lua = Lua()


class Pool:
    def __init__(self, block_size: int, num_blocks: int) -> None:
        self.block_size, self.num_blocks = block_size, num_blocks
        self.capacity = block_size * num_blocks
        self._memory, self.buffer = memory_of(self.capacity)
        self.alignment = 8
        self._free = [self.buffer + block_size * k for k in range(num_blocks)]

    def free(self) -> int:
        """Another language's word for the number of free blocks."""
        return len(self._free)

    def alloc(self) -> int:
        return self._free.pop() if self._free else 0

    def dealloc(self, ptr: int) -> None:
        if ptr:
            self._free.append(ptr)

    def num_free_blocks(self) -> int:
        return len(self._free)


class Malloc(FreeList):
    def malloc(self, n: int) -> int | None:
        return self.alloc(n)

    def free(self, ptr: int | None) -> None:
        if ptr is not None:
            del self._live[ptr]

    def aligned_alloc(self, alignment: int, n: int) -> int | None:
        return self.alloc(n) if alignment <= 16 else None

    def usable_size(self, ptr: int) -> int:
        return self._live[ptr]


class Lost(Malloc):
    memory: bytearray

    def usable_size(self, ptr: int) -> int:
        raise KeyError(ptr)


# ---- for a mapping by `python =`


class Namespace:
    class Things:
        @staticmethod
        def make(buffer: int, capacity: int, align: int) -> "Named | None":
            return Named(buffer, capacity, align)


class Named(Bump):
    def __init__(self, buffer: int, capacity: int, align: int) -> None:
        super().__init__(buffer, capacity)
        self.default = align
        self.inside = {"left": capacity}

    def get(self, size: int) -> int | None:
        return self.take(size, self.default) or None

    def token(self) -> int:
        return len(self._at)

    def back(self, mark: int) -> bool:
        del self._at[mark:]
        return True

    @property
    def left(self) -> int:
        return self.remaining()


begun: list[int] = []


def begin(number: int) -> int:
    begun.append(number)
    return 0 if number == 7 else 5
