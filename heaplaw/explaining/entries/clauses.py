"""What standards and manuals say of single calls."""

from errno import EINVAL, ENOMEM

from heaplaw.spec.dialects import Dialect
from heaplaw.spec.event import Flag, Zero

from ..entry import Entry
from ..program import aligned, alloc, fill, free, odd_aligned, odd_posix_aligned, posix_aligned, program
from ..program import resize_to_zero as to_zero

_HUGE = 2**62

ZERO_SIZE = Entry(
    "zero_size_answered",
    "A request for 0 bytes has two answers in C, and a program has to cope with both: a null pointer, or a block of "
    "which nothing may be used. What it cannot cope with is a crash, and what a program written for glibc does not "
    "expect is NULL, which it takes for a lack of memory. Seen to break it: dividing by the size in calloc, and a "
    "class of small sizes that begins at 1. What the allocator itself promises is another law, HL307.",
    kept=program("malloc", alloc(0), dialects=Dialect.C17),
    broken=program("malloc", alloc(0), dialects=Dialect.GLIBC),
    legitimate="where no dialect in force says otherwise: C and POSIX leave it open whether it is NULL, and glibc's "
    "manual does not. Never a crash.",
    settings=('dialects = ["C17"]',),
)
ZERO_RESIZE = Entry(
    "zero_resize_answered",
    "realloc(p, 0) is the call on which standards have agreed least: free p and return NULL, free p and return a new "
    "block, or keep p and return NULL. C23 made it undefined, so that no program may rely on anything; POSIX wants "
    "errno set with NULL, so that a program can tell whether p is still there; glibc frees p and leaves errno alone. "
    "heaplaw makes the call between two live blocks, and never touches p again.",
    kept=program("malloc", alloc(64, 0x0), to_zero(1), dialects=Dialect.GLIBC),
    broken=program("malloc", alloc(64, 0x0), to_zero(1), dialects=Dialect.POSIX),
    legitimate="where no dialect in force forbids it: C23 allows everything, C17 either answer. Where none is declared "
    "it is never a fault, since C23 allows it.",
    settings=('dialects = ["C23"]', 'dialects = ["glibc"]'),
)
ZERO_RESIZE_PROMISED = Entry(
    "zero_resize_as_promised",
    "An allocator whose manual says what realloc(p, 0) gives is held to it, whatever standards leave open. With "
    "NULL promised, the block is gone as well: heaplaw resizes blocks to nothing thousands of times, and asks whether "
    "the memory comes back (HL304). Seen to break it: one answer for small blocks and the other for those that were "
    "mapped by themselves.",
    kept=program("malloc", alloc(64, 0x0), to_zero(1), zero_resize=Zero.NULL),
    broken=program("malloc", alloc(64, 0x0), to_zero(1, 0x40), zero_resize=Zero.NULL),
    legitimate="in C, always: nothing needs to be promised. It is broken only by an allocator that says which.",
    settings=('zero_resize = "unspecified"',),
)
SMALL_SERVED = Entry(
    "small_request_served",
    "C lets a request fail if the space cannot be allocated. A few dozen bytes while hardly anything is live can be, "
    "and above all right after a request that nobody can serve: that one must leave nothing behind. Seen to break it: "
    "a size that wrapped and was taken from what remains, a lock or a flag left set on the way out of a refusal.",
    kept=program("malloc", alloc(_HUGE, err=ENOMEM), alloc(48, 0x0)),
    broken=program("malloc", alloc(_HUGE, err=ENOMEM), alloc(48)),
    legitimate="in a heap so small that it holds nothing after its own bookkeeping. No setting says so, an "
    "`[[expect]]` with its reason does.",
)
ENOMEM_SAID = Entry(
    "refusal_says_enomem",
    "POSIX and glibc's manual say which code a refusal for lack of memory sets: ENOMEM, and not EINVAL or what an "
    "inner call left. C itself says nothing of errno, and a heap without an operating system has none. heaplaw asks "
    "for sizes near SIZE_MAX and PTRDIFF_MAX, for counts whose product wraps, and resizes to them. What the allocator "
    "itself promises is another law, HL308.",
    kept=program("malloc", alloc(_HUGE, err=ENOMEM), dialects=Dialect.POSIX),
    broken=program("malloc", alloc(_HUGE, err=EINVAL), dialects=Dialect.POSIX),
    legitimate="where only C or the conventions of embedded systems are in force.",
    settings=('dialects = ["C17"]',),
)
OUT_KEPT = Entry(
    "out_pointer_kept",
    "posix_memalign gives its block through a pointer to a pointer, and its callers often look at that alone. POSIX "
    "lets a failure leave it as it was or make it NULL; Linux's manual says that it is as it was. heaplaw puts a word "
    "there that no allocator gives, and looks for it after each failure. Seen to break it: storing the result before "
    "looking whether there is one, and storing the size that was rounded up.",
    kept=program("malloc", posix_aligned(_HUGE, 64, err=ENOMEM), dialects=Dialect.GLIBC),
    broken=program(
        "malloc", posix_aligned(_HUGE, 64, err=ENOMEM, flags=Flag.OUT_WRITTEN, bad_at=0), dialects=Dialect.GLIBC
    ),
    legitimate="to write NULL there, under POSIX. Never to write anything else.",
    settings=('dialects = ["POSIX"]',),
)
EINVAL_SAID = Entry(
    "bad_alignment_einval",
    "posix_memalign is the function that checks its alignment: what is no power of two, or no multiple of a pointer's "
    "size, is EINVAL and nothing else. A program may ask for alignments that it reads from elsewhere, and rely on "
    "that. Seen to break it: rounding the alignment up instead, refusing with ENOMEM, and forgetting that 1, 2 and 4 "
    "are powers of two and yet too small.",
    kept=program("malloc", odd_posix_aligned(64, 24, err=EINVAL)),
    broken=program("malloc", odd_posix_aligned(64, 24, 0x0)),
    legitimate="never, under POSIX's own name. An allocator of another interface does not say `posix_memalign` in "
    "its mapping, or declares the dialect that it follows.",
    settings=('dialects = ["embedded"]',),
)
ODD_REFUSED = Entry(
    "odd_alignment_refused",
    "aligned_alloc with an alignment that is no power of two was undefined in C11; since its defect report 460, and in "
    "C17, it fails with a null pointer. POSIX.1-2024 adds that errno is EINVAL. Seen to break it: using the alignment "
    "as a mask, so that 24 gives a block at a multiple of 8; rounding it up, as glibc does before 2.38; and looping "
    "for ever on 0.",
    kept=program("malloc", odd_aligned(64, 3, err=EINVAL), dialects=Dialect.C17),
    broken=program("malloc", odd_aligned(64, 3, 0x0), dialects=Dialect.C17),
    legitimate="under C11 as it was printed, and where only embedded conventions are in force.",
    settings=('dialects = ["C11"]',),
)
ODD_SIZE = Entry(
    "odd_size_served",
    "C11 wanted the size of an aligned_alloc to be a multiple of the alignment; C17 and C23 do not, and programs "
    "written for them ask for what they need. The block must be aligned, and as large as was asked. Seen to break it: "
    "the check of C11, left in.",
    kept=program("malloc", aligned(100, 64, 0x40), dialects=Dialect.C17),
    broken=program("malloc", aligned(100, 64), dialects=Dialect.C17),
    legitimate="under C11, and where the mapping says that sizes must be multiples: then nobody asks.",
    settings=('dialects = ["C11"]', 'aligned_size = "multiple"'),
)
SMALL_ALIGNED = Entry(
    "small_sizes_aligned",
    "C17 aligns every block for any object with a fundamental alignment, 16 bytes on 64-bit systems, even one of 1 "
    "byte; C23 only for objects that fit into it, as mimalloc, jemalloc and others have always done for 8 bytes. Code "
    "that keeps flags in the low four bits of a pointer relies on the former. heaplaw asks for 1 to 32 bytes, side by "
    "side, in every way that there is.",
    kept=program("malloc", alloc(8, 0x8), dialects=Dialect.C23),
    broken=program("malloc", alloc(8, 0x8), dialects=Dialect.C17),
    legitimate="under C23: 8 bytes at a multiple of 8 will do. Where no dialect is declared, that is no fault.",
    settings=('dialects = ["C23"]',),
)
ERRNO_KEPT = Entry(
    "free_keeps_errno",
    "A program that fails cleans up, and then looks at errno to say why. POSIX.1-2024 and glibc since 2.33 say that "
    "free leaves it alone; older standards say nothing, and programs had to save it. heaplaw sets errno to a number "
    "that no allocator uses before each free, also right after a refusal. Seen to break it: an munmap or madvise that "
    "fails inside, and clearing errno on entry.",
    kept=program("malloc", alloc(64, 0x0), free(1), dialects=Dialect.POSIX_2024),
    broken=program("malloc", alloc(64, 0x0), free(1, err=ENOMEM), dialects=Dialect.POSIX_2024),
    legitimate="under C and POSIX.1-2017, which say nothing of it.",
    settings=('dialects = ["C17", "POSIX"]',),
)
USABLE_WRITABLE = Entry(
    "usable_bytes_writable",
    "Where a manual lets the owner use all that the usable size tells, each of those bytes can be written and read "
    "back, and is nobody else's. heaplaw writes blocks to their ends, resizes them and does so again, with live blocks "
    "on both sides. Seen to break it: counting the header or the guard behind the block, and telling the size of a "
    "class that the block was not taken from.",
    kept=program("malloc", alloc(24, 0x0, usable=32), fill(1, 32)),
    broken=program("malloc", alloc(24, 0x0, usable=8192), fill(1, 8192, flags=Flag.UNWRITABLE, bad_at=4096)),
    legitimate="where the manual says that the number is for statistics alone, as that of malloc_usable_size does "
    "since man-pages 6.05: it is judged only where it is promised.",
    settings=('usable = "covers"',),
)

ENTRIES = (
    ZERO_SIZE,
    ZERO_RESIZE,
    ZERO_RESIZE_PROMISED,
    SMALL_SERVED,
    ENOMEM_SAID,
    OUT_KEPT,
    EINVAL_SAID,
    ODD_REFUSED,
    ODD_SIZE,
    SMALL_ALIGNED,
    ERRNO_KEPT,
    USABLE_WRITABLE,
)
