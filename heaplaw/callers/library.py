"""Calls of functions in a shared library, through ctypes."""

import ctypes
import os
from collections.abc import Iterable
from typing import Any

from heaplaw.calls import MASK, Answer, Bound, SubjectError, Words
from heaplaw.plan import Call
from heaplaw.spec.event import Status

DEEP_BIND = 8
"""RTLD_DEEPBIND: the library's own symbols come first (glibc)."""


class LibraryCaller:
    """Functions of a shared library. All words are passed as 64 bits; narrower parameters ignore the rest."""

    def __init__(self, library: Any) -> None:
        self.said = ""
        self._library = library

    def _function(self, name: str) -> Any:
        try:
            return self._library[name]
        except AttributeError as error:
            raise SubjectError(str(error)) from error

    def bind(self, slot: str, made: Call) -> Bound:
        """The call, errno set to 0 before it."""
        function = self._function(made.function)
        function.restype, function.argtypes = ctypes.c_uint64, [ctypes.c_uint64] * len(made.arguments)
        arguments = [a if isinstance(a, str) else a & MASK for a in made.arguments]

        def make(words: Words) -> Answer:
            given = [words[a] if isinstance(a, str) else a for a in arguments]
            ctypes.set_errno(0)
            value = function(*given)
            return Status.OK, value, ctypes.get_errno()

        return make

    def address(self, name: str) -> int:
        """Where a function is."""
        return ctypes.cast(self._function(name), ctypes.c_void_p).value or 0

    def owners(self, names: Iterable[str]) -> dict[str, str]:
        """The file that each function was found in."""
        return {name: owner_of(self.address(name)) for name in names}


class _Place(ctypes.Structure):
    _fields_ = (
        ("file", ctypes.c_char_p),
        ("base", ctypes.c_void_p),
        ("symbol", ctypes.c_char_p),
        ("address", ctypes.c_void_p),
    )


def owner_of(address: int) -> str:
    """The file whose mapping holds the address; empty where the loader does not know."""
    place = _Place()
    known = ctypes.CDLL(None).dladdr(ctypes.c_void_p(address), ctypes.byref(place))
    return os.fsdecode(place.file) if known and place.file else ""


def load(path: str | None) -> LibraryCaller:
    """The library at `path`; None: what is in the process already."""
    try:
        return LibraryCaller(ctypes.CDLL(path, mode=ctypes.RTLD_LOCAL | DEEP_BIND, use_errno=True))
    except OSError as error:
        raise SubjectError(str(error)) from error


def python_functions() -> LibraryCaller:
    """The functions of this interpreter. They are called with the GIL held."""
    return LibraryCaller(ctypes.PyDLL(None, use_errno=True))


def hooks() -> dict[str, int]:
    """The words that are addresses of the C library's own functions."""
    process = load(None)
    return {f"hook_{name}": process.address(name) for name in ("malloc", "free", "realloc")}
