"""Symbolic integers and truth values: what a step or a law computes with while it is proved.

`SymInt` and `SymBool` wrap z3 terms so that a wrong use is loud, and recorded (`proofs.executor`): they do not hash, do
not index, have no text on a path, and the truth of a `SymBool` is asked of the path being explored (`proofs.paths`),
never guessed. They are registered with the operators of `spec.logic`, so laws run on them unchanged.

An integer has a reading. `UNBOUNDED` is mathematics. `W64` is what a machine does: every result lies in [0,
2**64), by one `ite` after `+` and `-`, which keeps terms linear. A known number that is out of this range is reduced
modulo 2**64 beside `+`, `-`, `*`, `&`. Beside `//` and `%` it is so where it is below 0: `x % -8` is that by 2**64 - 8;
one from 2**64 on is what it says: `x % 2**64` is `x`. Comparisons compare values: `x == -1` never holds. `Wrapped` is
the concrete twin of `W64`, for replaying refutations. Trusted: z3, and that these few operators mean what Python's mean
(tested against Python on random values; for a `Width` of 8 and of 16 bits they are proved to be z3's own of
bit-vectors, see `proofs.bits`).
"""

from dataclasses import dataclass, fields, is_dataclass, replace
from enum import Enum
from functools import singledispatch
from typing import Any, Self, TypeAlias

from heaplaw.spec.layout import is_power_of_two
from heaplaw.spec.logic import Truth, Word, ite, mod_pow2, neg

from .executor import CURRENT, Symbolic, check_divisor, fault
from .facts import EXACT, MODULUS, POWERS, Term, z3
from .wrapping import Wrapped, wrapped


class Reading(Enum):
    """What integers mean."""

    UNBOUNDED = "unbounded integers"
    W64 = "64-bit integers that wrap"

    @property
    def modulus(self) -> int:
        """What results wrap at; 0: they do not."""
        return MODULUS if self is Reading.W64 else 0


@dataclass(frozen=True)
class Width:
    """A machine's integers of so many bits, which wrap as those of `W64` do."""

    bits: int

    @property
    def modulus(self) -> int:
        """What results wrap at."""
        return int(2**self.bits)

    @property
    def value(self) -> str:
        """What it is, in words."""
        return f"{self.bits}-bit integers that wrap"


Meaning: TypeAlias = Reading | Width
"""What an integer's operators mean."""


def settled(term: Term) -> bool | None:
    """The truth of a term that simplifies to a constant, else None."""
    plain_term = z3.simplify(term)
    if z3.is_true(plain_term):
        return True
    return False if z3.is_false(plain_term) else None


class SymBool(Symbolic):
    """A truth value that depends on symbolic integers."""

    kind = "truth value"

    def __init__(self, term: Term) -> None:
        self.term: Term = term

    def __bool__(self) -> bool:
        path = CURRENT.get()
        if path is not None:
            return path.decide(self.term)
        truth = settled(self.term)
        if truth is None:
            raise fault(TypeError(f"the truth of {self.term} is open: `if` on a symbolic value needs a path"))
        return truth

    def __and__(self, other: Truth) -> Self:
        return type(self)(z3.And(self.term, truth_term(other)))

    def __or__(self, other: Truth) -> Self:
        return type(self)(z3.Or(self.term, truth_term(other)))

    __rand__ = __and__
    __ror__ = __or__

    def __eq__(self, other: object) -> Any:
        return type(self)(self.term == truth_term(other))

    def __ne__(self, other: object) -> Any:
        return type(self)(self.term != truth_term(other))

    __hash__ = Symbolic.__hash__


MOST_SHIFTED = 4096
_BITS = (
    "of an unknown number, masks of bits side by side and shifts are known, by known numbers: use align_up, mod_pow2"
)


def _known_int(value: object) -> int:
    if not isinstance(value, int):
        raise fault(TypeError(_BITS))
    return int(value)


def _shift(count: object) -> int:
    """What a shift multiplies or divides by."""
    known = _known_int(count)
    if known > MOST_SHIFTED:
        raise fault(TypeError(f"an unknown number is shifted by more than {MOST_SHIFTED} bits"))
    return 1 << known


