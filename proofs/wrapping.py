"""Concrete integers as a machine has them: the twin of symbolic ones that wrap, for replaying on integers."""

from collections.abc import Callable
from functools import cache
from typing import Any, ClassVar, Self

from .facts import MODULUS


class Wrapped(int):
    """A concrete integer whose sums, differences and products wrap modulo 2**64."""

    modulus: ClassVar[int] = MODULUS

    def __new__(cls, value: int) -> Self:
        return super().__new__(cls, int(value) % cls.modulus)

    def _with(self, other: object, act: Callable[[int, int], int]) -> Any:
        """The result, wrapped; beside a symbolic integer it is that one's."""
        return type(self)(act(int(self), int(other))) if isinstance(other, int) else NotImplemented

    def __add__(self, other: int) -> Any:
        return self._with(other, lambda a, b: a + b)

    def __sub__(self, other: int) -> Any:
        return self._with(other, lambda a, b: a - b)

    def __rsub__(self, other: int) -> Any:
        return self._with(other, lambda a, b: b - a)

    def __mul__(self, other: int) -> Any:
        return self._with(other, lambda a, b: a * b)

    __radd__ = __add__
    __rmul__ = __mul__

    def __neg__(self) -> Self:
        return type(self)(-int(self))

    def _part(self, other: object, act: Callable[[int, int], int]) -> Any:
        """The same of `//` and `%`: only a number below 0 wraps before it is divided, or divided by."""
        wraps = isinstance(other, int) and other < 0
        return self._with(type(self)(other) if wraps and isinstance(other, int) else other, act)

    def __floordiv__(self, other: int) -> Any:
        return self._part(other, lambda a, b: a // b)

    def __rfloordiv__(self, other: int) -> Any:
        return self._part(other, lambda a, b: b // a)

    def __mod__(self, other: int) -> Any:
        return self._part(other, lambda a, b: a % b)

    def __rmod__(self, other: int) -> Any:
        return self._part(other, lambda a, b: b % a)

    def __and__(self, other: int) -> Any:
        return self._with(other, lambda a, b: a & b)

    def __lshift__(self, count: int) -> Any:
        return self._with(count, lambda a, b: a << b)

    def __rshift__(self, count: int) -> Any:
        return self._with(count, lambda a, b: a >> b)

    def __invert__(self) -> Self:
        return type(self)(~int(self))

    def __or__(self, other: int) -> Any:
        return self._with(other, lambda a, b: a | b)

    def __xor__(self, other: int) -> Any:
        return self._with(other, lambda a, b: a ^ b)

    def __rlshift__(self, other: int) -> Any:
        return self._with(other, lambda a, b: b << a)

    __rand__ = __and__
    __ror__ = __or__
    __rxor__ = __xor__


@cache
def wrapped(modulus: int) -> type[Wrapped]:
    """Concrete integers that wrap modulo another number."""
    return Wrapped if modulus == MODULUS else type(f"Wrapped{modulus}", (Wrapped,), {"modulus": modulus})
