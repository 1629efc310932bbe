"""What an arena gives back: release, reset and drop, whose loops are cut at `shrink`, their turn; and growing, undone.

The loop's invariant: the state is that of some level, not below the one where the loop ends; the chunks above it were
given back; and what lies in the chunks that are still held is as it was.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from heaplaw.refimpl.steps.arena import HEADER, ArenaState
from heaplaw.spec.event import Event, View
from heaplaw.spec.history import Op
from heaplaw.spec.layout import MAX_ALIGN
from heaplaw.spec.logic import Truth, Word, every, implies, ite
from heaplaw.spec.report import Report
from heaplaw.spec.shapes import Kind

from .chunks import (
    GOOD,
    LARGEST_CHUNK,
    STORED,
    Around,
    Parent,
    Situation,
    Taken,
    Told,
    arbitrary,
    around,
    assume_at,
    headers_only,
    in_words,
    machine_state,
    request,
    same_size,
    same_state,
    told,
    word_kept,
)
from .loops import Cut, TurnEnded, swapped
from .paths import Source
from .prove import Claim, law_claim
from .symbolic import plain
from .tables import WORD

NEVER = Claim(False, True)
"""There is nothing to claim on this way through the scenario."""
CALLS = {"release": Kind.RELEASE, "reset": Kind.RESET}


@dataclass(frozen=True)
class Unwound:
    """A release, a reset or a drop: at its end, or after one turn of its loop."""

    before: Situation
    after: Situation
    seen: Any
    """The state, as the steps left it."""
    event: Event | None
    ended: bool
    """It came to its end; else one turn of the loop was taken."""
    entered: ArenaState | None
    """The state in which the loop was entered, if it was."""
    turn: Word
    """The level that the turn was on."""
    low: Word
    """The level where the loop ends."""
    level: Word
    """Any level."""
    near: Around | None
    """A release: a block and a mark that are older than the mark, …"""
    mark: Taken | None
    """… and that mark."""
    history: Told
    parent: Parent

    def marked(self) -> ArenaState:
        """The state in which the mark was taken."""
        assert self.mark is not None
        return replace(self.before.at(self.low), top=self.mark.top, total=self.mark.total)

    def emptied(self) -> ArenaState:
        """The oldest chunk with nothing handed out."""
        return replace(self.before.at(1), top=self.before.first(1), total=self.before.total[0])


def unwind(source: Source, steps: Any, call: str, around_it: bool = True) -> Unwound:
    """Any arena, of which something is given back."""
    now, state = arbitrary(source, steps)
    level, turn = source.number("any_level"), source.number("level of the turn")
    mark = _mark(source, now) if call == "release" else None
    low: Word = mark.level if mark else 1 if call == "reset" else 0
    near = _older(source, now, mark) if mark and around_it else None
    kept = (level, low, *(near.levels[:2] if near else ())) if around_it else (low,)
    assume_at(source, now, (now.depth, turn), (now.depth - 1, turn - 1, *kept))
    history = told(source, (0, mark.total if mark else now.state.total))
    parent = Parent(source, now, ())

    def jump(state: ArenaState, memory: Parent) -> ArenaState:
        source.assume((low <= turn) & (turn <= now.depth), "the loop has come to a level that is not below its end")
        then = replace(now, depth=turn, state=now.at(turn), words=source.table("word at the turn"))
        for each in (turn, turn - 1, level):
            source.assume(then.stored(each), STORED)
        if near is not None:
            source.assume(then.words[near.word] == now.words[near.word], "the loop has left older blocks as they were")
        memory.jump(then)
        return machine_state(source, steps, then.state)

    cut = Cut(steps.shrink, jump)
    loose, ended, event = swapped(steps, shrink=cut), True, None
    try:
        if call == "drop":
            seen = loose.drop(state, parent)
        else:
            seen, event = loose.step(state, Op(CALLS[call]), source.machine(mark.top if mark else 0), parent)
    except TurnEnded:
        seen, ended = cut.turned, False
    entered = None if cut.entered is None else plain(cut.entered[0])
    after = parent.settled(seen)
    return Unwound(now, after, seen, plain(event), ended, entered, turn, low, level, near, mark, history, parent)


def _mark(source: Source, now: Situation) -> Taken:
    """The mark that is released."""
    mark = Taken(*(source.number(name) for name in ("level of the mark", "mark", "total at the mark")))
    source.assume(mark.good(now), GOOD)
    return mark


def _older(source: Source, now: Situation, mark: Taken) -> Around:
    """What a release leaves alone."""
    near = around(source, now)
    source.assume(mark.covers(near.block) & mark.follows(near.mark), "what a release keeps is older than its mark")
    return near


# ------------------------------------------------------------------------------------------------- of all loops


def initialisation(done: Unwound) -> Claim:
    """The loop is entered on the newest level."""
    if done.entered is None:
        return NEVER
    now = replace(done.before, state=done.entered)
    return Claim(True, same_state(done.entered, done.before.state), said=lambda: f"it is entered with {in_words(now)}")


def preservation(done: Unwound) -> Claim:
    """The invariant again, after a turn."""
    return NEVER if done.ended else Claim(True, stays(done), said=lambda: f"after it, {in_words(done.after)}")


def variant(done: Unwound) -> Claim:
    """The number of chunks drops, to that of the loop's end at least."""
    if done.ended:
        return NEVER
    after = done.after.depth
    drops = (after == done.turn - 1) & (after >= done.low)
    return Claim(True, drops, said=lambda: f"from level {done.turn} to {after}")


