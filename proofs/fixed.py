"""Obligations on the system's freelist of one size: what it adds to the pool's list, which is that of `proofs.blocks`.

Its blocks lie in chunks, so that here they are any blocks that share no byte: a pool's grid is one case. Shown are the
decisions of `_take`, `_give` and `_resize`, which run whole, as methods of an object with symbolic fields, over any
parent; and `extended`, the loop that puts a chunk's blocks on the list. Not shown: the constructor, which takes only
numbers that are known, `_close`, which walks the chunks, and the books (`proofs.statistics`).
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from heaplaw.refimpl.system import freelist
from heaplaw.spec.event import Block, View
from heaplaw.spec.heap import block_of
from heaplaw.spec.logic import Truth, implies, ite, neg
from heaplaw.spec.shapes import Kind

from . import blocks
from .claims import on_event
from .fixed_hooks import PROMISED, Hooked, enough, hooked, promised
from .loops import swapped
from .paths import Source
from .prove import Claim, Obligation, family, law_claim
from .threaded import TURN_WORDS, TURNS, Threaded, Threading, initialisation

TRUSTED = (
    *blocks.TRUSTED,
    "requests are checked by the class before these hooks: alignments are powers of two, no less than its own",
)


# ----------------------------------------------------------------------------------------------- a new chunk


def extending(source: Source, steps: Any) -> Threaded:
    """`extended` whole, on any list, its loop cut at `thread`."""
    now, state, memory = blocks.arbitrary(source, steps.pool, lambda state: source.table("spot"))
    count = source.number("blocks in a chunk")
    chunk, place, index = source.number("chunk"), source.number("any_place"), source.number("any_block")
    enough(source, now, count)
    tops = (now.at[place], now.at[place - count], now.at[now.depth - 1], index)
    there = promised(source, now, chunk, count * now.state.block_size, tops) & neg(chunk == 0)
    source.assume(there, PROMISED)
    blocks.assume_at(source, now, (place, place - 1, place - count, now.depth - 1), (index,))
    loop = Threading(source, steps.pool, now, count, chunk, memory)
    inside = swapped(steps, pool=swapped(steps.pool, thread=loop.cut))
    return loop.ran(lambda: inside.extended(state, source.machine(chunk), source.machine(count), memory))


def all_join(done: Threaded) -> Claim:
    """After the loop all new blocks are free, above those that were."""
    if done.turn:
        return Claim(False, True)
    loop = done.loop
    new = loop.reached(loop.blocks, done.result, done.words)
    whole = new.counted() & new.linked(loop.place) & new.placed(loop.index) & new.either(loop.index)
    return Claim(True, whole & loop.sized(new) & loop.kept(done.words))


# --------------------------------------------------------------------------------- claims on a hook that ran


def shown(claim: Callable[[Hooked], Claim]) -> Callable[[Hooked], Claim]:
    """A claim on a hook that came to its end."""
    return lambda done: Claim(False, True) if done.open else claim(done)


def invariant(done: Hooked) -> Claim:
    """The invariant again, with a chunk's blocks where one was taken; and what is handed out is the list's top."""
    before, after, e = done.before, done.after, done.event
    more = ite(done.terms.chunk == 0, 0, done.terms.count) if done.asked else 0
    counted = after.state.num_blocks == before.state.num_blocks + more
    same = after.state.block_size == before.state.block_size
    kept = (
        after.counted()
        & after.linked(done.terms.place)
        & after.placed(done.terms.index)
        & after.either(done.terms.index)
    )
    given = implies(e.makes, e.ptr == after.spot[after.at[after.depth]]) if e.kind == Kind.ALIGNED else True
    return Claim(True, counted & same & kept & given)


def entered(done: Hooked) -> Claim:
    """Where a chunk was taken: the loop begins with that chunk, none of its blocks on the list."""
    loop = done.loop
    if loop is None or loop.cut.entered is None:
        return Claim(False, True)
    return initialisation(Threaded(loop, None, loop.memory.words, ()))


def free_xor_live(done: Hooked) -> Claim:
    """What the history says is out, by the addresses that came back, is what the ghost's list has not."""
    return Claim(True, done.after.either(done.terms.index))


def still_apart(done: Hooked) -> Claim:
    """Any two blocks, old or new: where blocks may lie, and apart."""
    return Claim(True, done.after.lies(done.terms.index) & done.after.apart(done.terms.index, done.terms.other))


def blocks_disjoint(done: Hooked) -> Claim:
    """The block handed out or resized, against any other that was live."""
    before = done.before
    older = Block(before.spot[done.terms.index], before.state.block_size, 0)
    other = before.live(done.terms.index) & neg(
        (done.event.kind == Kind.RESIZE) & (done.terms.index == done.terms.named)
    )
    return law_claim("blocks_disjoint", older, block_of(done.event, 1), given=done.event.makes & other)


