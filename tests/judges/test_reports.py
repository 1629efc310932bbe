"""Laws on what subjects report: the fast judge says what the naive one says, and both see what is planted."""

import random
from dataclasses import replace
from typing import Any

import pytest

from heaplaw.spec.catalogue import CATALOGUE, law
from heaplaw.spec.event import Env, Event, Status
from heaplaw.spec.heap import Heap
from heaplaw.spec.history import History, Op, make_history, make_trace
from heaplaw.spec.report import SILENT, Report, Sums, first_fitting
from heaplaw.spec.shapes import Kind

from .agreement import agree, blamed

SEED = 77
ENV = Env(labels=3)
STEPS = [law(name) for name in ("stats_exact", "peak_exact", "tags_exact", "leak_report_exact", "overhead_bounded")]


def told(heap: Heap, e: Event, named: int | None) -> Report:
    """What an exact subject reports after `e`, which the heap has absorbed; `named`: the block it was about."""
    view = heap.view(e)
    sums, stays = view.sums, named is not None and named in heap.live
    size = heap.part(e).live[named] if stays and named is not None else 0
    return Report(
        current_bytes=view.live_bytes,
        peak_bytes=sums.peak,
        total_bytes=sums.handed,
        allocations=sums.made,
        tag_count=sums.tag_made,
        tag_current=sums.tag_bytes,
        tag_peak=sums.tag_peak,
        leak_count=view.live,
        leak_bytes=view.live_bytes,
        leak_lines=int(stays),
        leak_size=size,
        leak_tag=sums.label if stays else 0,
        footprint=view.live_bytes,
    )


def history_of(rng: random.Random, steps: int, lie: str = "") -> History:
    """Random operations of a heap that reports exactly; with `lie`, one field is once 8 too large."""
    heap, ops, rows = Heap(), list[Op](), list[dict[str, int]]()
    live: dict[int, int] = {}  # slot -> the operation that made its block
    liar = rng.randrange(steps // 2, steps) if lie else -1
    for index in range(steps):
        kind = rng.choice((Kind.ALLOC, Kind.ALLOC, Kind.FREE, Kind.RESIZE, Kind.CHECK)) if live else Kind.ALLOC
        slot, size = rng.choice(list(live)) if live else 0, rng.choice((0, 1, 24, 100))
        label = rng.randrange(4)
        named = live[slot] if kind != Kind.ALLOC else None
        ops.append(
            Op(
                kind,
                size if kind in (Kind.ALLOC, Kind.RESIZE) else 0,
                **({"slot": slot} if named is not None else {}),
                label=label,
            )
        )
        refused = kind in (Kind.ALLOC, Kind.RESIZE) and rng.random() < 0.2
        status = Status.FAILED if refused else Status.OK
        ptr = 0x1000 * (index + 1) if kind in (Kind.ALLOC, Kind.RESIZE) and not refused else 0
        held = heap.part(Event(Kind.CHECK, 0, env=ENV)).live[named] if named is not None else 0
        e = Event(kind, ops[-1].size, status=status, held=held, ptr=ptr, label=label, report=Report(cost=1), env=ENV)
        heap.absorb(index, e, *([named] if named is not None else []))
        about = index if ptr else named
        if named is not None and not refused and kind in (Kind.FREE, Kind.RESIZE):
            del live[slot]
        if named is not None and refused and kind == Kind.RESIZE:
            live[index] = live.pop(slot)
        if ptr:
            live[index] = index
        report = vars(told(heap, e, about)).copy()
        if index == liar:
            report[lie] += 8
        row = {"status": status, "held": held, "ptr": ptr, **report}
        rows.append(row | ({"owner": named} if named is not None else {}))
    return replace(make_history(make_trace("malloc", ops, ENV), rows), env=ENV)


def test_exact_reports__break_nothing() -> None:
    rng = random.Random(f"{SEED} exact")
    for _ in range(10):
        assert blamed(agree(history_of(rng, 40), STEPS)) == {}


@pytest.mark.parametrize(
    ("lie", "name"),
    [
        ("current_bytes", "stats_exact"),
        ("total_bytes", "stats_exact"),
        ("allocations", "stats_exact"),
        ("peak_bytes", "peak_exact"),
        ("tag_count", "tags_exact"),
        ("tag_current", "tags_exact"),
        ("tag_peak", "tags_exact"),
        ("leak_count", "leak_report_exact"),
        ("leak_bytes", "leak_report_exact"),
        ("leak_lines", "leak_report_exact"),
    ],
)
def test_one_lie__is_seen_by_both_judges(lie: str, name: str) -> None:
    rng = random.Random(f"{SEED} {lie}")
    for _ in range(5):
        assert set(blamed(agree(history_of(rng, 40, lie), STEPS))) == {name}


def test_silent_subjects__have_no_sums() -> None:
    heap = Heap()
    e = Event(Kind.ALLOC, 64, ptr=0x1000, env=ENV)
    heap.absorb(0, e)
    assert e.report is SILENT
    assert heap.view(e).sums == Sums()


def test_an_instance_made_again__begins_anew() -> None:
    heap = Heap()
    heap.absorb(0, Event(Kind.ALLOC, 64, ptr=0x1000, report=Report(cost=1), env=ENV))
    e = Event(Kind.RENEW, 0, report=Report(cost=1), env=ENV)
    heap.absorb(1, e)
    assert heap.view(e).sums == Sums()


@pytest.mark.parametrize(
    ("nodes", "size", "align", "expected"),
    [
        ([], 8, 8, 0),
        ([(0x1000, 32)], 16, 8, 0x1010),
        ([(0x1000, 32)], 17, 8, 0),
        ([(0x1000, 32), (0x2000, 64)], 17, 8, 0x2010),
        ([(0x1008, 64)], 8, 64, 0x1040),
        ([(0x1008, 63)], 8, 64, 0),
        ([(0x1000, 64), (0x2000, 64)], 8, 8, 0x1010),
    ],
)
def test_first_fitting(nodes: Any, size: int, align: int, expected: int) -> None:
    assert first_fitting(nodes, size, align, 16) == expected


def test_every_reported_field__has_a_law() -> None:
    """A field that no law needs is not worth a column."""
    from heaplaw.spec.report import REPORTS

    assert REPORTS <= set().union(*(found.needs for found in CATALOGUE.values()))
