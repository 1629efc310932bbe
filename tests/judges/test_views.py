"""What the fast judge says of the heap between two operations is what the definition says, field by field."""

import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from heaplaw import judges
from heaplaw.columns import scalar
from heaplaw.ghosts import Ghost
from heaplaw.judges import FastJudge, judge_fast
from heaplaw.shadow import native_library
from heaplaw.spec.catalogue import law
from heaplaw.spec.event import NEVER, Order, Status, View
from heaplaw.spec.heap import Heap
from heaplaw.spec.history import COUNTED, History, plain_env
from heaplaw.spec.judge import judge
from heaplaw.spec.shapes import SHAPES, UNDOERS, Kind
from heaplaw.spec.verdict import Violated

from .correct import correct
from .faults import faulty
from .scribe import Scribe

SEED = 91_733
FIELDS = tuple(name for name in View.__dataclass_fields__ if name != "sums")  # those are kept by the definition alone
PAST = {"undone_by", "back", "then_remaining", "then_total", "twin", "twin_ptr"}
ORDER = {"newest_free", "oldest_free", "reused"}
BYTES = {"live_bytes"}
EDGES = {"high", "low"}
Views = dict[int, tuple[View, View]]
"""By operation, before and after it."""


def defined(history: History) -> Views:
    """Literally."""
    heap, views = Heap(counted=history.counted), Views()
    for index in range(len(history)):
        e = history.event(index)
        if e.status != Status.SKIPPED:
            before = heap.view(e)
            heap.absorb(index, e, history.owner(index))
            views[index] = before, heap.view(e)
    return views


def computed(history: History, patch: pytest.MonkeyPatch) -> tuple[Views, set[str]]:
    """As laws were given them by the fast judge, with the names of the fields that it computes."""
    views, columns = Views(), set[str]()

    class Recorder(Ghost):
        def feed(self, e: Any, owner: Any, rows: Any) -> tuple[View, View]:
            both = super().feed(e, owner, rows)
            columns.update(name for name in FIELDS if isinstance(getattr(both[1], name), np.ndarray))
            for place, row in enumerate(rows.tolist()):
                pre, post = (scalar(view, place) for view in both)
                views[row] = pre, post
            return both

    with patch.context() as inner:
        inner.setattr(judges, "Ghost", Recorder)
        FastJudge(history, [law("failure_changes_nothing")]).finish()  # any law about steps
    return views, columns


def compare(history: History, patch: pytest.MonkeyPatch) -> set[str]:
    """Every field that is computed is as it is defined; which ones are."""
    expected, (views, columns) = defined(history), computed(history, patch)
    assert views.keys() == expected.keys()
    for index, both in expected.items():
        for exact, told in zip(both, views[index], strict=True):
            wrong = {name for name in columns if getattr(exact, name) != getattr(told, name)}
            assert not wrong, f"operation {index}: {[(n, getattr(exact, n), getattr(told, n)) for n in wrong]}"
    return columns


# ---------------------------------------------------------------------------------------------- random


