"""A trace as a program with results, a line an operation, laid out for a page."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np

from heaplaw.models.words import in_common, offset, wrong
from heaplaw.spec.catalogue import law
from heaplaw.spec.catalogue.clauses import answer
from heaplaw.spec.event import NONE, Event, Flag, Status
from heaplaw.spec.heap import Heap, block_of, ends_of
from heaplaw.spec.history import Completed, Died, Exited, History, Hung
from heaplaw.spec.law import Scope
from heaplaw.spec.shapes import MAKERS, PROBES, SWEEPERS, UNDOERS, Kind

from .ranges import power
from .terminal.marked import Marked, Role, lines_of, mark
from .terminal.page import PLAIN, Page
from .wording import Names, Wording

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_STEPS = 24
LEAST = 24
"""Columns that calls have, at least, before what came of them."""
BESIDE = 34
"""Columns that steps have, at least, beside columns of counters."""
UNDER = 12
"""What came of a call stands so many columns to the right where it is under the call."""
COUNTED = 2_000
"""Blocks that end together are counted over at most so many operations."""
NEAR = 2**16
"""What lies within this distance of something is near it, bytes."""
COUNTERS = {
    "remaining": ("remaining", "remaining"),
    "total_allocated": ("total", "total"),
    "num_free_blocks": ("free", "num_free"),
    "num_allocated": ("allocated", "num_allocated"),
}
"""A counter's word in a step's line, and its column."""
ANSWERING = (Kind.RESIZE_TO_ZERO, Kind.ODD_ALIGNED, Kind.ODD_POSIX_ALIGNED)
"""Probes that ask for a block, in a way that standards treat apart: what they say of the answer depends on errno."""
IN_WORDS = Wording()
"""Calls in words of the shape."""
SIGNALS = {
    4: "SIGILL",
    6: "SIGABRT",
    7: "SIGBUS",
    8: "SIGFPE",
    9: "SIGKILL",
    11: "SIGSEGV",
    14: "SIGALRM",
    24: "SIGXCPU",
}


def ending(history: History) -> str:
    """How the run ended, in words; empty when every operation returned."""
    end = history.end
    if isinstance(end, Died):
        name = SIGNALS.get(end.signal, f"signal {end.signal}")
        return f"died: {name}" + (" when the block was touched" if end.where == "payload" else "")
    if isinstance(end, Hung):
        return "hung: no return within the limit of " + ("CPU time" if end.how == "cpu" else "time")
    if isinstance(end, Exited):
        return f"exited: the process ended itself with code {end.code}"
    return ""


# ---- addresses


def addresses(history: History) -> "tuple[NDArray[Any], NDArray[Any]]":
    """The blocks that were handed out: by which instances, and where."""
    kinds, status = np.asarray(history.trace.columns["kind"]), np.asarray(history.columns["status"])
    made = np.isin(kinds, MAKERS) & (status == Status.OK)
    return np.asarray(history.trace.columns["instance"])[made], np.asarray(history.columns["ptr"], np.uint64)[made]


def base_of(history: History, instance: int) -> int:
    """The address that others are told relative to.

    Where the memory of `instance` begins, if it is known and blocks come from there; else the lowest address handed
    out, rounded down to 16 bytes.
    """
    instances, found = addresses(history)
    env, own = history.told_by(instance), found[instances == instance][:1000].tolist()
    start, stop = int(env.base) - 2**20, int(env.base) + int(env.capacity) + 2**20
    if env.base and (not own or any(start <= at < stop for at in own)):
        return int(env.base)
    return int(found.min()) // 16 * 16 if len(found) else 0


# ---- what an operation ended


def ended_by(history: History, index: int) -> list[int] | None:
    """The blocks that operation `index` ended, by the operations that made them.

    None where more operations than are counted lie between it and the latest one after which nothing was live.
    """
    e, kinds = history.event(index), np.asarray(history.trace.columns["kind"])
    instances, status = np.asarray(history.trace.columns["instance"]), np.asarray(history.columns["status"])
    before = (instances[:index] == e.instance) & (status[:index] == Status.OK)
    anew = np.flatnonzero(before & np.isin(kinds[:index], (Kind.RESET, Kind.RENEW)))
    rows = np.flatnonzero(before)
    rows = rows[rows > anew[-1]] if len(anew) else rows  # nothing was live after the last of these
    if len(rows) > COUNTED:
        return None
    heap = Heap()
    for row in rows.tolist():
        heap.absorb(row, history.event(row), history.owner(row))
    return ends_of(heap.part(e), e, history.owner(index))


def damaged_block(history: History, index: int) -> int:
    """The block that was found damaged before operation `index`, by the operation that made it.

    Before many blocks end the history tells its address and size; NONE where more than one block is like that.
    """
    e = history.event(index)
    if e.kind not in SWEEPERS:
        return history.owner(index)
    heap = Heap()
    for row in range(index):
        heap.absorb(row, history.event(row), history.owner(row))
    since = history.owner(index) if e.kind == Kind.RELEASE else -1
    live = heap.part(e).live
    found = [row for row in live if row > since and (heap.live[row].ptr, size_of(history, row)) == (e.ptr, e.held)]
    return found[0] if len(found) == 1 else NONE


def size_of(history: History, index: int) -> int:
    """The size, bytes, that operation `index` asked for."""
    return int(history.event(index).extent)


# ---- steps


@dataclass(frozen=True)
class Telling:
    """What is known of a history that is told."""

    history: History
    guilty: tuple[int, ...]
    """Operations that broke the law."""
    wording: Wording = IN_WORDS
    law: str = ""

    @cached_property
    def names(self) -> Names:
        """What blocks and marks are called."""
        return Names(self.history.trace)

    @property
    def last(self) -> int:
        """The operation that broke the law; the last one, where the whole run did."""
        return max(self.guilty, default=len(self.history) - 1)

    @cached_property
    def instance(self) -> int:
        """The instance at fault."""
        return int(self.history.trace.columns["instance"][self.last]) if len(self.history) else 0

    @cached_property
    def several(self) -> bool:
        """More instances than one are at work."""
        return len(np.unique(np.asarray(self.history.trace.columns["instance"][: self.last + 1]))) > 1

    @cached_property
    def base(self) -> int:
        """The address that others are told relative to."""
        return base_of(self.history, self.instance)

    @cached_property
    def counters(self) -> list[tuple[str, str]]:
        """The counters that the law speaks of: words and columns.

        A law about steps that names none compares all of them, where a request was refused or something undone.
        """
        found = law(self.law) if self.law else None
        if found is None or found.scope is not Scope.STEP:
            return []
        if named := [COUNTERS[name] for name in COUNTERS if name in found.needs]:
            return named
        e = self.history.event(self.last)
        if e.flags or not (e.failed or e.kind in UNDOERS):
            return []
        written = [told for told in COUNTERS.values() if told[1] in self.history.counted]
        return [told for told in written if np.any(np.asarray(self.history.columns[told[1]]))]

    def call(self, index: int) -> str:
        """The operation as a call."""
        return self.wording.call(self.history.trace, index, self.names, self.history.owner(index), self.several)

    def result(self, index: int) -> list[str]:
        """What came of the operation, and remarks on it."""
        history, e = self.history, self.history.event(index)
        if not isinstance(history.end, Completed) and history.end.op == index:
            return [ending(history)]
        if e.status == Status.SKIPPED:
            return ["not called"]
        parts = [self._outcome(index, e), self._shared(index), self._fault(index, e)]
        parts += ["its own check finds a fault"] if e.sound == 2 else []
        return [part for part in parts if part]

    def said(self, index: int) -> list[str]:
        """What the counters said after the operation; nothing where nobody was there to be asked."""
        history, e = self.history, self.history.event(index)
        ended = not isinstance(history.end, Completed) and history.end.op == index
        if ended or e.status == Status.SKIPPED or (e.kind == Kind.RENEW and e.failed):
            return []
        return [power(int(history.columns[column][index])) for _, column in self.counters]

    def _outcome(self, index: int, e: Event) -> str:
        if e.status in (Status.FAILED, Status.WRONG):
            return answer(e) if e.failed and e.kind in ANSWERING else self._refusal(e)
        if e.status == Status.DIED:
            return "never returned"
        if e.kind in ANSWERING:
            return "a block" + (f" at {offset(e.ptr, self.base)}" if self.base else "")
        if e.kind in PROBES:
            return f"{e.usable} bytes" if e.usable else "returned"
        if e.makes:
            span = f"[{offset(e.ptr, self.base)}, {offset(e.ptr + e.extent, self.base)})"
            return span + (f" usable {e.usable}" if e.usable and e.usable < e.extent else "")
        if e.kind == Kind.POP:
            owner = self.history.owner(index)
            return "nothing live" if owner == NONE else f"{self.names[owner]} ended"
        if e.kind in SWEEPERS:
            gone = ended_by(self.history, index)
            return "all blocks ended" if gone is None else f"{len(gone)} block{'s' * (len(gone) != 1)} ended"
        if e.kind == Kind.MARK:
            return offset(e.ptr, self.base) if self.is_address(e.ptr) else power(e.ptr)
        return f"gave {offset(e.ptr, self.base)}" if e.kind == Kind.FREE and e.ptr else ""

    @cached_property
    def _addresses(self) -> "NDArray[Any]":
        """Where blocks were handed out."""
        return addresses(self.history)[1]

    def is_address(self, word: int) -> bool:
        """A mark that looks like an address: one in the buffer, or near a block."""
        env = self.history.told_by(self.instance)
        if env.base and env.capacity:
            return int(env.base) <= word <= int(env.base) + int(env.capacity)
        return any(abs(word - address) < NEAR for address in self._addresses.tolist())

    def _refusal(self, e: Event) -> str:
        code = e.err - 2**32 if e.err >= 2**31 else e.err
        error = f" (error {code})" if code else ""
        maker = e.kind in (*MAKERS, *ANSWERING)
        if e.status == Status.WRONG:
            return ("neither a block nor the failure value" if maker else "neither done nor refused") + error
        if e.kind == Kind.RENEW:
            return "no instance was made"
        return (self._null(Kind(e.kind)) if maker else "refused") + error

    def _null(self, kind: Kind) -> str:
        """What a request gives that is refused."""
        plan, shape = self.wording.plan, self.history.trace.shape
        if self.wording.methods or plan is None:
            return {"malloc": "NULL", "lua_alloc": "NULL", "pool": "0"}.get(shape, "refused")
        made = plan.operations.get(kind)
        return "NULL" if made is None or made.returns == "pointer" else "refused"

    def _shared(self, index: int) -> str:
        """What the two blocks of a broken law have in common."""
        if len(self.guilty) != 2 or index != self.last:
            return ""
        first = min(self.guilty)
        a, b = (block_of(self.history.event(one), 0) for one in (first, index))
        return in_common(a, b, self.names[first])

    def _fault(self, index: int, e: Event) -> str:
        """What the driver found wrong with a payload."""
        if not e.flags:
            return ""
        text = wrong(Flag(e.flags), int(e.bad_at))
        if e.flags != Flag.DAMAGED or e.kind not in SWEEPERS:
            return text
        block = damaged_block(self.history, index) if index <= COUNTED else NONE
        return f"{self.names[block] if block != NONE else 'at ' + offset(e.ptr, self.base)}: {text}"


def period(history: History) -> int:
    """The number of operations after which a trace repeats itself exactly, where it does so throughout; else 0."""
    names = ("kind", "size", "align", "count", "instance")
    columns: list[Any] = [np.asarray(history.trace.columns[name]) for name in names]
    for length in (1, 2, 3, 4):
        if len(history) >= 8 * length and all((c[length:] == c[:-length]).all() for c in columns):
            return length
    return 0


@dataclass(frozen=True)
class Line:
    """One operation: its number, the call, what came of it with remarks, and what the counters said after it."""

    number: int
    call: str
    parts: Sequence[str]
    counters: Sequence[str] = ()
    sign: str = " "

    def told(self, wide: int, most: int, page: Page) -> Iterator[Marked]:
        """All but the counters, in lines of at most `most` columns: calls `wide` columns wide, results, remarks."""
        fault = self.sign.strip() != ""
        came = Role.BROKEN if fault else Role.DIM
        indent, arrow = 10, "  -> "
        first, *more = wrap(self.call, page.columns - indent, break_on_hyphens=False) or [""]
        number = "  " + mark(self.sign, Role.FAULT if fault else None) + mark(f" {self.number:4}", came)
        line = number + "  " + mark(first, Role.CALL).ljust(0 if more else wide)
        for text in more:
            yield line
            line = " " * indent + mark(text, Role.CALL)
        for part in self.parts:
            room = most - len(arrow) - len(part)
            line = line.rstrip() if len(line) > room else line
            if len(line) > room:
                yield line
                line = Marked(" " * indent)
            indent = UNDER
            at = len(line) + len(arrow)
            told, *rest = [part] if at + len(part) <= page.columns else wrap(part, page.columns - at)
            line = line + arrow + mark(told, came)
            for text in rest:
                yield line
                line = " " * at + mark(text, came)
            arrow = "   "
        yield line.rstrip()


def laid_out(lines: Sequence[Line], counters: Sequence[str], page: Page) -> Iterator[list[Marked]]:
    """The text of each line; counters, whose words stand above all, in columns on the right."""
    values = [line.counters for line in lines if line.counters]
    widths = [max(len(word), *(len(row[at]) for row in values)) for at, word in enumerate(counters) if values]
    most = page.columns - sum(width + 2 for width in widths)
    if most < BESIDE:  # no room for columns: each step says what its counters are
        lines, widths, most = [with_counters(line, counters) for line in lines], [], page.columns
    results = max((len(line.parts[0]) for line in lines if line.parts and len(line.parts[0]) <= LEAST), default=0)
    room = max(LEAST, most - 15 - results)
    wide = max((len(line.call) for line in lines if len(line.call) <= room), default=0)
    texts = [list(line.told(wide, most, page)) for line in lines]
    edge = max((len(text) for shown in texts for text in shown if len(text) <= most), default=0)

    def cells(row: Sequence[str]) -> Marked:
        return mark("".join(f"  {cell:>{width}}" for cell, width in zip(row, widths, strict=True)), Role.LABEL)

    if widths:
        yield [" " * edge + cells(counters)]
    for line, text in zip(lines, texts, strict=True):
        *above, last = text if len(text[-1]) <= edge or not line.counters else [*text, Marked("")]
        yield [*above, last.ljust(edge) + cells(line.counters)] if line.counters else text


def with_counters(line: Line, counters: Sequence[str]) -> Line:
    """The line with its counters as a remark."""
    said = ", ".join(f"{word} {value}" for word, value in zip(counters, line.counters, strict=False))
    return replace(line, parts=[*line.parts, *([said] if said else [])], counters=())


def steps_lines(
    history: History, guilty: Sequence[int], law: str = "", wording: Wording = IN_WORDS, page: Page = PLAIN
) -> list[Marked]:
    """The trace, a line an operation, with results; the operation that broke the law is marked.

    `law`: the name of the law that is broken, which says whether counters matter.
    """
    told = Telling(history, tuple(guilty), wording, law)
    n = told.last + 1  # what came after the fault does not matter
    repeat = period(history)
    if repeat and n > MOST_STEPS:
        lines = [Line(i + 1, told.call(i), told.result(i)) for i in range(repeat)]
        looped = [text for each in laid_out(lines, (), page) for text in each]
        last = told.last if guilty else n - repeat
        said = [f"{word} {value}" for (word, _), value in zip(told.counters, told.said(last), strict=False)]
        came = "   ".join([*told.result(last), *([", ".join(said)] if said else [])])
        came_lines = wrap(f"    the last one: {came}", page.columns, subsequent_indent=" " * UNDER)
        return [
            mark(f"    {n // repeat:,} times:", Role.STRONG),
            *looped,
            *(mark(text, Role.BROKEN) for text in came_lines),
            mark(f"    base {told.base:#x}", Role.ADDRESS),
        ]
    shown = list(range(n)) if n <= MOST_STEPS else [*range(4), *range(n - MOST_STEPS + 5, n)]
    lines = [
        Line(i + 1, told.call(i), told.result(i), told.said(i), ">" if guilty and i == told.last else " ")
        for i in shown
    ]
    each_text = list(laid_out(lines, [word for word, _ in told.counters], page))
    if n > len(shown):
        each_text.insert(len(each_text) - len(shown) + 4, [mark(f"       … {n - len(shown):,} operations", Role.DIM)])
    return [text for each in each_text for text in each]


def steps_text(history: History, guilty: Sequence[int], law: str = "", wording: Wording = IN_WORDS) -> list[str]:
    """The lines as plain text of 80 columns."""
    return lines_of(steps_lines(history, guilty, law, wording))
