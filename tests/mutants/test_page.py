"""docs/mutants.md lists the mutants there are, with the lengths of recorded traces. HEAPLAW_UPDATE=1 writes it anew."""

import os
from pathlib import Path

from heaplaw.killmatrix.cases import CORRECT_CASES, all_cases
from heaplaw.killmatrix.kills import load
from heaplaw.killmatrix.page import BEGIN, END, with_tables

PAGE = Path(__file__).resolve().parents[2] / "docs" / "mutants.md"
KILLS = load(Path(__file__).with_name("kills"))


def test_page__is_in_step_with_the_mutants() -> None:
    page = PAGE.read_text(encoding="utf-8")
    made = with_tables(page, KILLS)
    if os.environ.get("HEAPLAW_UPDATE"):
        PAGE.write_text(made, encoding="utf-8")
        page = made
    assert page == made, "HEAPLAW_UPDATE=1 writes it anew"


def test_tables__name_every_mutant_and_every_correct_allocator_once() -> None:
    page = PAGE.read_text(encoding="utf-8")
    table = page[page.index(BEGIN) : page.index(END)]
    names = [line.split("`")[1] for line in table.splitlines() if line.startswith("| `")]
    assert sorted(names) == sorted(case.name for case in (*all_cases(), *CORRECT_CASES))


def test_tables__tell_the_length_of_a_trace() -> None:
    kill = next(kill for kill in KILLS if kill.mutant == "list-power-of-two")
    row = next(
        line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `list-power-of-two`")
    )
    assert row.endswith(f"| {len(kill.trace)} |")
