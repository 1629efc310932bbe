"""Arithmetic that no solver decides in general, by facts that are proved once and instantiated where they are needed.

Products of two unknowns, quotients and remainders by an unknown, and remainders by an unknown power of two become
applications of uninterpreted functions. What is known of these is a *schema*: a function of the operators and their
operands that gives statements. A path asserts a schema's instances for each application that a step or a law makes;
`proofs.lemmas` proves each schema of the exact operators, for any integers (and each of the 64 powers of two).

So a proof holds for every alignment at once. A counterexample is looked for under the operators' exact meaning
(`Facts.meaning`), one power of two after the other, and where all 64 have none, that is a proof as well.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, TypeAlias

z3: Any = import_module("z3")
"""z3 ships no types: everything of it is `Any`, and enters here."""
Term: TypeAlias = Any
"""A z3 term."""
Binary: TypeAlias = Callable[[Term, Term], Term]

MODULUS = 2**64
POWERS = tuple(2**k for k in range(64))
LIKELY = (8, 16, 1, 32, 2, 4, 64, 4096, 2**62, 2**63, 128, 256)
"""Powers that counterexamples are looked for with first."""


@dataclass(frozen=True)
class Operators:
    """What the schemas speak of: uninterpreted in a proof, exact in the schemas' own proof."""

    product: Binary
    quotient: Binary
    rest: Binary
    """Remainder by any positive number."""
    below: Binary
    """Remainder by a power of two."""
    power: Callable[[Term], Term]
    """Whether a number is a power of two, from 1 to 2**63."""


def _function(name: str) -> Binary:
    integer = z3.IntSort()
    made: Binary = z3.Function(name, integer, integer, integer)
    return made


def in_order(a: Term, b: Term) -> list[Term]:
    """The factors of a product, in the order in which it is written: a product and its mirror are one term."""
    return sorted((z3.simplify(a), z3.simplify(b)), key=lambda term: str(term.sexpr()))


_PRODUCT = _function("product")
NAMED = Operators(
    lambda a, b: _PRODUCT(*in_order(a, b)),
    _function("quotient"),
    _function("rest"),
    _function("below"),
    z3.Function("is_power", z3.IntSort(), z3.BoolSort()),
)
_BEYOND = z3.Function("is_larger_power", z3.IntSort(), z3.BoolSort())


def _floor(a: Term, b: Term) -> Term:
    """Python's `a // b`; z3's rounds the other way for b < 0."""
    return a / b if z3.is_int_value(b) and b.as_long() > 0 else z3.If(b > 0, a / b, (-a) / (-b))


def _modulo(a: Term, b: Term) -> Term:
    """Python's `a % b`, whose sign is that of b."""
    return a % b if z3.is_int_value(b) and b.as_long() > 0 else z3.If(b > 0, a % b, -((-a) % (-b)))


EXACT = Operators(
    lambda a, b: a * b,
    _floor,
    _modulo,
    lambda a, p: a % p,
    lambda p: z3.Or(*(p == each for each in POWERS)),
)


# ------------------------------------------------------------------------------------------------- the schemas


def of_product(of: Operators, a: Term, b: Term) -> Iterator[Term]:
    """Of a product of two numbers."""
    whole = of.product(a, b)
    yield z3.Implies(z3.Or(a == 0, b == 0), whole == 0)
    yield z3.Implies(a == 1, whole == b)
    yield z3.Implies(b == 1, whole == a)
    yield z3.Implies(z3.And(a >= 0, b >= 0), whole >= 0)
    yield z3.Implies(z3.And(a >= 1, b >= 1), z3.And(whole >= a, whole >= b))
    yield z3.Implies(z3.Or(a % 8 == 0, b % 8 == 0), whole % 8 == 0)


def of_multiples(of: Operators, a: Term, b: Term, factor: Term) -> Iterator[Term]:
    """Of two multiples of the same number: they are at least that number apart."""
    one, other = of.product(a, factor), of.product(b, factor)
    yield z3.Implies(z3.And(factor >= 0, a < b), one + factor <= other)
    yield z3.Implies(z3.And(factor >= 0, b < a), other + factor <= one)
    yield z3.Implies(b == a + 1, other == one + factor)
    yield z3.Implies(a == b + 1, one == other + factor)


