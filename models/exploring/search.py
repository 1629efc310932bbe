"""The breadth-first search over all states of a model: every transition is judged, a fault has a shortest trace.

A state is a text: the steps' state, the counters, the words that matter, the live blocks (and marks). How the search
looks back, for laws that speak of more than one operation:

- after a block is freed, every request that it owes is made right there; a refusal leads back to the same state (where
  it does not, the operations are followed one by one), so what is owed after a refusal is owed before it;
- a pop right after a request, a release of a mark right after it was taken, and resets everywhere lead to the state
  from before; so does a release after any further operation. Where that state is another one, what was undone is asked
  again, in order;
- the empty heap is asked again for everything that it served at first.
"""

import gc
from array import array
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

from heaplaw.refimpl.memory import WORD, AccessError
from heaplaw.spec.heap import first_view
from heaplaw.spec.history import Op
from heaplaw.spec.law import AnyLaw
from heaplaw.spec.shapes import MAKERS, SWEEPERS, Kind

from ..live import Held
from .judging import FREED, REFUSED, UNDONE, WHOLE, Judge
from .model import Model, Moment, pattern_word
from .recording import COUNTED, PATTERN, STATE, WORDS, Made, Outcome, Recorder, Steps

FORWARD = (*MAKERS, Kind.MARK)
PLAIN = (Kind.ALLOC, Kind.ZALLOC)


@dataclass(frozen=True)
class Move:
    """What may be done in a state."""

    op: Op
    code: str
    """What says so in one character."""


Moves: TypeAlias = tuple[tuple[Move, int], ...]
"""Moves, each with the place of the block or mark that it names: -1 where there is none."""


@dataclass(frozen=True)
class Fault:
    """Operations that break a law in the last one."""

    state: int
    """The number of a state, whose shortest way comes first."""
    then: Moves
    check: int = -1
    """A live block that is read at the end: its place; -1 where none is."""
    first: Moves = ()
    """What comes before all that, and leads back to the first state."""


OFTEN = 10_000


class FaultFound(Exception):  # noqa: N818 (what ends the search)
    """The search has found a fault."""

    def __init__(self, fault: Fault) -> None:
        super().__init__()
        self.fault = fault


