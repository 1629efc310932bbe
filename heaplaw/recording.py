"""Histories that users record themselves: what their program asked of an allocator, and what came of it.

record = heaplaw.Recording("malloc")
p = record.alloc(64, 0x1000)
record.free(p)
heaplaw.judge(record).require()
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NoReturn

from heaplaw.spec.catalogue import content, law, laws_of
from heaplaw.spec.event import NONE, NULL, Flag, Status
from heaplaw.spec.history import COUNTED, COUNTERS, History, Op, make_history, make_trace, plain_env
from heaplaw.spec.judge import judge as decide
from heaplaw.spec.shapes import CALLS, MAKERS, SHAPES, WORDS, Kind
from heaplaw.spec.verdict import Holds, NotApplicable, Outcome, Tested, Unknown, Verdict, Violated, Violation

if TYPE_CHECKING:
    from heaplaw.spec.event import Env

CONTENT = frozenset({"sized", *(item.name for item in content.LAWS)})
"""Laws on what blocks hold, which a recording says nothing of unless bytes were looked at …"""
EDGES = frozenset({"buffer_respected"})
"""… and on the bytes beside the buffer, which nobody looked at."""
UNSEEN = "the recording says nothing of what blocks hold (`wrong_at` tells where a byte was wrong, -1 that none was)"
NAIVE_UP_TO = 2_000
"""Histories up to this length are judged literally; longer ones by the judge on columns, which gives the same."""


UNSAID = -1


class RecordingError(ValueError):
    """What was recorded cannot have happened, or names what is not there; the text says which operation."""


class Recording:
    """What a program did with an allocator: one call here for each call there, in the same order.

    `shape`: `malloc`, `bump`, `pool`, `freelist`, `stack`, `arena`, `lua_alloc`. `promises`: the keys of a mapping's
    `[promises]`. `base` and `capacity` (bytes) tell the buffer that blocks come from, where that is known; a pool must
    say `block_size` and `num_blocks`.

    Addresses are whole numbers; 0 or None is a refusal. Every operation takes, beside what it is named for, `wrong_at`:
    the first wrong byte of what was looked at (-1: looked at, and well), `usable_size`, `err` (errno after a refusal)
    and the counters of the shape (`remaining=…`, `num_free_blocks=…`, …), as they were after it. A counter is judged
    if it was told after every operation; `remaining` and `total_allocated` here are what they were at first (the
    capacity, and 0).
    """

    def __init__(
        self,
        shape: str = "malloc",
        *,
        promises: Mapping[str, object] | None = None,
        base: int = 0,
        capacity: int = 0,
        block_size: int = 0,
        num_blocks: int = 0,
        remaining: int | None = None,
        total_allocated: int = 0,
    ) -> None:
        from heaplaw.errors import UsageError

        from .subjects.promises import names_of, promising, read

        if shape not in SHAPES:
            raise RecordingError(f"{shape!r} is no shape; there are {', '.join(SHAPES)}")
        if shape == "pool" and (block_size < 1 or num_blocks < 1):
            raise RecordingError("a pool is recorded with its block_size (bytes) and num_blocks, both above 0")
        if min(base, capacity, remaining or 0, total_allocated) < 0:
            raise RecordingError("base, capacity, remaining and total_allocated are not below 0")
        try:
            says = read(promises or {}, "promises")
        except UsageError as error:
            raise RecordingError(str(error)) from None
        self.shape = SHAPES[shape]
        env = promising(plain_env(shape), says)
        self._at_first = {"remaining": remaining if remaining is not None else capacity or None}
        self._at_first |= {"total_allocated": total_allocated}
        self.env: Env = replace(
            env,
            base=base,
            capacity=capacity or block_size * num_blocks,
            block_size=block_size,
            num_blocks=num_blocks,
        )
        placed = {"bounds", "grid"} if shape == "pool" else {"bounds"}
        null = shape in ("malloc", "lua_alloc") if says.free_null is None else says.free_null
        self._offers: frozenset[str] = names_of(self.env, says, null)
        self._offers |= placed if base and self.env.capacity else frozenset[str]()
        self._ops: list[Op] = []
        self._rows: list[dict[str, int]] = []
        self._live: dict[int, int] = {}
        self._counted: set[str] = set()
        self._looked = False

    # ---- what a program does

    def alloc(self, size: int | None = None, ptr: int | None = UNSAID, **seen: int) -> int:
        """`malloc(size)`; of a pool, `alloc()`: `alloc(ptr)` here. Gives `ptr` back."""
        if self.shape.name == "pool":
            size, ptr = int(self.env.block_size), size if ptr == UNSAID else ptr
        if ptr == UNSAID or size is None:
            raise RecordingError(f"operation {len(self) + 1}, alloc: say what was asked and what came, 0 for a refusal")
        return self._made(Op(Kind.ALLOC, size), ptr, seen)

    def zeroed(self, count: int, size: int, ptr: int | None, **seen: int) -> int:
        """`calloc(count, size)`. A byte that is not 0: `wrong_at`."""
        return self._made(Op(Kind.ZALLOC, size, count=count), ptr, seen)

    def aligned(self, align: int, size: int, ptr: int | None, **seen: int) -> int:
        """`aligned_alloc(align, size)`."""
        return self._made(Op(Kind.ALIGNED, size, align=align), ptr, seen)

    def posix_memalign(self, align: int, size: int, ptr: int | None, **seen: int) -> int:
        """`posix_memalign(&ptr, align, size)`; what it returned: `err`."""
        return self._made(Op(Kind.POSIX_ALIGNED, size, align=align), ptr, seen)

    def realloc(self, old: int, size: int, ptr: int | None, **seen: int) -> int:
        """`realloc(old, size)`, with `size` above 0. A byte that was not kept: `wrong_at`."""
        return self._made(Op(Kind.RESIZE, size, self._slot(old, "realloc")), ptr, seen)

    def free(self, ptr: int, **seen: int) -> None:
        """`free(ptr)`. A byte that was not as its owner wrote it: `wrong_at`."""
        self._ended(Op(Kind.FREE, slot=self._slot(ptr, "free")), seen)

    def check(self, ptr: int, **seen: int) -> None:
        """The owner read a block back; a byte that was not as it wrote it: `wrong_at`."""
        self._ended(Op(Kind.CHECK, slot=self._slot(ptr, "check")), {"wrong_at": -1, **seen})

    def pop(self, **seen: int) -> None:
        """The newest live block was ended."""
        self._ended(Op(Kind.POP), seen)

    def reset(self, **seen: int) -> None:
        """All blocks were ended."""
        self._ended(Op(Kind.RESET), seen)

    def mark(self, value: int = 0, **seen: int) -> int:
        """A mark was taken; gives a handle for `release`."""
        self._append(Op(Kind.MARK), {"status": Status.OK, "ptr": value}, seen)
        return len(self._ops) - 1

    def release(self, mark: int, **seen: int) -> None:
        """All blocks made since `mark` (what `mark()` gave) were ended."""
        if not 0 <= mark < len(self._ops) or self._ops[mark].kind != Kind.MARK:
            raise RecordingError(f"release({mark}): mark() gave no such handle")
        self._ended(Op(Kind.RELEASE, slot=mark), seen)

    # ---- what it comes to

    def __len__(self) -> int:
        return len(self._ops)

    @property
    def offers(self) -> frozenset[str]:
        """What the allocator has, as far as the recording shows: operations that were called, counters, promises."""
        called = {CALLS[op.kind] for op in self._ops if op.kind != Kind.CHECK}
        return frozenset((self._offers | called | self._counted) - set(self.untold))

    @property
    def untold(self) -> dict[str, str]:
        """What was told now and then only, so that nothing can be said of it: why not, by name."""
        found: dict[str, str] = {}
        after = [row for op, row in zip(self._ops, self._rows, strict=True) if op.kind != Kind.CHECK]
        for name in self._counted & set(COUNTERS):
            if not all(COUNTERS[name] in row for row in after):
                found[name] = f"{name} was told after some operations only"
            elif name in self._at_first and self._at_first[name] is None:
                found[name] = f"nobody said what {name} was at first: Recording(…, {name}=…)"
        makers = [row for op, row in zip(self._ops, self._rows, strict=True) if op.kind in MAKERS]
        if "usable_size" in self._counted and not all("usable" in row for row in makers if row["status"] == Status.OK):
            found["usable_size"] = "usable_size was told of some blocks only"
        if not all("err" in row for row in makers if row["status"] == Status.FAILED):
            found["errno"] = "err was not told of every refusal"
        return found

    def history(self) -> History:
        """What was recorded, as judges take it."""
        counted = {COUNTERS[name]: name for name in (self._counted & set(COUNTERS)) - set(self.untold)}
        known = {name: self._at_first[name] or 0 for name in counted.values() if name in self._at_first}
        env = replace(self.env, remaining=known.get("remaining", 0), total=known.get("total_allocated", 0))
        now = {"remaining": env.remaining, "total": env.total, "num_free": env.num_blocks}
        rows: list[dict[str, int]] = []
        for row in self._rows:  # nothing is asked of an allocator while an owner reads: counters are as they were
            now = {column: row.get(column, now.get(column, 0)) for column in counted}
            rows.append({**{name: value for name, value in row.items() if name not in COUNTED}, **now})
        trace = make_trace(self.shape.name, self._ops, env, profile="recorded")
        return replace(make_history(trace, rows), counted=frozenset(counted))

    @property
    def looked(self) -> bool:
        """Bytes were looked at."""
        return self._looked

    # ---- how

    def _slot(self, ptr: int, call: str) -> int:
        if ptr == 0:
            return NULL
        if ptr not in self._live:
            raise RecordingError(
                f"operation {len(self._ops) + 1}, {call}({ptr:#x}): no live block lies there; a program that ends what "
                "is not its own is at fault itself"
            )
        return self._live[ptr]

    def _made(self, op: Op, ptr: int | None, seen: Mapping[str, int]) -> int:
        if op.kind not in self.shape.operations:
            raise RecordingError(f"{WORDS[op.kind]} is no operation of a {self.shape.name}")
        at = ptr or 0
        if not all(0 <= number < 2**64 for number in (op.size, op.count, op.align, at)):
            raise RecordingError(
                f"operation {len(self) + 1}, {WORDS[op.kind]}: sizes and addresses are from 0 to 2**64 - 1"
            )
        if op.kind == Kind.RESIZE and op.slot == NULL:
            op = Op(Kind.ALLOC, op.size)
        owner = op.slot if op.kind == Kind.RESIZE else NONE
        row = {"status": Status.OK if at else Status.FAILED, "ptr": at, "owner": owner}
        self._append(op, row, seen)
        if owner != NONE and at:
            self._forget(owner)
        if at:
            self._live[at] = len(self._ops) - 1
        return at

    def _ended(self, op: Op, seen: Mapping[str, int]) -> None:
        if op.kind not in (*self.shape.operations, Kind.CHECK):
            raise RecordingError(f"{WORDS[op.kind]} is no operation of a {self.shape.name}")
        owner = NONE if op.slot == NULL else op.slot
        if op.kind == Kind.POP:
            owner = max(self._live.values(), default=NONE)
        self._append(op, {"status": int(Status.OK), "owner": owner}, seen)
        if op.kind == Kind.RESET:
            self._live = {}
        elif op.kind == Kind.RELEASE:
            self._live = {at: slot for at, slot in self._live.items() if slot < op.slot}
        elif op.kind != Kind.CHECK and owner != NONE:
            self._forget(owner)

    def _forget(self, slot: int) -> None:
        """The block that operation `slot` made has ended; another may have been given its address since."""
        at = self._rows[slot]["ptr"]
        if self._live.get(at) == slot:
            del self._live[at]

    def _append(self, op: Op, row: dict[str, int], seen: Mapping[str, int]) -> None:
        """One more operation, with what was seen."""
        known = {"wrong_at", "usable_size", "err", *self.shape.counters} - {"bounds", "grid"}
        if stray := [name for name in seen if name not in known]:
            from .mapping.problems import did_you_mean, listing

            advice = did_you_mean(stray[0], known) or f"there are {listing(sorted(known), 'and')}"
            raise RecordingError(f"{stray[0]!r} says nothing about a {self.shape.name}; {advice}")
        if row.get("owner", NONE) != NONE:
            row["held"] = self._ops[row["owner"]].size * self._ops[row["owner"]].count
        told = dict(seen)
        at = told.pop("wrong_at", None)
        if at is not None:
            extent = row.get("held", 0) if op.kind not in MAKERS else op.size * op.count
            if at >= max(extent, row.get("held", 0)) or at < -1:
                raise RecordingError(f"wrong_at {at}: the block has {extent} bytes; -1 says that all are well")
            self._looked = True
            if at >= 0:
                row |= {"flags": int(self._flag(op, row)), "bad_at": at}
        row |= {"usable": told.pop("usable_size")} if "usable_size" in told else {}
        row |= {"err": told.pop("err")} if "err" in told else {}
        self._counted |= set(told) | ({"usable_size"} if "usable_size" in seen else set())
        row |= {COUNTERS[name]: value for name, value in told.items()}
        self._ops.append(op)
        self._rows.append(row)

    def _flag(self, op: Op, row: Mapping[str, int]) -> Flag:
        """What a wrong byte means, by the operation after which it was seen."""
        if op.kind == Kind.RESIZE:
            return Flag.PREFIX_LOST if row["status"] == Status.OK else Flag.FAILED_CHANGED
        return {Kind.ZALLOC: Flag.NOT_ZERO}.get(op.kind, Flag.UNWRITABLE if op.kind in MAKERS else Flag.DAMAGED)


@dataclass(frozen=True)
class Judgement:
    """What the laws say of a history."""

    history: History
    verdicts: tuple[Verdict, ...]

    @property
    def broken(self) -> tuple[Verdict, ...]:
        """The laws that it breaks."""
        return tuple(verdict for verdict in self.verdicts if isinstance(verdict.outcome, Violated))

    def __bool__(self) -> bool:
        """No law is broken, and one at least was judged."""
        return not self.broken and any(isinstance(verdict.outcome, Holds) for verdict in self.verdicts)

    def __getitem__(self, name: str) -> Verdict:
        """The verdict of a law, by id or name; KeyError where it does not speak of the history's shape."""
        try:
            wanted = law(name).name
        except KeyError:
            raise KeyError(f"there is no law {name}; `heaplaw laws` lists them") from None
        return next((verdict for verdict in self.verdicts if verdict.law == wanted), None) or _absent(name)

    @property
    def lines(self) -> list[str]:
        """Every broken law with the steps that show it and a picture of the heap; plain text, 80 columns."""
        found: list[str] = []
        for verdict in self.broken:
            assert isinstance(verdict.outcome, Violated)
            found += [*([""] if found else []), *told(self.history, verdict.outcome.violations[0])]
        return found

    def __str__(self) -> str:
        counted: list[type[Outcome]] = [type(verdict.outcome) for verdict in self.verdicts]
        words = [f"{counted.count(Holds)} hold", f"{len(self.broken)} violated"]
        words += [f"{counted.count(kind)} {word}" for kind, word in REST.items() if counted.count(kind)]
        return "\n".join([*self.lines, *([""] if self.broken else []), ", ".join(words)])

    def require(self) -> None:
        """LawBrokenError, an AssertionError with all `lines`, when a law is broken."""
        __tracebackhide__ = True
        if self.broken:
            from .conformance.failures import LawBrokenError, heading

            raise LawBrokenError(heading(self.lines, len(self.broken) - 1), self.lines)


