"""Python objects that are named as `package.module:Thing`: how they are made, and the plan of their methods."""

import importlib
import inspect
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from heaplaw.calls import SubjectError
from heaplaw.models import methods
from heaplaw.models.methods import address_of, fits, promised_align
from heaplaw.plan import Call, Plan
from heaplaw.spec.event import Env
from heaplaw.spec.shapes import LUA_ALLOC, POOL, Shape

__all__ = ["CAPACITY", "Maker", "env_of", "find", "import_module", "maker_of", "plan_of", "promised_align"]

CAPACITY = 65536
"""Bytes of the buffer that a constructor is given when it asks for one and nobody says how large."""


# ---- the object


def find(target: str) -> Any:
    """What `module:Name` stands for; SubjectError when it cannot be imported."""
    module_name, _, path = target.partition(":")
    if not module_name or not path:
        raise SubjectError(f"{target}: name a module and what to judge in it, like package.module:MyPool")
    found = import_module(module_name)
    for part in path.split("."):
        if not hasattr(found, part):
            import difflib

            similar = difflib.get_close_matches(part, dir(found), 3)
            raise SubjectError(f"{module_name} has no {part}" + (f"; similar: {', '.join(similar)}" if similar else ""))
        found = getattr(found, part)
    return found


def import_module(name: str) -> Any:
    """The module; SubjectError when it cannot be imported."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        folder = f" (searched {sys.path[0] or 'the current folder'} and the installed packages)"
        raise SubjectError(f"cannot import {name}: {error}{folder}") from error
    except (Exception, SystemExit) as error:
        raise SubjectError(f"importing {name} raised {type(error).__name__}: {error}") from error


@dataclass(frozen=True)
class Maker:
    """Makes the objects that are judged."""

    target: str
    found: Any
    arguments: Mapping[str, int]
    """What a constructor is given, if it has parameters of these names."""
    calls: bool
    """`found` makes objects; otherwise it is the object."""

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The constructor's parameters, by name."""
        try:
            return inspect.signature(self.found).parameters if self.calls else {}
        except (TypeError, ValueError):
            return {}

    @property
    def wants_buffer(self) -> bool:
        """It is to be given memory."""
        return "buffer" in self.parameters

    def make(self, buffer: int = 0) -> object:
        """An object, over `buffer` if it wants one; whatever its constructor raises comes through."""
        if not self.calls:
            return self.found
        arguments, wants = {**self.arguments, "buffer": buffer}, self.parameters
        return self.found(**{name: value for name, value in arguments.items() if name in wants})

    def first(self, buffer: int) -> object:
        """The first object; SubjectError when there is none."""
        try:
            made = self.make(buffer)
        except (Exception, SystemExit) as error:
            raise SubjectError(f"{self.target}(…) raised {type(error).__name__}: {error}") from error
        if made is None:
            raise SubjectError(f"{self.target}(…) gave None")
        return made


def maker_of(target: str, shape: Shape, arguments: Mapping[str, int], found: Any = None) -> Maker:
    """Who makes objects of `target`: a class or a function that is called, or nobody when it is the object itself.

    `found` is what `target` stands for, where that is known.
    """
    found = find(target) if found is None else found
    itself = shape is LUA_ALLOC and not isinstance(found, type) and callable(found) and fits(found, 3)
    maker = Maker(target, found, arguments, callable(found) and not itself)
    asked = maker.parameters.get("capacity")
    if "capacity" in arguments or not (maker.wants_buffer or (asked and asked.default is inspect.Parameter.empty)):
        return maker
    capacity = arguments["block_size"] * arguments["num_blocks"] if shape is POOL else CAPACITY
    return replace(maker, arguments={**arguments, "capacity": capacity})


# ---- its methods


def plan_of(found: object, shape: Shape, align: int, buffer: int = 0, makes: str = "", renews: bool = False) -> Plan:
    """The plan of an object; SubjectError when its shape needs what it lacks.

    `align` is what it promises, bytes; `buffer` the bytes of the buffer that it was given; `makes` the name of its
    constructor; `renews`: it can be made again.
    """
    try:
        operations = methods.operations_of(found, shape)
    except methods.UnfitError as error:
        raise SubjectError(str(error)) from error
    end = methods.ending_of(found) if renews else ""
    return Plan(
        {kind: _call(method) for kind, method in operations.items()},
        _counters(found, shape, buffer),
        create=(Call(makes, "pointer", ("buffer",)),) if makes else (),
        destroy=Call(end, "none", ()) if end else None,
        buffer=buffer,
        capacity=buffer,
        align=align,
    )


def _call(method: methods.Method) -> Call:
    return Call(method.name, method.returns, method.arguments)


def _counters(found: object, shape: Shape, buffer: int) -> dict[str, Call]:
    counters = {name: _call(method) for name, method in methods.counters_of(found, shape.counters).items()}
    if address_of(getattr(found, "buffer", None)) and methods.tells_bounds(found, shape) and not buffer:
        counters["base"] = Call("buffer", "size", ())
    return counters


# ---- its promises


def env_of(found: object, shape: Shape, plan: Plan, arguments: Mapping[str, int], told: Mapping[str, int]) -> Env:
    """What is constant over a run: what the object tells about itself, else the `arguments` that it was made with.

    `told` is what the instance said when it was made: base, remaining, total; bytes.
    """
    return methods.env_of(found, shape, plan.operations, plan.align, plan.buffer, arguments, told)
