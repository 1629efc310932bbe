"""Where standards differ: what was seen, which dialects allow it, and which forbid it."""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap

from heaplaw.check import Report
from heaplaw.spec.catalogue import law
from heaplaw.spec.dialects import NAMES, Dialect, in_force, named
from heaplaw.spec.law import AnyLaw
from heaplaw.staging import Said

from .marked import Marked, Role, mark
from .page import PLAIN, Page

UNDER = 9
"""Columns before what is said of a law."""
NONE_DECLARED = "none; a fault is what all forbid"


@dataclass(frozen=True)
class Spoken:
    """What one dialect says of what was seen where a law speaks."""

    law: AnyLaw
    dialect: Dialect
    said: Said

    @property
    def name(self) -> str:
        """The dialect's name."""
        return NAMES[self.dialect]

    @property
    def text(self) -> str:
        """The clause: where it stands, and what it says."""
        return self.law.clauses[self.dialect].text


def declared(report: Report) -> str:
    """The dialects in force, in words."""
    return named(int(report.subject.env.dialects)) or NONE_DECLARED


def spoken(report: Report) -> list[Spoken]:
    """What each dialect says of each law where they differ, in order of the laws' ids."""
    found = (Spoken(law(name), dialect, said) for (name, dialect), said in report.clauses.said.items())
    return sorted(found, key=lambda one: (one.law.id, list(NAMES).index(one.dialect)))


def forces(report: Report, stated: AnyLaw) -> list[Dialect]:
    """The dialects that speak of a law, of those in force."""
    return in_force(stated.clauses, int(report.subject.env.dialects))


def judgement(of: Sequence[Spoken], answer: str) -> str:
    """Which dialects forbid an answer that was seen of one law, and which allow it."""
    forbid, allow = ([one.name for one in of if (answer in one.said.forbidden) is so] for so in (True, False))
    parts = [f"forbidden by {', '.join(forbid)}"] if forbid else []
    return "; ".join([*parts, f"allowed by {', '.join(allow)}"] if allow else parts)


def differing(report: Report) -> dict[str, list[Spoken]]:
    """What is said of the laws of which some dialect forbids what was seen, by the law's name."""
    groups: dict[str, list[Spoken]] = {}
    for one in spoken(report):
        groups.setdefault(one.law.name, []).append(one)
    return {name: of for name, of in groups.items() if any(one.said.broken for one in of)}


def differences(report: Report, page: Page = PLAIN) -> list[Marked]:
    """Lines on every law of which some dialect, in force or not, forbids what was seen."""
    found = differing(report)
    if not found:
        return []
    lines = [
        mark(part, Role.STRONG) for part in wrap(f"where standards differ (in force: {declared(report)})", page.columns)
    ]
    for name, of in found.items():
        forbidden = dict.fromkeys(answer for one in of for answer in one.said.forbidden)
        texts = [
            (text, role) for answer in forbidden for text, role in ((answer, None), (judgement(of, answer), Role.DIM))
        ]
        for at, (text, role) in enumerate([(f"{name}: {texts[0][0]}", None), *texts[1:]]):
            for row, part in enumerate(wrap(text, page.columns - UNDER)):
                first = f"  {of[0].law.id:<5}  " if at == row == 0 else " " * UNDER
                lines.append(Marked(first) + mark(part, role))
    return lines


def ruling(report: Report, name: str) -> list[tuple[str, str]]:
    """A row on a broken law: which dialects allow what was seen; those in force that forbid it are what is required."""
    of = differing(report).get(name, [])
    allow = [one.name for one in of if not one.said.broken]
    return [("allowed", f"by {', '.join(allow)}")] if allow else []
