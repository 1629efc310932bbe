"""An expectation that names dialects is of these alone; one that names versions, of these alone."""

import pytest

from heaplaw.spec.dialects import Dialect
from heaplaw.staging import Clauses, Said
from heaplaw.subjects import Expected
from heaplaw.subjects.mapped import is_of

D = Dialect
LAW = "zero_resize_answered"
BOTH = D.C17 | D.POSIX


def seen(*forbidding: D) -> Clauses:
    """What four dialects say of an answer that some of them forbid."""
    spoke = (D.C11, D.C17, D.POSIX, D.GLIBC)
    return Clauses({LAW: ["a block"]}, {(LAW, one): Said(5, 5 * (one in forbidding)) for one in spoke})


def known(*dialects: str) -> Expected:
    return Expected(LAW, "it is known", None, dialects)


@pytest.mark.parametrize(
    ("expected", "declared", "forbidding", "foreseen"),
    [
        (known("POSIX"), BOTH, (D.POSIX,), True),
        (known("POSIX"), BOTH, (D.POSIX, D.GLIBC), True),  # glibc's manual is not in force
        (known("POSIX"), BOTH, (D.POSIX, D.C17), False),
        (known("POSIX"), BOTH, (D.C17,), False),
        (known("POSIX"), BOTH, (), True),  # it holds: the expectation is out of date
        (known("C17", "POSIX"), BOTH, (D.POSIX, D.C17), True),
        (known("C17", "POSIX"), BOTH, (D.POSIX,), False),
        (known("C17", "POSIX"), D.POSIX, (D.POSIX, D.C17), True),  # others were put in force than those of the mapping
        (known("POSIX"), D.C17, (D.POSIX,), False),
        (known("POSIX"), 0, (D.POSIX, D.C17, D.C11, D.GLIBC), False),
        (known(), BOTH, (D.POSIX, D.C17), True),
        (known(), 0, (D.POSIX, D.C17, D.C11, D.GLIBC), True),
    ],
)
def test_dialects(expected: Expected, declared: int, forbidding: tuple[D, ...], foreseen: bool) -> None:
    assert seen(*forbidding).foreseen(expected, declared) is foreseen


@pytest.mark.parametrize(
    ("version", "meant", "fits"),
    [
        ("2.36", "< 2.38", True),
        ("2.4", "< 2.38", True),
        ("2.38", "< 2.38", False),
        ("3.0", "<2.38", False),
        ("2.37.9000", "< 2.38", True),
        ("", "< 2.38", False),
        ("2.0.9", "2.0", True),
        ("2.10", "2.0", False),
        ("", "2.0", False),
    ],
)
def test_versions(version: str, meant: str, fits: bool) -> None:
    assert is_of(version, meant) is fits
