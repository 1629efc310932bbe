"""Laws and conformance checks for memory allocators.

Importing this package is cheap: nothing heavy (NumPy, z3, Hypothesis) is loaded before it is used.
"""

__all__ = ["__version__"]

__version__: str


def __getattr__(name: str) -> str:
    """Give the installed version; its one source is `pyproject.toml`."""
    if name == "__version__":
        from importlib.metadata import version

        return version("heaplaw")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
