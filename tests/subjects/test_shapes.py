"""Libraries of every shape: the driver in Python leaves what laws expect, and the same as the driver in C."""

import ctypes
import errno
import re
import signal
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from heaplaw import native
from heaplaw.errors import UsageError
from heaplaw.host import Command
from heaplaw.instances import Buffer
from heaplaw.payload import Payload
from heaplaw.plan import Call, Plan, call
from heaplaw.spec.catalogue import laws_of
from heaplaw.spec.event import NONE, Env, Flag, Status
from heaplaw.spec.history import EVENT_COLUMNS, Completed, Died, History, Op, Trace, make_trace, plain_env
from heaplaw.spec.judge import judge
from heaplaw.spec.protocols import Limits
from heaplaw.spec.shapes import SHAPES, Kind
from heaplaw.spec.verdict import Violated
from heaplaw.subjects.base import ProcessSubject, worker_command

(
    WELL, WRITES_BEFORE, WRITES_AFTER, DAMAGES, MADE_ONCE, UNMAPS, UNSOUND, OVER_THE_END, KEEPS, ABORTS, GIVES_JUNK,
    READ_ONLY, DIRTY,
) = range(13)  # fmt: skip
"""What an allocator of shapes.c does wrong."""
BUFFER = 4096
THIS, S = "instance", "size"


@dataclass(frozen=True)
class Case:
    """A subject of a shape."""

    shape: str
    plan: Plan
    block: int = 0
    """A pool's bytes a block."""

    @property
    def env(self) -> Env:
        """What it promises."""
        blocks = self.plan.buffer // self.block if self.block else 0
        return replace(
            plain_env(self.shape), capacity=BUFFER, header=16, max_align=16, block_size=self.block, num_blocks=blocks
        )


PLAIN = call("rg_plain", "pointer", THIS, S)
ALIGNED = call("rg_alloc", "pointer", THIS, S, "align")
REGION = {
    "remaining": call("rg_remaining", "size", THIS),
    "total_allocated": call("rg_total", "int", THIS),
    "invariant": call("rg_check", "status", THIS),
}


def region(operations: dict[Kind, Call], mode: int = WELL, **changes: Any) -> Plan:
    """A plan for a region; two of them at once if nobody says otherwise."""
    fields: dict[str, Any] = {
        "counters": REGION,
        "create": (call("rg_new", "pointer", "buffer", "capacity", mode),),
        "destroy": call("rg_drop", "none", THIS),
        "instances": 2,
        "buffer": BUFFER,
        "capacity": BUFFER,
    }
    return Plan(operations, **{**fields, **changes})


