"""A request to a free list, in any state: the walk cut at `visit`, and what `take` makes of the place where it ends."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from heaplaw.refimpl.steps.freelist import HEADER, FreeListState
from heaplaw.spec.event import Event, View
from heaplaw.spec.history import Op
from heaplaw.spec.logic import Word, implies, ite, neg
from heaplaw.spec.report import fits
from heaplaw.spec.shapes import Kind

from .freelist_state import (
    Live,
    Situation,
    any_live,
    arbitrary,
    assume_apart,
    assume_clear,
    assume_covered,
    assume_live,
    assume_nodes,
    told,
)
from .loops import Cut, TurnEnded, swapped
from .paths import Source, Table
from .symbolic import plain
from .tables import WORD, Access, Mapped


@dataclass
class LastTurn(Cut):
    """A `Cut` that notes a turn after the one that ought to be the last; claims say that there is none."""

    beyond: bool = False

    def __call__(self, *args: Any) -> Any:
        if self.again is not None:
            self.beyond = True
            raise TurnEnded
        return super().__call__(*args)


@dataclass(frozen=True)
class Walk:
    """What is seen of a loop over the list, as mathematical integers."""

    place: Word
    """How many blocks were passed by before the turn that is looked at."""
    entered: tuple[Any, ...] | None
    again: tuple[Any, ...] | None
    turned: Any
    beyond: bool
    ended: bool
    """The function that has the loop came back; else the turn was not the last."""


@dataclass(frozen=True)
class Done:
    """An operation, or a turn of its walk, with all that is around it, as mathematical integers."""

    before: Situation
    after: Situation
    asked: Event
    """The request, not yet answered."""
    pre: View
    event: Event
    """Of a turn that was not the last: of no kind."""
    post: View
    walk: Walk
    made: Live
    """The block handed out; of no bytes where none was."""
    freed: Live
    """The block given back; of no bytes where none was."""
    other: Live
    """Any block that was live before and is after."""
    places: tuple[Word, Word]
    """Any two places in the list after it, …"""
    former: tuple[Word, Word]
    """(where the blocks that are there stood before it)"""
    earlier: Word
    """… any place that was passed by, …"""
    witness: Word
    """… the place, after it, of what was freed last, …"""
    word: Word
    """… any word of the other live block, or any byte of the one that is made."""
    address: Word
    """… and any address."""
    accesses: tuple[Access, ...]
    zeroed: tuple[tuple[Word, Word], ...]


NOTHING = Live(0, 0, 0, 0)


def view_of(source: Source, now: Situation, witness: Word) -> View:
    """The heap before the operation, as the history tells it."""
    names = ("live", "owed", "live_bytes", "freed", *(("whole",) if now.ordered else ()))
    state, numbers = now.state, {name: source.number(name) for name in names}
    failed = source.truth("after_failure")
    pre = View(remaining=state.remaining, total=state.allocated, after_failure=failed, **numbers)
    source.assume(told(now, pre, witness), "the history agrees with the ghost")
    return pre


def request(source: Source, steps: Any, kind: Kind, ordered: bool) -> Done:
    """Any free list, and one request; its walk in any state of the loop."""
    now, state, memory = arbitrary(source, steps, ordered)
    place, earlier, witness = source.number("place"), source.number("any_earlier"), source.number("witness")
    comes_back = ordered and kind is Kind.ALLOC
    size, count = source.number("size"), source.number("elements") if kind is Kind.ZALLOC else 1
    align = source.power("align") if kind is Kind.ALIGNED else 0
    pre, other = view_of(source, now, witness), any_live(source, "other")
    machine = source.machine
    op = Op(kind, machine(size), align=machine(align), count=machine(count))
    asked = Event(kind, size, align, count, env=now.state.env)
    source.assume((size >= 0) & (size < source.modulus) & (count >= 0) & (count < source.modulus), "")
    source.assume((place >= 0) & (place <= now.count), "the walk is in the list, or at its end")
    assume_live(source, now, other)
    assume_nodes(source, now, (0, place - 1, place, earlier, witness))
    source.assume(implies(now.exists(place), now.free >= now.length[place]), "a free block is counted")

    passed_by = [earlier] if kind is Kind.ALIGNED else [earlier, witness]
    if comes_back:
        passed_by.append(now.owner[now.low])

    def jump(*_: Any) -> Any:
        for each in passed_by:
            passed = (each >= 0) & (each < place) & neg(asked.unserviceable)
            missed = neg(fits(now.node(each), asked.extent, wanted(asked), HEADER))
            source.assume(implies(passed, missed), "the walk has passed by what does not hold the request")
        return False, steps.Place(machine(now.block(place - 1)), machine(now.block(place)))

    cut = LastTurn(steps.visit, jump, lambda result: result[0])
    after, event, ended = now.state, replace(asked, kind=0), True
    try:
        seen, answer = swapped(steps, visit=cut).step(state, op, 0, memory)
        after, event = plain(seen), plain(answer)
    except TurnEnded:
        ended = False
    walk = Walk(place, seen_args(cut.entered), seen_args(cut.again), seen_args(cut.turned), cut.beyond, ended)
    made, shift = NOTHING, 0
    then = replace(now, state=after, words=memory.words)
    if event.makes:
        start, length = memory.words[event.ptr - WORD], memory.words[event.ptr - HEADER]
        made = Live(start, length, event.ptr, event.extent)
        on_words(made)
        then, shift = taken(then, place, made)
    places = source.number("any_place"), source.number("any_other")
    former = former_places(places, place, shift)
    near = (place - 1, place)
    assume_nodes(source, now, former)
    assume_apart(source, now, near, former, *((one, each) for one in former for each in near))
    assume_clear(source, now, other, (*near, former[0]))
    address, post = source.number("any_address"), view_after(pre, event, after)
    if ordered:
        assume_covered(source, now, pre.live, address)
    if comes_back:
        first = now.owner[now.low]
        behind = now.low + now.length[first]
        assume_covered(source, now, pre.live, now.low, behind)
        assume_apart(source, now, (first, now.owner[behind]))
    return Done(
        now,
        then,
        asked,
        pre,
        event,
        post,
        walk,
        made,
        NOTHING,
        other,
        places,
        former,
        earlier,
        witness,
        source.number("any_byte"),
        address,
        tuple(memory.accesses),
        tuple(memory.zeroed),
    )


def wanted(asked: Event) -> Word:
    """The alignment that the steps promise for a request: also for one of no bytes."""
    return asked.align if asked.kind == Kind.ALIGNED else asked.env.max_align


def seen_args(args: Any) -> Any:
    """What a turn was given or gave, as mathematical integers."""
    return None if args is None else tuple(plain(each) for each in args)


def on_words(made: Live) -> bool:
    """Whether a block's parts are at multiples of 8: asked once, it is known to all claims on this path."""
    return bool((made.payload % WORD == 0) & (made.start % WORD == 0) & (made.length % WORD == 0))


