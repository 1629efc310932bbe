"""The layout functions on every combination of boundary values; and faults in them."""

from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest

from heaplaw.models import layouts
from heaplaw.refimpl import layout
from heaplaw.refimpl.layout import Layout, LayoutError
from heaplaw.spec.catalogue.layouts import Asked, Laid
from heaplaw.spec.layout import PTRDIFF_MAX
from heaplaw.spec.verdict import Holds


def test_the_reference__keeps_every_law() -> None:
    found = layouts.judged()
    assert found.calls == 4920
    assert not found.violations
    assert all(isinstance(verdict.outcome, Holds) for verdict in found.verdicts)
    assert len(found.verdicts) == 5


def test_every_kind_of_request__is_served_and_refused() -> None:
    came = {(laid.asked, laid.served) for laid in layouts.asked()}
    assert came == {(kind, served) for kind in Asked for served in (True, False)}


def test_what_no_layout_can_be__is_recorded_as_too_large() -> None:
    assert [layouts.recorded(value) for value in (-1, 0, PTRDIFF_MAX, 2**70)] == [2**63, 0, PTRDIFF_MAX, 2**63]
    assert not layouts.valid((-1,), ())
    assert not layouts.valid((), (3,))
    assert layouts.valid((0, PTRDIFF_MAX), (1, 2**62))


def faulty(**functions: Any) -> Any:
    """The layout functions, some of them replaced."""
    names = {name: getattr(layout, name) for name in ("layout_new", "layout_array", "LayoutError")}
    return SimpleNamespace(**{**names, **functions})


class Loose(Layout):
    """Extends without padding."""

    def extend(self, ext: Layout) -> tuple[Layout, int]:
        return Layout(self.size + ext.size, max(self.align, ext.align)), self.size


class Late(Layout):
    """Forgets that the alignment may grow."""

    def extend(self, ext: Layout) -> tuple[Layout, int]:
        made, offset = super().extend(ext)
        return Layout(made.size, self.align), offset


class Round(Layout):
    """Pads a whole alignment where none is needed."""

    def padded(self) -> Layout:
        return Layout(self.size - self.size % self.align + self.align, self.align)


def tight(elem_size: int, elem_align: int, count: int) -> Layout:
    """An array without strides."""
    Layout(elem_size, elem_align)
    return Layout(elem_size * Layout(count, 1).size, elem_align)


def wrapping(size: int, align: int) -> Layout:
    """A size that is cut to 63 bits."""
    if size < 0:
        raise LayoutError("size", size, "it must not be negative")
    return Layout(size % 2**63, align)


@pytest.mark.parametrize(
    ("module", "law"),
    [
        (faulty(layout_new=Loose), "layout_extends_like_c"),
        (faulty(layout_new=Late), "layout_align_is_largest"),
        (faulty(layout_new=Round), "layout_size_kept"),
        (faulty(layout_array=tight), "layout_strides"),
        (faulty(layout_new=wrapping), "layout_served_if_possible"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_fault__is_seen_by_its_law(module: Any, law: str) -> None:
    found = layouts.judged(module)
    assert law in {violation.law for violation in found.violations}
    assert all(violation.observed and violation.required for violation in found.violations)


def test_values__are_in_order_and_reach_the_limits() -> None:
    for values in (layouts.SIZES, layouts.ALIGNS, layouts.COUNTS):
        assert all(a < b for a, b in pairwise(values))
        assert values[0] < 0
        assert values[-1] == 2**63
    assert Laid(Asked.NEW, 0) == layouts.PLAIN
