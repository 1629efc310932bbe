"""Short directed traces that show how an allocator behaves where laws leave it free. Data: nothing here runs.

Steps are those of a trace, with sizes that depend on one number N, which the search varies. A plain request stands for
the plainest one that both have.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace

from heaplaw.models.asking import stand_in
from heaplaw.spec.event import NONE, Env
from heaplaw.spec.history import Op, Trace, make_trace
from heaplaw.spec.layout import PTRDIFF_MAX, SIZE_MAX, align_up
from heaplaw.spec.shapes import ALIGN_TAKERS, REQUESTS, SHAPES, Kind

MOST = 4096
"""Steps of a probe that fills a heap."""
SERVED, ERRNO, USABLE, ALIGNED, PLACE, MOVED, GAP, COUNTERS, SCENE = (
    "served",
    "errno",
    "usable",
    "aligned",
    "place",
    "moved",
    "gap",
    "counters",
    "scene",
)
"""What of an answer is compared: block or refusal; the error of a refusal; the usable size; the largest power of two
that divides the addresses of all blocks; whether the address is that of a block that ended; moved or in place; the
distance to the block made before; what the counters add up; in scenes whatever came of it.
"""
SMALL = (*range(1, 25), *(8 * k + d for k in range(3, 33) for d in (0, 1) if 8 * k + d > 24))
"""Sizes where classes lie close to each other."""
LARGER = (320, 384, 512, 640, 1000, 1024, 2048, 3000, 4096, 8192, 10_000, 16_384, 65_536, 131_072, 262_144, 2**20)
FEW = (1, 2, 4, 7, 8, 9, 12, 16, 17, 24, 32, 48, 64, 100, 256, 1000, 4096, 65_536)
"""Sizes that are tried in place of both, where a run takes long."""
POWERS = tuple(2**k for k in range(21, 63))
ALIGNMENTS = tuple(2**k for k in range(4, 25))


@dataclass(frozen=True)
class Step:
    """One operation: its size is `times` * N + `plus` bytes, its alignment `align`, or N where that is -1."""

    kind: Kind
    times: int = 0
    plus: int = 0
    slot: int = NONE
    align: int = 0
    count: int = 1

    def op(self, n: int) -> Op:
        """The operation for one N."""
        align = n if self.align == -1 else self.align
        return Op(self.kind, self.times * n + self.plus, self.slot, align, self.count)


@dataclass(frozen=True)
class Probe:
    """Steps, and what of the answers to them is compared."""

    name: str
    title: str
    """What is compared, in words: a difference is told under them."""
    watch: str
    steps: tuple[Step, ...]
    sizes: tuple[int, ...] = ()
    """Values of N that are tried, in this order until two answers differ; empty: N plays no part."""
    group: str = ""
    """Probes of one group that find the same answers are told together."""
    needs: frozenset[str] = frozenset()
    """What both must offer, beside the operations."""
    shapes: frozenset[str] = frozenset(SHAPES)
    fills: bool = False
    """The one step is repeated until there is surely no more room."""
    bounded: bool | None = None
    """For heaps with a bound alone, or without one alone."""
    unless: str = ""
    """It says nothing new where the probe of that name finds a difference."""

    @property
    def kinds(self) -> frozenset[Kind]:
        """Operations that must be there; a plain request has stand-ins."""
        return frozenset(step.kind for step in self.steps) - {Kind.ALLOC}

    def fits(self, shape: str, kinds: Collection[Kind], offers: frozenset[str], env: Env) -> bool:
        """It can be run on a subject of that shape, with these operations and limits."""
        there = shape in self.shapes and self.kinds <= frozenset(kinds) and self.needs <= offers
        asked = max((step.align for step in self.steps), default=0)
        small = all(step.plus <= env.max_request and step.count <= env.max_request for step in self.steps)
        return (
            there
            and small
            and asked <= env.max_request_align
            and (self.bounded is None or self.bounded == bool(env.capacity))
            and not (any(step.count > 1 for step in self.steps) and not env.counted)
        )

    def trace(self, shape: str, kinds: Collection[Kind], env: Env, n: int) -> Trace:
        """The steps for one N, as a trace. Blocks of a pool have its size."""
        ops = [asked(step.op(n), shape, kinds, env) for step in self.steps]
        if self.fills:
            size = max(1, ops[0].size * ops[0].count)
            ops = ops * min(MOST, int(env.capacity) // size + 2)
        return make_trace(shape, ops, env, profile=self.name)


def asked(op: Op, shape: str, kinds: Collection[Kind], env: Env) -> Op:
    """The operation as this subject can be asked for it."""
    if op.kind not in REQUESTS:
        return op
    if op.kind not in kinds:
        kind = stand_in(kinds)
        op = replace(op, kind=kind, align=int(env.max_align) if kind in ALIGN_TAKERS else 0)
    if not SHAPES[shape].sized:
        return replace(op, size=int(env.block_size), count=1)
    if op.kind == Kind.ALIGNED and env.aligned_multiple and op.size <= PTRDIFF_MAX:
        return replace(op, size=int(align_up(op.size, op.align)))
    return op


def ask(times: int = 1, plus: int = 0, kind: Kind = Kind.ALLOC, align: int = 0, count: int = 1) -> Step:
    """A request."""
    return Step(kind, times, plus, align=align, count=count)


def free(slot: int) -> Step:
    """End the block that step `slot` made."""
    return Step(Kind.FREE, slot=slot)


def resize(slot: int, times: int = 1, plus: int = 0) -> Step:
    """Resize the block that step `slot` made."""
    return Step(Kind.RESIZE, times, plus, slot)


_SIZES = (*SMALL, *LARGER)
_SIZED = frozenset(name for name, shape in SHAPES.items() if shape.sized)
_HEAPS = frozenset({"malloc", "freelist", "lua_alloc"})
_ROWS = frozenset({"bump", "stack", "arena", "freelist"})
_C = frozenset({"malloc"})
_ANY, _ALL = frozenset[str](), frozenset(SHAPES)
_HUGE = frozenset({"huge sizes"})
_VAST = PTRDIFF_MAX + 1

PROBES: tuple[Probe, ...] = (
    # What is asked for 0 bytes.
    Probe("zero", "a request for 0 bytes", SERVED, (ask(0),), group="zero", shapes=_SIZED),
    Probe("zero_count", "calloc(0, 8)", SERVED, (ask(0, 8, Kind.ZALLOC, count=0),), group="zero", shapes=_C),
    Probe("zero_zeroed", "calloc(1, 0)", SERVED, (ask(0, 0, Kind.ZALLOC),), group="zero", shapes=_C),
    Probe("zero_aligned", "aligned_alloc(16, 0)", SERVED, (ask(0, 0, Kind.ALIGNED, 16),), group="zero", shapes=_C),
    Probe("zero_posix", "posix_memalign(16, 0)", SERVED, (ask(0, 0, Kind.POSIX_ALIGNED, 16),), group="zero", shapes=_C),
    # What is refused, and how.
    Probe("largest", "the largest size served", SERVED, (ask(),), (*SMALL, *LARGER), shapes=_SIZED, bounded=True),
    Probe("vast", "the largest size served", SERVED, (ask(),), POWERS, shapes=_SIZED, bounded=False),
    Probe("room", "how many blocks there is room for", SERVED, (ask(),), LARGER, bounded=True, fills=True),
    Probe("alignment", "the largest alignment served", SERVED, (ask(kind=Kind.ALIGNED, align=-1),), ALIGNMENTS),
    Probe("refused", "errno of a refused request", ERRNO, (ask(0, SIZE_MAX),), group="errno", needs=_HUGE, shapes=_C),
    Probe(
        "refused_ptrdiff",
        "errno of malloc(2**63)",
        ERRNO,
        (ask(0, _VAST),),
        group="errno",
        needs=_HUGE,
        shapes=_C,
    ),
    Probe(
        "refused_product",
        "errno of calloc(2**33, 2**33)",
        ERRNO,
        (ask(0, 2**33, Kind.ZALLOC, count=2**33),),
        group="errno",
        needs=_HUGE,
        shapes=_C,
    ),
    Probe(
        "refused_aligned",
        "errno of aligned_alloc(64, 2**63)",
        ERRNO,
        (ask(0, _VAST, Kind.ALIGNED, 64),),
        group="errno",
        needs=_HUGE,
        shapes=_C,
    ),
    Probe(
        "refused_posix",
        "what posix_memalign returns when it refuses",
        ERRNO,
        (ask(0, _VAST, Kind.POSIX_ALIGNED, 64),),
        group="errno",
        needs=_HUGE,
        shapes=_C,
    ),
    Probe(
        "refused_resize",
        "errno of realloc(p1, 2**63)",
        ERRNO,
        (ask(0, 64), resize(0, 0, _VAST)),
        group="errno",
        needs=_HUGE,
        shapes=_C,
    ),
    # What a block is.
    Probe("usable", "the usable size of a block", USABLE, (ask(),), _SIZES, needs=frozenset({"usable_size"})),
    Probe(
        "usable_resized",
        "the usable size after realloc to half",
        USABLE,
        (ask(2), resize(0)),
        _SIZES,
        needs=frozenset({"usable_size"}),
        unless="usable",
    ),
    Probe("aligned", "the alignment of blocks of one size", ALIGNED, (ask(),) * 12, _SIZES, shapes=_HEAPS),
    Probe("gap", "the distance between blocks in a row", GAP, (ask(), ask()), _SIZES, shapes=_ROWS, bounded=True),
    # What becomes of memory given back.
    Probe("reuse", "a block freed is handed out next", PLACE, (ask(), free(0), ask()), _SIZES, "reuse"),
    Probe(
        "reuse_order",
        "which of two freed blocks is handed out next",
        PLACE,
        (ask(), ask(), ask(), free(0), free(1), ask()),
        _SIZES,
        "reuse",
    ),
    Probe(
        "split",
        "a larger freed block serves a smaller request",
        PLACE,
        (ask(2), ask(), free(0), ask()),
        _SIZES,
        "split",
        shapes=_HEAPS,
    ),
    Probe(
        "joined",
        "two freed neighbours serve a larger request",
        PLACE,
        (ask(), ask(), ask(), free(1), free(0), ask(2)),
        _SIZES,
        "split",
        shapes=_HEAPS,
    ),
    Probe("popped", "a block popped is handed out next", PLACE, (ask(), Step(Kind.POP), ask()), _SIZES, "reuse"),
    Probe(
        "reset", "memory is handed out again after a reset", PLACE, (ask(), Step(Kind.RESET), ask()), _SIZES, "reuse"
    ),
    Probe(
        "released",
        "memory is handed out again after a release",
        PLACE,
        (ask(), Step(Kind.MARK), ask(), Step(Kind.RELEASE, slot=1), ask()),
        _SIZES,
        "reuse",
    ),
    # What a resize does.
    Probe("same_size", "realloc to the same size", MOVED, (ask(), resize(0)), _SIZES, "moved"),
    Probe("shrunk", "realloc to half the size", MOVED, (ask(2), resize(0)), _SIZES, "moved"),
    Probe("cut", "realloc to 1 byte", MOVED, (ask(), resize(0, 0, 1)), _SIZES, "moved"),
    Probe("grown", "realloc to twice the size, at the end", MOVED, (ask(), resize(0, 2)), _SIZES, "moved"),
    Probe(
        "grown_between",
        "realloc to twice the size, with a neighbour",
        MOVED,
        (ask(), ask(), resize(0, 2)),
        _SIZES,
        "moved",
    ),
    Probe(
        "grown_over_free",
        "realloc to twice the size, over a freed neighbour",
        MOVED,
        (ask(), ask(2), ask(), free(1), resize(0, 2)),
        _SIZES,
        "moved",
    ),
    Probe("grown_by_one", "realloc to one byte more", MOVED, (ask(), resize(0, 1, 1)), _SIZES, "moved"),
    # What is counted.
    Probe("counted", "what counters say of a block", COUNTERS, (ask(), ask()), _SIZES, "counters"),
    Probe("uncounted", "what counters say of a block freed", COUNTERS, (ask(), ask(), free(0)), _SIZES, "counters"),
    Probe("counted_pop", "what counters say of a block popped", COUNTERS, (ask(), Step(Kind.POP)), _SIZES, "counters"),
    Probe("counted_reset", "what counters say after a reset", COUNTERS, (ask(), Step(Kind.RESET)), _SIZES, "counters"),
    Probe("counted_resize", "what counters say of realloc", COUNTERS, (ask(), resize(0, 2)), _SIZES, "counters"),
)
"""All of them, in the order in which differences are told."""
