"""Conformance in a user's own test files: a function made by `conformance_test`, a class, a fixture.

Each gives one test a law. The subject is made in a copy of the test's process, so that a crash in it is a verdict.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from .judged import Finding, Judged, Settings, clauses, run

FIXTURE = "heaplaw_finding"
"""The fixture that judges; the tests made here are given what it found."""


@dataclass(frozen=True)
class Form:
    """What a test says of its subject."""

    make: Callable[..., object]
    shape: str
    promises: Mapping[str, object] = field(default_factory=dict[str, object])
    expect: Mapping[str, str] = field(default_factory=dict[str, str])
    operations: int | None = None
    seed: int | None = None

    def settings(self, plain: Settings) -> Settings:
        """How it is checked: as the session says, where the test says nothing."""
        operations = plain.operations if self.operations is None else self.operations
        return replace(plain, operations=operations, seed=plain.seed if self.seed is None else self.seed)

    def subject(self, node: str, item: str = "") -> Any:
        """The subject, started; UsageError where it cannot be. `node` names it, `item` is the test to run for it."""
        from heaplaw.subjects.python import here_subject

        subject = here_subject(self.make, self.shape, node, self.promises, self.expect, item)
        if self.operations is not None:  # the run's usual length: expected violations are strict in it
            subject.operations = self.operations
        return subject

    def judged(self, node: str, item: str, settings: Settings) -> Judged:
        """Check the subject."""
        from heaplaw.errors import UsageError

        try:
            subject = self.subject(node, item)
        except UsageError as error:
            return Judged(error=str(error))
        return run(subject, self.settings(settings))


def conformance_test(
    make: Callable[..., object],
    shape: str,
    *,
    promises: Mapping[str, object] | None = None,
    expect: Mapping[str, str] | None = None,
    operations: int | None = None,
    seed: int | None = None,
) -> Callable[..., None]:
    """A test function, to be bound to a name that pytest collects; it becomes one test for each law of `shape`.

        test_my_pool = heaplaw.conformance_test(lambda: MyPool(64, 100), shape="pool")

    `make`: a class, or whatever else gives a fresh allocator when it is called. `promises`: the keys of a mapping's
    `[promises]`. `expect`: known violations, the law's id or name with the reason; they are strict. `operations` and
    `seed` go before what the session says. ValueError for a shape that there is not.
    """
    form = Form(make, shape, dict(promises or {}), dict(expect or {}), operations, seed)

    def test(heaplaw_finding: Finding) -> None:
        """A law holds."""
        require(heaplaw_finding)

    # pytest tells where a test stands by its code: that is the user's line, not this one.
    caller = inspect.stack()[1]
    test.__code__ = test.__code__.replace(co_filename=caller.filename, co_firstlineno=caller.lineno)
    test.__module__ = caller.frame.f_globals.get("__name__", test.__module__)
    test.__heaplaw__ = form  # type: ignore[attr-defined]
    marked: Callable[..., None] = pytest.mark.parametrize(**laws_of(shape))(test)
    return marked


def laws_of(shape: str) -> dict[str, Any]:
    """How a test is parametrised that is one for each law of `shape`; ValueError for a shape that there is not."""
    from heaplaw.spec.shapes import SHAPES

    if shape not in SHAPES:
        said = f"{shape!r} is no shape" if shape else "shape is not set"
        raise ValueError(f"{said}; there are {', '.join(SHAPES)}")
    every = clauses(shape)
    return {"argnames": FIXTURE, "argvalues": every, "indirect": True, "ids": [clause.id for clause in every]}


class Conformance:
    """Conformance as a class: subclass it under a name that pytest collects, set `shape`, and write `make`.

    class TestMyPool(heaplaw.Conformance):
        shape = "pool"

        def make(self):
            return MyPool(64, 100)

    `promises`, `expect`, `operations` and `seed` are as `conformance_test` takes them. `make` may use what fixtures of
    the class (autouse, or asked for by its own tests) have put on `self`.
    """

    shape = ""
    promises: Mapping[str, object] = {}
    expect: Mapping[str, str] = {}
    operations: int | None = None
    seed: int | None = None

    def make(self) -> object:
        """A fresh allocator."""
        raise NotImplementedError(f"{type(self).__name__} needs make(), which returns the allocator to judge")

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """One test for each law."""
        if FIXTURE in metafunc.fixturenames:
            metafunc.parametrize(**laws_of(self.shape))

    def test_law(self, heaplaw_finding: Finding) -> None:
        """A law holds."""
        require(heaplaw_finding)


def form_of(request: pytest.FixtureRequest) -> Form:
    """What the test that asks says of its subject."""
    form: Form | None = getattr(request.function, "__heaplaw__", None)
    if form is not None:
        return form
    of = request.instance
    if not isinstance(of, Conformance):
        raise TypeError(f"{FIXTURE} is for tests made by heaplaw.conformance_test, and in heaplaw.Conformance")
    return Form(of.make, of.shape, of.promises, of.expect, of.operations, of.seed)


def require(finding: Finding) -> None:
    """LawBrokenError where a law is broken that was not known to be, or one known to be is not."""
    from .failures import LawBrokenError

    __tracebackhide__ = True
    if finding.outcome in ("violated", "gone"):
        raise LawBrokenError(finding.summary, finding.lines)
