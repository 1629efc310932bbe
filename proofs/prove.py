"""Obligations and what comes of them.

An obligation is a scenario (see `proofs.paths`) with a claim on what came of it: premise entails body, on everything
that the scenario assumes. Where a law is named, both are the law's own, looked up when the claim is made; nothing is
restated. Obligations that share a scenario share its exploration.

- `Proved`: on every feasible path no counterexample exists, and a state of integers was found, and run, in which all
  that is assumed holds and the premise too.
- `Refuted`: a counterexample was found *and* the same step and the same law, run on its integers, showed it
  again.
- `Unknown`: z3 gave up within its budget, the premise can never be met, or a counterexample did not replay.
- `Error`: the scenario or this module failed. Never counted as a refutation.

The budget is z3's resource counter (`rlimit`), not time: an answer does not depend on how busy the machine
is. A refutation of a step is a counterexample to induction: its state satisfies what was assumed, which
does not say that it is reached.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from typing import Any, Generic, TypeAlias, TypeVar

from heaplaw.spec.catalogue import AnyLaw, law
from heaplaw.spec.logic import Truth, every
from heaplaw.spec.verdict import Error, Proved, Unknown

from .concrete import Concrete
from .facts import z3
from .failing import failure
from .guard import departure
from .paths import INTEGERS, Engine, Path, Source, explore
from .symbolic import Reading, plain, settled, truth_term

RLIMIT = 3_000_000
"""z3's resources for one question; the obligations here take far less."""
S = TypeVar("S")
READINGS = tuple(Reading)


@dataclass(frozen=True)
class Claim:
    """`premise` entails `body`."""

    premise: Truth
    body: Truth
    law: AnyLaw | None = None
    args: tuple[Any, ...] = ()
    said: Callable[[], str] | None = None
    """What was observed, in words, of a claim that is no law's; asked of integers only."""
    cases: Mapping[str, Truth] = field(default_factory=dict[str, Truth])
    """Of what is claimed to be possible (`Obligation.possible`): it is in each of these cases, each in words."""


@dataclass(frozen=True)
class Obligation(Generic[S]):
    """Something to be proved of one step of one part of the reference."""

    part: str
    """Which allocator: pool, bump, …"""
    step: str
    """What is run: alloc, dealloc, one turn of a loop, …"""
    about: str
    """The name of a law, or what else is claimed: an invariant, an access."""
    statement: str
    """The claim, in words."""
    scope: str
    """What it is proved for, in words."""
    reading: Reading
    scenario: Callable[[Source], S]
    claim: Callable[[S], Claim]
    trusted: tuple[str, ...] = ()
    """What the proof takes for granted, in words, beside z3 and this machinery."""
    possible: bool = False
    """What is claimed is that this can be: on each way through the scenario some integers satisfy all that is assumed,
    and the premise. Refuted where z3 shows that there are none.
    """
    engine: Engine = INTEGERS
    """What it is decided on."""
    guarded: bool = False
    """The scenario runs code of which nobody knows how it looks at numbers: see `proofs.guard`."""

    @property
    def name(self) -> str:
        """What it is called, in either reading."""
        return f"{self.part}.{self.step}.{self.about}"


AnyObligation: TypeAlias = Obligation[Any]


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
    """What came of an obligation."""

    obligation: AnyObligation
    answer: Answer
    paths: int = 0
    """Ways through the scenario."""
    seconds: float = 0.0
    """Time taken; that of a shared exploration is the first obligation's."""
    hypotheses: tuple[str, ...] = ()
    """What was assumed, by label."""
    used: tuple[str, ...] = ()
    """Those that the proof used, by z3's unsatisfiable cores: on the way through the step, and for the claim."""


def law_claim(name: str, *args: Any, given: Truth = True) -> Claim:
    """The law of that name, as it stands in the catalogue now, on `args` (as mathematical integers), where `given`."""
    found = law(name)
    meant = tuple(plain(arg) for arg in args)
    return Claim(every((given, found.premise(*meant))), found.body(*meant), found, meant)


