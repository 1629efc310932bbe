"""How well each way of drawing traces finds faults: mutants killed, and how soon; rare conditions met.

All ways run the same operations on the same allocators under the same judge, and get the same wall seconds (mutants) or
operations (conditions).
"""

import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from heaplaw.killmatrix.cases import Case, all_cases, present
from heaplaw.models import generate
from heaplaw.models.plain import with_table_sizes
from heaplaw.spec.catalogue import CATALOGUE, laws_of
from heaplaw.spec.history import Trace
from heaplaw.spec.law import Scope
from heaplaw.spec.protocols import Limits

from . import conditions
from .check import Check, first_traces
from .search import Search
from .subjects import resolve

SECONDS, QUICK_SECONDS, QUICK_EVERY = 10.0, 2.0, 10
"""Wall seconds for each mutant and way of drawing; and for a quick look, which takes every so many-th mutant."""
LENGTHS = (3_000, 10_000, 30_000, 100_000, 300_000)
"""Operations of the main run of each turn; the last length again and again, each turn with a seed of its own."""
PART = 5
"""Where phases and search take turns, the search gets so many times fewer operations."""
EACH, CONDITIONS, QUICK_CONDITIONS = 100, 1_000_000, 100_000
"""Conditions of each sort; operations in which they are to be met, and in a quick look."""
LEAST, TURN = 1_000, 100_000
"""Operations of a turn, at least and at most."""
BASES = ("mutant:ok-classes", "mutant:ok-firstfit")
"""Correct allocators on which conditions are looked for."""
SHOWN = 12
"""Names in a list, at most."""
SEED = 1
LIMITS = Limits(cpu=0.5, wall=5.0)


class Stopped(Exception):  # noqa: N818 - no error: a run that need not go on
    """A law was seen broken, or the time is up."""


@dataclass(frozen=True)
class Outcome:
    """What a way of drawing came to with one mutant."""

    killed: bool
    seconds: float
    """Until the first violation was judged, or until the time was up."""


Way = Callable[[Check, int, int], None]
"""Runs one turn: so many operations about, with that seed."""


def campaigns(state: Check, n: int, seed: int, profile: str) -> Iterator[Trace]:
    """The traces that a check draws."""
    subject = state.subject
    small = "C functions" not in subject.offers
    yield from generate.campaigns(
        subject.shape.name, subject.kinds, subject.env, n, seed, profile, small=small, instances=subject.instances
    )


def uniform(state: Check, n: int, seed: int) -> None:
    """Any operation, sizes uniform, a random live block."""
    for trace in campaigns(state, n, seed, "uniform"):
        state.one(trace)


def uniform_order(state: Check, n: int, seed: int) -> None:
    """The same with the sizes of phases: what sizes do is told apart from what order does."""
    for trace in campaigns(state, n, seed, "uniform"):
        state.one(with_table_sizes(trace, state.subject.kinds))


def phases() -> Way:
    """What a check runs: phases, boundary groups, a steady run; and first operations, in the first turn."""
    turns = list[int]()

    def turn(state: Check, n: int, seed: int) -> None:
        for trace in campaigns(state, n, seed, "mixed"):
            state.one(trace)
        turns.append(seed)
        if len(turns) == 1 and "C functions" in state.subject.offers:
            for trace in first_traces(state.subject):
                state.absorb(state.subject.run_fresh(trace, state.limits))

    return turn