def taken(now: Situation, place: Word, made: Live) -> tuple[Situation, int]:
    """The ghost after `made` came out of the block at `place`: what is left of that, in front and behind, stands in its
    place; and by how much the blocks behind it have moved up.
    """
    start, length = now.at[place], now.length[place]
    gap, rest = made.start - start, start + length - made.start - made.length
    parts: list[tuple[Word, Word]] = []
    if gap > 0:
        parts.append((start, gap))
    if rest > 0:
        parts.append((made.start + made.length, rest))
    return spliced(now, place, 1, parts, made)


def spliced(
    now: Situation, place: Word, gone: Word, parts: Sequence[tuple[Word, Word]], made: Live = NOTHING
) -> tuple[Situation, Word]:
    """The ghost with `gone` blocks from `place` on replaced by `parts` (start and length), `made` being handed out;
    and by how much the blocks behind them have moved.
    """
    shift = len(parts) - gone

    def table(old: Table, column: int) -> Table:
        def at(key: Word) -> Word:
            found = ite(key < place, old[key], old[key - shift])
            for index, part in enumerate(parts):
                found = ite(key == place + index, part[column], found)
            return found

        return Mapped(at)

    def owner(key: Word) -> Word:
        old = now.owner[key]
        found = ite(old < place, old, old + shift)
        for index, (start, length) in enumerate(parts):
            found = ite((key >= start) & (key < start + length), place + index, found)
        return ite((key >= made.start) & (key < made.start + made.length), -1, found)

    lost = sum(now.length[place + each] for each in range(gone))
    free = now.free - lost + sum(length for _, length in parts)
    then = replace(now, count=now.count + shift, at=table(now.at, 0), length=table(now.length, 1), free=free)
    return replace(then, owner=Mapped(owner)), shift


def former_places(places: tuple[Word, Word], first: Word, shift: Word) -> tuple[Word, Word]:
    """Where the blocks at two places stood before those from `first` on moved up by `shift`."""
    one, other = (ite(each < first, each, each - shift) for each in places)
    return one, other


def view_after(pre: View, event: Event, state: FreeListState) -> View:
    """The heap after an operation, as the history tells it."""
    change = 1 if event.makes else (-1 if event.ends else 0)
    served = pre.live_bytes + event.extent if event.makes else pre.live_bytes
    return View(
        remaining=event.remaining,
        total=event.total,
        live=pre.live + change,
        live_bytes=served - event.held if event.ends else served,
        after_failure=event.failed,
        owed=pre.freed if event.failed else 0,
        freed=event.held if event.ends else 0,
    )
