"""Obligations on the reference pool's own steps: `alloc`, `dealloc`, and `init` with its loop of `thread`s.

For any block size, any buffer that fits the address space, any number of blocks and any state that satisfies the
invariant, which is that of `proofs.blocks`, the blocks lying on a grid.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, TypeAlias

from heaplaw.refimpl.steps import pool
from heaplaw.refimpl.steps.pool import PoolState
from heaplaw.spec.event import Env, Flag
from heaplaw.spec.history import Op
from heaplaw.spec.layout import align_up
from heaplaw.spec.logic import Truth, Word, every, implies, ite, neg
from heaplaw.spec.shapes import Kind

from . import blocks
from .blocks import Situation, Stepped
from .claims import on_event, on_step
from .loops import swapped
from .paths import Source, Table
from .prove import Claim, Obligation, family, law_claim
from .symbolic import plain
from .tables import WORD, Access, Mapped
from .threaded import TURN_WORDS, TURNS, Threaded, Threading


class Look(Enum):
    """What of the invariant is looked at in a scenario: little at a time is proved sooner."""

    CHAIN = 1
    """Any place of the list."""
    OWNER = 2
    """Any block, and what leads to it."""
    ORDER = 3
    """The order in which blocks were freed."""


def in_memory(source: Source, state: PoolState) -> None:
    """The buffer is one."""
    source.assume((state.buffer >= WORD) & (state.buffer % WORD == 0), "the buffer starts at a multiple of 8")
    fits = state.buffer + state.block_size * state.num_blocks <= source.modulus
    source.assume((state.num_blocks >= 1) & fits, "there is a block, and the buffer lies in the address space")


def grid(source: Source, state: PoolState) -> Mapped:
    """Blocks lie side by side in the buffer."""
    in_memory(source, state)
    return Mapped(lambda index: state.buffer + index * state.block_size)


def anywhere(source: Source, state: PoolState) -> Table:
    """Where blocks lie, `apart` says; states with a grid are preferred."""
    in_memory(source, state)
    spot = source.table("spot")
    for index in range(blocks.SMALL):
        source.prefer(spot[index] == state.buffer + index * state.block_size)
    return spot


def apart(source: Source, now: Situation, *indices: Word) -> None:
    """Of these blocks it is used that they lie in the buffer, at multiples of 8, and apart; `init.apart` shows that of
    every block on the grid. How the grid is computed does not matter then.
    """
    for each in indices:
        source.assume(inside(now, each), "each block lies in the buffer, at a multiple of 8")
        for other in indices:
            if other is not each:
                source.assume(now.apart(each, other), "no two blocks share a byte")


def inside(now: Situation, index: Word) -> Truth:
    """Block `index` lies in the buffer, at a multiple of 8."""
    at, state = now.spot[index], now.state
    within = (at >= state.buffer) & (at + state.block_size <= state.buffer + state.capacity)
    return implies(now.exists(index), (at >= WORD) & (at % WORD == 0) & within)


def operate(source: Source, steps: Any, kind: Kind, look: Look) -> Stepped:
    """Any pool, and one ALLOC, or FREE of any live block."""
    on_grid = kind is Kind.ALLOC and look is Look.CHAIN
    laid = grid if on_grid else anywhere
    now, state, memory = blocks.arbitrary(source, steps, lambda state: laid(source, state))
    place, index, word = source.number("any_place"), source.number("any_block"), source.number("any_word")
    source.assume((word >= 0) & (WORD * word + WORD <= now.state.block_size), "the word is one of a block")
    around = {Look.CHAIN: (place, place - 1), Look.OWNER: (now.place[index] + 1,), Look.ORDER: ()}
    blocks.assume_at(source, now, (*around[look], now.depth, now.depth - 1), (index,))
    number = source.number("any_freed")
    freed = (number, *(now.known - each for each in (1, 2))) if look is Look.ORDER else ()
    pre = blocks.view_before(source, now, freed)
    freeing: Word = -1
    if kind is Kind.FREE:
        freeing = source.number("freeing")
        source.assume(now.live(freeing), "what is freed is live")
        blocks.assume_at(source, now, (), (freeing,))
        links = {Look.CHAIN: (now.at[place],), Look.OWNER: (index, now.at[now.place[index] + 1]), Look.ORDER: ()}
        apart(source, now, freeing, *links[look])
    else:
        blocks.assume_at(source, now, (now.depth - 2,), (now.top,))
        if not on_grid:
            apart(source, now, now.top, index)
    ptr = source.machine(now.spot[freeing]) if kind is Kind.FREE else 0
    seen, seen_event = steps.step(state, Op(kind), ptr, memory)
    new_state, e = plain(seen), plain(seen_event)
    after = blocks.followed(now, new_state, memory.words, e, freeing)
    post = blocks.view_after(after, pre, e)
    touched = tuple(memory.accesses)
    return Stepped(now, after, pre, e, post, freeing, place, index, word, number, touched)


def outside(env: Env, accesses: tuple[Access, ...]) -> Truth:
    """A word is written that is not wholly in the buffer."""
    low, high = env.base, env.base + env.capacity
    return neg(every((each.address >= low) & (each.address + WORD <= high) for each in accesses if each.writes))


def buffer_respected(done: Stepped) -> Claim:
    """The law, on where the step writes."""
    flags = ite(outside(plain(done.before.state).env, done.accesses), int(Flag.OUTSIDE), 0)
    return law_claim("buffer_respected", replace(done.event, flags=flags))


Claims: TypeAlias = dict[str, Callable[[Stepped], Claim]]
CHAIN: Claims = {
    "invariant": blocks.invariant,
    "accesses": blocks.accesses,
    "buffer_respected": buffer_respected,
    "constant_time": blocks.constant_time,
    **{name: on_step(name) for name in ("pool_conserved", "accounting_exact", "free_count_exact")},
}
OWNER: Claims = {"free_xor_live": blocks.free_xor_live, "payload_kept": blocks.payload_kept}
ORDER: Claims = {"order_kept": blocks.order_kept}
SERVED: Claims = {
    **{name: on_event(name) for name in ("aligned", "in_bounds", "pool_on_grid")},
    **{name: on_step(name) for name in ("pool_serves_while_free", "freed_is_reusable", "failure_changes_nothing")},
}
CLAIMS: dict[tuple[Kind, Look], Claims] = {
    (Kind.ALLOC, Look.CHAIN): {**SERVED, **CHAIN},
    (Kind.ALLOC, Look.OWNER): {"blocks_disjoint": blocks.blocks_disjoint, **OWNER},
    (Kind.ALLOC, Look.ORDER): {"reuse_order": blocks.reuse_order, **ORDER},
    (Kind.FREE, Look.CHAIN): CHAIN,
    (Kind.FREE, Look.OWNER): OWNER,
    (Kind.FREE, Look.ORDER): ORDER,
}
NEW = {
    **TURN_WORDS,
    "apart": "a new pool's blocks lie in its buffer, at multiples of 8, and no two of them share a byte",
    "all_free": "a new pool has every block on its list, in order of address, and counts them",
    "least": "the block size is the least multiple of 8 that is at least 8, and at least what was asked for",
}


# --------------------------------------------------------------------------------------------- construction


def constructed(source: Source, steps: Any) -> Threaded:
    """Any new pool: `init` whole, its loop cut at `thread`."""
    buffer, asked, count = source.number("buffer"), source.number("asked"), source.number("num_blocks")
    size = align_up(ite(asked == 0, 1, asked), WORD)
    source.assume(asked >= 0, "a block has 0 bytes or more")
    source.prefer((count <= blocks.SMALL) & (size <= 32))
    grid(source, steps.PoolState(buffer, size, count, 0, 0))
    words, nothing = source.table("word"), Mapped(lambda key: 0)
    state = steps.PoolState(buffer, size, 0, 0, 0)
    empty = Situation(state, 0, nothing, nothing, nothing, words, nothing, nothing, 0)
    memory = source.memory(words)
    loop = Threading(source, steps, empty, count, buffer, memory)
    seen = [source.machine(each) for each in (buffer, asked, count)]
    return loop.ran(lambda: swapped(steps, thread=loop.cut).init(*seen, memory))


def all_apart(done: Threaded) -> Claim:
    """Any two blocks of the new pool: in the buffer, at multiples of 8, with no byte in common."""
    if done.turn:
        return Claim(False, True)
    loop, other = done.loop, done.loop.source.number("any_other_block")
    new = loop.reached(loop.blocks, done.result, done.words)
    spot = Mapped(lambda index: new.state.buffer + index * new.state.block_size)
    laid = replace(new, spot=spot)
    return Claim(True, inside(laid, loop.index) & laid.apart(loop.index, other))


def all_free(done: Threaded) -> Claim:
    """After the loop every block is on the list, the one at the buffer on top: the invariant, with nothing live."""
    if done.turn:
        return Claim(False, True)
    loop = done.loop
    new = loop.reached(loop.blocks, done.result, done.words)
    first = (new.state.free_list == new.state.buffer) & (new.state.num_free == new.state.num_blocks)
    whole = new.counted() & new.linked(loop.place) & new.placed(loop.index) & new.either(loop.index)
    return Claim(True, first & whole & loop.sized(new))


@dataclass(frozen=True)
class Rounded:
    """A block size."""

    asked: Word
    size: Word
    other: Word
    """Any other size that would do."""


def rounded(source: Source, steps: Any) -> Rounded:
    """Any size that can be rounded in a machine's word."""
    asked, other = source.number("asked"), source.number("other")
    source.assume((asked >= 0) & (asked <= source.modulus - WORD), "the size can be rounded up in 64 bits")
    return Rounded(asked, plain(steps.rounded(source.machine(asked))), other)


