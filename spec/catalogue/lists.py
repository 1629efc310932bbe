"""Free lists seen from inside, and what operations and blocks cost: by counts, never by time."""

from dataclasses import replace

from ..event import Env, Event, Status, View
from ..law import Law, Scope
from ..logic import Truth, implies, ite, neg, one_of
from ..report import LEFT_OPEN, Report, Sums, Walk
from ..shapes import SHAPES, Kind

VAIS = "Vais std/allocator"
_ENV = Env(align_by_size=False, max_align=8, minimum=32, most_cost=8, header=16)
_GAVE = Event(Kind.ALLOC, 64, ptr=0x1010, report=Report(first_fit=0x1010, least_free=32, least_taken=80), env=_ENV)
_REFUSED = Event(Kind.ALLOC, 64, status=Status.FAILED, env=_ENV)


def _asks(e: Event) -> Truth:
    return e.asks & neg(e.report.first_fit == LEFT_OPEN)


def _first(e: Event) -> Truth:
    return ite(e.report.first_fit == 0, e.failed, e.served & (e.ptr == e.report.first_fit))


first_fit = Law[Event](
    id="HL421",
    name="first_fit",
    sentence="a request gets the first free block, in list order, that it fits into; it is refused if there is none",
    source=f"{VAIS}, FreeListAllocator: first-fit allocation strategy",
    scope=Scope.EVENT,
    shapes=frozenset({"freelist"}),
    premise=_asks,
    body=_first,
    observed=lambda e: f"address {e.ptr:#x}" if e.status == Status.OK else "the failure value",
    required=lambda e: (
        f"{e.report.first_fit:#x}, in the first free block that {e.extent} bytes aligned to {e.required_align} fit into"
        if e.report.first_fit
        else "the failure value: the request fits into no free block"
    ),
    accepts=((_GAVE,), (_REFUSED,)),
    rejects=(
        (replace(_GAVE, ptr=0x1050),),
        (replace(_GAVE, report=Report()),),
        (replace(_REFUSED, report=Report(first_fit=0x1010)),),
    ),
    needs=frozenset({"first_fit"}),
)


def _called(e: Event) -> Truth:
    # Pure steps that begin anew have not been asked yet what their list is like.
    return e.counted & neg(e.kind == Kind.RENEW)


def _no_fragment(e: Event) -> Truth:
    return (e.report.least_free >= e.env.minimum) & (e.report.least_taken >= e.env.minimum)


split_leaves_minimum = Law[Event](
    id="HL422",
    name="split_leaves_minimum",
    sentence="no block, free or handed out, is smaller than the minimum: a rest below it is not split off",
    source=f"{VAIS}, FreeListAllocator: block splitting, minimum allocation size of 32 bytes including the header",
    scope=Scope.EVENT,
    shapes=frozenset({"freelist"}),
    premise=_called,
    body=_no_fragment,
    observed=lambda e: f"a block of {min(e.report.least_free, e.report.least_taken)} bytes",
    required=lambda e: f"at least {e.env.minimum} bytes",
    accepts=((_GAVE,),),
    rejects=(
        (replace(_GAVE, report=replace(_GAVE.report, least_free=16)),),
        (replace(_GAVE, report=replace(_GAVE.report, least_taken=24)),),
    ),
    needs=frozenset({"least_free", "least_taken", "minimum"}),
)


def _fits(e: Event) -> Truth:
    return e.asks & (e.report.least_fit > 0)


def _best(e: Event) -> Truth:
    return e.served & (e.report.taken_from == e.report.least_fit)


