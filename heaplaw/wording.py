"""How operations are written: in the user's own calls where these are known, else in words of the shape."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from heaplaw.plan import Call, Plan
from heaplaw.spec.event import NONE, NULL
from heaplaw.spec.history import Op, Trace
from heaplaw.spec.shapes import ALIGN_TAKERS, FUNCTION_OF, MAKERS, Kind, Misuse

from .ranges import power

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .subjects import ProcessSubject

LONGEST = 40
"""Longer names of functions are cut in their middle, characters."""
OWN = frozenset({"instance", "&instance", "buffer", "ptr", "mark"})
"""Arguments that tell a reader which instance a call is about."""
MISUSED: Mapping[int, str] = {Misuse.INTERIOR: "{} + 16", Misuse.UNALIGNED: "{} + 1", Misuse.FOREIGN: "&elsewhere"}
"""How pointers are written that must not be freed; the one of a freed block is written as it was then."""


@dataclass(frozen=True)
class Names:
    """What the blocks and marks of a trace are called: p1, p2, …, m1, m2, … in order of their making; a resized block
    keeps its name.
    """

    trace: Trace

    @cached_property
    def _kinds(self) -> "NDArray[Any]":
        return np.asarray(self.trace.columns["kind"], np.uint8)

    @cached_property
    def _makers(self) -> "NDArray[Any]":
        return np.isin(self._kinds, MAKERS)

    def _renamed(self, index: int) -> int | None:
        """The maker whose block operation `index` resizes."""
        slot = int(self.trace.columns["slot"][index])
        known = self._kinds[index] == Kind.RESIZE and slot < index and self._makers[slot]
        return slot if known else None

    @cached_property
    def _numbers(self) -> "NDArray[Any]":
        """How many names were given up to each operation."""
        slots = np.asarray(self.trace.columns["slot"], np.int64)
        earlier = slots < np.arange(len(slots))
        known = np.zeros(len(slots), bool)
        known[earlier] = self._makers[slots[earlier]]
        return np.cumsum(self._makers & ~((self._kinds == Kind.RESIZE) & known))

    def __getitem__(self, index: int) -> str:
        """The name of the block or mark that operation `index` made."""
        if index == NULL:
            return "NULL"
        if not 0 <= index < len(self._kinds):
            return "?"
        if self._kinds[index] == Kind.MARK:
            return f"m{np.count_nonzero(self._kinds[: index + 1] == Kind.MARK)}"
        if not self._makers[index]:
            return "?"
        while (earlier := self._renamed(index)) is not None:
            index = earlier
        return f"p{self._numbers[index]}"


@dataclass(frozen=True)
class Wording:
    """How a subject's operations are written."""

    plan: Plan | None = None
    """None: in words of the shape."""
    instance: str = "instance"
    """What the instance is called."""
    methods: bool = False
    """Operations are methods of the instance, which is no argument then."""

    @classmethod
    def of(cls, subject: "ProcessSubject") -> "Wording":
        """The user's own calls, where a mapping says them."""
        calls = subject.spec.get("calls", {})
        if "instance" not in calls and subject.spec["kind"] in ("native", "cpython"):
            return cls()  # malloc and free, whatever stands before these names
        return cls(subject.plan, calls.get("instance") or "instance", "python" in calls)

    def call(self, trace: Trace, index: int, names: Names, owner: int = NONE, several: bool = False) -> str:
        """Operation `index`, written as a call.

        `owner`: the operation that made the block it is about, where a history tells; `several`: more instances than
        one are at work, and numbered.
        """
        op, plan = trace.op(index), self.plan
        kind = FUNCTION_OF.get(op.kind, op.kind)
        made = None if plan is None else plan.destroy if op.kind == Kind.RENEW else plan.operations.get(kind)
        if op.kind == Kind.CHECK:
            return f"check({names[op.slot]})"
        if op.kind == Kind.FILL_USABLE:
            return f"fill({names[op.slot]}, usable bytes)"
        if made is None:
            text = plain_call(trace, index, names, owner)
            told = False
        else:
            text = self._spelled(made, self._words(trace, index, names, owner, several), self._null(op, made))
            told = self.methods or not OWN.isdisjoint(made.arguments)
        if op.kind in (*MAKERS, Kind.MARK) and (made is None or "&out" not in made.arguments):
            text = f"{names[index]} = {text}"
        if op.kind == Kind.RENEW and made is not None:
            text += ", made again"
        if op.kind == Kind.MISFREE and op.size == Misuse.DOUBLE:
            text += "  again"
        return f"{text}  #{op.instance + 1}" if several and not told else text

    def _null(self, op: Op, made: Call) -> int:
        """The place of the argument that is NULL where one function resizes, and makes blocks as well; else -1."""
        resize = self.plan.operations.get(Kind.RESIZE) if self.plan else None
        if op.kind != Kind.ALLOC or resize is None or resize.function != made.function:
            return -1
        return resize.arguments.index("ptr")

    def _spelled(self, made: Call, words: Mapping[str, str], null: int) -> str:
        given = ["NULL" if at == null and a == 0 else words.get(str(a), str(a)) for at, a in enumerate(made.arguments)]
        if self.methods:
            given = [text for text, a in zip(given, made.arguments, strict=True) if a != "instance"]
        of = f"{words['instance']}." if self.methods else ""
        return f"{of}{shortened(made.function)}({', '.join(given)})"

    def _words(self, trace: Trace, index: int, names: Names, owner: int, several: bool) -> dict[str, str]:
        """What the arguments of operation `index` are, in words."""
        assert self.plan is not None
        op, promised = trace.op(index), self.plan.align
        block = block_of(op, owner)
        made = trace.op(block) if 0 <= block < len(trace) else None
        turn = str(op.instance + 1) if several else ""
        return {
            "instance": self.instance + turn,
            "&instance": f"&{self.instance}{turn}",
            "buffer": f"buffer{turn}",
            "size": "0" if op.kind == Kind.RESIZE_TO_ZERO else power(op.size),
            "count": power(op.count),
            "align": power(op.align) if FUNCTION_OF.get(op.kind, op.kind) in ALIGN_TAKERS else str(promised),
            "ptr": named(op, owner, names),
            "osize": power(made.size * made.count) if made else "0",
            "oalign": str(made.align if made and made.kind in ALIGN_TAKERS else promised),
            "mark": names[op.slot],
            "&out": "&out" if op.kind == Kind.ODD_POSIX_ALIGNED else f"&{names[index]}",
            "capacity": str(self.plan.capacity),
            "tag": str(index % 10),
            "label": str(op.label),
            "hook_malloc": "malloc",
            "hook_free": "free",
            "hook_realloc": "realloc",
        }


