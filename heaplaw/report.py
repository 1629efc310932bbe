"""Verdicts in plain text of 80 columns: what is piped, stored and compared. `heaplaw.terminal` has it in colours."""

from collections.abc import Sequence
from pathlib import Path

from .check import Report
from .minimise import Witness
from .steps import ending
from .subjects import ProcessSubject
from .terminal import tables, verdicts
from .terminal.facts import counts, unmet
from .terminal.marked import lines_of
from .terminal.page import PLAIN, Page
from .terminal.tables import cell

__all__ = [
    "cell",
    "closing",
    "counts",
    "ending",
    "failure",
    "header",
    "matrix",
    "summary",
    "surprises",
    "table",
    "unmet",
]


def header(report: Report, page: Page = PLAIN) -> list[str]:
    """What is judged, and how."""
    return lines_of(verdicts.header(report, page))


def table(report: Report, page: Page = PLAIN) -> list[str]:
    """A line a law: outcome, evidence, number judged."""
    return lines_of(tables.law_table(tables.law_rows(report), page))


def failure(
    subject: ProcessSubject,
    witness: Witness,
    where: Path | None,
    also: Sequence[str] = (),
    page: Page = PLAIN,
    said: str = "",
) -> list[str]:
    """A broken law: what was seen, the trace, the heap, the exact sizes, and what to type next.

    `where`: the stored witness; `also`: laws that the same steps break; `said`: the subject's own words.
    """
    return lines_of(verdicts.failure(subject, witness, where, also, page, said))


def surprises(report: Report, page: Page = PLAIN) -> list[str]:
    """What to say of expected violations that did not come."""
    return lines_of(verdicts.surprises(report, page))


def closing(report: Report, page: Page = PLAIN) -> list[str]:
    """Counts, time, and how runs ended that did not end well."""
    return lines_of(verdicts.closing(report, page))


def summary(report: Report) -> str:
    """One line that can be searched for."""
    return verdicts.summary(report).text


def matrix(reports: Sequence[Report], page: Page = PLAIN) -> list[str]:
    """A line a law, a column a subject: several tables, one below the other, where they would be too wide."""
    return lines_of(tables.matrix(reports, page))
