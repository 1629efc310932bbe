"""Call expressions: `name(argument, …)`, and where in the text each word stands."""

import re
from dataclasses import dataclass

_NAME = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_ARGUMENT = re.compile(r"-?0[xX][0-9a-fA-F]+(?!\w)|-?[0-9]+(?!\w)|&?[^\W\d]\w*")
_SPACE = re.compile(r"\s*")
_NUMBER = re.compile(r"-?[0-9]")
_REST = re.compile(r"[^,()]*[^,()\s]")

LEAST, MOST = -(2**63), 2**64 - 1
"""The numbers that fit an argument."""


@dataclass(frozen=True)
class Token:
    """A word of a call, and the index in the text where it begins."""

    text: str
    start: int


@dataclass(frozen=True)
class Number(Token):
    """A whole number among the arguments."""

    value: int = 0


@dataclass(frozen=True)
class Expression:
    """A call, taken apart."""

    function: Token
    arguments: tuple[Token, ...]


class CallSyntaxError(Exception):
    """A text that is no call: what is wrong at which index, over how many characters, and what may help."""

    def __init__(self, message: str, start: int, width: int = 1, advice: str = "") -> None:
        super().__init__(message)
        self.message, self.start, self.width, self.advice = message, start, width, advice


def parse(text: str) -> Expression:
    """The call that `text` says; CallSyntaxError when it says none."""
    at = _skip(text, 0)
    name = _NAME.match(text, at)
    if name is None:
        what = tail.group() if (tail := _REST.match(text, at)) else text[at : at + 1]
        raise CallSyntaxError("expected a call", at, len(what), 'as in C: "my_alloc(size)"')
    function = Token(name.group(), name.start())
    at = _skip(text, name.end())
    if text[at : at + 1] != "(":
        _no_parenthesis(text, function, at)
    arguments, at = _arguments(text, at)
    at = _skip(text, at)
    if at < len(text):
        raise CallSyntaxError("nothing may follow the call", at, len(text.rstrip()) - at)
    return Expression(function, arguments)


def _no_parenthesis(text: str, function: Token, at: int) -> None:
    if text.startswith("::", at):
        raise CallSyntaxError(
            "C++ names cannot be called", at, 2, 'write a function that is extern "C", in a file that `source` names'
        )
    if at == len(text):
        advice = f'as in C: "{function.text}(…)"'
        raise CallSyntaxError("a call needs its arguments in parentheses", function.start, len(function.text), advice)
    raise CallSyntaxError("expected `(` after the function's name", at)


def _arguments(text: str, opening: int) -> tuple[tuple[Token, ...], int]:
    """The arguments, and the index behind the closing parenthesis."""
    found: list[Token] = []
    at = _skip(text, opening + 1)
    if text[at : at + 1] == ")":
        return (), at + 1
    while True:
        token = _argument(text, at, opening)
        found.append(token)
        at = _skip(text, at + len(token.text))
        following = text[at : at + 1]
        if following == ")":
            return tuple(found), at + 1
        if following != ",":
            _no_comma(text, at, opening)
        at = _skip(text, at + 1)


def _argument(text: str, at: int, opening: int) -> Token:
    if at == len(text):
        raise CallSyntaxError("`(` is never closed", opening)
    match = _ARGUMENT.match(text, at)
    if match is not None:
        word = match.group()
        return Number(word, at, _value(word, at)) if _NUMBER.match(word) else Token(word, at)
    if text[at] in ",)":
        raise CallSyntaxError("an argument is missing", at)
    rest = _REST.match(text, at)
    width = 1 if rest is None else rest.end() - at
    raise CallSyntaxError("neither a word nor a whole number", at, width, "arguments are words, whole numbers and NULL")


def _no_comma(text: str, at: int, opening: int) -> None:
    if at == len(text):
        raise CallSyntaxError("`(` is never closed", opening)
    if text[at] == "(":
        raise CallSyntaxError("a call cannot be an argument", at, 1, "arguments are words, whole numbers and NULL")
    rest = _REST.match(text, at)
    width = 1 if rest is None else rest.end() - at
    advice = "nothing is computed here: arguments are words, whole numbers and NULL"
    raise CallSyntaxError("expected `,` or `)`", at, width, advice)


def _value(word: str, at: int) -> int:
    digits = word.removeprefix("-")
    if len(digits) > 1 and digits.isdigit() and digits.startswith("0"):
        raise CallSyntaxError("a number with a leading 0", at, len(word), "C would read it as octal; write it without")
    # No number that fits is longer, and Python refuses to read very long ones.
    value = int(word, 0) if len(digits) <= 30 else None
    if value is None or not LEAST <= value <= MOST:
        raise CallSyntaxError("a number that does not fit in 64 bits", at, len(word))
    return value


def _skip(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return at if space is None else space.end()
