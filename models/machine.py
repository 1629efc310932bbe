"""What every machine is: a session with a subject, operations and calls of the user's own, and a program that tells
what was done when something fails.

        @rule()
        def trim(self):
            given_back = self.call("trim")
            assert given_back <= self.subject.capacity

        @rule(slot=blocks(), size=st.integers(1, 256))
        def grow(self, slot, size):
            if slot is not None:
                self.perform_as("realloc", "grow_last(ptr, size)", slot, size=size)
"""

import inspect
import sys
from ast import Constant, Expr, FunctionDef, Name, Return, parse, unparse, walk
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from functools import cache
from inspect import isfunction
from textwrap import dedent
from typing import Any, ClassVar
from unittest import SkipTest

from hypothesis.errors import HypothesisException
from hypothesis.stateful import RuleBasedStateMachine

from heaplaw.spec.event import NONE
from heaplaw.spec.history import History, Op, Trace
from heaplaw.spec.layout import MAX_ALIGN
from heaplaw.spec.shapes import CALLS, POOL, SHAPES, WORDS, Kind

from .judged import Judged
from .live import live
from .methods import Method, UnfitError, kind_of, own_method
from .programs import SUBJECTS, Spelling
from .session import NAMERS, Address, LawViolated, Session, Step

EVERYWHERE = {"max_request_align": MAX_ALIGN}
"""What addresses of fresh memory have in common, run by run."""


def is_in_real_memory(subject: Any) -> bool:
    """An object that hands out addresses of this process."""
    return not hasattr(subject, "apply") and not hasattr(getattr(subject, "memory", None), "peek")


class _Drawn(Op):
    """An operation that Hypothesis drew, and tells in a few words."""

    def __repr__(self) -> str:
        """`alloc(size=24)`: what it asks for."""
        plain = {"slot": NONE, "count": 1}
        asked = {name: value for name, value in vars(self).items() if name != "kind" and value != plain.get(name, 0)}
        return f"{WORDS[self.kind]}({', '.join(f'{name}={value}' for name, value in asked.items())})"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))


def drawn(op: Op) -> Op:
    """`op`, as Hypothesis is to tell it."""
    return _Drawn(**vars(op))


