"""What happens at the limits: refusals, overflows, exhaustion, the very first operation."""

from errno import EINVAL, ENOMEM

from ..event import Env, Event, Flag, Run, Status, View, Zero
from ..law import Law, Scope
from ..layout import SIZE_MAX
from ..logic import Truth, Word, implies, ite, neg, one_of
from ..shapes import MAKERS, PROBES, REQUESTS, SHAPES, Kind

ALL = frozenset(SHAPES)
SIZED = ALL - {"pool"}
MIB = 2**20
STATUS_WORDS = {
    Status.OK: "served",
    Status.FAILED: "refused with the failure value",
    Status.DIED: "never returned",
    Status.WRONG: "returned something that is neither a block nor the failure value",
}


def _status(e: Event) -> str:
    return STATUS_WORDS[Status(e.status)]


def _returned(e: Event) -> Truth:
    return e.served | e.failed


def _not_served(e: Event) -> Truth:
    # What standards leave undefined, and misuse, may end in a crash: laws on clauses say where.
    return e.called & neg(e.served) & neg(one_of(e.kind, PROBES))


failure_is_reported = Law[Event](
    id="HL301",
    name="failure_is_reported",
    sentence="a call is served or gives the failure value; it never ends in a crash, a hang, an exit or anything else",
    source="C17 7.22.3 p1 (if the space cannot be allocated, a null pointer is returned); POSIX.1-2017 malloc",
    scope=Scope.EVENT,
    shapes=ALL,
    premise=_not_served,
    body=_returned,
    observed=_status,
    required=lambda e: "a block, or the failure value" if e.kind in MAKERS else "a return",
    accepts=((Event(Kind.ALLOC, 2**63, status=Status.FAILED),),),
    rejects=((Event(Kind.ALLOC, 2**63, status=Status.DIED),), (Event(Kind.FREE, 0, status=Status.DIED),)),
)


def _unserviceable(e: Event) -> Truth:
    # No elements of any size are 0 bytes, which may be refused or served.
    return e.called & one_of(e.kind, MAKERS) & e.unserviceable & (e.count >= 1)


def _refused(e: Event) -> Truth:
    return e.failed


overflow_is_failure = Law[Event](
    id="HL302",
    name="overflow_is_failure",
    sentence="a request larger than any object (above PTRDIFF_MAX, products and sums that wrap included) is refused",
    source="C17 7.22.3 p1, 6.5.6 p9; C23 7.24.3.2 p3 (calloc fails where the product wraps)",
    scope=Scope.EVENT,
    shapes=SIZED,
    premise=_unserviceable,
    body=_refused,
    observed=lambda e: f"{_status(e)}, for {e.size * e.count} bytes",
    required=lambda e: "the failure value",
    accepts=((Event(Kind.ALLOC, 2**63, status=Status.FAILED),),),
    rejects=(
        (Event(Kind.ALLOC, SIZE_MAX - 15, ptr=0x1010),),
        (Event(Kind.ZALLOC, 2**33, count=2**33, ptr=0x1010),),
    ),
    needs=frozenset({"huge sizes"}),
)


def _plain(e: Event) -> Truth:
    return one_of(e.kind, (Kind.ALLOC, Kind.ZALLOC))


def _owes(pre: View, e: Event) -> Truth:
    # Less than was freed may belong to another class of sizes; who joins and splits has none.
    fits = ite(bool(e.env.coalesces), e.extent <= pre.owed, e.extent == pre.owed)
    return pre.after_failure & _plain(e) & e.asks & (e.extent >= 1) & fits


def _refused_call(e: Event) -> Truth:
    # An instance that was destroyed and could not be made again has no state that could be kept.
    # A block that is resized to nothing may be gone although NULL came.
    return e.failed & neg(one_of(e.kind, (Kind.RENEW, Kind.RESIZE_TO_ZERO)))


def _failure_premise(pre: View, e: Event, post: View) -> Truth:
    return _refused_call(e) | _owes(pre, e) | (pre.after_failure & e.reads)


def _failure_changes_nothing(pre: View, e: Event, post: View) -> Truth:
    same_blocks = (post.num_free == pre.num_free) & (post.num_allocated == pre.num_allocated)
    same_bytes = (post.remaining == pre.remaining) & (post.total == pre.total)
    return (
        implies(_refused_call(e), same_blocks & same_bytes)
        & implies(_owes(pre, e), e.served)
        & implies(pre.after_failure & e.reads, e.intact >= e.held)
    )


def _failure_observed(pre: View, e: Event, post: View) -> str:
    if e.status == Status.FAILED and (post.num_free, post.num_allocated) != (pre.num_free, pre.num_allocated):
        return (
            f"free {pre.num_free} -> {post.num_free}, allocated {pre.num_allocated} -> {post.num_allocated} blocks "
            "across a refused request"
        )
    if e.status == Status.FAILED and (post.remaining, post.total) != (pre.remaining, pre.total):
        return (
            f"remaining {pre.remaining} -> {post.remaining}, allocated {pre.total} -> {post.total} bytes "
            "across a refused request"
        )
    if e.status == Status.FAILED:
        return f"{e.extent} bytes refused right after a refusal, {pre.owed} bytes having been freed just before it"
    return f"byte {e.bad_at} of {e.held} is not as written, read right after a refused request"


