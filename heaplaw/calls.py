"""A subject's operations in the worker's process: functions of a library, of CPython, or methods of a Python object."""

import ctypes
import errno
import inspect
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from heaplaw.spec.event import Env, Status
from heaplaw.spec.layout import SIZE_MAX, is_power_of_two
from heaplaw.spec.shapes import CALLS, SHAPES, Kind

_V, _S = ctypes.c_void_p, ctypes.c_size_t
_SIGNATURES: dict[str, tuple[Any, list[Any]]] = {
    "malloc": (_V, [_S]),
    "calloc": (_V, [_S, _S]),
    "realloc": (_V, [_V, _S]),
    "free": (None, [_V]),
    "aligned_alloc": (_V, [_S, _S]),
    "posix_memalign": (ctypes.c_int, [ctypes.POINTER(_V), _S, _S]),
    "usable_size": (_S, [_V]),
}
PYTHON_FAMILIES = {"pymem_raw": "PyMem_Raw{}", "pymem": "PyMem_{}", "pyobject": "PyObject_{}"}


MOST_WORDS = 20
"""Lines on standard error that one run may leave about a Python object's answers."""


class SubjectError(Exception):
    """The subject cannot be had; the text says why, in one line."""


@dataclass
class LibraryCalls:
    """Functions of a shared library, by C name."""

    functions: Mapping[str, Any]

    def __post_init__(self) -> None:
        for name, function in self.functions.items():
            function.restype, function.argtypes = _SIGNATURES[name]
        self._by_kind = {int(kind): self.functions.get(name) for kind, name in CALLS.items()}
        self._usable = self.functions.get("usable_size")

    def addresses(self) -> list[int]:
        """The functions' addresses, by kind, the usable size first: what the native driver takes."""
        names = ["usable_size", *(CALLS[kind] for kind in Kind if kind is not Kind.CHECK)]
        found = (self.functions.get(name) for name in names)
        return [0 if f is None else ctypes.cast(f, _V).value or 0 for f in found]

    def owners(self) -> dict[str, str]:
        """The file that each function was found in, by C name."""
        return {name: owner_of(ctypes.cast(f, _V).value or 0) for name, f in self.functions.items()}

    def has(self, kind: int) -> bool:
        return self._by_kind.get(kind) is not None

    def call(self, kind: int, size: int, align: int, count: int, ptr: int) -> tuple[int, int, int]:
        f: Any = self._by_kind[kind]
        if kind == Kind.POSIX_ALIGNED:
            out = _V()
            code = int(f(ctypes.byref(out), align, size))
            if code == 0 and out.value:
                return Status.OK, out.value, 0
            refused = code in (errno.ENOMEM, errno.EINVAL) or (code == 0 and size == 0)
            return (Status.FAILED if refused else Status.WRONG), 0, code
        if kind == Kind.FREE:
            f(ptr)
            return Status.OK, 0, 0
        ctypes.set_errno(0)
        arguments = {
            Kind.ALLOC: (size,),
            Kind.ZALLOC: (count, size),
            Kind.RESIZE: (ptr, size),
            Kind.ALIGNED: (align, size),
        }[Kind(kind)]
        result = f(*arguments)
        return (Status.OK, int(result), 0) if result else (Status.FAILED, 0, ctypes.get_errno())

    def usable(self, ptr: int) -> int:
        return int(self._usable(ptr)) if self._usable is not None else 0

    def counters(self) -> tuple[int, int] | None:
        return None

    def address(self, ptr: int) -> int:
        return ptr


class _Place(ctypes.Structure):
    _fields_ = (("file", ctypes.c_char_p), ("base", _V), ("symbol", ctypes.c_char_p), ("address", _V))


def owner_of(address: int) -> str:
    """The file whose mapping holds the address; empty where the loader does not know."""
    place = _Place()
    known = ctypes.CDLL(None).dladdr(_V(address), ctypes.byref(place))
    return os.fsdecode(place.file) if known and place.file else ""


def library_calls(path: str | None, symbols: Mapping[str, str]) -> LibraryCalls:
    """Functions of the library at `path` (None: of the C library), C name to symbol."""
    try:
        library = ctypes.CDLL(path, mode=ctypes.RTLD_LOCAL | 8, use_errno=True)  # 8: RTLD_DEEPBIND
        return LibraryCalls({name: getattr(library, symbol) for name, symbol in symbols.items()})
    except (OSError, AttributeError) as error:
        raise SubjectError(str(error)) from error


