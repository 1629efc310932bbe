"""Histories that users record themselves."""

import pytest

import heaplaw
from heaplaw.recording import Recording, RecordingError
from heaplaw.spec.event import Status
from heaplaw.spec.history import Op, make_history, make_trace
from heaplaw.spec.shapes import Kind
from heaplaw.spec.verdict import Holds, NotApplicable, Unknown, Violated


def overlapping() -> Recording:
    record = Recording("malloc")
    p = record.alloc(64, 0x1000)
    record.alloc(64, 0x1020)
    record.free(p)
    return record


def test_a_broken_law_is_told_with_steps_and_picture() -> None:
    judgement = heaplaw.judge(overlapping())
    assert not judgement
    assert [verdict.law for verdict in judgement.broken] == ["blocks_disjoint"]
    text = str(judgement)
    assert "p2 = malloc(64)  -> [+0x20, +0x60)   shares 32 bytes with p1" in text
    assert "XXXX" in text
    assert max(map(len, text.splitlines())) <= 80
    with pytest.raises(AssertionError, match="32 bytes shared"):
        judgement.require()


def test_a_good_history_holds() -> None:
    record = Recording("malloc")
    p = record.alloc(64, 0x1000)
    record.free(record.realloc(p, 100, 0x2000))
    judgement = heaplaw.judge(record)
    assert judgement
    judgement.require()
    assert isinstance(judgement["HL103"].outcome, Unknown)  # no two blocks were live together


def test_what_was_not_looked_at_is_not_judged() -> None:
    plain, looked = Recording("malloc"), Recording("malloc")
    plain.free(plain.alloc(64, 0x1000))
    looked.free(looked.alloc(64, 0x1000), wrong_at=-1)
    assert isinstance(heaplaw.judge(plain)["payload_kept"].outcome, NotApplicable)
    assert isinstance(heaplaw.judge(looked)["payload_kept"].outcome, Holds)
    assert isinstance(heaplaw.judge(plain)["buffer_respected"].outcome, NotApplicable)


@pytest.mark.parametrize(
    ("law", "steps"),
    [
        ("payload_kept", lambda r: r.free(r.alloc(64, 0x1000), wrong_at=63)),
        ("payload_kept", lambda r: r.check(r.alloc(64, 0x1000), wrong_at=0)),
        ("zeroed", lambda r: r.zeroed(4, 16, 0x1000, wrong_at=5)),
        ("realloc_keeps_prefix", lambda r: r.realloc(r.alloc(64, 0x1000), 96, 0x2000, wrong_at=1)),
        ("realloc_failure_keeps_block", lambda r: r.realloc(r.alloc(64, 0x1000), 96, None, wrong_at=1)),
        ("sized", lambda r: r.alloc(64, 0x1000, wrong_at=60)),
        ("aligned", lambda r: r.aligned(256, 256, 0x1010)),
        ("aligned", lambda r: r.posix_memalign(64, 8, 0x1010)),
        ("usable_size_covers_request", lambda r: r.alloc(64, 0x1000, usable_size=32)),
    ],
)
def test_laws_see_what_was_recorded(law: str, steps: object) -> None:
    record = Recording("malloc")
    assert callable(steps)
    steps(record)
    assert isinstance(heaplaw.judge(record)[law].outcome, Violated)


def test_counters_and_order_of_a_pool() -> None:
    record = Recording("pool", block_size=64, num_blocks=4, base=0x1000, promises={"reuse": "lifo"})
    a = record.alloc(ptr=0x1000, num_free_blocks=3, num_allocated=1)
    record.free(a, num_free_blocks=4, num_allocated=0)
    record.alloc(ptr=0x1040, num_free_blocks=3, num_allocated=2)
    broken = {verdict.law for verdict in heaplaw.judge(record).broken}
    assert broken == {"reuse_order", "accounting_exact", "pool_conserved"}


def test_stacks_and_marks() -> None:
    stack = Recording("stack", base=0x1000, capacity=256)
    stack.alloc(16, 0x1000, remaining=240)
    stack.alloc(16, 0x1010, remaining=224)
    stack.pop(remaining=240)
    stack.alloc(16, 0x1020, remaining=208)
    assert "lifo_pop" in {verdict.law for verdict in heaplaw.judge(stack).broken}
    arena = Recording("arena")
    arena.alloc(16, 0x1000)
    mark = arena.mark()
    arena.alloc(16, 0x1010)
    arena.release(mark)
    with pytest.raises(RecordingError, match=r"free is no operation of a arena|no live block"):
        arena.free(0x1010)
    arena.reset()
    assert len(arena) == 5


