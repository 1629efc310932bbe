"""Laws and conformance checks for memory allocators.

Importing this package is cheap: nothing heavy (NumPy, z3, Hypothesis, pytest) is loaded before it is used.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .conformance.forms import Conformance, conformance_test
    from .recording import Recording, judge

__all__ = ["Conformance", "Recording", "__version__", "conformance_test", "judge"]

__version__: str
_PLACES = {
    "Conformance": "heaplaw.conformance.forms",
    "conformance_test": "heaplaw.conformance.forms",
    "Recording": "heaplaw.recording",
    "judge": "heaplaw.recording",
}


def __getattr__(name: str) -> object:
    """Give the installed version, whose one source is `pyproject.toml`; or what is imported when it is asked for."""
    if name == "__version__":
        from importlib.metadata import version

        return version("heaplaw")
    if name in _PLACES:
        from importlib import import_module

        return getattr(import_module(_PLACES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
