"""The registry of a virtual machine's subsystems: what it says of all of them together, and of each."""

from .patch import Patch

__all__ = ["PATCHES"]

_REGISTRY, _LEDGER = "system/registry.py", "system/ledger.py"
_TOTALS = "        return self._book.statistics()\n\n    def tags"

PATCHES = (
    Patch(
        "ref-registry-leaks-of-one", _REGISTRY,
        "for allocator in self._allocators.values() for leak in allocator.leaks())",
        "for allocator in [self._allocators[Subsystem.VM]] for leak in allocator.leaks())",
        "leak_report_exact", "only the first subsystem's leaks are listed",
    ),
    Patch(
        "ref-registry-leaks-twice", _REGISTRY,
        "for allocator in self._allocators.values() for leak in allocator.leaks())",
        "for allocator in self._allocators.values() for leak in (*allocator.leaks()[:1], *allocator.leaks()))",
        "leak_report_exact", "each subsystem's oldest leak is listed twice",
    ),
    Patch(
        "ref-registry-untold", _REGISTRY,
        "        allocator.report_to(self._book)\n", "        allocator.report_to(Book())\n",
        "stats_exact", "the book of all is told of no block",
        ("peak_exact",),
    ),
    Patch(
        "ref-registry-ends-untold", _LEDGER,
        "            self.above.shrink(size, tag)\n", "            self.above.shrink(0, tag)\n",
        "stats_exact", "the book of all is told of blocks' ends without their sizes",
        ("peak_exact",),
    ),
    Patch(
        "ref-registry-rounded", _LEDGER,
        "            self.above.grow(size, tag)\n", "            self.above.grow(-(-size // 8) * 8, tag)\n",
        "stats_exact", "the book of all is told of whole words",
        ("peak_exact",),
    ),
    Patch(
        "ref-registry-untagged-renamed", _LEDGER,
        "            self.above.grow(size, tag)\n", '            self.above.grow(size, tag or "untagged")\n',
        "failure_is_reported", "the book of all calls what has no tag by a name of its own, under which it never ends",
        ("stats_exact", "scope_frees_all", "made_again"),
    ),
    Patch(
        "ref-registry-peak-of-peaks", _REGISTRY, _TOTALS,
        "        whole, each = self._book.statistics(), self.statistics().values()\n"
        "        peak = sum(one.peak_bytes for one in each)\n"
        "        return Statistics(\n"
        "            whole.total_bytes, whole.current_bytes, peak, whole.allocations, whole.live_blocks, whole.tags\n"
        "        )\n\n    def tags",
        "peak_exact", "the peak of all is the sum of the subsystems' peaks",
    ),
    Patch(
        "ref-registry-one-for-all", _REGISTRY,
        "{subsystem: self._made(chosen[subsystem], subsystem.value) for subsystem in Subsystem}",
        'dict.fromkeys(Subsystem, self._made(chosen[Subsystem.AST], "all"))',
        "tags_exact", "all subsystems share one allocator",
        ("leak_report_exact", "stats_exact", "failure_is_reported"),
    ),
    Patch(
        "ref-registry-names-turned", _REGISTRY,
        "        return {subsystem: allocator.statistics() for subsystem, allocator in self._allocators.items()}\n",
        "        found = [allocator.statistics() for allocator in self._allocators.values()]\n"
        "        return dict(zip(Subsystem, found[::-1], strict=True))\n",
        "tags_exact", "statistics are told of the wrong subsystems",
    ),
)  # fmt: skip
