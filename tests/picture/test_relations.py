"""What the text says of a history is so: names, ends, counts, shared bytes, bars, edges. Over random histories.

The histories are simulated here, blocks as sets of addresses, without anything of what tells them.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from heaplaw.picture import heap_lines
from heaplaw.plan import Plan, call
from heaplaw.spec.event import NONE, Flag, Status, Zero
from heaplaw.spec.history import History, Op, make_history, make_trace, plain_env
from heaplaw.spec.shapes import ALIGN_TAKERS, MAKERS, PROBES, SWEEPERS, Kind
from heaplaw.steps import steps_lines
from heaplaw.terminal.marked import lines_of
from heaplaw.terminal.page import Page
from heaplaw.wording import Wording

BASE = 0x7F0000001000
CAPACITY = 256
STEP = re.compile(r"  [ >] [ \d]{3}\d  ")
LAWS = ("", "aligned", "total_is_live_bytes", "remaining_is_rest", "lifo_pop", "pool_conserved")
COUNTERS = {
    "total_is_live_bytes": ("total",),
    "remaining_is_rest": ("remaining",),
    "pool_conserved": ("free", "allocated"),
}
"""The counters that are told for a law, in order, if they are told at all."""
COLUMN = {"free": "num_free", "allocated": "num_allocated"}
PLAN = Plan(
    {
        Kind.ALLOC: call("my_alloc", "pointer", "instance", "size"),
        Kind.ALIGNED: call("my_aligned", "status", "&out", "instance", "align", "size"),
        Kind.RESIZE: call("my_resize", "pointer", "instance", "ptr", "osize", "size"),
        Kind.FREE: call("my_free", "none", "ptr"),
        Kind.POP: call("my_pop", "none", "instance", "ptr"),
        Kind.MARK: call("my_mark", "size", "instance"),
        Kind.RELEASE: call("my_release", "none", "instance", "mark"),
        Kind.RESET: call("my_reset_everything_that_there_is", "none", "instance"),
    },
    create=(call("my_new", "pointer"),),
    destroy=call("my_drop", "none", "instance"),
    instances=2,
)
WORDINGS = (Wording(), Wording(PLAN, "pool"), Wording(PLAN, "pool", methods=True))


@dataclass
class Block:
    """A block, with its life."""

    name: str
    ptr: int
    size: int
    place: int
    mark: bool = False
    ended: int | None = None

    def bytes(self) -> set[int]:
        """The addresses of its bytes; a block of no bytes counts as one here."""
        return set(range(self.ptr, self.ptr + max(1, self.size)))


DRAWN = sorted(set(Kind) - {*PROBES})
"""What scenes alone have is told in tests/clauses: nobody touches what it made or ended."""


@dataclass
class World:
    """A random history in the making."""

    draw: Any
    ops: list[Op] = field(default_factory=list[Op])
    rows: list[dict[str, int]] = field(default_factory=list[dict[str, int]])
    blocks: dict[int, Block] = field(default_factory=dict[int, Block])
    """By the step that made it: blocks and marks, those that ended too."""
    slots: dict[int, int] = field(default_factory=dict[int, int])
    """What a step holds: the step that made it."""
    outcomes: list[str | None] = field(default_factory=list[str | None])
    """What the text must say came of a step, where that is a word."""
    named: int = 0
    marked: int = 0

    def live(self, place: int, since: int = -1, marks: bool = False) -> list[int]:
        """Blocks of an instance that are live, from a step on."""
        return [
            step
            for step, block in self.blocks.items()
            if block.ended is None and block.place == place and step > since and block.mark == marks
        ]

    def end(self, steps: Sequence[int]) -> None:
        for step in steps:
            self.blocks[step].ended = len(self.ops)

    def damaged(self, among: Sequence[int]) -> dict[str, int]:
        """Perhaps one of the blocks was written over by somebody."""
        whole = [step for step in among if self.blocks[step].size]
        if not whole or not self.draw(st.booleans()):
            return {}
        block = self.blocks[self.draw(st.sampled_from(whole))]
        at = self.draw(st.integers(0, block.size - 1))
        return {"flags": Flag.DAMAGED, "bad_at": at, "ptr": block.ptr, "held": block.size}

    def step(self) -> None:
        """One operation that can be called."""
        draw = self.draw
        place, kind = draw(st.integers(0, 1)), draw(st.sampled_from(DRAWN))
        held = [slot for slot, made in self.slots.items() if made in self.live(place)]
        marks = [slot for slot, made in self.slots.items() if made in self.live(place, marks=True)]
        if kind in (Kind.RESIZE, Kind.FREE, Kind.CHECK) and not held:
            kind = Kind.ALLOC
        if kind == Kind.RELEASE and not marks:
            kind = Kind.MARK
        size = draw(st.integers(0, 40)) if kind in MAKERS else 0
        align = 2 ** draw(st.integers(4, 6)) if kind in ALIGN_TAKERS else 0
        slot = NONE
        if kind in (Kind.RESIZE, Kind.FREE, Kind.CHECK):
            slot = draw(st.sampled_from(held))
        if kind == Kind.RELEASE:
            slot = draw(st.sampled_from(marks))
        row = {name: draw(st.integers(0, 300)) for name in ("num_free", "num_allocated", "remaining", "total")}
        served = draw(st.integers(0, 4)) > 0 or kind == Kind.CHECK
        row |= {"status": Status.OK if served else Status.FAILED}
        outcome = self.took(kind, place, slot, size, served, row) if kind in MAKERS else None
        if kind in (Kind.FREE, Kind.CHECK):
            outcome = self.gave_back(kind, slot, served, row)
        if kind == Kind.POP:
            outcome = self.popped(place, served, row)
        if kind in SWEEPERS:
            outcome = self.swept(kind, place, slot, served, row)
        if kind == Kind.MARK:
            row["ptr"] = draw(st.sampled_from([0, 24, BASE + 32, BASE + CAPACITY]))
            if served:
                self.marked += 1
                self.blocks[len(self.ops)] = Block(f"m{self.marked}", row["ptr"], 0, place, mark=True)
                self.slots[len(self.ops)] = len(self.ops)
            else:
                self.marked += 1
        self.ops.append(Op(kind, size, slot, align, 1, place))
        self.rows.append(row)
        refused = None if kind in (*MAKERS, Kind.RENEW) else "refused"
        self.outcomes.append(outcome if row["status"] == Status.OK else refused)

    def took(self, kind: Kind, place: int, slot: int, size: int, served: bool, row: dict[str, int]) -> str | None:
        step, old = len(self.ops), None
        if kind == Kind.RESIZE:
            old = self.slots[slot]
            row |= {"owner": old, "held": self.blocks[old].size}
            name = self.blocks[old].name
        else:
            self.named += 1
            name = f"p{self.named}"
        if not served:
            if old is not None:
                self.slots[step] = old
            return None
        row["ptr"] = BASE + self.draw(st.integers(-40, CAPACITY + 8))
        if old is not None:
            self.end([old])
        self.blocks[step] = Block(name, row["ptr"], size, place)
        self.slots[step] = step
        start = row["ptr"] - BASE
        ends = [f"{'-' if at < 0 else '+'}{abs(at):#x}" for at in (start, start + size)]
        return f"[{ends[0]}, {ends[1]})"

    def gave_back(self, kind: Kind, slot: int, served: bool, row: dict[str, int]) -> str | None:
        owner = self.slots[slot]
        row |= {"owner": owner, "held": self.blocks[owner].size, **self.damaged([owner])}
        row["ptr"] = 0
        if kind == Kind.FREE and served:
            self.end([owner])
        return None

    def popped(self, place: int, served: bool, row: dict[str, int]) -> str | None:
        newest = max(self.live(place), default=None)
        if newest is None:
            row["status"] = Status.OK
            return "nothing live"
        row |= {"owner": newest, "held": self.blocks[newest].size, **self.damaged([newest])}
        row["ptr"] = 0
        if not served:
            return None
        self.end([newest])
        return f"{self.blocks[newest].name} ended"

    def swept(self, kind: Kind, place: int, slot: int, served: bool, row: dict[str, int]) -> str | None:
        since = self.slots[slot] if kind == Kind.RELEASE else -1
        if kind == Kind.RELEASE:
            row["owner"] = since
        gone = self.live(place, since)
        row |= self.damaged(gone)
        if not served:
            return None
        self.end(gone)
        self.end(self.live(place, since - 1, marks=True))
        return f"{len(gone)} block{'' if len(gone) == 1 else 's'} ended"


@dataclass(frozen=True)
class Told:
    """A history, what broke, and the text."""

    world: World
    history: History
    guilty: tuple[int, ...]
    law: str
    lines: list[str]
    drawn: list[str]
    page: Page

    @property
    def last(self) -> int:
        return max(self.guilty)

    def texts(self) -> list[str]:
        """The text of each step, its further lines with it."""
        found: list[str] = []
        for line in self.lines:
            if STEP.match(line):
                found.append(line)
            elif found:
                found[-1] += "   " + line.strip()
        return found


@st.composite
def told(draw: Any) -> Told:
    """Some steps, of which the last one is at fault, perhaps with an earlier one."""
    world = World(draw)
    for _ in range(draw(st.integers(1, 12))):
        world.step()
    n = len(world.ops)
    env = replace(
        plain_env(draw(st.sampled_from(["freelist", "arena"]))),
        base=BASE,
        capacity=CAPACITY,
        zero_size=Zero.UNIQUE,
        remaining=300,
    )
    history = make_history(make_trace("arena", world.ops, env), world.rows)
    history = replace(history, others=(env,))
    made = [step for step in range(n - 1) if world.ops[step].kind in MAKERS and world.rows[step]["status"] == Status.OK]
    pair = made and n - 1 in world.blocks and not world.blocks[n - 1].mark and draw(st.booleans())
    guilty = (draw(st.sampled_from(made)), n - 1) if pair else (n - 1,)
    law = draw(st.sampled_from(LAWS))
    page = Page(draw(st.sampled_from([60, 80, 100, 120])))
    return Told(
        world,
        history,
        guilty,
        law,
        lines_of(steps_lines(history, guilty, law, draw(st.sampled_from(WORDINGS)), page)),
        lines_of(heap_lines(history, guilty, page)),
        page,
    )


def steps(it: Told) -> None:
    texts, world = it.texts(), it.world
    assert max(map(len, it.lines)) <= it.page.columns
    assert len(texts) == len(world.ops)
    assert [text[2] == ">" for text in texts] == [step == it.last for step in range(len(texts))]
    for step, text in enumerate(texts):
        call, _, came = text.partition("  -> ")
        outcome = world.outcomes[step]
        if outcome is not None:
            assert came.startswith(outcome), (text, outcome)
        row, block = world.rows[step], world.blocks.get(step)
        if row.get("flags"):
            assert f"byte {row['bad_at']} is not what was written" in text
        if block is not None:
            assert re.search(rf"(\b{block.name} = |&{block.name}\b)", call), text
        if world.ops[step].kind in (Kind.RESIZE, Kind.FREE, Kind.RELEASE, Kind.CHECK):
            assert re.search(rf"\b{world.blocks[row['owner']].name}\b", call), text


def damaged_blocks(it: Told) -> None:
    for step, text in enumerate(it.texts()):
        row, kind = it.world.rows[step], it.world.ops[step].kind
        if not row.get("flags") or kind not in SWEEPERS:
            continue
        place, since = it.world.ops[step].instance, row.get("owner", -1)
        like = [
            block
            for made, block in it.world.blocks.items()
            if (block.ptr, block.size, block.place, block.mark) == (row["ptr"], row["held"], place, False)
            and since < made < step
            and (block.ended is None or block.ended >= step)
        ]
        named = re.search(r"(p\d+): byte ", text)
        assert (named and named[1]) == (like[0].name if len(like) == 1 else None), text
        if len(like) != 1:
            assert re.search(r"at [+-]0x[0-9a-f]+: byte ", text)


def shared_bytes(it: Told) -> None:
    said = re.findall(r"shares (\d+) bytes? with (p\d+)", " ".join(it.texts()))
    if len(it.guilty) == 1:
        assert not said
        return
    a, b = (it.world.blocks[step] for step in it.guilty)
    shared = len(a.bytes() & b.bytes())
    assert said == ([(str(shared), a.name)] if shared else [])


def counters(it: Told) -> None:
    words = COUNTERS.get(it.law, ())
    if it.law == "lifo_pop":
        e = it.history.event(it.last)
        compares = not e.flags and (e.failed or e.kind in (*SWEEPERS, Kind.POP))
        there = {word for word in ("remaining", "total") if any(row[word] for row in it.world.rows)}
        words = tuple(sorted(there)) if compares else ()
        if compares and {"free", "allocated"} & set(it.lines[0].split()):
            words += tuple(word for word in ("free", "allocated") if any(row[COLUMN[word]] for row in it.world.rows))
    head = it.lines[0] if not STEP.match(it.lines[0]) else ""
    if all(
        op.kind == Kind.RENEW and row["status"] == Status.FAILED
        for op, row in zip(it.world.ops, it.world.rows, strict=False)
    ):
        words = ()  # there never was an instance to ask
    if it.page.narrow and not head and any("allocated " in text for text in it.texts()):
        remarks(it, words)
        return
    assert head.split() == list(words)
    if not words:
        return
    ends = [match.end() for match in re.finditer(r"\S+", head)]
    starts = [len(head) - len(head.lstrip()) - 20, *ends]
    for step, text in enumerate(rows_of(it)):
        op, row = it.world.ops[step], it.world.rows[step]
        gone = op.kind == Kind.RENEW and row["status"] == Status.FAILED
        found = [text[start:end].split()[-1:] for start, end in zip(starts, ends, strict=False)]
        assert gone or found == [[str(row[COLUMN.get(word, word)])] for word in words], text


def remarks(it: Told, words: Sequence[str]) -> None:
    """More counters than a narrow page has columns for: each step says its own."""
    assert len(words) + sum(any(row[COLUMN[word]] for row in it.world.rows) for word in COLUMN) > 2
    for step, text in enumerate(it.texts()):
        op, row = it.world.ops[step], it.world.rows[step]
        told = " ".join(text.split())
        gone = op.kind == Kind.RENEW and row["status"] == Status.FAILED
        assert all((f"{word} {row[word]}" in told) != gone for word in words), text


def rows_of(it: Told) -> list[str]:
    """The last line of each step, where its counters stand."""
    found: list[str] = []
    for line in it.lines[1:]:
        if STEP.match(line):
            found.append(line)
        else:
            found[-1] = line
    return found


LIFE = re.compile(r"steps? (\d+)(?: to (\d+))?$")


def bar_of(it: Told, line: str) -> re.Match[str] | None:
    """A block's name, its row of the picture, and the words behind it."""
    return re.match(rf"^ *(p\d+) (.{{{it.page.columns - 36}}})  (.*)$", line)


