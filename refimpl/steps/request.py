"""What all sized allocators' steps share: requests in, events out. Sizes and addresses in bytes."""

from heaplaw.spec.event import Env, Event, Status
from heaplaw.spec.history import Op
from heaplaw.spec.layout import PTRDIFF_MAX, SIZE_MAX
from heaplaw.spec.logic import Truth, Word, ite

WORD = 8
"""Bytes of a word: the unit of headers, and of `read` and `write`."""
ALIGN = 8
"""The alignment, bytes, of a block for which none is asked."""
MAX_REQUEST_ALIGN = 4096
"""Traces ask for no larger alignment, bytes; the steps take any power of two up to 2**63."""


def extent(count: Word, size: Word) -> Word:
    """`count * size`; where that, or `size` alone, is more than any object can have, 2**64 - 1: nobody serves it."""
    if size > PTRDIFF_MAX // ite(count == 0, 1, count):
        return SIZE_MAX
    return count * size


def answered(
    op: Op, served: Truth, ptr: Word, remaining: Word, total: Word, env: Env, usable: Word = 0, held: Word = 0
) -> Event:
    """What came of `op`, with the allocator's counters after it."""
    return Event(
        op.kind,
        op.size,
        op.align,
        op.count,
        status=Status.OK if served else Status.FAILED,
        held=held,
        ptr=ptr,
        usable=usable,
        remaining=remaining,
        total=total,
        env=env,
    )
