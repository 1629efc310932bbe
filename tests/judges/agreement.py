"""What it means that two judges agree, and the engines of the fast one."""

from collections.abc import Sequence
from typing import Any

import pytest

from heaplaw import ghosts, judges, shadow
from heaplaw.judges import judge_fast
from heaplaw.spec import judge as naive
from heaplaw.spec.catalogue import laws_of
from heaplaw.spec.history import History
from heaplaw.spec.law import Law
from heaplaw.spec.report import REPORTS
from heaplaw.spec.verdict import Tested, Verdict, Violated

ALL = 10**6
ENGINES = ("shadow", "dominance")
"""Both of the fast judge's inner loops in C, or neither."""
Seen = tuple[str, type, int, int, set[tuple[Any, ...]]]
"""Of one law: its name, the outcome, judged, broken, and the violations."""


def use(engine: str, patch: pytest.MonkeyPatch) -> None:
    """The fast judge by one of its engines; all violations are kept, so that they can be compared."""
    patch.setattr(naive, "KEPT", ALL)
    patch.setattr(judges, "KEPT", ALL)
    if engine == "dominance":
        patch.setattr(judges, "native_library", lambda: None)
        patch.setattr(ghosts, "native_library", lambda: None)
    elif shadow.native_library() is None:
        pytest.skip("the shadow is not built")


def seen(verdict: Verdict) -> Seen:
    """What two judges must agree on."""
    assert isinstance(verdict.evidence, Tested)
    outcome = verdict.outcome
    shown = outcome.violations if isinstance(outcome, Violated) else ()
    total = outcome.total if isinstance(outcome, Violated) else 0
    told = {(each.operations, each.observed, each.required) for each in shown}
    assert len(told) == len(shown) == total
    return verdict.law, type(outcome), verdict.evidence.judged, total, told


def silent_laws(shape: str) -> list[Law]:
    """The laws of a shape for subjects that make no reports and know no limit."""
    return [law for law in laws_of(shape) if not law.needs & (REPORTS | {"limit"})]


def agree(history: History, laws: Sequence[Law] | None = None) -> list[Seen]:
    """The naive judge's verdicts, which are also the fast one's."""
    asked = silent_laws(history.trace.shape) if laws is None else laws
    expected = [seen(verdict) for verdict in naive.judge(history, asked)]
    for exact, fast in zip(expected, map(seen, judge_fast(history, asked)), strict=True):
        assert fast == exact, f"of one alone: {exact[4] ^ fast[4]}"
    return expected


def blamed(found: Sequence[Seen]) -> dict[str, set[tuple[int, ...]]]:
    """The laws that are broken, and where."""
    return {each[0]: {where for where, _, _ in each[4]} for each in found if each[4]}
