"""Steps that mean to deceive: each is right but where it looks at something that no unknown number can answer for, or
does what no claim used to speak of. None of them comes out as all proved.
"""

import operator
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest

from heaplaw.proofs.own import NotProvable, about, obligations
from heaplaw.proofs.prove import Refuted, Result, prove
from heaplaw.refimpl.memory import zero
from heaplaw.spec.event import Direction, Env, Event, Padding, Status
from heaplaw.spec.history import Op, plain_env
from heaplaw.spec.layout import align_up
from heaplaw.spec.shapes import Kind
from heaplaw.spec.verdict import Error, Proved


@dataclass(frozen=True)
class State:
    """A bump's; `calls` counts up to 1."""

    buffer: Any
    capacity: Any
    used: Any
    calls: Any = 0
    full: Any = False


@dataclass(frozen=True)
class Full(State):
    """Another type of the same fields."""


@dataclass
class Loose:
    """A state that can be changed."""

    buffer: Any
    capacity: Any
    used: Any
    calls: Any
    full: Any


class Tagged(int):
    """A number that is more than that."""


class Sure(Event):
    """An event that is always a refusal for laws."""

    @property
    def makes(self) -> bool:
        """Never."""
        return False


def served(state: State, op: Op, align: Any = 8) -> tuple[State, Event]:
    """What a right bump does."""
    if op.kind == Kind.RESET:
        return replace(state, used=0), Event(op.kind, 0)
    if op.kind not in (Kind.ALLOC, Kind.ALIGNED):
        raise ValueError(op.kind.name)
    top = state.buffer + state.used
    padding = align_up(top, op.align if op.kind == Kind.ALIGNED else align) - top
    left = state.capacity - state.used
    if padding > left or op.size > left - padding:
        return state, Event(op.kind, op.size, op.align, status=Status.FAILED)
    return replace(state, used=state.used + padding + op.size), Event(op.kind, op.size, op.align, ptr=top + padding)


def bad(state: State, op: Op) -> tuple[State, Event]:
    """The buffer's first byte, whoever has it."""
    return state, Event(op.kind, op.size, op.align, ptr=state.buffer)


Step = Callable[[State, Op, Any, Any], tuple[Any, Event]]


def right(state: State, op: Op, ptr: Any, memory: Any) -> tuple[State, Event]:
    """A right step."""
    return served(state, op)


def bump(step: Step = right, init: Any = None, invariant: Any = None) -> SimpleNamespace:
    """A bump with this step."""
    return SimpleNamespace(
        init=init or (lambda buffer, capacity, memory: State(buffer, capacity, 0)),
        step=step,
        invariant=invariant or (lambda state: state.used <= state.capacity),
        owns=lambda state, block: (block.ptr >= state.buffer) & (block.ptr + block.extent <= state.buffer + state.used),
    )


def results(thing: Any, step: str = "alloc") -> list[Result]:
    """What comes of one step of it, as a bump."""
    return prove(each for each in obligations(thing, "bump") if each.step == step)


def fallen(thing: Any, kind: type, step: str = "alloc") -> set[str]:
    """Obligations with such an answer."""
    return {each.obligation.name for each in results(thing, step) if isinstance(each.answer, kind)}


def why(thing: Any, step: str = "alloc") -> str:
    """What the first error says."""
    return next(each.answer.why for each in results(thing, step) if isinstance(each.answer, Error))


def test_right__is_proved() -> None:
    assert {type(each.answer) for each in prove(obligations(bump(), "bump"))} == {Proved}


# ------------------------------------------------------------------------------------------ what is claimed besides


def test_construction__writes_in_the_buffer_only() -> None:
    def beyond(buffer: Any, capacity: Any, memory: Any) -> State:
        zero(memory, buffer, capacity + 4096)
        return State(buffer, capacity, 0)

    def within(buffer: Any, capacity: Any, memory: Any) -> State:
        zero(memory, buffer, capacity)
        return State(buffer, capacity, 0)

    assert fallen(bump(init=beyond), Refuted, "init") == {"bump.init.buffer_respected", "bump.init.accesses"}
    assert {type(each.answer) for each in results(bump(init=within), "init")} == {Proved}


def test_refusal__leaves_every_field() -> None:
    def eats(state: State, op: Op, ptr: Any, memory: Any) -> tuple[State, Event]:
        after, event = served(state, op)
        return (replace(after, used=after.capacity) if event.status == Status.FAILED else after), event

    assert "bump.alloc.refusal_changes_nothing" in fallen(bump(eats), Refuted)


