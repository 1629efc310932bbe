"""The classes do what the steps do: every address and counter, after every operation, at the same base."""

import ctypes
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heaplaw.spec.history import Op
from heaplaw.spec.shapes import Kind

from .running import ALIGNMENTS, COUNTS, LARGE, REQUESTS, SIZES, SYSTEMS, System, Trial, call

FIXED = settings(derandomize=True, database=None, deadline=None, max_examples=80)
ROOM = 8192
_BUFFER = (ctypes.c_char * (ROOM + 64))()


def operations(system: System) -> st.SearchStrategy[tuple[Op, int]]:
    """An operation, and which block it names."""
    sizes = st.sampled_from(SIZES) | st.integers(0, 600) | st.sampled_from(LARGE)
    others = [kind for kind in system.kinds if kind not in REQUESTS]
    return st.one_of(
        sizes.map(lambda size: (Op(Kind.ALLOC, size), 0)),
        st.tuples(sizes, st.sampled_from(COUNTS)).map(lambda pair: (Op(Kind.ZALLOC, pair[0], count=pair[1]), 0)),
        st.tuples(sizes, st.sampled_from(ALIGNMENTS)).map(lambda pair: (Op(Kind.ALIGNED, pair[0], align=pair[1]), 0)),
        st.tuples(st.sampled_from(others), st.integers(0, 40)).map(lambda pair: (Op(pair[0]), pair[1])),
    )


def compare(trial: Trial, subject: Any) -> None:
    """Every field and counter of class and steps is the same."""
    state, inner = trial.state, subject.allocator
    assert {name: getattr(inner, name) for name in trial.system.fields} == {
        name: int(getattr(state, name)) for name in trial.system.fields
    }
    assert (inner.buffer, inner.capacity) == (state.buffer, state.capacity)
    assert (subject.remaining(), subject.total_allocated()) == (state.remaining, state.allocated)
    assert subject.remaining() + subject.total_allocated() == subject.capacity
    if trial.system.shape == "freelist":
        assert inner.free_blocks() == trial.free


@pytest.mark.parametrize("name", SYSTEMS)
@FIXED
@given(data=st.data(), lead=st.integers(0, 24), capacity=st.sampled_from((0, 8, 40, 100, 333, 1024, ROOM)))
def test_class_and_steps_agree(name: str, data: st.DataObject, lead: int, capacity: int) -> None:
    system = SYSTEMS[name]
    base = ctypes.addressof(_BUFFER) + lead
    ctypes.memset(_BUFFER, 0, len(_BUFFER))
    trial, subject = Trial(system, base, capacity), system.made(base, capacity)
    compare(trial, subject)
    for op, pick in data.draw(st.lists(operations(system), max_size=25)):
        held = trial.named(op, pick)
        e = trial.do(op, pick)
        if e is None:
            continue
        ptr = call(subject, op, held.ptr if held else 0)
        assert ptr == e.ptr
        if system.shape == "freelist" and ptr:
            assert subject.usable_size(ptr) == e.usable
        if op.kind == Kind.ZALLOC and ptr:
            assert not any(ctypes.string_at(ptr, int(e.extent)))
        if ptr:
            ctypes.memset(ptr, 0xEE, int(e.extent))
        compare(trial, subject)
