"""How pytest shows what is ours. It leans on how pytest writes reports down, and stands here alone for that."""

import contextlib
import inspect
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from _pytest._code.code import ExceptionChainRepr, ReprEntryNative, ReprFileLocation, ReprTraceback

from .failures import Told


def retold(report: pytest.TestReport, item: pytest.Item, call: pytest.CallInfo[None]) -> pytest.TestReport:
    """The report, with our own words in place of a traceback where the failure is ours."""
    raised: Any = call.excinfo.value if call.excinfo else None
    place = place_of(item)
    if isinstance(raised, Told) and report.failed:
        report.longrepr = shown(raised.summary, raised.lines, place)
    elif isinstance(raised, violated()) and report.failed:
        lines = [*str(raised).splitlines(), *notes(raised)]
        report.longrepr = shown(lines[0], lines, place)
    elif isinstance(raised, pytest.skip.Exception) and ours(item) and report.skipped:
        report.longrepr = (*place, f"Skipped: {raised.msg}")
    return report


def place_of(item: pytest.Item) -> tuple[str, int]:
    """The file and line that a test stands at: of a subclass of ours, the class, since the test itself is inherited."""
    path, line, _ = item.reportinfo()
    cls = getattr(item, "cls", None)
    if cls is not None and Path(path) != item.path:
        with contextlib.suppress(OSError, TypeError):
            return str(item.path), inspect.getsourcelines(cls)[1]
    return str(Path(path)), (line or 0) + 1


def ours(item: pytest.Item) -> bool:
    """An item whose skips stand where the user wrote it."""
    return any(name == "heaplaw.subject" for name, _ in item.user_properties)


def violated() -> tuple[type[BaseException], ...]:
    """The exception of a machine that found a law broken, where machines are in use."""
    machines = sys.modules.get("heaplaw.models.session")
    return (machines.LawViolated,) if machines else ()


def notes(raised: BaseException) -> list[str]:
    """What Hypothesis adds."""
    return [line for note in getattr(raised, "__notes__", ()) for line in str(note).splitlines()]


def shown(summary: str, lines: Sequence[str], place: tuple[str, int]) -> ExceptionChainRepr:
    """Lines as pytest keeps, sends and prints a failure; `summary` is what its own summary and JUnit's message say."""
    entry = ReprEntryNative([line + "\n" for line in lines])
    crash = ReprFileLocation(place[0], place[1], summary)
    return ExceptionChainRepr([(ReprTraceback([entry], None, "native"), crash, None)])
