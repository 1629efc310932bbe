"""What a law sees: one operation with what came of it, blocks, views of the heap, and a whole run.

Every field is a `Word`: an int in a concrete history, a column in a fast judge, a symbolic integer in a proof. The
derived fields below are written with the operators of `spec.logic`, so that they too exist once, for every engine.
"""

from dataclasses import dataclass
from enum import IntEnum, IntFlag

from .layout import MAX_ALIGN, PTRDIFF_MAX, SIZE_MAX, fundamental_alignment
from .logic import Truth, Word, ite, least, neg, one_of
from .report import SILENT, Report, Sums
from .shapes import ALIGN_TAKERS, ENDERS, MAKERS, READERS, REQUESTS, SWEEPERS, Kind

NONE = 2**32 - 1
"""The slot, or the owner, of an operation that has none."""
NULL = 2**32 - 2
"""The slot of an operation that is given the null pointer: `free(NULL)`, `realloc(NULL, size)`."""
NEVER = 2**64 - 1
"""The death of a block that is never freed."""


class Status(IntEnum):
    """How an operation ended."""

    SKIPPED = 0
    """Not called: its slot was empty, or an earlier operation ended the run."""
    OK = 1
    """Served: a block was handed out, resized, freed or read back."""
    FAILED = 2
    """Refused with the shape's failure value (NULL, 0, ENOMEM)."""
    DIED = 3
    """Called, and never returned: a crash, a hang, an abort, an exit."""
    WRONG = 4
    """Returned something that is neither a block nor the failure value (an exception, an undefined code)."""


class Flag(IntFlag):
    """What the driver found wrong with a payload; at most one an operation. `bad_at`: the first wrong offset, bytes."""

    NOTHING = 0
    DAMAGED = 1
    """The block named by the operation no longer holds what its owner wrote."""
    PREFIX_LOST = 2
    """After a resize, the first min(old, new) bytes are not the old ones."""
    NOT_ZERO = 4
    """Memory promised to be zero is not."""
    FAILED_CHANGED = 8
    """A resize failed, and the old block's payload changed."""
    UNWRITABLE = 16
    """The block cannot be written over its whole requested size."""
    OUTSIDE = 32
    """Bytes beside the buffer that the allocator was given have changed; `bad_at` counts from the buffer's edge."""
    OUT_WRITTEN = 64
    """A refused call wrote where `&out` points; `bad_at` is 0 if it wrote NULL, else 1."""


class Zero(IntEnum):
    """What is promised for a request of 0 bytes."""

    UNSPECIFIED = 0
    NULL = 1
    UNIQUE = 2


class Direction(IntEnum):
    """Which way a bump allocator is promised to move."""

    ANY = 0
    UP = 1
    DOWN = 2


class Padding(IntEnum):
    """Whether `remaining` and `total_allocated` count padding and headers."""

    ANY = 0
    COUNTED = 1
    EXCLUDED = 2


class Order(IntEnum):
    """Which freed block a pool is promised to hand out next."""

    ANY = 0
    LIFO = 1
    FIFO = 2


class Policy(IntEnum):
    """What is promised when `free` is given a pointer that no live block has."""

    UNDEFINED = 0
    ABORT = 1
    """The process ends itself by a signal for that (SIGABRT, SIGILL, SIGTRAP), or with an exit code above 0."""
    IGNORE = 2
    """It returns, and nothing has changed."""
    ERROR = 3
    """It is refused, and nothing has changed."""


ERRNO_BEFORE = 133
"""errno before a call that gives a block back: no call of an allocator sets this one."""
ERRNO_CLEARED = 0xFFFF
"""What is recorded of a free that set errno to 0."""


