"""The fixtures, as they work."""

from collections.abc import Callable, Mapping

import pytest

from heaplaw.spec.catalogue import law

from .again import replaying
from .failures import LawBrokenError, UndecidedError, heading
from .forms import Form, form_of
from .judged import Clause, Finding, Judged, dialect
from .session import settings_of, told
from .shared import shared


def finding(request: pytest.FixtureRequest) -> Finding:
    """What came of the law that the test is for. All tests of one subject share a check."""
    form = form_of(request)
    clause: Clause = request.param
    node = without(request.node.nodeid, clause)
    if (again := replaying(request.config)) is not None:
        again.run(form, node)
        pytest.skip("a stored trace was run in place of it")
    item = request.node.nodeid
    judged = shared(request.config, node, lambda: form.judged(node, item, settings_of(request.config)))
    return told(request.node, judged, clause, dialect(form.shape))


def without(nodeid: str, clause: Clause) -> str:
    """A test's id without the law: what tests of one subject have in common, other parameters included."""
    name, bracket, parameters = nodeid.partition("[")
    if not bracket:
        return name
    rest = parameters.removesuffix("]").replace(clause.id, "", 1).replace("--", "-").strip("-")
    return f"{name}[{rest}]" if rest else name


class Found(dict[str, Finding]):
    """Findings by the laws' names; ids will do too."""

    def __missing__(self, name: str) -> Finding:
        return super().__getitem__(law(name).name)


class Conforms:
    """Judges allocators inside a test."""

    def __init__(self, request: pytest.FixtureRequest) -> None:
        self._request = request
        self._turn = 0

    def __call__(
        self,
        make: Callable[..., object],
        shape: str,
        *,
        promises: Mapping[str, object] | None = None,
        expect: Mapping[str, str] | None = None,
        operations: int | None = None,
        seed: int | None = None,
    ) -> Found:
        """The findings by law. LawBrokenError tells what is broken, UndecidedError what could not be judged."""
        __tracebackhide__ = True
        form = Form(make, shape, dict(promises or {}), dict(expect or {}), operations, seed)
        item = self._request.node.nodeid
        self._turn += 1
        node = item if self._turn == 1 else f"{item}, judged {self._turn}."
        if (again := replaying(self._request.config)) is not None and again.run(form, node):
            pytest.skip("a stored trace was run in place of it")
        return required(form.judged(node, item, settings_of(self._request.config)))


def required(judged: Judged) -> Found:
    """The findings, where no law is broken and each that applies was decided."""
    __tracebackhide__ = True
    if judged.findings is None:
        raise UndecidedError(f"not judged: {judged.error}")
    every = list(judged.findings.values())
    broken = [found for found in every if found.outcome in ("violated", "gone")]
    if broken:
        lines = [line for place, found in enumerate(broken) for line in told_of(found, place)]
        raise LawBrokenError(heading([broken[0].summary], len(broken) - 1), lines)
    if undecided := [found for found in every if found.outcome == "undecided"]:
        lines = [judged.title, *(found.summary for found in undecided), *undecided[0].lines]
        raise UndecidedError(undecided[0].summary, lines)
    return Found(judged.findings)


def told_of(found: Finding, place: int) -> tuple[str, ...]:
    """A finding's lines; what is judged is said with the first one alone."""
    lines = found.lines or (found.summary,)
    return lines if not place else ("", *(lines[2:] or lines))
