"""Calls of a mapping, checked against the tables of the vocabulary."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, cast

from . import vocabulary as vocab
from .expressions import CallSyntaxError, Expression, Slip, Token, is_number, parse, value
from .fields import Section
from .model import Call
from .positions import Route
from .problems import Position, did_you_mean, listing, nearest, tick

EXAMPLE = 'a call such as "my_alloc(size)"'


@dataclass(frozen=True)
class Place:
    """Where a call stands: the key as written, what a call may do there, and what it knows of the instance."""

    key: str
    rules: vocab.Rules
    instance_known: bool = True
    makes_instance: bool = False
    """It may be given `&pool`."""


@dataclass(frozen=True)
class Written:
    """A call as it stands in the file: the text at `route`, and `returns` where it was said."""

    expression: Expression
    route: Route
    returns: str | None
    returns_route: Route

    def has(self, argument: str) -> bool:
        """Whether `argument` is among the arguments."""
        return any(token.text == argument for token in self.expression.arguments)


@dataclass
class Calls:
    """Reads the calls of one mapping. What is not known (a shape that was misspelt) is not judged."""

    top: Section
    kind: str | None
    shape: vocab.Shape | None
    instance: str | None
    """The word for the instance, None where none is made; with storage alone the first word that is used."""
    storage: bool
    given: frozenset[str]
    """Keys that are there, or were meant."""
    _told: set[str] = field(default_factory=set[str])

    # ------------------------------------------------------------------------------------------- the calls of a key

    def operation(self, key: str, rules: vocab.Rules) -> Call | None:
        """The call of an operation, a counter or `destroy`; None where it is absent or wrong."""
        if key not in self.top.table:
            return None
        written = self._written(self.top, key, self.top.table[key], key)
        return None if written is None else self._checked(written, Place(key, self._sized(rules)))

    def below(self, table: Section, key: str, rules: vocab.Rules) -> Call | None:
        """A call that stands in a table of its own."""
        if key not in table.table:
            return None
        written = self._written(table, key, table.table[key], key)
        return None if written is None else self._checked(written, Place(key, rules))

    def init(self) -> tuple[Call, ...]:
        """What comes before everything else."""
        place = Place("init", vocab.LIFE["init"], instance_known=False)
        calls = (self._checked(written, place) for written in self._list("init") if written)
        return tuple(call for call in calls if call)

    def create(self) -> tuple[Call, ...]:
        """What makes an instance: the first call, unless it is memory that is given already. The others get it."""
        key = self.instance
        if key is None or key not in self.top.table:
            return ()
        every = enumerate(self._list(key))
        calls = (self._checked(written, self._making(key, index == 0, written)) for index, written in every if written)
        return tuple(call for call in calls if call)

    def _making(self, key: str, first: bool, written: Written) -> Place:
        rules = vocab.LIFE["instance"]
        if self.storage or not first:
            return Place(key, vocab.Rules(vocab.INSTANCE_GIVEN, rules.words))
        returns = vocab.INSTANCE_BY_POINTER if written.has(f"&{key}") else rules.returns
        return Place(key, vocab.Rules(returns, rules.words), instance_known=False, makes_instance=True)

    def _sized(self, rules: vocab.Rules) -> vocab.Rules:
        """The rules for this shape: where requests have no size, none need be passed."""
        if (self.shape and self.shape.sized) or "ptr" in rules.needs:
            return rules
        needs = tuple(word for word in rules.needs if word != "size")
        return replace(rules, needs=needs)

    # --------------------------------------------------------------------------------------------- text into a call

    def _list(self, key: str) -> list[Written | None]:
        value = self.top.table.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            return [self._written(self.top, key, value, key)]
        if not value:
            self.top.refuse(key, f"{tick(key)} is an empty list", f"expected {EXAMPLE}")
        elements = cast("list[object]", value)
        section = Section(self.top.document, self.top.problems, (key,), {})
        return [self._written(section, index, element, key) for index, element in enumerate(elements)]

    def _written(self, section: Section, index: str | int, value: object, key: str) -> Written | None:
        """The call that is the value of `index`: a string, or a table of `call` and `returns`."""
        route = (*section.route, index)
        if isinstance(value, str):
            return self._parsed(value, route, None, route)
        if not isinstance(value, dict):
            section.wrong(index, value, EXAMPLE)
            return None
        table = Section(section.document, section.problems, route, cast("dict[str, Any]", value))
        meant = table.unknown(vocab.CALL_KEYS, {})
        returns = self._returns(table)
        if "call" not in table.table and "call" not in meant:
            section.problems.add(f"{tick(key)} has no `call`", section.document.value(route), f"expected {EXAMPLE}")
        text = table.text("call", EXAMPLE)
        return None if text is None else self._parsed(text, (*route, "call"), returns, (*route, "returns"))

    def _returns(self, table: Section) -> str | None:
        value = table.table.get("returns")
        if value is None or value in vocab.RETURNS:
            return cast("str | None", value)
        if isinstance(value, str):
            advice = did_you_mean(value, vocab.RETURNS) or f"known: {listing(vocab.RETURNS, 'and')}"
            table.refuse("returns", f"{tick(value)} is nothing that a call returns", advice)
        else:
            table.wrong("returns", value, listing(vocab.RETURNS))
        return None

    def _parsed(self, text: str, route: Route, returns: str | None, returns_route: Route) -> Written | None:
        try:
            expression = parse(text)
        except CallSyntaxError as error:
            self._slipped(route, error.slip)
            return None
        for slip in expression.slips:
            self._slipped(route, slip)
        return Written(expression, route, returns, returns_route)

    def _slipped(self, route: Route, slip: Slip) -> None:
        self._add(slip.message, self.top.document.within(route, slip.start, slip.width), slip.advice)

    # --------------------------------------------------------------------------------------------------- the checks

    def _checked(self, written: Written, place: Place) -> Call | None:
        self._check_name(written, place)
        meant: set[str] = set()
        arguments = [
            self._argument(token, self._at(written, token), place, meant) for token in written.expression.arguments
        ]
        if len(arguments) > vocab.MAX_ARGUMENTS:
            extra = written.expression.arguments[vocab.MAX_ARGUMENTS]
            self._add(f"more than {vocab.MAX_ARGUMENTS} arguments", self._at(written, extra))
        self._check_needs(written, place, meant)
        returns = self._check_returns(written, place)
        if returns is None:
            return None
        # What could not be understood is left out: it was added as a mistake, so that this call is never made.
        known = tuple(argument for argument in arguments if argument is not None)
        function = written.expression.function
        position = self._at(written, function) or Position(1, 1)
        return Call(function.text, known, returns, position)

    def _check_name(self, written: Written, place: Place) -> None:
        function = written.expression.function
        if "." in function.text and (self.kind != "python" or place.key in (*vocab.OPERATIONS, *vocab.COUNTERS)):
            what = "the name of a method" if self.kind == "python" else "the name of a function"
            self._add(f"{tick(function.text)} is not {what}", self._at(written, function))

    def _check_needs(self, written: Written, place: Place, meant: set[str]) -> None:
        missing = [word for word in place.rules.needs if not written.has(word) and word not in meant]
        if missing and not written.expression.slips:
            position = self._at(written, written.expression.function)
            advice = [f"{tick(word)}: {vocab.WORDS[word]}" for word in missing]
            self._add(f"{tick(place.key)} must be given {listing(missing, 'and')}", position, *advice)

    def _check_returns(self, written: Written, place: Place) -> str | None:
        out = written.has("&out") and bool(place.rules.returns_with_out)
        allowed = place.rules.returns_with_out if out else place.rules.returns
        if written.returns is None or written.returns in allowed:
            return written.returns or allowed[0]
        position = self.top.document.value(written.returns_route)
        advice = f"{'with `&out` ' if out else ''}it returns {listing(allowed)}"
        if not out and written.returns in place.rules.returns_with_out:
            advice += f"; {tick(written.returns)} only with `&out` among the arguments"
        self._add(f"{tick(place.key)} cannot return {tick(written.returns)}", position, advice)
        return None

    # ------------------------------------------------------------------------------------------------- the arguments

    def _argument(self, token: Token, position: Position | None, place: Place, meant: set[str]) -> str | int | None:
        """The argument as a Call has it; None when it is a mistake. What was probably meant is added to `meant`."""
        word = token.text
        if is_number(word):
            return self._number(word, position)
        if word == vocab.WRITTEN_NULL:
            return 0
        if self.kind == "python" and word in (*vocab.NATIVE_ONLY, *vocab.INSTANCE_WORDS):
            advice = "methods have it already" if word in vocab.INSTANCE_WORDS else ""
            self._add(f"{tick(word)} cannot be given to a Python object", position, advice)
            return None
        if word.startswith("&"):
            return self._pointer(word, position, place, meant)
        if word in vocab.INSTANCE_WORDS:
            return self._instance(word, position, place)
        if word in vocab.EVERYWHERE:
            return self._constant(word, position)
        if word in place.rules.words:
            return word
        self._unknown(word, position, place, meant)
        return None

    def _number(self, word: str, position: Position | None) -> int | None:
        try:
            return value(word)
        except ValueError as error:
            self._add(str(error), position)
            return None

    def _pointer(self, word: str, position: Position | None, place: Place, meant: set[str]) -> str | None:
        if word == "&out" and ("&out" in place.rules.needs or place.rules.returns_with_out):
            return word
        own = f"&{self.instance}"
        if word == own and place.makes_instance:
            return "&instance"
        if word == own and self.storage:
            self._add(
                f"{tick(word)} is not known here", position, f"with `storage`, {tick(own[1:])} is a pointer to it"
            )
        elif word == own:
            advice = f"the first call of {tick(own[1:])} makes it; others are given {tick(own[1:])}"
            self._add(f"{tick(word)} is known only where the instance is made", position, advice)
        elif word == "&out":
            holders = [key for key, rules in vocab.OPERATIONS.items() if rules.returns_with_out]
            self._add(f"`&out` is known in {listing(holders, 'and')}, not in {tick(place.key)}", position)
        else:
            self._unknown(word, position, place, meant)
        return None

    def _instance(self, word: str, position: Position | None, place: Place) -> str | None:
        if self.instance is None and self.storage:
            self.instance = word  # memory that no call initialises is called as it is first called
        if not place.rules.knows_instance:
            self._add(f"{tick(word)} is not known in {tick(place.key)}, which comes before any instance", position)
        elif self.instance is None:
            self._once(
                "instance", f"{tick(word)} is used, and no instance is made", position, f'{word} = "…" makes one'
            )
        elif word != self.instance:
            self._add(
                f"{tick(word)} is not what the instance is called",
                position,
                did_you_mean(self.instance, [self.instance]),
            )
        elif not place.instance_known:
            self._add(
                f"{tick(word)} is not made yet when this is called",
                position,
                f"write `&{word}` if the instance comes through a pointer",
                "give `storage` if it is memory of the caller's",
            )
        else:
            return "instance"
        return None

    def _constant(self, word: str, position: Position | None) -> str | None:
        if word in self.given or (word == "capacity" and "buffer" in self.given):
            return word
        if self.shape and word in self.shape.constants:
            return word  # told once, as what the shape needs
        example = "buffer = 65536" if word in ("buffer", "capacity") else f"{word} = 64"
        self._once(word, f"{tick(word)} is used, and not given", position, f"for example {example}")
        return None

    def _unknown(self, word: str, position: Position | None, place: Place, meant: set[str]) -> None:
        places = [key for key, rules in vocab.CALLS.items() if word in rules.words]
        if places:
            self._add(f"{tick(word)} is known in {listing(places, 'and')}, not in {tick(place.key)}", position)
            return
        options = self._options(place)
        close = nearest(word, options)
        meant.update(close)
        advice = f"did you mean {tick(close[0])}?" if close else f"known here: {listing(options, 'and')}"
        self._add(f"unknown argument {tick(word)}", position, advice)

    def _options(self, place: Place) -> list[str]:
        """The words that a call may be given there."""
        options = [*place.rules.words]
        if self.instance and place.instance_known and place.rules.knows_instance and self.kind != "python":
            options.append(self.instance)
        if place.makes_instance:
            options.append(f"&{self.instance}")
        if place.rules.returns_with_out:
            options.append("&out")
        if self.kind == "python":
            options = [word for word in options if word not in vocab.NATIVE_ONLY and not word.startswith("&")]
        constants = [word for word in vocab.EVERYWHERE if word in self.given]
        if "buffer" in self.given and "capacity" not in constants:
            constants.append("capacity")
        return [*dict.fromkeys((*options, *constants)), vocab.WRITTEN_NULL]

    # ----------------------------------------------------------------------------------------------------- telling

    def _at(self, written: Written, token: Token) -> Position | None:
        return self.top.document.within(written.route, token.start, len(token.text))

    def _add(self, message: str, position: Position | None, *helps: str) -> None:
        self.top.problems.add(message, position, *helps)

    def _once(self, cause: str, message: str, position: Position | None, *helps: str) -> None:
        """Add what many calls may suffer from, where it is met first."""
        if cause not in self._told:
            self._told.add(cause)
            self._add(message, position, *helps)


def missing_operations(shape: vocab.Shape, given: Iterable[str]) -> list[str]:
    """What `shape` must have and is not given, in words."""
    given = frozenset(given)
    required = [name for name in shape.required if name not in given]
    missing = [listing(required, "and")] if required else []
    for group in shape.one_of:
        if not any(given.issuperset(choice) for choice in group):
            comma = "," if any(len(choice) > 1 for choice in group) else ""
            missing.append(f"{comma} or ".join(listing(choice, "and") for choice in group))
    return missing
