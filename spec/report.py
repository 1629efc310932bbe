"""What a subject may say of itself beyond its plain counters, and what the history says of the same things.

`Report` is the subject's word, after an operation; `Sums` is the history's. Laws of the group `catalogue.reports`, and
those on lists and costs, compare the two. A subject that says nothing of a kind leaves its fields 0, and the laws that
need them are not applicable. Source: the allocator system (statistics, tags, leaks); Vais std/allocator (first fit,
minimum block, complexities).
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields

from .layout import align_up
from .logic import Truth, Word


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
    """The address that the request would get in the first free block, in list order, that it fits into; 0: in none."""
    least_free: Word = 0
    """The smallest block on the free list; the largest word when there is none."""
    least_taken: Word = 0
    """The smallest block that is handed out, header included; the largest word when there is none."""


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