def python_calls(family: str) -> LibraryCalls:
    """One of CPython's three families: pymem_raw, pymem, pyobject. They are called with the GIL held."""
    names = {"malloc": "Malloc", "calloc": "Calloc", "realloc": "Realloc", "free": "Free"}
    pattern = PYTHON_FAMILIES[family]
    library = ctypes.PyDLL(None)
    return LibraryCalls({name: getattr(library, pattern.format(end)) for name, end in names.items()})


class ObjectCalls:
    """Methods of a Python object: `malloc`, `calloc`, … of a heap, `alloc` and `dealloc` of a pool.

    Blocks are addresses (0 or None: refused). An object with an attribute `memory` (a writable buffer) deals in offsets
    into that instead, and refuses with None.
    """

    _NAMES: Mapping[str, Mapping[Kind, tuple[str, ...]]] = {
        "malloc": {
            kind: (name, {"malloc": "alloc", "free": "dealloc"}.get(name, name)) for kind, name in CALLS.items()
        },
        "pool": {Kind.ALLOC: ("alloc",), Kind.FREE: ("dealloc", "free")},
    }

    _ARGUMENTS: Mapping[Kind, int] = {
        Kind.ALLOC: 1,
        Kind.ZALLOC: 2,
        Kind.RESIZE: 2,
        Kind.FREE: 1,
        Kind.ALIGNED: 2,
        Kind.POSIX_ALIGNED: 2,
    }
    """How many arguments each operation is given; a pool's `alloc` gets none."""

    @staticmethod
    def _check_signature(method: Callable[..., Any], arguments: int, shape: str) -> None:
        """SubjectError when the method cannot be called as its shape calls it."""
        try:
            signature = inspect.signature(method)
        except (TypeError, ValueError):
            return  # written in C, perhaps: the call will tell
        try:
            signature.bind(*range(arguments))
        except TypeError as error:
            name = getattr(method, "__qualname__", "method")
            raise SubjectError(
                f"{name}{signature} cannot be called with {arguments} arguments, as the shape {shape} does: {error}"
            ) from error

    def __init__(self, subject: object, shape: str) -> None:
        self.subject = subject
        self._methods: dict[int, Callable[..., Any]] = {}
        for kind, names in self._NAMES[shape].items():
            for name in names:
                method = getattr(subject, name, None)
                if callable(method):
                    self._methods.setdefault(int(kind), method)
        missing = [self._NAMES[shape][kind][0] for kind in SHAPES[shape].required if int(kind) not in self._methods]
        if missing:
            there = (
                ", ".join(n for n in dir(subject) if not n.startswith("_") and callable(getattr(subject, n))) or "none"
            )
            raise SubjectError(
                f"{type(subject).__name__} has no method {' nor '.join(sorted(missing))}, "
                f"which the shape {shape} needs; its methods: {there}"
            )
        self._pool = shape == "pool"
        for kind, arguments in self._ARGUMENTS.items():
            if kind in self._methods:
                given = 0 if self._pool and kind == Kind.ALLOC else arguments
                self._check_signature(self._methods[kind], given, shape)
        self._free, self._taken = (
            getattr(subject, "num_free_blocks", None),
            getattr(subject, "num_allocated", None),
        )
        self._usable = getattr(subject, "usable_size", None)
        memory: Any = getattr(subject, "memory", None)
        self._offsets = memory is not None
        self._told = 0
        try:
            self._base = ctypes.addressof(ctypes.c_char.from_buffer(memory)) if self._offsets else 0
        except (TypeError, ValueError) as error:
            raise SubjectError(
                f"{type(subject).__name__}.memory is no writable buffer ({error}); a bytearray is one"
            ) from error

    def offers(self) -> list[str]:
        """Operations and counters that are there."""
        found = [CALLS[Kind(kind)] for kind in self._methods if kind != Kind.CHECK]
        found += ["num_free_blocks"] * callable(self._free) + ["num_allocated"] * callable(self._taken)
        return found + ["usable_size"] * callable(self._usable) + ["bounds"] * self._bounded()

    def _bounded(self) -> bool:
        fields = ("capacity", "block_size")
        return self._pool and bool(self._buffer()) and all(isinstance(getattr(self.subject, n, 0), int) for n in fields)

    def _buffer(self) -> int:
        """The address of the buffer that a pool declares: an address, or a writable buffer; 0 when there is none."""
        buffer: Any = getattr(self.subject, "buffer", None)
        if isinstance(buffer, int):
            return buffer
        try:
            return 0 if buffer is None else ctypes.addressof(ctypes.c_char.from_buffer(buffer))
        except (TypeError, ValueError):
            return 0

    def env(self, block_size: int, num_blocks: int, align: int) -> Env:
        """What the object tells about itself; the given values where it tells nothing."""

        def told(name: str, otherwise: int) -> int:
            value: Any = getattr(self.subject, name, None)
            fits = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= SIZE_MAX
            return int(value) if fits else otherwise

        size = told("block_size", block_size)
        promised = told("alignment", align)
        align = promised if is_power_of_two(promised) else align
        blocks = told("num_blocks", num_blocks)
        return Env(align, False, self._buffer(), told("capacity", size * blocks), size, blocks)

    def has(self, kind: int) -> bool:
        return kind in self._methods

    def call(self, kind: int, size: int, align: int, count: int, ptr: int) -> tuple[int, int, int]:
        arguments: tuple[int, ...] = {
            Kind.ALLOC: () if self._pool else (size,),
            Kind.ZALLOC: (count, size),
            Kind.RESIZE: (ptr, size),
            Kind.ALIGNED: (align, size),
            Kind.POSIX_ALIGNED: (align, size),
            Kind.FREE: (ptr,),
        }[Kind(kind)]
        method = self._methods[kind]
        try:
            result = method(*arguments)
        except Exception as error:  # noqa: BLE001 - whatever the subject raises is its answer
            self._say(method, arguments, f"raised {type(error).__name__}: {error}")
            return Status.WRONG, 0, 0
        if kind == Kind.FREE:
            return Status.OK, 0, 0
        if result is None or (result == 0 and not self._offsets):
            return Status.FAILED, 0, 0
        if isinstance(result, bool) or not isinstance(result, int) or not 0 <= result <= SIZE_MAX:
            self._say(method, arguments, f"returned {result!r:.80}, which is no address")
            return Status.WRONG, 0, 0
        return Status.OK, result, 0

    def _say(self, method: Callable[..., Any], arguments: tuple[int, ...], what: str) -> None:
        """Leave a line for the report; a run may misbehave a million times, so the first few alone."""
        self._told += 1
        if self._told <= MOST_WORDS:
            called = f"{method.__name__}({', '.join(map(str, arguments))})"
            print(f"{called} {what}".replace("\n", " "), file=sys.stderr, flush=True)  # noqa: T201

    def _number(self, function: Callable[..., Any], *arguments: int, otherwise: int) -> int:
        """What a counter says; `otherwise` when that is no number of a word, or an exception."""
        try:
            value = function(*arguments)
        except Exception as error:  # noqa: BLE001 - as above
            self._say(function, arguments, f"raised {type(error).__name__}: {error}")
            return otherwise
        if isinstance(value, int) and 0 <= value <= SIZE_MAX:
            return value
        self._say(function, arguments, f"returned {value!r:.80}, which counts nothing")
        return otherwise

    def usable(self, ptr: int) -> int:
        return self._number(self._usable, ptr, otherwise=0) if callable(self._usable) else 0

    def counters(self) -> tuple[int, int] | None:
        free = self._number(self._free, otherwise=SIZE_MAX) if callable(self._free) else 0
        taken = self._number(self._taken, otherwise=SIZE_MAX) if callable(self._taken) else 0
        return free, taken

    def address(self, ptr: int) -> int:
        return ptr + self._base


