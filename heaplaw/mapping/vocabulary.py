"""What may be written in a mapping, as tables: docs/mapping.md says the same in words."""

from dataclasses import dataclass

from heaplaw.spec.dialects import BY_NAME


@dataclass(frozen=True)
class Shape:
    """Which operations and counters a mapping of this shape has."""

    required: tuple[str, ...] = ()
    one_of: tuple[tuple[tuple[str, ...], ...], ...] = ()
    """Groups of alternatives: of each group, one set of operations at least must be there whole."""
    optional: tuple[str, ...] = ()
    counters: tuple[str, ...] = ("invariant",)
    sized: bool = True
    """Requests say how many bytes they want."""
    constants: tuple[str, ...] = ()
    """Constants that must be given."""

    @property
    def operations(self) -> tuple[str, ...]:
        """All operations that the shape may have."""
        grouped = (name for group in self.one_of for choice in group for name in choice)
        return (*self.required, *dict.fromkeys(grouped), *self.optional)


_ANY_REQUEST = (("alloc",), ("aligned",))
_LINEAR = ("remaining", "total_allocated", "invariant")

SHAPES: dict[str, Shape] = {
    "malloc": Shape(
        required=("alloc", "free"),
        optional=("zeroed", "realloc", "aligned", "posix_memalign"),
        counters=("usable_size", "invariant"),
    ),
    "bump": Shape(one_of=(_ANY_REQUEST,), optional=("zeroed", "reset"), counters=_LINEAR),
    "pool": Shape(
        required=("alloc", "free"),
        optional=("zeroed", "reset"),
        counters=("num_free_blocks", "num_allocated", "invariant"),
        sized=False,
        constants=("block_size", "num_blocks"),
    ),
    "freelist": Shape(
        required=("free",),
        one_of=(_ANY_REQUEST,),
        optional=("zeroed", "realloc", "reset"),
        counters=("usable_size", *_LINEAR),
    ),
    "stack": Shape(required=("pop",), one_of=(_ANY_REQUEST,), optional=("zeroed", "reset"), counters=_LINEAR),
    "arena": Shape(
        one_of=(_ANY_REQUEST, (("reset",), ("mark", "release"))),
        optional=("zeroed",),
        counters=_LINEAR,
    ),
    "lua_alloc": Shape(required=("lua_alloc",)),
}

TOGETHER = (("mark", "release"),)
"""Operations of which neither has a use without the other."""


@dataclass(frozen=True)
class Rules:
    """What a call in one place is given, and what its value may mean (the default first)."""

    returns: tuple[str, ...]
    words: tuple[str, ...] = ()
    """The words that it may be given beside those that are known everywhere."""
    needs: tuple[str, ...] = ()
    """Those of them without which it cannot do what it is for."""
    returns_with_out: tuple[str, ...] = ()
    """What its value may mean where `&out` is among the arguments; empty: it cannot be."""
    knows_instance: bool = True


_REFUSALS = ("status", "errno", "bool", "bytes")
_DONE = ("none", "status", "errno", "bool")
_COUNT = ("size", "int")
_HOOKS = ("hook_malloc", "hook_free", "hook_realloc")

OPERATIONS: dict[str, Rules] = {
    "alloc": Rules(("pointer",), ("size", "align"), ("size",), _REFUSALS),
    "zeroed": Rules(("pointer",), ("count", "size", "align"), ("size",), _REFUSALS),
    "aligned": Rules(("pointer",), ("align", "size"), ("align", "size"), _REFUSALS),
    "posix_memalign": Rules(
        ("errno", "status"), ("align", "size"), ("&out", "align", "size"), returns_with_out=("errno", "status")
    ),
    "realloc": Rules(("pointer",), ("ptr", "size", "osize", "oalign", "align"), ("ptr", "size"), _REFUSALS),
    "free": Rules((*_DONE, "null"), ("ptr", "osize", "oalign"), ("ptr",)),
    "pop": Rules(_DONE, ("ptr", "osize", "oalign")),
    "reset": Rules(_DONE),
    "mark": Rules(("size", "int", "pointer"), returns_with_out=("status", "errno", "bool", "none")),
    "release": Rules(_DONE, ("mark",), ("mark",)),
    "lua_alloc": Rules(("pointer",), ("ptr", "osize", "nsize"), ("ptr", "nsize")),
}
COUNTERS: dict[str, Rules] = {
    "usable_size": Rules(_COUNT, ("ptr",), ("ptr",)),
    "remaining": Rules(_COUNT),
    "total_allocated": Rules(_COUNT),
    "num_free_blocks": Rules(_COUNT),
    "num_allocated": Rules(_COUNT),
    "invariant": Rules(("status", "bool")),
    "base": Rules(("pointer", "size")),
}
ANY_SHAPE = ("base",)
"""Counters that every shape may have."""
LIFE: dict[str, Rules] = {
    "init": Rules(_DONE, _HOOKS, knows_instance=False),
    "instance": Rules(("pointer",), _HOOKS),
    "destroy": Rules(_DONE),
}
"""Calls that make and end instances. `instance` stands for whichever word the mapping chose."""
CALLS: dict[str, Rules] = {**OPERATIONS, **COUNTERS, **LIFE}
VIEW: dict[str, Rules] = {
    "first": Rules(("pointer", "size")),
    "next": Rules(("pointer", "size"), ("ptr",), ("ptr",)),
    "size": Rules(_COUNT, ("ptr",), ("ptr",)),
}
"""Calls of `[view]`, which only look: all three are needed."""
VIEW_KEYS = (*VIEW, "header")
VIEWED = ("freelist",)
"""Shapes whose laws look at a list."""

