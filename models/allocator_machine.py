"""A Hypothesis machine for allocators: random operations, each judged by the catalogue's laws, shrunk to the
shortest.

    class MyPoolMachine(PoolMachine):
        def make(self):
            return MyPool(64, 4)

    TestMyPool = MyPoolMachine.TestCase

What a law says stands in the catalogue alone: the machine only asks the naive judge. There is a rule for every
operation that the subject offers. Rules and invariants of your own go beside them, and operations of your own
(`models.machine`):

        @rule(slot=blocks())
        def look(self, slot): ...

A failure is a `LawViolated` with the shortest program; `models.session.export` gives its trace as witnesses are stored
and native drivers run it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import hypothesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.errors import FlakyFailure
from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS, HypothesisProvider
from hypothesis.stateful import Bundle, precondition, rule, run_state_machine_as_test
from hypothesis.strategies import SearchStrategy

from heaplaw.spec.history import Op
from heaplaw.spec.shapes import CALLS, REQUESTS, SHAPES, Kind

from . import strategies
from .brief import brief
from .machine import SessionMachine, drawn, own_methods
from .session import LawViolated

Rule: TypeAlias = Callable[..., Any]
MANY = 60
"""Blocks are picked from among so many numbers, modulo how many there are: no program of a machine has more steps by
default, and small numbers of blocks divide it.
"""


def _of_machine(draw: Callable[["AllocatorMachine"], SearchStrategy[Any]]) -> SearchStrategy[Any]:
    """What `draw` gives for the machine that draws."""
    machine: SearchStrategy[Any] = st.runner()
    return machine.flatmap(draw)


def _slot(slots: Sequence[int]) -> SearchStrategy[int | None]:
    """One of these. What is drawn has the same form however many there are, so that shrinking may leave some out."""
    return strategies.up_to(MANY - 1).map(lambda pick: slots[pick % len(slots)] if slots else None)


def blocks() -> SearchStrategy[int | None]:
    """The slot of a live block of the machine that draws, the newest first; None when nothing is live."""
    return _of_machine(lambda machine: _slot(machine.slots()))


def marks() -> SearchStrategy[int | None]:
    """The slot of a mark of the machine that draws, likewise."""
    return _of_machine(lambda machine: _slot(machine.slots(mark=True)))


def _drawn(kind: Kind) -> SearchStrategy[Op]:
    """An operation of `kind`, from the strategy of the machine that draws it."""
    return _of_machine(lambda machine: machine.request(kind).map(drawn))


def _offered(kind: Kind) -> Callable[[Rule], Rule]:
    """Only on subjects that have this operation."""

    def offers(machine: Any) -> bool:
        return CALLS[kind] in machine.session.live.offers

    return precondition(offers)


class AllocatorMachine(SessionMachine):
    """Subclass, set `shape`, and return a fresh subject from `make`: an object of that shape, or a
    `models.live.Live`.

    A violation raises `LawViolated`, an AssertionError with the law's id, sentence, what was observed and
    required, and the program that shows it (`.program()`, `.trace`, `.history`).
    """

    made: Bundle[int] = Bundle("made")
    """Slots of all requests so far, served or not. (Rules with a target stand last when Hypothesis shrinks: a trace
    gets shorter where a request gives way to something that does nothing.)
    """

    def __init_subclass__(cls, **given: Any) -> None:
        """Rules of operations that the subject cannot have are left out: trying them in vain makes shrinking slow."""
        super().__init_subclass__(**given)
        if cls.shape not in SHAPES:
            raise ValueError(f"{cls.__name__}: {cls.shape!r} is no shape; shapes are {', '.join(SHAPES)}")
        there: set[Kind] = {*SHAPES[cls.shape].operations, *own_methods(cls.operations)}
        there |= {Kind.RENEW} if cls.renews else set()
        for name, kind in RULES.items():
            if name not in vars(cls):
                setattr(cls, name, vars(AllocatorMachine)[name] if kind in there else None)
        # Explaining traces every line of the subject and of ours, which takes longer than all the rest; and one fault
        # is one failure, whichever of its laws is broken first.
        phases = [phase for phase in cls.TestCase.settings.phases if phase is not Phase.explain]
        case: Any = cls.TestCase
        case.settings = settings(case.settings, phases=phases, report_multiple_bugs=False)
        case.runTest = brief(case.runTest)

    def request(self, kind: Kind) -> SearchStrategy[Op]:
        """What operations of `kind` ask for: sizes around the subject's capacity. Override to keep to some."""
        return strategies.request(self.shape, kind, self.session.live.env)

    @_offered(Kind.ALLOC)
    @rule(target=made, op=_drawn(Kind.ALLOC))
    def alloc(self, op: Op) -> int:
        """Ask for a block."""
        return self.perform(op).index

    @_offered(Kind.ZALLOC)
    @rule(target=made, op=_drawn(Kind.ZALLOC))
    def calloc(self, op: Op) -> int:
        """Ask for zeroed memory."""
        return self.perform(op).index

    @_offered(Kind.ALIGNED)
    @rule(target=made, op=_drawn(Kind.ALIGNED))
    def aligned_alloc(self, op: Op) -> int:
        """Ask for an alignment."""
        return self.perform(op).index

    @_offered(Kind.RESIZE)
    @rule(slot=blocks(), op=_drawn(Kind.RESIZE))
    def realloc(self, slot: int | None, op: Op) -> None:
        """Resize a live block: it moves to a slot of its own, also when it is refused and stays as it was."""
        if slot is not None:
            self.perform(Op(op.kind, op.size, slot))

    @_offered(Kind.FREE)
    @rule(slot=blocks(), then=st.sampled_from(("", "the same", "the most")))
    def free(self, slot: int | None, then: str) -> None:
        """Free a live block; perhaps ask for as much right away, or free all and ask for the most that was served: laws
        on what was given back speak of that.
        """
        if slot is None:
            return
        sizes = [self.session.slots[slot].size]
        self.perform(Op(Kind.FREE, slot=slot))
        if then == "the most":
            sizes = [
                step.event.size for step in self.session.steps if step.event.makes and step.event.kind == Kind.ALLOC
            ]
            for other in self.slots():
                self.perform(Op(Kind.FREE, slot=other))
        if then and sizes and CALLS[Kind.ALLOC] in self.session.live.offers:
            self.perform(Op(Kind.ALLOC, max(sizes)))

    @_offered(Kind.POP)
    @rule(again=st.booleans())
    def pop(self, again: bool) -> None:
        """End the newest live block, if there is one; perhaps ask for it again."""
        newest = self.slots()[:1]
        self.perform(Op(Kind.POP))
        self.ask_again(newest if again else [])

    @_offered(Kind.RESET)
    @rule(again=st.booleans())
    def reset(self, again: bool) -> None:
        """End all blocks; perhaps ask for all of them again, in order."""
        undone = sorted([*self.slots(), *self.slots(mark=True)])
        self.perform(Op(Kind.RESET))
        self.ask_again(undone if again else [])

    def ask_again(self, slots: Sequence[int]) -> None:
        """Repeat the requests, and marks, that once filled these slots."""
        for op in [self.session.ops[slot] for slot in slots]:
            if op.kind in (*REQUESTS, Kind.MARK):
                self.perform(op)

    @_offered(Kind.MARK)
    @rule()
    def mark(self) -> None:
        """Take a mark."""
        self.perform(Op(Kind.MARK))

    @_offered(Kind.RELEASE)
    @rule(slot=marks(), again=st.booleans())
    def release(self, slot: int | None, again: bool) -> None:
        """End all blocks made since a mark; perhaps ask for all of them again, in order."""
        if slot is not None:
            undone = sorted(one for one in [*self.slots(), *self.slots(mark=True)] if one >= slot)
            self.perform(Op(Kind.RELEASE, slot=slot))
            self.ask_again(undone if again else [])

    @_offered(Kind.RENEW)
    @rule()
    def renew(self) -> None:
        """Destroy the allocator and make it again."""
        self.perform(Op(Kind.RENEW))

    @rule(slot=blocks())
    def check(self, slot: int | None) -> None:
        """Read a live block back."""
        if slot is not None:
            self.perform(Op(Kind.CHECK, slot=slot))


