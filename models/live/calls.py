"""The bare calls of subjects: pure steps over a memory, and Python objects of any shape."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from heaplaw.spec.event import Env, Event, Order, Status, Zero
from heaplaw.spec.history import COUNTERS, Op
from heaplaw.spec.layout import SIZE_MAX
from heaplaw.spec.protocols import Memory, Step
from heaplaw.spec.shapes import CALLS, MAKERS, POOL, Kind, Shape

from ..methods import (
    Method,
    address_of,
    counters_of,
    ending_of,
    env_of,
    operations_of,
    promised_align,
    require_method,
    tells_bounds,
)
from .payload import Held

Instead: TypeAlias = tuple[Method, Mapping[str, object]]
"""A method, and what the words among its arguments are that are the user's own."""
_TOKENS = 2**48
"""Marks that are no numbers are numbered from here on."""


def promises_of(env: Env) -> frozenset[str]:
    """The promises that `env` makes, by the names that laws need. Whoever is called here may be asked for any size."""
    found = {"huge sizes"}
    found |= {"coalesces"} if env.coalesces else set()
    found |= {"zero size"} if env.zero_size != Zero.UNSPECIFIED else set()
    found |= {"reuse order"} if env.reuse_order != Order.ANY else set()
    return frozenset(found)


def places_of(env: Env, shape: Shape) -> frozenset[str]:
    """What is known of where blocks lie, by the names that laws need."""
    return frozenset() if not env.capacity else frozenset({"bounds", "grid"} if shape is POOL else {"bounds"})


class StepCalls:
    """Pure steps over a memory: the operations `kinds`, those that the shape requires when left out. What else a step
    tells in its events it names in `offers` (`models.reporting`).

    With `init`, which makes the first state over the memory as it is, there is RENEW.
    """

    def __init__(
        self,
        step: Step,
        state: Any,
        memory: Memory,
        env: Env,
        shape: Shape = POOL,
        kinds: Collection[Kind] | None = None,
        init: Callable[[], Any] | None = None,
    ) -> None:
        self.shape = shape
        self.env = env
        self.state = state
        self.memory = memory
        self._step = step
        self._init = init
        self._at_first = {"num_free": env.num_blocks, "remaining": env.remaining, "total": env.total}
        self._counted: Mapping[str, Any] = self._at_first
        offered = {CALLS[kind] for kind in (shape.required if kinds is None else kinds)}
        offered |= {"renew"} if init else set()
        placed: frozenset[str] = frozenset() if "bounds" in shape.counters else places_of(env, shape)
        told: frozenset[str] = getattr(step, "offers", frozenset())
        self.offers = frozenset(offered) | (shape.counters - {"invariant"}) | placed | promises_of(env) | told

    def call(self, op: Op, held: Held | None, index: int) -> Event:
        """One step."""
        if op.kind == Kind.RENEW and self._init is not None:
            self.state, self._counted = self._init(), self._at_first
            return Event(op.kind, 0, env=self.env, **self._counted)
        self.state, event = self._step(self.state, op, 0 if held is None else held.ptr, self.memory)
        self._counted = {name: getattr(event, name) for name in COUNTERS.values()} | {"report": event.report}
        return event

    def counters(self) -> Mapping[str, Any]:
        """What the latest event said."""
        return self._counted

    def close(self) -> None:
        """Nothing is held."""


