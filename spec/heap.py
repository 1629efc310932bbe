"""The abstract heap: what a history says is live, derived once. Every judge of single steps keeps one of these.

Instances are apart: each has a view of its own. What a view says beyond counters is defined here, literally; a fast
judge computes the same in C.
"""

from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from .event import NEVER, NONE, Block, Env, Event, Order, Run, Status, View
from .history import COUNTED, History
from .layout import PAGE
from .report import SILENT, Sums
from .shapes import ALIGN_TAKERS, MAKERS, Kind

RUN_BLOCK_MAX = 2**20
"""Larger blocks are left out of footprints, bytes: their pages are the operating system's."""
LARGEST = 2**48
"""No block is larger, bytes: no address space is. What is said to be counts as so large, and sums do not wrap."""
Request: TypeAlias = tuple[Any, ...]


def first_view(env: Env, counted: frozenset[str] = COUNTED) -> View:
    """The heap before the first operation: every block of a pool is free. Of what the subject does not count (`counted`
    has the columns of what it does) its counters say 0, before that operation as after it.
    """
    first = {"num_free": env.num_blocks, "remaining": env.remaining, "total": env.total}
    return View(**{name: number for name, number in first.items() if name in counted})


@dataclass
class Past:
    """The states that an instance went through since it was made, as far as they may come back.

    State d is the one after the first d operations of `path`, which holds for each what was asked, whether it was
    served, and the address. `counters[d]` is what the subject's counters said there. An operation that undoes others
    leads back to an earlier state, and the operations after it stay on record until another one is served in
    their place.
    """

    counters: list[tuple[Any, Any]]
    depth: int = 0
    path: list[tuple[Request, Any]] = field(default_factory=list[tuple[Request, Any]])
    made_at: dict[int, int] = field(default_factory=dict[int, int])
    """The state before each operation that made a block or a mark."""
    lost: bool = False
    """State 0 is not the one in which the instance was made."""

    def copy(self) -> "Past":
        """A past of its own."""
        return Past(self.counters.copy(), self.depth, self.path.copy(), self.made_at.copy(), self.lost)

    def twin(self, request: Request) -> Any:
        """The address that the same operation gave when it was last served in this state, or None."""
        known = self.depth < len(self.path) and self.path[self.depth][0] == request
        return self.path[self.depth][1] if known else None

    def go_on(self, index: int, request: Request, e: Event) -> None:
        """An operation was served."""
        depth = self.depth
        if self.twin(request) is None:
            del self.path[depth:], self.counters[depth + 1 :]
            self.path.append((request, e.ptr))
            self.counters.append((e.remaining, e.total))
        self.made_at[index] = depth
        self.depth += 1

    def go_back(self, e: Event, owner: int) -> bool:
        """An operation brought an earlier state back; whether that one is known."""
        whole = e.kind in (Kind.RESET, Kind.RENEW)
        if whole and not self.lost:
            self.depth = 0
        elif not whole and owner in self.made_at:
            self.depth = self.made_at[owner]
        elif whole or owner != NONE:  # else the pop of an empty stack: the state is as before
            self.forget(e)
            self.lost = not whole
            return False
        return True

    def forget(self, e: Event) -> None:
        """Nobody knows what the state is now: it begins anew, and nothing that was done before counts."""
        self.depth, self.path, self.made_at, self.counters = 0, [], {}, [(e.remaining, e.total)]
        self.lost = True


@dataclass(frozen=True)
class Tag:
    """What was handed out with one tag."""

    made: int = 0
    """Blocks in all."""
    bytes: int = 0
    """Live now."""
    peak: int = 0
    """Most bytes that were ever live."""

    def plus(self, blocks: int, extent: int) -> "Tag":
        """After `blocks` more were handed out, and `extent` bytes more, or less, are live."""
        now = self.bytes + extent
        return Tag(self.made + blocks, now, max(self.peak, now))


