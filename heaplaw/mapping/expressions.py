"""Call expressions: `name(argument, …)`, and where in the text each word stands."""

import re
from dataclasses import dataclass

_NAME = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_ARGUMENT = re.compile(r"-?0[xX][0-9a-fA-F]+(?!\w)|-?[0-9]+(?!\w)|&?[^\W\d]\w*")
_SPACE = re.compile(r"\s*")
_NUMBER = re.compile(r"-?[0-9]")
_REST = re.compile(r"[^,()]*[^,()\s]")
KINDS = "arguments are words, whole numbers and NULL"

LEAST, MOST = -(2**63), 2**64 - 1
"""The numbers that fit an argument."""


@dataclass(frozen=True)
class Token:
    """A word of a call, and the index in the text where it begins."""

    text: str
    start: int


@dataclass(frozen=True)
class Slip:
    """What is wrong in a call: at which index, over how many characters, and what may help."""

    message: str
    start: int
    width: int = 1
    advice: str = ""


@dataclass(frozen=True)
class Expression:
    """A call, taken apart; arguments that could not be understood are among the slips."""

    function: Token
    arguments: tuple[Token, ...]
    slips: tuple[Slip, ...]


class CallSyntaxError(Exception):
    """A text that is no call, from `slip` on."""

    def __init__(self, slip: Slip) -> None:
        super().__init__(slip.message)
        self.slip = slip


def parse(text: str) -> Expression:
    """The call that `text` says; CallSyntaxError where it cannot be told what its arguments are."""
    at = _skip(text, 0)
    name = _NAME.match(text, at)
    if name is None:
        tail = _REST.match(text, at)
        width = tail.end() - at if tail else 1
        raise CallSyntaxError(Slip("expected a call", at, width, 'as in C: "my_alloc(size)"'))
    function = Token(name.group(), name.start())
    at = _skip(text, name.end())
    if text[at : at + 1] != "(":
        raise CallSyntaxError(_no_parenthesis(text, function, at))
    arguments, slips, at = _arguments(text, at)
    at = _skip(text, at)
    if at < len(text):
        slips.append(Slip("nothing may follow the call", at, len(text.rstrip()) - at))
    return Expression(function, tuple(arguments), tuple(slips))


def value(word: str) -> int:
    """The whole number that `word` says; ValueError, with what is wrong, when an argument cannot be it."""
    digits = word.removeprefix("-")
    if len(digits) > 1 and digits.isdigit() and digits.startswith("0"):
        raise ValueError("C reads a number that begins with 0 as octal")
    # No number that fits is longer, and Python refuses to read very long ones.
    number = int(word, 0) if len(digits) <= 30 else MOST + 1
    if not LEAST <= number <= MOST:
        raise ValueError("a number that does not fit in 64 bits")
    return number


def is_number(word: str) -> bool:
    """Whether an argument is a number rather than a word."""
    return _NUMBER.match(word) is not None


def _no_parenthesis(text: str, function: Token, at: int) -> Slip:
    if text.startswith("::", at):
        advice = 'write a function that is extern "C", in a file that `source` names'
        return Slip("C++ names cannot be called", at, 2, advice)
    if at == len(text):
        advice = f'as in C: "{function.text}(…)"'
        return Slip("a call needs its arguments in parentheses", function.start, len(function.text), advice)
    return Slip("expected `(` after the function's name", at)


def _arguments(text: str, opening: int) -> tuple[list[Token], list[Slip], int]:
    """The arguments, what is wrong among them, and the index behind the closing parenthesis."""
    found: list[Token] = []
    slips: list[Slip] = []
    at = _skip(text, opening + 1)
    if text[at : at + 1] == ")":
        return found, slips, at + 1
    while True:
        start, at = at, _end(text, at)
        if at == len(text):
            raise CallSyntaxError(Slip("`(` is never closed", opening))
        argument = _argument(text[start:at].rstrip(), start)
        if isinstance(argument, Token):
            found.append(argument)
        else:
            slips.append(argument)
        if text[at] == ")":
            return found, slips, at + 1
        at = _skip(text, at + 1)


def _end(text: str, at: int) -> int:
    """The index of the comma or parenthesis that ends the argument at `at`; that of the end where there is none."""
    depth = 0
    while at < len(text) and (depth or text[at] not in ",)"):
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        at += 1
    return at


def _argument(text: str, start: int) -> Token | Slip:
    match = _ARGUMENT.match(text)
    if match is not None and match.end() == len(text):
        return Token(text, start)
    if not text:
        return Slip("an argument is missing", start)
    if match is None:
        return Slip("neither a word nor a whole number", start, len(text), KINDS)
    at = _skip(text, match.end())
    if text[at] == "(":
        return Slip("a call cannot be an argument", start, len(text), KINDS)
    return Slip("expected `,` or `)`", start + at, len(text) - at, f"nothing is computed here: {KINDS}")


def _skip(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return at if space is None else space.end()
