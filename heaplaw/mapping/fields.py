"""Values of a table, taken by type: a value of another type is a mistake and counts as absent."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

from .positions import Document, Route
from .problems import Problems, did_you_mean, listing, nearest, tick

TYPES: dict[type, str] = {
    bool: "a boolean",
    int: "a whole number",
    float: "a number with a fraction",
    str: "a string",
    list: "a list",
    dict: "a table",
    dt.datetime: "a date",
    dt.date: "a date",
    dt.time: "a time",
}
"""The types of TOML, in words."""


@dataclass(frozen=True)
class Section:
    """One table of a document: `route` leads to it."""

    document: Document
    problems: Problems
    route: Route
    table: dict[str, Any]

    def wrong(self, key: str | int, value: object, expected: str, *helps: str) -> None:
        """Add that the value of `key` is of a type that is not the one expected."""
        name = tick(str(self.route[-1])) if isinstance(key, int) else tick(key)
        named = f"an element of {name}" if isinstance(key, int) else name
        self.problems.add(
            f"{named} is {TYPES[type(value)]}, expected {expected}", self.document.value((*self.route, key)), *helps
        )

    def refuse(self, key: str, message: str, *helps: str) -> None:
        """Add a mistake in the value of `key`."""
        self.problems.add(message, self.document.value((*self.route, key)), *helps)

    def text(self, key: str, expected: str = "a string") -> str | None:
        """A string that is not empty and holds no NUL."""
        value = self.table.get(key)
        if isinstance(value, str):
            return value if self.sound(key, value) else None
        if value is not None:
            self.wrong(key, value, expected)
        return None

    def sound(self, key: str | int, value: str, empty: bool = False) -> bool:
        """Whether a string can be used: it is not empty, unless it may be, and holds no NUL."""
        name = tick(str(self.route[-1])) if isinstance(key, int) else tick(key)
        position = self.document.value((*self.route, key))
        if not value.strip() and not empty:
            self.problems.add(f"{name} is empty", position)
        elif "\0" in value:
            self.problems.add(f"{name} holds a NUL character", position)
        else:
            return True
        return False

    def flag(self, key: str) -> bool | None:
        """True or false."""
        value = self.table.get(key)
        if value is None or isinstance(value, bool):
            return value
        quoted = isinstance(value, str) and value.lower() in ("true", "false")
        self.wrong(key, value, "true or false", f"write {str(value).lower()} without quotes" if quoted else "")
        return None

    def number(self, key: str, low: int, high: int, expected: str = "a whole number") -> int | None:
        """A whole number from `low` to `high`, both included."""
        value = self.table.get(key)
        if isinstance(value, int) and not isinstance(value, bool):
            if low <= value <= high:
                return value
            self.refuse(key, f"{tick(key)} is out of range: expected {low} to {high}")
        elif value is not None:
            digits = isinstance(value, str) and value.strip().isdecimal()
            self.wrong(key, value, expected, "write the number without quotes" if digits else "")
        return None

    def power(self, key: str, high: int) -> int | None:
        """An alignment in bytes: a power of two up to `high`."""
        value = self.number(key, 1, high, "bytes as a whole number")
        if value is None or value & (value - 1) == 0:
            return value
        below = 1 << (value.bit_length() - 1)
        above = f" or {below * 2}" if below * 2 <= high else ""
        self.refuse(key, f"{tick(key)} is no power of two", f"the nearest are {below}{above}" if above else "")
        return None

    def choice(self, key: str, options: Iterable[str]) -> str | None:
        """One of a few words."""
        options = tuple(options)
        value = self.table.get(key)
        if value is None or value in options:
            return cast("str | None", value)
        expected = "one of " + listing(options) if len(options) > 1 else listing(options)
        if isinstance(value, str):
            self.refuse(key, f"{tick(key)} is {tick(value)}, expected {expected}", did_you_mean(value, options))
        else:
            self.wrong(key, value, expected)
        return None

    def choices(self, key: str, options: Iterable[str], parts: Iterable[str]) -> dict[str, str] | None:
        """One of a few words for all of `parts`, or a table that gives some of them a word each."""
        options, parts = tuple(options), tuple(parts)
        if not isinstance(self.table.get(key), dict):
            word = self.choice(key, options)
            return None if word is None else dict.fromkeys(parts, word)
        section = self.below(key)
        assert section is not None
        section.unknown(parts, {})
        said = {part: section.choice(part, options) for part in parts}
        return {part: word for part, word in said.items() if word is not None}

    def below(self, key: str, expected: str = "a table") -> "Section | None":
        """The table that is the value of `key`."""
        value = self.table.get(key)
        if isinstance(value, dict):
            return Section(self.document, self.problems, (*self.route, key), cast("dict[str, Any]", value))
        if value is not None:
            self.wrong(key, value, expected)
        return None

    def texts(self, key: str, expected: str) -> tuple[str, ...]:
        """A string, or a list of strings of which there is at least one."""
        value = self.table.get(key)
        if not isinstance(value, list):
            one = self.text(key, expected)
            return () if one is None else (one,)
        if not value:
            self.refuse(key, f"{tick(key)} is an empty list")
        elements = Section(self.document, self.problems, (*self.route, key), {})
        found: list[str] = []
        for index, element in enumerate(cast("list[object]", value)):
            if not isinstance(element, str):
                elements.wrong(index, element, "a string")
            elif elements.sound(index, element):
                found.append(element)
        return tuple(found)

    def unknown(self, valid: Iterable[str], elsewhere: dict[str, str]) -> list[str]:
        """Add every key that is none of `valid`; `elsewhere` says of keys where they belong instead.

        Gives the keys that were probably meant: what follows from their absence need not be told as well.
        """
        valid = tuple(valid)
        meant: list[str] = []
        for key in self.table:
            if key in valid:
                continue
            position = self.document.key((*self.route, key))
            close = nearest(key, valid)
            if key in elsewhere:
                self.problems.add(f"{tick(key)} does not stand here", position, elsewhere[key])
                meant.append(key)
            else:
                advice = did_you_mean(key, valid) or (f"known here: {listing(valid, 'and')}" if len(valid) < 20 else "")
                self.problems.add(f"unknown key {tick(key)}", position, advice)
                meant += close
        return meant
