"""Which laws a contract asks for: it is run on integers, and those laws are seen that it looks up and whose premise
holds.

A law that a contract names, and that never speaks there, is no evidence for the law: it is not counted. No answer of
CrossHair's is needed for this, and none is given.
"""

import random
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from inspect import signature
from types import CodeType
from typing import TYPE_CHECKING, Any

from heaplaw.spec.catalogue import law

if TYPE_CHECKING:
    from heaplaw.proofs.contracts import Contract

__all__ = ["laws_of_contract"]

VALUES = (
    *(0, 1, 2, 3, 5, 6, 7, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 256, 512, 1024, 4096, 8192),
    *(2**40, 2**63 - 1, 2**63),
)
"""What arguments are drawn from: indices, small multiples of words, and sizes near the limits."""
DRAWN, RUNS = 20_000, 60
"""Arguments that are drawn at most, and how many of those that the contract allows it is run on."""


class _Asked:
    """A law of the catalogue that remembers in `seen` whether it spoke."""

    def __init__(self, seen: set[str], name: str) -> None:
        self._law, self._seen = law(name), seen

    def holds(self, *args: Any) -> Any:
        """What the law says."""
        if self._law.premise(*args):
            self._seen.add(self._law.name)
        return self._law.holds(*args)


@cache
def laws_of_contract(contract: "Contract") -> frozenset[str]:
    """The names of the laws that spoke while the contract ran on some arguments that it allows."""
    from heaplaw.proofs.contracts import memory
    from heaplaw.proofs.loops import swapped

    seen: set[str] = set()
    shared = swapped(memory, law=partial(_Asked, seen))
    module = swapped(sys.modules[contract.function.__module__], holds=shared.holds, disjoint=shared.disjoint)
    function: Callable[..., bool] = getattr(module, contract.function.__name__)
    for arguments in _allowed(contract.function):
        function(**arguments)
    return frozenset(seen)


def _allowed(function: Callable[..., bool]) -> Iterator[dict[str, int]]:
    """Arguments that satisfy what stands behind `pre:` in the docstring; the same ones each time."""
    text = (line.strip() for line in (function.__doc__ or "").splitlines())
    conditions = [compile(line[4:].strip(), function.__name__, "eval") for line in text if line.startswith("pre:")]
    known: Mapping[str, Any] = function.__globals__
    names, draw, runs = [*signature(function).parameters], random.Random(1), 0
    for _ in range(DRAWN):
        arguments = {name: draw.choice(VALUES) for name in names}
        if _satisfied(conditions, {**known, **arguments}):
            yield arguments
            runs += 1
            if runs == RUNS:
                return


def _satisfied(conditions: list[CodeType], names: dict[str, Any]) -> bool:
    try:
        return all(eval(condition, names) for condition in conditions)
    except (IndexError, ValueError, ArithmeticError):  # what an earlier condition does not rule out
        return False
