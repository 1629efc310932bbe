"""What the documentation names is there: commands, options, shapes, exit codes, engines."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from markdown_it import MarkdownIt

from heaplaw import console
from heaplaw.cli import cli
from heaplaw.spec.catalogue import CATALOGUE
from heaplaw.spec.shapes import SHAPES

from .documents import normalised

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"])
CALL = re.compile(r"(?:^|[\s$(])heaplaw ([a-z]+)((?:[^\n#;|&>]|\\\n)*)")


def code(text: str) -> Iterator[str]:
    """What is set as code, and may hold commands."""
    for token in MarkdownIt("commonmark").parse(text):
        if token.type == "fence" and token.info in ("sh", "bash", "yaml", "console"):
            lines = token.content.splitlines(keepends=True)
            yield "".join(line for line in lines if token.info != "console" or line.startswith("$ "))
        for child in token.children or ():
            if child.type == "code_inline":
                yield child.content


def calls(text: str) -> set[tuple[str, str]]:
    """heaplaw's commands in code: each with what follows it."""
    return {call for piece in code(text) for call in CALL.findall(piece)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_and_options(page: Path) -> None:
    context = click.Context(cli)
    for name, rest in calls(page.read_text()):
        command = cli.get_command(context, name)
        assert command is not None, f"heaplaw {name}"
        known = {option for param in command.get_params(context) for option in (*param.opts, *param.secondary_opts)}
        assert set(re.findall(r"(?<=\s)--?[a-z][a-z-]*", rest)) <= known, f"heaplaw {name}{rest}"


def test_there_are_commands() -> None:
    assert len(calls((DOCS / "tutorial.md").read_text())) >= 6
    assert ("prove", " --explain NAME") in calls((DOCS / "coverage.md").read_text())


def test_coverage_names_the_shapes() -> None:
    (line,) = re.findall(r"^Seven interfaces: .*", (DOCS / "coverage.md").read_text(), re.MULTILINE)
    named, _, _ = line.partition("[")
    assert re.findall(r"`(\w+)`", named) == list(SHAPES)
    assert len(SHAPES) == 7


def test_laws_that_are_named_are_there() -> None:
    numbers = {law.id: name for name, law in CATALOGUE.items()}
    for page in (path for path in PAGES if path.name != "CHANGELOG.md"):
        for number, name in re.findall(r"\b(HL\d{3})\b(?:[ ]+([a-z]+_[a-z_]+))?", page.read_text()):
            assert number in numbers, f"{page.name}: {number}"
            assert name in ("", numbers[number]), f"{page.name}: {number} {name}"


def test_the_picture_of_the_first_page_is_an_example_s() -> None:
    (picture,) = re.findall(r"^```text\n(.*?)^```", (DOCS / "index.md").read_text(), re.MULTILINE | re.DOTALL)
    assert normalised(picture) in normalised((DOCS / "verify" / "zig.md").read_text())


def test_exit_codes() -> None:
    table = re.findall(r"^\| (\d+) \| (\w+)", (DOCS / "ci.md").read_text(), re.MULTILINE)
    codes = (console.HOLDS, console.BROKEN, console.USAGE, console.UNDECIDED, console.HARNESS, console.INTERRUPTED)
    assert [int(code) for code, _ in table] == list(codes)


def test_the_workflow_runs_the_script() -> None:
    yaml: Any = pytest.importorskip("yaml")
    (block,) = re.findall(r"^```yaml\n(.*?)^```", (DOCS / "ci.md").read_text(), re.MULTILINE | re.DOTALL)
    (job,) = yaml.safe_load(block)["jobs"].values()
    runs = [step.get("run", "") for step in job["steps"]]
    assert any(run.startswith("bash ci.sh ") for run in runs)
    assert any("upload-artifact" in step.get("uses", "") and step["if"] == "always()" for step in job["steps"])
