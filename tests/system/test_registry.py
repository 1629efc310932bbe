"""Subsystems with allocators of their own, their statistics, tags and leaks, and the texts of the reports."""

import io
import linecache
import threading

import pytest

from heaplaw.refimpl.system import (
    Allocator,
    Arena,
    Freelist,
    GcAllocator,
    Leak,
    LeakReport,
    Limited,
    MisuseError,
    Observed,
    Plan,
    Platform,
    Registry,
    SizePools,
    Strategy,
    Subsystem,
    Switches,
    Trace,
    allocators_get,
    allocators_here,
    allocators_init,
    allocators_shutdown,
)
from heaplaw.refimpl.system.base import Booked

TABLE = {
    Subsystem.VM: Platform,
    Subsystem.OBJECTS: SizePools,
    Subsystem.STRINGS: Arena,
    Subsystem.BYTECODE: Arena,
    Subsystem.COMPILER: Arena,
    Subsystem.AST: Arena,
    Subsystem.PARSER: Arena,
    Subsystem.SYMBOLS: Arena,
    Subsystem.MODULES: Platform,
    Subsystem.STDLIB: Platform,
    Subsystem.TEMP: Arena,
}
QUIET = Switches()


def test_subsystems__have_the_allocators_of_the_table() -> None:
    registry = Registry(switches=QUIET)
    assert {subsystem: type(registry.get(subsystem)) for subsystem in Subsystem} == TABLE
    assert len({id(registry.get(subsystem)) for subsystem in Subsystem}) == 11


def test_configuration__changes_single_subsystems() -> None:
    plans = {
        Subsystem.OBJECTS: Plan(Strategy.FREELIST, block_size=48),
        Subsystem.STRINGS: Plan(Strategy.PLATFORM, limit=100),
        Subsystem.TEMP: Plan(make=lambda name: Arena(1 << 16, name=name)),
        Subsystem.MODULES: Plan(map_from=4096),
    }
    registry = Registry(plans, QUIET)
    assert {type(registry.get(one)) for one in (Subsystem.AST, Subsystem.TEMP)} == {Arena}
    objects, strings, modules = (registry.get(one) for one in (*list(plans)[:2], Subsystem.MODULES))
    assert isinstance(objects, Freelist)
    assert (objects.alloc(49), objects.block_size) == (0, 48)
    assert isinstance(strings, Limited)
    assert (strings.alloc(101), strings.alloc(100) != 0) == (0, True)
    assert modules.alloc(5000) % 4096 == 0
    assert modules.footprint() == 8192


def program(registry: Registry) -> None:
    """A program whose every number is known."""
    vm, ast, objects = (registry.get(one) for one in (Subsystem.VM, Subsystem.AST, Subsystem.OBJECTS))
    a = vm.alloc(1000, tag="game-state", site=("player.swift", 42))
    vm.free(a)
    vm.alloc(200, tag="game-state", site=("player.swift", 42))
    vm.free(vm.alloc(5))
    for size in (100, 28):
        ast.alloc(size)
    ast.reset()
    objects.alloc(150, tag="ai-data", site=("enemy.swift", 15))


STATISTICS = """\
=== Memory Allocator Statistics ===

--- VM Core ---
Total Allocated:  1205 bytes
Current Usage:    200 bytes
Peak Usage:       1000 bytes
Allocations:      3

--- Objects ---
Total Allocated:  150 bytes
Current Usage:    150 bytes
Peak Usage:       150 bytes
Allocations:      1

--- AST ---
Total Allocated:  128 bytes
Current Usage:    0 bytes
Peak Usage:       128 bytes
Allocations:      2

=== Allocation by Tag ===
| Tag                 | Count | Current Size | Peak Size |
|---------------------|-------|--------------|-----------|
| game-state          |     2 |         200  |     1000  |
| ai-data             |     1 |         150  |      150  |
"""
LEAKS = """\
=== MEMORY LEAKS DETECTED ===
350 bytes leaked in 2 allocations
  {:#x}: 200 bytes at player.swift:42 [game-state]
  {:#x}: 150 bytes at enemy.swift:15 [ai-data]
"""


