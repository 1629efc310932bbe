"""A session with a live subject: slots, the naive judge, a record that exports as a trace and a history."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from textwrap import wrap
from typing import Any, Self

from heaplaw.spec.catalogue import CATALOGUE, law, laws_of
from heaplaw.spec.event import NONE, NULL, Event, Flag, Status
from heaplaw.spec.heap import Heap
from heaplaw.spec.history import COUNTERS, EVENT_COLUMNS, History, Op, Trace, make_history, make_trace
from heaplaw.spec.judge import Online, Tally
from heaplaw.spec.law import AnyLaw, implied
from heaplaw.spec.report import SILENT
from heaplaw.spec.shapes import CALLS, SWEEPERS, TAKERS, Kind
from heaplaw.spec.verdict import Violation

from .live import Checked, Held, Live, ObjectCalls
from .methods import Method, ending_of
from .programs import COLUMNS, Own, Owned, Said, Spelling, as_test, listing

Slots = dict[int, Held]
"""Which block or mark each slot holds; a slot is the index of an operation."""
NAMERS = (*TAKERS, Kind.RELEASE)
"""Operations that name a slot."""
ALONE = frozenset({"bump_monotonic"})
"""Laws that speak of subjects which end and resize no single block: not asked once one does."""
LONGEST = 40
"""Values that calls give are told up to so many characters."""


class LawViolated(AssertionError):  # noqa: N818 (named for what happened, as Violated is)
    """A law was broken: what was broken, the program that broke it, and what came of that."""

    def __init__(self, violations: Sequence[Violation], history: History, spelling: Spelling | None = None) -> None:
        # Beyond the memory that a subject declares nothing is touched here: that it could not be is not what is wrong.
        self.violations = tuple(sorted(violations, key=lambda violation: violation.law == "sized"))
        self.history = history
        self.spelling = spelling or Spelling()
        super().__init__()

    def __reduce__(self) -> tuple[Any, ...]:
        """It goes from one process to another whole."""
        return type(self), (self.violations, self.history, self.spelling), dict(vars(self))

    def __str__(self) -> str:
        """The law that is broken first, the program in the subject's own calls, observed against required."""
        told = listing(self.history, self.spelling, self.violations)
        first, *others = self.violations
        return "\n".join([*stated(first), "", *told, "", *explain(first), *also(others)])

    @property
    def trace(self) -> Trace:
        """The operations, the last of which broke the law."""
        return self.history.trace

    def program(self) -> str:
        """A test of pytest's that does the same again, every call judged: to be pasted beside the machine."""
        return as_test(self.history, self.spelling, self.violations)


def export(failure: LawViolated) -> Trace:
    """The trace of a machine's failure, as native drivers run it and as witnesses are stored.

    It breaks the same laws in its last operation when it is run on a fresh subject; but for calls of the user's own,
    which no driver knows: of these it holds the readings back alone.
    """
    return failure.trace


def stated(violation: Violation) -> list[str]:
    """The law that is broken, in words."""
    broken = law(violation.law)
    return wrap(f"{broken.id} {broken.name}: {broken.sentence}", COLUMNS - 2, subsequent_indent="  ")


def explain(violation: Violation) -> list[str]:
    """A violation in words: observed against required, where the law comes from, where more is said."""
    broken = law(violation.law)
    rows = {
        "observed": violation.observed,
        "required": violation.required,
        "source": broken.source,
        "why": f"heaplaw explain {broken.id}",
    }
    lines: list[str] = []
    for name, text in rows.items():
        lines += wrap(text, COLUMNS - 4, initial_indent=f"  {name:<10}", subsequent_indent=" " * 12)
    return lines


