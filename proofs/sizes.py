"""Obligations on the reference's size classes: `class_of` and `class_size`, for requests of any size.

The search runs on an unknown size, once for each class that it may find. What is said of the table of classes is said
of that of the reference; that the search finds the least class, of every short table as well.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from heaplaw.refimpl.steps import sizes
from heaplaw.refimpl.steps.sizes import LARGEST, SMALL, SPACING
from heaplaw.spec.logic import Truth, Word, every, implies, neg

from .paths import Source
from .prove import Claim, Obligation, family
from .symbolic import plain

MOST = 6
"""Classes of the tables that are any."""
TRUSTED = ("induction over the size of a request",)


@dataclass(frozen=True)
class Classed:
    """A request, and the class that it gets."""

    size: Word
    index: int
    table: tuple[Word, ...]
    block: Word = 0
    """Bytes of the block; 0 when the request is for a parent."""
    next_block: Word = 0
    """The same for a request of one byte more."""


def of_reference(source: Source, steps: Any) -> Classed:
    """A request of any size, and the table of classes as it is."""
    size = request(source)
    index, block = steps.class_of(size), steps.class_size(size)
    return Classed(plain(size), index, steps.SIZES, block)


def one_more(source: Source, steps: Any) -> Classed:
    """A request of any size, and one of one byte more."""
    size = request(source)
    more = source.machine(plain(size) + 1)
    return Classed(plain(size), 0, (), steps.class_size(size), steps.class_size(more))


def of_any(source: Source, steps: Any) -> Classed:
    """A request of any size, and any table of up to so many classes, ascending."""
    length = source.number("classes")
    count = next((each for each in range(MOST) if length <= each), MOST)
    table = tuple(source.number(f"class_{each}") for each in range(count))
    for low, high in pairwise(table):
        source.assume(low < high, "classes ascend")
    size = request(source)
    return Classed(plain(size), steps.class_of(size, tuple(source.machine(each) for each in table)), table)


def request(source: Source) -> Word:
    """A request of any size, as the search sees it."""
    return source.machine(source.number("size"))


def least(done: Classed) -> Claim:
    """The class found holds the request, and none below it does."""
    below = every(neg(done.size <= each) for each in done.table[: done.index])
    holds: Truth = done.size <= done.table[done.index] if done.index < len(done.table) else True
    return Claim(True, below & holds, said=lambda: f"class {done.index} for {done.size} bytes")


def block(done: Classed) -> Claim:
    """The block is as large as the class says; there is none beyond the last class."""
    wanted = done.table[done.index] if done.index < len(done.table) else 0
    return Claim(True, done.block == wanted, said=lambda: blocked(done))


def spaced(done: Classed) -> Claim:
    """Whoever cuts blocks from aligned memory gets aligned blocks."""
    return Claim(True, done.block % SPACING == 0, said=lambda: blocked(done))


def waste(done: Classed) -> Claim:
    """Internal fragmentation, against the request and against the block."""
    wasted = done.block - done.size
    little = implies(done.size <= SMALL, wasted < SPACING)
    quarter = implies(done.size > SMALL, (4 * wasted < done.size) & (5 * wasted < done.block))
    return Claim((done.size >= 1) & (done.block != 0), little & quarter, said=lambda: blocked(done))


def parents(done: Classed) -> Claim:
    """What has no class is larger than all of them."""
    none = done.block == 0
    return Claim(True, none == (done.size > LARGEST), said=lambda: blocked(done))


def blocked(done: Classed) -> str:
    """What the request got, in words."""
    return f"a block of {done.block} bytes for {done.size} bytes"


def monotonic(done: Classed) -> Claim:
    """One byte more gets no smaller block, and stays a parent's."""
    more, fewer = done.next_block, done.block
    grows = (more == 0) | ((fewer != 0) & (fewer <= more))
    return Claim(True, grows, said=lambda: f"{blocked(done)}, and one of {more} bytes for one more")


WORDS = {
    "least": "a request gets the least class that holds it; the index behind the last where none does",
    "block": "the block is as large as the class; 0 bytes where there is none",
    "spaced": f"every block is a multiple of {SPACING} bytes",
    "waste": f"at most {SPACING - 1} bytes are wasted on a request of up to {SMALL} bytes; above, less than a quarter "
    "of the request and a fifth of the block",
    "parents": f"requests of more than {LARGEST} bytes, and no others, are for a parent",
    "monotonic": "a larger request never gets a smaller block",
}


def obligations(steps: Any = sizes) -> Iterator[Obligation[Any]]:
    """All obligations on size classes: the reference's, or a faulty copy of that module."""
    scope = "every size of a request"
    claims: dict[str, Callable[[Classed], Claim]] = {
        "block": block,
        "spaced": spaced,
        "waste": waste,
        "parents": parents,
    }

    def found(source: Source) -> Classed:
        return of_reference(source, steps)

    yield from family("sizes", "class_of", found, {"least": least}, scope, WORDS)
    yield from family("sizes", "class_size", found, claims, scope, WORDS)
    more = {"monotonic": monotonic}
    yield from family("sizes", "class_size", lambda source: one_more(source, steps), more, scope, WORDS, TRUSTED)
    tables = f"every size of a request, and every ascending table of up to {MOST} classes"
    yield from family("sizes", "search", lambda source: of_any(source, steps), {"least": least}, tables, WORDS)
