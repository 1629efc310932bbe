"""The table `[view]`: how the free list is looked at."""

from . import vocabulary as vocab
from .checks import Calls
from .fields import Section
from .model import Call, View
from .problems import listing, tick

_EXAMPLES = {"first": "fl_first(list)", "next": "fl_next(list, ptr)", "size": "fl_size(list, ptr)"}
_WHERE = {"first": "in the instance", "next": "in a free block", "size": "in a free block"}
MOST_OFFSET = 4096
"""Bytes from an instance, or a block, to a word of it."""


def view(calls: Calls, shape: str | None) -> View | None:
    """The view, if one is given and whole; what is wrong with it is added."""
    top = calls.top
    table = top.below("view", "a table of `first`, `next` and `size`")
    if table is None:
        return None
    above = dict.fromkeys(vocab.TOP, "it belongs at the top, before the first [table]")
    above |= dict.fromkeys(vocab.PROMISES, "it belongs in [promises]")
    meant = table.unknown(vocab.VIEW_KEYS, above)
    position = top.document.key(("view",))
    if shape is not None and shape not in vocab.VIEWED:
        top.problems.add(f"`view` is of the shape {listing(vocab.VIEWED)}, not of {tick(shape)}", position)
    if calls.kind == "python":
        advice = "an object reports by methods, for example `first_fit()`"
        top.problems.add("a Python object has no `view`", position, advice)
    missing = [key for key in vocab.VIEW if key not in table.table and key not in meant]
    if missing:
        example = ", ".join(f'{key} = "{_EXAMPLES[key]}"' for key in missing)
        top.problems.add(f"`view` needs {listing(missing, 'and')}", position, f"for example {example}")
    said = {key: _part(calls, table, key) for key in vocab.VIEW}
    header = table.number("header", 0, MOST_OFFSET, "bytes as a whole number") or 0
    first, following, size = said["first"], said["next"], said["size"]
    if first is None or following is None or size is None:
        return None
    return View(first, following, size, header)


def _part(calls: Calls, table: Section, key: str) -> Call | int | None:
    """A call, or how many bytes into the instance or the block the word lies."""
    value = table.table.get(key)
    if not isinstance(value, int) or isinstance(value, bool):
        return calls.below(table, key, vocab.VIEW[key])
    if key == "first" and calls.instance is None and not calls.storage:
        advice = f'a call needs none: first = "{_EXAMPLES["first"].replace("list", "")}"'
        table.refuse(key, "`first` is a place in the instance, and no instance is made", advice)
    return table.number(key, 0, MOST_OFFSET, f"a call, or the bytes to a word {_WHERE[key]}")