def payload_kept(done: Hooked) -> Claim:
    """Any word of any block that is live before and after, read back by its owner afterwards."""
    before, after = done.before, done.after
    check = blocks.word_read_back(
        before.spot[done.terms.index], done.terms.word, before.state.block_size, before.words, after.words
    )
    ended = (done.event.kind == Kind.FREE) & (done.terms.index == done.terms.named)
    return law_claim("payload_kept", check, given=before.live(done.terms.index) & neg(ended))


def failure_changes_nothing(done: Hooked) -> Claim:
    """The law, on the counters."""
    pre, post = (
        View(now.state.num_free, now.state.num_blocks - now.state.num_free) for now in (done.before, done.after)
    )
    return law_claim("failure_changes_nothing", pre, done.event, post)


def freed_is_reusable(done: Hooked) -> Claim:
    """The law, on the same request with the list's own alignment."""
    e = replace(done.event, kind=Kind.ALLOC)
    plain_ = done.event.align <= done.terms.alignment
    return law_claim("freed_is_reusable", View(freed=done.terms.freed), e, View(), given=plain_)


def served_if_possible(done: Hooked) -> Claim:
    """Served if and only if blocks are large and aligned enough, and one is free or comes with a chunk."""
    before, e = done.before, done.event
    fits = (e.size <= before.state.block_size) & (e.align <= done.terms.alignment)
    there = (before.depth > 0) | neg(done.terms.chunk == 0)
    return Claim(True, implies(e.served, fits & there) & implies(fits & there, e.served))


def chunk_when_empty(done: Hooked) -> Claim:
    """The parent is asked once, for a whole chunk, and only when nothing is free and the request could be served."""
    before, e = done.before, done.event
    whole = done.terms.count * before.state.block_size
    needed = (before.depth == 0) & (e.size <= before.state.block_size) & (e.align <= done.terms.alignment)
    asked: Truth = len(done.asked) <= 1
    for each in done.asked:
        asked = asked & needed & (each == whole)
    return Claim(True, asked)


KEPT: dict[str, Callable[[Hooked], Claim]] = {
    "invariant": invariant,
    "payload_kept": payload_kept,
}
CLAIMS: dict[Kind, dict[str, Callable[[Hooked], Claim]]] = {
    Kind.ALIGNED: {
        "aligned": on_event("aligned"),
        "blocks_disjoint": blocks_disjoint,
        "failure_changes_nothing": failure_changes_nothing,
        "freed_is_reusable": freed_is_reusable,
        "served_if_possible": served_if_possible,
        "chunk_when_empty": chunk_when_empty,
        "free_xor_live": free_xor_live,
        **KEPT,
    },
    Kind.FREE: KEPT,
    Kind.RESIZE: {
        "blocks_disjoint": blocks_disjoint,
        "shrink_succeeds": on_event("shrink_succeeds"),
        "failure_changes_nothing": failure_changes_nothing,
        **KEPT,
    },
}
CALLS = {Kind.ALIGNED: "alloc", Kind.FREE: "free", Kind.RESIZE: "realloc"}
WORDS = {
    **blocks.WORDS,
    **TURN_WORDS,
    "served_if_possible": "a request is served if and only if it fits a block, and one is free or a chunk can be had",
    "chunk_when_empty": "the parent is asked for a whole chunk, once, and only when nothing is free",
    "all_join": "a chunk's blocks are on top of the list, in order of address, and all other blocks as they were",
    "still_apart": "blocks of a new chunk share no byte with each other or with older ones, and are aligned as these",
}


def obligations(steps: Any = freelist) -> Iterator[Obligation[Any]]:
    """All obligations on a freelist's own code: the reference's, or a faulty copy of that module."""

    def extension(source: Source) -> Threaded:
        return extending(source, steps)

    scope = "every list of disjoint blocks, every chunk, and every state in which the loop begins a turn"
    claims = {**TURNS, "all_join": all_join}
    yield from family("fixed", "extended", extension, claims, scope, WORDS, TRUSTED[:1])
    for kind, stated in CLAIMS.items():

        def scenario(source: Source, kind: Kind = kind) -> Hooked:
            return hooked(source, steps, kind)

        scope = "every list of disjoint blocks, size, alignment, and parent"
        chosen = {about: shown(claim) for about, claim in stated.items()}
        if kind is Kind.ALIGNED:
            chosen["initialisation"] = entered
        yield from family("fixed", CALLS[kind], scenario, chosen, scope, WORDS, TRUSTED)

    def lying(source: Source) -> Hooked:
        return hooked(source, steps, Kind.ALIGNED, True)

    yield from family("fixed", "alloc", lying, {"still_apart": shown(still_apart)}, scope, WORDS, TRUSTED)
