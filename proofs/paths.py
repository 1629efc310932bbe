"""Running Python on symbolic values: all paths, one after the other, and what is known on each.

A *scenario* is a function of a `Source`: it asks for arbitrary values, assumes what is known of them, runs
a step, and returns a claim. `explore` runs it on symbolic values once for every feasible path; `Concrete`
runs the very same scenario on the integers of a model, which is how a refutation is replayed.

A branch is dropped only when z3 shows that it cannot be taken; unknown counts as feasible. Trusted: that a
scenario is deterministic (a path that forks differently when repeated is an error).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from heaplaw.spec.logic import Truth, Word

from .symbolic import DECIDE, MODULUS, Reading, SymBool, SymInt, Term, as_read, int_term, plain, truth_term, z3

T = TypeVar("T")
MOST_PATHS = 256
MOST_BRANCHES = 64
"""On one path; a loop on a symbolic value would fork for ever."""


class Table(Protocol):
    """A total map from integers to integers. `put` gives a new one."""

    def __getitem__(self, key: Word) -> Word: ...
    def put(self, key: Word, value: Word) -> "Table": ...


@dataclass(frozen=True)
class SymTable:
    """A z3 array."""

    array: Term

    def __getitem__(self, key: Word) -> SymInt:
        return SymInt(z3.Select(self.array, int_term(key)))

    def put(self, key: Word, value: Word) -> "SymTable":
        return SymTable(z3.Store(self.array, int_term(key), int_term(value)))


@dataclass(frozen=True)
class ModelTable:
    """What a model says of an array, with changes."""

    lookup: Callable[[int], int]
    changes: tuple[tuple[int, int], ...] = ()

    def __getitem__(self, key: Word) -> int:
        changed = dict(self.changes)  # the last change of a key wins
        return changed[int(key)] if int(key) in changed else self.lookup(int(key))

    def put(self, key: Word, value: Word) -> "ModelTable":
        return ModelTable(self.lookup, (*self.changes, (int(key), int(value))))


class TableMemory:
    """A `spec.protocols.Memory` over a table. Every address that a step reads or writes is recorded.

    Words do not overlap as long as addresses are multiples of 8: that is an obligation on `accessed`.
    """

    def __init__(self, words: Table, reading: Reading, assume: Callable[[Truth], None]) -> None:
        self.words = words
        self.accessed: list[Word] = []
        self._reading = reading
        self._assume = assume

    def read(self, address: Word) -> Word:
        """The word at `address`. A machine's word lies in [0, 2**64)."""
        self.accessed.append(plain(address))
        word = self.words[plain(address)]
        if self._reading is Reading.W64:
            self._assume((word >= 0) & (word < MODULUS))
        return as_read(word, self._reading)

    def write(self, address: Word, value: Word) -> None:
        """Make `value` the word at `address`."""
        self.accessed.append(plain(address))
        self.words = self.words.put(plain(address), plain(value))


class Source(Protocol):
    """Where a scenario's arbitrary values come from. Numbers and tables are mathematical;
    `machine` makes them a step's.
    """

    reading: Reading

    def number(self, name: str) -> Word: ...
    def truth(self, name: str) -> Truth: ...
    def table(self, name: str) -> Table: ...
    def assume(self, truth: Truth) -> None: ...
    def prefer(self, truth: Truth) -> None:
        """Counterexamples that satisfy this are looked for first: small ones, that satisfy a whole invariant."""

    def machine(self, value: Word) -> Word:
        """`value` as an integer of the reading; it is assumed to fit."""


class DeadPath(Exception):  # noqa: N818 - no error: the path cannot be taken
    """What is assumed contradicts itself."""


