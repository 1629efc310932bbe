"""What is known of a correct allocator of some shape."""

from dataclasses import dataclass

__all__ = ["Correct"]


@dataclass(frozen=True)
class Correct:
    """An allocator that keeps all laws of its shape, and the promises of its mapping."""

    name: str
    mapping: str
    """The mapping's file, in this folder. It holds for every faulty variant made of this one."""
    summary: str