def of_quotient(of: Operators, a: Term, b: Term) -> Iterator[Term]:
    """Of a quotient and its remainder."""
    quotient, rest = of.quotient(a, b), of.rest(a, b)
    yield z3.Implies(b > 0, z3.And(rest >= 0, rest < b))
    yield z3.Implies(b > 0, of.product(quotient, b) + rest == a)
    yield z3.Implies(z3.And(a >= 0, b > 0), z3.And(quotient >= 0, quotient <= a))


def of_quotient_and_multiple(of: Operators, a: Term, b: Term, c: Term) -> Iterator[Term]:
    """Of `a` divided by `b`, and `c` times `b`."""
    multiple = of.product(c, b)
    yield z3.Implies(b > 0, (c <= of.quotient(a, b)) == (multiple <= a))
    yield z3.Implies(z3.And(b > 0, a == multiple), z3.And(of.rest(a, b) == 0, of.quotient(a, b) == c))


def of_remainder(of: Operators, a: Term, power: Term) -> Iterator[Term]:
    """Of a remainder by a power of two; rounding down and up by it gives multiples, also where that wraps."""
    rest, known = of.below(a, power), of.power(power)
    yield z3.Implies(known, z3.And(rest >= 0, rest < power))
    yield z3.Implies(z3.And(known, a >= 0, a < power), rest == a)
    for place in (a - rest, a - rest + power, a - rest + power - MODULUS):
        yield z3.Implies(known, of.below(place, power) == 0)
    for grid in (8, 16):
        yield z3.Implies(z3.And(known, power >= grid, a % grid == 0), rest % grid == 0)
        yield z3.Implies(z3.And(known, power >= grid, rest == 0), a % grid == 0)
        yield z3.Implies(z3.And(known, power <= grid, a % grid == 0), rest == 0)


def of_power(of: Operators, power: Term) -> Iterator[Term]:
    """Of a number that may be a power of two."""
    yield z3.Implies(of.power(power), z3.And(power >= 1, power <= POWERS[-1]))
    small = [power == each for each in POWERS[:4]]
    for count, grid in ((3, 8), (4, 16)):
        yield z3.Implies(of.power(power), z3.Or(*small[:count], z3.And(power >= grid, power % grid == 0)))
    yield z3.Implies(z3.Or(*small), of.power(power))


def of_sixteen(of: Operators, a: Term, b: Term) -> Iterator[Term]:
    """Of a product with a multiple of 16: it is one. A proof that needs this assumes it (`proofs.fixed_hooks`)."""
    yield z3.Implies(b % 16 == 0, of.product(a, b) % 16 == 0)


SCHEMAS: Mapping[str, tuple[Callable[..., Iterator[Term]], int]] = {
    "product": (of_product, 2),
    "sixteen": (of_sixteen, 2),
    "multiples": (of_multiples, 3),
    "quotient": (of_quotient, 2),
    "quotient_and_multiple": (of_quotient_and_multiple, 3),
    "remainder": (of_remainder, 2),
    "power": (of_power, 1),
}
"""The schemas, and how many numbers each speaks of."""


# ------------------------------------------------------------------------------------------ where they are used


