"""Masks and shifts by known numbers mean what Python's mean, and what a machine's do; all others are refused."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heaplaw.proofs.facts import MODULUS
from heaplaw.proofs.symbolic import Reading, SymInt, constant, settled
from heaplaw.proofs.wrapping import Wrapped

MASKS = [0, 1, 7, 8, 0xF0, 4095, 2**63, MODULUS - 1, MODULUS - 8, ~0, ~7, -16, ~(2**63 - 1)]
NUMBERS = st.one_of(st.integers(0, MODULUS - 1), st.sampled_from([0, 1, 7, 8, 15, 2**63, MODULUS - 1]))


def same(symbolic: Any, number: int) -> bool:
    """The symbolic integer is that number."""
    return settled(symbolic.term == number) is True


@given(NUMBERS, st.sampled_from(MASKS))
def test_masks(number: int, mask: int) -> None:
    assert same(constant(number) & mask, number & mask)
    assert same(mask & constant(number, Reading.W64), (number & mask) % MODULUS)
    assert (Wrapped(number) & mask) == (number & mask) % MODULUS
    assert isinstance(Wrapped(number) & mask, Wrapped)


@given(NUMBERS, st.integers(0, 70))
def test_shifts_and_complements(number: int, count: int) -> None:
    acts: list[Callable[[Any], Any]] = [lambda a: a << count, lambda a: a >> count, lambda a: ~a]
    for act in acts:
        assert same(act(constant(number)), act(number))
        assert same(act(constant(number, Reading.W64)), act(number) % MODULUS)
        assert act(Wrapped(number)) == act(number) % MODULUS
        assert isinstance(act(Wrapped(number)), Wrapped)


@given(st.integers(-(2**70), 2**70), st.sampled_from(MASKS))
def test_masks__of_unbounded_numbers(number: int, mask: int) -> None:
    assert same(constant(number) & mask, number & mask)


@pytest.mark.parametrize(
    "act",
    [
        lambda x: x & 5,
        lambda x: x & x,
        lambda x: x | 1,
        lambda x: 1 ^ x,
        lambda x: 1 << x,
        lambda x: x >> x,
    ],
)
@pytest.mark.parametrize("reading", list(Reading))
def test_other_bits__are_refused(act: Callable[[SymInt], Any], reading: Reading) -> None:
    with pytest.raises(TypeError, match="use align_up"):
        act(constant(12, reading))
