"""Scenes on a subject: each is run in a process of its own, and judged literally, by every dialect that speaks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from heaplaw.models.scenes import PROFILE, resized_away, scenes
from heaplaw.spec.catalogue import CATALOGUE
from heaplaw.spec.dialects import BY_NAME, Dialect, in_force
from heaplaw.spec.history import History
from heaplaw.spec.judge import Tally, by_clause, tallied
from heaplaw.spec.law import AnyLaw, Scope
from heaplaw.spec.protocols import Limits

from .judges import FastJudge
from .subjects import Expected, ProcessSubject

MOST_ANSWERS = 6
"""Different answers that are kept of each law."""


@dataclass
class Said:
    """What one dialect says of what was seen where a law speaks."""

    judged: int = 0
    broken: int = 0
    forbidden: list[str] = field(default_factory=list[str])
    """The different answers that it forbids, in words."""


@dataclass
class Clauses:
    """What was seen where laws with clauses speak, and what each dialect says of it."""

    answers: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """By law: the different answers, in the order in which they came."""
    said: dict[tuple[str, Dialect], Said] = field(default_factory=dict[tuple[str, Dialect], Said])

    def take(self, history: History, laws: Sequence[AnyLaw]) -> None:
        """Add what a scene shows: a long run repeats what one has shown."""
        if history.trace.profile != PROFILE:
            return
        for law, dialect, index, allowed in by_clause(history, laws):
            e = history.event(index)
            answer = law.observed(e)
            known = self.answers.setdefault(law.name, [])
            if answer not in known and len(known) < MOST_ANSWERS:
                known.append(answer)
            said = self.said.setdefault((law.name, dialect), Said())
            said.judged += 1
            if not allowed:
                said.broken += 1
                if answer not in said.forbidden:
                    said.forbidden.append(answer)

    def foreseen(self, known: Expected, declared: int) -> bool:
        """Whether what was seen is what was expected: of a law in some dialects, that those of them which are in force
        forbid it, and no other. A law that holds is as well: then the expectation is out of date.
        """
        named = {BY_NAME[name] for name in known.dialects if BY_NAME[name] & declared}
        if not known.dialects:
            return True
        forbid = {dialect for dialect in self.allowing(CATALOGUE[known.law])[1] if dialect & declared}
        return bool(named) and forbid in (set[Dialect](), named)

    def allowing(self, law: AnyLaw) -> tuple[list[Dialect], list[Dialect]]:
        """The dialects that allow all that was seen of a law, and those that do not."""
        spoke = [(dialect, self.said[law.name, dialect]) for dialect in law.clauses if (law.name, dialect) in self.said]
        return [d for d, said in spoke if not said.broken], [d for d, said in spoke if said.broken]


def staged(subject: ProcessSubject, laws: Sequence[AnyLaw], limits: Limits) -> Iterator[tuple[History, list[Tally]]]:
    """The history of each scene, with what the laws found in it."""
    given = subject.shape.name, subject.kinds, subject.env
    single = [law for law in laws if law.scope in (Scope.EVENT, Scope.PAIR, Scope.STEP)]
    # What the host forks for a run has made the instances, as a process that was just started has, and no more.
    for trace in scenes(*given, subject.offers):
        history = subject.run(trace, limits)
        yield history, tallied(history, single)
    steady = resized_away(*given)
    if steady is not None:
        history = subject.run(steady, limits)
        yield history, [*FastJudge(history, [law for law in laws if law.scope is Scope.RUN]).finish().values()]


def silent(law: AnyLaw, dialects: int) -> bool:
    """None of the dialects in force says anything where the law speaks."""
    return bool(law.clauses) and not in_force(law.clauses, dialects)
