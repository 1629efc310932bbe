"""A report fits every page, says the same on all of them, and says on a terminal what it says in plain text."""

import re
from pathlib import Path
from typing import Any

import pytest

from heaplaw import report as plain_text
from heaplaw.check import Report
from heaplaw.console import exit_code
from heaplaw.minimise import Witness
from heaplaw.replay import Again
from heaplaw.spec.verdict import Holds, NotApplicable, Violated
from heaplaw.terminal import tables, verdicts
from heaplaw.terminal.facts import WORDS, is_on_reports, unmet
from heaplaw.terminal.marked import Marked, Role, lines_of, mark
from heaplaw.terminal.page import LEAST, MOST, Page
from heaplaw.terminal.screen import STYLES, Screen, law_table

from .conftest import plain
from .reports import all_reports, expected_one

WIDTHS = (60, 80, 100, 120)
WHERE = Path("a-folder-with-a-name-that-is-long/and-another-one-in-it/HL103-12345678.json")
REPORTS = all_reports()
COPIED = ("    again     ", "    why       ", "SUMMARY: ")
HEADS = "law name verdict evidence"


def failing(report: Report, witness: Witness, page: Page) -> list[Marked]:
    """A failure with everything that may be said of one."""
    return verdicts.failure(report.subject, witness, WHERE, ("sized", "aligned"), page, "it said so, at length " * 6)


def texts(report: Report, page: Page) -> list[Marked]:
    """All that is said of a report, but the table of laws."""
    lines = verdicts.header(report, page, "1.2.3")
    for witness in report.witnesses:
        lines += failing(report, witness, page)
    return [*lines, *verdicts.surprises(report, page), *verdicts.closing(report, page), verdicts.summary(report)]


def words(lines: list[str]) -> str:
    """The words of lines that are no picture and no steps, however they are broken over lines."""
    return " ".join(" ".join(lines).split())


@pytest.mark.parametrize("columns", WIDTHS)
@pytest.mark.parametrize("report", REPORTS, ids=lambda report: str(REPORTS.index(report)))
def test_no_line_is_wider_than_the_page(report: Report, columns: int) -> None:
    page, long = Page(columns), report.subject.identity
    rows = tables.law_rows(report)
    lines = lines_of([*texts(report, page), *tables.law_table(rows, page), *tables.matrix([report] * 4, page)])
    lines += plain(Screen(page).laws(rows)).splitlines()
    wide = [line for line in lines if len(line) > columns and not line.startswith(COPIED)]
    assert not [line for line in wide if line.strip() != long], wide


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: str(REPORTS.index(report)))
def test_a_page_that_is_wider_is_not_longer_and_says_the_same(report: Report) -> None:
    lengths = [len(texts(report, Page(columns))) for columns in WIDTHS]
    assert lengths == sorted(lengths, reverse=True)
    rows = tables.law_rows(report)
    told = {words(lines_of(verdicts.closing(report, Page(columns)))) for columns in WIDTHS}
    assert len(told) == 1
    brief, whole = (words(lines_of(tables.law_table(rows, Page(columns)))) for columns in (60, 80))
    assert brief == whole.replace("tested on ", "")
    assert words(lines_of(tables.law_table(rows, Page(120)))) == whole


@pytest.mark.parametrize("columns", WIDTHS)
def test_a_terminal_says_what_plain_text_says(columns: int) -> None:
    page = Page(columns)
    for report in REPORTS:
        lines = texts(report, page)
        shown = Screen(page, "truecolor").lines(lines)
        assert "\x1b[" in shown
        assert plain(shown).splitlines() == lines_of(lines)
        rows = tables.law_rows(report)
        table = words(plain(Screen(page, "256").laws(rows)).splitlines())
        heads = HEADS.removesuffix(" evidence") if page.narrow else HEADS
        assert table == f"{heads} {words(lines_of(tables.law_table(rows, page)))}"


def test_every_role_has_a_style_that_does_not_rely_on_red_and_green() -> None:
    assert set(STYLES) == set(Role)
    assert not [style for style in STYLES.values() if re.search("red|green", style)]
    assert {"bold", "reverse"} <= set(STYLES[Role.FAULT].split())  # seen without any colour


def test_plain_text_has_80_columns_and_the_functions_that_others_call() -> None:
    report = expected_one()
    witness = report.witnesses[0]
    page = Page(80)
    assert plain_text.failure(report.subject, witness, WHERE, ["sized"]) == lines_of(
        verdicts.failure(report.subject, witness, WHERE, ["sized"])
    )
    assert plain_text.header(report) == lines_of(verdicts.header(report, page))
    assert plain_text.table(report) == lines_of(tables.law_table(tables.law_rows(report)))
    assert plain_text.matrix([report]) == lines_of(tables.matrix([report]))
    assert plain_text.closing(report) == lines_of(verdicts.closing(report))
    assert plain_text.surprises(report) == lines_of(verdicts.surprises(report))
    assert plain_text.summary(report).startswith("SUMMARY: heaplaw: an-allocator-with-a-rather-long-name")
    assert plain_text.unmet(report) == unmet(report)
    assert [verdict.law for verdict, _ in unmet(report)] == ["sized"]