best_fit = Law[Event](
    id="HL423",
    name="best_fit",
    sentence="a request that fits into a free block gets the memory of one than which no smaller one fits",
    source="best-fit allocation strategy",
    scope=Scope.EVENT,
    shapes=frozenset({"freelist"}),
    premise=_fits,
    body=_best,
    observed=lambda e: (
        f"a block of {e.report.taken_from} bytes"
        if e.report.taken_from
        else "the failure value"
        if e.failed
        else f"address {e.ptr:#x}, in no free block"
    ),
    required=lambda e: f"a free block of {e.report.least_fit} bytes, into which {e.extent} bytes fit",
    accepts=((replace(_GAVE, report=Report(least_fit=80, taken_from=80)),),),
    rejects=(
        (replace(_GAVE, report=Report(least_fit=80, taken_from=96)),),
        (replace(_GAVE, report=Report(least_fit=80)),),
        (replace(_REFUSED, report=Report(least_fit=80)),),
    ),
    needs=frozenset({"least_fit", "taken_from"}),
)

_FREE_LIST = "what a free list is: the blocks that are free, each of them once"


def _looked(e: Event) -> Truth:
    return e.counted & (e.report.walk > 0)


def _ended(e: Event) -> Truth:
    return e.report.walk == Walk.ENDED


_STRAYED = {
    Walk.RETURNED: "it comes back to a block that it has met",
    Walk.LOST: "it leads to memory that is not there",
}

list_ends = Law[Event](
    id="HL424",
    name="list_ends",
    sentence="followed from its first block, the free list meets no block twice, leads nowhere else, and ends",
    source=_FREE_LIST,
    scope=Scope.EVENT,
    shapes=frozenset({"freelist"}),
    premise=_looked,
    body=_ended,
    observed=lambda e: _STRAYED.get(Walk(int(e.report.walk)), "it ends"),
    required=lambda e: "it ends",
    accepts=((replace(_GAVE, report=Report(walk=Walk.ENDED)),),),
    rejects=(
        (replace(_GAVE, report=Report(walk=Walk.RETURNED)),),
        (replace(_GAVE, report=Report(walk=Walk.LOST)),),
    ),
    needs=frozenset({"walk"}),
)


def _apart(e: Event) -> Truth:
    return e.report.free_shared == 0


listed_once = Law[Event](
    id="HL425",
    name="listed_once",
    sentence="no two blocks on the free list share a byte",
    source=_FREE_LIST,
    scope=Scope.EVENT,
    shapes=frozenset({"freelist"}),
    premise=_looked,
    body=_apart,
    observed=lambda e: f"{e.report.free_shared} bytes shared by two blocks on the list",
    required=lambda e: "0 bytes shared",
    accepts=((replace(_GAVE, report=Report(walk=Walk.ENDED)),),),
    rejects=((replace(_GAVE, report=Report(walk=Walk.ENDED, free_shared=16)),),),
    needs=frozenset({"walk", "free_shared"}),
)


def _none_live(e: Event) -> Truth:
    return e.report.live_shared == 0


listed_is_free = Law[Event](
    id="HL426",
    name="listed_is_free",
    sentence="no block on the free list shares a byte with a live block",
    source=_FREE_LIST,
    scope=Scope.EVENT,
    shapes=frozenset({"freelist"}),
    premise=_looked,
    body=_none_live,
    observed=lambda e: f"{e.report.live_shared} bytes of a live block are in a block on the list",
    required=lambda e: "0 bytes shared",
    accepts=((replace(_GAVE, report=Report(walk=Walk.ENDED)),),),
    rejects=((replace(_GAVE, report=Report(walk=Walk.ENDED, live_shared=16)),),),
    needs=frozenset({"walk", "live_shared"}),
)

_ASKING = (Kind.ALLOC, Kind.ALIGNED)
_GIVING_BACK = (Kind.FREE, Kind.POP)


def _constant(e: Event) -> Truth:
    asks: Truth = bool(e.env.constant_alloc)
    gives: Truth = bool(e.env.constant_free)
    return (one_of(e.kind, _ASKING) & asks) | (one_of(e.kind, _GIVING_BACK) & gives)


def _is_constant(e: Event) -> Truth:
    return e.counted & _constant(e)


def _within_constant(e: Event) -> Truth:
    return e.report.cost <= e.env.most_cost


