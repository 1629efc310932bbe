"""The machine of every shape: silent on what is correct, loud on what is not; what it finds can be used elsewhere."""

import itertools
from collections.abc import Callable, Mapping
from ctypes import addressof, create_string_buffer
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule, run_state_machine_as_test

from heaplaw.minimise import Witness
from heaplaw.models.allocator_machine import (
    MACHINES,
    AllocatorMachine,
    ArenaMachine,
    FreeListMachine,
    MallocMachine,
    blocks,
    killed_by_machine,
)
from heaplaw.models.explore import (
    arena_model,
    bump_model,
    freelist_model,
    pool_model,
    stack_model,
    subject_of,
)
from heaplaw.models.live import live
from heaplaw.models.session import LawViolated, export, replay
from heaplaw.mutants.heaps import HEAP_MUTANTS, CorrectHeap, HeapMutant
from heaplaw.mutants.pools import POOL_MUTANTS, PoolMutant
from heaplaw.refimpl.allocators import plain
from heaplaw.replay import run_again
from heaplaw.spec.catalogue import law
from heaplaw.spec.history import Op, make_trace
from heaplaw.spec.judge import judge
from heaplaw.spec.shapes import SHAPES, Kind
from heaplaw.spec.verdict import Violated
from heaplaw.store import document_of, load, save

from . import wrong_steps
from .shaped import Lua, Offsets, Regions

CORRECT: dict[str, tuple[str, Callable[[], Any]]] = {
    "bump steps": ("bump", lambda: subject_of(bump_model(128))),
    "pool steps": ("pool", lambda: subject_of(pool_model(24, 4))),
    "stack steps": ("stack", lambda: subject_of(stack_model(160))),
    "freelist steps": ("freelist", lambda: subject_of(freelist_model(256, align=64, zeroed=True))),
    "coalescing steps": ("freelist", lambda: subject_of(freelist_model(256, coalesces=True))),
    "malloc object": ("malloc", lambda: CorrectHeap(4096)),
    "stack object": ("stack", Regions),
    "arena object": ("arena", Regions),
    "freelist object": ("freelist", Offsets),
    "lua object": ("lua_alloc", Lua),
}


def small_arena() -> Any:
    return subject_of(arena_model(512))


class SmallArenaMachine(ArenaMachine):
    """A parent of 512 bytes may refuse even a request of 0 bytes, which an arena promises to serve."""

    def request(self, kind: Kind) -> st.SearchStrategy[Op]:
        sizes = st.integers(1, 80) | st.just(2**63)
        return sizes.map(lambda size: Op(kind, size, align=32 if kind == Kind.ALIGNED else 0))


@pytest.mark.parametrize("name", CORRECT)
def test_machine__is_silent_on_what_is_correct(name: str) -> None:
    shape, make = CORRECT[name]
    assert killed_by_machine(make, shape, max_examples=6, steps=20, promises={"max_request_align": 16}) is None


def test_machines__there_is_one_for_every_shape() -> None:
    assert MACHINES.keys() == SHAPES.keys()
    assert all(machine.shape == shape for shape, machine in MACHINES.items())


def test_machine__is_silent_on_an_arena_with_a_poor_parent() -> None:
    assert killed_by_machine(small_arena, "arena", max_examples=6, steps=20, machine=SmallArenaMachine) is None


ALSO = {
    "payload_kept",
    "blocks_disjoint",
    "failure_changes_nothing",
    "failure_is_reported",
    "total_is_live_bytes",
    "lifo_pop",
    "reset_frees_all",
}
"""Laws under which the same fault may be seen first."""


@pytest.mark.parametrize("name", wrong_steps.WRONG)
def test_machine__kills_wrong_steps_of_every_shape(name: str) -> None:
    model, broken, _ = wrong_steps.WRONG[name]
    machine = MACHINES[model.shape]
    if model.shape == "arena":
        machine, model = SmallArenaMachine, replace(model, end=model.start + 1024)
    found = killed_by_machine(lambda: subject_of(model), model.shape, machine=machine)
    assert found is not None
    told = {violation.law for violation in found.violations}
    # … which its trace shows again, in its last operation, to the judge of whole histories too.
    again = replay(export(found), subject_of(model))
    assert {violation.law for violation in again.steps[-1].violations} == told
    assert again.violations == list(again.steps[-1].violations)
    verdicts = judge(again.history(), [law(name) for name in sorted(told)])
    assert all(isinstance(verdict.outcome, Violated) for verdict in verdicts)
    assert told & {broken, *ALSO}


@pytest.mark.parametrize("mutant", POOL_MUTANTS, ids=lambda mutant: mutant.name)
def test_machine__kills_every_mutant_of_the_pool(mutant: PoolMutant) -> None:
    found = killed_by_machine(lambda: mutant.pool(20 if mutant.name == "unrounded" else 24, 4), "pool")
    assert found is not None
    assert {violation.law for violation in found.violations} & {mutant.law, *mutant.also, "pool_on_grid", "sized"}


