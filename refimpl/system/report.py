"""The texts of reports, in the form of the allocator system's own. Each ends with a newline, or is empty."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .interface import Leak, Statistics, TagStatistics


def _section(name: str, of: Statistics) -> str:
    return (
        f"\n--- {name} ---\n"
        f"Total Allocated:  {of.total_bytes} bytes\n"
        f"Current Usage:    {of.current_bytes} bytes\n"
        f"Peak Usage:       {of.peak_bytes} bytes\n"
        f"Allocations:      {of.allocations}\n"
    )


def statistics_text(by_name: Mapping[str, Statistics]) -> str:
    """A section for each allocator that served anything."""
    sections = [_section(name, of) for name, of in by_name.items() if of.allocations > 0]
    return "=== Memory Allocator Statistics ===\n" + ("".join(sections) or "\nNothing was allocated.\n")


def tags_text(tags: Mapping[str, TagStatistics]) -> str:
    """A row for each tag, in order of first use; empty when nothing was tagged."""
    rows = [
        f"| {tag:<19} | {of.count:>5} | {of.current:>11}  | {of.peak:>8}  |\n" for tag, of in tags.items() if tag != ""
    ]
    if not rows:
        return ""
    return (
        "=== Allocation by Tag ===\n"
        f"| {'Tag':<19} | Count | Current Size | Peak Size |\n"
        f"|{'-' * 21}|{'-' * 7}|{'-' * 14}|{'-' * 11}|\n"
        f"{''.join(rows)}"
    )


def _leak_line(leak: Leak) -> str:
    where = f"{leak.file}:{leak.line}" if leak.file else "an unknown place"
    tag = f" [{leak.tag}]" if leak.tag else ""
    return f"  {leak.address:#x}: {_count(leak.size, 'byte')} at {where}{tag}\n"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


@dataclass(frozen=True)
class LeakReport:
    """The blocks that were live at a shutdown."""

    leaks: tuple[Leak, ...] = ()

    @classmethod
    def of(cls, leaks: Iterable[Leak]) -> "LeakReport":
        """A report on some blocks, in their order."""
        return cls(tuple(leaks))

    @property
    def count(self) -> int:
        """Leaked blocks."""
        return len(self.leaks)

    @property
    def bytes(self) -> int:
        """Bytes of all leaked blocks, as they were asked for."""
        return sum(leak.size for leak in self.leaks)

    @property
    def text(self) -> str:
        """For people; empty when nothing leaked."""
        if not self.leaks:
            return ""
        return (
            "=== MEMORY LEAKS DETECTED ===\n"
            f"{_count(self.bytes, 'byte')} leaked in {_count(self.count, 'allocation')}\n"
            f"{''.join(_leak_line(leak) for leak in self.leaks)}"
        )
