"""New blocks that are threaded on a list, one in each turn of a loop: a new pool's, or those of a new chunk.

The ghost is that of `proofs.blocks`, grown by the new blocks; in the loop just the depth of its stack rises. The
function around the loop runs whole (`proofs.loops`): the loop's first turn shows in which state it is entered, its
second one is any turn, and what follows it is looked at in any state in which it may be left.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from heaplaw.refimpl.steps.pool import PoolState
from heaplaw.spec.logic import Truth, Word, every, implies, ite

from .blocks import FIELDS, Situation
from .loops import Cut, TurnEnded
from .paths import Source, Table, TableMemory
from .prove import Claim
from .symbolic import plain
from .tables import WORD, Access, Mapped


def grown(base: Situation, blocks: Word, chunk: Word) -> Situation:
    """The ghost with `blocks` new blocks at `chunk`, the first one uppermost, above the free ones that there were."""
    old, depth, size = base.state.num_blocks, base.depth, base.state.block_size

    def at(place: Word) -> Word:
        new = ite(place < depth + blocks, old + blocks - 1 - (place - depth), base.at[place - blocks])
        return ite(place < depth, base.at[place], new)

    def place(index: Word) -> Word:
        kept = ite(base.place[index] < depth, base.place[index], base.place[index] + blocks)
        return ite(index >= old, depth + (old + blocks - 1 - index), kept)

    def spot(index: Word) -> Word:
        return ite(index >= old, chunk + (index - old) * size, base.spot[index])

    state = replace(base.state, buffer=chunk, num_blocks=old + blocks)
    out = Mapped(lambda index: ite(index >= old, 0, base.out[index]))
    return replace(base, state=state, at=Mapped(at), place=Mapped(place), spot=Mapped(spot), out=out)


@dataclass
class Threading:
    """A loop of `thread` over new blocks, cut at one turn. The invariant of the loop is assumed in its second turn:
    some blocks are threaded, and no word beside the new blocks has changed.
    """

    source: Source
    steps: Any
    """The module of `thread`."""
    base: Situation
    """Before the loop: without the new blocks."""
    blocks: Word
    """So many new blocks, …"""
    chunk: Word
    """… which lie here."""
    memory: TableMemory
    address: Word = None
    """Any address, or one that is looked at."""
    entry: Table | None = None
    """What the memory is when the loop is entered."""

    def __post_init__(self) -> None:
        source = self.source
        source.split()
        self.cut = Cut(self.steps.thread, self._jump)
        self.place, self.index = source.number("any_place"), source.number("any_block")
        self.turns = source.number("turns")
        if self.address is None:
            self.address = source.number("any_address")
        self.goal = grown(self.base, self.blocks, self.chunk)
        self.words = source.table("word in the loop")

    def reached(self, turns: Word, state: PoolState, words: Table) -> Situation:
        """After so many turns."""
        return replace(self.goal, state=plain(state), depth=self.base.depth + turns, words=words)

    @property
    def loop(self) -> Situation:
        """When any turn begins."""
        depth = self.base.depth + self.turns
        state = replace(self.goal.state, free_list=self.source.number("head in the loop"), num_free=depth)
        return self.reached(self.turns, state, self.words)

    @property
    def new(self) -> Word:
        """The block that this turn threads."""
        return self.base.state.num_blocks + self.blocks - 1 - self.turns

    def beside(self, address: Word) -> Truth:
        """A word there has no byte in common with the new blocks."""
        return (address + WORD <= self.chunk) | (address >= self.chunk + self.blocks * self.base.state.block_size)

    def kept(self, words: Table) -> Truth:
        """The word at any address beside the new blocks is as it was before the loop."""
        return implies(self.beside(self.address), words[self.address] == self.base.words[self.address])

    def sized(self, now: Situation) -> Truth:
        """The number and the size of the blocks are as they are to be."""
        return every(getattr(now.state, name) == getattr(self.goal.state, name) for name in FIELDS[:3])

    def _jump(self, *_: Any) -> Any:
        source, loop, self.entry = self.source, self.loop, self.memory.words
        some = (self.turns >= 0) & (self.turns <= self.blocks)
        source.assume(some & loop.counted(), "the loop has gone through some of the blocks")
        for place in (self.place, self.place - 1, loop.depth, loop.depth - 1):
            source.assume(loop.linked(place), "in the loop each place has a block, and links to the one below")
        source.assume(self.kept(self.words), "the loop has changed no word beside the new blocks")
        self.memory.words = self.words
        return self.steps.PoolState(*(source.machine(getattr(loop.state, name)) for name in FIELDS))

    def ran(self, run: Callable[[], Any]) -> "Threaded":
        """Run what has the loop in it; the cut must stand in `thread`'s place there."""
        try:
            result = run()
        except TurnEnded:
            result = None
        return Threaded(self, result, self.memory.words, tuple(self.memory.accesses))


@dataclass(frozen=True)
class Threaded:
    """What came of it on one path: the loop's first turn is shown on all; then either a turn, or what follows."""

    loop: Threading
    result: Any
    """What was returned; None where the path ends with a turn."""
    words: Table
    accesses: tuple[Access, ...]

    @property
    def turn(self) -> Truth:
        """The path ends with a turn."""
        return self.result is None


def initialisation(done: Threaded) -> Claim:
    """Where the loop is entered no new block is threaded, and the memory is as it was."""
    loop, entered = done.loop, done.loop.cut.entered
    if entered is None or loop.entry is None:
        return Claim(True, False)
    start = loop.reached(0, entered[0], loop.entry)
    return Claim(
        True,
        start.counted()
        & start.linked(loop.place)
        & start.placed(loop.index)
        & loop.kept(loop.entry)
        & loop.sized(start),
    )


def preservation(done: Threaded) -> Claim:
    """A turn threads one more block, and changes no word beside the new blocks."""
    loop = done.loop
    if not done.turn:
        return Claim(False, True)
    after = loop.reached(loop.turns + 1, loop.cut.turned, done.words)
    some = (loop.turns + 1 >= 0) & (loop.turns + 1 <= loop.blocks)
    return Claim(True, some & after.counted() & after.linked(loop.place) & loop.kept(done.words) & loop.sized(after))


def variant(done: Threaded) -> Claim:
    """There are blocks left when a turn begins, and fewer when it ends."""
    loop = done.loop
    if not done.turn:
        return Claim(False, True)
    full = loop.base.depth + loop.blocks
    return Claim(True, (loop.turns < loop.blocks) & (full - plain(loop.cut.turned).num_free < full - loop.loop.depth))


def turn_accesses(done: Threaded) -> Claim:
    """A turn writes the first word of its block, which lies among the new ones at a multiple of 8."""
    loop = done.loop
    if not done.turn:
        return Claim(False, True)
    place = loop.goal.spot[loop.new]
    inside = (place >= loop.chunk) & (place + WORD <= loop.chunk + loop.blocks * loop.base.state.block_size)
    return Claim(True, every((each.address == place) & inside & (place % WORD == 0) for each in done.accesses))


TURNS: dict[str, Callable[[Threaded], Claim]] = {
    "initialisation": initialisation,
    "preservation": preservation,
    "variant": variant,
    "accesses": turn_accesses,
}
TURN_WORDS = {
    "initialisation": "the loop is entered with none of the new blocks on the list, and all else as it was",
    "preservation": "each turn puts one more block on top of the list, and changes no word beside the new blocks",
    "variant": "each turn leaves fewer blocks, and there are blocks left when it begins",
    "accesses": "a turn writes the first word of its block, inside the new blocks, at a multiple of 8",
}
"""What these say."""
