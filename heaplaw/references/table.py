"""Which reference allocators there are, how each is called, and what it promises. Data: nothing is started here."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from heaplaw.plan import Call, Plan, call
from heaplaw.refimpl.steps import bump, freelist, stack
from heaplaw.spec.event import Env, Order, Policy
from heaplaw.spec.history import plain_env
from heaplaw.spec.shapes import Kind

SYSTEM, EXPLICIT = "heaplaw.references.system", "heaplaw.references.explicit"
CAPACITY = 64 * 1024
"""Bytes of the buffer that allocators over one buffer are given."""
FEW = 8 * 1024
"""The same of a free list that is never joined, and would be long."""
BLOCK, BLOCKS = 64, 100
"""Of the pool: bytes a block, and blocks."""
TAGS = 3
"""Tags that blocks are given."""
STATISTICS = ("total_bytes", "current_bytes", "peak_bytes", "allocations", "footprint")
TAGGED = ("tag_count", "tag_current", "tag_peak")
LEAKS = ("leak_count", "leak_bytes")
LINES = ("leak_lines", "leak_size", "leak_tag")
COUNTERS: dict[str, Call] = {
    **{name: call(name, "size") for name in (*STATISTICS, *LEAKS)},
    **{name: call(name, "size", "label") for name in TAGGED},
    **{name: call(name, "size", "ptr") for name in LINES},
    "invariant": call("invariant", "bool"),
}
QUICK = {name: made for name, made in COUNTERS.items() if name != "invariant"}
"""Of those whose check of themselves takes longer than the rest together, or is another's."""
REQUESTS: dict[Kind, Call] = {
    Kind.ALLOC: call("alloc", "pointer", "size", "label"),
    Kind.ALIGNED: call("aligned", "pointer", "size", "align", "label"),
    Kind.ZALLOC: call("zeroed", "pointer", "size", "label"),
}
HEAP: dict[Kind, Call] = {
    **REQUESTS,
    Kind.RESIZE: call("realloc", "pointer", "ptr", "size"),
    Kind.FREE: call("free", "none", "ptr", "osize"),
}
REGION: dict[Kind, Call] = {
    **REQUESTS,
    Kind.RESET: call("reset", "none"),
    Kind.MARK: call("mark", "size"),
    Kind.RELEASE: call("release", "none", "mark"),
}


@dataclass(frozen=True)
class Reference:
    """One reference allocator: the function of `module` that makes it, its calls, and what it promises."""

    shape: str
    make: str
    what: str
    """For people."""
    operations: Mapping[Kind, Call]
    counters: Mapping[str, Call]
    env: Env
    promises: frozenset[str] = frozenset()
    module: str = SYSTEM
    operations_run: int = 10_000
    """Operations of a check, when the user does not say."""
    buffer: int = 0
    """Bytes of memory that it is given; 0: none."""
    renews: bool = True

    @property
    def plan(self) -> Plan:
        """How it is called."""
        given = ("buffer", "capacity") if self.buffer else ()
        return Plan(
            self.operations,
            self.counters,
            create=(Call(self.make, "pointer", given),),
            destroy=call("drop", "none") if self.renews else None,
            buffer=self.buffer,
            capacity=self.buffer,
            align=int(self.env.max_align),
        )


def _system(shape: str, overhead: int, chunk: int, **more: Any) -> Env:
    """What all allocators of the system promise."""
    return replace(
        plain_env(shape),
        max_align=16,
        align_by_size=False,
        coalesces=False,
        max_request_align=4096,
        aligned_multiple=False,
        counted=False,
        labels=TAGS,
        overhead=overhead,
        chunk=chunk,
        foreign=HEAP_OF_PYTHON,
        **more,
    )


ANSWERS = {name: call(name, "size") for name in ("remaining", "total_allocated", "cost")}
OVER_BUFFER: dict[Kind, Call] = {
    Kind.ALLOC: call("alloc", "pointer", "size", "align"),
    Kind.ALIGNED: call("alloc", "pointer", "size", "align"),
    Kind.ZALLOC: call("calloc", "pointer", "count", "size"),
}
HEAP_OF_PYTHON = 2 * 2**20
"""What Python itself uses, or has used and left, of the C library's heap while a trace runs, bytes; seen: 0.3 MiB."""
LIST: dict[Kind, Call] = {**OVER_BUFFER, Kind.FREE: call("dealloc", "none", "ptr")}
LIST_ANSWERS = {
    **ANSWERS,
    **{name: call(name, "size") for name in ("nodes", "first_fit", "least_free", "least_taken")},
    "usable_size": call("usable_size", "size", "ptr"),
}
C: dict[Kind, Call] = {
    Kind.ALLOC: call("malloc", "pointer", "size"),
    Kind.ZALLOC: call("calloc", "pointer", "count", "size"),
    Kind.RESIZE: call("realloc", "pointer", "ptr", "size"),
    Kind.FREE: call("free", "none", "ptr"),
    Kind.ALIGNED: call("aligned_alloc", "pointer", "align", "size"),
}


def _over_buffer(
    name: str, env: Env, operations: Mapping[Kind, Call], what: str, *promises: str, capacity: int = CAPACITY
) -> Reference:
    """An allocator over one buffer that it is given; `env`: what its steps promise."""
    return Reference(
        shape="freelist" if Kind.FREE in operations else "stack" if Kind.POP in operations else "bump",
        make=name,
        what=what,
        operations=operations,
        counters=LIST_ANSWERS if Kind.FREE in operations else ANSWERS,
        env=replace(env, base=0, capacity=capacity, remaining=capacity),
        promises=frozenset(promises),
        module=EXPLICIT,
        buffer=capacity,
    )


