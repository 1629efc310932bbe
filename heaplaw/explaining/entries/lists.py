"""Free lists seen from inside, and what operations and blocks cost."""

from heaplaw.spec.layout import SIZE_MAX
from heaplaw.spec.report import Walk

from ..entry import Entry
from ..program import BASE, alloc, free, program

_SEEN = "It is judged where the list is seen: by a mapping with a `[view]`, or of an object that reports it."
_UNTOLD = "It is judged only of allocators that report it, as the reference's do; a mapping has no key for it."

FIRST_FIT = Entry(
    "first_fit",
    "First fit takes the first free block, in the order of the list, that the request fits into with its header and "
    "alignment, and refuses when there is none. Its cost and its fragmentation are known for that rule only. Seen to "
    "break it: passing by a block of exactly the size, and sparing large blocks while another one follows.",
    kept=program("freelist", alloc(64, 0x10, first_fit=BASE + 0x10), alloc(64, 0x60, first_fit=BASE + 0x60)),
    broken=program("freelist", alloc(64, 0x10, first_fit=BASE + 0x10), alloc(64, 0xB0, first_fit=BASE + 0x60)),
    legitimate=f"for every other strategy: best fit and size classes are as good a design. {_SEEN}",
)
MINIMUM = Entry(
    "split_leaves_minimum",
    "A block that is larger than needed is split only if the rest can serve a request of its own: a rest below the "
    "minimum, header included, goes out with the block. Smaller pieces are walked over for ever and never used. Seen "
    "to break it: splitting off a rest of 16 or 24 bytes, and giving a small request a block of less than the "
    "minimum.",
    kept=program("freelist", alloc(64, 0x10, least_free=SIZE_MAX, least_taken=96), minimum=32),
    broken=program("freelist", alloc(64, 0x10, least_free=16, least_taken=80), minimum=32),
    legitimate=f"where no minimum is promised. {_SEEN}",
)
BEST_FIT = Entry(
    "best_fit",
    "Best fit takes the smallest free block that the request fits into, so that large blocks stay whole for large "
    "requests. At which end of the block the request is put is left open, as is which of several that are equally "
    "large. Seen to break it: first fit under the name of best fit, and a search that stops at a block of twice the "
    "size.",
    kept=program("freelist", alloc(64, 0x10, least_fit=80, taken_from=80)),
    broken=program("freelist", alloc(64, 0x10, least_fit=80, taken_from=4096)),
    legitimate=f"for every other strategy. {_SEEN}",
)
ENDS = Entry(
    "list_ends",
    "Whoever searches the free list follows it to its end. A list that comes back to itself is searched for ever, and "
    "one that leads astray takes the process with it; which request that will be is a matter of luck, so that the list "
    "is followed after every operation. Seen to break it: freeing a block that is first on the list already, and links "
    "in the payload of a live block that its owner writes over.",
    kept=program("freelist", alloc(64, 0x10, walk=Walk.ENDED), free(1, walk=Walk.ENDED)),
    broken=program("freelist", alloc(64, 0x10, walk=Walk.ENDED), free(1, walk=Walk.RETURNED)),
    legitimate=f"never: a list that is a ring is shown as one that ends where it began. {_SEEN}",
)
LISTED_ONCE = Entry(
    "listed_once",
    "Two free blocks that share memory are sooner or later handed out to two owners. On the list this is seen as soon "
    "as it is so, many operations before blocks_disjoint is broken. Seen to break it: a rest that is entered larger "
    "than it is, and a block that was joined with its neighbour and stays on the list.",
    kept=program("freelist", alloc(64, 0x10, walk=Walk.ENDED, free_shared=0)),
    broken=program("freelist", alloc(64, 0x10, walk=Walk.ENDED, free_shared=16)),
    legitimate=f"never. {_SEEN}",
)
LISTED_FREE = Entry(
    "listed_is_free",
    "Memory that somebody owns is not free. A block that is on the list and handed out is handed out twice as soon as "
    "somebody asks for its size. Its header is nobody's, and may lie in the end of the block below, as some allocators "
    "have it. Seen to break it: a block that is handed out whole and stays on the list, and joining with a neighbour "
    "that is live.",
    kept=program("freelist", alloc(64, 0x10, walk=Walk.ENDED, live_shared=0)),
    broken=program("freelist", alloc(64, 0x10, walk=Walk.ENDED, live_shared=64)),
    legitimate=f"never. {_SEEN}",
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

ENTRIES = (FIRST_FIT, MINIMUM, BEST_FIT, ENDS, LISTED_ONCE, LISTED_FREE, CONSTANT, LINEAR, OVERHEAD)