@pytest.mark.parametrize("shape", SHAPES)
def test_random__views_are_as_defined(engine: str, shape: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(f"{SEED} {shape}")
    for window in (judges.WINDOW, 7, 1):
        monkeypatch.setattr(judges, "WINDOW", window)
        for maker in (faulty, correct):
            for instances in (1, 3):
                compare(maker(rng, shape, 60, instances), monkeypatch)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("order", list(Order))
@pytest.mark.parametrize("counted", [True, False])
def test_random__what_is_computed(shape: str, order: Order, counted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more than laws could look at: nothing is undone here, and some subjects neither count nor promise an order."""
    if native_library() is None:
        pytest.skip("the definition itself computes everything")
    rng = random.Random(f"{SEED} {shape} {order} {counted}")
    history = faulty(rng, shape, 40, 1, {*UNDOERS, Kind.MARK})
    env = replace(history.told, reuse_order=order)
    silent = ["num_free", "num_allocated", "total", "sound"] + ([] if counted else ["remaining"])
    unread = {name: [0] * len(history) for name in silent}
    told = frozenset({"remaining"} if counted else set[str]())
    history = replace(history, env=env, counted=told, columns={**history.columns, **unread})
    one_buffer = SHAPES[shape].one_buffer
    absent = set[str]() if one_buffer else PAST | EDGES
    absent |= ORDER if order == Order.ANY else set()
    absent |= set() if counted or one_buffer or order != Order.ANY else BYTES
    assert compare(history, monkeypatch) == set(FIELDS) - absent


@pytest.mark.parametrize("order", [Order.LIFO, Order.FIFO])
def test_random__addresses_that_come_back(engine: str, order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crowd of freed addresses, also some that were freed more than once."""
    rng = random.Random(f"{SEED} {order}")
    for places in (3, 30, 400):
        made = Scribe("pool", (replace(plain_env("pool"), reuse_order=order),))
        for _ in range(600):
            blocks = made.there(0)
            if blocks and rng.random() < 0.5:
                made.free(rng.choice(blocks).row)
            else:
                made.ask(0x1000 + 64 * rng.randrange(places), 64)
            if rng.random() < 0.004:
                made.reset()
        compare(made.history(), monkeypatch)


def test_long__deep_stacks(monkeypatch: pytest.MonkeyPatch) -> None:
    """More states than there is room for at first, and many rows between a block and its end."""
    made = Scribe("stack")
    for depth in (1500, 1400, 20, 1300):
        while len(made.held) < depth:
            made.ask(0x1000 + 64 * len(made.held), 64)
        for _ in range(depth - 10):
            made.pop()
    made.reset()
    assert len(made.ops) > 8000
    compare(made.history(), monkeypatch)


# ------------------------------------------------------------------------------------------ enumerated


def moves(shape: str) -> Sequence[Any]:
    """What may come next."""

    def ask(made: Scribe) -> int:
        return made.ask(0x1000 + 64 * len(made.there(0)), 64)

    def other(made: Scribe) -> int:
        return made.ask(0x1000 + 64 * len(made.there(0)), 8)

    def nonsense(made: Scribe) -> int:
        return made.ask(0, 8, status=Status.WRONG)

    def release(which: int) -> Any:
        return lambda made: made.release(made.marks(0)[which].row) if made.marks(0)[1:] or which == 0 else None

    def free(made: Scribe) -> int:
        return made.free(made.there(0)[0].row)

    every: dict[str, Sequence[Any]] = {
        "stack": (ask, nonsense, other, Scribe.pop, Scribe.reset),
        "arena": (ask, Scribe.mark, release(0), release(-1)),
        "freelist": (ask, nonsense, other, free, Scribe.reset),
    }
    return every[shape]


def every_history(shape: str, length: int) -> Iterator[History]:
    """All histories of so many moves; those that cannot be made are left out."""
    for chosen in itertools.product(moves(shape), repeat=length):
        made = Scribe(shape)
        try:
            if all(move(made) is not None for move in chosen):
                yield made.history()
        except IndexError:  # nothing to free, no mark to release
            continue


@pytest.mark.parametrize(("shape", "length"), [("stack", 4), ("arena", 6), ("freelist", 4)])
def test_enumerated__views_are_as_defined(shape: str, length: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for history in every_history(shape, length):
        compare(history, monkeypatch)


# ------------------------------------------------------------------------------ the view before the first operation


@pytest.mark.parametrize("shape", ["pool", "stack"])
@pytest.mark.parametrize("counts", [True, False])
def test_first_view__counters_that_are_not_there_say_nothing(
    engine: str, shape: str, counts: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a run begins with is known of a pool, and may be of a buffer, also where the subject counts nothing."""
    made = Scribe(shape, (replace(plain_env(shape), num_blocks=2, remaining=128, total=16),))
    refused = made.ask(0, 64)
    history = replace(made.history(), counted=COUNTED if counts else frozenset[str]())
    compare(history, monkeypatch)
    stated = [law("failure_changes_nothing")]
    for (verdict,) in (judge(history, stated), judge_fast(history, stated)):
        blamed = verdict.outcome.violations if isinstance(verdict.outcome, Violated) else ()
        assert [violation.operations for violation in blamed] == ([(refused,)] if counts else [])


# ------------------------------------------------------------------------------------------- not vacuous

RESTING = {
    "num_free": {"pool"},
    "num_allocated": {"pool"},
    "remaining": SHAPES.keys() - {"pool"},
    "total": SHAPES.keys() - {"pool"},
    **{name: {"malloc", "pool", "freelist", "lua_alloc"} for name in (*ORDER, "freed")},
    "owed": {"malloc", "freelist", "lua_alloc"},
    "then_remaining": SHAPES.keys() - {"pool"},
    "then_total": {"stack", "arena"},
}
"""Fields that only some shapes move; all others are moved in every shape."""


@pytest.mark.parametrize("shape", SHAPES)
def test_correct__every_field_is_moved(shape: str) -> None:
    """Laws of correct allocators are not kept because nothing is ever said."""
    rng = random.Random(f"{SEED} {shape} moved")
    moved = set[str]()
    for _ in range(12):
        for _, view in defined(correct(rng, shape, 80)).values():
            moved |= {name for name in FIELDS if getattr(view, name) not in (0, NEVER)}
    assert moved >= {name for name in FIELDS if shape in RESTING.get(name, SHAPES)}


@pytest.mark.parametrize("shape", SHAPES)
def test_correct__states_come_back(shape: str) -> None:
    """Requests are made again in a state that was there before, by every way that leads back."""
    rng = random.Random(f"{SEED} {shape} back")
    ways = set[int]()
    for _ in range(12):
        ways |= {int(view.undone_by) for _, view in defined(correct(rng, shape, 80)).values() if view.twin}
    assert ways >= {kind for kind in UNDOERS if kind in SHAPES[shape].operations}