@dataclass
class Path(Generic[T]):
    """One way through a scenario; the symbolic `Source`."""

    reading: Reading
    rlimit: int
    decisions: list[bool]
    """The branches to take first; as the scenario runs, all that were taken."""
    facts: list[Term] = field(default_factory=list[Term])
    preferences: list[Term] = field(default_factory=list[Term])
    names: dict[str, Term] = field(default_factory=dict[str, Term])
    others: list[list[bool]] = field(default_factory=list[list[bool]])
    """Prefixes of feasible paths that this one left."""
    result: T | None = None

    def __post_init__(self) -> None:
        self._taken = 0
        self.solver: Any = z3.Solver()
        self.solver.set("rlimit", self.rlimit)

    def number(self, name: str) -> SymInt:
        return SymInt(self.names.setdefault(name, z3.Int(name)))

    def truth(self, name: str) -> SymBool:
        return SymBool(self.names.setdefault(name, z3.Bool(name)))

    def table(self, name: str) -> SymTable:
        return SymTable(self.names.setdefault(name, z3.Array(name, z3.IntSort(), z3.IntSort())))

    def assume(self, truth: Truth) -> None:
        self._know(truth_term(truth))

    def prefer(self, truth: Truth) -> None:
        self.preferences.append(truth_term(truth))

    def machine(self, value: Word) -> Word:
        if self.reading is Reading.W64:
            self.assume((value >= 0) & (value < MODULUS))
        return as_read(value, self.reading)

    def _know(self, term: Term) -> None:
        self.facts.append(term)
        self.solver.add(term)

    def possible(self, *terms: Term) -> Any:
        """z3's answer: can `terms` hold together with all that is known on this path?"""
        return self.solver.check(*terms)

    def decide(self, term: Term) -> bool:
        """Take a branch: the next one of the prefix, or a feasible one, remembering the other."""
        term = z3.simplify(term)
        if z3.is_true(term) or z3.is_false(term):
            return bool(z3.is_true(term))
        if self._taken < len(self.decisions):
            branch = self.decisions[self._taken]
        else:
            if self._taken >= MOST_BRANCHES:
                raise RuntimeError(f"more than {MOST_BRANCHES} branches: does a loop run on a symbolic value?")
            feasible = [side for side in (True, False) if self.possible(term == side) != z3.unsat]
            if not feasible:
                raise DeadPath
            branch = feasible[0]
            if len(feasible) == 2:
                self.others.append([*self.decisions, False])
            self.decisions.append(branch)
        self._taken += 1
        self._know(term if branch else z3.Not(term))
        return branch

    def run(self, scenario: Callable[[Source], T]) -> bool:
        """Follow this path to its end; False when it is none."""
        token = DECIDE.set(self.decide)
        try:
            self.result = scenario(self)
        except DeadPath:
            return False
        finally:
            DECIDE.reset(token)
        if self._taken != len(self.decisions):
            raise RuntimeError("a scenario forked differently when it was repeated")
        return True


def explore(scenario: Callable[[Source], T], reading: Reading, rlimit: int) -> list[Path[T]]:
    """All feasible paths through `scenario`, depth first."""
    pending: list[list[bool]] = [[]]
    found: list[Path[T]] = []
    while pending:
        if len(found) >= MOST_PATHS:
            raise RuntimeError(f"more than {MOST_PATHS} paths")
        path: Path[T] = Path(reading, rlimit, pending.pop())
        alive = path.run(scenario)
        pending.extend(path.others)
        if alive:
            found.append(path)
    return found


class Concrete:
    """The integers of a z3 model, as a `Source`: the scenario runs as ordinary Python."""

    def __init__(self, model: Any, reading: Reading) -> None:
        self.reading = reading
        self.numbers: dict[str, int] = {}
        self.assumed = True
        """All that the scenario assumed is so."""
        self.preferred = True
        """All that the scenario preferred is so: the state satisfies the whole invariant."""
        self._model = model

    def _value(self, term: Term) -> int:
        return int(self._model.eval(term, model_completion=True).as_long())

    def number(self, name: str) -> int:
        return self.numbers.setdefault(name, self._value(z3.Int(name)))

    def truth(self, name: str) -> bool:
        value = bool(z3.is_true(self._model.eval(z3.Bool(name), model_completion=True)))
        self.numbers[name] = int(value)
        return value

    def table(self, name: str) -> ModelTable:
        array = z3.Array(name, z3.IntSort(), z3.IntSort())
        return ModelTable(lambda key: self._value(z3.Select(array, key)))

    def assume(self, truth: Truth) -> None:
        self.assumed = self.assumed and bool(truth)

    def prefer(self, truth: Truth) -> None:
        self.preferred = self.preferred and bool(truth)

    def machine(self, value: Word) -> Word:
        self.assume(self.reading is Reading.UNBOUNDED or 0 <= value < MODULUS)
        return as_read(value, self.reading)