@dataclass
class Part:
    """One instance: its view, and what later views are made from."""

    view: View
    past: Past
    live: dict[int, int] = field(default_factory=dict[int, int])
    """Requested sizes of the live blocks, bytes, by the operation that made them, in order of birth."""
    bytes: int = 0
    best: int = 0
    """The largest request, up to 1 MiB, that was served when nothing was live."""
    freed: list[int] = field(default_factory=list[int])
    """Addresses freed and not handed out again, in order, where an order of reuse is promised."""
    labels: dict[int, int] = field(default_factory=dict[int, int])
    """Tags of the live blocks, where the subject reports."""
    tags: dict[int, Tag] = field(default_factory=dict[int, Tag])
    """What the history says of each tag."""
    paddings: dict[int, int] = field(default_factory=dict[int, int])
    """Most bytes of padding that each live block may have needed, where the subject reports …"""
    padding: int = 0
    """… and that all of them may have needed together."""

    def begins(self, index: int, size: Any) -> None:
        """Operation `index` made a block of so many bytes."""
        self.live[index] = size
        self.bytes += size

    def ends(self, index: int) -> tuple[int, Any]:
        """The block that operation `index` made is live no longer; that operation, and the block's bytes."""
        size = self.live.pop(index)
        self.bytes -= size
        return index, size

    def copy(self) -> "Part":
        """A part of its own."""
        return replace(
            self,
            past=self.past.copy(),
            live=self.live.copy(),
            freed=self.freed.copy(),
            labels=self.labels.copy(),
            tags=self.tags.copy(),
            paddings=self.paddings.copy(),
        )


@dataclass
class Heap:
    """Live blocks and the view of each instance, after the operations absorbed so far.

    `dead` keeps the blocks that have died, as `(owner, block)`, when asked to.
    """

    live: dict[int, Block] = field(default_factory=dict[int, Block])
    parts: dict[int, Part] = field(default_factory=dict[int, Part])
    keep_dead: bool = False
    dead: list[tuple[int, Block]] = field(default_factory=list[tuple[int, Block]])
    counted: frozenset[str] = COUNTED
    """Columns of counters that the subject has."""

    def copy(self) -> "Heap":
        """A heap of its own."""
        parts = {instance: part.copy() for instance, part in self.parts.items()}
        return Heap(self.live.copy(), parts, self.keep_dead, self.dead.copy(), self.counted)

    def part(self, e: Event) -> Part:
        """The instance that `e` is about."""
        if e.instance not in self.parts:
            first = first_view(e.env, self.counted)
            self.parts[e.instance] = Part(first, Past([(first.remaining, first.total)]))
        return self.parts[e.instance]

    def view(self, e: Event) -> View:
        """The instance that `e` is about, as it was before `e` if that was not absorbed yet."""
        return self.part(e).view

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
        part, ended = self.part(e), ends_of(self.part(e), e, owner)
        popped = self.live[owner].ptr if e.ends and owner in self.live else 0
        request = request_of(e, part.past.made_at.get(owner, NONE))
        empty = not part.live
        sizes = [part.ends(gone) for gone in ended]
        for gone in ended:
            block = self.live.pop(gone)
            if self.keep_dead:
                self.dead.append((gone, replace(block, death=called)))
        made = None
        if e.makes:
            made = block_of(e, returned)
            self.live[index] = made
            part.begins(index, min(int(e.extent), LARGEST))
            if empty and e.kind in (Kind.ALLOC, Kind.ZALLOC) and e.extent <= RUN_BLOCK_MAX:
                part.best = max(part.best, int(e.extent))
        part.view = next_view(part, index, e, owner, popped, request)
        if e.report is not SILENT:
            part.view = replace(part.view, sums=next_sums(part, index, e, owner, sizes))
        return made


def ends_of(part: Part, e: Event, owner: int) -> list[int]:
    """The blocks that `e` ended."""
    if e.sweeps:
        since = -1 if owner == NONE or e.kind != Kind.RELEASE else owner
        return [index for index in part.live if index > since]
    return [owner] if e.ends and owner in part.live else []


def request_of(e: Event, named: int) -> Request:
    """What was asked for; `named` is the state in which the block that it names was made."""
    return int(e.kind), int(e.size), int(e.align), int(e.count), named


