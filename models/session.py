"""A session with a live subject: slots, the naive judge, a record that exports as a trace and a history."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from heaplaw.spec.catalogue import law, laws_of
from heaplaw.spec.event import NONE, Event, Status
from heaplaw.spec.heap import Heap
from heaplaw.spec.history import EVENT_COLUMNS, History, Op, Trace, make_history, make_trace
from heaplaw.spec.judge import Online
from heaplaw.spec.law import AnyLaw, implied
from heaplaw.spec.shapes import CALLS, TAKERS, Kind
from heaplaw.spec.verdict import Violation

from .live import Held, Live

Slots = dict[int, Held]
"""Which block each slot holds; a slot is the index of an operation."""


class LawViolated(AssertionError):  # noqa: N818 (named for what happened, as Violated is)
    """A law was broken: what was broken, and the trace that broke it."""

    def __init__(self, violations: Sequence[Violation], trace: Trace) -> None:
        self.violations = tuple(violations)
        self.trace = trace
        super().__init__("\n".join([*map(explain, violations), "Operations:", *listing(trace.ops())]))


def explain(violation: Violation) -> str:
    """A violation in words: law, sentence, observed against required."""
    stated = law(violation.law)
    places = ", ".join(f"#{index}" for index in violation.operations)
    return (
        f"{stated.id} {stated.name}: {stated.sentence}\n"
        f"  observed: {violation.observed} (operation {places})\n"
        f"  required: {violation.required}\n"
        f"  source: {stated.source}"
    )


def listing(ops: Iterable[Op]) -> list[str]:
    """Operations, a line each, by the C library's names."""
    lines: list[str] = []
    for index, op in enumerate(ops):
        words = [] if op.kind not in TAKERS else [f"#{op.slot}" if op.slot != NONE else "none"]
        words += [] if op.align == 0 else [str(op.align)]
        words += [] if op.kind != Kind.ZALLOC else [str(op.count)]
        words += [str(op.size)] if op.kind not in (Kind.FREE, Kind.CHECK) else []
        lines.append(f"  #{index} {CALLS[op.kind]}({', '.join(words)})")
    return lines


def applicable(shape: str, offers: frozenset[str]) -> list[AnyLaw]:
    """The catalogue's laws for a subject of `shape` that offers `offers`."""
    return [item for item in laws_of(shape) if item.needs <= implied(offers)]


def take(live: Live, slots: Slots, index: int, op: Op) -> tuple[Event, int]:
    """Carry out operation `index` on `live` and bring `slots` up to date: the event and the named block's
    owner.

    An operation on an empty slot is skipped. A resize that fails leaves its own slot holding the old block.
    """
    named = op.kind in TAKERS
    held = slots.get(op.slot) if named else None
    if named and held is None:
        return Event(op.kind, op.size, op.align, op.count, Status.SKIPPED, env=live.env), NONE
    event, tag = live.apply(op, held, index)
    if held is not None and event.status == Status.OK and op.kind in (Kind.FREE, Kind.RESIZE):
        del slots[op.slot]
    if held is not None and event.failed and op.kind == Kind.RESIZE:
        slots[index] = slots.pop(op.slot)
    if event.makes:
        slots[index] = Held(index, event.ptr, int(event.extent), tag)
    return event, NONE if held is None else held.owner


@dataclass(frozen=True)
class Step:
    """What came of one operation in a session."""

    index: int
    event: Event
    violations: tuple[Violation, ...]


class Session:
    """A live subject, what was done to it, and what the naive judge says of each operation."""

    def __init__(self, live: Live, laws: Sequence[AnyLaw] | None = None) -> None:
        self.live = live
        stated = applicable(live.shape.name, live.offers) if laws is None else laws
        self.online = Online(stated, Heap())
        self.slots: Slots = {}
        self.ops: list[Op] = []
        self.steps: list[Step] = []
        self._rows: list[dict[str, int]] = []
        self._called = 0

    def do(self, op: Op) -> Step:
        """Carry out `op` as the next operation, and judge it."""
        index = len(self.ops)
        event, owner = take(self.live, self.slots, index, op)
        self.ops.append(op)
        self._rows.append(_row(event, owner))
        found: list[Violation] = []
        if event.status != Status.SKIPPED:
            event = replace(event, index=self._called)
            self._called += 1
            found = self.online.feed(index, event, owner)
        self.steps.append(Step(index, event, tuple(found)))
        return self.steps[-1]

    def require(self, op: Op) -> Step:
        """Carry out and judge `op`; `LawViolated` when a law is broken by it."""
        step = self.do(op)
        if step.violations:
            raise LawViolated(step.violations, self.trace()) from self.live.error
        return step

    @property
    def violations(self) -> list[Violation]:
        """What the judge found, in order of time."""
        return [violation for step in self.steps for violation in step.violations]

    def trace(self) -> Trace:
        """What was done so far."""
        return make_trace(self.live.shape.name, self.ops, self.live.env)

    def history(self) -> History:
        """What was done so far, and what came of it."""
        return make_history(self.trace(), self._rows)


def _row(event: Event, owner: int) -> dict[str, int]:
    fields = {column.name: int(getattr(event, column.name, 0)) for column in EVENT_COLUMNS}
    return {**fields, "owner": owner}


def replay(trace: Trace, live: Live) -> Session:
    """Run a trace on a live subject, to its end."""
    session = Session(live)
    for op in trace.ops():
        session.do(op)
    return session