@dataclass(frozen=True)
class Env:
    """What is constant over a run: the subject's promises and configuration. Sizes and addresses in bytes."""

    max_align: Word = MAX_ALIGN
    align_by_size: bool = True
    base: Word = 0
    """First address of the buffer that blocks come from, where the subject declares one."""
    capacity: Word = 0
    block_size: Word = 0
    num_blocks: Word = 0
    header: Word = 0
    """Most bytes, beside padding, that the allocator adds to a request."""
    remaining: Word = 0
    """The subject's own counters before the first operation, bytes."""
    total: Word = 0
    one_buffer: bool = False
    """Equal requests in equal states get equal addresses."""
    coalesces: bool = False
    """Freed neighbours become one."""
    zero_size: int = Zero.UNSPECIFIED
    direction: int = Direction.ANY
    padding: int = Padding.ANY
    reuse_order: int = Order.ANY
    max_request_align: int = 2**16
    """Largest alignment that may be asked for, bytes: for drawing traces only, as the next three."""
    max_request: int = SIZE_MAX
    """Largest size that may be asked for, bytes."""
    aligned_multiple: bool = True
    """The size of an ALIGNED request must be a multiple of the alignment."""
    counted: bool = True
    """ZALLOC takes a number of elements."""
    labels: int = 0
    """Tags that blocks may be given, for drawing traces; 0: they take none."""
    limit: int = 0
    """Most bytes that may be live, where a limit is promised; 0: none."""
    overhead: int = 0
    """Bytes of metadata that a live block may cost, where that is promised …"""
    chunk: int = 0
    """… and bytes by which the memory held may grow at a time."""
    minimum: int = 0
    """The smallest block of a free list, header included."""
    most_cost: int = 0
    """Words that an operation of constant cost may read and write, and one of linear cost for each free block."""
    foreign: int = 0
    """Bytes of pages that others use, or have used and left, in the memory that blocks come from: a subject that lives
    in the harness's own heap.
    """
    constant_alloc: bool = True
    """Requests are of constant cost; else linear in the blocks of the free list."""
    constant_free: bool = True
    """So is giving a block back."""
    dialects: int = 0
    """The dialects in force, as `dialects.Dialect` numbers them, added up; 0: none is declared."""
    zero_resize: int = Zero.UNSPECIFIED
    """What is promised for `realloc(p, 0)`: NULL and the block is gone, or a block of its own."""
    double_free: int = Policy.UNDEFINED
    interior_free: int = Policy.UNDEFINED
    unaligned_free: int = Policy.UNDEFINED
    foreign_free: int = Policy.UNDEFINED


@dataclass(frozen=True)
class Event:
    """One operation and what came of it."""

    kind: Word
    size: Word
    """Bytes asked for (of one element, for ZALLOC)."""
    align: Word = 0
    """Alignment asked for, by the operations that take one."""
    count: Word = 1
    """Number of elements (ZALLOC), otherwise 1."""
    status: Word = Status.OK
    flags: Word = 0
    held: Word = 0
    """Requested size, in bytes, of the block that the operation names."""
    ptr: Word = 0
    """Address handed out; 0 when none was."""
    usable: Word = 0
    """What the subject says of the block's size; 0 where it says nothing."""
    bad_at: Word = 0
    num_free: Word = 0
    """The subject's own counter, after the operation."""
    num_allocated: Word = 0
    remaining: Word = 0
    total: Word = 0
    sound: Word = 0
    """The subject's check of itself, after the operation: 0 not asked, 1 well, 2 broken."""
    err: Word = 0
    """errno after a refusal or a free, or the code that the call returned; how the process ended, if it did."""
    index: Word = 0
    """Position among the operations called in this run."""
    instance: Word = 0
    """Which instance of the allocator was called."""
    label: Word = 0
    """The tag that the new block is given; 0: none."""
    report: Report = SILENT
    """What the subject says of itself beyond its counters."""
    env: Env = Env()

    @property
    def called(self) -> Truth:
        """The operation reached the subject."""
        return neg(self.status == Status.SKIPPED)

    @property
    def served(self) -> Truth:
        return self.status == Status.OK

    @property
    def failed(self) -> Truth:
        return self.status == Status.FAILED

    @property
    def makes(self) -> Truth:
        """The operation handed out a block."""
        return self.served & one_of(self.kind, MAKERS)

    @property
    def ends(self) -> Truth:
        """The block named by the operation, if it names one, is live no longer: freed, popped, resized into another."""
        given_up = (self.kind == Kind.RESIZE_TO_ZERO) & (self.served | self.failed)
        return (self.served & one_of(self.kind, ENDERS)) | given_up

    @property
    def sweeps(self) -> Truth:
        """Many blocks of the instance are live no longer: those made since the mark that is named, or all."""
        return self.served & one_of(self.kind, SWEEPERS)

    @property
    def asks(self) -> Truth:
        """The operation asked for a new block that some object could answer, and returned."""
        returned = self.called & neg(self.status == Status.DIED)
        return returned & one_of(self.kind, REQUESTS) & neg(self.unserviceable)

    @property
    def reads(self) -> Truth:
        """The payload of the block named by the operation was read back before the call."""
        return self.called & one_of(self.kind, READERS)

    @property
    def counted(self) -> Truth:
        """The subject's counters could be read after the operation: the process lives, and so does the instance."""
        gone = (self.status == Status.DIED) | ((self.kind == Kind.RENEW) & neg(self.served))
        return self.called & neg(gone) & neg(self.flags == Flag.UNWRITABLE)

    @property
    def unserviceable(self) -> Truth:
        """The true size of the request, `count * size`, exceeds every possible object, or that of one element does
        where none is asked for. It cannot wrap.
        """
        return self.size > PTRDIFF_MAX // ite(self.count == 0, 1, self.count)

    @property
    def extent(self) -> Word:
        """Bytes that the caller may use: the request; 0 for a request that no object can answer."""
        return ite(self.unserviceable, 0, self.size * self.count)

    @property
    def room(self) -> Word:
        """Bytes that are the owner's alone: a malloc, or who promises it, takes size 0 as "some nonzero value" (C17
        7.22.3 p1); other blocks of no bytes have none.
        """
        unique = self.env.align_by_size or self.env.zero_size == Zero.UNIQUE
        return ite(self.extent == 0, 1, self.extent) if unique else self.extent

    @property
    def required_align(self) -> Word:
        """The alignment that the block must have, in bytes."""
        most = self.env.max_align
        # A block of no bytes holds no object that could ask for an alignment.
        plain = fundamental_alignment(self.extent, most) if self.env.align_by_size else ite(self.extent == 0, 1, most)
        return ite(one_of(self.kind, ALIGN_TAKERS), self.align, plain)

    @property
    def reach(self) -> Word:
        """Leading bytes of the new block that could be written and read."""
        return ite(self.flags == Flag.UNWRITABLE, self.bad_at, self.extent)

    @property
    def intact(self) -> Word:
        """Leading bytes of the named block that are as its owner wrote them."""
        return ite(self.flags == Flag.DAMAGED, self.bad_at, self.held)

    @property
    def prefix(self) -> Word:
        """Leading bytes of a resized block that are the old block's."""
        return ite(self.flags == Flag.PREFIX_LOST, self.bad_at, least(self.held, self.extent))

    @property
    def zeros(self) -> Word:
        """Leading zero bytes of a zeroed block, as far as it was asked for."""
        return ite(self.flags == Flag.NOT_ZERO, self.bad_at, self.extent)

    @property
    def kept_on_failure(self) -> Word:
        """Leading bytes of the old block that are as before, after a resize that failed."""
        return ite(self.flags == Flag.FAILED_CHANGED, self.bad_at, self.held)


