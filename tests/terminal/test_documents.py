"""Whatever a report holds, its document is one of the schema's, and says what the text says."""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from heaplaw import report as plain_text
from heaplaw.check import Report
from heaplaw.cli import cli
from heaplaw.console import exit_code, failures
from heaplaw.schemas import load, text
from heaplaw.schemas.documents import MOST_OPERATIONS, check_document
from heaplaw.spec.history import Died
from heaplaw.spec.verdict import Unknown, Violated
from heaplaw.steps import ending

from .reports import all_reports

Draft202012Validator: Any = import_module("jsonschema").Draft202012Validator  # it ships no types
REPORTS = all_reports()


def document_of(report: Report, folder: Path) -> dict[str, Any]:
    """The only report of the document, after it went through text."""
    code = exit_code(report)
    document = json.loads(text(check_document([(report, failures(report, folder), code)], code)))
    Draft202012Validator(load("check")).validate(document)
    (found,) = document["subjects"]
    assert found["exit_code"] == code
    return dict(found)


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: str(REPORTS.index(report)))
def test_a_document_says_what_the_report_says(report: Report, tmp_path: Path) -> None:
    found = document_of(report, tmp_path)
    assert [law["name"] for law in found["laws"]] == [v.law for v in sorted(report.verdicts, key=plain_order)]
    for law, verdict in zip(found["laws"], sorted(report.verdicts, key=plain_order), strict=True):
        outcome, known = verdict.outcome, verdict.law in report.expected
        assert (law["outcome"] in ("violated", "expected")) == isinstance(outcome, Violated)
        assert (law["outcome"] == "expected") == (isinstance(outcome, Violated) and known)
        assert (law["reason"] is not None) == known
        assert law["broken"] == (outcome.total if isinstance(outcome, Violated) else 0)
        assert law["why"] == (outcome.why if isinstance(outcome, Unknown) else law["why"])
    told = {law["id"] for each in found["violations"] for law in (each["law"], *each["also"])}
    broken = {law["id"] for law in found["laws"] if law["outcome"] == "violated"}
    assert told >= broken
    assert [entry["law"] for entry in found["unmet"]] == [verdict.law for verdict, _ in plain_text.unmet(report)]
    for each in found["violations"]:
        witness = next(w for w in report.witnesses if w.law == each["law"]["name"])
        lines = plain_text.failure(report.subject, witness, Path(each["stored"]))
        words = " ".join(" ".join(lines).split())
        assert " ".join(each["observed"].split()) in words
        told_in_text = each["operations"][: max(each["broken_at"]) + 1]  # what comes after the fault is left out there
        assert [op["call"] for op in told_in_text if op["call"] not in words] == []
        assert Path(each["stored"]).is_file()
        assert len(each["operations"]) <= MOST_OPERATIONS
        assert len(each["operations"]) * each["times"] == len(witness.trace)


def plain_order(verdict: Any) -> str:
    """Verdicts go by the ids of their laws."""
    from heaplaw.spec.catalogue import law

    return law(verdict.law).id


def test_what_ended_a_run_is_told_where_it_ended(tmp_path: Path) -> None:
    report = REPORTS[2]
    found = document_of(report, tmp_path)
    assert found["ends"] == [{"profile": "mixed", "operation": 3, "how": "died", "signal": 11}]
    (died,) = found["violations"]
    history = report.witnesses[0].history
    assert isinstance(history.end, Died)
    assert died["operations"][3]["result"] == {"status": "ended", "address": None, "error": 0, "text": ending(history)}
    assert died["operations"][3]["size"] == 2**64 - 24
    assert died["operations"][2]["block"] == 0


def test_a_trace_that_repeats_itself_is_told_once(tmp_path: Path) -> None:
    (violation,) = document_of(REPORTS[3], tmp_path)["violations"]
    assert (len(violation["operations"]), violation["times"], violation["broken_at"]) == (2, 40, [79])


def test_an_interrupted_check_still_prints_its_document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = all_reports()[0]
    report.interrupted = True
    monkeypatch.setattr("heaplaw.check.check", lambda *_: report)
    monkeypatch.setattr("heaplaw.cli.found", lambda *_: [report.subject])
    monkeypatch.chdir(tmp_path)
    ran = CliRunner().invoke(cli, ["check", "mine", "--json"])
    assert ran.exit_code == 130
    document = json.loads(ran.stdout)
    assert (document["exit_code"], document["subjects"][0]["interrupted"]) == (130, True)
    assert document["subjects"][0]["exit_code"] == 130  # the only subject's is the command's
    assert "interrupted after 10 operations; what was found is in heaplaw-out/" in ran.stderr
