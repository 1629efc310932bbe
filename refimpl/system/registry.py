"""The allocators of a virtual machine's subsystems. Source: the allocator system, Subsystem Allocators."""

import atexit
import sys
import threading
from collections.abc import Mapping
from typing import TextIO

from .arena import Arena
from .base import Booked
from .errors import MisuseError
from .interface import Allocator, Statistics, TagStatistics
from .ledger import Book
from .malloc import Platform
from .plans import PLANS, Plan, Subsystem, check_subsystem, checked, plain, planned
from .report import LeakReport, statistics_text, tags_text
from .switches import Switches
from .tracing import Trace


class Registry:
    """An allocator for each subsystem, after `plans` where these say something and after the source's table elsewhere.

    `switches` are the environment's, unless given. Reports go to `out`, by default stderr, and only where a switch
    asks for them: at `shutdown`, or at the end of the process, which drops nothing.
    """

    def __init__(
        self,
        plans: Mapping[Subsystem, Plan] | None = None,
        switches: Switches | None = None,
        out: TextIO | None = None,
    ) -> None:
        self.switches = Switches.from_environment() if switches is None else switches
        self._out = out
        self._book = Book()
        self._open = True
        chosen = {**PLANS, **checked(plans or {})}
        self._allocators = {subsystem: self._made(chosen[subsystem], subsystem.value) for subsystem in Subsystem}
        if self.switches.stats or self.switches.debug:
            atexit.register(self._at_exit)

    def _made(self, plan: Plan, name: str) -> Booked:
        return self._watched(planned(plan if self.switches.custom else plain(plan), name))

    def _watched(self, allocator: Booked) -> Booked:
        if self.switches.debug:
            allocator = Trace(allocator, name=allocator.name)
            allocator.confine()
        allocator.report_to(self._book)
        return allocator

    @property
    def is_open(self) -> bool:
        """It has not been shut down."""
        return self._open

    def _check_open(self, doing: str) -> None:
        if not self._open:
            raise MisuseError(doing, "the registry has been shut down")

    def get(self, subsystem: Subsystem) -> Allocator:
        """The allocator of a subsystem."""
        check_subsystem("get", subsystem)
        self._check_open(f"get({subsystem.value})")
        return self._allocators[subsystem]

    def scratch(self, chunk_size: int, name: str = "scope") -> Allocator:
        """An arena of its own, for whoever drops it (`scopes`): plain malloc when custom allocators are off. Its blocks
        count in `totals` and `tags`, in no subsystem, and are no leaks of the registry.
        """
        self._check_open("scratch")
        return self._watched(Arena(chunk_size, name=name) if self.switches.custom else Platform(name))

    def statistics(self) -> dict[Subsystem, Statistics]:
        """What each subsystem did so far."""
        return {subsystem: allocator.statistics() for subsystem, allocator in self._allocators.items()}

    def totals(self) -> Statistics:
        """What all did together; the peak is that of the sum."""
        return self._book.statistics()

    def tags(self) -> Mapping[str, TagStatistics]:
        """What was allocated under each tag by all together."""
        return self._book.statistics().tags

    def report(self) -> str:
        """Statistics by subsystem, and by tag where there are tags."""
        by_name = {subsystem.value: of for subsystem, of in self.statistics().items()}
        tags = tags_text(self.tags())
        return statistics_text(by_name) + (f"\n{tags}" if tags else "")

    def leaks(self) -> LeakReport:
        """The blocks that are live now, by subsystem and age. Where they were allocated is known of those that gave a
        site, and of all when debugging.
        """
        return LeakReport.of(leak for allocator in self._allocators.values() for leak in allocator.leaks())

    def shutdown(self) -> LeakReport:
        """Drop all allocators; the blocks that were live until now. `MisuseError`, and nothing is dropped, while
        another allocator has chunks from one of them.

        Statistics are written when that is switched on, leaks when debugging is, and if there are any.
        """
        self._check_open("shutdown")
        for allocator in self._allocators.values():
            allocator.check_unlent("drop")
        report, leaks = self.report(), self.leaks()
        for allocator in self._allocators.values():
            allocator.drop()
        self._open = False
        atexit.unregister(self._at_exit)
        self._write(report, leaks)
        return leaks

    def _write(self, report: str, leaks: LeakReport) -> None:
        out = sys.stderr if self._out is None else self._out
        texts = [report] if self.switches.stats else []
        if self.switches.debug and leaks.text:
            texts.append(leaks.text)
        if texts:
            out.write("\n".join(texts))

    def _at_exit(self) -> None:
        # Nothing is dropped: the process takes it all back, and whoever still has chunks can be told nothing any more.
        self._open = False
        self._write(self.report(), self.leaks())


class _Here(threading.local):
    """The calling thread's registry."""

    registry: Registry | None = None


_HERE = _Here()


def allocators_init(plans: Mapping[Subsystem, Plan] | None = None, switches: Switches | None = None) -> Registry:
    """Make the calling thread's registry; `MisuseError` when it has one that has not been shut down."""
    if _HERE.registry is not None and _HERE.registry.is_open:
        raise MisuseError("allocators_init", "this thread has a registry, which has not been shut down")
    _HERE.registry = Registry(plans, switches)
    return _HERE.registry


def allocators_here() -> Registry:
    """The calling thread's registry, made by default if there never was one."""
    return allocators_init() if _HERE.registry is None else _HERE.registry


def allocators_get(subsystem: Subsystem) -> Allocator:
    """The calling thread's allocator of a subsystem."""
    return allocators_here().get(subsystem)


def allocators_shutdown() -> LeakReport:
    """Shut the calling thread's registry down; an empty report when there never was one.

    What is asked for afterwards is refused until `allocators_init` makes another one.
    """
    return LeakReport() if _HERE.registry is None else _HERE.registry.shutdown()
