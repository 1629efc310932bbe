"""Mistakes in a mapping: collected, put in the order of the file, and told all at once."""

import difflib
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path


class MappingError(Exception):
    """A mapping that cannot be used. `report` tells every mistake, in several lines; `count` is how many there are."""

    def __init__(self, report: str, count: int) -> None:
        super().__init__(report)
        self.report = report
        self.count = count


@dataclass(frozen=True, order=True)
class Position:
    """A stretch of one line: line and column from 1, columns and width in characters."""

    line: int
    column: int
    width: int = 1


@dataclass(frozen=True)
class Problem:
    """A mistake: what is wrong, where (None: the file as a whole), and what may help."""

    message: str
    position: Position | None
    helps: tuple[str, ...] = ()


@dataclass
class Problems:
    """The mistakes found so far in the file `path`, whose text is `text`."""

    path: Path
    text: str = ""
    found: dict[Problem, None] = field(default_factory=dict[Problem, None])
    """In the order of finding, each once."""

    def add(self, message: str, position: Position | None = None, *helps: str) -> None:
        """One more; empty helps are left out."""
        self.found[Problem(message, position, tuple(text for text in helps if text))] = None

    def check(self) -> None:
        """MappingError when there are any."""
        if self.found:
            raise self.error()

    def error(self) -> MappingError:
        """All of them, as an exception."""
        return MappingError(self.report(), len(self.found))

    def report(self) -> str:
        """All mistakes in the order of the file, those of the whole file last, and a closing line."""
        last = Position(self.text.count("\n") + 2, 1)
        ordered = sorted(self.found, key=lambda problem: problem.position or last)
        lines = self.text.split("\n")
        name = visible(str(self.path))
        # One gutter for the whole report, so that sources stand below each other.
        gutter = max(2, *(len(str(problem.position.line)) if problem.position else 0 for problem in ordered), 0)
        blocks = ["\n".join(_block(problem, name, lines, gutter)) for problem in ordered]
        count = len(ordered)
        blocks.append(f"{count} error{'s' if count > 1 else ''} in {name}; nothing was run.")
        return "\n\n".join(blocks)


def _block(problem: Problem, name: str, lines: Sequence[str], gutter: int) -> list[str]:
    margin = " " * gutter
    block = [f"error: {visible(problem.message)}"]
    at = problem.position
    if at is None:
        block.append(f"{margin}--> {name}")
    else:
        line = visible(lines[at.line - 1])
        before, marked = line[: at.column - 1], line[at.column - 1 : at.column - 1 + at.width]
        carets = "^" * max(1, sum(map(_cells, marked)))
        block += [
            f"{margin}--> {name}:{at.line}:{at.column}",
            f"{margin} |",
            f"{at.line:>{gutter}} | {line}".rstrip(),
            f"{margin} | {''.join(map(_blank, before))}{carets}",
        ]
    return block + [f"{margin} = help: {visible(text)}" for text in problem.helps]


def visible(text: str) -> str:
    """The text with every character that a terminal might obey replaced, one for one; tabs stay."""
    return "".join(c if c == "\t" or c.isprintable() or unicodedata.category(c) == "Zs" else "�" for c in text)


def _blank(character: str) -> str:
    """What stands below a character left of the carets: a tab below a tab, so that any tab width will do."""
    return "\t" if character == "\t" else " " * _cells(character)


def _cells(character: str) -> int:
    """How many cells of a terminal a character takes."""
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def tick(text: str) -> str:
    """A word of the file, as messages show it; cut where it is no word any more."""
    return f"`{text}`" if len(text) <= 60 else f"`{text[:59]}…`"


def listing(words: Iterable[str], last: str = "or") -> str:
    """`a`, `b` or `c`."""
    *most, end = [tick(word) for word in words]
    return f"{', '.join(most)} {last} {end}" if most else end


def nearest(word: str, options: Iterable[str], count: int = 1) -> list[str]:
    """The options that look most like `word`, best first; none when none does."""
    # A long text is no typing error, and comparing it takes a time that grows with its square.
    if len(word) > 60:
        return []
    lowered: dict[str, list[str]] = {}
    for option in options:
        lowered.setdefault(option.lower(), []).append(option)
    close = difflib.get_close_matches(word.lower(), lowered, count, 0.6)
    # Letters in the wrong order: difflib rates "zise" no higher than a word of other letters.
    close += [key for key in lowered if sorted(key) == sorted(word.lower()) and key not in close]
    return [option for key in close for option in lowered[key]][:count]


def did_you_mean(word: str, options: Iterable[str]) -> str:
    """A help line that names the option most like `word`; empty when none is."""
    close = nearest(word, options)
    return f"did you mean {tick(close[0])}?" if close else ""
