"""Where blocks lie: alignment, size, disjointness, bounds."""

from ..event import Block, Env, Event, Flag, Status
from ..law import Law, Scope
from ..logic import Truth, Word, ite, mod_pow2, neg
from ..shapes import SHAPES, Kind

ALL = frozenset(SHAPES)


def _bytes(count: int) -> str:
    return f"{count} byte{'s' * (count != 1)}"


def _hands_out(e: Event) -> Truth:
    return e.makes


def _aligned(e: Event) -> Truth:
    return mod_pow2(e.ptr, e.required_align) == 0


aligned = Law[Event](
    id="HL101",
    name="aligned",
    sentence="a block's address is a multiple of the required alignment",
    source="C23 7.24.3 p1, 7.24.3.1 p2; POSIX.1-2017 posix_memalign",
    scope=Scope.EVENT,
    shapes=ALL,
    premise=_hands_out,
    body=_aligned,
    observed=lambda e: f"address {e.ptr:#x}, {_bytes(e.ptr % e.required_align)} past a multiple of {e.required_align}",
    required=lambda e: f"a multiple of {e.required_align} bytes",
    accepts=((Event(Kind.ALLOC, 64, ptr=0x1010),), (Event(Kind.ALLOC, 8, ptr=0x1008),)),
    rejects=((Event(Kind.ALLOC, 64, ptr=0x1008),), (Event(Kind.ALIGNED, 64, align=4096, ptr=0x1010),)),
)


def _sized(e: Event) -> Truth:
    return e.reach >= e.extent


sized = Law[Event](
    id="HL102",
    name="sized",
    sentence="every requested byte of a block can be written and read",
    source="C17 7.22.3 p1, 7.22.3.4 p2",
    scope=Scope.EVENT,
    shapes=ALL,
    premise=_hands_out,
    body=_sized,
    observed=lambda e: f"only the first {e.reach} of {e.extent} bytes can be written",
    required=lambda e: f"{e.extent} writable bytes",
    accepts=((Event(Kind.ALLOC, 64, ptr=0x1010),),),
    rejects=((Event(Kind.ALLOC, 64, ptr=0x1010, flags=Flag.UNWRITABLE, bad_at=16),),),
)


def _both_live(a: Block, b: Block) -> Truth:
    together = (a.birth < b.death) & (b.birth < a.death)
    return together & (a.extent >= 1) & (b.extent >= 1)


def _apart(a: Word, a_size: Word, b: Word, b_size: Word) -> Truth:
    # No end address is computed: `ptr + size` of a bad pointer could wrap in a column of 64-bit words.
    return ite(a <= b, a_size <= b - a, b_size <= a - b)


def _blocks_disjoint(a: Block, b: Block) -> Truth:
    return _apart(a.ptr, a.extent, b.ptr, b.extent)


def _shared(a: Block, b: Block) -> str:
    start, end = max(a.ptr, b.ptr), min(a.ptr + a.extent, b.ptr + b.extent)
    count = end - start
    return f"{_bytes(count)} shared, from {start:#x} to {end:#x}"


blocks_disjoint = Law[Block, Block](
    id="HL103",
    name="blocks_disjoint",
    sentence="blocks that are live at the same time share no byte",
    source="C17 7.22.3 p1 (each allocation yields an object disjoint from any other object)",
    scope=Scope.PAIR,
    shapes=ALL,
    premise=_both_live,
    body=_blocks_disjoint,
    observed=_shared,
    required=lambda a, b: "0 bytes shared",
    accepts=((Block(0x1000, 64), Block(0x1040, 64)), (Block(0x1040, 1), Block(0x1000, 64))),
    rejects=(
        (Block(0x1000, 64), Block(0x103F, 64)),
        (Block(0x1010, 16), Block(0x1000, 64)),
        (Block(0x1000, 1), Block(0x1000, 1)),
    ),
)


def _reports_usable(e: Event) -> Truth:
    return e.makes


def _usable_covers(e: Event) -> Truth:
    return e.usable >= e.extent