_BACK = call("reset", "none")

_GIVEN: dict[str, Reference] = {
    "global": Reference(
        "malloc", "libc", "the C library's malloc behind layouts", C,
        {"usable_size": call("usable_size", "size", "ptr")},
        replace(plain_env("malloc"), aligned_multiple=False, foreign=HEAP_OF_PYTHON),
        frozenset({"coalesces", "free null"}), EXPLICIT,
        renews=False,
    ),
    "bump": _over_buffer(
        "bump", bump.BumpState(8, CAPACITY, 0, 0).env, {**OVER_BUFFER, Kind.RESET: _BACK}, "a bump allocator, upwards",
        "constant time",
    ),
    "stack": _over_buffer(
        "stack", stack.StackState(8, CAPACITY, 0, 0).env,
        {**OVER_BUFFER, Kind.POP: call("pop", "none"), Kind.RESET: _BACK}, "a stack with headers of 8 bytes",
        "constant time",
    ),
    "pool": Reference(
        "pool", "pool", f"{BLOCKS} blocks of {BLOCK} bytes",
        {Kind.ALLOC: call("take", "pointer"), Kind.FREE: call("dealloc", "none", "ptr")},
        {
            **{name: call(name, "size") for name in ("num_free_blocks", "num_allocated", "cost")},
            "base": call("buffer", "size"),
        },
        replace(
            plain_env("pool"), max_align=16, capacity=BLOCK * BLOCKS, block_size=BLOCK, num_blocks=BLOCKS,
            reuse_order=Order.LIFO, most_cost=1,
        ),
        frozenset({"reuse order", "grid", "constant time"}), EXPLICIT,
        renews=False,  # made again, it lies elsewhere
    ),
    "freelist": _over_buffer(
        "freelist", freelist.FreeListState(8, CAPACITY, 0, 0).env, LIST,
        "first fit, freed in constant time, nothing joined", "minimum", "constant time", "linear time",
        capacity=FEW,
    ),
    "freelist-coalescing": _over_buffer(
        "coalescing", freelist.FreeListState(8, CAPACITY, 0, 0, True).env, LIST,
        "first fit in order of address, freed neighbours joined", "minimum", "coalesces", "linear time",
    ),
    "platform": Reference(
        "malloc", "platform", "the C library behind the system's interface", HEAP, COUNTERS,
        _system("malloc", 0, 0), frozenset({"overhead"}),
    ),
    "arena": Reference(
        "arena", "arena", "chunks of 4 KiB, scopes", REGION, COUNTERS,
        _system("arena", 0, 4096), frozenset({"overhead"}),
    ),
    "arena-starved": Reference(
        # What a large alignment costs depends on where the parent's chunks lie, and so does which request is the last.
        "arena", "arena_starved", "an arena whose parent soon has nothing left", REGION, COUNTERS,
        replace(_system("arena", 0, 1024), max_request_align=16), frozenset({"overhead"}),
    ),
    "fixed": Reference(
        "freelist", "fixed", "the system's freelist: blocks of 64 bytes", HEAP, COUNTERS,
        _system("freelist", 64, 64 * 16, max_request=96), frozenset({"overhead"}),
    ),
    "pools": Reference(
        "malloc", "pools", "a freelist for each class of sizes", HEAP, QUICK, _system("malloc", 0, 0),
    ),
    "pools-starved": Reference(
        "malloc", "pools_starved", "size classes whose parent soon has nothing left", HEAP, COUNTERS,
        _system("malloc", 0, 0), operations_run=4_000,
    ),
    "trace-starved": Reference(
        "malloc", "trace_starved", "a trace that soon has no room for records", HEAP, COUNTERS,
        _system("malloc", 64, 2 * 4096), frozenset({"overhead"}), operations_run=4_000,
    ),
    "trace": Reference(
        "malloc", "trace", "the platform, every block on record", HEAP, COUNTERS,
        _system("malloc", 64, 2 * 4096), frozenset({"overhead"}), operations_run=4_000,
    ),
    "trace-arena": Reference(
        "arena", "trace_arena", "an arena, every block on record", REGION, COUNTERS,
        _system("arena", 64, 3 * 4096), frozenset({"overhead"}), operations_run=4_000,
    ),
    "registry": Reference(
        "arena", "registry", "an allocator for each subsystem of a virtual machine", REGION, COUNTERS,
        replace(_system("arena", 0, 0), labels=10), operations_run=4_000,
    ),
    "collected": Reference(
        "malloc", "collected", "the platform under a collector that finds no garbage", HEAP, QUICK,
        _system("malloc", 0, 0), frozenset({"overhead"}),
    ),
    "limited": Reference(
        "malloc", "limited", "the platform with a limit of 16 KiB", HEAP, QUICK,
        _system("malloc", 0, 0, limit=16 * 1024), frozenset({"limit"}),
    ),
    "large": Reference(
        "malloc", "large", "maps of their own for blocks of 16 KiB and more", HEAP, QUICK, _system("malloc", 0, 0),
    ),
}  # fmt: skip


def _refusing(found: Reference) -> Reference:
    """With the promise that `free` refuses every pointer that no live block has, and that nothing changes then."""
    error = Policy.ERROR
    env = replace(found.env, double_free=error, interior_free=error, unaligned_free=error, foreign_free=error)
    return replace(found, env=env, promises=found.promises | {"misuse"})


REFERENCES: dict[str, Reference] = {
    name: found if found.make == "libc" or Kind.FREE not in found.operations else _refusing(found)
    for name, found in _GIVEN.items()
}
"""By the name after `ref:`."""
