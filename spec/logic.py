"""Operator-generic logic: the few helpers that a law may use beside `&`, `|`, comparisons and arithmetic.

A law's body runs unchanged on Python integers, NumPy columns, CrossHair's integers and z3 terms. Python's `not`, `and`,
`or` and `if` ask a value for its truth, which a column or a term does not have; these helpers dispatch on the type of
their first operand instead. Engines register their types where they live (`neg.register`, `ite.register`, …); this
module imports none of them.

Both sides of `implies` and both branches of `ite` are always evaluated, so bodies are total.
"""

from collections.abc import Iterable
from functools import reduce, singledispatch
from typing import Any, TypeAlias

Word: TypeAlias = Any
"""An integer of any engine: `int`, a column of unsigned 64-bit integers, a symbolic integer. Meant as unbounded."""
Truth: TypeAlias = Any
"""A truth value of any engine: `bool`, a column of booleans, a symbolic boolean."""


@singledispatch
def neg(a: Truth) -> Truth:
    """Not `a`. (`~True` is -2 in Python, hence a function.)"""
    return not a


@singledispatch
def ite(condition: Truth, then: Any, otherwise: Any) -> Any:
    """`then` where `condition` holds, `otherwise` elsewhere."""
    return then if condition else otherwise


@singledispatch
def mod_pow2(a: Word, power: Word) -> Word:
    """`a` modulo `power`, which must be a power of two (at least 1)."""
    return a % power


def implies(premise: Truth, conclusion: Truth) -> Truth:
    """`premise` entails `conclusion`."""
    return neg(premise) | conclusion


def every(truths: Iterable[Truth]) -> Truth:
    """All of `truths` hold; True when there are none."""
    return reduce(lambda a, b: a & b, truths, True)


def least(a: Word, b: Word) -> Word:
    """The smaller of two words."""
    return ite(a <= b, a, b)


def one_of(a: Word, values: Iterable[int]) -> Truth:
    """`a` equals one of `values`."""
    return reduce(lambda x, y: x | y, (a == value for value in values))
