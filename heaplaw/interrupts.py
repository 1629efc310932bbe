"""Ctrl-C: held back where it would leave something half done, and remembered.

Without `install` nothing changes: a library must not touch its user's signals.
"""

import signal
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType


class _State:
    """What is known of interrupts: how many came, how many sections are open, whether one waits."""

    count = 0
    depth = 0
    waiting = False


def install() -> None:
    """From now on SIGINT raises KeyboardInterrupt, but not inside `held`."""
    _State.count, _State.depth, _State.waiting = 0, 0, False
    signal.signal(signal.SIGINT, _arrived)


def asked() -> bool:
    """The user has interrupted."""
    return _State.count > 0


@contextmanager
def held() -> Generator[None]:
    """A section that is run to its end; an interrupt that comes meanwhile is raised after it."""
    _State.depth += 1
    try:
        yield
    finally:
        _State.depth -= 1
    if _State.waiting and not _State.depth:
        _State.waiting = False
        raise KeyboardInterrupt


def _arrived(_number: int, _frame: FrameType | None) -> None:
    _State.count += 1
    if _State.depth and _State.count < 3:  # who insists is let out
        _State.waiting = True
        return
    raise KeyboardInterrupt
