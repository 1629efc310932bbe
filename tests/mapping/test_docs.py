"""The tables of the vocabulary say what docs/mapping.md says, and what the shapes of spec say."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from heaplaw.mapping import Mapping, Promises
from heaplaw.mapping import vocabulary as vocab
from heaplaw.spec import shapes

DOCS = Path(__file__).parents[2] / "docs" / "mapping.md"
TEXT = DOCS.read_text()
BLOCKS = re.findall(r"^```toml\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


def rows(header: str) -> list[list[str]]:
    """The cells of the table of the documentation that has this header."""
    _, found, rest = TEXT.partition(f"{header}\n")
    assert found, header
    lines = rest.split("\n\n", 1)[0].splitlines()[1:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def ticked(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


@pytest.mark.parametrize("block", BLOCKS)
def test_every_example_can_be_read(reading: Callable[[str | bytes], Mapping], whole: str, block: str) -> None:
    promised = 'realloc = "my_realloc(pool, ptr, size)"\nusable_size = "my_usable(pool, ptr)"\n'
    calls = promised if block.startswith("[promises]") else ""
    mapping = reading(block if block.startswith("library") else whole + calls + block)
    assert mapping.operations["alloc"].arguments == ("instance", "size")
    assert (mapping.promises == Promises()) == ("[promises]" not in block)
    assert bool(mapping.expect) == ("[[expect]]" in block)


def test_there_are_examples() -> None:
    assert len(BLOCKS) == 7
    assert sum(block.startswith("library") for block in BLOCKS) == 2


def test_the_example_of_promises_names_all() -> None:
    block = max((block for block in BLOCKS if "[promises]" in block), key=len)
    assert set(re.findall(r"^(\w+) =", block, re.MULTILINE)) == set(vocab.PROMISES)
    for key, options in vocab.CHOICES.items():
        (line,) = re.findall(rf"^{key} = .*$", block, re.MULTILINE)
        assert set(re.findall(r'"(\w+)"', line)) <= set(options)


def test_shapes() -> None:
    table = {ticked(row[0])[0]: row[1:] for row in rows("| shape | must have | may have | counters |")}
    assert set(table) == set(vocab.SHAPES)
    for name, (must, may, counters) in table.items():
        shape = vocab.SHAPES[name]
        grouped = {key for group in shape.one_of for choice in group for key in choice}
        assert set(ticked(must)) == {*shape.required} | grouped
        assert set(ticked(may)) == {*shape.optional}
        assert set(ticked(counters)) == {*shape.counters}


def test_operations() -> None:
    assert [ticked(row[0])[0] for row in rows("| key | what it does |")] == list(vocab.OPERATIONS)
    (counters,) = re.findall(r"^Counters are called.*?\n\n", TEXT, re.MULTILINE | re.DOTALL)
    for key in vocab.COUNTERS:
        assert f"`{key}`" in counters


def test_words() -> None:
    table = {word: row[2] for row in rows("| word | value | where |") for word in ticked(row[0])}
    assert set(table) == set(vocab.WORDS)
    for word, where in table.items():
        places = {key for key, rules in vocab.CALLS.items() if word in (*rules.words, *rules.needs)}
        if word == "&out":
            assert {key for key, rules in vocab.CALLS.items() if rules.returns_with_out} > places
        elif word in vocab.EVERYWHERE:
            assert (where, places) == ("everywhere", set())
        else:
            assert set(re.findall(r"\w+", where)) & {*vocab.CALLS} == places, word


def test_what_calls_return() -> None:
    table = {word: row[2] for row in rows("| value | meaning | default |") for word in ticked(row[0])}
    assert list(table) == list(vocab.RETURNS)
    for key, rules in vocab.CALLS.items():
        assert {*rules.returns, *rules.returns_with_out} <= set(vocab.RETURNS), key
        assert set(rules.needs) <= {*rules.words, "&out"}, key
    for key in ("free", "pop", "reset", "release", "init", "destroy"):
        assert key in ticked(table["none"])
        assert vocab.CALLS[key].returns[0] == "none"
    assert "invariant" in ticked(table["status"])
    assert vocab.CALLS["invariant"].returns[0] == "status"
    assert "base" in ticked(table["pointer"])
    assert vocab.CALLS["base"].returns[0] == "pointer"


def test_every_key_is_documented() -> None:
    for key in (*vocab.TOP, *vocab.CALL_KEYS):
        assert re.search(rf"\b{key}\b", TEXT), key


def test_spec_knows_the_same_shapes() -> None:
    assert set(shapes.SHAPES) == set(vocab.SHAPES)
    for name, shape in shapes.SHAPES.items():
        ours = vocab.SHAPES[name]
        words = {shapes.WORDS[kind] for kind in shape.operations}
        expected = {"lua_alloc"} if name == "lua_alloc" else words
        assert set(ours.operations) == expected
        assert shape.sized == ours.sized
        # Where blocks may lie is no call: it follows from the buffer and `base`.
        assert set(ours.counters) == shape.counters - {"bounds", "grid"}
        if name != "lua_alloc":
            assert {shapes.WORDS[kind] for kind in shape.required} == set(ours.required)
            groups = [[{shapes.WORDS[kind] for kind in choice} for choice in group] for group in shape.one_of]
            assert groups == [[set(choice) for choice in group] for group in ours.one_of]
