"""Layouts: what a size and an alignment become when they are extended, repeated, padded. No allocator is involved."""

from dataclasses import dataclass, replace
from enum import IntEnum

from ..law import Law, Scope
from ..layout import PTRDIFF_MAX, align_up
from ..logic import Truth, Word, implies, ite, mod_pow2, one_of

VAIS = "Vais std/allocator, Layout"


class Asked(IntEnum):
    """Which layout was asked for."""

    NEW = 1
    """`size` bytes aligned to `align`."""
    EXTEND = 2
    """That, and behind it `then_size` bytes aligned to `then_align`, as the next member of a C struct."""
    ARRAY = 3
    """`count` elements of `size` bytes aligned to `align`."""
    PADDED = 4
    """The first, its tail padded to its alignment."""


@dataclass(frozen=True)
class Laid:
    """What was asked of a layout, and what came of it. Bytes; a number below 0 or above 2**63 is recorded as 2**63."""

    asked: Word
    size: Word
    align: Word = 1
    then_size: Word = 0
    then_align: Word = 1
    count: Word = 1
    valid: Truth = True
    """Sizes and counts are from 0 to 2**63 - 1, alignments powers of two in that range."""
    served: Truth = True
    """A layout was given; otherwise the request was refused."""
    got_size: Word = 0
    got_align: Word = 1
    offset: Word = 0
    """Where the extension begins, bytes."""


def _stride(laid: Laid) -> Word:
    return align_up(laid.size, laid.align)


def _start(laid: Laid) -> Word:
    return align_up(laid.size, laid.then_align)