def block_of(op: Op, owner: int) -> int:
    """The operation that made the block which `op` is about; the slot that names it, where no history tells."""
    return owner if owner != NONE or op.kind == Kind.POP else op.slot


def named(op: Op, owner: int, names: Names) -> str:
    """The block or mark that an operation is about."""
    if op.kind == Kind.POP:
        return names[owner] if owner != NONE else "NULL"
    if op.kind == Kind.MISFREE:
        return MISUSED.get(op.size, "{}").format(names[op.slot])
    return names[op.slot]


def shortened(function: str) -> str:
    """A function's name, its middle left out where it is very long (as C++ makes them)."""
    half = (LONGEST - 1) // 2
    return function if len(function) <= LONGEST else f"{function[:half]}…{function[-half:]}"


def plain_call(trace: Trace, index: int, names: Names, owner: int) -> str:
    """The operation in words of its shape, without what it gives."""
    op, shape = trace.op(index), trace.shape
    block, size = named(op, owner, names), power(op.size)
    kind = FUNCTION_OF.get(op.kind, op.kind)
    if shape == "lua_alloc" and kind in (Kind.ALLOC, Kind.RESIZE, Kind.FREE):
        made = block_of(op, owner)
        held = power(trace.op(made).size) if 0 <= made < len(trace) else "0"
        given = ("NULL", index % 10) if kind == Kind.ALLOC else (block, held)
        return f"lua_alloc({given[0]}, {given[1]}, {size if kind == op.kind and kind != Kind.FREE else 0})"
    known = {
        Kind.ALLOC: f"alloc({size})",
        Kind.ZALLOC: f"zeroed({power(op.count)}, {size})",
        Kind.RESIZE: f"realloc({block}, {size})",
        Kind.FREE: f"free({block})",
        Kind.ALIGNED: f"aligned({size}, {op.align})",
        Kind.POSIX_ALIGNED: f"posix_memalign({op.align}, {size})",
        Kind.RELEASE: f"release({block})",
        Kind.RESIZE_TO_ZERO: f"realloc({block}, 0)",
        Kind.ODD_ALIGNED: f"aligned({size}, {power(op.align)})",
        Kind.ODD_POSIX_ALIGNED: f"posix_memalign(&out, {power(op.align)}, {size})",
        Kind.MISFREE: f"free({block})",
    }
    if shape == "malloc":
        known[Kind.ALLOC] = f"malloc({size})"
        known[Kind.ZALLOC] = f"calloc({power(op.count)}, {size})"
        known[Kind.ALIGNED] = f"aligned_alloc({op.align}, {size})"
        known[Kind.ODD_ALIGNED] = f"aligned_alloc({power(op.align)}, {size})"
    elif shape == "pool":
        known |= {
            Kind.ALLOC: "alloc()",
            Kind.ZALLOC: "zeroed()",
            Kind.FREE: f"dealloc({block})",
            Kind.MISFREE: f"dealloc({block})",
        }
    return known.get(op.kind, f"{op.kind.name.lower()}()")
