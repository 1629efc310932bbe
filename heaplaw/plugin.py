"""The pytest plugin: options, hooks and fixtures. Nothing heavy is loaded, and nothing done, before it is asked for."""

import sys
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import heaplaw

if TYPE_CHECKING:
    from .conformance.fixture import Conforms
    from .conformance.judged import Finding

CONFORMANCE = Path(__file__).resolve().parent / "conformance"
"""What `--pyargs heaplaw.conformance` leads to."""
HEADER = pytest.StashKey[list[str]]()
RUN = pytest.StashKey[str]()
JUDGED = pytest.StashKey[bool]()
"""Subjects of --heaplaw are among the tests."""
OURS = ("heaplaw.conformance.failures", "heaplaw.models.session")
"""Where what is raised is ours to tell."""


def seed(text: str) -> str:
    """A seed, or the word `random`."""
    if text != "random" and not (text.isdecimal() and int(text) < 2**63):
        raise pytest.UsageError(f"--heaplaw-seed {text}: a whole number from 0 to 2**63 - 1, or random")
    return text


def count(text: str) -> int:
    """A number of operations."""
    if not (text.isdecimal() and 1 <= int(text) <= 50_000_000):
        raise pytest.UsageError(f"--heaplaw-operations {text}: a whole number from 1 to 50,000,000")
    return int(text)


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options."""
    group = parser.getgroup("heaplaw", "judging memory allocators by laws (heaplaw)")
    group.addoption(
        "--heaplaw",
        action="append",
        default=[],
        metavar="SUBJECT",
        help="What `--pyargs heaplaw.conformance` judges: a mapping (mine.toml), or a name that `heaplaw subjects` "
        "lists. May be given more than once.",
    )
    group.addoption(
        "--heaplaw-seed", type=seed, metavar="N", help="Of the operations that are drawn; `random` draws it.  [0]"
    )
    group.addoption(
        "--heaplaw-operations", type=count, metavar="N", help="Of a check's main run; fewer make it weaker."
    )
    group.addoption(
        "--heaplaw-output", type=Path, metavar="DIR", help="Where traces of violations are kept.  [heaplaw-out]"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Look at the subjects that are named, once and first: what cannot be judged ends the session before it begins."""
    if not config.getoption("heaplaw") or hasattr(config, "workerinput"):
        return
    from heaplaw.errors import UsageError

    from .conformance.items import titles
    from .conformance.session import named, settings_of
    from .mapping import MappingError

    lines: list[str] = []
    try:
        for name in named(config):
            lines += titles(name, settings_of(config))
    except MappingError as error:
        raise pytest.UsageError(error.report) from None
    except UsageError as error:
        raise pytest.UsageError(str(error)) from None
    config.stash[HEADER] = lines


def pytest_report_header(config: pytest.Config) -> list[str]:
    """What is judged: subject, version, shape, seed and dialect."""
    return [f"heaplaw: {line}" for line in config.stash[HEADER]] if HEADER in config.stash else []


def pytest_report_collectionfinish(config: pytest.Config, items: Sequence[pytest.Item]) -> list[str]:
    """How the allocators of the test files are judged."""
    judged = {item.nodeid.partition("[")[0] for item in items if "heaplaw_finding" in getattr(item, "fixturenames", ())}
    if not judged:
        return []
    from .conformance.session import settings_of

    said = settings_of(config)
    operations = "" if said.operations is None else f", {said.operations:,} operations each"
    return [f"heaplaw {heaplaw.__version__}: {len(judged)} judged by laws, seed {said.seed}{operations}"]


def pytest_terminal_summary(terminalreporter: "pytest.TerminalReporter", config: pytest.Config) -> None:
    """Subjects that were named, and not among the tests, are no pass."""
    if HEADER in config.stash and RUN not in config.stash and JUDGED not in config.stash:
        named: Any = config.getoption("heaplaw")
        terminalreporter.write_line(
            f"heaplaw: nothing of --heaplaw {' '.join(named)} was judged; add --pyargs heaplaw.conformance",
            yellow=True,
        )


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist the seed that was drawn."""
    node.config.stash[RUN] = node.workerinput["testrunuid"]
    if node.config.getoption("heaplaw_seed") == "random":
        from .conformance.session import seed_of

        node.workerinput["heaplaw_seed"] = seed_of(node.config)


def pytest_collect_directory(path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """The package `heaplaw.conformance` holds an item for each law of each subject."""
    if path != CONFORMANCE:
        return None
    from .conformance.items import Conformance

    collector: Conformance = Conformance.from_parent(parent, path=path)  # pyright: ignore[reportUnknownMemberType]
    return collector


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """A mapping that is named with --heaplaw can be named as a test file too: mine.toml::HL103-blocks_disjoint."""
    said: Any = parent.config.getoption("heaplaw")
    fitting: list[str] = [name for name in said if file_path == Path(name).resolve()]
    if not fitting or not parent.session.isinitpath(file_path):
        return None
    from .conformance.items import of_name

    return of_name(parent, fitting[0])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failure of ours is told in its own words, not by heaplaw's stack."""
    report = yield
    if call.excinfo is None or sys.modules.keys().isdisjoint(OURS):
        return report
    from .conformance.shown import retold

    return retold(report, item, call)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Take away what the workers of pytest-xdist left for each other."""
    if run := session.config.stash.get(RUN, ""):
        from .conformance.shared import remove

        remove(run)


@pytest.fixture
def heaplaw_finding(request: pytest.FixtureRequest) -> "Finding":
    """What came of one law, for tests that `heaplaw.conformance_test` and `heaplaw.Conformance` make."""
    from .conformance.fixture import finding

    return finding(request)


@pytest.fixture
def conformance(request: pytest.FixtureRequest) -> "Conforms":
    """Judge an allocator inside a test: `conformance(lambda: MyPool(64, 100), shape="pool")`.

    Takes what `heaplaw.conformance_test` takes; all laws are judged, and the test fails with each that is broken. Gives
    the findings by law: `conformance(…)["aligned"].outcome`.
    """
    from .conformance.fixture import Conforms

    return Conforms(request)


__all__: Sequence[str] = ()
