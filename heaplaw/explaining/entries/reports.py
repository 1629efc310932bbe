"""What an allocator reports of itself: statistics, tags, leaks, limits."""

from ..entry import Entry
from ..program import alloc, free, mark, program, release

_UNTOLD = "It is judged only of allocators that report it, as the reference's do; a mapping has no key for it."

STATS = Entry(
    "stats_exact",
    "Statistics are what people tune by: bytes live now, bytes handed out in all, blocks handed out in all, each as "
    "the history says, in requested bytes, after every operation. A resize that is served hands out its new size. "
    "Seen to break it: a resize that books the new block and not the end of the old one, ends booked with sizes "
    "rounded, a count that falls when blocks end, blocks of no bytes that are not counted.",
    kept=program(
        "malloc",
        alloc(64, 0x0, current_bytes=64, total_bytes=64, allocations=1),
        alloc(32, 0x40, current_bytes=96, total_bytes=96, allocations=2),
        free(1, current_bytes=32, total_bytes=96, allocations=2),
    ),
    broken=program(
        "malloc",
        alloc(64, 0x0, current_bytes=64, total_bytes=64, allocations=1),
        alloc(32, 0x40, current_bytes=96, total_bytes=96, allocations=2),
        free(1, current_bytes=32, total_bytes=96, allocations=1),
    ),
    legitimate=f"never, where these figures are reported. {_UNTOLD}",
)
PEAK = Entry(
    "peak_exact",
    "The peak is the largest number of bytes that were ever live, and it never falls. Budgets are set by it. Seen to "
    "break it: taking it before the new block is counted, letting it fall when blocks end, and adding up the peaks "
    "of parts, which need not have come at the same time.",
    kept=program("malloc", alloc(64, 0x0, peak_bytes=64), free(1, peak_bytes=64), alloc(32, 0x0, peak_bytes=64)),
    broken=program("malloc", alloc(64, 0x0, peak_bytes=64), free(1, peak_bytes=64), alloc(32, 0x0, peak_bytes=32)),
    legitimate=f"never, where a peak is reported. {_UNTOLD}",
)
TAGS = Entry(
    "tags_exact",
    "A tag says what a block is for, and its totals say how much that takes: blocks handed out, bytes live, peak. "
    "They are those of the tag's own blocks; a block that is resized keeps its tag. Seen to break it: blocks that "
    "end without their tag, a resize that loses it, and a peak of all blocks together.",
    kept=program(
        "malloc",
        alloc(64, 0x0, label=1, tag_count=1, tag_current=64, tag_peak=64),
        alloc(32, 0x40, label=2, tag_count=1, tag_current=32, tag_peak=32),
    ),
    broken=program(
        "malloc",
        alloc(64, 0x0, label=1, tag_count=1, tag_current=64, tag_peak=64),
        alloc(32, 0x40, label=2, tag_count=1, tag_current=32, tag_peak=96),
    ),
    legitimate=f"never, where tags are reported. {_UNTOLD}",
)
LEAKS = Entry(
    "leak_report_exact",
    "A leak report that is made now lists each live block once, with its address, size and tag, and nothing else. An "
    "invented leak costs a day; a missed one stays. Seen to break it: a record that stays when its block is freed, a "
    "list that is emptied when the newest block ends, a resize that makes a second record, sizes from before a resize.",
    kept=program(
        "malloc",
        alloc(64, 0x0, label=1, leak_count=1, leak_bytes=64, leak_lines=1, leak_size=64, leak_tag=1),
        free(1),
    ),
    broken=program(
        "malloc",
        alloc(64, 0x0, label=1, leak_count=1, leak_bytes=64, leak_lines=1, leak_size=64, leak_tag=1),
        free(1, leak_count=1, leak_bytes=64, leak_lines=1, leak_size=64, leak_tag=1),
    ),
    legitimate=f"never, where leaks are reported. {_UNTOLD}",
)
LIMIT = Entry(
    "limit_enforced",
    "A limit is exact: a request is served if what is live afterwards stays within it, and refused if not; the last "
    "byte of the limit can be had. A resize counts with its new size only. Seen to break it: a resize that goes past "
    "the limit, one that counts with its old size as well, and what was freed that does not come back to the limit.",
    kept=program("malloc", alloc(64, 0x0), alloc(64, 0x40), alloc(1), limit=128),
    broken=program("malloc", alloc(64, 0x0), alloc(64), limit=128),
    legitimate="where no limit is set. No mapping promises one: it is judged of the reference's subsystems, and of "
    "machines that are given one.",
)
SCOPE = Entry(
    "scope_frees_all",
    "Leaving a scope frees what was allocated inside it and nothing else: the bytes that are said to be live are "
    "those of older blocks. Seen to break it: a first block that stays on the books, a scope that takes the block "
    "before it, and leaving an inner scope that leaves all of them.",
    kept=program(
        "arena",
        alloc(64, 0x0, current_bytes=64),
        mark(0x40, current_bytes=64),
        alloc(32, 0x40, current_bytes=96),
        release(2, current_bytes=64),
    ),
    broken=program(
        "arena",
        alloc(64, 0x0, current_bytes=64),
        mark(0x40, current_bytes=64),
        alloc(32, 0x40, current_bytes=96),
        release(2, current_bytes=96),
    ),
    legitimate=f"never, where bytes are reported. {_UNTOLD}",
)

ENTRIES = (STATS, PEAK, TAGS, LEAKS, LIMIT, SCOPE)
