"""What the command line prints, and the exit codes that it ends with."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import __version__

if TYPE_CHECKING:
    from .check import Report
    from .minimise import Witness
    from .subjects import ProcessSubject

HOLDS, BROKEN, USAGE, UNDECIDED, HARNESS, INTERRUPTED = 0, 1, 2, 3, 4, 130
"""Exit codes: all hold; violated; usage; nothing decided; heaplaw's own error; interrupted."""


def echo(lines: Sequence[str]) -> None:
    """Print results. A reader who has left (`| head`) changes neither what is done nor the exit code."""
    try:
        click.echo("\n".join(lines))
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def warn(text: str) -> None:
    """One line about what could not be done."""
    click.echo(f"error: {text}", err=True)


def progress(text: str) -> None:
    """Tell what is being done, on a terminal only: logs stay quiet."""
    if sys.stderr.isatty():
        click.echo(f"  … {text}", err=True)


def found(names: Sequence[str], prefix: str, shape: str | None, arguments: dict[str, int]) -> "list[ProcessSubject]":
    """All subjects, started; when one of them cannot be had, every such error is told, and nothing is run.

    Of several, those that are not installed are left out, which is told.
    """
    from .mapping import MappingError
    from .subjects import NotInstalledError, UsageError, resolve

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


def show(report: "Report", output: Path, whole: bool = True) -> int:
    """Keep a report's witnesses and print it, the table of laws only if `whole`; the exit code that it asks for."""
    from heaplaw.spec.verdict import Holds, Unknown

    from .report import closing, failure, header, summary, surprises, table, unmet

    first, *rest = header(report)
    echo([f"heaplaw {__version__}   {first}", *rest, "", *(table(report) if whole else [])] + ([""] if whole else []))
    for group in causes(report.witnesses):
        paths = [keep(witness, report, output) for witness in group]
        echo([*failure(report.subject, group[0], paths[0], [w.law for w in group[1:]]), *said(report, group[0]), ""])
    decided = any(isinstance(verdict.outcome, Holds) for verdict in report.verdicts)
    note = [] if report.broken or not decided else ["holds = no counterexample found in this run"]
    echo([*surprises(report), *closing(report), *note, summary(report)])
    undecided = any(isinstance(verdict.outcome, Unknown) for verdict in report.verdicts)
    refuted = bool(unmet(report)) and not report.short
    return BROKEN if report.broken or refuted else UNDECIDED if undecided else HOLDS


def show_matrix(reports: "Sequence[Report]") -> None:
    """A table of laws and subjects."""
    from .report import matrix

    echo(["", *matrix(reports)])


def causes(witnesses: "Sequence[Witness]") -> "list[list[Witness]]":
    """Witnesses, those of the same steps together."""
    groups: dict[tuple[Any, ...], list[Witness]] = {}
    for witness in witnesses:
        trace = witness.trace
        steps = tuple(trace.op(index) for index in range(min(len(trace), 200)))
        groups.setdefault((len(trace), steps), []).append(witness)
    return list(groups.values())


def keep(witness: "Witness", report: "Report", output: Path) -> Path | None:
    """Store a witness: where, or None when that fails, which is told; what was found is shown in any case."""
    from .store import document_of, save
    from .subjects import UsageError

    try:
        return save(output, document_of(witness, report.subject.spec, report.subject.identity, report.seed))
    except UsageError as error:
        warn(str(error))
        return None


def said(report: "Report", witness: "Witness") -> list[str]:
    """What a Python object answered instead of a block, in its own words."""
    from heaplaw.spec.event import Status

    from .minimise import LIMITS

    at = max(witness.violation.operations, default=-1)
    odd = at >= 0 and witness.history.columns["status"][at] in (Status.WRONG, Status.DIED)
    if report.subject.spec["kind"] != "object" or not odd or not witness.runs or report.interrupted:
        return []
    report.subject.close()
    report.subject.run(witness.trace, LIMITS)
    words = report.subject.host(0).last_words()
    return [f"    said      {words}"] if words else []


def combine(a: int, b: int) -> int:
    """The exit code for both: violated wins over heaplaw's own error, that over undecided."""
    return next((code for code in (BROKEN, HARNESS, UNDECIDED) if code in (a, b)), HOLDS)
