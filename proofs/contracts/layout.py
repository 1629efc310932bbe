"""Layouts of any size and count."""

from collections.abc import Callable

from heaplaw.refimpl import layout as steps
from heaplaw.spec.catalogue.layouts import Asked, Laid
from heaplaw.spec.layout import PTRDIFF_MAX

from .engine import Contract
from .memory import ALIGNS, holds

LAWS = (
    "layout_served_if_possible",
    "layout_align_is_largest",
    "layout_extends_like_c",
    "layout_strides",
    "layout_size_kept",
)
COUNTS = (3, 0)


def lawful(asked: Asked, ask: Callable[[], tuple[steps.Layout, int]], *parts: int) -> bool:
    """What was asked with these sizes, alignments and counts, as the laws see it, and what came of it.

    `parts`: size, alignment, size and alignment of what is behind it, count; a size below 0 is told as one too large.
    """
    size, align, then_size, then_align, count = parts
    sizes = (size, then_size, count)
    valid = all(0 <= each <= PTRDIFF_MAX for each in sizes)
    told = [each if 0 <= each <= PTRDIFF_MAX else PTRDIFF_MAX + 1 for each in sizes]
    try:
        made, offset = ask()
    except steps.LayoutError:
        return holds(LAWS, Laid(asked, told[0], align, told[1], then_align, told[2], valid, False))
    got = (made.size, made.align, offset)
    return holds(LAWS, Laid(asked, told[0], align, told[1], then_align, told[2], valid, True, *got))


def new(size: int, align: int) -> bool:
    """A layout is given as it was asked for, if and only if an object can be so.

    pre: 0 <= align < 2
    post: _
    """
    power = ALIGNS[align]
    return lawful(Asked.NEW, lambda: (steps.layout_new(size, power), 0), size, power, 0, 1, 1)


def extend(size: int, align: int, then_size: int, then_align: int) -> bool:
    """A layout behind another begins where C's next member does, if an object can be so large.

    pre: 0 <= size <= PTRDIFF_MAX and 0 <= then_size <= PTRDIFF_MAX
    pre: 0 <= align < 2 and 0 <= then_align < 2
    post: _
    """
    power, then = ALIGNS[align], ALIGNS[then_align]
    base, behind = steps.layout_new(size, power), steps.layout_new(then_size, then)
    return lawful(Asked.EXTEND, lambda: base.extend(behind), size, power, then_size, then, 1)


def array(size: int, align: int, count: int) -> bool:
    """An array has a stride for each element, if an object can be so large.

    pre: 0 <= align < 2 and 0 <= count < 2
    post: _
    """
    power, times = ALIGNS[align], COUNTS[count]
    return lawful(Asked.ARRAY, lambda: (steps.layout_array(size, power, times), 0), size, power, 0, 1, times)


def padded(size: int, align: int) -> bool:
    """A padded layout has the next multiple of its alignment as its size, if an object can be so large.

    pre: 0 <= size <= PTRDIFF_MAX
    pre: 0 <= align < 2
    post: _
    """
    power = ALIGNS[align]
    base = steps.layout_new(size, power)
    return lawful(Asked.PADDED, lambda: (base.padded(), 0), size, power, 0, 1, 1)


_ANY = "any size, aligned to 8 or 64"
CONTRACTS = (
    Contract("layout.new", new, _ANY),
    Contract("layout.extend", extend, "two of any size, each aligned to 8 or 64"),
    Contract("layout.array", array, "any size, aligned to 8 or 64; 0 or 3 elements"),
    Contract("layout.padded", padded, _ANY),
)
