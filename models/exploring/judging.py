"""Laws on explored transitions: each law's own body is evaluated once for every distinct set of arguments.

What a law is given follows from a few things: the event, the counters, the live blocks. Where these are as they were
before, so is the answer. Views are made by the abstract heap itself (`spec.heap`). A law that asks a view for something
that no explored state holds is found out by that (`Watched`), and is decided only by those who know how to look back.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from heaplaw.spec.event import NEVER, NONE, Block, Event, Flag, Status, View
from heaplaw.spec.heap import Heap, Part, Past
from heaplaw.spec.judge import Tally
from heaplaw.spec.law import AnyLaw, Scope
from heaplaw.spec.shapes import Kind

from .model import Model
from .recording import Counters, Made, Outcome, Tables

KNOWN = frozenset({"num_free", "num_allocated", "remaining", "total", "live", "live_bytes", "high", "low"})
"""What an explored state tells of a view."""
FREED = frozenset({"freed"})
REFUSED = frozenset({"after_failure", "owed"})
UNDONE = frozenset({"back", "twin", "twin_ptr", "undone_by", "then_remaining", "then_total"})
WHOLE = frozenset({"whole"})
"""What is looked back for: a block that was just freed, a refusal, what was undone, what the empty heap served."""


class Watched:
    """A view that notes what is asked of it."""

    def __init__(self, view: View, asked: set[str]) -> None:
        self._view, self._asked = view, asked

    def __getattr__(self, name: str) -> Any:
        self._asked.add(name)
        return getattr(self._view, name)


class Judge:
    """The laws of a model's shape."""

    def __init__(self, model: Model, tables: Tables, laws: Sequence[AnyLaw]) -> None:
        self.model, self._tables = model, tables
        self.tallies = [Tally(law) for law in laws]
        self.asked: dict[str, set[str]] = {law.name: set() for law in laws}
        """What each law asked of the views that it was given."""
        self.broken: set[str] = set()
        """Laws that were seen broken."""
        self.asks = self.evaluated = 0
        """Sets of arguments that were looked up, and those of them that were new."""
        self._scopes = {scope: [t for t in self.tallies if t.law.scope is scope] for scope in Scope}
        self._holding: dict[Any, bool] = {}
        self._sums: dict[str, int] = {}
        self._numbers: dict[tuple[int, ...], int] = {}

    def _known(self, key: Any) -> bool | None:
        self.asks += 1
        found = self._holding.get(key)
        self.evaluated += found is None
        return found

    def _judge(self, key: Any, tallies: Iterable[Tally], *args: Any) -> bool:
        """Evaluate laws literally; whether all hold."""
        broken = [tally.law.name for tally in tallies if self._decide(tally, args) is False]
        self.broken.update(broken)
        self._holding[key] = not broken
        return not broken

    def _decide(self, tally: Tally, args: tuple[Any, ...]) -> bool:
        asked = self.asked[tally.law.name]
        watched = tuple(Watched(arg, asked) if isinstance(arg, View) else arg for arg in args)
        law = tally.law
        if not law.premise(*watched):
            return True
        if law.body(*watched):
            tally.judged += 1
            return True
        return tally.judge((0,), *args) is None

    # ---- what every transition shows

    def once(self, outcome: Outcome) -> bool:
        """Laws on single operations."""
        found = self._holding.get(outcome.number)
        if found is None:
            found = self._holding[outcome.number] = self.event(outcome.event)
        return found

    def event(self, event: Event) -> bool:
        """Laws on single operations."""
        return self._judge(None, self._scopes[Scope.EVENT], event)

    def pairs(self, live: str, made: str) -> bool:
        """The new block beside each live one."""
        key = live + made
        found = self._known(key)
        if found is None:
            new = self._block(made, 1)
            others = [self._block(code, 0) for code in live if not self._tables.blocks.value(code).mark]
            fine = [self._judge(None, self._scopes[Scope.PAIR], other, new) for other in others]
            found = self._holding[key] = all(fine)
        return found

    def _block(self, code: str, birth: int) -> Block:
        made = self._tables.blocks.value(code)
        return Block(made.ptr, made.room, birth, usable=made.usable)

    def step(self, outcome: Outcome, counters: str, before: str, after: str, named: int) -> bool:
        """Laws on an operation with the heap before and after it.

        `before` and `after` are the live blocks, `counters` what was counted before, `named` the place of the block or
        mark that the operation is about, -1 where there is none.
        """
        key = outcome.number, counters, self.sums(before), self.sums(after)
        found = self._known(key)
        if found is None:
            heap = self._heap(counters, before)
            event = outcome.event
            pre = heap.view(event)
            heap.absorb(len(before), event, NONE if named < 0 else named)
            found = self._judge(key, self._scopes[Scope.STEP], pre, event, heap.view(event))
        return found

    def sums(self, live: str) -> int:
        """A number for what views tell of live blocks, as far as this shape's laws ask for it."""
        found = self._sums.get(live)
        if found is None:
            made = [self._tables.blocks.value(code) for code in live]
            blocks = [block for block in made if not block.mark]
            told = len(blocks), sum(block.size for block in blocks), *self._edges(blocks)
            found = self._sums[live] = self._numbers.setdefault(told, len(self._numbers))
        return found

    def _edges(self, blocks: Sequence[Made]) -> tuple[int, int]:
        """The highest end and the lowest address: what was handed out since nothing was live, where blocks end all at
        once; other shapes' laws do not ask.
        """
        if not blocks or self.model.shape != "bump":
            return 0, NEVER
        return max(block.ptr + block.room for block in blocks), min(block.ptr for block in blocks)

    def _heap(self, counters: str, live: str) -> Heap:
        """The abstract heap of a state. How it came about is not known."""
        made = [self._tables.blocks.value(code) for code in live]
        sizes = {index: one.size for index, one in enumerate(made) if not one.mark}
        high, low = self._edges([one for one in made if not one.mark])
        view = replace(self._view(counters), live=len(sizes), live_bytes=sum(sizes.values()), high=high, low=low)
        counted: Counters = self._tables.counters.value(counters)
        part = Part(view, Past([counted[2:]], lost=True), live=sizes, bytes=view.live_bytes)
        blocks = {index: self._block(live[index], 0) for index in sizes}
        return Heap(blocks, {0: part})

    def _view(self, counters: str) -> View:
        free, allocated, remaining, total = self._tables.counters.value(counters)
        return View(num_free=free, num_allocated=allocated, remaining=remaining, total=total)

    def damage(self, outcome: Outcome, block: Made, at: int) -> bool:
        """The owner of a block reads it back right after an operation that wrote into it."""
        event = Event(
            Kind.CHECK, 0, held=block.size, flags=int(Flag.DAMAGED), bad_at=at, env=self.model.env, status=Status.OK
        )
        refused = View(after_failure=bool(outcome.event.failed))
        fine = self.event(event)
        return self._judge(None, self._scopes[Scope.STEP], refused, event, View()) and fine

    # ---- what looking back shows

    def freed(self, outcome: Outcome, size: int) -> bool:
        """A request right after `size` bytes were freed, and after a refusal that came in between and changed
        nothing.
        """
        key = "freed", outcome.number, size
        found = self._known(key)
        if found is None:
            after = View(freed=size), View(after_failure=True, owed=size)
            told = self._looking_back(FREED | REFUSED)
            fine = [self._judge(key, told, pre, outcome.event, self._view(outcome.counters)) for pre in after]
            found = self._holding[key] = all(fine)
        return found

    def owed(self, outcome: Outcome, size: int) -> bool:
        """A request after `size` bytes were freed and a request refused."""
        pre = View(after_failure=True, owed=size)
        return self._judge(None, self._looking_back(REFUSED), pre, outcome.event, self._view(outcome.counters))

    def whole(self, outcome: Outcome, most: int) -> bool:
        """A request to the empty heap, which has served `most` bytes before."""
        pre = View(whole=most)
        return self._judge(None, self._looking_back(WHOLE), pre, outcome.event, self._view(outcome.counters))

    def back(self, outcome: Outcome, counters: str, kind: Kind) -> bool:
        """An operation of `kind` led back to a state in which `counters` was counted."""
        key = "back", outcome.number, counters, kind
        found = self._known(key)
        if found is None:
            then = self._tables.counters.value(counters)
            post = replace(self._view(outcome.counters), undone_by=int(kind), back=True)
            post = replace(post, then_remaining=then[2], then_total=then[3])
            found = self._judge(key, self._looking_back(UNDONE), View(), outcome.event, post)
        return found

    def twin(self, outcome: Outcome, then: int, kind: Kind) -> bool:
        """A request in a state that an operation of `kind` brought back; `then` it was served at that address."""
        key = "twin", outcome.number, then, kind
        found = self._known(key)
        if found is None:
            post = View(undone_by=int(kind), twin=True, twin_ptr=then)
            found = self._judge(key, self._looking_back(UNDONE), View(), outcome.event, post)
        return found

    def _looking_back(self, fields: frozenset[str]) -> list[Tally]:
        """Laws that ask for one of these."""
        return [tally for tally in self._scopes[Scope.STEP] if self.asked[tally.law.name] & fields]

    def beyond(self, law: AnyLaw, looked: frozenset[str]) -> list[str]:
        """What a law asked for that is neither in a state nor was looked back for."""
        known = KNOWN if self.model.shape == "bump" else KNOWN - {"high", "low"}
        return sorted(self.asked[law.name] - known - looked)
