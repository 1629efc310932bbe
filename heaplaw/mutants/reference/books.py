"""The books of an allocator: statistics and leaks in all, and totals by tag."""

from .patch import Patch

__all__ = ["BOOKS", "PROOF", "TAGS"]

_LEDGER = "system/ledger.py"
_BASE = "system/base.py"

BOOKS = (
    Patch(
        "ref-books-peak-late", _LEDGER,
        "        self.peak = max(self.peak, self.current)\n",
        "        self.peak = max(self.peak, self.current - size)\n",
        "peak_exact", "the peak is taken before the new block is counted",
        ("tags_exact",),
    ),
    Patch(
        "ref-books-peak-falls", _LEDGER,
        "        self.current -= size\n",
        "        self.current -= size\n        self.peak = min(self.peak, self.current + size)\n",
        "peak_exact", "the peak is not kept when blocks end",
        ("tags_exact",),
    ),
    Patch(
        "ref-books-total-live", _LEDGER,
        "        self.total += size\n", "        self.total = max(self.total, self.current + size)\n",
        "stats_exact", "the bytes handed out in all are the peak's",
    ),
    Patch(
        "ref-books-free-rounded", _LEDGER,
        "        self.current -= size\n", "        self.current -= size - size % 8\n",
        "stats_exact", "a block's end is booked with its size rounded down",
        ("tags_exact", "peak_exact"),
    ),
    Patch(
        "ref-books-count-live", _LEDGER,
        "        self.live -= 1\n", "        self.live -= 1\n        self.count -= 1\n",
        "stats_exact", "the number of allocations falls when blocks end",
        ("tags_exact", "leak_report_exact"),
    ),
    Patch(
        "ref-books-zero-uncounted", _LEDGER,
        "        self.count += 1\n", "        self.count += 1 if size > 0 else 0\n",
        "stats_exact", "blocks of no bytes are not counted",
        ("tags_exact", "leak_report_exact"),
    ),
    Patch(
        "ref-books-realloc-twice", _BASE,
        "            self.ledger.died(ptr)\n            self.ledger.born(new, size, held.align, note)\n",
        "            self.ledger.born(new, size, held.align, note)\n",
        "stats_exact", "a resize books the new block, and not the end of the old one",
        ("tags_exact", "leak_report_exact", "peak_exact"),
    ),
    Patch(
        "ref-books-realloc-uncounted", _BASE,
        "            self.ledger.born(new, size, held.align, note)\n",
        "            self.ledger.born(new, size if size > held.size else held.size, held.align, note)\n",
        "stats_exact", "a resize to less is booked with the old size",
        ("tags_exact", "leak_report_exact", "peak_exact", "free_is_served", "failure_is_reported"),
    ),
    Patch(
        "ref-books-leak-missed", _LEDGER,
        '            file, line = held.site or ("", 0)\n            yield',
        "            if held.size == 0:\n                continue\n"
        '            file, line = held.site or ("", 0)\n            yield',
        "leak_report_exact", "blocks of no bytes are not listed as leaks",
    ),
    Patch(
        "ref-books-leak-invented", _LEDGER,
        "        held = self.blocks.pop(ptr)\n", "        held = self.blocks[ptr]\n",
        "leak_report_exact", "freed blocks stay listed as leaks",
        ("stats_exact", "failure_is_reported"),
    ),
    Patch(
        "ref-books-size-of-16-bits", _LEDGER,
        "        self.book.grow(size, note.tag)\n", "        self.book.grow(size % 2**16, note.tag)\n",
        "stats_exact", "sizes are booked in 16 bits",
        ("tags_exact", "peak_exact"),
    ),
)  # fmt: skip


