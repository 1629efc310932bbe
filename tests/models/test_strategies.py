import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heaplaw.models import strategies
from heaplaw.spec.event import NONE, Env
from heaplaw.spec.layout import PTRDIFF_MAX, SIZE_MAX, is_power_of_two
from heaplaw.spec.shapes import MAKERS, TAKERS, Kind

FIXED = settings(derandomize=True, database=None, deadline=None)


@FIXED
@given(strategies.requests(), strategies.alignments(), strategies.factors())
def test_requests__are_words(size: int, align: int, factors: tuple[int, int]) -> None:
    assert 0 <= size <= SIZE_MAX
    assert is_power_of_two(align)
    assert all(0 <= factor <= SIZE_MAX for factor in factors)
    product = factors[0] * factors[1]
    assert product <= strategies.LARGEST_CLASS or product > PTRDIFF_MAX


@FIXED
@given(st.sampled_from(["malloc", "pool"]), st.data())
def test_programs__use_live_blocks_only(shape: str, data: st.DataObject) -> None:
    env = Env(block_size=32 if shape == "pool" else 0)
    ops = data.draw(strategies.programs(shape, env))
    held: set[int] = set()
    for index, op in enumerate(ops):
        if op.kind in TAKERS:
            assert op.slot in held
            held -= {op.slot} if op.kind != Kind.CHECK else set()
        else:
            assert op.slot == NONE
        if op.kind in MAKERS:
            held.add(index)


@pytest.mark.parametrize("shape", ["malloc", "pool"])
def test_kinds_of__keeps_to_what_is_offered(shape: str) -> None:
    few = strategies.kinds_of(shape, frozenset({"malloc", "free"}))
    assert few == [Kind.ALLOC, Kind.FREE, Kind.CHECK]
    assert set(few) <= set(strategies.kinds_of(shape))
