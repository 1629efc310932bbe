"""Where blocks lie."""

from heaplaw.spec.event import Flag

from ..entry import Entry
from ..program import aligned, alloc, program, resize

ALIGNED = Entry(
    "aligned",
    "Whoever stores an object in a block relies on its address: vector instructions fault on others, and tagged "
    "pointers lose bits. Required is what was asked for; of a malloc, the alignment of the strictest object that "
    "fits into the block, so that 8 bytes need 8 and not 16; of any other shape, what is promised. Seen to break it: "
    "choosing a block by its size alone, so that 24 bytes come from a row of 24 whatever the alignment (libstdc++'s "
    "pool resources before GCC 15); 256 bytes aligned to 256 that lie 128 further (mimalloc 2.0); aligning the "
    "offset in a buffer instead of the address; serving an aligned request from a recycled block as it lies.",
    kept=program("malloc", alloc(8, 0x8), alloc(64, 0x10), aligned(64, 64, 0x80)),
    broken=program("malloc", alloc(64, 0x8)),
    legitimate="where less is promised. C17 asks more of small sizes than C23 does; the reading of C23 is judged. An "
    "allocator whose blocks have a smaller alignment than a malloc's 16 bytes says so.",
    settings=("alignment = 8",),
)
SIZED = Entry(
    "sized",
    "Every byte that was asked for belongs to the caller and must take a write. heaplaw writes a block right after "
    "it was handed out, whole up to 64 KiB, and of a larger one pages from the first to the last; what cannot be "
    "written ends the count. Seen to break it: the length of a mapped region computed without the header, so that "
    "its last page is missing, sizes cut to 32 bits, and a zeroed request served as if for one element.",
    kept=program("malloc", alloc(8192, 0x10)),
    broken=program("malloc", alloc(8192, 0x10, flags=Flag.UNWRITABLE, bad_at=0xFF0)),
    legitimate="never: what cannot be served whole is refused. Where the size parameter is narrower than 64 bits, "
    "`size_bits` says so, and larger sizes are not asked for.",
)
BLOCKS_DISJOINT = Entry(
    "blocks_disjoint",
    "Each byte has one owner at a time. Two live blocks that share a byte overwrite each other's data, long before "
    "anything crashes. Seen to break it: growth in place that takes the neighbour's bytes, a free block that stands in "
    "its list twice, a size that is rounded to the class below, a freed block joined with a live neighbour. A block of "
    "0 bytes from a malloc counts as one byte, since its address must be its own; other blocks of no bytes share "
    "nothing.",
    kept=program("malloc", alloc(64, 0x0), resize(1, 96, 0x80), alloc(32, 0x0)),
    broken=program("malloc", alloc(64, 0x0), resize(1, 96, 0x0), alloc(32, 0x40)),
    legitimate="never: no standard and no promise allows it.",
)
USABLE_SIZE = Entry(
    "usable_size_covers_request",
    "A usable size is a promise about the block: at least what was asked for, often a little more. Programs grow their "
    "buffers into it. Seen to break it: growth in place that leaves the old usable size, and a class that tells the "
    "size of the one below.",
    kept=program("malloc", alloc(24, 0x10, usable=24)),
    broken=program("malloc", alloc(24, 0x10, usable=16)),
    legitimate="never, where a usable size is told. An allocator that tells none, or another figure under that name, "
    "is mapped without `usable_size`.",
)
IN_BOUNDS = Entry(
    "in_bounds",
    "An allocator over a buffer hands out bytes of that buffer, whole blocks with their last byte. What lies outside "
    "is someone else's. Seen to break it: a list that holds one block more than there is room for, a check of the "
    "end that leaves padding or header out, and a block that may end one byte past the buffer.",
    kept=program("bump", alloc(192, 0x0), alloc(64, 0xC0), capacity=256),
    broken=program("bump", alloc(192, 0x0), alloc(72, 0xC0), capacity=256),
    legitimate="never, where a buffer is declared. An allocator that gets more memory elsewhere when its buffer is "
    "full is mapped with nothing behind the buffer (as std::pmr's buffers are here, over a null resource), or "
    "without `buffer` and `base`.",
)
USABLE_DISJOINT = Entry(
    "usable_sizes_disjoint",
    "What the allocator calls usable is used: up to that size each block's bytes are its owner's alone, also those "
    "beyond the request. Seen to break it: a usable size that counts the header, or the next block's.",
    kept=program("malloc", alloc(20, 0x0, usable=32), alloc(64, 0x20, usable=64)),
    broken=program("malloc", alloc(20, 0x0, usable=40), alloc(64, 0x20, usable=64)),
    legitimate="never, where a usable size is told. An allocator whose usable size means something else is mapped "
    "without `usable_size`.",
)
BUFFER_RESPECTED = Entry(
    "buffer_respected",
    "The buffer is the caller's, and so is everything beside it. heaplaw keeps known bytes on both sides and looks at "
    "them after every operation; when an instance is destroyed, the buffer itself stays. Seen to break it: an end mark "
    "that is written behind the newest block also where the buffer has ended.",
    kept=program("bump", alloc(192, 0x0), alloc(64, 0xC0), capacity=256),
    broken=program("bump", alloc(192, 0x0), alloc(64, 0xC0, flags=Flag.OUTSIDE, bad_at=0), capacity=256),
    legitimate="never: an allocator owns what it was given, and nothing else.",
)

ENTRIES = (ALIGNED, SIZED, BLOCKS_DISJOINT, USABLE_SIZE, IN_BOUNDS, USABLE_DISJOINT, BUFFER_RESPECTED)