class SmallHeapMachine(MallocMachine):
    """Keeps to sizes that 4096 bytes can serve, and some that nothing can."""

    def request(self, kind: Kind) -> st.SearchStrategy[Op]:
        if kind == Kind.ZALLOC:
            factors = st.tuples(st.integers(1, 8), st.integers(1, 64)) | st.just((2**32, 2**32))
            return factors.map(lambda pair: Op(kind, pair[1], count=pair[0]))
        sizes = st.integers(1, 600) | st.sampled_from((65, 129, 1000, 3000, 4096, 2**63))
        return sizes.map(lambda size: Op(kind, size))


@pytest.mark.parametrize("mutant", HEAP_MUTANTS, ids=lambda mutant: mutant.name)
def test_machine__kills_every_mutant_of_the_heap(mutant: HeapMutant) -> None:
    found = killed_by_machine(lambda: mutant.heap(4096), "malloc", machine=SmallHeapMachine)
    assert found is not None
    assert {v.law for v in found.violations} & {mutant.law, *mutant.also, "capacity_comes_back"}


# ---- a machine of one's own


class CountingMachine(FreeListMachine):
    """Has a rule and an invariant beside those that are there."""

    promises: ClassVar[Mapping[str, Any]] = {"coalesces": True}
    looked: ClassVar[list[int]] = []

    def make(self) -> Any:
        return subject_of(freelist_model(256, coalesces=True))

    @rule(slot=blocks())
    def look_twice(self, slot: int | None) -> None:
        if slot is not None:
            self.perform(Op(Kind.CHECK, slot=slot))
            self.looked.append(self.perform(Op(Kind.CHECK, slot=slot)).index)

    @invariant()
    def slots_are_live(self) -> None:
        assert set(self.slots()) == set(self.session.slots)


def test_machine__takes_rules_and_invariants_of_its_users() -> None:
    fixed = settings(derandomize=True, database=None, deadline=None, max_examples=10, stateful_step_count=20)
    run_state_machine_as_test(CountingMachine, settings=fixed)
    assert CountingMachine.looked


class RenewedMachine(AllocatorMachine):
    """An allocator that is destroyed and made again over the same memory."""

    shape = "bump"
    renews = True
    forgets: ClassVar[bool] = False

    def __init__(self) -> None:
        self.memory = bytearray(256)
        super().__init__()

    def make(self) -> Any:
        return Regions(self.memory, 8 if self.forgets and hasattr(self, "session") else 0)


class ForgetfulMachine(RenewedMachine):
    forgets = True


def test_machine__makes_again_what_is_over_the_same_memory() -> None:
    fixed = settings(derandomize=True, database=None, deadline=None, max_examples=20, stateful_step_count=10)
    run_state_machine_as_test(RenewedMachine, settings=fixed)
    with pytest.raises(LawViolated) as caught:
        run_state_machine_as_test(ForgetfulMachine, settings=fixed)
    assert "reset_frees_all" in {violation.law for violation in caught.value.violations}
    assert Kind.RENEW in {op.kind for op in caught.value.trace.ops()}


# ---- what is found is stored, and replayed by the drivers of processes


def test_export__is_stored_and_replayed_like_any_witness(tmp_path: Path) -> None:
    mutant = next(each for each in POOL_MUTANTS if each.name == "keeps-last")
    found = killed_by_machine(lambda: mutant.pool(24, 4), "pool", shrink=True)
    assert found is not None
    violation = found.violations[0]
    witness = Witness(violation.law, export(found), violation, found.history, len(found.trace))
    target = f"{mutant.pool.__module__}:{mutant.pool.__qualname__}"
    arguments = {"block_size": 24, "num_blocks": 4}
    spec = {"kind": "object", "target": target, "shape": "pool", "arguments": arguments, "align": 8}
    stored = load(save(tmp_path, document_of(witness, spec, target, seed=0)))
    assert len(stored.trace) == 4
    lines, broken = run_again(stored, 1)
    assert broken == 1
    assert any("HL404 pool_serves_while_free VIOLATED" in line for line in lines)


def test_live__objects_that_deal_in_offsets_are_followed_there() -> None:
    subject = Offsets()
    ops = Op(Kind.ALLOC, 24), Op(Kind.ALLOC, 24), Op(Kind.FREE, slot=0)
    session = replay(make_trace("freelist", ops), live(subject, "freelist"))
    assert session.violations == []
    assert [held.size for held in session.slots.values()] == [24]
    assert any(subject.memory)


class Wandering(plain.Stack):
    """A correct stack in real memory that lies elsewhere each time, as fresh memory does."""

    places = itertools.count()

    def __init__(self) -> None:
        self.kept = create_string_buffer(2048 + 512)
        start = addressof(self.kept)
        super().__init__(start + -start % 512 + 16 * (next(self.places) % 8), 1024)


def test_machine__of_an_object_in_real_memory_does_not_depend_on_where_that_is() -> None:
    class Machine(AllocatorMachine):
        shape = "stack"

        def make(self) -> Wandering:
            return Wandering()

    run_state_machine_as_test(Machine, settings=settings(Machine.TestCase.settings, max_examples=60))


def test_machine__explains_nothing_line_by_line() -> None:
    class Machine(AllocatorMachine):
        shape = "stack"

    assert Phase.explain not in Machine.TestCase.settings.phases
    assert Phase.shrink in Machine.TestCase.settings.phases