def adapting() -> Way:
    """Phases, then a search with a part of their operations, which remembers the turns before."""
    drawn, found = phases(), search()

    def turn(state: Check, n: int, seed: int) -> None:
        drawn(state, n, seed)
        if not state.findings:
            found(state, n // PART, seed)

    return turn


def search() -> Way:
    """The search alone."""
    searches = list[Search]()

    def turn(state: Check, n: int, seed: int) -> None:
        if not searches:
            searches.append(Search(state.subject.shape.name, seed))
        searches[0].run(state, n)

    return turn


WAYS: Mapping[str, Callable[[], Way]] = {
    "uniform": lambda: uniform,
    "uniform, table's sizes": lambda: uniform_order,
    "phases": phases,
    "phases + search": adapting,
    "search alone": search,
}
"""Ways of drawing; each is made anew for each mutant, and may remember what it learnt of it."""


def attempt(case: Case, way: Way, seconds: float) -> Outcome:
    """Turn after turn, until a law is seen broken or the time is up."""
    subject = case.subject()
    start = time.monotonic()

    def look(_done: int, _total: int, broken: int) -> None:
        if broken or time.monotonic() - start > seconds:
            raise Stopped

    state = Check(subject, SEED, 0, laws_of(subject.shape.name), LIMITS, counts=look)
    turn, killed = 0, False
    try:
        while not state.findings and time.monotonic() - start < seconds:
            way(state, LENGTHS[min(turn, len(LENGTHS) - 1)], SEED + turn)
            turn += 1
        killed = bool(state.findings)
    except Stopped:
        killed = time.monotonic() - start <= seconds
    finally:
        subject.close()
    return Outcome(killed, time.monotonic() - start)


def run(quick: bool) -> Iterator[str]:
    """Mutants killed, then conditions met."""
    yield from mutants(QUICK_EVERY, QUICK_SECONDS) if quick else mutants()
    yield from met(QUICK_CONDITIONS if quick else CONDITIONS)


def mutants(every: int = 1, seconds: float = SECONDS) -> Iterator[str]:
    """Every so many-th native mutant, by each way."""
    cases = [case for case in all_cases() if case.library is not None and present(case) and by_traces(case)]
    if not cases:
        yield "generators: left out: the libraries of faulty allocators are not built here"
        return
    cases = cases[::every]
    outcomes = dict[str, dict[str, Outcome]]()
    yield f"generators: {len(cases)} native mutants, {seconds:.0f} s each at most, until the first violation is judged"
    yield "  drawn by                  killed        seconds to the first violation"
    for name, make in WAYS.items():
        outcomes[name] = {case.name: attempt(case, make(), seconds) for case in cases}
        times = [outcome.seconds for outcome in outcomes[name].values() if outcome.killed]
        share = f"{len(times)} of {len(cases)}"
        yield f"  {name:<24}  {share:<12}  {spread(times)}"
    for name, found in outcomes.items():
        left = [case for case, outcome in found.items() if not outcome.killed]
        if left:
            yield f"  not killed by {name}: {listed(left)}"
    for name, found in outcomes.items():
        others = [other for way, other in outcomes.items() if way != name]
        alone = [case for case, outcome in found.items() if outcome.killed and not any(o[case].killed for o in others)]
        if alone:
            yield f"  only by {name}: {listed(alone)}"


def by_traces(case: Case) -> bool:
    """Its fault can be seen in a run: not only in scenes of single clauses, nor only by counting instructions."""
    return any(not CATALOGUE[law].scenes and CATALOGUE[law].scope is not Scope.COST for law in case.laws)


def spread(times: Sequence[float]) -> str:
    """Median, ninth decile and worst."""
    if not times:
        return "-"
    ordered = sorted(times)
    ninth = ordered[min(len(ordered) - 1, len(ordered) * 9 // 10)]
    return f"median {statistics.median(times):.2f}, nine of ten {ninth:.2f}, worst {ordered[-1]:.2f}"


def listed(names: Sequence[str]) -> str:
    """The first of them, and how many more there are."""
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")


def met(n: int = CONDITIONS) -> Iterator[str]:
    """Drawn conditions, by each way, in the same number of operations."""
    wanted = conditions.drawn(EACH, SEED)
    for base in BASES:
        found = dict[str, set[conditions.Condition]]()
        yield f"generators: {len(wanted)} drawn conditions, {n:,} operations on {base.removeprefix('mutant:')}"
        yield "  drawn by                  met      " + "  ".join(f"{sort:>9}" for sort in conditions.SORTS)
        yield f"  all of them               {len(wanted):<7}  " + counts(wanted)
        for name, make in WAYS.items():
            found[name] = watched(base, make(), n, wanted)
            yield f"  {name:<24}  {len(found[name]):<7}  " + counts(found[name])
        both, plain = found["phases + search"], found["phases"]
        yield f"  by phases + search and not by phases: {len(both - plain)}; the other way: {len(plain - both)}"


def counts(those: Iterable[conditions.Condition]) -> str:
    """How many there are of each sort."""
    sorts = [condition[0] for condition in those]
    return "  ".join(f"{sorts.count(sort):>9}" for sort in conditions.SORTS)


def watched(base: str, way: Way, n: int, wanted: Mapping[conditions.Condition, int]) -> set[conditions.Condition]:
    """The conditions that so many operations meet."""
    subject, watch = resolve(base)[0], conditions.Watch(wanted)
    state = Watched(subject, SEED, 0, laws_of(subject.shape.name), LIMITS)
    state.watch = watch
    turn = 0
    try:
        while state.done < n:
            way(state, max(LEAST, min(TURN, n - state.done)), SEED + turn)
            turn += 1
    finally:
        subject.close()
    return watch.met


class Watched(Check):
    """A check whose histories are looked at."""

    watch: conditions.Watch

    def one(self, trace: Trace) -> None:
        """Run and judge it, and look at what it met."""
        super().one(trace)
        self.watch.feed(self.subject.host(len(trace)).history(trace, self.subject.told))
