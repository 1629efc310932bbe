"""The same properties under two backends: Hypothesis' own random search, and CrossHair's solver.

The properties are of layouts and of single steps, judged by the laws themselves. Faults that one number out of many
shows are found by the solver in few examples.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from heaplaw.models import layouts
from heaplaw.mutants.reference import load
from heaplaw.proofs.contracts.memory import Cells
from heaplaw.refimpl import layout
from heaplaw.refimpl.steps import bump, freelist
from heaplaw.spec.catalogue import CATALOGUE, law
from heaplaw.spec.catalogue.layouts import Asked, Laid
from heaplaw.spec.history import Op
from heaplaw.spec.law import Scope
from heaplaw.spec.layout import PTRDIFF_MAX
from heaplaw.spec.report import Report, first_fitting
from heaplaw.spec.shapes import Kind

pytest.importorskip(
    "hypothesis_crosshair_provider", reason="hypothesis-crosshair is not installed: there is no backend of that name"
)
BACKENDS = ("hypothesis", "crosshair")
FEW = 8
"""Examples of what is right."""
EXAMPLES = 40
"""In which a fault must be found."""
BOUNDED = settings(
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
ALIGNS = st.sampled_from((1, 8, 16, 64))
BASE = 0x10000


def extends(module: Any, size: int, align: int, then_size: int, then_align: int) -> None:
    """A layout is extended, by every law on layouts."""
    asked = Laid(Asked.EXTEND, size, align, then_size, then_align)
    try:
        base, behind = module.layout_new(size, align), module.layout_new(then_size, then_align)
    except module.LayoutError:
        refused = Laid(Asked.NEW, size, align, served=False)
        assert law("layout_served_if_possible").holds(refused) | (then_size > PTRDIFF_MAX)
        return
    laid = layouts.answered(asked, module.LayoutError, lambda: base.extend(behind))
    for each in CATALOGUE.values():
        if each.scope is Scope.LAYOUT:
            assert each.holds(laid), each.name


def bumps(module: Any, capacity: int, offset: int, size: int, align: int) -> None:
    """One request to a bump allocator in any state."""
    state = module.BumpState(BASE, capacity, min(offset, capacity), min(offset, capacity))
    _, e = module.step(state, Op(Kind.ALIGNED, size, align=align), 0, Cells())
    for name in ("in_bounds", "aligned", "overflow_is_failure"):
        assert law(name).holds(e), name


def fits_first(module: Any, room: int, size: int, align: int) -> None:
    """One request to a free list of one block of any size."""
    memory, room = Cells(), 32 + 8 * room
    memory.write(BASE, room)
    memory.write(BASE + 8, 0)
    state = module.FreeListState(BASE, room, BASE, 0)
    _, e = module.step(state, Op(Kind.ALIGNED, size, align=align), 0, memory)
    first = first_fitting([(BASE, room)], size, align, module.HEADER)
    told = replace(e, report=Report(first_fit=first))
    for name in ("first_fit", "in_bounds", "aligned"):
        assert law(name).holds(told), name
    assert not told.makes or law("usable_size_covers_request").holds(told)


@dataclass(frozen=True)
class Property:
    """A property, what it is asked of, and a fault that one number out of many shows."""

    act: Callable[..., None]
    module: Any
    path: str
    mutant: str
    drawn: dict[str, st.SearchStrategy[Any]]

    def run(self, module: Any, backend: str, examples: int = EXAMPLES) -> None:
        """Look for a counterexample."""

        @settings(BOUNDED, backend=backend, max_examples=examples)
        @given(**self.drawn)
        def check(**values: Any) -> None:
            self.act(module, **values)

        check()


SIZES = st.integers(0, 2**40)
PROPERTIES = {
    "layout": Property(
        extends,
        layout,
        "layout",
        "ref-layout-half-refused",
        {"size": st.integers(0, 2**80), "align": ALIGNS, "then_size": st.integers(0, 99), "then_align": ALIGNS},
    ),
    "bump": Property(
        bumps,
        bump,
        "steps.bump",
        "ref-bump-one-byte-over",
        {"capacity": SIZES, "offset": SIZES, "size": SIZES, "align": ALIGNS},
    ),
    "freelist": Property(
        fits_first,
        freelist,
        "steps.freelist",
        "ref-freelist-exact-refused",
        {"room": SIZES, "size": SIZES, "align": ALIGNS},
    ),
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", PROPERTIES)
def test_reference__keeps_the_laws(name: str, backend: str) -> None:
    PROPERTIES[name].run(PROPERTIES[name].module, backend, FEW)


@pytest.mark.parametrize("name", PROPERTIES)
def test_crosshair__finds_the_fault_in_few_examples(name: str) -> None:
    found = PROPERTIES[name]
    with pytest.raises(AssertionError):
        found.run(load(found.mutant, found.path), "crosshair")


@pytest.mark.parametrize("name", PROPERTIES)
def test_random_search__does_not_find_it_in_as_many(name: str) -> None:
    found = PROPERTIES[name]
    found.run(load(found.mutant, found.path), "hypothesis")
