"""Python objects of every shape: what is found on them, and what their histories show."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from heaplaw.errors import UsageError
from heaplaw.plan import Call, Plan, call
from heaplaw.spec.catalogue import laws_of
from heaplaw.spec.event import NONE, Status
from heaplaw.spec.history import Completed, History, Op, make_trace, plain_env
from heaplaw.spec.judge import judge
from heaplaw.spec.protocols import Limits
from heaplaw.spec.shapes import CALLS, SHAPES, Kind
from heaplaw.spec.verdict import Violated
from heaplaw.subjects.base import ProcessSubject, worker_command

THINGS = {"PYTHONPATH": str(Path(__file__).parent / "things")}
SHAPED = {
    "Bump": ("bump", "malloc calloc aligned_alloc reset renew remaining total_allocated invariant"),
    "Stack": ("stack", "malloc pop remaining"),
    "Arena": ("arena", "malloc aligned_alloc mark release remaining"),
    "FreeList": ("freelist", "malloc realloc free"),
    "Lua": ("lua_alloc", "malloc realloc free"),
    "lua": ("lua_alloc", "malloc realloc free"),
    "Pool": ("pool", "malloc free num_free_blocks"),
    "Malloc": ("malloc", "malloc realloc free aligned_alloc usable_size"),
}
"""The shape of each thing, and what there is on it."""
BOUNDED = {"Bump": {"bounds", "buffer"}, "Stack": {"bounds"}, "Arena": {"bounds"}, "Pool": {"bounds"}}


def spec_of(thing: str, shape: str, **arguments: int) -> dict[str, Any]:
    """What the worker is told."""
    given = {"block_size": 32, "num_blocks": 16, **arguments}
    return {"kind": "object", "target": f"shaped:{thing}", "shape": shape, "arguments": given, "align": 8}


def subject_of(spec: dict[str, Any], offers: frozenset[str] = frozenset()) -> ProcessSubject:
    """The subject under the Python worker."""
    shape = spec.get("shape", "arena")
    command = worker_command(spec, THINGS)
    return ProcessSubject("it", SHAPES[shape], offers, command, spec, "python", plain_env(shape))


@pytest.fixture
def started() -> Iterator[Any]:
    """Start a thing; the subject, and what it tells."""
    subjects: list[ProcessSubject] = []

    def start(thing: str, shape: str, **arguments: int) -> tuple[ProcessSubject, dict[str, Any]]:
        subjects.append(subject_of(spec_of(thing, shape, **arguments)))
        told = json.loads(subjects[-1].host(4096).greeting.removeprefix("ok "))
        subjects[-1].offers = frozenset(told["offers"])
        return subjects[-1], told

    yield start
    for subject in subjects:
        subject.close()


def ran(subject: ProcessSubject, told: dict[str, Any], wild: Any, n: int = 600) -> History:
    """What comes of a trace of every operation."""
    env, shape = told["env"], subject.shape.name
    size = env["block_size"] if shape == "pool" else 0
    ops = wild(subject.kinds, n, 5, size=size, least=shape == "lua_alloc")
    if not env["counted"]:
        ops = [replace(op, count=1) for op in ops]
    return subject.run(make_trace(shape, ops, subject.env), Limits())


def broken(history: History, offers: Iterable[str]) -> set[str]:
    """The laws that the naive judge finds broken."""
    verdicts = judge(history, laws_of(history.trace.shape), offers)
    return {verdict.law for verdict in verdicts if isinstance(verdict.outcome, Violated)}


@pytest.mark.parametrize("thing", SHAPED)
def test_what_is_found_and_judged(thing: str, started: Any, wild: Any) -> None:
    shape, offers = SHAPED[thing]
    subject, told = started(thing, shape)
    names = {name.strip("'") for name in re.findall(r"'[^']+'|\S+", offers)}
    assert subject.offers == names | BOUNDED.get(thing, set())
    history = ran(subject, told, wild)
    assert history.end == Completed()
    assert broken(history, subject.offers) == set()
    kinds = history.trace.columns["kind"]
    served = {kinds[row] for row in range(len(history)) if history.columns["status"][row] == Status.OK}
    assert {CALLS[Kind(kind)] for kind in served} == (names & set(CALLS.values())) | {"check"}


def test_what_is_told_at_first(started: Any) -> None:
    _, told = started("Bump", "bump", capacity=1000)
    assert (told["env"]["capacity"], told["env"]["remaining"], told["env"]["max_align"]) == (1000, 1000, 8)
    assert told["env"]["base"] % 32 == 16
    assert told["instances"] == [{"base": told["env"]["base"], "remaining": 1000, "total": 0}]
    assert not told["env"]["counted"]
    _, told = started("Stack", "stack")
    assert (told["env"]["capacity"], told["env"]["max_align"]) == (4096, 16)
    _, told = started("Pool", "pool", block_size=48)
    assert (told["env"]["block_size"], told["env"]["num_blocks"], told["env"]["capacity"]) == (48, 16, 768)
    _, told = started("Malloc", "malloc")
    assert told["env"]["max_align"] == 16


@pytest.mark.parametrize(
    ("thing", "shape", "laws"),
    [
        ("Overflowing", "bump", {"buffer_respected"}),
        ("Uncertain", "bump", {"invariant_holds"}),
        ("Stubborn", "bump", {"made_again"}),
        ("Touchy", "stack", {"failure_is_reported"}),
        ("Huge", "stack", {"failure_is_reported"}),
        ("Lost", "malloc", {"usable_size_covers_request"}),
    ],
)
def test_faults_break_their_laws(thing: str, shape: str, laws: set[str], started: Any, wild: Any) -> None:
    subject, told = started(thing, shape)
    assert broken(ran(subject, told, wild), subject.offers) >= laws


PLAN = Plan(
    {
        Kind.ALLOC: call("get", "pointer", "instance", "size"),
        Kind.MARK: call("token", "size", "instance"),
        Kind.RELEASE: call("back", "bool", "mark"),
    },
    {"remaining": call("left", "size", "instance"), "invariant": call("invariant", "bool", "instance")},
    init=(call("begin", "status", 7),),
    create=(call("Namespace.Things.make", "pointer", "buffer", "capacity", 16),),
    destroy=call("destroy", "none", "instance"),
    instances=2,
    buffer=4096,
    capacity=4096,
)


def mapped(plan: Plan) -> ProcessSubject:
    """A mapping by `python =`."""
    spec = {"kind": "python", "module": "shaped", "plan": plan.document()}
    subject = subject_of(spec, plan.offers)
    subject.env = replace(subject.env, max_align=16, capacity=4096)
    return subject


def test_mappings_of_python_modules(wild: Any) -> None:
    subject = mapped(PLAN)
    try:
        subject.host(4096)
        ops = wild({*PLAN.operations, Kind.RENEW}, 800, 6, 2)
        history = subject.run(make_trace("arena", ops, subject.env), Limits())
    finally:
        subject.close()
    assert (history.end, broken(history, subject.offers)) == (Completed(), set())
    assert len({history.told_by(at).base for at in (0, 1)}) == 2
    assert {int(status) for status in history.columns["status"]} == {Status.SKIPPED, Status.OK, Status.FAILED}


def changed(**changes: Call | tuple[Call, ...]) -> Plan:
    """The plan with one call changed."""
    alloc: Any = changes.pop("alloc", None)
    plan = replace(PLAN, **changes)  # type: ignore[arg-type]
    return replace(plan, operations={**plan.operations, Kind.ALLOC: alloc}) if alloc else plan


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (changed(init=(call("begin", "status", 8),)), "it could not be begun: begin(…) gave 5"),
        (changed(create=(call("Named", "pointer", 1),)), "Named(1) raised TypeError"),
        (changed(create=(call("print", "pointer"),)), "'shaped' has no attribute 'print'"),
        (changed(alloc=call("got", "pointer", "size")), "'Named' object has no attribute 'got'"),
        (changed(alloc=call("get", "pointer", "size", "align")), "cannot be called with 2 arguments"),
        (changed(alloc=call("left", "pointer", "size")), "left of Named cannot be called"),
        (changed(alloc=call("get", "status", "&out", "size")), "&out means nothing to a Python object"),
    ],
)
def test_what_cannot_be_begun_is_told(plan: Plan, words: str) -> None:
    with pytest.raises(UsageError, match=re.escape(words)):
        mapped(plan).host(16)


@pytest.mark.parametrize(
    ("thing", "shape", "words"),
    [
        ("Stack", "arena", "Stack has no method reset or mark and release, which the shape arena needs"),
        ("Pool", "malloc", "Pool.alloc() -> int cannot be called with 1 arguments, as the shape malloc does"),
        ("Arena", "stack", "has no method pop"),
        ("Region", "pool", "Region has no method alloc (malloc, allocate) nor free (dealloc, deallocate), which"),
        ("begin", "lua_alloc", "raised TypeError"),
        ("begun", "lua_alloc", "list has no method"),
    ],
)
def test_things_of_another_shape(thing: str, shape: str, words: str) -> None:
    with pytest.raises(UsageError, match=re.escape(words)):
        subject_of(spec_of(thing, shape)).host(16)


def test_marks_of_any_kind(started: Any) -> None:
    subject, _ = started("Arena", "arena")
    ops = [Op(Kind.ALLOC, 64), Op(Kind.MARK), Op(Kind.ALLOC, 64), Op(Kind.RELEASE, slot=1), Op(Kind.CHECK, slot=2)]
    history = subject.run(make_trace("arena", ops, subject.env), Limits())
    assert list(history.columns["status"]) == [*[Status.OK] * 4, Status.SKIPPED]
    assert list(history.columns["owner"]) == [NONE, NONE, NONE, 1, NONE]
