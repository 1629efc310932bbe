"""The verdicts of a report as rows, and rows laid out for a page."""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap

from heaplaw.check import Report
from heaplaw.spec.catalogue import law
from heaplaw.spec.verdict import Error, Holds, NotApplicable, Unknown, Verdict, Violated

from .facts import WORDS, is_on_reports
from .marked import Marked, Role, mark
from .page import PLAIN, Page

NAME, WORD, UNDER = 27, 15, 9
"""Columns of a law's name and of its verdict; where further lines of a row begin."""
OTHERS = "and"
"""In place of an id: a row for several laws."""
ROLES = {
    Holds: Role.HELD,
    Violated: Role.BROKEN,
    Unknown: Role.UNDECIDED,
    NotApplicable: Role.DIM,
    Error: Role.UNDECIDED,
}
FOOT = "the law does not apply: to the shape, or without what is absent or not promised"


@dataclass(frozen=True)
class LawRow:
    """What came of one law."""

    id: str
    name: str
    word: str
    role: Role
    """Of the verdict's word."""
    detail: str
    """Evidence, or why there is no verdict."""
    remark: str = ""
    """Why a violation was expected."""

    def brief(self) -> str:
        """The detail for narrow pages."""
        return self.detail.removeprefix("tested on ")


def law_rows(report: Report) -> list[LawRow]:
    """A row a law, in order of their ids; of laws on clauses, and on reports, those that do not apply are one row."""
    rows: list[LawRow] = []
    idle = [v for v in report.verdicts if isinstance(v.outcome, NotApplicable)]
    unreported = [v for v in idle if is_on_reports(v, report)]
    unasked = [v for v in idle if law(v.law).scenes]
    unasked = unasked if len(unasked) > 1 else []
    for verdict in sorted(report.verdicts, key=lambda v: law(v.law).id):
        if verdict in unreported or verdict in unasked:
            continue
        outcome, known = verdict.outcome, report.expected.get(verdict.law)
        word, role = WORDS[type(outcome)], ROLES[type(outcome)]
        evidence = str(verdict.evidence)
        detail = "tested on " + (evidence[:-1] if evidence.startswith("1 ") else evidence)
        if isinstance(outcome, Violated):
            detail += f", broken {outcome.total:,} time{'s' * (outcome.total != 1)}"
            word, role = ("expected", Role.UNDECIDED) if known else (word, role)
        elif isinstance(outcome, Unknown | NotApplicable | Error):
            detail = outcome.why
        remark = known.reason if known and isinstance(outcome, Violated) else ""
        rows.append(LawRow(law(verdict.law).id, verdict.law, word, role, detail, remark))
    if unasked:
        laws = f"{len(unasked)} laws on single clauses"
        rows.append(LawRow(OTHERS, laws, WORDS[NotApplicable], Role.DIM, "no such function, or not promised"))
    if unreported:
        laws = f"{len(unreported)} laws on what is reported"
        rows.append(LawRow(OTHERS, laws, WORDS[NotApplicable], Role.DIM, "not reported"))
    return rows


def law_table(rows: Sequence[LawRow], page: Page = PLAIN) -> list[Marked]:
    """The rows, a line each where there is room: details go on in their column, on narrow pages below the names."""
    longest = max((len(row.name) for row in rows if row.id != OTHERS), default=NAME)
    return [line for row in rows for line in (_narrow(row, longest, page) if page.narrow else _wide(row, page))]


def _wide(row: LawRow, page: Page) -> list[Marked]:
    start = _start(row, NAME) + " " + mark(row.word, row.role).ljust(WORD) + " "
    if row.id == OTHERS:  # its name reaches beyond the column
        start = start.rstrip() + "  "
    first, *more = wrap(row.detail, max(page.columns - len(start), 1)) or [""]
    under = [" " * len(start) + mark(text, Role.DIM) for text in more]
    return [(start + mark(first, Role.DIM)).rstrip(), *under, *_below(row.remark, page)]


def _narrow(row: LawRow, name: int, page: Page) -> list[Marked]:
    line, told = _start(row, name) + " " + mark(row.word, row.role), " " + mark(row.brief(), Role.DIM)
    if len(line) + len(told) <= page.columns:
        return [line + told, *_below(row.remark, page)]
    if len(line) > page.columns:
        line, told = _start(row, 0), " " + mark(f"{row.word} {row.brief()}", Role.DIM)
    return [line, *_below(told.text.strip(), page), *_below(row.remark, page)]


def _start(row: LawRow, name: int) -> Marked:
    return f"  {row.id:<5}  " + mark(f"{row.name:<{name}}", Role.DIM if row.role is Role.DIM else None)


def _below(text: str, page: Page) -> list[Marked]:
    return [" " * UNDER + mark(part, Role.DIM) for part in wrap(text, page.columns - UNDER)]


def cell(verdict: Verdict, report: Report) -> str:
    """One word for a verdict."""
    if isinstance(verdict.outcome, Violated):
        return "expected" if verdict.law in report.expected else "VIOLATED"
    return "-" if isinstance(verdict.outcome, NotApplicable) else WORDS[type(verdict.outcome)]


CELLS = {"VIOLATED": Role.BROKEN, "holds": Role.HELD, "-": Role.DIM}


def matrix(reports: Sequence[Report], page: Page = PLAIN) -> list[Marked]:
    """A line a law, a column a subject: several tables, one below the other, where they would be too wide."""
    names = [report.subject.name or report.subject.identity for report in reports]
    wide = max(8, *(len(name) for name in names))
    most = max(1, (page.columns - 35) // (wide + 2))
    lines: list[Marked] = []
    for start in range(0, len(reports), most):
        part = list(zip(names, reports, strict=True))[start : start + most]
        cells = [{v.law: cell(v, report) for v in report.verdicts} for _, report in part]
        told = {v.law for _, report in part for v in report.verdicts if not is_on_reports(v, report)}
        head = "".join(f"{'' if at else ' ' * 35}{name:<{wide + 2}}" for at, (name, _) in enumerate(part))
        lines.append(mark(head, Role.STRONG).rstrip())
        for name in sorted(told, key=lambda name: law(name).id):
            line = Marked(f"{law(name).id}  {name:<28}")
            for of in cells:
                word = of.get(name, "-")
                line = line + mark(word, CELLS.get(word, Role.UNDECIDED)) + " " * (wide + 2 - len(word))
            lines.append(line.rstrip())
        lines.append(Marked(""))
    return [*lines, *(mark(text, Role.DIM) for text in wrap(f"- {FOOT}", page.columns, subsequent_indent="  "))]
