"""The guide says what was measured, the same each time; and what follows from other figures would be something else."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from heaplaw.cli import cli
from heaplaw.guide import Guide, document, guide, lines
from heaplaw.guide.costs import COUNTS, Cost, Costs, Work, filled, one
from heaplaw.guide.measure import best_use
from heaplaw.guide.stands import BUFFER, MAKERS, Counted, RefusedError, over_buffer
from heaplaw.guide.workloads import END, WORKLOADS, Fragmentation, Workload, fragmentation
from heaplaw.refimpl.memory import WordMemory
from heaplaw.refimpl.steps import bump

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(scope="module")
def found() -> Guide:
    return guide()


def test_guide__says_what_it_said_before(found: Guide) -> None:
    assert "\n".join(lines(found)) + "\n" == (GOLDEN / "guide.txt").read_text()


def test_guide__fits_80_columns(found: Guide) -> None:
    assert max(map(len, lines(found))) <= 80


def test_guide__document_has_the_figures(found: Guide) -> None:
    told = json.loads(json.dumps(document(found)))
    assert told["counts"] == list(COUNTS)
    assert set(told["allocators"]) == set(MAKERS)
    assert told["allocators"]["FreeList"]["request"]["order"] == "O(n)"
    assert told["allocators"]["FreeList"]["end"]["order"] == "O(1)"
    assert told["allocators"]["Bump"]["end"] is None
    assert all(set(each["lost"]) == {w.name for w in WORKLOADS} for each in told["allocators"].values())


def test_guide__is_a_command(found: Guide, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("heaplaw.guide.guide", lambda: found)
    text = CliRunner().invoke(cli, ["guide"])
    assert text.exit_code == 0
    assert text.output == (GOLDEN / "guide.txt").read_text()
    assert set(json.loads(CliRunner().invoke(cli, ["guide", "--json"]).output)["allocators"]) == set(MAKERS)


def test_overheads__are_those_that_the_source_names(found: Guide) -> None:
    assert found.overheads["Platform"] == 0
    assert found.overheads["Arena"] < 4
    assert found.overheads["Fixed"] < 4
    assert 64 <= found.overheads["Trace"] < 68


# ---- the order of growth, by counts


def costs(*words: int) -> Costs:
    return Costs(tuple(Cost(each, 0) for each in words))


@pytest.mark.parametrize(
    ("words", "order"),
    [
        ((3, 3, 3), "O(1)"),
        ((20, 2_000, 20_000), "O(n)"),
        ((27, 2_007, 20_007), "O(n)"),
        ((3, 3, 4), "neither O(1) nor O(n)"),
        ((4, 10, 14), "neither O(1) nor O(n)"),
        ((100, 1_000_000, 100_000_000), "neither O(1) nor O(n)"),
        ((20, 10, 5), "neither O(1) nor O(n)"),
    ],
)
def test_order__is_what_the_counts_say(words: tuple[int, ...], order: str) -> None:
    assert costs(*words).order == order


def test_best_use__follows_from_the_figures() -> None:
    lost = {"mixed": Fragmentation(200, 100, 120), "nested": Fragmentation(200, 150, 160)}
    maker = MAKERS["FreeList"]
    assert best_use(maker, costs(3, 3, 3), costs(4, 4, 4), lost) == (
        "blocks of any size that end in any order; loses least, 25%, on the workload 'nested'"
    )
    assert "requests and ends are cheap while few" in best_use(maker, costs(1, 2, 3), costs(1, 2, 3), lost)
    assert "blocks of one size" in best_use(replace(maker, one_size=True), costs(3, 3, 3), None, lost)


# ---- what is counted


def test_counted__counts_words() -> None:
    memory = Counted(WordMemory(BUFFER, BUFFER + 64))
    memory.write(BUFFER, 7)
    assert memory.read(BUFFER) == 7
    assert (memory.words, memory.read_at) == (2, {BUFFER})
    memory.forget()
    assert (memory.words, memory.read_at) == (0, set())


def test_one__sees_the_nodes_that_a_request_looks_at() -> None:
    stand, live = filled(MAKERS["FreeList"], 10)
    assert len(live) == 10
    assert len(stand.nodes()) == 11  # the holes, and what is left behind the blocks
    assert one(stand, Work(stand, 200)).nodes == 11
    assert one(stand, Work(stand, 64)).nodes == 1


def test_stand__refuses_what_does_not_fit() -> None:
    with pytest.raises(RefusedError):
        over_buffer(bump, 64).alloc(65)


# ---- fragmentation, by hand


def workload(*steps: tuple[int, int]) -> Workload:
    return Workload("by hand", "", steps)


def test_fragmentation__of_a_bump_is_what_it_cannot_take_back() -> None:
    seen = fragmentation(MAKERS["Bump"], workload((0, 60), (1, 64), (0, END), (2, 64)))
    assert seen == Fragmentation(needed=192, live=128, taken=132)  # 4 bytes of padding in front of block 1
    assert seen.internal == 4 / 192
    assert seen.external == 60 / 192
    assert seen.lost == 64 / 192


def test_fragmentation__of_a_pool_is_inside_its_blocks() -> None:
    seen = fragmentation(MAKERS["Pool"], workload((0, 64), (1, 16), (0, END), (2, 64)))
    assert seen == Fragmentation(needed=128, live=80, taken=128)


def test_fragmentation__of_a_stack_waits_for_what_lies_above() -> None:
    seen = fragmentation(MAKERS["Stack"], workload((0, 8), (1, 8), (0, END), (1, END), (2, 40)))
    assert seen == Fragmentation(needed=48, live=40, taken=48)  # both were popped before block 2


def test_fragmentation__of_a_list_that_joins_is_less() -> None:
    steps = [(number, 48) for number in range(4)] + [(number, END) for number in range(4)] + [(4, 200)]
    plain, joining = (fragmentation(MAKERS[name], workload(*steps)) for name in ("FreeList", "Coalescing"))
    assert plain.needed > joining.needed
