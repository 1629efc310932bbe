"""TOML with positions: tomllib says what a file holds, tree-sitter where it stands."""

import codecs
import re
import tomllib
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Any, TypeAlias

import tree_sitter_toml
from tree_sitter import Language, Node, Parser

from .problems import Position, Problems, tick

Route: TypeAlias = tuple[str | int, ...]
"""How a value is reached from the top: keys of tables and indices of lists."""

MOST_BYTES = 2**18
"""A larger file is no mapping."""

_PLACE = re.compile(r"\(at line (\d+), column (\d+)\)$|\(at end of document\)$")
_CONTINUATION = re.compile(r"\\[ \t]*\n[ \t\n]*")
_KEYS = ("bare_key", "quoted_key")


@dataclass(frozen=True)
class Document:
    """A TOML file, its values and their places."""

    path: Path
    text: str
    values: dict[str, Any]
    places: "_Places"

    def key(self, route: Route) -> Position | None:
        """Where the key stands (of an element of a list: the element); None for the file as a whole."""
        span = self.places.keys.get(route) or self.places.values.get(route)
        return self.places.position(*span) if span else self.key(route[:-1]) if route else None

    def value(self, route: Route) -> Position | None:
        """Where the value stands; a table under a header of its own stands where its key does."""
        span = self.places.values.get(route)
        return self.places.position(*span) if span else self.key(route)

    def within(self, route: Route, start: int, width: int) -> Position | None:
        """Where the characters from `start` of a string stand, as many of `width` as are on the first line."""
        span = self.places.values.get(route)
        if span is None or not (origins := _origins(self.text[slice(*span)])):
            return self.value(route)
        first, last = (origins[min(index, len(origins) - 1)] for index in (start, start + width))
        return self.places.position(span[0] + first, span[0] + max(last, first + 1))


def read(path: Path) -> Document:
    """The file at `path`; MappingError when there is none, or it is no TOML."""
    data = _bytes(path).removeprefix(codecs.BOM_UTF8)
    try:
        text = data.decode().replace("\r\n", "\n")  # as tomllib reads line ends
    except UnicodeDecodeError as error:
        raise _not_utf8(path, data, error.start) from error
    problems = Problems(path, text)
    places = _Places(text)
    try:
        values = tomllib.loads(text)
        places.read()
    except tomllib.TOMLDecodeError as error:
        _explain(problems, places, str(error))
    except RecursionError:
        problems.add("tables or lists are nested too deeply")
    except ValueError as error:  # Python reads no decimal number of thousands of digits
        problems.add(f"not TOML that can be read: {error}")
    else:
        return Document(path, text, values, places)
    raise problems.error()


def _bytes(path: Path) -> bytes:
    problems = Problems(path)
    try:
        if path.is_dir():
            problems.add("a folder, not a mapping file", None, "name the file in it")
        elif path.exists() and not path.is_file():
            problems.add("not a regular file")
        elif path.stat().st_size > MOST_BYTES:
            problems.add(f"too large to be a mapping: more than {MOST_BYTES} bytes")
        else:
            data = path.read_bytes()
            if data.strip():
                return data
            problems.add("the mapping is empty", None, 'it begins with what is judged: library = "./libmine.so"')
    except FileNotFoundError:
        problems.add("no such file")
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        problems.add(f"cannot be read: {error.strerror if isinstance(error, OSError) else error}")
    raise problems.error()


def _not_utf8(path: Path, data: bytes, start: int) -> Exception:
    # Everything before the byte can be decoded, so that lines and columns are those of the text.
    before = data[:start].decode().replace("\r\n", "\n")
    problems = Problems(path, data.decode(errors="replace").replace("\r\n", "\n"))
    position = Position(before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1)
    problems.add(f"not UTF-8: the byte {data[start]:#04x}", position, "save the file as UTF-8")
    return problems.error()


def _explain(problems: Problems, places: "_Places", message: str) -> None:
    """Add what is wrong with a text that is no TOML: keys that stand twice are named, the rest is tomllib's word."""
    found = _PLACE.search(message)
    last = places.position(len(places.text), len(places.text))
    position = Position(int(found[1]), int(found[2])) if found and found[1] else last
    try:
        places.read()
    except (RecursionError, ValueError):
        places.repeated.clear()  # of a broken text not every key can be read
    twice = [item for item in places.repeated if places.position(*item.second) <= position]
    for item in twice:
        first = places.position(*item.first)
        problems.add(
            f"{tick(item.name)} stands twice", places.position(*item.second), f"the first is in line {first.line}"
        )
    if twice:
        return
    words = message[: found.start()].strip() if found else message
    # Where a value should begin and letters do; at the end of the file there is none to be put in quotes.
    bare = words == "Invalid value" and places.rest(position).strip()
    quotes = 'text stands in quotes: "…"' if bare else ""
    problems.add(f"not TOML: {words[:1].lower()}{words[1:]}", position, quotes)


@cache
def _parser() -> Parser:
    return Parser(Language(tree_sitter_toml.language()))


@dataclass(frozen=True)
class _Repeated:
    name: str
    first: tuple[int, int]
    second: tuple[int, int]


