"""What can be explained beside laws."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from heaplaw.mapping.vocabulary import CONSTANTS, COUNTERS, OPERATIONS, PROMISES


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
TOPICS: Mapping[str, Topic] = {"mapping": MAPPING, "exit-codes": EXIT_CODES, "verdicts": VERDICTS}
"""Each topic, by the word that it is asked for by."""
