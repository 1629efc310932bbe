"""What was done to a live subject, as a program in the user's own calls: Python that can be pasted, results as
comments.

Blocks are p1, p2, … and marks m1, m2, … in the order of their making; a resized block keeps its name. What was skipped
is left out, and reading back, which is no call of the subject's, is told only where it is at fault.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from textwrap import wrap

from heaplaw.spec.catalogue import law
from heaplaw.spec.event import NONE, NULL, Event, Flag, Status
from heaplaw.spec.heap import block_of
from heaplaw.spec.history import History, Op
from heaplaw.spec.shapes import CALLS, MAKERS, POOL, SHAPES, SWEEPERS, WORDS, Kind
from heaplaw.spec.verdict import Violation

from .methods import FORMS, RETURNS, Method
from .words import base_among, in_common, offset, power, wrong

COLUMNS = 80
MOST = 16
"""Statements that are told of a longer program …"""
FIRST = 4
"""… of which so many are its first."""
BESIDE = 44
"""Comments stand beside statements of up to so many columns; above longer ones."""
ALIKE = (
    "This may not fail as the machine did: the allocator gave one object for several blocks or marks, "
    "and of these the newest is taken."
)
"""What a test says that cannot tell which block or mark is meant."""
SUBJECTS: Mapping[str, str] = {"malloc": "heap", "freelist": "heap", "lua_alloc": "allocator"}
"""What a subject of a shape is called, where that is not the shape's name."""


@dataclass(frozen=True)
class Owned:
    """A block as an argument, by the operation that made it."""

    owner: int


@dataclass(frozen=True)
class Said:
    """A call of the user's own."""

    at: int
    """The operation that it came before."""
    name: str
    arguments: tuple[str | Owned, ...]
    result: str


@dataclass(frozen=True)
class Own:
    """How one operation was called that was not called as the others of its kind."""

    method: Method
    given: Mapping[str, str | Owned] = field(default_factory=dict[str, str | Owned])
    """The user's own words among its arguments, as Python writes them."""


@dataclass(frozen=True)
class Spelling:
    """How a subject and its calls are written."""

    subject: str = "subject"
    opening: tuple[str, ...] = ("subject = make()",)
    machine: str = "MyMachine"
    """The machine that makes it, and judges every call in a test of its own."""
    methods: Mapping[Kind, Method] = field(default_factory=dict[Kind, Method])
    declared: frozenset[Kind] = frozenset()
    """Operations whose methods the machine names, which nobody finds without it."""
    null: str = "0"
    ending: str = "destroy"
    own: Mapping[int, Own] = field(default_factory=dict[int, Own])
    calls: tuple[Said, ...] = ()
    alike: frozenset[int] = frozenset()
    """Operations about a block or a mark for which the subject gave the same object as for another live one."""
    last: str = ""
    """What the subject did in the latest operation instead of answering, in words."""


@dataclass(frozen=True)
class Line:
    """One statement, what came of it, and what of that is at fault."""

    text: str
    came: tuple[str, ...] = ()
    fault: str = ""

    @property
    def comment(self) -> str:
        """What stands beside it; empty when there is nothing to say."""
        came = f"-> {', '.join(self.came)}" if self.came else ""
        parts = [came, f"<- {self.fault}" if self.fault else ""]
        return "  ".join(part for part in parts if part)


def calls_of_its_own(history: History, spelling: Spelling) -> list[str]:
    """What is called in a program that only its machine knows, once each: methods as the machine names them."""
    ops = enumerate(history.trace.ops())
    declared = [(at, spelling.methods[op.kind]) for at, op in ops if op.kind in spelling.declared]
    methods = {at: method for at, method in declared if history.event(at).status != Status.SKIPPED}
    methods |= {at: own.method for at, own in spelling.own.items()}
    texts = [f"{call.name}({', '.join('…' for _ in call.arguments)})" for call in spelling.calls]
    return list(dict.fromkeys([*(str(method) for _, method in sorted(methods.items())), *texts]))


def plain_method(kind: Kind, shape: str) -> Method:
    """How an operation is called where nobody knows better: by the words of its shape."""
    name = (CALLS if shape == "malloc" else WORDS)[kind]
    sizeless = SHAPES[shape] is POOL and kind in MAKERS
    return Method(name, RETURNS.get(kind, "pointer"), () if sizeless else FORMS.get(kind, ((),))[0])


