"""Python objects that are named as `package.module:Thing`: how they are made, and which methods play which part."""

import importlib
import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from heaplaw.calls import SubjectError
from heaplaw.plan import Call, Plan
from heaplaw.spec.event import Env
from heaplaw.spec.history import plain_env
from heaplaw.spec.layout import SIZE_MAX, is_power_of_two
from heaplaw.spec.shapes import CALLS, LUA_ALLOC, POOL, WORDS, Kind, Shape

from .objects import address_of, fits

CAPACITY = 65536
"""Bytes of the buffer that a constructor is given when it asks for one and nobody says how large."""
ALIASES: Mapping[Kind, tuple[str, ...]] = {
    Kind.ALLOC: ("allocate",),
    Kind.ZALLOC: ("alloc_zeroed",),
    Kind.FREE: ("dealloc", "deallocate"),
    Kind.ALIGNED: ("alloc_aligned",),
}
"""Names that are looked for after `shapes.WORDS` and `shapes.CALLS`."""
FORMS: Mapping[Kind, tuple[tuple[str, ...], ...]] = {
    Kind.ALLOC: (("size",), ("size", "align"), ("align", "size")),
    Kind.ZALLOC: (("count", "size"), ("size",), ("size", "align"), ("align", "size")),
    Kind.RESIZE: (("ptr", "size"),),
    Kind.FREE: (("ptr",), ("ptr", "osize"), ("ptr", "oalign"), ("ptr", "osize", "oalign")),
    Kind.ALIGNED: (("align", "size"), ("size", "align")),
    Kind.POSIX_ALIGNED: (("align", "size"),),
    Kind.POP: ((), ("ptr",)),
    Kind.RESET: ((),),
    Kind.MARK: ((),),
    Kind.RELEASE: (("mark",),),
}
"""What each operation may be given, in order of preference."""
RETURNS: Mapping[Kind, str] = {
    Kind.FREE: "none",
    Kind.POP: "none",
    Kind.RESET: "none",
    Kind.RELEASE: "none",
    Kind.MARK: "size",
}
"""What each operation's value means, where that is not an address."""
LUA_NAMES = ("lua_alloc", "__call__")
ENDS = ("destroy", "drop")
ALIGN_NAMES = ("align", "alignment")


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


def maker_of(target: str, shape: Shape, arguments: Mapping[str, int]) -> Maker:
    """Who makes objects of `target`: a class or a function that is called, or nobody when it is the object itself."""
    found = find(target)
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
    operations = _lua(found) if shape is LUA_ALLOC else _operations(found, shape)
    if lacks := shape.lacks(operations):
        methods = [name for name in dir(found) if not name.startswith("_") and callable(getattr(found, name))]
        raise SubjectError(
            f"{type(found).__name__} has no method {' nor '.join(map(_with_aliases, lacks))}, "
            f"which the shape {shape.name} needs; its methods: {', '.join(methods) or 'none'}"
        )
    ends = [name for name in ENDS if renews and callable(m := getattr(found, name, None)) and fits(m, 0)]
    return Plan(
        operations,
        _counters(found, shape, buffer),
        create=(Call(makes, "pointer", ("buffer",)),) if makes else (),
        destroy=Call(ends[0], "none", ()) if ends else None,
        buffer=buffer,
        capacity=buffer,
        align=align,
    )


def _operations(found: object, shape: Shape) -> dict[Kind, Call]:
    operations: dict[Kind, Call] = {}
    for kind in sorted(shape.operations):
        forms = ((),) if shape is POOL and kind in (Kind.ALLOC, Kind.ZALLOC) else FORMS[kind]
        names = dict.fromkeys((WORDS[kind], CALLS[kind], *ALIASES.get(kind, ())))
        methods = {name: m for name in names if callable(m := getattr(found, name, None))}
        fitting = ((name, form) for name, m in methods.items() if (form := _form(m, forms)) is not None)
        name, form = next(fitting, ("", ()))
        if name:
            operations[kind] = Call(name, RETURNS.get(kind, "pointer"), form)
        elif methods:
            _refuse(next(iter(methods.values())), len(forms[0]), shape)
    plain = operations.get(Kind.ALLOC)
    if plain and "align" in plain.arguments and Kind.ALIGNED in shape.operations:
        operations.setdefault(Kind.ALIGNED, plain)
    return operations


