"""What blocks hold: payloads kept, resized, zeroed."""

from ..event import Event, Flag, Status
from ..law import Law, Scope
from ..logic import Truth, least
from ..shapes import SHAPES, Kind

ALL = frozenset(SHAPES)
RESIZING = frozenset({"malloc", "freelist", "lua_alloc"})
ZEROING = ALL - {"lua_alloc"}


def _reads(e: Event) -> Truth:
    return e.reads


def _payload_kept(e: Event) -> Truth:
    return e.intact >= e.held


payload_kept = Law[Event](
    id="HL201",
    name="payload_kept",
    sentence="what the owner wrote into a block stays as written until the block is ended or resized",
    source="C17 6.2.4 p2 (an object retains its last-stored value throughout its lifetime)",
    scope=Scope.EVENT,
    shapes=ALL,
    premise=_reads,
    body=_payload_kept,
    observed=lambda e: f"byte {e.bad_at} of {e.held} is not what its owner wrote",
    required=lambda e: f"all {e.held} bytes as written",
    accepts=((Event(Kind.FREE, 0, held=64),),),
    rejects=((Event(Kind.FREE, 0, held=64, flags=Flag.DAMAGED, bad_at=63),),),
)


def _resized(e: Event) -> Truth:
    return e.makes & (e.kind == Kind.RESIZE)


def _prefix_kept(e: Event) -> Truth:
    return e.prefix >= least(e.held, e.extent)


realloc_keeps_prefix = Law[Event](
    id="HL202",
    name="realloc_keeps_prefix",
    sentence="a resize keeps the first min(old size, new size) bytes, in place or moved",
    source="C17 7.22.3.5 p2",
    scope=Scope.EVENT,
    shapes=RESIZING,
    premise=_resized,
    body=_prefix_kept,
    observed=lambda e: (
        f"byte {e.bad_at} of the first {min(e.held, e.extent)} differs after {e.held} -> {e.extent} bytes"
    ),
    required=lambda e: f"the first {min(e.held, e.extent)} bytes as before",
    accepts=((Event(Kind.RESIZE, 96, held=64, ptr=0x1000),),),
    rejects=((Event(Kind.RESIZE, 96, held=64, ptr=0x1000, flags=Flag.PREFIX_LOST, bad_at=56),),),
    needs=frozenset({"realloc"}),
)


def _resize_failed(e: Event) -> Truth:
    return e.failed & (e.kind == Kind.RESIZE)


def _old_block_kept(e: Event) -> Truth:
    return e.kept_on_failure >= e.held


realloc_failure_keeps_block = Law[Event](
    id="HL203",
    name="realloc_failure_keeps_block",
    sentence="a resize that fails leaves the old block live and unchanged",
    source="C17 7.22.3.5 p3-p4",
    scope=Scope.EVENT,
    shapes=RESIZING,
    premise=_resize_failed,
    body=_old_block_kept,
    observed=lambda e: f"byte {e.bad_at} of the old block's {e.held} differs after the failure",
    required=lambda e: f"all {e.held} bytes as before",
    accepts=((Event(Kind.RESIZE, 2**63, status=Status.FAILED, held=64),),),
    rejects=((Event(Kind.RESIZE, 2**63, status=Status.FAILED, held=64, flags=Flag.FAILED_CHANGED, bad_at=0),),),
    needs=frozenset({"realloc"}),
)


def _zeroing(e: Event) -> Truth:
    return e.makes & (e.kind == Kind.ZALLOC)


def _zeroed(e: Event) -> Truth:
    return e.zeros >= e.extent


zeroed = Law[Event](
    id="HL204",
    name="zeroed",
    sentence="zeroing calls hand out zero bytes over the whole requested size, on recycled memory too",
    source="C17 7.22.3.2 p2",
    scope=Scope.EVENT,
    shapes=ZEROING,
    premise=_zeroing,
    body=_zeroed,
    observed=lambda e: f"byte {e.bad_at} of {e.extent} is not 0",
    required=lambda e: f"{e.extent} zero bytes",
    accepts=((Event(Kind.ZALLOC, 8, count=8, ptr=0x1000),),),
    rejects=((Event(Kind.ZALLOC, 8, count=8, ptr=0x1000, flags=Flag.NOT_ZERO, bad_at=8),),),
    needs=frozenset({"calloc"}),
)

LAWS = (payload_kept, realloc_keeps_prefix, realloc_failure_keeps_block, zeroed)