@pytest.mark.parametrize("change", [{"kind": Kind.FREE}, {"size": 7}, {"align": 64}, {"count": 3}])
def test_event__tells_what_was_asked(change: dict[str, Any]) -> None:
    def lies(state: State, op: Op, ptr: Any, memory: Any) -> tuple[State, Event]:
        after, event = served(state, op)
        return after, replace(event, **change)

    assert "bump.alloc.event" in fallen(bump(lies), Refuted)


# ---------------------------------------------------------------------------------------------- states and events


def turned(state: State, op: Op, ptr: Any, memory: Any) -> tuple[State, Event]:
    """Another type of state once it is full."""
    after, event = served(state, op)
    if event.status == Status.FAILED:
        return Full(after.buffer, after.capacity, after.used), event
    return after, event


def loosened(state: State, op: Op, ptr: Any, memory: Any) -> tuple[Any, Event]:
    """An unrelated, mutable class once it is full."""
    after, event = served(state, op)
    if event.status == Status.FAILED:
        return Loose(after.buffer, after.capacity, after.used, 0, False), event
    return after, event


def tagged(state: State, op: Op, ptr: Any, memory: Any) -> tuple[State, Event]:
    """A number that is more than that once it is full."""
    after, event = served(state, op)
    return (replace(after, calls=Tagged(1)) if event.status == Status.FAILED else after), event


def swapped(state: State, op: Op, ptr: Any, memory: Any) -> tuple[State, Event]:
    """A truth value that is a number once it is full."""
    after, event = served(state, op)
    return (replace(after, full=0) if event.status == Status.FAILED else after), event


def sure(state: State, op: Op, ptr: Any, memory: Any) -> tuple[State, Event]:
    """An event that answers for itself once it is full."""
    after, event = served(state, op)
    if event.status == Status.FAILED:
        return after, Sure(op.kind, op.size, op.align, ptr=state.buffer)
    return after, event


def hidden() -> Step:
    """More than the fields, set in a way that no text shows."""
    tell = object.__setattr__

    def step(state: State, op: Op, ptr: Any, memory: Any) -> tuple[State, Event]:
        after, event = served(state, op)
        if event.status == Status.FAILED:
            after = replace(after)
            tell(after, "n", 1)
        return after, event

    return step


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (turned, "a state is a Full: let every state be a State"),
        (loosened, "a state is a Loose"),
        (tagged, "State.calls is of type Tagged"),
        (swapped, "State.full is of type int: let it be a truth value"),
        (sure, "a step tells a Sure"),
        (hidden(), "a State has the attribute n beside its fields"),
    ],
    ids=["subclass", "another class", "a number", "a truth value", "an event", "an attribute"],
)
def test_state__is_its_fields(step: Step, words: str) -> None:
    assert words in why(bump(step))


# ------------------------------------------------------------------------------------------------------- promises


ENV = replace(plain_env("bump"), direction=Direction.UP, padding=Padding.COUNTED)


def promising(of: Callable[[State, Op, Event], Env]) -> Step:
    """A right step that promises as told."""

    def step(state: State, op: Op, ptr: Any, memory: Any) -> tuple[State, Event]:
        after, event = served(state, op)
        return after, replace(event, env=of(state, op, event))

    return step


def by_size(state: State, op: Op, event: Event) -> Env:
    """Less for one size."""
    return replace(ENV, max_align=1) if op.size == 25 else ENV


def by_number(state: State, op: Op, event: Event) -> Env:
    """As large as the request."""
    return replace(ENV, max_align=8 + op.size - op.size if op.kind == Kind.ALLOC else 8)


def when_full(state: State, op: Op, event: Event) -> Env:
    """None for refusals."""
    return plain_env("bump") if event.status == Status.FAILED else ENV


def test_promises__are_the_same_at_every_step() -> None:
    assert {type(each.answer) for each in results(bump(promising(lambda state, op, event: ENV)))} == {Proved}
    assert "Event.env.max_align is 1, and was 8" in why(bump(promising(by_size)))
    assert "Event.env.max_align depends on unknown numbers" in why(bump(promising(by_number)))
    assert "Event.env.direction" in why(bump(promising(when_full)))


def test_promises__are_those_of_every_operation() -> None:
    def by_kind(state: State, op: Op, event: Event) -> Env:
        return ENV if op.kind == Kind.ALLOC else replace(ENV, max_align=1)

    with pytest.raises(NotProvable, match=r"ALIGNED: Event\.env\.max_align is 1, and was 8"):
        obligations(bump(promising(by_kind)), "bump")


