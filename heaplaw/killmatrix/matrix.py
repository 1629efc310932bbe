"""Mutants by laws: who killed what, what survived, and which law kills nothing."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from heaplaw.errors import UsageError
from heaplaw.spec.catalogue import CATALOGUE, law
from heaplaw.spec.history import Trace

from .cases import Case, all_cases, present

__all__ = ["Kill", "Matrix", "Row", "build", "chosen", "first"]


@dataclass(frozen=True)
class Kill:
    """One law that saw a fault."""

    law: str
    engine: str
    """machine, explore, check, …"""
    operations: int
    """Operations of the trace that shows it."""
    before: int | None = None
    """Operations that were run until the law was seen broken; None where the engine does not count them."""
    seconds: float | None = None
    """From nothing until the run was judged that broke the law; None where making the trace short is part of it."""
    trace: Trace | None = field(default=None, compare=False, repr=False)
    """The short trace of an allocator that runs in a process of its own."""


@dataclass(frozen=True)
class Row:
    """What came of one mutant."""

    case: Case
    kills: tuple[Kill, ...]
    """What each engine found first, of the laws that count."""
    broken: frozenset[str]
    """All laws that were seen broken."""

    @property
    def killed(self) -> bool:
        """A law that counts was seen broken."""
        return bool(self.kills)


@dataclass(frozen=True)
class Matrix:
    """The rows of some mutants."""

    rows: tuple[Row, ...]
    laws: tuple[str, ...]
    """Laws that must each kill a mutant of the rows, by id."""
    left_out: tuple[Case, ...] = field(default=())
    """Mutants that could not be run here."""
    unseen: int = 0
    """Mutants that were to be looked at when an interrupt came."""

    @property
    def survivors(self) -> list[Row]:
        """Mutants that no law that counts saw."""
        return [row for row in self.rows if not row.killed]

    @property
    def unmade(self) -> list[str]:
        """Laws that no mutant was made for, whether it could be run or not."""
        made = {case.law for case in (*(row.case for row in self.rows), *self.left_out)}
        return [name for name in self.laws if name not in made]

    @property
    def idle(self) -> list[str]:
        """Laws that some mutant was made for, and that killed none; those of mutants left out aside."""
        working = {name for row in self.rows for name in row.broken & row.case.laws}
        excused = {case.law for case in self.left_out}
        return [name for name in self.laws if name not in working | excused and name not in self.unmade]

    @property
    def sound(self) -> bool:
        """Every mutant is killed; every law that is asked about has a mutant made for it, and kills one."""
        return not (self.survivors or self.unmade or self.idle)


def chosen(groups: Sequence[str]) -> list[Case]:
    """The mutants of these groups or names, all where none is given; UsageError for a word that is neither."""
    cases = all_cases()
    known = {word for case in cases for word in (case.group, case.name)}
    for word in groups:
        if word not in known:
            import difflib

            close = difflib.get_close_matches(word, known, 3)
            which = "similar:" if close else "there are"
            listed = close or sorted({case.group for case in cases})
            raise UsageError(f"{word}: no such group of mutants, nor one of that name; {which} {', '.join(listed)}")
    return [case for case in cases if not groups or case.group in groups or case.name in groups]


def build(
    cases: Sequence[Case],
    run: Callable[[Case], Row],
    whole: bool,
    progress: Callable[[str], None] = lambda _text: None,
) -> Matrix:
    """Run every mutant. `whole`: these are all there are, so that every law of the catalogue must kill one; else what
    laws do is not asked. An interrupt ends it, and what was found until then stays.
    """
    rows: list[Row] = []
    absent: list[Case] = []
    for case in cases:
        if not present(case):
            absent.append(case)
            continue
        progress(f"{len(rows) + 1} of {len(cases)}: {case.name}")
        try:
            rows.append(run(case))
        except KeyboardInterrupt:
            return Matrix(tuple(rows), (), tuple(absent), len(cases) - len(rows) - len(absent))
    laws = sorted(CATALOGUE if whole else (), key=lambda name: law(name).id)
    return Matrix(tuple(rows), tuple(laws), tuple(absent))


def first(kills: Iterable[Kill]) -> Kill | None:
    """The kill with the shortest trace."""
    return min(kills, key=lambda kill: kill.operations, default=None)
