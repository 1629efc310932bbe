"""The fast judge, by the shadow and by dominance counts, finds what the naive judge finds: no more, no less."""

import itertools
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from heaplaw import judges, shadow
from heaplaw.dominance import count_less
from heaplaw.judges import FastJudge, judge_fast
from heaplaw.spec.catalogue import law, laws_of
from heaplaw.spec.event import NONE, Env, Flag, Status
from heaplaw.spec.heap import run_of
from heaplaw.spec.history import History, Op, make_history, make_trace
from heaplaw.spec.law import Law
from heaplaw.spec.shapes import Kind
from heaplaw.spec.verdict import Holds, Violated

from .agreement import agree, seen, silent_laws, use

SEED = 7_410_116
TOP = 2**64
MIB = 2**20
PAIRS = [law("blocks_disjoint"), law("usable_sizes_disjoint")]


# ------------------------------------------------------------------------------------------ comparing


def broken_pairs(history: History, stated: Law = PAIRS[0]) -> list[tuple[int, ...]]:
    (verdict,) = judge_fast(history, [stated])
    outcome = verdict.outcome
    return sorted(each.operations for each in outcome.violations) if isinstance(outcome, Violated) else []


# ------------------------------------------------------------------------------------- making histories


@dataclass
class Maker:
    """Writes a history down, operation by operation; owners and held sizes are kept as a driver keeps them."""

    shape: str = "malloc"
    env: Env = Env()
    profile: str = "mixed"
    ops: list[Op] = field(default_factory=list[Op])
    rows: list[dict[str, int]] = field(default_factory=list[dict[str, int]])
    live: dict[int, tuple[int, int]] = field(default_factory=dict[int, tuple[int, int]])
    """Slot to owner and requested size."""

    def _add(self, op: Op, **row: int) -> int:
        self.ops.append(op)
        self.rows.append(row)
        return len(self.ops) - 1

    def alloc(self, ptr: int, size: int, kind: Kind = Kind.ALLOC, align: int = 0, **row: int) -> int:
        usable = {"usable": max(1, size), **row}
        index = self._add(Op(kind, size, align=align), status=Status.OK, ptr=ptr, **usable)
        self.live[index] = index, size
        return index

    def refuse(self, size: int, **row: int) -> int:
        return self._add(Op(Kind.ALLOC, size), status=Status.FAILED, **row)

    def skip(self) -> int:
        return self._add(Op(Kind.FREE), status=Status.SKIPPED)

    def free(self, slot: int, **row: int) -> int:
        owner, held = self.live.pop(slot)
        return self._add(Op(Kind.FREE, slot=slot), status=Status.OK, owner=owner, held=held, **row)

    def check(self, slot: int, **row: int) -> int:
        owner, held = self.live[slot]
        return self._add(Op(Kind.CHECK, slot=slot), status=Status.OK, owner=owner, held=held, **row)

    def resize(self, slot: int, ptr: int, size: int, **row: int) -> int:
        """To `size` bytes at `ptr`; `ptr` 0: refused."""
        owner, held = self.live.pop(slot)
        named = {"owner": owner, "held": held}
        status = Status.OK if ptr else Status.FAILED
        usable = {"usable": max(1, size), **row} if ptr else row
        index = self._add(Op(Kind.RESIZE, size, slot), status=status, ptr=ptr, **named, **usable)
        self.live[index] = (index, size) if ptr else (owner, held)
        return index

    def history(self) -> History:
        trace = make_trace(self.shape, self.ops, self.env, self.profile)
        return make_history(trace, self.rows)


@dataclass(frozen=True)
class World:
    """Where faulty blocks lie, and how large they are."""

    addresses: tuple[int, ...]
    sizes: tuple[int, ...]


def spaced(base: int, grain: int, count: int = 12) -> tuple[int, ...]:
    return tuple(base + grain * place for place in range(count))