# ----------------------------------------------------------------------------------------------------- operations


def test_operation__that_is_there_for_some_requests_is_there() -> None:
    def coarse(state: State, op: Op, ptr: Any, memory: Any) -> tuple[State, Event]:
        if op.kind == Kind.ALIGNED and op.align < 16:
            raise ValueError("too fine")
        return served(state, op)

    assert "ValueError: too fine" in why(bump(coarse), "aligned")


def test_about__tells_what_is_asked_and_what_is_not() -> None:
    said = "\n".join(about(bump(promising(lambda state, op, event: ENV)), "bump"))
    assert "operations: alloc, aligned, reset; not there: zalloc" in said
    assert "not asked: remaining_is_rest, fits_is_served (no `remaining`)" in said
    assert "total_is_live_bytes (no `total_allocated`)" in said
    assert "zeroed (no zalloc)" in said
    assert "promises: blocks aligned to 8, grows upwards" in said
    assert all("\n" not in line for line in about(bump(), "bump"))


# --------------------------------------------------------------------------------------- the text of the functions


CALLS = [0]
TICKS = count()


def by_identity(state: State, op: Op, ptr: Any, memory: Any) -> tuple[State, Event]:
    """`is` on numbers."""
    return bad(state, op) if state.used is state.capacity else served(state, op)


def by_operator(state: State, op: Op, ptr: Any, memory: Any) -> tuple[State, Event]:
    """The same by another name."""
    return bad(state, op) if operator.is_(state.used, state.capacity) else served(state, op)


def by_type(state: State, op: Op, ptr: Any, memory: Any) -> tuple[State, Event]:
    """`isinstance`."""
    return bad(state, op) if isinstance(state.used, int) else served(state, op)


def by_class(state: State, op: Op, ptr: Any, memory: Any) -> tuple[State, Event]:
    """`__class__`."""
    return bad(state, op) if op.size.__class__.__name__ == "int" else served(state, op)


def by_pattern(state: State, op: Op, ptr: Any, memory: Any) -> tuple[State, Event]:
    """`match` on a singleton."""
    match state.full:
        case True:
            return bad(state, op)
        case _:
            return served(state, op)


def by_text(state: State, op: Op, ptr: Any, memory: Any) -> tuple[State, Event]:
    """The text of a number."""
    return bad(state, op) if str(op.size) == "24" else served(state, op)


def by_attribute(state: State, op: Op, ptr: Any, memory: Any) -> tuple[State, Event]:
    """What integers have."""
    return bad(state, op) if hasattr(op.size, "bit_length") else served(state, op)


def by_failing(state: State, op: Op, ptr: Any, memory: Any) -> tuple[State, Event]:
    """What fails on unknown numbers."""
    try:
        return bad(state, op) if op.size.bit_length() > 4 else served(state, op)
    except AttributeError:
        return served(state, op)


def by_calls(state: State, op: Op, ptr: Any, memory: Any) -> tuple[State, Event]:
    """How often it was asked."""
    CALLS[0] += 1
    return bad(state, op) if CALLS[0] == 10**6 else served(state, op)


class Counting:
    """It counts as well."""

    def __init__(self) -> None:
        self.seen: list[int] = []

    def step(self, state: State, op: Op, ptr: Any, memory: Any) -> tuple[State, Event]:
        """Likewise."""
        self.seen.append(0)
        return bad(state, op) if len(self.seen) == 10**6 else served(state, op)


def often(seen: list[int] = []) -> bool:  # noqa: B006 - that is the fault
    """Asked for the millionth time."""
    seen.append(0)
    return len(seen) == 10**6


def by_default(state: State, op: Op, ptr: Any, memory: Any) -> tuple[State, Event]:
    """A list that lives on."""
    return bad(state, op) if often() else served(state, op)


def erasing(state: State, op: Op, ptr: Any, memory: Any) -> tuple[State, Event]:
    """Traces are swept away."""
    memory.write(0, 0)
    memory.accesses.clear()
    return served(state, op)


def by_ticks(state: State, op: Op, ptr: Any, memory: Any) -> tuple[State, Event]:
    """The same."""
    return bad(state, op) if next(TICKS) == 10**6 else served(state, op)


def by_chance(state: State, op: Op, ptr: Any, memory: Any) -> tuple[State, Event]:
    """A die."""
    return bad(state, op) if random.random() > 2 else served(state, op)