def stays(done: Unwound) -> Truth:
    """The invariant on any level; what is older than a mark is in place."""
    after, near = done.after, done.near
    there = near is None or near.block.inside(after) & near.mark.good(after)
    return after.invariant_at(done.level) & same_size(done.before, after) & there


def goes_on(done: Unwound) -> Claim:
    """The invariant again, at the end."""
    return Claim(True, stays(done), said=lambda: f"after it, {in_words(done.after)}") if done.ended else NEVER


def given(done: "Unwound | Grown") -> Claim:
    """The parent gets what he lent."""
    chunks = done.parent.given
    return Claim(True, every(each.exact for each in chunks), said=lambda: ", ".join(str(each) for each in chunks))


def accesses(done: Unwound) -> Claim:
    """Only headers of chunks that were held."""
    levels = (done.before.depth, done.turn)
    return headers_only(done.parent, done.before, levels)


def payload_kept(done: Unwound) -> Claim:
    """Older blocks, after a turn and at the end."""
    return NEVER if done.near is None else word_kept(done.before, done.after, done.near)


# ---------------------------------------------------------------------------------------------------- at the end


def empty(done: Unwound) -> Claim:
    """After a reset the oldest chunk is left, if there was one, after a drop none; and nothing is handed out."""
    if not done.ended:
        return NEVER
    before, after, kept = done.before, done.after, done.low
    one = (kept == 1) & (before.depth >= 1)
    same = ite(one, same_state(after.state, done.emptied()), same_state(after.state, before.at(0)))
    return Claim(True, same & (after.depth == ite(one, 1, 0)), said=lambda: f"after it, {in_words(after)}")


def as_marked(done: Unwound) -> Claim:
    """The state is that in which the mark was taken."""
    if not done.ended:
        return NEVER
    then = replace(done.before, state=done.marked(), depth=done.low)
    same = same_state(done.after.state, then.state) & (done.after.depth == then.depth)
    return Claim(True, same, said=lambda: f"after it, {in_words(done.after)}; at the mark, {in_words(then)}")


def on_end(name: str) -> Callable[[Unwound], Claim]:
    """A law on the operation: what is live then is what was live when the mark was taken, or nothing. What the arena
    says is live is what was live when its total was what it is now.
    """

    def claim(done: Unwound) -> Claim:
        if done.event is None:
            return NEVER
        total, e = (done.mark.total if done.mark else 0), done.event
        report = Report(current_bytes=done.history.bytes[done.after.state.total])
        pre = done.history.view(done.before.state, done.before.state.total)
        post = replace(done.history.view(done.after.state, total), remaining=e.remaining, total=e.total)
        return law_claim(name, pre, replace(e, report=report), post)

    return claim


def on_event(done: Unwound) -> Claim:
    """The operation is served."""
    return NEVER if done.event is None else law_claim("free_is_served", done.event)


# ------------------------------------------------------------------------------------- the same request once more


@dataclass(frozen=True)
class Again:
    """A request that was served before, asked again after a release or a reset; None after a mere turn."""

    kind: Kind
    first: Event
    second: Event | None