@dataclass
class Search:
    """All states that were found, numbered in the order in which they were."""

    model: Model
    laws: list[AnyLaw]
    progress: Callable[[str], None] = lambda _text: None
    """Told how far it is, every `OFTEN` states."""
    order: list[str] = field(default_factory=list[str])
    """The states' texts."""
    transitions: int = 0
    depth: int = 0
    """Operations on the longest of the shortest ways."""
    looked: set[str] = field(default_factory=set[str])
    """What was looked back for, in views."""

    def __post_init__(self) -> None:
        self.steps = Steps(self.model)
        self.tables = self.steps.tables
        self.judge = Judge(self.model, self.tables, self.laws)
        self.goals = dict.fromkeys(self.model.goals, False)
        self.numbers: dict[str, int] = {}
        self.parents, self.places = array("L"), array("l")
        self.moves: list[Move] = []
        """How each state was first reached: from which, at which place, by what."""
        self._aliases: dict[str, str] = {}
        listed = [Move(op, chr(number)) for number, op in enumerate(self.model.requests)]
        self._plain = [m for m in listed if m.op.kind in FORWARD and m.op.kind != Kind.MARK]
        self._every = {m.op.kind: m for m in listed if m not in self._plain}
        self._open = list(self.model.goals)
        self.restless: set[int] = set()
        """States that a refusal leads out of."""
        self.inexact: set[Kind] = set()
        """Operations that do not lead back to the very state from before."""
        self._owed: dict[int, list[Move]] = {}
        self._refused_well: dict[tuple[str, int], set[int]] = {}
        """Refusals that were judged, by the counters and the live blocks with which they came."""
        self._undoes = bool(self._every.keys() & {Kind.POP, Kind.RELEASE})
        self._by_code = {move.code: move for move in listed}
        self.head = WORDS + (self.model.end - self.model.start) // WORD + self.model.chunked
        """Where the live blocks begin in a text."""
        self._cover: dict[str, int] = {}

    # ---- texts

    def first(self) -> str:
        """The state after construction."""
        memory = self.model.memory()
        state = self.model.init(memory)
        view = first_view(self.model.env)
        counters = (view.num_free, view.num_allocated, view.remaining, view.total)
        words = [memory.read(at) if not self.model.chunked else None for at in self._addresses()]
        codes = [
            PATTERN if word is None or word == pattern_word(at) else self.tables.words.code(word)
            for at, word in zip(self._addresses(), words, strict=True)
        ]
        codes += [self.tables.words.code(())] if self.model.chunked else []
        text = self.tables.states.code(state) + self.tables.counters.code(counters) + "".join(codes)
        return self.canonical(text)

    def _addresses(self) -> range:
        return range(self.model.start, self.model.end, WORD)

    def held(self, text: str) -> tuple[Held, ...]:
        """Live blocks and marks, in the order in which the text has them."""
        return tuple(self.tables.blocks.value(code).held(at) for at, code in enumerate(text[self.head :]))

    def canonical(self, text: str) -> str:
        """The same state with the pattern in every word that does not matter."""
        memory = Recorder(self.model, self.tables, text)
        blocks = tuple(held for held in self.held(text) if not held.mark)
        try:
            kept = {*self.model.keeps(self.tables.states.value(text[STATE]), blocks, memory)}
        except AccessError:  # the state is none that correct steps could leave: all of it may matter
            return text
        cells = [
            code if code == PATTERN or self.model.start + WORD * at in kept else PATTERN
            for at, code in enumerate(text[WORDS : WORDS + len(self._addresses())])
        ]
        return text[:WORDS] + "".join(cells) + text[WORDS + len(cells) :]

    def same(self, text: str) -> str:
        """The state that a text stands for."""
        if text in self.numbers:
            return text
        found = self._aliases.get(text)
        if found is None:
            found = self.canonical(text)
            if found != text:
                if len(self._aliases) > 500_000:
                    self._aliases.clear()
                self._aliases[text] = found
        return found

    # ---- transitions

    def choices(self, live: str) -> Iterator[tuple[Move, int]]:
        """What may be done, and the place of the block or mark that it is about: -1 where there is none."""
        for move in self._plain:
            yield move, -1
        value = self.tables.blocks.value
        for kind, move in self._every.items():
            if kind == Kind.POP:
                yield move, len(live) - 1
            elif kind == Kind.FREE:
                for place in range(len(live)):
                    yield move, place
            elif kind == Kind.RELEASE:
                for place, code in enumerate(live):
                    if value(code).mark:
                        yield move, place
            elif kind != Kind.MARK or sum(value(code).mark for code in live) < self.model.most_marks:
                yield move, -1

    def follow(self, text: str, move: Move, place: int) -> tuple[Outcome, str]:
        """One operation: what comes of it, and the text of the state after it."""
        live = text[self.head :]
        code = live[place] if place >= 0 else ""
        named: Made | None = self.tables.blocks.value(code) if code else None
        outcome = self.steps.outcome(text, text[STATE] + move.code + code, move.op, named)
        if outcome.still:
            return outcome, text
        after, at = outcome.state + outcome.counters, WORDS
        for start, end, piece in outcome.pieces:
            after += text[at:start] + piece
            at = end
        after += text[at : self.head]
        return outcome, after + (self.live_after(live, outcome, move.op.kind, place) if outcome.served else live)

    def live_after(self, live: str, outcome: Outcome, kind: Kind, place: int) -> str:
        """The live blocks after an operation that was served."""
        if outcome.made:
            return live + outcome.made if self.model.ordered else "".join(sorted(live + outcome.made))
        if kind == Kind.FREE:
            return live[:place] + live[place + 1 :]
        if kind in (Kind.POP, Kind.RELEASE):
            return live[: max(place, 0)]
        return "" if kind in SWEEPERS else live

    def cover(self, live: str) -> int:
        """The places in a text where live blocks' payloads are, a bit each."""
        found = self._cover.get(live)
        if found is None:
            found = 0
            for code in live:
                made = self.tables.blocks.value(code)
                first = WORDS + (made.ptr - self.model.start) // WORD
                found |= ((1 << -(-made.size // WORD)) - 1) << first if first >= 0 else 0
            self._cover[live] = found
        return found

    # ---- the search

    def run(self, limit: int) -> tuple[bool, Fault | None]:
        """Search until all states are seen, there are more than `limit`, or a law is broken.

        Whether all were seen, and what broke a law.
        """
        self._enter(self.first(), 0, self._nothing, -1)
        with uncollected():
            try:
                complete = self._states(limit)
                if complete:
                    self._look_back()
            except FaultFound as found:
                return False, found.fault
        return complete, None

    _nothing = Move(Op(Kind.CHECK), "")

    def _enter(self, text: str, parent: int, move: Move, place: int) -> None:
        self.numbers[text] = len(self.order)
        self.order.append(text)
        self.parents.append(parent)
        self.moves.append(move)
        self.places.append(place)

    def _states(self, limit: int) -> bool:
        number, level_ends = 0, 1
        while number < len(self.order):
            if number == level_ends:
                self.depth += 1
                level_ends = len(self.order)
            if number % OFTEN == 0 and number:
                self.progress(f"{len(self.order):,} states found, {number:,} of them done")
            if not self._expand(number, limit):
                return False
            number += 1
        return True

    def _expand(self, number: int, limit: int) -> bool:
        """Follow everything that may be done in a state; False when that makes too many states."""
        text, judge = self.order[number], self.judge
        live, counters = text[self.head :], text[COUNTED]
        state, outcome_of = text[STATE], self.steps.outcome
        fine_here = self._refused_well.setdefault((counters, judge.sums(live)), set())
        for move, place in self.choices(live):
            self.transitions += 1
            if place < 0:  # most are requests that are refused and change nothing, as they were before
                outcome = outcome_of(text, state + move.code, move.op, None)
                if outcome.still and outcome.number in fine_here and not self._open:
                    continue
            outcome, after = self.follow(text, move, place)
            after_live = after[self.head :]
            fine = judge.once(outcome)
            fine = judge.step(outcome, counters, live, after_live, place) and fine
            if outcome.made and live:
                fine = judge.pairs(live, outcome.made) and fine
            if not fine:
                raise FaultFound(Fault(number, ((move, place),)))
            if outcome.still:
                fine_here.add(outcome.number)
                if self._open:
                    self._reach(text, outcome, text)
                continue
            hit = outcome.written & self.cover(live if outcome.made else after_live)
            if hit:
                self._damage(number, move, place, outcome, live if outcome.made else after_live, hit)
            if not self._arrive(number, move, place, outcome, after, limit):
                return False
        return True

    def _arrive(self, number: int, move: Move, place: int, outcome: Outcome, after: str, limit: int) -> bool:
        """Take in the state that a lawful operation leads to; False when there are too many."""
        text = self.order[number]
        if after not in self.numbers:
            after = self.same(after)
            if after not in self.numbers:
                if len(self.order) >= limit:
                    return False
                self._enter(after, number, move, place)
        if self._open:
            self._reach(text, outcome, after)
        if not outcome.served:
            if after != text:
                self.restless.add(number)
            return True
        if move.op.kind == Kind.FREE:
            size = self.tables.blocks.value(text[self.head + place]).size
            self._after_free(number, move, place, after, size)
        if self._undoes:
            self._after_any(number, move, place, text, after)
        return True

    def _damage(self, number: int, move: Move, place: int, outcome: Outcome, live: str, hit: int) -> None:
        at = self.model.start + ((hit & -hit).bit_length() - 1 - WORDS) * WORD
        for index, code in enumerate(live):
            made = self.tables.blocks.value(code)
            if not made.mark and made.ptr <= at + WORD - 1 and at < made.ptr + made.size:
                self.judge.damage(outcome, made, max(0, at - made.ptr))
                raise FaultFound(Fault(number, ((move, place),), check=index))

    def moment(self, text: str) -> Moment:
        """A state, for goals."""
        memory = Recorder(self.model, self.tables, text)
        state = self.tables.states.value(text[STATE])
        return Moment(state, self.model.look(state, memory), self.held(text), memory)

    def _reach(self, text: str, outcome: Outcome, after: str) -> None:
        before, then = self.moment(text), self.moment(after)
        for name in self._open.copy():
            if self.model.goals[name](before, outcome.event, then):
                self.goals[name] = True
                self._open.remove(name)

    # ---- looking back

    def _after_free(self, number: int, move: Move, place: int, after: str, size: int) -> None:
        """What was just freed can be had again."""
        owed = self._owed.get(size)
        if owed is None:
            joins = bool(self.model.env.coalesces)
            listed = [(m, m.op.size * m.op.count) for m in self._plain if m.op.kind in PLAIN]
            owed = self._owed[size] = [m for m, extent in listed if (extent <= size if joins else extent == size)]
        for request in owed:
            outcome = self.steps.outcome(after, after[STATE] + request.code, request.op, None)
            if not self.judge.freed(outcome, size):
                raise FaultFound(Fault(number, ((move, place), (request, -1))))

    def _after_any(self, number: int, move: Move, place: int, text: str, after: str) -> None:
        """What was done can be undone."""
        kind, live = move.op.kind, after[self.head :]
        made = kind in FORWARD
        if made and kind != Kind.MARK and Kind.POP in self._every:
            self._undo(number, (move, place), after, self._every[Kind.POP], len(live) - 1, text)
        if kind == Kind.MARK and Kind.RELEASE in self._every:
            self._undo(number, (move, place), after, self._every[Kind.RELEASE], len(live) - 1, text)
        if kind != Kind.MARK and Kind.RELEASE in self._every:
            release = self._every[Kind.RELEASE]
            for at, code in enumerate(live):
                if self.tables.blocks.value(code).mark:
                    _, before = self.follow(text, release, at)
                    self._undo(number, (move, place), after, release, at, self.same(before))

    def _undo(self, number: int, done: tuple[Move, int], after: str, move: Move, place: int, then: str) -> None:
        """`move` in the state `after`, which followed from state `number`, leads back to the state `then`."""
        outcome, text = self.follow(after, move, place)
        if not self.judge.back(outcome, then[COUNTED], move.op.kind):
            raise FaultFound(Fault(number, (done, (move, place))))
        back, undone = self.same(text), after[self.head + max(place, 0) :]
        if back != then:  # the same state serves the same, by being the same
            self.inexact.add(move.op.kind)
            self._ask_again(back, undone, number, (done, (move, place)), move.op.kind)

    def _ask_again(self, text: str, undone: str, number: int, way: Moves, kind: Kind) -> None:
        """What an operation of `kind` has undone is asked again, in order, in the state `text`."""
        for code in undone:
            made = self.tables.blocks.value(code)
            move = self._by_code[made.request]
            outcome, text = self.follow(text, move, -1)
            way = (*way, (move, -1))
            if not self.judge.twin(outcome, made.ptr, kind):
                raise FaultFound(Fault(number, way))

    def _look_back(self) -> None:
        """What can only be seen when all states are known."""
        kinds = self.model.kinds
        if Kind.FREE in kinds:
            self.looked |= FREED | REFUSED
            self._after_refusals()
        else:
            self.looked |= FREED | REFUSED  # nothing is ever freed, and nothing owed
        if Kind.RESET in kinds:
            self._resets()
        self.looked |= UNDONE
        self.looked |= WHOLE if self._empty_heaps() else frozenset()
        self._same_state_twins()

    def _same_state_twins(self) -> None:
        """A state that was brought back is the same state: its requests are answered by the same recorded outcome."""
        kinds = [kind for kind in (Kind.POP, Kind.RESET, Kind.RELEASE) if kind in self.model.kinds]
        for move in self._plain if kinds else []:
            outcome, _ = self.follow(self.order[0], move, -1)
            for kind in kinds if outcome.served else []:
                self.judge.twin(outcome, outcome.event.ptr, kind)

    def _after_refusals(self) -> None:
        """Where a refusal changed something: what was freed before it can still be had after it."""
        if not self.restless:
            return
        for number, text in enumerate(self.order):
            live = text[self.head :]
            for place, code in enumerate(live):
                free = self._every[Kind.FREE]
                _, raw = self.follow(text, free, place)
                then = self.same(raw)
                if self.numbers.get(then) not in self.restless:
                    continue
                size = self.tables.blocks.value(code).size
                for refused in self._plain:
                    outcome, changed = self.follow(then, refused, -1)
                    if outcome.served or changed == then:
                        continue
                    for request in self._plain:
                        owed = request.op.size * request.op.count
                        fits = owed <= size if self.model.env.coalesces else owed == size
                        if request.op.kind in PLAIN and fits:
                            answer, _ = self.follow(changed, request, -1)
                            if not self.judge.owed(answer, size):
                                way = ((free, place), (refused, -1), (request, -1))
                                raise FaultFound(Fault(number, way))

    def _resets(self) -> None:
        """A reset leads back to the first state, everywhere; where it does not, what was live is asked again."""
        reset, first = self._every[Kind.RESET], self.order[0]
        exact = True
        for number, text in enumerate(self.order):
            outcome, raw = self.follow(text, reset, -1)
            if not self.judge.back(outcome, first[COUNTED], Kind.RESET):
                raise FaultFound(Fault(number, ((reset, -1),)))
            exact = exact and self.same(raw) == first
        self.inexact |= set() if exact else {Kind.RESET}
        for number, text in enumerate([] if exact else self.order):
            _, raw = self.follow(text, reset, -1)
            self._ask_again(self.same(raw), text[self.head :], number, ((reset, -1),), Kind.RESET)

    def _empty_heaps(self) -> bool:
        """What the empty heap served at first, every empty heap serves; whether that could be looked at."""
        first = self.order[0]
        served = [m for m in self._plain if m.op.kind in PLAIN and self.follow(first, m, -1)[0].served]
        if not served or Kind.FREE not in self._every:
            return False
        largest = max(served, key=lambda move: move.op.size * move.op.count)
        _, full = self.follow(first, largest, -1)
        free = self._every[Kind.FREE]
        _, again = self.follow(full, free, 0)
        if self.same(again) != first:
            return False  # then what was served first is not a way that comes before all others
        most = largest.op.size * largest.op.count
        for number, text in enumerate(self.order):
            for move in self._plain if len(text) == self.head else []:
                if move.op.kind in PLAIN and move.op.size * move.op.count <= most:
                    outcome, _ = self.follow(text, move, -1)
                    if not self.judge.whole(outcome, most):
                        before = ((largest, -1), (free, 0))
                        raise FaultFound(Fault(number, ((move, -1),), first=before))
        return True

    def way(self, number: int) -> list[tuple[Move, int]]:
        """The moves of a shortest way to a state, with the places of the blocks that they name."""
        found: list[tuple[Move, int]] = []
        while number:
            found.append((self.moves[number], self.places[number]))
            number = self.parents[number]
        return found[::-1]


@contextmanager
def uncollected() -> Generator[None]:
    """Millions of texts hold no cycles: looking for some, again and again, would take most of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
