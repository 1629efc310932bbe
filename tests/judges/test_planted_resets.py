"""Bumps, and resets: for each clause of a law about them, a small history, and the very operation that is blamed."""

from dataclasses import replace
from typing import Any

import pytest

from heaplaw import judges
from heaplaw.spec.event import Direction, Status
from heaplaw.spec.shapes import Kind

from .planted import BASE, MIB, Case, Cases, counting, says, scribe
from .scribe import Scribe

FAILED, WRONG = Status.FAILED, Status.WRONG
CASES = Cases()
of = CASES.of


# --------------------------------------------------------------------------------------------- HL501


def three(direction: Direction, *places: tuple[int, int]) -> Scribe:
    """Blocks at these places, of these sizes."""
    made = scribe("bump", direction=direction)
    for ptr, size in places:
        made.ask(ptr, size)
    return made


@of("bump_monotonic")
def bump_either_way() -> Case:
    places = ((0x1100, 64), (0x1140, 64), (0x10C0, 64), (0x1100, 8), (0x117F, 1), (0x1180, 1), (0x10BF, 2), (0x10BD, 2))
    return three(Direction.ANY, *places), [3, 4, 6]


@of("bump_monotonic")
def bump_up_only() -> Case:
    return three(Direction.UP, (0x1100, 64), (0x1000, 64), (0x1140, 64), (0x113F, 1), (0x1180, 0)), [1, 3]


@of("bump_monotonic")
def bump_down_only() -> Case:
    return three(Direction.DOWN, (0x1100, 64), (0x1140, 64), (0x10C0, 64), (0x1081, 64), (0x1000, 8)), [1, 3]


@of("bump_monotonic")
def bump_down_from_the_end_of_addresses() -> Case:
    return three(Direction.DOWN, (2**64 - 8, 8), (2**64 - 16, 8)), []


@of("bump_monotonic")
def bump_at_the_end_of_addresses() -> Case:
    places = ((2**64 - 64, 64), (2**64 - 64, 8), (2**64 - 1, 1), (2**64 - 128, 64))
    return three(Direction.ANY, *places), [1]


@of("bump_monotonic")
def bump_anywhere_after_a_reset() -> Case:
    made = three(Direction.UP, (0x1100, 64))
    made.reset()
    made.ask(0x1000, 64)
    return made, [made.ask(0x1020, 64)]


@of("bump_monotonic")
def bump_refused_requests_have_no_place() -> Case:
    made = three(Direction.UP, (0x1100, 64))
    made.ask(0, 64)
    return made, []


# ----------------------------------------------------------------------------- HL502: what undoes everything


@of("reset_frees_all")
def reset_does_not_bring_remaining_back() -> Case:
    made = counting("bump")
    made.ask(BASE, 64, **says(made, 64))
    return made, [made.reset(**says(made, 0, remaining=4088))]


@of("reset_frees_all")
def reset_does_not_bring_total_back() -> Case:
    made = counting("bump", total=16)
    made.ask(BASE, 64, **says(made, 64))
    bad = made.reset(**says(made, 0, total=0))
    made.reset(**says(made, 0))
    return made, [bad]


@of("reset_frees_all")
def reset_of_many_buffers_owes_no_counters() -> Case:
    made = counting("arena")
    made.ask(BASE, 64, **says(made, 64))
    made.reset(**says(made, 64))
    return made, []


@of("reset_frees_all")
def reset_same_requests_at_the_same_addresses() -> Case:
    made = counting("bump")
    for _ in range(2):
        made.reset(**says(made, 0))
        made.ask(BASE, 64, **says(made, 64))
        made.ask(BASE + 64, 8, **says(made, 72))
    made.reset(**says(made, 0))
    return made, [made.ask(BASE + 8, 64, **says(made, 64)), made.ask(BASE + 72, 8, **says(made, 72))]


@of("reset_frees_all")
def reset_no_address_is_owed_of_many_buffers() -> Case:
    made = scribe("arena")
    made.ask(BASE, 64)
    made.reset()
    made.ask(BASE + 512, 64)
    return made, []


@of("reset_frees_all")
def reset_then_refused() -> Case:
    made = scribe("arena")
    made.ask(BASE, 64)
    made.ask(BASE + 64, 8)
    made.reset()
    made.ask(BASE, 64)
    return made, [made.ask(0, 8)]


@of("reset_frees_all")
def reset_then_neither_served_nor_refused() -> Case:
    made = scribe("arena")
    made.ask(BASE, 64)
    made.reset()
    return made, [made.ask(0, 64, status=WRONG)]


@of("reset_frees_all")
def reset_then_death() -> Case:
    made = scribe("arena")
    made.ask(BASE, 64)
    made.reset()
    return made, [made.ask(0, 64, status=Status.DIED)]


@of("reset_frees_all")
def reset_what_was_refused_may_be_refused_again() -> Case:
    made = scribe("arena")
    made.ask(0, 64)
    made.reset()
    made.ask(0, 64)
    return made, []


