"""Machines with calls and operations of the user's own: recorded, judged, and told as a program that does the same."""

import ctypes
import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test

from heaplaw.errors import UsageError
from heaplaw.machines import AllocatorMachine, BumpMachine, LawViolated, PoolMachine, StackMachine, UnfitError, store
from heaplaw.models.methods import Method, own_method
from heaplaw.models.strategies import programs
from heaplaw.mutants.heaps import CorrectHeap
from heaplaw.refimpl.allocators import PoolAllocator
from heaplaw.spec.history import Op
from heaplaw.spec.judge import judge
from heaplaw.spec.shapes import Kind

from .shaped import Lua, Offsets, Regions

FEW = settings(derandomize=True, database=None, deadline=None, max_examples=12)


class Pool(PoolAllocator):
    """With calls of its own, right and wrong."""

    def touch(self, block: int, value: int) -> int:
        assert block in self._live
        return value

    def wipe(self, block: int) -> None:
        ctypes.memset(block, 0, 1)

    def fail(self) -> None:
        raise LookupError("no such thing")


class Growing(Regions):
    """A bump or stack whose newest block grows and shrinks."""

    def grow(self, ptr: int, size: int) -> bool:
        if self._ends[-1] < ptr or ptr < (self._ends[-2] if len(self._ends) > 1 else self.buffer):
            return False
        if ptr + size > self.buffer + self.capacity:
            return False
        self._ends[-1] = ptr + size
        return True

    def move(self, ptr: int, size: int) -> int:
        """Resizes by a new block, and does not copy."""
        return self.alloc(size, 8)

    def tagged(self, tag: str, size: int) -> int:
        assert tag in ("ui", "net")
        return self.alloc(size, 8)


class PoolWithCalls(PoolMachine):
    def make(self) -> Pool:
        return Pool(24, 3)


class GrowingBump(BumpMachine):
    operations: ClassVar = {"realloc": "grow(ptr, size) -> bool"}

    def make(self) -> Growing:
        return Growing()


class GrowingStack(StackMachine):
    operations: ClassVar = {"realloc": "grow(ptr, size) -> bool"}

    def make(self) -> Growing:
        return Growing()


def asked(machine: AllocatorMachine) -> set[str]:
    return {tally.law.name for tally in machine.session.online.tallies}


def told(machine: AllocatorMachine) -> list[str]:
    return [line.strip() for line in machine.session.listing()]


# ---- calls


def test_call__is_recorded_with_blocks_by_name_and_gives_the_value() -> None:
    machine = PoolWithCalls()
    slot = machine.perform(Op(Kind.ALLOC, 24)).index
    assert machine.call("touch", machine.address(slot), 7) == 7
    assert machine.size(slot) == 24
    assert machine.subject.num_allocated() == 1
    lines = told(machine)
    assert lines[:3] == ["pool = Pool(24, 3)", "p1 = pool.alloc()  # -> [+0x0, +0x18)", "pool.touch(p1, 7)  # -> 7"]


def test_call__that_writes_into_a_live_block_breaks_the_law_on_payloads() -> None:
    machine = PoolWithCalls()
    slot = machine.perform(Op(Kind.ALLOC, 24)).index
    with pytest.raises(LawViolated) as caught:
        machine.call("wipe", machine.address(slot))
    assert [violation.law for violation in caught.value.violations] == ["payload_kept"]
    text = str(caught.value)
    assert "pool.wipe(p1)" in text
    assert "# p1 is read back  # -> byte 0 is not what was written  <- HL201" in text


def test_call__that_upsets_a_counter_is_seen_without_live_blocks_too() -> None:
    class Odd(Pool):
        def forget(self) -> None:
            self.num_free_blocks = lambda: 2  # type: ignore[method-assign]

    class Machine(PoolMachine):
        def make(self) -> Odd:
            return Odd(24, 3)

    with pytest.raises(LawViolated) as caught:
        Machine().call("forget")
    assert "free_count_exact" in {violation.law for violation in caught.value.violations}
    assert "# counters are read" in str(caught.value)


def test_call__lets_through_what_the_method_raises_and_tells_it() -> None:
    machine = PoolWithCalls()
    with pytest.raises(LookupError, match="no such thing"):
        machine.call("fail")
    assert told(machine)[1] == "pool.fail()  # -> raised LookupError: no such thing"


def test_call__of_an_operation_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^dealloc is an operation that laws know \(free\)"):
        PoolWithCalls().call("dealloc", 0)


def test_address__of_no_live_block_says_which_are() -> None:
    machine = PoolWithCalls()
    machine.perform(Op(Kind.ALLOC, 24))
    with pytest.raises(ValueError, match=r"^no live block is in slot 5; there is one in: 0$"):
        machine.address(5)


def test_rule__that_fails_is_told_with_its_program() -> None:
    class Machine(PoolWithCalls):
        @rule()
        def fail(self) -> None:
            self.call("fail")

    with pytest.raises(LookupError) as caught:
        run_state_machine_as_test(Machine, settings=settings(FEW, report_multiple_bugs=False))
    notes = "\n".join(caught.value.__notes__)
    assert "pool = Pool(24, 3)\n    pool.fail()  # -> raised LookupError: no such thing" in notes


