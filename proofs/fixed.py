"""Obligations on the system's freelist of one size: what it adds to the pool's list, which is that of `proofs.blocks`.

Its blocks lie in chunks, so that here they are any blocks that share no byte: a pool's grid is one case. Shown are the
decisions of `_take`, `_give` and `_resize`, which run whole, as methods of an object with symbolic fields, over any
parent; and `extended`, the loop that puts a chunk's blocks on the list. Not shown: the constructor, which takes only
numbers that are known, `_close`, which walks the chunks, and the books (`proofs.statistics`).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from types import FunctionType
from typing import Any

from heaplaw.refimpl.system import freelist
from heaplaw.spec.event import Block, Env, Event, Status, View
from heaplaw.spec.heap import block_of
from heaplaw.spec.logic import Truth, Word, implies, ite, neg
from heaplaw.spec.shapes import Kind

from . import blocks
from .blocks import Situation
from .loops import TurnEnded, swapped
from .paths import Source, Table, TableMemory
from .prove import Claim, Obligation, family, law_claim
from .symbolic import plain
from .tables import WORD
from .threaded import TURN_WORDS, TURNS, Threaded, Threading, grown, initialisation

TRUSTED = (
    *blocks.TRUSTED,
    "requests are checked by the class before these hooks: alignments are powers of two, no less than its own",
)
LARGEST = 2**63 - 1


@dataclass
class Parent:
    """Where chunks come from: any address that keeps a parent's promises, or none."""

    source: Source
    now: Situation
    chunk: Word
    lent: tuple[Word, ...]
    """Blocks of which it is said that a new chunk has no byte in common with them."""
    asked: list[Word]
    """What it was asked for, bytes."""

    def alloc(self, size: Word, tag: str = "") -> Word:
        """A chunk of that size."""
        bytes_ = plain(size)
        self.asked.append(bytes_)
        self.source.assume(promised(self.source, self.now, self.chunk, bytes_, self.lent), PROMISED)
        return self.source.machine(self.chunk)


PROMISED = "the parent's chunks lie at multiples of 16 in the address space, and are shared with nobody"


def promised(source: Source, now: Situation, chunk: Word, size: Word, lent: tuple[Word, ...]) -> Truth:
    """There is no chunk, or it is aligned, in the address space, and apart from these blocks."""
    fair: Truth = (chunk >= 16) & (chunk % 16 == 0) & (chunk + size <= source.modulus)
    for each in lent:
        at = now.spot[each]
        fair = fair & implies(now.exists(each), (at + now.state.block_size <= chunk) | (chunk + size <= at))
    return (chunk == 0) | fair


def anywhere(source: Source) -> tuple[Callable[[Any], Table], Word]:
    """Blocks may lie anywhere, a chunk having any number of them."""
    return lambda state: source.table("spot"), source.number("blocks in a chunk")


def lie(source: Source, now: Situation, *indices: Word) -> None:
    """Blocks lie where blocks may, and apart."""
    for each in indices:
        source.assume(now.lies(each), "blocks lie at multiples of 8, or of 16 where their size is one")
        for other in indices:
            if other is not each:
                source.assume(now.apart(each, other), "no two blocks share a byte")


def enough(source: Source, now: Situation, count: Word) -> None:
    """A chunk has blocks, and is an object; blocks can be counted."""
    size = count * now.state.block_size
    source.assume((count >= 1) & (size <= LARGEST), "a chunk has a block, and is no larger than any object")
    source.assume(now.state.num_blocks + count < source.modulus, "blocks can be counted in 64 bits")


# ----------------------------------------------------------------------------------------------- a new chunk


def extending(source: Source, steps: Any) -> Threaded:
    """`extended` whole, on any list, its loop cut at `thread`."""
    spot, count = anywhere(source)
    now, state, memory = blocks.arbitrary(source, steps.pool, spot)
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


# ------------------------------------------------------------------------------------------------- the hooks


@dataclass(frozen=True)
class Hooked:
    """A hook that ran, with all that is around it. Mathematical integers."""

    before: Situation
    after: Situation
    event: Event
    place: Word
    index: Word
    other: Word
    """Any other block."""
    word: Word
    freeing: Word
    """The block that is named; -1: none."""
    count: Word
    """Blocks in a chunk."""
    chunk: Word
    asked: tuple[Word, ...]
    """What the parent was asked for, bytes."""
    alignment: Word
    freed: Word
    """Bytes that were freed just before; 0: none."""
    loop: Threading | None = None
    """Of a request: the loop over a new chunk, …"""
    open: Truth = False
    """… and whether the path ends with a turn of it, of which `extended` speaks."""


