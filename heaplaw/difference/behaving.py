"""Where two subjects answer short directed traces differently, though both may: the smallest size, the first step."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from heaplaw.minimise import LIMITS
from heaplaw.models import generate
from heaplaw.models.words import power
from heaplaw.ranges import Range, contiguous, gallop, smallest
from heaplaw.spec.heap import run_of
from heaplaw.spec.history import COUNTERS, History, Trace
from heaplaw.spec.shapes import Kind
from heaplaw.subjects import NativeCode, ProcessSubject

from .answers import Answer, answers, comparable
from .parts import Behaviour, Footprint
from .probes import FEW, PROBES, SMALL, Probe

STEADY = 6_000
"""Operations of the workload whose footprint is compared."""
TELLING = 0.1
"""Footprints are told where they differ by more than this part of the smaller one."""
WHOLE = 64
"""Ranges of up to so many sizes are tried whole, of wider ones so many sizes."""
Seen = tuple[Trace, History, tuple[Answer, ...]]


@dataclass
class Probing:
    """Runs probes on both."""

    old: ProcessSubject
    new: ProcessSubject
    """Both narrowed to what they have in common."""
    progress: Callable[[str], None] = lambda _text: None
    unsteady: list[str] = field(default_factory=list[str])
    run: int = 0

    @property
    def fast(self) -> bool:
        """Both are run by the compiled driver: thousands of runs in a second."""
        return self.old.driver == self.new.driver == NativeCode

    @property
    def counted(self) -> frozenset[str]:
        """Counters that both have."""
        return self.old.offers & self.new.offers & frozenset(COUNTERS)

    def seen(self, subject: ProcessSubject, probe: Probe, n: int, fresh: bool = False) -> Seen:
        """The probe's trace for one N on one of the two, and what came of it."""
        trace = probe.trace(subject.shape.name, subject.kinds, subject.env, n)
        history = subject.run_fresh(trace, LIMITS) if fresh else subject.run(trace, LIMITS, payload=False)
        return trace, history, answers(history, probe.watch, self.counted)

    def differs(self, probe: Probe, n: int) -> int | None:
        """The first step that differs; None where none does, or where one refuses what another probe tells."""
        a, b = (self.seen(subject, probe, n) for subject in (self.old, self.new))
        return first_difference(probe, a, b)

    def found(self, probe: Probe) -> Behaviour | None:
        """The difference that a probe shows, if it shows one."""
        self.progress(f"comparing {probe.title}")
        sizes = self.sizes(probe)
        if not sizes:
            return self.confirmed(probe, 0, "") if self.differs(probe, 0) is not None else None
        place = next((at for at, n in enumerate(sizes) if self.differs(probe, n) is not None), None)
        if place is None:
            return None
        n, since = self.searched(probe, sizes, place)
        return self.confirmed(probe, n, since)

    def sizes(self, probe: Probe) -> list[int]:
        """The sizes that are tried."""
        if not probe.sizes or not self.old.shape.sized:
            return []
        env = self.old.env
        small = probe.sizes if self.fast or probe.sizes[: len(SMALL)] != SMALL else FEW
        most = env.max_request
        times = max(1, *(step.times for step in probe.steps))
        if any(step.align == -1 for step in probe.steps):
            return [n for n in small if n <= env.max_request_align and n <= most]
        bound = max(int(self.old.env.capacity), int(self.new.env.capacity))
        found = [n for n in small if n * times <= most and (not bound or n <= 2 * bound)]
        if bound and 2 * bound not in found:
            found += [n for n in (bound // 2, bound, 2 * bound) if n > found[-1] and n * times <= most]
        return found

    def searched(self, probe: Probe, sizes: Sequence[int], place: int) -> tuple[int, str]:
        """The smallest N that differs, and for which ones the two do, in words."""
        n, before = sizes[place], sizes[place - 1] if place else None
        powers = before is not None and n >= 2 * before and n > sizes[0] and n & (n - 1) == 0
        if any(step.align == -1 for step in probe.steps) or (powers and probe.bounded is False):
            return n, f"from {power(n)} on, of the powers of two that were tried"
        tried: dict[int, bool] = dict.fromkeys(sizes[:place], False) | {n: True}

        def differs(value: int) -> bool:
            if value not in tried:
                tried[value] = value <= self.old.env.max_request and self.differs(probe, value) is not None
            return tried[value]

        if before is not None and n - before > 1:
            n = smallest(before + 1, n, differs)
        high = n + gallop(lambda d: n + d <= max(sizes) and differs(n + d))
        whole = WHOLE if self.fast else WHOLE // 8
        inside = range(n, high + 1) if high - n < whole else [n + (high - n) * k // whole for k in range(whole + 1)]
        for value in inside:
            differs(value)
        _, high = contiguous(differs, tried, n, 1)
        within = [value for value in tried if n <= value <= high]
        return n, told(Range(0, n, high, len(within), sum(tried[v] for v in within)), max(sizes))

    def confirmed(self, probe: Probe, n: int, since: str) -> Behaviour | None:
        """The difference, seen again on both, in processes of their own; None where one does not repeat itself."""
        pairs = [
            (self.seen(subject, probe, n), self.seen(subject, probe, n, fresh=True)) for subject in (self.old, self.new)
        ]
        if any(warm[2] != fresh[2] for warm, fresh in pairs):
            self.unsteady.append(probe.title)
            return None
        (a, _), (b, _) = pairs
        at = first_difference(probe, a, b)
        if at is None:
            self.unsteady.append(probe.title)
            return None
        return Behaviour(probe, n, (a[0], b[0]), (a[1], b[1]), (a[2], b[2]), at, since)

    def all(self) -> list[Behaviour]:
        """Every difference, those of one group with the same answers as one."""
        offers = self.old.offers & self.new.offers
        kinds = self.old.kinds & self.new.kinds
        found: list[Behaviour] = []
        for probe in PROBES:
            if not all(probe.fits(s.shape.name, kinds, offers, s.env) for s in (self.old, self.new)):
                continue
            if probe.unless in {known.probe.name for known in found}:
                continue
            if probe.watch == "counters" and not self.counted - {"invariant"}:
                continue
            self.run += 1
            each = self.found(probe)
            same = next((place for place, known in enumerate(found) if each and alike(known, each)), None)
            if each and same is not None:
                known = found[same]
                title = f"{each.probe.title}: {each.since}" if each.since else each.probe.title
                found[same] = replace(known, also=(*known.also, title))

            elif each:
                found.append(each)
        return found


def first_difference(probe: Probe, a: Seen, b: Seen) -> int | None:
    """The first step to which the answers differ; nothing is compared after one that another probe tells of."""
    for index, (one, other) in enumerate(zip(a[2], b[2], strict=False)):
        if not comparable(a[1], b[1], index, probe.watch):
            return None
        if one != other:
            return index
    return None


def alike(a: Behaviour, b: Behaviour) -> bool:
    """Both tell the same, though perhaps of other sizes."""
    said = [tuple(side[each.at] for side in each.answers) for each in (a, b)]
    return bool(a.probe.group) and a.probe.group == b.probe.group and said[0] == said[1]


def told(found: Range, most: int) -> str:
    """For which sizes two differ, in words; `most`: the largest that was tried."""
    low, high = power(found.low), power(found.high)
    if found.low == found.high:
        below = f"neither size {power(found.low - 1)} nor" if found.low > 1 else "not size"
        return f"size {low}" + (f", and {below} {power(found.high + 1)}" if found.high < most else "")
    span = f"sizes from {low} on" if found.high >= most else f"sizes {low} to {high}"
    if found.exact:
        return f"{span}, all of them"
    ends = f"up to {power(most)}" if found.high >= most else "both ends exact"
    return f"{span} ({ends}; {found.tried} tried, all differ)"


def footprint(old: ProcessSubject, new: ProcessSubject, seed: int) -> tuple[Footprint | None, bool]:
    """What a steady workload takes on each, where that is worth telling; and whether it could be compared."""
    if old.shape.name not in ("malloc", "lua_alloc", "freelist") or old.env.capacity or new.env.capacity:
        return None, False
    kinds = old.kinds & new.kinds - {Kind.RESET, Kind.RENEW}
    small = "C functions" not in old.offers & new.offers
    trace = generate.steady(STEADY, seed, kinds, small, old.env, old.shape.name)
    a, b = (run_of(subject.run(trace, LIMITS)) for subject in (old, new))
    if a.refused or b.refused:
        return None, False
    low, high = sorted((int(a.footprint), int(b.footprint)))
    telling = high - low > TELLING * low
    return (Footprint(len(trace), int(a.footprint), int(b.footprint), int(a.peak)) if telling else None), True