def cases(mode: int = WELL) -> dict[str, Case]:
    """Every shape, and every convention."""
    zeroed, reset = call("rg_zeroed", "pointer", THIS, "count", S), call("rg_reset", "none", THIS)
    lists: dict[str, Any] = {
        "create": (call("ls_new", "pointer", "buffer", "capacity", mode),),
        "buffer": BUFFER,
        "buffer_align": 64,
        "capacity": BUFFER,
        "counters": {"usable_size": call("ls_usable", "size", THIS, "ptr")},
    }
    listed = {
        Kind.ALLOC: call("ls_alloc", "pointer", THIS, S),
        Kind.ZALLOC: call("ls_zeroed", "pointer", THIS, "count", S),
        Kind.RESIZE: call("ls_resize", "pointer", THIS, "ptr", S),
        Kind.FREE: call("ls_free_sized", "none", THIS, "ptr", "osize"),
    }
    lua = {
        Kind.ALLOC: call("ls_lua", "pointer", THIS, 0, "tag", S),
        Kind.RESIZE: call("ls_lua", "pointer", THIS, "ptr", "osize", S),
        Kind.FREE: call("ls_lua", "null", THIS, "ptr", "osize", 0),
    }
    pooled = {
        Kind.ALLOC: call("pl_alloc", "pointer", THIS),
        Kind.ZALLOC: call("pl_zeroed", "pointer", THIS),
        Kind.FREE: call("pl_free", "none", THIS, "ptr"),
        Kind.RESET: call("pl_reset", "none", THIS),
    }
    hooked = {Kind.ALLOC: call("hk_alloc", "pointer", S), Kind.FREE: call("hk_free", "none", "ptr")}
    popping = {Kind.POP: call("rg_pop_sized", "status", THIS, "ptr", "osize", "oalign")}
    marking = {Kind.MARK: call("rg_mark", "size", THIS), Kind.RELEASE: call("rg_release", "status", THIS, "mark")}
    return {
        "bump": Case(
            "bump", region({Kind.ALLOC: PLAIN, Kind.ALIGNED: ALIGNED, Kind.ZALLOC: zeroed, Kind.RESET: reset}, mode)
        ),
        "bump, bool": Case(
            "bump",
            region(
                {Kind.ALLOC: call("rg_bool", "bool", THIS, "&out", S), Kind.RESET: reset},
                mode,
                counters={"invariant": call("rg_well", "bool", THIS), "base": call("rg_base", "pointer", THIS)},
            ),
        ),
        "stack": Case("stack", region({Kind.ALLOC: PLAIN, Kind.ALIGNED: ALIGNED, **popping}, mode)),
        "stack, status": Case(
            "stack",
            region(
                {
                    Kind.ALLOC: call("rg_status", "status", THIS, "&out", S),
                    Kind.POP: call("rg_pop", "none", THIS),
                    Kind.RESET: call("rg_reset_status", "status", THIS),
                },
                mode,
            ),
        ),
        "arena": Case("arena", region({Kind.ALLOC: PLAIN, Kind.ZALLOC: zeroed, Kind.RESET: reset, **marking}, mode)),
        "arena, bytes": Case(
            "arena",
            region(
                {
                    Kind.ALLOC: call("rg_bytes", "bytes", THIS, "&out", S),
                    Kind.MARK: call("rg_mark_int", "int", THIS),
                    Kind.RELEASE: call("rg_release", "status", THIS, "mark"),
                },
                mode,
                create=(call("rg_new_out", "status", "&instance", "buffer", "capacity", mode),),
            ),
        ),
        "arena, storage": Case(
            "arena",
            region(
                {
                    Kind.ALLOC: call("rg_errno", "errno", THIS, "&out", S),
                    Kind.MARK: call("rg_mark_out", "status", THIS, "&out"),
                    Kind.RELEASE: call("rg_release", "status", THIS, "mark"),
                },
                create=(call("rg_begin", "status", THIS, "buffer", "capacity"), call("rg_reset", "none", THIS)),
                storage=128,
                buffer_align=4096,
            ),
        ),
        "freelist": Case("freelist", Plan({**listed, Kind.RESET: call("ls_reset", "none", THIS)}, **lists)),
        "malloc": Case("malloc", Plan({**listed, Kind.FREE: call("ls_free_errno", "errno", THIS, "ptr")}, **lists)),
        "malloc, hooks": Case(
            "malloc",
            Plan(hooked, init=(call("begin_well", "status", "hook_malloc", "hook_free", "hook_realloc"),)),
        ),
        "lua_alloc": Case("lua_alloc", Plan(lua, **{**lists, "counters": {}})),
        "pool": Case(
            "pool",
            Plan(
                pooled,
                {
                    "num_free_blocks": call("pl_free_blocks", "size", THIS),
                    "num_allocated": call("pl_live", "int", THIS),
                },
                create=(call("pl_new", "pointer", "buffer", 64, BUFFER // 64),),
                buffer=BUFFER,
                capacity=BUFFER,
                instances=2,
            ),
            64,
        ),
    }


def subject_of(case: Case, library: str, driver: str) -> ProcessSubject:
    """The case under one of the two drivers."""
    if driver == "python":
        command = worker_command({"kind": "mapped", "library": library, "plan": case.plan.document()})
    else:
        command = Command([str(native.find(native.HOST))], [library, *case.plan.entries()], {})
    return ProcessSubject(
        case.shape, SHAPES[case.shape], case.plan.offers, command, {"kind": "mapped"}, driver, case.env
    )


def kinds_of(plan: Plan) -> set[Kind]:
    """Operations that can be called."""
    return {*plan.operations, *({Kind.RENEW} if plan.destroy else ())}


def trace_of(case: Case, wild: Any, n: int, seed: int) -> Trace:
    """A trace of every operation."""
    kinds = kinds_of(case.plan)
    ops = wild(kinds, n, seed, case.plan.instances, size=case.block, least=case.shape == "lua_alloc")
    return make_trace(case.shape, ops, case.env)


def ran(case: Case, library: str, driver: str, trace: Trace, payload: bool = True) -> History:
    """What comes of running the trace."""
    subject = subject_of(case, library, driver)
    try:
        return subject.run(trace, Limits(cpu=2.0), payload)
    finally:
        subject.close()


def broken(history: History, case: Case, promises: Iterable[str] = ()) -> set[str]:
    """The laws that the naive judge finds broken."""
    offers = {*case.plan.offers, "grid", *promises}
    verdicts = judge(history, laws_of(case.shape), offers)
    return {verdict.law for verdict in verdicts if isinstance(verdict.outcome, Violated)}


def columns(history: History) -> dict[str, list[int]]:
    """The columns of what was called, addresses relative to the buffer that they lie in; 1 where there is none."""
    found = {c.name: np.asarray(history.columns[c.name]).astype(np.uint64) for c in EVENT_COLUMNS}
    instance = np.asarray(history.trace.columns["instance"])
    bases = np.array([int(history.told_by(int(at)).base) for at in instance], np.uint64)
    ptr = found["ptr"]
    ptr[(bases == 0) & (ptr > 0)] = 1
    inside = (bases > 0) & (ptr >= bases)
    ptr[inside] -= bases[inside]
    skipped = found["status"] == Status.SKIPPED
    for column in found.values():
        column[skipped] = 0
    return {name: column.tolist() for name, column in found.items()}


def same(case: Case, library: str, trace: Trace, payload: bool = True) -> History:
    """Both drivers leave the same history: the one in Python."""
    if native.find(native.HOST) is None:
        pytest.skip("the native parts are not built here (no C compiler)")
    python, c = (ran(case, library, driver, trace, payload) for driver in ("python", "native"))
    expected, found = columns(c), columns(python)
    for name, column in expected.items():
        assert found[name] == column, name
    assert python.end == c.end
    return python


@pytest.mark.parametrize("name", cases())
def test_correct_allocators_break_no_law(name: str, shapes_library: str, wild: Any) -> None:
    case = cases()[name]
    trace = trace_of(case, wild, 1500, 1)
    history = ran(case, shapes_library, "python", trace)
    assert history.end == Completed()
    assert broken(history, case) == set()
    served = {Kind(trace.op(row).kind) for row in range(len(trace)) if history.columns["status"][row] == Status.OK}
    assert served == kinds_of(case.plan) | {Kind.CHECK}  # else it was no test


@pytest.mark.parametrize("payload", [True, False])
@pytest.mark.parametrize("name", cases())
def test_both_drivers_leave_the_same_history(name: str, payload: bool, shapes_library: str, wild: Any) -> None:
    case = cases()[name]
    same(case, shapes_library, trace_of(case, wild, 2500, 2), payload)


FAULTS = {
    ("bump", WRITES_BEFORE): {"buffer_respected"},
    ("bump", WRITES_AFTER): {"buffer_respected"},
    ("stack", DAMAGES): {"payload_kept"},
    ("arena", DAMAGES): {"payload_kept"},
    ("bump", UNSOUND): {"invariant_holds"},
    ("bump, bool", UNSOUND): {"invariant_holds"},
    ("bump, bool", OVER_THE_END): {"sized", "in_bounds"},
    ("arena", KEEPS): {"free_is_served"},
    ("arena", DIRTY): {"zeroed"},
    ("lua_alloc", GIVES_JUNK): {"free_gives_null"},
    ("malloc", DAMAGES): {"realloc_keeps_prefix", "realloc_failure_keeps_block"},
    ("malloc", DIRTY): {"realloc_keeps_prefix"},
}
"""What an allocator does wrong, and the laws that are broken by it, whatever else is."""


@pytest.mark.parametrize(("name", "mode"), FAULTS)
def test_faults_break_their_laws(name: str, mode: int, shapes_library: str, wild: Any) -> None:
    case = cases(mode)[name]
    histories = (ran(case, shapes_library, "python", trace_of(case, wild, 1500, seed)) for seed in (3, 5, 6))
    found = {law for history in histories for law in broken(history, case)}
    assert found >= FAULTS[name, mode]


@pytest.mark.parametrize(("name", "mode"), FAULTS)
def test_both_drivers_see_the_same_faults(name: str, mode: int, shapes_library: str, wild: Any) -> None:
    case = cases(mode)[name]
    same(case, shapes_library, trace_of(case, wild, 1500, 4))


# ---- instances that are made, ended, and made again


def rows(case: Case, library: str, *ops: Op) -> tuple[History, list[dict[str, int]]]:
    """Both drivers' history of a few operations, and its rows."""
    history = same(case, library, make_trace(case.shape, ops, case.env))
    names = [column.name for column in EVENT_COLUMNS]
    return history, [{name: int(history.columns[name][row]) for name in names} for row in range(len(ops))]


def bump(mode: int, **changes: Any) -> Case:
    """One region that is a bump allocator."""
    return Case("bump", region({Kind.ALLOC: PLAIN, Kind.RESET: RESET}, mode, **{"instances": 1, **changes}))


RESET = call("rg_reset", "none", THIS)
ALLOC, RENEW = Op(Kind.ALLOC, 64), Op(Kind.RENEW)


def test_an_instance_that_cannot_be_made_again_is_gone(shapes_library: str) -> None:
    history, found = rows(bump(MADE_ONCE), shapes_library, ALLOC, RENEW, ALLOC, Op(Kind.CHECK, slot=0), RENEW)
    assert [row["status"] for row in found] == [Status.OK, Status.FAILED, *[Status.SKIPPED] * 3]
    assert broken(history, bump(MADE_ONCE)) >= {"made_again"}


def test_a_buffer_that_was_given_away(shapes_library: str) -> None:
    history, found = rows(bump(UNMAPS), shapes_library, ALLOC, RENEW, ALLOC)
    assert [row["status"] for row in found] == [Status.OK, Status.FAILED, Status.SKIPPED]
    assert (found[1]["flags"], found[1]["bad_at"]) == (Flag.OUTSIDE, 0)
    assert broken(history, bump(UNMAPS)) >= {"made_again", "buffer_respected"}


def test_what_is_written_beside_the_buffer_is_told_once(shapes_library: str) -> None:
    _, found = rows(bump(WRITES_AFTER), shapes_library, *[Op(Kind.ALLOC, 8)] * 17)
    assert {at: row["bad_at"] for at, row in enumerate(found) if row["flags"] == Flag.OUTSIDE} == {7: 8, 15: 16}
    _, found = rows(bump(WRITES_BEFORE), shapes_library, *[Op(Kind.ALLOC, 8)] * 8, RENEW, ALLOC)
    assert {at: row["bad_at"] for at, row in enumerate(found) if row["flags"] == Flag.OUTSIDE} == {7: 8, 8: 63}


def test_payloads_are_read_before_a_sweep(shapes_library: str) -> None:
    ops = [Op(Kind.ALLOC, 32 + row) for row in range(40)]
    for last in (Op(Kind.RESET), RENEW):
        history, found = rows(bump(DAMAGES), shapes_library, *ops, last)
        assert (found[-1]["flags"], found[-1]["bad_at"], found[-1]["held"]) == (Flag.DAMAGED, 32 + 29, 32 + 30)
        assert found[-1]["ptr"] == found[30]["ptr"]
        assert history.columns["owner"][len(ops)] == NONE


def test_the_newest_block_is_popped_at_any_depth(shapes_library: str) -> None:
    case = cases()["stack"]
    pop = Op(Kind.POP)
    _, found = rows(case, shapes_library, pop, ALLOC, Op(Kind.ALIGNED, 8, align=128), pop, pop, pop, ALLOC)
    assert [row["owner"] for row in found] == [NONE, NONE, NONE, 2, 1, NONE, NONE]
    assert [row["held"] for row in found] == [0, 0, 0, 8, 64, 0, 0]
    assert {(row["status"], row["err"]) for row in found} <= {(Status.OK, 0), (Status.SKIPPED, 0)}


def test_a_release_ends_what_was_made_since_its_mark(shapes_library: str) -> None:
    mark, release = Op(Kind.MARK), Kind.RELEASE
    ops = [ALLOC, mark, ALLOC, mark, ALLOC, Op(release, slot=1), *(Op(Kind.CHECK, slot=at) for at in (0, 2, 4))]
    ops += [Op(release, slot=at) for at in (3, 1, 0)] + [Op(release, slot=1, instance=1)]
    _, found = rows(cases()["arena"], shapes_library, *ops)
    there = [row["status"] == Status.OK for row in found]
    assert there == [True] * 7 + [False] * 6
    assert found[5]["owner"] == 1
    assert 0 < found[1]["ptr"] < found[3]["ptr"]


def test_runs_that_end_in_the_subject(shapes_library: str) -> None:
    history, _ = rows(bump(ABORTS), shapes_library, *[Op(Kind.ALLOC, 8)] * 50)
    assert history.end == Died(39, signal.SIGABRT)
    history, found = rows(bump(READ_ONLY, buffer=65536, capacity=65536), shapes_library, *[Op(Kind.ALLOC, 600)] * 50)
    assert history.end == Died(next(at for at in range(50) if found[at]["flags"]), signal.SIGSEGV, "payload")


def test_a_code_that_no_rule_knows(shapes_library: str) -> None:
    operations = {Kind.ALLOC: call("rg_errno", "errno", THIS, "&out", S), Kind.RESET: RESET}
    case = Case("bump", region(operations, GIVES_JUNK, instances=1))
    history, found = rows(case, shapes_library, *[Op(Kind.ALLOC, 8)] * 20, Op(Kind.ALLOC), Op(Kind.ALLOC, 9999))
    odd = dict.fromkeys((row["status"], row["err"]) for row in found if row["status"] != Status.OK)
    assert list(odd) == [(Status.WRONG, errno.EINTR), (Status.FAILED, 0), (Status.FAILED, errno.ENOMEM)]
    assert broken(history, case) >= {"failure_is_reported"}


def test_a_block_at_no_address(shapes_library: str) -> None:
    operations = {Kind.ALLOC: call("rg_bool", "bool", THIS, "&out", S), Kind.RESET: RESET}
    case = Case("bump", region(operations, GIVES_JUNK, instances=1))
    history, found = rows(case, shapes_library, *[Op(Kind.ALLOC, 8)] * 6, Op(Kind.CHECK, slot=5))
    assert (found[5]["status"], found[5]["ptr"], found[5]["flags"]) == (Status.OK, 0, Flag.UNWRITABLE)
    assert found[6]["status"] == Status.OK
    assert broken(history, case) >= {"sized", "in_bounds"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"create": (call("rg_new", "pointer", "buffer", "capacity", MADE_ONCE),)}, "rg_new(…) gave 0"),
        (
            {"create": (call("rg_new_out", "status", "&instance", 0, 0, MADE_ONCE),)},
            f"rg_new_out(…) gave {errno.ENOMEM}",
        ),
        ({"init": (call("begin_badly", "status"),)}, "it could not be begun: begin_badly(…) gave 5"),
        ({"create": (call("rg_gnu", "pointer"),)}, "rg_gnu"),
        ({"buffer": 2**46}, "no memory for a buffer"),
    ],
)
def test_what_cannot_be_begun_is_told(changes: dict[str, Any], words: str, shapes_library: str) -> None:
    case = bump(WELL, **{"instances": 2, **changes})
    with pytest.raises(UsageError, match=re.escape(words)):
        subject_of(case, shapes_library, "python").host(16)


@pytest.mark.parametrize("align", [1, 2, 16, 64, 4096, 65536])
def test_buffers(align: int) -> None:
    buffer = Buffer(1000, align)
    assert buffer.address % align == 0
    assert buffer.address % (2 * align) != 0
    assert buffer.is_mapped()
    assert buffer.damage() is None
    for place, distance in ((-1, 0), (-64, 63), (1000, 0), (1063, 63)):
        ctypes.memset(buffer.address + place, 0, 1)
        assert buffer.damage() == distance
        assert buffer.damage() is None
    payload = Payload()
    payload.own.extend(buffer.beside)
    assert [payload.reach(buffer.address + at, 100) for at in (0, 900, 901, 1000, -100, -64)] == [
        100,
        100,
        99,
        0,
        36,
        0,
    ]