class SymInt(Symbolic):
    """An integer term, under a reading."""

    def __init__(self, term: Term, reading: Meaning = Reading.UNBOUNDED) -> None:
        self.term: Term = term
        self.reading: Meaning = reading

    def _other(self, value: object) -> Term:
        """`value` as a term of this reading."""
        if isinstance(value, SymInt):
            if value.reading != self.reading:
                raise fault(TypeError(f"{self.reading.value} and {value.reading.value} do not mix"))
            return value.term
        if isinstance(value, int):
            return constant(value, self.reading).term
        raise fault(TypeError(f"an unknown number meets a value of type {type(value).__name__}"))

    def _part(self, value: object) -> Term:
        """The other side of `//` or `%`: of numbers that are known only those below 0 wrap, so that the remainder by
        2**64 is the number itself.
        """
        return z3.IntVal(int(value)) if isinstance(value, int) and value >= 0 else self._other(value)

    def _sum(self, term: Term) -> "SymInt":
        modulus = self.reading.modulus
        return SymInt(_wrapped(term >= modulus, term - modulus, term) if modulus else term, self.reading)

    def _difference(self, term: Term) -> "SymInt":
        modulus = self.reading.modulus
        return SymInt(_wrapped(term < 0, term + modulus, term) if modulus else term, self.reading)

    def _product(self, term: Term) -> "SymInt":
        modulus = self.reading.modulus
        within = z3.And(term >= 0, term < modulus)
        return SymInt(z3.If(within, term, term % modulus) if modulus else term, self.reading)

    def __add__(self, other: Word) -> "SymInt":
        return self._sum(self.term + self._other(other))

    def __sub__(self, other: Word) -> "SymInt":
        return self._difference(self.term - self._other(other))

    def __rsub__(self, other: Word) -> "SymInt":
        return self._difference(self._other(other) - self.term)

    def __mul__(self, other: Word) -> "SymInt":
        return self._product(_times(self.term, self._other(other)))

    __radd__ = __add__
    __rmul__ = __mul__

    def __neg__(self) -> "SymInt":
        return 0 - self

    def __floordiv__(self, other: Word) -> "SymInt":
        return SymInt(_floor(self.term, self._part(other)), self.reading)

    def __rfloordiv__(self, other: Word) -> "SymInt":
        quotient = SymInt(_floor(self._part(other), self.term), self.reading)
        modulus = self.reading.modulus
        return quotient % modulus if modulus and int(other) >= modulus else quotient

    def __mod__(self, other: Word) -> "SymInt":
        return SymInt(_modulo(self.term, self._part(other)), self.reading)

    def __rmod__(self, other: Word) -> "SymInt":
        return SymInt(_modulo(self._part(other), self.term), self.reading)

    def __and__(self, other: Word) -> "SymInt":
        """By a known mask whose bits stand side by side: low ones, all but these, or some in between."""
        known = _known_int(other)
        mask = known % self.reading.modulus if self.reading.modulus else known
        low = mask & -mask
        if mask in (0, -low):
            return self - self % low if mask else self * 0
        if (mask + low) & mask:
            raise fault(TypeError(_BITS))
        return self % (mask + low) - self % low

    def __lshift__(self, count: int) -> "SymInt":
        return self * _shift(count)

    def __rshift__(self, count: int) -> "SymInt":
        return self // _shift(count)

    def __invert__(self) -> "SymInt":
        return -1 - self

    def _no_bits(self, other: object) -> "SymInt":
        raise fault(TypeError(_BITS))

    __rand__ = __and__
    __or__ = __ror__ = __xor__ = __rxor__ = __rlshift__ = __rrshift__ = _no_bits

    def __lt__(self, other: Word) -> SymBool:
        return SymBool(self.term < int_term(other))

    def __le__(self, other: Word) -> SymBool:
        return SymBool(self.term <= int_term(other))

    def __gt__(self, other: Word) -> SymBool:
        return SymBool(self.term > int_term(other))

    def __ge__(self, other: Word) -> SymBool:
        return SymBool(self.term >= int_term(other))

    def __eq__(self, other: object) -> Any:
        return SymBool(self.term == int_term(other))

    def __ne__(self, other: object) -> Any:
        return SymBool(self.term != int_term(other))

    def __bool__(self) -> bool:
        return bool(self != 0)

    __hash__ = Symbolic.__hash__


def _wrapped(beyond: Term, wrapped: Term, within: Term) -> Term:
    """A result that wraps where it lies beyond the machine's integers."""
    path = CURRENT.get()
    if path is not None and path.splits:
        return wrapped if path.decide(beyond, likely=False) else within
    return z3.If(beyond, wrapped, within)


