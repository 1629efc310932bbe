"""The arena: what fits, chunks that come and go, and releases over up to two of them."""

from heaplaw.refimpl.steps import arena as steps
from heaplaw.refimpl.steps.arena import ArenaState
from heaplaw.spec.event import Env, Event, View
from heaplaw.spec.layout import PTRDIFF_MAX
from heaplaw.spec.shapes import Kind

from .engine import Contract
from .memory import ADDRESSES, ALIGNS, Cells, holds


class Parent(Cells):
    """Words, and a parent whose chunks lie where it is told."""

    def __init__(self, *places: int) -> None:
        super().__init__()
        self._places = list(places)
        self.taken: list[tuple[int, int]] = []
        self.given: list[tuple[int, int]] = []

    def take(self, size: int) -> int:
        """The next chunk."""
        place = self._places.pop(0)
        self.taken.append((place, size))
        return place

    def give(self, address: int, size: int) -> None:
        """A chunk comes back."""
        self.given.append((address, size))


def is_state(chunk: int, top: int, end: int, total: int) -> bool:
    """An arena whose newest chunk is this one."""
    return 16 <= chunk and chunk % 16 == 0 and chunk + 32 <= top <= end < ADDRESSES and 0 <= total


def lawful(state: ArenaState, ptr: int, size: int, align: int) -> bool:
    """A block there would be aligned, and lie in what is left of the newest chunk."""
    env = Env(16, False, base=state.top, capacity=state.end - state.top)
    return holds(("aligned", "in_bounds"), Event(Kind.ALIGNED, size, align, ptr=ptr, env=env))


def fits(chunk: int, top: int, end: int, size: int, align: int, ptr: int) -> bool:
    """A request fits if and only if there is a lawful address for it in the newest chunk.

    pre: is_state(chunk, top, end, 0)
    pre: 1 <= size <= PTRDIFF_MAX
    pre: 0 <= align < 2
    pre: 0 < ptr < ADDRESSES
    post: _
    """
    state = steps.ArenaState(64, chunk, top, end, 0)
    if not steps.fits(state, size, ALIGNS[align]):
        return not lawful(state, ptr, size, ALIGNS[align])
    return lawful(state, top + steps.padding(top, ALIGNS[align]), size, ALIGNS[align])


def bump(chunk: int, top: int, end: int, total: int, size: int, align: int) -> bool:
    """What fits is handed out at a lawful address, and counted with the padding before it.

    pre: is_state(chunk, top, end, total)
    pre: 1 <= size <= PTRDIFF_MAX
    pre: 0 <= align < 2
    post: _
    """
    state = steps.ArenaState(64, chunk, top, end, total)
    if not steps.fits(state, size, ALIGNS[align]):
        return True
    after, block = steps.bump(state, size, ALIGNS[align])
    counted = after.total - total == after.top - top and after.top == block + size
    return lawful(state, block, size, ALIGNS[align]) and counted and after.end == end


def chunk_for(chunk: int, chunk_size: int, size: int, align: int) -> bool:
    """A new chunk, wherever it lies, holds the block that it is taken for; there is none only for what is too large.

    pre: 16 <= chunk and chunk % 16 == 0
    pre: 48 <= chunk_size <= 2**32 and chunk_size % 16 == 0
    pre: 1 <= size < 2**64
    pre: 0 <= align < 2
    post: _
    """
    state = steps.ArenaState(chunk_size, 0, 0, 0, 0)
    needed = steps.chunk_for(state, size, ALIGNS[align])
    if needed == 0:
        return size > PTRDIFF_MAX - steps.HEADER - ALIGNS[align]
    grown = steps.grow(state, needed, Parent(chunk))
    return needed % 16 == 0 and bool(steps.fits(grown, size, ALIGNS[align])) and grown.end == chunk + needed


def grow(chunk: int, top: int, end: int, total: int, place: int, size: int) -> bool:
    """Giving the newest chunk back undoes taking it, and gives back just what was taken.

    pre: is_state(chunk, top, end, total)
    pre: 16 <= place and place % 16 == 0 and 48 <= size and size % 16 == 0
    post: _
    """
    state, parent = steps.ArenaState(64, chunk, top, end, total), Parent(place)
    grown = steps.grow(state, size, parent)
    if grown.chunk != place or grown.top < place + steps.HEADER or grown.end != place + size:
        return False
    return bool(steps.shrink(grown, parent) == state) and parent.given == [(place, size)]


def cut(chunk: int, top: int, end: int, total: int, size: int, align: int) -> bool:
    """Cutting back to a mark undoes what was handed out since.

    pre: is_state(chunk, top, end, total)
    pre: 1 <= size <= PTRDIFF_MAX
    pre: 0 <= align < 2
    post: _
    """
    state = steps.ArenaState(64, chunk, top, end, total)
    if not steps.fits(state, size, ALIGNS[align]):
        return True
    after, _ = steps.bump(state, size, ALIGNS[align])
    return undone(state, steps.cut(after, top))


def undone(before: ArenaState, after: ArenaState) -> bool:
    """A release brought the counters back, and all else with them."""
    remaining = after.end - after.top, before.end - before.top
    post = View(
        remaining=remaining[0],
        total=after.total,
        undone_by=Kind.RELEASE,
        back=True,
        then_remaining=remaining[1],
        then_total=before.total,
    )
    e = Event(Kind.RELEASE, 0, env=Env(one_buffer=True))
    return holds(("release_frees_all",), View(), e, post) and bool(after == before)


def release(chunk: int, top: int, end: int, total: int, chunks: int, size: int) -> bool:
    """A release gives back all chunks taken since its mark, the newest first, and brings everything back.

    pre: is_state(chunk, top, end, total) and end < 2**62
    pre: 0 <= chunks <= 2
    pre: 1 <= size <= 64
    post: _
    """
    state = steps.ArenaState(96, chunk, top, end, total)
    parent, now = Parent(2**62, 2**62 + 96), state
    for _ in range(chunks):
        now = steps.grow(now, 96, parent)
        now, _ = steps.bump(now, size, 8)
    after = steps.release(now, top, parent)
    return undone(state, after) and parent.given == parent.taken[::-1]


_STATE = "any chunk and size, aligned to 8 or 64"
CONTRACTS = (
    Contract("arena.fits", fits, f"{_STATE}, any address"),
    Contract("arena.bump", bump, _STATE),
    Contract("arena.chunk_for", chunk_for, f"{_STATE}, wherever the chunk lies"),
    Contract("arena.grow", grow, "any state and chunk"),
    Contract("arena.cut", cut, _STATE),
    Contract("arena.release", release, "up to two chunks since the mark, each with a block"),
)
