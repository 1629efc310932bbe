"""Conformance as pytest items: a collector for each subject of `--heaplaw`, an item for each law."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from heaplaw.errors import UsageError
from heaplaw.mapping import MappingError
from heaplaw.plugin import JUDGED
from heaplaw.subjects import ProcessSubject, resolve

from .failures import UndecidedError
from .forms import require
from .judged import Clause, Finding, Judged, Settings, clauses, dialect_of, run, title
from .session import asked, settings_of, told
from .shared import shared

NOTHING = (
    "nothing to judge: name a mapping or another subject, like `pytest --heaplaw mine.toml --pyargs "
    'heaplaw.conformance`, or write subjects = ["mine.toml"] below [tool.heaplaw] in pyproject.toml'
)


def opened(name: str) -> list[ProcessSubject]:
    """The subjects of a name, started; UsageError, MappingError for one that cannot be had."""
    if ":" in name and "/" not in name and not name.startswith(("ref:", "mutant:")):
        raise UsageError(
            f"{name}: a Python object is judged from a test file: "
            f"test_it = heaplaw.conformance_test({name.partition(':')[2]}, shape=…)"
        )
    return list(resolve(name))


def titles(name: str, settings: Settings) -> list[str]:
    """What a name stands for, a line each; UsageError, MappingError for one that cannot be had."""
    subjects = opened(name)
    try:
        return [title(subject, settings.seed) for subject in subjects]
    finally:
        for subject in subjects:
            subject.close()


class Conformance(pytest.Directory):
    """`--pyargs heaplaw.conformance`: all subjects of the session."""

    def collect(self) -> Iterator[pytest.Collector]:
        """A collector for each subject."""
        try:
            names = asked(self.config)
        except UndecidedError as error:
            raise self.CollectError(str(error)) from None
        if not names:
            raise self.CollectError(NOTHING)
        for name in names:
            yield of_name(self, name)


def of_name(parent: pytest.Collector, name: str) -> "SubjectItems":
    """The collector of a subject; its id is the mapping's path, as a test file's would be, or the subject's name."""
    path = Path(name)
    if not path.is_file():
        return made(parent, path=parent.path, nodeid=name, name=name, subject=name)
    path = path.resolve()
    root = parent.config.rootpath
    nodeid = path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
    return made(parent, path=path, nodeid=nodeid, name=path.name, subject=name)


def made(parent: pytest.Collector, **given: Any) -> "SubjectItems":
    """The collector, in pytest's way."""
    parent.config.stash[JUDGED] = True
    collector: SubjectItems = SubjectItems.from_parent(parent, **given)  # pyright: ignore[reportUnknownMemberType]
    return collector


class SubjectItems(pytest.File):
    """The items of one subject."""

    def __init__(self, *, subject: str, **given: Any) -> None:
        super().__init__(**given)
        self.subject = subject

    def collect(self) -> Iterator[pytest.Item]:
        """An item for each law of its shape; of several subjects of one name (cpython), each of its own."""
        try:
            subjects = opened(self.subject)
        except MappingError as error:
            raise self.CollectError(error.report) from None
        except UsageError as error:
            raise self.CollectError(str(error)) from None
        for place, subject in enumerate(subjects):
            subject.close()
            own = dialect_of(subject)
            prefix = f"{subject.name}-" if len(subjects) > 1 else ""
            for clause in clauses(subject.shape.name):
                given = {"name": prefix + clause.id, "clause": clause, "place": place, "dialect": own}
                yield LawItem.from_parent(self, **given)  # pyright: ignore[reportUnknownMemberType]

    def judged(self, place: int) -> Judged:
        """What came of checking the subject `place`."""

        def compute() -> Judged:
            subjects = opened(self.subject)
            for other in (*subjects[:place], *subjects[place + 1 :]):
                other.close()
            return run(subjects[place], settings_of(self.config))

        return shared(self.config, f"{self.nodeid}#{place}", compute)


class LawItem(pytest.Item):
    """One law on one subject."""

    def __init__(self, *, clause: Clause, place: int, dialect: str, **given: Any) -> None:
        super().__init__(**given)  # pyright: ignore[reportUnknownMemberType]
        self.clause = clause
        self.place = place
        self.dialect = dialect
        self.finding: Finding | None = None

    def setup(self) -> None:
        """Judge: what holds, or is broken, goes on to be run; all else ends here."""
        parent = self.getparent(SubjectItems)
        assert parent is not None
        self.finding = told(self, parent.judged(self.place), self.clause, self.dialect)

    def runtest(self) -> None:
        """Fails when the law is broken."""
        assert self.finding is not None
        require(self.finding)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Where it stands: in the mapping."""
        return self.path, None, self.name