def again(source: Source, steps: Any, call: str) -> Again:
    """A request in the state in which the mark was taken, or the first one since the arena was made or reset; and the
    same after the release, or the reset.
    """
    done, op = unwind(source, steps, call, around_it=False), request(source, Kind.ALLOC)
    if not done.ended:
        return Again(CALLS[call], Event(Kind.ALLOC, 0), None)
    before, made = done.before, False
    if call == "reset":
        source.assume(before.depth >= 1, "a request was served before, so there is a chunk")
        made = bool(source.truth("the oldest chunk was taken for it"))
    start = before.at(0) if made else done.marked() if done.mark else done.emptied()
    level = 0 if made else done.low
    then = Parent(source, replace(before, depth=level, state=start), (level,), name="lent then")
    _, first = steps.step(machine_state(source, steps, start), op, 0, then)
    if first.failed:
        return Again(CALLS[call], plain(first), None)
    for size, answer in zip(then.asked, then.answers, strict=True) if made else ():
        same = (answer == before.chunk[1]) & (size == before.end[1] - before.chunk[1])
        source.assume(same, "the oldest chunk was taken for the first request, if for that")
    now = Parent(source, done.after, (level,), again=() if made else then.asked, name="lent now")
    _, second = steps.step(done.seen, op, 0, now)
    return Again(CALLS[call], plain(first), plain(second))


def served_again(name: str) -> Callable[[Again], Claim]:
    """The law on what was asked twice."""

    def claim(done: Again) -> Claim:
        if done.second is None:
            return NEVER
        twin = View(undone_by=done.kind, twin=done.first.served, twin_ptr=done.first.ptr)
        return law_claim(name, View(), done.second, twin)

    return claim


# ------------------------------------------------------------------------------------------------------- growing


@dataclass(frozen=True)
class Grown:
    """A chunk that was taken, filled, and given back."""

    before: Situation
    grown: Situation
    after: Situation
    word: Word
    """Any word of memory."""
    parent: Parent


def grow(source: Source, steps: Any) -> Grown:
    """Any arena takes a chunk, hands out what it likes, and gives the chunk back."""
    now, state = arbitrary(source, steps)
    size, word = source.number("size"), source.number("any_word")
    sound = (size % MAX_ALIGN == 0) & (size >= HEADER + MAX_ALIGN) & (size <= LARGEST_CHUNK)
    source.assume(sound & (word % WORD == 0), "a chunk has a multiple of 16 bytes, with room for a block")
    assume_at(source, now, (now.depth,))
    parent = Parent(source, now, (now.depth,))
    seen = steps.grow(state, source.machine(size), parent)
    grown = parent.settled(seen)
    if grown.depth != now.depth:
        parent.memory.forget(grown.first(grown.depth), grown.end[grown.depth])
        top, total = (source.machine(source.number(f"{name} then")) for name in ("top", "total"))
        seen = replace(seen, top=top, total=total)
        seen = steps.shrink(seen, parent)
    return Grown(now, grown, parent.settled(seen), word, parent)


def undone(done: Grown) -> Claim:
    """The state is as before, and so is each word outside of the chunk."""
    before, grown, after, word = done.before, done.grown, done.after, done.word
    level = grown.depth
    outside = (word + WORD <= grown.chunk[level]) | (word >= grown.end[level]) | (level == before.depth)
    kept = implies(outside, after.words[word] == before.words[word])
    same = same_state(before.state, after.state) & (after.depth == before.depth)
    return Claim(True, same & kept, said=lambda: f"before, {in_words(before)}; afterwards, {in_words(after)}")


LOOP: dict[str, Callable[[Unwound], Claim]] = {
    "initialisation": initialisation,
    "preservation": preservation,
    "variant": variant,
    "given": given,
    "accesses": accesses,
}
END: dict[str, Callable[[Unwound], Claim]] = {
    **LOOP,
    "invariant": goes_on,
    "free_is_served": on_event,
    **{name: on_end(name) for name in ("total_is_live_bytes", "scope_frees_all")},
}
UNWINDING: tuple[tuple[str, Callable[[Source, Any], Any], dict[str, Callable[[Any], Claim]]], ...] = (
    (
        "release",
        lambda source, steps: unwind(source, steps, "release"),
        {**END, "payload_kept": payload_kept, "as_marked": as_marked},
    ),
    (
        "release",
        lambda source, steps: again(source, steps, "release"),
        {"release_frees_all": served_again("release_frees_all")},
    ),
    ("reset", lambda source, steps: unwind(source, steps, "reset"), {**END, "empty": empty}),
    (
        "reset",
        lambda source, steps: again(source, steps, "reset"),
        {"reset_frees_all": served_again("reset_frees_all")},
    ),
    ("drop", lambda source, steps: unwind(source, steps, "drop"), {**LOOP, "empty": empty}),
    (
        "grow",
        grow,
        {
            "undone": undone,
            "given": given,
            "accesses": lambda done: headers_only(done.parent, done.grown, (done.grown.depth,)),
        },
    ),
)
"""The call, the scenario and its claims."""
