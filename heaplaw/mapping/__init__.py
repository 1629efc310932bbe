"""Mappings: TOML files that say how an allocator is called (docs/mapping.md).

`load` reads one and `check_symbols` holds it against a library; either tells all mistakes at once, each with its line
and column, by a MappingError. Nothing here loads or runs what is judged.
"""

from .model import Buffer, Call, Expect, Kind, Mapping, Promises
from .problems import MappingError, Position
from .reader import load
from .symbols import Exported, check_symbols

__all__ = [
    "Buffer",
    "Call",
    "Expect",
    "Exported",
    "Kind",
    "Mapping",
    "MappingError",
    "Position",
    "Promises",
    "check_symbols",
    "load",
]
