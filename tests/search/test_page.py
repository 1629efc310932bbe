"""docs/generators.md shows the phases that the generators have. HEAPLAW_UPDATE=1 writes its tables anew."""

import os
from collections.abc import Iterator
from pathlib import Path

from heaplaw.models import bursts, heaps, phases, table
from heaplaw.models.adaptive import STRETCHES

PAGE = Path(__file__).parents[2] / "docs" / "generators.md"


def rows(drawn: dict[str, tuple[int, object]]) -> Iterator[str]:
    """A row for each: its name, its weight, the first sentence of what it says of itself."""
    yield "| stretch | weight | what it is |"
    yield "|---|---|---|"
    for name, (weight, function) in drawn.items():
        said = " ".join(str(function.__doc__).split("\n\n")[0].split()).rstrip(".")
        yield f"| {name} | {weight} | {said} |"


def tables() -> dict[str, str]:
    """The tables, by the name of the block that they stand in."""
    unbounded = {phase.name: (phase.weight, phases.RUNNERS[phase.name]) for phase in table.PHASES}
    groups: dict[str, dict[str, tuple[int, object]]] = {
        "heaps": {**unbounded},
        "bounded": {**heaps.PHASES},
        "regions": {**bursts.SORTS},
        "search": {**STRETCHES},
    }
    return {name: "\n".join(rows(drawn)) for name, drawn in groups.items()}


def test_the_tables_are_those_of_the_code() -> None:
    text = made = PAGE.read_text(encoding="utf-8")
    for name, wanted in tables().items():
        begin, end = f"<!-- table: {name} -->\n\n", "<!-- end -->"
        assert text.count(begin) == 1, name
        before, _, rest = made.partition(begin)
        made = before + begin + wanted + "\n\n" + end + rest.partition(end)[2]
    if os.environ.get("HEAPLAW_UPDATE"):
        PAGE.write_text(made, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == made, "HEAPLAW_UPDATE=1 writes it anew"