def by_another(state: State, op: Op, ptr: Any, memory: Any) -> tuple[State, Event]:
    """What is called looks."""
    return by_identity(state, op, ptr, memory)


def remembering(state: State, op: Op, ptr: Any, memory: Any) -> tuple[State, Event]:
    """The memory remembers."""
    memory.calls = 1
    return served(state, op)


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (by_identity, "by_identity has `is` on values, which no proof can follow: compare with =="),
        (by_operator, "`.is_`"),
        (by_type, "`isinstance`"),
        (by_class, "`.__class__`"),
        (by_pattern, "`case True`"),
        (by_text, "`str`"),
        (by_attribute, "`hasattr`"),
        (by_failing, "`try`"),
        (by_calls, "a change of `CALLS`"),
        (Counting().step, "a change of `self.seen`"),
        (by_default, "a default that can change"),
        (erasing, "a change of `memory.accesses`"),
        (by_ticks, "`TICKS`"),
        (by_chance, "`random`"),
        (by_another, "by_identity has `is` on values"),
        (remembering, "`.calls = `"),
    ],
)
def test_text__that_looks_behind_numbers_is_refused(step: Step, words: str) -> None:
    with pytest.raises(NotProvable) as caught:
        obligations(bump(step), "bump")
    assert words in str(caught.value)
    assert f"{__name__.rpartition('.')[2]}.py:" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_memory__is_read_written_and_made_zero_only() -> None:
    def assuming(state: State, op: Op, ptr: Any, memory: Any) -> tuple[State, Event]:
        if op.size == 4095:
            memory.assume(False, "nothing")
            return bad(state, op)
        return served(state, op)

    assert "no attribute 'assume'" in why(bump(assuming))


def test_text__of_every_function_is_read() -> None:
    def invariant(state: State) -> bool:
        return state.used is not state.capacity

    with pytest.raises(NotProvable, match="invariant has `is not` on values"):
        obligations(bump(invariant=invariant), "bump")


@dataclass(frozen=True)
class Looking(State):
    """A state that looks."""

    @property
    def remaining(self) -> Any:
        """Behind its numbers."""
        return self.capacity - self.used if isinstance(self.used, int) else 0


def test_text__of_the_state_is_read() -> None:
    thing = bump(init=lambda buffer, capacity, memory: Looking(buffer, capacity, 0))
    with pytest.raises(NotProvable, match="remaining has `isinstance`"):
        obligations(thing, "bump")


@dataclass(frozen=True, slots=True)
class Slots:
    """A state without a dictionary, whose text is for people."""

    buffer: Any
    capacity: Any
    used: Any

    def __repr__(self) -> str:
        """As one likes."""
        return f"{type(self).__name__} of {self.used!r}"


def test_text__of_what_python_makes_and_of_what_is_for_people_is_not_read() -> None:
    thing = bump(init=lambda buffer, capacity, memory: Slots(buffer, capacity, 0))
    assert {type(each.answer) for each in results(thing)} == {Proved}


def test_text__may_raise_and_assert_and_ask_for_none() -> None:
    def plain(state: State, op: Op, ptr: Any, memory: Any) -> tuple[State, Event]:
        if op is None:
            raise TypeError(f"{type(op)}: {op!r}")
        assert op.count >= 0, f"{op.count}"
        return served(state, op)

    assert fallen(bump(plain), Error) == set()


# -------------------------------------------------------------------------------------- the same on integers


def from_text(body: str) -> Step:
    """A step whose text cannot be had."""
    space: dict[str, Any] = {"bad": bad, "served": served, "seen": []}
    exec(f"def step(state, op, ptr, memory):\n    {body}\n", space)
    step: Step = space["step"]
    return step


@pytest.mark.parametrize(
    "body",
    [
        "return bad(state, op) if isinstance(state.capacity, int) and state.used else served(state, op)",
        "return bad(state, op) if hasattr(op.size, 'bit_length') and state.used else served(state, op)",
        "seen.append(0); return bad(state, op) if len(seen) % 2 and type(op.size) is not int else served(state, op)",
        "return served(state, op) if type(op.size).__name__ != 'int' or state.used < 99 else 1 // 0",
    ],
    ids=["isinstance", "hasattr", "remembered", "an exception"],
)
def test_step__that_does_something_else_on_integers_is_no_proof(body: str) -> None:
    found = results(bump(from_text(body)))
    assert any(isinstance(each.answer, Error | Refuted) for each in found)