@dataclass(frozen=True)
class Block:
    """What a user got: `extent` bytes from `ptr`, live in the half-open interval [birth, death) of time."""

    ptr: Word
    extent: Word
    """Bytes that are the owner's alone."""
    birth: Word = 0
    death: Word = NEVER
    usable: Word = 0
    """Bytes that the subject calls usable; 0 where it says nothing."""


@dataclass(frozen=True)
class View:
    """One instance between two operations: the subject's counters, beside what the history says. Sizes in bytes."""

    num_free: Word = 0
    num_allocated: Word = 0
    live: Word = 0
    """Live blocks, counted from the history."""
    after_failure: Truth = False
    """The latest call was refused."""
    owed: Word = 0
    """Bytes that a request may ask for and must get: freed just before the call that was refused; 0 when unknown."""
    remaining: Word = 0
    total: Word = 0
    live_bytes: Word = 0
    """Requested sizes of the live blocks, added up."""
    freed: Word = 0
    """Requested size of the block that the latest call freed; 0 if it freed none."""
    whole: Word = 0
    """Nothing is live, and so much was served from the empty heap before, at most 1 MiB; else 0."""
    high: Word = 0
    """One past the highest address handed out since nothing was live; 0 when none was."""
    low: Word = NEVER
    """The lowest address handed out since nothing was live."""
    newest_free: Word = 0
    """The address freed last, of those that were not handed out again; 0 when unknown."""
    oldest_free: Word = 0
    """The address freed first, of those that were not handed out again; 0 when unknown."""
    reused: Truth = False
    """The latest call handed out an address that had been freed."""
    undone_by: Word = 0
    """The latest operation that brought an earlier state back: a Kind; 0 before the first."""
    back: Truth = False
    """The latest call brought an earlier state back …"""
    then_remaining: Word = 0
    then_total: Word = 0
    """… in which the counters said this."""
    twin: Truth = False
    """The latest call had been made before in the same state, and was served then …"""
    twin_ptr: Word = 0
    """… with this address."""
    sums: Sums = Sums()
    """What the history says of what the subject reports; kept for subjects that do."""


@dataclass(frozen=True)
class Run:
    """A whole history, summed up. Blocks of more than 1 MiB are left out: their pages are the operating system's."""

    steady: Truth
    """The trace is a steady workload: one distribution of sizes and lifetimes throughout."""
    footprint: Word
    """Bytes of the distinct pages that blocks ever covered."""
    peak: Word
    """Largest number of bytes live at one time."""
    turnover: Word
    """Bytes handed out in all."""
    refused: Word
    """Requests that were refused."""
    foreign: Word = 0
    """Bytes of pages that others leave in the memory that blocks come from."""
