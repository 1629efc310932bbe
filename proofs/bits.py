"""The same proofs with bit-vectors: steps, laws and claims unchanged, on a machine of few bits.

`Vectors(width)` is an engine (see `proofs.paths`) whose numbers are those of `proofs.vectors`: a machine's integers are
z3's own bit-vectors of that width, a law's are signed vectors in which nothing wraps, and nothing of `proofs.facts` is
used. What a scenario asks for (numbers, and what tables hold) are signed
integers of `width + 2` bits: all addresses, sizes and counts of the machine, and some beyond. So what is proved is
proved for a machine of that width: less than `proofs.prove` claims, by other means.

`arithmetic`: each operation of `proofs.symbolic`'s encoding in integers, with the modulus 2**w, is the vectors' own.
"""

import operator
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from typing import Any

from heaplaw.spec.layout import align_up, is_power_of_two
from heaplaw.spec.logic import Word, mod_pow2

from .claims import as_stated
from .concrete import Concrete
from .executor import CURRENT
from .facts import POWERS, Term, z3
from .lemmas import one_of_these
from .loops import swapped
from .paths import Engine, Path, Source
from .prove import AnyObligation, Claim, Obligation, Result, prove_one
from .symbolic import Reading, SymBool, Width, as_read, int_term, plain, truth_term
from .tables import ModelTable
from .vectors import BitBool, BitTable, SymBits

PART = "bits"
WIDTH = 12
"""Bits of the machine that allocators are proved on again."""
BEYOND = 2
"""Bits that a scenario's numbers have beyond the machine's: a sign, and one more."""


# --------------------------------------------------------------------------------------------------- the engine


def _vector(name: str, width: int) -> Term:
    return z3.BitVec(name, width + BEYOND)


def _array(name: str, width: int) -> Term:
    """Keys are sums of addresses and products of two numbers."""
    return z3.Array(name, z3.BitVecSort(4 * width), z3.BitVecSort(width + BEYOND))


@dataclass
class VectorPath(Path[Any]):
    """A path on bit-vectors."""

    width: int = WIDTH

    @property
    def meaning(self) -> Width:
        """What a machine's integers mean."""
        return Width(self.width)

    def number(self, name: str) -> Any:
        return SymBits(self.names.setdefault(name, _vector(name, self.width)))

    def truth(self, name: str) -> BitBool:
        return BitBool(self.names.setdefault(name, z3.Bool(name)))

    def table(self, name: str) -> Any:
        return BitTable(self.names.setdefault(name, _array(name, self.width)))

    def power(self, name: str) -> Any:
        number: Any = self.number(name)
        self.assume(is_power_of_two(number) & (number < self.modulus), "")
        return number


class VectorConcrete(Concrete):
    """The integers of a model in bit-vectors; a machine's wrap at its own width."""

    def __init__(self, model: Any, reading: Reading, width: int) -> None:
        super().__init__(model, reading)
        self.width = width
        self.modulus = 2**width

    @property
    def meaning(self) -> Width:
        """What a machine's integers mean."""
        return Width(self.width)

    def _number(self, term: Term) -> int:
        return int(self._model.eval(term, model_completion=True).as_signed_long())

    def number(self, name: str) -> int:
        return self.numbers.setdefault(name, self._number(_vector(name, self.width)))

    def table(self, name: str) -> ModelTable:
        array = _array(name, self.width)
        return ModelTable(lambda key: self._number(z3.Select(array, key)))


@dataclass(frozen=True)
class Vectors(Engine):
    """Bit-vectors, on a machine of that width."""

    width: int

    def words(self, reading: Reading) -> str:
        """What values are, in words."""
        return f"bit-vectors, on a machine of {self.width} bits"

    def path(self, reading: Reading, rlimit: int, decisions: list[bool]) -> Path[Any]:
        """A path on bit-vectors."""
        return VectorPath(reading, rlimit, decisions, modulus=2**self.width, width=self.width)

    def concrete(self, model: Any, reading: Reading) -> Concrete:
        """The integers of a model."""
        return VectorConcrete(model, reading, self.width)


def with_bits(obligations: Iterable[AnyObligation], width: int = WIDTH) -> Iterator[AnyObligation]:
    """Those of the obligations that are about wrapping integers, to be decided with bit-vectors."""
    for each in obligations:
        if each.reading is Reading.W64:
            scope = f"{each.scope}, on a machine of {width} bits"
            yield replace(each, part=PART, step=f"{each.part}.{each.step}", scope=scope, engine=Vectors(width))


def prove_bits(obligation: AnyObligation, width: int = WIDTH) -> Result:
    """Decide an obligation on a step with bit-vectors."""
    (again,) = with_bits([replace(obligation, reading=Reading.W64)], width)
    return prove_one(again)


# --------------------------------------------------------------------------------------------------- allocators


@dataclass(frozen=True)
class Chosen:
    """An obligation that is proved again: one of a part, on a machine of so many bits."""

    part: str
    about: str
    width: int
    steps: Callable[[Any, int], Any] = lambda steps, width: steps
    """The part's steps with constants of that machine."""


def _smaller_objects(steps: Any, width: int) -> Any:
    """Arenas refuse what no object can be: more than 2**63 - 1 bytes on a machine of 64 bits."""
    return swapped(steps, LARGEST=2 ** (width - 1) - 1 - steps.HEADER)


