"""A first mapping as text: what was found, and beside it, as comments, what else may be said."""

import json
from dataclasses import dataclass

from heaplaw.mapping.vocabulary import SHAPES

from .guess import DOES, Guess
from .life import WORDS

WIDTH = 118
_COLUMN = 36
"""Where comments behind a line begin."""
_NEEDS = {
    "alloc": "size", "zeroed": "count, size", "aligned": "align, size", "posix_memalign": "&out, align, size",
    "realloc": "ptr, size", "free": "ptr", "usable_size": "ptr", "release": "mark", "lua_alloc": "ptr, osize, nsize",
}  # fmt: skip
"""Arguments in examples, without the instance."""
_NAMES = {"alloc": "malloc", "zeroed": "calloc", "aligned": "aligned_alloc"}
"""Functions in examples, where they are not called as the operation is."""
_LINEAR = ("bump", "stack", "arena")

_PROMISES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ('dialects = ["C17", "POSIX"]', "in place of the C library's: programs are written to these", ("malloc",)),
    ("alignment = 16", "bytes: every block's", tuple(SHAPES)),
    ("max_alignment = 4096", "bytes: the largest that may be asked for", ("malloc", "freelist", *_LINEAR)),
    ('aligned_size = "multiple"', "aligned sizes are multiples of the alignment", ("malloc", "freelist")),
    ("size_bits = 64", "width of the size parameter", tuple(shape for shape, rules in SHAPES.items() if rules.sized)),
    ('zero_size = "null"', 'what 0 bytes give: "null", "unique"', ("malloc", "freelist", *_LINEAR)),
    ('zero_resize = "null"', 'what realloc to 0 bytes gives: "null", "unique"', ("malloc", "freelist")),
    ('usable = "writable"', "all bytes of usable_size may be written", ("malloc", "freelist")),
    ('direction = "up"', 'how it moves: "up", "down"', ("bump", "stack", "arena")),
    ('reuse = "lifo"', 'which freed block comes next: "lifo", "fifo"', ("pool", "freelist")),
    ("coalesces = true", "freed neighbours become one", ("malloc", "freelist")),
    ('padding = "counted"', 'in remaining and total_allocated: "counted", "excluded"', ("freelist", *_LINEAR)),
    ("errno = true", "a refusal sets errno", ("malloc",)),
    ("shrinks = true", "shrinking never fails", ("lua_alloc",)),
    ('misuse = "abort"', 'a double free: "undefined", "abort", "ignore", "error"', ("malloc", "pool", "freelist")),
    ('cost = "constant"', 'of alloc and free: "constant", "amortised"', ("pool", "freelist", "bump", "stack")),
    ("thread_safe = false", "told in reports", tuple(SHAPES)),
)
"""Promises, what they say, and the shapes that may make them."""
ABOUT = {"zero_resize": "realloc", "usable": "usable_size"}
"""Calls without which there is nothing to promise."""


@dataclass(frozen=True)
class Draft:
    """The text of a mapping."""

    lines: tuple[str, ...]
    missing: tuple[int, ...]
    """Lines that must be filled in, from 1."""
    guessed: tuple[int, ...]
    """Lines with calls that are a guess."""
    read: bool
    """There was debug information."""


@dataclass(frozen=True)
class _Line:
    """A line: a key and its value, as a comment where it is only `said`, and what is to be known of it."""

    text: str
    remark: str = ""
    said: bool = False
    missing: bool = False
    guessed: bool = False

    def __str__(self) -> str:
        text = f"# {self.text}" if self.said or self.missing else self.text
        remark = f"fill in: {self.remark}" if self.missing else self.remark
        return f"{text:<{_COLUMN}}  # {remark}" if remark else text


def draft(guess: Guess, library: str, name: str, read: bool) -> Draft:
    """The mapping of `guess`; `library` is how the file names it, and `read` whether debug information was there."""
    source = "its functions' names and debug information" if read else "its functions' names alone"
    lines = [
        _Line(f"# {name}, as heaplaw calls it: written by `heaplaw init` from {source}."),
        _Line("# Lines behind a # are examples of what else may be said."),
        *_judged(guess, library, name),
        _Line(""),
        *_instances(guess),
        _Line(""),
        *_operations(guess),
        _Line(""),
        _Line("# What is promised here is judged, and what is not promised is not."),
        *_promises(guess),
        _Line(""),
        _Line("# A violation that is known does not fail a check:"),
        _Line("[[expect]]", said=True),
        _Line('law = "HL101"', "id or name, as in `heaplaw laws`", said=True),
        _Line('reason = "why that is known"', "and if you like: issue, version", said=True),
    ]
    return Draft(
        lines=tuple(map(str, lines)),
        missing=tuple(number for number, line in enumerate(lines, 1) if line.missing),
        guessed=tuple(number for number, line in enumerate(lines, 1) if line.guessed),
        read=read,
    )


