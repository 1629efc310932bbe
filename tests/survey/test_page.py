"""docs/verdicts.md is in step with the ready mappings. That it is what the command prints, a slow test asks."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from heaplaw.cli import cli
from heaplaw.mapping import load
from heaplaw.mappings import FOLDER
from heaplaw.spec.catalogue import CATALOGUE
from heaplaw.survey import chosen, survey
from heaplaw.survey.markdown import BEGIN, CLAUSES, DEVIATIONS, LAWS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "verdicts.md").read_text(encoding="utf-8")
MAPPINGS = {path.stem: load(path) for path in sorted(FOLDER.glob("*.toml"))}
RUN = ("survey", "--markdown", "--seed", "1")
"""What wrote it."""


def about() -> dict[str, list[str]]:
    """The cells of the first table, by the allocator's name."""
    rows = [
        [cell.strip() for cell in row.split(" | ")] for row in re.findall(r"^\| (`\w+` \| .*) \|$", PAGE, re.MULTILINE)
    ]
    return {row[0].strip("`"): row[1:] for row in rows}


def test_every_ready_mapping_is_told() -> None:
    assert list(about()) == list(MAPPINGS), f"make the page again: heaplaw {' '.join(RUN)} > docs/verdicts.md"


@pytest.mark.parametrize("name", MAPPINGS)
def test_dialects_are_those_of_the_mapping(name: str) -> None:
    told, mapping = about()[name], MAPPINGS[name]
    if len(told) > 1:  # it was installed
        assert told[2] == mapping.shape
        assert told[3] == (", ".join(mapping.promises.dialects) or "–")


@pytest.mark.parametrize("name", MAPPINGS)
def test_every_expectation_is_told(name: str) -> None:
    told = PAGE.partition(DEVIATIONS)[2].split("\n- *")
    for known in MAPPINGS[name].expect:
        entries = [one for one in told if f"[{CATALOGUE[known.law].id}]" in one and known.reason in one]
        if known.version is None and len(about()[name]) > 1:
            assert [one for one in entries if f"`{name}`" in one], (name, known.law)
            assert known.issue is None or known.issue in entries[0]


def test_deviations_are_in_mappings() -> None:
    known = {(CATALOGUE[one.law].id, one.reason) for mapping in MAPPINGS.values() for one in mapping.expect}
    entries = re.findall(r"^- \*\w+\*, \[(HL\d+)\].*\n\n  (.*?)(?: \(<.*>\))?$", PAGE, re.MULTILINE)
    assert len(entries) > 10
    assert set(entries) <= known


def test_laws_are_in_the_catalogue() -> None:
    named = re.findall(r"\[(HL\d+)\]\(laws\.md#(\w+)-(\w+)\) (\w+)", PAGE)
    assert named
    for id_, anchor, fragment, name in named:
        assert CATALOGUE[name].id == id_
        assert (anchor, fragment) == (id_.lower(), name)


def test_prose_is_the_commands() -> None:
    for text in (BEGIN, LAWS, DEVIATIONS, CLAUSES):
        assert text in PAGE


@pytest.mark.slow
def test_the_page_is_what_is_printed() -> None:
    absent = [one.name for one in survey(chosen(()), 1, 1000).absent]
    if absent:
        pytest.skip(f"not installed: {', '.join(absent)}")
    ran = CliRunner().invoke(cli, list(RUN))
    assert ran.exit_code == 0, ran.output
    if ran.output != PAGE:
        different = [line for line in ran.output.splitlines() if line not in PAGE.splitlines()]
        versions = [line for line in different if re.match(r"\| `\w+` \| .* \| .* \| \w+ \|", line)]
        assert different == versions, "other libraries than those of the page, or other verdicts"
