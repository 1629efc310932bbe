"""Laws and topics as lines with roles, for a page."""

from collections.abc import Iterable
from textwrap import wrap

from heaplaw.spec.catalogue import CATALOGUE
from heaplaw.spec.law import AnyLaw, Scope
from heaplaw.spec.verdict import Violation
from heaplaw.terminal.marked import Marked, Role, mark
from heaplaw.terminal.page import PLAIN, Page

from .clauses import stated
from .entries import ENTRIES
from .entry import in_mapping
from .faults import seeded
from .judged import pair
from .needs import mappable, needed
from .scene import scene, setting_of
from .topics import Topic

LABEL = 12
"""Columns before a row's text."""
BLANK = Marked("")
_JUDGES = {
    Scope.EVENT: "each operation by itself",
    Scope.PAIR: "every two blocks",
    Scope.STEP: "each operation, with the heap before and after it",
    Scope.RUN: "a run as a whole",
    Scope.COST: "what an operation costs in a smaller and in a larger heap",
    Scope.LAYOUT: "each layout by itself",
}


def prose(text: str, page: Page, indent: int = 2, role: Role | None = None) -> list[Marked]:
    """A paragraph, `indent` columns from the left."""
    lines = wrap(text, page.columns - indent, break_on_hyphens=False)
    return [" " * indent + mark(line, role) for line in lines]


def row(label: str, text: str, page: Page, columns: int = LABEL, role: Role | None = None) -> list[Marked]:
    """A label and its text, over as many lines as that needs; a label that is too long has a line of its own."""
    head = f"  {label}"
    lines = prose(text, page, columns, role)
    if len(head) + 1 >= columns:
        return [mark(head, Role.LABEL), *lines]
    first = Marked(lines[0].text[columns:], tuple((a - columns, b - columns, of) for a, b, of in lines[0].marks))
    return [mark(f"{head:<{columns}}", Role.LABEL) + first, *lines[1:]]


def judges(found: AnyLaw) -> str:
    """What the law looks at, in words."""
    return _JUDGES[found.scope]


def shapes(found: AnyLaw) -> str:
    """The shapes that the law speaks of, in words."""
    return ", ".join(sorted(found.shapes)) or "none: no allocator is involved"


def seen(found: AnyLaw, violation: Violation, page: Page) -> list[Marked]:
    """What was observed, which of a layout is told already, and what is required."""
    observed = row("observed", violation.observed, page, role=Role.STRONG) if found.scope is not Scope.LAYOUT else []
    return [*observed, *row("required", violation.required, page)]


def law_lines(found: AnyLaw, page: Page = PLAIN) -> list[Marked]:
    """One law, whole."""
    entry, (kept, broken) = ENTRIES[found.name], pair(found.name)
    lines = [mark(f"{found.id} {found.name}", Role.STRONG), *prose(found.sentence, page, role=Role.STRONG)]
    lines += [BLANK, *prose(entry.words, page), BLANK, *row("source", found.source, page)]
    for said in stated(found):
        lines += row(said.dialect, said.text, page)
        lines += prose(said.ruling, page, LABEL) if said.ruling else []
    lines += [*row("shapes", shapes(found), page), *row("judges", judges(found), page)]
    for names, way in needed(found):
        lines += row("needs", f"{names}: {way}", page)
    for label, example, judged in (("kept", entry.kept, kept), ("broken", entry.broken, broken)):
        lines += [BLANK, *row(label, setting_of(example), page), *scene(found, example, judged, page)]
    lines += [BLANK, *seen(found, broken.violation, page)] if broken.violation else []
    lines += [BLANK, *row("allowed", entry.legitimate, page)]
    for text in entry.settings:
        lines += row("setting", " ".join(in_mapping(text)), page, role=Role.COMMAND)
    if mappable(found):
        lines += row("known?", f'[[expect]] with law = "{found.id}" and reason = "…", in the mapping', page)
    if fault := seeded(found):
        lines += row("see it", f"heaplaw check mutant:{fault.name}", page, role=Role.COMMAND)
        lines += prose(f"a seeded fault: {fault.summary}", page, LABEL)
    return lines


def topic_lines(topic: Topic, page: Page = PLAIN) -> list[Marked]:
    """One topic, whole."""
    lines = [mark(topic.title, Role.STRONG), BLANK, *prose(topic.first, page), BLANK]
    columns = max(len(word) for word, _ in topic.rows) + 4
    for word, meaning in topic.rows:
        lines += row(word, meaning, page, columns)
    return [*lines, BLANK, *prose(topic.last, page)] if topic.last else lines


def catalogue_lines(page: Page = PLAIN) -> list[Marked]:
    """Every law: id, name and sentence."""
    laws = sorted(CATALOGUE.values(), key=lambda item: item.id)
    columns = 9 if page.narrow else 9 + max(len(item.name) for item in laws) + 2
    lines: list[Marked] = []
    for item in laws:
        head = mark(item.id, Role.STRONG) + f"  {item.name}"
        first, *more = prose(item.sentence, page, columns)
        lines += [head, first, *more] if page.narrow else [head.ljust(columns) + first.text[columns:], *more]
    return lines


def joined(blocks: Iterable[list[Marked]]) -> list[Marked]:
    """Several texts, one below the other."""
    lines: list[Marked] = []
    for block in blocks:
        lines += [BLANK, *block] if lines else block
    return lines