def _judged(guess: Guess, library: str, name: str) -> list[_Line]:
    lines = [_Line(f"library = {quoted(library)}")]
    if guess.others:
        options = " or ".join(f"--prefix {prefix}" if prefix else "--prefix ''" for prefix in guess.others)
        lines.append(_Line(_cut(f"# It has more allocators: heaplaw init {options}")))
    return [
        *lines,
        _Line(f"# Which operations there are, and which laws: one of {', '.join(SHAPES)}."),
        _Line(f'shape = "{guess.shape}"', guess.why),
        _Line(f"name = {quoted(name)}", "what reports call it", said=True),
        _Line(f'package = "lib{_word(name)}-dev"', "what to install where the library is missing", said=True),
        _Line("preload = true", "as a drop-in malloc; so by default, if it maps malloc", said=True),
        _Line('environment = { OPTION = "1" }', "of the process that it runs in", said=True),
    ]


def _instances(guess: Guess) -> list[_Line]:
    """Memory, constants, and the calls that make and end an instance."""
    life, prefix = guess.life, guess.prefix
    explained = {
        "buffer": "bytes that it is given; or { size = 65536, align = 4096 }",
        "storage": "bytes of zeroed memory that is the instance",
        "capacity": "bytes of an instance",
        "block_size": "bytes of a block",
        "num_blocks": "blocks of a pool",
    }
    lines = [_Line("# Constants, memory, and the calls that make an instance and end it.")]
    for key, comment in explained.items():
        if key in life.settings:
            remark = life.remarks.get(key, "")
            lines.append(_Line(f"{key} = {life.settings[key]}", remark or comment, guessed=bool(remark)))
        elif key in guess.missing:
            lines.append(_Line(f"{key} = ", guess.missing[key], missing=True))
    word = life.instance.word
    for key, call in (("init", life.init), (word, life.create), ("destroy", life.destroy)):
        if call is not None:
            lines.append(_Line(f"{key} = {call.value}", call.remark, guessed=bool(call.remark)))
        elif word and key == word:
            lines.append(_Line(f'{word} = "{_name(prefix, "create")}()"', guess.missing[word], missing=True))
        elif key == "init":
            lines.append(
                _Line(f'init = "{_name(prefix, "init")}()"', "before everything else, once in a process", said=True)
            )
        elif key == "destroy" and word:
            lines.append(_Line(f'destroy = "{_name(prefix, "destroy")}({word})"', "it is then made again", said=True))
    if word:
        lines.append(_Line("instances = 2", "how many there are at once", said=True))
    else:
        word = WORDS[guess.shape]
        lines.append(_Line(f'{word} = "{_name(prefix, "create")}()"', f"makes what calls get as {word}", said=True))
    if not {"buffer", "capacity"} & life.settings.keys():
        lines.append(_Line("buffer = 65536", "memory for calls with buffer and capacity, bytes", said=True))
    if guess.shape in ("bump", "stack"):
        lines.append(_Line("header = 16", "most bytes that are added to a request", said=True))
    return lines


def _operations(guess: Guess) -> list[_Line]:
    """The calls, those that are missing, and those that there might be."""
    rules = SHAPES[guess.shape]
    lines = [_Line('# Operations and counters: a call as in C, or { call = "…", returns = "…" }.')]
    for key in (*rules.operations, *rules.counters, "base"):
        made = guess.operations.get(key) or guess.counters.get(key)
        if made is not None:
            lines.append(_Line(f"{key} = {made.value}", made.remark, guessed=bool(made.remark)))
        elif key in guess.missing:
            lines.append(_Line(f"{key} = {_example(guess, key)}", guess.missing[key], missing=True))
        elif key in guess.hints:
            lines.append(_Line(f"{key} = {guess.hints[key].value}", "if it counts blocks, not bytes", said=True))
        elif key not in ("mark", "release"):  # neither has a use without the other
            lines.append(_Line(f"{key} = {_example(guess, key)}", DOES[key], said=True))
    if guess.unused:
        lines.append(_Line(_cut(f"# Not used: {', '.join(guess.unused)}")))
    return lines


def _example(guess: Guess, key: str) -> str:
    """What the value of `key` might be."""
    sized = SHAPES[guess.shape].sized
    arguments = [guess.life.instance.word, _NEEDS.get(key, "") if sized or key not in ("alloc", "zeroed") else ""]
    return f'"{_name(guess.prefix, _NAMES.get(key, key))}({", ".join(text for text in arguments if text)})"'


def _name(prefix: str, rest: str) -> str:
    """The name of a function in the style of those that begin with `prefix`."""
    camel = prefix and not prefix.endswith("_")
    return prefix + ("".join(word.capitalize() for word in rest.split("_")) if camel else rest)


def _promises(guess: Guess) -> list[_Line]:
    lines = [_Line("[promises]")]
    if guess.size_bits < 64:
        lines.append(_Line(f"size_bits = {guess.size_bits}", "width of the size parameter"))
    for text, comment, shapes in _PROMISES:
        word = text.partition(" ")[0]
        kept = word not in ABOUT or ABOUT[word] in {**guess.operations, **guess.counters}
        if guess.shape in shapes and kept and not (word == "size_bits" and guess.size_bits < 64):
            lines.append(_Line(text, comment, said=True))
    return lines


def quoted(text: str) -> str:
    """A string in TOML."""
    # As in JSON, but for one character that TOML does not allow as it is.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")


def _word(name: str) -> str:
    """The name without what would end a string."""
    return "".join(sign for sign in name if sign.isalnum() or sign in "-_.+")


def _cut(text: str) -> str:
    """The text in one line."""
    return text if len(text) <= WIDTH else text[: WIDTH - 1].rpartition(", ")[0] + ", …"
