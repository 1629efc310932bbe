"""How stretches of a trace follow one another: each sort in turn, played again after a reset, broken off, renewed.

A state comes back when an instance is reset or made again. What was asked in it before is then asked again: laws
compare the answers. So an echo is one stretch played twice, each time from an instance that holds nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from heaplaw.spec.shapes import Kind

from . import table
from .script import Parts, Rng, Script, joined, repeated

Draw: TypeAlias = Callable[[int], Script]
"""Draws a stretch of about so many operations, which leaves nothing live behind."""


@dataclass(frozen=True)
class Sorts:
    """What a shape's traces are made of."""

    draws: Mapping[str, tuple[int, Draw]]
    """Weights and ways to draw, by name."""
    boundary: Callable[[int], Script | None]
    """Draws so many boundary groups; None where there can be none."""
    group: int
    """Operations of a boundary group, about."""
    plain: frozenset[str] = frozenset()
    """Sorts that bring the instance back themselves."""


@dataclass
class Score:
    """Stretches in the order in which they are played."""

    rng: Rng
    kinds: frozenset[Kind]
    total: int = 0
    renewed: int = 0
    played: list[Script] = field(default_factory=list[Script])
    parts: Parts = field(default_factory=Parts)

    def add(self, script: Script) -> None:
        """Play a stretch."""
        self.played.append(script)
        self.total += len(script)

    @property
    def back(self) -> Kind | None:
        """What empties the instance, where that may be asked for now: renewals alone are rare."""
        if Kind.RESET in self.kinds:
            return Kind.RESET
        allowed = table.RENEW_LEAST + self.total // table.RENEW_EVERY - self.renewed
        return Kind.RENEW if Kind.RENEW in self.kinds and allowed >= 2 else None

    def empty(self, kind: Kind) -> None:
        """Empty the instance."""
        self.renewed += kind == Kind.RENEW
        self.add(repeated(kind))

    def play(self, script: Script) -> None:
        """Play a stretch: once, or again after a reset, or broken off by a reset."""
        back, form, n = self.back, self.rng.random(), len(script)
        if back is None or form < 0.4 or n < 2:
            self.add(script)
            return
        some = script if self.rng.random() < 0.4 else script.cut(int(self.rng.integers(1, n)))
        if form < 0.75:
            self.empty(back)
            self.add(some)
            self.empty(back)
        self.add(some)
        if len(some) < n:
            self.empty(back)

    def whole(self, n: int) -> tuple[Script, Parts]:
        """The first `n` operations, with some resets made into renewals."""
        script = joined(self.played).cut(n)
        resets = np.flatnonzero(script.kind == Kind.RESET)
        if Kind.RENEW in self.kinds and len(resets):
            many = min(len(resets), max(table.RENEW_LEAST, n // table.RENEW_EVERY))
            script.kind[self.rng.choice(resets, many, replace=False)] = Kind.RENEW
        return script, [part for part in self.parts if part[0] < n]


def performed(rng: Rng, kinds: frozenset[Kind], n: int, sorts: Sorts, share: float) -> tuple[Script, Parts]:
    """`n` operations: every sort by its weight, again and again, with boundary groups all along."""
    score, debt = Score(rng, kinds), 0.0
    names = [name for name, (weight, _) in sorts.draws.items() for _ in range(weight)]
    length = int(np.clip(n / (2.5 * len(names)), 24, table.PIECE_LONGEST))
    while score.total < n:
        for name in rng.permutation(np.array(names)).tolist():
            score.parts.append((score.total, name))
            before = score.total
            script = sorts.draws[name][1](length)
            (score.add if name in sorts.plain else score.play)(script)
            debt += share * (score.total - before)
            if debt >= sorts.group:
                groups = sorts.boundary(int(debt // sorts.group))
                if groups is not None:
                    score.add(groups)
                debt %= sorts.group
            if score.total >= n:
                break
    return score.whole(n)
