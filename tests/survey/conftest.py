"""Documents of checks that never were, small enough to see at a glance what must come of them."""

from typing import Any

import pytest

from heaplaw.mapping import Expect, Position
from heaplaw.survey import Survey, Surveyed

LAWS = {"HL101": "aligned", "HL902": "zero_resize_answered", "HL907": "bad_alignment_einval"}
NULL, BLOCK = "NULL, errno not set", "a block"
REASON = "realloc(p, 0) is free(p)"


def law(id_: str, outcome: str, answers: list[str], forbid: list[str], allow: list[str], force: list[str]) -> Any:
    """One law, as a check tells it."""
    told = {"judged": 5, "text": "says so"}
    broken = {name: 5 * (name in forbid) for name in (*forbid, *allow)}
    clauses = [
        {**told, "dialect": name, "in_force": name in force, "forbidden": count, "forbids": answers * bool(count)}
        for name, count in broken.items()
    ]
    reason = REASON if outcome == "expected" else None
    sentence = f"what {id_} says"
    said = {"id": id_, "name": LAWS[id_], "sentence": sentence, "source": "", "outcome": outcome, "why": None}
    return {**said, "reason": reason, "answers": answers, "clauses": clauses}


def allocator(name: str, shape: str, laws: list[Any], dialects: list[str], code: int = 0) -> Surveyed:
    """One that was checked."""
    subject = {"identity": f"{name} (lib{name}.so.1)", "dialects": dialects}
    expect = Expect("zero_resize_answered", REASON, "https://example.org/1", None, Position(1, 1), ("POSIX",))
    report = {"subject": subject, "operations": 1234567, "laws": laws, "unmet": [], "short": False, "exit_code": code}
    return Surveyed(name, shape, f"lib{name}1 (Debian)", "1.2-3", (expect,), report)


@pytest.fixture
def surveyed() -> Survey:
    """Two of one kind that both resize to nothing, one of them against POSIX; a pool; and one that is not here."""
    force = ["C17", "POSIX"]
    one = [
        law("HL101", "holds", [], [], [], force),
        law("HL902", "expected", [NULL], ["POSIX"], ["C17", "glibc"], force),
        law("HL907", "not-applicable", [], [], [], force),
    ]
    two = [law("HL101", "violated", [], [], [], []), law("HL902", "holds", [BLOCK], ["glibc"], ["C17", "POSIX"], [])]
    three = [law("HL101", "unknown", [], [], [], [])]
    return Survey(
        (
            allocator("first", "malloc", one, force),
            allocator("second", "malloc", two, [], 1),
            allocator("cells", "pool", three, [], 3),
            Surveyed("gone", "malloc", "libgone1", "", (), None, "install libgone1"),
        ),
        7,
        None,
    )