INSTANCE_BY_POINTER = ("status", "errno", "bool", "none")
"""What the value of a call means that gives the instance through `&pool`."""
INSTANCE_GIVEN = _DONE
"""What the value of a call means that is given an instance to initialise."""

INSTANCE_WORDS = ("instance", "pool", "heap", "arena", "stack", "bump", "list", "allocator", "state", "ud")
EVERYWHERE = ("buffer", "capacity", "block_size", "num_blocks")
"""Words that are known in every call, where the mapping gives them a value."""
NATIVE_ONLY = ("&out", *_HOOKS)
"""Arguments that mean nothing to a Python object."""

WORDS: dict[str, str] = {
    "size": "the bytes asked for",
    "count": "the number of elements",
    "align": "the alignment asked for, or promised",
    "ptr": "the block",
    "osize": "the size that the block was asked with",
    "oalign": "the alignment that the block was asked with",
    "nsize": "the new size, 0 to free",
    "mark": "what `mark` gave",
    "&out": "a pointer to where the block, or the mark, is to be written",
    "buffer": "the address of the buffer",
    "capacity": "the buffer's bytes",
    "block_size": "the bytes of a block",
    "num_blocks": "the number of blocks",
    "hook_malloc": "the address of the C library's malloc",
    "hook_free": "the address of the C library's free",
    "hook_realloc": "the address of the C library's realloc",
}
"""Every argument that is a word, but the instance, and what it is."""
WRITTEN_NULL = "NULL"
MAX_ARGUMENTS = 6
"""As many as are passed in registers everywhere."""

KINDS = ("library", "source", "python")
"""What is judged: a mapping has exactly one of these keys."""
SOURCES = (".c", ".cc", ".cpp", ".cxx")
"""How names of C and C++ files end."""

MOST_BYTES = 2**47
"""More than any address space on which subjects run."""
MOST_ALIGN = 2**30
CONSTANTS: dict[str, tuple[int, int]] = {
    "block_size": (1, MOST_BYTES),
    "num_blocks": (1, MOST_BYTES),
    "capacity": (1, MOST_BYTES),
    "header": (0, 2**20),
}
"""Constants and their ranges, both ends included."""
MOST_INSTANCES = 8
MOST_STORAGE = 2**30

TOP: tuple[str, ...] = (
    "name", "shape", *KINDS, "package", "preload", "environment",
    "buffer", "storage", "init", *INSTANCE_WORDS, "destroy", "instances",
    *OPERATIONS, *COUNTERS, *CONSTANTS, "view", "promises", "expect",
)  # fmt: skip
"""Every key of the top level."""
CALL_KEYS = ("call", "returns")
BUFFER_KEYS = ("size", "align")
EXPECT_KEYS = ("law", "dialects", "reason", "issue", "version")

CHOICES: dict[str, tuple[str, ...]] = {
    "aligned_size": ("any", "multiple"),
    "zero_size": ("null", "unique", "unspecified"),
    "zero_resize": ("null", "unique", "unspecified"),
    "usable": ("writable", "covers"),
    "direction": ("up", "down", "any"),
    "reuse": ("lifo", "fifo", "any"),
    "fit": ("first", "best", "any"),
    "padding": ("counted", "excluded", "any"),
}
"""Promises that are one of a few words."""
POLICIES = ("undefined", "abort", "ignore", "error")
MISUSES = ("double", "interior", "unaligned", "foreign")
"""Pointers that `free` must not be given: what `misuse` says is one policy for all of them, or a table."""
COSTS = ("constant", "amortised", "any")
"""What may be promised of an operation's cost: one word for all that make or end one block, or a table by operation."""
SINGLE = ("alloc", "zeroed", "aligned", "posix_memalign", "realloc", "free", "pop")
"""Operations that make or end one block."""
COSTED = (*SINGLE, "reset", "mark", "release")
"""Operations of which a cost may be promised."""
DIALECTS = tuple(BY_NAME)
"""Standards and manuals that may be in force."""
ALIGNMENTS = ("alignment", "max_alignment")
"""Promises that are powers of two, in bytes."""
FLAGS = ("coalesces", "errno", "free_null", "shrinks", "thread_safe")
"""Promises that are true or false."""
NUMBERS: dict[str, tuple[int, int]] = {"size_bits": (8, 64), "minimum": (1, 2**20)}
"""Promises that are numbers and their ranges, both ends included: bits, and bytes."""
PROMISES: tuple[str, ...] = (*ALIGNMENTS, *NUMBERS, *CHOICES, "misuse", "dialects", "cost", *FLAGS)
RETURNS = ("pointer", "status", "errno", "bool", "bytes", "none", "null", "size", "int")
