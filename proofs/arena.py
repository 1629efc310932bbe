"""Obligations on the reference arena's own steps: requests, marks, and the loops of release, reset and drop.

For any chunk size, any number of chunks wherever they lie, any state that satisfies the invariant (see
`proofs.chunks`), any parent that keeps his promises, any request and every alignment at once. What is shown of one
block, one mark and one level, which may be any, is shown of all. The loops are in `proofs.unwinding`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from heaplaw.refimpl.steps import arena
from heaplaw.spec.event import Block, Event, View
from heaplaw.spec.heap import block_of
from heaplaw.spec.history import Op
from heaplaw.spec.layout import MAX_ALIGN
from heaplaw.spec.logic import Truth, Word, every, implies, neg
from heaplaw.spec.report import Report
from heaplaw.spec.shapes import Kind

from .chunks import (
    LARGEST_CHUNK,
    Around,
    Lying,
    Parent,
    Situation,
    Taken,
    arbitrary,
    around,
    assume_at,
    headers_only,
    in_words,
    request,
    same_size,
    same_state,
    told,
    word_kept,
)
from .claims import as_stated, byte_zeroed, in_ranges, on_event, on_step
from .paths import Source, Table
from .prove import Claim, Obligation, family, law_claim
from .symbolic import plain
from .tables import Mapped
from .unwinding import UNWINDING

SCOPE = "every chunk size, parent, state that satisfies the invariant, request and alignment"
TRUSTED = (
    "induction over the number of operations, and over a loop's turns",
    "chunks that share no byte have together no more bytes than the address space",
    "only marks that no release or reset has ended are released: the class that users hold checks",
)


@dataclass(frozen=True)
class Asked:
    """A request with all that is around it, as mathematical integers."""

    before: Situation
    after: Situation
    pre: View
    event: Event
    post: View
    around: Around
    parent: Parent
    accessed: tuple[Word, ...]
    written: Table
    """The words, when the new block's owner has written what he likes."""
    byte: Word
    """Any byte of the new block."""
    largest: int


def ask(source: Source, steps: Any, kind: Kind) -> Asked:
    """Any arena, and any request of a kind."""
    now, state = arbitrary(source, steps)
    near, op = around(source, now), request(source, kind)
    assume_at(source, now, (now.depth,), near.levels)
    history = told(source, (now.state.total,))
    parent = Parent(source, now, (now.depth, *near.levels))
    seen, seen_event = steps.step(state, op, 0, parent)
    after, e = parent.settled(seen), plain(seen_event)
    accessed, words = parent.accessed, parent.memory.words
    if e.makes:
        parent.memory.forget(e.ptr, e.ptr + e.room)
    pre = history.view(now.state, now.state.total)
    post = View(
        live=pre.live + (1 if e.makes else 0),
        live_bytes=pre.live_bytes + (e.extent if e.makes else 0),
        remaining=e.remaining,
        total=e.total,
    )
    byte, written = source.number("any_byte"), parent.memory.words
    return Asked(now, replace(after, words=words), pre, e, post, near, parent, accessed, written, byte, steps.LARGEST)


def disjoint(done: Asked) -> Claim:
    """The block handed out, against any block that is live."""
    block = done.around.block
    return law_claim("blocks_disjoint", Block(block.ptr, block.room), block_of(done.event, 1), given=done.event.makes)


def in_its_chunk(done: Asked) -> Claim:
    """The bounds are those of the newest chunk, behind its header."""
    after = done.after
    first = after.first(after.depth)
    bounds = replace(done.event.env, base=first, capacity=after.end[after.depth] - first)
    return law_claim("in_bounds", replace(done.event, env=bounds))


def zeroed(done: Asked) -> Claim:
    """Any byte of the block was made zero."""
    cleared = in_ranges(done.event.ptr + done.byte, done.parent.memory.zeroed)
    return byte_zeroed(done.event, done.byte, cleared)


def goes_on(done: Asked) -> Claim:
    """The invariant again, on any level, when the new block's owner has written into it. Blocks and marks are still in
    place, the new block among them. What is refused has changed nothing.
    """
    before, after, near, e = done.before, done.after, done.around, done.event
    kept = replace(after, words=done.written).invariant_at(near.level) & same_size(before, after)
    new = Lying(after.depth, e.ptr, e.room).inside(after) & (after.state.total > before.state.total)
    nothing = same_state(before.state, after.state) & (after.depth == before.depth)
    there = near.block.inside(after) & near.mark.good(after)
    claimed = kept & there & implies(e.makes, new) & implies(e.failed, nothing)
    return Claim(
        True, claimed, said=lambda: f"before, {in_words(before)}; afterwards, {in_words(after)}; address {e.ptr:#x}"
    )


def accesses(done: Asked) -> Claim:
    """Only the header of a chunk that was just taken; zeroes only in the new block."""
    after = done.after
    grown = implies(len(done.accessed) > 0, after.depth > done.before.depth)
    e = done.event
    zeroes = every((low == e.ptr) & (size <= e.room) for low, size in done.parent.memory.zeroed)
    return headers_only(done.parent, after, (after.depth,), grown & zeroes)


def asks_rightly(done: Asked) -> Claim:
    """What the parent is asked for is as he wants it: one chunk at most, no less than an ordinary one."""
    ordinary = done.before.state.chunk_size
    sizes = ((size % MAX_ALIGN == 0) & (size >= ordinary) & (size <= LARGEST_CHUNK) for size in done.parent.asked)
    once = (len(done.parent.asked) <= 1) & (len(done.parent.given) == 0)
    return Claim(True, every(sizes) & once, said=lambda: f"asked for {done.parent.asked} bytes")