_Part: TypeAlias = tuple[str, tuple[int, int]]
"""A key, and its span."""


@dataclass
class _Places:
    """Spans (indices into the text, the end excluded) of keys and values, by route."""

    text: str
    keys: dict[Route, tuple[int, int]] = field(default_factory=dict[Route, tuple[int, int]])
    values: dict[Route, tuple[int, int]] = field(default_factory=dict[Route, tuple[int, int]])
    repeated: list[_Repeated] = field(default_factory=list[_Repeated])
    _counts: dict[Route, int] = field(default_factory=dict[Route, int])
    """How many tables each list of tables has so far."""
    _defined: dict[Route, tuple[int, int]] = field(default_factory=dict[Route, tuple[int, int]])
    _characters: list[int] = field(default_factory=list[int])
    """For every byte of the text: the index of its character."""
    _lines: list[int] = field(default_factory=list[int])

    def __post_init__(self) -> None:
        self._lines = [0, *(index + 1 for index, character in enumerate(self.text) if character == "\n")]

    def position(self, start: int, end: int) -> Position:
        """Line, column and width of a span; what is on further lines is left out."""
        line = bisect_right(self._lines, start)
        begin = self._lines[line - 1]
        stop = self.text.find("\n", start, end)
        return Position(line, start - begin + 1, max(1, (end if stop < 0 else stop) - start))

    def rest(self, position: Position) -> str:
        """What stands on the line from there on."""
        begin = self._lines[position.line - 1]
        return self.text[begin + position.column - 1 :].partition("\n")[0]

    def read(self) -> None:
        """Find all keys and values."""
        data = self.text.encode()
        # A character begins with a byte that is no continuation byte (10xxxxxx).
        self._characters = [count - 1 for count in accumulate(byte & 0xC0 != 0x80 for byte in data)]
        self._characters.append(len(self.text))
        here: Route = ()
        for node in _parser().parse(data).root_node.children:
            if node.type in ("table", "table_array_element"):
                here = self._header(node, listed=node.type == "table_array_element")
                for pair in node.children:
                    self._pair(pair, here)
            else:
                self._pair(node, here)

    def _span(self, node: Node) -> tuple[int, int]:
        return self._characters[node.start_byte], self._characters[node.end_byte]

    def _parts(self, node: Node) -> Iterator[_Part]:
        """The keys of `a."b".c`, in order. Not recursive: a dotted key may be long."""
        waiting = [node]
        while waiting:
            item = waiting.pop()
            if item.type in _KEYS:
                start, end = self._span(item)
                text = self.text[start:end]
                yield tomllib.loads(f"key = {text}")["key"] if item.type == "quoted_key" else text, (start, end)
            elif item.type == "dotted_key":
                waiting += reversed(item.children)

    def _header(self, node: Node, listed: bool) -> Route:
        parts = [part for child in node.children if child.type in (*_KEYS, "dotted_key") for part in self._parts(child)]
        route: Route = ()
        for index, (name, span) in enumerate(parts):
            route = (*route, name)
            self.keys.setdefault(route, span)
            last = index == len(parts) - 1
            if last and listed:
                self._counts[route] = self._counts.get(route, 0) + 1
            elif last:
                self._define(route, name, span)
            if route in self._counts:
                route = (*route, self._counts[route] - 1)
                self.keys.setdefault(route, span)
        return route

    def _pair(self, node: Node, here: Route) -> None:
        parts = [child for child in node.named_children if child.type != "comment"]
        if node.type != "pair" or len(parts) != 2:
            return
        key, value = parts
        name, span = "", (0, 0)
        for name, span in self._parts(key):
            here = (*here, name)
            self.keys.setdefault(here, span)
        self._define(here, name, span)
        self._value(value, here)

    def _define(self, route: Route, name: str, span: tuple[int, int]) -> None:
        if route in self._defined:
            self.repeated.append(_Repeated(name, self._defined[route], span))
        self._defined.setdefault(route, span)

    def _value(self, node: Node, route: Route) -> None:
        self.values[route] = self._span(node)
        if node.type == "array":
            elements = [child for child in node.named_children if child.type != "comment"]
            for index, element in enumerate(elements):
                self._value(element, (*route, index))
        elif node.type == "inline_table":
            for pair in node.children:
                self._pair(pair, route)


def _origins(raw: str) -> list[int]:
    """For every character of the string that the literal `raw` says, and for its end: the index in `raw`."""
    if raw[:1] not in ("'", '"'):
        return []
    quote = raw[:3] if raw[:3] in ("'''", '"""') else raw[0]
    at, end = len(quote), len(raw) - len(quote)
    if len(quote) == 3 and raw[at : at + 1] == "\n":
        at += 1
    found: list[int] = []
    while at < end:
        escaped = quote[0] == '"' and raw[at] == "\\"
        if escaped and (continuation := _CONTINUATION.match(raw, at)):
            at = continuation.end()
            continue
        found.append(at)
        at += {"u": 6, "U": 10, "x": 4}.get(raw[at + 1], 2) if escaped else 1
    return [*found, end]
