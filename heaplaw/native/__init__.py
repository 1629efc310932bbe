"""Where the built native files lie.

A regular install has them in `heaplaw/_native`, beside the package. An editable install keeps the package in
the checkout and the built files in site-packages: those are found through the distribution's metadata, which
is read only then.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Final

__all__ = ["HOST", "LIBRARY", "MUTANTS", "SHAPES", "find"]

HOST: Final = "heaplaw-host"
LIBRARY: Final = "libheaplaw.so"
MUTANTS: Final = "libheaplaw_mutants.so"
SHAPES: Final = "libheaplaw_shapes.so"

_DISABLE: Final = "HEAPLAW_NO_NATIVE"
_BESIDE: Final = Path(__file__).resolve().parent.parent / "_native"


def find(name: str) -> Path | None:
    """Give the path of the built file `name`, or None: not built here, or HEAPLAW_NO_NATIVE=1 forbids it."""
    if os.environ.get(_DISABLE, "") not in {"", "0"}:
        return None
    beside = _BESIDE / name
    return beside if beside.is_file() else _installed(name)


@cache
def _installed(name: str) -> Path | None:
    """Look `name` up among the files that the installed distributions of heaplaw recorded."""
    from importlib.metadata import distributions

    # More than one answers when an egg-info or another install lies earlier on the path.
    for distribution in distributions(name="heaplaw"):
        for entry in distribution.files or ():
            if entry.parts[-3:] == ("heaplaw", "_native", name):
                path = Path(str(entry.locate()))
                if path.is_file():
                    return path.resolve()
    return None
