from dataclasses import replace
from typing import Any

import pytest
from click.testing import CliRunner

from heaplaw.cli import BOUNDED_BY, EXPLORED, explore
from heaplaw.models.explore import explore as look
from heaplaw.models.exploring.reference import REFERENCE, Bounds, stack_model
from heaplaw.refimpl.steps import stack
from heaplaw.spec.event import Event
from heaplaw.spec.history import Op
from heaplaw.spec.shapes import Kind


def said(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(explore, arguments)
    return result.exit_code, result.output


def test_explore__one_block_of_lines_for_each_allocator() -> None:
    code, text = said("pool", "arena", "--num-blocks", "3", "--capacity", "128")
    assert code == 0
    pool, arena = text.split("\n\n")
    assert pool.startswith(
        "pool: pools of 3 blocks of 24 bytes\n  16 states, 31 transitions, at most 6 operations deep"
    )
    assert "reached: the pool fills; a full pool refuses" in pool
    assert "HL404  pool_serves_while_free      holds     exhausted" in pool
    assert "HL504  release_frees_all           holds     exhausted; always back in the very state from before" in arena
    assert "HL502  reset_frees_all             holds     exhausted; all that was live is asked again" in arena
    assert text.endswith("SUMMARY: heaplaw: 0 broken, 0 undecided\n")


def test_explore__all_reference_allocators_have_a_name() -> None:
    assert set(EXPLORED) == {"layouts", *REFERENCE}


def test_explore__layouts_are_asked_for_in_every_way() -> None:
    code, text = said("layouts")
    assert code == 0
    assert "  HL803  layout_extends_like_c       holds     1,830 layouts\n" in text


def test_explore__a_goal_out_of_reach_is_undecided() -> None:
    code, text = said("stack", "--capacity", "40")
    assert code == 3
    assert "never reached: " in text
    assert "a pop at depth three" in text


def leaves_one_word(state: Any, op: Op, ptr: int, memory: Any) -> tuple[Any, Event]:
    """A pop at depth two leaves 8 bytes taken, and says nothing of it."""
    now, event = stack.step(state, op, ptr, memory)
    if op.kind == Kind.POP and now.offset > 0:
        now = replace(now, offset=now.offset + 8)
    return now, event


def test_explore__a_fault_is_shown_as_a_program(monkeypatch: pytest.MonkeyPatch) -> None:
    def faulty(bounds: Bounds) -> Any:
        return stack_model(96, step=leaves_one_word)

    monkeypatch.setitem(REFERENCE, "stack", faulty)
    code, text = said("stack")
    assert code == 1
    assert "lifo_pop" in text
    program = text[text.index(" VIOLATED: ") :]
    assert program.count("malloc(") + program.count("alloc(") >= 3
    assert "pop()" in program


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("stack", "--grid", "8"), "--grid 8: it says nothing about stack"),
        (("pool", "--capacity", "96"), "--capacity 96: it says nothing about pool"),
        (("stack", "--capacity", "33"), "--capacity 33: what is explored is whole words: a multiple of 8"),
    ],
)
def test_explore__refuses_what_would_have_no_effect(arguments: tuple[str, ...], words: str) -> None:
    code, text = said(*arguments)
    assert code == 2
    assert words in text


def test_explore__every_option_belongs_to_what_is_explored() -> None:
    assert set(BOUNDED_BY) == set(EXPLORED)


def test_explore__tells_how_far_it_is() -> None:
    told: list[str] = []
    found = look(stack_model(144), progress=told.append)
    assert found.states > 10_000
    assert told[0].endswith("10,000 of them done")
