"""The search: draw from what is known, run and judge, learn, keep what showed something new, and draw again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from heaplaw.models.adaptive import PROBES, STRETCHES, Kit, drained, edited, fitted, program
from heaplaw.models.script import Script, bare, joined, merged, repeated, trace_of
from heaplaw.spec.history import Completed, Hung, Trace
from heaplaw.spec.shapes import Kind

from .behaviour import Column, Facts, Seen, features
from .learning import Learner

if TYPE_CHECKING:
    from heaplaw.check import Check

PROFILE = "adaptive"
"""The profile of the traces."""
TRACE, PIECE = 4000, 1500
"""Operations of one trace, and of one of the stretches that it is joined from, at most, about."""
SHORT = 0.3
"""Stretches that are kept short, so that many different ones fit into a trace."""
MOST_KEPT = 512
"""Stretches in the corpus, at most: the latest ones."""
MOST_IDLE = 20
"""Draws in a row that give no operation at all, after which there is nothing to search."""
MOST_ENDED = 2
"""Runs that ended the subject's process, after which the search is over: the rest would end so too."""
EMPTIED, RENEWED = 0.4, 0.05
"""Pieces that begin in an instance that was reset, or, where there is no reset, was made again."""
SHARES = {"stretch": 0.4, "program": 0.3, "edit": 0.3}
"""How a piece is drawn."""


@dataclass
class Search:
    """A search for new behaviour of one subject."""

    shape: str
    seed: int
    kept: list[Script] = field(default_factory=list[Script])
    """The corpus: stretches that showed something new, in the order in which they did."""
    queue: list[Script] = field(default_factory=list[Script])
    """Stretches of an earlier search, to be run first; those that show something new here are kept."""
    added: int = 0
    """Stretches that were kept, those included that were dropped again for later ones."""
    seen: Seen = field(default_factory=Seen)
    learner: Learner = field(default_factory=Learner)
    turn: int = 0
    ended: int = 0
    found: Callable[[Script], None] = lambda _script: None
    """Told of each stretch that is kept."""

    @property
    def over(self) -> bool:
        """Runs hang, or end the process again and again: there is no use in going on."""
        return self.ended >= MOST_ENDED

    def run(self, check: "Check", operations: int) -> None:
        """Search for about so many operations. Findings are the check's, as those of any other trace."""
        until = check.done + operations
        idle = 0
        while check.done < until and not self.over and idle < MOST_IDLE:
            before = check.done
            self.one(check)
            idle = 0 if check.done > before else idle + 1

    def one(self, check: "Check") -> None:
        """Draw, run, judge and learn from one trace."""
        subject = check.subject
        rng = np.random.default_rng([self.seed, 77, self.turn])
        ends_so = any(known.law == "failure_is_reported" for known in subject.expected)
        kit = Kit(rng, subject.kinds, subject.env, self.learner.known(), huge=not ends_so)
        pieces = self.pieces(kit)
        trace, starts = self.joined(kit, pieces, subject.instances)
        self.turn += 1
        if not len(trace):
            return
        check.one(trace)
        end = check.ends[-1][1]
        self.ended += MOST_ENDED if isinstance(end, Hung) else not isinstance(end, Completed)
        host = subject.host(len(trace))
        self.absorb(*features(host.history(trace, subject.told)), pieces, starts)

    def absorb(self, f: Facts, numbers: Column, pieces: Sequence[Script], starts: Sequence[int]) -> None:
        """Learn from a run, and keep its pieces that showed something new."""
        if not len(f.rows):
            return
        self.learner.take(f)
        new = f.rows[self.seen.take(numbers)]
        places: list[int] = np.unique(np.searchsorted(np.asarray(starts), new, side="right") - 1).tolist()
        for place in places:
            if 0 <= place < len(pieces):
                self.added += 1
                self.kept.append(pieces[place])
                self.found(pieces[place])
        del self.kept[:-MOST_KEPT]

    def pieces(self, kit: Kit) -> list[Script]:
        """The pieces of the next trace: probes first."""
        if self.turn < len(PROBES):
            return [fitted(PROBES[self.turn](kit, TRACE), kit)]
        if self.queue and self.turn % 2 == 0:
            return self.queued(kit)
        found, total = list[Script](), 0
        gives_back = kit.back is not None or bool(kit.kinds & {Kind.FREE, Kind.POP})
        while total < (TRACE if gives_back else 1):
            most = PIECE if not kit.chance(SHORT) else 100
            piece = fitted(self.piece(kit, most), kit)
            if len(piece):
                piece = drained(piece, kit) if kit.chance(0.7) else piece
                found.append(piece)
            total += max(len(piece), 16)
        return found

    def queued(self, kit: Kit) -> list[Script]:
        """As many of the queue as fit into a trace."""
        found, total = list[Script](), 0
        while self.queue and total < TRACE:
            piece = fitted(self.queue.pop(0), kit)
            found += [piece] if len(piece) else []
            total += len(piece)
        return found

    def piece(self, kit: Kit, most: int) -> Script:
        """One piece."""
        share = kit.rng.random()
        if self.kept and share < SHARES["edit"]:
            return edited(kit, self.kept, most)
        if share < SHARES["edit"] + SHARES["program"]:
            return program(kit, most)
        weights = np.array([weight for weight, _ in STRETCHES.values()], float)
        which = int(kit.rng.choice(len(weights), p=weights / weights.sum()))
        return list(STRETCHES.values())[which][1](kit, most)

    def joined(self, kit: Kit, pieces: Sequence[Script], instances: int) -> tuple[Trace, list[int]]:
        """The pieces as a trace, and where each begins; some begin in an instance that was emptied.

        With several instances every other trace is of all of them in turns; nobody can tell then which piece did what.
        """
        played, starts, at = list[Script](), list[int](), 0
        for piece in pieces:
            if kit.back is not None and kit.chance(EMPTIED if kit.back is Kind.RESET else RENEWED):
                played.append(repeated(kit.back))
                at += 1
            played.append(piece)
            starts.append(at)
            at += len(piece)
        whole = joined(played) if played else bare(np.zeros(0, np.uint8))
        if instances > 1 and self.turn % 2:
            others = [whole.cut(int(kit.rng.integers(1, len(whole) + 1))) for _ in range(instances - 1)]
            whole, who = merged(kit.rng, [whole, *others])
            return trace_of(whole, who, self.shape, kit.env, PROFILE, self.seed), []
        return trace_of(whole, None, self.shape, kit.env, PROFILE, self.seed), starts
