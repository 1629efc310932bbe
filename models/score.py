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
from .script import Flags, Parts, Places, Rng, Script, joined, repeated

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
    longest: int = table.PIECE_LONGEST
    """Operations of one stretch, about, at most."""


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
        return Kind.RENEW if Kind.RENEW in self.kinds and allowed >= 3 else None

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
        echoes = 2 if back is Kind.RENEW else int(self.rng.integers(1, 4)) if form < 0.75 else 0
        for _ in range(echoes):
            self.empty(back)
            self.add(self.some(script))
        if echoes:
            self.empty(back)
        last = script if back is Kind.RENEW else self.some(script)
        self.add(last)
        if len(last) < n:
            self.empty(back)

    def some(self, script: Script) -> Script:
        """The stretch, or its beginning."""
        return script if self.rng.random() < 0.4 else script.cut(int(self.rng.integers(1, len(script))))

    def whole(self, n: int) -> tuple[Script, Parts]:
        """The first `n` operations, with some resets made into renewals."""
        script = joined(self.played).cut(n)
        resets = np.flatnonzero(script.kind == Kind.RESET)
        if Kind.RENEW in self.kinds and len(resets):
            many = min(1 + len(resets) // 2, max(table.RENEW_LEAST, n // table.RENEW_EVERY))
            weights = np.where(_echoed(script, resets), 5.0, 1.0)
            script.kind[self.rng.choice(resets, many, replace=False, p=weights / weights.sum())] = Kind.RENEW
        return script, [part for part in self.parts if part[0] < n]


def _echoed(script: Script, resets: Places) -> Flags:
    """Whether what follows each of the resets begins as what followed the one before."""
    first = np.minimum(resets + 1, len(script) - 1)
    before = np.append(first[:1], first[:-1])
    same: Flags = script.kind[first] != Kind.RESET
    for column in (script.kind, script.size, script.align, script.count):
        same &= column[first] == column[before]
    return same


def performed(rng: Rng, kinds: frozenset[Kind], n: int, sorts: Sorts, share: float) -> tuple[Script, Parts]:
    """`n` operations: every sort by its weight, again and again, with boundary groups all along."""
    score, debt = Score(rng, kinds), 0.0
    names = [name for name, (weight, _) in sorts.draws.items() for _ in range(weight)]
    length = int(np.clip(n / (2.5 * len(names)), 24, sorts.longest))
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
