"""The integers' wrapping arithmetic is the bit-vectors' own, and allocators are proved again with these."""

import operator
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from heaplaw.mutants.reference import load
from heaplaw.proofs import bits
from heaplaw.proofs.bits import CHOSEN, prove_bits
from heaplaw.proofs.facts import z3
from heaplaw.proofs.paths import Source
from heaplaw.proofs.prove import Claim, Obligation, Refuted, prove, prove_one
from heaplaw.proofs.symbolic import Reading, SymInt, Width, as_read, plain
from heaplaw.proofs.vectors import BitBool, SymBits, SymWord, exactly
from heaplaw.proofs.wrapping import wrapped
from heaplaw.spec.layout import PTRDIFF_MAX, align_up
from heaplaw.spec.logic import ite, mod_pow2
from heaplaw.spec.verdict import Error, Proved

# --------------------------------------------------------------------------------------------------- arithmetic


def test_wrapping_integers__are_bit_vectors() -> None:
    results = prove(bits.arithmetic())
    assert [result for result in results if not isinstance(result.answer, Proved)] == []
    assert {result.obligation.name for result in results} >= {
        f"bits.{name}.same" for name in ("sum", "difference", "product", "quotient", "rest", "less", "align_up")
    }
    assert next(each.paths for each in results if each.obligation.step == "align_up") == 8 + 16


