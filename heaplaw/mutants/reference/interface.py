"""What all allocators of the system share: the interface, scopes, limits."""

from .patch import Patch

__all__ = ["INTERFACE", "LIMITS", "SCOPES"]

_LEDGER = "system/ledger.py"
_BASE = "system/base.py"
_LIMITS = "system/limits.py"

SCOPES = (
    Patch(
        "ref-scope-first-stays", _LEDGER,
        "            if held.serial < serial:\n", "            if held.serial <= serial:\n",
        "scope_frees_all", "the first block of a scope stays on the books",
        ("stats_exact", "leak_report_exact", "tags_exact"),
    ),
    Patch(
        "ref-scope-one-before", _LEDGER,
        "            if held.serial < serial:\n", "            if held.serial < serial - 1:\n",
        "scope_frees_all", "a scope takes the block before it off the books",
        ("stats_exact", "leak_report_exact", "tags_exact", "failure_is_reported"),
    ),
    Patch(
        "ref-scope-not-booked", _BASE,
        "        self._marks = {other: kept for other, kept in self._marks.items() if other < mark}\n"
        "        self._forget(dying)\n",
        "        self._marks = {other: kept for other, kept in self._marks.items() if other < mark}\n",
        "scope_frees_all", "the memory of a scope is freed, and its blocks stay on the books",
        ("stats_exact", "leak_report_exact", "tags_exact"),
    ),
    Patch(
        "ref-scope-memory-kept", _BASE,
        "        self._unwind(dying, taken.inner)\n", "        self._unwind(dying[:0], self._mark())\n",
        "overhead_bounded", "the books of a scope are closed, and its memory is kept",
        ("release_frees_all", "reuse"),
    ),
    Patch(
        "ref-scope-outermost", _BASE,
        "        taken = self._marks[mark]\n", "        taken = self._marks[min(self._marks)]\n",
        "scope_frees_all", "leaving an inner scope leaves all of them",
        ("stats_exact", "leak_report_exact", "tags_exact", "failure_is_reported", "blocks_disjoint", "payload_kept"),
    ),
    Patch(
        "ref-scope-newest-mark", _BASE,
        "        taken = self._marks[mark]\n", "        taken = self._marks[max(self._marks)]\n",
        "scope_frees_all", "leaving an outer scope leaves the inner one only",
        ("stats_exact", "leak_report_exact", "tags_exact", "overhead_bounded", "release_frees_all"),
    ),
    Patch(
        "ref-scope-reset-not-booked", _BASE,
        "        self._marks.clear()\n        self._forget(dying)\n\n    def mark",
        "        self._marks.clear()\n        self._forget(dying[1:])\n\n    def mark",
        "stats_exact", "a reset leaves the newest block on the books",
        ("leak_report_exact", "tags_exact", "scope_frees_all"),
    ),
    Patch(
        "ref-scope-order-turned", _LEDGER,
        "        for ptr, held in reversed(self.blocks.items()):\n", "        for ptr, held in self.blocks.items():\n",
        "scope_frees_all",
        "blocks are looked through oldest first, and the first one from before the scope ends the search",
        ("stats_exact", "leak_report_exact", "tags_exact"),
    ),
)  # fmt: skip


