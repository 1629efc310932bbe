"""Live subjects: objects of this process that are driven operation by operation, as a trace's driver would
drive them.

A `Live` carries out one operation and answers with the event. `Checked` makes one out of bare calls
(`StepCalls`, `PoolCalls`, `MallocCalls`) by writing and checking payloads around them, as `spec.event.Flag`
defines. A MemoryError is a refusal; what else a subject raises becomes `Status.WRONG`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Protocol, cast

from heaplaw.refimpl.memory import ProcessBytes
from heaplaw.spec.event import Env, Event, Flag, Status
from heaplaw.spec.history import Op
from heaplaw.spec.protocols import Memory, Step
from heaplaw.spec.shapes import CALLS, MALLOC, POOL, SHAPES, Kind, Shape

FULL = 64 * 1024
"""Blocks of up to so many bytes are written and read whole …"""
EDGE = 4096
"""… of larger ones the first and the last so many bytes."""
PERIOD = 251
"""The payload pattern repeats after so many bytes: prime, so that no power of two maps it onto itself."""
_TABLE = bytes(place % PERIOD + 1 for place in range(FULL + PERIOD))


@dataclass(frozen=True)
class Held:
    """A block in a slot."""

    owner: int
    """Index of the operation that gave birth to it."""
    ptr: int
    size: int
    """Bytes asked for."""
    tag: int
    """Which pattern its owner wrote."""


class Store(Protocol):
    """Bytes at addresses; a transfer stops where there is no memory."""

    def peek(self, address: int, size: int) -> bytes: ...
    def poke(self, address: int, data: bytes) -> int: ...


class Live(Protocol):
    """A subject of this process, driven operation by operation."""

    @property
    def shape(self) -> Shape: ...
    @property
    def env(self) -> Env: ...
    @property
    def offers(self) -> frozenset[str]:
        """Operations, by the names of `shapes.CALLS`, and counters that are there."""
        ...

    @property
    def error(self) -> Exception | None:
        """What the subject raised in the latest operation, if it raised."""
        ...

    def apply(self, op: Op, held: Held | None, index: int) -> tuple[Event, int]:
        """Carry out operation `index`, which names the block `held`: the event, and the new block's tag."""
        ...

    def close(self) -> None:
        """The subject is not used any more."""
        ...


class Calls(Protocol):
    """The bare calls of a subject, no payload looked at."""

    shape: Shape
    env: Env
    offers: frozenset[str]

    def call(self, op: Op, ptr: int) -> Event:
        """Call the subject; whatever it raises comes through."""
        ...

    def counters(self) -> tuple[int, int]:
        """The subject's free and allocated blocks, as it counts them; 0 where it does not."""
        ...

    def close(self) -> None: ...


# ------------------------------------------------------------------------------------------- payloads


def pattern(tag: int, offset: int, length: int) -> bytes:
    """What an owner writes at `offset` of its block: bytes from 1 to 251, never the zeros of fresh memory."""
    start = (tag + offset) % PERIOD
    return _TABLE[start : start + length]


def spans(size: int, limit: int | None = None) -> list[tuple[int, int]]:
    """The parts of a block of `size` bytes that are written and read, as offset and length, below `limit`."""
    parts = [(0, size)] if size <= FULL else [(0, EDGE), (size - EDGE, EDGE)]
    end = size if limit is None else limit
    return [(offset, min(length, end - offset)) for offset, length in parts if offset < end]


def first_wrong(store: Store, ptr: int, parts: Iterable[tuple[int, int]], tag: int | None) -> int | None:
    """The first offset in `parts` where the block at `ptr` is not its owner's (`tag` None: not zero)."""
    for offset, length in parts:
        expected = bytes(length) if tag is None else pattern(tag, offset, length)
        found = store.peek(ptr + offset, length)
        if found != expected:
            pairs = enumerate(zip(found, expected, strict=False))
            return offset + next((at for at, (a, b) in pairs if a != b), len(found))
    return None


def fill(store: Store, ptr: int, size: int, tag: int) -> int | None:
    """Write the owner's pattern; the first offset that cannot be written or read back, if any."""
    for offset, length in spans(size):
        written = store.poke(ptr + offset, pattern(tag, offset, length))
        if written < length:
            return offset + written
    return first_wrong(store, ptr, spans(size), tag)


def by_owner(index: int, ptr: int) -> int:
    """Every owner has its own pattern."""
    return index


def by_address(index: int, ptr: int) -> int:
    """Every address has its own pattern: memory is a function of the live blocks, not of the way there."""
    return ptr // 8


