"""What can be explained beside laws."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from heaplaw.mapping.vocabulary import CONSTANTS, COUNTERS, OPERATIONS, PROMISES
from heaplaw.spec.dialects import NAMES, Dialect


@dataclass(frozen=True)
class Topic:
    """A topic: a heading, what is said first, rows of a word with its meaning, and what is said last."""

    title: str
    first: str
    rows: tuple[tuple[str, str], ...]
    last: str = ""


def _quoted(words: Iterable[str]) -> str:
    return " ".join(f"`{word}`" for word in words)


MAPPING = Topic(
    title="mapping: any allocator in a few lines of TOML",
    first="A mapping says how an allocator is called. It is data: it can call nothing but functions of the library "
    "that it names. Everything is checked when the file is read, and all mistakes are told at once. What is not "
    "promised is not judged: a law that needs it is not applicable.",
    rows=(
        ("what", "`library`, `source` or `python`; `shape`; `name` `package` `preload` `environment`"),
        (
            "instances",
            "`buffer` or `storage`, `init`, what makes one (`pool`, `heap`, …), `destroy`, `instances`",
        ),
        ("calls", _quoted(OPERATIONS)),
        ("counters", _quoted(COUNTERS)),
        ("constants", _quoted(CONSTANTS)),
        ("[promises]", _quoted(PROMISES)),
        ("[[expect]]", "a violation that is known: `law`, `reason`, and maybe `issue`, `version`"),
    ),
    last="A first mapping: `heaplaw init ./libmine.so`. Those that are here: `heaplaw subjects`. The whole format: "
    "docs/mapping.md.",
)
EXIT_CODES = Topic(
    title="exit-codes: how a command ends",
    first="The same for all commands; where several apply, the first of 1, 4, 3 and 0.",
    rows=(
        ("0", "all laws hold, or are violated as expected"),
        ("1", "a law is violated, by a crash or a hang too, or an expected violation no longer comes"),
        ("2", "the command cannot be carried out: arguments, a mapping, a missing library"),
        ("3", "undecided: nothing is violated, and not everything could be judged"),
        ("4", "heaplaw's own error; HEAPLAW_TRACEBACK=1 shows where"),
        ("130", "interrupted; what was found until then is shown and kept"),
    ),
)
VERDICTS = Topic(
    title="verdicts: what is said of a law",
    first="A verdict has an outcome and the evidence for it, and says no more than was done.",
    rows=(
        ("holds", "no counterexample was found in this run"),
        ("violated", "a counterexample was found. It is shortened, replayed, shown and kept"),
        ("expected", "violated, as an `[[expect]]` of the mapping says; a check fails when that no longer comes"),
        ("unknown", "not decided: what the law speaks of came too rarely, or not at all. It never counts as a pass"),
        ("not applicable", "the subject lacks, or does not promise, what the law needs; which, is told"),
        ("error", "heaplaw itself failed"),
    ),
    last="Tested on n operations (pairs, steps, runs): so many were judged, none broke the law, and no more is "
    "claimed. Exhausted: every state within a bound was visited. Proved: for every capacity, state, size and "
    "alignment, by what `heaplaw prove --explain NAME` lists.",
)
SPEAKERS: Mapping[Dialect, str] = {
    Dialect.C11: "ISO/IEC 9899:2011, as it was printed",
    Dialect.C17: "ISO/IEC 9899:2018: C11 with its defect reports resolved",
    Dialect.C23: "ISO/IEC 9899:2024",
    Dialect.POSIX: "POSIX.1-2017, Issue 7 with its corrigenda",
    Dialect.POSIX_2024: "POSIX.1-2024, Issue 8",
    Dialect.GLIBC: "the GNU C Library manual, and the Linux manual pages about it",
    Dialect.EMBEDDED: "small heaps without an operating system: no errno, no alignment but the promised one",
    Dialect.LUA_5_3: "the manuals of Lua 5.1 to 5.3",
    Dialect.LUA_5_4: "the manual of Lua 5.4",
}
DIALECTS = Topic(
    title="dialects: which standard decides what is a fault",
    first='Standards differ on single answers, such as what realloc(p, 0) gives. `[promises] dialects = ["C17", '
    '"POSIX"]` says which are in force: an answer is a fault if one of these forbids it. Where none is declared, it is '
    "a fault only if all that speak of it forbid it. What none in force speaks of is not judged.",
    rows=tuple((NAMES[dialect], meaning) for dialect, meaning in SPEAKERS.items()),
    last="What each of them says stands beside the law: `heaplaw explain HL902`. A check tells which of them, in "
    "force or not, allow what was seen. These laws are judged in scenes: short programs, each in a process of its own.",
)
MISUSE = Topic(
    title="misuse: what comes of a free that is none",
    first="To free a block twice, or a pointer that no block has, is undefined. heaplaw does it only where the mapping "
    'declares a policy, for all pointers (`[promises] misuse = "abort"`) or for each (`misuse = { double = "abort", '
    'interior = "ignore" }`); then that is judged, in a process of its own.',
    rows=(
        ("double", "the pointer of a block that was just freed"),
        ("interior", "one into a live block, 16 bytes behind its beginning"),
        ("unaligned", "one byte behind the beginning of a live block"),
        ("foreign", "one to memory that the allocator never had"),
        ("undefined", "anything may come of it: it is not asked for"),
        ("abort", "the process ends itself: SIGABRT, SIGILL, SIGTRAP, or an exit code above 0"),
        ("ignore", "the call returns, and nothing has changed"),
        ("error", "the call is refused, and nothing has changed"),
    ),
    last="After `ignore` and `error` the blocks on both sides are read, and the heap goes on being used.",
)
TOPICS: Mapping[str, Topic] = {
    "mapping": MAPPING,
    "exit-codes": EXIT_CODES,
    "verdicts": VERDICTS,
    "dialects": DIALECTS,
    "misuse": MISUSE,
}
"""Each topic, by the word that it is asked for by."""
