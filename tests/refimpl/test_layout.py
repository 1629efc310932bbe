import ctypes
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heaplaw.refimpl import (
    Allocation,
    Layout,
    LayoutError,
    layout_array,
    layout_extend,
    layout_for_i32,
    layout_for_i64,
    layout_for_ptr,
    layout_new,
)

FIXED = settings(derandomize=True, database=None, deadline=None)
LARGEST = 2**63 - 1


def test_layouts_of_the_sources_types() -> None:
    assert (layout_for_i64(), layout_for_i32(), layout_for_ptr()) == (Layout(8, 8), Layout(4, 4), Layout(8, 8))
    assert layout_new(100, 16) == Layout(100, 16)


@pytest.mark.parametrize(
    ("size", "align", "field", "value"),
    [
        (-1, 8, "size", -1),
        (2**63, 8, "size", 2**63),
        (8, 0, "align", 0),
        (8, 24, "align", 24),
        (8, -8, "align", -8),
        (8, 2**63, "align", 2**63),
        (-1, 3, "size", -1),
    ],
)
def test_layout__refuses_what_no_object_can_have(size: int, align: int, field: str, value: int) -> None:
    with pytest.raises(LayoutError, match=f"^{field} = {value}: ") as error:
        layout_new(size, align)
    assert (error.value.field, error.value.value) == (field, value)
    assert isinstance(error.value, ValueError)


def test_layout__takes_the_largest() -> None:
    assert layout_new(LARGEST, 2**62) == Layout(LARGEST, 2**62)
    assert layout_new(0, 1) == Layout(0, 1)


@pytest.mark.parametrize(
    ("elem_size", "elem_align", "count", "layout"),
    [
        (8, 8, 10, Layout(80, 8)),
        (12, 8, 3, Layout(48, 8)),
        (1, 64, 2, Layout(128, 64)),
        (5, 1, 7, Layout(35, 1)),
        (8, 8, 0, Layout(0, 8)),
        (0, 4, 9, Layout(0, 4)),
        (1, 1, LARGEST, Layout(LARGEST, 1)),
    ],
)
def test_array__has_a_stride_of_whole_alignments(elem_size: int, elem_align: int, count: int, layout: Layout) -> None:
    assert layout_array(elem_size, elem_align, count) == layout


@pytest.mark.parametrize(
    ("elem_size", "elem_align", "count", "field"),
    [
        (-8, 8, 1, "elem_size"),
        (2**63, 8, 1, "elem_size"),
        (8, 6, 1, "elem_align"),
        (8, 8, -1, "count"),
        (8, 8, 2**60, "size"),
        (2**32, 8, 2**32, "size"),
        (LARGEST, 8, 1, "size"),
    ],
)
def test_array__names_what_is_wrong(elem_size: int, elem_align: int, count: int, field: str) -> None:
    with pytest.raises(LayoutError) as error:
        layout_array(elem_size, elem_align, count)
    assert error.value.field == field


def test_extend__is_the_sources_struct() -> None:
    pair = layout_extend(layout_for_i64(), layout_for_i32())
    assert (pair, pair.padded()) == (Layout(12, 8), Layout(16, 8))
    assert pair.extend(layout_for_ptr()) == (Layout(24, 8), 16)
    assert layout_extend(pair, layout_for_i32()) == Layout(16, 8)  # not padded in between: the next member is at 12


def test_extend__refuses_what_grows_too_large() -> None:
    with pytest.raises(LayoutError, match="size = "):
        layout_extend(Layout(LARGEST, 1), Layout(1, 1))
    with pytest.raises(LayoutError, match="size = "):
        Layout(LARGEST, 8).padded()


MEMBERS = (ctypes.c_int8, ctypes.c_int16, ctypes.c_int32, ctypes.c_int64, ctypes.c_double, ctypes.c_void_p)


@FIXED
@given(st.lists(st.sampled_from(MEMBERS), min_size=1, max_size=8))
def test_extend__lays_members_out_as_c_does(members: list[type]) -> None:
    struct: Any = type("Struct", (ctypes.Structure,), {"_fields_": [(f"m{at}", t) for at, t in enumerate(members)]})
    whole, offsets = Layout(0, 1), []
    for member in members:
        whole, offset = whole.extend(Layout(ctypes.sizeof(member), ctypes.alignment(member)))
        offsets.append(offset)
    assert offsets == [getattr(struct, f"m{at}").offset for at in range(len(members))]
    assert whole.padded() == Layout(ctypes.sizeof(struct), ctypes.alignment(struct))
    assert layout_array(whole.size, whole.align, 3).size == ctypes.sizeof(struct * 3)


def test_allocation__is_true_when_it_was_served() -> None:
    assert not Allocation(0, 0)
    assert Allocation(0x1000, 0)
