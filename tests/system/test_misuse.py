"""What no correct program calls is refused by name, and changes nothing: not the books, and not what is served next."""

from collections.abc import Callable

import pytest

from heaplaw.refimpl import allocators
from heaplaw.refimpl.system import (
    Allocator,
    Arena,
    Freelist,
    GcAllocator,
    Limited,
    Mapped,
    MisuseError,
    Observed,
    Plan,
    Platform,
    Registry,
    SizePools,
    Statistics,
    Strategy,
    Subsystem,
    Switches,
    Trace,
    strdup,
    text_at,
)
from heaplaw.refimpl.system.interface import Leak

from .judged import SUBJECTS

State = tuple[Statistics, list[Leak], int]


def state(allocator: Allocator) -> State:
    return allocator.statistics(), allocator.leaks(), allocator.footprint()


CALLS: dict[str, tuple[Callable[[Allocator, int], object], str]] = {
    "negative size": (lambda a, p: a.alloc(-1), r"alloc\(-1\): a size is an integer of 0 bytes or more"),
    "no size": (lambda a, p: a.alloc(1.5), r"alloc\(1\.5\): a size"),  # type: ignore[arg-type]
    "truth as a size": (lambda a, p: a.alloc_zeroed(True), "a size"),
    "negative resize": (lambda a, p: a.realloc(p, -8), r"realloc\(-8\): a size"),
    "alignment 0": (lambda a, p: a.alloc(8, 0), r"alloc\(align=0\): an alignment is a power of two"),
    "alignment 24": (lambda a, p: a.alloc(8, 24), "power of two"),
    "alignment -8": (lambda a, p: a.alloc(8, -8), "power of two"),
    "foreign pointer": (lambda a, p: a.free(0x5000), r"free\(0x5000\) of .*: no block of this allocator starts there"),
    "foreign resize": (lambda a, p: a.realloc(0x5000, 8), r"realloc\(0x5000\) of .*: no block"),
    "interior pointer": (lambda a, p: a.free(p + 4), "4 bytes inside the live block of 8 bytes at 0x"),
    "wrong size": (lambda a, p: a.free_sized(p, 9), r"free_sized\(0x.*, 9\) of .*: the block there has 8 bytes"),
    "smaller size": (lambda a, p: a.free_sized(p, 7), "the block there has 8 bytes"),
    "site": (lambda a, p: a.alloc(8, site="x"), "site='x': a site is a pair of file and line"),  # type: ignore[arg-type]
    "tag": (lambda a, p: a.alloc(8, tag=5), "tag=5: a tag is a text"),  # type: ignore[arg-type]
    "tag of a resize": (lambda a, p: a.realloc(p, 9, tag=5), "tag=5: a tag is a text"),  # type: ignore[arg-type]
    "text as a pointer": (lambda a, p: a.free("x"), r"free\('x'\) of .*: an address is an integer"),  # type: ignore[arg-type]
    "None as a pointer": (lambda a, p: a.free(None), r"free\(None\) of .*: an address is an integer"),  # type: ignore[arg-type]
    "one byte inside": (lambda a, p: a.free(p + 1), "it lies 1 byte inside the live block of 8 bytes"),
    "foreign mark": (lambda a, p: a.release(77), "no mark of this allocator"),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("name", SUBJECTS)
def test_misuse__is_refused_and_changes_nothing(name: str, call: str) -> None:
    allocator = SUBJECTS[name]()
    block = allocator.alloc(8)
    before = state(allocator)
    action, words = CALLS[call]
    with pytest.raises(MisuseError, match=words):
        action(allocator, block)
    assert state(allocator) == before
    allocator.free_sized(block, 8)


@pytest.mark.parametrize("name", SUBJECTS)
def test_double_free__is_told_from_a_foreign_pointer(name: str) -> None:
    allocator = SUBJECTS[name]()
    block, other = allocator.alloc(8), allocator.alloc(5)
    allocator.free(block)
    before = state(allocator)
    with pytest.raises(MisuseError, match="the block of 8 bytes there is freed already") as error:
        allocator.free(block)
    assert error.value.address == block
    assert "freed already" in error.value.known
    with pytest.raises(MisuseError, match="freed already"):
        allocator.realloc(block, 3)
    assert state(allocator) == before
    allocator.free(other)


@pytest.mark.parametrize("name", [name for name in SUBJECTS if name != "thread-local"])
def test_use_after_drop__is_refused(name: str) -> None:
    allocator = SUBJECTS[name]()
    block, mark = allocator.alloc(8), allocator.mark()
    allocator.drop()
    before = state(allocator)
    assert (before[0].current_bytes, before[0].peak_bytes, before[2]) == (0, 8, 0 if "pools" not in name else before[2])
    uses: list[Callable[[], object]] = [
        *(lambda: allocator.alloc(1), lambda: allocator.alloc_zeroed(1), lambda: allocator.realloc(block, 9)),
        *(lambda: allocator.free(block), lambda: allocator.free_sized(block, 8), lambda: allocator.free(0)),
        *(allocator.reset, allocator.mark, lambda: allocator.release(mark), allocator.drop),
    ]
    for use in uses:
        with pytest.raises(MisuseError, match="it has been dropped"):
            use()
    assert state(allocator) == before


@pytest.mark.parametrize("name", SUBJECTS)
def test_marks__end_with_their_scope(name: str) -> None:
    allocator = SUBJECTS[name]()
    outer, inner = allocator.mark(), allocator.mark()
    allocator.release(outer)
    for ended in (outer, inner):
        with pytest.raises(MisuseError, match="one that has ended"):
            allocator.release(ended)
    mark = allocator.mark()
    allocator.reset()
    with pytest.raises(MisuseError, match="one that has ended"):
        allocator.release(mark)


def test_null__is_no_block_and_no_misuse() -> None:
    platform = Platform()
    platform.free(0)
    platform.free_sized(0, 8)
    block = platform.realloc(0, 8)
    assert block != 0
    assert platform.allocations() == 1


def test_misuse__is_that_of_the_single_allocators_too() -> None:
    assert issubclass(MisuseError, allocators.MisuseError)
    assert issubclass(MisuseError, ValueError)


MAKERS: dict[str, tuple[Callable[[], object], str]] = {
    "block size": (lambda: Freelist(-1), "a block has 0 bytes or more"),
    "blocks per chunk": (lambda: Freelist(8, 0), "a chunk a block or more"),
    "classes unordered": (lambda: SizePools(sizes=(32, 16)), "multiples of 16 bytes, ascending"),
    "classes uneven": (lambda: SizePools(sizes=(8, 24)), "multiples of 16 bytes, ascending"),
    "chunk size": (lambda: Arena(-1), "a size is"),
    "threshold": (lambda: Mapped(Platform(), -1), "a size is"),
    "strategy": (lambda: Registry({Subsystem.VM: Plan("bump")}, Switches()), "no such strategy"),  # type: ignore[arg-type]
    "block size, text": (lambda: Freelist("x"), r"Freelist\('x', 64\): both numbers are integers"),  # type: ignore[arg-type]
    "limit on nothing": (lambda: Limited(None, 4), r"Limited\(None\): it takes an allocator"),  # type: ignore[arg-type]
    "trace of nothing": (lambda: Trace(None), r"Trace\(None\): it takes an allocator"),  # type: ignore[arg-type]
    "parent": (lambda: Arena(64, parent=5), r"Arena\(5\): it takes an allocator"),  # type: ignore[arg-type]
    "parent of pools": (lambda: SizePools(5), r"SizePools\(5\): it takes an allocator"),  # type: ignore[arg-type]
    "parent of blocks": (lambda: Freelist(8, parent=5), r"Freelist\(5\): it takes an allocator"),  # type: ignore[arg-type]
    "collector": (lambda: GcAllocator(Platform(), None, 10), r"GcAllocator\(None\): it takes a function"),  # type: ignore[arg-type]
    "listener": (lambda: Observed(Platform(), None), r"Observed\(None\): it takes a function"),  # type: ignore[arg-type]
    "allocator by name": (lambda: strdup("a", "AST"), r"of\('AST'\): it takes an allocator"),  # type: ignore[arg-type]
    "subsystem by name": (lambda: Registry({"AST": Plan()}, Switches()), "'AST': a subsystem is one of Subsystem: VM"),  # type: ignore[dict-item]
    "no plan": (lambda: Registry({Subsystem.AST: "arena"}, Switches()), "AST has 'arena': it takes a Plan"),  # type: ignore[dict-item]
    "get by name": (lambda: Registry(switches=Switches()).get("AST"), "get: 'AST': a subsystem is one of"),  # type: ignore[arg-type]
    "text at 0": (lambda: text_at(0), r"text_at\(0\): no text is there"),
    "line": (lambda: Trace(Platform()).alloc(1, site=("a.c", -1)), "a line is a number from 0"),
}


@pytest.mark.parametrize("what", MAKERS)
def test_configuration__that_means_nothing_is_refused(what: str) -> None:
    make, words = MAKERS[what]
    with pytest.raises(MisuseError, match=words):
        make()


def test_wrapper__refuses_an_allocator_in_use() -> None:
    platform = Platform()
    block = platform.alloc(1)
    with pytest.raises(MisuseError, match="live blocks, which the wrapper would not know"):
        Observed(platform, lambda notice: None)
    platform.free(block)
    assert Observed(platform, lambda notice: None).alloc(1) != 0


def test_refusals__are_no_misuse() -> None:
    for allocator in (Platform(), Arena(), Freelist(64), SizePools(), Trace(Arena())):
        before = state(allocator)
        assert allocator.alloc(2**63) == allocator.alloc_zeroed(2**64) == allocator.alloc(1, 2**64) == 0
        assert state(allocator) == before
    assert Strategy("arena") is Strategy.ARENA
