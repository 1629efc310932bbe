"""What allocators say about bytes: `remaining`, `total_allocated`, and what must be served because of it."""

from dataclasses import replace

from ..event import Env, Event, Padding, Status, View
from ..law import Law, Scope
from ..logic import Truth, implies, one_of
from ..shapes import Kind

COUNTING = frozenset({"bump", "freelist", "stack", "arena"})
_ENV = Env(align_by_size=False, max_align=8, remaining=256, one_buffer=True)
_EXACT, _COUNTED = replace(_ENV, padding=Padding.EXCLUDED), replace(_ENV, padding=Padding.COUNTED)
_GAVE = Event(Kind.ALLOC, 64, ptr=0x1040, env=_ENV)
_REFUSED = Event(Kind.ALLOC, 64, status=Status.FAILED, env=_ENV)


def _counted(pre: View, e: Event, post: View) -> Truth:
    return e.counted


def _total(pre: View, e: Event, post: View) -> Truth:
    exact = e.env.padding == Padding.EXCLUDED
    return (
        (post.total >= post.live_bytes)
        & implies(post.live == 0, post.total == e.env.total)
        & implies(exact, post.total == post.live_bytes)
    )


total_is_live_bytes = Law[View, Event, View](
    id="HL411",
    name="total_is_live_bytes",
    sentence=(
        "total_allocated covers the bytes of the live blocks, exactly where padding is excluded, and is as at first "
        "when nothing is live"
    ),
    source="Vais std/allocator: total_allocated",
    scope=Scope.STEP,
    shapes=COUNTING,
    premise=_counted,
    body=_total,
    observed=lambda pre, e, post: f"total_allocated = {post.total} bytes with {post.live_bytes} bytes live",
    required=lambda pre, e, post: (
        f"{e.env.total if post.live == 0 else post.live_bytes} bytes"
        + (" or more" if e.env.padding != Padding.EXCLUDED and post.live else "")
    ),
    accepts=(
        (View(), _GAVE, View(live=1, live_bytes=64, total=72)),
        (View(), replace(_GAVE, env=_EXACT), View(live=1, live_bytes=64, total=64)),
    ),
    rejects=(
        (View(), _GAVE, View(live=1, live_bytes=64, total=56)),
        (View(live=1, live_bytes=64, total=72), Event(Kind.RESET, 0, env=_ENV), View(total=8)),
        (View(), replace(_GAVE, env=_EXACT), View(live=1, live_bytes=64, total=72)),
    ),
    needs=frozenset({"total_allocated"}),
)


def _rest(pre: View, e: Event, post: View) -> Truth:
    # As differences: sums of counters gone wrong could wrap in a column of 64-bit words.
    left, first = post.remaining, e.env.remaining
    exact = e.env.padding == Padding.EXCLUDED
    whole_again = (post.live == 0) & (bool(e.env.one_buffer) | bool(e.env.coalesces))
    return (
        (left <= first)
        & (post.live_bytes <= first - left)
        & implies(whole_again, left == first)
        & implies(exact, post.live_bytes == first - left)
    )


remaining_is_rest = Law[View, Event, View](
    id="HL412",
    name="remaining_is_rest",
    sentence=(
        "remaining is what was there at first less the live bytes, less padding where that counts, and all of it when "
        "nothing is live"
    ),
    source="Vais std/allocator: remaining",
    scope=Scope.STEP,
    shapes=frozenset({"bump", "freelist", "stack"}),
    premise=_counted,
    body=_rest,
    observed=lambda pre, e, post: f"remaining = {post.remaining} bytes with {post.live_bytes} bytes live",
    required=lambda pre, e, post: (
        f"{'' if e.env.padding == Padding.EXCLUDED or post.live == 0 else 'at most '}"
        f"{e.env.remaining - post.live_bytes} of {e.env.remaining} bytes"
    ),
    accepts=(
        (View(remaining=256), _GAVE, View(live=1, live_bytes=64, remaining=184)),
        (View(remaining=256), replace(_GAVE, env=_EXACT), View(live=1, live_bytes=64, remaining=192)),
    ),
    rejects=(
        (View(remaining=256), _GAVE, View(live=1, live_bytes=64, remaining=200)),
        (View(remaining=184, live=1), Event(Kind.POP, 0, env=_ENV), View(remaining=248)),
        (View(remaining=256), replace(_GAVE, env=_EXACT), View(live=1, live_bytes=64, remaining=184)),
        (View(remaining=256), _GAVE, View(live=1, live_bytes=64, remaining=264)),
    ),
    needs=frozenset({"remaining"}),
)


