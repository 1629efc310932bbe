"""Anybody's allocator as pure steps: right ones are proved, each fault is refuted by what it breaks, and what cannot be
proved is told in one line.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import pytest

from heaplaw.proofs.own import SHAPES, NotProvable, obligations
from heaplaw.proofs.parts import taken
from heaplaw.proofs.prove import Refuted, Result, prove
from heaplaw.proofs.stepping import in_full
from heaplaw.refimpl.memory import zero
from heaplaw.spec.catalogue import CATALOGUE, laws_of
from heaplaw.spec.event import Event, Status
from heaplaw.spec.history import Op
from heaplaw.spec.shapes import Kind
from heaplaw.spec.verdict import Error, Proved

from .allocators import Counted, CountingBump, LastFreed, Pair, Slotted, TwoBlocks
from .refuting import assert_proved


def kept(thing: Any, shape: str, names: set[str]) -> list[tuple[str, Any]]:
    """Those of the named obligations that are not refuted, in either reading."""
    found = prove(each for each in obligations(thing, shape) if each.name in names)
    assert {each.obligation.name for each in found} == names
    return [(each.obligation.name, each.answer) for each in found if not isinstance(each.answer, Refuted)]


def one(thing: Any, shape: str, name: str) -> list[Result]:
    """What comes of one obligation."""
    return prove(each for each in obligations(thing, shape) if each.name == name)


# ------------------------------------------------------------------------------------------- right ones, and faults


@pytest.mark.parametrize(("thing", "shape", "count"), [(TwoBlocks, "pool", 70), (LastFreed(), "freelist", 50)])
def test_right__is_proved(thing: Any, shape: str, count: int) -> None:
    results = prove(obligations(thing, shape))
    assert_proved(results)
    assert len(results) == count
    assert {each.obligation.part for each in results} == {shape}


def test_invariant__may_count_what_is_live() -> None:
    found = prove(obligations(CountingBump, "freelist"))
    wrong = [each.obligation.name for each in found if not isinstance(each.answer, Proved)]
    assert wrong == ["freelist.alloc.freed_is_reusable"] * 2
    assert kept(CountingBump, "freelist", set(wrong)) == []


@pytest.mark.parametrize(("thing", "shape"), [(TwoBlocks, "pool"), (LastFreed, "freelist"), (CountingBump, "freelist")])
def test_laws__all_that_apply_are_proved(thing: Any, shape: str) -> None:
    own = taken(thing, shape)
    stated = {each.about for each in obligations(thing, shape)} & set(CATALOGUE)
    applicable = {each.name for each in laws_of(shape) if own.obeys(each.name)}
    # Whether bytes can be written is the machine's matter: that they are there is in_bounds.
    assert applicable - stated == {"sized"} & applicable
    assert stated <= applicable


class GivesTwice(TwoBlocks):
    """The first block is handed out as long as the second is free."""

    def alloc(self, state: Pair) -> tuple[Pair, Any]:
        """Likewise."""
        if state.num_blocks == 0 or state.second:
            return state, 0
        return replace(state, first=True), state.buffer


class FreesBoth(TwoBlocks):
    """A block that is freed frees the other, too."""

    def free(self, state: Pair, ptr: Any) -> Pair:
        """Likewise."""
        return replace(state, first=False, second=False)


class Unaligned(TwoBlocks):
    """The second block begins 4 bytes late."""

    def alloc(self, state: Pair) -> tuple[Pair, Any]:
        """Likewise."""
        after, block = super().alloc(state)
        return after, block + 4 if block == state.buffer + 32 else block


class BeginsTaken(TwoBlocks):
    """The first block is never handed out: it counts as such from the beginning."""

    def init(self, buffer: Any, capacity: Any, memory: Any) -> Pair:
        """Likewise."""
        return Pair(buffer, capacity, 32, 2 if capacity >= 64 else 0, capacity >= 64, False)


class Uncounted(Pair):
    """Nothing ever counts as free."""

    @property
    def num_free_blocks(self) -> int:
        """Likewise."""
        return 0


class CountsNothing(TwoBlocks):
    """No block is counted as free."""

    def init(self, buffer: Any, capacity: Any, memory: Any) -> Pair:
        """Likewise."""
        return Uncounted(buffer, capacity, 32, 2 if capacity >= 64 else 0, False, False)


class Scribbles(TwoBlocks):
    """A word of the first block is written by every operation."""

    def step(self, state: Pair, op: Op, ptr: Any, memory: Any) -> tuple[Pair, Event]:
        """Likewise."""
        memory.write(state.buffer, 7)
        return super().step(state, op, ptr, memory)


class RefusesFrees(TwoBlocks):
    """A block cannot be given back."""

    def step(self, state: Pair, op: Op, ptr: Any, memory: Any) -> tuple[Pair, Event]:
        """Likewise."""
        after, event = super().step(state, op, ptr, memory)
        if op.kind == Kind.FREE:
            taken = state.num_allocated
            return state, Event(
                op.kind, 0, status=Status.FAILED, num_free=state.num_blocks - taken, num_allocated=taken
            )
        return after, event


class SaysOther(TwoBlocks):
    """The event says that nothing is free."""

    def step(self, state: Pair, op: Op, ptr: Any, memory: Any) -> tuple[Pair, Event]:
        """Likewise."""
        after, event = super().step(state, op, ptr, memory)
        return after, replace(event, num_free=0)


class Shirks(TwoBlocks):
    """A full pool says that it was not called."""

    def step(self, state: Pair, op: Op, ptr: Any, memory: Any) -> tuple[Pair, Event]:
        """Likewise."""
        after, event = super().step(state, op, ptr, memory)
        return after, replace(event, status=Status.SKIPPED) if event.status == Status.FAILED else event


class Grows(TwoBlocks):
    """The buffer is thought to be larger after a free."""

    def free(self, state: Pair, ptr: Any) -> Pair:
        """Likewise."""
        return replace(super().free(state, ptr), capacity=state.capacity + 8)


class Forgets(CountingBump):
    """All is free again when one of two blocks was freed."""

    def free(self, state: Counted) -> Counted:
        """Likewise."""
        if state.blocks <= 2:
            return replace(state, used=0, blocks=state.blocks - 1)
        return replace(state, blocks=state.blocks - 1)


class Lost(LastFreed):
    """The block freed last is not remembered."""

    def free(self, state: Slotted, ptr: Any) -> Slotted:
        """Likewise."""
        return state


class Spared(LastFreed):
    """The block freed last is handed out again and again."""

    def alloc(self, state: Slotted, size: Any) -> tuple[Slotted, Any]:
        """Likewise."""
        after, block = super().alloc(state, size)
        return (state, block) if block == state.spare else (after, block)


class Uncounting(CountingBump):
    """The invariant does not say how many blocks are live."""

    def invariant(self, state: Counted) -> Any:  # type: ignore[override] # pyright: ignore[reportIncompatibleMethodOverride]
        """Likewise."""
        return state.used <= state.capacity


@pytest.mark.parametrize(
    ("thing", "shape", "refuted"),
    [
        (GivesTwice, "pool", {"pool.alloc.blocks_disjoint", "pool.alloc.accounting_exact"}),
        (FreesBoth, "pool", {"pool.free.owns_kept", "pool.free.accounting_exact", "pool.free.free_count_exact"}),
        (
            Unaligned,
            "pool",
            {"pool.alloc.aligned", "pool.alloc.pool_on_grid", "pool.alloc.in_bounds", "pool.alloc.owns"},
        ),
        (BeginsTaken, "pool", {"pool.init.accounting_exact", "pool.init.free_count_exact"}),
        (CountsNothing, "pool", {"pool.init.pool_conserved"}),
        (Scribbles, "pool", {"pool.alloc.payload_kept", "pool.free.payload_kept", "pool.alloc.accesses"}),
        (RefusesFrees, "pool", {"pool.free.free_is_served"}),
        (SaysOther, "pool", {"pool.alloc.event", "pool.free.event"}),
        (Shirks, "pool", {"pool.alloc.event"}),
        (Grows, "pool", {"pool.free.invariant"}),
        (Forgets, "freelist", {"freelist.free.owns_kept"}),
        (Lost, "freelist", {"freelist.alloc.freed_is_reusable"}),
        (Spared, "freelist", {"freelist.alloc.owns"}),
        (Uncounting, "freelist", {"freelist.free.owns_kept"}),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_fault__is_refuted(thing: Any, shape: str, refuted: set[str]) -> None:
    assert kept(thing, shape, refuted) == []


# --------------------------------------------------------------------------------------------------- what is said


def test_counterexample__tells_only_what_it_is_about() -> None:
    answer = one(FreesBoth, "pool", "pool.free.owns_kept")[0].answer
    assert isinstance(answer, Refuted)
    assert {name for name, _ in answer.values} >= {"state.buffer", "other.ptr", "freed.ptr"}
    assert {name for name, _ in answer.values} & {"live", "live_bytes", "highest.ptr", "size"} == set()
    assert answer.observed.startswith("[0x")
    assert "is not owned afterwards, by Pair(" in answer.observed


def test_loop__on_unknown_numbers_is_an_error() -> None:
    class CountsDown(CountingBump):
        """Looks at each live block."""

        def free(self, state: Counted) -> Counted:
            """Likewise."""
            left = state.blocks
            while left != 0:
                left = left - 1
            return super().free(state)

    found = one(CountsDown, "freelist", "freelist.free.invariant")
    assert all(isinstance(each.answer, Error) for each in found)
    assert "does a loop run on a symbolic value" in str(found[0].answer)


def test_in_full__tells_what_was_asked_and_of_which_buffer() -> None:
    thing = CountingBump()
    step = in_full(taken(thing, "freelist"))
    _, event = step(thing.init(0x1000, 64, None), Op(Kind.ALLOC, 24), 0, None)
    assert (event.size, event.ptr, event.remaining) == (24, 0x1000, 40)
    assert (event.env.base, event.env.capacity, event.env.remaining, event.env.max_align) == (0x1000, 64, 64, 8)


# ------------------------------------------------------------------------------------------------ zeroed, aligned


@dataclass(frozen=True)
class Once:
    """A buffer, and whether it was handed out."""

    buffer: Any
    capacity: Any
    given: Any


def once(zeroing: Callable[[Any, Any, Any], None]) -> SimpleNamespace:
    """A bump of one block, the whole buffer, that makes it zero as told."""

    def step(state: Once, op: Op, ptr: Any, memory: Any) -> tuple[Once, Event]:
        if op.kind == Kind.RESET:
            return replace(state, given=False), Event(op.kind, 0)
        if op.kind not in (Kind.ALLOC, Kind.ZALLOC):
            raise ValueError(op.kind.name)
        one_word = op.count == 1 and op.size == 8
        if state.given or not one_word or state.capacity < 8 or state.buffer % 8 != 0:
            return state, Event(op.kind, op.size, count=op.count, status=Status.FAILED)
        if op.kind == Kind.ZALLOC:
            zeroing(memory, state.buffer, op.size)
        return replace(state, given=True), Event(op.kind, op.size, count=op.count, ptr=state.buffer)

    return SimpleNamespace(
        init=lambda buffer, capacity, memory: Once(buffer, capacity, False),
        step=step,
        invariant=lambda state: True,
        owns=lambda state, block: state.given & (block.ptr == state.buffer) & (block.extent == 8),
    )


@pytest.mark.parametrize(
    ("zeroing", "proved"),
    [
        (zero, True),
        (lambda memory, at, size: memory.write(at, 0), True),
        (lambda memory, at, size: memory.write(at, 1), False),
        (lambda memory, at, size: zero(memory, at, size - 1), False),
        (lambda memory, at, size: memory.read(at), False),
    ],
    ids=["zero", "a word", "a wrong word", "a byte less", "nothing"],
)
def test_zeroed__is_asked_of_every_byte(zeroing: Callable[[Any, Any, Any], None], proved: bool) -> None:
    found = one(once(zeroing), "bump", "bump.zalloc.zeroed")
    assert len(found) == 2
    assert all(isinstance(each.answer, Proved if proved else Refuted) for each in found)


# --------------------------------------------------------------------------------------------------- what it lacks


@dataclass
class Loose:
    """A state that can be changed."""

    buffer: int = 0
    capacity: int = 0


@dataclass(frozen=True)
class Named:
    """A state with a name."""

    buffer: int
    capacity: int
    name: str


def lacking(**parts: Any) -> SimpleNamespace:
    """A bump with other parts; None: without."""
    whole = {**vars(once(zero)), **parts}
    return SimpleNamespace(**{name: part for name, part in whole.items() if part is not None})


class Needy(TwoBlocks):
    """It cannot be made without a number."""

    def __init__(self, number: int) -> None:
        self.number = number


@pytest.mark.parametrize(
    ("thing", "shape", "words"),
    [
        (lacking(), "stack", ["'stack'", *SHAPES]),
        (object(), "bump", ["has no init", "init(buffer, capacity, memory)", "first state"]),
        (lacking(owns=None), "bump", ["has no owns", "owns(state, block)", "every live block"]),
        (lacking(invariant=lambda: True), "bump", ["invariant takes ()", "(state)"]),
        (lacking(step=lambda state, op: None), "bump", ["step takes (state, op)", "(state, op, ptr, memory)"]),
        (lacking(init=lambda buffer, capacity, memory: 3), "bump", ["init gives an int", "dataclass(frozen=True)"]),
        (lacking(init=lambda buffer, capacity, memory: Loose()), "bump", ["init gives a Loose", "frozen=True"]),
        (lacking(init=lambda buffer, capacity, memory: Named(buffer, capacity, "")), "bump", ["Named.name is a str"]),
        (lacking(init=lambda buffer, capacity, memory: 1 // 0), "bump", ["init fails", "ZeroDivisionError"]),
        (lacking(invariant=lambda state: None), "bump", ["invariant gives None", "truth value"]),
        (lacking(), "pool", ["Once has no block_size", "property"]),
        (lacking(step=lambda state, op, ptr, memory: state), "bump", ["step gives Once(", "ALLOC", "an Event"]),
        (lacking(step=lambda state, op, ptr, memory: (state, 0)), "bump", ["step gives", "an Event"]),
        (lacking(step=lambda state, op, ptr, memory: {}[op.kind]), "bump", ["step fails on ALLOC", "KeyError"]),
        (lacking(step=lambda state, op, ptr, memory: int("no")), "bump", ["no alloc or aligned", "ValueError"]),
        (Needy, "pool", ["number"]),
    ],
)
def test_what_is_missing__is_told_in_one_line(thing: Any, shape: str, words: list[str]) -> None:
    with pytest.raises(NotProvable) as caught:
        obligations(thing, shape)
    said = str(caught.value)
    assert [word for word in words if word not in said] == []
    assert "\n" not in said
