"""Histories of every shape, of one instance and of several: the fast judge finds what the naive judge finds."""

import itertools
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import pytest

from heaplaw import judges
from heaplaw.judges import FastJudge, judge_fast
from heaplaw.spec.catalogue import law, laws_of
from heaplaw.spec.history import History, plain_env
from heaplaw.spec.judge import KEPT, judge
from heaplaw.spec.law import Scope
from heaplaw.spec.shapes import SHAPES, UNDOERS
from heaplaw.spec.verdict import Violated

from .agreement import agree, blamed, seen, silent_laws
from .correct import correct
from .faults import faulty
from .scribe import Scribe

SEED = 5_021_377
BROKEN_EVERYWHERE = {
    "aligned", "sized", "blocks_disjoint", "in_bounds", "failure_is_reported", "invariant_holds",
}  # fmt: skip
"""Laws that random histories of faulty allocators break, of whatever shape."""
BROKEN = {
    "malloc": {"usable_sizes_disjoint", "errno_told"},
    "bump": {"bump_monotonic", "reset_frees_all", "total_is_live_bytes", "remaining_is_rest", "fits_is_served"},
    "pool": {"pool_conserved", "free_count_exact", "reuse_order", "reset_frees_all"},
    "freelist": {"usable_sizes_disjoint", "remaining_is_rest", "total_is_live_bytes", "shrink_succeeds"},
    "stack": {"lifo_pop", "reset_frees_all", "total_is_live_bytes", "remaining_is_rest", "free_is_served"},
    "arena": {"total_is_live_bytes", "free_is_served", "zero_size_as_promised"},
    "lua_alloc": {"free_gives_null", "shrink_succeeds"},
}
NOT_ASKED_HERE = {"reuse"}
"""Laws about whole runs of a steady workload, which these short histories are not."""


# ---------------------------------------------------------------------------------------------- random


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("instances", [1, 3])
def test_random__faulty_histories(engine: str, shape: str, instances: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(f"{SEED} {shape} {instances}")
    broken: Counter[str] = Counter()
    for window, times in ((judges.WINDOW, 8), (7, 1)):
        monkeypatch.setattr(judges, "WINDOW", window)
        for _ in range(times):
            for found in agree(faulty(rng, shape, rng.choice((3, 10, 40, 60)) + 10 * instances, instances)):
                broken[found[0]] += found[3]
    assert BROKEN_EVERYWHERE | BROKEN[shape] <= {name for name, times in broken.items() if times}


@pytest.mark.parametrize("shape", SHAPES)
def test_random__without_what_undoes(engine: str, shape: str) -> None:
    """Nothing is reset, popped or made again: other paths of the fast judge."""
    rng = random.Random(f"{SEED} {shape} without")
    for _ in range(8):
        agree(faulty(rng, shape, 40, rng.choice((1, 2)), UNDOERS))


@pytest.mark.parametrize("shape", SHAPES)
def test_random__windows_change_nothing(engine: str, shape: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(f"{SEED} {shape} windows")
    laws = laws_of(shape)
    for maker in (faulty, correct):
        history = maker(rng, shape, 50, 2)
        whole = [seen(verdict) for verdict in judge_fast(history, laws)]
        for window in (1, 7):
            with monkeypatch.context() as patch:
                patch.setattr(judges, "WINDOW", window)
                assert [seen(verdict) for verdict in judge_fast(history, laws)] == whole
        judge = FastJudge(history, laws)
        for upto in sorted(rng.randrange(51) for _ in range(4)):
            judge.feed(upto)
        assert [seen(tally.verdict()) for tally in judge.finish().values()] == whole


# --------------------------------------------------------------------------------------------- correct


@pytest.mark.parametrize("shape", SHAPES)
def test_correct__no_alarm(engine: str, shape: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(f"{SEED} {shape} correct")
    judged: Counter[str] = Counter()
    for window, times in ((judges.WINDOW, 6), (7, 1)):
        monkeypatch.setattr(judges, "WINDOW", window)
        for instances in (1, 3):
            for _ in range(times):
                found = agree(correct(rng, shape, 40 + 10 * instances, instances))
                assert blamed(found) == {}
                judged.update({each[0]: each[2] for each in found})
    assert {each.name for each in silent_laws(shape) if each.scope is not Scope.COST} - NOT_ASKED_HERE <= {
        name for name, times in judged.items() if times
    }


# ------------------------------------------------------------------------------------------ enumerated

Move = Callable[[Scribe], int | None]


def place(made: Scribe) -> int:
    """The next place of a plain bump."""
    return 0x1000 + 64 * len(made.there(0))


def last_mark(made: Scribe) -> int | None:
    marks = made.marks(0)
    return made.release(marks[-1].row) if marks else None


def oldest_freed(made: Scribe) -> int | None:
    blocks = made.there(0)
    return made.free(blocks[0].row) if blocks else None


ASK: Sequence[Move] = (
    lambda made: made.ask(place(made), 64),
    lambda made: made.ask(0x1020, 64),
    lambda made: made.ask(place(made), 8),
    lambda made: made.ask(0, 64),
)
"""Where it belongs; elsewhere; another request; refused."""
MOVES: dict[str, tuple[Sequence[Move], int]] = {
    "bump": ((*ASK, Scribe.reset), 3),
    "stack": ((*ASK[:2], Scribe.pop, Scribe.reset), 4),
    "arena": ((ASK[0], ASK[3], Scribe.mark, last_mark), 5),
    "freelist": ((ASK[0], ASK[3], oldest_freed, Scribe.reset), 4),
}
"""By shape: what may come next, and how many operations long the longest histories are."""
UNDO_LAWS = {
    "bump": {"bump_monotonic", "reset_frees_all", "blocks_disjoint"},
    "stack": {"lifo_pop", "reset_frees_all", "blocks_disjoint"},
    "arena": {"release_frees_all"},
    "freelist": {"reset_frees_all"},
}


def every_history(shape: str) -> Iterator[History]:
    """All histories of so many moves; those that cannot be made are left out."""
    moves, length = MOVES[shape]
    for chosen in itertools.product(moves, repeat=length):
        made = Scribe(shape)
        if all(move(made) is not None for move in chosen):
            yield made.history()


@pytest.mark.parametrize("shape", MOVES)
def test_enumerated__tiny_histories(engine: str, shape: str) -> None:
    laws = [each for each in laws_of(shape) if each.name in {*UNDO_LAWS[shape], "blocks_disjoint"}]
    broken: Counter[str] = Counter()
    for history in every_history(shape):
        broken.update({each[0]: each[3] for each in agree(history, laws)})
    assert UNDO_LAWS[shape] <= {name for name, times in broken.items() if times}


# ------------------------------------------------------------------------------------------- instances


@pytest.mark.parametrize("window", [judges.WINDOW, 8])
def test_violations__are_told_in_order_of_time(window: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of several instances too; no more are told than the naive judge tells, and the same."""
    monkeypatch.setattr(judges, "WINDOW", window)
    made = Scribe("bump")
    made.envs = (plain_env("bump"),) * 3
    for k in range(90):
        made.ask(0x1001 + 64 * k, 8, instance=(7 * k + 2) % 3)
    laws = [law("aligned"), law("fits_is_served")]
    for exact, fast in zip(judge(made.history(), laws), judge_fast(made.history(), laws), strict=True):
        assert isinstance(exact.outcome, Violated)
        assert exact.outcome == fast.outcome
        assert [each.operations for each in exact.outcome.violations] == [(k,) for k in range(KEPT)]
