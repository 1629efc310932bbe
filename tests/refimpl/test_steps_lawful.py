"""No law is broken on thousands of random operations, boundary sizes among them; and the trial can see a fault."""

import random
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from heaplaw.refimpl.steps import bump, freelist, stack
from heaplaw.spec.history import Op
from heaplaw.spec.protocols import Memory
from heaplaw.spec.shapes import Kind

from .running import SYSTEMS, Trial, drawn

BUFFERS = ((0x10000, 4096), (0x10008, 1000), (0x10003, 333), (0x1FFF9, 9000), (0x10010, 31), (0x10005, 0), (8, 64))


def _run(trial: Trial, rng: random.Random, operations: int) -> None:
    for _ in range(operations):
        trial.do(*drawn(rng, trial.system, int(trial.state.remaining)))


@pytest.mark.parametrize("name", SYSTEMS)
@pytest.mark.parametrize("buffer", BUFFERS, ids=lambda pair: f"{pair[0]:#x}-{pair[1]}")
def test_steps__break_no_law(name: str, buffer: tuple[int, int]) -> None:
    rng = random.Random(f"{name} {buffer}")
    for _ in range(12):
        _run(Trial(SYSTEMS[name], *buffer), rng, 60)


JUDGED = {
    "bump": {"aligned", "blocks_disjoint", "zeroed", "overflow_is_failure", "fits_is_served", "bump_monotonic"},
    "stack": {"aligned", "blocks_disjoint", "zeroed", "overflow_is_failure", "fits_is_served", "lifo_pop"},
    "freelist": {
        "aligned",
        "usable_sizes_disjoint",
        "first_fit",
        "split_leaves_minimum",
        "constant_time",
        "linear_time",
    },
    "coalescing": {"aligned", "usable_sizes_disjoint", "first_fit", "capacity_comes_back", "linear_time"},
}


@pytest.mark.parametrize("name", SYSTEMS)
def test_steps__are_judged_by_the_laws_of_their_shape(name: str) -> None:
    rng, trial = random.Random(7), Trial(SYSTEMS[name], 0x10000, 2048)
    _run(trial, rng, 300)
    judged = {tally.law.name for tally in trial.online.tallies if tally.judged}
    assert JUDGED[name] | {"total_is_live_bytes", "remaining_is_rest", "in_bounds", "payload_kept"} <= judged


@pytest.mark.parametrize("name", SYSTEMS)
def test_steps__refuse_kinds_that_they_have_not(name: str) -> None:
    trial = Trial(SYSTEMS[name], 0x10000, 256)
    for kind in set(Kind) - set(SYSTEMS[name].kinds):
        with pytest.raises(ValueError, match="no operation"):
            SYSTEMS[name].steps.step(trial.state, Op(kind, 8), 0, trial.memory)


# ------------------------------------------------------------------------------- the trial itself can fail


def _unpadded(state: bump.BumpState, op: Op, ptr: int, memory: Memory) -> Any:
    after, e = bump.step(state, op, ptr, memory)
    return after, replace(e, ptr=e.ptr - e.ptr % 8 + 4) if e.makes else e


def _pops_header_only(state: stack.StackState, op: Op, ptr: int, memory: Memory) -> Any:
    after, e = stack.step(state, op, ptr, memory)
    if op.kind == Kind.POP and state.offset:
        after = replace(after, offset=after.offset + 8)
        e = replace(e, remaining=after.remaining, total=after.allocated)
    return after, e


def _frees_headers_late(state: freelist.FreeListState, op: Op, ptr: int, memory: Memory) -> Any:
    after, e = freelist.step(state, op, ptr, memory)
    if op.kind == Kind.FREE:
        after = replace(after, allocated=after.allocated + freelist.HEADER)
        e = replace(e, remaining=after.remaining, total=after.allocated)
    return after, e


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("bump", _unpadded),
        ("stack", _pops_header_only),
        ("freelist", _frees_headers_late),
        ("coalescing", _frees_headers_late),
    ],
)
def test_trial__sees_a_fault(name: str, step: Any) -> None:
    steps = SimpleNamespace(**{**vars(SYSTEMS[name].steps), "step": step})
    rng, faulty = random.Random(3), replace(SYSTEMS[name], steps=steps)
    with pytest.raises(AssertionError):
        _run(Trial(faulty, 0x10000, 2048), rng, 200)
