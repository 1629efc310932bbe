"""What is known of an allocator with one fault."""

from dataclasses import dataclass

__all__ = ["Mutant"]


@dataclass(frozen=True)
class Mutant:
    """One allocator with one fault."""

    name: str
    law: str
    """The law that the fault breaks."""
    base: str
    """The correct variant from which it differs in one place."""
    summary: str
    needs: str
    """What it takes to make the fault visible."""
    also: tuple[str, ...] = ()
    """Laws under which the same fault may legitimately be seen first."""
    hidden: bool = False
    """It outlives two million uniform random operations with sizes from 1 to 4096."""
