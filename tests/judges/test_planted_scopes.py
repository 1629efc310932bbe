"""Pops, releases, instances made again: for each clause of a law, a small history, and the operation that is blamed."""

from typing import Any

import pytest

from heaplaw import judges
from heaplaw.spec.event import Flag, Status
from heaplaw.spec.shapes import Kind

from .agreement import agree, blamed
from .planted import BASE, Case, Cases, counting, says, scribe

FAILED, WRONG = Status.FAILED, Status.WRONG
CASES = Cases()
of = CASES.of


# ------------------------------------------------------------------------------------------- HL503: pops


@of("lifo_pop")
def pop_does_not_bring_counters_back() -> Case:
    made = counting("stack")
    for depth in (1, 2, 3):
        made.ask(BASE + 80 * depth, 64, **says(made, 80 * depth))
    made.pop(**says(made, 160))
    bad = made.pop(**says(made, 88))
    made.pop(**says(made, 0))
    return made, [bad]


@of("lifo_pop")
def pop_total_alone() -> Case:
    made = counting("stack")
    made.ask(BASE, 64, **says(made, 80))
    return made, [made.pop(**says(made, 0, total=80))]


@of("lifo_pop")
def pop_then_the_same_elsewhere_or_not_at_all() -> Case:
    made = scribe("stack")
    for depth in (0, 1, 2):
        made.ask(BASE + 64 * depth, 64)
    made.pop()
    made.pop()
    bad = [made.ask(BASE + 128, 64), made.ask(0, 64)]
    made.ask(BASE + 128, 64)
    return made, bad


@of("lifo_pop")
def pop_of_an_empty_stack_changes_nothing() -> Case:
    made = counting("stack")
    made.pop(**says(made, 0))
    bad = made.pop(**says(made, 0, total=16))
    made.ask(BASE, 64, **says(made, 80))
    made.pop(**says(made, 0))
    made.pop(**says(made, 0))
    return made, [bad, made.ask(BASE + 16, 64, **says(made, 80))]


@of("lifo_pop")
def pop_of_what_was_made_before_nonsense() -> Case:
    made = counting("stack")
    made.ask(BASE, 64, **says(made, 80))
    made.ask(0, 8, status=WRONG, **says(made, 80))
    made.ask(BASE + 80, 64, **says(made, 160))
    made.pop(**says(made, 80))
    made.pop(**says(made, 8))  # the first block: nobody knows what was there before it
    made.ask(BASE + 16, 64, **says(made, 88))
    return made, [made.pop(**says(made, 0))]


@of("lifo_pop")
def pop_of_what_was_made_after_nonsense() -> Case:
    made = counting("stack")
    made.pop(status=WRONG, **says(made, 8))
    made.ask(BASE, 64, **says(made, 88))
    bad = made.pop(**says(made, 0))
    return made, [bad, made.ask(BASE + 8, 64, **says(made, 88))]


@of("lifo_pop")
def pop_refused_is_no_pop() -> Case:
    made = counting("stack")
    made.ask(BASE, 64, **says(made, 64))
    made.pop(status=FAILED, **says(made, 64))
    made.ask(BASE + 64, 64, **says(made, 128))
    return made, []


def popped_and_reset() -> Case:
    """The state that came back came back by the reset."""
    made = scribe("stack")
    made.ask(BASE, 64)
    made.pop()
    made.reset()
    return made, [made.ask(BASE + 8, 64)]


@of("reset_frees_all")
def reset_is_blamed_for_what_it_did() -> Case:
    return popped_and_reset()


@of("lifo_pop")
def pop_is_not_blamed_for_what_a_reset_did() -> Case:
    return popped_and_reset()[0], []


@of("reset_frees_all")
def reset_behind_a_pop_to_nobody_knows_where() -> Case:
    made = counting("stack")
    made.ask(BASE, 64, **says(made, 80))
    made.ask(0, 8, status=WRONG, **says(made, 80))
    made.pop(**says(made, 8))
    made.reset(**says(made, 0))
    return made, [made.reset(**says(made, 8))]


@of("lifo_pop")
def pop_of_a_block_behind_a_reset() -> Case:
    made = scribe("stack")
    for _ in range(2):
        made.ask(BASE, 64)
        made.reset()
    made.ask(BASE, 64)
    made.pop()
    return made, [made.ask(BASE + 8, 64)]


# -------------------------------------------------------------------------------------- HL504: releases


@of("release_frees_all")
def release_then_refused() -> Case:
    made = scribe("arena")
    for _ in range(2):
        mark = made.mark()
        made.ask(BASE, 64)
        made.ask(BASE + 64, 8)
        made.release(mark)
    made.mark()
    bad = made.ask(0, 64)
    made.ask(BASE + 256, 64)  # anywhere: there is no one buffer
    return made, [bad, made.ask(0, 8)]


@of("release_frees_all")
def release_then_no_mark() -> Case:
    made = scribe("arena")
    made.release(made.mark())
    return made, [made.mark(status=FAILED)]


@of("release_frees_all")
def release_of_an_inner_mark() -> Case:
    made = scribe("arena")
    made.mark()
    made.ask(BASE, 64)
    inner = made.mark()
    made.ask(BASE + 64, 8)
    made.release(inner)
    made.mark()
    return made, [made.ask(0, 8)]


