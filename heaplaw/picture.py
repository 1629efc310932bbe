"""A trace as a program with results, and the heap at the moment of the fault, in plain text of at most 80 columns."""

from collections.abc import Sequence
from dataclasses import dataclass

from heaplaw.spec.event import NULL, Block, Event, Flag, Status
from heaplaw.spec.heap import Heap
from heaplaw.spec.history import Completed, Died, Exited, History, Hung
from heaplaw.spec.shapes import MAKERS, TAKERS, Kind

from .minimise import power

WIDTH = 44
"""Columns of the address axis."""
MOST_STEPS = 24
MOST_BLOCKS = 8
NEAR = 2**16
"""Live blocks within this distance of the fault are drawn, bytes."""
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


@dataclass(frozen=True)
class Names:
    """What blocks are called: p1, p2, … in order of first allocation; a resized block keeps its name."""

    of: dict[int, str]

    @classmethod
    def in_history(cls, history: History) -> "Names":
        """Name the blocks of a history."""
        names: dict[int, str] = {}
        fresh = 0
        for index, op in enumerate(history.trace.ops()):
            if op.kind in MAKERS:
                if op.kind == Kind.RESIZE and op.slot in names:
                    names[index] = names[op.slot]
                else:
                    fresh += 1
                    names[index] = f"p{fresh}"
        return cls(names)

    def __getitem__(self, index: int) -> str:
        return "NULL" if index == NULL else self.of.get(index, "?")


def base_of(history: History) -> int:
    """The address that others are told relative to: the lowest handed out, rounded down to 16 bytes."""
    addresses = [int(p) for p in history.columns["ptr"] if int(p)]
    return min(addresses, default=0) // 16 * 16


def call_text(history: History, index: int, names: Names) -> str:
    """The operation as C."""
    op = history.trace.op(index)
    name = names[index] if op.kind in MAKERS else ""
    block = names[op.slot] if op.kind in TAKERS else ""
    pool = history.trace.shape == "pool"
    return {
        Kind.ALLOC: f"{name} = alloc()" if pool else f"{name} = malloc({power(op.size)})",
        Kind.ZALLOC: f"{name} = calloc({power(op.count)}, {power(op.size)})",
        Kind.RESIZE: f"{name} = realloc({block}, {power(op.size)})",
        Kind.FREE: f"dealloc({block})" if pool else f"free({block})",
        Kind.ALIGNED: f"{name} = aligned_alloc({op.align}, {power(op.size)})",
        Kind.POSIX_ALIGNED: f"{name} = posix_memalign({op.align}, {power(op.size)})",
        Kind.CHECK: f"check({block})",
    }[op.kind]


def result_text(history: History, index: int, base: int) -> str:
    """What came of the operation."""
    e = history.event(index)
    if not isinstance(history.end, Completed) and history.end.op == index:
        return ending(history)
    if e.status == Status.SKIPPED:
        return "not called"
    if e.status == Status.FAILED:
        error = int(history.columns["err"][index])
        refused = "0" if history.trace.shape == "pool" else "NULL"
        return refused + (f" (error {error})" if error else "") + fault_text(e)
    if e.status == Status.WRONG:
        return "neither a block nor the failure value"
    if e.status == Status.DIED:
        return "never returned"
    if e.makes:
        span = f"[{offset(e.ptr, base)}, {offset(e.ptr + e.extent, base)})"
        usable = f" usable {e.usable}" if e.usable and e.usable < e.extent else ""
        return span + usable + fault_text(e)
    return fault_text(e).strip()


def fault_text(e: Event) -> str:
    """What the driver found wrong with a payload."""
    words = {
        Flag.DAMAGED: f"byte {e.bad_at} is not what was written",
        Flag.PREFIX_LOST: f"byte {e.bad_at} was not kept",
        Flag.NOT_ZERO: f"byte {e.bad_at} is not zero",
        Flag.FAILED_CHANGED: f"byte {e.bad_at} changed, though it failed",
        Flag.UNWRITABLE: f"byte {e.bad_at} cannot be written",
    }
    return "   " + words[Flag(e.flags)] if e.flags else ""


def offset(address: int, base: int) -> str:
    """An address relative to the base."""
    distance = address - base
    return f"+{distance:#x}" if 0 <= distance < 2**40 else f"{address:#x}"


def period(history: History) -> int:
    """The number of operations after which a trace repeats itself exactly, where it does so throughout; else 0."""
    ops = history.trace.ops()
    for length in (1, 2, 3, 4):
        if len(ops) >= 8 * length and all(
            (a.kind, a.size, a.align) == (b.kind, b.size, b.align) for a, b in zip(ops, ops[length:], strict=False)
        ):
            return length
    return 0


