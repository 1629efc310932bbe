"""What there is to say of several checks: cells, deviations, and what each dialect says of what was seen."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from string import ascii_lowercase
from typing import Any

from heaplaw.mapping import Expect
from heaplaw.spec.dialects import BY_NAME

__all__ = ["WORDS", "Deviation", "Seen", "Survey", "Surveyed"]

WORDS = {"holds": "holds", "violated": "VIOLATED", "unknown": "?", "not-applicable": "-", "error": "error"}
"""What stands in a cell; an expected violation is its letter."""
MALLOC = "malloc"


@dataclass(frozen=True)
class Surveyed:
    """One allocator: what its check said, or why there was none."""

    name: str
    shape: str
    package: str
    """What it comes in; its version, where the system tells it."""
    package_version: str
    known: tuple[Expect, ...]
    report: Mapping[str, Any] | None = None
    """As `heaplaw check --json` tells it."""
    absent: str = ""
    """Why it was not checked."""

    @property
    def identity(self) -> str:
        """The allocator and its file, as its check calls it."""
        return str(self.report["subject"]["identity"]) if self.report else self.name

    @property
    def installed(self) -> str:
        """The package and its version, as far as they are known."""
        return " ".join(filter(None, (*self.package.split()[:1], self.package_version)))

    @property
    def gone(self) -> list[Mapping[str, Any]]:
        """Expected violations that a whole run did not show: `id` and `reason`."""
        return list(self.report["unmet"]) if self.report and not self.report["short"] else []

    @property
    def dialects(self) -> tuple[str, ...]:
        """Those in force."""
        return tuple(self.report["subject"]["dialects"]) if self.report else ()

    @property
    def laws(self) -> dict[str, Mapping[str, Any]]:
        """What came of each law, by its id."""
        return {law["id"]: law for law in self.report["laws"]} if self.report else {}

    def expectation(self, law: Mapping[str, Any]) -> Expect | None:
        """The expectation that a law's violation met."""
        return next((one for one in self.known if (one.law, one.reason) == (law["name"], law["reason"])), None)


@dataclass(frozen=True)
class Deviation:
    """A violation that is known, of one or several allocators."""

    letter: str
    law: Mapping[str, Any]
    reason: str
    issues: tuple[str, ...]
    clauses: tuple[str, ...]
    """The clauses in force that forbid what was seen."""
    names: tuple[str, ...]


@dataclass(frozen=True)
class Seen:
    """What allocators answered where dialects differ, and which of these allow and which forbid it."""

    law: Mapping[str, Any]
    answers: tuple[str, ...]
    forbidden: tuple[str, ...]
    allowed: tuple[str, ...]
    names: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """In words."""
        allowed = f"allowed by {', '.join(self.allowed)}" if self.allowed else "allowed by none"
        return f"violates {', '.join(self.forbidden)}; {allowed}" if self.forbidden else allowed


@dataclass(frozen=True)
class Survey:
    """All that were asked for, and how."""

    allocators: tuple[Surveyed, ...]
    seed: int
    operations: int | None
    """Of the main run; None: as many as a check runs when nothing is said."""
    interrupted: bool = False

    @property
    def codes(self) -> list[int]:
        """The exit codes of the checks."""
        return [int(one.report["exit_code"]) for one in self.allocators if one.report]

    @property
    def checked(self) -> list[Surveyed]:
        """Those that were."""
        return [one for one in self.allocators if one.report]

    @property
    def absent(self) -> list[Surveyed]:
        """Those that were not."""
        return [one for one in self.allocators if not one.report]

    def groups(self) -> list[list[Surveyed]]:
        """Those whose tables stand together: general allocators, and those of other shapes."""
        parts = ([one for one in self.checked if (one.shape == MALLOC) is general] for general in (True, False))
        return [part for part in parts if part]

    def deviations(self) -> list[Deviation]:
        """Each known violation, once."""
        found: dict[tuple[str, str], list[Surveyed]] = {}
        for one in self.checked:
            for law in one.laws.values():
                if law["outcome"] == "expected":
                    found.setdefault((law["id"], law["reason"]), []).append(one)
        ordered = sorted(found.items(), key=lambda item: item[0][0])
        return [_deviation(letter, key, of) for letter, (key, of) in zip(_letters(), ordered, strict=False)]

    def rows(self, group: list[Surveyed]) -> list[tuple[Mapping[str, Any], list[str]]]:
        """A law, and its cell for each of the group; a law that applies to none of them has no row."""
        letters = {(one.law["id"], name): one.letter for one in self.deviations() for name in one.names}
        laws = {law["id"]: law for one in group for law in one.laws.values() if law["outcome"] != "not-applicable"}
        return [
            (laws[id_], [letters.get((id_, one.name)) or _cell(one.laws.get(id_)) for one in group])
            for id_ in sorted(laws)
        ]

    def seen(self) -> list[Seen]:
        """What was answered where dialects differ: those of the same answers and judgement together."""
        found: dict[tuple[str, tuple[str, ...], tuple[str, ...], tuple[str, ...]], list[Surveyed]] = {}
        for one in self.checked:
            for law in one.laws.values():
                for told in judged(law) if law["clauses"] else ():
                    found.setdefault((law["id"], *told), []).append(one)
        return [
            Seen(of[0].laws[id_], answers, forbidden, allowed, tuple(one.name for one in of))
            for (id_, answers, forbidden, allowed), of in sorted(found.items(), key=lambda item: item[0][0])
        ]


def judged(law: Mapping[str, Any]) -> list[tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]]:
    """What was answered, answers that the same dialects forbid together; with those that forbid, and that allow."""
    said = {one["dialect"]: one["forbids"] for one in law["clauses"]}
    spoke = [name for name in BY_NAME if name in said]
    groups: dict[tuple[str, ...], list[str]] = {}
    for answer in sorted(law["answers"]):
        groups.setdefault(tuple(name for name in spoke if answer in said[name]), []).append(answer)
    return [
        (tuple(answers), forbidden, tuple(name for name in spoke if name not in forbidden))
        for forbidden, answers in groups.items()
    ]


def _cell(law: Mapping[str, Any] | None) -> str:
    return WORDS[law["outcome"]] if law else "-"


def _letters() -> Iterator[str]:
    yield from ascii_lowercase
    yield from (first + second for first in ascii_lowercase for second in ascii_lowercase)


def _deviation(letter: str, key: tuple[str, str], of: list[Surveyed]) -> Deviation:
    law = of[0].laws[key[0]]
    known = (one.expectation(one.laws[key[0]]) for one in of)
    issues = dict.fromkeys(expect.issue for expect in known if expect and expect.issue)
    clauses = {
        f"{clause['dialect']} {clause['text']}": None
        for one in of
        for clause in one.laws[key[0]]["clauses"]
        if clause["in_force"] and clause["forbidden"]
    }
    names = tuple(one.name for one in of)
    return Deviation(letter, law, key[1], tuple(issues), tuple(clauses), names)
