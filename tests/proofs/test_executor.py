"""No code that is run makes the executor go on after an error of its own, and none is told what Python would not tell.

What is caught here is what somebody's allocator may catch: the path must end with the error nevertheless.
"""

import math
import operator
from collections.abc import Callable
from contextvars import Context
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heaplaw.proofs import paths
from heaplaw.proofs.facts import MODULUS, z3
from heaplaw.proofs.paths import Path, Source, explore
from heaplaw.proofs.prove import Claim, Obligation, prove_one
from heaplaw.proofs.symbolic import Reading, SymBool, SymInt, constant
from heaplaw.proofs.wrapping import Wrapped
from heaplaw.spec.logic import ite, mod_pow2
from heaplaw.spec.verdict import Error, Proved

RLIMIT = 10**6
UNBOUNDED = Reading.UNBOUNDED


def explored(scenario: Callable[[Source], Any], reading: Reading = UNBOUNDED) -> list[Path[Any]]:
    return explore(scenario, reading, RLIMIT)


def size(source: Source) -> Any:
    number = source.number("size")
    source.assume((number >= 0) & (number < 2**64), "a word")
    return source.machine(number)


MISUSES: dict[str, Callable[[Any], object]] = {
    "key": lambda x: {24: 1}[x],
    "element": lambda x: x in {24, 32},
    "index": lambda x: [1, 2][x],
    "int": int,
    "float": float,
    "range": range,
    "floor": math.floor,
    "round": round,
    "abs": abs,
    "root": math.isqrt,
    "power": lambda x: x**2,
    "power_of_two": lambda x: 2**x,
    "divmod": lambda x: divmod(x, 8),
    "half": lambda x: x / 2,
    "or": lambda x: x | 1,
    "xor": lambda x: 1 ^ x,
    "shift_of_known": lambda x: 1 << x,
    "unknown_mask": lambda x: x & x,
    "gaps_in_mask": lambda x: x & 5,
    "plus": lambda x: +x,
    "bits": lambda x: x.bit_length(),
    "has_bits": lambda x: hasattr(x, "to_bytes"),
    "fraction": lambda x: x < 1.5,
    "nothing": lambda x: x == None,  # noqa: E711 - what somebody may write
    "other_reading": lambda x: x + SymInt(z3.Int("y"), Reading.W64 if x.reading is UNBOUNDED else UNBOUNDED),
    "branches_of_two_readings": lambda x: ite(x > 3, constant(1), constant(1, Reading.W64)),
    "text": str,
    "representation": repr,
    "formatted": lambda x: f"{x}",
    "formatted_so": lambda x: f"{x:#x}",
    "percent": lambda x: "%d" % x,  # noqa: UP031
    "joined": lambda x: "a" * x,
    "truth_counted": lambda x: sum([x > 3, x > 4]),
    "truth_added": lambda x: (x > 3) + 1,
    "truth_as_index": lambda x: (1, 2)[x > 3],
    "truth_as_key": lambda x: {True: 1}[x > 3],
    "truth_exclusive": lambda x: (x > 3) ^ (x > 4),
    "truth_inverted": lambda x: ~(x > 3),
    "truth_in_order": lambda x: (x > 3) <= (x > 4),
    "truth_and_number": lambda x: (x > 3) & 1,
    "truth_text": lambda x: f"{x > 3}",
}


@pytest.mark.parametrize("reading", Reading, ids=lambda reading: reading.name)
@pytest.mark.parametrize("name", MISUSES)
def test_misuse__is_an_error_whatever_is_caught(name: str, reading: Reading) -> None:
    def swallows(source: Source) -> int:
        try:
            MISUSES[name](size(source))
        except BaseException:  # noqa: BLE001 - the worst that a step can do
            return 8
        return 24

    with pytest.raises((TypeError, AttributeError)) as error:
        explored(swallows, reading)
    assert len(str(error.value).splitlines()) == 1


def test_every_operation_of_integers__is_there_or_refused() -> None:
    """What `int` has and a symbolic integer has not would raise an error that nobody records."""
    same = {name for name in dir(object) if not hasattr(SymInt, name) or name not in vars(int)}
    gives = {"__getnewargs__", "__getattribute__", "__new__", "__sizeof__", "__doc__", "__init_subclass__", *same}
    for kind in (SymInt, SymBool):
        for name in {name for name in dir(int) if name.startswith("__")} - gives:
            assert getattr(kind, name) is not getattr(object, name, None), name


def test_no_text__only_while_something_is_explored() -> None:
    assert str(SymInt(z3.Int("x"))) == f"{SymInt(z3.Int('x'))}" == "SymInt(x)"
    assert repr(SymInt(z3.Int("x")) == SymInt(z3.Int("y"))) == "SymBool(x == y)"