def like(steps: Any, thread: Any, alignment: Word) -> Any:
    """A freelist of which nothing is set but the books and the name, its hooks calling `thread`."""
    inside = swapped(steps, pool=swapped(steps.pool, thread=thread))
    space = vars(inside)
    hooks = {
        name: FunctionType(hook.__code__, space, name, hook.__defaults__, hook.__closure__)
        for name, hook in vars(steps.Freelist).items()
        if isinstance(hook, FunctionType)
    }
    made = object.__new__(type("Freelist", (steps.Freelist,), hooks))
    steps.Booked.__init__(made, "freelist", alignment)
    return made


def hooked(source: Source, steps: Any, kind: Kind, lying: bool = False) -> Hooked:
    """Any freelist, and one of its hooks: a request, a FREE or a RESIZE of any live block."""
    spot, count = anywhere(source)
    now, state, memory = blocks.arbitrary(source, steps.pool, spot)
    place, index, word = source.number("any_place"), source.number("any_block"), source.number("any_word")
    source.assume((word >= 0) & (WORD * word + WORD <= now.state.block_size), "the word is one of a block")
    chunk, align, alignment = source.number("chunk"), source.power("align"), source.number("alignment")
    size, freed, freeing = source.number("size"), source.number("freed just before"), source.number("named")
    source.assume((size >= 0) & (size <= LARGEST), "requests are checked: no larger than any object")
    own = ite(now.state.block_size % 16 == 0, 16, 8)
    source.assume((alignment == own) & (align >= alignment), "alignments are the list's own, or larger")
    enough(source, now, count)
    loop = Threading(source, steps.pool, now, count, chunk, memory, now.spot[index] + WORD * word)
    it = like(steps, loop.cut, source.machine(alignment))
    other = source.number("any_other_block")
    parent = Parent(source, now, chunk, (index, other) if lying else (index,), [])
    it.block_size, it._blocks, it._parent = source.machine(now.state.block_size), source.machine(count), parent
    it._state, it._words, it._chunks = state, memory, [source.machine(source.number("first chunk"))]
    common = (place, index, other, word, freeing, count, chunk)
    if lying:
        lie(source, now, index, other)
        into = (index - now.state.num_blocks) * now.state.block_size
        source.assume(implies(now.state.block_size % 16 == 0, into % 16 == 0), "a product with a multiple of 16 is one")
    if kind is Kind.ALIGNED:
        return _request(source, loop, it, now, memory, (size, align, alignment, freed), common, lying)
    source.assume(now.live(freeing), "what is named is live")
    blocks.assume_at(source, now, (place, place - 1, now.depth, now.depth - 1), (index, freeing))
    lie(source, now, freeing, index, now.at[place])
    named = source.machine(now.spot[freeing])
    ptr, status = 0, Status.OK
    if kind is Kind.FREE:
        it._give(named, None)
        after = now.pushed(freeing, plain(it._state), memory.words)
    else:
        given = it._resize(named, None, source.machine(size), None)
        ptr, status = plain(given), Status.OK if given != 0 else Status.FAILED
        after = replace(now, state=plain(it._state), words=memory.words)
    held = source.number("held")
    source.assume((held >= 0) & (held <= now.state.block_size), "a block was asked for with no more bytes than it has")
    e = Event(kind, size, status=status, held=held, ptr=ptr, env=Env(16, False))
    return Hooked(now, after, e, *common, tuple(parent.asked), alignment, freed)


