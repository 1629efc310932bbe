"""Layout functions on every combination of boundary values, judged by the laws on layouts.

The functions are called as a user calls them; what came is recorded as a `Laid`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from types import ModuleType
from typing import Any

from heaplaw.refimpl import layout
from heaplaw.spec.catalogue import CATALOGUE
from heaplaw.spec.catalogue.layouts import Asked, Laid
from heaplaw.spec.judge import Tally
from heaplaw.spec.law import Scope
from heaplaw.spec.layout import PTRDIFF_MAX, is_power_of_two
from heaplaw.spec.verdict import Verdict, Violation

SIZES = (-1, 0, 1, 7, 8, 12, 24, 4095, 2**62, PTRDIFF_MAX - 8, PTRDIFF_MAX - 7, PTRDIFF_MAX - 1, PTRDIFF_MAX, 2**63)
ALIGNS = (-8, 0, 1, 2, 3, 8, 24, 64, 2**62, 2**63)
COUNTS = (-1, 0, 1, 3, 2**32, 2**60, PTRDIFF_MAX, 2**63)
PLAIN = Laid(Asked.NEW, 0)


@dataclass(frozen=True)
class Layouts:
    """What came of all combinations."""

    tallies: tuple[Tally, ...]
    calls: int

    @property
    def violations(self) -> list[Violation]:
        """The first of each law that was broken."""
        return [tally.violations[0] for tally in self.tallies if tally.violations]

    @property
    def verdicts(self) -> list[Verdict]:
        """A verdict for each law on layouts."""
        return [tally.verdict() for tally in self.tallies]


def recorded(value: int) -> int:
    """A number as `Laid` records it."""
    return value if 0 <= value <= PTRDIFF_MAX else PTRDIFF_MAX + 1


def valid(sizes: Sequence[int], aligns: Sequence[int]) -> bool:
    """Sizes and counts that an object may have, and alignments."""
    return all(0 <= size <= PTRDIFF_MAX for size in sizes) and all(
        is_power_of_two(align) and align <= PTRDIFF_MAX for align in aligns
    )


def answered(laid: Laid, error: type[Exception], ask: Callable[[], tuple[Any, int]]) -> Laid:
    """`laid` with what `ask` gives: a layout and an offset, or a refusal."""
    try:
        made, offset = ask()
    except error:
        return replace(laid, served=False)
    return replace(laid, got_size=recorded(made.size), got_align=made.align, offset=recorded(offset))


def plain(function: Callable[..., Any], *arguments: int) -> tuple[Any, int]:
    """A layout, at no offset."""
    return function(*arguments), 0


def padded(base: Any) -> tuple[Any, int]:
    """A layout with its tail padded."""
    return base.padded(), 0


def there(module: ModuleType, size: int, align: int) -> Any:
    """A layout to go on with; None where it is refused, which is seen elsewhere."""
    try:
        return module.layout_new(size, align)
    except module.LayoutError:
        return None


def asked(module: ModuleType = layout) -> Iterator[Laid]:
    """Every combination of the values above, and what the layout functions of `module` made of it."""
    refused = module.LayoutError
    for size, align in product(SIZES, ALIGNS):
        sound = valid((size,), (align,))
        laid = replace(PLAIN, size=recorded(size), align=align if is_power_of_two(align) else 1, valid=sound)
        yield answered(laid, refused, partial(plain, module.layout_new, size, align))
        for count in COUNTS:
            array = replace(laid, asked=Asked.ARRAY, count=recorded(count), valid=valid((size, count), (align,)))
            yield answered(array, refused, partial(plain, module.layout_array, size, align, count))
        base = there(module, size, align) if sound else None
        if base is None:
            continue
        yield answered(replace(laid, asked=Asked.PADDED), refused, partial(padded, base))
        for then_size, then_align in product(SIZES, ALIGNS):
            behind = there(module, then_size, then_align) if valid((then_size,), (then_align,)) else None
            if behind is None:
                continue
            extended = replace(laid, asked=Asked.EXTEND, then_size=then_size, then_align=then_align)
            yield answered(extended, refused, partial(base.extend, behind))


def judged(module: ModuleType = layout) -> Layouts:
    """The layout functions of `module` on every combination, by every law on layouts."""
    tallies = tuple(Tally(law) for law in CATALOGUE.values() if law.scope is Scope.LAYOUT)
    calls = 0
    for laid in asked(module):
        for tally in tallies:
            tally.judge((calls,), laid)
        calls += 1
    for tally in tallies:
        tally.runs = 1
    return Layouts(tallies, calls)
