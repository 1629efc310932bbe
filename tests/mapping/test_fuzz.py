"""Whatever the text, what comes is a mapping or an error that can be read."""

import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from heaplaw import mappings
from heaplaw.mapping import Mapping, MappingError, load
from heaplaw.mapping import vocabulary as vocab

FIXED = settings(derandomize=True, database=None, deadline=None)
HERE = Path(__file__).parent
TEXTS = [path.read_text() for path in sorted(mappings.FOLDER.glob("*.toml"))]
TEXTS += [path.read_text() for path in sorted((HERE / "mistakes").glob("*.toml"))]

VALUES = [
    "1", "-1", "0", "true", '"16"', "''", '"a\\u0000b"', "1.5", "nan", "[]", "{}", "[[]]", "[{}]", "07:30:00",
    "0x" + "f" * 40, '"f(size)"', '"f(ptr, &out)"', '{ call = "f()", returns = "status" }', '["f()", { call = 3 }]',
]  # fmt: skip
WORDS = [
    *vocab.TOP,
    *vocab.WORDS,
    *vocab.PROMISES,
    *vocab.EXPECT_KEYS,
    *vocab.CALL_KEYS,
    *vocab.RETURNS,
    "&pool",
    "NULL",
]
PIECES = [*"=[]{}\"'#.,()&\\\t\r\n\0日", "[[", '"""']


def outcome(data: bytes) -> Mapping | str:
    """The mapping, or what was told instead: then every line of it is as it should be."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "m.toml")
        path.write_bytes(data)
        try:
            return load(path)
        except MappingError as error:
            well_formed(error, str(path))
            return error.report


def well_formed(error: MappingError, name: str) -> None:
    """Blocks of a message, a place and, where there is a line, that line and carets; at last the count."""
    *blocks, closing = error.report.split("\n\n")
    assert closing == f"{len(blocks)} error{'s' if len(blocks) > 1 else ''} in {name}; nothing was run."
    assert error.count == len(blocks) > 0
    for block in blocks:
        message, place, *rest = block.split("\n")
        assert re.match("error: .", message)
        if re.search(r":\d+:\d+$", place):
            bar, source, carets, *rest = rest
            assert bar.strip() == "|"
            assert re.match(r" *\d+ \|", source)
            assert re.fullmatch(r" +\| [ \t]*\^+", carets)
        else:
            assert place.strip() == f"--> {name}"
        assert all(line.strip().startswith("= help: ") for line in rest)


@FIXED
@given(st.text() | st.lists(st.sampled_from([*WORDS, *VALUES, *PIECES])).map(" ".join))
@example("[expect]\nlaw = 'x'")
@example("expect = [[]]\n[promises]\n")
def test_any_text(text: str) -> None:
    outcome(text.encode("utf-8", "surrogatepass"))


@FIXED
@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    outcome(data)


lines_of_keys = st.builds("{} = {}".format, st.sampled_from(WORDS), st.sampled_from(VALUES)).filter(
    lambda line: "&" not in line.partition("=")[0]
)


@FIXED
@given(st.lists(lines_of_keys | st.sampled_from(["[promises]", "[[expect]]", "[environment]"]), max_size=12))
def test_any_values(lines: list[str]) -> None:
    outcome("\n".join(lines).encode())


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A mapping with a few changes: of characters, of words, of whole values and lines."""
    text = draw(st.sampled_from(TEXTS))
    for _ in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(["character", "word", "value", "line"]))
        if kind == "character":
            at = draw(st.integers(0, len(text)))
            text = text[:at] + draw(st.sampled_from([*PIECES, "", "x"])) + text[at + draw(st.integers(0, 2)) :]
        elif kind == "line":
            lines = text.split("\n")
            at = draw(st.integers(0, len(lines) - 1))
            lines[at : at + 1] = [lines[at]] * draw(st.sampled_from([0, 2]))
            text = "\n".join(lines)
        else:
            pattern, options = (r"\w+", WORDS) if kind == "word" else (r"(?<== ).*", VALUES)
            found = list(re.finditer(pattern, text))
            if found:
                match = draw(st.sampled_from(found))
                text = text[: match.start()] + draw(st.sampled_from(options)) + text[match.end() :]
    return text


@FIXED
@given(mutated())
def test_mappings_that_were_changed(text: str) -> None:
    outcome(text.encode())


@pytest.mark.parametrize("text", TEXTS[: len(TEXTS) // 2])
def test_every_mapping_cut_off_anywhere(text: str) -> None:
    for at in range(0, len(text), 7):
        outcome(text[:at].encode())
