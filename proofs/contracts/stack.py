"""The stack: any push in any state, and the pop that undoes it."""

from heaplaw.refimpl.steps import stack as steps
from heaplaw.spec.event import Block, View
from heaplaw.spec.heap import block_of
from heaplaw.spec.history import Op
from heaplaw.spec.shapes import Kind

from .engine import Contract
from .memory import ADDRESSES, ALIGNS, LARGEST, Cells, disjoint, holds


def alloc(buffer: int, capacity: int, offset: int, size: int, align: int) -> bool:
    """A push obeys the laws: where the block lies, what is counted, when it is refused.

    pre: 1 <= buffer and 0 <= capacity <= LARGEST and buffer + capacity < ADDRESSES
    pre: 0 <= offset <= capacity
    pre: 0 <= size < 2**64
    pre: 0 <= align < 2
    post: _
    """
    state = steps.StackState(buffer, capacity, offset, 0)
    _, e = steps.step(state, Op(Kind.ALIGNED, size, align=ALIGNS[align]), 0, Cells())
    live, made = 0 if offset == 0 else 1, e.extent if e.makes else 0
    pre = View(live=live, live_bytes=offset, remaining=state.remaining, total=offset)
    post = View(live=live + int(e.makes), live_bytes=offset + made, remaining=e.remaining, total=e.total)
    stepped = ("failure_changes_nothing", "fits_is_served", "total_is_live_bytes", "remaining_is_rest")
    lawful = holds(("aligned", "in_bounds", "overflow_is_failure"), e) and holds(stepped, pre, e, post)
    return lawful and (not e.makes or disjoint([Block(buffer, offset), block_of(e, 1)]))


def pop(buffer: int, capacity: int, offset: int, below: int, size: int, align: int) -> bool:
    """A pop after a push brings everything back: the counters, and where the frame below starts.

    pre: 1 <= buffer and 0 <= capacity <= LARGEST and buffer + capacity < ADDRESSES
    pre: 0 <= below <= offset <= capacity
    pre: 0 <= size < 2**64
    pre: 0 <= align < 2
    post: _
    """
    state, memory = steps.StackState(buffer, capacity, offset, below), Cells()
    pushed, e = steps.step(state, Op(Kind.ALIGNED, size, align=ALIGNS[align]), 0, memory)
    if not e.makes:
        return bool(pushed == state)
    popped, undone = steps.step(pushed, Op(Kind.POP), 0, memory)
    post = View(
        remaining=undone.remaining,
        total=undone.total,
        undone_by=Kind.POP,
        back=True,
        then_remaining=state.remaining,
        then_total=offset,
    )
    pre = View(live=1, remaining=e.remaining, total=e.total)
    return holds(("lifo_pop",), pre, undone, post) and bool(popped == state)


_ANY = "any buffer, state and size, aligned to 8 or 64"
CONTRACTS = (Contract("stack.alloc", alloc, _ANY), Contract("stack.pop", pop, _ANY))
__all__ = ["ADDRESSES", "CONTRACTS", "LARGEST", "alloc", "pop"]
