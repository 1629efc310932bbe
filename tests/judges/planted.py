"""Cases of one law each: a small history, and the operations that must be blamed."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

from heaplaw.spec.history import plain_env

from .agreement import agree, blamed
from .scribe import Scribe

BASE, MIB = 0x1000, 2**20
Case: TypeAlias = tuple[Scribe, list[int]]
"""A history, and the operations that the law is broken in."""


class Cases:
    """The cases of one file, by name."""

    def __init__(self) -> None:
        self.every: dict[str, tuple[str, Callable[[], Case]]] = {}

    def of(self, law: str) -> Callable[[Callable[[], Case]], Callable[[], Case]]:
        """Marks a case of that law."""

        def enter(case: Callable[[], Case]) -> Callable[[], Case]:
            assert case.__name__ not in self.every
            self.every[case.__name__] = law, case
            return case

        return enter

    def confirm(self, name: str) -> None:
        """Both judges agree on everything, and blame these operations of this law alone."""
        law, case = self.every[name]
        made, rows = case()
        assert blamed(agree(made.history())).get(law, set()) == {(row,) for row in rows}


def scribe(shape: str, **promises: Any) -> Scribe:
    """Of a subject with 4096 bytes at 0x1000 that promises this much; its counters stay at 0."""
    first = {"base": BASE, "capacity": 4096, "max_align": 8}
    return Scribe(shape, (replace(plain_env(shape), **{**first, **promises}),))


def counting(shape: str, **promises: Any) -> Scribe:
    """Of one that counts bytes."""
    return scribe(shape, **{"remaining": 4096, **promises})


def says(made: Scribe, used: int, **row: int) -> dict[str, Any]:
    """Counters with `used` bytes handed out."""
    env = made.envs[0]
    return {"total": int(env.total) + used, "remaining": int(env.remaining) - used, "num_free": 4, **row}
