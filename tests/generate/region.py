"""A tiny region in plain Python: bump, stack and arena in one, to run traces on."""

from dataclasses import dataclass, field

from heaplaw.spec.event import NONE, Env, Event, Status, View
from heaplaw.spec.heap import Heap
from heaplaw.spec.history import Trace
from heaplaw.spec.layout import align_up
from heaplaw.spec.shapes import REQUESTS, Kind

ROOM = 65536


@dataclass
class Region:
    """One instance. `things` are live blocks and marks: what they are, and where the region ended before them."""

    env: Env
    top: int = 0
    things: dict[int, tuple[Kind, int]] = field(default_factory=dict[int, tuple[Kind, int]])

    @property
    def room(self) -> int:
        return int(self.env.capacity) or ROOM

    def request(self, index: int, kind: Kind, size: int, align: int) -> int:
        """The address of a new block, or 0."""
        at = align_up(self.top, align)
        if at + size > self.room:
            return 0
        self.things[index] = (kind, self.top)
        self.top = at + size
        return 2**20 + at

    def back_to(self, index: int) -> None:
        """End everything from `index` on."""
        gone = [thing for thing in self.things if thing >= index]
        if gone:
            self.top = self.things[gone[0]][1]
        for thing in gone:
            del self.things[thing]

    def newest(self) -> int:
        """The newest block, or NONE."""
        return max((thing for thing, (kind, _) in self.things.items() if kind != Kind.MARK), default=NONE)


@dataclass
class Played:
    """What came of a trace: each operation's event, and the view after it."""

    events: list[Event] = field(default_factory=list[Event])
    views: list[View] = field(default_factory=list[View])
    stale: list[int] = field(default_factory=list[int])
    """Operations that named what does not live."""
    tops: list[int] = field(default_factory=list[int])
    """Bytes taken in the instance, after each operation."""

    @property
    def twins(self) -> int:
        """Operations that had been asked before in the same state."""
        return sum(bool(view.twin) for view in self.views)


def play(trace: Trace) -> Played:
    """Run the trace on tiny regions, and keep the abstract heap."""
    regions: dict[int, Region] = {}
    heap, played = Heap(), Played()
    env = trace.env
    for index, op in enumerate(trace.ops()):
        region = regions.setdefault(op.instance, Region(env))
        status, ptr, owner = Status.OK, 0, NONE
        if op.kind in REQUESTS:
            align = op.align or int(env.max_align)
            ptr = region.request(index, op.kind, op.size * op.count, align)
            status = Status.OK if ptr else Status.FAILED
        elif op.kind == Kind.MARK:
            region.things[index] = (op.kind, region.top)
        elif op.kind in (Kind.RESET, Kind.RENEW):
            region.back_to(0)
        else:
            owner = region.newest() if op.kind == Kind.POP else op.slot
            if op.kind != Kind.POP and owner not in region.things:
                status = Status.SKIPPED
                played.stale.append(index)
            elif op.kind in (Kind.POP, Kind.RELEASE) and owner != NONE:
                region.back_to(owner)
        event = Event(op.kind, op.size, op.align, op.count, status, ptr=ptr, index=index, instance=op.instance, env=env)
        heap.absorb(index, event, owner)
        played.events.append(event)
        played.views.append(heap.view(event))
        played.tops.append(region.top)
    return played