RULES: Mapping[str, Kind] = {
    "alloc": Kind.ALLOC,
    "calloc": Kind.ZALLOC,
    "aligned_alloc": Kind.ALIGNED,
    "realloc": Kind.RESIZE,
    "free": Kind.FREE,
    "pop": Kind.POP,
    "reset": Kind.RESET,
    "mark": Kind.MARK,
    "release": Kind.RELEASE,
    "renew": Kind.RENEW,
}
"""The rule of each operation; reading back (`check`) is for all."""


class MallocMachine(AllocatorMachine):
    """The C library's calls."""

    shape = "malloc"


class BumpMachine(AllocatorMachine):
    """Blocks one behind the other, all reset at once."""

    shape = "bump"


class PoolMachine(AllocatorMachine):
    """Blocks of one size."""

    shape = "pool"


class FreeListMachine(AllocatorMachine):
    """Blocks of any size, freed in any order."""

    shape = "freelist"


class StackMachine(AllocatorMachine):
    """The newest block is popped first."""

    shape = "stack"


class ArenaMachine(AllocatorMachine):
    """Marks, and releases to them."""

    shape = "arena"


class LuaMachine(AllocatorMachine):
    """One call for everything."""

    shape = "lua_alloc"


class SameEverywhere(HypothesisProvider):
    """Hypothesis' own way to draw, but for the constants that it finds in whatever modules happen to be loaded: with
    these, a seed would say different things in different processes.
    """

    def _maybe_draw_constant(self, *given: Any, **named: Any) -> None:
        return None


