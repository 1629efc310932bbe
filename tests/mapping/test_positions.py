"""Where things stand: whatever comes before a mistake, the caret stands under it."""

import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from heaplaw.mapping import MappingError, load
from heaplaw.mapping.positions import Document, Route, read

FIXED = settings(derandomize=True, database=None, deadline=None)
CELLS = {**dict.fromkeys("日本한Ａ", 2), "\u0301": 0, **dict.fromkeys("ä→a #\"='", 1)}
"""Characters, and how many cells of a terminal each takes."""
FIRST = 'library = "./m.so"\nshape = "malloc"\nfree = "my_free(ptr)"\n'

words = st.text(alphabet=[*CELLS], max_size=12)
letters = st.text(alphabet=["日", "本", "ä", "a", "é", "ß", "한"], min_size=1, max_size=6)
blanks = st.text(alphabet=" \t", max_size=5)
comments = st.builds("{}# {}".format, blanks, words)
lines_before = st.lists((blanks | comments).map("{}\n".format), max_size=4).map("".join)
calls_before = st.lists(st.sampled_from(["size", "0x10", "-1", "NULL", "align"]), max_size=3)
spaces = st.text(alphabet=" ", max_size=4)


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8", newline="")
    return path


def reported(text: str) -> str:
    """What is told of a mapping of that text."""
    with tempfile.TemporaryDirectory() as folder:
        path = written(Path(folder, "m.toml"), text)
        with pytest.raises(MappingError) as caught:
            load(path)
        return caught.value.report.replace(str(path), "m.toml")


def pointed(report: str, text: str, wrong: str) -> None:
    """The report's only error points at `wrong` in the text: by numbers, and by carets on a terminal."""
    lines = report.split("\n")
    assert lines[-1] == "1 error in m.toml; nothing was run.", report
    line, column = map(int, lines[1].rpartition(".toml:")[2].split(":"))
    source = text.split("\n")[line - 1]
    assert source[column - 1 :].startswith(wrong), report
    shown, carets = lines[3].partition(" | ")[2], lines[4].partition(" | ")[2]
    assert shown == source.rstrip(), report
    before, marked = carets.replace("^", ""), carets.strip()
    # A tab below a tab, and as many cells below what stands left of the mistake.
    assert [c for c in before if c == "\t"] == [c for c in source[: column - 1] if c == "\t"], report
    assert before.count(" ") == sum(CELLS.get(c, 1) for c in source[: column - 1] if c != "\t"), report
    assert marked == "^" * sum(CELLS.get(c, 1) for c in wrong), report


@FIXED
@given(lines_before, blanks, spaces, letters, comments, calls_before, spaces)
@example("\n", "\t", "", "日", "", [], "")
def test_an_argument(
    above: str, indent: str, space: str, name: str, comment: str, arguments: list[str], inner: str
) -> None:
    call = f"{name}({inner}{(inner + ', ').join([*arguments, 'WRONG'])}{inner})"
    text = f'{FIRST}{above}{indent}alloc{space}={space}"{call}"{comment}\n'
    report = reported(text.replace("WRONG", "size, wrong"))
    pointed(report, text.replace("WRONG", "size, wrong"), "wrong")


@FIXED
@given(lines_before, blanks, spaces, letters, comments)
def test_a_key(above: str, indent: str, space: str, name: str, comment: str) -> None:
    text = f'{FIRST}{above}alloc = "{name}(size)"{comment}\n{above}{indent}wrongest{space}=1{comment}\n'
    pointed(reported(text), text, "wrongest")


@FIXED
@given(lines_before, blanks, spaces, words.filter(lambda word: '"' not in word and word.strip()), comments)
def test_a_value_in_an_inline_table(above: str, indent: str, space: str, name: str, comment: str) -> None:
    table = f'{{{space}MINE = "{name}"{space},{space}"B B"{space}={space}17{space}}}'
    text = f'{FIRST}alloc = "f(size)"\n{above}{indent}environment{space}={space}{table}{comment}\n'
    pointed(reported(text), text, "17")


@FIXED
@given(lines_before, blanks, letters, comments)
def test_a_value_below_a_header(above: str, indent: str, name: str, comment: str) -> None:
    text = f'{FIRST}alloc = "{name}(size)"\n{above}{indent}[{indent}promises{indent}]{comment}\n{above}alignment = 17\n'
    pointed(reported(text), text, "17")


@FIXED
@given(st.integers(0, 5), st.integers(0, 3), comments)
def test_a_list_of_tables(count: int, after: int, comment: str) -> None:
    good = f'[[expect]]{comment}\nlaw = "aligned"\nreason = "r"\n'
    text = f'{FIRST}alloc = "f(size)"\n{good * count}[[expect]]\nlaw = "wrong"\nreason = "r"\n{good * after}'
    pointed(reported(text), text, '"wrong"')