def family(
    part: str,
    step: str,
    scenario: Callable[[Source], S],
    claims: Mapping[str, Callable[[S], Claim]],
    scope: str,
    words: Mapping[str, str] = {},
    trusted: tuple[str, ...] = (),
    readings: Iterable[Reading] = READINGS,
) -> Iterator[Obligation[S]]:
    """Obligations on one scenario, in each reading. What is no law's name is said in `words`."""
    for reading in readings:
        for about, claim in claims.items():
            statement = words[about] if about in words else law(about).sentence
            yield Obligation(part, step, about, statement, scope, reading, scenario, claim, trusted)


def prove(obligations: Iterable[AnyObligation], rlimit: int = RLIMIT) -> list[Result]:
    """Decide each obligation, in order."""
    return list(proving(obligations, rlimit))


def proving(obligations: Iterable[AnyObligation], rlimit: int = RLIMIT, minimal: bool = False) -> Iterator[Result]:
    """Decide each obligation, in order, as asked for. Neighbours on the same scenario are explored once.

    `minimal`: of the hypotheses that a proof uses none can be left out, on each path; that takes longer.
    """
    shared = groupby(obligations, lambda each: (id(each.scenario), each.reading, each.engine))
    for (_, reading, engine), group in shared:
        members = list(group)
        started = time.monotonic()
        try:
            paths = explore(members[0].scenario, reading, rlimit, engine)
            for path in paths if minimal else ():
                path.minimise_cores()
            departs = departure(members[0].scenario, reading, engine, paths) if members[0].guarded else ""
        except (Exception, SystemExit) as problem:  # noqa: BLE001 - whatever fails in here is never a refutation
            error = Error(failure(problem))
            yield from (Result(member, error) for member in members)
            continue
        if departs:
            yield from (Result(member, Error(departs)) for member in members)
            continue
        branching = frozenset[str]().union(*(path.used for path in paths))
        for member in members:
            for path in paths:
                path.used = set(branching)
            yield _timed(member, paths, started)
            started = time.monotonic()


def prove_one(obligation: AnyObligation, rlimit: int = RLIMIT) -> Result:
    """Decide one obligation."""
    return prove([obligation], rlimit)[0]


def _timed(obligation: AnyObligation, paths: list[Path[Any]], started: float) -> Result:
    try:
        answer = _Decision(obligation).over(paths)
    except (Exception, SystemExit) as problem:  # noqa: BLE001 - as above
        answer = Error(failure(problem))
    labels = dict.fromkeys(label for path in paths for label in path.hypotheses)
    used = {label for path in paths for label in path.used}
    return Result(
        obligation,
        answer,
        len(paths),
        time.monotonic() - started,
        tuple(labels),
        tuple(label for label in labels if label in used) if isinstance(answer, Proved) else (),
    )


