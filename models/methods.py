"""Which methods of a Python object play which part of its shape: the one statement, for drivers in a process apart and
for subjects that live in this one.
"""

import ctypes
import inspect
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from heaplaw.spec.event import Env
from heaplaw.spec.history import plain_env
from heaplaw.spec.layout import SIZE_MAX, is_power_of_two
from heaplaw.spec.shapes import CALLS, LUA_ALLOC, POOL, WORDS, Kind, Shape

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
KINDS: Mapping[str, Kind] = {word: kind for words in (CALLS, WORDS) for kind, word in words.items()}
"""Operations by the keys of mappings, and by the C library's names."""
OWN_WORDS = frozenset({"size", "count", "align", "ptr", "osize", "oalign", "mark"})
"""What a call of the user's own may be given without saying what it is."""
OWN_RETURNS = ("pointer", "bool", "none", "size")
LUA_NAMES = ("lua_alloc", "__call__")
ENDS = ("destroy", "drop")
ALIGN_NAMES = ("align", "alignment")


class UnfitError(TypeError):
    """An object lacks a method of its shape, or has one that cannot be called so; the text says which."""


@dataclass(frozen=True)
class Method:
    """A method, what its value means (a word of `plan.RETURNS`), and what it is given: words and numbers."""

    name: str
    returns: str
    arguments: tuple[str | int, ...]

    def __str__(self) -> str:
        """As `own_method` reads it."""
        ending = "" if self.returns in ("pointer", "none") else f" -> {self.returns}"
        return f"{self.name}({', '.join(map(str, self.arguments))}){ending}"


def kind_of(word: Kind | str) -> Kind:
    """The operation of that name: "realloc", "alloc", …; `UnfitError` when there is none."""
    found = KINDS.get(word) if isinstance(word, str) else word
    if found is None or found in (Kind.CHECK, Kind.RENEW):
        known = ", ".join(name for kind, name in WORDS.items() if kind not in (Kind.CHECK, Kind.RENEW))
        raise UnfitError(f"{word!r} is no operation; operations are {known}")
    return found


def own_method(text: str, kind: Kind, given: Collection[str] = ()) -> Method:
    """A method as the user writes it: `"grow_last(ptr, size)"`, and `"shrink(ptr, size) -> bool"` where its value is no
    address.

    Arguments are whole numbers and the words of mappings, or names that are `given`. `UnfitError` says what is wrong.
    """
    matched = re.fullmatch(r"\s*(\w+)\((.*)\)\s*(?:->\s*(\w+)\s*)?", text)
    if matched is None:
        raise UnfitError(f'{text!r} is no call; write it like "grow_last(ptr, size)" or "shrink(ptr, size) -> bool"')
    name, inside, returns = matched.groups()
    known = OWN_WORDS | set(given)
    arguments: list[str | int] = []
    for word in [word.strip() for word in inside.split(",")] if inside.strip() else []:
        if not re.fullmatch(r"-?(0[xX][0-9a-fA-F]+|\d+)", word) and word not in known:
            raise UnfitError(f"{text!r}: {word!r} is neither a number nor one of {', '.join(sorted(known))}")
        arguments.append(word if word in known else int(word, 0))
    returns = returns or RETURNS.get(kind, "pointer")
    if returns not in OWN_RETURNS:
        raise UnfitError(f"{text!r}: a value is one of {', '.join(OWN_RETURNS)}; not {returns!r}")
    return Method(name, returns, tuple(arguments))


def fits(method: Callable[..., Any], arguments: int) -> bool:
    """The method can be called with so many arguments, as far as one can tell."""
    try:
        signature = inspect.signature(method)
    except (TypeError, ValueError):
        return True  # written in C, perhaps: the call will tell
    try:
        signature.bind(*range(arguments))
    except TypeError:
        return False
    return True


def address_of(value: object) -> int:
    """Where a buffer is: an address, or a writable buffer; 0 for anything else."""
    if isinstance(value, int):
        return int(value) if 0 < value <= SIZE_MAX else 0
    try:
        return ctypes.addressof(ctypes.c_char.from_buffer(value))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return 0


# ---- operations


def operations_of(found: object, shape: Shape, own: Mapping[Kind, Method] | None = None) -> dict[Kind, Method]:
    """The methods that carry out the operations of `shape`; `UnfitError` when it needs what `found` lacks.

    Those in `own` go before what is found by name, and may be operations that the shape does not have.
    """
    operations = _lua(found) if shape is LUA_ALLOC else _operations(found, shape, own or {})
    for kind, method in (own or {}).items():
        require_method(found, method)
        operations[kind] = method
    if lacks := shape.lacks(operations):
        methods = [name for name in dir(found) if not name.startswith("_") and callable(getattr(found, name))]
        raise UnfitError(
            f"{type(found).__name__} has no method {' nor '.join(map(_with_aliases, lacks))}, "
            f"which the shape {shape.name} needs; its methods: {', '.join(methods) or 'none'}"
        )
    return operations