@of("reset_frees_all")
def reset_the_same_means_kind_size_alignment_and_count() -> Case:
    """Four requests that differ from the first in one thing each; a fifth that does not."""
    first: dict[str, Any] = {"size": 64, "kind": Kind.ALIGNED, "align": 16, "count": 1}
    made = scribe("arena")
    for change in ({"size": 65}, {"kind": Kind.ALLOC}, {"align": 32}, {"count": 2}):
        made.ask(BASE, **first)
        made.reset()
        made.ask(0, **{**first, **change})
        made.ask(BASE, **{**first, **change})
        made.reset()
    made.ask(BASE, **first)
    made.reset()
    return made, [made.ask(0, **first)]


@of("reset_frees_all")
def reset_another_request_forgets_what_followed() -> Case:
    made = scribe("bump")
    for ptr in (BASE, BASE + 64):
        made.ask(ptr, 64)
    made.reset()
    made.ask(BASE, 8)
    made.ask(BASE + 128, 64)  # second, as before, but behind another first: nothing is known
    made.reset()
    made.ask(BASE + 256, 64)  # the first of old: forgotten
    made.reset()
    return made, [made.ask(BASE, 64)]


@of("reset_frees_all")
def reset_another_first_leaves_nothing_behind() -> Case:
    """What followed the old first request is not found again behind the new one, after one more reset."""
    made = scribe("bump")
    for ptr in (BASE, BASE + 64):
        made.ask(ptr, 64)
    made.reset()
    made.ask(BASE, 8)
    made.reset()
    made.ask(BASE, 8)
    made.ask(BASE + 8, 64)
    return made, []


@of("reset_frees_all")
def reset_a_refused_request_forgets_nothing() -> Case:
    made = scribe("bump")
    made.ask(BASE, 64)
    made.reset()
    made.ask(0, 5000)
    made.ask(0, 8)
    return made, [made.ask(BASE + 64, 64)]


@of("reset_frees_all")
def reset_a_look_at_a_block_forgets_nothing() -> Case:
    made = scribe("bump")
    first = made.ask(BASE, 64)
    made.check(first)
    made.ask(BASE + 64, 64)
    made.reset()
    made.check(made.ask(BASE, 64))
    made.skip(Kind.RESET)
    return made, [made.ask(BASE + 65, 64)]


@of("reset_frees_all")
def reset_nobody_knows_the_state_after_nonsense() -> Case:
    made = counting("bump")
    made.ask(BASE, 64, **says(made, 64))
    made.ask(0, 8, status=WRONG, **says(made, 64))
    made.reset(**says(made, 32))  # to what? the instance may be damaged
    made.ask(BASE + 64, 64, **says(made, 64))
    bad = made.reset(**says(made, 0))  # but not to what it was a moment ago
    return made, [bad, made.ask(BASE, 64, **says(made, 64))]


@of("reset_frees_all")
def reset_nonsense_itself_is_not_compared() -> Case:
    made = scribe("bump")
    made.ask(BASE, 64)
    made.reset(status=WRONG)
    made.ask(BASE + 64, 64)
    made.reset()
    made.ask(BASE + 128, 64)
    made.reset()
    return made, [made.ask(0, 64)]


@of("reset_frees_all")
def reset_refused_is_no_reset() -> Case:
    made = counting("bump")
    made.ask(BASE, 64, **says(made, 64))
    made.reset(status=FAILED, **says(made, 64))
    made.ask(BASE + 64, 64, **says(made, 128))
    return made, []


@of("reset_frees_all")
def renew_is_as_good_as_a_reset() -> Case:
    made = scribe("malloc", max_align=16)
    made.ask(BASE, 64)
    made.renew()
    return made, [made.ask(0, 64)]


@of("reset_frees_all")
def renew_brings_counters_back() -> Case:
    made = counting("stack")
    made.ask(BASE, 64, **says(made, 64))
    return made, [made.renew(**says(made, 8))]


@of("reset_frees_all")
def reset_blocks_freed_in_between() -> Case:
    """A free is told by the state in which its block was made: the first of two blocks is not the second."""
    made = scribe("freelist")
    last: list[int] = []
    for freed, ptr in ((1, BASE + 256), (0, 0), (0, BASE + 256), (0, 0)):
        blocks = [made.ask(BASE, 64), made.ask(BASE + 128, 64)]
        made.free(blocks[freed])
        last.append(made.ask(ptr, 8))
        made.reset()
    return made, last[3:]


@of("reset_frees_all")
def reset_resizes_count_too() -> Case:
    made = scribe("freelist")
    made.resize(made.ask(BASE, 64), BASE, 96)
    made.reset()
    return made, [made.resize(made.ask(BASE, 64), 0, 96)]


@of("reset_frees_all")
def reset_of_another_instance() -> Case:
    made = scribe("bump")
    made.envs = (made.envs[0], replace(made.envs[0], base=BASE + MIB))
    made.ask(BASE, 64)
    made.ask(BASE + MIB, 64, instance=1)
    made.reset(instance=1)
    made.ask(BASE + 64, 64)
    bad = made.ask(BASE, 64, instance=1)
    made.ask(BASE + 128, 64)
    return made, [bad]


@pytest.mark.parametrize("window", [None, 1])
@pytest.mark.parametrize("name", CASES.every)
def test_planted__case(engine: str, name: str, window: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judges, "WINDOW", window or judges.WINDOW)
    CASES.confirm(name)
