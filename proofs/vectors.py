"""Symbolic integers that are bit-vectors of z3: what `proofs.bits` computes with.

`SymWord` is a machine's: as wide as the machine, sums wrap, comparisons are unsigned, quotients and remainders are the
vectors' own. `SymBits` is unbounded: signed, and the result of an operation is as much wider than its operands as it
takes, so that nothing wraps. They are registered with the operators of `spec.logic`, as those of `proofs.symbolic` are.
"""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from heaplaw.spec.layout import is_power_of_two
from heaplaw.spec.logic import Word, ite, mod_pow2

from .executor import Symbolic, fault
from .facts import Term, z3
from .symbolic import SymBool, Width, as_read, plain, truth_term


class BitBool(SymBool):
    """A truth value that depends on bit-vectors."""


class SymBits(Symbolic):
    """An unbounded integer: a signed vector that is as wide as its values need."""

    def __init__(self, term: Term) -> None:
        self.term: Term = term

    @property
    def bits(self) -> int:
        """How wide it is, the sign included."""
        return int(self.term.size())

    def at(self, bits: int) -> Term:
        """The same number in more bits."""
        if bits < self.bits:
            raise ValueError(f"{self.bits} bits do not fit into {bits}")
        return z3.SignExt(bits - self.bits, self.term)

    def _with(self, other: Word, more: int, act: Callable[[Term, Term], Term]) -> "SymBits":
        """`act` on both, in `more` bits than the wider one has."""
        exact = exactly(other)
        bits = max(self.bits, exact.bits) + more
        return SymBits(z3.simplify(act(self.at(bits), exact.at(bits))))

    def _compared(self, other: object, act: Callable[[Term, Term], Term]) -> BitBool:
        exact = exactly(other)
        bits = max(self.bits, exact.bits)
        return BitBool(act(self.at(bits), exact.at(bits)))

    def __add__(self, other: Word) -> "SymBits":
        return self._with(other, 1, operator.add)

    def __sub__(self, other: Word) -> "SymBits":
        return self._with(other, 1, operator.sub)

    def __rsub__(self, other: Word) -> "SymBits":
        return exactly(other) - self

    def __mul__(self, other: Word) -> "SymBits":
        exact = exactly(other)
        bits = self.bits + exact.bits
        return SymBits(z3.simplify(self.at(bits) * exact.at(bits)))

    __radd__ = __add__
    __rmul__ = __mul__

    def __neg__(self) -> "SymBits":
        return 0 - self

    def __mod__(self, other: Word) -> "SymBits":
        return self._with(other, 0, operator.mod)  # bvsmod: its sign is the divisor's, as Python's

    def __rmod__(self, other: Word) -> "SymBits":
        return exactly(other) % self

    def __floordiv__(self, other: Word) -> "SymBits":
        return self._with(other, 1, lambda a, b: (a - a % b) / b)

    def __rfloordiv__(self, other: Word) -> "SymBits":
        return exactly(other) // self

    def __and__(self, other: Word) -> "SymBits":
        return self._with(other, 0, lambda a, b: a & b)

    def __lt__(self, other: Word) -> BitBool:
        return self._compared(other, operator.lt)

    def __le__(self, other: Word) -> BitBool:
        return self._compared(other, operator.le)

    def __gt__(self, other: Word) -> BitBool:
        return self._compared(other, operator.gt)

    def __ge__(self, other: Word) -> BitBool:
        return self._compared(other, operator.ge)

    def __eq__(self, other: object) -> Any:
        return self._compared(other, operator.eq)

    def __ne__(self, other: object) -> Any:
        return self._compared(other, operator.ne)

    __hash__ = Symbolic.__hash__

    def __bool__(self) -> bool:
        return bool(self != 0)