REGION = 2**22
WORLDS: Mapping[str, World] = {
    "bytes": World(spaced(0x1000, 1), (0, 1, 2, 5)),
    "words of 4": World(spaced(0x1000, 4), (0, 1, 4, 9)),
    "words of 8": World(spaced(0x1000, 8), (0, 1, 8, 24)),
    "cells": World(spaced(0x1000, 16), (0, 1, 16, 17, 48)),
    "across a region": World(spaced(REGION - 48, 8), (0, 1, 8, 16, 33)),
    "big and small": World(
        (*spaced(REGION - MIB, MIB // 2, 5), *spaced(REGION - 32, 16, 4)), (1, 16, MIB, MIB + 1, 3 * MIB)
    ),
    "big": World(spaced(REGION, MIB, 6), (MIB + 1, 2 * MIB, 5 * MIB)),
    "at the end": World((*spaced(TOP - 40, 8, 5), TOP - 3, TOP - 2, TOP - 1), (0, 1, 2, 8, 16, 24)),
    "past the end": World((TOP - 2 * MIB, TOP - 64, TOP - 1, 8, 16, 64), (1, 64, 100, 2 * MIB, 2**62)),
}


def faulty(rng: random.Random, world: World, length: int, profile: str = "mixed") -> History:
    """A history of an allocator that hands out any address."""
    made = Maker(profile=profile)
    for _ in range(length):
        slots = list(made.live)
        what = rng.random()
        ptr, size = rng.choice(world.addresses), rng.choice(world.sizes)
        damage = {"flags": int(Flag.DAMAGED), "bad_at": 0} if rng.random() < 0.05 else {}
        if what < 0.05:
            made.skip()
        elif what < 0.10:
            made.refuse(rng.choice((size, 2**63)))
        elif what < 0.35 and slots:
            made.free(rng.choice(slots), **damage)
        elif what < 0.40 and slots:
            made.check(rng.choice(slots), **damage)
        elif what < 0.55 and slots:
            made.resize(rng.choice(slots), rng.choice((0, ptr, ptr)), max(1, size))
        else:
            usable = max(1, size) + rng.choice((0, 0, 3, 16)) - (rng.random() < 0.05)
            kind, align = rng.choice(((Kind.ALLOC, 0), (Kind.ZALLOC, 0), (Kind.ALIGNED, 32)))
            made.alloc(ptr, size, kind, align, usable=usable)
    return made.history()


@pytest.mark.parametrize("name", WORLDS)
def test_random__faulty_histories(engine: str, name: str) -> None:
    rng = random.Random(f"{SEED} {name}")
    totals: dict[str, int] = {}
    for _ in range(40):
        history = faulty(rng, WORLDS[name], rng.choice((3, 8, 20, 40)), rng.choice(("mixed", "steady")))
        for found in agree(history):
            totals[found[0]] = totals.get(found[0], 0) + found[3]
    assert totals["blocks_disjoint"] > 20
    assert totals["usable_sizes_disjoint"] >= totals["blocks_disjoint"]
    assert totals["payload_kept"] > 0


@pytest.mark.parametrize("window", [1, 7])
@pytest.mark.parametrize("name", ["bytes", "cells", "big and small", "at the end"])
def test_random__windows_change_nothing(engine: str, name: str, window: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(f"{SEED} windows {name}")
    histories = [faulty(rng, WORLDS[name], 50, "steady") for _ in range(10)]
    whole = [agree(history) for history in histories]
    monkeypatch.setattr(judges, "WINDOW", window)
    assert [agree(history) for history in histories] == whole


def test_feed__in_pieces_is_as_at_once(engine: str) -> None:
    rng = random.Random(f"{SEED} pieces")
    for _ in range(10):
        history = faulty(rng, WORLDS["words of 8"], 60)
        judge = FastJudge(history, laws_of("malloc"))
        for upto in sorted(rng.randrange(61) for _ in range(5)):
            judge.feed(upto)
        pieces = [seen(tally.verdict()) for tally in judge.finish().values()]
        assert pieces == [seen(verdict) for verdict in judge_fast(history, laws_of("malloc"))]


def test_long_gap__of_skipped_operations(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Maker()
    first = made.alloc(0x1000, 64)
    for _ in range(50):
        made.skip()
    second = made.alloc(0x103F, 64)
    made.skip()
    for window in (3, 1000):
        monkeypatch.setattr(judges, "WINDOW", window)
        agree(made.history())
        assert broken_pairs(made.history()) == [(first, second)]


# ------------------------------------------------------------------------------------------ enumerated


def tiny(addresses: Sequence[int], sizes: Sequence[int], length: int) -> Iterator[History]:
    """All histories of `length` operations: an allocation anywhere, or a free or a resize of any live block."""

    def after(made: Maker) -> Iterator[Maker]:
        if len(made.ops) == length:
            yield made
            return
        moves: list[tuple[Any, ...]] = [(Maker.alloc, ptr, size) for ptr, size in itertools.product(addresses, sizes)]
        for slot in made.live:
            moves += [(Maker.free, slot), (Maker.resize, slot, addresses[1], sizes[1])]
        for move, *arguments in moves:
            copy = replace(made, ops=made.ops[:], rows=made.rows[:], live=made.live.copy())
            move(copy, *arguments)
            yield from after(copy)

    for found in after(Maker()):
        yield found.history()


@pytest.mark.parametrize(
    ("addresses", "sizes", "longest"),
    [((0x1000, 0x1008, 0x1010), (8, 17), 4), ((REGION - 8, REGION, REGION + MIB), (0, MIB + 8), 3)],
)
def test_enumerated__tiny_histories(
    engine: str, addresses: tuple[int, ...], sizes: tuple[int, ...], longest: int
) -> None:
    counts: list[int] = []
    for length in range(1, longest + 1):
        histories = list(tiny(addresses, sizes, length))
        for history in histories:
            agree(history, PAIRS[:1])
        counts.append(len(histories))
    assert counts == [6, 48, 444, 4620][:longest]


def test_enumerated__all_pairs_of_ranges(engine: str) -> None:
    """Of two blocks, every position of one against the other, over three cells and at the very end of addresses."""
    for base in (0x1000, TOP - 24):
        for a, b in itertools.product(range(0, 24, 5), range(24)):
            for a_size, b_size in itertools.product((1, 8), (1, 3, 16)):
                made = Maker()
                made.alloc(base + a, a_size)
                made.alloc(base + b, b_size)
                shares = a < b + b_size and b < a + a_size
                assert broken_pairs(made.history()) == ([(0, 1)] if shares else [])


# --------------------------------------------------------------------------------------------- planted


@pytest.mark.parametrize("base", [0x1000, 0x1007, REGION - 100, TOP - 0x200])
@pytest.mark.parametrize("size", [1, 8, 64, 200])
def test_planted__one_byte_shared(engine: str, base: int, size: int) -> None:
    for shift, shares in ((size - 1, True), (size, False)):
        made = Maker()
        made.alloc(base, size)
        made.alloc(base + 2 * size, size)
        made.alloc(base + shift, size)
        agree(made.history(), PAIRS)
        assert ((0, 2) in broken_pairs(made.history())) is shares


@pytest.mark.parametrize(("outer", "inner"), [(4096, 1), (4096, 16), (3 * MIB, 16), (3 * MIB, 2 * MIB)])
@pytest.mark.parametrize("outer_first", [True, False])
def test_planted__one_contains_the_other(engine: str, outer: int, inner: int, outer_first: bool) -> None:
    ranges = [(0x40_0000, outer), (0x40_0000 + outer // 4, inner)]
    made = Maker()
    for ptr, size in ranges if outer_first else ranges[::-1]:
        made.alloc(ptr, size)
    agree(made.history(), PAIRS)
    assert broken_pairs(made.history()) == [(0, 1)]


@pytest.mark.parametrize("size", [1, 3, 8, 16, 100, MIB, MIB + 1, 5 * MIB])
def test_planted__touching_blocks_are_apart(engine: str, size: int) -> None:
    made = Maker()
    for place in (2, 0, 1, 4, 3):
        made.alloc(0x7FF_F000 + place * size, size)
    assert agree(made.history(), PAIRS)[0][1:4] == (Holds, 10, 0)


def test_planted__freed_memory_may_come_back(engine: str) -> None:
    made = Maker()
    for _ in range(5):
        made.free(made.alloc(0x1000, 64))
    kept = made.resize(made.alloc(0x1000, 64), 0x1000, 96)
    made.resize(kept, 0, 2**62)
    made.alloc(0x1060, 8)
    assert agree(made.history())[2][:4] == ("blocks_disjoint", Holds, 1, 0)
    made.alloc(0x105F, 1)  # the refused resize left its block alive
    agree(made.history())
    assert broken_pairs(made.history()) == [(kept, len(made.ops) - 1)]


def test_planted__many_share_one_cell(engine: str) -> None:
    made = Maker()
    slots = [made.alloc(0x1000 + at, 1) for at in range(16)]
    for slot in slots[::2]:
        made.free(slot)
    again = [made.alloc(0x1000 + at, 1) for at in range(0, 16, 2)]
    assert broken_pairs(made.history()) == []
    last = made.alloc(0x1000, 16)
    agree(made.history(), PAIRS)
    assert broken_pairs(made.history()) == sorted((slot, last) for slot in [*slots[1::2], *again])


def test_planted__a_crowd_under_the_wider_law_hides_nothing(engine: str) -> None:
    """All usable sizes overlap: more candidates than are kept. What the narrower law asks is found all the same."""
    made = Maker()
    for place in range(60):
        made.alloc(0x1000 + 16 * place, 8, usable=4096)
    last = made.alloc(0x1000 + 16 * 40 + 7, 1, usable=1)
    assert broken_pairs(made.history()) == [(40, last)]
    both = {verdict.law: verdict for verdict in judge_fast(made.history(), PAIRS)}
    assert seen(both["blocks_disjoint"])[1:4] == (Violated, 61 * 30, 1)
    outcome = both["usable_sizes_disjoint"].outcome
    assert isinstance(outcome, Violated)
    assert shadow.MOST_PAIRS <= outcome.total <= 60 * 59 // 2 + 41


def timed(made: Maker, called: Sequence[int], returned: Sequence[int]) -> History:
    return replace(made.history(), called=called, returned=returned)


def test_times__reuse_at_the_very_moment_of_the_free(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lifetime ends before the moment of the call that frees: whoever is born at that moment may have the memory."""
    use("dominance", monkeypatch)
    made = Maker()
    made.free(made.alloc(0x1000, 64))
    made.alloc(0x1000, 64)
    for moment, together in ((11, 0), (10, 0), (9, 1)):
        history = timed(made, [0, 10, 5], [1, 12, moment])
        found = agree(history, PAIRS)
        assert [each[2:4] for each in found] == [(together, together)] * 2
        assert broken_pairs(history) == [(0, 2)] * together


def test_times__out_of_order_goes_by_the_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """Operations of several threads: births and deaths are as their times say, not as rows stand."""
    use("dominance", monkeypatch)
    rng = random.Random(f"{SEED} times")
    for _ in range(60):
        history = faulty(rng, WORLDS["words of 8"], 24)
        called, returned = [0] * 24, [0] * 24
        for index in range(24):
            owner = history.owner(index)
            earliest = returned[owner] + 1 if owner != NONE else 0
            called[index] = earliest + rng.randrange(12)
            returned[index] = called[index] + 1 + rng.randrange(6)
        agree(replace(history, called=called, returned=returned), PAIRS)


def test_times__the_shadow_is_not_asked() -> None:
    made = Maker()
    made.free(made.alloc(0x1000, 64))
    made.alloc(0x1000, 64)
    assert broken_pairs(timed(made, [0, 2, 4], [1, 3, 5])) == []
    assert broken_pairs(timed(made, [0, 10, 2], [1, 11, 3])) == [(0, 2)]


# --------------------------------------------------------------------------------------------- correct


def correct(rng: random.Random, length: int, profile: str = "mixed") -> History:
    """A history of a first-fit allocator over small memory: blocks move, are resized, and come back."""
    made = Maker(profile=profile)
    taken: dict[int, tuple[int, int]] = {}

    def place(size: int) -> int:
        at = 0x10_0000
        for start, end in sorted(taken.values()):
            if at + size <= start:
                break
            at = max(at, -(-end // 16) * 16)
        return at if at + size <= 0x10_0000 + 64 * 1024 else 0

    for _ in range(length):
        what, slots = rng.random(), list(made.live)
        size = rng.choice((1, 8, 24, 100, 1000, 5000))
        if what < 0.05:
            made.skip()
        elif what < 0.4 and slots:
            slot = rng.choice(slots)
            taken.pop(made.live[slot][0])
            made.free(slot)
        elif what < 0.5 and slots:
            slot = rng.choice(slots)
            owner = made.live[slot][0]
            ptr = place(size)
            index = made.resize(slot, ptr, size)
            if ptr:
                taken.pop(owner)
                taken[index] = ptr, ptr + size
        else:
            ptr = place(size)
            index = made.alloc(ptr, size) if ptr else made.refuse(size)
            if ptr:
                taken[index] = ptr, ptr + size
    return made.history()


LENIENT = [item for item in silent_laws("malloc") if item.name != "failure_changes_nothing"]
"""This allocator's memory is so small that what was freed may be in pieces."""


def test_correct__no_alarm(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(f"{SEED} correct")
    for window in (judges.WINDOW, 7):
        monkeypatch.setattr(judges, "WINDOW", window)
        for profile in ("mixed", "steady"):
            found = {each[0]: each for each in agree(correct(rng, 300, profile), LENIENT)}
            pairs = found["blocks_disjoint"]
            assert pairs[2] > 1000
            broken = {name for name, each in found.items() if each[3]}
            # A steady run that refuses breaks reuse, as both say; the others speak of what nothing here declares.
            assert broken <= {"reuse", "in_bounds", "errno_told", "shrink_succeeds"}


# ------------------------------------------------------------------------------------------------ pools


def test_random__pools(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(f"{SEED} pools")
    env = Env(align_by_size=False, max_align=8, base=0x1000, capacity=8 * 64, block_size=64, num_blocks=8)
    monkeypatch.setattr(judges, "WINDOW", 13)
    totals: dict[str, int] = {}
    for _ in range(40):
        made = Maker("pool", env)
        for _ in range(30):
            off = rng.choice((0, 0, 0, 1)) * rng.choice((-1, 1))
            counters: dict[str, Any] = {"num_free": 8 - len(made.live), "num_allocated": len(made.live) + off}
            if rng.random() < 0.4 and made.live:
                made.free(rng.choice(list(made.live)), **counters)
            elif rng.random() < 0.1:
                made.refuse(64, **counters)
            else:
                ptr = 0x1000 + 64 * rng.randrange(9) + rng.choice((0, 0, 0, 8, 4))
                made.alloc(ptr, 64, **counters)
        for row in made.rows:
            row.update({name: max(0, row[name]) for name in ("num_free", "num_allocated")})
        for found in agree(made.history()):
            totals[found[0]] = totals.get(found[0], 0) + found[3]
    expected = {"pool_conserved", "accounting_exact", "pool_on_grid", "in_bounds", "aligned"}
    assert expected <= {name for name, total in totals.items() if total}


# ------------------------------------------------------------------------------------ runs, and counting


@pytest.mark.parametrize("name", ["bytes", "cells", "big and small", "across a region"])
def test_run__sums_as_the_naive_way(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(f"{SEED} runs {name}")
    for window in (judges.WINDOW, 7):
        monkeypatch.setattr(judges, "WINDOW", window)
        for _ in range(20):
            history = faulty(rng, WORLDS[name], 60, "steady")
            fast = FastJudge(history, [])
            fast.finish()
            assert fast._footprint is not None
            assert fast._footprint.run(True, 0) == run_of(history)


def test_merge__is_the_union_of_ranges() -> None:
    rng = np.random.default_rng(SEED)
    for count in (0, 1, 5, 40):
        first = rng.integers(0, 100, count).astype(np.uint64)
        ranges = np.stack((first, first + rng.integers(1, 9, count).astype(np.uint64)), axis=1)
        merged = judges.merge(ranges)
        pages = {page for a, b in ranges for page in range(int(a), int(b))}
        assert sum(int(b - a) for a, b in merged) == len(pages)
        assert {page for a, b in merged for page in range(int(a), int(b))} == pages


def test_count_less__is_the_count() -> None:
    rng = np.random.default_rng(SEED)
    for n in (1, 2, 3, 7, 8, 9, 31, 32, 33, 100):
        for top in (1, max(1, n // 3), n):
            values = rng.integers(0, top, n)
            prefix, bound = rng.integers(0, n + 1, 50), rng.integers(0, n + 1, 50)
            expected = [int((values[:k] < b).sum()) for k, b in zip(prefix, bound, strict=True)]
            assert count_less(values, prefix, bound).tolist() == expected
