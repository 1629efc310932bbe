"""The words of mappings are those of the shapes: two tables, held together here."""

import pytest

from heaplaw.mapping import vocabulary
from heaplaw.spec.shapes import SHAPES, WORDS, Kind

WITHOUT_A_KEY = {"bounds", "grid"}
"""What a subject offers by its buffer and `base`."""


def words(kinds: frozenset[Kind]) -> set[str]:
    return {WORDS[kind] for kind in kinds}


def test_there_are_the_same_shapes() -> None:
    assert list(vocabulary.SHAPES) == list(SHAPES)


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_has_the_same_operations_and_counters(name: str) -> None:
    stated, written = SHAPES[name], vocabulary.SHAPES[name]
    if name == "lua_alloc":  # one key stands for all three
        assert written.operations == ("lua_alloc",)
    else:
        assert set(written.operations) == words(stated.operations)
        assert set(written.required) == words(stated.required)
        groups = [[words(choice) for choice in group] for group in stated.one_of]
        assert [[set(choice) for choice in group] for group in written.one_of] == groups
    assert set(written.counters) == stated.counters - WITHOUT_A_KEY
    assert written.sized == stated.sized
