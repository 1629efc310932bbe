"""Whatever a history says, however absurd, is told within the page."""

import random
from dataclasses import replace

import pytest

from heaplaw.picture import heap_lines
from heaplaw.plan import Plan, call
from heaplaw.spec.catalogue import CATALOGUE
from heaplaw.spec.event import NONE, NULL, Env, Flag, Status
from heaplaw.spec.history import Completed, Died, End, Exited, Hung, Op, make_history, make_trace
from heaplaw.spec.shapes import SHAPES, Kind
from heaplaw.steps import steps_lines
from heaplaw.terminal.page import Page
from heaplaw.wording import Wording

BASE = 0x7F0000001000
HUGE = (0, 1, 7, 64, 2**31, 2**47, 2**63, 2**64 - 1)
LONG = Plan(
    {
        Kind.ALLOC: call("_ZN5boost" + "12interprocess" * 7, "status", "&out", "instance", "size", "tag", -5),
        Kind.POP: call("pop", "status", "ptr", "osize", "oalign"),
        Kind.RELEASE: call("release", "bool", "mark"),
        Kind.ZALLOC: call("zeroed", "bytes", "&out", "count", "size"),
    },
    create=(call("create", "pointer"),),
    destroy=call("destroy", "none"),
    instances=3,
)


@pytest.mark.parametrize("seed", range(20))
def test_whatever_a_history_says_is_told_within_the_page(seed: int) -> None:
    rng = random.Random(seed)
    for turn in range(30):
        n = rng.randint(1, 14) if turn else 200
        ops = [
            Op(
                rng.choice(list(Kind)),
                rng.choice([*HUGE, rng.randrange(200)]),
                rng.choice([NONE, NULL, n + 3, *range(place + 1)]),
                rng.choice([0, 16, 4096, 2**40]),
                rng.choice([0, 1, 3, 2**40]),
                rng.randrange(3),
            )
            for place in range(n)
        ]
        rows = [
            {
                **{name: rng.choice(HUGE) for name in ("held", "usable", "bad_at", "num_free", "remaining", "total")},
                "status": rng.choice(list(Status)),
                "flags": rng.choice([0, 0, 0, *Flag]),
                "err": rng.choice([0, 12, 2**32 - 7]),
                "owner": rng.choice([NONE, *range(place)]),
                "ptr": rng.choice([*HUGE, *[BASE + rng.randrange(5000)] * 20]),
                "sound": rng.randrange(3),
            }
            for place in range(n)
        ]
        shape, env = rng.choice(list(SHAPES)), Env(base=rng.choice([0, BASE, 2**64 - 4096]), capacity=rng.choice(HUGE))
        last = n - 1
        ends: list[End] = [Completed(), Died(last, 11), Died(last, 40, "payload"), Hung(last, "cpu"), Exited(last, 3)]
        history = replace(make_history(make_trace(shape, ops, env), rows, rng.choice(ends)), others=(env, env))
        guilty = rng.choice([(), (last,), tuple(sorted(rng.sample(range(n), min(2, n))))])
        wording = rng.choice([Wording(), Wording(LONG, "allocator"), Wording(LONG, "pool", methods=True)])
        page = Page(rng.choice([60, 80, 100, 120]))
        lines = steps_lines(history, guilty, rng.choice(["", *CATALOGUE]), wording, page)
        lines += heap_lines(history, guilty, page)
        assert max(map(len, lines)) <= page.columns
        for line in lines:
            assert all(0 <= start < stop <= len(line) for start, stop, _ in line.marks)
            places = [place for start, stop, _ in line.marks for place in (start, stop)]
            assert places == sorted(places), line  # no part has two roles
