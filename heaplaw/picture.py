"""The heap at the moment of the fault, drawn in text."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from heaplaw.models.words import offset
from heaplaw.spec.event import NONE, Block, Flag, Status
from heaplaw.spec.heap import Heap
from heaplaw.spec.history import History
from heaplaw.spec.shapes import SWEEPERS, Kind

from .ranges import power
from .steps import NEAR, Telling, damaged_block, size_of
from .terminal.marked import Marked, Role, lines_of, mark, runs
from .terminal.page import PLAIN, Page

ROOM = 26
"""Columns for the words behind a bar."""
SIGNS = {
    "=": Role.OWNED,
    "|": Role.OWNED,
    "-": Role.ENDED,
    "~": Role.PADDING,
    "X": Role.FAULT,
    "!": Role.FAULT,
    ".": Role.BUFFER,
    "[": Role.BUFFER,
    "]": Role.BUFFER,
}
"""What the signs of the picture stand for; colours say nothing that they do not say."""
MOST_BLOCKS = 8
BEYOND = 2
"""Columns, at least, of what lies beyond the buffer."""


@dataclass(frozen=True)
class Bar:
    """One block of the picture."""

    index: int
    """The operation that made it."""
    start: int
    stop: int
    size: int
    """Bytes that were asked for."""
    usable: int
    """End of what the subject calls usable, where that is further."""
    ended: int | None = None
    """The operation that ended it."""

    def words(self) -> str:
        """Its size and its life, as far as there is room."""
        size = f"{power(self.size)} byte{'s' * (self.size != 1)}"
        life = f"step {self.index + 1}" if self.ended is None else f"steps {self.index + 1} to {self.ended + 1}"
        counts = (" (counts as 1)", " (as 1)") if self.size == 0 < self.stop - self.start else ()
        texts = [f"{text}, {life}" for text in (*(size + more for more in counts), size, power(self.size))]
        return next((text for text in texts if len(text) <= ROOM), texts[-1][:ROOM])


@dataclass(frozen=True)
class Edges:
    """The buffer of the instance at fault: its first address, one past its last, and how far an edge is near, bytes."""

    start: int
    stop: int
    reach: int


def usable_end(block: Block) -> int:
    """Where the usable part of a block ends; its own end, where the subject says less, or something absurd."""
    return int(block.ptr + (block.usable if block.extent < block.usable < 2**32 else block.extent))


@dataclass
class Scene:
    """The heap after the last step."""

    told: Telling

    def __post_init__(self) -> None:
        """Take in every operation up to the last one."""
        history, last = self.told.history, self.told.last
        heap = Heap(keep_dead=True)
        for index in range(last):
            heap.absorb(index, history.event(index), history.owner(index))
        before = set(heap.live)
        self.e, owner = history.event(last), history.owner(last)
        heap.absorb(last, self.e, owner)
        self.heap = heap
        self.faulty = damaged_block(history, last) if self.e.flags else NONE
        """The block whose byte is wrong."""
        if self.e.flags and Flag(self.e.flags) not in (Flag.DAMAGED, Flag.FAILED_CHANGED):
            named = owner if self.e.kind == Kind.FILL_USABLE else last
            self.faulty = NONE if self.e.flags in (Flag.OUTSIDE, Flag.OUT_WRITTEN) else named
        self.involved = {index for index in (*self.told.guilty, owner, self.faulty) if index < len(history)}
        self.now = before - set(heap.live)
        """Blocks that the last step ended."""
        view = heap.view(self.e)
        if view.twin and self.e.makes:
            same = [index for index, block in heap.dead if block.ptr == view.twin_ptr]
            self.involved |= set(same[-1:])  # what was given for the same request before

    def bars(self) -> list[Bar]:
        """The blocks around the fault, in order of address.

        Those involved; then those that the last step ended; then the nearest live ones of the same instance.
        """
        history = self.told.history
        shown = self.involved | self.now
        blocks: list[tuple[int, Block, int | None]] = [
            (index, block, None) for index, block in self.heap.live.items() if self._there(index)
        ]
        blocks += [(index, block, int(block.death) // 2) for index, block in self.heap.dead if index in shown]
        found = [
            Bar(index, block.ptr, block.ptr + block.extent, size_of(history, index), usable_end(block), ended)
            for index, block, ended in blocks
            if block.ptr
        ]
        if not found:
            return []
        centre = min((bar for bar in found if bar.index in shown), default=found[0], key=lambda bar: bar.start)

        def gap(bar: Bar) -> int:
            return max(0, bar.start - centre.stop, centre.start - bar.stop)

        def rank(bar: Bar) -> tuple[bool, bool, int, int]:
            return bar.index not in self.involved, bar.index not in self.now, gap(bar), abs(bar.start - centre.start)

        near = [bar for bar in sorted(found, key=rank) if bar.index in shown or gap(bar) < NEAR]
        return sorted(near[:MOST_BLOCKS], key=lambda bar: (bar.start, bar.index))

    def _there(self, index: int) -> bool:
        same = int(self.told.history.trace.columns["instance"][index]) == self.told.instance
        return same or index in self.involved

    def edges(self, bars: Sequence[Bar]) -> Edges | None:
        """The buffer, where an edge is near: within a quarter of the picture, or farther where a block is outside."""
        env = self.told.history.told_by(self.told.instance)
        if not env.base or not env.capacity:
            return None
        start, stop = int(env.base), int(env.base) + int(env.capacity)
        low, high = min(bar.start for bar in bars), max(bar.usable for bar in bars)
        outside = any(bar.start < start or bar.stop > stop for bar in bars)
        reach = NEAR if outside else max(64, (high - low) // 4)
        near = any(low - reach <= edge <= high + reach for edge in (start, stop))
        return Edges(start, stop, reach) if near else None

    def marks(self) -> list[tuple[int, int]]:
        """Marks of the instance at fault that are there, with those that the last step ends: operation and value."""
        found: dict[int, int] = {}
        history = self.told.history
        for index in range(self.told.last + 1):
            e = history.event(index)
            if e.instance != self.told.instance or e.status != Status.OK:
                continue
            if e.kind == Kind.MARK:
                found[index] = e.ptr
            elif e.kind in SWEEPERS and index < self.told.last:
                since = history.owner(index) if e.kind == Kind.RELEASE else -1
                found = {mark: value for mark, value in found.items() if mark < since}
        return list(found.items())


@dataclass(frozen=True)
class Scale:
    """Addresses to columns: to scale, but what lies beyond the buffer has two columns at least."""

    knots: tuple[tuple[int, int], ...]
    """Addresses and their columns, in order."""
    page: Page = PLAIN

    @classmethod
    def of(cls, bars: Sequence[Bar], buffer: Edges | None, page: Page) -> "Scale":
        """The scale that shows all bars, and the buffer's edges that are near them."""
        width = page.axis
        low, high = min(bar.start for bar in bars), max(bar.usable for bar in bars)
        if buffer is None:
            return cls(((low, 0), (max(high, low + 1), width)), page)
        inside = max(64, (high - low) // 4)  # so much of a buffer in which none of the blocks lies
        low = max(buffer.start, buffer.stop - inside) if low >= buffer.stop else low
        high = min(buffer.stop, buffer.start + inside) if high <= buffer.start else high
        if low - buffer.reach <= buffer.start:
            low = min(low, buffer.start)
        if high + buffer.reach >= buffer.stop:
            high = max(high, buffer.stop)
        high = max(high, low + 1)
        knots = {low: 0, high: width}
        plain = cls(((low, 0), (high, width)), page)
        if low < buffer.start < high:
            knots[buffer.start] = min(max(BEYOND, plain.column(buffer.start)), width - 2 * BEYOND)
        if low < buffer.stop < high:
            least = knots.get(buffer.start, 0) + BEYOND
            knots[buffer.stop] = max(min(width - BEYOND, plain.column(buffer.stop)), least)
        return cls(tuple(sorted(knots.items())), page)

    @property
    def width(self) -> int:
        """Columns of the axis."""
        return self.page.axis

    @property
    def low(self) -> int:
        """The first address of the picture."""
        return self.knots[0][0]

    @property
    def high(self) -> int:
        """One past its last address."""
        return self.knots[-1][0]

    def column(self, address: int) -> int:
        """The column of an address; the first or the last one, where it lies outside the picture."""
        for (start, left), (stop, right) in zip(self.knots, self.knots[1:], strict=False):
            if start <= address < stop:
                return left + (address - start) * (right - left) // (stop - start)
        return 0 if address < self.low else self.width - 1

    def span(self, start: int, stop: int) -> range:
        """The columns of a range of addresses; one column at least."""
        return range(self.column(start), max(self.column(start), self.column(stop - 1)) + 1)


def drawn(row: Sequence[str]) -> Marked:
    """A row of signs, each with its role."""
    text = "".join(row)
    return Marked(text, tuple((start, stop, SIGNS[sign]) for start, stop, sign in runs(text)))


def buffer_line(scale: Scale, buffer: Edges) -> Marked:
    """The buffer, with the edges that are within the picture."""
    row = [" "] * scale.width
    for place in scale.span(max(buffer.start, scale.low), min(buffer.stop, scale.high)):
        row[place] = "."
    if scale.low <= buffer.start < scale.high:
        row[scale.column(buffer.start)] = "["
    if scale.low < buffer.stop <= scale.high:
        row[scale.column(buffer.stop - 1)] = "]"
    said = mark(f"{power(buffer.stop - buffer.start)} bytes", Role.DIM)
    return mark(" buffer ", Role.LABEL) + drawn(row) + "  " + said


def marks_line(scale: Scale, marks: Sequence[tuple[int, int]], told: Telling) -> Marked | None:
    """Each mark that lies within the picture: its name begins at its address, unless another stands there."""
    row, free = [" "] * scale.width, 0
    for value_mark, value in sorted(marks, key=lambda item: item[1]):
        name, at = told.names[value_mark], scale.column(value) if value < scale.high else scale.width
        if not scale.low <= value <= scale.high or at < free:
            continue
        at = min(at, scale.width - len(name))
        row[at : at + len(name)] = name
        free = at + len(name) + 1
    text = "".join(row).rstrip()
    return mark("  marks ", Role.LABEL) + mark(text, Role.ADDRESS) if text else None


def bar_line(scale: Scale, bar: Bar, bars: Sequence[Bar], scene: Scene) -> Marked:
    """One block, with what is wrong about it."""
    row = [" "] * scale.width
    for place in scale.span(bar.stop, bar.usable) if bar.usable > bar.stop else ():
        row[place] = "~"
    for place in scale.span(bar.start, bar.stop):
        row[place] = "=" if bar.ended is None else "-"
    if bar.start == bar.stop:
        row[scale.column(bar.start)] = "|"
    for other in bars:
        start, stop = max(bar.start, other.start), min(bar.stop, other.stop)
        if other != bar and bar.ended is None and other.ended is None and start < stop:
            for place in scale.span(start, stop):
                row[place] = "X"
    if bar.index == scene.faulty:
        row[scale.column(bar.start + scene.e.bad_at)] = "!"
    name = mark(f"{scene.told.names[bar.index]:>7} ", Role.OWNED if bar.ended is None else Role.ENDED)
    return name + drawn(row) + "  " + mark(bar.words(), Role.DIM)


def axis(scale: Scale, base: int) -> Iterator[Marked]:
    """The first and the last address, and what they are relative to."""
    right = offset(scale.high, base)
    line = mark(f"        {offset(scale.low, base):<{scale.width - len(right)}}{right}", Role.ADDRESS)
    told = f"base {base:#x}"
    if len(line) + 3 + len(told) <= scale.page.columns:
        yield line + mark(f"   {told}", Role.ADDRESS)
    else:
        yield mark(f"        {told}", Role.ADDRESS)
        yield line


def heap_lines(history: History, guilty: Sequence[int], page: Page = PLAIN) -> list[Marked]:
    """The blocks around the fault, to scale.

    `=` bytes of one owner, `X` bytes that two live blocks share, `!` a wrong byte, `-` a block that is no longer live,
    `~` bytes beyond the request that the subject calls usable, `|` a block of no bytes.
    """
    if not len(history):
        return []
    scene = Scene(told := Telling(history, tuple(guilty)))
    bars = scene.bars()
    if not bars:
        return []
    buffer = scene.edges(bars)
    scale = Scale.of(bars, buffer, page)
    lines = list(axis(scale, told.base))
    lines += [buffer_line(scale, buffer)] if buffer else []
    lines += [line] if (line := marks_line(scale, scene.marks(), told)) else []
    return [*lines, *(bar_line(scale, bar, bars, scene) for bar in bars)]


def heap_text(history: History, guilty: Sequence[int]) -> list[str]:
    """The picture as plain text of 80 columns."""
    return lines_of(heap_lines(history, guilty))
