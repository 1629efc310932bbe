"""Obligations and what comes of them.

An obligation is a scenario (see `proofs.paths`) that ends in a claim: premise entails body, on everything
that the scenario assumes. Where a law is named, both are the law's own, looked up when the obligation is
built; nothing is restated.

- `Proved`: on every feasible path no counterexample exists, and on some path the premise can be met.
- `Refuted`: a counterexample was found *and* the same step and the same law, run on its integers, showed it
  again.
- `Unknown`: z3 gave up within its budget, the premise can never be met, or a counterexample did not replay.
- `Error`: the scenario or this module failed. Never counted as a refutation.

The budget is z3's resource counter (`rlimit`), not time: an answer does not depend on how busy the machine
is. A refutation of a step is a counterexample to induction: its state satisfies what was assumed, which
does not say that it is reached.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

from heaplaw.spec.catalogue import AnyLaw, law
from heaplaw.spec.logic import Truth, every
from heaplaw.spec.verdict import Error, Holds, Outcome, Proved, Unknown, Verdict, Violated, Violation

from .paths import Concrete, Path, Source, explore
from .symbolic import Reading, plain, settled, truth_term, z3

RLIMIT = 4_000_000
"""z3's resources for one question; the obligations here take far less."""


@dataclass(frozen=True)
class Claim:
    """`premise` entails `body`."""

    premise: Truth
    body: Truth
    law: AnyLaw | None = None
    args: tuple[Any, ...] = ()


Scenario: TypeAlias = Callable[[Source], Claim]


@dataclass(frozen=True)
class Obligation:
    """Something to be proved. `law` is a law's name, or says what else is claimed (an invariant, an access)."""

    name: str
    law: str
    statement: str
    reading: Reading
    build: Scenario
    scope: str = "every state that satisfies the invariant"


@dataclass(frozen=True)
class Refuted:
    """A counterexample that replays."""

    words: str
    observed: str
    required: str
    values: tuple[tuple[str, int], ...]
    whole: bool
    """The state satisfies the whole invariant, not only those instances of it that the proof uses."""


Answer: TypeAlias = Proved | Refuted | Unknown | Error


@dataclass(frozen=True)
class Result:
    """What came of an obligation, on how many paths."""

    obligation: Obligation
    answer: Answer
    paths: int = 0


def law_claim(name: str, *args: Any, given: Truth = True) -> Claim:
    """The law of that name, as it stands in the catalogue now, on `args` (as mathematical integers), where `given`."""
    found = law(name)
    meant = tuple(plain(arg) for arg in args)
    return Claim(every((given, found.premise(*meant))), found.body(*meant), found, meant)


def prove(obligations: Iterable[Obligation], rlimit: int = RLIMIT) -> list[Result]:
    """Decide each obligation, in order."""
    return [prove_one(obligation, rlimit) for obligation in obligations]


def prove_one(obligation: Obligation, rlimit: int = RLIMIT) -> Result:
    """Decide one obligation."""
    try:
        paths = explore(obligation.build, obligation.reading, rlimit)
        return Result(obligation, _answer(obligation, paths), len(paths))
    except Exception as problem:  # noqa: BLE001 - whatever fails in here is an error of ours, never a refutation
        return Result(obligation, Error(f"{type(problem).__name__}: {problem}"))


def _answer(obligation: Obligation, paths: list[Path[Claim]]) -> Answer:
    met, gaps = False, list[str]()
    for path in paths:
        claim = path.result
        assert claim is not None
        wrong = z3.And(truth_term(claim.premise), z3.Not(truth_term(claim.body)))
        answer = z3.unsat if settled(wrong) is False else path.possible(wrong)
        if answer == z3.sat:
            return _refute(obligation, path, wrong)
        if answer != z3.unsat:
            gaps.append(f"z3 gave up: {path.solver.reason_unknown()}")
        met = met or path.possible(truth_term(claim.premise)) == z3.sat
    if gaps:
        return Unknown(gaps[0])
    if not met:
        return Unknown("vacuous: what is assumed, and the premise, were never shown to hold together")
    return Proved(f"{obligation.scope}; {obligation.reading.value}")


def _refute(obligation: Obligation, path: Path[Claim], wrong: Any) -> Answer:
    """Replay a counterexample, a small one that satisfies the whole invariant where there is one."""
    model = path.solver.model()
    if path.possible(wrong, *path.preferences) == z3.sat:
        model = path.solver.model()
    source = Concrete(model, obligation.reading)
    claim = obligation.build(source)
    values = tuple(source.numbers.items())
    shown = ", ".join(f"{name} = {value:#x}" if value > 4096 else f"{name} = {value}" for name, value in values)
    if not source.assumed or not claim.premise or claim.body:
        return Unknown(f"the counterexample does not replay: {shown}")
    observed, required = "the claim is false", obligation.statement
    if claim.law is not None:
        observed, required = claim.law.observed(*claim.args), claim.law.required(*claim.args)
    words = f"{obligation.name}: {observed}; required: {required}; where {shown}"
    return Refuted(words, observed, required, values, source.preferred)


def outcome_of(results: list[Result]) -> Outcome:
    """One outcome for several obligations on one law: the worst."""
    answers = [result.answer for result in results]
    broken = tuple(
        Violation(result.obligation.law, (), result.answer.observed, result.answer.required)
        for result in results
        if isinstance(result.answer, Refuted)
    )
    if broken:
        return Violated(broken, len(broken))
    for kind in (Error, Unknown):
        for answer in answers:
            if isinstance(answer, kind):
                return answer
    return Holds()


def verdicts(results: Iterable[Result]) -> list[Verdict]:
    """A verdict for each law, in the order of their first obligation; it holds if all its obligations are proved."""
    of_law: dict[str, list[Result]] = {}
    for result in results:
        of_law.setdefault(result.obligation.law, []).append(result)
    found: list[Verdict] = []
    for name, group in of_law.items():
        proved = sum(isinstance(result.answer, Proved) for result in group)
        readings = " and ".join(dict.fromkeys(result.obligation.reading.value for result in group))
        evidence = Proved(f"{group[0].obligation.scope}; {readings}; {proved} of {len(group)} obligations")
        notes = tuple(result.answer.words for result in group if isinstance(result.answer, Refuted))
        found.append(Verdict(name, outcome_of(group), evidence, notes))
    return found