constant_time = Law[Event](
    id="HL431",
    name="constant_time",
    sentence="an operation of constant cost reads and writes no more than a fixed number of words, whatever is live",
    source=f"{VAIS}, performance characteristics: O(1)",
    scope=Scope.EVENT,
    shapes=frozenset(SHAPES),
    premise=_is_constant,
    body=_within_constant,
    observed=lambda e: f"{e.report.cost} words",
    required=lambda e: f"at most {e.env.most_cost} words",
    accepts=((replace(_GAVE, report=Report(cost=8)),),),
    rejects=((replace(_GAVE, report=Report(cost=9)),),),
    needs=frozenset({"cost", "constant time"}),
)


def _is_linear(e: Event) -> Truth:
    return e.counted & one_of(e.kind, (*_ASKING, *_GIVING_BACK)) & implies(_constant(e), e.kind == 0)


def _within_linear(e: Event) -> Truth:
    # By division: the product with a counter gone wrong could wrap in a column of 64-bit words, as a sum could.
    each = e.report.cost // ite(e.env.most_cost == 0, 1, e.env.most_cost)
    return ite(each == 0, 0, each - 1) <= e.report.nodes


linear_time = Law[Event](
    id="HL432",
    name="linear_time",
    sentence="an operation that walks the free list reads and writes at most a constant number of words a block on it",
    source=f"{VAIS}, performance characteristics: FreeList allocation is O(n)",
    scope=Scope.EVENT,
    shapes=frozenset({"freelist"}),
    premise=_is_linear,
    body=_within_linear,
    observed=lambda e: f"{e.report.cost} words with {e.report.nodes} free blocks",
    required=lambda e: f"at most about {e.env.most_cost * (e.report.nodes + 1)} words",
    accepts=((replace(_GAVE, report=Report(cost=24, nodes=2), env=replace(_ENV, constant_alloc=False)),),),
    rejects=((replace(_GAVE, report=Report(cost=40, nodes=2), env=replace(_ENV, constant_alloc=False)),),),
    needs=frozenset({"cost", "nodes", "linear time"}),
)


def _holds(pre: View, e: Event, post: View) -> Truth:
    return e.counted


def _bounded(pre: View, e: Event, post: View) -> Truth:
    most = post.sums.peak + post.sums.peak_live * e.env.overhead + post.sums.peak_padding
    held = e.report.footprint
    return (post.live_bytes <= held) & (held <= 2 * most + e.env.chunk)


overhead_bounded = Law[View, Event, View](
    id="HL433",
    name="overhead_bounded",
    sentence=(
        "the memory held covers the live bytes, and exceeds the peak only by the stated overhead of each block, by "
        "padding, and by ends of chunks"
    ),
    source="the allocator system, memory overhead: platform ~0, arena ~0, freelist ~0, trace ~64 bytes an allocation",
    scope=Scope.STEP,
    shapes=frozenset(SHAPES),
    premise=_holds,
    body=_bounded,
    observed=lambda pre, e, post: f"{e.report.footprint} bytes held",
    required=lambda pre, e, post: (
        f"from {post.live_bytes} bytes to about twice {post.sums.peak}, {e.env.overhead} for each of "
        f"{post.sums.peak_live} blocks, {post.sums.peak_padding} of padding, and a chunk of {e.env.chunk}"
    ),
    accepts=(
        (
            View(),
            replace(_GAVE, report=Report(footprint=4096), env=replace(_ENV, chunk=4096)),
            View(live=1, live_bytes=64, sums=Sums(peak=64, peak_live=1)),
        ),
    ),
    rejects=(
        (
            View(),
            replace(_GAVE, report=Report(footprint=8192), env=replace(_ENV, chunk=4096)),
            View(live=1, live_bytes=64, sums=Sums(peak=64, peak_live=1)),
        ),
        (
            View(),
            replace(_GAVE, report=Report(footprint=32), env=_ENV),
            View(live=1, live_bytes=64, sums=Sums(peak=64, peak_live=1)),
        ),
    ),
    needs=frozenset({"footprint", "overhead"}),
)

LAWS = (
    first_fit,
    split_leaves_minimum,
    best_fit,
    list_ends,
    listed_once,
    listed_is_free,
    constant_time,
    linear_time,
    overhead_bounded,
)