# ---- operations


def test_perform_as__is_judged_as_the_operation_it_is() -> None:
    machine = GrowingBump()
    assert "realloc_keeps_prefix" in asked(machine)
    slot = machine.perform(Op(Kind.ALLOC, 16)).index
    done = machine.perform_as("realloc", "grow(ptr, size) -> bool", slot, size=64)
    assert (done.event.ptr, machine.size(done.index)) == (machine.subject.buffer, 64)
    with pytest.raises(LawViolated) as caught:
        machine.perform_as(Kind.RESIZE, "move(ptr, size)", done.index, size=80)
    assert [violation.law for violation in caught.value.violations] == ["realloc_keeps_prefix"]
    assert "p1 = bump.move(p1, 80)" in str(caught.value)
    assert 'GrowingBump.judged(realloc=("grow(ptr, size) -> bool", "move(ptr, size)"))' in caught.value.program()


def test_perform_as__takes_words_of_the_users_own() -> None:
    machine = GrowingBump()
    machine.perform_as("alloc", "tagged(tag, size)", size=8, tag="ui")
    assert "p1 = bump.tagged('ui', 8)" in told(machine)[1]
    with GrowingBump.judged(alloc="tagged(tag, size)") as bump:
        assert bump.tagged("net", 8) == bump.buffer


@pytest.mark.parametrize(
    ("call", "slot", "error"),
    [
        ("grow(ptr", 0, r"^'grow\(ptr' is no call; write it like"),
        ("grow(ptr, bytes)", 0, r"'bytes' is neither a number nor one of align, "),
        ("grow(ptr, size) -> what", 0, "a value is one of pointer, bool"),
        ("shrink(ptr, size)", 0, r"^Growing cannot be called as shrink\(ptr, size\): no such method"),
        ("grow(ptr)", 0, r"^Growing cannot be called as grow\(ptr\): it is grow\(ptr"),
        ("grow(ptr, size)", None, "realloc needs slot"),
        ("grow(ptr, size)", 7, "nothing that realloc could be about is in slot 7"),
    ],
)
def test_perform_as__says_what_cannot_be(call: str, slot: int | None, error: str) -> None:
    machine = GrowingBump()
    machine.perform(Op(Kind.ALLOC, 16))
    with pytest.raises((UnfitError, ValueError), match=error):
        machine.perform_as("realloc", call, slot, size=8)


def test_operations__of_no_known_name_are_refused() -> None:
    with pytest.raises(UnfitError, match=r"^'grow' is no operation; operations are alloc, zeroed, realloc"):
        type("Odd", (BumpMachine,), {"operations": {"grow": "grow(ptr, size)"}})


def test_own_method__is_written_as_it_is_read() -> None:
    for text in ("grow(ptr, size) -> bool", "take(8, size)", "drop()"):
        assert str(own_method(text, Kind.RESIZE)) == text
    assert own_method("drop(ptr, 0x10)", Kind.FREE) == Method("drop", "none", ("ptr", 16))


def test_bump_monotonic__is_asked_until_blocks_are_resized() -> None:
    class Plain(BumpMachine):
        def make(self) -> Growing:
            return Growing()

    machine = Plain()
    slot = machine.perform(Op(Kind.ALLOC, 16)).index
    assert "bump_monotonic" in asked(machine)
    machine.perform_as("realloc", "grow(ptr, size) -> bool", slot, size=8)
    assert "bump_monotonic" not in asked(machine)
    machine.perform(Op(Kind.ALLOC, 16))


@pytest.mark.parametrize("machine", [GrowingBump, GrowingStack])
def test_machines__are_silent_on_correct_operations_of_ones_own(machine: type[AllocatorMachine]) -> None:
    run_state_machine_as_test(machine, settings=settings(FEW, stateful_step_count=25))


# ---- programs


MADE: Mapping[str, tuple[str, Callable[[], Any]]] = {
    "pool": ("pool", lambda: PoolAllocator(24, 3)),
    "malloc": ("malloc", lambda: CorrectHeap(4096)),
    "stack": ("stack", Regions),
    "arena": ("arena", Regions),
    "freelist": ("freelist", Offsets),
    "lua": ("lua_alloc", Lua),
}


@pytest.mark.parametrize("name", MADE)
def test_programs__do_the_same_when_they_are_run(name: str) -> None:
    shape_name, maker = MADE[name]
    made: list[AllocatorMachine] = []

    class Machine(AllocatorMachine):
        shape = shape_name
        promises: ClassVar = {"max_request_align": 16}

        def __init__(self) -> None:
            super().__init__()
            made.append(self)

        def make(self) -> Any:
            return maker()

    @settings(FEW, max_examples=5)
    @given(st.data())
    def run(data: st.DataObject) -> None:
        first = Machine()
        live = first.session.live
        for op in data.draw(programs(shape_name, live.env, 15, live.offers)):
            first.session.require(op)
        text = LawViolated((), first.history(), first.session.spelling()).program()
        names: dict[str, Any] = {"Machine": Machine}
        exec(text, names)
        first.teardown()
        names["test_program"]()
        assert statements(made[-1]) == statements(first)

    run()


