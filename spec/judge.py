"""The naive judge: it evaluates every law literally, and is the oracle of all judges.

`judge` decides laws over a whole history; pairs are taken one by one, so it is quadratic. `Online` judges operation by
operation, against the blocks live at that moment, for machines and explorers that have no history yet.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from .dialects import Dialect
from .event import NONE, Event, Status
from .heap import Heap, blocks, run_of
from .history import History
from .law import PROMISES, AnyLaw, Scope, implied
from .report import REPORTS
from .verdict import Holds, NotApplicable, Outcome, Tested, Unknown, Verdict, Violated, Violation

KEPT = 20
"""Violations kept for each law; the rest are counted."""
UNITS = {
    Scope.EVENT: "operations",
    Scope.PAIR: "pairs",
    Scope.STEP: "steps",
    Scope.RUN: "runs",
    Scope.COST: "costs",
    Scope.LAYOUT: "layouts",
}


ABSENT = {
    "C functions": "not called as a library of C",
    "buffer": "not given a buffer",
    "bounds": "does not say where its memory lies",
    "grid": "does not say where its first block lies",
    "renew": "has no call that destroys it",
    "reset or renew": "has no reset, and no call that destroys it",
    "giving back": "has no call that gives memory back",
    "huge sizes": "cannot be asked for such sizes",
    "any aligned size": "may only be asked for multiples of the alignment",
    "clause": "the dialects in force say nothing of it",
}
"""What it means that a subject does not offer something of `law.FACTS`."""


def absence(name: str) -> str:
    """What it means that a subject does not offer `name`, in words."""
    if name in REPORTS:
        return f"it reports no {name}"
    if name in PROMISES:
        return f"not promised: {name}"
    return ABSENT.get(name, f"the subject has no {name}")


class Tally:
    """Counts what a law was judged on and keeps its first violations."""

    def __init__(self, law: AnyLaw) -> None:
        self.law = law
        self.judged = 0
        self.broken = 0
        self.violations: list[Violation] = []
        self.runs = 0

    def judge(self, operations: tuple[int, ...], *args: Any) -> Violation | None:
        """Decide the law on concrete arguments."""
        law = self.law
        if not law.premise(*args):
            return None
        self.judged += 1
        if law.body(*args):
            return None
        violation = Violation(law.name, operations, law.observed(*args), law.required(*args))
        self.broken += 1
        if len(self.violations) < KEPT:
            self.violations.append(violation)
        return violation

    def verdict(self, missing: Iterable[str] = ()) -> Verdict:
        """The outcome so far. A law whose premise was met too rarely is unknown, not held."""
        evidence = Tested(self.judged, UNITS[self.law.scope], max(1, self.runs))
        lacks = sorted(missing)
        outcome: Outcome
        if lacks:
            outcome = NotApplicable("; ".join(map(absence, lacks)))
        elif self.broken:
            outcome = Violated(tuple(self.violations), self.broken)
        elif self.judged < self.law.min_judged:
            outcome = Unknown(f"judged on {self.judged} {UNITS[self.law.scope]}, needs {self.law.min_judged}")
        else:
            outcome = Holds()
        return Verdict(self.law.name, outcome, evidence)


def judge(history: History, laws: Sequence[AnyLaw], has: Iterable[str] | None = None) -> list[Verdict]:
    """Decide `laws` over `history`, literally. `has` names what the subject offers; None means everything."""
    offered = None if has is None else implied(frozenset(has))
    return [tally.verdict(() if offered is None else tally.law.needs - offered) for tally in tallied(history, laws)]


def tallied(history: History, laws: Sequence[AnyLaw]) -> list[Tally]:
    """What the laws found in `history`, taken literally; in their order."""
    tallies = [Tally(law) for law in laws]
    of_scope = {scope: [t for t in tallies if t.law.scope is scope] for scope in Scope}
    heap, position = Heap(counted=history.counted), 0
    for index in range(len(history)):
        e = history.event(index, position)
        if e.status == Status.SKIPPED:
            continue
        position += 1
        before = heap.view(e)
        heap.absorb(index, e, history.owner(index))
        for tally in of_scope[Scope.EVENT]:
            tally.judge((index,), e)
        for tally in of_scope[Scope.STEP]:
            tally.judge((index,), before, e, heap.view(e))
    if of_scope[Scope.PAIR]:
        made = blocks(history)
        for tally in of_scope[Scope.PAIR]:
            for later, (b_index, b) in enumerate(made):
                for a_index, a in made[:later]:
                    tally.judge((a_index, b_index), a, b)
    if of_scope[Scope.RUN]:
        run = run_of(history)
        for tally in of_scope[Scope.RUN]:
            tally.judge((), run)
    return tallies


def by_clause(history: History, laws: Sequence[AnyLaw]) -> list[tuple[AnyLaw, Dialect, int, bool]]:
    """For each operation that a law with clauses speaks of, whether each of its dialects allows it: law, dialect,
    operation, verdict. In force or not: what others allow is worth telling.
    """
    found: list[tuple[AnyLaw, Dialect, int, bool]] = []
    for index in range(len(history)):
        e = history.event(index)
        for law in laws:
            if law.clauses and law.scope is Scope.EVENT and law.premise(e):
                found += [(law, dialect, index, bool(c.allows(e))) for dialect, c in law.clauses.items()]
    return found


class Online:
    """The naive judge, one operation at a time."""

    def __init__(self, laws: Sequence[AnyLaw], heap: Heap | None = None) -> None:
        self.tallies = [Tally(law) for law in laws]
        self.heap = heap or Heap()

    def feed(self, index: int, e: Event, owner: int = NONE) -> list[Violation]:
        """Take in operation `index`; the violations that it shows."""
        found: list[Violation | None] = []
        before = self.heap.view(e)
        older = [] if not e.makes else [item for item in self.heap.live.items() if item[0] != owner]
        made = self.heap.absorb(index, e, owner)
        for tally in self.tallies:
            if tally.law.scope is Scope.EVENT:
                found.append(tally.judge((index,), e))
            elif tally.law.scope is Scope.STEP:
                found.append(tally.judge((index,), before, e, self.heap.view(e)))
            elif tally.law.scope is Scope.PAIR and made is not None:
                found.extend(tally.judge((at, index), block, made) for at, block in older)
        return [violation for violation in found if violation is not None]