@pytest.mark.parametrize("custom", [True, False])
@pytest.mark.parametrize("debug", [True, False])
def test_reports__are_the_expected_texts(debug: bool, custom: bool) -> None:
    registry = Registry(switches=Switches(debug=debug, custom=custom), out=io.StringIO())
    program(registry)
    assert registry.report() == STATISTICS
    report = registry.shutdown()
    assert report.text == LEAKS.format(*(leak.address for leak in report.leaks))
    assert (report.bytes, report.count) == (350, 2)


@pytest.mark.parametrize("stats", [True, False])
@pytest.mark.parametrize("debug", [True, False])
def test_shutdown__writes_what_is_switched_on(stats: bool, debug: bool) -> None:
    out = io.StringIO()
    registry = Registry(switches=Switches(stats, debug), out=out)
    program(registry)
    leaks = registry.shutdown().text
    assert out.getvalue() == "\n".join([STATISTICS] * stats + [leaks] * debug)


def test_reports__of_nothing() -> None:
    out = io.StringIO()
    registry = Registry(switches=Switches(debug=True), out=out)
    assert registry.report() == "=== Memory Allocator Statistics ===\n\nNothing was allocated.\n"
    allocator = registry.get(Subsystem.VM)
    allocator.free(allocator.alloc(10))
    report = registry.shutdown()
    assert (report, report.text, report.count, report.bytes, out.getvalue()) == (LeakReport(), "", 0, 0, "")


def test_leak_lines__say_what_is_known() -> None:
    leaks = (Leak(0x1000, 1, "", 0, "", 1), Leak(0x2000, 0, "a.c", 3, "", 2))
    assert LeakReport(leaks[:1]).text.splitlines()[1:] == [
        "1 byte leaked in 1 allocation",
        "  0x1000: 1 byte at an unknown place",
    ]
    assert LeakReport(leaks).text.splitlines()[1:] == [
        "1 byte leaked in 2 allocations",
        "  0x1000: 1 byte at an unknown place",
        "  0x2000: 0 bytes at a.c:3",
    ]


def test_totals__have_the_peak_of_the_sum() -> None:
    registry = Registry(switches=QUIET)
    vm, ast = registry.get(Subsystem.VM), registry.get(Subsystem.AST)
    first = vm.alloc(100, tag="shared")
    vm.free(first)
    ast.alloc(60, tag="shared")
    vm.alloc(10)
    totals = registry.totals()
    assert (totals.total_bytes, totals.current_bytes, totals.peak_bytes, totals.allocations) == (170, 70, 100, 3)
    assert vars(registry.tags()["shared"]) == {"count": 2, "current": 60, "peak": 100}
    assert registry.statistics()[Subsystem.VM].peak_bytes == 100


def test_debugging__records_the_callers_line_and_confines() -> None:
    registry = Registry(switches=Switches(debug=True), out=io.StringIO())
    parser = registry.get(Subsystem.PARSER)
    assert isinstance(parser, Trace)
    assert parser.name == "Parser"
    parser.alloc(7)
    (leak,) = registry.leaks().leaks
    assert leak.file == __file__
    assert linecache.getline(__file__, leak.line) == "    parser.alloc(7)\n"
    errors: list[str] = []
    thread = threading.Thread(target=lambda: errors.append(_refusal(parser)))
    thread.start()
    thread.join()
    assert "called from another thread" in errors[0]


def _refusal(allocator: Allocator) -> str:
    try:
        allocator.alloc(1)
    except MisuseError as error:
        return str(error)
    return ""


