"""A step is run once for everything that it can tell apart: what it was asked, and the words that it read.

Steps are pure: given the same state, request and words read, they do the same. So the first run is recorded, as a path
through a tree whose inner nodes say which word is read next and whose branches are what was found there; from then on
the recorded outcome is looked up. A state of the heap is a text, each character a number in a table: that hashes and
compares fast, and takes little room.
"""

from collections.abc import Hashable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Generic, TypeAlias, TypeVar, cast

from heaplaw.refimpl.memory import WORD, WORD_MASK, AccessError
from heaplaw.spec.event import Event, Flag, Status
from heaplaw.spec.heap import block_of
from heaplaw.spec.history import Op
from heaplaw.spec.shapes import Kind

from ..live import Held
from .model import Model, Taken, give_to, pattern_word, take_from, within_chunk

T = TypeVar("T", bound=Hashable)
STATE, COUNTED, WORDS = 0, 1, 2
"""Where a text begins to tell of the steps' state, of the counters, and of memory; then come the live blocks."""
MOST_RECORDED = 400_000
"""After so many runs what is recorded is forgotten, and recorded anew: memory is bounded, and old states do not return.
"""
PATTERN = chr(0)
"""A word that holds the pattern of its place."""


class Table(Generic[T]):
    """Numbers for values, as characters."""

    def __init__(self, *first: T) -> None:
        self.values = list(first)
        self._codes = {value: chr(code) for code, value in enumerate(first)}

    def code(self, value: T) -> str:
        """The character of a value."""
        found = self._codes.get(value)
        if found is None:
            found = self._codes[value] = chr(len(self.values))
            self.values.append(value)
        return found

    def value(self, code: str) -> T:
        """The value of a character."""
        return self.values[ord(code)]


@dataclass(frozen=True)
class Made:
    """A block or a mark, as a state knows it: without the operation that made it."""

    ptr: int
    size: int = 0
    room: int = 0
    """Bytes that are its owner's alone."""
    usable: int = 0
    mark: bool = False
    request: str = ""
    """The character of the request that made it, where what was made may be asked again."""

    def held(self, owner: int) -> Held:
        """It, in a slot."""
        return Held(owner, self.ptr, self.size, self.ptr, mark=self.mark)


Counters: TypeAlias = tuple[int, int, int, int]
"""num_free, num_allocated, remaining, total"""


@dataclass(eq=False, slots=True)
class Outcome:
    """What came of a step that was run."""

    event: Event
    state: str
    counters: str
    pieces: tuple[tuple[int, int, str], ...]
    """What changes in a text: from, to, by what. The new block's words hold the pattern."""
    written: int
    """The words that the step changed: a bit for each place in a text."""
    made: str
    """The block or mark that was made; empty when none was."""
    still: bool
    """It was not served, and the text stays as it is."""
    served: bool
    number: int
    """Outcomes with equal events, all that laws see of them, have the same number."""


Node: TypeAlias = Any
"""An outcome, or (which place is read next, what follows for each thing found there)."""


class Tables:
    """What the characters of a text mean."""

    def __init__(self, model: Model) -> None:
        addresses = range(model.start, model.end, WORD)
        self.places = {address: WORDS + at for at, address in enumerate(addresses)}
        """Where a text tells of each word."""
        self.patterns = {address: pattern_word(address) for address in addresses}
        """The word at each address when it holds the pattern."""
        self.states: Table[Any] = Table()
        self.counters: Table[Counters] = Table()
        self.words: Table[Any] = Table(None, 0)
        self.blocks: Table[Made] = Table()


class Recorder:
    """The memory that a step is run on: what it reads of a text is noted, and what it writes is kept apart."""

    def __init__(self, model: Model, tables: Tables, text: str) -> None:
        self.model, self._tables, self._text = model, tables, text
        self.last = WORDS + (model.end - model.start) // WORD
        """Where a text tells what was taken from the parent, if there is one."""
        self.reads: dict[int, str] = {}
        """Places in the text, in order, and what was there."""
        self.writes: dict[int, Any] = {}

    def _place(self, address: int) -> int:
        offset = address - self.model.start
        if offset % WORD or not 0 <= address - self.model.start < self.model.end - self.model.start:
            raise AccessError(f"no word at {address:#x}")
        if self.model.chunked and not within_chunk(self._taken(), address):
            raise AccessError(f"the word at {address:#x} is in no chunk")
        return WORDS + offset // WORD

    def _at(self, place: int) -> Any:
        """The value there; None for the pattern."""
        if place in self.writes:
            return self.writes[place]
        code = self.reads[place] = self._text[place]
        return self._tables.words.value(code)

    def _taken(self) -> Taken:
        found: Taken = self._at(self.last)
        return found

    def read(self, address: int) -> int:
        """The word at `address`."""
        place = self._tables.places.get(address)
        if place is None or self.model.chunked:
            place = self._place(address)
        if place in self.writes:
            value = self.writes[place]
        else:
            code = self.reads[place] = self._text[place]
            value = self._tables.words.values[ord(code)]
        return self._tables.patterns[address] if value is None else value

    def write(self, address: int, value: int) -> None:
        """Make `value` the word at `address`."""
        self.writes[self._place(address)] = value & WORD_MASK

    def take(self, size: int) -> int:
        """A chunk's address; 0 when there is no room for it."""
        taken, address = take_from(self._taken(), self.model.start, self.model.end, size)
        if address:
            self.writes[self.last] = taken
        return address

    def give(self, address: int, size: int) -> None:
        """Give a chunk back."""
        self.writes[self.last] = give_to(self._taken(), address, size)

    def reach(self, address: int, size: int) -> int:
        """Leading bytes of a block that can be written."""
        good = 0
        try:
            for at in range(address - address % WORD, address + size, WORD):
                self._place(at)
                good = at + WORD - address
        except AccessError:
            pass
        return max(0, min(size, good))