class Checked:
    """A live subject: its bare calls, and payloads written and checked around them."""

    def __init__(
        self,
        calls: Calls,
        store: Store,
        tag: Callable[[int, int], int] = by_owner,
        clears: bool = False,
    ) -> None:
        self.calls = calls
        self.store = store
        self.error: Exception | None = None
        self._tag = tag
        self._clears = clears

    @property
    def shape(self) -> Shape:
        return self.calls.shape

    @property
    def env(self) -> Env:
        return self.calls.env

    @property
    def offers(self) -> frozenset[str]:
        return self.calls.offers

    def close(self) -> None:
        """The subject is not used any more."""
        self.calls.close()

    def apply(self, op: Op, held: Held | None, index: int) -> tuple[Event, int]:
        """Carry out operation `index`, which names the block `held`: the event, and the new block's tag."""
        self.error = None
        damaged = None if held is None else first_wrong(self.store, held.ptr, spans(held.size), held.tag)
        if self._clears and held is not None and op.kind == Kind.FREE:
            self.store.poke(held.ptr, bytes(held.size))
        event = replace(self._call(op, held), held=0 if held is None else held.size)
        tag = self._tag(index, event.ptr)
        flag, bad_at = self._settle(held, event, tag)
        if damaged is not None:
            flag, bad_at = Flag.DAMAGED, damaged
        return replace(event, flags=int(flag), bad_at=bad_at), tag

    def _call(self, op: Op, held: Held | None) -> Event:
        if op.kind == Kind.CHECK:
            return self._bare(op, Status.OK)
        try:
            return self.calls.call(op, 0 if held is None else held.ptr)
        except MemoryError:  # Python's way to refuse
            return self._bare(op, Status.FAILED)
        except Exception as error:  # noqa: BLE001 (whatever a subject raises is what it did)
            self.error = error
            return self._bare(op, Status.WRONG)

    def _bare(self, op: Op, status: Status) -> Event:
        try:
            free, allocated = self.calls.counters()
        except Exception as error:  # noqa: BLE001 (likewise)
            self.error, status, free, allocated = self.error or error, Status.WRONG, 0, 0
        event = Event(op.kind, op.size, op.align, op.count, status, num_free=free, num_allocated=allocated)
        return replace(event, env=self.env)

    def _settle(self, held: Held | None, event: Event, tag: int) -> tuple[Flag, int]:
        """Check what the call did to the payload, then let the new owner write its own."""
        wrong: tuple[int | None, Flag] = None, Flag.NOTHING
        if event.kind == Kind.RESIZE and held is not None:
            if event.failed:
                wrong = first_wrong(self.store, held.ptr, spans(held.size), held.tag), Flag.FAILED_CHANGED
            elif event.makes:
                common = spans(held.size, min(held.size, int(event.extent)))
                wrong = first_wrong(self.store, event.ptr, common, held.tag), Flag.PREFIX_LOST
        elif event.kind == Kind.ZALLOC and event.makes:
            wrong = first_wrong(self.store, event.ptr, spans(int(event.extent)), None), Flag.NOT_ZERO
        unwritable = fill(self.store, event.ptr, int(event.extent), tag) if event.makes else None
        if wrong[0] is not None:
            return wrong[1], wrong[0]
        return (Flag.NOTHING, 0) if unwritable is None else (Flag.UNWRITABLE, unwritable)


# ------------------------------------------------------------------------------------------- subjects


class StepCalls:
    """Pure steps over a memory."""

    def __init__(self, step: Step, state: Any, memory: Memory, env: Env, shape: Shape = POOL) -> None:
        self.shape = shape
        self.env = env
        self.offers = frozenset(CALLS[kind] for kind in shape.required) | (shape.counters - {"invariant"})
        self.state = state
        self.memory = memory
        self.at_first = (int(env.num_blocks), 0)
        """Free and allocated blocks before the first operation."""
        self.counted = self.at_first
        """What the latest event said of free and allocated blocks."""
        self._step = step

    def call(self, op: Op, ptr: int) -> Event:
        """One step."""
        self.state, event = self._step(self.state, op, ptr, self.memory)
        self.counted = event.num_free, event.num_allocated
        return event

    def counters(self) -> tuple[int, int]:
        """What the latest event said."""
        return self.counted

    def close(self) -> None:
        """Nothing is held."""


def served(answer: object) -> tuple[Status, int]:
    """What an address, or 0, says of a request."""
    if not isinstance(answer, int) or isinstance(answer, bool) or not 0 <= answer < 2**64:
        return Status.WRONG, 0
    return (Status.FAILED, 0) if answer == 0 else (Status.OK, answer)


