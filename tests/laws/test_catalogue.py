"""Every law of the catalogue: its form, its examples, and one meaning on integers and on columns."""

import ast
import inspect
import random
import re
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass, replace
from types import FunctionType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heaplaw.columns import TYPES, ColumnEvent
from heaplaw.spec.catalogue import CATALOGUE, law, laws_of
from heaplaw.spec.catalogue.cost import Cost, Form
from heaplaw.spec.catalogue.layouts import Asked, Laid
from heaplaw.spec.event import Block, Env, Event, Run, View
from heaplaw.spec.history import EVENT_COLUMNS, OP_COLUMNS
from heaplaw.spec.law import FACTS, PROMISES, Law, Scope
from heaplaw.spec.report import REPORTS, SILENT, Report, Sums
from heaplaw.spec.shapes import CALLS, SHAPES, Kind

SEED = 19_530_401
FIXED = settings(derandomize=True, database=None, deadline=None, max_examples=60)
WIDTHS = {column.name: column.width for column in (*OP_COLUMNS, *EVENT_COLUMNS)}
EXTRA = set.union(set(PROMISES), FACTS, REPORTS, *(set(shape.counters) for shape in SHAPES.values()))
NAMES = sorted(CATALOGUE)
each_law = pytest.mark.parametrize("name", NAMES)


# ------------------------------------------------------------------------------------------------ form


def test_ids__are_unique_and_stable_in_form() -> None:
    ids = [item.id for item in CATALOGUE.values()]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"HL\d{3}", each) for each in ids)


@each_law
def test_law__is_stated(name: str) -> None:
    stated = CATALOGUE[name]
    assert stated.name == name
    assert law(name) is law(stated.id) is stated
    assert stated.sentence.strip()
    assert not stated.sentence.endswith(".")
    assert stated.source.strip()
    assert stated.min_judged >= 1
    assert stated.accepts
    assert stated.rejects
    assert bool(stated.shapes) is (stated.scope is not Scope.LAYOUT)
    assert stated.shapes <= set(SHAPES)
    assert all(stated in laws_of(shape, scenes=True) for shape in stated.shapes)
    assert all((stated in laws_of(shape)) is not stated.scenes for shape in stated.shapes)
    assert stated.needs <= EXTRA | set(CALLS.values())


def test_law__an_unknown_name_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="no_such_law"):
        law("no_such_law")


FORBIDDEN = (ast.BoolOp, ast.Not, ast.If, ast.IfExp, ast.While, ast.For, ast.Assert, ast.Match, ast.Try)


def written(function: Callable[..., Any]) -> ast.AST:
    return ast.parse(textwrap.dedent(inspect.getsource(function)))


def with_helpers(function: Callable[..., Any]) -> set[FunctionType]:
    """`function`, and the functions of its own module that it names."""
    found: set[FunctionType] = set()
    waiting = [function]
    while waiting:
        each = waiting.pop()
        assert isinstance(each, FunctionType)
        if each in found:
            continue
        found.add(each)
        names = {node.id for node in ast.walk(written(each)) if isinstance(node, ast.Name)}
        named = (each.__globals__.get(name) for name in sorted(names))
        waiting += [other for other in named if isinstance(other, FunctionType) and other.__module__ == each.__module__]
    return found


def not_generic(function: Callable[..., Any]) -> list[str]:
    """What in the text of `function` asks a value for its truth."""
    return [
        ast.unparse(node)
        for node in ast.walk(written(function))
        if isinstance(node, FORBIDDEN)
        or (isinstance(node, ast.Compare) and (len(node.ops) > 1 or isinstance(node.ops[0], ast.In | ast.Is)))
        or (isinstance(node, ast.comprehension) and node.ifs)
    ]


@each_law
def test_law__is_generic(name: str) -> None:
    for part in (CATALOGUE[name].premise, CATALOGUE[name].body):
        for function in with_helpers(part):
            assert not_generic(function) == [], function.__name__


def test_not_generic__sees_what_is_forbidden() -> None:
    def chained(e: Event) -> bool:
        return 0 <= e.size <= 8

    def branches(e: Event) -> bool:
        return e.size > 0 and not e.ptr if e.makes else True

    assert len(not_generic(chained)) == 1
    assert len(not_generic(branches)) == 3


# -------------------------------------------------------------------------------------------- examples