class SessionMachine(RuleBasedStateMachine):
    """A subject, what was done to it, and what the laws say of that. Rules come with `AllocatorMachine`."""

    shape: ClassVar[str] = "malloc"
    promises: ClassVar[Mapping[str, Any]] = {}
    """What the subject promises beyond its shape: fields of `spec.event.Env`.

    An object in real memory lies elsewhere in every run, and what a large alignment costs it depends on where: it is
    asked for alignments up to 16. One whose memory is always aligned to more says so: `{"max_request_align": 4096}`.
    """
    operations: ClassVar[Mapping[str, str]] = {}
    """Operations whose methods have names or arguments of their own, or that the shape does not have: by the keys of
    mappings, in their notation. `{"realloc": "grow_last(ptr, size)"}`; `"… -> bool"` where the value is no address.
    """
    renews: ClassVar[bool] = False
    """`make` gives the same allocator over the same memory each time: where it can be ended, it is made again too."""

    def __init__(self) -> None:
        super().__init__()
        self._outer = sys.exc_info()[1]
        again = self.make if self.renews else None
        self._made = self.make()
        promises = {**(EVERYWHERE if is_in_real_memory(self._made) else {}), **self.promises}
        own = own_methods(self.operations)
        for kind, method in own.items():
            _require(type(self), self._made, kind, method)
        driven = live(self._made, self.shape, promises, again, own)
        self.session = Session(driven, spelling=_spelling(type(self)))
        self._broken = False

    def make(self) -> Any:
        """A fresh subject."""
        raise NotImplementedError(f"{type(self).__name__} needs make(), which returns the allocator to look at")

    # ---- what there is

    @property
    def subject(self) -> Any:
        """What `make` returned: to be looked at. What changes it goes through `call` or `perform_as`, which tell it."""
        return getattr(getattr(self.session.live, "calls", None), "subject", self._made)

    def slots(self, mark: bool = False) -> list[int]:
        """Slots that hold a live block, or a mark; the newest first."""
        held = self.session.slots.items()
        return sorted((slot for slot, there in held if there.mark == mark), reverse=True)

    def address(self, slot: int) -> Address:
        """The live block in `slot`, as the subject gave it. As an argument of `call` it is told by its name."""
        return self.session.address(slot)

    def size(self, slot: int) -> int:
        """The size, bytes, that the live block in `slot` was asked with."""
        self.address(slot)
        return self.session.slots[slot].size

    def trace(self) -> Trace:
        """What this machine did."""
        return self.session.trace()

    def history(self) -> History:
        """What this machine did, and what came of it."""
        return self.session.history()

    # ---- what is done

    def perform(self, op: Op) -> Step:
        """Carry out and judge `op`; `LawViolated` when it breaks a law."""
        __tracebackhide__ = True
        with self._careful():
            return self.session.require(Op(**vars(op)))

    def perform_as(
        self,
        kind: Kind | str,
        call: str,
        slot: int | None = None,
        size: int = 0,
        align: int = 0,
        count: int = 1,
        **given: object,
    ) -> Step:
        """Carry out an operation that laws know by a method of your own, and judge it as that operation.

        `call` is written as in mappings, `"grow_last(ptr, size)"`, with `-> bool` behind it where the value is no
        address; names among its arguments that are no words of mappings are `given`. `slot` is the block, or mark,
        that the operation is about. `size` is in bytes, a pool's is that of its blocks. `LawViolated` when it breaks a
        law, `UnfitError` when it cannot be called so.
        """
        __tracebackhide__ = True
        known = kind_of(kind)
        method = own_method(call, known, given)
        if (slot is None) == (known in NAMERS):
            raise ValueError(f"{call}: {CALLS[known]} {'needs' if slot is None else 'takes no'} slot")
        if slot is not None and slot not in self.slots(mark=known == Kind.RELEASE):
            raise ValueError(f"{call}: nothing that {CALLS[known]} could be about is in slot {slot}")
        if SHAPES[self.shape] is POOL and not size and known not in NAMERS:
            size = int(self.session.live.env.block_size)
        return self.perform_by(Op(known, size, NONE if slot is None else slot, align, count), method, given)

    def perform_by(self, op: Op, method: Method, given: Mapping[str, object]) -> Step:
        """`perform`, by a method of your own; `given` are your own words among its arguments."""
        __tracebackhide__ = True
        with self._careful():
            return self.session.require_by(op, method, given)

    def call(self, name: str, *arguments: object) -> Any:
        """Call a method of the subject that is no operation which laws know, and give its value back.

        It may neither end nor make blocks: afterwards every live block is read back, and counters are judged. An
        argument may be a block: `self.address(slot)`. What the method raises comes through, after that.
        """
        __tracebackhide__ = True
        with self._careful():
            return self.session.call(name, *arguments)

    @contextmanager
    def _careful(self) -> Generator[None]:
        """A subject that broke a law may not survive being called again."""
        try:
            yield
        except LawViolated:
            self._broken = True
            raise

    def teardown(self) -> None:
        """Free what is live, or read it where it cannot be freed, which is judged too; then give the subject back.

        After a violation the subject is left alone. What else failed, like an assertion of a rule's or an invariant's,
        is told with the program that led there.
        """
        error = sys.exc_info()[1]
        failed = isinstance(error, Exception) and error is not self._outer
        if self._broken or isinstance(error, LawViolated):
            return
        if failed and not isinstance(error, HypothesisException | SkipTest):
            assert error is not None
            error.add_note("\n".join(["What led here, all of it lawful:", "", *self.session.listing()]))
            return
        offers = self.session.live.offers
        for slot in self.slots():
            self.perform(Op(Kind.FREE if CALLS[Kind.FREE] in offers else Kind.CHECK, slot=slot))
        self.session.live.close()

    def check_invariants(self, *given: Any, **named: Any) -> None:
        """Hypothesis' own; but its listing does not name every invariant after every rule."""
        __tracebackhide__ = True
        quiet: list[Any] = [_silent if isfunction(each) else each for each in given]
        super().check_invariants(*quiet, **named)

    # ---- programs

    @classmethod
    @contextmanager
    def judged(cls, **own: str | tuple[str, ...]) -> Generator[Any]:
        """A fresh subject, every call of which is judged: for tests without Hypothesis, as failures print them.

            def test_mine():
                with MyPoolMachine.judged() as pool:
                    p1 = pool.alloc()
                    pool.trim()

        Invariants of the machine are looked at after every call, and all blocks read back at the end. `own` are
        operations by methods of your own, beside `operations`: `realloc="grow_last(ptr, size)"`, or several of them.
        """
        machine = cls()
        several = [(kind_of(word), (text,) if isinstance(text, str) else text) for word, text in own.items()]
        try:
            yield Judged(machine, [(kind, text) for kind, texts in several for text in texts])
        finally:
            machine.teardown()

    def look_at_invariants(self) -> None:
        """Check the invariants of this machine, as Hypothesis does between rules."""
        for each in self.invariants:
            if all(holds(self) for holds in each.preconditions):
                each.function(self)


