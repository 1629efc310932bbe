"""The n-th request to a parent is refused, for every n: the request in hand is refused too, and nothing changes."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heaplaw.refimpl.system import (
    Allocator,
    Arena,
    Freelist,
    GcAllocator,
    Limited,
    Mapped,
    Observed,
    Platform,
    SizePools,
    Trace,
)
from heaplaw.refimpl.system.ledger import Note
from heaplaw.refimpl.system.wrapper import Wrapper
from heaplaw.spec.shapes import Kind

from .judged import Act, Judged, acts

FIXED = settings(derandomize=True, database=None, deadline=None, max_examples=25)


class Starved(Wrapper):
    """Refuses the n-th request for a block, counted from 1, and serves all others."""

    def __init__(self, n: int) -> None:
        super().__init__(Platform(), "starved")
        self.n = n
        self.asked = 0

    def _take(self, size: int, align: int, note: Note) -> int:
        self.asked += 1
        return 0 if self.asked == self.n else super()._take(size, align, note)


MAKERS: dict[str, Callable[[Allocator], Allocator]] = {
    "arena": lambda parent: Arena(160, parent),
    "freelist": lambda parent: Freelist(320, 2, parent),
    "pools": lambda parent: SizePools(parent, (16, 48, 128), 200),
    "trace of what refuses": Trace,
    "trace without records": lambda parent: Trace(Platform(), parent),
    "limited": lambda parent: Limited(parent, 10_000),
    "mapped": lambda parent: Mapped(parent, 150),
    "observed": lambda parent: Observed(parent, lambda notice: None),
    "arena over pools": lambda parent: Arena(160, SizePools(parent, (192,), 400)),
    "pools over arena": lambda parent: SizePools(Arena(500, parent)),
}
PROGRAM: list[tuple[Kind, int]] = [
    *((Kind.ALLOC, 40), (Kind.ALLOC, 100), (Kind.RESIZE, 120), (Kind.ALLOC, 8), (Kind.ALLOC, 300), (Kind.FREE, 0)),
    *((Kind.RESIZE, 200), (Kind.ALLOC, 64), (Kind.ALLOC, 64), (Kind.RESET, 0), (Kind.ALLOC, 300), (Kind.ALLOC, 15)),
]


@pytest.mark.parametrize("name", MAKERS)
def test_refusal__by_the_parent_changes_nothing(name: str) -> None:
    refused = 0
    for n in range(1, 12):
        allocator = MAKERS[name](Starved(n))
        blocks: list[int] = []
        for kind, size in PROGRAM:
            before = allocator.statistics(), allocator.leaks()
            ptr = _done(allocator, blocks, kind, size)
            if kind in (Kind.ALLOC, Kind.RESIZE) and ptr == 0:
                refused += 1
                assert (allocator.statistics(), allocator.leaks()) == before
                again = _done(allocator, blocks, kind, size)
                assert again != 0, "it was refused once only"
            assert allocator.invariant()
        allocator.drop()
    assert refused > 0


def _done(allocator: Allocator, blocks: list[int], kind: Kind, size: int) -> int:
    if kind == Kind.ALLOC:
        ptr = allocator.alloc(size)
        blocks += [ptr] if ptr else []
        return ptr
    if kind == Kind.RESIZE:
        ptr = allocator.realloc(blocks[-1], size)
        blocks[-1] = ptr or blocks[-1]
        return ptr
    if kind == Kind.FREE:
        allocator.free(blocks.pop(0))
    else:
        allocator.reset()
        blocks.clear()
    return 0


@pytest.mark.parametrize("name", MAKERS)
@FIXED
@given(acts(), st.integers(100, 2000))
def test_parent__that_runs_out_breaks_no_law(name: str, program: list[Act], limit: int) -> None:
    # 0 bytes are promised a block, which nobody has where there is no memory.
    some = [(kind, size or 1, align, label, pick) for kind, size, align, label, pick in program]
    Judged(MAKERS[name](Limited(Platform(), limit))).run(some)


def test_emergency__does_not_help_where_nothing_can_be_freed() -> None:
    calls: list[bool] = []
    gc = GcAllocator(Starved(2), calls.append, 10**6)
    assert (gc.alloc(1) != 0, gc.alloc(2) != 0, calls) == (True, True, [True])
