"""What a check of this machine finds."""

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["BROKEN", "MISSING", "OK", "STATES", "Check", "Finding", "examined"]

OK, MISSING, BROKEN = STATES = ("ok", "missing", "broken")
"""`missing`: heaplaw does less, and says what; `broken`: something is there, or has to be, and does not work."""


@dataclass(frozen=True)
class Finding:
    """One thing that heaplaw uses: whether it is there, what its absence costs, and what to do about it."""

    name: str
    state: str
    detail: str = ""
    """What was found: a version, a path, a reason."""
    cost: str = ""
    """What does not work, or not as well; empty where all is well."""
    remedy: str = ""
    """What to install or to set."""


@dataclass(frozen=True)
class Check:
    """A question to this machine, by the name that its finding has."""

    name: str
    ask: Callable[[], Finding]


def examined(check: Check) -> Finding:
    """What a check finds; one that fails itself is a finding too."""
    try:
        return check.ask()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - no check may take the others with it
        told = " ".join(str(error).split())
        return Finding(
            check.name,
            BROKEN,
            f"looking at it failed: {type(error).__name__}: {told}" if told else type(error).__name__,
            "whether it works is not known",
        )
