"""A survey as a page of the documentation: docs/verdicts.md is what is printed here."""

from collections.abc import Iterable, Iterator, Sequence

from .facts import Deviation, Seen, Survey, Surveyed
from .text import news, summary

__all__ = ["page"]

BEGIN = """\
# Verdicts on allocators that are in use

What heaplaw finds on the allocators for which it brings a mapping. `heaplaw survey --markdown` wrote this page, and
writes it again for what is installed elsewhere: every mapping is checked, each in a process of its own, and what came
of it is put beside the others. Each mapping says what its allocator's manual promises, and by which standards it is
judged: see [Mappings](mapping.md).

An allocator that *holds* a law is not proved to: no counterexample was found in this run. One that *violates* it does
so in a trace that `heaplaw check NAME` finds again, if its expectation is taken out of the mapping. A deviation is not
always a fault: standards contradict one another, and authors choose.
"""
LAWS = """\
## Law by law

A letter stands for a violation that is known: [what it is](#known-deviations) comes below. – is a law that does not
apply: what it speaks of is absent, or not promised. Laws that apply to none of a table are left out of it.
"""
DEVIATIONS = """\
## Known deviations

Each stands in the mapping, as an `[[expect]]`: a check fails where one does not come any more.
"""
CLAUSES = """\
## Where standards differ

What was seen, and which dialects allow it, whether they are in force or not; allocators of the same answers are
together. In force is what the first table says; where it says nothing, only what all forbid is a fault. A standard's
function is whatever the mapping gives in its place: `aligned_alloc` its `aligned`, `free` its `free`.
"""
ABOUT = ("allocator", "judged", "package", "shape", "dialects in force", "operations")
ABSENT = "## Not installed\n\nNothing is said of these: they were not there when this page was made.\n"


def page(found: Survey, version: str) -> str:
    """The whole page; `version`: of heaplaw."""
    operations = "as many operations as a check runs by itself"
    run = f"{found.operations:,} operations" if found.operations else operations
    parts = [
        BEGIN,
        f"This was heaplaw {version}, with the seed {found.seed}, and {run}:\n",
        *_table(ABOUT, map(_about, found.checked)),
        LAWS,
    ]
    for group in found.groups():
        shape = "General allocators:" if group[0].shape == "malloc" else "Pools, arenas, buffers and the like:"
        heads = ("law", *(f"`{one.name}`" for one in group))
        rows = ([_law(law["id"], law["name"]), *map(_cell, cells)] for law, cells in found.rows(group))
        parts += [f"{shape}\n", *_table(heads, rows)]
    deviations, seen = found.deviations(), found.seen()
    parts += [DEVIATIONS, *map(_deviation, deviations)]
    parts += [f"- {text}\n" for text in news(found)]
    parts += [CLAUSES, *_clauses(seen)] if seen else []
    parts += [ABSENT, *_table(("allocator", "what to do"), map(_missing, found.absent))] if found.absent else []
    return "\n".join([*parts, f"`{summary(found)}`"])


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield "\n".join([_row(heads), "|" + "---|" * len(heads), *map(_row, rows)]) + "\n"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _about(one: Surveyed) -> list[str]:
    assert one.report is not None
    dialects = ", ".join(one.dialects) or "–"
    return [f"`{one.name}`", one.identity, one.installed or "–", one.shape, dialects, f"{one.report['operations']:,}"]


def _missing(one: Surveyed) -> list[str]:
    return [f"`{one.name}`", one.absent]


def _law(id_: str, name: str) -> str:
    return f"[{id_}](laws.md#{id_.lower()}-{name}) {name}"


def _cell(word: str) -> str:
    return {"VIOLATED": "**violated**", "-": "–"}.get(word, f"*{word}*" if len(word) < 3 and word.isalpha() else word)


def _deviation(one: Deviation) -> str:
    names = ", ".join(f"`{name}`" for name in one.names)
    issue = f" ({', '.join(f'<{issue}>' for issue in one.issues)})" if one.issues else ""
    texts = [f"- *{one.letter}*, {_law(one.law['id'], one.law['name'])}: {names}", "", f"  {one.reason}{issue}", ""]
    clauses = [f"  - {clause}" for clause in one.clauses]
    return "\n".join([*texts, *clauses, *([""] if clauses else [])])


def _clauses(seen: Sequence[Seen]) -> Iterator[str]:
    for id_ in dict.fromkeys(one.law["id"] for one in seen):
        of = [one for one in seen if one.law["id"] == id_]
        law = of[0].law
        yield f"### {id_} {law['name']}\n\n*{law['sentence']}*\n"
        yield from _table(("seen", "of", "violates", "allowed by"), map(_seen, of))


def _seen(one: Seen) -> list[str]:
    names = ", ".join(f"`{name}`" for name in one.names)
    return ["; ".join(one.answers), names, ", ".join(one.forbidden) or "–", ", ".join(one.allowed) or "–"]