def test_short_and_long_histories_get_the_same_verdicts() -> None:
    record = overlapping()
    for at in range(1200):
        record.free(record.alloc(32, 0x10000 + 64 * at))
    long = heaplaw.judge(record)
    short = heaplaw.judge(overlapping())
    assert {v.law for v in long.broken} == {v.law for v in short.broken} == {"blocks_disjoint"}


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        (lambda: Recording("poool"), "'poool' is no shape; there are malloc"),
        (lambda: Recording(promises={"reus": 1}), "did you mean `reuse`"),
        (lambda: Recording("malloc").free(0x10), "operation 1, free.0x10.: no live block lies there"),
        (lambda: Recording("malloc").pop(), "pop is no operation of a malloc"),
        (lambda: Recording("malloc").alloc(1, 16, usable=1), "did you mean `usable_size`"),
        (lambda: Recording("arena").release(0), "mark.. gave no such handle"),
    ],
)
def test_mistakes_are_told(steps: object, said: str) -> None:
    assert callable(steps)
    with pytest.raises(ValueError, match=said):
        steps()


def test_nothing_recorded_is_no_pass() -> None:
    judgement = heaplaw.judge(Recording("malloc"))
    assert not judgement
    judgement.require()


def test_a_history_made_by_hand_is_judged_too() -> None:
    trace = make_trace("malloc", [Op(Kind.ALLOC, 64), Op(Kind.ALLOC, 64)])
    rows = [{"status": Status.OK, "ptr": 0x1000}, {"status": Status.OK, "ptr": 0x1000}]
    judgement = heaplaw.judge(make_history(trace, rows), ["HL103"])
    assert [verdict.law for verdict in judgement.verdicts] == ["blocks_disjoint"]
    assert not judgement


def test_counters_begin_at_the_capacity_or_where_it_is_said() -> None:
    for record in (
        Recording("bump", capacity=100, base=0x1000),
        Recording("bump", remaining=100),
    ):
        record.alloc(64, 0x1000, remaining=36)
        record.reset(remaining=100)
        assert not heaplaw.judge(record).broken
    unknown = Recording("bump")
    unknown.alloc(64, 0x1000, remaining=36)
    assert "nobody said what remaining was at first" in str(heaplaw.judge(unknown)["HL412"].outcome)
    assert not heaplaw.judge(unknown).broken


def test_what_is_told_now_and_then_is_not_judged() -> None:
    malloc = Recording("malloc", promises={"errno": True})
    malloc.alloc(64, 0x1000, usable_size=64)
    malloc.alloc(64, 0x2000)
    malloc.alloc(2**40, 0)
    malloc.alloc(2**41, 0, err=12)
    assert not heaplaw.judge(malloc).broken
    assert "told of some blocks only" in str(heaplaw.judge(malloc)["HL104"].outcome)
    assert isinstance(heaplaw.judge(malloc)["HL308"].outcome, NotApplicable)
    pool = Recording("pool", block_size=64, num_blocks=2)
    a = pool.alloc(0x1000, num_free_blocks=1)
    pool.free(a)
    assert not heaplaw.judge(pool).broken
    assert "after some operations only" in str(heaplaw.judge(pool)["HL405"].outcome)


def test_counters_stay_as_they_were_while_an_owner_reads() -> None:
    pool = Recording("pool", block_size=64, num_blocks=2)
    a = pool.alloc(0x1000, num_free_blocks=1, num_allocated=1)
    pool.check(a)
    pool.free(a, num_free_blocks=2, num_allocated=0)
    judgement = heaplaw.judge(pool)
    assert not judgement.broken
    assert isinstance(judgement["HL401"].outcome, Holds)


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        (lambda: Recording("pool"), "block_size .bytes. and num_blocks"),
        (lambda: Recording("malloc").alloc(64), "what came, 0 for a refusal"),
        (lambda: Recording("malloc").alloc(-1, 0x1000), "sizes and addresses are from 0"),
        (lambda: Recording("malloc").alloc(16, 0x1000, wrong_at=99), "wrong_at 99: the block has 16 bytes"),
        (lambda: heaplaw.judge(overlapping())["HL999"], "there is no law HL999"),
        (lambda: heaplaw.judge(5), "int: a heaplaw.Recording is judged"),  # type: ignore[arg-type]
    ],
)
def test_nonsense_is_refused(steps: object, said: str) -> None:
    assert callable(steps)
    with pytest.raises((ValueError, KeyError, TypeError), match=said):
        steps()
