"""Subjects: what heaplaw can judge, and how each is run in a process apart."""

from .base import Expected, NativeCode, ProcessSubject, names_without_calls
from .mapped import NotInstalledError
from .resolve import resolve

__all__ = [
    "Expected",
    "NativeCode",
    "NotInstalledError",
    "ProcessSubject",
    "names_without_calls",
    "resolve",
]
