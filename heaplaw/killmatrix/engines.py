"""Engines that look at one mutant, each on a seeded and fixed budget."""

from heaplaw.check import Check, nearness
from heaplaw.minimise import minimise
from heaplaw.spec.catalogue import laws_of
from heaplaw.spec.protocols import Limits

from .cases import Case
from .matrix import Kill, Row

__all__ = ["LIMITS", "SEED", "run"]

SEED = 1
LIMITS = Limits(cpu=0.5, wall=5.0)
"""What hangs does so for good: short limits tell as much."""
SECONDS = 8.0
"""Limit of minimising one witness. It bounds how short the trace gets, never whether a mutant counts as killed."""


def run(case: Case) -> Row:
    """Check the mutant as a user would: campaigns in a process of its own, judged by every law of its shape."""
    subject = case.subject()
    try:
        state = Check(subject, SEED, case.operations, laws_of(subject.shape.name), LIMITS)
        state.run()
        found = [finding for name, finding in state.findings.items() if name in case.laws]
        kills: tuple[Kill, ...] = ()
        if found:
            nearest = min(found, key=nearness)
            witness = minimise(subject, nearest.law, nearest.history, nearest.violation, SECONDS)
            kills = (Kill(nearest.law.name, "check", len(witness.trace)),)
    finally:
        subject.close()
    return Row(case, kills, frozenset(state.findings))
