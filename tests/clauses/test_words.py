"""What scenes alone do is told in the user's own calls, and what came of it in the words of the standards."""

import re

import pytest

from heaplaw.plan import STANDARD, Call, Plan, standard_plan
from heaplaw.spec.event import NULL, Flag, Status
from heaplaw.spec.history import Died, Exited, History, Op, make_history, make_trace
from heaplaw.spec.shapes import Kind, Misuse
from heaplaw.steps import IN_WORDS, steps_text
from heaplaw.wording import Wording

A, F, Z, ODD, P, M, U = (
    Kind.ALLOC,
    Kind.FREE,
    Kind.RESIZE_TO_ZERO,
    Kind.ODD_ALIGNED,
    Kind.ODD_POSIX_ALIGNED,
    Kind.MISFREE,
    Kind.FILL_USABLE,
)
OPS = [
    Op(A, 64),
    Op(Z, slot=0),
    Op(ODD, 64, align=3),
    Op(P, 64, align=12),
    Op(A, 24),
    Op(U, slot=4),
    Op(M, Misuse.INTERIOR, 4),
    Op(M, Misuse.UNALIGNED, 4),
    Op(M, Misuse.FOREIGN, NULL),
    Op(F, slot=4),
    Op(M, Misuse.DOUBLE, 4),
]
BASE = 0x20000
CAME: list[dict[str, int]] = [
    {"ptr": BASE},
    {"status": Status.FAILED, "owner": 0, "held": 64},
    {"ptr": BASE + 64},
    {"status": Status.FAILED, "err": 22, "flags": Flag.OUT_WRITTEN, "bad_at": 1},
    {"ptr": BASE + 128, "usable": 32},
    {"owner": 4, "held": 24, "usable": 32},
    {"owner": 4, "held": 24},
    {"owner": 4, "held": 24, "status": Status.FAILED, "err": 5},
    {},
    {"owner": 4, "held": 24},
    {"owner": 4, "status": Status.DIED},
]
PLAIN = [
    "p1 = malloc(64)",
    "realloc(p1, 0) -> NULL, errno not set",
    "aligned_alloc(3, 64) -> a block at +0x40",
    "posix_memalign(&out, 12, 64) -> EINVAL wrote to the out-pointer",
    "p2 = malloc(24)",
    "fill(p2, usable bytes) -> 32 bytes",
    "free(p2 + 16) -> returned",
    "free(p2 + 1) -> refused (error 5)",
    "free(&elsewhere) -> returned",
    "free(p2)",
    "free(p2) again -> died: SIGABRT",
]


def history(shape: str = "malloc", end: Died | Exited | None = None) -> History:
    return make_history(make_trace(shape, OPS), [{"status": Status.OK, **row} for row in CAME], end or Died(10, 6))


def told(of: History, wording: Wording = IN_WORDS) -> list[str]:
    """The steps without numbers, blanks and where blocks lie."""
    lines = " ".join(" ".join(steps_text(of, (10,), wording=wording)).split()).replace("> 11 ", "11 ")
    for number in range(len(OPS), 0, -1):
        lines = lines.replace(f" {number} " if number > 1 else "1 ", "\n", 1)
    return [line.partition(" -> [")[0].strip() for line in lines.split("\n")[1:]]


def test_in_words_of_the_c_library() -> None:
    assert told(history()) == PLAIN


def test_in_words_of_a_mapping() -> None:
    plan = standard_plan({made.function: f"my_{made.function}" for made in STANDARD.values()})
    own = [re.sub(r"\b(malloc|realloc|aligned_alloc|posix_memalign|free)\(", r"my_\1(", text) for text in PLAIN]
    assert told(history(), Wording(plan)) == own


def test_a_method_that_frees() -> None:
    plan = Plan({Kind.FREE: Call("give", "none", ("instance", "ptr"))})
    steps = told(history(), Wording(plan, "heap", methods=True))
    assert steps[6] == "heap.give(p2 + 16) -> returned"
    assert steps[10].startswith("heap.give(p2) again")


@pytest.mark.parametrize(("end", "text"), [(Died(10, 11), "died: SIGSEGV"), (Exited(10, 3), "with code 3")])
def test_how_the_process_ended(end: Died | Exited, text: str) -> None:
    assert text in told(history(end=end))[10]