def make_object(target: str, arguments: Mapping[str, int]) -> object:
    """`module:Name` imported; a class or a function is called, with those `arguments` that it has parameters for."""
    import importlib
    import sys

    module_name, _, path = target.partition(":")
    if not module_name or not path:
        raise SubjectError(f"{target}: name a module and what to judge in it, like package.module:MyPool")
    try:
        found: Any = importlib.import_module(module_name)
    except ImportError as error:
        folder = f" (searched {sys.path[0] or 'the current folder'} and the installed packages)"
        raise SubjectError(f"cannot import {module_name}: {error}{folder}") from error
    except (Exception, SystemExit) as error:
        raise SubjectError(f"importing {module_name} raised {type(error).__name__}: {error}") from error
    for part in path.split("."):
        if not hasattr(found, part):
            import difflib

            similar = difflib.get_close_matches(part, dir(found), 3)
            raise SubjectError(f"{module_name} has no {part}" + (f"; similar: {', '.join(similar)}" if similar else ""))
        found = getattr(found, part)
    if not callable(found):
        return found
    try:
        parameters = inspect.signature(found).parameters
        given = {name: value for name, value in arguments.items() if name in parameters}
        return found(**given)
    except (Exception, SystemExit) as error:
        raise SubjectError(f"{target}(…) raised {type(error).__name__}: {error}") from error
