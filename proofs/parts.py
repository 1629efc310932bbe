"""An allocator that somebody wrote as pure steps, taken apart: what `proofs.own` needs of it, or one line on what it
lacks. It is tried on a buffer of 4096 bytes: that shows what its states consist of, which operations it has and what it
promises.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from heaplaw.spec.catalogue import law
from heaplaw.spec.event import Block, Env, Event
from heaplaw.spec.history import COUNTERS, Op, plain_env
from heaplaw.spec.logic import Truth, Word
from heaplaw.spec.shapes import CALLS, MAKERS, SHAPES, Kind, Shape

from .guard import event_fault, promises_fault, state_fault
from .reading import fault
from .symbolic import plain

PROVABLE = ("bump", "pool", "freelist")
"""Shapes whose laws speak of single steps, without loops."""
OPERATIONS = (Kind.ALLOC, Kind.ALIGNED, Kind.ZALLOC, Kind.FREE, Kind.RESET)
"""What a step may be asked here."""
TRIED = 4096
"""Address and size, bytes, of the buffer that an allocator is tried on."""
FUNCTIONS = {
    "init": ("buffer", "capacity", "memory"),
    "step": ("state", "op", "ptr", "memory"),
    "invariant": ("state",),
    "owns": ("state", "block"),
}
GIVES = {
    "init": "gives the first state",
    "step": "gives the new state and an Event",
    "invariant": "gives what holds before and after every operation",
    "owns": "gives what holds of every live block",
}


class AnyWords:
    """A memory without bounds, of zeros at first: accesses that are wrong are for proofs to show."""

    def __init__(self) -> None:
        self._words: dict[int, int] = {}

    def read(self, address: int) -> int:
        """The word at `address`."""
        return self._words.get(address, 0)

    def write(self, address: int, value: int) -> None:
        """Make `value` the word at `address`."""
        self._words[address] = value

    def zero(self, address: int, size: int) -> None:
        """Make words zero that lie in these bytes."""
        self._words = {at: word for at, word in self._words.items() if not address <= at < address + size}


class NotProvable(Exception):  # noqa: N818 - what it is called
    """What was given cannot be proved as it is: one line on what it lacks, and what to do."""


@dataclass(frozen=True)
class Parts:
    """An allocator as pure steps."""

    shape: Shape
    init: Callable[[Word, Word, Any], Any]
    step: Callable[[Any, Op, Word, Any], tuple[Any, Event]]
    invariant: Callable[[Any, Word], Truth]
    """Of a state, and of how many blocks are live."""
    counts: bool
    """The invariant speaks of how many blocks are live."""
    owns: Callable[[Any, Block], Truth]
    first: Any
    """A state."""
    kinds: tuple[Kind, ...]
    """The operations that the step has."""
    env: Env
    """What it promises, at every step: as it was told when it was tried."""

    @property
    def fields(self) -> tuple[str, ...]:
        """What a state consists of, by name."""
        return tuple(each.name for each in fields(self.first))

    @property
    def absent(self) -> tuple[Kind, ...]:
        """The operations of the shape that the step does not have."""
        return tuple(kind for kind in OPERATIONS if kind in self.shape.operations and kind not in self.kinds)

    def refuse(self, words: str) -> None:
        """NotProvable, where there is something to say."""
        _refuse(words)

    @property
    def constants(self) -> tuple[str, ...]:
        """What no operation changes."""
        return ("buffer", "capacity", *(("block_size", "num_blocks") if self.shape.name == "pool" else ()))

    @property
    def counters(self) -> tuple[str, ...]:
        """The counters that a state has, by name."""
        return tuple(name for name in COUNTERS if name in self.shape.counters and hasattr(self.first, name))

    @property
    def offers(self) -> frozenset[str]:
        """What laws may need, as far as this allocator has it."""
        known = {"bounds", "buffer", "huge sizes", "giving back", "grid"}
        return frozenset(known | {CALLS[kind] for kind in self.kinds} | set(self.counters) | self._whole)

    @property
    def _whole(self) -> set[str]:
        return {"reset or renew"} if Kind.RESET in self.kinds else set()

    def obeys(self, name: str) -> bool:
        """The law is about this allocator: it speaks of its shape, and needs nothing that it lacks."""
        found = law(name)
        return self.shape.name in found.shapes and found.needs <= self.offers

    def build(self, number: Callable[[str], Word], truth: Callable[[str], Truth]) -> Any:
        """A state, each field being what the two functions give for its name."""
        made = {
            each.name: truth(each.name) if isinstance(getattr(self.first, each.name), bool) else number(each.name)
            for each in fields(self.first)
        }
        return replace(self.first, **made)

    def mapped(self, state: Any, change: Callable[[Word], Word]) -> Any:
        """A state with its numbers changed."""
        return replace(state, **{name: change(getattr(state, name)) for name in self._numbers})

    def numbers(self, state: Any) -> Iterator[Word]:
        """The numbers that a state consists of."""
        return (getattr(state, name) for name in self._numbers)

    @property
    def _numbers(self) -> list[str]:
        names = [each.name for each in fields(self.first)]
        return [name for name in names if not isinstance(getattr(self.first, name), bool)]


def taken(thing: Any, shape: str) -> Parts:
    """`thing` taken apart; NotProvable where something is missing."""
    if shape not in PROVABLE:
        raise NotProvable(f"the laws of {shape!r} cannot be proved of steps; those of {', '.join(PROVABLE)} can")
    found = {each: _function(thing, each) for each in FUNCTIONS}
    memory = AnyWords()
    first = _state(_tried("init", lambda: found["init"](TRIED, TRIED, memory)), SHAPES[shape])
    kind: type[Any] = first.__class__
    _refuse(fault(found, thing, kind))
    counts = len(_names(found["invariant"])) == 2
    found["invariant"] = found["invariant"] if counts else _of_states(found["invariant"])
    for each, call in (
        ("invariant", lambda: found["invariant"](first, 0)),
        ("owns", lambda: found["owns"](first, Block(TRIED, 8))),
    ):
        answer = _tried(each, call)
        if not isinstance(answer, bool):
            raise NotProvable(f"{each} gives {answer!r}: let it return a truth value, comparisons joined by &")
    kinds = _kinds(found["step"], first, memory, SHAPES[shape])
    return Parts(SHAPES[shape], **found, counts=counts, first=first, kinds=tuple(kinds), env=_env(kinds))


def _refuse(words: str) -> None:
    """NotProvable, where there is something to say."""
    if words:
        raise NotProvable(words)


def _of_states(invariant: Callable[[Any], Truth]) -> Callable[[Any, Word], Truth]:
    """An invariant that does not look at how many blocks are live, given that as well."""
    return lambda state, live: invariant(state)


def _function(thing: Any, wanted: str) -> Callable[..., Any]:
    takes, gives = ", ".join(FUNCTIONS[wanted]), GIVES[wanted]
    found: Any = getattr(thing, wanted, None)
    if isinstance(thing, type) and inspect.isfunction(found) and next(iter(_names(found)), "") == "self":
        found = getattr(_tried("__init__", thing), wanted)
    if not callable(found):
        raise NotProvable(f"it has no {wanted}: define {wanted}({takes}), which {gives}")
    names = _names(found)
    counting = wanted == "invariant" and len(names) == 2
    if len(names) != len(FUNCTIONS[wanted]) and not counting:
        raise NotProvable(f"{wanted} takes ({', '.join(names)}): let it take ({takes}); it {gives}")
    function: Callable[..., Any] = found
    return function


def _names(function: Callable[..., Any]) -> list[str]:
    return list(inspect.signature(function).parameters)


def _tried(part: str, call: Callable[[], Any]) -> Any:
    try:
        return call()
    except Exception as problem:
        why = f"{type(problem).__name__}: {problem}"
        raise NotProvable(f"{part} fails on a buffer of {TRIED} bytes at address {TRIED}: {why}") from problem


def _state(state: Any, shape: Shape) -> Any:
    """`state`, if it is one."""
    kind = type(state).__name__
    if not is_dataclass(state) or isinstance(state, type) or not state.__dataclass_params__.frozen:  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
        raise NotProvable(f"init gives {_article(kind)}: let a state be a dataclass(frozen=True) of integers")
    for each in fields(state):
        value = getattr(state, each.name)
        if not isinstance(value, int):
            raise NotProvable(
                f"{kind}.{each.name} is {_article(type(value).__name__)}: a state has integers and truth values only"
            )
    _refuse(state_fault(state, state))
    needed = ("buffer", "capacity", *(("block_size", "num_blocks") if shape.name == "pool" else ()))
    for wanted in needed:
        if not isinstance(getattr(state, wanted, None), int):
            raise NotProvable(f"{kind} has no {wanted}: let it have a field or a property of that name")
    return state


def _article(word: str) -> str:
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"


def _requests(kind: Kind) -> Iterator[Op]:
    """Requests that an operation is tried with: some steps have it for some sizes and alignments only."""
    if kind not in MAKERS:
        yield Op(kind)
        return
    for align in (8, *(2**power for power in range(13))) if kind is Kind.ALIGNED else (0,):
        yield from (Op(kind, size, align=align) for size in (8, 0, 1, 24))


def _kinds(step: Callable[..., Any], first: Any, memory: Any, shape: Shape) -> dict[Kind, Env]:
    """The operations that the step carries out, with what each of them promises."""
    found: dict[Kind, Env] = {}
    state, ptr = first, 0
    for kind in OPERATIONS:
        answer = _served(step, (state, first), ptr, kind, memory) if kind in shape.operations else None
        if answer is not None:
            after, event = _pair(kind, answer, first)
            found[kind] = promises(event, shape)
            if event.makes:
                state, ptr = after, int(event.ptr)
    missing = shape.lacks(found)
    if missing:
        raise NotProvable(f"step has no {', no '.join(missing)}: a {shape.name} needs it (ValueError means no)")
    return found


def _served(step: Callable[..., Any], states: tuple[Any, ...], ptr: int, kind: Kind, memory: Any) -> Any:
    """What the step gives for an operation of that kind; None where it has none: each request raises ValueError."""
    for op in _requests(kind):
        for state in states:
            try:
                return step(state, op, ptr, memory)
            except ValueError:
                continue
            except Exception as problem:
                why = f"{type(problem).__name__}: {problem}"
                raise NotProvable(f"step fails on {kind.name}: {why}") from problem
    return None


def _pair(kind: Kind, answer: Any, first: Any) -> tuple[Any, Event]:
    """What a step gave, if it is a state and an event."""
    try:
        after, event = answer
    except (TypeError, ValueError):
        after, event = None, None
    wanted = type(first).__name__
    if not isinstance(after, type(first)) or not isinstance(event, Event):
        given = repr(answer)
        raise NotProvable(f"step gives {given} for {kind.name}: let it return the new {wanted} and an Event")
    wrong = state_fault(first, after) or event_fault(event)
    _refuse(f"{kind.name}: {wrong}" if wrong else "")
    return after, event


def promises(event: Event, shape: Shape) -> Env:
    """What an event promises; one that says nothing of it promises what its shape does."""
    env: Env = plain_env(shape.name) if event.env is Event(0, 0).env else plain(event.env)
    return env


def _env(kinds: Mapping[Kind, Env]) -> Env:
    """What all operations promise alike."""
    (first, env), *_ = kinds.items()
    for kind, other in kinds.items():
        wrong = promises_fault(other, env)
        _refuse(f"{kind.name}: {wrong}, by {first.name}" if wrong else "")
    return env


__all__ = ["OPERATIONS", "PROVABLE", "NotProvable", "Parts", "promises", "taken"]
