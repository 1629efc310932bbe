"""A subject whose every call is judged: what programs that failures print run on."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

from heaplaw.spec.event import NONE
from heaplaw.spec.history import Op
from heaplaw.spec.shapes import CALLS, POOL, SHAPES, Kind

from .live import Held
from .methods import OWN_WORDS, Method, ending_of, own_method
from .session import NAMERS, Address, Session, Step


class Judging(Protocol):
    """What judges the calls: a machine."""

    session: Session

    def perform(self, op: Op) -> Step:
        """Carry out and judge an operation."""
        ...

    def perform_by(self, op: Op, method: Method, given: Mapping[str, object]) -> Step:
        """… by a method of the user's own choice."""
        ...

    def call(self, name: str, *arguments: object) -> Any:
        """Call a method that is no operation."""
        ...

    def look_at_invariants(self) -> None:
        """Check what the user says always holds."""
        ...


class Judged:
    """Stands for a subject, and has its methods: operations are judged by the laws, other calls by what is live.

    Several blocks may have one address, like those of 0 bytes, and several marks one number: what is given out here
    knows which of them it is (`Address`), and is asked for that before its value is.

    `own` are operations by methods of the user's own, beside those that the machine knows.
    """

    def __init__(self, machine: Judging, own: Iterable[tuple[Kind, str]] = ()) -> None:
        self._machine = machine
        self._session = machine.session
        self._operations = [*self._session.calls.operations.items()]
        self._operations += [(kind, own_method(text, kind, re.findall(r"\w+", text))) for kind, text in own]
        self._operations.sort(key=lambda each: -sum(isinstance(word, int) for word in each[1].arguments))
        """Those with numbers first: lua_Alloc's `(ptr, osize, 0)` is no resize."""
        self._given: dict[int, tuple[object, int]] = {}
        """Blocks and marks that the subject gave as objects of its own, by identity, and who made them."""
        self._became: dict[int, int] = {}
        """Blocks that were resized where they are, by who made them: who made them anew."""

    def __getattr__(self, name: str) -> Any:
        """A method, which is judged when it is called; what is no method as it is."""
        there = getattr(self._session.calls.subject, name)
        if not callable(there):
            return there

        def judged(*arguments: Any) -> Any:
            __tracebackhide__ = True
            value = self._done(name, arguments)
            self._machine.look_at_invariants()
            return value

        return judged

    def __call__(self, *arguments: Any) -> Any:
        """A subject that is itself called."""
        __tracebackhide__ = True
        return self.__getattr__("__call__")(*arguments)

    def _done(self, name: str, arguments: tuple[Any, ...]) -> Any:
        __tracebackhide__ = True
        methods = [(kind, method) for kind, method in self._operations if method.name == name]
        if name == ending_of(self._session.calls.subject) and CALLS[Kind.RENEW] in self._session.live.offers:
            return self._machine.perform(Op(Kind.RENEW)).event.ptr
        if not methods:
            return self._machine.call(name, *map(self._block, arguments))
        for op, method, given in self._meanings(methods, arguments):
            before = self._session.slots.get(op.slot)
            if method is self._session.calls.operations.get(op.kind):
                step = self._machine.perform(op)
            else:
                step = self._machine.perform_by(op, method, given)
            return self._handle(step, method, before)
        told = ", ".join(map(str, arguments))
        raise ValueError(f"{name}({told}): no operation is called so, or it is about a block that is not live")

    def _handle(self, step: Step, method: Method, before: Held | None) -> object:
        """What the subject gave; a block or a mark as something that knows which one it is."""
        answer, held = self._session.calls.answer, self._session.slots.get(step.index)
        if held is None or held.owner != step.index:
            return answer
        if before is not None and before.ptr == held.ptr:
            self._became[before.owner] = held.owner
        if type(answer) is int:
            return Address(answer, held.owner)
        if method.returns not in ("bool", "none"):
            self._given[id(answer)] = answer, held.owner
        return answer

    def _meanings(
        self, methods: list[tuple[Kind, Method]], arguments: tuple[Any, ...]
    ) -> Iterator[tuple[Op, Method, dict[str, object]]]:
        """What a call may mean: the operation, and the user's own words in it."""
        for kind, method in methods:
            pairs = list(zip(method.arguments, arguments, strict=False))
            fixed = all(value == word for word, value in pairs if isinstance(word, int))
            if len(arguments) != len(method.arguments) or not fixed:
                continue
            words: dict[str, Any] = {word: value for word, value in pairs if isinstance(word, str)}
            op = self._op(kind, words)
            if op is not None:
                yield op, method, {word: value for word, value in words.items() if word not in OWN_WORDS}

    def _op(self, kind: Kind, words: Mapping[str, Any]) -> Op | None:
        """The operation that these arguments ask for."""
        env, slot, block = self._session.live.env, NONE, words.get("ptr")
        mark = words.get("mark")
        size, align, count = words.get("size"), words.get("align", 0), words.get("count", 1)
        if kind in NAMERS:
            found = self._slot_of(mark, mark=True) if kind == Kind.RELEASE else self._slot_of(block)
            if found is None:
                return None
            slot = found
        elif kind != Kind.POP and (block or isinstance(block, Address)):
            return None  # one call for everything, given a block: it asks for no new one
        if kind in (Kind.ALLOC, Kind.ZALLOC) and align:
            if kind == Kind.ALLOC and align != env.max_align:
                return None
            align = 0
        if SHAPES[self._session.live.shape.name] is POOL and kind not in NAMERS and size is None:
            size = env.block_size if kind in (Kind.ALLOC, Kind.ZALLOC) else 0
        return Op(kind, size or 0, slot, align, count)

    def _slot_of(self, given: Any, mark: bool = False) -> int | None:
        """The slot that holds a block, or a mark: the one that was given out as this, else the newest that has its
        value.
        """
        calls, slots = self._session.calls, self._session.slots
        there = {slot: held for slot, held in slots.items() if held.mark == mark}
        values = {slot: calls.mark_of(held) if mark else held.ptr - calls.base for slot, held in there.items()}
        alike = {there[slot].owner: slot for slot, value in values.items() if value == given}
        owner = self._owner(given)
        while owner is not None and owner not in alike:
            owner = self._became.get(owner)
        return max(alike.values(), default=None) if owner is None else alike[owner]

    def _owner(self, given: object) -> int | None:
        """Who made what was given out as this, if it was given out here."""
        if isinstance(given, Address):
            return given.owned.owner
        known, owner = self._given.get(id(given), (None, NONE))
        return owner if owner != NONE and known is given else None

    def _block(self, argument: Any) -> Any:
        """An argument that is the address of a live block, as programs name it."""
        is_one = isinstance(argument, Address) or (isinstance(argument, int) and argument > 0)
        slot = self._slot_of(argument) if is_one else None
        return argument if slot is None else self._session.address(slot)
