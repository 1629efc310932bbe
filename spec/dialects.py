"""Dialects: the standards and manuals by which single answers are judged, and clauses, which are what each says.

Where standards differ, an answer is a fault only if a dialect in force forbids it. A subject that declares none is
judged by all that speak: its answer is a fault only if every one of them forbids it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntFlag
from functools import reduce
from typing import Any, TypeAlias

from .logic import Truth, Word, every, implies, ite, mod_pow2


class Dialect(IntFlag):
    """A standard or a manual. The numbers stand in files: never renumber."""

    C11 = 1
    """ISO/IEC 9899:2011."""
    C17 = 2
    """ISO/IEC 9899:2018: C11 with its defect reports resolved."""
    C23 = 4
    """ISO/IEC 9899:2024."""
    POSIX = 8
    """POSIX.1-2017 (Issue 7 with its corrigenda)."""
    POSIX_2024 = 16
    """POSIX.1-2024 (Issue 8)."""
    GLIBC = 32
    """The GNU C Library manual, and the Linux manual pages about it."""
    EMBEDDED = 64
    """Conventions of small heaps without an operating system: no errno, no alignment but the promised one."""
    LUA_5_3 = 128
    """The manuals of Lua 5.1 to 5.3."""
    LUA_5_4 = 256
    """The manual of Lua 5.4."""


NAMES: Mapping[Dialect, str] = {
    Dialect.C11: "C11",
    Dialect.C17: "C17",
    Dialect.C23: "C23",
    Dialect.POSIX: "POSIX",
    Dialect.POSIX_2024: "POSIX.1-2024",
    Dialect.GLIBC: "glibc",
    Dialect.EMBEDDED: "embedded",
    Dialect.LUA_5_3: "Lua 5.3",
    Dialect.LUA_5_4: "Lua 5.4",
}
"""What each is called in mappings and verdicts."""
BY_NAME: Mapping[str, Dialect] = {name: dialect for dialect, name in NAMES.items()}


@dataclass(frozen=True)
class Clause:
    """What one dialect says where a law speaks."""

    text: str
    """Where it stands and what it says, in a few words."""
    allows: Callable[..., Truth]
    """Whether it allows what was seen, given what the law is given. Where the text leaves it open, everything."""


Clauses: TypeAlias = Mapping[Dialect, Clause]


def leaves_open(*_args: Any) -> Truth:
    """The dialect leaves it open: every answer is allowed, crashes included."""
    return True


def in_force(clauses: Clauses, declared: int) -> list[Dialect]:
    """The dialects that speak, of those that are declared; none is declared: all that speak."""
    return [dialect for dialect in clauses if declared == 0 or dialect & declared]


def permitted(clauses: Clauses, declared: Word, *args: Any) -> Truth:
    """Every declared dialect allows it; or, where none is declared, one of all."""
    answers = {dialect: clause.allows(*args) for dialect, clause in clauses.items()}
    one = reduce(lambda a, b: a | b, answers.values())
    # What is declared is a sum of different powers of two: one of them is in it if what is left modulo twice that is
    # no less than it.
    all_declared = every(implies(mod_pow2(declared, 2 * int(d)) >= int(d), allowed) for d, allowed in answers.items())
    return ite(declared == 0, one, all_declared)


def named(dialects: int) -> str:
    """Dialects in words."""
    return ", ".join(name for dialect, name in NAMES.items() if dialect & dialects)