@dataclass
class _Decision:
    """One obligation, decided path by path."""

    obligation: AnyObligation
    met: bool = False
    """Some integers satisfy all that is assumed, and the premise."""
    gaps: list[str] = field(default_factory=list[str])

    def over(self, paths: list[Path[Any]]) -> Answer:
        if self.obligation.possible:
            return self._possible(paths)
        for path in paths:
            claim: Claim = path.during(partial(self.obligation.claim, path.result))
            refuted = self._refute(path, claim)
            if refuted is not None:
                return refuted
            self.met = self.met or self._meets(path, claim)
        if self.gaps:
            return Unknown(self.gaps[0])
        if not self.met:
            return Unknown("vacuous: no integers were found for which all that is assumed holds, and the premise")
        return self._proved()

    def _proved(self) -> Proved:
        return Proved(f"{self.obligation.scope}; {self.obligation.engine.words(self.obligation.reading)}")

    def _possible(self, paths: list[Path[Any]]) -> Answer:
        """Whether all of `paths` can be taken, in each of the cases."""
        for path in paths:
            claim: Claim = path.during(partial(self.obligation.claim, path.result))
            for words, case in (claim.cases or {"all of it": True}).items():
                term = truth_term(every((claim.premise, case)))
                exact = path.facts.meaning({})
                path.used.clear()
                if path.possible(term) == z3.unsat or (answer := path.possible(term, *exact)) == z3.unsat:
                    found = f"{words}: these contradict each other: {', '.join(sorted(path.used)) or 'that alone'}"
                    return Refuted(found, found, self.obligation.statement, (), False)
                if answer != z3.sat:
                    return Unknown(f"{words}: no integers were found, and nothing shows that there are none")
                source, again = self._run(path.model)
                if not source.assumed or not again.premise or not again.cases.get(words, True):
                    return Unknown(f"{words}: what was found does not replay: {source.numbers}")
            path.used = set(path.hypotheses)  # what was found satisfies all of them
        return self._proved() if paths else Unknown("what is assumed is never so")

    def _refute(self, path: Path[Any], claim: Claim) -> Refuted | None:
        """A counterexample on this path; None when there is none, or none that is known of."""
        wrong = z3.And(truth_term(claim.premise), z3.Not(truth_term(claim.body)))
        if settled(wrong) is False or path.possible(wrong) == z3.unsat:
            return None
        for case in path.cases():
            model = _model(path, case, wrong)
            if isinstance(model, Unknown):
                self.gaps.append(model.why)
                return None
            if model is not None:
                found = self._replayed(model)
                if isinstance(found, Refuted):
                    return found
                self.gaps.append(found)
                return None
            path.possible(wrong, *path.facts.meaning(case))
        if not path.exhaustive:
            self.gaps.append("what is known of remainders does not suffice, and likely alignments have none to show")
        return None

    def _replayed(self, model: Any) -> Refuted | str:
        """The same scenario and claim on the integers of a model; in words where these show nothing."""
        source, claim = self._run(model)
        values = tuple(source.numbers.items())
        shown = ", ".join(f"{name} = {value:#x}" if value > 4096 else f"{name} = {value}" for name, value in values)
        if not source.assumed or not claim.premise or claim.body:
            return f"the counterexample does not replay: {shown}"
        observed, required = "the claim is false", self.obligation.statement
        if claim.said is not None:
            observed = claim.said()
        if claim.law is not None:
            observed, required = claim.law.observed(*claim.args), claim.law.required(*claim.args)
        words = f"{self.obligation.name}: {observed}; required: {required}; where {shown}"
        return Refuted(words, observed, required, values, source.preferred)

    def _run(self, model: Any) -> tuple[Concrete, Claim]:
        source = self.obligation.engine.concrete(model, self.obligation.reading)
        return source, self.obligation.claim(self.obligation.scenario(source))

    def _meets(self, path: Path[Any], claim: Claim) -> bool:
        """Some integers on this path satisfy all that is assumed, and the premise, when it is run on them."""
        premise = truth_term(claim.premise)
        if settled(premise) is False or path.found(premise) == z3.unsat:
            return False
        for case in path.cases()[:8]:
            model = _model(path, case, premise)
            if model is not None and not isinstance(model, Unknown):
                source, again = self._run(model)
                return source.assumed and bool(again.premise)
        return False


def _model(path: Path[Any], case: dict[str, int], *terms: Any) -> Any:
    """A model of the terms under the operators' exact meaning, one that satisfies a whole invariant where there is one;
    None where there is none at all.
    """
    meaning = path.facts.meaning(case)
    for wish in (path.small(), []):
        if path.found(*terms, *meaning, *path.preferences, *wish, seeds=()) == z3.sat:
            return path.model
    answer = path.found(*terms, *meaning)
    if answer == z3.sat:
        return path.model
    return None if answer == z3.unsat else Unknown(f"z3 gave up: {path.why_unknown}")


def unused(results: Iterable[Result]) -> dict[str, list[str]]:
    """Hypotheses that no proof uses, by the part that they belong to."""
    stated: dict[str, dict[str, bool]] = {}
    for result in results:
        labels = stated.setdefault(result.obligation.part, {})
        for label in result.hypotheses:
            labels[label] = labels.get(label, False) or label in result.used
    return {
        part: [label for label, used in labels.items() if not used]
        for part, labels in stated.items()
        if not all(labels.values())
    }


__all__ = [
    "RLIMIT",
    "Answer",
    "Claim",
    "Obligation",
    "Refuted",
    "Result",
    "family",
    "law_claim",
    "prove",
    "prove_one",
    "proving",
    "unused",
]
