import ctypes
import ctypes.util
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test

from heaplaw.models.allocator_machine import AllocatorMachine
from heaplaw.models.live import live
from heaplaw.models.session import LawViolated, Session, replay
from heaplaw.models.strategies import traces
from heaplaw.refimpl.allocators import PoolAllocator
from heaplaw.spec.catalogue import law
from heaplaw.spec.event import Env
from heaplaw.spec.history import Op
from heaplaw.spec.judge import judge
from heaplaw.spec.shapes import Kind
from heaplaw.spec.verdict import Violated

FIXED = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=40,
    stateful_step_count=15,
    phases=[Phase.generate, Phase.shrink],
    report_multiple_bugs=False,
)


def run(subject: Callable[[], Any], shape_name: str) -> None:
    class Machine(AllocatorMachine):
        shape = shape_name

        def make(self) -> Any:
            return subject()

    run_state_machine_as_test(Machine, settings=FIXED)


def violation_of(subject: Callable[[], Any], shape: str) -> LawViolated:
    with pytest.raises(LawViolated) as caught:
        run(subject, shape)
    return caught.value


# ---------------------------------------------------------------------------------------------- pools


class LeaksOnSecondFree(PoolAllocator):
    frees = 0

    def dealloc(self, ptr: int) -> int:
        self.frees += 1
        return 0 if self.frees == 2 else super().dealloc(ptr)


class HandsOutTwice(PoolAllocator):
    """After two frees in a row, the block freed first is handed out twice."""

    freed: tuple[int, ...] = ()

    def dealloc(self, ptr: int) -> int:
        self.freed = (*self.freed, ptr)[-2:]
        return super().dealloc(ptr)

    def alloc(self) -> int:
        if len(self.freed) == 2:
            self.freed = ()
            return max(self._live, default=0) or super().alloc()
        return super().alloc()


class OneTooFew(PoolAllocator):
    def alloc(self) -> int:
        return 0 if self.num_free == 1 else super().alloc()


class OffTheGrid(PoolAllocator):
    def alloc(self) -> int:
        ptr = super().alloc()
        return ptr + 8 if ptr == self.buffer + self.block_size else ptr

    def dealloc(self, ptr: int) -> int:
        return super().dealloc(ptr - (ptr - self.buffer) % self.block_size)


class Miscounts(PoolAllocator):
    def num_free_blocks(self) -> int:
        return max(1, super().num_free_blocks())


class Scribbles(PoolAllocator):
    """Freeing writes behind the block, into a live neighbour."""

    def dealloc(self, ptr: int) -> int:
        result = super().dealloc(ptr)
        if ptr + self.block_size in self._live:
            ctypes.c_uint64.from_address(ptr + self.block_size).value = 0
        return result


class RaisesWhenFull(PoolAllocator):
    def alloc(self) -> int:
        if self.num_free == 0:
            raise IndexError("full")
        return super().alloc()


FAULTY: dict[type[PoolAllocator], tuple[str, int]] = {
    LeaksOnSecondFree: ("accounting_exact", 4),
    HandsOutTwice: ("blocks_disjoint", 6),
    OneTooFew: ("pool_serves_while_free", 3),
    OffTheGrid: ("pool_on_grid", 2),
    Miscounts: ("pool_conserved", 3),
    Scribbles: ("payload_kept", 4),
    RaisesWhenFull: ("failure_is_reported", 4),
}
"""What breaks first, and by how many operations at least."""


def test_machine__passes_the_reference_pool() -> None:
    run(lambda: PoolAllocator(24, 3), "pool")


@pytest.mark.parametrize("faulty", FAULTY, ids=lambda faulty: faulty.__name__)
def test_machine__finds_a_faulty_pool_by_its_shortest_trace(faulty: type[PoolAllocator]) -> None:
    name, length = FAULTY[faulty]
    found = violation_of(lambda: faulty(24, 3), "pool")
    assert name in [violation.law for violation in found.violations]
    assert length <= len(found.trace) <= length + 1  # Hypothesis gives up when too many attempts in a row were in vain
    stated = law(name)
    first = found.violations[0]
    text = " ".join(str(found).split())
    assert text.startswith(f"{law(first.law).id} {first.law}: {law(first.law).sentence}")
    assert f"observed {first.observed} required {first.required} source {law(first.law).source} why " in text
    assert f"{stated.id} {stated.name}" in text
    # … which replays to the same violation, for both judges.
    again = replay(found.trace, live(faulty(24, 3), "pool"))
    told = {(violation.law, violation.operations) for violation in found.violations}
    assert {(violation.law, violation.operations) for violation in again.violations} == told
    laws = [law(name) for name, _ in sorted(told)]
    verdicts = judge(again.history(), laws)
    assert all(isinstance(verdict.outcome, Violated) for verdict in verdicts)


