"""What a project's settings say (heaplaw/settings.py), held against the options of the commands that they are for.

An option's own type, as the command line declares it, says what a setting may be: nothing is listed again here.
"""

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias, cast

import click

from .settings import ROUTE, Table, find, shown

TOP = "check"
"""The command whose options stand in the table itself; those of others stand in tables of their names."""
SUBJECTS = "subjects"
"""The one argument that can be set."""

_Number: TypeAlias = click.types.IntParamType | click.types.FloatParamType

Values: TypeAlias = dict[str, Any]
"""A command's parameters, by the names that click gives them."""


class Configured(click.Group):
    """A group of commands whose defaults come from `[tool.heaplaw]`; what is typed wins over them."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does; and the command gets its defaults, which is told. Nothing stands between a user and --help."""
        name, command, rest = super().resolve_command(ctx, args)
        if name and command and settable(command) and {"-h", "--help"}.isdisjoint(rest) and Path().is_dir():
            table = find(Path())
            given = checked(table, self.commands, seen_from_here(table)).get(name) if table else None
            if table and given:
                ctx.default_map = {name: given}
                click.echo(f"settings  {shown(table.path)}", err=True)
        return name, command, rest


def seen_from_here(table: Table) -> Callable[[str], str]:
    """A path of the file as it would be typed in the current folder."""
    folder = table.path.parent
    if folder == Path.cwd():
        return lambda text: text
    return lambda text: text if text.startswith("/") else os.path.relpath(folder / text)


def settable(command: click.Command) -> dict[str, click.Parameter]:
    """What settings can say of a command, by the names of its options, with dashes.

    A flag that the command line cannot take back (`--json`) is none of it: what is typed must be able to win.
    """
    found: dict[str, click.Parameter] = {}
    for parameter in command.params:
        if isinstance(parameter, click.Option) and (not parameter.is_flag or parameter.secondary_opts):
            found |= {name.removeprefix("--"): parameter for name in parameter.opts if name.startswith("--")}
        elif isinstance(parameter, click.Argument) and parameter.name == SUBJECTS:
            found[SUBJECTS] = parameter
    return found


def checked(table: Table, commands: Mapping[str, click.Command], place: Callable[[str], str]) -> dict[str, Values]:
    """The settings of each command that has any; MappingError with all mistakes when there are some.

    `place` makes of a path, which is meant from the file's folder, one that can be used.
    """
    reading = _Reading(commands, place)
    found = reading.everything(table.value)
    if reading.mistakes:
        raise _error(table, reading.mistakes)
    return found


@dataclass(frozen=True)
class _Mistake:
    """What is wrong with the key, or the value, that `route` leads to from [tool.heaplaw]."""

    route: tuple[str | int, ...]
    message: str
    helps: tuple[str, ...] = ()
    at_key: bool = False


def _error(table: Table, mistakes: list[_Mistake]) -> Exception:
    """All of them, with their places in the file."""
    from .mapping.positions import read
    from .mapping.problems import Problems

    document = read(shown(table.path))
    problems = Problems(document.path, document.text)
    for mistake in mistakes:
        place = document.key if mistake.at_key else document.value
        problems.add(mistake.message, place((*ROUTE, *mistake.route)), *mistake.helps)
    return problems.error()


