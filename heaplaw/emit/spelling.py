"""Calls of a plan, written in C: all that a function takes and gives is one word each."""

import re
from collections.abc import Mapping

from heaplaw.plan import Call, Plan
from heaplaw.spec.event import NULL
from heaplaw.spec.history import Op
from heaplaw.spec.shapes import ALIGN_TAKERS, FUNCTION_OF, Kind, Misuse

from .runtime import FOREIGN, OWN

HOOKS = {
    "hook_malloc": ("malloc", "void *malloc(size_t);"),
    "hook_free": ("free", "void free(void *);"),
    "hook_realloc": ("realloc", "void *realloc(void *, size_t);"),
}
"""Words that are functions of the C library, with their declarations."""
OK = {
    "pointer": "value != 0",
    "status": "(int)value == 0",
    "errno": "(int)value == 0",
    "bool": "(unsigned char)value != 0",
    "bytes": "(intptr_t)value >= 0",
}
"""Whether a call was served, by what its value means; where it is of another kind, it always is."""
BAD = {
    "pointer": "!value",
    "status": "(int)value",
    "errno": "(int)value",
    "bool": "!(unsigned char)value",
}
"""Whether what begins a library, makes an instance, or checks it, says that all is not well."""


def literal(number: int) -> str:
    """A number as a word in C."""
    if number < 0:
        return f"(uintptr_t){number}"
    return f"{number}u" if number < 2**31 else f"{number:#x}u"


class Spelling:
    """How the calls of a plan are written."""

    def __init__(self, plan: Plan, word: str) -> None:
        """`word`: what the instances are called."""
        self.plan, self.word = plan, word
        self.arguments: dict[str, int] = {}
        for made in plan.calls().values():
            self.arguments[made.function] = max(self.arguments.get(made.function, 0), len(made.arguments))
        taken = OWN | FOREIGN | {word}
        self.known_as = {name: name + "_" * (name in taken) for name in self.arguments}

    def declarations(self, body: str) -> str:
        """Every function that `body` calls. One whose name the program needs itself is known by another."""
        lines: list[str] = []
        for name, count in self.arguments.items():
            here = self.known_as[name]
            if not re.search(rf"\b{re.escape(here)}\b", body):
                continue
            label = f' __asm__("{name}")' if here != name else ""
            lines.append(f"uintptr_t {here}({', '.join(['uintptr_t'] * count) or 'void'}){label};")
        hooks = [(name, text) for name, text in HOOKS.values() if f"(uintptr_t){name}" in body]
        lines += [text for name, text in hooks if name not in self.arguments]
        return "\n".join(lines)

    def call(self, made: Call, words: Mapping[str, str]) -> str:
        """A call; arguments that only other calls of the same function have are 0."""
        given = [words[a] if isinstance(a, str) else literal(a) for a in made.arguments]
        given += ["0"] * (self.arguments[made.function] - len(given))
        return f"{self.known_as[made.function]}({', '.join(given)})"

    def words(self, instance: str) -> dict[str, str]:
        """Arguments that are the same for all operations of an instance, whose number `instance` is in C."""
        return {
            "instance": f"{self.word}[{instance}]",
            "&instance": "(uintptr_t)&handle",
            "buffer": f"(uintptr_t)buffer[{instance}]",
            "capacity": literal(self.plan.capacity),
            "&out": "(uintptr_t)&out",
            "align": literal(self.plan.align),
            **{word: f"(uintptr_t){self.known_as.get(name, name)}" for word, (name, _) in HOOKS.items()},
        }

    def words_of(self, index: int, op: Op) -> dict[str, str]:
        """All arguments of operation `index`."""
        promised = literal(self.plan.align)
        block = "newest()" if op.kind == Kind.POP else f"held({op.slot + 1})"
        about = {
            "ptr": "(uintptr_t)newest()->at" if op.kind == Kind.POP else f"block({op.slot + 1})",
            "osize": f"{block}->asked",
            "oalign": f"{block}->aligned",
        }
        if op.kind == Kind.MISFREE:
            about |= {"ptr": mistaken(op)}
            if op.size == Misuse.DOUBLE:
                about |= {"osize": f"freed_at({op.slot + 1})->asked", "oalign": f"freed_at({op.slot + 1})->aligned"}
        if op.kind != Kind.POP and op.slot == NULL:
            about = {"ptr": about["ptr"] if op.kind == Kind.MISFREE else "0", "osize": "0", "oalign": promised}
        return {
            **self.words(str(op.instance)),
            **about,
            "size": literal(0 if op.kind == Kind.RESIZE_TO_ZERO else op.size),
            "count": literal(op.count),
            "align": literal(op.align) if FUNCTION_OF.get(op.kind, op.kind) in ALIGN_TAKERS else promised,
            "mark": f"things[{op.slot + 1}].mark",
            "tag": str(index % 10),
        }


def mistaken(op: Op) -> str:
    """A pointer that must not be freed, in C."""
    block = f"block({op.slot + 1})"
    return {
        Misuse.DOUBLE: f"(uintptr_t)freed_at({op.slot + 1})->at",
        Misuse.INTERIOR: f"{block} + 16",
        Misuse.UNALIGNED: f"{block} + 1",
    }.get(Misuse(op.size), "foreign()")


def served(made: Call, makes: bool) -> str:
    """Whether a call was served, in C."""
    if made.returns == "bytes" and makes:
        return "(intptr_t)value > 0"
    return {"errno": "done()", "null": "gave_null()"}.get(made.returns) or OK.get(made.returns, "1")


def given(made: Call) -> str:
    """The block or the mark that a call gave, in C."""
    return "out" if "&out" in made.arguments else "(uintptr_t)(int)value" if made.returns == "int" else "value"
