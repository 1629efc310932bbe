"""Regions that are given back at once, or in the opposite order: bump, stack, arena; and instances made again."""

from dataclasses import replace

from ..event import Direction, Env, Event, Status, View
from ..law import Law, Scope
from ..logic import Truth, Word, implies, neg, one_of
from ..shapes import SHAPES, Kind

_ENV = Env(align_by_size=False, max_align=8, base=0x1000, capacity=4096, one_buffer=True)
_UP, _DOWN = replace(_ENV, direction=Direction.UP), replace(_ENV, direction=Direction.DOWN)
_GAVE = Event(Kind.ALLOC, 64, ptr=0x1040, env=_ENV)
_REFUSED = Event(Kind.ALLOC, 64, status=Status.FAILED, env=_ENV)


def _follows(pre: View, e: Event, post: View) -> Truth:
    return e.makes & (pre.live > 0)


def _moves_on(pre: View, e: Event, post: View) -> Truth:
    above = e.ptr >= pre.high
    below = (e.ptr <= pre.low) & (e.extent <= pre.low - e.ptr)
    return (above & (e.env.direction != Direction.DOWN)) | (below & (e.env.direction != Direction.UP))


bump_monotonic = Law[View, Event, View](
    id="HL501",
    name="bump_monotonic",
    sentence="a bump hands out every block beyond all those handed out since the last reset, in the promised direction",
    source="Vais std/allocator, BumpAllocator: allocates linearly from a buffer",
    scope=Scope.STEP,
    shapes=frozenset({"bump"}),
    premise=_follows,
    body=_moves_on,
    observed=lambda pre, e, post: f"[{e.ptr:#x}, {e.ptr + e.extent:#x})",
    required=lambda pre, e, post: (
        f"at {pre.high:#x} or above"
        if e.env.direction == Direction.UP
        else f"up to {pre.low:#x}"
        if e.env.direction == Direction.DOWN
        else f"outside [{pre.low:#x}, {pre.high:#x})"
    ),
    accepts=(
        (View(live=1, low=0x1000, high=0x1040), _GAVE, View()),
        (View(live=1, low=0x1080, high=0x10C0), replace(_GAVE, env=_DOWN), View()),
    ),
    rejects=(
        (View(live=1, low=0x1000, high=0x1100), _GAVE, View()),
        (View(live=1, low=0x1080, high=0x10C0), replace(_GAVE, env=_UP), View()),
        (View(live=1, low=0x1000, high=0x1040), replace(_GAVE, env=_DOWN), View()),
    ),
)


def _came_back_by(view: View, kinds: tuple[Kind, ...]) -> Truth:
    return (view.back | view.twin) & one_of(view.undone_by, kinds)


def _as_before(e: Event, post: View) -> Truth:
    """What undoes brings the counters back; what is asked again then is served again, at the same address where all
    blocks come from one buffer.
    """
    one_buffer: Word = bool(e.env.one_buffer)
    counters = (post.remaining == post.then_remaining) & (post.total == post.then_total)
    again = e.served & implies(one_buffer & e.makes, e.ptr == post.twin_ptr)
    return implies(post.back & one_buffer, counters) & implies(post.twin, again)


def _counters_text(view: View, remaining: Word, total: Word) -> str:
    """The counters of a subject; one that is 0 before and now may be none."""
    said = [f"remaining = {remaining}"] if view.remaining or view.then_remaining else []
    said += [f"total_allocated = {total}"] if view.total or view.then_total else []
    return f"{', '.join(said) or 'remaining = 0'} bytes"


def _before_text(pre: View, e: Event, post: View) -> str:
    if post.back:
        return _counters_text(post, post.remaining, post.total)
    if e.status != Status.OK:
        return f"{e.extent} bytes refused"
    return f"address {e.ptr:#x}"


def _then_text(pre: View, e: Event, post: View) -> str:
    if post.back:
        return f"{_counters_text(post, post.then_remaining, post.then_total)}, as in that state before"
    where = f", at {post.twin_ptr:#x}" if e.env.one_buffer else ""
    return f"served{where}, as when it was asked in the same state before"


