"""What a pytest session says of conformance: its options, its settings, and what an item does with its finding."""

from pathlib import Path
from typing import Any

import pytest

from heaplaw import settings as project
from heaplaw.mapping import MappingError

from .failures import UndecidedError
from .judged import Clause, Finding, Judged, Settings, finding_of

TOLD = pytest.StashKey[set[str]]()
RANDOM = pytest.StashKey[int]()
PROJECT = pytest.StashKey[project.Settings]()


def of_project(config: pytest.Config) -> project.Settings:
    """The table `[tool.heaplaw]` of the project that is tested."""
    if PROJECT not in config.stash:
        try:
            config.stash[PROJECT] = project.read(config.rootpath)
        except MappingError as error:
            lines = error.report.splitlines()
            raise UndecidedError(f"not judged: {lines[-1]}", lines) from None
    return config.stash[PROJECT]


def asked(config: pytest.Config) -> list[str]:
    """The subjects that are named on the command line, else in pyproject.toml."""
    return named(config) or list(of_project(config).subjects)


def named(config: pytest.Config) -> list[str]:
    """The subjects that are named on the command line."""
    said: Any = config.getoption("heaplaw")
    return list(said)


def seed_of(config: pytest.Config) -> int:
    """The seed of all checks: 0 unless something else is said, so that tests say the same each time they are run."""
    said: str | None = config.getoption("heaplaw_seed")
    if said is None:
        return of_project(config).seed or 0
    if said != "random":
        return int(said)
    if RANDOM not in config.stash:
        import secrets

        handed: dict[str, Any] = getattr(config, "workerinput", {})
        config.stash[RANDOM] = handed.get("heaplaw_seed", secrets.randbelow(10**8))
    return config.stash[RANDOM]


def settings_of(config: pytest.Config) -> Settings:
    """How subjects are checked in this session."""
    lies = of_project(config)
    operations: int | None = config.getoption("heaplaw_operations")
    output: Path | None = config.getoption("heaplaw_output")
    return Settings(
        seed_of(config),
        lies.operations if operations is None else operations,
        20.0 if lies.seconds is None else lies.seconds,
        output or lies.output or Path("heaplaw-out"),
    )


def told(item: pytest.Item, judged: Judged, clause: Clause, own: str) -> Finding:
    """The finding of an item, where it is to be run: what does not apply is skipped, what was expected is an expected
    failure. UndecidedError when it is not known whether the law holds.
    """
    if judged.error:
        known = item.config.stash.setdefault(TOLD, set())
        again = judged.error in known  # one mistake is told once, not with every law
        known.add(judged.error)
        raise UndecidedError("not judged, as told with the first law" if again else f"not judged: {judged.error}")
    finding = finding_of(judged, clause, own)
    if judged.title:
        item.user_properties.append(("heaplaw.subject", judged.title))
    if finding.outcome == "not applicable":
        pytest.skip(finding.summary)
    if finding.outcome == "expected":
        pytest.xfail(finding.summary)
    if finding.outcome == "undecided":
        raise UndecidedError(finding.summary, (judged.title, finding.summary, *finding.lines))
    if finding.outcome == "holds":
        item.user_properties.append(("heaplaw.evidence", finding.summary))
    return finding
