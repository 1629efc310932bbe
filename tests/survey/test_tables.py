"""Tables of several checks: cells, letters, what dialects say; as text, as a page, and as JSON by its schema."""

import json
from dataclasses import replace
from importlib import import_module
from typing import Any

import pytest
from click.testing import CliRunner

from heaplaw import native
from heaplaw.cli import cli
from heaplaw.errors import UsageError
from heaplaw.mappings import FOLDER
from heaplaw.schemas import load
from heaplaw.survey import Survey, chosen
from heaplaw.survey.document import document
from heaplaw.survey.markdown import page
from heaplaw.survey.text import lines

Draft202012Validator: Any = import_module("jsonschema").Draft202012Validator  # it ships no types


def text_of(found: Survey) -> list[str]:
    return [line.text for line in lines(found, version="9.9")]


def test_cells(surveyed: Survey) -> None:
    general, others = surveyed.groups()
    rows = {law["id"]: cells for law, cells in surveyed.rows(general)}
    assert rows == {"HL101": ["holds", "VIOLATED"], "HL902": ["a", "holds"]}  # HL907 applies to none: it has no row
    assert [(law["id"], cells) for law, cells in surveyed.rows(others)] == [("HL101", ["?"])]


def test_a_deviation_is_told_with_the_clauses_in_force_that_forbid_it(surveyed: Survey) -> None:
    (one,) = surveyed.deviations()
    assert (one.letter, one.law["id"], one.names) == ("a", "HL902", ("first",))
    assert one.clauses == ("POSIX says so",)
    assert one.issues == ("https://example.org/1",)


def test_deviations_for_one_reason_share_a_letter(surveyed: Survey) -> None:
    first, *others = surveyed.allocators
    twice = replace(surveyed, allocators=(first, replace(first, name="again"), *others))
    assert [(one.letter, one.names) for one in twice.deviations()] == [("a", ("first", "again"))]


def test_what_was_seen_by_dialect(surveyed: Survey) -> None:
    assert [(one.names, one.answers, one.verdict) for one in surveyed.seen()] == [
        (("first",), ("NULL, errno not set",), "violates POSIX; allowed by C17, glibc"),
        (("second",), ("a block",), "violates glibc; allowed by C17, POSIX"),
    ]


def test_text(surveyed: Survey) -> None:
    told = text_of(surveyed)
    assert max(map(len, told)) <= 80
    assert told[0] == "heaplaw 9.9   seed 7"
    assert told[-1] == "SUMMARY: heaplaw survey: 3 checked, 1 not installed; 1 violated, 1 as expected"
    whole = "\n".join(told)
    assert "gone                     not installed: install libgone1" in whole
    assert "HL902  zero_resize_answered        a         holds" in whole
    assert "a    HL902  zero_resize_answered: first" in whole
    assert "second: HL101: `heaplaw check second --seed 7` shows the steps" in whole


def test_page(surveyed: Survey) -> None:
    told = page(surveyed, "9.9")
    assert "| [HL101](laws.md#hl101-aligned) aligned | holds | **violated** |" in told
    assert "| [HL902](laws.md#hl902-zero_resize_answered) zero_resize_answered | *a* | holds |" in told
    assert "| NULL, errno not set | `first` | POSIX | C17, glibc |" in told
    assert "| `gone` | install libgone1 |" in told
    assert "- POSIX says so" in told
    assert "(<https://example.org/1>)" in told


def test_an_expectation_that_is_out_of_date(surveyed: Survey) -> None:
    first, *others = surveyed.allocators
    assert first.report
    report = {**first.report, "unmet": [{"id": "HL907", "law": "bad_alignment_einval", "reason": "it was 0"}]}
    found = replace(surveyed, allocators=(replace(first, report=report, package=""), *others))
    whole = "\n".join(text_of(found))
    assert "first: HL907: no violation came, though one is expected" in whole
    assert "- first: HL907: no violation came" in page(found, "9.9")
    told = document(found, 1)
    Draft202012Validator(load("survey")).validate(told)
    assert [one["gone"] for one in told["allocators"]] == [["HL907"], [], [], []]
    short = replace(found, allocators=(replace(first, report={**report, "short": True}), *others))
    assert "HL907: no violation" not in "\n".join(text_of(short))  # a short run shows less


def test_document(surveyed: Survey) -> None:
    told = json.loads(json.dumps(document(surveyed, 1)))
    Draft202012Validator(load("survey")).validate(told)
    assert [one["exit_code"] for one in told["allocators"]] == [0, 1, 3, None]
    assert told["deviations"][0]["clauses"] == ["POSIX says so"]
    assert told["exit_code"] == 1


def test_names() -> None:
    assert list(chosen(())) == sorted(path.stem for path in FOLDER.glob("*.toml"))
    assert list(chosen(("scudo", "glibc", "scudo"))) == ["scudo", "glibc"]
    with pytest.raises(UsageError, match=r"jemaloc: no mapping has this name; did you mean `jemalloc`\?"):
        chosen(("jemaloc",))


@pytest.mark.skipif(native.find(native.HOST) is None, reason="the native parts are not built here (no C compiler)")
def test_the_command() -> None:
    ran = CliRunner().invoke(cli, ["survey", "glibc", "-n", "1000", "--seed", "1", "--json"])
    assert ran.exit_code == 0, ran.output
    told = json.loads(ran.stdout)
    Draft202012Validator(load("survey")).validate(told)
    (one,) = told["allocators"]
    assert one["identity"].startswith("glibc 2.")
    assert one["dialects"] == ["C17", "POSIX", "glibc"]
    zero = next(clause for clause in one["clauses"] if clause["id"] == "HL902")
    assert zero["answers"] == ["NULL, errno not set"]
    assert zero["forbidden"] == ["POSIX", "POSIX.1-2024"]


def test_two_forms_at_once() -> None:
    ran = CliRunner().invoke(cli, ["survey", "--json", "--markdown"])
    assert ran.exit_code != 0
