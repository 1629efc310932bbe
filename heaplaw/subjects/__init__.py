"""Subjects: what heaplaw can judge, and how each is run in a process apart."""

from .base import NativeCode, ProcessSubject, UsageError, names_without_calls
from .resolve import resolve

__all__ = ["NativeCode", "ProcessSubject", "UsageError", "names_without_calls", "resolve"]
