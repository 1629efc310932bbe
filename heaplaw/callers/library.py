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
LINK_MAP = 2
"""RTLD_DI_LINKMAP: what dlinfo is asked for."""


class LibraryCaller:
    """Functions of a shared library. All words are passed as 64 bits; narrower parameters ignore the rest."""

    def __init__(self, library: Any) -> None:
        self.said, self.tells_errno = "", True
        self._library = library

    def _function(self, name: str) -> Any:
        try:
            return self._library[name]
        except AttributeError as error:
            raise SubjectError(str(error)) from error

    def bind(self, slot: str, made: Call) -> Bound:
        """The call, errno set before it: to 0 where the words do not say."""
        function = self._function(made.function)
        function.restype, function.argtypes = ctypes.c_uint64, [ctypes.c_uint64] * len(made.arguments)
        arguments = [a if isinstance(a, str) else a & MASK for a in made.arguments]

        def make(words: Words) -> Answer:
            given = [words[a] if isinstance(a, str) else a for a in arguments]
            ctypes.set_errno(words.get("errno", 0))
            value = function(*given)
            return Status.OK, value, ctypes.get_errno()

        return make

    def address(self, name: str) -> int:
        """Where a function is."""
        return address_of(self._function(name))

    def owners(self, names: Iterable[str]) -> dict[str, str]:
        """The file that each function was found in."""
        return {name: owner_of(self.address(name)) for name in names}


class ProcessCaller(LibraryCaller):
    """Functions of the libraries in this process: those of the C library, or of what was preloaded in its place.

    Where a program is linked to fixed addresses (not PIE, as Debian's Python), the process's global scope finds the
    program's own stub for a function that it takes the address of. The function itself is in a library behind it.
    """

    def __init__(self) -> None:
        super().__init__(ctypes.CDLL(None, use_errno=True))

    def _function(self, name: str) -> Any:
        found = super()._function(name)
        return found if owner_of(address_of(found)) in libraries() else behind_program(name) or found


class _Place(ctypes.Structure):
    _fields_ = (
        ("file", ctypes.c_char_p),
        ("base", ctypes.c_void_p),
        ("symbol", ctypes.c_char_p),
        ("address", ctypes.c_void_p),
    )


class _Loaded(ctypes.Structure):
    """The public part of struct link_map."""

    _fields_ = (
        ("base", ctypes.c_void_p),
        ("file", ctypes.c_char_p),
        ("dynamic", ctypes.c_void_p),
        ("next", ctypes.c_void_p),
        ("previous", ctypes.c_void_p),
    )


def address_of(function: Any) -> int:
    """Where a function of ctypes is."""
    return ctypes.cast(function, ctypes.c_void_p).value or 0


def owner_of(address: int) -> str:
    """The file whose mapping holds the address; empty where the loader does not know."""
    place = _Place()
    known = ctypes.CDLL(None).dladdr(ctypes.c_void_p(address), ctypes.byref(place))
    return os.fsdecode(place.file) if known and place.file else ""


def libraries() -> list[str]:
    """The files of the libraries in this process, in the loader's order: preloaded ones come first."""
    process: Any = ctypes.CDLL(None)
    entry, files = ctypes.c_void_p(), list[str]()
    process.dlinfo(ctypes.c_void_p(process._handle), LINK_MAP, ctypes.byref(entry))
    while entry.value:
        loaded = _Loaded.from_address(entry.value)
        files.append(os.fsdecode(loaded.file or b""))
        entry.value = loaded.next
    return files[1:]  # the first is the program


def behind_program(name: str) -> Any:
    """The function as the first library that defines it has it, whatever the program has; None where none does."""
    for file in libraries():
        try:
            found = ctypes.CDLL(file, mode=os.RTLD_NOLOAD, use_errno=True)[name]
        except (OSError, AttributeError):
            continue
        if owner_of(address_of(found)) == file:  # a library's handle also finds what the libraries that it needs define
            return found
    return None


def load(path: str | None) -> LibraryCaller:
    """The library at `path`; None: the C library, or what was preloaded in its place."""
    if path is None:
        return ProcessCaller()
    try:
        return LibraryCaller(ctypes.CDLL(path, mode=ctypes.RTLD_LOCAL | DEEP_BIND, use_errno=True))
    except OSError as error:
        raise SubjectError(str(error)) from error


def python_functions() -> LibraryCaller:
    """The functions of this interpreter. They are called with the GIL held."""
    return LibraryCaller(ctypes.PyDLL(None, use_errno=True))


def hooks() -> dict[str, int]:
    """The words that are addresses of the C library's own functions."""
    process = ProcessCaller()
    return {f"hook_{name}": process.address(name) for name in ("malloc", "free", "realloc")}
