"""docs/pytest.md says what happens."""

import doctest
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "pytest.md"


def test_what_is_typed_into_python_gives_what_is_shown() -> None:
    found = doctest.testfile(str(DOCUMENT), module_relative=False, encoding="utf-8")
    assert found.attempted >= 7
    assert not found.failed
