"""A scenario's values as the integers of a z3 model: the same scenario, run as ordinary Python. So refutations are
replayed.
"""

from typing import Any

from heaplaw.spec.logic import Truth, Word

from .facts import MODULUS, POWERS, Term, z3
from .symbolic import Meaning, Reading, as_read
from .tables import ModelTable, Table, TableMemory


class Concrete:
    """The integers of a z3 model, as a `Source`: the scenario runs as ordinary Python."""

    modulus = MODULUS

    def __init__(self, model: Any, reading: Reading) -> None:
        self.reading = reading
        self.numbers: dict[str, int] = {}
        self.assumed = True
        """All that the scenario assumed is so."""
        self.preferred = True
        """All that the scenario preferred is so: the state satisfies the whole invariant."""
        self._model = model
        self._tables = 0

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

    def power(self, name: str) -> int:
        value = self.number(name)
        self.assumed = self.assumed and value in POWERS
        return value

    def assume(self, truth: Truth, label: str = "assumed") -> None:
        self.assumed = self.assumed and bool(truth)

    def prefer(self, truth: Truth) -> None:
        self.preferred = self.preferred and bool(truth)

    @property
    def meaning(self) -> Meaning:
        """What a machine's integers mean."""
        return self.reading

    def machine(self, value: Word) -> Word:
        self.assume(not self.meaning.modulus or 0 <= value < self.meaning.modulus)
        return as_read(value, self.meaning)

    def split(self) -> None:
        """Integers are on one path."""

    def memory(self, words: Table) -> TableMemory:
        def fresh() -> Table:
            self._tables += 1
            return self.table(f"forgotten {self._tables}")

        return TableMemory(words, self.meaning, self.assume, fresh)