def stacked(values: Sequence[Any]) -> Any:
    """Records of one kind as one record of columns, typed as the columns of histories are; records in them too. `env`
    stays as it is.
    """
    first = values[0]
    columns: dict[str, Any] = {}
    for each in fields(first):
        column = [getattr(value, each.name) for value in values]
        if each.name == "env":
            assert all(env == column[0] for env in column)
            columns["env"] = column[0]
        elif is_dataclass(column[0]):
            columns[each.name] = stacked(column)
        elif isinstance(column[0], bool):
            columns[each.name] = np.array(column, bool)
        else:
            kind = TYPES[WIDTHS.get(each.name, 8)] if isinstance(first, Event) else np.uint64
            columns[each.name] = np.array([int(number) for number in column], kind)
    return (ColumnEvent if isinstance(first, Event) else type(first))(**columns)


def on_columns(stated: Law, rows: Sequence[tuple[Any, ...]]) -> tuple[list[bool], list[bool]]:
    """Premise and body on columns, row by row."""
    args = [stacked(column) for column in zip(*rows, strict=True)]
    with np.errstate(all="raise", over="ignore"):
        answers = [np.broadcast_to(part(*args), (len(rows),)) for part in (stated.premise, stated.body)]
    assert all(answer.dtype == np.bool_ for answer in answers)
    premise, body = ([bool(truth) for truth in answer] for answer in answers)
    return premise, body


def envs(args: tuple[Any, ...]) -> list[Env]:
    return [arg.env for arg in args if isinstance(arg, Event)]


def examples(stated: Law) -> list[tuple[tuple[Any, ...], bool]]:
    return [(args, True) for args in stated.accepts] + [(args, False) for args in stated.rejects]


@each_law
def test_examples__on_integers(name: str) -> None:
    stated = CATALOGUE[name]
    for args, accepted in examples(stated):
        assert stated.premise(*args)
        assert bool(stated.body(*args)) is accepted
        assert bool(stated.holds(*args)) is accepted


@each_law
def test_examples__on_columns_of_one_row(name: str) -> None:
    for args, accepted in examples(CATALOGUE[name]):
        assert on_columns(CATALOGUE[name], [args]) == ([True], [accepted])


@each_law
def test_examples__on_columns_of_many_rows(name: str) -> None:
    stated = CATALOGUE[name]
    shown = examples(stated)
    for kind in {tuple(map(repr, envs(args))) for args, _ in shown}:
        same = [(args, accepted) for args, accepted in shown if tuple(map(repr, envs(args))) == kind] * 5
        premise, body = on_columns(stated, [args for args, _ in same])
        assert premise == [True] * len(same)
        assert body == [accepted for _, accepted in same]


@each_law
def test_examples__are_put_in_words(name: str) -> None:
    stated = CATALOGUE[name]
    for args in stated.rejects:
        for words in (stated.observed(*args), stated.required(*args)):
            assert isinstance(words, str)
            assert words.strip()


# ----------------------------------------------------------------------------------------- random values

EDGES = (0, 1, 2, 7, 8, 16, 63, 64, 4096, 2**20, 2**32, 2**63 - 1, 2**63, 2**63 + 1, 2**64 - 16, 2**64 - 1)
WORD = st.one_of(st.sampled_from(EDGES), st.integers(0, 2**64 - 1))
TRUTH = st.booleans()
ENV = st.builds(
    Env,
    max_align=st.sampled_from((1, 2, 4, 8, 16, 32)),
    align_by_size=TRUTH,
    base=WORD,
    capacity=WORD,
    block_size=st.sampled_from((1, 8, 64, 2**20)),
    num_blocks=WORD,
)


def event_in(env: Env) -> st.SearchStrategy[Event]:
    words = dict.fromkeys(("size", "count", "held", "ptr", "usable", "bad_at", "index"), WORD)
    says = st.builds(Report, **dict.fromkeys(sorted(REPORTS), WORD))
    return st.builds(
        Event,
        kind=st.sampled_from([int(kind) for kind in Kind]),
        align=st.integers(0, 63).map(lambda k: 2**k),  # what is asked for is a power of two
        status=st.integers(0, 4),
        flags=st.sampled_from((0, 1, 2, 4, 8, 16)),
        num_free=WORD,
        num_allocated=WORD,
        env=st.just(env),
        report=st.just(SILENT) | says,
        **words,
    )


