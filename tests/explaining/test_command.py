"""`heaplaw explain` and `heaplaw laws`, as they are typed."""

import json

import pytest

from heaplaw import explaining
from heaplaw.cli import main


@pytest.fixture(autouse=True)
def signals(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line runs in this process, whose signals are its own."""
    monkeypatch.setattr("heaplaw.interrupts.install", lambda: None)


def ran(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    main([*arguments])
    told = capsys.readouterr()
    assert told.err == ""
    return told.out


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main([*arguments])
    told = capsys.readouterr()
    assert (ended.value.code, told.out) == (2, "")
    assert told.err.startswith("error: ")
    assert told.err.count("\n") == 1
    return told.err


def test_one_law_and_several(capsys: pytest.CaptureFixture[str]) -> None:
    one = ran(capsys, "explain", "HL103")
    assert one.splitlines() == explaining.lines("blocks_disjoint")
    assert ran(capsys, "explain", "blocks_disjoint") == one
    both = ran(capsys, "explain", "HL103", "verdicts")
    assert both.splitlines() == [*explaining.lines("HL103"), "", *explaining.lines("verdicts")]


def test_the_document(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(ran(capsys, "explain", "verdicts", "HL103", "--json"))
    assert (found["format"], found["version"]) == ("heaplaw.explain", 1)
    assert [law["id"] for law in found["laws"]] == ["HL103"]
    assert [topic["title"] for topic in found["topics"]] == ["verdicts: what is said of a law"]


def test_what_is_not_known(capsys: pytest.CaptureFixture[str]) -> None:
    assert "blocks_disjoint" in refused(capsys, "explain", "HL103", "blocks_disjont")
    assert "`heaplaw explain HL103`" in refused(capsys, "explain")


def test_the_catalogue_is_listed_and_tells_where_one_law_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert ran(capsys, "laws").splitlines() == explaining.catalogue()
    assert "`heaplaw explain HL103`" in refused(capsys, "laws", "HL103")
