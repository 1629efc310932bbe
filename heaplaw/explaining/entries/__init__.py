"""What is told of each law, by the groups of the catalogue."""

from collections.abc import Mapping

from ..entry import Entry
from . import accounting, clauses, content, cost, layouts, limits, lists, lua, misuse, placement, pool, regions, reports

GROUPS: Mapping[str, tuple[str, tuple[Entry, ...]]] = {
    module.__name__.rpartition(".")[2]: (str(module.__doc__).rstrip("."), module.ENTRIES)
    for module in (
        placement,
        content,
        limits,
        pool,
        accounting,
        lists,
        cost,
        regions,
        lua,
        reports,
        layouts,
        clauses,
        misuse,
    )
}
"""Title and entries of each group, by the name of the module of `heaplaw.spec.catalogue` that states the laws."""
ENTRIES: Mapping[str, Entry] = {entry.law: entry for _, entries in GROUPS.values() for entry in entries}
"""Every entry, by the law's name."""

__all__ = ["ENTRIES", "GROUPS"]
