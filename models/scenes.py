"""Scenes: short programs, each for a fresh process, in which single calls are asked what standards say of them.

Data alone: nothing is drawn. What a subject may not be asked (a misuse without a policy, a size that is no multiple of
the alignment where its manual forbids that) is in none of its scenes.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from heaplaw.spec.event import NULL, Env, Policy, Zero
from heaplaw.spec.history import Op, Trace, make_trace
from heaplaw.spec.layout import PTRDIFF_MAX, SIZE_MAX
from heaplaw.spec.shapes import ALIGN_TAKERS, REQUESTS, Kind, Misuse

PROFILE = "scene"
"""What the traces of scenes are called."""
STEADY = 5000
"""Rounds of the scene that asks whether what is resized to nothing comes back."""
ODD = (0, 3, 6, 24, 100, 2**63 + 1)
"""Alignments that are none: no powers of two."""
ODD_FOR_POINTERS = (0, 1, 2, 3, 4, 12, 24, 2**63 + 8)
"""The same for `posix_memalign`, which also needs multiples of a pointer's size."""
ODD_SIZES = ((16, 1), (32, 40), (64, 100), (256, 1000), (4096, 4097))
"""(alignment, size) where the size is no multiple of the alignment, bytes."""
HUGE = (SIZE_MAX, SIZE_MAX - 4095, PTRDIFF_MAX + 1, 2**62)
"""Sizes that nobody can serve, bytes."""
WRAPPING = ((SIZE_MAX, 2), (2**33, 2**33), (3, SIZE_MAX // 3 + 1))
"""(count, size) whose product nobody can serve, and wraps."""
LARGE = (2**20 + 1, 1_648_576, 2**22, 2**25 + 8)
"""Sizes above those that are drawn, which many allocators take from the system itself, bytes."""
SMALL = (1, 2, 3, 4, 7, 8, 9, 12, 15, 16, 17, 24, 32)
RESIZED = (1, 24, 1000, 5000, 200_000)
"""Sizes of blocks that are resized to nothing, bytes."""
FILLED = (1, 13, 24, 25, 100, 1000, 1025, 4000, 5000, 70_000, 200_000)
"""Sizes of blocks that are filled up to their usable sizes, bytes."""
FREED = (24, 1000, 5000, 200_000, 2**21)
"""Sizes of blocks that are freed, bytes."""
MISUSED = (40, 500, 5000, 200_000)


@dataclass
class Program:
    """Operations of one scene in the making."""

    ops: list[Op] = field(default_factory=list[Op])

    def do(self, kind: Kind, size: int = 0, **more: int) -> int:
        """Append an operation; its index."""
        self.ops.append(Op(kind, size, **more))
        return len(self.ops) - 1


@dataclass(frozen=True)
class Stage:
    """Whom scenes are for."""

    shape: str
    kinds: frozenset[Kind]
    env: Env
    offers: frozenset[str]

    def asks(self, kind: Kind, size: int) -> Op:
        """A request of that kind, with the alignment of a cache line where it takes one."""
        return Op(kind, size, align=64 if kind in ALIGN_TAKERS else 0)

    @property
    def takes_null(self) -> bool:
        """It may be given NULL for a block, as C's functions may: else that is left open."""
        return "free null" in self.offers

    @property
    def usual(self) -> Kind:
        """What a plain block is asked for with."""
        return next(kind for kind in REQUESTS if kind in self.kinds)

    def block(self, size: int) -> Op:
        """A plain request; of a pool for its one size."""
        return self.asks(self.usual, int(self.env.block_size) if self.shape == "pool" else size)


Scene = Callable[[Stage], Iterator[list[Op]]]


def nothing(s: Stage) -> Iterator[list[Op]]:
    """Requests for 0 bytes, two of each kind, with a block before and one behind them."""
    makers = (*REQUESTS, Kind.RESIZE) if s.takes_null else REQUESTS
    for kind in (kind for kind in makers if kind in s.kinds):
        requests = [Op(kind, 0, slot=NULL) if kind is Kind.RESIZE else s.asks(kind, 0)]
        if kind is Kind.ZALLOC and s.env.counted:
            requests += [Op(kind, 8, count=0), Op(kind, 0, count=0), Op(kind, 8192, count=0), Op(kind, 0, count=8192)]
        for request in requests:
            ops = [s.block(48), request, request, s.block(48), Op(Kind.FREE, slot=1), Op(Kind.FREE, slot=2)]
            yield [*ops, Op(Kind.CHECK, slot=0), Op(Kind.FREE, slot=0), Op(Kind.FREE, slot=3)]


def to_nothing(s: Stage) -> Iterator[list[Op]]:
    """A block between two others is resized to 0 bytes."""
    if Kind.RESIZE not in s.kinds:
        return
    for size in RESIZED:
        ops = [s.block(48), s.block(size), s.block(48), Op(Kind.RESIZE_TO_ZERO, slot=1), s.block(size)]
        yield [*ops, *(Op(Kind.CHECK, slot=slot) for slot in (0, 2, 4)), *(Op(Kind.FREE, slot=x) for x in (0, 2, 4))]


def refusals(s: Stage) -> Iterator[list[Op]]:
    """What nobody can serve, between blocks that must stay as they are; then small requests, which must be served."""
    huge = [size for size in HUGE if size <= s.env.max_request]
    for kind in (kind for kind in (*REQUESTS, Kind.RESIZE) if kind in s.kinds):
        unit = 64 if kind is Kind.ALIGNED and s.env.aligned_multiple else 1
        requests = [s.asks(kind, size - size % unit) for size in huge]
        if kind is Kind.ZALLOC and s.env.counted:
            requests = [Op(kind, size, count=count) for count, size in WRAPPING if size <= s.env.max_request]
        if kind is Kind.RESIZE:
            requests = [Op(kind, size, slot=slot) for size in huge for slot in ((0, NULL) if s.takes_null else (0,))]
        for request in requests:
            before = [s.block(48), s.block(16), Op(Kind.CHECK, slot=0), Op(Kind.CHECK, slot=1)]
            after = [Op(Kind.CHECK, slot=0), Op(Kind.CHECK, slot=1), Op(Kind.FREE, slot=1)]
            yield [*before, request, request, *after, s.block(16), s.block(64), s.block(48), Op(Kind.FREE, slot=0)]


def large_sizes(s: Stage) -> Iterator[list[Op]]:
    """Blocks larger than those that are drawn, of every kind, resized too."""
    for kind in (kind for kind in REQUESTS if kind in s.kinds):
        whole = kind is Kind.ALIGNED and s.env.aligned_multiple
        for size in (size - size % 64 if whole else size for size in LARGE if size <= s.env.max_request):
            ops = [s.asks(kind, size), s.block(48), Op(Kind.CHECK, slot=0)]
            resized = [Op(Kind.RESIZE, size + 4097, slot=0)] if Kind.RESIZE in s.kinds and kind is s.usual else []
            yield [*ops, *resized, Op(Kind.FREE, slot=len(ops) if resized else 0), Op(Kind.FREE, slot=1)]


def odd_alignments(s: Stage) -> Iterator[list[Op]]:
    """Alignments that are none."""
    for function, kind, odd in (
        (Kind.ALIGNED, Kind.ODD_ALIGNED, ODD),
        (Kind.POSIX_ALIGNED, Kind.ODD_POSIX_ALIGNED, ODD_FOR_POINTERS),
    ):
        for align in odd if function in s.kinds else ():
            yield [s.block(48), Op(kind, 64, align=align), s.block(48), Op(Kind.CHECK, slot=0), Op(Kind.CHECK, slot=2)]


def odd_sizes(s: Stage) -> Iterator[list[Op]]:
    """Aligned requests whose size is no multiple of the alignment, where that may be asked for."""
    if Kind.ALIGNED not in s.kinds or s.env.aligned_multiple:
        return
    for align, size in ODD_SIZES:
        yield [Op(Kind.ALIGNED, size, align=align), s.block(48), Op(Kind.CHECK, slot=0), Op(Kind.FREE, slot=0)]


def small_sizes(s: Stage) -> Iterator[list[Op]]:
    """Small blocks of every kind, side by side."""
    for kind in (kind for kind in (Kind.ALLOC, Kind.ZALLOC, Kind.RESIZE) if kind in s.kinds):
        if kind is Kind.RESIZE and not s.takes_null:
            continue
        slot = {"slot": NULL} if kind is Kind.RESIZE else {}
        yield [Op(kind, size, **slot) for size in SMALL]


def frees(s: Stage) -> Iterator[list[Op]]:
    """Blocks of several sizes are freed, also right after a refusal."""
    for size in FREED:
        ops = [s.block(size), s.block(size), Op(Kind.FREE, slot=0)]
        ops += [Op(Kind.FREE, slot=NULL)] if s.takes_null else []
        yield [*ops, s.asks(s.usual, min(HUGE[0], int(s.env.max_request))), Op(Kind.FREE, slot=1)]


def usable_bytes(s: Stage) -> Iterator[list[Op]]:
    """Blocks are written up to their usable sizes, side by side; then resized, up and down, and written again."""
    if not {"usable_size", "usable bytes"} <= s.offers:
        return
    for size in FILLED:
        p = Program([s.block(48), s.block(size), s.block(48)])
        p.do(Kind.FILL_USABLE, slot=1)
        held = 1
        for resized in (size + 9, 2 * size + 1, size // 2 + 1) if Kind.RESIZE in s.kinds else ():
            held = p.do(Kind.RESIZE, resized, slot=held)
            p.do(Kind.FILL_USABLE, slot=held)
        yield [*p.ops, *(Op(Kind.CHECK, slot=x) for x in (0, held, 2)), *(Op(Kind.FREE, slot=x) for x in (held, 0, 2))]
    for kind in (kind for kind in ALIGN_TAKERS if kind in s.kinds):
        for size in (64, 192, 4096):
            ops = [s.asks(kind, size), s.asks(kind, size), Op(Kind.FILL_USABLE, slot=0), Op(Kind.FILL_USABLE, slot=1)]
            yield [*ops, Op(Kind.CHECK, slot=0), Op(Kind.CHECK, slot=1), Op(Kind.FREE, slot=1), Op(Kind.FREE, slot=0)]


def misuses(s: Stage) -> Iterator[list[Op]]:
    """Pointers that `free` must not be given, under the policy that is declared; then the heap must work as before."""
    env = s.env
    policies = {
        Misuse.DOUBLE: env.double_free,
        Misuse.INTERIOR: env.interior_free,
        Misuse.UNALIGNED: env.unaligned_free,
        Misuse.FOREIGN: env.foreign_free,
    }
    for misuse, policy in policies.items():
        for size in MISUSED[: 1 if s.shape == "pool" else None] if policy != Policy.UNDEFINED else ():
            if misuse is Misuse.INTERIOR and s.shape == "pool" and env.block_size < 32:
                continue
            ops = [s.block(size), s.block(size), s.block(size)]
            ops += [Op(Kind.FREE, slot=1)] if misuse is Misuse.DOUBLE else []
            ops += [Op(Kind.MISFREE, int(misuse), slot=NULL if misuse is Misuse.FOREIGN else 1)]
            ops += [s.block(size), Op(Kind.CHECK, slot=0), Op(Kind.CHECK, slot=2), Op(Kind.FREE, slot=2)]
            yield [*ops, s.block(size), Op(Kind.CHECK, slot=0), Op(Kind.FREE, slot=0)]
    for size in MISUSED[: 1 if s.shape == "pool" else None] if env.double_free != Policy.UNDEFINED else ():
        # Another block is freed between: what is freed twice is then not the newest that waits.
        ops = [s.block(size), s.block(size), s.block(size), Op(Kind.FREE, slot=0), Op(Kind.FREE, slot=1)]
        yield [*ops, Op(Kind.MISFREE, int(Misuse.DOUBLE), slot=0), s.block(size), s.block(size), Op(Kind.CHECK, slot=2)]


TO_NOTHING: tuple[str, Scene] = ("resized to 0 bytes", to_nothing)
OF_MALLOC: tuple[tuple[str, Scene], ...] = (
    ("requests for 0 bytes", nothing),
    TO_NOTHING,
    ("refusals", refusals),
    ("large sizes", large_sizes),
    ("odd alignments", odd_alignments),
    ("odd sizes", odd_sizes),
    ("small sizes", small_sizes),
    ("frees", frees),
)
"""Scenes of what stands in the place of a C library's functions."""
OF_LUA: tuple[tuple[str, Scene], ...] = (("refusals", refusals), ("small sizes", small_sizes))
OF_ALL: tuple[tuple[str, Scene], ...] = (("usable bytes", usable_bytes), ("misuse", misuses))
"""Scenes of every shape that gives single blocks back, where it promises something about them."""


def scenes(shape: str, kinds: frozenset[Kind], env: Env, offers: frozenset[str]) -> Iterator[Trace]:
    """Every scene of a subject, by the name of its part; none of them has more than a few dozen operations."""
    stage = Stage(shape, kinds, env, offers)
    chosen = {"malloc": OF_MALLOC, "lua_alloc": OF_LUA}.get(shape, ()) if "C functions" in offers else ()
    if "zero resize" in offers and chosen != OF_MALLOC:
        chosen = (*chosen, TO_NOTHING)
    for name, scene in (*chosen, *(OF_ALL if Kind.FREE in kinds else ())):
        for ops in scene(stage):
            trace = make_trace(shape, ops, env, PROFILE)
            yield Trace(shape, trace.columns, env, PROFILE, parts=((0, name),))


def resized_away(shape: str, kinds: frozenset[Kind], env: Env) -> Trace | None:
    """A steady workload of blocks that are resized to nothing, where that is promised to free them."""
    if Kind.RESIZE not in kinds or env.zero_resize != Zero.NULL:
        return None
    pairs = ((Op(Kind.ALLOC, 4096), Op(Kind.RESIZE_TO_ZERO, slot=2 * turn)) for turn in range(STEADY))
    return make_trace(shape, [op for pair in pairs for op in pair], env, "steady")