def _whole(laid: Laid) -> Truth:
    """The layout asked for is at most the largest object; as differences and quotients, which cannot wrap."""
    extended = (_start(laid) <= PTRDIFF_MAX) & (
        laid.then_size <= PTRDIFF_MAX - ite(_start(laid) > PTRDIFF_MAX, 0, _start(laid))
    )
    # No elements take no bytes, however large one would be.
    repeated = (laid.count == 0) | (_stride(laid) <= PTRDIFF_MAX // ite(laid.count == 0, 1, laid.count))
    padded = _stride(laid) <= PTRDIFF_MAX
    plain = laid.size <= PTRDIFF_MAX
    special = ite(laid.asked == Asked.EXTEND, extended, ite(laid.asked == Asked.PADDED, padded, plain))
    return ite(laid.asked == Asked.ARRAY, repeated, special)


def _always(laid: Laid) -> Truth:
    return one_of(laid.asked, tuple(Asked))


def _served_iff(laid: Laid) -> Truth:
    possible = laid.valid & _whole(laid)
    return implies(laid.served, possible) & implies(possible, laid.served)


def _asked(laid: Laid) -> str:
    name = Asked(laid.asked).name.lower()
    then = f" then {laid.then_size} aligned to {laid.then_align}" if laid.asked == Asked.EXTEND else ""
    times = f" times {laid.count}" if laid.asked == Asked.ARRAY else ""
    return f"{name}: {laid.size} aligned to {laid.align}{then}{times}"


def _got(laid: Laid) -> str:
    came = f"{laid.got_size} bytes aligned to {laid.got_align}" if laid.served else "refused"
    where = f", the extension at {laid.offset}" if laid.served and laid.asked == Asked.EXTEND else ""
    return f"{_asked(laid)} -> {came}{where}"


_STRUCT = Laid(Asked.EXTEND, 12, 8, 8, 8, got_size=24, got_align=8, offset=16)
_ARRAY = Laid(Asked.ARRAY, 12, 8, count=3, got_size=48, got_align=8)
_HUGE = Laid(Asked.EXTEND, PTRDIFF_MAX, 1, 1, 1, served=False)

layout_served_if_possible = Law[Laid](
    id="HL801",
    name="layout_served_if_possible",
    sentence="a layout is given if and only if its parts are valid and the whole is no larger than any object",
    source=f"{VAIS}; C17 6.5.6 p9",
    scope=Scope.LAYOUT,
    shapes=frozenset(),
    premise=_always,
    body=_served_iff,
    observed=_got,
    required=lambda laid: "refused" if laid.served else "a layout",
    accepts=((_STRUCT,), (_HUGE,), (replace(_ARRAY, valid=False, served=False),)),
    rejects=((replace(_HUGE, served=True),), (replace(_STRUCT, served=False),), (replace(_ARRAY, valid=False),)),
)


def _given(laid: Laid) -> Truth:
    return _always(laid) & laid.served & laid.valid


def _greatest(laid: Laid) -> Truth:
    both = ite(laid.align >= laid.then_align, laid.align, laid.then_align)
    return laid.got_align == ite(laid.asked == Asked.EXTEND, both, laid.align)


layout_align_is_largest = Law[Laid](
    id="HL802",
    name="layout_align_is_largest",
    sentence="a layout's alignment is the largest of its parts'",
    source=f"{VAIS}: layout_extend, layout_array; C17 6.2.8",
    scope=Scope.LAYOUT,
    shapes=frozenset(),
    premise=_given,
    body=_greatest,
    observed=_got,
    required=lambda laid: f"aligned to {max(laid.align, laid.then_align if laid.asked == Asked.EXTEND else 1)}",
    accepts=((_STRUCT,), (_ARRAY,)),
    rejects=((replace(_STRUCT, align=16),), (replace(_ARRAY, got_align=16),)),
)


def _extended(laid: Laid) -> Truth:
    return _given(laid) & (laid.asked == Asked.EXTEND)


def _packs(laid: Laid) -> Truth:
    return (
        (mod_pow2(laid.offset, laid.then_align) == 0)
        & (laid.offset >= laid.size)
        & (laid.offset - laid.size < laid.then_align)
        & (laid.got_size >= laid.offset)
        & (laid.got_size - laid.offset == laid.then_size)
    )


layout_extends_like_c = Law[Laid](
    id="HL803",
    name="layout_extends_like_c",
    sentence="an extension begins at its first aligned place behind the base, and the whole ends where it ends",
    source=f"{VAIS}: layout_extend; C17 6.7.2.1 p15 (members in order, unnamed padding between them)",
    scope=Scope.LAYOUT,
    shapes=frozenset(),
    premise=_extended,
    body=_packs,
    observed=_got,
    required=lambda laid: f"the extension at {_start(laid)}, {_start(laid) + laid.then_size} bytes in all",
    accepts=((_STRUCT,),),
    rejects=(
        (replace(_STRUCT, offset=12, got_size=20),),
        (replace(_STRUCT, offset=24, got_size=32),),
        (replace(_STRUCT, got_size=20),),
    ),
)


def _repeated(laid: Laid) -> Truth:
    return _given(laid) & (laid.asked == Asked.ARRAY)


def _strides(laid: Laid) -> Truth:
    count = ite(laid.count == 0, 1, laid.count)
    whole = (laid.got_size % count == 0) & (laid.got_size // count == _stride(laid))
    return ite(laid.count == 0, laid.got_size == 0, whole)


layout_strides = Law[Laid](
    id="HL804",
    name="layout_strides",
    sentence="an array is a stride for each element: the element's size, rounded up to its alignment",
    source=f"{VAIS}: layout_array; C17 6.2.5 p20",
    scope=Scope.LAYOUT,
    shapes=frozenset(),
    premise=_repeated,
    body=_strides,
    observed=_got,
    required=lambda laid: f"{laid.count} strides of {_stride(laid)} bytes",
    accepts=((_ARRAY,), (replace(_ARRAY, count=0, got_size=0),)),
    rejects=((replace(_ARRAY, got_size=36),), (replace(_ARRAY, count=0),)),
)


def _single(laid: Laid) -> Truth:
    return _given(laid) & one_of(laid.asked, (Asked.NEW, Asked.PADDED))


def _size_kept(laid: Laid) -> Truth:
    return laid.got_size == ite(laid.asked == Asked.PADDED, _stride(laid), laid.size)


layout_size_kept = Law[Laid](
    id="HL805",
    name="layout_size_kept",
    sentence="a layout has the size that was asked for; padded, the first multiple of its alignment from there on",
    source=f"{VAIS}: layout_new; C17 6.5.3.4 (sizeof includes trailing padding)",
    scope=Scope.LAYOUT,
    shapes=frozenset(),
    premise=_single,
    body=_size_kept,
    observed=_got,
    required=lambda laid: f"{_stride(laid) if laid.asked == Asked.PADDED else laid.size} bytes",
    accepts=(
        (Laid(Asked.NEW, 12, 8, got_size=12, got_align=8),),
        (Laid(Asked.PADDED, 12, 8, got_size=16, got_align=8),),
    ),
    rejects=(
        (Laid(Asked.NEW, 12, 8, got_size=16, got_align=8),),
        (Laid(Asked.PADDED, 12, 8, got_size=12, got_align=8),),
    ),
)

LAWS = (layout_served_if_possible, layout_align_is_largest, layout_extends_like_c, layout_strides, layout_size_kept)
