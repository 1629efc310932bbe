"""What holds for the traces of every shape: they are valid, repeatable, and ask for nothing that is out of bounds."""

import itertools
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heaplaw.minimise import take
from heaplaw.models import generate, table
from heaplaw.spec.event import NONE, Env
from heaplaw.spec.history import OP_COLUMNS, Trace, plain_env
from heaplaw.spec.layout import SIZE_MAX
from heaplaw.spec.shapes import ALIGN_TAKERS, MAKERS, REQUESTS, SHAPES, SWEEPERS, TAKERS, Kind

BYTES = {1: np.uint8, 4: np.uint32, 8: np.uint64}
ORDINARY = 2**31
"""Smaller requests are thought to be served, bytes."""


def columns(trace: Trace) -> dict[str, np.ndarray[Any, Any]]:
    return {name: np.asarray(column) for name, column in trace.columns.items()}


def same(a: Trace, b: Trace) -> bool:
    return all(np.array_equal(column, columns(b)[name]) for name, column in columns(a).items())


def stale(trace: Trace) -> Counter[Kind]:
    """Operations that name what has ended, by kind, if everything ordinary is served; AssertionError if invalid."""
    live: dict[int, dict[int, Kind]] = {}
    refused = set[int]()
    found = Counter[Kind]()
    for index, op in enumerate(trace.ops()):
        things = live.setdefault(op.instance, {})
        if op.kind in TAKERS or op.kind == Kind.RELEASE:
            assert op.slot < index
            assert (things.get(op.slot) == Kind.MARK) == (op.kind == Kind.RELEASE) or op.slot not in things
            if op.slot not in things:
                found[op.kind] += op.slot not in refused
                continue
        else:
            assert op.slot == NONE
        ends: list[int] = []
        if op.kind in SWEEPERS:
            ends = [thing for thing in things if op.kind != Kind.RELEASE or thing >= op.slot]
        elif op.kind == Kind.POP:
            ends = [thing for thing in things if things[thing] != Kind.MARK][-1:]
        elif op.kind in (Kind.FREE, Kind.RESIZE):
            ends = [op.slot]
        for thing in ends:
            del things[thing]
        if op.kind == Kind.MARK or (op.kind in MAKERS and (op.size * op.count < ORDINARY or op.kind == Kind.RESIZE)):
            things[index] = op.kind
        elif op.kind in REQUESTS:
            refused.add(index)
    return found


CASES = [
    ("bump", "alloc aligned zeroed reset"),
    ("bump", "aligned reset"),
    ("bump", "alloc renew"),
    ("bump", "aligned"),
    ("stack", "alloc aligned zeroed pop reset renew"),
    ("stack", "aligned pop"),
    ("stack", "alloc pop renew"),
    ("arena", "alloc aligned zeroed reset mark release"),
    ("arena", "alloc mark release renew"),
    ("arena", "aligned reset"),
    ("freelist", "alloc aligned zeroed realloc free reset renew"),
    ("freelist", "aligned free"),
    ("freelist", "alloc realloc free"),
    ("lua_alloc", "alloc realloc free"),
    ("lua_alloc", "alloc realloc free renew"),
    ("pool", "alloc free"),
    ("pool", "alloc zeroed free reset renew"),
    ("malloc", "alloc aligned zeroed realloc free posix_memalign"),
    ("malloc", "alloc free renew"),
]
WORDS = {kind.name.lower(): kind for kind in Kind} | {
    "zeroed": Kind.ZALLOC,
    "realloc": Kind.RESIZE,
    "posix_memalign": Kind.POSIX_ALIGNED,
}
LEAST = {
    **dict.fromkeys((Kind.ALLOC, Kind.ALIGNED), 0.02),
    **dict.fromkeys((Kind.FREE, Kind.POP), 0.2),
    **dict.fromkeys((Kind.ZALLOC, Kind.RESIZE, Kind.POSIX_ALIGNED, Kind.MARK, Kind.RELEASE), 0.02),
    **dict.fromkeys((Kind.CHECK, Kind.RESET), 0.001),
    Kind.RENEW: 0.0004,
}
"""Least share of each kind of operation in a mixed trace."""


