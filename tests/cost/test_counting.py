"""Counts are exact and repeat; what grows is seen, and what cannot be counted is unknown with its reason."""

import platform
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from heaplaw import native
from heaplaw.cost import callgrind, measure
from heaplaw.cost.figures import Row, table
from heaplaw.cost.judged import CostTally, judge, judged, records
from heaplaw.cost.measure import CAP, Costs, Point
from heaplaw.cost.workload import Interface, points, workload
from heaplaw.errors import UsageError
from heaplaw.host import Command
from heaplaw.killmatrix.cases import all_cases
from heaplaw.killmatrix.engines import run
from heaplaw.spec.catalogue.cost import Form, instructions_bounded
from heaplaw.spec.event import Env
from heaplaw.spec.history import plain_env
from heaplaw.spec.shapes import Kind
from heaplaw.spec.verdict import Holds, Unknown, Violated
from heaplaw.subjects import ProcessSubject, resolve

STEPS = native.find(native.SHAPES) is not None and platform.machine() == "x86_64"
counted = pytest.mark.skipif(not STEPS, reason="instructions are counted on x86-64, by the driver in C")
FAULTS = [case for case in all_cases() if case.law == instructions_bounded.name]
CORRECT = ("ok-pool-many", "ok-arena-doubles-long")
"""The others are checked whole in tests/mutants, with their promises."""
FEW, MANY = 1_000, 100_000


@pytest.fixture
def stack() -> Iterator[ProcessSubject]:
    subject = resolve("mutant:ok-stack-deep")[0]
    yield subject
    subject.close()


@counted
def test_counts_repeat(stack: ProcessSubject) -> None:
    only = {Kind.POP: "constant"}
    first, again = (measure.measure(stack, only, calls=4) for _ in range(2))
    assert first.points
    assert first == again
    assert {point.kind for point in first.points} == {Kind.POP}


@counted
@pytest.mark.parametrize("name", [CORRECT[0], pytest.param(CORRECT[1], marks=pytest.mark.slow)])
def test_correct_allocators_keep_what_they_promise(name: str) -> None:
    subject = resolve(f"mutant:{name}")[0]
    try:
        found = judge(subject)
    finally:
        subject.close()
    assert isinstance(found.tally.verdict().outcome, Holds), found.tally.verdict()
    assert found.tally.judged >= 7


@counted
@pytest.mark.parametrize(
    "case",
    [pytest.param(each, marks=[pytest.mark.slow] * (each.name != "pool-above-4096")) for each in FAULTS],
    ids=lambda case: case.name,
)
def test_faults_are_seen(case: object) -> None:
    assert case in FAULTS
    row = run(next(each for each in FAULTS if each == case), shorten=False)
    assert [kill.law for kill in row.kills] == [instructions_bounded.name]


def test_there_are_faults_of_every_kind() -> None:
    assert {case.group for case in FAULTS} == {"pool", "stack", "bump", "arena"}


@counted
def test_callgrind_counts_the_same(stack: ProcessSubject) -> None:
    try:
        both = callgrind.compare(stack)
    except UsageError:
        pytest.skip("valgrind is not installed")
    pops = [each for each in both if each.kind == Kind.POP]
    assert pops
    assert all(set(each.differences) == {0} for each in pops), pops


def test_callgrind_needs_valgrind(stack: ProcessSubject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _name: None)
    with pytest.raises(UsageError, match="install the package valgrind"):
        callgrind.compare(stack)


def test_a_python_object_is_not_counted() -> None:
    subject = resolve("ref:pool")[0]
    try:
        found = measure.measure(subject)
    finally:
        subject.close()
    assert not found.points
    assert "through Python" in found.why


def test_without_the_driver_in_c_nothing_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEAPLAW_NO_NATIVE", "1")
    subject = resolve("glibc")[0]
    try:
        found = measure.measure(subject)
    finally:
        subject.close()
    assert found == Costs(why="instructions are counted by the driver in C, which is not built or not used here")


@counted
def test_under_valgrind_nothing_is_stepped(stack: ProcessSubject) -> None:
    program, command = shutil.which("valgrind"), stack.command
    if program is None:
        pytest.skip("valgrind is not installed")
    assert isinstance(command, Command)
    stack.command = replace(command, program=[program, "--quiet", "--tool=none", *command.program])
    assert "under valgrind" in measure.measure(stack).why