def parent_refused(done: Asked) -> Truth:
    """The parent had no chunk."""
    refused: Truth = False
    for answer in done.parent.answers:
        refused = refused | (answer == 0)
    return refused


def serves(done: Asked) -> Claim:
    """What no object is too small for is served, unless the parent has no chunk."""
    e = done.event
    fits = neg(e.unserviceable) & (e.extent + e.required_align <= done.largest)
    return Claim(fits & neg(parent_refused(done)), e.makes, said=lambda: f"{e.extent} bytes are refused")


def nothing_asked(done: Asked) -> Claim:
    """A block of no bytes, with any alignment that a trace may ask for.

    The law demands it where a history shows that there is room; the parent's chunk is room enough, so it is proved as
    if every history did.
    """
    usual = done.event.required_align <= done.event.env.max_request_align
    roomy = replace(done.pre, back=True, undone_by=Kind.RESET, whole=4 * done.event.env.max_request_align)
    return law_claim("zero_size_as_promised", roomy, done.event, done.post, given=usual & neg(parent_refused(done)))


def constant_time(done: Asked) -> Claim:
    """The words that were read and written are counted on each path."""
    return law_claim("constant_time", replace(done.event, report=Report(cost=len(done.accessed))))


REQUEST: dict[str, Callable[[Asked], Claim]] = {
    **{name: on_event(name) for name in ("aligned", "overflow_is_failure", "failure_is_reported")},
    **{name: on_step(name) for name in ("failure_changes_nothing", "total_is_live_bytes")},
    "blocks_disjoint": disjoint,
    "in_bounds": in_its_chunk,
    "payload_kept": lambda done: word_kept(done.before, done.after, done.around),
    "zero_size_as_promised": nothing_asked,
    "invariant": goes_on,
    "accesses": accesses,
    "asks": asks_rightly,
    "serves": serves,
}
REQUESTS: dict[Kind, tuple[str, dict[str, Callable[[Asked], Claim]]]] = {
    Kind.ALLOC: ("alloc", {**REQUEST, "constant_time": constant_time}),
    Kind.ALIGNED: ("aligned", {**REQUEST, "constant_time": constant_time}),
    Kind.ZALLOC: ("zalloc", {**REQUEST, "zeroed": zeroed}),
}
WORDS = {
    "invariant": "the chunks are a chain of saved states; blocks and marks stay in their chunks, below the tops",
    "accesses": "only words of the headers of chunks that are held are read or written",
    "asks": "the parent is asked for a multiple of 16 bytes, once, and for no less than an ordinary chunk",
    "serves": "a request that an object can answer is refused only if the parent refuses",
    "undone": "giving the newest chunk back brings the state and all other memory back as before it was taken",
    "as_marked": "the state is exactly that in which the mark was taken",
    "empty": "nothing is handed out, and of the chunks at most the oldest is held",
    "given": "each chunk is given back as it was lent: same address, same size",
    "initialisation": "the state in which the loop is entered is that of a level",
    "preservation": "a turn leads to the level below, and leaves older blocks, marks and headers as they are",
    "variant": "each turn gives one chunk back, and none below the loop's end",
}

# ------------------------------------------------------------------------------------------ marks, construction


def marked(source: Source, steps: Any) -> Claim:
    """A mark is one of the newest level, and nothing has changed."""
    now, state = arbitrary(source, steps)
    assume_at(source, now, (now.depth,))
    parent = Parent(source, now, ())
    seen, seen_event = steps.step(state, Op(Kind.MARK), 0, parent)
    after, e = parent.settled(seen), plain(seen_event)
    good = Taken(after.depth, e.ptr, now.state.total).good(after)
    return Claim(True, good & same_state(now.state, after.state) & e.served & (len(parent.accessed) == 0))


def made(source: Source, steps: Any) -> Claim:
    """An arena that was just made is on level 0."""
    size = source.number("chunk_size")
    source.assume((size >= 0) & (size <= LARGEST_CHUNK), "chunks of at most 2**63 bytes are asked for")
    state, none = plain(steps.init(source.machine(size))), Mapped(lambda level: 0)
    start = Situation(state, 0, none, none, none, none, none, none)
    return Claim(True, start.invariant_at(source.number("any_level")) & (state.chunk_size >= size))


# -------------------------------------------------------------------------------------------------- obligations


def obligations(steps: Any = arena) -> Iterator[Obligation[Any]]:
    """All obligations on an arena's steps: the reference's, or a faulty copy of that module."""
    for kind, (call, claims) in REQUESTS.items():

        def asking(source: Source, kind: Kind = kind) -> Asked:
            return ask(source, steps, kind)

        yield from family("arena", call, asking, claims, SCOPE, WORDS, TRUSTED)
    for name, build in {"mark": marked, "init": made}.items():

        def building(source: Source, build: Callable[..., Claim] = build) -> Claim:
            return build(source, steps)

        yield from family("arena", name, building, {"invariant": as_stated}, SCOPE, WORDS)
    for call, scenario, parts in UNWINDING:

        def unwinding(source: Source, scenario: Callable[..., Any] = scenario) -> Any:
            return scenario(source, steps)

        yield from family("arena", call, unwinding, parts, SCOPE, WORDS, TRUSTED)
