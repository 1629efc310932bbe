"""Features of behaviour, what is learnt from them, and conditions: on small histories that are written by hand."""

from typing import Any

import numpy as np
import pytest

from heaplaw import conditions
from heaplaw.models.adaptive import Knowledge
from heaplaw.search.behaviour import Seen, facts, features, reuse
from heaplaw.search.learning import Learner
from heaplaw.spec.event import Status
from heaplaw.spec.history import History, Op, make_history, make_trace
from heaplaw.spec.shapes import Kind

A, F, R = Kind.ALLOC, Kind.FREE, Kind.RESIZE


class Story:
    """A history that is told operation by operation."""

    def __init__(self) -> None:
        self.ops, self.rows = list[Op](), list[dict[str, int]]()

    def made(self, size: int, ptr: int, usable: int = 0, kind: Kind = A) -> "Story":
        self.ops.append(Op(kind, size))
        self.rows.append({"status": Status.OK, "ptr": ptr, "usable": usable})
        return self

    def refused(self, size: int) -> "Story":
        self.ops.append(Op(A, size))
        self.rows.append({"status": Status.FAILED})
        return self

    def freed(self, slot: int) -> "Story":
        self.ops.append(Op(F, slot=slot))
        self.rows.append({"status": Status.OK, "owner": slot, "held": self.ops[slot].size})
        return self

    def resized(self, slot: int, size: int, ptr: int) -> "Story":
        self.ops.append(Op(R, size, slot))
        self.rows.append({"status": Status.OK, "owner": slot, "held": self.ops[slot].size, "ptr": ptr})
        return self

    def history(self, base: int = 0) -> History:
        rows = [{**row, "ptr": row["ptr"] + base} if row.get("ptr") else row for row in self.rows]
        return make_history(make_trace("malloc", self.ops), rows)


def tale() -> Story:
    return (
        Story()
        .made(16, 0x1000)
        .made(16, 0x1020)
        .freed(0)
        .freed(1)
        .made(16, 0x1020)
        .made(24, 0x1000)
        .resized(5, 40, 0x1100)
    )


def test_an_address_that_comes_again_is_as_old_as_the_frees_since() -> None:
    age, before = reuse(facts(tale().history()))
    assert age.tolist() == [0, 0, 0, 0, 1, 2, 0]
    assert before.tolist() == [0, 0, 0, 0, 16, 16, 0]


def test_features_do_not_depend_on_where_memory_lies() -> None:
    _, here = features(tale().history())
    _, there = features(tale().history(0x7F00_0000_0000))
    assert np.array_equal(here, there)
    _, other = features(Story().made(16, 0x1000).made(16, 0x1040).history())
    assert not np.array_equal(here[:, :2], other)


def test_only_what_is_new_is_told_and_doubled_counts_are_new_again() -> None:
    def crowd(n: int) -> Any:
        story = Story()
        for place in range(n):
            story.made(16, 0x10_000 + 32 * place)
        return features(story.history())[1]

    seen = Seen()
    assert seen.take(crowd(40)).tolist()
    assert not seen.take(crowd(40)).tolist()
    assert not seen.take(crowd(30)).tolist()
    many = len(seen)
    assert seen.take(crowd(300)).tolist(), "so many in a row there were never before"
    assert len(seen) > many


def test_no_operation_at_all_has_no_features() -> None:
    empty = make_history(make_trace("malloc", [Op(F, slot=5)]), [{"status": Status.SKIPPED}])
    assert features(empty)[1].shape[1] == 0


def learnt(*stories: Story) -> Knowledge:
    learner = Learner()
    for story in stories:
        learner.take(facts(story.history()))
    return learner.known()


def test_edges_are_where_blocks_get_larger() -> None:
    by_usable = Story()
    for place, size in enumerate((15, 16, 17, 32, 40)):
        by_usable.made(size, 0x1000 * (1 + place), usable=(size + 15) // 16 * 16)
    assert learnt(by_usable).edges == (16,)
    by_distance = Story()
    for size, at, step in (
        (15, 0x1000, 32),
        (16, 0x2000, 32),
        (17, 0x3000, 48),
        (100, 0x4000, 112),
        (200, 0x5000, 208),
    ):
        for place in range(3):
            by_distance.made(size, at + step * place)
    known = learnt(by_distance)
    assert (known.edges, known.gaps, known.largest) == ((16,), ((100, 200),), 200)


def test_rows_and_what_fills_are_counted() -> None:
    story = Story()
    for place in range(20):
        story.made(64, (0x1000 if place < 10 else 0x9000) + 80 * place)
    assert learnt(story).runs == ((64, 10),)
    full = Story()
    for place in range(5):
        full.made(1000, 0x1000 + 1024 * place)
    full.refused(1000)
    assert learnt(full).fills == ((1000, 5),)
    assert learnt(Story().refused(5000).made(10, 0x1000)).refused == 5000


MET = {
    ("series", 3, 16): Story().made(16, 0x1000).made(16, 0x2000).made(16, 0x3000),
    ("downwards", 2, 1): Story().made(9, 0x2000).made(16, 0x1000).freed(0).freed(1).made(12, 0x2000),
    ("crowd", 2): Story().made(17, 0x1000).made(32, 0x2000),
    ("crossing", 1, 3): Story().made(16, 0x1000).resized(0, 40, 0x1000),
    ("refill", 20, 21): Story().made(20, 0x1000).refused(2**40).freed(0).made(21, 0x1000),
    ("history", 1, "AFAR"): Story().made(8, 0x1000).freed(0).made(9, 0x1000).resized(2, 10, 0x1000),
}
MISSED = {
    ("series", 3, 16): Story().made(16, 0x1000).made(16, 0x2000).freed(0).made(16, 0x3000),
    ("downwards", 2, 1): Story().made(9, 0x1000).made(16, 0x2000).freed(0).freed(1).made(12, 0x2000),
    ("crowd", 2): Story().made(17, 0x1000).freed(0).made(32, 0x2000),
    ("crossing", 1, 3): Story().made(16, 0x1000).resized(0, 30, 0x1000),
    ("refill", 20, 21): Story().made(20, 0x1000).freed(0).made(21, 0x1000),
    ("history", 1, "AFAR"): Story().made(8, 0x1000).freed(0).made(90, 0x1000).resized(2, 10, 0x1000),
}


@pytest.mark.parametrize("condition", MET, ids=str)
def test_conditions_are_met_by_what_they_say(condition: conditions.Condition) -> None:
    wanted = {condition: 2}
    for story, expected in ((MET[condition], {condition}), (MISSED[condition], set())):
        watch = conditions.Watch(wanted)
        watch.feed(story.history())
        assert watch.met == expected


def test_conditions_are_drawn_alike() -> None:
    drawn = conditions.drawn(20, 1)
    assert drawn == conditions.drawn(20, 1) != conditions.drawn(20, 2)
    assert {condition[0] for condition in drawn} == set(conditions.SORTS)