@counted
def test_a_small_pool_is_not_decided(tmp_path: Path) -> None:
    ours = (Path(native.__file__).parent.parent / "mutants" / "shapes" / "pool.toml").read_text()
    library = native.find(native.SHAPES)
    text = ours.replace('"../../_native/libheaplaw_shapes.so"', f'"{library}"').replace(
        "num_blocks = 100", "num_blocks = 20"
    )
    mapping = tmp_path / "small.toml"
    mapping.write_text(text.replace("errno = true", 'errno = true\ncost = "constant"'))
    subject = resolve(str(mapping))[0]
    try:
        assert subject.cost == dict.fromkeys(subject.cost, "constant")
        verdict = judge(subject).tally.verdict()
    finally:
        subject.close()
    assert isinstance(verdict.outcome, Unknown)
    assert "room for 20 blocks" in verdict.outcome.why
    assert "give it room for 65" in verdict.outcome.why


# ---- what is judged, without running anything


def point(kind: Kind, blocks: int, *counts: int) -> Point:
    return Point(kind, Form.FRESH, blocks, counts)


def test_the_worst_call_counts_where_the_cost_is_constant_and_the_median_where_it_is_amortised() -> None:
    costs = Costs((point(Kind.ALLOC, FEW, 50, 50, 50), point(Kind.ALLOC, MANY, 50, 900, 50)))
    assert isinstance(judged(costs, {Kind.ALLOC: "constant"}).tally.verdict().outcome, Violated)
    assert isinstance(judged(costs, {Kind.ALLOC: "amortised"}).tally.verdict().outcome, Holds)


def test_all_heaps_are_compared_and_the_clearest_is_told() -> None:
    said = point(Kind.ALLOC, 10, 49, 37, 30), point(Kind.ALLOC, FEW, 3_391, 436, 30), point(Kind.ALLOC, MANY, 1_927, 90)
    found = judged(Costs(said), {Kind.ALLOC: "constant"})
    assert [(each.few, each.many) for each in found.broken] == [(10, FEW)]
    assert "3,391" in found.tally.violations[0].observed
    assert found.tally.judged == 3
    medians = judged(Costs(said), {Kind.ALLOC: "amortised"})
    assert "37 instructions with 10 live, 436 instructions with 1,000" in medians.tally.violations[0].observed


@pytest.mark.parametrize(("full", "told"), [((1_021, 973, 18), "1,021 instructions"), ((8_001, 8_001, 10), "8,000")])
def test_a_nearly_full_heap_is_compared_by_its_live_blocks_too(full: tuple[int, ...], told: str) -> None:
    free = (10, 1_000, 19_990)
    counts = zip(free, full, strict=True)
    said = [Point(Kind.FREE, Form.NEARLY_FULL, blocks, (count,), live=20_000 - blocks) for blocks, count in counts]
    found = judged(Costs(tuple(said)), {Kind.FREE: "constant"})
    assert [each.form for each in found.broken] == [Form.FULL]
    assert told in found.tally.violations[0].observed
    assert {each.few for each in found.broken} == {10}, "blocks that are live"


def test_a_median_says_so() -> None:
    costs = Costs((point(Kind.ALLOC, FEW, 50), point(Kind.ALLOC, MANY, 50)))
    held = judged(costs, {Kind.ALLOC: "amortised"}).tally.verdict()
    assert held.notes == ("the median call of alloc",)
    assert str(held.evidence) == "1 median costs"
    assert not judged(costs, {Kind.ALLOC: "constant"}).tally.verdict().notes


def test_a_row_beyond_the_cap_is_the_longest() -> None:
    falls = Row(Kind.FREE, Form.NEARLY_FULL, ((10, CAP + 1), (FEW, CAP + 1), (MANY, 10)), CAP)
    flat = Row(Kind.ALLOC, Form.NEARLY_FULL, ((10, 90), (FEW, 90), (MANY, 90)), CAP)
    assert falls.ratio == "> 800.0"
    _, first, second = table([falls, flat], 100)
    assert first.count("#") == 20
    assert second.count("#") == 1
    assert max(map(len, table([falls, flat], 70))) <= 70