class Steps:
    """The steps of a model, each run once for everything that it can tell apart."""

    def __init__(self, model: Model) -> None:
        self.model, self.tables = model, Tables(model)
        self.runs = 0
        self._tree: dict[str, Node] = {}
        self._numbers: dict[Event, int] = {}
        self._events: list[Event] = []

    def outcome(self, text: str, head: str, op: Op, named: Made | None) -> Outcome:
        """What comes of `op` in the state `text`; `head` is the state's character and those of `op` and its block."""
        node: Node = self._tree.get(head)
        while type(node) is tuple:
            node = cast("Node", node[1].get(text[node[0]]))
        if node is None:
            return self._run(text, head, op, named)
        known: Outcome = node
        return known

    def _run(self, text: str, head: str, op: Op, named: Made | None) -> Outcome:
        self.runs += 1
        memory = Recorder(self.model, self.tables, text)
        state, counted = self.tables.states.value(text[STATE]), self.tables.counters.value(text[COUNTED])
        ptr = 0 if named is None else named.ptr
        try:
            after, event = self.model.step(state, op, ptr, memory)
            if named is not None and named.size:
                event = replace(event, held=named.size)
        except Exception:  # noqa: BLE001 (whatever a step raises is what it did)
            after = state
            event = Event(op.kind, op.size, op.align, op.count, Status.WRONG, held=named.size if named else 0)
            free, allocated, remaining, total = counted
            event = replace(event, env=self.model.env, num_free=free, num_allocated=allocated)
            event = replace(event, remaining=remaining, total=total)
        outcome = self._outcome(text, head, after, event, memory)
        if self.runs % MOST_RECORDED == 0:
            self._tree.clear()
        self._record(head, memory, outcome)
        return outcome

    def _outcome(self, text: str, head: str, after: Any, event: Event, memory: Recorder) -> Outcome:
        """The outcome, with what its event says of the block that was made."""
        tables, model = self.tables, self.model
        request = head[STATE + 1] if model.ordered else ""
        changed = memory.writes
        written = sum(1 << place for place, value in changed.items() if not self._is_pattern(place, value))
        cells = {place: tables.words.code(value) for place, value in changed.items()}
        made = ""
        if event.makes:
            size = int(event.extent)
            reach = memory.reach(event.ptr, size)
            if reach < size:
                event = replace(event, flags=int(Flag.UNWRITABLE), bad_at=reach)
            elif event.kind == Kind.ZALLOC and (zeros := self._zeros(memory, event.ptr, size)) < size:
                event = replace(event, flags=int(Flag.NOT_ZERO), bad_at=zeros)
            block = block_of(event, 0)
            made = tables.blocks.code(Made(event.ptr, reach, int(block.extent), int(block.usable), request=request))
            first = WORDS + (event.ptr - model.start) // WORD
            for place in range(first, first + -(-reach // WORD)):
                cells[place] = PATTERN  # the owner writes it over
        elif event.served and event.kind == Kind.MARK:
            made = tables.blocks.code(Made(event.ptr, mark=True, request=request))
        counters = (int(event.num_free), int(event.num_allocated), int(event.remaining), int(event.total))
        new_state, new_counters = tables.states.code(after), tables.counters.code(counters)
        cells = {
            place: code for place, code in cells.items() if place not in memory.reads or memory.reads[place] != code
        }
        number = self._numbers.setdefault(event, len(self._numbers))
        if number == len(self._events):
            self._events.append(event)
        event = self._events[number]
        served = bool(event.served)
        still = not (served or cells) and new_state == text[STATE] and new_counters == text[COUNTED]
        return Outcome(event, new_state, new_counters, pieces_of(cells), written, made, still, served, number)

    def _is_pattern(self, place: int, value: Any) -> bool:
        return bool(value == pattern_word(self.model.start + (place - WORDS) * WORD))

    def _zeros(self, memory: Recorder, ptr: int, size: int) -> int:
        """Leading bytes of a block that are surely zero: those that the step made so."""
        for at in range(0, size, WORD):
            if memory.writes.get(WORDS + (ptr + at - self.model.start) // WORD) != 0:
                return at
        return size

    def _record(self, head: str, memory: Recorder, outcome: Outcome) -> None:
        path = list(memory.reads.items())
        if not path:
            self._tree[head] = outcome
            return
        node: Any = self._tree.setdefault(head, (path[0][0], {}))
        for (place, code), (following, _) in pairwise(path):
            assert node[0] == place, "steps are pure: what they read next follows from what they read before"
            node = node[1].setdefault(code, (following, {}))
        node[1][path[-1][1]] = outcome


def pieces_of(cells: dict[int, str]) -> tuple[tuple[int, int, str], ...]:
    """Cells as stretches: from, to, by what."""
    found: list[tuple[int, int, str]] = []
    for place in sorted(cells):
        if found and found[-1][1] == place:
            start, _, text = found.pop()
            found.append((start, place + 1, text + cells[place]))
        else:
            found.append((place, place + 1, cells[place]))
    return tuple(found)
