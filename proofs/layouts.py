"""Obligations on the reference's layout functions: every size, alignment and count that can be asked for.

The functions are called as a user calls them, and what came is a `Laid`, of which the laws on layouts speak. An
alignment is any number: whether it is a power of two is decided by the function itself, and by the facts that are known
of powers (`proofs.facts`). Numbers below 0 exist in unbounded integers only; in 64 bits they are huge ones.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from heaplaw.refimpl import layout
from heaplaw.spec.catalogue.layouts import Asked, Laid
from heaplaw.spec.layout import PTRDIFF_MAX, is_power_of_two
from heaplaw.spec.logic import Truth, Word, ite, one_of

from .paths import Source
from .prove import Claim, Obligation, family, law_claim
from .symbolic import plain

ELEMENT = (12, 8)
"""Size and alignment, bytes, of an array's elements in counterexamples, where these show it, …"""
COUNTS = (3, 2**60)
"""… and their numbers: the second makes a product of 2**64."""


@dataclass(frozen=True)
class Asking:
    """A question, and what came of it. Mathematical integers."""

    laid: Laid
    again: tuple[Word, Word]
    """Size and alignment by the function of another name; those that were got where there is none."""


def number(source: Source, name: str) -> Word:
    """Any number that a caller can give."""
    return source.machine(source.number(name))


def counted(value: Word) -> Truth:
    """`value` is a number of bytes, or elements, that an object can have."""
    return (plain(value) >= 0) & (plain(value) <= PTRDIFF_MAX)


def aligns(value: Word) -> Truth:
    """`value` is an alignment."""
    return is_power_of_two(plain(value)) & (plain(value) <= PTRDIFF_MAX)


def recorded(value: Word) -> Word:
    """A number of bytes as `Laid` has it."""
    return ite(counted(value), plain(value), PTRDIFF_MAX + 1)


def asked(what: Asked, size: Word, align: Word) -> Laid:
    """The question about a layout of `size` bytes aligned to `align`."""
    sound = counted(size) & aligns(align)
    return Laid(what, recorded(size), ite(aligns(align), plain(align), 1), valid=sound)


def answered(laid: Laid, error: type[Exception], ask: Callable[[], tuple[Any, Any, Word]]) -> Asking:
    """What `ask` gives: a layout, the same by another name, and an offset; or a refusal."""
    try:
        made, same, offset = ask()
    except error:
        return Asking(replace(laid, served=False), (0, 0))
    laid = replace(laid, got_size=plain(made.size), got_align=plain(made.align), offset=plain(offset))
    return Asking(laid, (plain(same.size), plain(same.align)))


def new(source: Source, module: Any) -> Asking:
    """Any size and alignment."""
    size, align = number(source, "size"), number(source, "align")

    def ask() -> tuple[Any, Any, Word]:
        made = module.layout_new(size, align)
        return made, made, 0

    return answered(asked(Asked.NEW, size, align), module.LayoutError, ask)


def array(source: Source, module: Any) -> Asking:
    """Any number of any elements."""
    size, align, count = (number(source, name) for name in ("elem_size", "elem_align", "count"))
    # With all numbers known, products and quotients of them are no riddle.
    source.prefer((plain(size) == ELEMENT[0]) & (plain(align) == ELEMENT[1]))
    source.prefer(one_of(plain(count), COUNTS))
    laid = asked(Asked.ARRAY, size, align)
    laid = replace(laid, count=recorded(count), valid=laid.valid & counted(count))

    def ask() -> tuple[Any, Any, Word]:
        made = module.layout_array(size, align, count)
        return made, made, 0

    return answered(laid, module.LayoutError, ask)


def checked(source: Source, name: str) -> tuple[Word, Word]:
    """Size and alignment of any layout that can be there."""
    size, align = number(source, f"{name}_size"), number(source, f"{name}_align")
    source.assume(counted(size) & aligns(align), "layouts that are there have been checked")
    return size, align


def padded(source: Source, module: Any) -> Asking:
    """Any layout."""
    size, align = checked(source, "base")

    def ask() -> tuple[Any, Any, Word]:
        made = module.Layout(size, align).padded()
        return made, made, 0

    return answered(asked(Asked.PADDED, size, align), module.LayoutError, ask)


def extend(source: Source, module: Any) -> Asking:
    """Any layout behind any other."""
    (size, align), (then_size, then_align) = checked(source, "base"), checked(source, "then")
    laid = replace(asked(Asked.EXTEND, size, align), then_size=plain(then_size), then_align=plain(then_align))

    def ask() -> tuple[Any, Any, Word]:
        base, ext = module.Layout(size, align), module.Layout(then_size, then_align)
        made, offset = base.extend(ext)
        return made, module.layout_extend(base, ext), offset

    return answered(laid, module.LayoutError, ask)


def on_laid(name: str) -> Callable[[Asking], Claim]:
    """A law on what came."""
    return lambda asking: law_claim(name, asking.laid)


def by_name(asking: Asking) -> Claim:
    """The function and the method give the same."""
    (size, align), laid = asking.again, asking.laid
    same = (size == laid.got_size) & (align == laid.got_align)
    return Claim(laid.served, same, said=lambda: f"{(size, align)} and {(laid.got_size, laid.got_align)}")


ALL = ("layout_served_if_possible", "layout_align_is_largest")
CLAIMS: Mapping[str, tuple[Callable[[Source, Any], Asking], tuple[str, ...]]] = {
    "new": (new, (*ALL, "layout_size_kept")),
    "array": (array, (*ALL, "layout_strides")),
    "padded": (padded, (*ALL, "layout_size_kept")),
    "extend": (extend, (*ALL, "layout_extends_like_c")),
}
WORDS = {"by_name": "`layout_extend` gives what the method `extend` gives"}


def obligations(module: Any = layout) -> Iterator[Obligation[Any]]:
    """All obligations on layouts: the reference's functions, or those of a faulty copy of their module."""
    scope = "every size, alignment and count"
    for step, (ask, laws) in CLAIMS.items():

        def scenario(source: Source, ask: Callable[[Source, Any], Asking] = ask) -> Asking:
            return ask(source, module)

        claims = {name: on_laid(name) for name in laws}
        if step == "extend":
            claims["by_name"] = by_name
        yield from family("layout", step, scenario, claims, scope, WORDS)
