"""A block given back to a free list, in any state; the list as it is made; and an owner who writes his block."""

from dataclasses import dataclass, replace
from typing import Any

from heaplaw.refimpl.steps.freelist import LEAST
from heaplaw.spec.event import Event, View
from heaplaw.spec.history import Op
from heaplaw.spec.layout import align_up
from heaplaw.spec.logic import Word, every, implies, ite
from heaplaw.spec.shapes import Kind

from .freelist_request import NOTHING, Done, LastTurn, Walk, former_places, seen_args, spliced, view_after, view_of
from .freelist_state import (
    OBJECT,
    Live,
    Situation,
    any_live,
    arbitrary,
    assume_apart,
    assume_clear,
    assume_covered,
    assume_live,
    assume_nodes,
    is_object,
    summed,
    told,
)
from .loops import TurnEnded, swapped
from .paths import Source
from .prove import Claim
from .symbolic import plain
from .tables import WORD, Access, Mapped


def free(source: Source, steps: Any, ordered: bool) -> Done:
    """Any free list, and any live block that is given back; the walk to its place in any state of the loop."""
    now, state, memory = arbitrary(source, steps, ordered)
    place = source.number("place") if ordered else 0
    pre, freed, other = (
        view_of(source, now, source.number("witness")),
        any_live(source, "freed"),
        any_live(source, "other"),
    )
    machine = source.machine
    source.assume((place >= 0) & (place <= now.count), "the walk is in the list, or at its end")
    near = (place - 1, place)
    assume_live(source, now, freed, other)
    assume_nodes(source, now, (0, *near))
    assume_apart(source, now, near)
    assume_clear(source, now, freed, near)
    others = pre.live - 1, now.state.allocated - freed.length, pre.live_bytes - freed.requested
    source.assume(summed(*others), "what the other live blocks have is counted")

    def jump(*_: Any) -> Any:
        if not ordered:
            raise TurnEnded
        below = now.block(place - 1) < freed.start
        source.assume(below, "the walk has passed by what lies below the block")
        return False, steps.Place(machine(now.block(place - 1)), machine(now.block(place)))

    cut = LastTurn(steps.pass_by, jump, lambda result: result[0])
    asked = Event(Kind.FREE, 0, held=freed.requested, env=now.state.env)
    after, event, ended = now.state, replace(asked, kind=0), True
    try:
        seen, answer = swapped(steps, pass_by=cut).step(state, Op(Kind.FREE), machine(freed.payload), memory)
        after, event = plain(seen), replace(plain(answer), held=freed.requested)
    except TurnEnded:
        ended = False
    walk = Walk(place, seen_args(cut.entered), seen_args(cut.again), seen_args(cut.turned), cut.beyond, ended)
    address = source.number("any_address")
    if ordered:
        assume_covered(source, now, pre.live, address)
        alone = (address >= freed.start) & (address < freed.start + freed.length)
        only = implies(
            (pre.live == 1) & (now.owner[address] == -1) & (address >= now.low) & (address < now.high), alone
        )
        source.assume(only, "where one block is live, what is not free lies in it")
    then, witness, shift = replace(now, state=after, words=memory.words), place, 0
    if ended:
        then, witness, shift = joined(then, place, freed)
    places = source.number("any_place"), source.number("any_other")
    former = former_places(places, witness, shift)
    assume_nodes(source, now, former)
    assume_apart(source, now, former, *((one, each) for one in former for each in near))
    assume_clear(source, now, freed, former)
    assume_clear(source, now, other, (*near, former[0]))
    post = view_after(pre, event, after)
    return Done(
        now,
        then,
        asked,
        pre,
        event,
        post,
        walk,
        NOTHING,
        freed,
        other,
        places,
        former,
        0,
        witness,
        source.number("any_word"),
        address,
        tuple(memory.accesses),
        tuple(memory.zeroed),
    )


def joined(now: Situation, place: Word, freed: Live) -> tuple[Situation, Word, Word]:
    """The ghost after `freed` came to `place`: one with the neighbours that touch it, where there is an order. With the
    place where it is then, and by how much the blocks behind it have moved up.
    """
    first, gone, start, length = place, 0, freed.start, freed.length
    if now.ordered:
        if now.exists(place) & (freed.start + freed.length == now.at[place]):
            gone, length = 1, length + now.length[place]
        if now.exists(place - 1) & (now.at[place - 1] + now.length[place - 1] == freed.start):
            first, gone, start, length = place - 1, gone + 1, now.at[place - 1], length + now.length[place - 1]
    then, shift = spliced(now, first, gone, [(start, length)])
    return then, first, shift


@dataclass(frozen=True)
class Made:
    """A free list as it is made, as mathematical integers."""

    now: Situation
    place: Word
    """Any place in it, …"""
    address: Word
    """… and any address."""
    accesses: tuple[Access, ...]


def construction(source: Source, steps: Any, ordered: bool) -> Made:
    """Any buffer, and what is made of it. The whole words of it are one block, unless they are fewer than 32 bytes."""
    source.split()
    buffer, capacity, memory = source.number("buffer"), source.number("capacity"), source.memory(source.table("word"))
    source.assume((capacity >= 0) & is_object(source, buffer, capacity), OBJECT)
    source.prefer(buffer + capacity <= 512)
    state = plain(steps.init(source.machine(buffer), source.machine(capacity), memory, ordered))
    low, end = align_up(buffer, WORD), buffer + capacity
    count = ite(end - end % WORD - low >= LEAST, 1, 0)
    low, high = ite(count == 0, buffer, low), ite(count == 0, buffer, end - end % WORD)
    at, length = Mapped(lambda key: low), Mapped(lambda key: high - low)
    now = Situation(state, low, high, count, at, length, high - low, memory.words, ordered, Mapped(lambda key: 0))
    return Made(now, source.number("any_place"), source.number("any_address"), tuple(memory.accesses))


def made_whole(done: Made) -> Claim:
    """The invariant, where nothing is live."""
    now = done.now
    here = now.headed() & now.linked(done.place) & now.conserved() & (now.state.allocated == 0)
    return Claim(True, here & now.framed() & now.covered(done.address, 0) & told(now, View(), 0))


def made_accesses(done: Made) -> Claim:
    """Words are written in the one block only."""
    now = done.now
    places = [access.address for access in done.accesses]
    return Claim(True, every((each % WORD == 0) & (each >= now.low) & (each + WORD <= now.high) for each in places))


@dataclass(frozen=True)
class Owned:
    """A live block whose owner has written all of what he was told he may use, as mathematical integers."""

    after: Situation
    own: Live
    other: Live
    place: Word
    """Any place in the list."""


def owned(source: Source, steps: Any, ordered: bool) -> Owned:
    """Any free list, and any live block of it: its owner asks how much of it he may use, and writes what he likes."""
    now, _, memory = arbitrary(source, steps, ordered)
    own, other, place = any_live(source, "own"), any_live(source, "other"), source.number("any_place")
    assume_live(source, now, own, other)
    assume_nodes(source, now, (place,))
    assume_clear(source, now, own, (place,))
    usable = plain(steps.usable(source.machine(own.payload), memory))
    memory.forget(own.payload, own.payload + usable)
    return Owned(replace(now, words=memory.words), own, other, place)


def unharmed(done: Owned) -> Claim:
    """The list and all headers are as before; also the owner's own."""
    after = done.after
    return Claim(True, after.linked(done.place) & after.headers(done.own) & after.headers(done.other))
