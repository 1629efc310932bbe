"""Lines of a mapping."""

from heaplaw.mapping.vocabulary import PROMISES


def lines_of(text: str) -> list[str]:
    """A setting as it stands in a mapping, under the table that it belongs into."""
    return ["[promises]", text] if text.partition(" ")[0] in PROMISES else [text]
