"""What code runs on while it is proved, and what symbolic values refuse.

A symbolic value that is asked for what it cannot answer (a hash, an index, a text, an operation that proofs do not
know) raises. The code that is run may catch that, and go on as no program would; so it is *recorded* on the path as
well, and the path ends with it, whatever was caught: see `Path.during`.
"""

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, TypeVar

from .facts import Facts, Term, z3

E = TypeVar("E", bound=Exception)
_BY_ZERO = "integer division or modulo by zero: the divisor can be 0"


class Executor(Protocol):
    """The path that is being explored."""

    facts: Facts
    """What is known of products, quotients and remainders on it."""

    divisors: dict[int, Term]
    """Terms that are not 0 on it, by their number in z3: each is asked of once."""

    @property
    def splits(self) -> bool:
        """A sum that may wrap is a branch on it, and no `ite` in what follows."""
        ...

    @property
    def steps(self) -> bool:
        """Code of a step runs on it still: what divides by 0 raises. Claims on what came of it divide by no 0."""
        ...

    def decide(self, term: Term, likely: bool | None = None) -> bool:
        """Which way it takes at a branch; `likely` is not looked into where the other way cannot be taken."""
        ...

    def fail(self, problem: Exception) -> None:
        """It ends with this error, whatever the code that runs on it catches."""
        ...


CURRENT: ContextVar[Executor | None] = ContextVar("CURRENT", default=None)
"""The path that code runs on; None outside of exploration, where arithmetic is exact and no branch is decided."""


RUNNING: list[Executor] = []
"""The paths that code runs on, the latest last: also where that code runs in a thread or context of its own."""


def fault(problem: E) -> E:
    """An error of the executor, to be raised: it is recorded on the path."""
    path = CURRENT.get() or (RUNNING[-1] if RUNNING else None)
    if path is not None:
        path.fail(problem)
    return problem


def may_be_zero(term: Term, *given: Term) -> bool:
    """Whether a term, plainly looked at, can be 0 where `given` holds: one that is so case by case is not."""
    if z3.is_int_value(term):
        return bool(term.as_long() == 0)
    if z3.is_app_of(term, z3.Z3_OP_ITE):
        condition, then, otherwise = term.children()
        return may_be_zero(then, *given, condition) or may_be_zero(otherwise, *given, z3.Not(condition))
    return not z3.is_false(z3.simplify(z3.substitute(z3.And(*given), (term, z3.IntVal(0)))))


def check_divisor(divisor: Term) -> None:
    """ZeroDivisionError where a divisor is 0, as in Python: on a path of its own, where it may be 0 or not."""
    divisor = z3.simplify(divisor)
    if not may_be_zero(divisor):
        return
    path = CURRENT.get()
    if z3.is_int_value(divisor):
        raise ZeroDivisionError(_BY_ZERO)
    if path is not None and path.steps and divisor.get_id() not in path.divisors:
        if path.decide(divisor == 0, likely=False):
            raise ZeroDivisionError(_BY_ZERO)
        path.divisors[divisor.get_id()] = divisor


class Symbolic:
    """A value that is not known. What Python's integers can and this cannot is refused, and the refusal recorded."""

    term: Term
    kind = "number"

    def __hash__(self) -> NoReturn:
        raise fault(TypeError(f"unhashable: an unknown {self.kind} is no key of a dict and no element of a set"))

    def __index__(self) -> NoReturn:
        raise fault(TypeError(f"an unknown {self.kind} has no one value: it is no index, no int and no float"))

    __int__ = __float__ = __complex__ = __index__

    def text(self) -> str:
        """For messages of this machinery, and for debugging."""
        return f"{type(self).__name__}({self.term})"

    def __repr__(self) -> str:
        if CURRENT.get() is not None or RUNNING:
            raise fault(TypeError(f"an unknown {self.kind} has no text while it is proved: do not format it in a step"))
        return self.text()

    def __str__(self) -> str:
        return self.__repr__()

    def __format__(self, form: str) -> str:
        return format(self.__repr__(), form)

    def _refused(self, *others: object) -> Any:
        raise fault(
            TypeError(
                f"an unknown {self.kind} has no such operation in a proof: use +, -, *, //, %, comparisons and ite,"
                " & with a known mask, and shifts by known numbers"
            )
        )

    if not TYPE_CHECKING:
        __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _refused
        __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __truediv__ = __rtruediv__ = _refused
        __divmod__ = __rdivmod__ = __pow__ = __rpow__ = __matmul__ = __rmatmul__ = _refused
        __and__ = __rand__ = __or__ = __ror__ = __xor__ = __rxor__ = _refused
        __lshift__ = __rlshift__ = __rshift__ = __rrshift__ = _refused
        __neg__ = __pos__ = __abs__ = __invert__ = __round__ = __trunc__ = __floor__ = __ceil__ = _refused
        __lt__ = __le__ = __gt__ = __ge__ = _refused

        def __getattr__(self, name: str) -> Any:
            """Methods of integers: `bit_length`, … Of what Python itself looks for, there is none either way."""
            problem = AttributeError(f"an unknown {self.kind} has no {name} in a proof")
            raise problem if name.startswith("__") else fault(problem)