AVAILABLE_PROVIDERS["heaplaw"] = f"{SameEverywhere.__module__}.{SameEverywhere.__name__}"
MACHINES: Mapping[str, type[AllocatorMachine]] = {
    machine.shape: machine
    for machine in (
        MallocMachine,
        BumpMachine,
        PoolMachine,
        FreeListMachine,
        StackMachine,
        ArenaMachine,
        LuaMachine,
    )
}
"""The machine of each shape."""


def killed_by_machine(
    make: Callable[[], Any],
    shape: str,
    max_examples: int = 200,
    seed: int = 0,
    steps: int = 30,
    shrink: bool = False,
    machine: type[AllocatorMachine] | None = None,
    promises: Mapping[str, Any] | None = None,
) -> LawViolated | None:
    """What the machine of `shape` finds wrong with the subjects of `make`, within a fixed budget; None: nothing.

    The budget: `max_examples` runs of at most `steps` operations, drawn from `seed`. `machine` may be one that asks
    for less than the shape's does; `promises` are fields of `Env` that its own go before. What the subject answers must
    not vary with its addresses from run to run: `max_request_align=16` keeps alignments out of that.
    """
    base = machine or MACHINES[shape]

    def made(machine: AllocatorMachine) -> Any:
        return make()

    body = {"make": made, "promises": {**(promises or {}), **base.promises}}
    tried: Any = hypothesis.seed(seed)(type(base.__name__, (base,), body))
    try:
        run_state_machine_as_test(
            tried,
            settings=settings(
                backend="heaplaw",
                database=None,
                deadline=None,
                max_examples=max_examples,
                stateful_step_count=steps,
                phases=[Phase.generate, Phase.shrink] if shrink else [Phase.generate],
                report_multiple_bugs=False,
                print_blob=False,
                suppress_health_check=(HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much),
            ),
        )
    except LawViolated as found:
        return found
    except FlakyFailure as flaky:  # what it does depends on its addresses, and these vary
        return next((found for found in flaky.exceptions if isinstance(found, LawViolated)), None)
    return None
