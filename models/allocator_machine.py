"""A Hypothesis machine for allocators: random operations, each judged by the catalogue's laws, shrunk to the
shortest.

    class MyPoolMachine(AllocatorMachine):
        shape = "pool"

        def make(self):
            return MyPool(64, 4)

    TestMyPool = MyPoolMachine.TestCase

What a law says stands in the catalogue alone: the machine only asks the naive judge.
"""

from collections.abc import Callable
from typing import Any, ClassVar, TypeAlias, cast

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, multiple, precondition, rule
from hypothesis.strategies import SearchStrategy

from heaplaw.spec.history import History, Op, Trace
from heaplaw.spec.shapes import CALLS, Kind

from . import strategies
from .live import live
from .session import Session

Rule: TypeAlias = Callable[..., Any]
NO_BLOCK = cast("Any", multiple())
"""What a rule gives its bundle when it made no block."""


def _drawn(kind: Kind) -> SearchStrategy[Op]:
    """An operation of `kind`, from the strategy of the machine that draws it."""
    machine: SearchStrategy[Any] = st.runner()
    return machine.flatmap(lambda self: self.request(kind))


def _offered(kind: Kind) -> Callable[[Rule], Rule]:
    """Only on subjects that have this operation."""

    def offers(machine: "AllocatorMachine") -> bool:
        return CALLS[kind] in machine.session.live.offers

    return precondition(offers)


class AllocatorMachine(RuleBasedStateMachine):
    """Subclass, set `shape`, and return a fresh subject from `make`: an object of that shape, or a
    `models.live.Live`.

    A violation raises `LawViolated`, an AssertionError with the law's id, sentence, what was observed and
    required, and the trace that shows it (`.trace`).
    """

    shape: ClassVar[str] = "malloc"
    blocks: Bundle[int] = Bundle("blocks")
    """Slots: indices of the operations whose blocks are live."""

    def __init__(self) -> None:
        super().__init__()
        self.session = Session(live(self.make(), self.shape))
        self._broken = False

    def make(self) -> Any:
        """A fresh subject."""
        raise NotImplementedError(f"{type(self).__name__} needs make(), which returns the allocator to look at")

    def request(self, kind: Kind) -> SearchStrategy[Op]:
        """What operations of `kind` ask for. Override to keep to some sizes."""
        return strategies.request(self.shape, kind, self.session.live.env)

    def perform(self, op: Op) -> Any:
        """Carry out and judge `op`: the slot that now holds a block, or none (`multiple()`)."""
        self._broken = True
        step = self.session.require(op)
        self._broken = False
        return step.index if step.index in self.session.slots else NO_BLOCK

    def trace(self) -> Trace:
        """What this machine did."""
        return self.session.trace()

    def history(self) -> History:
        """What this machine did, and what came of it."""
        return self.session.history()

    def teardown(self) -> None:
        """Free what is live, which is judged too, and give the subject back.

        After a violation the subject is left alone: it may not survive being called.
        """
        if self._broken:
            return
        for slot in list(self.session.slots):
            self.perform(Op(Kind.FREE, slot=slot))
        self.session.live.close()

    @rule(target=blocks, op=_drawn(Kind.ALLOC))
    def alloc(self, op: Op) -> Any:
        """Ask for a block."""
        return self.perform(op)

    @_offered(Kind.ZALLOC)
    @rule(target=blocks, op=_drawn(Kind.ZALLOC))
    def calloc(self, op: Op) -> Any:
        """Ask for zeroed memory."""
        return self.perform(op)

    @_offered(Kind.ALIGNED)
    @rule(target=blocks, op=_drawn(Kind.ALIGNED))
    def aligned_alloc(self, op: Op) -> Any:
        """Ask for an alignment."""
        return self.perform(op)

    @_offered(Kind.RESIZE)
    @rule(target=blocks, slot=consumes(blocks), op=_drawn(Kind.RESIZE))
    def realloc(self, slot: int, op: Op) -> Any:
        """Resize a live block: it moves to a slot of its own, also when it is refused and stays as it was."""
        return self.perform(Op(op.kind, op.size, slot))

    @rule(slot=consumes(blocks))
    def free(self, slot: int) -> None:
        """Free a live block."""
        self.perform(Op(Kind.FREE, slot=slot))

    @rule(slot=blocks)
    def check(self, slot: int) -> None:
        """Read a live block back."""
        self.perform(Op(Kind.CHECK, slot=slot))
