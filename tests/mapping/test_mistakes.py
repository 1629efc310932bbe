"""What is told of mistakes, word for word. HEAPLAW_UPDATE=1 writes it anew."""

import os
import re
from pathlib import Path

import pytest

from heaplaw.mapping import MappingError, load

FOLDER = Path(__file__).parent / "mistakes"
NAMES = sorted(path.stem for path in FOLDER.glob("*.toml"))


@pytest.mark.parametrize("name", NAMES)
def test_report(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER)
    with pytest.raises(MappingError) as caught:
        load(Path(f"{name}.toml"))
    report, golden = caught.value.report + "\n", Path(f"{name}.txt")
    if os.environ.get("HEAPLAW_UPDATE"):
        golden.write_text(report)
    assert report == golden.read_text()
    assert caught.value.count == len(re.findall("^error: ", report, re.MULTILINE))
    assert str(caught.value) + "\n" == report


def test_every_kind_of_mistake_has_a_report() -> None:
    assert len(NAMES) >= 50
    assert {path.stem for path in FOLDER.glob("*.txt")} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_mistakes_come_in_the_order_of_the_file(name: str) -> None:
    report = (FOLDER / f"{name}.txt").read_text()
    places = [(int(line), int(column)) for line, column in re.findall(r"--> \S+:(\d+):(\d+)$", report, re.MULTILINE)]
    assert places == sorted(places)