def steps_text(history: History, guilty: Sequence[int]) -> list[str]:
    """The trace, a line an operation, with results; the operation that broke the law is marked."""
    names, base = Names.in_history(history), base_of(history)
    n = max(guilty) + 1 if guilty else len(history)  # what came after the fault does not matter
    repeat = period(history)
    if repeat and n > MOST_STEPS:
        looped = [f"    {n // repeat:,} times:"]
        looped += [
            f"    {i + 1:4}  {call_text(history, i, names):<30} -> {result_text(history, i, base)}".rstrip(" ->")
            for i in range(repeat)
        ]
        return [*looped, f"    the last one: {result_text(history, n - repeat, base)}", f"    base {base:#x}"]
    shown = list(range(n)) if n <= MOST_STEPS else [*range(4), *range(n - MOST_STEPS + 5, n)]
    lines: list[str] = []
    calls = {i: call_text(history, i, names) for i in shown}
    wide = min(34, max(len(text) for text in calls.values()))
    last = max(guilty, default=-1)
    for place, i in enumerate(shown):
        if place and i != shown[place - 1] + 1:
            lines.append(f"       … {i - shown[place - 1] - 1:,} operations")
        result = result_text(history, i, base)
        line = f"  {'>' if i == last else ' '} {i + 1:4}  {calls[i]:<{wide}}" + (f"  -> {result}" if result else "")
        lines.append(line.rstrip())
    return lines


@dataclass(frozen=True)
class Bar:
    """One block of the picture: where it lies, and whether it is live after the last step."""

    index: int
    start: int
    stop: int
    size: int
    live: bool
    usable: int
    """End of what the subject calls usable, where that is further."""


def size_of(history: History, index: int) -> int:
    """The size, bytes, that operation `index` asked for."""
    return int(history.event(index).extent)


def usable_end(block: Block) -> int:
    """Where the usable part of a block ends; its own end, where the subject says less, or something absurd."""
    return int(block.ptr + (block.usable if block.extent < block.usable < 2**32 else block.extent))


def bars(history: History, guilty: Sequence[int]) -> list[Bar]:
    """The blocks around the fault, in order of address: those involved, and their nearest live neighbours."""
    heap = Heap(keep_dead=True)
    last = max(guilty, default=len(history) - 1)
    for index in range(last + 1):
        heap.absorb(index, history.event(index), history.owner(index))
    owner = history.owner(last)
    involved = {index for index in (*guilty, owner) if index < len(history)}
    blocks = [(index, block, True) for index, block in heap.live.items()]
    blocks += [(index, block, False) for index, block in heap.dead if index in involved]
    found = [
        Bar(index, block.ptr, block.ptr + block.extent, size_of(history, index), live, usable_end(block))
        for index, block, live in blocks
        if block.ptr
    ]
    centre = min(
        (bar.start for bar in found if bar.index in involved), default=min((b.start for b in found), default=0)
    )
    found.sort(key=lambda bar: (bar.index not in involved, abs(bar.start - centre)))
    near = [bar for bar in found if bar.index in involved or abs(bar.start - centre) < NEAR][:MOST_BLOCKS]
    return sorted(near, key=lambda bar: (bar.start, bar.index))


def heap_text(history: History, guilty: Sequence[int]) -> list[str]:
    """The blocks around the fault, to scale.

    `=` bytes of one owner, `X` bytes that two live blocks share, `!` a wrong byte, `-` a block that is no longer live,
    `~` bytes beyond the request that the subject calls usable.
    """
    drawn = bars(history, guilty)
    if not drawn:
        return []
    names, base = Names.in_history(history), base_of(history)
    last = max(guilty, default=len(history) - 1)
    low, high = min(bar.start for bar in drawn), max(bar.usable for bar in drawn)
    e = history.event(last)

    def column(address: int) -> int:
        return min(WIDTH - 1, max(0, (address - low) * WIDTH // (high - low)))

    lines = [f"        {offset(low, base):<{WIDTH - 8}}{offset(high, base):>8}   base {base:#x}"]
    for bar in drawn:
        row = [" "] * WIDTH
        row[column(bar.start) : column(bar.usable - 1) + 1] = "~" * (column(bar.usable - 1) + 1 - column(bar.start))
        row[column(bar.start) : column(bar.stop - 1) + 1] = ("=" if bar.live else "-") * (
            column(bar.stop - 1) + 1 - column(bar.start)
        )
        for other in drawn:
            start, stop = max(bar.start, other.start), min(bar.stop, other.stop)
            if other != bar and bar.live and other.live and start < stop:
                for place in range(column(start), column(stop - 1) + 1):
                    row[place] = "X"
        if e.flags and bar.index in (last, history.owner(last)):
            row[column(bar.start + e.bad_at)] = "!"
        was = "" if bar.live else ", until now"
        lines.append(f"   {names[bar.index]:>4} {''.join(row)}  {amount(bar.size)}, step {bar.index + 1}{was}")
    return lines


def amount(size: int) -> str:
    """A number of bytes, in words."""
    return "0 bytes (counts as 1)" if size == 0 else f"{size} byte{'s' * (size != 1)}"
