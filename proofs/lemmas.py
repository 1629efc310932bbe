"""Lemmas that fast judges stand on, about the laws' own bodies.

`obligations`: with blocks sorted by address, disjointness of neighbours entails disjointness of any two.
Proved as the step of an induction over the distance in the sorted order: for a before b before c, if a, b
are disjoint and b, c are, then a, c are. (a, b at distance k; b, c neighbours.) Trusted: that induction,
and that the list of live blocks is sorted and whole.

And the law means what it says: it holds of two blocks if and only if no byte is in both.

`holes`: checks that look as good and are not; each is refuted, and its counterexample says why. That they have these
holes is an obligation as well.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from heaplaw.spec.catalogue import law
from heaplaw.spec.event import Block
from heaplaw.spec.logic import Truth, Word, ite, neg

from .claims import as_stated
from .facts import EXACT, POWERS, SCHEMAS, z3
from .paths import Source
from .prove import Claim, Obligation
from .symbolic import Reading, SymBool, int_term

SCOPE = "any blocks of at least 1 byte within the address space"


def _block(source: Source, name: str) -> Block:
    """Any block: at least one byte, ending at or below 2**64."""
    ptr, extent = source.number(f"{name}.ptr"), source.number(f"{name}.extent")
    source.assume(
        (ptr >= 0) & (extent >= 1) & (ptr + extent <= source.modulus),
        "blocks have a byte, and lie in the address space",
    )
    source.prefer((ptr <= 64) & (extent <= 16))
    return Block(ptr, extent)


def _disjoint(a: Block, b: Block) -> Truth:
    return law("blocks_disjoint").body(a, b)


def neighbours_suffice(source: Source) -> Claim:
    """For a, b, c by address: a, b disjoint and b, c disjoint entail a, c disjoint."""
    a, b, c = (_block(source, name) for name in "abc")
    source.assume((a.ptr <= b.ptr) & (b.ptr <= c.ptr), "blocks are sorted by address")
    return _about_pair(_disjoint(a, b) & _disjoint(b, c), a, c)


def order_is_irrelevant(source: Source) -> Claim:
    """The law means the same for (a, b) and (b, a): a sorted judge may swap the two."""
    a, b = _block(source, "a"), _block(source, "b")
    return _about_pair(_disjoint(b, a), a, b)


def no_byte_is_shared(source: Source) -> Claim:
    """Where the law holds of two blocks, no byte is in both."""
    a, b, byte = _block(source, "a"), _block(source, "b"), source.number("any_byte")
    return Claim(_disjoint(a, b), neg(_inside(byte, a) & _inside(byte, b)))


def a_byte_is_shared(source: Source) -> Claim:
    """Where the law does not hold of two blocks, a byte is in both: the first one of that which starts later."""
    a, b = _block(source, "a"), _block(source, "b")
    byte = ite(a.ptr >= b.ptr, a.ptr, b.ptr)
    return Claim(neg(_disjoint(a, b)), _inside(byte, a) & _inside(byte, b))


def have_holes(source: Source) -> Claim:
    """Checks of the new block's ends alone, or of the old block's start alone, let pass what the law does not."""
    a, b = _block(source, "a"), _block(source, "b")
    last = b.ptr + b.extent - 1
    contains = (b.ptr < a.ptr) & (b.ptr + b.extent > a.ptr + a.extent) & neg(_disjoint(a, b))
    covers = _inside(b.ptr, a) & neg(_disjoint(a, b))
    ends, start = neg(_inside(b.ptr, a)) & neg(_inside(last, a)), neg(_inside(a.ptr, b))
    cases = {
        "a new block that contains an old one": contains & ends,
        "one that starts inside an old one": covers & start,
    }
    return Claim(True, True, cases=cases)


def ends_suffice(source: Source) -> Claim:
    """False: "neither end of the new block b lies in the old block a" entails that they are disjoint."""
    a, b = _block(source, "a"), _block(source, "b")
    last = b.ptr + b.extent - 1
    return _about_pair(neg(_inside(b.ptr, a)) & neg(_inside(last, a)), a, b)


def start_suffices(source: Source) -> Claim:
    """False: "the old block a does not start in the new block b" entails that they are disjoint."""
    a, b = _block(source, "a"), _block(source, "b")
    return _about_pair(neg(_inside(a.ptr, b)), a, b)


def _inside(address: Word, block: Block) -> Truth:
    return (address >= block.ptr) & (address < block.ptr + block.extent)


def _about_pair(premise: Truth, a: Block, b: Block) -> Claim:
    return Claim(premise, _disjoint(a, b), law("blocks_disjoint"), (a, b))


def _named(parts: tuple[Callable[[Source], Claim], ...]) -> Iterator[Obligation[Claim]]:
    for build in parts:
        words = (build.__doc__ or "").removeprefix("False: ")
        yield Obligation("judge", build.__name__, "blocks_disjoint", words, SCOPE, Reading.UNBOUNDED, build, as_stated)


def obligations() -> Iterator[Obligation[Claim]]:
    """What the fast judges stand on, to be proved."""
    yield from _named((neighbours_suffice, order_is_irrelevant, no_byte_is_shared, a_byte_is_shared))
    (holes_,) = _named((have_holes,))
    yield replace(holes_, about="other_checks", possible=True)


def holes() -> Iterator[Obligation[Claim]]:
    """Tempting lemmas that are false, to be refuted."""
    return _named((ends_suffice, start_suffices))


def arithmetic() -> Iterator[Obligation[Claim]]:
    """Every fact that proofs instantiate (`proofs.facts`), of the exact operators."""
    for name, (schema, count) in SCHEMAS.items():
        scenario = partial(of_each_power if name == "remainder" else of_any, schema=schema, count=count)
        words = (schema.__doc__ or "").strip()
        yield Obligation("facts", name, "fact", words, "any integers", Reading.UNBOUNDED, scenario, as_stated)


def of_any(source: Source, schema: Callable[..., Iterator[Any]], count: int) -> Claim:
    """A schema's facts, of any integers."""
    numbers = [int_term(source.number(letter)) for letter in "abc"[:count]]
    return Claim(True, SymBool(z3.And(*schema(EXACT, *numbers))))


def of_each_power(source: Source, schema: Callable[..., Iterator[Any]], count: int) -> Claim:
    """A schema's facts, the last number being a power of two: one path for each of the 64."""
    numbers = [int_term(source.number(letter)) for letter in "abc"[: count - 1]]
    power = one_of_these(source.number("power"), POWERS)
    return Claim(True, SymBool(z3.And(*schema(EXACT, *numbers, z3.IntVal(power)))))


def one_of_these(number: Word, values: tuple[int, ...]) -> int:
    """One of `values`, in order of size, each on a path of its own: the largest that is at most `number`, or the first.

    So the number may be any, and no case is left out.
    """
    low, high = 0, len(values)
    while high - low > 1:
        middle = (low + high) // 2
        if number < values[middle]:
            high = middle
        else:
            low = middle
    return values[low]
