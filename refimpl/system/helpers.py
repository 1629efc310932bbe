"""Typed helpers over ctypes types. Source: the allocator system, Type-safe Allocation (VM_NEW, AST_NEW, STR_DUP, …).

`of` says which allocator: one, a subsystem of the calling thread, or the ambient one when left out. A typed block is a
view of memory that the allocator owns: it ends by `delete`, or with its scope, and must not be used afterwards. A
request that is refused gives None, or address 0.
"""

import ctypes
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from heaplaw.spec.layout import SIZE_MAX

from .base import check_allocator
from .errors import MisuseError
from .interface import Allocator, Site
from .plans import Subsystem
from .registry import allocators_get
from .scopes import current
from .words import clear, copy

if TYPE_CHECKING:
    from _ctypes import _CData  # pyright: ignore[reportPrivateUsage] # the only name there is for "a ctypes type"

T = TypeVar("T", bound="_CData")
Of: TypeAlias = Allocator | Subsystem | None


def allocator_of(of: Of) -> Allocator:
    """The allocator that is meant."""
    if of is None:
        return current()
    if isinstance(of, Subsystem):
        return allocators_get(of)
    check_allocator("of", of)
    return of


def _typed(kind: Any, ptr: int) -> Any:
    return kind.from_address(ptr) if ptr != 0 else None


def _typed_array(kind: Any, count: int, ptr: int) -> Any:
    # The type comes last: for what no block could hold it cannot even be made.
    return (kind * count).from_address(ptr) if ptr != 0 else None


def new(kind: type[T], of: Of = None, *, tag: str = "", site: Site | None = None) -> T | None:
    """A `kind`, not initialised."""
    ptr = allocator_of(of).alloc(ctypes.sizeof(kind), ctypes.alignment(kind), tag=tag, site=site)
    made: T | None = _typed(kind, ptr)
    return made


def new_zeroed(kind: type[T], of: Of = None, *, tag: str = "", site: Site | None = None) -> T | None:
    """A `kind`, all of whose bytes are 0."""
    ptr = allocator_of(of).alloc_zeroed(ctypes.sizeof(kind), ctypes.alignment(kind), tag=tag, site=site)
    made: T | None = _typed(kind, ptr)
    return made


def array_size(kind: type["_CData"], count: int) -> int:
    """Bytes of an array; a product that no size can say stays too large for every allocator. Nothing wraps."""
    if type(count) is not int or count < 0:
        raise MisuseError(f"new_array({kind.__name__}, {count!r})", "a count is an integer of 0 or more")
    return min(ctypes.sizeof(kind) * count, SIZE_MAX)


def new_array(
    kind: type[T], count: int, of: Of = None, *, tag: str = "", site: Site | None = None
) -> ctypes.Array[T] | None:
    """`count` times `kind`, not initialised; refused where `count * sizeof(kind)` is more than any object may have."""
    size = array_size(kind, count)
    ptr = allocator_of(of).alloc(size, ctypes.alignment(kind), tag=tag, site=site)
    made: ctypes.Array[T] | None = _typed_array(kind, count, ptr)
    return made


def new_array_zeroed(
    kind: type[T], count: int, of: Of = None, *, tag: str = "", site: Site | None = None
) -> ctypes.Array[T] | None:
    """As `new_array`, and all bytes are 0."""
    size = array_size(kind, count)
    ptr = allocator_of(of).alloc_zeroed(size, ctypes.alignment(kind), tag=tag, site=site)
    made: ctypes.Array[T] | None = _typed_array(kind, count, ptr)
    return made


def strdup(text: str | bytes, of: Of = None, *, tag: str = "", site: Site | None = None) -> int:
    """The address of a copy that ends with a zero byte; a `str` is encoded as UTF-8. 0 when refused.

    A text with a zero byte inside is misuse: a reader would take it for the end.
    """
    data = text.encode() if isinstance(text, str) else text
    if b"\0" in data:
        raise MisuseError(f"strdup({text!r})", "the text has a zero byte inside, which would end it")
    ptr = allocator_of(of).alloc(len(data) + 1, 1, tag=tag, site=site)
    if ptr != 0:
        copy(ptr, ctypes.addressof(ctypes.create_string_buffer(data)), len(data))
        clear(ptr + len(data), 1)
    return ptr


def text_at(ptr: int) -> str:
    """The text that `strdup` copied to `ptr`, which is not 0: a request that was refused made no text."""
    if type(ptr) is not int or ptr <= 0:
        raise MisuseError(f"text_at({ptr!r})", "no text is there")
    return ctypes.string_at(ptr).decode()


def delete(thing: "_CData", of: Of = None) -> None:
    """End what `new` or `new_array` gave; its size is checked."""
    allocator_of(of).free_sized(ctypes.addressof(thing), ctypes.sizeof(thing))