LIMITS = (
    Patch(
        "ref-limit-resize-free", _LIMITS,
        "        return super()._resize(ptr, held, size, note) if self._allows(size, held.size) else 0\n",
        "        return super()._resize(ptr, held, size, note)\n",
        "limit_enforced", "a resize goes past the limit",
    ),
    Patch(
        "ref-limit-resize-twice", _LIMITS,
        "        return super()._resize(ptr, held, size, note) if self._allows(size, held.size) else 0\n",
        "        return super()._resize(ptr, held, size, note) if self._allows(size) else 0\n",
        "limit_enforced", "a resize counts with its old size as well", ("shrink_succeeds",),
    ),
    Patch(
        "ref-limit-refuses-last", _LIMITS,
        "        return size <= self.limit", "        return size < self.limit",
        "limit_enforced", "the last byte of the limit is refused",
    ),
    Patch(
        "ref-limit-one-over", _LIMITS,
        "        return size <= self.limit", "        return size <= 1 + self.limit",
        "limit_enforced", "one byte more than the limit is served",
    ),
    Patch(
        "ref-limit-of-peak", _LIMITS,
        "self.ledger.book.whole.current - ended", "self.ledger.book.whole.peak - ended",
        "limit_enforced", "what was live once counts against the limit for good",
    ),
    Patch(
        "ref-limit-of-total", _LIMITS,
        "self.ledger.book.whole.current - ended", "self.ledger.book.whole.total - ended",
        "limit_enforced", "what is freed does not come back to the limit",
    ),
    Patch(
        "ref-limit-of-blocks", _LIMITS,
        "self.ledger.book.whole.current - ended", "self.ledger.book.whole.live - ended",
        "limit_enforced", "blocks are counted instead of bytes",
    ),
    Patch(
        "ref-limit-of-request", _LIMITS,
        "        return size <= self.limit - (self.ledger.book.whole.current - ended)\n",
        "        return size <= self.limit\n",
        "limit_enforced", "the limit is that of one request",
    ),
    Patch(
        "ref-limit-zeroed-free", _LIMITS,
        "super()._take_zeroed(size, align, note) if self._allows(size) else 0",
        "super()._take_zeroed(size, align, note)",
        "limit_enforced", "zeroed blocks are served whatever the limit",
    ),
    Patch(
        "ref-limit-at-half", _LIMITS,
        "        return size <= self.limit", "        return size == 0 or size <= self.limit // 2",
        "limit_enforced", "the limit is half of what it should be",
    ),
    Patch(
        "ref-limit-ignores-small", _LIMITS,
        "        return size <= self.limit", "        return size < 4096 or size <= self.limit",
        "limit_enforced", "blocks of less than a page are served past the limit",
    ),
)  # fmt: skip


INTERFACE = (
    Patch(
        "ref-interface-zero-words", _BASE,
        "            clear(ptr, size)\n", "            clear(ptr, size - size % 8)\n",
        "zeroed", "zeroing stops at the last whole word of recycled memory",
        subjects=("arena",),
    ),
    Patch(
        "ref-interface-align-default", _BASE,
        "        align = self.alignment if align is None else checked_align(doing, align, self.alignment)\n",
        "        align = self.alignment\n",
        "aligned", "every request is served with the alignment of all blocks",
    ),
    Patch(
        "ref-interface-moves-short", _BASE,
        "            copy(new, ptr, min(held.size, size))\n",
        "            copy(new, ptr, min(held.size, size) & ~15)\n",
        "realloc_keeps_prefix", "a block that moves loses its last bytes",
        subjects=("pools",),
    ),
    Patch(
        "ref-interface-moves-freed", _BASE,
        "            copy(new, ptr, min(held.size, size))\n            self._give(ptr, held)\n",
        "            self._give(ptr, held)\n            copy(new, ptr, min(held.size, size))\n",
        "realloc_keeps_prefix", "a block that moves is freed before it is copied",
        subjects=("pools",),
    ),
    Patch(
        "ref-interface-refused-resize-ends", _BASE,
        "        new = self._resize(ptr, held, size, note)\n        if new != 0:\n",
        "        new = self._resize(ptr, held, size, note)\n"
        "        if new == 0:\n            self.ledger.died(ptr)\n        else:\n",
        "stats_exact", "a resize that is refused ends the block on the books",
        ("free_is_served", "leak_report_exact", "failure_is_reported", "tags_exact", "failure_changes_nothing"),
    ),
    Patch(
        "ref-interface-size-of-32-bits", "system/malloc.py",
        "    return max(1, size)\n", "    return max(1, size & 0xFFFFFFFF)\n",
        "sized", "sizes are cut to 32 bits on their way to malloc",
        ("overhead_bounded", "blocks_disjoint", "payload_kept", "failure_is_reported"),
    ),
    Patch(
        "ref-interface-malloc-aligns", "system/malloc.py",
        "        if align <= MAX_ALIGN:\n            return self._booked(libc().malloc(asked(size)), size)\n",
        "        if align <= 64:\n            return self._booked(libc().malloc(asked(size)), size)\n",
        "aligned", "alignments up to 64 are taken for granted",
    ),
    Patch(
        "ref-interface-footprint-half", "system/malloc.py",
        "        libc().free(ptr)\n        self._footprint -= asked(held.size)\n", "        libc().free(ptr)\n",
        "overhead_bounded", "the footprint never becomes less",
    ),
    Patch(
        "ref-interface-calloc-is-malloc", "system/malloc.py",
        "            return self._booked(libc().calloc(1, asked(size)), size)\n",
        "            return self._booked(libc().malloc(asked(size)), size)\n",
        "zeroed", "zeroed blocks come from malloc as they are",
    ),
)  # fmt: skip
