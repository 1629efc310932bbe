"""The stack that users hold."""

from typing import TYPE_CHECKING

from ..layout import REFUSED, Allocation, Layout
from ..steps import stack
from .base import Buffered, check_layout

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class StackAllocator(Buffered):
    """Blocks that end in the opposite order, each behind a header of 8 bytes. Source: Vais std/allocator,
    StackAllocator.

    `alloc`, `pop` and `reset` take constant time. `total_allocated` counts headers and padding: with `remaining` it
    adds up to `capacity`. What else is settled is told in `steps.stack`. Any call after `drop` raises `MisuseError` and
    changes nothing. A block may be written over its own bytes only: headers stand between blocks.
    """

    _name = "stack"

    def __init__(self, capacity: int, buffer: "int | WriteableBuffer | None" = None) -> None:
        super().__init__(capacity, buffer)
        self._state = stack.init(self.buffer, capacity, self._memory)

    @property
    def offset(self) -> int:
        """The top, bytes from the buffer's start."""
        return int(self._state.offset)

    @property
    def prev_offset(self) -> int:
        """Where the top was before the newest block, bytes from the buffer's start; 0 when there is no block."""
        return int(self._state.prev_offset)

    def alloc(self, layout: Layout) -> Allocation:
        """A block of exactly `layout.size` bytes on the top; refused when it does not fit."""
        self._check_usable("alloc()")
        check_layout("alloc", layout)
        self._state, ptr = stack.alloc(self._state, layout.size, layout.align, self._memory)
        return Allocation(ptr, layout.size) if ptr else REFUSED

    def alloc_zeroed(self, layout: Layout) -> Allocation:
        """As `alloc`, the block's bytes being 0."""
        self._check_usable("alloc_zeroed()")
        check_layout("alloc_zeroed", layout)
        self._state, ptr = stack.alloc_zeroed(self._state, layout.size, layout.align, self._memory)
        return Allocation(ptr, layout.size) if ptr else REFUSED

    def pop(self) -> int:
        """End the newest block: 1; 0 when there was none, and nothing changes."""
        self._check_usable("pop()")
        before, self._state = self._state, stack.pop(self._state, self._memory)
        return int(self._state != before)

    def reset(self) -> int:
        """End all blocks; 0."""
        self._check_usable("reset()")
        self._state = stack.reset(self._state)
        return 0

    def remaining(self) -> int:
        """Bytes behind the top."""
        self._check_usable("remaining()")
        return int(self._state.remaining)

    def total_allocated(self) -> int:
        """Bytes of all blocks with their headers and padding."""
        self._check_usable("total_allocated()")
        return int(self._state.allocated)


def stack_new(capacity: int) -> StackAllocator:
    """An empty stack over a buffer of its own."""
    return StackAllocator.new(capacity)


def stack_free(allocator: StackAllocator) -> int:
    """End a stack and give its own buffer back; 0."""
    return allocator.drop()
