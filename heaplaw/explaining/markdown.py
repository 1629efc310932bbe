"""The catalogue as a page of the documentation: MyST Markdown."""

import re
from textwrap import fill

from heaplaw.spec.catalogue import CATALOGUE
from heaplaw.spec.law import AnyLaw
from heaplaw.terminal.marked import lines_of

from .clauses import stated
from .entries import ENTRIES, GROUPS
from .entry import in_mapping
from .faults import seeded
from .judged import pair
from .needs import needed
from .scene import scene, setting_of
from .text import judges, shapes

HEAD = """\
# The laws

<!-- Generated from heaplaw/explaining: HEAPLAW_UPDATE=1 pytest tests/explaining writes it anew. -->

Every law of the catalogue: what it asks, where it comes from, a program that keeps it and one that breaks it, and
when breaking it is legitimate. The programs are tiny histories, and the laws themselves have judged them.
`heaplaw explain CODE` tells the same of one law, `heaplaw laws` lists them all.

Sources are clauses of standards and manuals. Where there is none (no standard speaks of pools or stacks), the source
is the document whose interface the [reference implementation](reference.md) follows: *Vais std/allocator*, the
allocators of the Vais language's standard library, and *the allocator system*, the memory layer of a virtual machine.
Such a law says what the shape's interface means to its users; a mapping that promises less is judged by less.

A law that needs something is not applicable where that is missing. What offers it in a [mapping](mapping.md) is told
beside it; a Python object offers operations and counters by methods of these names.

In the pictures `=` are bytes of one owner, `X` bytes that two live blocks share, `!` a wrong byte, `-` a block that
is no longer live, `~` bytes beyond the request that the allocator calls usable, `.` the buffer. A known violation
is written into the [mapping](mapping.md#known-violations) as an `[[expect]]`, with a reason."""


def markdown() -> str:
    """The whole page."""
    parts = [HEAD, *_table()]
    for title, entries in GROUPS.values():
        parts.append(f"## {title}")
        parts += [part for entry in entries for part in _section(CATALOGUE[entry.law])]
    return "\n\n".join(parts) + "\n"


def anchor(found: AnyLaw) -> str:
    """The name of a law's section, the one that its heading has by itself as well."""
    return f"{found.id.lower()}-{found.name}"


def _table() -> list[str]:
    parts: list[str] = []
    for title, entries in GROUPS.values():
        rows = ["| law | name | what it asks |", "|---|---|---|"]
        for entry in entries:
            found = CATALOGUE[entry.law]
            rows.append(f"| [{found.id}](#{anchor(found)}) | `{found.name}` | {_plain(found.sentence)} |")
        parts += [f"**{title}**", "\n".join(rows)]
    return parts


def _section(found: AnyLaw) -> list[str]:
    entry, (kept, broken) = ENTRIES[found.name], pair(found.name)
    facts = [f"- source: {_plain(found.source)}"]
    facts += [
        f"- {each.dialect}: {_plain('; '.join(filter(None, (each.text, each.ruling))))}" for each in stated(found)
    ]
    facts += [f"- shapes: {shapes(found)}", f"- judges {judges(found)}"]
    facts += [f"- needs {names}: {way}" for names, way in needed(found)]
    parts = [f"({anchor(found)})=\n### {found.id} {found.name}", f"**{_plain(found.sentence)}**"]
    parts += [_filled(entry.words), "\n".join(facts)]
    parts += [f"Kept ({setting_of(entry.kept)}):", _fenced(lines_of(scene(found, entry.kept, kept)))]
    parts += [f"Broken ({setting_of(entry.broken)}):", _fenced(lines_of(scene(found, entry.broken, broken)))]
    if broken.violation:
        told = f"Observed: {_plain(broken.violation.observed)}. Required: {_plain(broken.violation.required)}."
        parts.append(_filled(told))
    parts.append(_filled(f"**When breaking it is legitimate:** {entry.legitimate}"))
    parts += [_fenced(in_mapping(text), "toml") for text in entry.settings]
    if fault := seeded(found):
        parts.append(_filled(f"To see it broken: `heaplaw check mutant:{fault.name}` ({_plain(fault.summary)})."))
    return parts


def _fenced(lines: list[str], language: str = "text") -> str:
    return "\n".join([f"```{language}", *lines, "```"])


def _filled(text: str) -> str:
    return fill(text, 120, break_on_hyphens=False)


def _plain(text: str) -> str:
    """Text without the signs that mean something in Markdown."""
    return re.sub(r"([\\*\[\]<|])", r"\\\1", text)
