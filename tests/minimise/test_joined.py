"""Rows of blocks become one, where the law stays broken."""

from dataclasses import dataclass
from typing import Any, cast

from heaplaw.minimise import Search, joined
from heaplaw.spec.event import Status
from heaplaw.spec.history import History, Op, Trace, make_history, make_trace
from heaplaw.spec.shapes import Kind


@dataclass
class Filling:
    """A search for what happens once so many bytes are handed out, by an allocator that packs them tightly."""

    bytes: int
    late: bool = False
    runs: int = 0

    def history(self, trace: Trace) -> History:
        rows: list[dict[str, int]] = []
        top = 0x1000
        for op in trace.ops():
            makes = op.kind == Kind.ALLOC
            rows.append({"status": Status.OK, "ptr": top if makes else 0})
            top += op.size if makes else 0
        return make_history(trace, rows)

    def look(self, trace: Trace) -> tuple[Any, History]:
        return None, self.history(trace)

    def fails(self, trace: Trace) -> bool:
        self.runs += 1
        return sum(op.size for op in trace.ops() if op.kind == Kind.ALLOC) >= self.bytes


def short(search: Filling, ops: list[Op], shape: str = "freelist") -> list[Op]:
    return joined(cast("Search", search), make_trace(shape, ops)).ops()


def test_a_row__becomes_one_block_of_all_its_bytes() -> None:
    ops = short(Filling(800), [Op(Kind.ALLOC, 40)] * 20)
    assert [(op.kind, op.size) for op in ops] == [(Kind.ALLOC, 800)]


def test_blocks_that_are_named__stay() -> None:
    ops = [Op(Kind.ALLOC, 40)] * 10 + [Op(Kind.FREE, slot=4)] + [Op(Kind.ALLOC, 40)] * 10
    found = short(Filling(800), ops)
    assert [(op.kind, op.size) for op in found] == [
        (Kind.ALLOC, 160),
        (Kind.ALLOC, 40),
        (Kind.ALLOC, 200),
        (Kind.FREE, 0),
        (Kind.ALLOC, 400),
    ]
    assert found[3].slot == 1


def test_rows_that_must_stay__cost_few_runs() -> None:
    search = Filling(10**6)
    ops = [Op(Kind.ALLOC, 40)] * 500
    assert short(search, ops) == ops
    assert search.runs <= 64


def test_a_pool__has_no_sizes_to_join() -> None:
    ops = [Op(Kind.ALLOC, 40)] * 20
    assert short(Filling(800), ops, "pool") == ops


def test_short_traces__are_left_alone() -> None:
    ops = [Op(Kind.ALLOC, 40)] * 10
    assert short(Filling(400), ops) == ops
