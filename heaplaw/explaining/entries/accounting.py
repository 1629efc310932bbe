"""What allocators say about bytes."""

from typing import Any

from heaplaw.spec.event import Padding
from heaplaw.spec.history import History

from ..entry import Entry
from ..program import Step, alloc, free, program, reset

_LEAVE_OUT = "A figure of another meaning is mapped without that counter."


def _bump(*steps: Step, **env: Any) -> History:
    """What a bump over 256 bytes did."""
    return program("bump", *steps, capacity=256, **env)


TOTAL = Entry(
    "total_is_live_bytes",
    "total_allocated tells how much is handed out. It may count padding and headers, so it covers the requested "
    "bytes of the live blocks and may be more; where they are promised to be excluded it is exactly these bytes; "
    "with nothing live it is what it was at first. Seen to break it: a reset or a pop that leaves the total, a "
    "resize in place that does not count, a counter of 16 bits.",
    kept=_bump(alloc(32, 0x0, total=32), alloc(60, 0x20, total=92), padding=Padding.EXCLUDED),
    broken=_bump(alloc(32, 0x0, total=32), alloc(60, 0x20, total=96), padding=Padding.EXCLUDED),
    legitimate="to count more than the requested bytes is legitimate unless `padding` is promised to be excluded; to "
    f"count less never is. {_LEAVE_OUT}",
    settings=('padding = "any"', 'padding = "counted"'),
)
REMAINING = Entry(
    "remaining_is_rest",
    "remaining tells how much can still be handed out: what was there at first, less what is live, and less padding "
    "and headers where these count. When nothing is live it is all there again, in an allocator over one buffer or "
    "one that joins what is freed. Seen to break it: a reset that frees nothing or the newest block only, and a pop "
    "of an empty stack that takes a header's length from the top.",
    kept=_bump(alloc(64, 0x0, remaining=192), reset(remaining=256), remaining=256),
    broken=_bump(alloc(64, 0x0, remaining=192), reset(remaining=192), remaining=256),
    legitimate="to count padding or not is a matter of `padding`. To lose bytes for good never is, but in a free "
    f"list that joins nothing. {_LEAVE_OUT}",
)
FITS = Entry(
    "fits_is_served",
    "A bump or a stack says how much is left, and a request that fits is served: one that surely fits, with the "
    "largest padding and header that there may be. Callers ask `remaining` before they begin. And what was served "
    "did fit: more than remained was never handed out. Seen to break it: a last line of the buffer that is never "
    "served, and a limit that a reset leaves at what was used before it.",
    kept=_bump(alloc(64, 0x0, remaining=192), alloc(128, 0x40, remaining=64), remaining=256, padding=Padding.COUNTED),
    broken=_bump(alloc(64, 0x0, remaining=192), alloc(128, remaining=192), remaining=256, padding=Padding.COUNTED),
    legitimate="where `remaining` is not promised to count padding, it may hold bytes that only padding has taken; "
    "then only an empty allocator is held to it. An allocator that adds more to a request than its shape usually "
    "does says how much: `header`.",
    settings=('padding = "any"', "header = 64"),
)
COMES_BACK = Entry(
    "capacity_comes_back",
    "When everything is freed the heap is as good as new: a request that the empty heap has served before is served "
    "again. Otherwise a long run breaks the heap into pieces for good. Seen to break it: freed neighbours that are "
    "joined on one side only, a piece in front of an aligned block that is never free again, a list in no order, so "
    "that neighbours do not meet.",
    kept=program("freelist", alloc(64, 0x10), alloc(96, 0x60), free(1), free(2), alloc(64, 0x10), coalesces=True),
    broken=program("freelist", alloc(64, 0x10), free(1), alloc(32, 0x10), free(3), alloc(64), coalesces=True),
    legitimate="where freed neighbours are not joined, by design: then the capacity need not come back.",
    settings=("coalesces = false",),
)

ENTRIES = (TOTAL, REMAINING, FITS, COMES_BACK)
