"""Size classes."""

from heaplaw.refimpl.steps import sizes as steps
from heaplaw.spec.event import Event
from heaplaw.spec.shapes import Kind

from .engine import Contract
from .memory import holds


def class_of(size: int) -> bool:
    """A request gets the least class that holds it; where none does, it is for a parent.

    pre: 0 <= size
    post: _
    """
    index = steps.class_of(size)
    below = steps.SIZES[index - 1] if index > 0 else -1
    if index == len(steps.SIZES):
        return size > below
    covered = Event(Kind.ALLOC, size, ptr=16, usable=steps.class_size(size))
    return (
        below < size
        and steps.class_size(size) == steps.SIZES[index]
        and holds(("usable_size_covers_request",), covered)
    )


CONTRACTS = (Contract("sizes.class_of", class_of, "any size"),)