SUMS = st.builds(Sums, **dict.fromkeys([each.name for each in fields(Sums)], st.integers(0, 2**40)))
VIEW = st.builds(View, WORD, WORD, WORD, TRUTH, WORD, sums=st.just(Sums()) | SUMS)
BLOCK = st.builds(Block, WORD, WORD, WORD, WORD, WORD)
RUN = st.builds(Run, TRUTH, *[st.integers(0, 2**60)] * 4)
HALF = st.one_of(st.sampled_from([edge for edge in EDGES if edge <= 2**63]), st.integers(0, 2**63))
POWER = st.integers(0, 62).map(lambda k: 2**k)
LAID = st.builds(Laid, st.sampled_from(list(Asked)), HALF, POWER, HALF, POWER, HALF, TRUTH, TRUTH, HALF, POWER, HALF)

COST = st.builds(
    Cost, st.sampled_from(list(Kind)), st.sampled_from(list(Form)), *[st.integers(0, 10**6)] * 4, st.integers(0, 10**5)
)


def args_of(scope: Scope, env: Env) -> st.SearchStrategy[tuple[Any, ...]]:
    return {
        Scope.EVENT: st.tuples(event_in(env)),
        Scope.PAIR: st.tuples(BLOCK, BLOCK),
        Scope.STEP: st.tuples(VIEW, event_in(env), VIEW),
        Scope.RUN: st.tuples(RUN),
        Scope.COST: st.tuples(COST),
        Scope.LAYOUT: st.tuples(LAID),
    }[scope]


def table_of(scope: Scope) -> st.SearchStrategy[list[tuple[Any, ...]]]:
    return ENV.flatmap(lambda env: st.lists(args_of(scope, env), min_size=1, max_size=8))


def agree(stated: Law, rows: Sequence[tuple[Any, ...]]) -> None:
    premise, body = on_columns(stated, rows)
    for place, args in enumerate(rows):
        # Bodies are total: they are asked where the premise does not hold, too.
        assert (bool(stated.premise(*args)), bool(stated.body(*args))) == (premise[place], body[place]), args


@each_law
@FIXED
@given(data=st.data())
def test_random__integers_and_columns_agree(name: str, data: st.DataObject) -> None:
    stated = CATALOGUE[name]
    agree(stated, data.draw(table_of(stated.scope)))


KEPT = ("kind", "align", "flags", "asked", "then_align", "got_align")


def perturbed(rng: random.Random, value: Any) -> Any:
    """An example with some of its numbers moved a little."""
    changes: dict[str, Any] = {}
    for each in fields(value):
        old = getattr(value, each.name)
        if is_dataclass(old) and not isinstance(old, Env):
            changes[each.name] = perturbed(rng, old)
        if isinstance(old, int) and not isinstance(old, bool) and each.name not in KEPT:
            top = 4 if each.name == "status" else 2**63 if isinstance(value, Laid) else 2**64 - 1
            moved = max(0, min(top, int(old) + rng.choice((-64, -8, -1, 1, 8, 24, 64))))
            changes[each.name] = moved if rng.random() < 0.3 else int(old)
    return replace(value, **changes)


@each_law
def test_near_examples__integers_and_columns_agree(name: str) -> None:
    stated, rng = CATALOGUE[name], random.Random(f"{SEED} {name}")
    for args, _ in examples(stated):
        agree(stated, [tuple(perturbed(rng, arg) for arg in args) for _ in range(60)])


def test_pool_on_grid__below_the_buffer() -> None:
    """Words wrap below 0, and their remainders then depend on the block size."""
    env = Env(align_by_size=False, max_align=8, base=0x1000, capacity=240, block_size=24, num_blocks=10)
    rows = [(Event(Kind.ALLOC, 24, ptr=0x1000 + offset, env=env),) for offset in (-48, -24, -8, -1, 0, 24)]
    agree(law("pool_on_grid"), rows)


def test_pool_conserved__a_counter_below_zero() -> None:
    """One block too many was handed out: the free counter wrapped, and the sum must not wrap with it."""
    env = Env(align_by_size=False, max_align=8, base=0x1000, capacity=240, block_size=24, num_blocks=10)
    rows = [(View(0, 10), Event(Kind.ALLOC, 24, ptr=0x1000, env=env), View(2**64 - 1, 11, 11))]
    agree(law("pool_conserved"), rows)
    assert not law("pool_conserved").holds(*rows[0])
