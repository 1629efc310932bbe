"""Obligations on the books of the system's allocators: what `born` and `died` make of the sums in all, by tag, and in
the book above, where a registry has those of all its subsystems.

For blocks of any size and any sums. Tags are texts and addresses keys of a dictionary, which are no numbers: the block
has one tag, which may be new, another tag stands for any other, and the sums of all the rest are any. What the sums
must be is what `spec.heap` makes of the same operation: its own code, run on symbols.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from heaplaw.refimpl.system import ledger as books
from heaplaw.spec.event import NONE, Event, Status, View
from heaplaw.spec.heap import LARGEST, Part, Past, Tag, ends_of, next_sums
from heaplaw.spec.layout import SIZE_MAX
from heaplaw.spec.logic import Truth, Word, every
from heaplaw.spec.report import Report, Sums
from heaplaw.spec.shapes import Kind

from .paths import Source
from .prove import Claim, Obligation, family, law_claim
from .symbolic import plain

TAG, ANOTHER = "tag of the block", "tag of others"
LABELS = {TAG: 1, ANOTHER: 2}
BLOCK, BESIDE = 0x1000, 0x2000
"""Addresses of the block and of another one: names, nothing is computed with them."""
BORN, OLDER = 1, 0
"""The operations that made them."""
FIELDS = ("total", "current", "peak", "count", "live")
ADDED = ("total", "current", "count", "live")
"""Sums that those of the tags add up to; peaks do not."""
SCOPE = "blocks of every size and tag, and every sums before"
TRUSTED = (
    "induction over the number of operations",
    "a leak report lists each block by itself: two are looked at",
    "texts and addresses are looked up right: they are keys of Python's dictionaries",
)


@dataclass(frozen=True)
class Kept:
    """One book, by the numbers in it; and what the history says of the same."""

    book: Any
    rest: dict[str, Word]
    """Sums over all tags but the two."""
    others: dict[str, Word]
    """Sums of the other tag."""
    history: Part


def kept(source: Source, steps: Any, kind: Kind, size: Word, beside: Word) -> Kept:
    """Any book, right before the operation."""
    whole, rest, others, own = (
        {field: source.number(f"{field} of {which}") for field in FIELDS}
        for which in ("all", "the rest", "the other tag", "the tag")
    )
    known = kind is Kind.FREE or bool(source.truth("the tag is known"))
    parts = (own, others, rest) if known else (others, rest)
    for field in ADDED:
        source.assume(whole[field] == _sum(part[field] for part in parts), "the sums are those of all tags together")
    fits = (whole["total"] + size < source.modulus) & (whole["count"] + 1 < source.modulus)
    source.assume(fits, "all that was ever handed out is less than 2**64 bytes and blocks")
    for part in (*parts, whole):
        source.assume(sound(part), "no less than nothing is live, and no more than was handed out")
    if kind is Kind.FREE:
        source.assume((own["current"] >= size) & (own["live"] >= 1), "the block that dies is among those of its tag")
    tags = {**({TAG: tally(source, steps, own)} if known else {}), ANOTHER: tally(source, steps, others)}
    book = steps.Book(tally(source, steps, whole), tags)
    sums = Sums(peak=whole["peak"], handed=whole["total"], made=whole["count"])
    told = {LABELS[ANOTHER]: _told(others), **({LABELS[TAG]: _told(own)} if known else {})}
    dying = {BORN: size} if kind is Kind.FREE else {}
    labels = {OLDER: LABELS[ANOTHER], **dict.fromkeys(dying, LABELS[TAG])}
    live = {OLDER: beside, **dying}
    view = View(sums=sums)
    return Kept(book, rest, others, Part(view, Past([(0, 0)]), live, whole["current"], labels=labels, tags=told))


def sound(sums: dict[str, Word]) -> Truth:
    """No less than nothing is live, and no more than was handed out."""
    current, peak = sums["current"], sums["peak"]
    least = (current >= 0) & (sums["live"] >= 0)
    return least & (current <= peak) & (peak <= sums["total"]) & (sums["live"] <= sums["count"])


def _sum(terms: Any) -> Word:
    total: Word = 0
    for term in terms:
        total = term + total
    return total


def _told(sums: dict[str, Word]) -> Tag:
    return Tag(sums["count"], sums["current"], sums["peak"])


def tally(source: Source, steps: Any, sums: dict[str, Word]) -> Any:
    """These sums as the books hold them."""
    return steps.Tally(*(source.machine(sums[field]) for field in FIELDS))


@dataclass(frozen=True)
class Said:
    """What one book says after the operation, and what the history says."""

    event: Event
    post: View
    two: View
    """The same, were these two blocks all."""
    whole: dict[str, Word]
    tags: dict[str, dict[str, Word]]
    """The sums as they are in the book."""
    rest: dict[str, Word]
    others: dict[str, Word]


def run(source: Source, steps: Any, kind: Kind, above: bool) -> Said:
    """A block that is born or dies, with any books: its allocator's own, or the one `above`, the own one knowing
    nothing but that block.
    """
    size, beside = source.number("size"), source.number("size of another block")
    for each in (size, beside):
        source.assume((each >= 0) & (each <= LARGEST), "no block is larger than an address space")
    before = kept(source, steps, kind, size, beside)
    seen, ledger = source.machine(size), steps.Ledger()
    if above:
        ledger.book.above = before.book
        if kind is Kind.FREE:
            ledger.book.whole, ledger.book.tags[TAG] = (steps.Tally(seen, seen, seen, 1, 1) for _ in range(2))
    else:
        ledger.book = before.book
    ledger.blocks[BESIDE] = steps.Held(source.machine(beside), 16, ANOTHER, None, 1)
    if kind is Kind.FREE:
        ledger.blocks[BLOCK] = steps.Held(seen, 16, TAG, None, 2)
        ledger.died(BLOCK)
        e = Event(kind, 0, status=Status.OK, held=size)
    else:
        ledger.born(BLOCK, seen, 16, steps.Note(TAG, None))
        e = Event(kind, size, status=Status.OK, ptr=BLOCK, label=LABELS[TAG])
    return said(before, e, listed(list(ledger.leaks())))


def said(before: Kept, e: Event, leaks: Report) -> Said:
    """The report of a book, beside what `spec.heap` makes of the operation."""
    part, owner = before.history, BORN if e.kind == Kind.FREE else NONE
    ended = [part.ends(gone) for gone in ends_of(part, e, owner)]
    if e.makes:
        part.begins(BORN, e.extent)
    sums = next_sums(part, BORN, e, owner, ended)
    post = View(live=len(part.live), live_bytes=part.bytes, sums=sums)
    two = replace(post, live_bytes=_sum(part.live.values()))
    says = plain(before.book.statistics())
    report = replace(
        leaks,
        current_bytes=says.current_bytes,
        peak_bytes=says.peak_bytes,
        total_bytes=says.total_bytes,
        allocations=says.allocations,
        **{f"tag_{field}": plain(getattr(says.tags[TAG], field)) for field in ("count", "current", "peak")},
    )
    tags = {tag: _numbers(of) for tag, of in before.book.tags.items()}
    whole = _numbers(before.book.whole)
    return Said(replace(e, report=report), post, two, whole, tags, before.rest, before.others)


def _numbers(of: Any) -> dict[str, Word]:
    return {field: plain(getattr(of, field)) for field in FIELDS}


def listed(leaks: list[Any]) -> Report:
    """What a leak report says in all, and of the block."""
    lines = [leak for leak in leaks if leak.address == BLOCK]
    return Report(
        leak_count=len(leaks),
        leak_bytes=plain(_sum(leak.size for leak in leaks)),
        leak_lines=len(lines),
        leak_size=plain(_sum(leak.size for leak in lines[:1])),
        leak_tag=LABELS.get(lines[0].tag, SIZE_MAX) if lines else 0,
    )


# --------------------------------------------------------------------------------------------------- the claims


def on_report(name: str) -> Callable[[Said], Claim]:
    """A law on what a book says."""
    return lambda done: law_claim(name, View(), done.event, done.post)


def adds_up(done: Said) -> Claim:
    """The sums of the tags are the whole's again, those that were not touched being as they were."""
    parts = (*done.tags.values(), done.rest)
    sums = every(done.whole[field] == _sum(part[field] for part in parts) for field in ADDED)
    return Claim(True, sums & every(sound(part) for part in (*done.tags.values(), done.whole)))


