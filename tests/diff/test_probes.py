"""The table of probes: whole, well-formed, and free of addresses in what it finds."""

import pytest

from heaplaw.difference.answers import answers, comparable
from heaplaw.difference.probes import ALIGNED, ERRNO, GAP, MOVED, PLACE, PROBES, SERVED, USABLE, Probe
from heaplaw.spec.event import NONE, Env, Status
from heaplaw.spec.history import History, Op, make_history, make_trace, plain_env
from heaplaw.spec.shapes import SHAPES, Kind

BASE = 0x7FFF_F700_0000
OK, FAILED = int(Status.OK), int(Status.FAILED)


def told(ops: list[Op], rows: list[dict[str, int]], shape: str = "malloc") -> History:
    return make_history(make_trace(shape, ops), rows)


def block(at: int, **more: int) -> dict[str, int]:
    return {"status": OK, "ptr": at, **more}


FREED = [Op(Kind.ALLOC, 24), Op(Kind.FREE, slot=0), Op(Kind.ALLOC, 24)]


def test_names_are_names() -> None:
    names = [probe.name for probe in PROBES]
    assert len(names) == len(set(names)) >= 30
    assert {probe.unless for probe in PROBES} <= {"", *names}


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
def test_each_makes_valid_traces(probe: Probe) -> None:
    some = False
    for shape in SHAPES.values():
        env = Env(**{**vars(plain_env(shape.name)), "capacity": 65536, "block_size": 64, "num_blocks": 8})
        for bounded in (env, plain_env(shape.name)):
            offers = frozenset({"huge sizes", "usable_size"})
            if not probe.fits(shape.name, shape.operations, offers, bounded):
                continue
            some = True
            for n in probe.sizes[:3] or (0,):
                trace = probe.trace(shape.name, shape.operations, bounded, n)
                ops = trace.ops()
                assert all(op.slot == NONE or op.slot < index for index, op in enumerate(ops))
                assert {op.kind for op in ops} <= shape.operations
                assert len(ops) >= len(probe.steps)
                if not shape.sized:
                    assert {op.size for op in ops if op.kind == Kind.ALLOC} <= {int(bounded.block_size)}
    assert some


@pytest.mark.parametrize("moved", [0, 4096, 2**20])
def test_answers_hold_no_addresses(moved: int) -> None:
    a = BASE + moved
    same = told(FREED, [block(a), {"status": OK, "owner": 0}, block(a)])
    other = told(FREED, [block(a), {"status": OK, "owner": 0}, block(a + 4096)])
    assert answers(same, PLACE) == (("a block",), ("done",), ("where p1 was",))
    assert answers(other, PLACE)[-1] == ("elsewhere",)
    resized = [Op(Kind.ALLOC, 24), Op(Kind.RESIZE, 48, 0)]
    assert answers(told(resized, [block(a), block(a, owner=0)]), MOVED)[-1] == ("in place",)
    assert answers(told(resized, [block(a), block(a + 64, owner=0)]), MOVED)[-1] == ("moved",)
    row = [Op(Kind.ALLOC, 24)] * 2
    assert answers(told(row, [block(a), block(a + 48)]), GAP)[-1] == ("+48 from p1",)
    assert answers(told(row, [block(a + 48), block(a)]), GAP)[-1] == ("-48 from p1",)
    assert answers(told(row, [block(a + 32), block(a + 96)]), ALIGNED)[-1] == ("multiples of 32",)
    assert answers(told(row, [block(a, usable=24), block(a + 96, usable=40)]), USABLE) == (
        ("usable 24",),
        ("usable 40",),
    )


def test_refusals() -> None:
    one = [Op(Kind.ALLOC, 2**63)]
    refused, silent = (told(one, [{"status": FAILED, "err": err}]) for err in (12, 0))
    assert answers(refused, SERVED) == (("NULL",),) == answers(silent, SERVED)
    assert answers(refused, ERRNO) == (("NULL", "errno ENOMEM"),)
    assert answers(silent, ERRNO) == (("NULL", "errno not set"),)
    served = told(one, [block(BASE)])
    assert comparable(refused, silent, 0, ERRNO)
    assert comparable(refused, served, 0, SERVED)
    assert not comparable(refused, served, 0, ERRNO)
    assert not comparable(refused, served, 0, USABLE)
