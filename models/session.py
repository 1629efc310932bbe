"""A session with a live subject: slots, the naive judge, a record that exports as a trace and a history."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from heaplaw.spec.catalogue import law, laws_of
from heaplaw.spec.event import NONE, NULL, Event, Flag, Status
from heaplaw.spec.heap import Heap
from heaplaw.spec.history import EVENT_COLUMNS, History, Op, Trace, make_history, make_trace
from heaplaw.spec.judge import Online
from heaplaw.spec.law import AnyLaw, implied
from heaplaw.spec.report import SILENT
from heaplaw.spec.shapes import ALIGN_TAKERS, CALLS, MAKERS, SWEEPERS, TAKERS, WORDS, Kind
from heaplaw.spec.verdict import Violation

from .live import Held, Live

Slots = dict[int, Held]
"""Which block or mark each slot holds; a slot is the index of an operation."""
NAMERS = (*TAKERS, Kind.RELEASE)
"""Operations that name a slot."""


class LawViolated(AssertionError):  # noqa: N818 (named for what happened, as Violated is)
    """A law was broken: what was broken, the trace that broke it, and what came of that."""

    def __init__(self, violations: Sequence[Violation], history: History) -> None:
        self.violations = tuple(violations)
        self.history = history
        super().__init__(
            "\n".join([*map(explain, violations), "Operations:", *listing(self.trace.ops(), self.trace.shape)])
        )

    @property
    def trace(self) -> Trace:
        """The operations, the last of which broke the law."""
        return self.history.trace


def export(failure: LawViolated) -> Trace:
    """The trace of a machine's failure, as native drivers run it and as witnesses are stored.

    It breaks the same laws in its last operation when it is run on a fresh subject.
    """
    return failure.trace


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


def listing(ops: Iterable[Op], shape: str = "malloc") -> list[str]:
    """Operations, a line each: by the C library's names where the shape is malloc's, else in words of all shapes."""
    names = CALLS if shape == "malloc" else WORDS
    return [f"  #{index} {names[op.kind]}({', '.join(_arguments(op))})" for index, op in enumerate(ops)]


def _arguments(op: Op) -> list[str]:
    slot = {NONE: "none", NULL: "NULL"}.get(op.slot, f"#{op.slot}")
    words = [slot] if op.kind in NAMERS else []
    words += [str(op.align)] if op.kind in ALIGN_TAKERS else []
    words += [str(op.count)] if op.kind == Kind.ZALLOC else []
    return words + ([str(op.size)] if op.kind in MAKERS else [])


def applicable(shape: str, offers: frozenset[str]) -> list[AnyLaw]:
    """The catalogue's laws for a subject of `shape` that offers `offers`."""
    return [item for item in laws_of(shape) if item.needs <= implied(offers)]


def named(slots: Slots, op: Op) -> Held | None:
    """The block or mark that an operation is about; for a pop, the newest live block."""
    if op.kind == Kind.POP:
        return max((held for held in slots.values() if not held.mark), key=lambda held: held.owner, default=None)
    held = slots.get(op.slot) if op.kind in NAMERS else None
    return held if held is not None and held.mark == (op.kind == Kind.RELEASE) else None


def since(slots: Slots, mark: Held | None) -> list[Held]:
    """Blocks and marks made from `mark` on, or all; newest first."""
    made = [held for held in slots.values() if mark is None or held.owner >= mark.owner]
    return sorted(made, key=lambda held: -held.owner)


def take(live: Live, slots: Slots, index: int, op: Op) -> tuple[Event, int]:
    """Carry out operation `index` on `live` and bring `slots` up to date: the event and the owner of the block or mark
    that it is about.

    An operation on an empty slot is skipped. A resize that fails leaves its own slot holding the old block.
    """
    held = named(slots, op)
    if op.kind in NAMERS and held is None and (op.slot != NULL or op.kind in (Kind.CHECK, Kind.RELEASE)):
        return Event(op.kind, op.size, op.align, op.count, Status.SKIPPED, env=live.env), NONE
    swept = since(slots, held) if op.kind in SWEEPERS else []
    event, tag = live.apply(op, held, index, swept)
    gone = swept if event.sweeps else [held] if held is not None and event.ends else []
    moved = held is not None and event.failed and op.kind == Kind.RESIZE
    for slot in [slot for slot, there in slots.items() if there in gone or (moved and there is held)]:
        del slots[slot]
    if moved and held is not None:
        slots[index] = held
    elif event.makes:
        size = 0 if event.flags == Flag.UNWRITABLE else int(event.extent)
        slots[index] = Held(index, event.ptr, size, tag, op.align)
    elif event.served and op.kind == Kind.MARK:
        slots[index] = Held(index, event.ptr, 0, mark=True)
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
            raise LawViolated(step.violations, self.history()) from self.live.error
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
    reported = {} if event.report is SILENT else vars(event.report)
    return {**fields, **reported, "owner": owner}


def replay(trace: Trace, live: Live) -> Session:
    """Run a trace on a live subject, to its end."""
    session = Session(live)
    for op in trace.ops():
        session.do(op)
    return session