class ObjectCalls:
    """A Python object with the methods of `shape`, as `models.methods` finds them.

    Blocks are addresses, or offsets into the object's `memory` where that is a writable buffer. `promises` are fields
    of `Env`; `again` makes the same object once more over the same memory, and then there is RENEW. `own` are methods
    for operations that are not found by name, or that the shape does not have.
    """

    def __init__(
        self,
        subject: Any,
        shape: Shape,
        promises: Mapping[str, Any] | None = None,
        again: Callable[[], Any] | None = None,
        own: Mapping[Kind, Method] | None = None,
    ) -> None:
        self.subject = subject
        self.shape = shape
        self.base = offsets_from(subject)
        self.answer: object = None
        """What the latest operation gave, as the subject said it."""
        self._again = again
        self._instead: Instead | None = None
        self.operations = operations_of(subject, shape, own)
        self._counters = counters_of(subject, shape.counters)
        self._marks: list[Any] = []
        self._usable = "usable_size" in self._counters
        first, place = self.counters(), address_of(getattr(subject, "buffer", None))
        bounded = place and tells_bounds(subject, shape)
        said = {"base": place, "remaining": first.get("remaining", 0), "total": first.get("total", 0)}
        align = promised_align(subject, shape, shape.max_align)
        env = env_of(subject, shape, self.operations, align, 0, {}, said)
        if not env.num_blocks:
            env = replace(env, num_blocks=first.get("num_free", 0) + first.get("num_allocated", 0))
        if not bounded:
            env = replace(env, capacity=0)
        self.env = replace(env, **(promises or {}))
        offered = {CALLS[kind] for kind in self.operations} | set(self._counters)
        offered |= {"renew"} if again and ending_of(subject) else set()
        self.offers = frozenset(offered) | places_of(self.env, shape) | promises_of(self.env)

    def use(self, method: Method, given: Mapping[str, object]) -> None:
        """Carry out the next operation by this method; `given` are the words of it that are the user's own."""
        require_method(self.subject, method)
        self._instead = method, given

    def call(self, op: Op, held: Held | None, index: int) -> Event:
        """One call, then the counters."""
        instead, self._instead, self.answer = self._instead, None, None
        if op.kind == Kind.RENEW:
            status, ptr = self._renew(), 0
        else:
            method, given = instead or (self.operations[op.kind], {})
            if op.kind == Kind.POP and held is None and "ptr" in method.arguments:
                return Event(op.kind, 0, status=Status.SKIPPED, env=self.env)  # there is no block to name
            status, ptr = self._answer(op, method, self._ask(op, method, held, index, given), held)
        usable = self._usable_size(ptr) if status == Status.OK and op.kind in MAKERS and self._usable else 0
        counted = self.counters()
        return Event(op.kind, op.size, op.align, op.count, status, ptr=ptr, usable=usable, env=self.env, **counted)

    def _ask(self, op: Op, method: Method, held: Held | None, index: int, own: Mapping[str, object]) -> object:
        words: dict[str, Any] = {
            "size": op.size,
            "count": op.count,
            "align": op.align or self.env.max_align,
            "ptr": 0 if held is None or held.mark else held.ptr,
            "osize": 0 if held is None else held.size,
            "oalign": (held.align if held else 0) or self.env.max_align,
            "mark": held and self.mark_of(held),
            "tag": index % 10,
            **own,
        }
        if self.base:
            words["ptr"] = words["ptr"] - self.base if words["ptr"] else None
        given = [words[word] if isinstance(word, str) else word for word in method.arguments]
        self.answer = getattr(self.subject, method.name)(*given)
        return self.answer

    def _answer(self, op: Op, method: Method, answer: object, held: Held | None) -> tuple[Status, int]:
        """What a method's value says: how the call ended, and the block or mark."""
        number = isinstance(answer, int) and not isinstance(answer, bool)
        if op.kind == Kind.MARK:
            return Status.OK, self._token(answer)
        if method.returns in ("none", "bool"):  # a block that is resized stays where it is
            in_place = held.ptr if held is not None and op.kind == Kind.RESIZE else 0
            served = method.returns == "none" or bool(answer)
            return (Status.OK, in_place) if served else (Status.FAILED, 0)
        if answer is None:
            return (Status.OK if method.returns == "null" else Status.FAILED), 0
        if not isinstance(answer, int) or not number or not 0 <= answer <= SIZE_MAX:
            return Status.WRONG, 0
        ptr = answer + self.base
        return (Status.OK, ptr) if ptr or method.returns == "null" else (Status.FAILED, 0)

    def mark_of(self, held: Held) -> Any:
        """A mark as the subject gave it."""
        return self._marks[held.ptr - _TOKENS] if held.ptr >= _TOKENS else held.ptr

    def _token(self, mark: Any) -> int:
        """The word of a mark."""
        if isinstance(mark, int) and 0 <= mark < _TOKENS:
            return mark
        self._marks.append(mark)
        return _TOKENS + len(self._marks) - 1

    def _usable_size(self, ptr: int) -> int:
        try:
            return int(self.subject.usable_size(ptr - self.base))
        except Exception:  # noqa: BLE001 (what says nothing about a block calls none of it usable)
            return 0

    def _renew(self) -> Status:
        self.close()
        made = self._again() if self._again else None
        if made is None:
            return Status.FAILED
        self.subject = made
        return Status.OK

    def counters(self) -> dict[str, Any]:
        """What the object says now; the largest number when it says nothing that makes sense."""
        found = {name: self._said(method) for name, method in self._counters.items() if name in COUNTERS}
        return {COUNTERS[name]: value for name, value in found.items()}

    def _said(self, method: Method) -> int:
        well = method.returns == "bool"
        try:
            there = getattr(self.subject, method.name)
            said = there() if callable(there) else there
        except Exception:  # noqa: BLE001 (a counter that raises counts nothing)
            return 2 if well else SIZE_MAX
        if well:  # a check that finds nothing wrong may say nothing: it asserts
            return 1 if said or said is None else 2
        return said if isinstance(said, int) and 0 <= said <= SIZE_MAX else SIZE_MAX

    def close(self) -> None:
        """End the object, where it has a method for that."""
        if name := ending_of(self.subject):
            getattr(self.subject, name)()


def offsets_from(subject: Any) -> int:
    """Where the `memory` of an object is that deals in offsets into it; 0 for one that deals in addresses."""
    memory = getattr(subject, "memory", None)
    return 0 if memory is None or callable(memory) or hasattr(memory, "peek") else address_of(memory)