def test_too_many_branches__are_an_error_whatever_is_caught() -> None:
    def swallows(source: Source) -> int:
        n, count = source.number("n"), 0
        while True:
            try:
                if count >= n:
                    return count
            except Exception:  # noqa: BLE001 - a loop that would never end
                pass
            count += 1

    with pytest.raises(RuntimeError, match=r"more than 64 branches .* known number of turns"):
        explored(swallows)


def test_too_many_paths__say_how_many_and_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def independent(source: Source) -> int:
        return sum(1 if source.number(name) > 0 else 0 for name in "abcd")

    assert len(explored(independent)) == 16
    monkeypatch.setattr(paths, "MOST_PATHS", 15)
    with pytest.raises(RuntimeError, match=r"more than 15 paths: .*`ite"):
        explored(independent)


def test_dead_path__stays_dead_whatever_is_caught() -> None:
    def swallows(source: Source) -> str:
        x = source.number("x")
        if x > 3:
            source.assume(x < 2, "small")
            try:
                return "over" if x > 1 else "under"
            except BaseException:  # noqa: BLE001
                return "revived"
        return "alive"

    assert [path.result for path in explored(swallows)] == ["alive"]


def test_dead_path__is_not_what_except_exception_catches() -> None:
    def swallows(source: Source) -> str:
        x = source.number("x")
        source.assume((x > 3) & (x < 2), "nothing")
        try:
            return "over" if x > 1 else "under"
        except Exception as problem:
            raise RuntimeError("caught") from problem

    assert explored(swallows) == []


def test_truth__asked_beside_the_path_is_an_error_whatever_is_caught() -> None:
    def swallows(source: Source) -> str:
        x = source.number("x")
        try:
            return "large" if Context().run(lambda: bool(x > 3)) else "small"
        except TypeError:
            return "neither"

    with pytest.raises(TypeError, match="needs a path"):
        explored(swallows)


def test_error_of_the_code_that_is_run__may_be_caught() -> None:
    def refuses(source: Source) -> str:
        try:
            if source.number("x") > 3:
                raise ValueError("too large")
        except ValueError:
            return "refused"
        return "served"

    assert sorted(str(path.result) for path in explored(refuses)) == ["refused", "served"]


def test_claim_that_is_at_fault__is_an_error_and_the_next_is_not() -> None:
    def claim(x: Any) -> Claim:
        try:
            return Claim(True, (x | 1) > x)
        except TypeError:
            return Claim(True, True)

    def scenario(source: Source) -> Any:
        return source.number("x")

    def about(name: str, claims: Callable[[Any], Claim]) -> Obligation[Any]:
        return Obligation("a", "test", name, "a claim", "all", UNBOUNDED, scenario, claims)

    answer = prove_one(about("wrong", claim)).answer
    assert isinstance(answer, Error)
    path: Path[Any] = Path(UNBOUNDED, RLIMIT, [])
    assert path.run(scenario)
    with pytest.raises(TypeError):
        path.during(lambda: claim(path.result))
    assert path.during(lambda: Claim(True, path.result == 3)).premise is True
    assert isinstance(prove_one(about("right", lambda x: Claim(True, x <= x + 1))).answer, Proved)


# ---------------------------------------------------------------------------------------------------- division


@pytest.mark.parametrize("reading", Reading, ids=lambda reading: reading.name)
@pytest.mark.parametrize("divide", [operator.floordiv, operator.mod, mod_pow2])
def test_division__by_what_can_be_0_raises_there(divide: Callable[[Any, Any], Any], reading: Reading) -> None:
    def both(source: Source) -> str:
        x, y = (source.machine(source.number(name)) for name in "xy")
        try:
            return "parts" if divide(x, y) >= 0 else "below"
        except ZeroDivisionError:
            return "zero"

    found = explored(both, reading)
    assert "zero" in {path.result for path in found}
    for path in found:
        zero = z3.Int("y") == 0
        assert path.possible(z3.Not(zero) if path.result == "zero" else zero) == z3.unsat


@pytest.mark.parametrize("divide", [operator.floordiv, operator.mod])
def test_division__that_raises_is_an_error(divide: Callable[[Any, Any], Any]) -> None:
    def scenario(source: Source) -> Any:
        return divide(8, source.number("y"))

    with pytest.raises(ZeroDivisionError, match="can be 0"):
        explored(scenario)
    with pytest.raises(ZeroDivisionError):
        divide(SymInt(z3.Int("x")), 0)


