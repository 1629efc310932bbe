"""Measurements, side by side in one run: checked against raw replay, cost by length, faults found and made short."""

import resource
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from heaplaw.errors import UsageError
from heaplaw.models import generate
from heaplaw.spec.catalogue import laws_of
from heaplaw.spec.history import Completed, History, Trace
from heaplaw.spec.law import implied
from heaplaw.spec.protocols import Limits

from . import bench_generators, bench_reference, native
from .check import Check, nearness
from .cost.judged import LAW as COST_LAW
from .host import Host, Told
from .judges import FastJudge
from .minimise import minimise
from .mutants import MUTANTS
from .mutants.shapes import SHAPE_MUTANTS
from .subjects import ProcessSubject, resolve

LIBRARIES = ("libjemalloc.so.2", "libmimalloc.so.2", "libtcmalloc_minimal.so.4")
FOLDERS = ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib")
RATIO, RATE, MEMORY, SECONDS, STEPS = 4.0, 10e6, 2 * 2**30, 1.0, 4
"""The aims: checked against raw, operations judged a second and core, bytes, and the median fault's time and trace."""
NO_LIMITS = Limits(cpu=120.0, wall=600.0)


SHAPED = (
    "mutant:ok-firstfit",
    *(f"mutant:ok-{name}" for name in ("bump", "pool", "stack", "freelist", "arena", "lua")),
)
"""A malloc, and an allocator of each other shape: all in C, all small."""


def run(parts: Sequence[str], quick: bool) -> Iterator[str]:
    """The lines of the parts asked for; see `PARTS`."""
    for part in parts:
        yield from PARTS[part](quick)
        yield ""


def verdict(reached: bool) -> str:
    """Words for an aim."""
    return "reached" if reached else "not reached"


def subjects() -> list[ProcessSubject]:
    """The C library, and the well-known allocators that are installed."""
    found = [path for name in LIBRARIES for folder in FOLDERS if (path := Path(folder) / name).exists()]
    return [subject for name in ("glibc", *map(str, found)) for subject in resolve(name)]


def host_time(host: Host, trace: Trace, told: Told, raw: bool, payload: bool = True) -> float:
    """Nanoseconds an operation of one run, by the host's own clock, without starting a process."""
    host.start(trace, NO_LIMITS, payload, "raw" if raw else "run")
    history = host.finish(trace, told)
    if not isinstance(history.end, Completed):
        raise UsageError(f"the measured run did not complete: {history.end}")
    return host.spent() / len(trace)


def judged(history: History, subject: ProcessSubject) -> float:
    """CPU nanoseconds an operation that judging takes, all applicable laws together."""
    laws = [law for law in laws_of(subject.shape.name) if law.needs <= implied(subject.offers)]
    start = time.process_time_ns()
    FastJudge(history, laws).finish()
    return (time.process_time_ns() - start) / len(history)


def spread(values: Sequence[float]) -> str:
    """Median, least and greatest."""
    return f"{statistics.median(values):6.1f} ({min(values):.1f} to {max(values):.1f})"


def replay(quick: bool) -> Iterator[str]:
    """Checked replay and judging against raw replay of the same trace, in turns."""
    n, rounds = (200_000, 3) if quick else (1_000_000, 9)
    yield f"replay: {n:,} mixed operations, {rounds} rounds in turns; ns an operation, median (least to greatest)"
    for subject in subjects():
        if subject.driver != "native":
            yield f"  {subject.identity:<28} left out: no compiled driver here"
            continue
        trace = generate.mixed(n, 1, subject.kinds)
        host = subject.host(n)
        raw, checked, judging = list[float](), list[float](), list[float]()
        for _ in range(rounds):
            raw.append(host_time(host, trace, subject.told, True))
            checked.append(host_time(host, trace, subject.told, False))
            judging.append(judged(subject.run(trace, NO_LIMITS), subject))
        subject.close()
        yield f"  {subject.identity:<28} raw {spread(raw)}   checked {spread(checked)}   judging {spread(judging)}"
        yield from bounds(statistics.median(raw), statistics.median(checked), statistics.median(judging))


def shapes(quick: bool) -> Iterator[str]:
    """Runs and judging of every shape, beside those of a malloc, in turns. The allocators are small ones in C."""
    n, rounds = (100_000, 3) if quick else (500_000, 7)
    if native.find(native.SHAPES) is None or native.find(native.HOST) is None:
        yield "shapes: left out: no compiled driver, or no compiled allocators here"
        return
    yield f"shapes: {n:,} mixed operations of each, {rounds} rounds in turns; ns an operation, median (range)"
    yield "  calls: history written, payloads left alone; checked: payloads too (arenas and heaps get larger blocks)"
    chosen = [resolve(name)[0] for name in SHAPED]
    times = {subject.shape.name: (list[float](), list[float](), list[float]()) for subject in chosen}
    for subject in chosen * rounds:
        host = subject.host(n)
        trace = next(generate.campaigns(subject.shape.name, subject.kinds, subject.env, n, 1))
        calls, checked, judging = times[subject.shape.name]
        calls.append(host_time(host, trace, subject.told, False, payload=False))
        checked.append(host_time(host, trace, subject.told, False))
        judging.append(judged(subject.run(trace, NO_LIMITS), subject))
    malloc = statistics.median(times["malloc"][0])
    for subject in chosen:
        subject.close()
        calls, checked, judging = times[subject.shape.name]
        words = f"calls {spread(calls)}   checked {spread(checked)}   judging {spread(judging)}"
        yield f"  {subject.shape.name:<10} {words}   calls {statistics.median(calls) / malloc:.2f} of malloc's"
        rates = (1e3 / ns for ns in (statistics.median(checked) + statistics.median(judging), statistics.median(calls)))
        yield "             {:.1f} million judged operations a second and core; calls alone {:.1f}".format(*rates)