def also(violations: Sequence[Violation]) -> list[str]:
    """What else is broken by the same operation, a line each."""
    names = dict.fromkeys(f"{law(each.law).id} {each.law}" for each in violations)
    return [f"  {'also':<10}{name}" for name in names]


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
    """A live subject, what was done to it, and what the naive judge says of each operation.

    `spelling` says how the subject is written in programs.
    """

    def __init__(self, live: Live, laws: Sequence[AnyLaw] | None = None, spelling: Spelling | None = None) -> None:
        self.live = live
        stated = applicable(live.shape.name, live.offers) if laws is None else laws
        counted = frozenset(column for name, column in COUNTERS.items() if name in live.offers)
        self.online = Online(stated, Heap(counted=counted))
        self.slots: Slots = {}
        self.ops: list[Op] = []
        self.steps: list[Step] = []
        self._rows: list[dict[str, int]] = []
        self._called = 0
        self._spelling = spelling or Spelling()
        self._own: dict[int, Own] = {}
        self._calls: list[Said] = []
        self._gave: dict[int, object] = {}
        self._alike: set[int] = set()
        for kind in Kind if laws is None else ():
            if CALLS[kind] in live.offers:
                self._widen(kind)

    def do(self, op: Op) -> Step:
        """Carry out `op` as the next operation, and judge it."""
        index, before = len(self.ops), self.slots.get(op.slot)
        if op.kind in NAMERS and before is not None and self._has_double(before):
            self._alike.add(index)
        event, owner = take(self.live, self.slots, index, op)
        there = self.slots.get(index)
        if there is not None and there.owner == index:
            answer = getattr(getattr(self.live, "calls", None), "answer", 0)
            in_place = op.kind == Kind.RESIZE and isinstance(answer, bool | None)
            self._gave[index] = self._gave.get(owner, 0) if in_place else answer
        return self._judge(op, event, owner)

    def _has_double(self, held: Held) -> bool:
        """The subject gave the same object, which is no plain number, for another block or mark that is live too."""
        gave = self._gave.get(held.owner, 0)
        if type(gave) is int:
            return False
        others = [other.owner for other in self.slots.values() if other.mark == held.mark and other is not held]
        return any(self._gave.get(owner, 0) is gave for owner in others)

    def _judge(self, op: Op, event: Event, owner: int) -> Step:
        """Record what came of the next operation, and judge it."""
        index = len(self.ops)
        self.ops.append(op)
        self._rows.append(_row(event, owner))
        found: list[Violation] = []
        if event.status != Status.SKIPPED:
            event = replace(event, index=self._called)
            self._called += 1
            found = self.online.feed(index, event, owner)
            if op.kind not in self.live.shape.operations and op.kind not in (Kind.CHECK, Kind.RENEW):
                self._forget(event)
        self.steps.append(Step(index, event, tuple(found)))
        return self.steps[-1]

    def require(self, op: Op) -> Step:
        """Carry out and judge `op`; `LawViolated` when a law is broken by it."""
        __tracebackhide__ = True
        return self._must_hold(self.do(op))

    def _must_hold(self, step: Step) -> Step:
        __tracebackhide__ = True
        if step.violations:
            raise LawViolated(step.violations, self.history(), self.spelling()) from self.live.error
        return step

    def _forget(self, event: Event) -> None:
        """What was just done is no operation of the shape: which states the subject was in says nothing any more."""
        self.online.heap.part(event).past.forget(event)

    def _widen(self, kind: Kind) -> None:
        """The subject has this operation: if its shape has not, laws on such operations are asked of it as well."""
        if kind in self.live.shape.operations or kind == Kind.RENEW:
            return
        tallies = [tally for tally in self.online.tallies if tally.law.name not in ALONE]
        known = {tally.law.name for tally in tallies}
        offers = implied(self.live.offers | {CALLS[kind]})
        wider = [each for each in CATALOGUE.values() if CALLS[kind] in each.needs and each.needs <= offers]
        self.online.tallies = tallies + [Tally(each) for each in wider if each.name not in known]

    # ---- calls of the user's own

    @property
    def calls(self) -> ObjectCalls:
        """The methods of the subject; TypeError when it is no object that has some."""
        if isinstance(self.live, Checked) and isinstance(self.live.calls, ObjectCalls):
            return self.live.calls
        raise TypeError("calls of your own need an object with methods from make(); this subject is driven by steps")

    def call(self, name: str, *arguments: object) -> object:
        """Call a method of the subject that is none of its shape's operations, then read every live block back, and the
        counters; what the method gives, or raises.

        `LawViolated` when a block is not as it was, or a counter not as it must be.
        """
        __tracebackhide__ = True
        if known := [CALLS[kind] for kind, method in self.calls.operations.items() if method.name == name]:
            raise ValueError(f"{name} is an operation that laws know ({known[0]}): perform it, so that they judge it")
        given = tuple(map(written, arguments))
        plain = [int(a) if isinstance(a, Address) else a for a in arguments]
        method = getattr(self.calls.subject, name)
        raised: Exception | None = None
        value: object = None
        try:
            value = method(*plain)
        except Exception as error:  # noqa: BLE001 (whatever it raises is told, and raised again)
            raised = error
        said = raised_text(raised) if raised else "" if value is None else short(repr(value))
        self._calls.append(Said(len(self.ops), name, given, said))
        self.look(raised)
        if raised is not None:
            raise raised
        return value

    def look(self, raised: Exception | None = None) -> None:
        """Read the counters and every live block, and judge them."""
        __tracebackhide__ = True
        assert isinstance(self.live, Checked)
        event = self.live.look()
        self._forget(event)
        step = self._judge(Op(Kind.CHECK), event, NONE)
        if step.violations:
            raise LawViolated(step.violations, self.history(), self.spelling()) from raised
        for slot in sorted(slot for slot, held in self.slots.items() if not held.mark):
            step = self.do(Op(Kind.CHECK, slot=slot))
            if step.violations:
                raise LawViolated(step.violations, self.history(), self.spelling()) from raised

    def require_by(self, op: Op, method: Method, given: Mapping[str, object]) -> Step:
        """`require`, by a method of the user's own choice; `given` are the user's own words among its arguments."""
        __tracebackhide__ = True
        self._widen(op.kind)
        self.calls.use(method, {name: int(a) if isinstance(a, Address) else a for name, a in given.items()})
        self._own[len(self.ops)] = Own(method, {name: written(a) for name, a in given.items()})
        return self.require(op)

    def address(self, slot: int) -> "Address":
        """The live block in a slot, as the subject knows it; ValueError when there is none."""
        held = self.slots.get(slot)
        if held is None or held.mark:
            live = ", ".join(map(str, sorted(one for one, there in self.slots.items() if not there.mark)))
            raise ValueError(f"no live block is in slot {slot}; there is one in: {live or 'none'}")
        return Address(held.ptr - getattr(getattr(self.live, "calls", None), "base", 0), held.owner)

    def spelling(self) -> Spelling:
        """How what was done so far is written."""
        live, last = self.live, ""
        if live.error is not None:
            last = raised_text(live.error)
        methods: Mapping[Kind, Method] = {}
        null, ending = "0", "destroy"
        if isinstance(live, Checked) and isinstance(live.calls, ObjectCalls):
            methods, null = dict(live.calls.operations), "None" if live.calls.base else "0"
            ending = ending_of(live.calls.subject) or ending
            last = last or f"gave {short(repr(live.calls.answer))}"
        return replace(
            self._spelling,
            methods=methods,
            null=null,
            ending=ending,
            own=dict(self._own),
            calls=tuple(self._calls),
            alike=frozenset(self._alike),
            last=last,
        )

    def listing(self) -> list[str]:
        """What was done so far, as a program."""
        return listing(self.history(), self.spelling())

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


class Address(int):
    """A live block as its subject knows it, which programs call by its name."""

    owned: Owned

    def __new__(cls, address: int, owner: int) -> Self:
        """The block that operation `owner` made."""
        made = super().__new__(cls, address)
        made.owned = Owned(owner)
        return made


def written(value: object) -> str | Owned:
    """An argument, as Python writes it; a block by who made it."""
    return value.owned if isinstance(value, Address) else repr(value)


def short(text: str) -> str:
    """A value, cut where it is long."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def raised_text(error: BaseException) -> str:
    """An exception in words."""
    return f"raised {short(': '.join(filter(None, (type(error).__name__, *str(error).splitlines()[:1]))))}"


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
