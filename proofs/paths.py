"""Running Python on symbolic values: all paths, one after the other, and what is known on each.

A *scenario* is a function of a `Source`: it asks for arbitrary values, assumes what is known of them, runs
a step, and returns what came of it. `explore` runs it on symbolic values once for every feasible path; `Concrete`
runs the very same scenario on the integers of a model, which is how a refutation is replayed.

A branch is dropped only when z3 shows that it cannot be taken; unknown counts as feasible. Trusted: that a
scenario is deterministic (a path that forks differently when repeated is an error).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from heaplaw.spec.logic import Truth, Word

from .concrete import Concrete
from .executor import CURRENT, RUNNING
from .facts import LIKELY, MODULUS, POWERS, Facts, Term, z3
from .symbolic import Meaning, Reading, SymBool, SymInt, as_read, plain, truth_term
from .tables import SymTable, Table, TableMemory

T = TypeVar("T")
MOST_PATHS = 512
SEEDS = (1, 2, 3)
"""With which z3 is asked again where it gives up."""
SMALL = 512
"""Numbers up to which counterexamples are looked for first."""
MOST_BRANCHES = 64
"""On one path; a loop on a symbolic value would fork for ever."""


class Source(Protocol):
    """Where a scenario's arbitrary values come from. Numbers and tables are mathematical;
    `machine` makes them a step's.
    """

    reading: Reading

    @property
    def modulus(self) -> int:
        """One past the largest address: 2**64."""
        ...

    def number(self, name: str) -> Word: ...
    def truth(self, name: str) -> Truth: ...
    def table(self, name: str) -> Table: ...
    def power(self, name: str) -> Word:
        """Any power of two from 1 to 2**63."""
        ...

    def assume(self, truth: Truth, label: str = "assumed") -> None:
        """A hypothesis. The label says in words which one: it stands in `--explain`, and one that no proof uses is an
        error. What has none is a fact about the machine.
        """
        ...

    def prefer(self, truth: Truth) -> None:
        """Counterexamples that satisfy this are looked for first: small ones, that satisfy a whole invariant."""

    def machine(self, value: Word) -> Word:
        """`value` as an integer of the reading; it is assumed to fit."""

    def memory(self, words: Table) -> TableMemory:
        """A memory of these words."""
        ...

    def split(self) -> None:
        """From here on a sum that wraps is on a path of its own: more paths, of plainer terms."""
        ...


class DeadPath(BaseException):
    """What is assumed contradicts itself, or the path has failed: nothing more comes of it. What a step means to catch,
    this is none of.
    """


@dataclass
class Path(Generic[T]):
    """One way through a scenario; the symbolic `Source`."""

    reading: Reading
    rlimit: int
    decisions: list[bool]
    """The branches to take first; as the scenario runs, all that were taken."""
    hypotheses: dict[str, Term] = field(default_factory=dict[str, Term])
    """What is assumed, by label: a switch that turns all hypotheses of that label on."""
    used: set[str] = field(default_factory=set[str])
    """Labels of hypotheses that something was shown with: that a branch cannot be taken, or a claim."""
    preferences: list[Term] = field(default_factory=list[Term])
    names: dict[str, Term] = field(default_factory=dict[str, Term])
    powers: list[str] = field(default_factory=list[str])
    others: list[list[bool]] = field(default_factory=list[list[bool]])
    """Prefixes of feasible paths that this one left."""
    result: T | None = None
    modulus: int = MODULUS

    def __post_init__(self) -> None:
        self._taken = 0
        self._tables = 0
        self._over = False
        self._splits = False
        self._dead = False
        self._fault: Exception | None = None
        self.minimal = False
        self.solver: Any = z3.Solver()
        self._last = self.solver
        self.solver.set("rlimit", self.rlimit)
        self.facts = Facts(self.solver.add)
        self.divisors: dict[int, Term] = {}

    def number(self, name: str) -> SymInt:
        return SymInt(self.names.setdefault(name, z3.Int(name)))

    def truth(self, name: str) -> SymBool:
        return SymBool(self.names.setdefault(name, z3.Bool(name)))

    def table(self, name: str) -> SymTable:
        return SymTable(self.names.setdefault(name, z3.Array(name, z3.IntSort(), z3.IntSort())))

    def power(self, name: str) -> SymInt:
        number = self.number(name)
        if name not in self.powers:
            self.powers.append(name)
            self.solver.add(self.facts.is_power(number.term), number.term <= POWERS[-1])
        return number

    def assume(self, truth: Truth, label: str = "assumed") -> None:
        if not label:
            self.solver.add(truth_term(truth))
            return
        switch = self.hypotheses.setdefault(label, z3.Bool(f"hypothesis: {label}"))
        self.solver.add(z3.Implies(switch, truth_term(truth)))

    def prefer(self, truth: Truth) -> None:
        self.preferences.append(truth_term(truth))

    @property
    def meaning(self) -> Meaning:
        """What a machine's integers mean."""
        return self.reading

    def machine(self, value: Word) -> Word:
        if self.meaning.modulus:
            self.assume((value >= 0) & (value < self.meaning.modulus), "")
        return as_read(value, self.meaning)

    def memory(self, words: Table) -> TableMemory:
        def fresh() -> Table:
            self._tables += 1
            return self.table(f"forgotten {self._tables}")

        return TableMemory(words, self.meaning, self.assume, fresh)

    def possible(self, *terms: Term, seeds: tuple[int, ...] = SEEDS) -> Any:
        """z3's answer: can `terms` hold together with all that is known on this path? Where not, what that was shown
        with is noted.
        """
        answer = self.found(*terms, seeds=seeds)
        if answer == z3.unsat:
            # By name: printing a claim's whole term takes longer than deciding it.
            core = {term.decl().name() for term in self._last.unsat_core() if z3.is_const(term)}
            self.used |= {label for label, switch in self.hypotheses.items() if str(switch) in core}
        return answer

    def found(self, *terms: Term, seeds: tuple[int, ...] = SEEDS) -> Any:
        """The same, noting nothing. Where z3 gives up, it is asked again afresh: how it searches is luck, too."""
        self._last = self.solver
        answer = self.solver.check(*self.hypotheses.values(), *terms)
        for seed in seeds if answer == z3.unknown else ():
            self._last = z3.Solver()
            self._last.set("rlimit", self.rlimit)
            self._last.set("random_seed", seed)
            self._last.set("core.minimize", self.minimal)
            self._last.add(self.solver.assertions())
            answer = self._last.check(*self.hypotheses.values(), *terms)
            if answer != z3.unknown:
                break
        return answer

    @property
    def model(self) -> Any:
        """That of the latest answer."""
        return self._last.model()

    @property
    def why_unknown(self) -> str:
        """Why the latest answer is none."""
        return str(self._last.reason_unknown())

    def small(self) -> list[Term]:
        """All numbers are few digits: what a reader would choose."""
        numbers = [term for term in self.names.values() if z3.is_int(term)]
        return [z3.And(number >= 0, number <= SMALL) for number in numbers]

    def minimise_cores(self) -> None:
        """From here on cores hold nothing that could be left out."""
        self.minimal = True
        self.solver.set("core.minimize", True)

    def split(self) -> None:
        self._splits = True

    @property
    def splits(self) -> bool:
        """What a claim adds up is the laws', and does not wrap."""
        return self._splits and not self._over

    @property
    def steps(self) -> bool:
        """What is run is the scenario, not a claim on what came of it."""
        return not self._over

    def fail(self, problem: Exception) -> None:
        if not self._dead and self._fault is None:
            self._fault = problem

    def decide(self, term: Term, likely: bool | None = None) -> bool:
        """Take a branch: the next one of the prefix, or a feasible one, remembering the other."""
        if self._dead or self._fault is not None:
            raise DeadPath
        try:
            return self._decided(term, likely)
        except Exception as problem:
            self.fail(problem)
            raise

    def _decided(self, term: Term, likely: bool | None) -> bool:
        term = z3.simplify(term)
        if z3.is_true(term) or z3.is_false(term):
            return bool(z3.is_true(term))
        if self._taken < len(self.decisions):
            branch = self.decisions[self._taken]
        else:
            if self._taken >= MOST_BRANCHES:
                raise RuntimeError(
                    f"more than {MOST_BRANCHES} branches on one path: does a loop run on a symbolic value?"
                    " Loops must end after a known number of turns; `ite` chooses without a branch"
                )
            sides = (True, False) if likely is None else (not likely,)
            feasible = [side for side in sides if self.possible(term == side, seeds=()) != z3.unsat]
            if likely is not None:
                feasible = [likely] if not feasible else [True, False]
            if self._over and len(feasible) != 1:
                ways = "both ways can be taken" if feasible else "what is assumed contradicts itself"
                raise RuntimeError(f"a claim forks, and only one way would be looked at ({ways}): {term}")
            if not feasible:
                self._dead = True
                raise DeadPath
            branch = feasible[0]
            if len(feasible) == 2:
                self.others.append([*self.decisions, False])
            self.decisions.append(branch)
        self._taken += 1
        self.solver.add(term if branch else z3.Not(term))
        return branch

    def run(self, scenario: Callable[[Source], T]) -> bool:
        """Follow this path to its end; False when it is none."""
        try:
            self.result = self.during(lambda: scenario(self))
        except DeadPath:
            return False
        if self._taken != len(self.decisions):
            raise RuntimeError("a scenario forked differently when it was repeated")
        self._over = True
        return True

    def during(self, act: Callable[[], T]) -> T:
        """Let `act` compute on this path. It ends with the first error of this machinery, whatever `act` caught."""
        self._fault = None
        token = CURRENT.set(self)
        RUNNING.append(self)
        try:
            result = act()
        except (Exception, DeadPath) as problem:
            self._check(problem)
            raise
        finally:
            RUNNING.pop()
            CURRENT.reset(token)
        self._check(None)
        return result

    def _check(self, problem: BaseException | None) -> None:
        """Raise what was recorded, if that is not what is raised already."""
        if self._fault is not None and problem is not self._fault:
            raise self._fault from problem
        if self._dead and not isinstance(problem, DeadPath):
            raise DeadPath from problem

    def cases(self) -> list[dict[str, int]]:
        """Which powers of two the unknown ones may be: all 64 where there is one, likely ones where there are more."""
        if not self.powers:
            return [{}]
        if len(self.powers) == 1:
            order = (*LIKELY, *(each for each in POWERS if each not in LIKELY))
            return [{self.powers[0]: each} for each in order]
        cases: list[dict[str, int]] = [{}]
        for name in self.powers:
            cases = [{**case, name: each} for case in cases for each in LIKELY[:6]]
        return cases

    @property
    def exhaustive(self) -> bool:
        """What holds in each of the cases holds."""
        return len(self.powers) <= 1


