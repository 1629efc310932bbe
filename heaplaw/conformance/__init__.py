"""Conformance of a memory manager, for pytest: `pytest --heaplaw mine.toml --pyargs heaplaw.conformance`, and forms for
users' own test files.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .forms import Conformance, conformance_test

__all__ = ["Conformance", "conformance_test"]


def __getattr__(name: str) -> object:
    if name in __all__:
        from . import forms

        return getattr(forms, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