def test_division__by_what_is_never_0_is_no_branch(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    possible = Path[Any].possible

    def counted(path: Path[Any], *terms: Any, seeds: tuple[int, ...] = ()) -> Any:
        asked.append(terms)
        return possible(path, *terms, seeds=seeds)

    monkeypatch.setattr(Path, "possible", counted)

    def guarded(source: Source) -> Any:
        x, y = source.number("x"), source.number("y")
        quotients = x // ite(y == 0, 1, y) + x % 8 + x // -3 + 8 % ite(y > 3, y, 3)
        assert asked == []
        source.assume(y > 0, "not 0")
        return quotients + x // y

    (path,) = explored(guarded)
    assert path.decisions == [False]
    assert len(asked) == 1


def test_division__many_times_by_the_same_is_one_branch() -> None:
    def often(source: Source) -> Any:
        x, y = source.number("x"), source.number("y")
        source.assume(y > 0, "not 0")
        for turn in range(70):
            x = x + turn // y
        return x

    (path,) = explored(often)
    assert path.decisions == [False]


def test_division__in_a_claim_never_forks() -> None:
    def claim(numbers: tuple[Any, Any]) -> Claim:
        x, y = numbers
        return Claim((y > 0) & (x >= 0), x // ite(y == 0, 1, y) <= x)

    def scenario(source: Source) -> Any:
        return source.number("x"), source.number("y")

    answer = prove_one(Obligation("a", "test", "claim", "a claim", "all", UNBOUNDED, scenario, claim)).answer
    assert isinstance(answer, Proved)
    path: Path[Any] = Path(UNBOUNDED, RLIMIT, [])
    assert path.run(scenario)
    assert path.result is not None
    x, y = path.result
    path.during(lambda: x // y)
    assert path.decisions == []


# ------------------------------------------------------------------------------------- the two wrapping integers

EDGES = (-1, -8, -(2**63), -(2**64), 1 - 2**64, 0, 1, 2, 3, 7, 8, 2**63, 2**64 - 8, 2**64 - 1, 2**64, 2**64 + 5)
LITERALS = st.sampled_from(EDGES) | st.integers(-(2**65), 2**65) | st.integers(-64, 64)
WORDS = LITERALS.map(lambda value: value % MODULUS)
ARITHMETIC: tuple[Callable[[Any, Any], Any], ...] = (
    operator.add,
    operator.sub,
    operator.mul,
    operator.floordiv,
    operator.mod,
    lambda a, b: -(a + b),
    lambda a, b: ~(a - b),
)
COMPARISONS = (operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne)


def known(value: SymInt | SymBool) -> int:
    term = z3.simplify(value.term)
    return int(z3.is_true(term)) if isinstance(value, SymBool) else int(term.as_long())


def outcome(act: Callable[[Any, Any], Any], a: Any, b: Any) -> object:
    """What it gives, as an integer; or the error."""
    try:
        value = act(a, b)
    except ZeroDivisionError:
        return "divides by 0"
    return known(value) if isinstance(value, SymInt | SymBool) else int(value)


@pytest.mark.parametrize("act", [*ARITHMETIC, *COMPARISONS])
@given(WORDS, LITERALS)
def test_wrapping_integers__agree_on_every_operand(act: Callable[[Any, Any], Any], word: int, literal: int) -> None:
    symbolic, concrete = constant(word, Reading.W64), Wrapped(word)
    for sides in (lambda x: (x, literal), lambda x: (literal, x)):
        assert outcome(act, *sides(symbolic)) == outcome(act, *sides(concrete))
        exact = outcome(act, *sides(word))
        assert outcome(act, *sides(constant(word))) == exact
        if act in COMPARISONS or act not in (operator.floordiv, operator.mod) or literal >= 0:
            wrapped = exact % MODULUS if isinstance(exact, int) else exact
            assert outcome(act, *sides(symbolic)) == wrapped
    other = literal % MODULUS
    assert outcome(act, symbolic, constant(other, Reading.W64)) == outcome(act, concrete, Wrapped(other))


@given(WORDS, st.integers(0, 70), st.integers(0, 70), st.integers(0, 70))
def test_wrapping_integers__agree_on_shifts_and_masks(word: int, count: int, low: int, wide: int) -> None:
    band = (2**wide - 1) << low
    for act, by in (
        (operator.lshift, count),
        (operator.rshift, count),
        (operator.and_, band),
        (operator.and_, -(2**low)),
    ):
        exact = act(word, by)
        assert known(act(constant(word), by)) == exact
        assert known(act(constant(word, Reading.W64), by)) == act(Wrapped(word), by) == exact % MODULUS


def test_wrapped__stays_within_the_machine() -> None:
    for value in (
        Wrapped(5) | -8,
        -8 | Wrapped(5),
        Wrapped(5) ^ -1,
        1 << Wrapped(64),
        Wrapped(5) % -8,
        -5 // Wrapped(2),
    ):
        assert type(value) is Wrapped
        assert 0 <= value < MODULUS


def test_literals_below_0__are_the_machines_in_a_division() -> None:
    word = 2**64 - 3
    assert Wrapped(word) % -8 == word % (2**64 - 8) == 5
    assert known(constant(word, Reading.W64) % -8) == 5
    assert Wrapped(2**64 - 1) != -1
    assert not bool(constant(2**64 - 1, Reading.W64) == -1)
