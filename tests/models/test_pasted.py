"""What a failure's `program()` gives fails as the machine did, also where blocks or marks look alike."""

import ctypes
from typing import Any, ClassVar

import pytest

from heaplaw.machines import AllocatorMachine, ArenaMachine, BumpMachine, LawViolated, LuaMachine, Op
from heaplaw.models.programs import Line, laid_out
from heaplaw.spec.event import Status
from heaplaw.spec.shapes import Kind

from .shaped import Lua, Regions


class Careless:
    """A bump that takes any block for its newest one when it resizes."""

    def __init__(self) -> None:
        self.capacity = 256
        self._memory = ctypes.create_string_buffer(self.capacity + 16)
        self.buffer = -(-ctypes.addressof(self._memory) // 16) * 16
        self._used = 0

    def alloc(self, size: int) -> int:
        start = -(-self._used // 8) * 8
        if size > self.capacity - start:
            return 0
        self._used = start + size
        return self.buffer + start

    def grow(self, ptr: int, size: int) -> bool:
        assert type(ptr) is int
        self._used = ptr - self.buffer + size
        return True

    def grown(self, ptr: int, size: int) -> int:
        self.grow(ptr, size)
        return ptr

    def reset(self) -> None:
        self._used = 0


class CarelessMachine(BumpMachine):
    operations: ClassVar = {"realloc": "grow(ptr, size) -> bool"}

    def make(self) -> Careless:
        return Careless()


class Grown(CarelessMachine):
    operations: ClassVar = {"realloc": "grown(ptr, size)"}


def asked(machine: AllocatorMachine, *ops: Op) -> LawViolated:
    """What comes of these operations, the last of which breaks a law."""
    for op in ops[:-1]:
        machine.perform(op)
    with pytest.raises(LawViolated) as caught:
        machine.perform(ops[-1])
    return caught.value


def pasted(failure: LawViolated, machine: type[AllocatorMachine]) -> LawViolated:
    """What the program of a failure fails with."""
    names: dict[str, Any] = {machine.__name__: machine}
    exec(failure.program(), names)
    with pytest.raises(LawViolated) as caught:
        next(value for name, value in names.items() if name.startswith("test_hl"))()
    return caught.value


@pytest.mark.parametrize("machine", [CarelessMachine, Grown])
@pytest.mark.parametrize(
    "ops",
    [
        [Op(Kind.ALLOC, 0), Op(Kind.ALLOC, 1), Op(Kind.RESIZE, 1, 0)],
        # resized where it is, it has still the address of another one
        [Op(Kind.ALLOC, 0), Op(Kind.RESIZE, 0, 0), Op(Kind.ALLOC, 1), Op(Kind.RESIZE, 0, 1), Op(Kind.RESIZE, 1, 3)],
    ],
)
def test_pasted__blocks_of_one_address_are_told_apart(machine: type[AllocatorMachine], ops: list[Op]) -> None:
    failure = asked(machine(), *ops)
    again = pasted(failure, machine)
    assert again.program() == failure.program()
    assert again.trace.ops() == failure.trace.ops()
    assert [violation.law for violation in again.violations] == ["blocks_disjoint"]


class Forgetful(Regions):
    """An arena that resets more than it is asked to: whatever the mark, all is free again."""

    def mark(self) -> Any:
        return len(self._ends)

    def release(self, mark: Any) -> None:
        super().reset()


class Nothing(Forgetful):
    """Its marks are all the same object."""

    def mark(self) -> Any:
        return "here"


class ForgetfulMachine(ArenaMachine):
    def make(self) -> Forgetful:
        return Forgetful()


class NothingMachine(ArenaMachine):
    def make(self) -> Nothing:
        return Nothing()


MARKED = [Op(Kind.ALLOC, 8), Op(Kind.MARK), Op(Kind.MARK), Op(Kind.MARK), Op(Kind.RELEASE, slot=2)]


def test_pasted__marks_of_one_number_are_told_apart() -> None:
    failure = asked(ForgetfulMachine(), *MARKED)
    again = pasted(failure, ForgetfulMachine)
    assert again.trace.ops() == failure.trace.ops()
    assert "one object" not in failure.program()


def test_program__says_where_marks_cannot_be_told_apart() -> None:
    text = " ".join(asked(NothingMachine(), *MARKED).program().replace("#", " ").split())
    assert "the allocator gave one object for several blocks or marks, and of these the newest is taken" in text


def test_judged__a_block_of_another_allocator_is_none_of_this() -> None:
    with CarelessMachine.judged() as one, CarelessMachine.judged() as other:
        block = one.alloc(8)
        other.alloc(8)
        with pytest.raises(ValueError, match="about a block that is not live"):
            other.grow(block, 16)


class LuaOffsets(LuaMachine):
    def make(self) -> Lua:
        return Lua()


def test_judged__one_call_for_everything_is_what_its_arguments_say() -> None:
    with LuaOffsets.judged() as allocator:
        p1 = allocator(None, 0, 16)
        assert p1 == 0  # an offset, and no null
        p1 = allocator(p1, 16, 24)
        allocator(p1, 24, 0)
        steps = allocator._session.steps
        done = [(step.event.kind, step.event.status) for step in steps]
    assert done == [(Kind.ALLOC, Status.OK), (Kind.RESIZE, Status.OK), (Kind.FREE, Status.OK)]


def test_laid_out__a_long_comment_stands_above_its_call() -> None:
    call, long = "bump.grow_last(p1, 1)", "HL103: shares 1 byte with p2, " * 3
    lines = laid_out([Line("p1 = bump.alloc(0)"), Line(call, ("[+0x0, +0x1)",), long), Line("bump.reset()")], " " * 8)
    assert [line[:10] for line in lines] == [" " * 8 + text for text in ("p1", "# ", "# ", "bu", "bu")]
    assert lines[1].startswith("        # -> [+0x0, +0x1)  <- HL103: shares")
    assert lines[-2] == " " * 8 + call
    assert max(map(len, lines)) <= 80
    read = laid_out([Line("# p1 is read back", (), long)], " " * 8)
    assert len(read) > 1
    assert all(line.startswith("        # ") for line in read)
