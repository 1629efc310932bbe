"""Obligations on the reference free list's own steps: requests of all kinds, `dealloc` with neighbours joined and
without, `init`, and what an owner may write.

For any buffer, aligned or not, any capacity up to the largest object, any list and any live blocks that satisfy the
invariant, any size, count and alignment. The walks of `alloc` and `insert` are cut at `visit` and `pass_by`: `step`
runs whole, the second turn of its walk in any state of the loop, `take` and `join` at whatever place that leads to.

- `freelist_state`: the ghost (the list as a sequence), the invariant, and any state that satisfies it.
- `freelist_request`, `freelist_free`: the steps, run in any such state.
- `freelist_claims`: the laws, and the invariant again.
"""

from collections.abc import Iterator
from typing import Any

from heaplaw.refimpl.steps import freelist
from heaplaw.spec.shapes import Kind

from .freelist_claims import (
    COUNTERS,
    FREED,
    INVARIANT,
    PLACEMENT,
    TURNS,
    WALK,
    WORDS,
    Claims,
    apart,
    constant_time,
    linear_time,
    on_step,
    order_kept,
    zeroed,
)
from .freelist_free import construction, free, made_accesses, made_whole, owned, unharmed
from .freelist_request import Done, request
from .paths import Source
from .prove import Obligation, family

SCOPE = "every buffer, request, and state that satisfies the invariant"
TRUSTED = (
    "induction over the number of operations, and over the turns of a walk",
    "a sum of sizes is at least each of them, and that of one is it; the only live block is all that is live",
    "only live blocks are freed: the class that users hold checks, the steps cannot tell",
)
NAMES = {Kind.ALLOC: "alloc", Kind.ZALLOC: "zeroed", Kind.ALIGNED: "aligned"}
REQUESTED: Claims = {**INVARIANT, "order_kept": order_kept, **WALK, **PLACEMENT, **COUNTERS}
SAME = ("initialisation", "failure_is_reported", "total_is_live_bytes", "remaining_is_rest")
"""What the other requests say again: they call `alloc`, answer as it does, and count (`counted`) as it does."""
SPECIAL: Claims = {name: claim for name, claim in REQUESTED.items() if name not in SAME}
UNALIGNED = ("overflow_is_failure", "failure_changes_nothing", "freed_is_reusable")
"""What the laws say of a request aligned to 8, or what says no more of another one than `counted` does."""
REQUESTS: dict[Kind, Claims] = {
    Kind.ALLOC: REQUESTED,
    Kind.ZALLOC: {**SPECIAL, "zeroed": zeroed},
    Kind.ALIGNED: {name: claim for name, claim in SPECIAL.items() if name not in UNALIGNED},
}
"""What is claimed of each request."""
ORDERED: Claims = {**INVARIANT, **COUNTERS, "capacity_comes_back": on_step("capacity_comes_back")}
"""What the order of the list, and that no free blocks touch, have to do with. That any other request keeps these two is
`order_kept`.
"""


def obligations(steps: Any = freelist) -> Iterator[Obligation[Any]]:
    """All obligations on a free list's steps: the reference's, or a faulty copy of that module."""
    yield from _construction("freelist", steps, False)
    for kind, claims in REQUESTS.items():

        def scenario(source: Source, kind: Kind = kind) -> Done:
            return request(source, steps, kind, False)

        yield from family("freelist", NAMES[kind], scenario, claims, SCOPE, WORDS, TRUSTED)
    claims = {**FREED, "constant_time": constant_time}
    yield from family("freelist", "dealloc", lambda source: free(source, steps, False), claims, SCOPE, WORDS, TRUSTED)
    yield from family(
        "freelist", "usable", lambda source: owned(source, steps, False), {"unharmed": unharmed}, SCOPE, WORDS, TRUSTED
    )


def coalescing(steps: Any = freelist) -> Iterator[Obligation[Any]]:
    """All obligations on the variant that joins freed neighbours."""
    yield from _construction("coalescing", steps, True)
    yield from family(
        "coalescing", "alloc", lambda source: request(source, steps, Kind.ALLOC, True), ORDERED, SCOPE, WORDS, TRUSTED
    )
    claims = {**FREED, "apart": apart, **TURNS, "linear_time": linear_time}
    yield from family("coalescing", "dealloc", lambda source: free(source, steps, True), claims, SCOPE, WORDS, TRUSTED)


def _construction(part: str, steps: Any, ordered: bool) -> Iterator[Obligation[Any]]:
    claims = {"whole": made_whole, "accesses": made_accesses}
    yield from family(part, "init", lambda source: construction(source, steps, ordered), claims, "every buffer", WORDS)