def next_view(part: Part, index: int, e: Event, owner: int, popped: int, request: Request) -> View:
    """The view after `e`, whose blocks have come and gone."""
    before, past = part.view, part.past
    failed = e.status == Status.FAILED and e.kind != Kind.RESIZE_TO_ZERO
    undoes = bool(e.served) and e.kind in (Kind.POP, Kind.RESET, Kind.RELEASE, Kind.RENEW)
    twin = None if undoes or e.kind == Kind.CHECK else past.twin(request)
    if undoes:
        undoes = past.go_back(e, owner)
    elif e.served and e.kind != Kind.CHECK:
        past.go_on(index, request, e)
    elif not failed and not e.served:
        past.forget(e)
    high, low = before.high, before.low
    if not part.live:
        high, low = 0, NEVER
    elif e.makes:
        high, low = max(high, min(e.ptr + int(e.room), NEVER)), min(low, e.ptr)
    reused = order_of_reuse(part, e, popped)
    then = past.counters[past.depth] if undoes else (0, 0)
    return View(
        num_free=e.num_free,
        num_allocated=e.num_allocated,
        live=len(part.live),
        after_failure=failed,
        owed=before.freed if failed else 0,
        remaining=e.remaining,
        total=e.total,
        live_bytes=part.bytes,
        freed=int(e.held) if e.served and e.kind == Kind.FREE else 0,
        whole=part.best if not part.live else 0,
        high=high,
        low=low,
        newest_free=part.freed[-1] if part.freed else 0,
        oldest_free=part.freed[0] if part.freed else 0,
        reused=reused,
        undone_by=int(e.kind) if undoes else before.undone_by,
        back=undoes,
        then_remaining=then[0],
        then_total=then[1],
        twin=twin is not None,
        twin_ptr=twin or 0,
        sums=before.sums,
    )


def next_sums(part: Part, index: int, e: Event, owner: int, ended: list[tuple[int, int]]) -> Sums:
    """The sums after `e`, which ended blocks of so many bytes; the view is that after `e`, with the sums before it.

    A block that was resized keeps its tag.
    """
    before, label = part.view.sums, 0
    if e.served and e.kind == Kind.RENEW:
        part.labels, part.tags, part.paddings, part.padding = {}, {}, {}, 0
        return Sums()
    if owner != NONE:
        label = part.labels.get(owner, 0)
    elif e.kind in MAKERS:
        label = int(e.label)
    for gone, size in ended:
        of = part.labels.pop(gone, 0)
        part.padding -= part.paddings.pop(gone, 0)
        part.tags[of] = part.tags.get(of, Tag()).plus(0, -size)
    extent = part.live[index] if e.makes else 0
    if e.makes:
        part.labels[index] = label
        part.paddings[index] = max(e.align if e.kind in ALIGN_TAKERS else 0, e.env.max_align) - 1
        part.padding += part.paddings[index]
        part.tags[label] = part.tags.get(label, Tag()).plus(1, extent)
    tag = part.tags.get(label, Tag())
    return Sums(
        peak=max(before.peak, part.bytes),
        peak_live=max(before.peak_live, len(part.live)),
        peak_padding=max(before.peak_padding, part.padding),
        handed=before.handed + extent,
        made=before.made + int(e.makes),
        label=label,
        tag_made=tag.made,
        tag_bytes=tag.bytes,
        tag_peak=tag.peak,
    )


def order_of_reuse(part: Part, e: Event, popped: int) -> bool:
    """Keep the addresses that were freed and not handed out again; whether `e` hands out one of them."""
    if e.env.reuse_order == Order.ANY:
        return False
    if e.sweeps or e.status in (Status.DIED, Status.WRONG):
        part.freed.clear()
    elif e.served and e.kind == Kind.FREE and popped:
        part.freed.append(popped)
    elif e.makes and e.ptr in part.freed:
        part.freed.remove(e.ptr)
        return True
    return False


def block_of(e: Event, birth: int) -> Block:
    """The block that `e` made, live from `birth` on."""
    return Block(e.ptr, e.room, birth, usable=e.usable)


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
    heap = Heap()
    pages: set[int] = set()
    now = peak = turnover = refused = 0
    live: dict[int, int] = {}
    for index in range(len(history)):
        e, owner = history.event(index), history.owner(index)
        if e.failed and 1 <= e.extent <= RUN_BLOCK_MAX:
            refused += 1
        heap.absorb(index, e, owner)
        ended = [owner] if e.ends else [maker for maker in live if maker not in heap.live] if e.sweeps else []
        now -= sum(live.pop(gone, 0) for gone in ended)
        if e.makes and e.extent <= RUN_BLOCK_MAX:
            extent = int(e.room)
            live[index] = extent
            now += extent
            turnover += extent
            peak = max(peak, now)
            pages.update(range(e.ptr // PAGE, (e.ptr + max(1, extent) - 1) // PAGE + 1))
    return Run(history.trace.profile == "steady", PAGE * len(pages), peak, turnover, refused, history.told.foreign)
