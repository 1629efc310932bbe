"""Symbolic integers mean what Python's integers mean; wrapping ones, what they mean modulo 2**64."""

import operator
import random
from collections.abc import Callable
from typing import Any

import pytest

from heaplaw.proofs.facts import MODULUS, z3
from heaplaw.proofs.paths import Path, Source, explore
from heaplaw.proofs.symbolic import (
    Reading,
    SymBool,
    SymInt,
    constant,
    plain,
    settled,
)
from heaplaw.proofs.wrapping import Wrapped
from heaplaw.spec.event import Env
from heaplaw.spec.layout import align_up, fundamental_alignment
from heaplaw.spec.logic import implies, ite, mod_pow2, neg

SEED = 20240229
SUMS = (operator.add, operator.sub, operator.mul)
PARTS = (operator.floordiv, operator.mod)
COMPARISONS = (operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne)


def value(term: SymInt) -> int:
    return int(z3.simplify(term.term).as_long())


def pairs(count: int, low: int) -> list[tuple[int, int]]:
    rng = random.Random(SEED)
    edges = [0, 1, 7, 8, 2**63 - 1, 2**63, MODULUS - 8, MODULUS - 1]
    draw = [*edges, *(rng.randrange(max(low, -(2**66)), MODULUS) for _ in range(40))]
    return [(rng.choice(draw), rng.choice(draw)) for _ in range(count)]


@pytest.mark.parametrize("operation", SUMS)
@pytest.mark.parametrize("sides", ["both", "left", "right"])
def test_sums__unbounded_agree_with_int(operation: Callable[[Any, Any], Any], sides: str) -> None:
    for a, b in pairs(100, -(2**66)):
        left = a if sides == "right" else constant(a)
        right = b if sides == "left" else constant(b)
        assert value(operation(left, right)) == operation(a, b)


@pytest.mark.parametrize("operation", SUMS)
@pytest.mark.parametrize("sides", ["both", "left", "right"])
def test_sums__w64_agree_modulo_2_64(operation: Callable[[Any, Any], Any], sides: str) -> None:
    for a, b in pairs(100, 0):
        left = a if sides == "right" else constant(a, Reading.W64)
        right = b if sides == "left" else constant(b, Reading.W64)
        assert value(operation(left, right)) == operation(a, b) % MODULUS
        wrapped = operation(Wrapped(a) if sides != "right" else a, Wrapped(b) if sides != "left" else b)
        assert type(wrapped) is Wrapped
        assert wrapped == operation(a, b) % MODULUS


@pytest.mark.parametrize("reading", list(Reading))
@pytest.mark.parametrize("operation", PARTS)
def test_parts__agree_with_int(operation: Callable[[Any, Any], Any], reading: Reading) -> None:
    for a, b in pairs(100, 0 if reading is Reading.W64 else -(2**66)):
        if b == 0:
            continue
        expected = operation(a, b)
        assert value(operation(constant(a, reading), constant(b, reading))) == expected
        assert value(operation(constant(a, reading), b)) == expected
        assert value(operation(a, constant(b, reading))) == expected


