"""Call plans: how each operation of a subject is called. Data alone, for the driver in C and for the one in Python.

A plan names functions and says which words each is given, in which order, and what its value means. The driver keeps
the words of the current operation, and calls.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from heaplaw.spec import history
from heaplaw.spec.report import REPORTS
from heaplaw.spec.shapes import CALLS, Kind

WORDS = {
    "instance": "i",
    "&instance": "I",
    "size": "s",
    "align": "a",
    "count": "n",
    "ptr": "p",
    "osize": "o",
    "oalign": "g",
    "mark": "m",
    "&out": "O",
    "buffer": "b",
    "capacity": "c",
    "tag": "t",
    "label": "l",
    "hook_malloc": "h",
    "hook_free": "f",
    "hook_realloc": "r",
}
"""Words that arguments may be, with their letters in the native driver's notation.

`align` is what the operation asks for; in operations that take none, the alignment that the subject promises. `osize`
and `oalign` are what the named block was asked with. `tag` is a small number that means nothing; `label` the tag of the
block that the operation makes or names, which only Python objects are given.
"""
RETURNS = {
    "pointer": "p",
    "status": "s",
    "errno": "e",
    "bool": "b",
    "bytes": "y",
    "none": "v",
    "null": "z",
    "size": "S",
    "int": "i",
}
"""What a call's value means, with letters in the native driver's notation.

A block, NULL when refused · 0, or refused · 0, ENOMEM, EINVAL · not 0, or refused · bytes handed out, 0 when refused ·
nothing · NULL, always (what came is recorded) · a word · 32 bits.
"""
COUNTERS = {
    "usable_size": "u",
    "num_free_blocks": "f",
    "num_allocated": "n",
    "remaining": "r",
    "total_allocated": "t",
    "invariant": "v",
    "base": "B",
    **{name: name for name in sorted(REPORTS)},
}
"""Calls that only look, with their letters. `base` is called once, when an instance is made; reports, by Python objects
alone.
"""
COLUMN_OF = {**history.COUNTERS, **{name: name for name in sorted(REPORTS)}}
"""The column of each counter that is called after every operation."""
INIT, CREATE, DESTROY = "I", "C", "D"
MOST_ARGUMENTS = 6
MOST_INSTANCES = 8


@dataclass(frozen=True)
class Call:
    """One call: a function, what its value means, and its arguments: words and numbers."""

    function: str
    returns: str
    arguments: tuple[str | int, ...]

    def notation(self) -> str:
        """For the native driver: a letter for the value, then one for each argument; numbers as `#123;`."""
        words = (WORDS[a] if isinstance(a, str) else f"#{a % 2**64};" for a in self.arguments)
        return RETURNS[self.returns] + "".join(words)


def call(function: str, returns: str, *arguments: str | int) -> Call:
    """A call."""
    return Call(function, returns, arguments)


@dataclass(frozen=True)
class Plan:
    """All calls of a subject."""

    operations: Mapping[Kind, Call]
    counters: Mapping[str, Call] = field(default_factory=dict[str, Call])
    init: tuple[Call, ...] = ()
    create: tuple[Call, ...] = ()
    """The first one's value is the instance, unless it is given `&instance`, or there is `storage`."""
    destroy: Call | None = None
    instances: int = 1
    buffer: int = 0
    """Bytes of memory that each instance is given; 0: none."""
    buffer_align: int = 16
    storage: int = 0
    """Bytes of zeroed memory that is each instance; 0: none."""
    capacity: int = 0
    align: int = 16
    """What `align` says where the operation takes none, bytes."""

    def __post_init__(self) -> None:
        """Numbers out of range are errors of whoever made the plan."""
        assert 1 <= self.instances <= MOST_INSTANCES
        assert all(len(c.arguments) <= MOST_ARGUMENTS for c in self.calls().values())

    def calls(self) -> dict[str, Call]:
        """Every call, by its slot: the number of a Kind, the letter of a counter, I0, I1, …, C0, C1, …, D."""
        found = {str(int(kind)): made for kind, made in sorted(self.operations.items())}
        found |= {COUNTERS[name]: made for name, made in self.counters.items()}
        found |= {f"{INIT}{place}": made for place, made in enumerate(self.init)}
        found |= {f"{CREATE}{place}": made for place, made in enumerate(self.create)}
        return found | ({DESTROY: self.destroy} if self.destroy else {})

    @property
    def functions(self) -> list[str]:
        """Every function that is called, once."""
        return list(dict.fromkeys(made.function for made in self.calls().values()))

    def entries(self) -> list[str]:
        """The plan in the native driver's notation: numbers, then `slot:notation:function` for each call."""
        numbers = (self.instances, self.buffer, self.buffer_align, self.storage, self.capacity, self.align)
        calls = [f"{slot}:{made.notation()}:{made.function}" for slot, made in self.calls().items()]
        return [" ".join(map(str, numbers)), *calls]

    @property
    def offers(self) -> frozenset[str]:
        """Operations (by the names of `shapes.CALLS`) and counters that are there."""
        names = {CALLS[kind] for kind in self.operations} | (set(self.counters) - {"base"})
        names |= {"renew"} if self.destroy else set()
        names |= {"buffer"} if self.buffer else set()
        return frozenset(names | ({"bounds"} if self.buffer or "base" in self.counters else set()))

    def document(self) -> dict[str, Any]:
        """The plan as JSON."""
        fields = asdict(self)
        fields["operations"] = {str(int(kind)): asdict(made) for kind, made in self.operations.items()}
        return fields

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> "Plan":
        """The plan back from JSON."""

        def one(fields: Mapping[str, Any]) -> Call:
            return Call(fields["function"], fields["returns"], tuple(fields["arguments"]))

        rest = dict(document)
        return cls(
            operations={Kind(int(number)): one(made) for number, made in rest.pop("operations").items()},
            counters={name: one(made) for name, made in rest.pop("counters").items()},
            init=tuple(map(one, rest.pop("init"))),
            create=tuple(map(one, rest.pop("create"))),
            destroy=None if (last := rest.pop("destroy")) is None else one(last),
            **rest,
        )


STANDARD: Mapping[Kind, Call] = {
    Kind.ALLOC: call("malloc", "pointer", "size"),
    Kind.ZALLOC: call("calloc", "pointer", "count", "size"),
    Kind.RESIZE: call("realloc", "pointer", "ptr", "size"),
    Kind.FREE: call("free", "none", "ptr"),
    Kind.ALIGNED: call("aligned_alloc", "pointer", "align", "size"),
    Kind.POSIX_ALIGNED: call("posix_memalign", "errno", "&out", "align", "size"),
}
"""The C library's own calls."""


def standard_plan(symbols: Mapping[str, str]) -> Plan:
    """The plan of a library with the C library's calls under names of its own: C name to symbol."""
    operations = {
        kind: Call(symbols[made.function], made.returns, made.arguments)
        for kind, made in STANDARD.items()
        if made.function in symbols
    }
    usable = {"usable_size": call(symbols["usable_size"], "size", "ptr")} if "usable_size" in symbols else {}
    return Plan(operations, usable)
