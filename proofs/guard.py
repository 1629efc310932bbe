"""What an executor of unknown numbers can speak of: a step that gives numbers and truth values of the engine and
nothing beside them, and on integers it does the same as on unknown numbers.

Python has ways to look at a value that no value can answer for: its identity, its type, its text. A step that goes by
them does one thing on unknown numbers and another on integers, and what is proved of the one says nothing of the other.
So a guarded scenario is run on integers, too, on each path and twice; what came of it must be what was proved of.
"""

from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from enum import IntEnum, IntFlag
from random import Random
from typing import Any, TypeAlias

from heaplaw.spec.event import Env, Event
from heaplaw.spec.report import Report

from .executor import Symbolic
from .facts import z3
from .paths import Engine, Path
from .symbolic import Reading, SymBool, SymInt
from .tables import TableMemory
from .wrapping import Wrapped

MODELS = 2
"""On so many different integers each path is run again."""
NAMED = ("base", "capacity", "remaining", "total", "block_size", "num_blocks")
"""What the buffer and construction say of an environment, whatever a step tells of it; the rest are promises."""
Leaf: TypeAlias = tuple[str, Any]
"""A number or a truth value of a record, and where it stands there."""


# ------------------------------------------------------------------------------------------- what a step may give


def _number(value: object) -> bool:
    known = type(value) is int or isinstance(value, IntEnum | IntFlag | Wrapped)
    return known or (isinstance(value, Symbolic) and not isinstance(value, SymBool))


def _truth(value: object) -> bool:
    return type(value) is bool or isinstance(value, SymBool)


def _beside(state: Any) -> list[str]:
    """The attributes of a state that are no fields of it."""
    names = {each.name for each in fields(state)}
    slots = [slot for each in type(state).__mro__ for slot in _slots(each) if hasattr(state, slot)]
    return [name for name in (*getattr(state, "__dict__", {}), *slots) if name not in names]


def _slots(kind: type) -> tuple[str, ...]:
    slots = kind.__dict__.get("__slots__", ())
    return (slots,) if isinstance(slots, str) else tuple(slots)


def state_fault(first: Any, state: Any) -> str:
    """What is wrong with a state, `first` being the one that construction gave; empty where nothing is."""
    wanted = type(first).__name__
    if type(state) is not type(first):
        return f"a state is a {type(state).__name__}: let every state be a {wanted}, as the first one is"
    for name in _beside(state):
        return f"a {wanted} has the attribute {name} beside its fields: let it be a field, or a property"
    for each in fields(first):
        value = getattr(state, each.name)
        truth = isinstance(getattr(first, each.name), bool)
        if not (_truth(value) if truth else _number(value)):
            kind = "a truth value" if truth else "an integer"
            return f"{wanted}.{each.name} is of type {type(value).__name__}: let it be {kind} in every state"
    return ""


def event_fault(event: Any) -> str:
    """What is wrong with an event, beside what it tells; empty where nothing is."""
    for name, wanted in (("", Event), ("env", Env), ("report", Report)):
        value = getattr(event, name) if name else event
        if type(value) is not wanted:
            return f"a step tells a {type(value).__name__}: let it be an {wanted.__name__} itself"
    for each in fields(Event):
        if each.name not in ("env", "report") and not _number(getattr(event, each.name)):
            kind = type(getattr(event, each.name)).__name__
            return f"Event.{each.name} is of type {kind}: let it be an integer"
    return ""


def promises_fault(env: Env, promises: Env) -> str:
    """What is promised now, and was not promised when the allocator was tried; empty where that is the same."""
    for each in fields(Env):
        told, first = getattr(env, each.name), getattr(promises, each.name)
        if each.name in NAMED:
            continue
        if not isinstance(told, int):
            return f"Event.env.{each.name} depends on unknown numbers: a promise is the same at every step"
        if told != first:
            return f"Event.env.{each.name} is {told}, and was {first} at first: a promise is the same at every step"
    return ""


# ---------------------------------------------------------------------------------------- the same on integers