def require_method(found: object, method: Method) -> None:
    """`UnfitError` unless `found` has this method, and it can be called so."""
    there = getattr(found, method.name, None)
    if not callable(there) or not fits(there, len(method.arguments)):
        said = "no such method" if not callable(there) else f"it is {method.name}{inspect.signature(there)}"
        call = f"{method.name}({', '.join(map(str, method.arguments))})"
        raise UnfitError(f"{type(found).__name__} cannot be called as {call}: {said}")


def _operations(found: object, shape: Shape, own: Collection[Kind]) -> dict[Kind, Method]:
    operations: dict[Kind, Method] = {}
    for kind in sorted(shape.operations - set(own)):
        forms = ((),) if shape is POOL and kind in (Kind.ALLOC, Kind.ZALLOC) else FORMS[kind]
        names = dict.fromkeys((WORDS[kind], CALLS[kind], *ALIASES.get(kind, ())))
        methods = {name: m for name in names if callable(m := getattr(found, name, None))}
        fitting = ((name, form) for name, m in methods.items() if (form := _form(m, forms)) is not None)
        name, form = next(fitting, ("", ()))
        if name:
            operations[kind] = Method(name, RETURNS.get(kind, "pointer"), form)
        elif methods:
            _refuse(next(iter(methods.values())), len(forms[0]), shape)
    plain = operations.get(Kind.ALLOC)
    if plain and "align" in plain.arguments and Kind.ALIGNED in shape.operations:
        operations.setdefault(Kind.ALIGNED, plain)
    return operations


def _lua(found: object) -> dict[Kind, Method]:
    """All of `lua_Alloc` in one method; a new block's "old size" tells what it is for."""
    name = next((name for name in LUA_NAMES if callable(getattr(found, name, None))), None)
    if name is None:
        return {}
    if not fits(getattr(found, name), 3):
        _refuse(getattr(found, name), 3, LUA_ALLOC)
    return {
        Kind.ALLOC: Method(name, "pointer", ("ptr", "tag", "size")),
        Kind.RESIZE: Method(name, "pointer", ("ptr", "osize", "size")),
        Kind.FREE: Method(name, "null", ("ptr", "osize", 0)),
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
    """`UnfitError`: the method cannot be called as its shape calls it."""
    name, signature = getattr(method, "__qualname__", "method"), inspect.signature(method)
    try:
        signature.bind(*range(count))
    except TypeError as error:
        raise UnfitError(
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


def ending_of(found: object) -> str:
    """The name of the method that ends an object; empty when it has none."""
    return next((name for name in ENDS if callable(m := getattr(found, name, None)) and fits(m, 0)), "")


# ---- counters


def counters_of(found: object, names: frozenset[str]) -> dict[str, Method]:
    """The methods, or numbers, among `names` in which the object counts, beside `bounds`."""
    counters: dict[str, Method] = {}
    for name in sorted(names - {"bounds", "usable_size"}):
        there: Any = getattr(found, name, None)
        number = isinstance(there, int) and not isinstance(there, bool)
        if number or (callable(there) and fits(there, 0)):
            counters[name] = Method(name, "bool" if name == "invariant" else "size", ())
    if "usable_size" in names and callable(getattr(found, "usable_size", None)):
        counters["usable_size"] = Method("usable_size", "size", ("ptr",))
    return counters


def tells_bounds(found: object, shape: Shape) -> bool:
    """The object says how large the memory is that lies at its `buffer`."""
    declared = ("capacity", "block_size") if shape is POOL else ("capacity",)
    return all(told(found, name) is not None for name in declared)


def told(found: object, name: str) -> int | None:
    """A number that the object tells about itself, if it does."""
    value: Any = getattr(found, name, None)
    fitting = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= SIZE_MAX
    return int(value) if fitting else None


# ---- promises


def promised_align(found: object, shape: Shape, align: int) -> int:
    """The alignment, bytes, of the object's blocks: its own word, or `align` where all blocks have one alignment."""
    promised = told(found, "alignment")
    if promised is not None and is_power_of_two(promised):
        return promised
    return shape.max_align if shape.align_by_size else align


def env_of(
    found: object,
    shape: Shape,
    operations: Mapping[Kind, Any],
    align: int,
    buffer: int,
    arguments: Mapping[str, int],
    said: Mapping[str, int],
) -> Env:
    """What is constant over a run: what the object tells about itself, else the `arguments` that it was made with.

    `operations` are methods with their arguments; `align` the promised alignment and `buffer` the size of the buffer
    that it was given, bytes; `said` what the instance said when it was made: base, remaining, total; bytes.
    """
    size = blocks = 0
    if shape is POOL:
        size_told, blocks_told = told(found, "block_size"), told(found, "num_blocks")
        size = arguments.get("block_size", 0) if size_told is None else size_told
        blocks = arguments.get("num_blocks", 0) if blocks_told is None else blocks_told
    capacity = buffer or told(found, "capacity")
    zeroed = operations.get(Kind.ZALLOC)
    return replace(
        plain_env(shape.name),
        max_align=align,
        base=said["base"],
        capacity=size * blocks if capacity is None else capacity,
        block_size=size,
        num_blocks=blocks,
        remaining=said["remaining"],
        total=said["total"],
        counted=zeroed is None or "count" in zeroed.arguments,
    )
