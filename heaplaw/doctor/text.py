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
HEAD = 30
"""Columns of the state and the name."""


def lines(findings: Sequence[Finding], page: Page = PLAIN) -> list[Marked]:
    """What was looked at, a line each; for what is missing or broken also what that costs, and what to do."""
    found = [line for finding in findings for line in _told(finding, page.columns)]
    count = Counter(finding.state for finding in findings)
    told = ", ".join(f"{count[state]} {state}" for state in STATES)
    return [*found, Marked(f"SUMMARY: heaplaw doctor: {told}")]


def _told(finding: Finding, width: int) -> Iterator[Marked]:
    head = mark(f"{finding.state:<8}", ROLES[finding.state]) + f"{finding.name:<{HEAD - 9}} "
    parts = textwrap.wrap(finding.detail, width - HEAD, break_on_hyphens=False) or [""]
    for place, part in enumerate(parts):
        yield ((head if not place else Marked(" " * HEAD)) + part).rstrip()
    for label, text in (("costs", finding.cost), ("do", finding.remedy)):
        for place, part in enumerate(textwrap.wrap(text, width - 15, break_on_hyphens=False)):
            yield mark(f"{'':<8}{label if not place else '':<7}", Role.LABEL) + part


def exit_code(findings: Sequence[Finding]) -> int:
    """1 where something is broken; what is missing costs something, and is no error."""
    return int(any(finding.state == BROKEN for finding in findings))


def document(findings: Sequence[Finding]) -> dict[str, Any]:
    """Everything, for programs: `heaplaw/schemas/doctor.json` says what it looks like."""
    return envelope("doctor", {"exit_code": exit_code(findings), "findings": [asdict(each) for each in findings]})