failure_changes_nothing = Law[View, Event, View](
    id="HL303",
    name="failure_changes_nothing",
    sentence="a refusal changes nothing: same counters, same payloads, and what was just freed can be had again",
    source="C17 7.22.3.5 p3 (realloc); the strong guarantee, for all operations",
    scope=Scope.STEP,
    shapes=ALL,
    premise=_failure_premise,
    body=_failure_changes_nothing,
    observed=_failure_observed,
    required=lambda pre, e, post: "the state from before the refusal",
    accepts=(
        (View(3, 1), Event(Kind.ALLOC, 64, status=Status.FAILED), View(3, 1, after_failure=True)),
        (View(after_failure=True, owed=64), Event(Kind.ALLOC, 64, ptr=0x1000), View(live=1)),
    ),
    rejects=(
        (View(3, 1), Event(Kind.ALLOC, 64, status=Status.FAILED), View(2, 2, after_failure=True)),
        (View(remaining=96), Event(Kind.ALLOC, 99, status=Status.FAILED), View(remaining=0, after_failure=True)),
        (
            View(after_failure=True, owed=64),
            Event(Kind.ALLOC, 64, status=Status.FAILED),
            View(after_failure=True),
        ),
        (View(after_failure=True), Event(Kind.FREE, 0, held=64, flags=Flag.DAMAGED, bad_at=3), View()),
    ),
)


def footprint_limit(r: Run) -> Word:
    """Bytes of pages that a workload with this peak may cover: four times the peak and 256 KiB, and what others use."""
    return 4 * r.peak + MIB // 4 + r.foreign


def _reuse_premise(r: Run) -> Truth:
    return r.steady & ((r.turnover >= 2 * footprint_limit(r)) | (r.refused > 0))


def _reuse(r: Run) -> Truth:
    return (r.footprint <= footprint_limit(r)) & (r.refused == 0)


reuse = Law[Run](
    id="HL304",
    name="reuse",
    sentence="freed memory comes back: a steady workload covers a bounded footprint and is never refused",
    source=(
        "no standard: users rely on it, though a free list that never joins its fragments may break it; "
        "the bound is 4 times the peak of live bytes and 256 KiB"
    ),
    scope=Scope.RUN,
    shapes=frozenset({"malloc", "freelist", "lua_alloc"}),
    premise=_reuse_premise,
    body=_reuse,
    observed=lambda r: (
        f"pages of {r.footprint / MIB:.1f} MiB covered with at most {r.peak / MIB:.2f} MiB live; {r.refused} refused"
    ),
    required=lambda r: f"at most {footprint_limit(r) / MIB:.1f} MiB, none refused",
    accepts=((Run(True, 3 * MIB, MIB, 64 * MIB, 0),),),
    rejects=((Run(True, 64 * MIB, MIB, 64 * MIB, 0),), (Run(True, MIB, MIB, 4 * MIB, 1),)),
    needs=frozenset({"coalesces"}),
)


def _is_first(e: Event) -> Truth:
    return e.called & (e.index == 0) & neg(one_of(e.kind, PROBES))


def _first_is_whole(e: Event) -> Truth:
    return (e.served | e.failed) & implies(e.makes, e.reach >= e.extent)


first_operation = Law[Event](
    id="HL305",
    name="first_operation",
    sentence="any operation may be the very first in a fresh process",
    source="C17 7.22.3 (no call of the library has to come before another)",
    scope=Scope.EVENT,
    shapes=ALL,
    premise=_is_first,
    body=_first_is_whole,
    observed=_status,
    required=lambda e: "a whole block, or the failure value",
    accepts=((Event(Kind.ZALLOC, 8, ptr=0x1000),),),
    rejects=((Event(Kind.ZALLOC, 8, status=Status.DIED),),),
    needs=frozenset({"C functions"}),
)


def _gives_back(e: Event) -> Truth:
    # Where a block could not even be read before the call, the call was not made.
    asked = e.called & neg(e.failed & (e.flags == Flag.DAMAGED))
    return asked & one_of(e.kind, (Kind.FREE, Kind.POP, Kind.RESET, Kind.RELEASE))


def _is_not_refused(e: Event) -> Truth:
    return neg(e.failed)


free_is_served = Law[Event](
    id="HL306",
    name="free_is_served",
    sentence="giving memory back is never refused: a live block can be freed or popped, a mark released, all be reset",
    source="C17 7.22.3.3 p2-p3 (free has no failure); Vais std/allocator: pop, reset",
    scope=Scope.EVENT,
    shapes=ALL,
    premise=_gives_back,
    body=_is_not_refused,
    observed=_status,
    required=lambda e: "served",
    accepts=((Event(Kind.FREE, 0, held=64),),),
    rejects=((Event(Kind.FREE, 0, held=64, status=Status.FAILED),), (Event(Kind.RESET, 0, status=Status.FAILED),)),
    needs=frozenset({"giving back"}),
)


