"""The objects that users hold are driven by their methods, as anybody's are, and break no law."""

import ctypes
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heaplaw.models.live import live_object
from heaplaw.models.session import replay
from heaplaw.models.strategies import programs
from heaplaw.refimpl import GlobalAllocator, PoolAllocator, global_dealloc
from heaplaw.refimpl.allocators import libc, plain
from heaplaw.spec.event import Direction, Order, Padding
from heaplaw.spec.history import make_trace
from heaplaw.spec.shapes import SHAPES

FIXED = settings(derandomize=True, database=None, deadline=None, max_examples=40)
CAPACITY = 2048
_BUFFER = (ctypes.c_char * (CAPACITY + 16))()


@dataclass(frozen=True)
class Thing:
    """An object of a shape, what it promises, and what must be found on it."""

    shape: str
    make: Callable[[], Any]
    offers: str
    promises: Mapping[str, Any] = field(default_factory=dict[str, Any])
    again: bool = True
    """It can be dropped, and made again over the same memory."""


def _over(found: Callable[[int, int], Any]) -> Callable[[], Any]:
    return lambda: found(ctypes.addressof(_BUFFER) + 8, CAPACITY)


_SIZED = "malloc calloc aligned_alloc remaining total_allocated bounds "
_COUNTED = {"padding": Padding.COUNTED}
THINGS = {
    "bump": Thing("bump", _over(plain.Bump), _SIZED + "reset", {**_COUNTED, "direction": Direction.UP}),
    "stack": Thing("stack", _over(plain.Stack), _SIZED + "pop reset", {**_COUNTED, "header": 15}),
    "freelist": Thing("freelist", _over(plain.FreeList), _SIZED + "free usable_size", _COUNTED),
    "coalescing": Thing(
        "freelist", _over(plain.CoalescingFreeList), _SIZED + "free usable_size", {**_COUNTED, "coalesces": True}
    ),
    "pool": Thing(
        "pool",
        lambda: PoolAllocator(20, 5),
        "malloc free num_free_blocks num_allocated bounds grid",
        {"reuse_order": Order.LIFO},
        again=False,
    ),
    "global": Thing("malloc", GlobalAllocator, "malloc calloc realloc free aligned_alloc usable_size", again=False),
}


@pytest.mark.parametrize("name", THINGS)
@FIXED
@given(data=st.data())
def test_objects__break_no_law(name: str, data: st.DataObject) -> None:
    thing = THINGS[name]
    again = thing.make if thing.again else None
    live = live_object(thing.make(), SHAPES[thing.shape], thing.promises, again)
    assert set(thing.offers.split()) | ({"renew"} if thing.again else set()) <= live.offers
    ops = data.draw(programs(thing.shape, live.env, 30, live.offers))
    session = replay(make_trace(thing.shape, ops, live.env), live)
    for ptr, layout in libc.live_blocks().items():
        global_dealloc(ptr, layout)
    assert session.violations == []
