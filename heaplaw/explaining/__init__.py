"""Laws explained: what each asks, where it comes from, what keeps it and what breaks it, when that is legitimate.

Texts and examples are data, in `entries`; the laws themselves judge the examples.
"""

from collections.abc import Sequence

from heaplaw.spec.law import AnyLaw
from heaplaw.terminal.marked import Marked, lines_of
from heaplaw.terminal.page import PLAIN, Page

from .document import document
from .markdown import markdown
from .names import find
from .text import catalogue_lines, joined, law_lines, topic_lines
from .topics import Topic


def lines(code: str) -> list[str]:
    """The law of that id or name, or the topic, in plain text of at most 80 columns; UsageError when there is none."""
    return lines_of(told([find(code)]))


def told(asked: Sequence[AnyLaw | Topic], page: Page = PLAIN) -> list[Marked]:
    """Laws and topics as lines with roles, for a page."""
    return joined(topic_lines(it, page) if isinstance(it, Topic) else law_lines(it, page) for it in asked)


def catalogue() -> list[str]:
    """Every law with its id and its sentence, in plain text of at most 80 columns."""
    return lines_of(catalogue_lines())


__all__ = ["catalogue", "catalogue_lines", "document", "find", "lines", "markdown", "told"]
