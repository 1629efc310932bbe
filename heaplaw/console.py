"""What the command line prints, and the exit codes that it ends with."""

import math
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import __version__
from .terminal.page import PLAIN, Page

if TYPE_CHECKING:
    from .check import Report
    from .minimise import Witness
    from .subjects import ProcessSubject
    from .terminal.facts import Failure
    from .terminal.live import Line, Quiet
    from .terminal.marked import Marked
    from .terminal.tables import LawRow

DUMB = ("", "dumb", "unknown")
"""Names of terminals that show no more than text."""
COLOURS = ("auto", "always", "never")
HOLDS, BROKEN, USAGE, UNDECIDED, HARNESS, INTERRUPTED = 0, 1, 2, 3, 4, 130
"""Exit codes: all hold; violated; usage; nothing decided; heaplaw's own error; interrupted."""


class Number(click.FloatRange):
    """A number within limits. What is not a number is within none, though no comparison says so."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """As click does; NaN is refused."""
        number = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value} is not in the range {self.min}<=x<={self.max}.", param, ctx)
        return number


def dumb() -> bool:
    """The terminal shows no more than text; one without a name is taken for such."""
    return os.environ.get("TERM", "") in DUMB


def echo(lines: Sequence[str], coloured: bool = False) -> None:
    """Print results. A reader who has left (`| head`) changes neither what is done nor the exit code."""
    try:
        click.echo("\n".join(lines), color=True if coloured else None)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def warn(text: str) -> None:
    """One line about what could not be done."""
    click.echo(f"error: {text}", err=True)


def complain(error: Exception) -> None:
    """Tell what is wrong with what the user gave: one line, or all mistakes in a mapping with their places."""
    from .mapping import MappingError

    if isinstance(error, MappingError):
        click.echo(error.report, err=True)
    else:
        warn(str(error))


def progress(text: str) -> None:
    """Tell what is being done, on a terminal only: logs stay quiet."""
    if sys.stderr.isatty():
        click.echo(f"  … {text}", err=True)


def progressing(subject: str) -> "Line | Quiet":
    """Tells how far a check of `subject` is: one live line on a terminal, nothing elsewhere. A context manager."""
    from .terminal.live import Line, Quiet

    live = sys.stderr.isatty() and not dumb()
    return Line(subject) if live else Quiet()


def found(names: Sequence[str], prefix: str, shape: str | None, arguments: dict[str, int]) -> "list[ProcessSubject]":
    """All subjects, started; when one of them cannot be had, every such error is told, and nothing is run.

    Of several, those that are not installed are left out, which is told.
    """
    from heaplaw.errors import UsageError

    from .mapping import MappingError
    from .subjects import NotInstalledError, resolve

    subjects: list[ProcessSubject] = []
    absent: list[NotInstalledError] = []
    errors: list[UsageError | MappingError] = []
    for name in names:
        try:
            subjects += resolve(name, prefix, shape, arguments)
        except NotInstalledError as error:
            absent.append(error)
        except (UsageError, MappingError) as error:
            errors.append(error)
    if not subjects:
        errors += absent
    if not errors:
        for missing in absent:
            click.echo(f"skipped: {missing}", err=True)
        return subjects
    for subject in subjects:
        subject.close()
    for wrong in errors[:-1]:
        if isinstance(wrong, MappingError):
            click.echo(wrong.report + "\n", err=True)
        else:
            warn(str(wrong))
    raise errors[-1]


@dataclass(frozen=True)
class Output:
    """Where results go: how wide the page is, and whether it shows colours."""

    page: Page = PLAIN
    coloured: bool = False
    forced: bool = False
    """Colours were asked for, whatever the terminal is called."""

    @classmethod
    def standard(cls, colour: str = "auto") -> "Output":
        """Standard output; `colour`: auto, always or never.

        What is piped is plain, 80 columns wide. NO_COLOR (https://no-color.org) and terminals called dumb get the same
        text in the terminal's width.
        """
        there = sys.stdout.isatty()
        page = Page.of(shutil.get_terminal_size().columns) if there else PLAIN
        plain = bool(os.environ.get("NO_COLOR")) or dumb()
        return cls(page, colour == "always" or (colour == "auto" and there and not plain), colour == "always" and plain)

    def tell(self, lines: "Sequence[Marked]") -> None:
        """Print lines."""
        if not self.coloured:
            echo([line.text for line in lines])
        elif lines:
            from .terminal.screen import Screen

            echo([Screen(self.page, "256" if self.forced else "auto").lines(lines)], coloured=True)

    def laws(self, rows: "Sequence[LawRow]") -> None:
        """Print the table of laws."""
        from .terminal.tables import law_table

        if not self.coloured:
            echo([line.text for line in law_table(rows, self.page)])
        else:
            from .terminal.screen import Screen

            echo([Screen(self.page, "256" if self.forced else "auto").laws(rows)], coloured=True)


def exit_code(report: "Report") -> int:
    """The exit code that a report asks for, which is the command's where there are no others."""
    from heaplaw.spec.verdict import Unknown

    from .terminal.facts import unmet

    if report.interrupted:
        return INTERRUPTED
    refuted = bool(unmet(report)) and not report.short
    undecided = any(isinstance(verdict.outcome, Unknown) for verdict in report.verdicts)
    return BROKEN if report.broken or refuted else UNDECIDED if undecided else HOLDS


def failures(report: "Report", folder: Path) -> "list[Failure]":
    """What is broken, a cause each, its witnesses stored in `folder`."""
    from .terminal.facts import Failure, causes

    found: list[Failure] = []
    for group in causes(report.witnesses):
        paths = [keep(witness, report, folder) for witness in group]
        also = tuple(witness.law for witness in group[1:])
        found.append(Failure(group[0], also, paths[0], report.said(group[0])))
    return found


@dataclass
class Verdicts:
    """What a check prints: each report when it is there, or one JSON document when all are."""

    folder: Path
    """Where witnesses are stored."""
    output: Output = Output()
    as_json: bool = False
    code: int = HOLDS
    """The exit code that the reports so far ask for."""
    judged: "list[tuple[Report, list[Failure], int]]" = field(default_factory=list[Any])

    def take(self, report: "Report", of: int) -> None:
        """One of `of` reports: keep its witnesses and print it, the table of laws only if there are no others."""
        code = exit_code(report)
        self.code = combine(self.code, code)
        if self.judged and not self.as_json:
            echo([""])
        if self.as_json:
            self.judged.append((report, failures(report, self.folder), code))
        else:
            self.judged.append((report, show(report, self.folder, of == 1, self.output), code))

    def close(self, code: int) -> None:
        """After the last report: the table of several, or the document, with the exit code of all."""
        if self.as_json:
            from .schemas import text
            from .schemas.documents import check_document

            echo([text(check_document(self.judged, code))])
        elif len(self.judged) > 1 and code != INTERRUPTED:
            from .terminal.marked import Marked
            from .terminal.tables import matrix

            self.output.tell([Marked(""), *matrix([report for report, _, _ in self.judged], self.output.page)])


def show(report: "Report", folder: Path, whole: bool, output: Output) -> "list[Failure]":
    """Print a report, the table of laws only if `whole`, and what is broken, whose witnesses are stored in `folder`."""
    from heaplaw.spec.verdict import Holds

    from .cost import judged as costs
    from .cost import text as costs_text
    from .terminal import verdicts
    from .terminal.clauses import differences, ruling
    from .terminal.marked import Marked, Role, mark
    from .terminal.tables import law_rows

    page, blank = output.page, Marked("")
    output.tell([*verdicts.header(report, page, __version__), blank])
    if whole:
        output.laws(law_rows(report))
        output.tell([blank])
        differing = differences(report, page)
        if differing:
            output.tell([*differing, blank])
    broken = failures(report, folder)
    for each in broken:
        told = each.also, page, each.said, ruling(report, each.witness.law)
        output.tell([*verdicts.failure(report.subject, each.witness, each.path, *told), blank])
    if report.costs is not None and costs.LAW in {verdict.law for verdict in report.broken}:
        output.tell([*costs_text.failure(report.subject, report.costs, page), blank])
    decided = any(isinstance(verdict.outcome, Holds) for verdict in report.verdicts)
    note = [] if report.broken or not decided else [mark("holds = no counterexample found in this run", Role.DIM)]
    output.tell([*verdicts.surprises(report, page), *verdicts.closing(report, page), *note, verdicts.summary(report)])
    return broken


def keep(witness: "Witness", report: "Report", output: Path) -> Path | None:
    """Store a witness: where, or None when that fails, which is told; what was found is shown in any case."""
    from heaplaw.errors import UsageError

    from .store import document_of, save

    try:
        return save(output, document_of(witness, report.subject_of(witness).spec, report.subject.identity, report.seed))
    except UsageError as error:
        warn(str(error))
        return None


def combine(a: int, b: int) -> int:
    """The exit code for both: interrupted wins over violated, that over heaplaw's own error, that over undecided."""
    return next((code for code in (INTERRUPTED, BROKEN, HARNESS, UNDECIDED) if code in (a, b)), HOLDS)
