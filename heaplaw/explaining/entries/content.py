"""What blocks hold."""

from heaplaw.spec.event import Flag

from ..entry import Entry
from ..program import alloc, free, program, resize, zeroed

PAYLOAD_KEPT = Entry(
    "payload_kept",
    "A block holds what its owner wrote, whatever else the allocator is asked meanwhile. heaplaw fills each block "
    "with a pattern of its own and reads it back before the block ends or is resized. Seen to break it: the link of "
    "a free list written into a live block, a tag at the end of a freed block that lies in the one below, poisoning "
    "that goes too far, splitting off more than there is, two owners of one byte.",
    kept=program("malloc", alloc(64, 0x0), alloc(64, 0x40), free(2), free(1)),
    broken=program("malloc", alloc(64, 0x0), alloc(64, 0x40), free(2), free(1, flags=Flag.DAMAGED, bad_at=56)),
    legitimate="never: no standard and no promise allows it.",
)
KEEPS_PREFIX = Entry(
    "realloc_keeps_prefix",
    "After a resize the first bytes are the old ones, as many as both sizes have, whether the block moved or not. "
    "heaplaw's pattern depends on the place, so that shifted bytes show too. Seen to break it: copying whole words and "
    "leaving out the rest, copying at most a page, freeing the old block, and writing a link into it, before it is "
    "copied, and copying from where a block begins instead of from the aligned pointer within.",
    kept=program("malloc", alloc(62, 0x0), resize(1, 96, 0x80)),
    broken=program("malloc", alloc(62, 0x0), resize(1, 96, 0x80, flags=Flag.PREFIX_LOST, bad_at=56)),
    legitimate="never: a call that does not keep the bytes is no resize, and is not mapped as `realloc`.",
)
FAILURE_KEEPS = Entry(
    "realloc_failure_keeps_block",
    "A resize that is refused leaves the old block as it was: its owner still has it, uses it, and frees it. Seen to "
    "break it: freeing the old block, or cutting it, before the new one is there. The law is on sizes above 0: what "
    "a resize to 0 bytes means differs between standards, and none is asked for.",
    kept=program("malloc", alloc(64, 0x0), resize(1, 2**62)),
    broken=program("malloc", alloc(64, 0x0), resize(1, 2**62, flags=Flag.FAILED_CHANGED, bad_at=0)),
    legitimate="never. A call that frees the block when it cannot resize it (as BSD's reallocf does) is not mapped as "
    "`realloc`.",
)
ZEROED = Entry(
    "zeroed",
    "Memory asked for as zero is zero over the whole size, the product of count and element, also where the bytes had "
    "another owner before. Fresh pages of the system are zero; recycled blocks are not. Seen to break it: trusting "
    "that a block is fresh, clearing `count` bytes instead of `count` times `size`, clearing whole words and leaving "
    "out the last bytes, and leaving the free list's link in the first ones.",
    kept=program("malloc", alloc(64, 0x0), free(1), zeroed(8, 8, 0x0)),
    broken=program("malloc", alloc(64, 0x0), free(1), zeroed(8, 8, 0x0, flags=Flag.NOT_ZERO, bad_at=8)),
    legitimate="never. A call that does not clear is mapped as `alloc`, not as `zeroed`.",
)

ENTRIES = (PAYLOAD_KEPT, KEEPS_PREFIX, FAILURE_KEEPS, ZEROED)
