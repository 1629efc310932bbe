"""What this machine lacks, what that costs, and what to install or to set."""

import warnings
from collections.abc import Callable

from . import machine, software
from .finding import BROKEN, MISSING, OK, Check, Finding, examined
from .text import document, lines

__all__ = ["BROKEN", "CHECKS", "MISSING", "OK", "Check", "Finding", "document", "examine", "examined", "lines"]

CHECKS: tuple[Check, ...] = (*machine.CHECKS, *software.CHECKS)
"""All that is looked at, but for the libraries that mappings ship for."""


def examine(progress: Callable[[str], None] = lambda _text: None) -> list[Finding]:
    """What every check finds, each for itself: one that fails does not touch the others."""
    with warnings.catch_warnings():  # what others would warn of is told here, in a line of its own
        warnings.simplefilter("ignore")
        return _examined(progress)


def _examined(progress: Callable[[str], None]) -> list[Finding]:
    found: list[Finding] = []
    for check in CHECKS:
        progress(check.name)
        found.append(examined(check))
    try:
        return [*found, *software.libraries()]
    except Exception as error:  # noqa: BLE001 - as for single checks
        return [*found, Finding("libraries", BROKEN, f"{type(error).__name__}: {error}", "which are here is not known")]
