"""Size classes: the table, the choice, and what is wasted."""

import pytest

from heaplaw.proofs.symbolic import constant
from heaplaw.refimpl.steps.sizes import LARGEST, SIZES, SMALL, class_of, class_size


def test_table__is_the_pinned_one() -> None:
    assert SIZES[:9] == (16, 32, 48, 64, 80, 96, 112, 128, 160)
    assert SIZES[8:16] == (160, 192, 224, 256, 320, 384, 448, 512)
    assert (len(SIZES), SIZES[-1]) == (40, LARGEST)
    assert all(size % 16 == 0 for size in SIZES)


@pytest.mark.parametrize("sizes", [SIZES, (64,), (16, 48, 128)])
def test_class__is_the_least_that_holds(sizes: tuple[int, ...]) -> None:
    for size in range(0, sizes[-1] + 3, 1 if sizes != SIZES else 7):
        expected = next((index for index, least in enumerate(sizes) if least >= size), len(sizes))
        assert class_of(size, sizes) == expected


def test_class__wastes_no_more_than_is_stated() -> None:
    for size in range(1, LARGEST + 1):
        wasted = class_size(size) - size
        assert 0 <= wasted
        assert wasted <= 15 if size <= SMALL else 4 * wasted < size


def test_class__of_what_is_too_large_is_none() -> None:
    assert (class_of(LARGEST + 1), class_size(LARGEST + 1), class_size(2**70)) == (len(SIZES), 0, 0)


def test_class__is_chosen_for_symbols_too() -> None:
    assert class_size(constant(129)) == 160