def _request(
    source: Source,
    loop: Threading,
    it: Any,
    now: Situation,
    memory: TableMemory,
    numbers: tuple[Word, Word, Word, Word],
    common: tuple[Word, ...],
    lying: bool,
) -> Hooked:
    """`_take`, from the list or from a new chunk."""
    size, align, alignment, freed = numbers
    place, index, *_, count, chunk = common
    if not lying:
        places = (place, place - 1, place - count, now.depth - 1, now.depth - 2)
        blocks.assume_at(source, now, places, (index, now.top))
        lie(source, now, now.top, index)
    reusable = implies(freed > 0, (now.depth >= 1) & (freed <= now.state.block_size))
    source.assume(reusable, "what was freed just before is on the list")
    e = Event(Kind.ALIGNED, size, align, env=Env(16, False))
    try:
        ptr = it._take(source.machine(size), source.machine(align), None)
    except TurnEnded:
        return Hooked(now, now, e, *common, tuple(it._parent.asked), alignment, freed, loop, True)
    e = replace(e, ptr=plain(ptr), status=Status.OK if ptr != 0 else Status.FAILED)
    held = now
    if loop.cut.entered is not None:
        held = replace(grown(now, count, chunk), depth=now.depth + count)
    state = plain(it._state)
    after = held.popped(e.ptr, state, memory.words) if e.makes else replace(held, state=state, words=memory.words)
    return Hooked(now, after, e, *common, tuple(it._parent.asked), alignment, freed, loop)


def shown(claim: Callable[[Hooked], Claim]) -> Callable[[Hooked], Claim]:
    """A claim on a hook that came to its end."""
    return lambda done: Claim(False, True) if done.open else claim(done)


def invariant(done: Hooked) -> Claim:
    """The invariant again, with a chunk's blocks where one was taken; and what is handed out is the list's top."""
    before, after, e = done.before, done.after, done.event
    more = done.count if done.asked and neg(done.chunk == 0) else 0
    counted = after.state.num_blocks == before.state.num_blocks + more
    same = after.state.block_size == before.state.block_size
    kept = after.counted() & after.linked(done.place) & after.placed(done.index) & after.either(done.index)
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
    return Claim(True, done.after.either(done.index))


def still_apart(done: Hooked) -> Claim:
    """Any two blocks, old or new: where blocks may lie, and apart."""
    return Claim(True, done.after.lies(done.index) & done.after.apart(done.index, done.other))


def blocks_disjoint(done: Hooked) -> Claim:
    """The block handed out or resized, against any other that was live."""
    before = done.before
    older = Block(before.spot[done.index], before.state.block_size, 0)
    other = before.live(done.index) & neg((done.event.kind == Kind.RESIZE) & (done.index == done.freeing))
    return law_claim("blocks_disjoint", older, block_of(done.event, 1), given=done.event.makes & other)


def payload_kept(done: Hooked) -> Claim:
    """Any word of any block that is live before and after, read back by its owner afterwards."""
    before, after = done.before, done.after
    check = blocks.read_back(before.spot[done.index], done.word, before.state.block_size, before.words, after.words)
    ended = (done.event.kind == Kind.FREE) & (done.index == done.freeing)
    return law_claim("payload_kept", check, given=before.live(done.index) & neg(ended))


def failure_changes_nothing(done: Hooked) -> Claim:
    """The law, on the counters."""
    pre, post = (
        View(now.state.num_free, now.state.num_blocks - now.state.num_free) for now in (done.before, done.after)
    )
    return law_claim("failure_changes_nothing", pre, done.event, post)


def freed_is_reusable(done: Hooked) -> Claim:
    """The law, on the same request with the list's own alignment."""
    e = replace(done.event, kind=Kind.ALLOC)
    plain_ = done.event.align <= done.alignment
    return law_claim("freed_is_reusable", View(freed=done.freed), e, View(), given=plain_)


def served_if_possible(done: Hooked) -> Claim:
    """Served if and only if blocks are large and aligned enough, and one is free or comes with a chunk."""
    before, e = done.before, done.event
    fits = (e.size <= before.state.block_size) & (e.align <= done.alignment)
    there = (before.depth > 0) | neg(done.chunk == 0)
    return Claim(True, implies(e.served, fits & there) & implies(fits & there, e.served))


def chunk_when_empty(done: Hooked) -> Claim:
    """The parent is asked once, for a whole chunk, and only when nothing is free and the request could be served."""
    before, e = done.before, done.event
    whole = done.count * before.state.block_size
    needed = (before.depth == 0) & (e.size <= before.state.block_size) & (e.align <= done.alignment)
    asked: Truth = len(done.asked) <= 1
    for each in done.asked:
        asked = asked & needed & (each == whole)
    return Claim(True, asked)


def on_event(name: str) -> Callable[[Hooked], Claim]:
    """A law on one operation."""
    return lambda done: law_claim(name, done.event)


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
