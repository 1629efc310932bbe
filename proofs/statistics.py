"""Obligations on the books of the system's allocators: what `born` and `died` make of the sums in all, by tag, and in
the book above, where a registry has those of all its subsystems; and what `alloc_zeroed` and `realloc` tell the books.

For blocks of any size and any sums. Tags are texts and addresses keys of a dictionary, which are no numbers: the block
has one tag, which may be new, another tag stands for any other, and the sums of all the rest are any. What the sums
must be is what `spec.heap` makes of the same operation: its own code, run on symbols.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib import import_module
from types import FunctionType
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
BLOCK, BESIDE, MOVED = 0x1000, 0x2000, 0x3000
"""Addresses of the block, of another one, and where the block may be moved to: names, nothing is computed with them."""
OLDER, BORN, NOW = 0, 1, 2
"""The operations that made the other block and this one, and the one that is looked at."""
FIELDS = ("total", "current", "peak", "count", "live")
ADDED = ("total", "current", "count", "live")
"""Sums that those of the tags add up to; peaks do not."""
SCOPE = "blocks of every size and tag, and all books before"
TRUSTED = (
    "induction over the number of operations",
    "a leak report lists each block by itself: two are looked at",
    "texts and addresses are looked up right: they are keys of Python's dictionaries",
)


@dataclass(frozen=True)
class Kept:
    """One book, by the numbers in it; and what the history says of the same."""

    book: Any
    live: Word
    """Blocks that are live."""
    rest: dict[str, Word]
    """Sums over all tags but the two."""
    others: dict[str, Word]
    """Sums of the other tag."""
    history: Part


def kept(source: Source, steps: Any, beside: Word, dying: Word | None, coming: Word) -> Kept:
    """Any book, right before the operation: `dying` is the size of the block, if it lives; `coming` what it will be."""
    whole, rest, others, own = (
        {field: source.number(f"{field} of {which}") for field in FIELDS}
        for which in ("all", "the rest", "the other tag", "the tag")
    )
    known = dying is not None or bool(source.truth("the tag is known"))
    parts = (own, others, rest) if known else (others, rest)
    for field in ADDED:
        source.assume(whole[field] == _sum(part[field] for part in parts), "the sums are those of all tags together")
    fits = (whole["total"] + coming < source.modulus) & (whole["count"] + 1 < source.modulus)
    source.assume(fits, "all that was ever handed out is less than 2**64 bytes and blocks")
    for part in (*parts, whole):
        source.assume(sound(part), "no less than nothing is live, and no more than was handed out")
    live, labels = {OLDER: beside}, {OLDER: LABELS[ANOTHER]}
    if dying is not None:
        source.assume((own["current"] >= dying) & (own["live"] >= 1), "the block is among those of its tag")
        live[BORN], labels[BORN] = dying, LABELS[TAG]
    tags = {**({TAG: tally(source, steps, own)} if known else {}), ANOTHER: tally(source, steps, others)}
    told = {LABELS[ANOTHER]: _told(others), **({LABELS[TAG]: _told(own)} if known else {})}
    view = View(sums=Sums(peak=whole["peak"], handed=whole["total"], made=whole["count"]))
    history = Part(view, Past([(0, 0)]), live, whole["current"], labels=labels, tags=told)
    return Kept(steps.Book(tally(source, steps, whole), tags), whole["live"], rest, others, history)


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
    before: Kept
    post: View
    two: View
    """The same, were these two blocks all."""
    whole: dict[str, Word]
    tags: dict[str, dict[str, Word]]
    """The sums as they are in the book."""


def run(source: Source, steps: Any, call: str, above: bool) -> Said:
    """One operation on a block, with any books: its allocator's own, or the one `above`, the own one then knowing that
    block alone.
    """
    size, old, beside = (source.number(name) for name in ("size", "old size", "size of another block"))
    for each in (size, old, beside):
        source.assume((each >= 0) & (each <= LARGEST), "no block is larger than an address space")
    lives = call in ("died", "realloc")
    before = kept(source, steps, beside, old if lives else None, 0 if call == "died" else size)
    ledger, held = steps.Ledger(), source.machine(old)
    if above:
        ledger.book.above = before.book
        if lives:
            ledger.book.whole, ledger.book.tags[TAG] = (steps.Tally(held, held, held, 1, 1) for _ in range(2))
    else:
        ledger.book = before.book
    ledger.blocks[BESIDE] = steps.Held(source.machine(beside), 16, ANOTHER, None, 1)
    if lives:
        ledger.blocks[BLOCK] = steps.Held(held, 16, TAG, None, 2)
    e = CALLS[call](source, steps, ledger, size, old)
    return said(steps, before, e, list(ledger.leaks()))


def born(source: Source, steps: Any, ledger: Any, size: Word, old: Word) -> Event:
    """The books are told of a new block."""
    ledger.born(BLOCK, source.machine(size), 16, steps.Note(TAG, None))
    return Event(Kind.ALLOC, size, status=Status.OK, ptr=BLOCK, label=LABELS[TAG])


def died(source: Source, steps: Any, ledger: Any, size: Word, old: Word) -> Event:
    """The books are told that a block was ended."""
    ledger.died(BLOCK)
    return Event(Kind.FREE, 0, status=Status.OK, held=old)


def zeroed(source: Source, steps: Any, ledger: Any, size: Word, old: Word) -> Event:
    """An allocator is asked for a block of zeros, and has one."""
    hooked(steps, ledger, BLOCK).alloc_zeroed(source.machine(size), tag=TAG)
    return Event(Kind.ZALLOC, size, status=Status.OK, ptr=BLOCK, label=LABELS[TAG])


def realloc(source: Source, steps: Any, ledger: Any, size: Word, old: Word) -> Event:
    """An allocator is asked for another size of a block: it is refused, or resized where it is, or moved."""
    ptr = 0
    if source.truth("it is resized"):
        ptr = BLOCK if source.truth("it stays where it is") else MOVED
    hooked(steps, ledger, ptr).realloc(BLOCK, source.machine(size))
    return Event(Kind.RESIZE, size, status=Status.OK if ptr else Status.FAILED, ptr=ptr, held=old)


CALLS: dict[str, Callable[[Source, Any, Any, Word, Word], Event]] = {
    "born": born,
    "died": died,
    "zeroed": zeroed,
    "realloc": realloc,
}


def hooked(steps: Any, ledger: Any, ptr: int) -> Any:
    """What all allocators have in common, over hooks that give `ptr`. Whether sizes are Python's own integers is not
    checked: here they are symbols.
    """

    def check_size(doing: str, size: Word) -> None:
        """Any size will do."""

    def hook(self: Any, *args: Any) -> int:
        return ptr

    base = import_module(f"{steps.__package__}.base")
    space: dict[str, Any] = {**vars(base), "check_size": check_size}
    booked: Any = space["Booked"]
    methods: dict[str, Any] = {}
    for name, method in booked.__dict__.items():
        if isinstance(method, FunctionType):
            made = FunctionType(method.__code__, space, name, method.__defaults__, method.__closure__)
            made.__kwdefaults__ = method.__kwdefaults__
            methods[name] = made
    hooks = dict.fromkeys(("_take", "_take_zeroed", "_resize", "footprint"), hook)
    allocator: Any = type("Hooked", (booked,), {**methods, **hooks})("hooks")
    allocator.ledger = ledger
    return allocator


def said(steps: Any, before: Kept, e: Event, leaks: list[Any]) -> Said:
    """The report of a book, beside what `spec.heap` makes of the operation."""
    part, owner = before.history, BORN if e.kind in (Kind.FREE, Kind.RESIZE) else NONE
    ended = [part.ends(gone) for gone in ends_of(part, e, owner)]
    if e.makes:
        part.begins(NOW, e.extent)
    sums = next_sums(part, NOW, e, owner, ended)
    post = View(live=len(part.live), live_bytes=part.bytes, sums=sums)
    two = replace(post, live_bytes=_sum(part.live.values()))
    says = plain(before.book.statistics())
    of_tag = says.tags.get(TAG, steps.TagStatistics())
    report = replace(
        listed(leaks, e.ptr if e.makes else BLOCK),
        current_bytes=says.current_bytes,
        peak_bytes=says.peak_bytes,
        total_bytes=says.total_bytes,
        allocations=says.allocations,
        **{f"tag_{field}": plain(getattr(of_tag, field)) for field in ("count", "current", "peak")},
    )
    tags = {tag: _numbers(of) for tag, of in before.book.tags.items()}
    whole = _numbers(before.book.whole)
    return Said(replace(e, report=report), before, post, two, whole, tags)


def _numbers(of: Any) -> dict[str, Word]:
    return {field: plain(getattr(of, field)) for field in FIELDS}


def listed(leaks: list[Any], ptr: int) -> Report:
    """What a leak report says in all, and of the block at `ptr`."""
    lines = [leak for leak in leaks if leak.address == ptr]
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
    parts = (*done.tags.values(), done.before.rest)
    sums = every(done.whole[field] == _sum(part[field] for part in parts) for field in ADDED)
    claimed = sums & every(sound(part) for part in (*done.tags.values(), done.whole))
    return Claim(True, claimed, said=lambda: f"in all, {done.whole}; by tag, {done.tags}; the rest, {done.before.rest}")


def others_kept(done: Said) -> Claim:
    """Nothing of another tag changes."""
    now, then = done.tags[ANOTHER], done.before.others
    return Claim(True, every(now[field] == then[field] for field in FIELDS), said=lambda: f"{then} became {now}")


def live_exact(done: Said) -> Claim:
    """One more for a block that came, one less for one that went."""
    e = done.event
    change = (1 if e.makes else 0) - (1 if e.ends else 0)
    now, then = done.whole["live"], done.before.live
    return Claim(True, now == then + change, said=lambda: f"{then} live blocks became {now}")


CLAIMS: dict[str, Callable[[Said], Claim]] = {
    **{name: on_report(name) for name in ("stats_exact", "peak_exact", "tags_exact")},
    "adds_up": adds_up,
    "others_kept": others_kept,
    "live_exact": live_exact,
}
OWN: dict[str, Callable[[Said], Claim]] = {
    **CLAIMS,
    "leak_report_exact": lambda done: law_claim("leak_report_exact", View(), done.event, done.two),
}
WORDS = {
    "live_exact": "the number of live blocks is that of blocks that came and did not go",
    "adds_up": "totals, current bytes, counts and live blocks of the tags add up to those of the whole, "
    "and no more is live than was handed out",
    "others_kept": "nothing that is booked under another tag changes",
}


def obligations(steps: Any = books) -> Iterator[Obligation[Any]]:
    """All obligations on the books: the reference's, or a faulty copy of that module."""
    for call, above in (*((call, False) for call in CALLS), ("born", True), ("died", True)):

        def scenario(source: Source, call: str = call, above: bool = above) -> Said:
            return run(source, steps, call, above)

        name, claims = (f"{call}_above", CLAIMS) if above else (call, OWN)
        yield from family("statistics", name, scenario, claims, SCOPE, WORDS, TRUSTED)
