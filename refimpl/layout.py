"""What a request for memory says, and what comes of it. Source: Vais std/allocator, Layout and Allocation."""

from dataclasses import dataclass

from heaplaw.spec.layout import PTRDIFF_MAX, align_up, is_power_of_two

_TOO_LARGE = "it must be at most 2**63 - 1, the size of the largest object"


class LayoutError(ValueError):
    """A layout that no object can have; `field` and `value` say which part of the request is wrong."""

    def __init__(self, field: str, value: object, why: str) -> None:
        super().__init__(field, value, why)
        self.field = field
        self.value = value
        self.why = why

    def __str__(self) -> str:
        """Made when it is asked for: integers of proofs have no text."""
        return f"{self.field} = {self.value!r}: {self.why}"


def _check_number(field: str, value: object) -> None:
    """Refuse what is plainly no number of bytes. (Integers of proofs are no `int`, so that cannot be asked for.)"""
    if value is None or isinstance(value, bool | float | str | bytes):
        raise LayoutError(field, value, "it must be an integer")


def _check_size(field: str, value: int) -> int:
    """`value`, a number of bytes or elements that an object can have."""
    _check_number(field, value)
    if value < 0:
        raise LayoutError(field, value, "it must not be negative")
    if value > PTRDIFF_MAX:
        raise LayoutError(field, value, _TOO_LARGE)
    return value


def _check_align(field: str, value: int) -> int:
    """`value`, an alignment."""
    _check_number(field, value)
    if not is_power_of_two(value):
        raise LayoutError(field, value, "it must be a power of two")
    return _check_size(field, value)


@dataclass(frozen=True)
class Layout:
    """`size` bytes at a multiple of `align`, a power of two. Both are at most 2**63 - 1; `LayoutError` otherwise.

    The size need not be a multiple of the alignment: that of a struct whose tail is not padded is not.
    """

    size: int
    align: int

    def __post_init__(self) -> None:
        _check_size("size", self.size)
        _check_align("align", self.align)

    def extend(self, ext: "Layout") -> tuple["Layout", int]:
        """This layout with `ext` behind it as the next member of a C struct, and the offset of `ext` in it, bytes.

        `ext` begins at the first multiple of its own alignment; the alignment is the larger one; the tail is not
        padded, so that the member after it goes where C puts it. `padded` completes the struct.
        """
        # Refused before anything is added to it: the sum of two numbers of bytes fits into 64 bits.
        offset = _check_size("size", align_up(self.size, ext.align))
        return Layout(offset + ext.size, max(self.align, ext.align)), offset

    def padded(self) -> "Layout":
        """This layout with its size rounded up to its alignment: what C's `sizeof` says, and an array's stride."""
        return Layout(align_up(self.size, self.align), self.align)


@dataclass(frozen=True)
class Allocation:
    """What a request got: `size` bytes, at least those asked for, at the address `ptr`; 0 and 0 when it was refused.

    True when it was served, blocks of 0 bytes included.
    """

    ptr: int
    size: int

    def __bool__(self) -> bool:
        return self.ptr != 0


REFUSED = Allocation(0, 0)
"""What a request gets that cannot be served."""


def layout_new(size: int, align: int) -> Layout:
    """`size` bytes at a multiple of `align`; `LayoutError` when no object can be so."""
    return Layout(size, align)


def layout_for_i64() -> Layout:
    """A 64-bit integer: 8 bytes at a multiple of 8."""
    return Layout(8, 8)


def layout_for_i32() -> Layout:
    """A 32-bit integer: 4 bytes at a multiple of 4."""
    return Layout(4, 4)


def layout_for_ptr() -> Layout:
    """A pointer: 8 bytes at a multiple of 8."""
    return Layout(8, 8)


def layout_array(elem_size: int, elem_align: int, count: int) -> Layout:
    """`count` elements: each begins a multiple of the stride into the array, which is the element's size rounded up to
    its alignment. `LayoutError` when an element, their number or the whole array cannot be.
    """
    _check_align("elem_align", elem_align)
    stride = align_up(_check_size("elem_size", elem_size), elem_align)
    _check_size("count", count)
    # By division: the product of two numbers of bytes need not fit into 64 bits.
    if count != 0 and stride > PTRDIFF_MAX // count:
        raise LayoutError("size", stride * count, _TOO_LARGE)
    return Layout(stride * count, elem_align)


def layout_extend(base: Layout, ext: Layout) -> Layout:
    """`base` with `ext` behind it as the next member of a C struct; the tail is not padded. See `Layout.extend`.

    The struct {i64, i32, pointer} is 24 bytes at a multiple of 8; {i64, i32} is 12, and 16 once it is `padded`.
    """
    return base.extend(ext)[0]
