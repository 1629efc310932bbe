"""The abstract heap: what a history says is live, derived once. Every judge of single steps keeps one of these."""

from dataclasses import dataclass, field, replace

from .event import NONE, Block, Env, Event, Run, Status, View
from .history import History
from .layout import PAGE
from .shapes import Kind

RUN_BLOCK_MAX = 2**20
"""Larger blocks are left out of footprints, bytes: their pages are the operating system's."""


def first_view(env: Env) -> View:
    """The heap before the first operation: every block of a pool is free."""
    return View(num_free=env.num_blocks)


@dataclass
class Heap:
    """Live blocks and the view of the heap, after the operations absorbed so far.

    `dead` keeps the blocks that have died, as `(owner, block)`, when asked to.
    """

    live: dict[int, Block] = field(default_factory=dict[int, Block])
    view: View = View()
    keep_dead: bool = False
    dead: list[tuple[int, Block]] = field(default_factory=list[tuple[int, Block]])
    _freed: int = 0
    """Bytes freed by the latest call, 0 if it freed nothing."""

    def absorb(
        self, index: int, e: Event, owner: int = NONE, called: int | None = None, returned: int | None = None
    ) -> Block | None:
        """Take in operation `index`; the block that it made, if it made one.

        `called` and `returned` are its times (2 index and 2 index + 1 when left out). What was skipped changes nothing.
        """
        if e.status == Status.SKIPPED:
            return None
        called = 2 * index if called is None else called
        returned = 2 * index + 1 if returned is None else returned
        freed = 0
        if owner in self.live and e.ends:
            block = self.live.pop(owner)
            freed = int(e.held) if e.kind == Kind.FREE else 0
            if self.keep_dead:
                self.dead.append((owner, replace(block, death=called)))
        made = None
        if e.makes:
            made = block_of(e, returned)
            self.live[index] = made
        failed = e.status == Status.FAILED
        self.view = View(
            num_free=e.num_free,
            num_allocated=e.num_allocated,
            live=len(self.live),
            after_failure=failed,
            owed=self._freed if failed else 0,
        )
        self._freed = freed
        return made


def block_of(e: Event, birth: int) -> Block:
    """The block that `e` made, live from `birth` on."""
    return Block(e.ptr, max(1, int(e.extent)), birth, usable=e.usable)


def blocks(history: History) -> list[tuple[int, Block]]:
    """All blocks of a history with the operations that made them, in order of birth."""
    heap = Heap(keep_dead=True)
    for index in range(len(history)):
        heap.absorb(
            index,
            history.event(index),
            history.owner(index),
            history.call_time(index),
            history.return_time(index),
        )
    everything = heap.dead + list(heap.live.items())
    return sorted(everything, key=lambda item: (item[1].birth, item[0]))


def run_of(history: History) -> Run:
    """A whole history, summed up, one operation at a time."""
    live: dict[int, int] = {}
    pages: set[int] = set()
    now = peak = turnover = refused = 0
    for index in range(len(history)):
        e, owner = history.event(index), history.owner(index)
        if e.failed and 1 <= e.extent <= RUN_BLOCK_MAX:
            refused += 1
        if e.ends:
            now -= live.pop(owner, 0)
        if e.makes and e.extent <= RUN_BLOCK_MAX:
            extent = max(1, int(e.extent))
            live[index] = extent
            now += extent
            turnover += extent
            peak = max(peak, now)
            pages.update(range(e.ptr // PAGE, (e.ptr + extent - 1) // PAGE + 1))
    return Run(history.trace.profile == "steady", PAGE * len(pages), peak, turnover, refused)