class Facts:
    """The applications that one path has made, and what is known of them; each instance goes to `know` once."""

    def __init__(self, know: Callable[[Term], None]) -> None:
        self._know = know
        self._made: dict[tuple[str, int, int], Term] = {}
        self._products: list[tuple[Term, Term]] = []
        self._quotients: list[tuple[Term, Term]] = []
        self._remainders: list[tuple[Term, Term]] = []
        self._powers: list[Term] = []

    def _tell(self, instances: Iterable[Term]) -> None:
        for instance in instances:
            self._know(instance)

    def _new(self, kind: str, a: Term, b: Term, value: Term) -> bool:
        """Whether this application is made for the first time. (The value keeps both terms, so ids stay theirs.)"""
        key = kind, a.get_id(), b.get_id()
        if key in self._made:
            return False
        self._made[key] = value
        return True

    def product(self, a: Term, b: Term) -> Term:
        """`a * b`, where neither is known."""
        a, b = in_order(a, b)
        whole = NAMED.product(a, b)
        if self._new("product", a, b, whole):
            self._tell(of_product(NAMED, a, b))
            for c, d in self._products:
                for x, f in ((a, b), (b, a)):
                    for y, g in ((c, d), (d, c)):
                        if f.eq(g):
                            self._tell(self._multiples(x, y, f))
            for number, divisor in self._quotients:
                self._meet(number, divisor, a, b)
            self._products.append((a, b))
        return whole

    def _multiples(self, x: Term, y: Term, factor: Term) -> Iterator[Term]:
        return of_multiples(NAMED, x, y, factor)

    def _meet(self, number: Term, divisor: Term, a: Term, b: Term) -> None:
        for c, f in ((a, b), (b, a)):
            if f.eq(divisor):
                self._tell(of_quotient_and_multiple(NAMED, number, divisor, c))

    def _divide(self, a: Term, b: Term) -> None:
        if not self._new("quotient", a, b, NAMED.quotient(a, b)):
            return
        self.product(NAMED.quotient(a, b), b)
        self._tell(of_quotient(NAMED, a, b))
        for c, d in self._products:
            self._meet(a, b, c, d)
        self._quotients.append((a, b))

    def quotient(self, a: Term, b: Term) -> Term:
        """`a // b`, where `b` is not known and positive; of `b` below 1 nothing is known."""
        return self._spread(b, lambda each: self._quotient(z3.simplify(a), each, NAMED.quotient), lambda n: a / n)

    def rest(self, a: Term, b: Term) -> Term:
        """`a % b`, likewise."""
        return self._spread(b, lambda each: self._quotient(z3.simplify(a), each, NAMED.rest), lambda n: a % n)

    def _quotient(self, a: Term, b: Term, wanted: Binary) -> Term:
        self._divide(a, b)
        return wanted(a, b)

    def below(self, a: Term, power: Term) -> Term:
        """`a` modulo `power`, a power of two that is not known."""
        return self._spread(power, lambda each: self._remainder(z3.simplify(a), each), lambda n: a % n)

    def _remainder(self, a: Term, power: Term) -> Term:
        rest = NAMED.below(a, power)
        if self._new("remainder", a, power, rest):
            self._tell(of_remainder(NAMED, a, power))
            self._remainders.append((a, power))
        return rest

    def _spread(self, b: Term, unknown: Callable[[Term], Term], known: Callable[[int], Term]) -> Term:
        """An operation by `b`, case by case where that is known in each case, or nearly."""
        b = z3.simplify(b)
        if z3.is_int_value(b) and b.as_long() > 0:
            return known(b.as_long())
        if z3.is_app_of(b, z3.Z3_OP_ITE):
            condition, then, otherwise = b.children()
            return z3.If(condition, self._spread(then, unknown, known), self._spread(otherwise, unknown, known))
        return unknown(b)

    def is_power(self, number: Term) -> Term:
        """Whether `number` is a power of two; above 2**63 nobody knows."""
        number = z3.simplify(number)
        if self._new("power", number, number, number):
            self._tell(of_power(NAMED, number))
            self._powers.append(number)
        return z3.If(number <= POWERS[-1], NAMED.power(number), _BEYOND(number))

    def meaning(self, pinned: Mapping[str, int]) -> list[Term]:
        """All applications mean what their names say, the unknowns named in `pinned` being those powers of two."""
        exact = [z3.Int(name) == value for name, value in pinned.items()]
        exact += [NAMED.product(a, b) == a * b for a, b in self._products]
        for a, b in self._quotients:
            exact += [NAMED.quotient(a, b) == EXACT.quotient(a, b), NAMED.rest(a, b) == EXACT.rest(a, b)]
        for a, power in self._remainders:
            value = pinned.get(str(power))
            cases = POWERS if value is None else (value,)
            exact += [z3.Implies(power == each, NAMED.below(a, power) == a % each) for each in cases]
        exact += [NAMED.power(number) == EXACT.power(number) for number in self._powers]
        return exact