TAGS = (
    Patch(
        "ref-tags-end-untagged", _LEDGER,
        "        self.tags[tag].shrink(size)\n", '        self.tags.setdefault("", Tally()).shrink(size)\n',
        "tags_exact", "blocks end without a tag",
    ),
    Patch(
        "ref-tags-never-end", _LEDGER,
        "        self.tags[tag].shrink(size)\n", "        self.tags[tag].shrink(0)\n",
        "tags_exact", "a tag's bytes never become less",
    ),
    Patch(
        "ref-tags-rounded", _LEDGER,
        "        self.tags.setdefault(tag, Tally()).grow(size)\n",
        "        self.tags.setdefault(tag, Tally()).grow(-(-size // 8) * 8)\n",
        "tags_exact", "a tag's bytes are counted in whole words",
    ),
    Patch(
        "ref-tags-merged", _LEDGER,
        "Held(size, align, note.tag, note.site,", "Held(size, align, note.tag[:4], note.site,",
        "leak_report_exact", "tags are kept with four letters only",
        ("tags_exact", "failure_is_reported", "free_is_served"),
    ),
    Patch(
        "ref-tags-realloc-loses", _BASE,
        "        note = Note(tag or held.tag, self._site(site))\n", "        note = Note(tag, self._site(site))\n",
        "tags_exact", "a resized block loses its tag",
        ("leak_report_exact",),
    ),
    Patch(
        "ref-tags-zeroed-untagged", _BASE,
        '        return self._request("alloc_zeroed", self._take_zeroed, size, align, Note(tag, self._site(site)))\n',
        '        return self._request("alloc_zeroed", self._take_zeroed, size, align, Note("", self._site(site)))\n',
        "tags_exact", "zeroed blocks are booked without a tag",
        ("leak_report_exact",),
    ),
    Patch(
        "ref-tags-peak-of-all", _LEDGER,
        "TagStatistics(tally.count, tally.current, tally.peak)",
        "TagStatistics(tally.count, tally.current, self.whole.peak)",
        "tags_exact", "every tag has the peak of all blocks together",
    ),
    Patch(
        "ref-tags-count-of-live", _LEDGER,
        "TagStatistics(tally.count, tally.current, tally.peak)",
        "TagStatistics(tally.count - (1 if tally.live == 0 else 0), tally.current, tally.peak)",
        "tags_exact", "a tag of which nothing is live counts one block less",
    ),
)  # fmt: skip

PROOF = (
    Patch(
        "ref-books-live-all", _LEDGER,
        "        self.live += 1\n", "        self.live = self.count\n",
        "leak_report_exact", "all blocks that ever were count as live when another comes",
    ),
    Patch(
        "ref-books-empty-live-on", _LEDGER,
        "        self.live -= 1\n", "        self.live -= 1 if size > 0 else 0\n",
        "leak_report_exact", "blocks of no bytes count as live when they have ended",
    ),
    Patch(
        "ref-books-above-once", _LEDGER,
        "            self.above.shrink(size, tag)\n", "            self.above.whole.shrink(size)\n",
        "tags_exact", "the book above is not told of which tag a block was that ended",
    ),
    Patch(
        "ref-books-above-untold", _LEDGER,
        "            self.above.grow(size, tag)\n", "            self.above.tags.setdefault(tag, Tally()).grow(size)\n",
        "stats_exact", "the book above counts new blocks by tag alone",
    ),
    Patch(
        "ref-books-above-halved", _LEDGER,
        "            self.above.shrink(size, tag)\n", "            self.above.shrink(size // 2, tag)\n",
        "stats_exact", "the book above is told half the size of a block that ended",
    ),
    Patch(
        "ref-tags-all-grow", _LEDGER,
        "        self.tags.setdefault(tag, Tally()).grow(size)\n",
        "        self.tags.setdefault(tag, Tally())\n"
        "        for tally in self.tags.values():\n            tally.grow(size)\n",
        "tags_exact", "a new block is booked under every tag",
    ),
    Patch(
        "ref-tags-all-shrink", _LEDGER,
        "        self.tags[tag].shrink(size)\n",
        "        for tally in self.tags.values():\n            tally.shrink(size)\n",
        "tags_exact", "the end of a block is booked under every tag",
    ),
)  # fmt: skip
"""Faults of single steps and turns that the others leave alone: for proofs, which look at each of these."""
