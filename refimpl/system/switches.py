"""The switches that an environment sets, with no change to a program. Source: the allocator system, Memory Profiling
and Building (its SWIFTLANG_MEM_STATS, SWIFTLANG_MEM_DEBUG and USE_CUSTOM_ALLOCATORS).
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from .errors import MisuseError

STATS = "HEAPLAW_MEM_STATS"
DEBUG = "HEAPLAW_MEM_DEBUG"
CUSTOM = "HEAPLAW_CUSTOM_ALLOCATORS"
_VALUES = {"1": True, "on": True, "yes": True, "true": True, "0": False, "off": False, "no": False, "false": False}


@dataclass(frozen=True)
class Switches:
    """How a registry behaves."""

    stats: bool = False
    """Statistics are written to stderr at shutdown, or at the end of the process."""
    debug: bool = False
    """Everything is traced and confined to its thread, and leaks are written to stderr likewise."""
    custom: bool = True
    """Each subsystem has the allocator of its plan; off: all have plain malloc."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Switches":
        """What the environment says: 1, on, yes, true or 0, off, no, false; unset or empty is the default.

        `MisuseError` for any other value, with the variable's name.
        """
        known = os.environ if environment is None else environment
        return cls(_switch(known, STATS, False), _switch(known, DEBUG, False), _switch(known, CUSTOM, True))


def _switch(environment: Mapping[str, str], name: str, default: bool) -> bool:
    value = environment.get(name, "").strip().lower()
    if value == "":
        return default
    if value not in _VALUES:
        raise MisuseError(f"{name}={value!r}", f"a switch is one of {', '.join(_VALUES)}")
    return _VALUES[value]