def test_parts__divisors_below_zero_follow_python() -> None:
    for a in (-9, -8, 0, 7, 8):
        for b in (-3, -1, 2):
            x, y = z3.Int("x"), z3.Int("y")
            solver = z3.Solver()
            solver.add(x == a, y == b)
            solver.add(z3.Or((SymInt(x) // SymInt(y)).term != a // b, (SymInt(x) % SymInt(y)).term != a % b))
            assert solver.check() == z3.unsat


@pytest.mark.parametrize("operation", COMPARISONS)
@pytest.mark.parametrize("reading", list(Reading))
def test_comparisons__agree_with_int(operation: Callable[[Any, Any], Any], reading: Reading) -> None:
    for a, b in [*pairs(100, 0), (5, 5), (MODULUS - 1, MODULUS - 1)]:
        expected = operation(a, b)
        for answer in (
            operation(constant(a, reading), constant(b, reading)),
            operation(constant(a, reading), b),
            operation(a, constant(b, reading)),
        ):
            assert isinstance(answer, SymBool)
            assert bool(answer) is expected


def test_negation__wraps_in_w64() -> None:
    assert value(-constant(3)) == -3
    assert value(-constant(3, Reading.W64)) == MODULUS - 3
    assert Wrapped(-3) == -Wrapped(3) == MODULUS - 3


@pytest.mark.parametrize("a", [False, True])
@pytest.mark.parametrize("b", [False, True])
def test_connectives__agree_with_bool(a: bool, b: bool) -> None:
    x, y = constant(int(a)) == 1, constant(int(b)) == 1
    assert bool(x & y) is bool(x & b) is bool(a & y) is (a & b)
    assert bool(x | y) is bool(x | b) is bool(a | y) is (a | b)
    assert bool(neg(x)) is (not a)
    assert bool(implies(x, y)) is bool(implies(x, b)) is bool(implies(a, y)) is ((not a) or b)
    assert bool(x == y) is (a == b)
    assert bool(x != y) is (a != b)
    assert value(ite(x, constant(4), 5)) == value(ite(x, 4, constant(5))) == (4 if a else 5)
    assert bool(ite(x, y, False)) is (a and b)


def test_layout__agrees_for_every_power() -> None:
    rng = random.Random(SEED)
    for k in range(64):
        a = rng.randrange(MODULUS)
        assert value(mod_pow2(constant(a), 2**k)) == a % 2**k
        assert value(mod_pow2(constant(a), constant(2**k))) == a % 2**k
        assert value(align_up(constant(a), constant(2**k))) == align_up(a, 2**k)
        assert value(fundamental_alignment(constant(k))) == fundamental_alignment(k)


def test_misuse__is_loud() -> None:
    x = SymInt(z3.Int("x"))
    with pytest.raises(TypeError, match="unhashable"):
        hash(x)
    with pytest.raises(TypeError, match="unhashable"):
        hash(x == 1)
    with pytest.raises(TypeError, match="no one value"):
        int(x)
    with pytest.raises(TypeError, match="no one value"):
        operator.index(x)
    with pytest.raises(TypeError, match="needs a path"):
        assert x == 1
    with pytest.raises(TypeError, match="do not mix"):
        operator.add(x, constant(1, Reading.W64))
    with pytest.raises(TypeError, match="different readings"):
        ite(x == 1, x, constant(1, Reading.W64))
    with pytest.raises(TypeError, match="meets"):
        operator.add(x, 1.5)


def test_plain__reaches_into_records() -> None:
    env = plain(Env(base=Wrapped(-8), capacity=constant(3, Reading.W64)))
    assert env.base == MODULUS - 8
    assert type(env.base) is int
    assert env.capacity.reading is Reading.UNBOUNDED


def classify(source: Source) -> str:
    x = source.number("x")
    source.assume((x >= 0) & (x < 10))
    if x < 3:
        return "small" if x < 5 else "impossible"
    return "large" if x >= 7 else "middle"


def test_explore__takes_just_the_feasible_paths() -> None:
    paths: list[Path[str]] = explore(classify, Reading.UNBOUNDED, 10**6)
    assert sorted(path.result or "" for path in paths) == ["large", "middle", "small"]
    for path in paths:
        assert path.possible() == z3.sat


def test_explore__paths_cover_everything_once() -> None:
    paths = explore(classify, Reading.UNBOUNDED, 10**6)
    for x in range(10):
        taken = [path.result for path in paths if path.possible(z3.Int("x") == x) == z3.sat]
        assert taken == ["small" if x < 3 else "large" if x >= 7 else "middle"]


def test_explore__unknown_is_feasible() -> None:
    def hard(source: Source) -> bool:
        x, y, z = (source.number(name) for name in "xyz")
        source.assume((x > 1) & (y > 1) & (z > 1))
        return bool(x * x * x + y * y * y == z * z * z)  # Fermat: never, but z3 cannot say so

    assert sorted(str(path.result) for path in explore(hard, Reading.UNBOUNDED, 1000)) == ["False", "True"]


def test_explore__endless_loop_is_an_error() -> None:
    def endless(source: Source) -> int:
        count, n = 0, source.number("n")
        while count < n:
            count += 1
        return count

    with pytest.raises(RuntimeError, match="more than 64 branches"):
        explore(endless, Reading.UNBOUNDED, 10**6)


def test_settled__tells_open_from_closed() -> None:
    assert settled(z3.BoolVal(True)) is True
    assert settled(z3.Int("x") != z3.Int("x")) is False
    assert settled(z3.Int("x") > 0) is None