@FIXED
@given(lines_before, letters, spaces)
def test_a_list_over_several_lines(above: str, name: str, space: str) -> None:
    text = (
        f'{FIRST}alloc = "f(size)"\ninit = [\n"{name}()",{above}\n{space}{{call = "{name}({space}wrong)"}}, # end\n]\n'
    )
    pointed(reported(text), text, "wrong")


@pytest.mark.parametrize(
    ("written", "wrong"),
    [
        ("'f(size, wrong)'", "wrong"),
        (r'"\u0066(si\U0000007Ae, wrong)"', "wrong"),
        (r'"f\u0028size,\twrong)"', "wrong"),
        (r'"f(size, wron\u0067)"', r"wron\u0067"),
        ('"""f(size, wrong)"""', "wrong"),
        ('"""\nf(size,\n\t wrong)"""', "wrong"),
        ('"""f(\\\n\n   size, \\\n   wrong)"""', "wrong"),
        ("'''\nf(size,\nwrong)'''", "wrong"),
        ("'''\n\n\nf(\nwrong, size)'''", "wrong"),
    ],
)
def test_strings_of_every_kind(written: str, wrong: str) -> None:
    text = f"{FIRST}alloc = {written}\n"
    pointed(reported(text), text, wrong)


def test_what_spans_lines_is_marked_on_the_first() -> None:
    text = FIRST + 'alloc = """\nf(size, (a,\nb))"""\n'
    report = reported(text)
    assert " 5 | f(size, (a,\n   |         ^^^\n" in report


# ------------------------------------------------------------------------------------------ against tomllib's values

SCALARS = ["1", "0x1F", "1_000", "1.5e3", "true", "inf", "1979-05-27T07:32:00Z", "07:32:00", "''"]
STRINGS = [
    '"plain"', "'li\\teral'", r'"\u00e9\t\"x\"\\"', '"""a\n"b" \\\n   c"""', "'''\n'x' \"\n'''", '"日本 # no comment"',
    '""""quoted""""', "''''quoted''''", '""""""', "''''''", r'"""\""""', '"[x]\\n{y=1}"',
]  # fmt: skip
KEYS = ["a", "b-c", "1", '"d.e"', "'f g'", '""', '"ä"', "true", r'"\u0041"']

scalars = st.sampled_from([*SCALARS, *STRINGS])
keys = st.sampled_from(KEYS)
dotted = st.lists(keys, min_size=1, max_size=3).map(" . ".join)
endings = st.sampled_from(["", " ", "\t# 日本", " #"])
breaks = st.sampled_from(["", " ", "\n", " # ä\n\t"])


def lists(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds(
        lambda items, gap, comma: f"[{gap}{(gap + ',' + gap).join(items)}{comma if items else ''}{gap}]",
        st.lists(inner, max_size=3), breaks, st.sampled_from(["", ","]),
    )  # fmt: skip


def tables(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.lists(st.builds("{} = {}".format, dotted, inner), max_size=3)
    return pairs.map(lambda items: f"{{ {', '.join(items)} }}")


values = st.recursive(scalars, lambda inner: lists(inner) | tables(inner), max_leaves=6)
pair_lines = st.builds("{} = {}{}".format, dotted, values, endings)
header_lines = st.builds("[{}]{}".format, dotted, endings) | st.builds("[[ {} ]]{}".format, dotted, endings)
documents = st.lists(pair_lines | header_lines | comments | blanks, min_size=1, max_size=8).map("\n".join)


def leaves(value: Any, route: Route = ()) -> Iterator[tuple[Route, Any]]:
    """Every value that is no table, with its route."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, (*route, key))
    else:
        yield route, value
        for index, item in enumerate(value if isinstance(value, list) else []):
            yield from leaves(item, (*route, index))


@FIXED
@given(documents)
@example("[[a]]\nb = 1\n[[a.c]]\nd = 2\n[[a.c]]\n[a.c.e]\nf = '''\n3'''\n[[a]]\nb = [4, # five\n {g = 5}]")
def test_every_value_is_found_where_it_stands(text: str) -> None:
    try:
        expected = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        assume(False)
        raise
    assume(text.strip())
    with tempfile.TemporaryDirectory() as folder:
        document = read(written(Path(folder, "m.toml"), text))
    assert document.values == expected or "nan" in text
    spans = document.places.values
    for route, value in leaves(expected):
        if route in spans or not _is_list_of_tables(value):
            start, end = spans[route]
            assert tomllib.loads(f"x = {text[start:end]}")["x"] == value
        for length in range(1, len(route) + 1):
            assert document.key(route[:length]) is not None
        if isinstance(value, str):
            _every_character_is_found(document, route, value)


def _is_list_of_tables(value: Any) -> bool:
    """Whether the value may have been written by [[headers]], and so stand in no one place."""
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def _every_character_is_found(document: Document, route: Route, value: str) -> None:
    lines = document.text.split("\n")
    for index, character in enumerate(value):
        position = document.within(route, index, 1)
        assert position is not None
        standing = lines[position.line - 1][position.column - 1 :]
        assert standing.startswith((character, "\\")) or (character == "\n" and not standing)