class Program:
    """The statements of a history, with names given on the way."""

    def __init__(self, history: History, spelling: Spelling, violations: Sequence[Violation] = ()) -> None:
        self.history, self.spelling, self.violations = history, spelling, violations
        c = history.columns
        made = [int(c["ptr"][i]) for i in range(len(history)) if history.event(i).makes]
        self.base = base_among(history.told, made)
        self._names: dict[int, str] = {}
        self._live: dict[int, Op] = {}
        self._counts = {"p": 0, "m": 0}

    def lines(self) -> list[Line]:
        """The statements, in order."""
        return list(self._lines())

    def _lines(self) -> Iterator[Line]:
        calls = list(self.spelling.calls)
        for index in range(len(self.history)):
            while calls and calls[0].at <= index:
                yield self._said(calls.pop(0))
            line = self._line(index)
            if line is not None:
                yield line
        yield from map(self._said, calls)

    def _said(self, call: Said) -> Line:
        given = map(self._argument, call.arguments)
        text = f"{self.spelling.subject}.{call.name}({', '.join(given)})"
        return Line(text, (call.result,) if call.result else ())

    def _argument(self, argument: str | Owned) -> str:
        return argument if isinstance(argument, str) else self._names.get(argument.owner, "?")

    # ---- operations

    def _line(self, index: int) -> Line | None:
        op, e, owner = self.history.trace.op(index), self.history.event(index), self.history.owner(index)
        guilty = [v for v in self.violations if index == max(v.operations, default=-1)]
        if e.status == Status.SKIPPED or (op.kind == Kind.CHECK and not guilty):
            return None
        text = self._statement(index, op, e, owner)
        came = tuple(part for part in (self._outcome(index, op, e, owner), self._damage(e)) if part)
        self._take(index, op, e, owner)
        fault = ""
        if guilty:
            shared = [part for part in (self._shared(violation) for violation in guilty) if part]
            fault = ", ".join(law(violation.law).id for violation in guilty)
            fault += f": {shared[0]}" if shared else ""
        return Line(text, came, fault)

    def _statement(self, index: int, op: Op, e: Event, owner: int) -> str:
        if op.kind == Kind.CHECK:
            return f"# {self._names[owner]} is read back" if owner in self._names else "# counters are read"
        subject = self.spelling.subject
        if op.kind == Kind.RENEW:
            return f"{subject}.{self.spelling.ending}()"
        own = self.spelling.own.get(index)
        method = own.method if own else self.spelling.methods.get(op.kind, plain_method(op.kind, self._shape))
        words = self._words(index, op, owner)
        words |= {name: self._argument(given) for name, given in own.given.items()} if own else {}
        given = [words.get(a, a) if isinstance(a, str) else str(a) for a in method.arguments]
        called = subject if method.name == "__call__" else f"{subject}.{method.name}"
        text = f"{called}({', '.join(given)})"
        if not (e.makes or (op.kind == Kind.MARK and e.served)):
            return text
        self._name(index, op, owner)
        return f"{self._names[index]} = {text}" if method.returns in ("pointer", "size") else text

    @property
    def _shape(self) -> str:
        return self.history.trace.shape

    def _words(self, index: int, op: Op, owner: int) -> dict[str, str]:
        made, promised = self._live.get(owner), str(self.history.told.max_align)
        held = self._names.get(owner, self.spelling.null)
        return {
            "size": power(op.size),
            "count": power(op.count),
            "align": str(op.align) if op.align else promised,
            "ptr": self.spelling.null if op.slot == NULL else held,
            "osize": power(made.size * made.count) if made else "0",
            "oalign": str(made.align) if made and made.align else promised,
            "mark": held,
            "tag": str(index % 10),
        }

    def _name(self, index: int, op: Op, owner: int) -> None:
        if op.kind == Kind.RESIZE and owner in self._names:
            self._names[index] = self._names[owner]
            return
        letter = "m" if op.kind == Kind.MARK else "p"
        self._counts[letter] += 1
        self._names[index] = f"{letter}{self._counts[letter]}"

    def _ended(self, op: Op, e: Event, owner: int) -> list[int]:
        """What was live, and is no longer, by the operations that made it."""
        if e.sweeps:
            return [one for one in self._live if op.kind != Kind.RELEASE or owner == NONE or one > owner]
        return [owner] if e.ends and owner in self._live else []

    def _take(self, index: int, op: Op, e: Event, owner: int) -> None:
        for gone in self._ended(op, e, owner):
            del self._live[gone]
        if e.makes:
            self._live[index] = op

    # ---- what came of them

    def _outcome(self, index: int, op: Op, e: Event, owner: int) -> str:
        if e.status == Status.FAILED:
            return "refused"
        if e.status != Status.OK:
            return self.spelling.last or "neither done nor refused"
        if e.makes:
            return f"[{offset(e.ptr, self.base)}, {offset(e.ptr + e.extent, self.base)})"
        if op.kind == Kind.RENEW:
            return "made again"
        if op.kind == Kind.POP:
            return f"{self._names.get(owner, '?')} ended" if owner != NONE else "nothing was live"
        if op.kind in SWEEPERS:
            count = len(self._ended(op, e, owner))
            return f"{count} block{'s' * (count != 1)} ended"
        if op.kind == Kind.MARK:
            near = any(abs(e.ptr - int(self.history.columns["ptr"][one])) < 2**16 for one in self._live)
            return offset(e.ptr, self.base) if near else ""
        return ""

    def _damage(self, e: Event) -> str:
        if not e.flags:
            return ""
        text = wrong(Flag(int(e.flags)), int(e.bad_at))
        if e.kind not in SWEEPERS or e.flags != Flag.DAMAGED:
            return text
        found = [self._names[one] for one in self._live if int(self.history.columns["ptr"][one]) == e.ptr]
        return f"{found[0] if len(found) == 1 else offset(e.ptr, self.base)}: {text}"

    def _shared(self, violation: Violation) -> str:
        """What the two blocks of a broken law have in common."""
        if len(violation.operations) != 2:
            return ""
        first, second = (block_of(self.history.event(index), 0) for index in violation.operations)
        return in_common(first, second, self._names.get(violation.operations[0], "?"))


