"""What happens at the limits."""

from errno import ENOMEM

from heaplaw.spec.event import Zero
from heaplaw.spec.layout import SIZE_MAX

from ..entry import Entry
from ..program import alloc, died, free, pop, program, refused, zeroed

_KIB64 = 2**16
_ROUNDS = tuple(step for turn in range(16) for step in (alloc(_KIB64, 0x0), free(2 * turn + 1)))

FAILURE_REPORTED = Entry(
    "failure_is_reported",
    "A call comes back: with a block, or with the failure value that its caller can act on. A crash, a hang, an "
    "abort, an exit, an exception of another kind or an undefined code leave the caller no choice. Seen to break it: "
    "an assertion on the request instead of a refusal, following a link in a pool that is full, a success reported "
    "without a block, and walking a list that an earlier fault has destroyed; that fault then breaks another law as "
    "well.",
    kept=program("malloc", alloc(64, 0x0), alloc(2**62)),
    broken=program("malloc", alloc(64, 0x0), died(alloc(2**62))),
    legitimate="where the allocator's manual says that it ends the process instead of refusing (GLib does, out of "
    "memory). No setting allows what happened; `size_bits` keeps such sizes from being asked for, and an `[[expect]]` "
    "with its reason records the rest.",
)
OVERFLOW = Entry(
    "overflow_is_failure",
    "No object is larger than PTRDIFF_MAX, so a request above it can only be refused, and so can a count times a "
    "size that does not fit into 64 bits. An attacker who chooses a size relies on the contrary. Seen to break it: "
    "rounding a size up, or adding a header, before comparing it, so that a size near SIZE_MAX becomes 0 and is "
    "served (libstdc++'s operator new with an alignment, Boost.Interprocess); multiplying before checking; and "
    "comparing sizes as signed numbers.",
    kept=program("malloc", alloc(SIZE_MAX - 15), zeroed(2**33, 2**33)),
    broken=program("malloc", alloc(SIZE_MAX - 15, 0x10)),
    legitimate="never, where such a size can be asked for. Where the parameter is narrower than 64 bits it cannot.",
    settings=("size_bits = 32",),
)
CHANGES_NOTHING = Entry(
    "failure_changes_nothing",
    "Whoever is refused may try something smaller, or give something back and try again; both need the state from "
    "before. So counters say the same after a refusal, payloads are as they were, and what was freed just before can "
    "still be had. Seen to break it: taking the padding of a request that is then refused, dropping lists of free "
    "blocks on the way to a refusal, and refusing what is asked for next because the last request failed.",
    kept=program(
        "pool",
        alloc(64, 0x0, num_free=1, num_allocated=1),
        alloc(64, 0x40, num_free=0, num_allocated=2),
        alloc(64, num_free=0, num_allocated=2),
        block_size=64,
        num_blocks=2,
    ),
    broken=program(
        "pool",
        alloc(64, 0x0, num_free=1, num_allocated=1),
        alloc(64, 0x40, num_free=0, num_allocated=2),
        alloc(64, num_free=0, num_allocated=3),
        block_size=64,
        num_blocks=2,
    ),
    legitimate="never for the caller's bytes and the counters. An allocator that keeps freed blocks back for a while "
    "breaks the part on what was just freed; no setting says that, an `[[expect]]` does.",
)
REUSE = Entry(
    "reuse",
    "Memory that is given back is handed out again: a program that always has about as much live runs in bounded "
    "memory, however long it runs. heaplaw counts the pages that blocks ever covered, and takes four times the peak "
    "and 256 KiB for bounded; no request of such a workload may be refused. Seen to break it: classes whose blocks "
    "are never used again, a resize that moves and keeps the old block, a piece in front of an aligned block that is "
    "never freed, neighbours that are never joined. The example is a refusal; more often it is a footprint that "
    "grows.",
    kept=program("malloc", *_ROUNDS, profile="steady"),
    broken=program("malloc", alloc(_KIB64, 0x0), alloc(_KIB64, _KIB64), free(2), alloc(_KIB64), profile="steady"),
    legitimate="where freed neighbours are not joined: such a free list may end up in fragments, and does not promise "
    "otherwise. No standard states this law.",
    settings=("coalesces = false",),
)
FIRST = Entry(
    "first_operation",
    "No call of a library has to come before another. A program's first call may be a calloc or a realloc(NULL, …), "
    "from a constructor that runs before main. heaplaw starts a fresh process for each operation. Seen to break it: "
    "setting up in malloc only, so that calloc, realloc, an aligned request or free(NULL) crashes when it comes "
    "first.",
    kept=program("malloc", zeroed(1, 8, 0x0)),
    broken=program("malloc", died(zeroed(1, 8))),
    legitimate="never, for what is called as it stands. A library that must be set up first says so in its mapping: "
    "`init` comes before everything else, and an instance is made before it is used.",
)
FREE_SERVED = Entry(
    "free_is_served",
    "Giving memory back cannot fail: the caller of free has no way to hear of it, and nothing to do about it. A live "
    "block can always be freed or popped, a mark that was taken be released, everything be reset. Seen to break it: a "
    "block that is forgotten when its resize is refused, and a refused request after which the next pop is refused.",
    kept=program("stack", alloc(64, 0x10), pop(), capacity=256),
    broken=program("stack", alloc(64, 0x10), refused(pop()), capacity=256),
    legitimate="never, for what is live. Double frees and foreign pointers are not asked for.",
)
ZERO_SIZE = Entry(
    "zero_size_as_promised",
    "For a request of 0 bytes C leaves two answers to the implementation: a null pointer, or a block that may not be "
    "used but has an address of its own. A program must know which one it will get. Only where one of them is promised "
    "is it judged. A heap that is full may refuse; so a block is demanded only where there surely is room: right after "
    "a block of one byte was freed, or, where free blocks are joined, one of four times the alignment; and of an empty "
    "heap that served so much before, if it joins, is one buffer, or was just reset or made again. Seen to break it: "
    "answering one way in malloc and the other in calloc, or for an aligned request.",
    kept=program("malloc", alloc(64, 0x0), alloc(0), zero_size=Zero.NULL),
    broken=program("malloc", alloc(64, 0x0), alloc(0, 0x40), zero_size=Zero.NULL),
    legitimate="in C, always: either answer will do, and nothing needs to be promised. It is broken only by an "
    "allocator that says which.",
    settings=('zero_size = "unspecified"',),
)
ERRNO = Entry(
    "errno_told",
    "POSIX asks a refusal to say why: errno is ENOMEM, or EINVAL for an alignment that cannot be. Programs print it, "
    "and decide by it. heaplaw sets errno to 0 before each call. Seen to break it: a path on which a size that is "
    "too large is refused early (jemalloc 5.3.0's realloc).",
    kept=program("malloc", alloc(2**62, err=ENOMEM)),
    broken=program("malloc", alloc(2**62, err=0)),
    legitimate="outside POSIX: C itself does not ask malloc to set errno. It is judged only where it is promised.",
    settings=("errno = false",),
)
INVARIANT = Entry(
    "invariant_holds",
    "Many allocators can check themselves: that lists are whole, that headers agree, that what is free is marked so. "
    "heaplaw asks after every operation, so that a fault is seen where it happens and not where it hurts. What "
    "breaks it is whatever the check looks for; often the same trace breaks another law some steps later.",
    kept=program("freelist", alloc(64, 0x10, sound=1), free(1, sound=1)),
    broken=program("freelist", alloc(64, 0x10, sound=1), free(1, sound=2)),
    legitimate="never, where the library offers such a check. `returns` says how to read its answer: of a `status` 0 "
    "is well, of a `bool` anything else.",
)

ENTRIES = (
    FAILURE_REPORTED,
    OVERFLOW,
    CHANGES_NOTHING,
    REUSE,
    FIRST,
    FREE_SERVED,
    ZERO_SIZE,
    ERRNO,
    INVARIANT,
)
