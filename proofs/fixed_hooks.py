"""The hooks of the system's freelist of one size, run whole on any list, over any parent."""

from dataclasses import dataclass, replace
from types import FunctionType
from typing import Any

from heaplaw.spec.event import Env, Event, Status
from heaplaw.spec.logic import Truth, Word, implies, ite
from heaplaw.spec.shapes import Kind

from . import blocks
from .blocks import Situation
from .loops import TurnEnded, swapped
from .paths import Source
from .symbolic import plain
from .tables import WORD
from .threaded import Threading

LARGEST = 2**63 - 1


@dataclass
class Parent:
    """Where chunks come from: any address that keeps a parent's promises, or none."""

    source: Source
    now: Situation
    chunk: Word
    lent: tuple[Word, ...]
    """Blocks of which it is said that a new chunk has no byte in common with them."""
    asked: list[Word]
    """What it was asked for, bytes."""

    def alloc(self, size: Word, tag: str = "") -> Word:
        """A chunk of that size."""
        bytes_ = plain(size)
        self.asked.append(bytes_)
        self.source.assume(promised(self.source, self.now, self.chunk, bytes_, self.lent), PROMISED)
        return self.source.machine(self.chunk)


PROMISED = "the parent's chunks lie at multiples of 16 in the address space, and are shared with nobody"


def promised(source: Source, now: Situation, chunk: Word, size: Word, lent: tuple[Word, ...]) -> Truth:
    """There is no chunk, or it is aligned, in the address space, and apart from these blocks."""
    fair: Truth = (chunk >= 16) & (chunk % 16 == 0) & (chunk + size <= source.modulus)
    for each in lent:
        at = now.spot[each]
        fair = fair & implies(now.exists(each), (at + now.state.block_size <= chunk) | (chunk + size <= at))
    return (chunk == 0) | fair


def lie(source: Source, now: Situation, *indices: Word) -> None:
    """Blocks lie where blocks may, and apart."""
    for each in indices:
        source.assume(now.lies(each), "blocks lie at multiples of 8, or of 16 where their size is one")
        for other in indices:
            if other is not each:
                source.assume(now.apart(each, other), "no two blocks share a byte")


def enough(source: Source, now: Situation, count: Word) -> None:
    """A chunk has blocks, and is an object; blocks can be counted."""
    size = count * now.state.block_size
    source.assume((count >= 1) & (size <= LARGEST), "a chunk has a block, and is no larger than any object")
    source.assume(now.state.num_blocks + count < source.modulus, "blocks can be counted in 64 bits")


NUMBERS = {
    "place": "any_place",
    "index": "any_block",
    "other": "any_other_block",
    "word": "any_word",
    "named": "named",
    "count": "blocks in a chunk",
    "chunk": "chunk",
    "size": "size",
    "alignment": "alignment",
    "freed": "freed just before",
    "held": "held",
    "first": "first chunk",
}


@dataclass(frozen=True)
class Terms:
    """Any numbers."""

    place: Word
    """A place, …"""
    index: Word
    """… a block, …"""
    other: Word
    """… another one, …"""
    word: Word
    """… and a word of the first: what is shown of these is shown of all."""
    named: Word
    """The block that is freed or resized."""
    count: Word
    """Blocks in a chunk."""
    chunk: Word
    """The address of the parent's next one; 0: it has none."""
    size: Word
    alignment: Word
    """That of the list."""
    freed: Word
    """Bytes that were freed just before; 0: none."""
    held: Word
    """Bytes that the block named was asked for with."""
    first: Word
    """The address of an older chunk."""
    align: Word


@dataclass(frozen=True)
class Hooked:
    """A hook that ran, with all that is around it. Mathematical integers."""

    before: Situation
    after: Situation
    event: Event
    terms: Terms
    asked: tuple[Word, ...]
    """What the parent was asked for, bytes."""
    loop: Threading | None = None
    """Of a request: the loop over a new chunk, …"""
    open: Truth = False
    """… and whether the path ends with a turn of it, of which `extended` speaks."""


def like(steps: Any, thread: Any, alignment: Word) -> Any:
    """A freelist of which nothing is set but the books and the name, its hooks calling `thread`."""
    inside = swapped(steps, pool=swapped(steps.pool, thread=thread))
    space: dict[str, Any] = inside.__dict__
    own: dict[str, Any] = dict(steps.Freelist.__dict__)
    hooks: dict[str, Any] = {
        name: FunctionType(hook.__code__, space, name, hook.__defaults__, hook.__closure__)
        for name, hook in own.items()
        if isinstance(hook, FunctionType)
    }
    kind: Any = type("Freelist", (steps.Freelist,), hooks)
    made: Any = object.__new__(kind)
    steps.Booked.__init__(made, "freelist", alignment)
    return made


