"""Findings in words, and as one JSON document."""

import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from heaplaw.schemas import envelope
from heaplaw.terminal.marked import Marked, Role, mark
from heaplaw.terminal.page import PLAIN, Page

from .finding import BROKEN, MISSING, OK, STATES, Finding

__all__ = ["document", "exit_code", "lines"]

ROLES = {OK: Role.HELD, MISSING: Role.UNDECIDED, BROKEN: Role.BROKEN}
HEAD, MARGIN = 30, 15
"""Columns of the state and the name; of what stands before a cost, or a path that has no room beside a name."""


def lines(findings: Sequence[Finding], page: Page = PLAIN) -> list[Marked]:
    """What was looked at, a line each; for what is missing or broken also what that costs, and what to do."""
    found = [line for finding in findings for line in _told(finding, page.columns)]
    count = Counter(finding.state for finding in findings)
    told = ", ".join(f"{count[state]} {state}" for state in STATES)
    return [*found, Marked(f"SUMMARY: heaplaw doctor: {told}")]


def _told(finding: Finding, width: int) -> Iterator[Marked]:
    head = mark(f"{finding.state:<8}", ROLES[finding.state]) + f"{finding.name:<{HEAD - 9}} "
    column = HEAD if all(len(word) <= width - HEAD for word in finding.detail.split()) else MARGIN
    parts = _wrapped(finding.detail, width - column)
    yield (head + parts.pop(0) if column == HEAD and parts else head).rstrip()
    for part in parts:
        yield Marked(" " * column + part)
    for label, text in (("costs", finding.cost), ("do", finding.remedy)):
        for place, part in enumerate(_wrapped(text, width - MARGIN)):
            yield mark(f"{'':<8}{label if not place else '':<{MARGIN - 8}}", Role.LABEL) + part


def _wrapped(text: str, columns: int) -> list[str]:
    """Lines of whole words: a path is to be copied."""
    return textwrap.wrap(text, columns, break_long_words=False, break_on_hyphens=False)


def exit_code(findings: Sequence[Finding]) -> int:
    """1 where something is broken; what is missing costs something, and is no error."""
    return int(any(finding.state == BROKEN for finding in findings))


def document(findings: Sequence[Finding]) -> dict[str, Any]:
    """Everything, for programs: `heaplaw/schemas/doctor.json` says what it looks like."""
    return envelope("doctor", {"exit_code": exit_code(findings), "findings": [asdict(each) for each in findings]})