def test_machine__says_what_a_subject_raised() -> None:
    found = violation_of(lambda: RaisesWhenFull(24, 3), "pool")
    assert isinstance(found.__cause__, IndexError)


def test_machine__without_make_says_what_is_missing() -> None:
    with pytest.raises(NotImplementedError, match="needs make"):
        AllocatorMachine()


class Bare:
    """A pool that offers no counter and no field."""

    def __init__(self) -> None:
        pool = PoolAllocator(24, 3)
        self.alloc, self.dealloc, self.num_blocks = pool.alloc, pool.dealloc, 3


def test_live__laws_that_a_subject_cannot_answer_are_not_asked() -> None:
    asked = {tally.law.name for tally in Session(live(Bare(), "pool")).online.tallies}
    assert not asked & {"pool_conserved", "accounting_exact", "pool_on_grid", "in_bounds"}
    assert "pool_serves_while_free" in asked
    run(Bare, "pool")


# --------------------------------------------------------------------------------------------- malloc


class CLibrary:
    """The C library's allocator, by its own names."""

    def __init__(self) -> None:
        library = ctypes.CDLL(None)
        for name, arguments in (("malloc", 1), ("calloc", 2), ("realloc", 2), ("aligned_alloc", 2)):
            function = library[name]
            function.restype = ctypes.c_void_p
            function.argtypes = [ctypes.c_size_t] * arguments
            setattr(self, name, function)
        self._free = library["free"]
        self._free.restype = None
        self._free.argtypes = [ctypes.c_void_p]

    def free(self, ptr: int) -> None:
        self._free(ptr)


class ForgetfulRealloc(CLibrary):
    """A resize that grows moves the block and forgets to copy its last byte."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: dict[int, int] = {}
        plain, self.realloc = self.malloc, self._realloc  # type: ignore[has-type]
        self._malloc, self.malloc = plain, self._remember

    def _remember(self, size: int) -> int | None:
        ptr: int | None = self._malloc(size)
        if ptr is not None:
            self.sizes[ptr] = size
        return ptr

    def _realloc(self, ptr: int, size: int) -> int | None:
        new = self._remember(size)
        if new is not None:
            ctypes.memset(new, 0, 1)
            ctypes.memmove(new, ptr, max(0, min(self.sizes.get(ptr, 0), size) - 1))
        return new


class WrappingCalloc(CLibrary):
    """The product is computed modulo 2**64."""

    def __init__(self) -> None:
        super().__init__()
        calloc: Any = self.calloc  # type: ignore[has-type]
        self.calloc = lambda count, size: calloc(1, count * size % 2**64)


def test_machine__passes_the_c_library() -> None:
    run(CLibrary, "malloc")


def test_machine__finds_a_product_that_wraps() -> None:
    found = violation_of(WrappingCalloc, "malloc")
    assert [violation.law for violation in found.violations] == ["overflow_is_failure"]
    assert len(found.trace) == 1


def test_machine__finds_a_resize_that_loses_the_prefix() -> None:
    found = violation_of(ForgetfulRealloc, "malloc")
    assert [violation.law for violation in found.violations] == ["realloc_keeps_prefix"]
    made, resized = found.trace.ops()
    assert made.kind in (Kind.ALLOC, Kind.ALIGNED)
    assert resized.kind == Kind.RESIZE


@settings(FIXED, max_examples=40)
@given(st.data())
def test_traces__run_on_the_c_library(data: st.DataObject) -> None:
    subject = live(CLibrary(), "malloc")
    trace = data.draw(traces("malloc", Env(), offers=subject.offers))
    session = replay(trace, subject)
    assert session.violations == []
    for slot in list(session.slots):
        session.do(Op(Kind.FREE, slot=slot))
    assert session.slots == {}
