"""Instances of an allocator: the memory that they are given, and how they are made, ended and made again."""

import ctypes
import mmap
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from heaplaw.plan import COUNTERS, CREATE, DESTROY, INIT, Call, Plan
from heaplaw.spec.event import Status

from .callers.library import hooks
from .calls import Answer, Bound, Caller, SubjectError, is_refusal, number_of, signed
from .payload import GRANULE, PAGE, mapped

BESIDE, CANARY, REFILL = 64, 0xC3, 0xA5
"""Bytes on either side of a buffer, their value, and the value of a buffer whose instance has ended."""
GUARD = 2**20
"""Bytes before and behind memory of ours that nobody may touch."""
_CANARY = bytes([CANARY]) * BESIDE


@cache
def _mmap() -> Any:
    function: Any = ctypes.CDLL(None, use_errno=True).mmap
    word = ctypes.c_size_t
    function.restype = ctypes.c_void_p
    function.argtypes = [ctypes.c_void_p, word, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
    return function


def guarded(size: int) -> int:
    """The address of zeroed pages that hold `size` bytes, between stretches that nobody may touch."""
    fixed, no_reserve = 0x10, 0x4000  # Linux: MAP_FIXED, MAP_NORESERVE
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | no_reserve
    whole = -(-size // PAGE) * PAGE
    room = _mmap()(None, whole + 2 * GUARD, 0, flags, -1, 0)
    if room != ctypes.c_void_p(-1).value:
        inside = _mmap()(room + GUARD, whole, mmap.PROT_READ | mmap.PROT_WRITE, flags | fixed, -1, 0)
        if inside == room + GUARD:
            return int(inside)
    raise SubjectError(f"there is no memory for a buffer of {size} bytes")


class Buffer:
    """Memory that an allocator is given: canaries beside it, and beyond them pages that nobody may touch.

    Its address is a multiple of `align`, and not of twice that.
    """

    def __init__(self, size: int, align: int) -> None:
        room = -(-(size + 4 * align + 2 * BESIDE) // PAGE) * PAGE
        end = guarded(room) + room - BESIDE
        at = (end - size) & ~(2 * align - 1)
        self.size = size
        self.address = at + align if at + align + size <= end else at - align
        self._restore()

    @property
    def beside(self) -> list[tuple[int, int]]:
        """The canaries, as half-open ranges of addresses."""
        end = self.address + self.size
        return [(self.address - BESIDE, self.address), (end, end + BESIDE)]

    def _restore(self) -> None:
        for start, _ in self.beside:
            ctypes.memset(start, CANARY, BESIDE)

    def damage(self) -> int | None:
        """How far from the buffer's edge the nearest changed byte lies, if one has changed; then all is as before."""
        before, after = (ctypes.string_at(start, BESIDE) for start, _ in self.beside)
        if before == after == _CANARY:
            return None
        self._restore()
        return next(at for at in range(BESIDE) if before[-1 - at] != CANARY or after[at] != CANARY)

    def is_mapped(self) -> bool:
        """Nobody has given it back to the system."""
        first, end = self.address // PAGE * PAGE, self.address + self.size
        return all(mapped(at, min(GRANULE, end - at)) for at in range(first, end, GRANULE))

    def refill(self) -> None:
        """Write it over, as memory that has been used for something else."""
        ctypes.memset(self.address, REFILL, self.size)


@dataclass
class Instance:
    """One instance, and the words of its calls."""

    words: dict[str, int]
    buffer: Buffer | None = None
    storage: int = 0
    gone: bool = False
    """Ended, and could not be made again: there is nothing to call."""
    told: dict[str, int] = field(default_factory=dict[str, int])
    """What it said when it was made: base (the first address of its memory), remaining, total; bytes."""


class Instances:
    """All instances of a subject."""

    def __init__(self, caller: Caller, plan: Plan, first: Buffer | None = None) -> None:
        """`first`: the first instance's buffer, where there is one already."""
        self.plan, self._caller = plan, caller
        self.out, self._handle = ctypes.c_uint64(), ctypes.c_uint64()
        self._init = [(made, caller.bind(f"{INIT}{at}", made)) for at, made in enumerate(plan.init)]
        self._create = [(made, caller.bind(f"{CREATE}{at}", made)) for at, made in enumerate(plan.create)]
        self._destroy = caller.bind(DESTROY, plan.destroy) if plan.destroy else None
        self._said = {name: self._counter(caller, name) for name in ("base", "remaining", "total_allocated")}
        self.every = [self._room(first if at == 0 else None) for at in range(plan.instances)]

    def _counter(self, caller: Caller, name: str) -> tuple[Call, Bound] | None:
        made = self.plan.counters.get(name)
        return (made, caller.bind(COUNTERS[name], made)) if made else None

    def _room(self, buffer: Buffer | None) -> Instance:
        """An instance that is yet to be made."""
        plan = self.plan
        if buffer is None and plan.buffer:
            buffer = Buffer(plan.buffer, plan.buffer_align)
        storage = guarded(plan.storage) if plan.storage else 0
        words = {
            **dict.fromkeys(("size", "ptr", "osize", "mark", "tag", "label"), 0),
            **hooks(),
            "instance": storage,
            "&instance": ctypes.addressof(self._handle),
            "&out": ctypes.addressof(self.out),
            "align": plan.align,
            "oalign": plan.align,
            "count": 1,
            "buffer": buffer.address if buffer else 0,
            "capacity": plan.capacity,
        }
        return Instance(words, buffer, storage)

    def begin(self) -> None:
        """Everything that comes before the first operation; SubjectError when an instance cannot be made."""
        for made, bound in self._init:
            status, value, _ = bound(self.every[0].words)
            if status != Status.OK or is_refusal(made.returns, value):
                raise SubjectError(f"it could not be begun: {self._said_of(made, status, value)}")
        for instance in self.every:
            if why := self._make(instance):
                raise SubjectError(f"the instance could not be made: {why}")

    def _make(self, instance: Instance) -> str:
        """Make an instance; why it could not be made, or nothing."""
        words, plan = instance.words, self.plan
        if plan.storage:
            ctypes.memset(instance.storage, 0, plan.storage)
        for at, (made, bound) in enumerate(self._create):
            self._handle.value = 0
            status, value, _ = bound(words)
            refused = status != Status.OK or is_refusal(made.returns, value)
            if at == 0 and not plan.storage:
                by_pointer = "&instance" in made.arguments
                words["instance"] = self._handle.value if by_pointer else value
                refused = refused or words["instance"] == 0
            if refused:
                return self._said_of(made, status, value)
        self._ask(instance)
        return ""

    def _said_of(self, made: Call, status: Status, value: int) -> str:
        """What a call that was refused gave, in words."""
        if status != Status.OK:
            return self._caller.said
        return f"{made.function}(…) gave {value if made.returns == 'pointer' else signed(value, 32)}"

    def _ask(self, instance: Instance) -> None:
        """What the instance says of itself before the first operation."""

        def said(name: str, otherwise: int) -> int:
            if (counter := self._said[name]) is None:
                return otherwise
            _, value, _ = counter[1](instance.words)
            return number_of(counter[0].returns, value)

        base = said("base", instance.words["buffer"])
        instance.told = {"base": base, "remaining": said("remaining", 0), "total": said("total_allocated", 0)}

    def destroy(self, instance: Instance) -> Answer:
        """End an instance."""
        assert self._destroy is not None
        return self._destroy(instance.words)

    def renew(self, instance: Instance) -> bool:
        """Make an ended instance again over the same memory, which holds something else by now."""
        if instance.buffer:
            instance.buffer.refill()
        instance.gone = bool(self._make(instance))
        return not instance.gone
