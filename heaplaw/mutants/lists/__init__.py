"""A free list that shows itself, and the same with one fault each: of its source or of what its mapping promises.

``freelist.c`` and ``freelist.toml`` beside this file are the correct one. A fault is a change of their text; the
changed files are written where compiled libraries are kept, and compiled at first use.
"""

from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["LIST_CORRECT", "LIST_MUTANTS", "NAMES", "ListMutant", "text_of"]

FOLDER = Path(__file__).parent
FILES = ("freelist.c", "freelist.toml")

_SEARCH = "  while (*link && (*link)->size < need) link = &(*link)->next;\n"
_BEST = """  for (Block **at = link; *at; at = &(*at)->next)
    if ((*at)->size >= need && ((*link)->size < need || (*at)->size < (*link)->size)) link = at;
  if (*link && (*link)->size < need) return NULL;
"""
_SECOND = "  if (*link && (*link)->next && (*link)->next->size >= need) link = &(*link)->next;\n"
_BETTER_OF_TWO = """  Block *next = *link ? (*link)->next : NULL;
  if (next && next->size >= need && next->size < (*link)->size) link = &(*link)->next;
"""
_LAST_REFUSED = "  if (!block || (!block->next && link != &list->first)) "
_LINK = "  block->next = *link;\n"
_SPLIT = "{block->size - need, block->next}"
_WISHES_BEST = {'fit = "first"': 'fit = "best"'}
_BY_NUMBERS = {'"fl_first(list)"': "0", '"fl_next(ptr)"': "8", '"fl_size(ptr)"': "0"}


@dataclass(frozen=True)
class ListMutant:
    """One free list, by what is changed in the two files."""

    name: str
    law: str
    """The law that the fault breaks; empty of a correct one."""
    summary: str
    source: dict[str, str] = field(default_factory=dict[str, str])
    mapping: dict[str, str] = field(default_factory=dict[str, str])
    operations: int = 600
    """With so many, in which the list is looked at, the fault is seen."""


LIST_CORRECT = (
    ListMutant("ok-list", "", "first fit in order of address, neighbours joined"),
    ListMutant("ok-list-best", "", "best fit", {_SEARCH: _BEST}, _WISHES_BEST),
    ListMutant("ok-list-numbers", "", "first fit, shown by places of words", {}, _BY_NUMBERS),
    ListMutant(
        "ok-list-best-numbers", "", "best fit, shown by places", {_SEARCH: _BEST}, {**_WISHES_BEST, **_BY_NUMBERS}
    ),
)
LIST_MUTANTS = (
    ListMutant("list-second", "first_fit", "takes the second block that fits", {_SEARCH: _SEARCH + _SECOND}),
    ListMutant("list-best", "first_fit", "takes the smallest block that fits", {_SEARCH: _BEST}),
    ListMutant(
        "list-exact-passed-by",
        "first_fit",
        "passes by a block of exactly the size",
        {"size < need) link": "size <= need) link"},
    ),
    ListMutant(
        "list-last-refused",
        "first_fit",
        "never takes the last block, unless it is the first",
        {"  if (!block) ": _LAST_REFUSED},
    ),
    ListMutant("list-first", "best_fit", "takes the first block that fits", {}, _WISHES_BEST),
    ListMutant(
        "list-better-of-two",
        "best_fit",
        "takes the better one of the first two that fit",
        {_SEARCH: _SEARCH + _BETTER_OF_TWO},
        _WISHES_BEST,
        2000,
    ),
    ListMutant(
        "list-small-rest", "split_leaves_minimum", "splits off a rest of 16 bytes", {"LEAST = 32": "LEAST = 16"}
    ),
    ListMutant(
        "list-small-block",
        "split_leaves_minimum",
        "hands out and keeps blocks below the minimum that is promised",
        {},
        {"minimum = 32": "minimum = 48"},
    ),
    ListMutant(
        "list-ring",
        "list_ends",
        "a freed block of 64 bytes is followed by itself",
        {_LINK: "  block->next = block->size == 64 ? block : *link;\n"},
    ),
    ListMutant(
        "list-wild-link",
        "list_ends",
        "a freed block of 64 bytes is followed by memory that is not there",
        {_LINK: "  block->next = block->size == 64 ? (Block *)0x123450 : *link;\n"},
    ),
    ListMutant(
        "list-joined-stays",
        "listed_once",
        "a block that was joined with its neighbour stays on the list",
        {"    block->next = next->next;\n": ""},
    ),
    ListMutant(
        "list-rest-too-large",
        "listed_once",
        "a rest is entered with 16 bytes too many",
        {_SPLIT: "{block->size - need + 16, block->next}"},
    ),
    ListMutant(
        "list-taken-stays",
        "listed_is_free",
        "a block that is taken whole stays on the list",
        {"    *link = block->next;\n": ""},
    ),
    ListMutant(
        "list-joins-beyond",
        "listed_is_free",
        "joined blocks reach 16 bytes into what lies behind them",
        {"    block->size += next->size;": "    block->size += next->size + 16;"},
    ),
)
NAMES = {made.name: made for made in (*LIST_CORRECT, *LIST_MUTANTS)}
"""Every one, by its name."""


def text_of(made: ListMutant, file: str) -> str:
    """One of the two files, with the changes."""
    text = (FOLDER / file).read_text()
    for old, new in (made.source if file == FILES[0] else made.mapping).items():
        assert text.count(old) == 1, (made.name, old)
        text = text.replace(old, new)
    return text