def departure(scenario: Any, reading: Reading, engine: Engine, paths: Iterable[Path[Any]]) -> str:
    """Where the scenario does something else on integers than on unknown numbers, in words; empty where it never did,
    on any integers that were tried.
    """
    random = Random(1)
    for path in paths:
        for model in _models(path, random):
            expected = [(name, _value(model, value)) for name, value in leaves("", path.result)]
            found = [_ran(scenario, engine, model, reading) for _ in range(2)]
            for observed in found:
                if isinstance(observed, str):
                    return f"{_ELSE}: {observed}"
                if words := _difference(expected, observed):
                    return f"{_ELSE}: {words}"
    return ""


_ELSE = "the step does something else on integers than on unknown numbers"


def _ran(scenario: Any, engine: Engine, model: Any, reading: Reading) -> list[Leaf] | str:
    source = engine.concrete(model, reading)
    try:
        record = scenario(source)
    except Exception as problem:  # noqa: BLE001 - a user's code: whatever it raises is what is to be told
        return f"{type(problem).__name__}: {problem}"
    if not source.assumed:
        return "what is assumed of them does not hold of these"
    return list(leaves("", record))


def _difference(expected: list[Leaf], observed: list[Leaf]) -> str:
    for (name, proved), (other, ran) in zip(expected, observed, strict=False):
        if name != other:
            return f"{other or 'the answer'} is there, and not {name}"
        if proved is not None and proved != ran:
            return f"{name} is {ran} on integers, and {proved} as it is proved of"
    longer = expected if len(expected) > len(observed) else observed
    shorter = min(len(expected), len(observed))
    return f"{longer[shorter][0]} is there, and is not there" if len(longer) > shorter else ""


def leaves(name: str, value: Any) -> Iterator[Leaf]:
    """The numbers and truth values of a record. Functions and tables have none; of a memory, what was done to it."""
    if isinstance(value, SymInt | SymBool | int):
        yield name, value
    elif isinstance(value, TableMemory):
        yield from leaves(f"{name}.accesses", value.accesses)
        yield from leaves(f"{name}.zeroed", value.zeroed)
    elif is_dataclass(value) and not isinstance(value, type):
        for each in fields(value):
            yield from leaves(f"{name}.{each.name}".lstrip("."), getattr(value, each.name))
    elif isinstance(value, tuple | list):
        items: list[Any] = list(value)  # pyright: ignore[reportUnknownArgumentType]
        for index, item in enumerate(items):
            yield from leaves(f"{name}[{index}]", item)


def _value(model: Any, value: Any) -> Any:
    """What a value is in a model; None where it says nothing."""
    if not isinstance(value, SymInt | SymBool):
        return value
    found = model.eval(value.term, model_completion=True)
    if isinstance(value, SymBool):
        return bool(z3.is_true(found)) if z3.is_true(found) or z3.is_false(found) else None
    return int(found.as_long()) if z3.is_int_value(found) else None


def _models(path: Path[Any], random: Random) -> Iterator[Any]:
    """A few models of a path under the operators' exact meaning, small numbers first."""
    solver: Any = z3.Solver()
    solver.set("rlimit", path.rlimit)
    solver.add(path.solver.assertions(), *path.hypotheses.values())
    cases = path.cases()
    for number in range(MODELS):
        wishes = path.small() if number == 0 else _wishes(path, random)
        for case in (cases[number % len(cases)], *random.sample(cases, min(3, len(cases)))):
            meaning = path.facts.meaning(case)
            answer = solver.check(*meaning, *wishes)
            if answer != z3.sat:
                answer = solver.check(*meaning)
            if answer == z3.sat:
                yield solver.model()
                break


def _wishes(path: Path[Any], random: Random) -> list[Any]:
    """Some numbers are larger than some, and others smaller."""
    found: list[Any] = []
    for term in path.names.values():
        if z3.is_int(term) and random.random() < 0.5:
            bound = 2 ** random.randrange(64) + random.randrange(64)
            found.append(term > bound if random.random() < 0.5 else term <= bound)
    return found


__all__ = ["MODELS", "NAMED", "departure", "event_fault", "leaves", "promises_fault", "state_fault"]