def least(done: Rounded) -> Claim:
    """The least of those that would do."""

    def will_do(size: Word) -> Truth:
        return (size >= WORD) & (size >= done.asked) & (size % WORD == 0)

    return Claim(True, will_do(done.size) & implies(will_do(done.other), done.size <= done.other))


# ---------------------------------------------------------------------------------------------- obligations


def obligations(steps: Any = pool) -> Iterator[Obligation[Any]]:
    """All obligations on a pool's steps: the reference's, or a faulty copy of that module."""
    scope = "every buffer, block size, number of blocks and state that satisfies the invariant"
    for (kind, look), claims in CLAIMS.items():
        call = "alloc" if kind is Kind.ALLOC else "dealloc"

        def scenario(source: Source, kind: Kind = kind, look: Look = look) -> Stepped:
            return operate(source, steps, kind, look)

        yield from family("pool", call, scenario, claims, scope, blocks.WORDS, blocks.TRUSTED)

    def construction(source: Source) -> Threaded:
        return constructed(source, steps)

    scope = "every buffer, block size and number of blocks, and every state in which the loop begins a turn"
    yield from family(
        "pool",
        "init",
        construction,
        {**TURNS, "all_free": all_free, "apart": all_apart},
        scope,
        NEW,
        blocks.TRUSTED[:1],
    )

    def rounding(source: Source) -> Rounded:
        return rounded(source, steps)

    yield from family("pool", "rounded", rounding, {"least": least}, "every size up to 2**64 - 8", NEW)