def test_use_after_shutdown__is_refused() -> None:
    registry = Registry(switches=QUIET)
    vm = registry.get(Subsystem.VM)
    registry.shutdown()
    for use in (registry.shutdown, lambda: registry.get(Subsystem.VM), lambda: registry.scratch(64)):
        with pytest.raises(MisuseError, match="the registry has been shut down"):
            use()
    with pytest.raises(MisuseError, match="alloc of VM Core: it has been dropped"):
        vm.alloc(1)


def test_shutdown__gives_everything_back() -> None:
    registry = Registry(switches=QUIET)
    for subsystem in Subsystem:
        registry.get(subsystem).alloc(100)
    held = [registry.get(subsystem) for subsystem in Subsystem]
    assert all(allocator.footprint() >= 100 for allocator in held)
    assert registry.shutdown().count == 11
    assert [allocator.footprint() for allocator in held] == [0] * 11


def test_threads_registry__is_made_at_need_and_once() -> None:
    seen: list[object] = []

    def elsewhere() -> None:
        seen.append(allocators_shutdown())
        vm = allocators_get(Subsystem.VM)
        seen.append(vm is allocators_here().get(Subsystem.VM))
        with pytest.raises(MisuseError, match="this thread has a registry"):
            allocators_init()
        vm.alloc(3)
        seen.append(allocators_shutdown().bytes)
        with pytest.raises(MisuseError, match="has been shut down"):
            allocators_get(Subsystem.VM)
        seen.append(allocators_init(switches=QUIET) is allocators_here())
        seen.append(allocators_shutdown().count)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert seen == [LeakReport(), True, 3, True, 0]


def results(custom: bool) -> list[object]:
    """A program that uses every subsystem, resets arenas, frees in them, and takes scopes for granted."""
    registry = Registry({Subsystem.TEMP: Plan(Strategy.ARENA, limit=1000)}, Switches(custom=custom))
    found: list[object] = []
    for subsystem in Subsystem:
        allocator = registry.get(subsystem)
        blocks = [allocator.alloc(size, tag=str(size % 3)) for size in (1, 30, 64, 200, 0)]
        mark = allocator.mark()
        found.append(allocator.realloc(blocks[1], 100) != 0)
        allocator.free(blocks[2])
        found.append([block != 0 for block in (*blocks, allocator.alloc_zeroed(900), allocator.alloc(50, 64))])
        allocator.release(mark)
        found.append(allocator.statistics())
        if subsystem is not Subsystem.VM:
            allocator.reset()
    report = registry.shutdown()
    return [*found, [(leak.size, leak.tag, leak.serial) for leak in report.leaks], registry.statistics()]


def test_off_switch__routes_all_to_malloc_with_the_same_results() -> None:
    registry = Registry(switches=Switches(custom=False))
    assert {type(registry.get(subsystem)) for subsystem in Subsystem} == {Platform}
    assert results(custom=True) == results(custom=False)


@pytest.mark.parametrize("custom", [True, False])
def test_plan__puts_callbacks_and_collectors_around_any_allocator(custom: bool) -> None:
    seen: list[int] = []

    def observed(inner: Allocator) -> Booked:
        return Observed(inner, lambda notice: seen.append(notice.size))

    def collected(inner: Allocator) -> Booked:
        return GcAllocator(inner, lambda emergency: seen.append(-1), 10)

    plans = {
        Subsystem.AST: Plan(Strategy.ARENA, around=observed),
        Subsystem.OBJECTS: Plan(around=collected),
    }
    registry = Registry(plans, Switches(custom=custom))
    registry.get(Subsystem.AST).alloc(5)
    registry.get(Subsystem.OBJECTS).alloc(11)
    registry.get(Subsystem.OBJECTS).alloc(1)
    assert seen == [5, -1]
    assert registry.shutdown().bytes == 17


def test_report_to__refuses_an_allocator_in_use() -> None:
    def used(name: str) -> Booked:
        platform = Platform(name)
        platform.alloc(1)
        return platform

    with pytest.raises(MisuseError, match="live blocks, which the book would miss"):
        Registry({Subsystem.VM: Plan(make=used)}, QUIET)
