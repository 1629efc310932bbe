"""Free lists seen from inside, and what operations and blocks cost."""

from heaplaw.spec.layout import SIZE_MAX

from ..entry import Entry
from ..program import BASE, alloc, free, program

_UNTOLD = "It is judged only of allocators that report it, as the reference's do; a mapping has no key for it."

FIRST_FIT = Entry(
    "first_fit",
    "First fit takes the first free block, in the order of the list, that the request fits into with its header and "
    "alignment, and refuses when there is none. Its cost and its fragmentation are known for that rule only. Seen to "
    "break it: passing by a block of exactly the size, and sparing large blocks while another one follows.",
    kept=program("freelist", alloc(64, 0x10, first_fit=BASE + 0x10), alloc(64, 0x60, first_fit=BASE + 0x60)),
    broken=program("freelist", alloc(64, 0x10, first_fit=BASE + 0x10), alloc(64, 0xB0, first_fit=BASE + 0x60)),
    legitimate=f"for every other strategy: best fit and size classes are as good a design. {_UNTOLD}",
)
MINIMUM = Entry(
    "split_leaves_minimum",
    "A block that is larger than needed is split only if the rest can serve a request of its own: a rest below the "
    "minimum, header included, goes out with the block. Smaller pieces are walked over for ever and never used. Seen "
    "to break it: splitting off a rest of 16 or 24 bytes, and giving a small request a block of less than the "
    "minimum.",
    kept=program("freelist", alloc(64, 0x10, least_free=SIZE_MAX, least_taken=96), minimum=32),
    broken=program("freelist", alloc(64, 0x10, least_free=16, least_taken=80), minimum=32),
    legitimate=f"where no minimum is promised. {_UNTOLD}",
)
CONSTANT = Entry(
    "constant_time",
    "An operation of constant cost reads and writes a fixed number of words, however many blocks there are. heaplaw "
    "counts words, never time, so that the answer is the same on every machine. Seen to break it: freeing into a list "
    "in order of address, for which the list is walked.",
    kept=program("pool", alloc(64, 0x0, cost=6), free(1, cost=6), block_size=64, num_blocks=4, most_cost=8),
    broken=program("pool", alloc(64, 0x0, cost=6), free(1, cost=40), block_size=64, num_blocks=4, most_cost=8),
    legitimate=f"where an operation is not promised to be of constant cost: first fit searches a list. {_UNTOLD}",
)
LINEAR = Entry(
    "linear_time",
    "An operation that walks the free list touches each block on it a fixed number of times. Twice as long a list "
    "costs twice as much, not four times. Seen to break it: looking at each block of the list seven times.",
    kept=program("freelist", alloc(64, 0x10, cost=24, nodes=2), constant_alloc=False, most_cost=8),
    broken=program("freelist", alloc(64, 0x10, cost=40, nodes=2), constant_alloc=False, most_cost=8),
    legitimate=f"where no such bound is promised. {_UNTOLD}",
)
OVERHEAD = Entry(
    "overhead_bounded",
    "The memory that an allocator holds is at least what is live, and at most the peak with the stated overhead of "
    "each block, padding, and the ends of chunks. More than that is memory that nobody will get. Seen to break it: "
    "chunks that are never given back, freed blocks that are not handed out again, and a footprint that tells the "
    "first chunk only.",
    kept=program("arena", alloc(64, 0x10, footprint=4096), chunk=4096),
    broken=program("arena", alloc(64, 0x10, footprint=8192), chunk=4096),
    legitimate=f"where no overhead is stated. {_UNTOLD}",
)

ENTRIES = (FIRST_FIT, MINIMUM, CONSTANT, LINEAR, OVERHEAD)
