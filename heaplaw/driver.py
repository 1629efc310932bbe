"""The driver in Python: it runs a trace call by call, and leaves the same history as the driver written in C.

It holds as little as possible (no NumPy).
"""

import ctypes
from collections.abc import Iterable, MutableSequence
from dataclasses import dataclass, field
from functools import cache

from heaplaw.layout import FINISHED, IN_CALL, IN_PAYLOAD, PROGRESS
from heaplaw.plan import COLUMN_OF, COUNTERS, Call, Plan
from heaplaw.spec.event import ERRNO_BEFORE, ERRNO_CLEARED, NULL, Flag, Status
from heaplaw.spec.layout import PTRDIFF_MAX, SIZE_MAX
from heaplaw.spec.shapes import ALIGN_TAKERS, FUNCTION_OF, MAKERS, PROBES, SWEEPERS, TAKERS, Kind, Misuse

from .calls import Bound, Caller, is_well, number_of, outcome
from .instances import Instance, Instances
from .payload import Payload
from .viewing import ListView, Sight

OUT_BEFORE = 0xD15EA5E0D15EA5E0
"""What stands where `&out` points before a call."""


@cache
def foreign_memory() -> int:
    """An address that no allocator had, aligned for anything: of ours, and never given back."""
    memory = ctypes.create_string_buffer(2 * 4096)
    _KEPT.append(memory)
    return ctypes.addressof(memory) // 4096 * 4096 + 4096 + 64


_KEPT: list[object] = []


@dataclass(frozen=True)
class Held:
    """A block or a mark that is there, by the row that made it."""

    row: int
    ptr: int
    """The block's address, or the mark's word."""
    extent: int
    """Bytes that are its owner's; 0 for a mark, and for a block that cannot be written."""
    place: int
    """The instance's number."""
    mark: bool = False
    label: int = 0
    """The block's tag."""


@dataclass(frozen=True)
class Counter:
    """A counter, and the column that takes what it says."""

    made: Call
    bound: Bound
    column: MutableSequence[int]
    sound: bool

    def read(self, instance: Instance) -> int:
        """What it says now; the largest number when it says nothing that makes sense."""
        status, value, _ = self.bound(instance.words)
        if self.sound:
            return 1 if status == Status.OK and is_well(self.made.returns, value) else 2
        return number_of(self.made.returns, value) if status == Status.OK else SIZE_MAX


