"""The bump allocator: any request, in any state."""

from heaplaw.refimpl.steps import bump as steps
from heaplaw.spec.event import Block, View
from heaplaw.spec.heap import block_of
from heaplaw.spec.history import Op
from heaplaw.spec.shapes import Kind

from .engine import Contract
from .memory import ADDRESSES, ALIGNS, LARGEST, Cells, disjoint, holds


def alloc(buffer: int, capacity: int, offset: int, size: int, align: int) -> bool:
    """A request of a bump allocator obeys the laws: where the block lies, what is counted, when it is refused.

    pre: 1 <= buffer and 0 <= capacity <= LARGEST and buffer + capacity < ADDRESSES
    pre: 0 <= offset <= capacity
    pre: 0 <= size < 2**64
    pre: 0 <= align < 2
    post: _
    """
    state = steps.BumpState(buffer, capacity, offset, offset)
    after, e = steps.step(state, Op(Kind.ALIGNED, size, align=ALIGNS[align]), 0, Cells())
    live = 0 if offset == 0 else 1
    pre = View(live=live, live_bytes=offset, remaining=state.remaining, total=offset, high=buffer + offset)
    made = e.extent if e.makes else 0
    post = View(live=live + int(e.makes), live_bytes=offset + made, remaining=e.remaining, total=e.total)
    stepped = (
        "failure_changes_nothing",
        "bump_monotonic",
        "fits_is_served",
        "total_is_live_bytes",
        "remaining_is_rest",
    )
    lawful = holds(("aligned", "in_bounds", "overflow_is_failure"), e) and holds(stepped, pre, e, post)
    return lawful and (not e.makes or disjoint([Block(buffer, offset), block_of(e, 1)])) and after.offset == e.total


CONTRACTS = (Contract("bump.alloc", alloc, "any buffer, state and size, aligned to 8 or 64"),)
__all__ = ["ADDRESSES", "CONTRACTS", "LARGEST", "alloc"]