def others_kept(done: Said) -> Claim:
    """Nothing of another tag changes."""
    return Claim(True, every(done.tags[ANOTHER][field] == done.others[field] for field in FIELDS))


CLAIMS: dict[str, Callable[[Said], Claim]] = {
    **{name: on_report(name) for name in ("stats_exact", "peak_exact", "tags_exact")},
    "adds_up": adds_up,
    "others_kept": others_kept,
}
OWN: dict[str, Callable[[Said], Claim]] = {
    **CLAIMS,
    "leak_report_exact": lambda done: law_claim("leak_report_exact", View(), done.event, done.two),
}
WORDS = {
    "adds_up": "totals, current bytes, counts and live blocks of the tags add up to those of the whole, "
    "and no more is live than was handed out",
    "others_kept": "nothing that is booked under another tag changes",
}


def obligations(steps: Any = books) -> Iterator[Obligation[Any]]:
    """All obligations on the books: the reference's, or a faulty copy of that module."""
    for call, kind in (("born", Kind.ALLOC), ("died", Kind.FREE)):
        for above in (False, True):

            def scenario(source: Source, kind: Kind = kind, above: bool = above) -> Said:
                return run(source, steps, kind, above)

            name, claims = (f"{call}_above", CLAIMS) if above else (call, OWN)
            yield from family("statistics", name, scenario, claims, SCOPE, WORDS, TRUSTED)
