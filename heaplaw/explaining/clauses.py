"""What standards and manuals say where a law speaks: in words, and of the answers that one of them forbids."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from heaplaw.spec.dialects import NAMES, leaves_open
from heaplaw.spec.law import AnyLaw


@dataclass(frozen=True)
class Stated:
    """One standard or manual on one law."""

    dialect: str
    text: str
    """The clause: where it stands, and what it says."""
    allows: tuple[str, ...] = ()
    forbids: tuple[str, ...] = ()
    """Answers that some dialect forbids, in words, and whether this one does."""
    open: bool = False
    """It allows every answer."""

    @property
    def ruling(self) -> str:
        """What it allows and forbids, in words; empty where the law is the same for all."""
        if self.open:
            return "leaves it open: allows every answer"
        parts = [f"allows {_quoted(self.allows)}"] if self.allows else []
        return "; ".join([*parts, f"forbids {_quoted(self.forbids)}"] if self.forbids else parts)


def _quoted(answers: tuple[str, ...]) -> str:
    return ", ".join(f'"{answer}"' for answer in answers)


def stated(found: AnyLaw) -> list[Stated]:
    """Every standard and manual that speaks of a law; where they differ, each is asked about the same answers."""
    asked = dict(_answers(found))
    told = [Stated(dialect, text) for dialect, text in found.dialects.items()]
    for dialect, clause in found.clauses.items():
        sides: dict[bool, list[str]] = {True: [], False: []}
        for words, args in asked.items():
            sides[bool(clause.allows(*args))].append(words)
        allows, forbids = tuple(sides[True]), tuple(sides[False])
        told.append(Stated(NAMES[dialect], clause.text, allows, forbids, clause.allows is leaves_open))
    return told


def _answers(found: AnyLaw) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Answers that a dialect forbids, among those on which the law itself is tried: in words, and as it is given them.

    Of an answer that nobody forbids the law has no words.
    """
    for args in (*found.accepts, *found.rejects):
        if not all(clause.allows(*args) for clause in found.clauses.values()):
            yield found.observed(*args), args
