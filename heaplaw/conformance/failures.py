"""What a judged item raises, and how test runners show it: the witness, and nothing of heaplaw's own stack."""

from collections.abc import Sequence


class Told(Exception):  # noqa: N818 - not errors: what there is to say
    """Something that is told in words of its own: `lines` in full, `summary` in one line."""

    def __init__(self, summary: str, lines: Sequence[str] = ()) -> None:
        self.summary = summary
        self.lines = tuple(lines) or (summary,)
        super().__init__("\n".join(self.lines))

    def __reduce__(self) -> tuple[type["Told"], tuple[str, tuple[str, ...]]]:
        return type(self), (self.summary, self.lines)


def heading(lines: Sequence[str], others: int = 0) -> str:
    """In one line what the first paragraph says; `others`: how many further laws are broken."""
    told = list(lines)
    first = told[: told.index("")] if "" in told else told
    return " ".join(line.strip() for line in first) + (f" (and {others} more)" if others else "")


class LawBrokenError(Told, AssertionError):
    """A law is broken, or an expected violation did not come."""


class UndecidedError(Told):
    """A law could not be decided, or the subject not be judged: that is no pass, and no violation."""
