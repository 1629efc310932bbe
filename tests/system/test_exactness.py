"""Every allocator, driven by random programs, keeps the catalogue's laws: its blocks, and what it reports of them."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heaplaw.refimpl.system import Arena, Limited, Platform, SizePools, Trace
from heaplaw.refimpl.system.base import Booked
from heaplaw.refimpl.system.ledger import Tally
from heaplaw.spec.shapes import Kind

from .judged import SUBJECTS, Act, Judged, acts

FIXED = settings(derandomize=True, database=None, deadline=None, max_examples=25)


@pytest.mark.parametrize("name", SUBJECTS)
@FIXED
@given(acts())
def test_reports__are_exact_after_every_operation(name: str, program: list[Act]) -> None:
    judged = Judged(SUBJECTS[name]()).run(program)
    judged.allocator.drop()
    if name != "thread-local":  # that one makes another instance
        assert (judged.allocator.current_bytes(), judged.allocator.leaks()) == (0, [])


@FIXED
@given(acts(), st.integers(0, 400), st.sampled_from([Platform, Arena, SizePools]))
def test_limit__refuses_exactly_past_it(program: list[Act], limit: int, inner: Callable[[], Booked]) -> None:
    served = [act for act in program if act[1] < 2**60]
    Judged(Limited(inner(), limit), limit=limit).run(served)


def test_limit__of_0_bytes_serves_blocks_of_0_bytes_only() -> None:
    limited = Limited(Platform(), 0)
    assert limited.alloc(1) == 0
    assert limited.alloc(0) != 0


def test_limit__is_reached_exactly_by_resizes_too() -> None:
    limited = Limited(Platform(), 100)
    block, other = limited.alloc(60), limited.alloc(30)
    assert limited.realloc(block, 71) == 0
    block = limited.realloc(block, 70)
    assert (block != 0, limited.alloc(1), limited.current_bytes()) == (True, 0, 100)
    limited.free(other)
    assert limited.alloc_zeroed(31) == 0
    assert limited.alloc_zeroed(30) != 0


@pytest.mark.parametrize("name", [name for name in SUBJECTS if "freelist" not in name and name != "collected"])
def test_realloc__keeps_the_alignment_that_was_asked_for(name: str) -> None:
    allocator = SUBJECTS[name]()
    for size in range(1, 60):
        block = allocator.alloc(4, 256)
        moved = allocator.realloc(block, size)
        assert (moved % 256, moved != 0) == (0, True)
        allocator.free(moved)


FORGETFUL = [
    (Tally, "shrink", lambda tally, size: None),
    (Tally, "grow", lambda tally, size: setattr(tally, "count", tally.count + 1)),
    (Trace, "_unrecord", lambda trace, ptr: trace._by_address[ptr]),
    (Platform, "_resize", lambda platform, ptr, held, size, note: platform._take(size, held.align, note)),
]


@pytest.mark.parametrize(("owner", "name", "fault"), FORGETFUL)
def test_laws__see_books_that_are_kept_wrongly(
    monkeypatch: pytest.MonkeyPatch, owner: type, name: str, fault: object
) -> None:
    monkeypatch.setattr(owner, name, fault)
    judged = Judged(Trace(Platform()))
    program: list[Act] = [
        (Kind.ALLOC, 40, 0, 1, 0),
        (Kind.RESIZE, 500, 0, 0, 0),
        (Kind.ALLOC, 30, 0, 2, 0),
        (Kind.FREE, 0, 0, 1, 0),
    ]
    with pytest.raises((AssertionError, KeyError), match=r"Violation\(|tag"):
        judged.run(program)


@pytest.mark.parametrize("name", [name for name in SUBJECTS if name != "arena over pools"])
def test_drop__gives_everything_back_to_the_platform(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    platforms: list[Platform] = []
    made = Platform.__init__

    def noted(self: Platform, name: str = "platform") -> None:
        made(self, name)
        platforms.append(self)

    monkeypatch.setattr(Platform, "__init__", noted)
    allocator = SUBJECTS[name]()
    blocks = [allocator.alloc(size) for size in (1, 8, 40, 60, 8, 120, 300)]
    allocator.free(blocks[0])
    assert sum(platform.footprint() for platform in platforms) > 0
    allocator.drop()
    assert [platform.footprint() for platform in platforms] == [0] * len(platforms)


def test_drop__of_an_arena_leaves_its_parent_alone() -> None:
    parent = SizePools()
    other = parent.alloc(10)
    arena = Arena(160, parent)
    arena.alloc(500)
    assert parent.statistics().live_blocks == 2
    arena.drop()
    assert [leak.address for leak in parent.leaks()] == [other]
