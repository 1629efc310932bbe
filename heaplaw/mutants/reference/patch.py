"""What a mutant of the reference implementation is: one piece of its source, replaced by another."""

from dataclasses import dataclass
from pathlib import Path

__all__ = ["REFERENCE", "Patch", "PatchError"]

REFERENCE = Path(__file__).parents[2] / "refimpl"
"""The folder of the reference implementation."""


class PatchError(Exception):
    """A patch does not fit the source any more: its old text is not there, or is there more than once."""


@dataclass(frozen=True)
class Patch:
    """The reference implementation with one fault, as a change of its source."""

    name: str
    """What it is called everywhere, like ref-pool-full-early."""
    module: str
    """The file that is changed, below the reference's folder."""
    old: str
    """The text that is replaced. It occurs exactly once."""
    new: str
    law: str
    """The law that the fault breaks."""
    summary: str
    """The fault, in one sentence."""
    also: tuple[str, ...] = ()
    """Laws under which the same fault may legitimately be seen first."""
    subjects: tuple[str, ...] = ()
    """The subjects (`ref:NAME`) that show it, where these are not those of its part."""

    @property
    def identifier(self) -> str:
        """The name as Python's."""
        return self.name.replace("-", "_")

    @property
    def file(self) -> Path:
        """The file that is changed."""
        return REFERENCE / self.module

    def applied(self, source: str) -> str:
        """`source` with the fault; PatchError unless the old text occurs exactly once."""
        times = source.count(self.old)
        if times != 1:
            raise PatchError(
                f"{self.name}: the text to be replaced occurs {times} times in {self.module}: {self.old!r}"
            )
        return source.replace(self.old, self.new)