def test_the_summary_says_what_the_exit_code_is_for() -> None:
    start = "SUMMARY: heaplaw: an-allocator-with-a-rather-long-name 3.14.15 (/usr/lib/somewhere/libmine.so): "

    def told(report: Report, whole: bool = False) -> str:
        if not whole:  # without what is violated, but for what is expected
            report.verdicts = [v for v in report.verdicts if v not in report.broken]
        return verdicts.summary(report).text.removeprefix(start)

    report = expected_one()
    assert exit_code(report) == 1
    whole = told(report, whole=True)
    assert whole.startswith("VIOLATED HL")
    assert whole.endswith("; expected and not seen HL102 sized")
    assert "HL103" not in whole  # it was expected, and came
    assert re.fullmatch(r"expected and not seen HL102 sized; \d+ hold, 0 violated, .*", told(report))
    assert exit_code(report) == 1
    report.short = True  # nothing is known of what did not come
    assert re.fullmatch(r"\d+ hold, 0 violated, .*, 3 unknown, .*", told(report))
    assert exit_code(report) == 3
    report.interrupted = True
    assert re.fullmatch(r"interrupted; \d+ hold, 0 violated, .*", told(report))
    assert exit_code(report) == 130
    report = all_reports()[0]
    report.interrupted = report.short = True
    assert verdicts.summary(report).text.endswith("; interrupted")


@pytest.mark.parametrize("columns", WIDTHS)
def test_the_table_tells_every_verdict_with_its_evidence(columns: int) -> None:
    for report in REPORTS:
        lines = lines_of(tables.law_table(tables.law_rows(report), Page(columns)))
        text = words(lines)
        for verdict in report.verdicts:
            if isinstance(verdict.outcome, NotApplicable) and is_on_reports(verdict, report):
                assert verdict.law not in text
                continue
            word = "expected" if verdict.law in report.expected else WORDS[type(verdict.outcome)]
            (line,) = (line for line in lines if re.search(rf" {verdict.law} ", line))
            if isinstance(verdict.outcome, Violated):
                assert f" {word} " in f"{line} "
                assert f"broken {verdict.outcome.total} time" in text
            if isinstance(verdict.outcome, Holds):
                assert f"holds {'' if columns < 76 else 'tested on '}{verdict.evidence}"[:-1] in words([line])


@pytest.mark.parametrize("columns", WIDTHS)
def test_ten_steps_and_their_picture_fit_on_a_screen(columns: int) -> None:
    report = REPORTS[0]
    lines = lines_of(failing(report, report.witnesses[0], Page(columns)))
    steps = [line for line in lines if re.match(r"  [ >] +\d+  ", line)]
    start, stop = lines.index(steps[0]), lines.index(next(line for line in lines if line.startswith("    law ")))
    assert len(steps) == 10
    assert stop - start <= 24
    also = [line for line in lines if "breaks on the same" in line]
    assert len(also) == 2  # one block for the cause, the other laws named in it


def roles_of(lines: list[Marked], role: Role) -> set[str]:
    return {line.text[start:stop] for line in lines for start, stop, of in line.marks if of is role}


def test_what_is_marked_is_what_it_is() -> None:
    page = Page(80)
    report = REPORTS[0]
    lines = failing(report, report.witnesses[0], page)
    assert {sign for text in roles_of(lines, Role.FAULT) for sign in text} == {">", "X"}
    assert {"p9 = malloc(40)", "free(p3)"} <= roles_of(lines, Role.CALL)
    assert any(set(text) == {"="} for text in roles_of(lines, Role.OWNED))
    assert any(set(text) == {"~"} for text in roles_of(lines, Role.PADDING))
    assert "shares 16 bytes with p2" in roles_of(lines, Role.BROKEN)
    outside = REPORTS[1]
    lines = [line for witness in outside.witnesses for line in failing(outside, witness, page)]
    assert any(text.startswith("[") for text in roles_of(lines, Role.BUFFER))
    assert any(set(text) == {"-"} for text in roles_of(lines, Role.ENDED))


def test_the_table_of_a_terminal_has_its_four_columns() -> None:
    rows = tables.law_rows(REPORTS[0])
    assert [column.header for column in law_table(rows, Page(80)).columns] == ["  law", "name", "verdict", "evidence"]


def test_a_page_is_readable_on_any_terminal() -> None:
    assert [Page.of(columns).columns for columns in (0, 20, 60, 99, 500)] == [LEAST, LEAST, 60, 99, MOST]


def test_marked_text_keeps_its_marks_where_it_is_joined_and_cut() -> None:
    line = "ab" + mark("cd  ", Role.CALL) + "  " + mark("ef", Role.DIM)
    assert (line.text, line.marks) == ("abcd    ef", ((2, 6, Role.CALL), (8, 10, Role.DIM)))
    cut = ("ab" + mark("cd  ", Role.CALL)).rstrip()
    assert (cut.text, cut.marks) == ("abcd", ((2, 4, Role.CALL),))
    assert cut.ljust(6).text == "abcd  "


@pytest.mark.parametrize("columns", WIDTHS)
def test_a_replay_fits_too(columns: int) -> None:
    report = REPORTS[2]
    stored: Any = type("Stored", (), {
        "id": "HL201-12345678", "law": "payload_kept", "path": WHERE, "document": {"truncated": True},
        "observed": "byte 32 of 33 is not what its owner wrote, and so on " * 2, "required": "all bytes as written",
    })  # fmt: skip
    for witness in (report.witnesses[0], None):
        lines = lines_of(Again(stored, report.subject, 0, 3, witness).lines(Page(columns)))
        assert not [line for line in lines if len(line) > columns and not line.startswith(COPIED)]
        assert words(lines).count("HL201") >= 1