@pytest.mark.parametrize(
    ("method", "fault", "seen"),
    [
        ("_sum", lambda self, term: SymInt(z3.If(term > 256, term - 256, term), self.reading), "sum"),
        ("_difference", lambda self, term: SymInt(z3.If(term < 0, -term, term), self.reading), "difference"),
        ("_product", lambda self, term: SymInt(z3.If(term < 512, term, term % 256), self.reading), "product"),
        ("__lt__", lambda self, other: self <= other, "less"),
        ("__floordiv__", lambda self, other: (self + other - 1) // plain(other), "quotient"),
    ],
)
def test_arithmetic__that_is_not_the_vectors_own_is_seen(
    monkeypatch: pytest.MonkeyPatch, method: str, fault: Callable[..., Any], seen: str
) -> None:
    obligation = next(each for each in bits.arithmetic() if each.step == seen)
    monkeypatch.setattr(SymInt, method, fault)
    assert not isinstance(prove_one(obligation).answer, Proved)


def test_arithmetic__counterexamples_are_run_on_wrapping_integers(monkeypatch: pytest.MonkeyPatch) -> None:
    obligation = next(each for each in bits.arithmetic() if each.step == "sum")
    monkeypatch.setattr(SymInt, "_sum", lambda self, term: SymInt(z3.If(term > 256, term - 256, term), self.reading))
    answer = prove_one(obligation).answer
    assert "does not replay" in str(answer), "the encoding is at fault, and the integers that it stands for are not"
    monkeypatch.setattr(wrapped(256), "__add__", lambda self, other: int(self) + int(other))
    answer = prove_one(obligation).answer
    assert isinstance(answer, Refuted)
    values = dict(answer.values)
    assert values["a"] + values["b"] >= 256


@pytest.mark.parametrize("operation", [operator.add, operator.sub, operator.mul, operator.floordiv, operator.mod])
def test_concrete_integers_that_wrap__are_bytes(operation: Callable[[Any, Any], Any]) -> None:
    byte = wrapped(256)
    rights = [each for each in range(256) if each or operation in (operator.add, operator.sub, operator.mul)]
    with np.errstate(all="ignore"):
        expected = operation(np.arange(256, dtype=np.uint8)[:, None], np.array(rights, dtype=np.uint8)[None, :])
    found = [[operation(byte(left), right) for right in rights] for left in range(256)]
    assert np.array_equal(np.array(found, dtype=np.int64), expected)
    assert all(type(each) is byte for row in found for each in row)
    assert operation(200, byte(7)) == operation(byte(200), byte(7)) == operation(byte(200), 7)


# ------------------------------------------------------------------------------------------------------ numbers


def number(value: Any) -> int:
    return int(
        z3.simplify(value.term).as_signed_long() if isinstance(value, SymBits) else z3.simplify(value.term).as_long()
    )


OPERATIONS = (operator.add, operator.sub, operator.mul, operator.floordiv, operator.mod)
COMPARISONS = (operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne)
VALUES = (-129, -128, -9, -8, -1, 0, 1, 7, 8, 127, 128, 255, 256, 2**64 - 1, PTRDIFF_MAX)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_unbounded_vectors__never_wrap(operation: Callable[[Any, Any], Any]) -> None:
    for a in VALUES:
        for b in VALUES:
            if b or operation not in (operator.floordiv, operator.mod):
                expected = operation(a, b)
                assert number(operation(exactly(a), exactly(b))) == expected
                assert number(operation(exactly(a), b)) == number(operation(a, exactly(b))) == expected


def test_vectors__compare_as_integers() -> None:
    for operation in COMPARISONS:
        for a in VALUES:
            for b in VALUES:
                assert bool(operation(exactly(a), exactly(b))) is operation(a, b)
                if 0 <= a < 256 and 0 <= b < 256:
                    words = [SymWord(z3.BitVecVal(each, 8)) for each in (a, b)]
                    assert bool(operation(*words)) is bool(operation(words[0], b)) is operation(a, b)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_words__wrap_as_concrete_ones_do(operation: Callable[[Any, Any], Any]) -> None:
    rng = random.Random(20240302)
    for a, b in ((rng.randrange(4096), rng.randrange(1, 4096)) for _ in range(200)):
        word = SymWord(z3.BitVecVal(a, 12))
        other = SymWord(z3.BitVecVal(b, 12))
        expected = operation(wrapped(4096)(a), b)
        assert number(operation(word, other)) == number(operation(word, b)) == expected
        assert number(operation(a, other)) == expected


def test_vectors__have_layout_and_cases() -> None:
    for a in (0, 1, 7, 8, 100):
        for power in (1, 8, 64):
            assert number(mod_pow2(exactly(a), power)) == number(mod_pow2(exactly(a), exactly(power))) == a % power
            word, by = SymWord(z3.BitVecVal(a, 8)), SymWord(z3.BitVecVal(power, 8))
            assert number(align_up(word, by)) == number(align_up(word, power)) == align_up(a, power)
    truth = BitBool(z3.BoolVal(True))
    assert number(ite(truth, exactly(-3), 400)) == -3
    assert number(ite(truth, 7, SymWord(z3.BitVecVal(1, 8)))) == 7
    assert number(plain(SymWord(z3.BitVecVal(255, 8)))) == 255
    assert number(as_read(exactly(300), Width(8))) == 44


def test_misuse__is_loud() -> None:
    word, exact = SymWord(z3.BitVec("x", 8)), SymBits(z3.BitVec("y", 10))
    for wrong in (lambda: word + exact, lambda: ite(word == 0, word, exact), lambda: word < 300, lambda: word + 2**64):
        with pytest.raises(TypeError):
            wrong()
    with pytest.raises(TypeError, match="no one value"):
        int(word)
    with pytest.raises(TypeError, match="unhashable"):
        hash(exact)
    with pytest.raises(ValueError, match="do not fit"):
        exact.at(9)


# --------------------------------------------------------------------------------------------------- allocators

PARTS = tuple(dict.fromkeys(chosen.part for chosen in CHOSEN))
REFUTES = {
    "ref-bump-always-first": ("bump", {"bits.bump.aligned.blocks_disjoint"}),
    "ref-stack-block-low": ("stack", {"bits.stack.aligned.blocks_disjoint"}),
    "ref-stack-pops-two": ("stack", {"bits.stack.pop.lifo_pop"}),
    "ref-pool-half-word-up": ("pool", {"bits.pool.alloc.blocks_disjoint", "bits.pool.alloc.invariant"}),
    "ref-freelist-header-uncounted": ("freelist", {"bits.freelist.alloc.usable_size_covers_request"}),
    "ref-arena-block-early": ("arena", {"bits.arena.alloc.blocks_disjoint"}),
}


@pytest.mark.parametrize("part", PARTS)
def test_allocators__are_proved_with_bit_vectors(part: str) -> None:
    results = prove(bits.of_part(part))
    assert len(results) == sum(chosen.part == part for chosen in CHOSEN)
    assert [(each.obligation.name, each.answer) for each in results if not isinstance(each.answer, Proved)] == []
    assert all(
        "bit-vectors, on a machine of" in each.answer.scope for each in results if isinstance(each.answer, Proved)
    )


@pytest.mark.parametrize("mutant", REFUTES)
def test_mutants__are_refuted_with_bit_vectors(mutant: str) -> None:
    part, names = REFUTES[mutant]
    chosen = [each for each in bits.of_part(part, load(mutant, f"steps.{part}")) if each.name in names]
    assert {each.obligation.name for each in prove(chosen) if isinstance(each.answer, Refuted)} == names


def test_mutants__refute_each_of_them() -> None:
    assert {name for _, names in REFUTES.values() for name in names} == {
        f"bits.{chosen.part}.{chosen.about}" for chosen in CHOSEN
    }


def small(scenario: Callable[[Source], Claim]) -> Obligation[Claim]:
    return Obligation("a", "test", "claim", "a claim", "all", Reading.W64, scenario, lambda claim: claim)


def test_overflow__is_found_at_the_machines_own_width() -> None:
    def grows(source: Source) -> Claim:
        x = source.machine(source.number("x"))
        return Claim(True, x + 1 > x)

    answer = prove_bits(small(grows), 9).answer
    assert isinstance(answer, Refuted)
    assert answer.values == (("x", 511),)


def test_laws__do_not_wrap() -> None:
    def grows(source: Source) -> Claim:
        x, y = source.number("x"), source.number("y")
        source.machine(x)
        source.machine(y)
        return Claim(x >= 1, (x * y + x > x * y) & (x * y * y >= y * y))

    assert isinstance(prove_bits(small(grows), 5).answer, Proved)


def test_numbers_of_wider_machines__are_an_error() -> None:
    def bounded(source: Source) -> Claim:
        return Claim(True, source.machine(source.number("x")) <= PTRDIFF_MAX)

    assert isinstance(prove_bits(small(bounded), 8).answer, Error)