class Engine:
    """What the values of scenarios are: integers of z3. Bit-vectors, in `proofs.bits`."""

    def words(self, reading: Reading) -> str:
        """What values are, in words."""
        return reading.value

    def path(self, reading: Reading, rlimit: int, decisions: list[bool]) -> Path[Any]:
        """A path on such values."""
        return Path(reading, rlimit, decisions)

    def concrete(self, model: Any, reading: Reading) -> Concrete:
        """The integers of a model."""
        return Concrete(model, reading)


INTEGERS = Engine()


def explore(scenario: Callable[[Source], T], reading: Reading, rlimit: int, engine: Engine = INTEGERS) -> list[Path[T]]:
    """All feasible paths through `scenario`, depth first."""
    pending: list[list[bool]] = [[]]
    found: list[Path[T]] = []
    run = 0
    while pending:
        if run >= MOST_PATHS:
            raise RuntimeError(
                f"more than {MOST_PATHS} paths: each `if` on a symbolic value may double them."
                " Branch less, or choose with `ite(condition, then, otherwise)`, which does not branch"
            )
        run += 1
        path: Path[T] = engine.path(reading, rlimit, pending.pop())
        alive = path.run(scenario)
        pending.extend(path.others)
        if alive:
            found.append(path)
    return found


__all__ = [
    "INTEGERS",
    "DeadPath",
    "Engine",
    "Path",
    "Source",
    "Table",
    "TableMemory",
    "explore",
    "plain",
]
