"""What an allocator reports: statistics, tags, leaks; what scopes free, and what limits refuse."""

from dataclasses import replace

from ..event import Env, Event, Status, View
from ..law import Law, Scope
from ..logic import Truth, implies, ite, neg
from ..report import Report, Sums
from ..shapes import SHAPES, Kind

ALL = frozenset(SHAPES)
SYSTEM = "the allocator system"
_ENV = Env(max_align=16)
_SAYS = Report(
    current_bytes=64, peak_bytes=96, total_bytes=160, allocations=2, tag_count=1, tag_current=64, tag_peak=64
)
_LISTS = Report(leak_count=1, leak_bytes=64, leak_lines=1, leak_size=64, leak_tag=3)
_GAVE = Event(Kind.ALLOC, 64, ptr=0x1040, report=_SAYS, env=_ENV)
_LISTED = replace(_GAVE, report=_LISTS)
_REFUSED = Event(Kind.ALLOC, 64, status=Status.FAILED, env=_ENV)
_AFTER = View(
    live=1,
    live_bytes=64,
    sums=Sums(peak=96, peak_live=1, handed=160, made=2, label=3, tag_made=1, tag_bytes=64, tag_peak=64),
)


def _reports(pre: View, e: Event, post: View) -> Truth:
    return e.counted


def _stats(pre: View, e: Event, post: View) -> Truth:
    said, true = e.report, post.sums
    return (said.current_bytes == post.live_bytes) & (said.total_bytes == true.handed) & (said.allocations == true.made)


stats_exact = Law[View, Event, View](
    id="HL701",
    name="stats_exact",
    sentence=(
        "current bytes, bytes handed out in all and number of allocations are what the history says, after every "
        "operation"
    ),
    source=f"{SYSTEM}: allocation statistics",
    scope=Scope.STEP,
    shapes=ALL,
    premise=_reports,
    body=_stats,
    observed=lambda pre, e, post: (
        f"current {e.report.current_bytes}, total {e.report.total_bytes} bytes, {e.report.allocations} allocations"
    ),
    required=lambda pre, e, post: (
        f"current {post.live_bytes}, total {post.sums.handed} bytes, {post.sums.made} allocations"
    ),
    accepts=((View(), _GAVE, _AFTER),),
    rejects=(
        (View(), replace(_GAVE, report=replace(_SAYS, current_bytes=80)), _AFTER),
        (View(), replace(_GAVE, report=replace(_SAYS, total_bytes=96)), _AFTER),
        (View(), replace(_GAVE, report=replace(_SAYS, allocations=3)), _AFTER),
    ),
    needs=frozenset({"current_bytes", "total_bytes", "allocations"}),
)


def _peak(pre: View, e: Event, post: View) -> Truth:
    return e.report.peak_bytes == post.sums.peak


peak_exact = Law[View, Event, View](
    id="HL702",
    name="peak_exact",
    sentence="the peak is the largest number of bytes that were ever live, after every operation",
    source=f"{SYSTEM}: allocation statistics, peak usage",
    scope=Scope.STEP,
    shapes=ALL,
    premise=_reports,
    body=_peak,
    observed=lambda pre, e, post: f"peak {e.report.peak_bytes} bytes",
    required=lambda pre, e, post: f"{post.sums.peak} bytes",
    accepts=((View(), _GAVE, _AFTER),),
    rejects=((View(), replace(_GAVE, report=replace(_SAYS, peak_bytes=64)), _AFTER),),
    needs=frozenset({"peak_bytes"}),
)


def _tags(pre: View, e: Event, post: View) -> Truth:
    said, true = e.report, post.sums
    return (said.tag_count == true.tag_made) & (said.tag_current == true.tag_bytes) & (said.tag_peak == true.tag_peak)


tags_exact = Law[View, Event, View](
    id="HL703",
    name="tags_exact",
    sentence="the totals of a tag (blocks handed out, current and peak bytes) are what the history says of its blocks",
    source=f"{SYSTEM}: tagged allocation tracking",
    scope=Scope.STEP,
    shapes=ALL,
    premise=_reports,
    body=_tags,
    observed=lambda pre, e, post: (
        f"tag {post.sums.label}: {e.report.tag_count} blocks, {e.report.tag_current} bytes, peak {e.report.tag_peak}"
    ),
    required=lambda pre, e, post: (
        f"{post.sums.tag_made} blocks, {post.sums.tag_bytes} bytes, peak {post.sums.tag_peak}"
    ),
    accepts=((View(), _GAVE, _AFTER),),
    rejects=(
        (View(), replace(_GAVE, report=replace(_SAYS, tag_count=2)), _AFTER),
        (View(), replace(_GAVE, report=replace(_SAYS, tag_current=0)), _AFTER),
        (View(), replace(_GAVE, report=replace(_SAYS, tag_peak=0)), _AFTER),
    ),
    needs=frozenset({"tag_count", "tag_current", "tag_peak"}),
)


def _stays(e: Event) -> Truth:
    """The block that the operation made or named is live after it."""
    kept = (e.served & (e.kind == Kind.CHECK)) | (e.failed & ((e.kind == Kind.RESIZE) | (e.kind == Kind.FREE)))
    return e.makes | (kept & (e.held > 0))


def _leaks(pre: View, e: Event, post: View) -> Truth:
    said, stays = e.report, _stays(e)
    size = ite(e.makes, e.extent, e.held)
    line = (said.leak_size == size) & (said.leak_tag == post.sums.label)
    # A block of no bytes that was only named, or of which nothing was named, may be listed or not: who knows which.
    known = stays | e.ends | e.sweeps
    return (
        (said.leak_count == post.live)
        & (said.leak_bytes == post.live_bytes)
        & implies(known, said.leak_lines == ite(stays, 1, 0))
        & implies(stays, line)
    )


