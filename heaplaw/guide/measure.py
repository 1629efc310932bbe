"""Everything that the guide says, measured."""

from dataclasses import dataclass

from .costs import Costs, measured
from .overheads import overheads
from .stands import MAKERS, Maker
from .workloads import WORKLOADS, Fragmentation, fragmentation

__all__ = ["SAID", "Entry", "Guide", "Said", "best_use", "guide"]


@dataclass(frozen=True)
class Said:
    """The words of Vais std/allocator."""

    request: str
    end: str
    fragmentation: str
    best_use: str


SAID: dict[str, Said] = {
    "Global": Said("O(1)*", "O(1)*", "Medium", "General-purpose"),
    "Bump": Said("O(1)", "N/A", "None", "Temporary/arena"),
    "Pool": Said("O(1)", "O(1)", "None", "Fixed-size objects"),
    "FreeList": Said("O(n)", "O(1)", "Low-Medium", "Variable sizes"),
    "Stack": Said("O(1)", "O(1)", "None", "LIFO patterns"),
}
"""By allocator; of the others that source says nothing."""
_ENDS = {"any": "that end in any order", "newest": "that end newest first", "all": "that end all together"}


@dataclass(frozen=True)
class Entry:
    """One allocator."""

    name: str
    request: Costs
    end: Costs | None
    """None: single blocks cannot be ended."""
    lost: dict[str, Fragmentation]
    """By workload."""
    overhead: float
    """Bytes a block of 64 bytes."""
    best_use: str


@dataclass(frozen=True)
class Guide:
    """All allocators whose memory can be counted, and the overheads of the others."""

    entries: tuple[Entry, ...]
    overheads: dict[str, float]


def best_use(maker: Maker, request: Costs, end: Costs | None, lost: dict[str, Fragmentation]) -> str:
    """What follows from the figures."""
    sizes = "one size" if maker.one_size else "any size"
    number = ", however many" if maker.grows else ""
    walks = [word for word, costs in (("requests", request), ("ends", end)) if costs and costs.order != "O(1)"]
    dear = f"; {' and '.join(walks)} are cheap while few blocks are free" if walks else ""
    least = min(lost, key=lambda name: lost[name].lost)
    share = f"; loses least, {lost[least].lost:.0%}, on the workload {least!r}"
    return f"blocks of {sizes} {_ENDS[maker.ends]}{number}{dear}{share}"


def guide() -> Guide:
    """Measure all; the same each time, on every machine."""
    costs, entries = overheads(), list[Entry]()
    for name, maker in MAKERS.items():
        request, end = measured(maker)
        lost = {workload.name: fragmentation(maker, workload) for workload in WORKLOADS}
        entries.append(Entry(name, request, end, lost, costs[name], best_use(maker, request, end, lost)))
    return Guide(tuple(entries), costs)
