"""What a subject may say of itself beyond its plain counters, and what the history says of the same things.

`Report` is the subject's word, after an operation; `Sums` is the history's. Laws of the group `catalogue.reports`, and
those on lists and costs, compare the two. A subject that says nothing of a kind leaves its fields 0, and the laws that
need them are not applicable. Source: the allocator system (statistics, tags, leaks); Vais std/allocator (first fit,
minimum block, complexities).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from enum import IntEnum

from .layout import align_up
from .logic import Truth, Word

LEFT_OPEN = 2**64 - 1
"""Said of the block that a request should get, where that is left open."""


class Walk(IntEnum):
    """How it ended to follow the free list from its first block, from each to the next."""

    UNSEEN = 0
    """Nobody looked, or the list is longer than anybody looks."""
    ENDED = 1
    RETURNED = 2
    """It came back to a block that it had met."""
    LOST = 3
    """It led to memory that is not there."""


@dataclass(frozen=True)
class Report:
    """What a subject says after an operation. Bytes unless said otherwise; block sizes are requested ones."""

    current_bytes: Word = 0
    """Live now."""
    peak_bytes: Word = 0
    """Most that was ever live."""
    total_bytes: Word = 0
    """Handed out in all. A resize that is served hands out its new size."""
    allocations: Word = 0
    """Blocks handed out in all, resized ones included."""
    tag_count: Word = 0
    """Blocks handed out in all with the tag of the block that the operation made or named …"""
    tag_current: Word = 0
    """… live now …"""
    tag_peak: Word = 0
    leak_count: Word = 0
    """Blocks that the leak report would list if it were written now."""
    leak_bytes: Word = 0
    leak_lines: Word = 0
    """Lines of that report at the address of the block that the operation made or named, live or not …"""
    leak_size: Word = 0
    """… the size that stands in the first of them, …"""
    leak_tag: Word = 0
    """… and its tag, as a label; the largest word for a tag that was never given."""
    footprint: Word = 0
    """Held from whoever the memory comes from, metadata included."""
    cost: Word = 0
    """Words of memory that the operation read and wrote, payloads left out."""
    nodes: Word = 0
    """Blocks on the free list before the operation."""
    first_fit: Word = 0
    """The address that the request would get in the first free block, in list order, that it fits into; 0: in none.
    LEFT_OPEN where that is not known.
    """
    least_free: Word = 0
    """The smallest block on the free list; the largest word when there is none."""
    least_taken: Word = 0
    """The smallest block that is handed out, header included; the largest word when there is none."""
    least_fit: Word = 0
    """The smallest free block that the request fits into; 0 when it fits into none, or that is left open."""
    taken_from: Word = 0
    """The free block whose memory the request got; 0 when it got none of any."""
    walk: Word = 0
    """How following the free list ended: a Walk."""
    free_shared: Word = 0
    """Bytes that two blocks on the free list share, headers left out; 0 where no two do."""
    live_shared: Word = 0
    """Bytes that a block on the free list shares with one that is live, headers left out; 0 where none does."""


SILENT = Report()
"""The report of a subject that makes none."""
REPORTS = frozenset(field.name for field in fields(Report))
"""What a subject may say, by name: its counters, and the columns of a history."""


@dataclass(frozen=True)
class Sums:
    """What the history says of one instance; kept for subjects that report. Bytes unless said otherwise."""

    peak: Word = 0
    """Most that was ever live."""
    peak_live: Word = 0
    """Most blocks that were ever live."""
    peak_padding: Word = 0
    """Most bytes of padding that blocks which were live together may have needed: of each its alignment, less 1."""
    handed: Word = 0
    """Handed out in all."""
    made: Word = 0
    """Blocks handed out in all."""
    label: Word = 0
    """The tag of the block that the latest operation made or named; 0: none."""
    tag_made: Word = 0
    """Blocks handed out in all with that tag …"""
    tag_bytes: Word = 0
    """… live now …"""
    tag_peak: Word = 0


@dataclass(frozen=True)
class Node:
    """A block on a free list: `size` bytes from `start`, header included."""

    start: Word
    size: Word


def payload_in(node: Node, align: Word, header: Word) -> Word:
    """The first address in `node` that is a multiple of `align` with `header` bytes before it."""
    return align_up(node.start + header, align)


def fits(node: Node, size: Word, align: Word, header: Word) -> Truth:
    """`size` bytes at the first aligned address fit into `node`."""
    gap = payload_in(node, align, header) - node.start
    return (gap <= node.size) & (size <= node.size - gap)


def first_fitting(nodes: Iterable[tuple[int, int]], size: int, align: int, header: int) -> int:
    """The address that a request gets from the first of `nodes` (start, size) that it fits into; 0 when in none."""
    for start, room in nodes:
        node = Node(start, room)
        if fits(node, size, align, header):
            return int(payload_in(node, align, header))
    return 0


@dataclass(frozen=True)
class Choice:
    """What a list of free blocks says of one request and what it got: see the fields of `Report`."""

    first_fit: int = LEFT_OPEN
    least_fit: int = 0
    taken_from: int = 0


def choice(nodes: Sequence[tuple[int, int]], size: int, align: int, header: int, ptr: int) -> Choice:
    """What `nodes` (start, size), as they were before a request that got `ptr`, say of it.

    Where a request fits in, it may be put at either end of a block: inside the first that fits, every address is the
    one that it would get. Where it fits nowhere, memory may come from elsewhere, or from blocks that are joined first.
    """
    fitting = [Node(start, room) for start, room in nodes if fits(Node(start, room), size, align, header)]
    if not fitting:
        return Choice()
    first = fitting[0]
    taken = next((room for start, room in nodes if ptr and start <= ptr < start + room), 0)
    inside = first.start + header <= ptr and ptr + size <= first.start + first.size
    return Choice(
        first_fit=ptr if inside else int(payload_in(first, align, header)),
        least_fit=min(int(node.size) for node in fitting),
        taken_from=taken,
    )


def shared(nodes: Iterable[tuple[int, int]], header: int, live: Iterable[tuple[int, int]] = ()) -> tuple[int, int]:
    """Bytes shared by two of `nodes`, and by one of them with one of `live` (address, bytes): of the lowest two that
    share any, by their addresses. A header is nobody's, and may lie in the end of the block below.
    """
    spans = [(start + header, start + size, True) for start, size in nodes if size > header]
    spans += [(start, start + size, False) for start, size in live if size]
    found = {True: 0, False: 0}
    reach = {True: 0, False: 0}
    for start, end, is_free in sorted(spans):
        for other in (True, False):
            if (is_free or other) and start < reach[other]:
                both = is_free and other
                found[both] = found[both] or min(end, reach[other]) - start
        reach[is_free] = max(reach[is_free], end)
    return found[True], found[False]