def parsed(words: str) -> frozenset[Kind]:
    return frozenset(WORDS[word] for word in words.split())


def environment(shape: str, capacity: int = 0) -> Env:
    return replace(plain_env(shape), capacity=capacity, block_size=48, num_blocks=20)


@pytest.mark.parametrize("instances", [1, 3])
@pytest.mark.parametrize("capacity", [0, 65536])
@pytest.mark.parametrize(("shape", "words"), CASES)
def test_slots_name_what_lives_in_their_instance(shape: str, words: str, capacity: int, instances: int) -> None:
    env = environment(shape, capacity)
    for profile in ("mixed", "uniform"):
        for trace in generate.campaigns(shape, parsed(words), env, 3000, 7, profile, instances=instances):
            assert sum(stale(generate.cut(trace, 3000)).values()) == 0 or (shape == "stack" and capacity)
            c = columns(trace)
            assert {name: column.dtype for name, column in c.items()} == {
                column.name: BYTES[column.width] for column in OP_COLUMNS
            }
            named = np.flatnonzero(c["slot"] < len(trace))
            assert (c["instance"][named] == c["instance"][c["slot"][named]]).all()
            assert set(c["instance"].tolist()) == set(range(instances))
            assert trace.env is env
            assert trace.shape == shape
            assert all(start < len(trace) for start, _ in trace.parts)


@pytest.mark.parametrize("capacity", [0, 65536])
@pytest.mark.parametrize(("shape", "words"), CASES)
def test_every_operation_that_is_there_occurs_often_enough(shape: str, words: str, capacity: int) -> None:
    kinds = parsed(words)
    found, total = Counter[int](), 0
    for trace in generate.campaigns(shape, kinds, environment(shape, capacity), 30_000, 2):
        if trace.profile == "mixed":
            found.update(columns(trace)["kind"].tolist())
            total += len(trace)
    assert set(found) == {int(kind) for kind in kinds | {Kind.CHECK}}
    assert 0.95 * 30_000 <= total <= 30_000 or words == "aligned"
    for kind in kinds | {Kind.CHECK}:
        assert found[kind] >= LEAST[kind] * total, kind


@pytest.mark.parametrize(("shape", "words"), CASES)
def test_profiles(shape: str, words: str) -> None:
    def profiles(profile: str) -> list[str]:
        env = environment(shape, 65536)
        return [trace.profile for trace in generate.campaigns(shape, parsed(words), env, 2000, 1, profile)]

    many = table.FRESH if words == "aligned" else 1
    assert profiles("uniform") == ["uniform"] * many
    assert profiles("mixed") == ["mixed"] * many + ["steady"] * (shape in ("malloc", "freelist", "lua_alloc"))


@pytest.mark.parametrize("instances", [1, 2])
@pytest.mark.parametrize(("shape", "words"), CASES)
def test_a_seed_gives_one_set_of_traces_and_another_seed_another(shape: str, words: str, instances: int) -> None:
    def drawn(seed: int) -> list[Trace]:
        env = environment(shape, 4096)
        return list(generate.campaigns(shape, parsed(words), env, 3000, seed, instances=instances))

    first = drawn(1)
    assert all(same(a, b) for a, b in zip(first, drawn(1), strict=True))
    assert not all(same(a, b) for a, b in zip(first, drawn(2), strict=True))


@pytest.mark.parametrize(("shape", "words"), CASES)
def test_subsets_are_valid(shape: str, words: str) -> None:
    trace = next(generate.campaigns(shape, parsed(words), environment(shape, 4096), 3000, 3, instances=2))
    kept = np.flatnonzero(np.random.default_rng(4).random(len(trace)) < 0.6)
    subset = take(trace, kept)
    slot = columns(subset)["slot"].astype(np.int64)
    named = np.flatnonzero(slot < len(subset))
    assert (slot[named] < named).all()
    assert same(take(trace, np.arange(0, len(trace), 7)), trace.subset(range(0, len(trace), 7)))


