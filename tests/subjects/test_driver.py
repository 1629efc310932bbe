"""The driver in Python leaves the same history as the driver in C."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from heaplaw import native
from heaplaw.calls import PYTHON_FAMILIES
from heaplaw.host import Command
from heaplaw.models import generate
from heaplaw.plan import standard_plan
from heaplaw.spec.history import EVENT_COLUMNS, Completed, History, Trace
from heaplaw.spec.protocols import Limits
from heaplaw.subjects.base import ProcessSubject, worker_command
from heaplaw.subjects.resolve import resolve

NAMES = ("malloc_usable_size", "malloc", "calloc", "realloc", "free", "aligned_alloc", "posix_memalign")


@pytest.fixture(params=["ok-firstfit", "calloc-count-only", "free-tag-in-tail", "shrink-tail-early", "coalesce-loop"])
def subject(request: pytest.FixtureRequest) -> Iterator[ProcessSubject]:
    """Variants that live in one region: their addresses repeat, relative to the first."""
    if native.find(native.HOST) is None or native.find(native.MUTANTS) is None:
        pytest.skip("the native parts are not built here (no C compiler)")
    (found,) = resolve(f"mutant:{request.param}")
    yield found
    found.close()


def in_python(subject: ProcessSubject) -> ProcessSubject:
    """The same library under the Python worker."""
    symbols = {name.removeprefix("malloc_") if "usable" in name else name: f"mut_{name}" for name in NAMES}
    library = str(native.find(native.MUTANTS))
    spec = {"kind": "mapped", "library": library, "plan": standard_plan(symbols).document()}
    assert isinstance(subject.command, Command)
    command = worker_command(spec, subject.command.environment)
    return replace(subject, command=command, driver="python", _host=None)


def columns(history: History) -> dict[str, list[int]]:
    """The columns as lists, addresses relative to the first."""
    found = {c.name: np.asarray(history.columns[c.name]).astype(np.int64) for c in EVENT_COLUMNS}
    given = found["ptr"] != 0
    found["ptr"][given] -= found["ptr"][given].min()
    return {name: column.tolist() for name, column in found.items()}


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("payload", [True, False])
def test_same_history(subject: ProcessSubject, seed: int, payload: bool) -> None:
    trace: Trace = generate.mixed(2500, seed, subject.kinds)
    other = in_python(subject)
    try:
        limits = Limits(cpu=0.5)
        c, python = subject.run(trace, limits, payload), other.run(trace, limits, payload)
    finally:
        other.close()
    assert c.end == python.end
    expected, found = columns(c), columns(python)
    for name, column in expected.items():
        assert found[name] == column, name


@pytest.mark.parametrize("family", PYTHON_FAMILIES)
def test_same_history_of_an_interpreter(family: str) -> None:
    """The driver in C is called inside the Python worker; addresses are whatever the system gives."""
    (subject,) = resolve(family)
    if subject.driver != "native":
        pytest.skip("the native parts are not built here (no C compiler)")
    trace: Trace = generate.mixed(2500, 3, subject.kinds)
    other = replace(subject, command=worker_command({"kind": "cpython", "family": family}), driver="python", _host=None)
    try:
        c, python = subject.run(trace, Limits(cpu=0.5)), other.run(trace, Limits(cpu=0.5))
    finally:
        subject.close()
        other.close()
    assert c.end == python.end == Completed()
    for name in ("status", "flags", "err", "owner", "held", "bad_at"):
        assert list(c.columns[name]) == list(python.columns[name]), name
