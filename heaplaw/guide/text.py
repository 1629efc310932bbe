"""The guide in words, 80 columns wide, and as one JSON document."""

from textwrap import wrap
from typing import Any

from .costs import COUNTS, Costs
from .measure import SAID, Entry, Guide
from .overheads import SYSTEM
from .stands import CHUNK
from .workloads import SEED, WORKLOADS

__all__ = ["document", "lines"]

NOT_COUNTED = "not counted"


def lines(found: Guide) -> list[str]:
    """Four tables and what follows from them."""
    return [
        *_selection(found),
        "",
        *_words(found),
        "",
        *_lost(found),
        "",
        *_overheads(found),
        "",
        *_uses(found),
    ]


def _selection(found: Guide) -> list[str]:
    head = "which allocator, measured; in brackets what Vais std/allocator says"
    rows = [("Allocator", "Alloc time", "Dealloc time", "Memory lost")]
    request, end, fragmentation, _ = (_both(NOT_COUNTED, said) for said in _said("Global"))
    rows.append(("Global", request, end, fragmentation))
    for entry in found.entries:
        request, end, fragmentation, _ = _said(entry.name)
        lost = sorted(round(100 * each.lost) for each in entry.lost.values())
        span = f"{lost[0]} to {lost[-1]} %"
        order = entry.end.order if entry.end else "none"
        rows.append((
            entry.name, _both(entry.request.order, request), _both(order, end), _both(span, fragmentation),
        ))  # fmt: skip
    return [head, *(f"  {a:<12}{b:<21}{c:<21}{d}".rstrip() for a, b, c, d in rows)]


def _said(name: str) -> tuple[str, str, str, str]:
    said = SAID.get(name)
    return (said.request, said.end, said.fragmentation, said.best_use) if said else ("", "", "", "")


def _both(measured: str, said: str) -> str:
    return f"{measured} [{said}]" if said else measured


def _words(found: Guide) -> list[str]:
    counts = ", ".join(f"{n:,}" for n in COUNTS)
    head = f"words read and written by a call with {counts} blocks live and free"
    title = f"  {'':<12}{'request':<24}{'of a free list: nodes':<24}{'end'}"
    return [head, title, *(_word_line(entry) for entry in found.entries)]


def _word_line(entry: Entry) -> str:
    walked = _figures(entry.request, nodes=True) if any(cost.nodes for cost in entry.request.at) else ""
    ended = _figures(entry.end) if entry.end else "-"
    return f"  {entry.name:<12}{_figures(entry.request):<24}{walked:<24}{ended}".rstrip()


def _figures(costs: Costs, nodes: bool = False) -> str:
    return ", ".join(f"{cost.nodes if nodes else cost.words:,}" for cost in costs.at)


def _lost(found: Guide) -> list[str]:
    head = f"memory lost when most of it is needed, %: inside blocks + outside; seed {SEED}"
    title = f"  {'':<12}" + "".join(f"{workload.name:<11}" for workload in WORKLOADS)
    rows = [
        f"  {entry.name:<12}"
        + "".join(f"{f'{100 * lost.internal:.1f}+{100 * lost.external:.1f}':<11}" for lost in entry.lost.values())
        for entry in found.entries
    ]
    what = [f"  {workload.name:<12}{workload.what}" for workload in WORKLOADS]
    return [head, title.rstrip(), *(row.rstrip() for row in rows), *what]


def _overheads(found: Guide) -> list[str]:
    head = "bytes that a block of 64 bytes costs beyond these [what the source says]"
    shown = [
        f"  {name:<12}" + _both(f"{bytes_:.1f}", SYSTEM[name][1] if name in SYSTEM else "")
        for name, bytes_ in found.overheads.items()
    ]
    return [head, *shown]


def _uses(found: Guide) -> list[str]:
    told = ["best use, from these figures"]
    for entry in found.entries:
        said = _said(entry.name)[3]
        text = wrap(_both(entry.best_use, said), 66)
        told += [f"  {entry.name if place == 0 else '':<12}{line}".rstrip() for place, line in enumerate(text)]
    return [
        *told,
        "* Global is the C library's malloc: what it reads and writes is its own.",
        f"Fixed is the system's freelist; it and Arena grow by chunks of {CHUNK} bytes.",
    ]


def document(found: Guide) -> dict[str, Any]:
    """Everything, for programs."""
    return {
        "counts": list(COUNTS),
        "seed": SEED,
        "allocators": {entry.name: _entry(entry) for entry in found.entries},
        "overheads": found.overheads,
        "said": {name: vars(said) for name, said in SAID.items()},
    }


def _costs(costs: Costs | None) -> dict[str, Any] | None:
    if costs is None:
        return None
    return {
        "order": costs.order,
        "words": [cost.words for cost in costs.at],
        "nodes": [cost.nodes for cost in costs.at],
    }


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "request": _costs(entry.request),
        "end": _costs(entry.end),
        "lost": {name: vars(lost) for name, lost in entry.lost.items()},
        "overhead": entry.overhead,
        "best use": entry.best_use,
    }