@dataclass
class Driver:
    """One run of one trace."""

    caller: Caller
    plan: Plan
    instances: Instances
    columns: dict[str, MutableSequence[int]]
    head: MutableSequence[int]
    payload: Payload | None
    view: ListView | None = None
    """How the free list is looked at after every operation."""
    held: dict[int, Held] = field(default_factory=dict[int, Held])
    """All blocks and marks that are there."""
    names: dict[int, int] = field(default_factory=dict[int, int])
    """Rows of failed resizes, whose slots hold the old block: the row that made that."""
    dead: dict[int, Held] = field(default_factory=dict[int, Held])
    """Blocks and marks that were there."""

    def __post_init__(self) -> None:
        """Bind the plan's calls, by the numbers of kinds."""
        plan, bind = self.plan, self.caller.bind
        self._calls = {int(kind): (made, bind(str(int(kind)), made)) for kind, made in plan.operations.items()}
        self._counters = [
            Counter(made, bind(COUNTERS[name], made), self.columns[COLUMN_OF[name]], name == "invariant")
            for name, made in plan.counters.items()
            if name in COLUMN_OF
        ]
        usable = plan.counters.get("usable_size")
        self._usable = (usable, bind(COUNTERS["usable_size"], usable)) if usable else None
        self._sight = Sight(self.view, self.caller, plan, self.columns) if self.view else None
        self._live: list[dict[int, Held]] = [{} for _ in self.instances.every]
        for instance in self.instances.every:
            if self.payload and instance.buffer:
                self.payload.own.extend(instance.buffer.beside)

    def run(self, rows: int) -> None:
        """Run all rows, as they are published."""
        for place, instance in enumerate(self.instances.every if self._sight else ()):
            self._look_at_list(None, place, instance)
        for index in range(rows):
            self.one(index)
        self.head[PROGRESS] = 4 * rows + FINISHED

    # ---- one row

    def one(self, index: int) -> None:
        """Run row `index`."""
        c = self.columns
        kind, place, slot = c["kind"][index], c["instance"][index], c["slot"][index]
        if not self._can(kind, place):
            return
        instance, old = self.instances.every[place], self._named(kind, place, slot)
        if kind in PROBES:
            self._probe(index, Kind(kind), slot, instance)
            if c["status"][index] != Status.SKIPPED:
                self._after(index, place, instance, 0, 0)
            return
        if old is None and (kind == Kind.RELEASE or (kind in TAKERS and (slot != NULL or kind == Kind.CHECK))):
            return
        if old is None and kind == Kind.POP and "ptr" in self.plan.operations[Kind.POP].arguments:
            return  # there is no block to name
        if old is not None:
            c["owner"][index] = old.row
        if kind in SWEEPERS:
            self._verify(index, self._since(place, old), found=True)
        elif old is not None:
            c["held"][index] = old.extent
            self._verify(index, [old])
        if kind == Kind.CHECK:
            c["status"][index] = Status.OK
        elif kind == Kind.RENEW:
            self._renew(index, instance, place)
        else:
            self._call(index, kind, instance, old)
        named = old.ptr if old and not old.mark else 0
        self._after(index, place, instance, named, old.label if old else c["label"][index] if kind in MAKERS else 0)

    def _after(self, index: int, place: int, instance: Instance, named: int, label: int) -> None:
        """After a call about the block at `named`: look at what lies beside the buffer, at counters, at the list."""
        self._look_beside(index, instance)
        if not instance.gone:
            instance.words["ptr"], instance.words["label"] = self.columns["ptr"][index] or named, label
            self._count(index, instance)
            self._look_at_list(index, place, instance)

    def _can(self, kind: int, place: int) -> bool:
        """There is such an operation, and such an instance."""
        if place >= len(self._live) or self.instances.every[place].gone:
            return False
        if kind == Kind.RENEW:
            return self.plan.destroy is not None
        return kind in (Kind.CHECK, Kind.FILL_USABLE) or FUNCTION_OF.get(Kind(kind), kind) in self._calls

    def _named(self, kind: int, place: int, slot: int) -> Held | None:
        """The block or mark that an operation is about."""
        if kind == Kind.POP:
            return next((one for one in reversed(self._live[place].values()) if not one.mark), None)
        found = self.held.get(self.names.get(slot, slot))
        if found is None or not (kind in TAKERS or kind == Kind.RELEASE):
            return None
        if kind == Kind.RELEASE:
            return found if found.mark and found.place == place else None
        return None if found.mark else found

    def _since(self, place: int, mark: Held | None) -> list[Held]:
        """Blocks and marks of an instance made from `mark` on, or all; newest first."""
        every = reversed(self._live[place].values())
        return [one for one in every if mark is None or one.row >= mark.row]

    def _end(self, gone: Iterable[Held]) -> None:
        for one in gone:
            self.dead[one.row] = one
            del self.held[one.row], self._live[one.place][one.row]

    def _hold(self, made: Held) -> None:
        self.held[made.row] = self._live[made.place][made.row] = made

    # ---- payloads

    def _fault(self, index: int, flag: Flag, at: int) -> None:
        """One flag for each operation: the first."""
        if not self.columns["flags"][index]:
            self.columns["flags"][index] = flag
            self.columns["bad_at"][index] = at

    def _verify(self, index: int, blocks: Iterable[Held], found: bool = False) -> None:
        """Before a call: the first block that is not as its owner wrote it; with `found` the row tells which."""
        if self.payload is None:
            return
        self.head[PROGRESS] = 4 * index + IN_PAYLOAD
        self.columns["status"][index] = Status.DIED
        for block in blocks:
            intact = self.payload.verify(block.ptr, block.row, block.extent, block.extent) if not block.mark else 0
            if intact < block.extent:
                self._fault(index, Flag.DAMAGED, intact)
                if found:
                    self.columns["ptr"][index], self.columns["held"][index] = block.ptr, block.extent
                return

    def _look_beside(self, index: int, instance: Instance) -> None:
        """After a call: bytes beside the buffer that have changed."""
        if self.payload is None or instance.buffer is None or instance.gone:
            return
        self.head[PROGRESS] = 4 * index + IN_PAYLOAD
        damage = instance.buffer.damage()
        if damage is not None:
            self._fault(index, Flag.OUTSIDE, damage)

    # ---- calls

    def _set_words(self, index: int, kind: int, instance: Instance, old: Held | None) -> None:
        """What the operation is about, as words for its arguments."""
        c, words, promised = self.columns, instance.words, self.plan.align
        words["size"], words["count"], words["tag"] = c["size"][index], c["count"][index], index % 10
        words["label"] = c["label"][index]
        words["align"] = c["align"][index] if FUNCTION_OF.get(Kind(kind), kind) in ALIGN_TAKERS else promised
        words["errno"] = ERRNO_BEFORE if kind == Kind.FREE else 0
        words["ptr"] = words["osize"] = words["mark"] = 0
        words["oalign"] = promised
        self.instances.out.value = OUT_BEFORE
        if old is None:
            return
        if old.mark:
            words["mark"] = old.ptr
            return
        words["ptr"], words["osize"] = old.ptr, c["size"][old.row] * c["count"][old.row] & SIZE_MAX
        if c["kind"][old.row] in ALIGN_TAKERS:
            words["oalign"] = c["align"][old.row]

    def _ask(self, index: int, kind: int, instance: Instance, empty: bool = False) -> tuple[Call, Status, int, int]:
        """Call the subject, whose words are set: the call, its status, what it gave, the code of a refusal.

        `empty`: there is nothing to pop; then it has returned, that is all.
        """
        c, (made, bound) = self.columns, self._calls[FUNCTION_OF.get(Kind(kind), kind)]
        self.head[PROGRESS] = 4 * index + IN_CALL
        c["status"][index] = Status.DIED
        answer = bound(instance.words)
        out = self.instances.out.value
        status, given, err = outcome(kind, made, c["size"][index], answer, 0 if out == OUT_BEFORE else out)
        if empty and answer[0] == Status.OK:
            return made, Status.OK, given, 0
        frees = kind == Kind.FREE and made.returns == "none" and self.caller.tells_errno
        if frees and status == Status.OK and answer[2] != ERRNO_BEFORE:
            c["err"][index] = answer[2] or ERRNO_CLEARED
        by_pointer = kind in (Kind.POSIX_ALIGNED, Kind.ODD_POSIX_ALIGNED) and "&out" in made.arguments
        if by_pointer and status == Status.FAILED and out != OUT_BEFORE:
            self._fault(index, Flag.OUT_WRITTEN, int(out != 0))
        return made, status, given, err

    def _call(self, index: int, kind: int, instance: Instance, old: Held | None) -> None:
        c = self.columns
        self._set_words(index, kind, instance, old)
        made, status, given, err = self._ask(index, kind, instance, kind == Kind.POP and old is None)
        c["status"][index] = status
        if status != Status.OK:
            c["err"][index] = err
            if kind == Kind.RESIZE and old is not None:
                self._refused(index, old)
            return
        if made.returns == "null" or kind == Kind.MARK:
            c["ptr"][index] = given
        place = c["instance"][index]
        if kind in MAKERS:
            self._receive(index, kind, given, old, instance)
        elif kind == Kind.MARK:
            self._hold(Held(index, given, 0, place, mark=True))
        elif kind in SWEEPERS:
            self._end(self._since(place, old))
        elif old is not None:
            self._end([old])

    def _refused(self, index: int, old: Held) -> None:
        """A resize that failed: its slot holds the old block."""
        if self.payload:
            self.head[PROGRESS] = 4 * index + IN_PAYLOAD
            kept = self.payload.verify(old.ptr, old.row, old.extent, old.extent)
            if kept < old.extent:
                self._fault(index, Flag.FAILED_CHANGED, kept)
        self.names[index] = old.row

    def _receive(self, index: int, kind: int, ptr: int, old: Held | None, instance: Instance) -> None:
        """Take in a block: zeroes, kept prefix; then its owner writes it over, and asks for its usable size."""
        c = self.columns
        size = c["size"][index] * c["count"][index]
        extent = 0 if size > PTRDIFF_MAX else size
        c["ptr"][index] = ptr
        self.head[PROGRESS] = 4 * index + IN_PAYLOAD
        reach = self.payload.reach(ptr, extent) if self.payload else extent
        if reach < extent:
            c["flags"][index], c["bad_at"][index] = Flag.UNWRITABLE, reach
            extent = 0
        elif self.payload:
            if kind == Kind.ZALLOC and (zero := self.payload.zeros(ptr, extent)) < extent:
                self._fault(index, Flag.NOT_ZERO, zero)
            if old is not None:
                both = min(old.extent, extent)
                kept = self.payload.verify(ptr, old.row, old.extent, both)
                if kept < both:
                    self._fault(index, Flag.PREFIX_LOST, kept)
            self.payload.fill(ptr, index, extent)
        if self._usable:
            self.head[PROGRESS] = 4 * index + IN_CALL
            made, bound = self._usable
            instance.words["ptr"] = ptr
            c["usable"][index] = number_of(made.returns, bound(instance.words)[1])
        if old is not None:
            self._end([old])
        label = old.label if old else c["label"][index]
        self._hold(Held(index, ptr, extent, c["instance"][index], label=label))

    def _probe(self, index: int, kind: Kind, slot: int, instance: Instance) -> None:
        """What scenes alone ask. Nobody touches a block that it may have ended or made."""
        c, odd = self.columns, kind in (Kind.ODD_ALIGNED, Kind.ODD_POSIX_ALIGNED)
        foreign = kind == Kind.MISFREE and c["size"][index] == Misuse.FOREIGN
        double = kind == Kind.MISFREE and c["size"][index] == Misuse.DOUBLE
        row = self.names.get(slot, slot)
        old = None if odd or foreign else self.dead.get(row) if double else self.held.get(row)
        if (old is None or old.mark) and not (odd or foreign):
            return
        if old is not None:
            c["owner"][index], c["held"][index] = old.row, old.extent
        if kind == Kind.FILL_USABLE:
            assert old is not None
            self._fill_usable(index, old)
            return
        self._set_words(index, kind, instance, old)
        if kind == Kind.MISFREE:
            shift = {Misuse.INTERIOR: 16, Misuse.UNALIGNED: 1}.get(Misuse(c["size"][index]), 0)
            instance.words["ptr"] = (old.ptr if old else foreign_memory()) + shift
        _, status, given, err = self._ask(index, kind, instance)
        c["status"][index], c["err"][index] = status, err if status != Status.OK else 0
        if kind != Kind.MISFREE:
            c["ptr"][index] = given if status == Status.OK else 0
        if kind == Kind.RESIZE_TO_ZERO and status in (Status.OK, Status.FAILED) and old is not None:
            self._end([old])

    def _fill_usable(self, index: int, old: Held) -> None:
        """Write a block from its end to its usable size, and read that back."""
        c, usable = self.columns, self.columns["usable"][old.row]
        c["usable"][index], c["status"][index] = usable, Status.DIED
        self.head[PROGRESS] = 4 * index + IN_PAYLOAD
        reach = self.payload.reach(old.ptr, usable) if self.payload else usable
        same = self.payload.fill_rest(old.ptr, old.extent, min(usable, reach)) if self.payload else usable
        if min(same, reach) < usable:
            self._fault(index, Flag.UNWRITABLE, min(same, reach))
        c["status"][index] = Status.OK

    def _renew(self, index: int, instance: Instance, place: int) -> None:
        """End an instance and make it again over the same memory."""
        c = self.columns
        self.head[PROGRESS] = 4 * index + IN_CALL
        c["status"][index] = Status.DIED
        status, _, _ = self.instances.destroy(instance)
        self.head[PROGRESS] = 4 * index + IN_PAYLOAD
        self._end(self._since(place, None))
        if status != Status.OK:
            instance.gone = True
        elif instance.buffer and not instance.buffer.is_mapped():
            instance.gone = True
            c["flags"][index], c["bad_at"][index] = Flag.OUTSIDE, 0
            status = Status.FAILED
        else:
            self._look_beside(index, instance)
            self.head[PROGRESS] = 4 * index + IN_CALL
            status = Status.OK if self.instances.renew(instance) else Status.FAILED
        c["status"][index] = status

    def _count(self, index: int, instance: Instance) -> None:
        self.head[PROGRESS] = 4 * index + IN_CALL
        for counter in self._counters:
            counter.column[index] = counter.read(instance)

    def _look_at_list(self, index: int | None, place: int, instance: Instance) -> None:
        """What the free list says, before the first operation (None) and after each."""
        if self._sight is None:
            return
        if index is None:
            self._sight.begin(place, instance)
            return
        live = {one.ptr: one.extent for one in self._live[place].values() if not one.mark}
        self._sight.look(index, place, instance, live)