def _asks(pre: View, e: Event, post: View) -> Truth:
    return e.asks & (e.extent >= 1)


def _served_if_fits(pre: View, e: Event, post: View) -> Truth:
    # As differences: the sum of what is asked for could wrap in a column of 64-bit words.
    fits, left = e.extent <= pre.remaining, pre.remaining - e.extent
    surely = fits & (e.required_align <= left) & (e.env.header <= left - e.required_align)
    # Bytes that padding has taken may still be among the remaining ones, unless these are known to be counted.
    surely = surely & ((pre.live == 0) | (e.env.padding == Padding.COUNTED))
    return implies(surely, e.served) & implies(e.served, fits)


fits_is_served = Law[View, Event, View](
    id="HL413",
    name="fits_is_served",
    sentence=(
        "what surely fits into the remaining bytes, with padding and header, is served, where these count padding or "
        "nothing is live; what was served did fit"
    ),
    source="Vais std/allocator, BumpAllocator and StackAllocator: alloc, remaining",
    scope=Scope.STEP,
    shapes=frozenset({"bump", "stack"}),
    premise=_asks,
    body=_served_if_fits,
    observed=lambda pre, e, post: (
        f"{e.extent} bytes {'served' if e.status == Status.OK else 'refused'} with {pre.remaining} bytes remaining"
    ),
    required=lambda pre, e, post: (
        f"served: {e.extent} bytes, alignment {e.required_align} and header {e.env.header} fit"
        if e.status != Status.OK
        else "the failure value"
    ),
    accepts=(
        (View(remaining=256), _GAVE, View(remaining=192)),
        (View(remaining=65), _REFUSED, View(remaining=65)),
        (View(remaining=96, live=1), replace(_REFUSED, env=_EXACT), View(remaining=96, live=1)),
    ),
    rejects=(
        (View(remaining=256), _REFUSED, View(remaining=256)),
        (View(remaining=96, live=1), replace(_REFUSED, env=_COUNTED), View(remaining=96, live=1)),
        (View(remaining=63), _GAVE, View(remaining=0)),
    ),
    needs=frozenset({"remaining"}),
)


def _fitted_the_empty_heap(pre: View, e: Event, post: View) -> Truth:
    return e.asks & one_of(e.kind, (Kind.ALLOC, Kind.ZALLOC)) & (e.extent >= 1) & (e.extent <= pre.whole)


def _is_served(pre: View, e: Event, post: View) -> Truth:
    return e.served


capacity_comes_back = Law[View, Event, View](
    id="HL414",
    name="capacity_comes_back",
    sentence="when everything is freed, what the empty heap served before is served again",
    source="no standard: the promise of every allocator that joins freed neighbours",
    scope=Scope.STEP,
    shapes=frozenset({"malloc", "freelist", "lua_alloc"}),
    premise=_fitted_the_empty_heap,
    body=_is_served,
    observed=lambda pre, e, post: f"{e.extent} bytes refused by the empty heap, which has served {pre.whole} bytes",
    required=lambda pre, e, post: "a block",
    accepts=((View(whole=4096), _GAVE, View(live=1)),),
    rejects=((View(whole=4096), _REFUSED, View()),),
    needs=frozenset({"coalesces"}),
)

LAWS = (total_is_live_bytes, remaining_is_rest, fits_is_served, capacity_comes_back)