@pytest.mark.parametrize("shape", ["bump", "stack", "arena", "freelist", "malloc"])
@pytest.mark.parametrize("capacity", [0, 65536])
def test_requests_that_are_refused_have_the_share_that_is_asked_for(shape: str, capacity: int) -> None:
    kinds, env = SHAPES[shape].operations, environment(shape, capacity)
    shares: list[float] = []
    for wanted in (0.0, 0.02, 0.2):
        c = columns(next(generate.campaigns(shape, kinds, env, 30_000, 5, boundary_share=wanted)))
        makes = np.isin(c["kind"], [int(kind) for kind in MAKERS])
        shares.append(float((makes & (c["size"].astype(float) * c["count"] >= 2.0**31)).mean()))
    assert shares[0] < 0.003  # a malloc has one group at least
    assert 0.003 < shares[1] < 0.03
    assert 0.03 < shares[2] < 0.25


def test_instances_take_turns_one_by_one_and_in_bursts() -> None:
    trace = next(generate.campaigns("bump", SHAPES["bump"].operations, environment("bump"), 40_000, 1, instances=4))
    runs = [len(list(group)) for _, group in itertools.groupby(columns(trace)["instance"].tolist())]
    assert sum(run == 1 for run in runs) > 1000
    assert sum(run > 50 for run in runs) > 10
    assert max(Counter(columns(trace)["instance"].tolist()).values()) < 0.3 * len(trace)


ENVS = st.builds(
    Env,
    align_by_size=st.just(False),
    max_align=st.sampled_from([8, 16]),
    capacity=st.sampled_from([0, 64, 100, 1000, 65536, 2**26]),
    block_size=st.sampled_from([8, 24, 4096]),
    num_blocks=st.sampled_from([1, 2, 7, 300]),
    header=st.sampled_from([0, 16, 64]),
    max_request=st.sampled_from([SIZE_MAX, 2**32 - 1, 2**31 - 1, 2**20 - 1, 65535, 255]),
    max_request_align=st.sampled_from([1, 4, 8, 16, 256, 65536]),
    aligned_multiple=st.booleans(),
    counted=st.booleans(),
)


@st.composite
def subjects(draw: st.DrawFn) -> tuple[str, frozenset[Kind]]:
    shape = SHAPES[draw(st.sampled_from(sorted(SHAPES)))]
    optional = draw(st.sets(st.sampled_from([*sorted(shape.optional), Kind.RENEW])))
    kinds = shape.required | optional
    return shape.name, kinds if not shape.lacks(kinds) else shape.operations | optional


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    subjects(),
    ENVS,
    st.sampled_from([1, 60, 700, 3000]),
    st.integers(0, 100),
    st.sampled_from(["mixed", "uniform"]),
    st.sampled_from([0.0, 0.02, 0.3]),
    st.sampled_from([1, 2, 8]),
)
def test_nothing_is_asked_for_that_may_not_be(
    subject: tuple[str, frozenset[Kind]], env: Env, n: int, seed: int, profile: str, share: float, instances: int
) -> None:
    shape, kinds = subject
    for trace in generate.campaigns(shape, kinds, env, n, seed, profile, share, True, instances):
        if trace.profile == "steady" and n > 60:
            continue
        c = columns(trace)
        kind, size, align, count = c["kind"], c["size"], c["align"], c["count"]
        assert set(kind.tolist()) <= {int(k) for k in kinds | {Kind.CHECK}}
        makes, takes = (np.isin(kind, [int(k) for k in some]) for some in (MAKERS, ALIGN_TAKERS))
        asks = np.isin(kind, [int(k) for k in REQUESTS])
        assert (size[~makes] == 0).all()
        assert (count[kind != Kind.ZALLOC] == 1).all()
        assert (size[kind == Kind.RESIZE] > 0).all()
        assert (align[~takes] == 0).all()
        powers = align[takes]
        assert (powers > 0).all()
        assert (powers & (powers - np.uint64(1)) == 0).all()
        assert (powers <= env.max_request_align).all()
        assert env.counted or (count == 1).all()
        if shape == "pool":
            assert (size[asks] == env.block_size).all()
            continue
        assert (size <= env.max_request).all()
        assert (count <= env.max_request).all()
        exact = (kind == Kind.ALIGNED) & ((size < 2**62) | (shape != "malloc"))
        assert not env.aligned_multiple or (size[exact] % align[exact] == 0).all()
        stale(trace)
