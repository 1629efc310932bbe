"""The reference allocators beside CPython's and the C library's, on one trace of Python calls, in turns.

Every allocator is called from Python, one call an operation, so the ratios say what the reference costs over a call
through ctypes, not what an allocator in C costs. What is lost is seen from outside alone: from the addresses.
"""

import ctypes
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import Any

from heaplaw.refimpl import system
from heaplaw.refimpl.allocators import GlobalAllocator
from heaplaw.refimpl.allocators.plain import Bump, CoalescingFreeList, FreeList
from heaplaw.spec.layout import PAGE

__all__ = ["SUBJECTS", "Measured", "Opened", "overhead", "pages", "replay", "run", "trace"]

SEED = 1
LIVE = 200
"""Blocks that are live all along."""
SMALLEST, LARGEST = 16, 512
PROBE = 64
"""Bytes of the blocks whose distance is measured."""
PROBED = 512
CAPACITY = 2**23
"""Bytes of the buffers that have to be given one."""


@dataclass(frozen=True)
class Opened:
    """An allocator to be called: `free` may do nothing, where only `close` ends blocks."""

    alloc: Callable[[int], int | None]
    free: Callable[[int], object]
    close: Callable[[], object]


def _of_c(library: Any, alloc: str, free: str) -> Opened:
    taking, giving = library[alloc], library[free]
    taking.restype, taking.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    giving.restype, giving.argtypes = None, [ctypes.c_void_p]
    return Opened(taking, giving, lambda: None)


def _over_buffer(make: Callable[[int, int], Any], frees: bool) -> Opened:
    raw = ctypes.create_string_buffer(CAPACITY)
    made = make(ctypes.addressof(raw), CAPACITY)

    def close(_kept: object = raw) -> None:
        made.drop()

    return Opened(made.alloc, made.dealloc if frees else lambda ptr: None, close)


def _of_system(made: Any, frees: bool = True) -> Opened:
    return Opened(made.alloc, made.free if frees else lambda ptr: None, made.drop)


def _of_global() -> Opened:
    made = GlobalAllocator()
    return Opened(made.malloc, made.free, lambda: None)


SUBJECTS: dict[str, Callable[[], Opened]] = {
    "malloc (ctypes)": lambda: _of_c(ctypes.CDLL(None), "malloc", "free"),
    "PyMem_RawMalloc": lambda: _of_c(ctypes.PyDLL(None), "PyMem_RawMalloc", "PyMem_RawFree"),
    "PyMem_Malloc": lambda: _of_c(ctypes.PyDLL(None), "PyMem_Malloc", "PyMem_Free"),
    "PyObject_Malloc": lambda: _of_c(ctypes.PyDLL(None), "PyObject_Malloc", "PyObject_Free"),
    "ref:global": _of_global,
    "ref:platform": lambda: _of_system(system.Platform()),
    "ref:pools": lambda: _of_system(system.SizePools()),
    "ref:fixed": lambda: _of_system(system.Freelist(LARGEST, 64)),
    "ref:freelist": lambda: _over_buffer(FreeList, True),
    "ref:freelist-coalescing": lambda: _over_buffer(CoalescingFreeList, True),
    "ref:bump": lambda: _over_buffer(Bump, False),
    "ref:arena": lambda: _of_system(system.Arena(), False),
    "ref:trace": lambda: _of_system(system.Trace(system.Platform())),
}
"""By name; each call opens a fresh one."""
FIRST = "malloc (ctypes)"


def trace(operations: int) -> list[tuple[int, int]]:
    """Pairs of the block that ends (an index into the live ones) and the size that takes its place, bytes."""
    random = Random(SEED)
    return [(random.randrange(LIVE), random.randrange(SMALLEST, LARGEST + 1)) for _ in range(operations // 2)]


def replay(opened: Opened, pairs: list[tuple[int, int]]) -> float:
    """Seconds that the trace takes, from the first call to the last."""
    alloc, free = opened.alloc, opened.free
    live = [alloc(PROBE) for _ in range(LIVE)]
    start = time.perf_counter()
    for place, size in pairs:
        free(live[place] or 0)
        live[place] = alloc(size)
    spent = time.perf_counter() - start
    for ptr in live:
        free(ptr or 0)
    return spent


def overhead(opened: Opened) -> float:
    """Bytes between blocks of 64 bytes that were asked for one after another: the distance met most, less 64."""
    found = sorted(opened.alloc(PROBE) or 0 for _ in range(PROBED))
    between = [high - low - PROBE for low, high in pairwise(found)]
    for ptr in found:
        opened.free(ptr)
    return statistics.mode(between)


def pages(opened: Opened, pairs: list[tuple[int, int]]) -> float:
    """Pages that blocks ever covered, by the pages that the bytes live at the peak would fill."""
    sizes, live = [PROBE] * LIVE, [opened.alloc(PROBE) or 0 for _ in range(LIVE)]
    covered, peak = set[int](), 0
    for place, size in pairs:
        opened.free(live[place])
        live[place], sizes[place] = opened.alloc(size) or 0, size
        peak = max(peak, sum(sizes))
        covered.update(range(live[place] // PAGE, (live[place] + size - 1) // PAGE + 1))
    for ptr in live:
        opened.free(ptr)
    return len(covered) * PAGE / max(1, peak)


@dataclass(frozen=True)
class Measured:
    """What came of one allocator."""

    rates: tuple[float, ...]
    """Operations a second, a round each."""
    overhead: float
    pages: float


def measured(rounds: int, pairs: list[tuple[int, int]]) -> dict[str, Measured]:
    """All allocators, in turns: what slows the machine down slows them all."""
    rates: dict[str, list[float]] = {name: [] for name in SUBJECTS}
    for _ in range(rounds):
        for name, make in SUBJECTS.items():
            opened = make()
            rates[name].append(2 * len(pairs) / replay(opened, pairs))
            opened.close()
    found: dict[str, Measured] = {}
    for name, make in SUBJECTS.items():
        opened = make()
        apart = overhead(opened)
        opened.close()
        again = make()
        found[name] = Measured(tuple(rates[name]), apart, pages(again, pairs))
        again.close()
    return found


def run(quick: bool) -> Iterator[str]:
    """The table."""
    operations, rounds = (4_000, 3) if quick else (20_000, 7)
    yield f"reference: {operations:,} calls from Python each, {rounds} rounds in turns, {LIVE} live blocks of up to"
    yield f"{LARGEST} bytes; operations a second: median (range); bump and arena free nothing before the end"
    found = measured(rounds, trace(operations))
    first = statistics.median(found[FIRST].rates)
    yield f"  {'':<24}{'thousand/s':>10} {'(range)':<15}{'of malloc':>9}{'bytes/block':>13}{'pages':>7}"
    for name, each in found.items():
        middle = statistics.median(each.rates)
        span = f"({min(each.rates) / 1e3:.0f} to {max(each.rates) / 1e3:.0f})"
        lost = f"{each.overhead:>13.0f}{each.pages:>7.1f}"
        yield f"  {name:<24}{middle / 1e3:>10.0f} {span:<15}{middle / first:>9.2f}{lost}"
    yield f"  bytes/block: from one block of {PROBE} bytes to the next, less {PROBE}"
    yield "  pages: bytes of all pages that blocks ever covered, by the most bytes that were live"