@dataclass
class _Reading:
    """Takes values by the types of the parameters that they are for, and collects mistakes."""

    commands: Mapping[str, click.Command]
    place: Callable[[str], str]
    mistakes: list[_Mistake] = field(default_factory=list[_Mistake])

    def everything(self, value: object) -> dict[str, Values]:
        """The settings of all commands, by command."""
        table = self._table((), value)
        below = {name for name, command in self.commands.items() if name != TOP and settable(command)}
        inner = {key: _dashes(key) for key in table if isinstance(table[key], dict) and _dashes(key) in below}
        found = {TOP: self._values(TOP, (), {key: table[key] for key in table if key not in inner}, below)}
        for key, name in inner.items():
            found[name] = self._values(name, (key,), self._table((key,), table[key]), set())
        return {name: values for name, values in found.items() if values}

    def _table(self, route: tuple[str, ...], value: object) -> dict[str, Any]:
        if isinstance(value, dict):
            return cast("dict[str, Any]", value)
        self._wrong(route, value, "a table")
        return {}

    def _values(self, name: str, route: tuple[str, ...], table: dict[str, Any], below: set[str]) -> Values:
        known = settable(self.commands[name])
        found: Values = {}
        first: dict[str, str] = {}
        for key, value in table.items():
            here = (*route, key)
            option = _dashes(key)
            if option not in known:
                self._unknown(here, name, [*known, *below])
            elif first.setdefault(option, key) != key:
                self._add(here, f"`{key}` is `{first[option]}` again", at_key=True)
            else:
                parameter = known[option]
                taken = self._value(parameter, here, value)
                if parameter.name and taken is not None:
                    found[parameter.name] = taken
        return found

    def _value(self, parameter: click.Parameter, here: tuple[str, ...], value: object) -> Any:
        if not (parameter.multiple or parameter.nargs != 1):
            return self._one(parameter, here, value)
        if not isinstance(value, list):
            self._wrong(here, value, "a list")
            return None
        items = [self._one(parameter, (*here, at), item) for at, item in enumerate(cast("list[object]", value))]
        if not items:
            self._add(here, f"`{here[-1]}` is an empty list")
        return items

    def _one(self, parameter: click.Parameter, here: tuple[str | int, ...], value: object) -> Any:
        """The value if it is of the parameter's type, or None, and a mistake."""
        kind = parameter.type
        if isinstance(kind, click.types.IntParamType | click.types.FloatParamType):
            return self._number(kind, here, value)
        if isinstance(kind, click.types.BoolParamType):
            if isinstance(value, bool):
                return value
            self._wrong(here, value, "true or false")
        elif not isinstance(value, str):
            self._wrong(here, value, "a string")
        elif "\0" in value or not value.strip():
            self._add(here, f"{_named(here)} {'holds a NUL character' if value.strip() else 'is empty'}")
        elif isinstance(kind, click.Choice):
            return self._choice([str(choice) for choice in kind.choices], here, value)
        elif isinstance(kind, click.Path) or (parameter.name == SUBJECTS and _is_path(value)):
            return self.place(value)
        else:
            return value
        return None

    def _number(self, kind: _Number, here: tuple[str | int, ...], value: object) -> int | float | None:
        whole = isinstance(kind, click.types.IntParamType)
        if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
            quoted = isinstance(value, str) and value.replace(".", "", 1).strip().isdecimal()
            advice = "write the number without quotes" if quoted else ""
            self._wrong(here, value, "a whole number" if whole else "a number", advice)
            return None
        try:
            kind.convert(value, None, None)
            if math.isfinite(value):
                return value if whole else float(value)
        except click.BadParameter:
            pass
        low, high = (cast("float | None", getattr(kind, name, None)) for name in ("min", "max"))
        expected = ": expected at least " if high is None else ": expected "
        limits = [f"{limit:,}" for limit in (low, high) if limit is not None]
        self._add(here, f"{_named(here)} is out of range{expected if limits else ''}{' to '.join(limits)}")
        return None

    def _choice(self, choices: list[str], here: tuple[str | int, ...], value: str) -> str | None:
        if value in choices:
            return value
        from .mapping.problems import did_you_mean, listing, tick

        expected = f"expected {'one of ' if len(choices) > 1 else ''}{listing(choices)}"
        self._add(here, f"{_named(here)} is {tick(value)}, {expected}", did_you_mean(value, choices))
        return None

    def _unknown(self, here: tuple[str, ...], name: str, valid: list[str]) -> None:
        """A key that the command has no option for: another's, one for the command line only, or a typing error."""
        from .mapping.problems import did_you_mean, listing, tick

        key, option = here[-1], _dashes(here[-1])
        others = [other for other, command in self.commands.items() if option in settable(command)]
        if option == TOP and name == TOP:
            advice = "the options of `heaplaw check` stand in [tool.heaplaw] itself"
        elif not others and any(f"--{option}" in p.opts for c in self.commands.values() for p in c.params):
            advice = f"--{option} is for the command line only"
        elif option in self.commands and name == TOP:
            advice = f"a table of settings of `heaplaw {option}`" if option in valid else "that command has no settings"
        else:
            dashed = [word if "-" in key else word.replace("-", "_") for word in valid]
            tables = [ROUTE if other == TOP else (*ROUTE, other) for other in others if other != name]
            belongs = listing(f"[{'.'.join(table)}]" for table in tables) if tables else ""
            known = f"known here: {listing(sorted(dashed), 'and')}" if len(dashed) < 20 else ""
            advice = f"it belongs in {belongs}" if belongs else did_you_mean(key, dashed) or known
        self._add(here, f"unknown key {tick(key)}", advice, at_key=True)

    def _wrong(self, here: tuple[str | int, ...], value: object, expected: str, *helps: str) -> None:
        """Add that a value is of another type than the one expected."""
        from .mapping.fields import TYPES

        self._add(here, f"{_named(here)} is {TYPES[type(value)]}, expected {expected}", *helps)

    def _add(self, here: tuple[str | int, ...], message: str, *helps: str, at_key: bool = False) -> None:
        self.mistakes.append(_Mistake(here, message, helps, at_key))


def _named(here: tuple[str | int, ...]) -> str:
    """What is spoken of: `key`, or an element of it."""
    if not here:
        return "`heaplaw`"
    return f"an element of `{here[-2]}`" if isinstance(here[-1], int) else f"`{here[-1]}`"


def _dashes(key: str) -> str:
    return key.replace("_", "-")


def _is_path(subject: str) -> bool:
    """Whether a subject is told by a path: as `heaplaw check` takes it."""
    if subject.startswith(("ref:", "mutant:")) or ("/" not in subject and ":" in subject):
        return False
    return "/" in subject or ".so" in subject or subject.endswith(".toml")