def _reset_back(pre: View, e: Event, post: View) -> Truth:
    return _came_back_by(post, (Kind.RESET, Kind.RENEW))


def _pop_back(pre: View, e: Event, post: View) -> Truth:
    return _came_back_by(post, (Kind.POP,))


def _release_back(pre: View, e: Event, post: View) -> Truth:
    return _came_back_by(post, (Kind.RELEASE,))


def _like_before(pre: View, e: Event, post: View) -> Truth:
    return _as_before(e, post)


def _examples(kind: Kind) -> tuple[tuple[tuple[View, Event, View], ...], tuple[tuple[View, Event, View], ...]]:
    """Accepted and rejected: the undoing operation itself, and what is asked after it."""
    undo = Event(kind, 0, env=_ENV)
    well = View(remaining=4096, then_remaining=4096, back=True, undone_by=kind)
    twin = View(undone_by=kind, twin=True, twin_ptr=0x1040)
    accepted = ((View(), undo, well), (View(), _GAVE, twin))
    rejected = (
        (View(), undo, replace(well, remaining=4088)),
        (View(), _GAVE, replace(twin, twin_ptr=0x1000)),
        (View(), _REFUSED, twin),
    )
    return accepted, rejected


reset_frees_all = Law[View, Event, View](
    id="HL502",
    name="reset_frees_all",
    sentence="after a reset the same requests are served again, at the same addresses where there is one buffer",
    source="Vais std/allocator: reset (frees all); the allocator system, Arena: reset",
    scope=Scope.STEP,
    shapes=frozenset(SHAPES),
    premise=_reset_back,
    body=_like_before,
    observed=_before_text,
    required=_then_text,
    accepts=_examples(Kind.RESET)[0],
    rejects=_examples(Kind.RESET)[1],
    needs=frozenset({"reset or renew"}),
)
lifo_pop = Law[View, Event, View](
    id="HL503",
    name="lifo_pop",
    sentence="a pop undoes exactly the newest live allocation, at any depth; popping an empty stack does nothing",
    source="Vais std/allocator, StackAllocator: pop",
    scope=Scope.STEP,
    shapes=frozenset({"stack"}),
    premise=_pop_back,
    body=_like_before,
    observed=_before_text,
    required=_then_text,
    accepts=_examples(Kind.POP)[0],
    rejects=_examples(Kind.POP)[1],
    needs=frozenset({"pop"}),
)
release_frees_all = Law[View, Event, View](
    id="HL504",
    name="release_frees_all",
    sentence="after a release the requests made since the mark are served again",
    source="obstacks (glibc manual 3.2.6): obstack_free; the allocator system, Arena: scopes",
    scope=Scope.STEP,
    shapes=frozenset({"arena"}),
    premise=_release_back,
    body=_like_before,
    observed=_before_text,
    required=_then_text,
    accepts=_examples(Kind.RELEASE)[0],
    rejects=_examples(Kind.RELEASE)[1],
    needs=frozenset({"release"}),
)


def _renews(e: Event) -> Truth:
    return e.called & (e.kind == Kind.RENEW)


def _is_made(e: Event) -> Truth:
    return neg(e.failed)


made_again = Law[Event](
    id="HL505",
    name="made_again",
    sentence="an instance can be destroyed, with blocks live or not, and made again over the same memory",
    source="Vais std/allocator: drop, new",
    scope=Scope.EVENT,
    shapes=frozenset(SHAPES),
    premise=_renews,
    body=_is_made,
    observed=lambda e: "no instance was made",
    required=lambda e: "an instance",
    accepts=((Event(Kind.RENEW, 0),),),
    rejects=((Event(Kind.RENEW, 0, status=Status.FAILED),),),
    needs=frozenset({"renew"}),
)

LAWS = (bump_monotonic, reset_frees_all, lifo_pop, release_frees_all, made_again)