def own_methods(operations: Mapping[str, str]) -> dict[Kind, Method]:
    """What a machine's `operations` say; `UnfitError` where that cannot be read."""
    return {kind_of(word): own_method(text, kind_of(word)) for word, text in operations.items()}


def _require(machine: type[SessionMachine], subject: Any, kind: Kind, method: Method) -> None:
    """`UnfitError` when the subject has nothing of that name, with what it has of a similar one."""
    if hasattr(subject, "apply") or callable(getattr(subject, method.name, None)):
        return
    there = [name for name in dir(subject) if not name.startswith("_") and callable(getattr(subject, name, None))]
    close = get_close_matches(method.name, there, 3)
    hint = f"did you mean {' or '.join(close)}?" if close else f"its methods: {', '.join(there) or 'none'}"
    raise UnfitError(
        f"{machine.__name__}.operations: {CALLS[kind]} is to be {method}, "
        f"but {type(subject).__name__} has no method {method.name}; {hint}"
    )


def _silent(text: str) -> None:
    """Tells nobody."""


@cache
def _spelling(machine: type[SessionMachine]) -> Spelling:
    """How the subjects of a machine are written."""
    name, subject = machine.__name__, SUBJECTS.get(machine.shape, machine.shape)
    made = None if machine.renews else _made_by(machine)
    opening = (f"{subject} = {made}",) if made else (f"machine = {name}()", f"{subject} = machine.subject")
    return Spelling(subject, opening, name, declared=frozenset(map(kind_of, machine.operations)))


def _made_by(machine: type[SessionMachine]) -> str | None:
    """The expression that `make` returns, where that is all it does, and says nothing of the machine."""
    try:
        tree = parse(dedent(inspect.getsource(machine.make)))
    except (OSError, TypeError, SyntaxError):
        return None
    function = tree.body[0]
    if not isinstance(function, FunctionDef) or len(function.args.args) != 1:
        return None
    last = function.body[-1]
    told = [one for one in function.body[:-1] if not (isinstance(one, Expr) and isinstance(one.value, Constant))]
    if told or not isinstance(last, Return) or last.value is None:
        return None
    me = function.args.args[0].arg
    if any(isinstance(node, Name) and node.id == me for node in walk(last.value)):
        return None
    text = unparse(last.value)
    return text if len(text) <= 60 else None
