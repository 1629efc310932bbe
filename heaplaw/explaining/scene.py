"""An example in words: what is called, what came of it, the heap."""

from heaplaw.cost.figures import figures
from heaplaw.models.words import offset
from heaplaw.picture import heap_lines
from heaplaw.ranges import power
from heaplaw.spec.catalogue.cost import Cost
from heaplaw.spec.dialects import named
from heaplaw.spec.event import Direction, Env, Order, Padding, Policy, Zero
from heaplaw.spec.history import History, plain_env
from heaplaw.spec.law import AnyLaw, Scope
from heaplaw.spec.layout import SIZE_MAX
from heaplaw.spec.report import REPORTS
from heaplaw.steps import base_of, steps_lines
from heaplaw.terminal.marked import Marked, Role, mark
from heaplaw.terminal.page import PLAIN, Page

from .entry import Example
from .judged import Judged

BROKEN = 2
"""What a history says of a check that finds a fault."""
_SAID = {"usable_size": "usable", "invariant": "sound", **{name: name for name in REPORTS}}
"""What a subject says that steps do not tell, and the column of the history that holds it."""

_WORDS = {"zero_size": Zero, "zero_resize": Zero, "direction": Direction, "padding": Padding, "reuse_order": Order}
"""Promises that are one of a few words; a mapping's key for the last is `reuse`."""
_NUMBERS = {
    "header": "a header of {} bytes",
    "remaining": "{} bytes remaining at first",
    "limit": "a limit of {} bytes",
    "minimum": "blocks of at least {} bytes",
    "overhead": "an overhead of {} bytes a block",
    "chunk": "chunks of {} bytes",
    "most_cost": "at most {} words an operation",
}


def setting(history: History) -> str:
    """The subject of an example: its shape, and what it promises beyond."""
    told, plain, shape = history.told, plain_env(history.trace.shape), history.trace.shape
    parts = [f"{told.num_blocks} blocks of {told.block_size} bytes"] if told.num_blocks else []
    parts += [f"a buffer of {told.capacity} bytes"] if told.capacity else []
    parts += [f"alignment {told.max_align}"] if told.max_align != plain.max_align else []
    parts += [text.format(getattr(told, name)) for name, text in _NUMBERS.items() if _differs(told, plain, name)]
    parts += ["freed neighbours are joined"] if told.coalesces and not plain.coalesces else []
    parts += ["requests search the list"] if not told.constant_alloc else []
    for name, words in _WORDS.items():
        if _differs(told, plain, name):
            parts.append(f'{name.removesuffix("_order")} "{words(getattr(told, name)).name.lower()}"')
    parts += [f"by {named(int(told.dialects))}"] if told.dialects else []
    for name in ("double", "interior", "unaligned", "foreign"):
        if policy := getattr(told, f"{name}_free"):
            parts.append(f'{name} free "{Policy(policy).name.lower()}"')
    parts += ["a steady workload"] if history.trace.profile == "steady" else []
    return "; ".join([shape, *parts])


def _differs(told: Env, plain: Env, name: str) -> bool:
    return bool(getattr(told, name) != getattr(plain, name))


def setting_of(example: Example) -> str:
    """What an example is about."""
    if isinstance(example, History):
        return setting(example)
    return "one operation, counted" if isinstance(example, Cost) else "a layout"


def scene(found: AnyLaw, example: Example, judged: Judged, page: Page = PLAIN) -> list[Marked]:
    """The example: steps with results, what was reported, the heap. A layout: what was asked and what came of it."""
    if isinstance(example, Cost):
        return [Marked(line) for line in figures([example])]
    if not isinstance(example, History):
        asked, _, came = found.observed(example).partition(" -> ")
        return [Marked(f"    {asked}"), Marked(f"      -> {came}")]
    lines = steps_lines(example, judged.guilty, found.name, page=page)
    said = sorted(name for name in found.needs if _SAID.get(name) in example.columns)
    lines += [Marked(""), *_table(example, said)] if said else []
    silent = found.needs & REPORTS or found.scope is Scope.RUN  # what matters is not where blocks lie
    drawn = [] if silent else heap_lines(example, judged.guilty, page)
    return [*lines, Marked(""), *drawn] if drawn else lines


def _table(history: History, names: list[str]) -> list[Marked]:
    """What the subject said of itself, a column a step."""
    steps = range(len(history))
    rows = [["says", *(f"{at + 1}" for at in steps)]]
    rows += [[name, *(_told(history, _SAID[name], at) for at in steps)] for name in names]
    first, *widths = (max(len(row[at]) for row in rows) for at in range(len(history) + 1))
    texts = [
        f"    {row[0]:<{first}}" + "".join(f"  {cell:>{width}}" for cell, width in zip(row[1:], widths, strict=True))
        for row in rows
    ]
    return [mark(texts[0], Role.LABEL), *map(Marked, texts[1:])]


def _told(history: History, column: str, row: int) -> str:
    value = int(history.columns[column][row])
    if column == "sound":
        return "a fault" if value == BROKEN else "well"
    if column == "first_fit" and value:
        return offset(value, base_of(history, 0))
    return "none" if value == SIZE_MAX else power(value)
