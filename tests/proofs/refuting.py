"""What tests of proofs share: a part's obligations are proved, and its mutants refuted, by those named."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import pytest

from heaplaw.mutants.reference import load
from heaplaw.proofs.prove import Obligation, Refuted, Result, prove, unused
from heaplaw.proofs.symbolic import Reading
from heaplaw.spec.verdict import Proved

READINGS = [
    pytest.param(Reading.W64, id="wrapping"),
    pytest.param(Reading.UNBOUNDED, id="unbounded", marks=pytest.mark.slow),
]
"""Where refuting takes long: by integers that wrap, and by those that do not when there is time."""
Stated = Callable[..., Iterator[Obligation[Any]]]


def assert_proved(results: Iterable[Result]) -> None:
    """Each obligation is proved, and each hypothesis is used by a proof."""
    found = list(results)
    assert [(each.obligation.name, each.answer) for each in found if not isinstance(each.answer, Proved)] == []
    assert unused(found) == {}


def refuted_by(
    mutant: str, module: str, stated: Stated, names: Iterable[str], readings: Iterable[Reading] = tuple(Reading)
) -> list[str]:
    """Those of the named obligations that the mutant's `module` does not refute, with the reading and the answer.

    The counterexample was run on concrete values through the same step and law: that is what `Refuted` means.
    """
    wanted, read = set(names), set(readings)
    chosen = [each for each in stated(load(mutant, module)) if each.name in wanted and each.reading in read]
    missing = wanted - {each.name for each in chosen}
    results = prove(chosen)
    kept = [
        f"{each.obligation.name}, {each.obligation.reading.value}: {each.answer}"
        for each in results
        if not isinstance(each.answer, Refuted)
    ]
    return [*kept, *(f"{name}: there is no such obligation" for name in sorted(missing))]


def never_refuted(stated: Stated, refutes: Mapping[str, Iterable[str]]) -> set[str]:
    """Obligations that no mutant is said to refute: a proof that cannot fail is none."""
    return {each.name for each in stated()} - {name for names in refutes.values() for name in names}