def _line_text(lines: int, size: int, tag: int) -> str:
    return f"a line of {size} bytes, tag {tag}" if lines == 1 else f"{lines} lines" if lines else "no line"


leak_report_exact = Law[View, Event, View](
    id="HL704",
    name="leak_report_exact",
    sentence=(
        "a leak report made now lists each live block once, with its address, size and tag, and nothing else; bytes "
        "and count add up"
    ),
    source=f"{SYSTEM}: leak detection",
    scope=Scope.STEP,
    shapes=ALL,
    premise=_reports,
    body=_leaks,
    observed=lambda pre, e, post: (
        f"{e.report.leak_bytes} bytes in {e.report.leak_count} allocations; of this block "
        + _line_text(e.report.leak_lines, e.report.leak_size, e.report.leak_tag)
    ),
    required=lambda pre, e, post: (
        f"{post.live_bytes} bytes in {post.live} allocations; of this block "
        + _line_text(int(bool(_stays(e))), e.extent if e.makes else e.held, post.sums.label)
    ),
    accepts=(
        (View(), _LISTED, _AFTER),
        (View(live=1), Event(Kind.FREE, 0, held=64, report=replace(_LISTS, leak_lines=0)), _AFTER),
    ),
    rejects=(
        (View(), replace(_LISTED, report=replace(_LISTS, leak_count=0)), _AFTER),
        (View(), replace(_LISTED, report=replace(_LISTS, leak_bytes=80)), _AFTER),
        (View(), replace(_LISTED, report=replace(_LISTS, leak_lines=0)), _AFTER),
        (View(), replace(_LISTED, report=replace(_LISTS, leak_size=48)), _AFTER),
        (View(), replace(_LISTED, report=replace(_LISTS, leak_tag=1)), _AFTER),
        (View(live=1), Event(Kind.FREE, 0, held=64, report=_LISTS), _AFTER),
    ),
    needs=frozenset({"leak_count", "leak_bytes", "leak_lines", "leak_size", "leak_tag"}),
)


def _resizes(e: Event) -> Truth:
    returned = e.served | e.failed
    return returned & (e.kind == Kind.RESIZE) & neg(e.unserviceable)


def _limited(pre: View, e: Event, post: View) -> Truth:
    return (e.asks | _resizes(e)) & (e.env.limit > 0)


def _within(pre: View, e: Event, post: View) -> Truth:
    # As a difference: the sum of what is live and what is asked for could wrap in a column of 64-bit words.
    limit, ended = e.env.limit, ite(e.kind == Kind.RESIZE, e.held, 0)
    live = ite(ended <= pre.live_bytes, pre.live_bytes - ended, 0)
    room = ite(live <= limit, limit - live, 0)
    return implies(e.served, e.extent <= room) & implies(e.extent <= room, e.served)


limit_enforced = Law[View, Event, View](
    id="HL705",
    name="limit_enforced",
    sentence="a request, or a resize, is served if and only if what is live afterwards stays within the limit",
    source=f"{SYSTEM}: memory limits for each subsystem",
    scope=Scope.STEP,
    shapes=ALL,
    premise=_limited,
    body=_within,
    observed=lambda pre, e, post: (
        f"{e.extent} bytes {'served' if e.status == Status.OK else 'refused'} with {pre.live_bytes} bytes live"
    ),
    required=lambda pre, e, post: (
        f"{'the failure value' if e.status == Status.OK else 'a block'}: the limit is {e.env.limit} bytes"
    ),
    accepts=(
        (View(live_bytes=64), replace(_GAVE, env=Env(limit=128)), View()),
        (View(live_bytes=96), replace(_REFUSED, env=Env(limit=128)), View()),
        (View(live_bytes=128), Event(Kind.RESIZE, 64, held=64, ptr=0x1040, env=Env(limit=128)), View()),
    ),
    rejects=(
        (View(live_bytes=128), Event(Kind.RESIZE, 65, held=64, ptr=0x1040, env=Env(limit=128)), View()),
        (View(live_bytes=65), replace(_GAVE, env=Env(limit=128)), View()),
        (View(live_bytes=64), replace(_REFUSED, env=Env(limit=128)), View()),
    ),
    needs=frozenset({"limit"}),
)


def _leaves(pre: View, e: Event, post: View) -> Truth:
    return e.served & ((e.kind == Kind.RELEASE) | (e.kind == Kind.RESET))


def _freed_inside(pre: View, e: Event, post: View) -> Truth:
    return e.report.current_bytes == post.live_bytes


scope_frees_all = Law[View, Event, View](
    id="HL706",
    name="scope_frees_all",
    sentence="leaving a scope frees what was allocated inside it, and nothing else",
    source=f"{SYSTEM}: arena scope (WITH_ARENA)",
    scope=Scope.STEP,
    shapes=frozenset({"arena"}),
    premise=_leaves,
    body=_freed_inside,
    observed=lambda pre, e, post: f"{e.report.current_bytes} bytes are said to be live",
    required=lambda pre, e, post: f"{post.live_bytes} bytes: those of blocks older than the scope",
    accepts=((View(live=3), Event(Kind.RELEASE, 0, report=Report(current_bytes=64)), View(live=1, live_bytes=64)),),
    rejects=(
        (View(live=3), Event(Kind.RELEASE, 0, report=Report(current_bytes=96)), View(live=1, live_bytes=64)),
        (View(live=3), Event(Kind.RELEASE, 0), View(live=1, live_bytes=64)),
    ),
    needs=frozenset({"release", "current_bytes"}),
)

LAWS = (stats_exact, peak_exact, tags_exact, leak_report_exact, limit_enforced, scope_frees_all)