def bounds(raw: float, checked: float, judging: float) -> Iterator[str]:
    """What was reached against the aims, and what bounds it."""
    ratio, whole = checked / raw, (checked + judging) / raw
    rate = 1e9 / (checked + judging)
    slower = "judging" if judging > checked else "running with payloads checked and the history written"
    yield f"    checked / raw {ratio:.1f}, with judging {whole:.1f}; aim {RATIO:.0f}: {verdict(whole <= RATIO)}"
    words = f"{rate / 1e6:.1f} million judged operations a second and core"
    yield f"    {words}; aim {RATE / 1e6:.0f}: {verdict(rate >= RATE)}"
    yield f"    most of the time goes into {slower}: {max(checked, judging):.0f} of {checked + judging:.0f} ns"


def scaling(quick: bool) -> Iterator[str]:
    """Cost an operation and peak memory by length."""
    lengths = [10**5, 10**6] if quick else [10**5, 10**6, 10**7]
    yield "scaling: glibc, one check without minimising; peak resident memory of this process and of the run's"
    costs: list[float] = []
    peak = 0
    for n in lengths:
        subject = resolve("glibc")[0]
        start = time.monotonic()
        state = Check(subject, 1, n, laws_of("malloc"), NO_LIMITS)
        state.run()
        wall = time.monotonic() - start
        own, child = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, subject.host(1).peak()
        subject.close()
        peak = max(peak, own, child)
        costs.append(wall / state.done * 1e9)
        yield (
            f"  {n:>10,}   {costs[-1]:7.0f} ns an operation   {wall:6.2f} s   "
            f"peak {own / 2**20:6.0f} MiB, {child / 2**20:.0f} MiB"
        )
    flat = costs[-1] <= 1.25 * min(costs)
    yield f"  flat cost (within a quarter of the least): {verdict(flat)}: {costs[-1] / min(costs):.2f} times the least"
    yield f"  less than 2 GiB a process: {verdict(peak < MEMORY)}: {peak / 2**20:.0f} MiB"
    yield "  short runs pay for starting processes; trace and history take 76 bytes an operation, drawing as much again"
    yield "  (the columns are shared between the two, and so counted in both)"


def find_and_minimise(name: str, seed: int) -> tuple[float, int, str] | None:
    """Seconds and operations of the first law that breaks, with it; longer runs where shorter ones find nothing."""
    subject = resolve(f"mutant:{name}")[0]
    start = time.monotonic()
    try:
        for n in (30_000, 100_000, 300_000, 1_000_000):
            state = Check(subject, seed, n, laws_of(subject.shape.name, scenes=True), Limits(cpu=0.5, wall=5.0))
            state.run()
            if state.findings:
                finding = min(state.findings.values(), key=nearness)
                witness = minimise(subject, finding.law, finding.history, finding.violation)
                return time.monotonic() - start, len(witness.trace), witness.law
    finally:
        subject.close()
    return None


def mutants(quick: bool) -> Iterator[str]:
    """Find each seeded fault and make its trace short."""
    if native.find(native.MUTANTS) is None:
        yield "mutants: left out: the library of faulty allocators is not built here"
        return
    everything = (*MUTANTS, *(mutant for group in SHAPE_MUTANTS.values() for mutant in group))
    # What counts of instructions show has no trace.
    names = [mutant.name for mutant in everything if mutant.law != COST_LAW][:: 4 if quick else 1]
    found = {name: got for name in names if (got := find_and_minimise(name, 1)) is not None}
    times, steps = [got[0] for got in found.values()], [got[1] for got in found.values()]
    yield f"mutants: {len(found)} of {len(names)} found; from nothing to the short trace of the first law broken"
    missed = sorted(set(names) - set(found))
    if missed:
        yield "  not found: " + ", ".join(missed)
    slow, long = max(found, key=lambda n: found[n][0]), max(found, key=lambda n: found[n][1])
    middle, typical = statistics.median(times), statistics.median(steps)
    yield f"  seconds     {three(times)} ({slow})"
    yield f"  operations  {three(steps)} ({long})"
    yield f"  aim for the medians: {SECONDS:.0f} s, {verdict(middle <= SECONDS)}"
    yield f"  aim for the medians: {STEPS} operations, {verdict(typical <= STEPS)}"
    yield "  long are faults that need hundreds of live blocks, and leaks, which are loops; slow are hangs"


def three(values: Sequence[float]) -> str:
    """Median, ninth decile and worst."""
    ninth = float(np.quantile(values, 0.9))
    return f"median {statistics.median(values):.1f}, nine of ten within {ninth:.1f}, worst {max(values):.1f}"


PARTS: dict[str, Callable[[bool], Iterator[str]]] = {
    "replay": replay,
    "shapes": shapes,
    "scaling": scaling,
    "mutants": mutants,
    "generators": bench_generators.run,
    "reference": bench_reference.run,
}
"""What can be measured, by name."""
