"""Exhaustive exploration: every state that pure steps can reach within a bound, breadth first, each transition judged
by the laws.

What a state is, how laws are decided on it, and how the search looks back, stands in `models.exploring`. A fault comes
with a shortest trace, which is run again, literally: on plain memory, with payloads written and checked, by the naive
judge; what that says is what is reported.

A search that is cut short, that misses a goal, or that cannot look back as far as a law does, is Unknown, never Holds.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from heaplaw.refimpl.steps import pool
from heaplaw.spec.event import NONE
from heaplaw.spec.history import History, Op, Trace
from heaplaw.spec.judge import Tally
from heaplaw.spec.law import AnyLaw, Scope
from heaplaw.spec.protocols import Step
from heaplaw.spec.shapes import Kind
from heaplaw.spec.verdict import Exhausted, Holds, NotApplicable, Unknown, Verdict, Violated, Violation

from .exploring.judging import FREED, REFUSED, UNDONE, WHOLE
from .exploring.model import Model
from .exploring.reference import REFERENCE, Bounds, arena_model, bump_model, freelist_model, pool_model, stack_model
from .exploring.search import Fault, Search
from .live import Checked, StepCalls, by_address
from .session import Session, applicable


@dataclass(frozen=True)
class Witness:
    """A shortest trace that breaks laws in its last operation, and what came of it when it was run literally."""

    history: History
    violations: tuple[Violation, ...]

    @property
    def trace(self) -> Trace:
        """The operations."""
        return self.history.trace


@dataclass(frozen=True)
class Exploration:
    """What came of an exploration."""

    model: Model
    states: int
    transitions: int
    depth: int
    """Operations on the longest of the shortest ways."""
    goals: Mapping[str, bool]
    complete: bool
    """Every state within the bound was visited."""
    witness: Witness | None
    verdicts: tuple[Verdict, ...]
    runs: int
    """How often the steps themselves were run: once for everything that they can tell apart."""
    evaluated: tuple[int, int]
    """How many sets of arguments laws were asked about, and how many of these were new."""

    @property
    def missed(self) -> list[str]:
        """Goals that were not reached."""
        return [name for name, reached in self.goals.items() if not reached]


def explore(
    model: Model,
    limit: int = 2_000_000,
    progress: Callable[[str], None] = lambda _text: None,
    laws: Sequence[AnyLaw] | None = None,
) -> Exploration:
    """Visit every reachable state of `model`, up to `limit` states, and decide the shape's laws on every
    transition: all that apply, unless fewer are named.
    """
    search = Search(model, laws_for(model) if laws is None else list(laws), progress)
    complete, fault = search.run(limit)
    witness = None if fault is None else witness_of(search, fault)
    evidence = Exhausted(len(search.order), search.transitions, model.bound)
    verdicts = tuple(_verdict(search, tally, evidence, complete, witness) for tally in search.judge.tallies)
    return Exploration(
        model,
        len(search.order),
        search.transitions,
        search.depth,
        search.goals,
        complete,
        witness,
        verdicts,
        search.steps.runs,
        (search.judge.asks, search.judge.evaluated),
    )


def subject_of(model: Model) -> Checked:
    """The steps of a model over plain memory, driven literally."""
    memory = model.memory()
    calls = StepCalls(model.step, model.init(memory), memory, model.env, model.of_shape, model.kinds)
    return Checked(calls, memory, by_address)


def laws_for(model: Model) -> list[AnyLaw]:
    """The laws that speak of a model's operations, one or two at a time. Laws on whole runs are for other engines."""
    offers = subject_of(model).offers
    return [law for law in applicable(model.shape, offers) if law.scope is not Scope.RUN]


def witness_of(search: Search, fault: Fault) -> Witness | None:
    """A fault as a trace, run again literally; None when that shows nothing."""
    ops = operations(search, fault)
    session = Session(subject_of(search.model), search.laws)
    for op in ops:
        if found := session.do(op).violations:
            return Witness(session.history(), found)
    return None


def operations(search: Search, fault: Fault) -> list[Op]:
    """The operations of a fault, with slots."""
    ops: list[Op] = []
    text, slots = search.order[0], list[int]()
    for move, place in (*fault.first, *search.way(fault.state), *fault.then):
        named = move.op.kind in (Kind.FREE, Kind.RELEASE)
        ops.append(replace(move.op, slot=slots[place]) if named else move.op)
        live = text[search.head :]
        outcome, raw = search.follow(text, move, place)
        text = search.same(raw)
        after = text[search.head :]
        if outcome.made and outcome.served:
            slots.insert(len(slots) if search.model.ordered else after.index(outcome.made), len(ops) - 1)
        elif len(after) < len(live):
            slots = slots[:place] + slots[place + 1 :] if move.op.kind == Kind.FREE else slots[: len(after)]
    if fault.check >= 0:
        ops.append(Op(Kind.CHECK, slot=slots[fault.check] if fault.check < len(slots) else NONE))
    return ops


def _verdict(search: Search, tally: Tally, evidence: Exhausted, complete: bool, witness: Witness | None) -> Verdict:
    """What the search shows of one law."""
    law, missed = tally.law, [name for name, reached in search.goals.items() if not reached]
    shown = tuple(v for v in witness.violations if v.law == law.name) if witness else ()
    if shown:
        return Verdict(law.name, Violated(shown, 1), evidence)
    if law.name in search.model.unasked:
        return Verdict(law.name, NotApplicable(search.model.unasked[law.name]), evidence)
    beyond = search.judge.beyond(law, frozenset(search.looked))
    if not complete:
        why = f"the search ended early, after {evidence.states:,} states"
    elif missed:
        why = "never reached: " + ", ".join(missed)
    elif tally.judged < law.min_judged:
        why = f"judged on {tally.judged} different transitions, needs {law.min_judged}"
    elif beyond:
        why = f"it looks back further than the search: {', '.join(beyond)}"
    else:
        return Verdict(law.name, Holds(), evidence, looked_back(search, law))
    return Verdict(law.name, Unknown(why), evidence)


def looked_back(search: Search, law: AnyLaw) -> tuple[str, ...]:
    """How a law was decided that speaks of more than one operation, in words."""
    asked, notes = search.judge.asked[law.name], list[str]()
    if asked & UNDONE:
        exact = not search.inexact & undoers_of(law)
        notes.append("always back in the very state from before" if exact else "all that was live is asked again")
    if asked & FREED:
        notes.append("after every free, all that it owes is asked")
    if asked & REFUSED:
        notes.append(
            "a refusal leaves the very same state" if not search.restless else "refusals are followed by one more"
        )
    if asked & WHOLE:
        notes.append("every empty heap is asked for all that the first one served")
    return tuple(notes)


def undoers_of(law: AnyLaw) -> frozenset[Kind]:
    """The operations that a law says bring back an earlier state."""
    words = {"pop": Kind.POP, "release": Kind.RELEASE}
    return frozenset(words.get(need, Kind.RESET) for need in law.needs)


def explore_pool(block_size: int, num_blocks: int, step: Step = pool.step, limit: int = 2_000_000) -> Exploration:
    """Explore every state of a pool: 2, 5, 16, 65, 326, … states for 1, 2, 3, 4, 5, … blocks.

    That is the number of ordered choices of free blocks: every free list that can be written is reached.
    """
    return explore(pool_model(block_size, num_blocks, step), limit)


__all__ = [
    "REFERENCE",
    "Bounds",
    "Exploration",
    "Model",
    "Witness",
    "arena_model",
    "bump_model",
    "explore",
    "explore_pool",
    "freelist_model",
    "pool_model",
    "stack_model",
    "subject_of",
]