REST: dict[type[Outcome], str] = {Unknown: "unknown", NotApplicable: "not applicable"}


def _absent(name: str) -> NoReturn:
    raise KeyError(f"{name} says nothing of this shape, or was not asked for")


def judge(history: Recording | History, laws: Iterable[str] = ()) -> Judgement:
    """Decide what the laws say of a history that you recorded: those of its shape, or `laws` (ids or names; KeyError).

    What was not recorded is not judged: laws on what blocks hold do not apply where no byte was looked at, laws on
    counters where none was told. A law that found nothing to judge is unknown. Nothing of an allocator is run.
    """
    asked = {law(name).name for name in laws}
    recorded = history if isinstance(history, Recording) else None
    whole = history if recorded is None else recorded.history()
    if not isinstance(whole, History):
        raise TypeError(f"{type(history).__name__}: a heaplaw.Recording is judged, or a spec.history.History")
    stated = [item for item in laws_of(whole.trace.shape) if not asked or item.name in asked]
    offers = offered(whole) if recorded is None else recorded.offers
    seen = recorded is None or recorded.looked
    decided: dict[str, Verdict] = {}
    for item in stated:
        if item.name in EDGES or (item.name in CONTENT and not seen):
            why = UNSEEN if item.name in CONTENT else "the recording says nothing of bytes beside the buffer"
            decided[item.name] = Verdict(item.name, NotApplicable(why), Tested(0))
    rest = [item for item in stated if item.name not in decided]
    if len(whole) <= NAIVE_UP_TO:
        found = decide(whole, rest, offers)
    else:
        from .judges import judge_fast

        found = judge_fast(whole, rest, offers)
    decided |= {verdict.law: verdict for verdict in found}
    untold = {} if recorded is None else recorded.untold
    for item in rest:
        reasons = [text for name, text in untold.items() if name in item.needs]
        if reasons:
            decided[item.name] = Verdict(item.name, NotApplicable("; ".join(reasons)), Tested(0))
    return Judgement(whole, tuple(decided[item.name] for item in stated))


def told(history: History, violation: Violation) -> list[str]:
    """A broken law: what was seen, the steps, the heap."""
    from .terminal.marked import lines_of
    from .terminal.page import PLAIN
    from .terminal.verdicts import labelled, shown
    from .wording import Wording

    lines, rows = shown(history, violation, Wording(), PLAIN)
    rows += [("why", f"heaplaw explain {law(violation.law).id}")]
    return lines_of([*lines, *(line for name, text in rows for line in labelled(name, text, PLAIN))])


def offered(history: History) -> frozenset[str]:
    """What the allocator of a history has, as far as that shows."""
    called = {CALLS[Kind(int(kind))] for kind in history.trace.columns["kind"] if kind != Kind.CHECK}
    told = {name for name, column in COUNTERS.items() if any(history.columns[column])}
    return frozenset(called | told)