def _lua(found: object) -> dict[Kind, Call]:
    """All of `lua_Alloc` in one method; a new block's "old size" tells what it is for."""
    name = next((name for name in LUA_NAMES if callable(getattr(found, name, None))), None)
    if name is None:
        return {}
    if not fits(getattr(found, name), 3):
        _refuse(getattr(found, name), 3, LUA_ALLOC)
    return {
        Kind.ALLOC: Call(name, "pointer", ("ptr", "tag", "size")),
        Kind.RESIZE: Call(name, "pointer", ("ptr", "osize", "size")),
        Kind.FREE: Call(name, "null", ("ptr", "osize", 0)),
    }


def _form(method: Callable[..., Any], forms: tuple[tuple[str, ...], ...]) -> tuple[str, ...] | None:
    """The first form that the method can be called with; one that knows the alignment where a parameter says so."""
    fitting = [form for form in forms if fits(method, len(form))]
    try:
        names = list(inspect.signature(method).parameters)
    except (TypeError, ValueError):
        names = []
    places = [at for at, name in enumerate(names) if name in ALIGN_NAMES]
    told = [form for form in fitting if any(at < len(form) and form[at] in ("align", "oalign") for at in places)]
    return next(iter(told or fitting), None)


def _refuse(method: Callable[..., Any], count: int, shape: Shape) -> None:
    """SubjectError: the method cannot be called as its shape calls it."""
    name, signature = getattr(method, "__qualname__", "method"), inspect.signature(method)
    try:
        signature.bind(*range(count))
    except TypeError as error:
        raise SubjectError(
            f"{name}{signature} cannot be called with {count} arguments, as the shape {shape.name} does: {error}"
        ) from error


def _with_aliases(lack: str) -> str:
    """What is missing, with the other names that would do."""
    for kind, word in WORDS.items():
        others = dict.fromkeys((CALLS[kind], *ALIASES.get(kind, ())))
        others.pop(word, None)
        if word == lack and others:
            return f"{lack} ({', '.join(others)})"
    return lack


def _counters(found: object, shape: Shape, buffer: int) -> dict[str, Call]:
    counters: dict[str, Call] = {}
    for name in sorted(shape.counters - {"bounds", "usable_size"}):
        there: Any = getattr(found, name, None)
        number = isinstance(there, int) and not isinstance(there, bool)
        if number or (callable(there) and fits(there, 0)):
            counters[name] = Call(name, "bool" if name == "invariant" else "size", ())
    if "usable_size" in shape.counters and callable(getattr(found, "usable_size", None)):
        counters["usable_size"] = Call("usable_size", "size", ("ptr",))
    declared = ("capacity", "block_size") if shape is POOL else ("capacity",)
    bounded = address_of(getattr(found, "buffer", None)) and all(_told(found, name) is not None for name in declared)
    if bounded and not buffer:
        counters["base"] = Call("buffer", "size", ())
    return counters


# ---- its promises


def _told(found: object, name: str) -> int | None:
    """A number that the object tells about itself, if it does."""
    value: Any = getattr(found, name, None)
    fitting = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= SIZE_MAX
    return int(value) if fitting else None


def promised_align(found: object, shape: Shape, align: int) -> int:
    """The alignment, bytes, of the object's blocks: its own word, or `align` where all blocks have one alignment."""
    promised = _told(found, "alignment")
    if promised is not None and is_power_of_two(promised):
        return promised
    return shape.max_align if shape.align_by_size else align


def env_of(found: object, shape: Shape, plan: Plan, arguments: Mapping[str, int], told: Mapping[str, int]) -> Env:
    """What is constant over a run: what the object tells about itself, else the `arguments` that it was made with.

    `told` is what the instance said when it was made: base, remaining, total; bytes.
    """
    size = blocks = 0
    if shape is POOL:
        size_told, blocks_told = _told(found, "block_size"), _told(found, "num_blocks")
        size = arguments["block_size"] if size_told is None else size_told
        blocks = arguments["num_blocks"] if blocks_told is None else blocks_told
    capacity = plan.buffer or _told(found, "capacity")
    zeroed = plan.operations.get(Kind.ZALLOC)
    return replace(
        plain_env(shape.name),
        max_align=plan.align,
        base=told["base"],
        capacity=size * blocks if capacity is None else capacity,
        block_size=size,
        num_blocks=blocks,
        remaining=told["remaining"],
        total=told["total"],
        counted=zeroed is None or "count" in zeroed.arguments,
    )
