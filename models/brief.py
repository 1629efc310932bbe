"""Failures under a test runner: the user's frames, without those of Hypothesis between the test and the rule."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from types import TracebackType
from typing import Any

import hypothesis
from hypothesis import Verbosity

from .methods import UnfitError

OURS = __name__.partition(".")[0]
THEIRS = Path(hypothesis.__file__).parent


def brief(run: Callable[[Any], None]) -> Callable[[Any], None]:
    """`run`, the test of a machine; what it raises comes with the frames that the user can do something about.

    `Verbosity.debug` among the settings leaves all of them. A subject that does not fit its machine is no matter of the
    run: it is told in one line, without any.
    """

    @wraps(run)
    def told_briefly(case: Any) -> None:
        __tracebackhide__ = True
        unfit: UnfitError | None = None
        try:
            run(case)
        except Exception as error:
            if case.settings.verbosity >= Verbosity.debug:
                raise
            left = frames(error.__traceback__)
            if not isinstance(error, UnfitError) or any(package(each) != OURS for each in left):
                error.__traceback__ = joined(left)
                raise
            unfit = UnfitError(*error.args)
        if unfit is not None:
            the_machine_does_not_fit(unfit)

    return told_briefly


def the_machine_does_not_fit(reason: UnfitError) -> None:
    """The one frame that is shown."""
    raise reason


def package(entry: TracebackType) -> str:
    """The package, or top module, whose code a frame runs. What Hypothesis generates is in its files by name alone."""
    if Path(entry.tb_frame.f_code.co_filename).is_relative_to(THEIRS):
        return "hypothesis"
    return str(entry.tb_frame.f_globals.get("__name__", "")).partition(".")[0]


def frames(entry: TracebackType | None) -> list[TracebackType]:
    """Those that are not in Hypothesis; all where there are none but the test's own: it speaks for itself then."""
    found: list[TracebackType] = []
    while entry is not None:
        found.append(entry)
        entry = entry.tb_next
    others = [each for each in found if package(each) != "hypothesis"]
    return others if len(others) > 1 else found


def joined(entries: list[TracebackType]) -> TracebackType | None:
    """A traceback of these frames."""
    whole: TracebackType | None = None
    for each in reversed(entries):
        whole = TracebackType(whole, each.tb_frame, each.tb_lasti, each.tb_lineno)
    return whole