CHOSEN = (
    Chosen("bump", "aligned.blocks_disjoint", 8),
    Chosen("stack", "aligned.blocks_disjoint", 8),
    Chosen("stack", "pop.lifo_pop", 12),
    Chosen("pool", "alloc.blocks_disjoint", 8),
    Chosen("pool", "alloc.invariant", 12),
    Chosen("freelist", "alloc.usable_size_covers_request", 8),
    Chosen("arena", "alloc.blocks_disjoint", 8, _smaller_objects),
)
"""What is proved again of the reference. Their steps have no number that is of 64 bits alone, or it is given."""


def of_part(part: str, steps: Any = None) -> Iterator[AnyObligation]:
    """Those of one part of the reference, or of a faulty copy of its module of steps."""
    stated: Any = import_module(f"heaplaw.proofs.{part}")
    module = steps or import_module(f"heaplaw.refimpl.steps.{part}")
    for chosen in CHOSEN:
        if chosen.part == part:
            wanted = f"{part}.{chosen.about}"
            made = stated.obligations(chosen.steps(module, chosen.width))
            yield from with_bits((each for each in made if each.name == wanted), chosen.width)


# --------------------------------------------------------------------------------------------------- arithmetic

WIDTHS = (8, 16)
Operation = tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any]]
"""On two integers of the machine, and on two bit-vectors."""


def _power_up(x: Term, power: Term) -> Term:
    """The least multiple of a power of two from `x` on, as machines compute it."""
    return (x + (power - 1)) & ~(power - 1)


SUMS: dict[str, Operation] = {
    "sum": (operator.add, operator.add),
    "difference": (operator.sub, operator.sub),
    "product": (operator.mul, operator.mul),
    "opposite": (lambda a, b: -a, lambda x, y: -x),
    "known_sum": (lambda a, b: a + 200, lambda x, y: x + 200),
    "known_difference": (lambda a, b: 200 - a, lambda x, y: 200 - x),
    "known_product": (lambda a, b: 24 * a, lambda x, y: 24 * x),
    "known_loss": (lambda a, b: a + -1, lambda x, y: x - 1),
    "less": (operator.lt, z3.ULT),
    "at_most": (operator.le, z3.ULE),
    "more": (operator.gt, z3.UGT),
    "at_least": (operator.ge, z3.UGE),
    "equal": (operator.eq, operator.eq),
    "different": (operator.ne, operator.ne),
}
DIVISIONS: dict[str, Operation] = {
    "quotient": (lambda a, b: a // b, z3.UDiv),
    "rest": (operator.mod, z3.URem),
}
"""By numbers that are not 0."""
ALIGNMENTS: dict[str, Operation] = {
    "below": (mod_pow2, lambda x, p: x & (p - 1)),
    "align_up": (align_up, _power_up),
}
"""By powers of two."""


class Translated(Path[Any]):
    """A path on which z3 reasons on bit-vectors by what they are in integers, as the claim speaks of both."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.solver.set("bv.solver", 2)


@dataclass(frozen=True)
class Translating(Engine):
    """Integers beside bit-vectors."""

    def path(self, reading: Reading, rlimit: int, decisions: list[bool]) -> Path[Any]:
        """A path on both."""
        return Translated(reading, rlimit, decisions)


def _outside(act: Callable[[], Any]) -> Any:
    """What `act` computes off the path: with exact products and remainders, not by facts on them."""
    token = CURRENT.set(None)
    try:
        return act()
    finally:
        CURRENT.reset(token)


def agree(source: Source, operation: Operation, second: Callable[[Source, int], Word]) -> Claim:
    """An operation on two integers of a machine is the vectors' own; each width on a path of its own."""
    width = one_of_these(source.number("bits"), WIDTHS)
    a, b = source.number("a"), second(source, width)
    source.assume((a >= 0) & (a < 2**width) & (b >= 0) & (b < 2**width), "the machine's integers have so many bits")
    ours, vectors = operation
    mine = _outside(lambda: plain(ours(as_read(a, Width(width)), as_read(b, Width(width)))))
    own = vectors(z3.Int2BV(int_term(a), width), z3.Int2BV(int_term(b), width))
    if z3.is_bool(own):
        return Claim(True, SymBool(truth_term(mine) == own))
    return Claim(True, SymBool(int_term(mine) == z3.BV2Int(own)))


def _any(source: Source, width: int) -> Word:
    return source.number("b")


def _divisor(source: Source, width: int) -> Word:
    b = source.number("b")
    source.assume(b >= 1, "nothing is divided by 0")
    return b


def _power(source: Source, width: int) -> Word:
    """Each power on a path of its own."""
    return one_of_these(source.number("b"), POWERS[:width])


def arithmetic() -> Iterator[AnyObligation]:
    """The encoding of wrapping integers in unbounded ones, with the moduli 2**8 and 2**16, against bit-vectors."""
    kinds: tuple[tuple[dict[str, Operation], Callable[[Source, int], Word]], ...]
    kinds = ((SUMS, _any), (DIVISIONS, _divisor), (ALIGNMENTS, _power))
    scope, reading = f"all integers of {' and of '.join(map(str, WIDTHS))} bits", Reading.UNBOUNDED
    for operations, second in kinds:
        for name, operation in operations.items():
            scenario = partial(agree, operation=operation, second=second)
            words = f"{name.replace('_', ' ')} of integers that wrap is that of bit-vectors"
            yield Obligation(PART, name, "same", words, scope, reading, scenario, as_stated, engine=Translating())


def obligations() -> Iterator[AnyObligation]:
    """The arithmetic, and an obligation or two of each allocator."""
    yield from arithmetic()
    for part in dict.fromkeys(chosen.part for chosen in CHOSEN):
        yield from of_part(part)
