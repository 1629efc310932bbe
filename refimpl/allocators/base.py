"""What the allocators over a buffer share: the buffer, their own or somebody else's, and an end."""

import ctypes
from typing import TYPE_CHECKING, Self

from heaplaw.spec.layout import PTRDIFF_MAX, SIZE_MAX

from ..memory import RealMemory

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class MisuseError(ValueError):
    """A call that no correct program makes: of what was dropped, or with what is no live block. It changed nothing."""


def counted(size: int) -> str:
    """So many bytes, in words."""
    return "1 byte" if size == 1 else f"{size} bytes"


def check_integer(what: str, value: object) -> None:
    """Refuse what is no integer; truth values are none."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise MisuseError(f"{what} = {value!r}: it must be an integer")


def check_address(doing: str, ptr: object) -> None:
    """Refuse what is no address."""
    if not isinstance(ptr, int) or isinstance(ptr, bool):
        raise MisuseError(f"{doing}({ptr!r}): an address is an integer")


def check_layout(doing: str, layout: object) -> None:
    """Refuse what is no layout: most likely a bare size."""
    if not hasattr(layout, "align"):
        size = layout if isinstance(layout, int) else "size"
        raise MisuseError(f"{doing} takes a Layout, not {layout!r}: layout_new({size}, 8)")


def memory_of(capacity: int, buffer: "int | WriteableBuffer | None") -> RealMemory:
    """`capacity` bytes: fresh and zeroed, or those at `buffer`, an address or a writable buffer that is kept alive."""
    check_integer("capacity", capacity)
    if not 0 <= capacity <= PTRDIFF_MAX:
        raise MisuseError(f"capacity = {capacity} bytes: it must lie between 0 and 2**63 - 1")
    if buffer is None:
        return RealMemory(capacity)
    if isinstance(buffer, int):
        if buffer <= 0 or buffer > SIZE_MAX - capacity:
            raise MisuseError(f"buffer = {buffer:#x}: {capacity} bytes cannot lie there")
        return RealMemory.over(buffer, capacity)
    try:
        held = (ctypes.c_char * capacity).from_buffer(buffer)
    except (TypeError, ValueError) as error:
        raise MisuseError(f"capacity = {capacity} bytes: they cannot be had of the buffer given ({error})") from error
    return RealMemory.over(ctypes.addressof(held), capacity, held)


class Bounded:
    """An allocator over `capacity` bytes of its own, fresh and zeroed, or over somebody else's: at an address, or in a
    writable buffer of at least so many.
    """

    _name = "allocator"

    def __init__(self, capacity: int, buffer: "int | WriteableBuffer | None" = None) -> None:
        self._memory = memory_of(capacity, buffer)
        self._dropped = False
        self.buffer = self._memory.address
        """Address of the first byte."""
        self.capacity = capacity
        """Bytes of the buffer."""

    def _check_usable(self, doing: str) -> None:
        if self._dropped:
            raise MisuseError(f"{doing}: the {self._name} at {self.buffer:#x} has been dropped")

    def drop(self) -> int:
        """End the allocator and all its blocks, and give its buffer back; 0. A buffer that is somebody else's is left
        alone.
        """
        self._check_usable("drop()")
        self._dropped = True
        self._memory.close()
        return 0


class Buffered(Bounded):
    """One that needs to know its buffer only."""

    @classmethod
    def new(cls, capacity: int) -> Self:
        """An allocator over a buffer of its own, with nothing handed out."""
        return cls(capacity)

    @classmethod
    def from_buffer(cls, buffer: "int | WriteableBuffer", capacity: int) -> Self:
        """An allocator over the first `capacity` bytes of memory that somebody else owns, and that outlives it."""
        return cls(capacity, buffer)