class PoolCalls:
    """Any object with `alloc`, `dealloc` and, if it likes, `num_free_blocks`, `num_allocated` and A5's
    fields.
    """

    shape = POOL

    def __init__(self, pool: Any, env: Env | None = None) -> None:
        self.pool = pool
        counters = {name for name in ("num_free_blocks", "num_allocated") if hasattr(pool, name)}
        fields = ("buffer", "capacity", "block_size", "num_blocks")
        bounds = {"bounds", "grid"} if env is not None or all(hasattr(pool, name) for name in fields) else set[str]()
        self.env = env or self._told()
        self.offers = frozenset({CALLS[Kind.ALLOC], CALLS[Kind.FREE]}) | counters | bounds

    def _told(self) -> Env:
        pool = self.pool
        blocks = getattr(pool, "num_blocks", None)
        return Env(
            max_align=getattr(pool, "alignment", 8),
            align_by_size=False,
            base=getattr(pool, "buffer", 0),
            capacity=getattr(pool, "capacity", 0),
            block_size=getattr(pool, "block_size", 0),
            num_blocks=sum(self.counters()) if blocks is None else blocks,
        )

    def counters(self) -> tuple[int, int]:
        """`num_free_blocks()` and `num_allocated()`, where they are there."""
        free = getattr(self.pool, "num_free_blocks", lambda: 0)()
        return free, getattr(self.pool, "num_allocated", lambda: 0)()

    def call(self, op: Op, ptr: int) -> Event:
        """`alloc()` or `dealloc(ptr)`, then both counters."""
        status, address = Status.OK, 0
        if op.kind == Kind.ALLOC:
            status, address = served(self.pool.alloc())
        elif self.pool.dealloc(ptr) not in (0, None):
            status = Status.WRONG
        free, allocated = self.counters()
        size = self.env.block_size if op.kind == Kind.ALLOC else 0
        event = Event(op.kind, size, status=status, ptr=address, num_free=free, num_allocated=allocated)
        return replace(event, env=self.env)

    def close(self) -> None:
        """`drop()`, where there is one."""
        getattr(self.pool, "drop", lambda: 0)()


class MallocCalls:
    """Any object with `malloc`, `free` and perhaps `calloc`, `realloc`, `aligned_alloc`, `usable_size`."""

    shape = MALLOC

    def __init__(self, subject: Any, env: Env | None = None) -> None:
        self.subject = subject
        self.env = env or Env(max_align=getattr(subject, "alignment", Env.max_align))
        names = {CALLS[kind] for kind in MALLOC.operations} - {CALLS[Kind.POSIX_ALIGNED]}
        known = {name for name in names | {"usable_size"} if hasattr(subject, name)}
        self.offers = frozenset(known | {"huge sizes"})

    def _ask(self, op: Op, ptr: int) -> object:
        subject = self.subject
        match op.kind:
            case Kind.ALLOC:
                return subject.malloc(op.size)
            case Kind.ZALLOC:
                return subject.calloc(op.count, op.size)
            case Kind.RESIZE:
                return subject.realloc(ptr, op.size)
            case Kind.ALIGNED:
                return subject.aligned_alloc(op.align, op.size)
            case _:
                raise ValueError(f"no such call on an object: {op.kind!r}")

    def call(self, op: Op, ptr: int) -> Event:
        """One call; None stands for NULL, as ctypes has it."""
        event = Event(op.kind, op.size, op.align, op.count, env=self.env)
        if op.kind == Kind.FREE:
            self.subject.free(ptr)
            return event
        answer = self._ask(op, ptr)
        status, address = served(0 if answer is None else answer)
        usable = self.subject.usable_size(address) if address and "usable_size" in self.offers else 0
        return replace(event, status=status, ptr=address, usable=usable)

    def counters(self) -> tuple[int, int]:
        """There are none."""
        return 0, 0

    def close(self) -> None:
        """Nothing is held."""


def live_steps(step: Step, state: Any, memory: Any, env: Env, shape: Shape = POOL) -> Checked:
    """Pure steps over a memory that also has `peek` and `poke`."""
    return Checked(StepCalls(step, state, memory, env, shape), memory)


def live_pool(pool: Any, env: Env | None = None, store: Store | None = None) -> Checked:
    """A pool object. Payloads go to `store`, its own `memory` where it has a simulated one, else to real
    addresses.
    """
    calls = PoolCalls(pool, env)
    memory = store or getattr(pool, "memory", None)
    if memory is None and "bounds" in calls.offers:
        memory = ProcessBytes(calls.env.base, calls.env.base + calls.env.capacity)
    return Checked(calls, memory or ProcessBytes())


def live_malloc(subject: Any, env: Env | None = None, store: Store | None = None) -> Checked:
    """An object shaped like malloc. Payloads go to `store`, its own `memory`, or real addresses."""
    return Checked(MallocCalls(subject, env), store or getattr(subject, "memory", None) or ProcessBytes())


def live(subject: Any, shape: str) -> Live:
    """`subject` as something to drive: as it is when it has `apply`, else by its shape."""
    if hasattr(subject, "apply"):
        return cast("Live", subject)
    return live_pool(subject) if SHAPES[shape] is POOL else live_malloc(subject)