# ---- text


def laid_out(lines: Sequence[Line], indent: str) -> list[str]:
    """Statements with their comments, at most 80 columns wide where names and values allow it."""
    wide = max((len(line.text) for line in lines if line.comment and len(line.text) <= BESIDE), default=0)
    text: list[str] = []
    for line in lines:
        room = COLUMNS - len(indent)
        beside = f"{line.text:<{wide}}  # {line.comment}" if line.comment else line.text
        if len(beside) <= room:
            text.append(indent + beside)
            continue
        if line.text.startswith("#"):
            text += [indent + part for part in wrap(beside, room, subsequent_indent="# ")]
            continue
        text += [f"{indent}# {part}" for part in wrap(line.comment, room - 2)]
        folded = wrap(line.text, room, subsequent_indent=" " * 4, break_long_words=False, break_on_hyphens=False)
        text += [indent + part for part in folded]
    return text


def listing(history: History, spelling: Spelling, violations: Sequence[Violation] = ()) -> list[str]:
    """The program as it is told: of a long one, the beginning and the end."""
    program = Program(history, spelling, violations)
    lines = program.lines()
    left = len(lines) - MOST
    if left > 0:
        lines = [*lines[:FIRST], Line(f"# … {left:,} more"), *lines[FIRST + left :]]
    lines = [*map(Line, spelling.opening), *lines]
    base = [f"    # addresses from {program.base:#x}"] if program.base else []
    return [*laid_out(lines, " " * 4), *base]


def as_test(history: History, spelling: Spelling, violations: Sequence[Violation] = ()) -> str:
    """The program as a test, every call of which is judged."""
    stated = [law(violation.law) for violation in violations[:1]]
    name = "_".join(f"{each.id.lower()}_{each.name}" for each in stated) or "program"
    lines = Program(history, spelling, violations).lines()
    body = laid_out(lines or [Line("pass")], " " * 8)
    said = [f"{each.id}: {each.sentence}" for each in stated] + ([ALIKE] if spelling.alike else [])
    told = [f"    # {part}" for text in said for part in wrap(text, COLUMNS - 6)]
    head = f"    with {spelling.machine}.judged({', '.join(_own_calls(history, spelling))}) as {spelling.subject}:"
    return "\n".join([f"def test_{name}() -> None:", *told, head, *body, ""])


def _own_calls(history: History, spelling: Spelling) -> Iterator[str]:
    """Operations by methods of the user's own, as a machine's `judged` is given them."""
    found: dict[str, dict[str, None]] = {}
    for index, own in spelling.own.items():
        found.setdefault(WORDS[history.trace.op(index).kind], {})[str(own.method)] = None
    for word, texts in found.items():
        quoted = [f'"{text}"' for text in texts]
        yield f"{word}={quoted[0]}" if len(quoted) == 1 else f"{word}=({', '.join(quoted)})"