def _surely_has_room(pre: View, e: Event) -> Truth:
    """There is room for the smallest block, wherever the heap ends: asking for nothing costs no more than a byte does.

    A byte was freed just before; or so much that an aligned block lies in it, with what an allocator adds: freed just
    before, or served by the empty heap once, and the heap is empty again. The empty heap is only then as it was if it
    joins what is freed, or is one buffer, or was just reset or made again: else it may be in fragments.
    """
    joins, enough = bool(e.env.coalesces), 4 * e.required_align
    anew = pre.back & one_of(pre.undone_by, (Kind.RESET, Kind.RENEW))
    whole = (anew | joins | bool(e.env.one_buffer)) & (pre.whole >= enough)
    return (_plain(e) & (pre.freed == 1)) | (joins & (pre.freed >= enough)) | whole


def _asks_for_nothing(pre: View, e: Event, post: View) -> Truth:
    # A heap that is full may refuse what it would give otherwise, and nobody else knows when it is full.
    decided = (e.env.zero_size == Zero.NULL) | neg(e.failed) | _surely_has_room(pre, e)
    return e.asks & (e.extent == 0) & decided


def _zero_as_promised(pre: View, e: Event, post: View) -> Truth:
    return ite(e.env.zero_size == Zero.NULL, e.failed, e.served)


_NULL, _UNIQUE = Env(zero_size=Zero.NULL), Env(zero_size=Zero.UNIQUE)

zero_size_as_promised = Law[View, Event, View](
    id="HL307",
    name="zero_size_as_promised",
    sentence="a request for 0 bytes gives what was promised: the failure value, or a block of its own if there is room",
    source="C17 7.22.3 p1 (implementation-defined: either a null pointer or as if the size were some nonzero value)",
    scope=Scope.STEP,
    shapes=SIZED,
    premise=_asks_for_nothing,
    body=_zero_as_promised,
    observed=lambda pre, e, post: _status(e),
    required=lambda pre, e, post: "the failure value" if e.env.zero_size == Zero.NULL else "a block of its own",
    accepts=(
        (View(live=3), Event(Kind.ALLOC, 0, status=Status.FAILED, env=_NULL), View(live=3)),
        (View(), Event(Kind.ALLOC, 0, ptr=0x1010, env=_UNIQUE), View(live=1)),
    ),
    rejects=(
        (View(), Event(Kind.ALLOC, 0, ptr=0x1010, env=_NULL), View(live=1)),
        (View(live=7, freed=1), Event(Kind.ALLOC, 0, status=Status.FAILED, env=_UNIQUE), View(live=7)),
        (
            View(whole=1024, back=True, undone_by=Kind.RESET),
            Event(Kind.ALIGNED, 0, 64, status=Status.FAILED, env=_UNIQUE),
            View(),
        ),
    ),
    needs=frozenset({"zero size"}),
)


def _refuses(e: Event) -> Truth:
    return e.failed & one_of(e.kind, (*REQUESTS, Kind.RESIZE)) & neg(e.kind == Kind.POSIX_ALIGNED) & (e.extent >= 1)


def _tells_errno(e: Event) -> Truth:
    return one_of(e.err, (ENOMEM, EINVAL))


errno_told = Law[Event](
    id="HL308",
    name="errno_told",
    sentence="a refusal sets errno to ENOMEM or EINVAL",
    source="POSIX.1-2017 malloc, calloc, realloc: errors",
    scope=Scope.EVENT,
    shapes=ALL,
    premise=_refuses,
    body=_tells_errno,
    observed=lambda e: f"errno = {e.err}",
    required=lambda e: f"{ENOMEM} (ENOMEM) or {EINVAL} (EINVAL)",
    accepts=((Event(Kind.ALLOC, 2**62, status=Status.FAILED, err=ENOMEM),),),
    rejects=((Event(Kind.ALLOC, 2**62, status=Status.FAILED),),),
    needs=frozenset({"errno"}),
)


def _was_examined(e: Event) -> Truth:
    return e.called & (e.sound > 0)


def _is_sound(e: Event) -> Truth:
    return e.sound == 1


invariant_holds = Law[Event](
    id="HL309",
    name="invariant_holds",
    sentence="the allocator's own check of itself finds nothing wrong, after every operation",
    source="the allocator's manual, as its mapping names the call",
    scope=Scope.EVENT,
    shapes=ALL,
    premise=_was_examined,
    body=_is_sound,
    observed=lambda e: "its own check reports a fault",
    required=lambda e: "no fault",
    accepts=((Event(Kind.ALLOC, 64, ptr=0x1010, sound=1),),),
    rejects=((Event(Kind.ALLOC, 64, ptr=0x1010, sound=2),),),
    needs=frozenset({"invariant"}),
)

LAWS = (
    failure_is_reported,
    overflow_is_failure,
    failure_changes_nothing,
    reuse,
    first_operation,
    free_is_served,
    zero_size_as_promised,
    errno_told,
    invariant_holds,
)