@of("release_frees_all")
def release_of_an_outer_mark() -> Case:
    """It leads to before the outer one: neither the inner mark nor what came behind it is next."""
    made = scribe("arena")
    outer = made.mark()
    made.ask(BASE, 64)
    made.mark()
    made.ask(BASE + 64, 8)
    made.release(outer)
    made.ask(0, 8)
    made.mark()
    made.ask(0, 8)
    return made, [made.ask(0, 64)]


@of("release_frees_all")
def release_of_what_was_marked_before_nonsense() -> Case:
    made = scribe("arena")
    mark = made.mark()
    made.ask(BASE, 64)
    made.ask(0, 8, status=WRONG)
    made.release(mark)
    made.mark()
    made.ask(0, 64)
    return made, []


@of("release_frees_all")
def release_counters_where_there_is_one_buffer() -> Case:
    made = counting("arena", one_buffer=True)
    made.ask(BASE, 64, **says(made, 64))
    mark = made.mark(**says(made, 64))
    made.ask(BASE + 64, 64, **says(made, 128))
    bad = made.release(mark, **says(made, 72))
    mark = made.mark(ptr=77, **says(made, 64))  # a mark is no block: any word will do
    bad_place = made.ask(BASE + 72, 64, **says(made, 128))
    made.release(mark, **says(made, 64))
    return made, [bad, bad_place]


@of("blocks_disjoint")
def release_ends_blocks_since_the_mark_alone() -> Case:
    made = scribe("arena")
    made.ask(BASE, 64)
    mark = made.mark()
    made.ask(BASE + 64, 64)
    made.release(mark)
    made.ask(BASE + 64, 64)
    return made, []


# ---------------------------------------------------------------- HL505, HL306, HL201, HL107, HL309


@of("made_again")
def renew_refused() -> Case:
    made = scribe("bump")
    made.renew()
    return made, [made.renew(status=FAILED)]


@of("failure_changes_nothing")
def renew_refused_has_no_counters() -> Case:
    made = counting("bump")
    made.ask(BASE, 64, **says(made, 64))
    made.renew(status=FAILED)
    return made, []


@of("free_is_served")
def giving_back_refused() -> Case:
    stack, arena = scribe("stack"), scribe("arena")
    stack.ask(BASE, 8)
    bad = [stack.pop(status=FAILED), stack.reset(status=FAILED)]
    assert arena.release(arena.mark(), status=FAILED)
    arena.mark(status=FAILED)
    assert blamed(agree(arena.history()))["free_is_served"] == {(1,)}
    return stack, bad


@of("free_is_served")
def free_refused() -> Case:
    made = scribe("freelist")
    return made, [made.free(made.ask(BASE, 8), status=FAILED)]


@of("payload_kept")
def payload_lost_before_the_end() -> Case:
    made = scribe("arena")
    row = {"flags": int(Flag.DAMAGED), "bad_at": 7, "ptr": BASE, "held": 8}
    bad: list[int] = []
    for end in (made.reset, made.renew):
        made.ask(BASE, 8)
        bad.append(end(**row))
    mark = made.mark()
    made.ask(BASE, 8)
    return made, [*bad, made.release(mark, **row)]


@of("payload_kept")
def payload_lost_before_a_pop() -> Case:
    made = scribe("stack")
    made.ask(BASE, 8)
    made.ask(BASE + 8, 8)
    bad = made.pop(flags=Flag.DAMAGED, bad_at=0)
    made.pop(flags=Flag.DAMAGED, bad_at=8)  # beyond its size
    return made, [bad]


@of("buffer_respected")
def bytes_beside_the_buffer() -> Case:
    made = scribe("stack")
    row: dict[str, Any] = {"flags": int(Flag.OUTSIDE), "bad_at": 3}
    bad = [made.ask(BASE, 8, **row), made.check(0, **row), made.ask(0, 5000, **row)]
    bad += [made.pop(**row), made.reset(**row), made.renew(**row)]
    made.pop()
    return made, bad


@of("invariant_holds")
def own_check_fails() -> Case:
    made = scribe("arena")
    made.ask(BASE, 8, sound=1)
    bad = [made.ask(BASE + 8, 8, sound=2), made.mark(sound=2)]
    made.skip(Kind.RESET)
    made.ask(0, 5000)  # not asked
    made.ask(0, 5000, sound=1)
    return made, [*bad, made.reset(sound=2)]


@pytest.mark.parametrize("window", [None, 1])
@pytest.mark.parametrize("name", CASES.every)
def test_planted__case(engine: str, name: str, window: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judges, "WINDOW", window or judges.WINDOW)
    CASES.confirm(name)


def test_planted__what_dies_together_is_one_instances(engine: str) -> None:
    """Blocks of two instances overlap; a reset of one of them ends its own, also those behind a pop and a mark."""
    made = scribe("arena")
    made.envs = (made.envs[0], made.envs[0])
    mine = [made.ask(BASE + 16 * k, 16) for k in range(4)]
    made.ask(BASE + 512, 16, instance=1)
    made.mark(1)
    theirs = made.ask(BASE + 8, 16, instance=1)
    made.reset(0)
    again = made.ask(BASE, 16)
    found = blamed(agree(made.history()))["blocks_disjoint"]
    assert found == {(mine[0], theirs), (mine[1], theirs), (theirs, again)}