def bars(it: Told) -> None:
    assert all(len(line) <= it.page.columns for line in it.drawn)
    world, shown = it.world, dict[int, str]()
    for line in it.drawn:
        if (bar := bar_of(it, line)) is None:
            continue
        life = LIFE.search(bar[3])
        assert life, line
        made = int(life[1]) - 1
        block = world.blocks[made]
        assert made not in shown
        assert block.name == bar[1]
        assert (block.ended is None or block.ended > it.last) == (life[2] is None)
        assert life[2] is None or block.ended == int(life[2]) - 1
        assert re.match(rf"{block.size} byte", bar[3])
        assert set(bar[2]) <= set("=X! " if life[2] is None else "-! ")
        shown[made] = bar[2]
    assert len(shown) <= 8
    place = world.ops[it.last].instance
    involved = {*it.guilty, world.rows[it.last].get("owner", NONE)}
    assert all(world.blocks[made].place == place or made in involved for made in shown)
    assert len(shown) == 8 or set(world.live(place)) <= set(shown)
    for made, row in shown.items():
        others = [other for other in shown if other != made and world.blocks[other].ended is None]
        hidden = "!" in row  # a wrong byte is drawn over what is shared
        if world.blocks[made].ended is None and not hidden:
            overlaps = any(world.blocks[made].bytes() & world.blocks[other].bytes() for other in others)
            assert ("X" in row) == overlaps