usable_size_covers_request = Law[Event](
    id="HL104",
    name="usable_size_covers_request",
    sentence="the usable size that the allocator reports is at least the size requested",
    source="malloc_usable_size(3)",
    scope=Scope.EVENT,
    shapes=frozenset({"malloc", "freelist"}),
    premise=_reports_usable,
    body=_usable_covers,
    observed=lambda e: f"usable size {e.usable} bytes",
    required=lambda e: f"at least {e.extent} bytes",
    accepts=((Event(Kind.ALLOC, 24, ptr=0x1010, usable=24),),),
    rejects=((Event(Kind.ALLOC, 24, ptr=0x1010, usable=16),),),
    needs=frozenset({"usable_size"}),
)


def _larger(a: Word, b: Word) -> Word:
    return ite(a >= b, a, b)


def _usable_disjoint(a: Block, b: Block) -> Truth:
    return _apart(a.ptr, _larger(a.usable, a.extent), b.ptr, _larger(b.usable, b.extent))


usable_sizes_disjoint = Law[Block, Block](
    id="HL106",
    name="usable_sizes_disjoint",
    sentence="blocks that are live at the same time share no byte of what the allocator calls usable",
    source="malloc_usable_size(3)",
    scope=Scope.PAIR,
    shapes=frozenset({"malloc", "freelist"}),
    premise=_both_live,
    body=_usable_disjoint,
    observed=lambda a, b: (
        f"usable ranges [{a.ptr:#x}, {a.ptr + a.usable:#x}) and [{b.ptr:#x}, {b.ptr + b.usable:#x}) overlap"
    ),
    required=lambda a, b: "0 bytes shared",
    accepts=((Block(0x1000, 20, usable=32), Block(0x1020, 64, usable=64)),),
    rejects=((Block(0x1000, 20, usable=40), Block(0x1020, 64, usable=64)),),
    needs=frozenset({"usable_size"}),
)


def _in_bounds(e: Event) -> Truth:
    env = e.env
    size = ite(env.block_size == 0, e.extent, env.block_size)
    return (e.ptr >= env.base) & (size <= env.capacity) & (e.ptr - env.base <= env.capacity - size)


_BUFFER = Env(align_by_size=False, max_align=8, base=0x1000, capacity=256, block_size=64, num_blocks=4)

in_bounds = Law[Event](
    id="HL105",
    name="in_bounds",
    sentence="a block lies inside the buffer that the allocator declares",
    source="Vais std/allocator, PoolAllocator: buffer, capacity",
    scope=Scope.EVENT,
    shapes=ALL,
    premise=_hands_out,
    body=_in_bounds,
    observed=lambda e: f"[{e.ptr:#x}, {e.ptr + (e.env.block_size or e.extent):#x})",
    required=lambda e: f"inside [{e.env.base:#x}, {e.env.base + e.env.capacity:#x})",
    accepts=((Event(Kind.ALLOC, 64, ptr=0x10C0, env=_BUFFER),),),
    rejects=(
        (Event(Kind.ALLOC, 64, ptr=0x10C1, env=_BUFFER),),
        (Event(Kind.ALLOC, 64, ptr=0xFC0, env=_BUFFER),),
    ),
    needs=frozenset({"bounds"}),
)


def _is_called(e: Event) -> Truth:
    return e.called


def _nothing_outside(e: Event) -> Truth:
    return neg(e.flags == Flag.OUTSIDE)


buffer_respected = Law[Event](
    id="HL107",
    name="buffer_respected",
    sentence="an allocator writes nothing outside the buffer that it was given, and leaves the buffer to its owner",
    source="Vais std/allocator, BumpAllocator.from_buffer: the allocator does not own the buffer",
    scope=Scope.EVENT,
    shapes=ALL,
    premise=_is_called,
    body=_nothing_outside,
    observed=lambda e: f"byte {e.bad_at} beside the buffer was changed",
    required=lambda e: "the bytes on both sides of the buffer as they were",
    accepts=((Event(Kind.ALLOC, 64, ptr=0x1040, env=_BUFFER),),),
    rejects=(
        (Event(Kind.ALLOC, 64, status=Status.FAILED, flags=Flag.OUTSIDE, bad_at=0, env=_BUFFER),),
        (Event(Kind.RENEW, 0, flags=Flag.OUTSIDE, bad_at=8, env=_BUFFER),),
    ),
    needs=frozenset({"buffer"}),
)

LAWS = (
    aligned,
    sized,
    blocks_disjoint,
    usable_size_covers_request,
    in_bounds,
    usable_sizes_disjoint,
    buffer_respected,
)