def _known(term: Term) -> bool:
    return bool(z3.is_int_value(z3.simplify(term)))


def _times(a: Term, b: Term) -> Term:
    path = CURRENT.get()
    return a * b if path is None or _known(a) or _known(b) else path.facts.product(a, b)


def _floor(a: Term, b: Term) -> Term:
    """Python's `a // b`; z3's rounds the other way for b < 0. In a claim nothing is known of b = 0."""
    check_divisor(b)
    path = CURRENT.get()
    return EXACT.quotient(a, b) if path is None or _known(b) else path.facts.quotient(a, b)


def _modulo(a: Term, b: Term) -> Term:
    """Python's `a % b`, whose sign is that of b."""
    check_divisor(b)
    path = CURRENT.get()
    return EXACT.rest(a, b) if path is None or _known(b) else path.facts.rest(a, b)


def int_term(value: object) -> Term:
    """An integer of either kind as a term; its value, whatever its reading."""
    if isinstance(value, SymInt):
        return value.term
    if isinstance(value, int):
        return z3.IntVal(int(value))
    raise fault(TypeError(f"no integer: a value of type {type(value).__name__}"))


def truth_term(value: object) -> Term:
    """A truth value of either kind as a term."""
    if isinstance(value, SymBool):
        return value.term
    if isinstance(value, bool):
        return z3.BoolVal(value)
    raise fault(TypeError(f"no truth value: a value of type {type(value).__name__}"))


def constant(value: int, reading: Meaning = Reading.UNBOUNDED) -> SymInt:
    """An integer that is known, as a symbolic one."""
    return SymInt(z3.IntVal(int(value) % reading.modulus if reading.modulus else int(value)), reading)


@neg.register
def _(a: SymBool) -> SymBool:
    return type(a)(z3.Not(a.term))


@ite.register
def _(condition: SymBool, then: Any, otherwise: Any) -> Any:
    if isinstance(then, bool | SymBool) and isinstance(otherwise, bool | SymBool):
        return SymBool(z3.If(condition.term, truth_term(then), truth_term(otherwise)))
    readings = {side.reading for side in (then, otherwise) if isinstance(side, SymInt)}
    if len(readings) > 1:
        named = " and ".join(sorted(reading.value for reading in readings))
        raise fault(TypeError(f"the branches of an `ite` have different readings: {named}"))
    term = z3.If(condition.term, int_term(then), int_term(otherwise))
    return SymInt(term, readings.pop() if readings else Reading.UNBOUNDED)


@mod_pow2.register
def _(a: SymInt, power: Any) -> SymInt:
    """By cases over the 64 powers where `power` is symbolic, which keeps the term linear; by facts on a path."""
    if not isinstance(power, SymInt):
        return a.__mod__(power)
    check_divisor(power.term)
    path = CURRENT.get()
    if path is not None:
        return SymInt(path.facts.below(a.term, power.term), a.reading)
    result = EXACT.rest(a.term, power.term)
    for each in POWERS:
        result = z3.If(power.term == each, a.term % each, result)
    return SymInt(result, a.reading)


@mod_pow2.register
def _(a: int, power: Any) -> Any:
    return mod_pow2(SymInt(z3.IntVal(a), power.reading), power) if isinstance(power, SymInt) else a % power


@is_power_of_two.register
def _(a: SymInt) -> SymBool:
    path = CURRENT.get()
    return SymBool(EXACT.power(a.term) if path is None else path.facts.is_power(a.term))


@singledispatch
def as_read(value: Word, reading: Meaning) -> Word:
    """A mathematical integer as the machine's; it is known to fit where that wraps."""
    return wrapped(reading.modulus)(value) if reading.modulus else value


@as_read.register
def _(value: SymInt, reading: Meaning) -> SymInt:
    return SymInt(value.term, reading)


@singledispatch
def plain(value: Any) -> Any:
    """The same value, or record of values, as mathematical integers: what laws mean."""
    if is_dataclass(value) and not isinstance(value, type):
        changed = {each.name: plain(getattr(value, each.name)) for each in fields(value)}
        return replace(value, **changed)
    return value


@plain.register
def _(value: SymInt) -> SymInt:
    return SymInt(value.term)


@plain.register
def _(value: Wrapped) -> int:
    return int(value)