def test_a_size_whose_cost_is_not_known_is_passed_by() -> None:
    over = CAP + 1
    costs = Costs((point(Kind.FREE, 10, 90), point(Kind.FREE, FEW, over), point(Kind.FREE, MANY, over)))
    asked = records(costs, {Kind.FREE: "constant"})
    assert [(each.few, each.many, each.at_few, each.at_many) for each in asked] == [
        (10, FEW, 90, over),
        (10, MANY, 90, over),
    ]
    dear = Costs((point(Kind.FREE, FEW, over), point(Kind.FREE, MANY, over)))
    found = judged(dear, {Kind.FREE: "constant"}).tally.verdict()
    assert isinstance(found.outcome, Unknown)
    assert "more than 8,000 instructions" in found.outcome.why


def test_what_was_not_counted_is_unknown() -> None:
    costs = Costs((point(Kind.FREE, FEW, 9), point(Kind.FREE, MANY, 9)))
    found = judged(costs, {Kind.FREE: "constant", Kind.ALLOC: "constant"}).tally.verdict()
    assert found.outcome == Unknown("not counted: alloc")
    assert judged(Costs(why="of the moon"), {}).tally.verdict().outcome == Unknown("not counted: of the moon")
    assert CostTally(instructions_bounded).verdict({"constant cost"}).outcome != Holds()


@pytest.mark.parametrize(
    ("room", "sizes"),
    [
        (10**6, (10, 1_000, 100_000)),
        (100_013, (10, 1_000, 100_000)),
        (99_999, (10, 1_000, 10_000)),
        (1_024, (10, 100, 1_000)),
        (100, (8, 80)),
        (60, ()),
    ],
)
def test_sizes_go_by_the_room_that_there_is(room: int, sizes: tuple[int, ...]) -> None:
    assert points(room, 13) == sizes


@pytest.mark.parametrize("form", [Form.FRESH, Form.FRAGMENTED])
def test_a_workload_has_as_many_live_blocks_as_it_says(form: Form) -> None:
    face = Interface("malloc", frozenset({Kind.ALLOC, Kind.ZALLOC, Kind.RESIZE, Kind.FREE}), plain_env("malloc"), 10**6)
    work = workload(face, form, (10, 100), 5)
    starts = {min(group.rows): group for group in work.groups if group.kind == Kind.ALLOC and group.form == form}
    live: set[int] = set()
    for row, op in enumerate(work.trace.ops()):
        if row in starts:
            assert len(live) == starts[row].blocks
        if op.kind in (Kind.FREE, Kind.RESIZE):
            live.remove(op.slot)  # it is there: nothing is freed twice
        if op.kind != Kind.FREE:
            live.add(row)
    assert {group.blocks for group in work.groups} == {10, 100}
    assert all(len(group.rows) == 5 for group in work.groups if group.form == form)


def test_requests_are_counted_where_a_table_doubles() -> None:
    face = Interface("stack", frozenset({Kind.ALLOC, Kind.POP}), plain_env("stack"), 10**6)
    work = workload(face, Form.FRESH, (10, 1_000), 4)
    growing = {row: group.blocks for group in work.groups if group.form == Form.GROWING for row in group.rows}
    live, found = 0, dict[int, int]()
    for row, op in enumerate(work.trace.ops()):
        if row in growing:
            found[live] = growing[row]
        live += -1 if op.kind == Kind.POP else 1
    assert all(found[2**power] == 1_000 for power in range(4, 10))


def test_a_nearly_full_pool_has_as_many_free_blocks_as_it_says() -> None:
    env = replace(Env(), block_size=16, num_blocks=500)
    face = Interface("pool", frozenset({Kind.ALLOC, Kind.FREE}), env)
    work = workload(face, Form.NEARLY_FULL, (10, 100), 5)
    free, starts = 500, {group.rows[0]: group.blocks for group in work.groups if group.kind == Kind.ALLOC}
    for row, op in enumerate(work.trace.ops()):
        assert free == starts.get(row, free)
        free += 1 if op.kind == Kind.FREE else -1
        assert free >= 0
