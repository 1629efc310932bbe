"""Small programs: a few operations on a few sizes, repeated; each with its own choice of what it does at all.

Faults that need a history need a short one, often many times: the program's body is drawn anew for each, with few
sorts of operations and few sizes, so that any short sequence of them is likely sooner or later.
"""

import numpy as np

from heaplaw.models.script import Script, joined
from heaplaw.spec.shapes import SWEEPERS, Kind

from .pieces import Kit, Writer, drained, many_times

ACTIONS = {
    "ask": 8,
    "ask otherwise": 2,
    "end newest": 3,
    "end oldest": 2,
    "end any": 2,
    "end next": 2,
    "end all": 1,
    "resize": 3,
    "grow": 2,
    "shrink": 1,
    "check": 1,
    "refuse": 1,
    "again": 3,
    "scope": 3,
    "back": 1,
}
"""What a step of a program may be, with its weight; each program leaves most of them out."""
RENEWED = 0.1
"""Programs that may make their instance again, where there is no reset: that takes time."""
LONGEST_BODY, MOST_TIMES = 24, 400
"""Steps of a body, and times that it is repeated, at most; both are small more often than not."""


class Program:
    """One program while it is drawn."""

    def __init__(self, kit: Kit) -> None:
        self.kit, self.writer = kit, Writer(kit)
        self.palette = kit.sizes(kit.dice.randrange(1, 5))
        names = [name for name in ACTIONS if self._there(name)]
        kept = kit.rng.random(len(names)) < kit.rng.choice(np.array([0.3, 0.5, 0.8]))
        self.names = ["ask", *(name for name, keep in zip(names, kept, strict=True) if keep)]
        weights = np.array([ACTIONS[name] for name in self.names], float) * kit.rng.exponential(1, len(self.names))
        self.weights = weights / weights.sum()
        self.marks: list[tuple[int, int]] = []
        self.cursor = 0

    def _there(self, name: str) -> bool:
        kinds = self.kit.kinds
        needed = {"resize": Kind.RESIZE, "grow": Kind.RESIZE, "shrink": Kind.RESIZE, "scope": Kind.MARK}
        if name == "back":
            return self.kit.back is Kind.RESET or (self.kit.back is not None and self.kit.chance(RENEWED))
        if name.startswith(("end", "again")):
            return bool(kinds & {Kind.FREE, Kind.POP})
        return needed.get(name, Kind.CHECK) in kinds | {Kind.CHECK}

    def body(self, steps: int) -> Script:
        """So many steps."""
        for name in self.kit.rng.choice(np.array(self.names), steps, p=self.weights).tolist():
            self.step(str(name))
        return self.writer.script()

    def step(self, name: str) -> None:
        """One step."""
        kit, writer, live = self.kit, self.writer, len(self.writer.live)
        size = kit.pick(self.palette)
        match name:
            case "ask":
                writer.ask(size)
            case "ask otherwise":
                kind = kit.pick(kit.requests)
                writer.ask(size, kind, kit.pick(kit.alignments))
            case "end newest":
                writer.end(-1)
            case "end oldest":
                writer.end(0)
            case "end any":
                self.cursor = kit.below(live)
                writer.end(self.cursor)
            case "end next":  # the neighbour of what was ended before
                self.cursor += -1 if kit.chance(0.6) else 0
                writer.end(self.cursor)
            case "end all":
                writer.end_all(kit.below(4))
            case "again":
                writer.end(-1)
                writer.ask(size)
            case "resize":
                writer.resize(kit.below(live), size)
            case "grow" | "shrink":
                factor = kit.pick((1.1, 1.5, 2.0, 3.0))
                grown = size * factor if name == "grow" else size / factor
                writer.resize(-1 if kit.chance(0.5) else 0, int(grown) + kit.dice.randrange(-1, 2))
            case "check":
                writer.check(kit.below(live))
            case "refuse":
                writer.refuse()
            case "scope":
                self.scope()
            case _:
                self.back()

    def scope(self) -> None:
        """Takes a mark, or releases one of those that were taken."""
        writer = self.writer
        if self.marks and self.kit.chance(0.5):
            place = self.kit.below(len(self.marks))
            mark, live = self.marks[place]
            del self.marks[place:]
            del writer.live[live:]
            writer.put(Kind.RELEASE, slot=mark)
        else:
            self.marks.append((writer.put(Kind.MARK), len(writer.live)))

    def back(self) -> None:
        """Empties the instance."""
        kinds = [kind for kind in SWEEPERS if kind in self.kit.kinds and kind != Kind.RELEASE]
        self.writer.put(kinds[self.kit.below(len(kinds))])
        self.writer.live.clear()
        self.marks.clear()


def program(kit: Kit, ops: int) -> Script:
    """About `ops` operations at most: a beginning, a body many times, an end; what is left is given back between, or
    stays.
    """
    drawing = Program(kit)
    body = drawing.body(kit.number(2, LONGEST_BODY))
    if len(body) == 0:
        return body
    if kit.chance(0.5):
        body = drained(body, kit)
    times = kit.number(1, max(1, min(MOST_TIMES, ops // max(1, len(body)))))
    whole = many_times(body, times)
    if kit.chance(0.3):
        other = Program(kit)
        other.palette = drawing.palette
        whole = joined([whole, other.body(kit.number(2, LONGEST_BODY))])
    return whole