class SymWord(Symbolic):
    """A machine's integer: an unsigned vector, whose operations are the vectors' own."""

    def __init__(self, term: Term) -> None:
        self.term: Term = term

    @property
    def bits(self) -> int:
        """How wide it is."""
        return int(self.term.size())

    def other(self, value: object) -> Term:
        """`value` as such a vector: another word, or a number that is known. One that only a wider machine has is an
        error: the step would be another one here.
        """
        if isinstance(value, SymWord):
            return value.term
        if not isinstance(value, int):
            raise fault(TypeError(f"a machine's integer meets a value of type {type(value).__name__}"))
        if abs(int(value)) >= 2**self.bits:
            raise fault(TypeError(f"{int(value)} does not fit into {self.bits} bits"))
        return z3.BitVecVal(int(value), self.bits)

    def __add__(self, other: Word) -> "SymWord":
        return SymWord(self.term + self.other(other))

    def __sub__(self, other: Word) -> "SymWord":
        return SymWord(self.term - self.other(other))

    def __rsub__(self, other: Word) -> "SymWord":
        return SymWord(self.other(other) - self.term)

    def __mul__(self, other: Word) -> "SymWord":
        return SymWord(self.term * self.other(other))

    __radd__ = __add__
    __rmul__ = __mul__

    def __neg__(self) -> "SymWord":
        return SymWord(-self.term)

    def __floordiv__(self, other: Word) -> "SymWord":
        return SymWord(z3.UDiv(self.term, self.other(other)))

    def __rfloordiv__(self, other: Word) -> "SymWord":
        return SymWord(z3.UDiv(self.other(other), self.term))

    def __mod__(self, other: Word) -> "SymWord":
        return SymWord(z3.URem(self.term, self.other(other)))

    def __rmod__(self, other: Word) -> "SymWord":
        return SymWord(z3.URem(self.other(other), self.term))

    def __and__(self, other: Word) -> "SymWord":
        return SymWord(self.term & self.other(other))

    def __lt__(self, other: Word) -> BitBool:
        return BitBool(z3.ULT(self.term, self.other(other)))

    def __le__(self, other: Word) -> BitBool:
        return BitBool(z3.ULE(self.term, self.other(other)))

    def __gt__(self, other: Word) -> BitBool:
        return BitBool(z3.UGT(self.term, self.other(other)))

    def __ge__(self, other: Word) -> BitBool:
        return BitBool(z3.UGE(self.term, self.other(other)))

    def __eq__(self, other: object) -> Any:
        return BitBool(self.term == self.other(other))

    def __ne__(self, other: object) -> Any:
        return BitBool(self.term != self.other(other))

    __hash__ = Symbolic.__hash__

    def __bool__(self) -> bool:
        return bool(self != 0)


def exactly(value: object) -> SymBits:
    """Any integer as an unbounded one."""
    if isinstance(value, SymBits):
        return value
    if isinstance(value, SymWord):
        return SymBits(z3.ZeroExt(1, value.term))
    if isinstance(value, int):
        return SymBits(z3.BitVecVal(int(value), int(value).bit_length() + 1))
    raise fault(TypeError(f"no integer: a value of type {type(value).__name__}"))


@ite.register
def _(condition: BitBool, then: Any, otherwise: Any) -> Any:
    if isinstance(then, bool | SymBool) and isinstance(otherwise, bool | SymBool):
        return BitBool(z3.If(condition.term, truth_term(then), truth_term(otherwise)))
    words = [side for side in (then, otherwise) if isinstance(side, SymWord)]
    if words and any(isinstance(side, SymBits) for side in (then, otherwise)):
        raise fault(TypeError("the branches of an `ite` have different readings"))
    if words:
        return SymWord(z3.If(condition.term, words[0].other(then), words[0].other(otherwise)))
    sides = exactly(then), exactly(otherwise)
    bits = max(side.bits for side in sides)
    return SymBits(z3.If(condition.term, *(side.at(bits) for side in sides)))


@mod_pow2.register
def _(a: SymBits, power: Any) -> SymBits:
    return a & (exactly(power) - 1)


@mod_pow2.register
def _(a: SymWord, power: Any) -> SymWord:
    below: SymWord = a & (power - 1)
    return below


@is_power_of_two.register(SymBits)
@is_power_of_two.register(SymWord)
def _(a: Any) -> Any:
    return (a > 0) & ((a & (a - 1)) == 0)


@as_read.register
def _(value: SymBits, reading: Width) -> SymWord:
    return SymWord(z3.simplify(z3.Extract(reading.bits - 1, 0, value.at(max(value.bits, reading.bits)))))


@plain.register
def _(value: SymWord) -> SymBits:
    return exactly(value)


@dataclass(frozen=True)
class BitTable:
    """Any map: an array of z3, from keys in as many bits as it has for them."""

    array: Term

    def __getitem__(self, key: Word) -> SymBits:
        return SymBits(z3.Select(self.array, exactly(key).at(self.array.domain().size())))