def statements(machine: AllocatorMachine) -> list[str]:
    program = LawViolated((), machine.history(), machine.session.spelling()).program()
    return program.splitlines()


class Again(AllocatorMachine):
    """Is destroyed, and made again over the same memory, where it forgets 8 bytes."""

    shape = "bump"
    renews = True

    def __init__(self) -> None:
        self.memory = bytearray(256)
        super().__init__()

    def make(self) -> Regions:
        return Regions(self.memory, 8 if hasattr(self, "session") else 0)


def test_programs__of_what_is_made_again_do_the_same() -> None:
    def ask_again() -> None:
        with Again.judged() as bump:
            assert bump.alloc(8, 8)
            bump.destroy()
            bump.alloc(8, 8)

    with pytest.raises(LawViolated) as caught:
        ask_again()
    names: dict[str, Any] = {"Again": Again}
    text = caught.value.program()
    assert "bump.destroy()" in text
    exec(text, names)
    with pytest.raises(LawViolated) as again:
        next(value for name, value in names.items() if name.startswith("test_"))()
    assert again.value.program() == text


class Long(Pool):
    """Refuses by an exception when it is full."""

    def alloc(self) -> int:
        if self.num_free == 0:
            raise IndexError("there is no block left in this pool, and it has told so " * 3)
        return super().alloc()


def test_failure__fits_a_screen_and_goes_between_processes() -> None:
    class Machine(PoolMachine):
        def make(self) -> Long:
            number = 9
            return Long(24, number)

    with pytest.raises(LawViolated) as caught, Machine.judged() as pool:
        assert all(pool.alloc() for _ in range(10))
    failure = caught.value
    lines = str(failure).splitlines()
    assert len(failure.trace) == 10
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    assert "machine = Machine()" in str(failure)  # what make() does is more than one expression
    assert "raised IndexError: there is no block" in str(failure)
    assert isinstance(failure.__cause__, IndexError)
    again = pickle.loads(pickle.dumps(failure))
    assert (str(again), again.violations, again.program()) == (str(failure), failure.violations, failure.program())
    laws = [tally.law for tally in Machine().session.online.tallies]
    broken = {verdict.law for verdict in judge(failure.history, laws) if type(verdict.outcome).__name__ == "Violated"}
    assert {violation.law for violation in failure.violations} <= broken


def test_store__refuses_what_no_driver_calls() -> None:
    machine = PoolWithCalls()
    slot = machine.perform(Op(Kind.ALLOC, 24)).index
    with pytest.raises(LawViolated) as caught:
        machine.call("wipe", machine.address(slot))
    with pytest.raises(UsageError, match=r"calls of your own, wipe\(…\), which .*: keep it as a test, by program\(\)$"):
        store(caught.value, "mine:Pool")


class Wiping(Growing):
    def grow(self, ptr: int, size: int) -> bool:
        ctypes.memset(ptr, 0, 1)
        return super().grow(ptr, size)


@pytest.mark.parametrize("declared", [True, False])
def test_store__refuses_operations_that_only_the_machine_knows(declared: bool, tmp_path: Path) -> None:
    text = "grow(ptr, size) -> bool"

    class Machine(BumpMachine):
        operations: ClassVar[Mapping[str, str]] = {"realloc": text} if declared else {}

        def make(self) -> Wiping:
            return Wiping()

    machine = Machine()
    slot = machine.perform(Op(Kind.ALLOC, 16)).index
    with pytest.raises(LawViolated) as caught:
        machine.perform(Op(Kind.RESIZE, 24, slot)) if declared else machine.perform_as("realloc", text, slot, size=24)
    with pytest.raises(UsageError, match=r"^the program has calls of your own, grow\(ptr, size\) -> bool, which"):
        store(caught.value, "mine:Wiping", tmp_path)
    assert not list(tmp_path.iterdir())


# ---- settings


def test_settings__are_those_of_the_profile_without_deadline_and_explaining() -> None:
    fixed, phases = settings.get_profile("fixed"), (Phase.generate, Phase.explain)
    settings.register_profile("patient", fixed, max_examples=7, phases=phases)
    settings.load_profile("patient")
    try:

        class Machine(PoolWithCalls):
            pass
    finally:
        settings.load_profile("fixed")
    found = Machine.TestCase.settings
    assert (found.max_examples, found.deadline, found.phases) == (7, None, (Phase.generate,))


def test_drawn_operations__are_told_in_few_words() -> None:
    class Machine(PoolMachine):
        def make(self) -> Long:
            return Long(24, 1)

    with pytest.raises(LawViolated) as caught:
        run_state_machine_as_test(Machine, settings=settings(Machine.TestCase.settings, max_examples=12))
    notes = "\n".join(caught.value.__notes__)
    assert "state.alloc(op=alloc(size=24))" in notes
    assert len(notes.splitlines()) <= 6
