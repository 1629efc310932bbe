"""`heaplaw prove` between the command line and the campaign: what was asked for, lines as they come, the exit code."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from time import monotonic

from heaplaw.errors import UsageError

from .campaign import Line, Task, cores, decided, planned, tasks
from .parts import (
    CONTRACTS,
    PARTS,
    REFERENCE,
    Target,
    matching,
    names,
    obligations,
    parts_of,
    probe,
    said_of,
    target_of,
)
from .reach import shortest
from .text import closing, explained, found_of, heading, idle_lines, listed, refutation, row

__all__ = ["Proving"]

MOST_SHOWN = 5
"""Counterexamples of one part that are told whole."""
PROVED, REFUTED, UNKNOWN, ERROR = 0, 1, 3, 4
"""Exit codes."""


class Proving:
    """One run of `heaplaw prove`."""

    def __init__(self, asked: Sequence[str], shape: str | None, jobs: int | None) -> None:
        self.jobs = jobs or cores()
        self.results: list[Line] = []
        self._started = monotonic()
        self._idle: dict[str, list[str]] = {}
        self._planned = 0
        self._chosen = self._choose(asked, shape)

    def _choose(self, asked: Sequence[str], shape: str | None) -> dict[Target, dict[str, set[str] | None]]:
        """The parts of each target, and the names wanted of each: None for all. UsageError for what nobody knows.

        Names of obligations are those of the one mutant, or of the user's steps, that is named beside them.
        """
        targets = [(name, target_of(name, shape)) for name in asked]
        chosen: dict[Target, dict[str, set[str] | None]] = {}
        for _, target in targets:
            if target is not None:
                chosen[target] = dict.fromkeys(parts_of(target))
        if shape is not None and not any(target.kind == "own" for target in chosen):
            raise UsageError(f"--shape {shape}: it is for your own steps, named like package.module:MyBump")
        for target in chosen:
            if target.kind == "own":
                probe(target)
        plain = [name for name, target in targets if target is None]
        if plain and len(chosen) > 1:
            raise UsageError(f"{plain[0]}: of which of {', '.join(target.name for target in chosen)}?")
        if plain or not asked:
            subject = next(iter(chosen), REFERENCE)
            chosen[subject] = self._named(subject, plain) if plain else dict.fromkeys(parts_of(subject))
        return chosen

    def _named(self, target: Target, plain: Sequence[str]) -> dict[str, set[str] | None]:
        """What the names of parts, steps and obligations stand for."""
        parts: dict[str, set[str] | None] = {}
        for name in plain:
            for part, found in matching(target, name).items():
                known = parts.get(part, set())
                parts[part] = None if name == part or known is None else known | found
        return parts

    def listing(self) -> Iterator[str]:
        """What would be proved."""
        for target, parts in self._chosen.items():
            for part, wanted in parts.items():
                stated = _stated(target, part)
                yield from listed(part, [each for each in stated if wanted is None or each[0] in wanted])

    def explained(self, name: str) -> Iterator[str]:
        """One obligation, decided again, its cores as small as they get."""
        for target in self._chosen:
            for part, found in matching(target, name).items():
                if len(found) != 1:
                    raise UsageError(f"--explain {name}: that is {len(found)} obligations; `--list {name}` names them")
                lines = [line for group in decided(tasks(target, {part: found}, True), 1) for line in group]
                yield from explained(lines)
            return

    def lines(self, progress: Callable[[str], None]) -> Iterator[str]:
        """Everything, decided."""
        work = {target: tasks(target, parts) for target, parts in self._chosen.items()}
        self._planned = sum(map(planned, work.values()))
        for target, parts in self._chosen.items():
            yield from self._of(target, parts, work[target], progress)
        yield from idle_lines(self._idle)
        yield self.summary

    @property
    def summary(self) -> str:
        """What was decided, in one line."""
        return closing(self.results, self._planned, monotonic() - self._started, self.jobs)

    def _of(
        self,
        target: Target,
        parts: Mapping[str, set[str] | None],
        work: list[Task],
        progress: Callable[[str], None],
    ) -> Iterator[str]:
        told = ""
        part, of_part = "", list[Line]()
        for task, lines in zip(work, decided(work, self.jobs), strict=True):
            if task.part != part:
                yield from self._ended(target, part, of_part, parts)
                part, of_part = task.part, []
                yield heading(target, part)
                yield from found_of(said_of(target))
            progress(f"{len(self.results)} decided")
            self.results += lines
            of_part += lines
            for line in lines:
                yield row(line, told)
                told = line.why
        yield from self._ended(target, part, of_part, parts)

    def _ended(
        self, target: Target, part: str, lines: list[Line], parts: Mapping[str, set[str] | None]
    ) -> Iterator[str]:
        """What comes after a part's lines: its counterexamples, and hypotheses that idle."""
        refuted = list({line.name: line for line in lines if line.outcome == "refuted"}.values())
        refuted.sort(key=lambda line: not line.law)  # the laws say more than the invariant
        for place, line in enumerate(refuted[:MOST_SHOWN]):
            yield ""
            reached = shortest(target, part) if place == 0 and target.kind != "reference" else None
            yield from refutation(line, reached, place == 0)
        if len(refuted) > MOST_SHOWN:
            yield f"… and {len(refuted) - MOST_SHOWN} more"
        if refuted:
            yield ""
        # What a user's own proof can do without is no fault of his.
        ours = bool(lines) and target.kind != "own" and PARTS[part].whole
        if ours and parts[part] is None and all(line.shown for line in lines):
            labels = dict.fromkeys(label for line in lines for label in line.hypotheses)
            idle = [label for label in labels if not any(label in line.used for line in lines)]
            if idle:
                self._idle[part] = idle

    @property
    def exit_code(self) -> int:
        """0 only if all is proved, and every hypothesis is used."""
        outcomes = {line.outcome for line in self.results}
        if "refuted" in outcomes:
            return REFUTED
        if "error" in outcomes or self._idle:
            return ERROR
        return UNKNOWN if "unknown" in outcomes or not self.results else PROVED


def _stated(target: Target, part: str) -> list[tuple[str, str, str]]:
    """Name, law and statement of all that is to be shown of a part."""
    if part == CONTRACTS:
        return [(name, "", "") for name in names(target, part)]
    return list({each.name: (each.name, each.about, each.statement) for each in obligations(target, part)}.values())
