"""What a call costs, in instructions that were counted: one operation at two sizes of the heap. Never time."""

from dataclasses import dataclass, replace
from enum import IntEnum

from ..law import Law, Scope
from ..logic import Truth, Word, least
from ..shapes import SHAPES, WORDS, Kind

TIMES = 2
"""How many times as many instructions a call of constant cost may take in the larger heap …"""
MORE = 200
"""… and how many more at most."""
APART = 10
"""How many times as many blocks the larger heap has, at least."""


class Form(IntEnum):
    """How the heap came to be in which a call is made."""

    FRESH = 1
    """Filled by requests alone."""
    FRAGMENTED = 2
    """Filled, every other block freed in an irregular order, and partly filled again."""
    NEARLY_FULL = 3
    """All blocks of a pool are live but some: what is counted are the free ones."""
    USED = 4
    """Filled, emptied, and filled again: where blocks cannot be freed one by one."""
    FULL = 5
    """All blocks of a pool were live, and some were freed: what are counted are the live ones."""
    GROWING = 6
    """Requests as the number of live blocks passes the powers of two up to the size."""


@dataclass(frozen=True)
class Cost:
    """What one operation cost in a smaller and in a larger heap."""

    kind: Word
    """The operation: a Kind."""
    form: Word
    """How the heap came to be: a Form."""
    few: Word
    """Live blocks of the smaller heap (free ones, where the heap is nearly full) …"""
    many: Word
    """… and of the larger one."""
    at_few: Word
    """Instructions in the smaller heap: of the worst call, or of the median one where the cost is amortised …"""
    at_many: Word
    """… and in the larger one."""
    cap: Word
    """Calls were counted up to so many instructions; what took more is recorded as one more."""


def bound(cost: Cost) -> Word:
    """Instructions that the call may take in the larger heap."""
    return least(TIMES * cost.at_few, cost.at_few + MORE)


def _decided(cost: Cost) -> Truth:
    counted = (cost.at_few >= 1) & (cost.at_few <= cost.cap) & (cost.at_many >= 1)
    # Where the bound lies beyond the cap, a call that was not followed to its end may keep it.
    told = (cost.at_many <= cost.cap) | (bound(cost) <= cost.cap)
    return counted & told & (cost.many // APART >= cost.few)


def _bounded(cost: Cost) -> Truth:
    return cost.at_many <= bound(cost)


def instructions(number: int, cap: int) -> str:
    """A count in words: beyond the cap it is not known."""
    return f"more than {cap:,} instructions" if number > cap else f"{number:,} instruction{'s' * (number != 1)}"


def blocks(number: int, form: int) -> str:
    """What is counted of a heap, in words."""
    return f"{number:,} {'free' if form == Form.NEARLY_FULL else 'live'}"


def in_words(form: int) -> str:
    """How the heap came to be, in words."""
    return Form(form).name.lower().replace("_", " ")


def _observed(cost: Cost) -> str:
    few, many = (blocks(n, cost.form) for n in (cost.few, cost.many))
    small, large = (instructions(n, cost.cap) for n in (cost.at_few, cost.at_many))
    return f"{WORDS[Kind(cost.kind)]}, {in_words(cost.form)}: {small} with {few}, {large} with {many}"


def _required(cost: Cost) -> str:
    which = "twice as many" if TIMES * cost.at_few <= cost.at_few + MORE else f"{MORE} more"
    return f"at most {bound(cost):,} instructions, {which}"


_FREE = Cost(Kind.FREE, Form.FRESH, 1_000, 100_000, 24, 31, 10_000)
_SEARCH = replace(_FREE, kind=Kind.ALLOC, form=Form.FRAGMENTED, at_few=1_500, at_many=10_001)

instructions_bounded = Law[Cost](
    id="HL434",
    name="instructions_bounded",
    sentence="an operation of constant cost takes at most twice as many instructions in a heap of many more blocks, "
    "and at most 200 more",
    source="the allocator's own promise; counted by single steps, as Callgrind counts",
    scope=Scope.COST,
    shapes=frozenset(SHAPES),
    premise=_decided,
    body=_bounded,
    observed=_observed,
    required=_required,
    accepts=(
        (_FREE,),
        (replace(_FREE, at_many=48),),
        (replace(_FREE, at_few=1_000, at_many=1_200),),
    ),
    rejects=(
        (replace(_FREE, at_many=49),),
        (replace(_FREE, at_few=1_000, at_many=1_201),),
        (_SEARCH,),
        (replace(_FREE, form=Form.NEARLY_FULL, few=10, many=100, at_many=240),),
    ),
    needs=frozenset({"constant cost"}),
)

LAWS = (instructions_bounded,)
