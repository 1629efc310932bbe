"""Whatever a library exports, what is written loads, or says what is missing: on invented functions."""

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from heaplaw.init.guess import candidates, guess
from heaplaw.init.signatures import STANDARD, VOID, Parameter, Signature, Type
from heaplaw.init.text import draft
from heaplaw.init.words import NAMES, VERBS, groups, words
from heaplaw.mapping import MappingError, load
from heaplaw.mapping.vocabulary import SHAPES

ANY = Type("pointer", "void *", 8, target=VOID)
POOL = Type("pointer", "struct pool *", 8, target=Type("struct", "struct pool", 48))
HANDLE = Type("pointer", "handle_t", 8, target=VOID)
TYPES = (
    ANY,
    POOL,
    Type("pointer", "struct hidden *", 8, target=Type("struct", "struct hidden")),
    HANDLE,
    Type("pointer", "char *", 8, target=Type("int", "char", 1, signed=True)),
    Type("pointer", "void * *", 8, target=ANY),
    Type("pointer", "struct pool * *", 8, target=POOL),
    Type("pointer", "function *", 8, target=Type("function", "function")),
    Type("int", "size_t", 8),
    Type("int", "unsigned", 4),
    Type("int", "int", 4, signed=True),
    Type("bool", "bool", 1),
)
PARAMETERS = (
    "",
    "size",
    "n",
    "count",
    "align",
    "p",
    "pool",
    "mem",
    "old_size",
    "block_size",
    "num_blocks",
    "name",
    "out",
)
PREFIXES = ("my_", "", "pool", "arena_", "a_bump_", "_x_stack_", "TLSF", "my_lua_", "freelist_")
ENDS = tuple(
    sorted({name for names in NAMES.values() for name in names.split()} | set(" ".join(VERBS.values()).split()))
)


@st.composite
def functions(draw: st.DrawFn) -> tuple[frozenset[str], dict[str, Signature]]:
    """Names of functions, and the parameters of some of them."""
    prefix = draw(st.sampled_from(PREFIXES))
    # An allocator in most cases, not a list of names that none has.
    ends = draw(st.lists(st.sampled_from(["alloc", "free", "create", "init", "pop", "mark", "release", "reset"])))
    ends += draw(st.lists(st.sampled_from(ENDS), max_size=8))
    named = frozenset(prefix + (end.title().replace("_", "") if prefix[-1:].isalpha() else end) for end in ends)
    parameters = st.builds(Parameter, st.sampled_from(PARAMETERS), st.sampled_from(TYPES))
    signatures = st.builds(Signature, st.lists(parameters, max_size=5).map(tuple), st.sampled_from((VOID, ANY, *TYPES)))
    told = draw(st.dictionaries(st.sampled_from(sorted(named)), signatures)) if named else {}
    return named, {**{name: STANDARD[name] for name in named if name in STANDARD}, **told}


def kept(text: str, path: Path) -> set[str]:
    """Load a mapping: the functions that it calls."""
    path.write_text(text)
    return {call.function for call in load(path).calls}


@given(functions(), st.sampled_from((None, *SHAPES)))
@settings(
    max_examples=200,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_it_loads_or_says_what_is_missing(
    tmp_path: Path, exported: tuple[frozenset[str], dict[str, Signature]], shape: str | None
) -> None:
    named, known = exported
    likely = candidates(groups(named), known)
    assume(likely)
    made = draft(guess(likely, known, named, shape), "./libmine.so", "mine", read=bool(known))
    path = tmp_path / "mine.toml"
    text = "\n".join(made.lines)
    assert len(made.lines) <= 60
    if not made.missing:
        assert kept(text, path) <= named
        return
    with pytest.raises(MappingError):
        kept(text, path)
    filled = [
        re.sub(r"^# (\w+ =)(  |$)", r"\1 64\2", line).removeprefix("# ") if number in made.missing else line
        for number, line in enumerate(made.lines, 1)
    ]
    kept("\n".join(filled), path)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("o1heapAllocate", ["o1heap", "allocate"]),
        ("GCMalloc", ["gc", "malloc"]),
        ("sqlite3_malloc64", ["sqlite3", "malloc64"]),
        ("__libc_free", ["libc", "free"]),
        ("xWantedSize", ["x", "wanted", "size"]),
    ],
)
def test_words_of_names(name: str, said: list[str]) -> None:
    assert words(name) == said


@pytest.mark.parametrize(
    ("named", "shape"),
    [
        ("my_malloc my_free my_calloc", "malloc"),
        ("pool_alloc pool_free", "pool"),
        ("pool_alloc pool_free pool_realloc", "malloc"),
        ("stack_push stack_pop stack_reset", "stack"),
        ("zone_alloc zone_mark zone_release", "arena"),
        ("region_alloc region_reset", "arena"),
        ("bump_alloc bump_reset", "bump"),
        ("arena_alloc arena_create arena_destroy", "bump"),
        ("freelist_alloc freelist_free", "freelist"),
        ("my_lua_alloc", "lua_alloc"),
    ],
)
def test_names_tell_shapes(named: str, shape: str) -> None:
    exported = frozenset(named.split())
    assert guess(candidates(groups(exported), {}), {}, exported).shape == shape