def edges(it: Told) -> None:
    """What lies outside the buffer is drawn outside its edges, where these are drawn; what lies inside is not."""
    buffer = next((line for line in it.drawn if line.startswith(" buffer ")), None)
    if buffer is None:
        return
    row = buffer[8 : it.page.columns - 28]
    first, last = row.find("["), row.rfind("]")
    for line in it.drawn:
        if (bar := bar_of(it, line)) is None:
            continue
        life = LIFE.search(bar[3])
        assert life
        block = it.world.blocks[int(life[1]) - 1]
        columns = [at for at, sign in enumerate(bar[2]) if sign != " "]
        if first >= 0:
            assert (min(columns) < first) == (block.ptr < BASE), it.drawn
        if last >= 0:
            assert (max(columns) > last) == (max(block.bytes()) >= BASE + CAPACITY), it.drawn


def marks(it: Told) -> None:
    """Marks that are drawn are there, and are addresses."""
    line = next((line for line in it.drawn if line.startswith("  marks ")), "")
    place = it.world.ops[it.last].instance
    there = {
        block.name: block
        for block in it.world.blocks.values()
        if block.mark and block.place == place and (block.ended is None or block.ended >= it.last)
    }
    for name in line.split()[1:]:
        assert there[name].ptr >= BASE


@settings(max_examples=400, deadline=None, derandomize=True)
@given(told())
def test_what_is_told_is_so(it: Told) -> None:
    steps(it)
    damaged_blocks(it)
    shared_bytes(it)
    counters(it)
    bars(it)
    edges(it)
    marks(it)