@dataclass
class Called:
    """Any freelist, on which a hook is called."""

    source: Source
    steps: Any
    lying: bool
    """Where blocks lie is looked at, and nothing else."""

    def __post_init__(self) -> None:
        source = self.source
        self.now, state, self.memory = blocks.arbitrary(source, self.steps.pool, lambda state: source.table("spot"))
        numbers = {field: source.number(name) for field, name in NUMBERS.items()}
        self.terms = the = Terms(align=source.power("align"), **numbers)
        size = self.now.state.block_size
        source.assume((the.word >= 0) & (WORD * the.word + WORD <= size), "the word is one of a block")
        source.assume((the.size >= 0) & (the.size <= LARGEST), "requests are checked: no larger than any object")
        aligned = (the.alignment == ite(size % 16 == 0, 16, 8)) & (the.align >= the.alignment)
        source.assume(aligned, "alignments are the list's own, or larger")
        enough(source, self.now, the.count)
        where = self.now.spot[the.index] + WORD * the.word
        self.loop = Threading(source, self.steps.pool, self.now, the.count, the.chunk, self.memory, where)
        lent = (the.index, the.other) if self.lying else (the.index,)
        self.parent = Parent(source, self.now, the.chunk, lent, [])
        self.it = it = like(self.steps, self.loop.cut, source.machine(the.alignment))
        it.block_size, it._blocks, it._parent = source.machine(size), source.machine(the.count), self.parent
        it._state, it._words, it._chunks = state, self.memory, [source.machine(the.first)]

    def request(self) -> Hooked:
        """`_take`, from the list or from a new chunk."""
        source, now, the = self.source, self.now, self.terms
        if self.lying:
            lie(source, now, the.index, the.other)
            size = now.state.block_size
            even = implies(size % 16 == 0, ((the.index - now.state.num_blocks) * size) % 16 == 0)
            source.assume(even, "a product with a multiple of 16 is one")
        else:
            places = (the.place, the.place - 1, the.place - the.count, now.depth - 1, now.depth - 2)
            blocks.assume_at(source, now, places, (the.index, now.top))
            lie(source, now, now.top, the.index)
        reusable = implies(the.freed > 0, (now.depth >= 1) & (the.freed <= now.state.block_size))
        source.assume(reusable, "what was freed just before is on the list")
        e = Event(Kind.ALIGNED, the.size, the.align, env=Env(16, False))
        try:
            ptr = self.it._take(source.machine(the.size), source.machine(the.align), None)
        except TurnEnded:
            return Hooked(now, now, e, the, tuple(self.parent.asked), self.loop, True)
        e = replace(e, ptr=plain(ptr), status=Status.OK if ptr != 0 else Status.FAILED)
        held, state, words = now, plain(self.it._state), self.memory.words
        if self.loop.cut.entered is not None:
            held = replace(self.loop.goal, depth=now.depth + the.count)
        after = held.popped(e.ptr, state, words) if e.makes else replace(held, state=state, words=words)
        return Hooked(now, after, e, the, tuple(self.parent.asked), self.loop)

    def named(self, kind: Kind) -> Hooked:
        """`_give`, or `_resize`, of any live block."""
        source, now, the = self.source, self.now, self.terms
        source.assume(now.live(the.named), "what is named is live")
        blocks.assume_at(source, now, (the.place, the.place - 1, now.depth, now.depth - 1), (the.index, the.named))
        lie(source, now, the.named, the.index, now.at[the.place])
        few = (the.held >= 0) & (the.held <= now.state.block_size)
        source.assume(few, "a block was asked for with no more bytes than it has")
        at, ptr = source.machine(now.spot[the.named]), 0
        if kind is Kind.FREE:
            self.it._give(at, None)
        else:
            ptr = self.it._resize(at, None, source.machine(the.size), None)
        state, words = plain(self.it._state), self.memory.words
        served = True if kind is Kind.FREE else ptr != 0
        status = Status.OK if served else Status.FAILED
        e = Event(kind, the.size, status=status, held=the.held, ptr=plain(ptr), env=Env(16, False))
        after = now.pushed(the.named, state, words) if kind is Kind.FREE else replace(now, state=state, words=words)
        return Hooked(now, after, e, the, tuple(self.parent.asked))


def hooked(source: Source, steps: Any, kind: Kind, lying: bool = False) -> Hooked:
    """Any freelist, and one of its hooks: a request, or a FREE or RESIZE of any live block."""
    called = Called(source, steps, lying)
    return called.request() if kind is Kind.ALIGNED else called.named(kind)
