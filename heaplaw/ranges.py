"""The exact range of sizes for which a trace breaks a law."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from heaplaw.models.words import power
from heaplaw.spec.history import Trace
from heaplaw.spec.shapes import MAKERS, SHAPES, Kind

__all__ = ["Range", "failing_range", "gallop", "power", "smallest"]

INSIDE = 48
"""Sizes tried inside a failing range that is too wide to be tried whole."""


@dataclass(frozen=True)
class Range:
    """Sizes around that of operation `op` that fail as well: low to high inclusive, bytes."""

    op: int
    low: int
    high: int
    tried: int
    failed: int

    @property
    def exact(self) -> bool:
        """Every size in the range was tried, and failed."""
        return self.failed == self.tried == self.high - self.low + 1

    def __str__(self) -> str:
        if self.low == self.high:
            return f"fails for size {power(self.low)} alone"
        span = f"[{power(self.low)}, {power(self.high)}]"
        if self.exact:
            return f"fails for every size in {span}"
        if self.failed == self.tried:
            return f"fails for the sizes in {span}: both ends exact, {self.tried} sizes tried, all failed"
        return f"fails for {self.failed} of {self.tried} sizes tried in {span}"


def failing_range(fails: Callable[[Trace], bool], trace: Trace, index: int) -> Range | None:
    """The sizes around that of operation `index` for which the trace fails too, without a gap among those tried."""
    ops = trace.ops()
    op = ops[index]
    if op.kind not in MAKERS or not SHAPES[trace.shape].sized:
        return None
    step = op.align if op.kind == Kind.ALIGNED and trace.env.aligned_multiple else 1
    most = int(trace.env.max_request)
    least, seen = 1 if op.kind == Kind.RESIZE else 0, {op.size: True}

    def broken(value: int) -> bool:
        if value not in seen:
            inside = least <= value <= most
            changed = [*ops[:index], replace(op, size=value), *ops[index + 1 :]]
            seen[value] = inside and fails(trace.with_ops(changed))
        return seen[value]

    low = op.size - step * gallop(lambda d: op.size - step * d >= least and broken(op.size - step * d))
    high = op.size + step * gallop(lambda d: op.size + step * d <= most and broken(op.size + step * d))
    width = (high - low) // step
    for k in range(width + 1) if width <= 2 * INSIDE else sorted({width * k // INSIDE for k in range(INSIDE + 1)}):
        broken(low + step * k)
    low, high = contiguous(broken, seen, op.size, step)
    tried = [value for value in seen if low <= value <= high]
    return Range(index, low, high, len(tried), sum(seen[value] for value in tried))


def contiguous(broken: Callable[[int], bool], seen: dict[int, bool], size: int, step: int) -> tuple[int, int]:
    """The failing stretch around `size`: between the nearest sizes that do not fail, both ends found by bisection."""
    ends: list[int] = []
    for sign in (-1, 1):
        good = [value for value in seen if not seen[value] and (value - size) * sign > 0]
        wall = min(good, key=lambda value: abs(value - size), default=None)
        inside = [v for v in seen if seen[v] and (v - size) * sign >= 0 and (wall is None or (wall - v) * sign > 0)]
        bad = max(inside, key=lambda value: abs(value - size))
        while wall is not None and abs(wall - bad) > step:
            middle = bad + sign * (abs(wall - bad) // step // 2) * step
            if broken(middle):
                bad = middle
            else:
                wall = middle
        ends.append(bad)
    return ends[0], ends[1]


def gallop(fails: Callable[[int], bool]) -> int:
    """The largest distance d such that distances up to d fail, as far as doubling and bisection can tell."""
    good, step = 0, 1
    while fails(good + step) and step < 2**63:
        good += step
        step *= 2
    while step > 1:
        step //= 2
        if fails(good + step):
            good += step
    return good


def smallest(low: int, high: int, fails: Callable[[int], bool], powers: bool = False) -> int:
    """The least value that still fails, by bisection: `high` fails. Each accepted value is kept by `fails`."""
    if high <= low:
        return high
    for value in (low, low + 1) if not powers else (low,):
        if value < high and fails(value):
            return value
    while low + 1 < high:
        middle = 2 ** ((low.bit_length() + high.bit_length() - 1) // 2) if powers else (low + high) // 2
        if middle <= low or middle >= high:
            break
        if fails(middle):
            high = middle
        else:
            low = middle
    return high
