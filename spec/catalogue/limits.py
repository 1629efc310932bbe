"""What happens at the limits: refusals, overflows, exhaustion, the very first operation."""

from ..event import Event, Flag, Run, Status, View
from ..law import Law, Scope
from ..layout import SIZE_MAX
from ..logic import Truth, Word, implies, neg, one_of
from ..shapes import Kind

ALL = frozenset({"malloc", "pool"})
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
    return e.called & neg(e.served)


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
    required=lambda e: "a return" if e.kind == Kind.FREE else "a block, or the failure value",
    accepts=((Event(Kind.ALLOC, 2**63, status=Status.FAILED),),),
    rejects=((Event(Kind.ALLOC, 2**63, status=Status.DIED),), (Event(Kind.FREE, 0, status=Status.DIED),)),
)


def _unserviceable(e: Event) -> Truth:
    return (
        e.called
        & one_of(e.kind, (Kind.ALLOC, Kind.ZALLOC, Kind.RESIZE, Kind.ALIGNED, Kind.POSIX_ALIGNED))
        & e.unserviceable
    )


def _refused(e: Event) -> Truth:
    return e.failed


overflow_is_failure = Law[Event](
    id="HL302",
    name="overflow_is_failure",
    sentence="a request larger than any object (above PTRDIFF_MAX, products and sums that wrap included) is refused",
    source="C17 7.22.3 p1, 6.5.6 p9; C23 7.24.3.2 p3 (calloc fails where the product wraps)",
    scope=Scope.EVENT,
    shapes=frozenset({"malloc"}),
    premise=_unserviceable,
    body=_refused,
    observed=lambda e: f"{_status(e)}, for {e.size * e.count} bytes",
    required=lambda e: "the failure value",
    accepts=((Event(Kind.ALLOC, 2**63, status=Status.FAILED),),),
    rejects=(
        (Event(Kind.ALLOC, SIZE_MAX - 15, ptr=0x1010),),
        (Event(Kind.ZALLOC, 2**33, count=2**33, ptr=0x1010),),
    ),
)


def _plain(e: Event) -> Truth:
    return one_of(e.kind, (Kind.ALLOC, Kind.ZALLOC))


def _owes(pre: View, e: Event) -> Truth:
    return pre.after_failure & _plain(e) & (e.extent >= 1) & (e.extent <= pre.owed)


def _failure_premise(pre: View, e: Event, post: View) -> Truth:
    return e.failed | _owes(pre, e) | (pre.after_failure & e.reads)


def _failure_changes_nothing(pre: View, e: Event, post: View) -> Truth:
    same_counters = (post.num_free == pre.num_free) & (post.num_allocated == pre.num_allocated)
    return (
        implies(e.failed, same_counters)
        & implies(_owes(pre, e), e.served)
        & implies(pre.after_failure & e.reads, e.intact >= e.held)
    )


def _failure_observed(pre: View, e: Event, post: View) -> str:
    if e.status == Status.FAILED and (post.num_free, post.num_allocated) != (pre.num_free, pre.num_allocated):
        return (
            f"free {pre.num_free} -> {post.num_free}, allocated {pre.num_allocated} -> {post.num_allocated} blocks "
            "across a refused request"
        )
    if e.status == Status.FAILED:
        return f"{e.extent} bytes refused right after a refusal, {pre.owed} bytes having been freed just before it"
    return f"byte {e.bad_at} of {e.held} changed across a refused request"


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
        (
            View(after_failure=True, owed=64),
            Event(Kind.ALLOC, 64, status=Status.FAILED),
            View(after_failure=True),
        ),
        (View(after_failure=True), Event(Kind.FREE, 0, held=64, flags=Flag.DAMAGED, bad_at=3), View()),
    ),
)


def footprint_limit(r: Run) -> Word:
    """Bytes of pages that a workload with this peak may cover: four times the peak and 256 KiB."""
    return 4 * r.peak + MIB // 4


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
    shapes=frozenset({"malloc"}),
    premise=_reuse_premise,
    body=_reuse,
    observed=lambda r: (
        f"pages of {r.footprint / MIB:.1f} MiB covered with at most {r.peak / MIB:.2f} MiB live; {r.refused} refused"
    ),
    required=lambda r: f"at most {footprint_limit(r) / MIB:.1f} MiB, none refused",
    accepts=((Run(True, 3 * MIB, MIB, 64 * MIB, 0),),),
    rejects=((Run(True, 64 * MIB, MIB, 64 * MIB, 0),), (Run(True, MIB, MIB, 4 * MIB, 1),)),
)


def _is_first(e: Event) -> Truth:
    return e.called & (e.index == 0)


def _first_is_whole(e: Event) -> Truth:
    return (e.served | e.failed) & implies(e.makes, e.reach >= e.extent)


first_operation = Law[Event](
    id="HL305",
    name="first_operation",
    sentence="any operation may be the very first in a fresh process",
    source="C17 7.22.3 (no call of the library has to come before another)",
    scope=Scope.EVENT,
    shapes=frozenset({"malloc"}),
    premise=_is_first,
    body=_first_is_whole,
    observed=_status,
    required=lambda e: "a whole block, or the failure value",
    accepts=((Event(Kind.ZALLOC, 8, ptr=0x1000),),),
    rejects=((Event(Kind.ZALLOC, 8, status=Status.DIED),),),
    needs=frozenset({"C functions"}),
)

LAWS = (failure_is_reported, overflow_is_failure, failure_changes_nothing, reuse, first_operation)
