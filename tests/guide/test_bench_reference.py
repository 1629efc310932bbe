"""What is measured beside CPython's allocators: the same trace for all, and what addresses say. No time is judged."""

import pytest
from click.testing import CliRunner

from heaplaw import bench_reference
from heaplaw.bench_reference import LARGEST, LIVE, SMALLEST, SUBJECTS, overhead, pages, replay, trace
from heaplaw.cli import BENCHES, cli

PAIRS = trace(200)


def test_trace__is_the_same_each_time() -> None:
    assert PAIRS == trace(200)
    assert len(PAIRS) == 100
    assert all(0 <= place < LIVE and SMALLEST <= size <= LARGEST for place, size in PAIRS)


@pytest.mark.parametrize("name", SUBJECTS)
def test_every_allocator__runs_the_trace(name: str) -> None:
    opened = SUBJECTS[name]()
    assert replay(opened, PAIRS) > 0
    opened.close()


@pytest.mark.parametrize(
    ("name", "bytes_"),
    [("ref:bump", 0), ("ref:arena", 0), ("ref:freelist", 16), ("ref:fixed", LARGEST - 64), ("PyObject_Malloc", 0)],
)
def test_overhead__is_what_lies_between_blocks(name: str, bytes_: int) -> None:
    opened = SUBJECTS[name]()
    assert overhead(opened) == bytes_
    opened.close()


def test_pages__of_what_frees_nothing_are_more() -> None:
    many = trace(2_000)
    joining, bump = SUBJECTS["ref:freelist-coalescing"](), SUBJECTS["ref:bump"]()
    assert 1 <= pages(joining, many) < pages(bump, many)
    joining.close()
    bump.close()


def test_bench__is_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_reference, "SUBJECTS", {name: SUBJECTS[name] for name in ("malloc (ctypes)", "ref:bump")})
    done = CliRunner().invoke(cli, ["bench", "--quick", "reference"])
    assert done.exit_code == 0
    assert [line.split()[0] for line in done.output.splitlines() if line.startswith("  ")] == [
        "thousand/s",
        "malloc",
        "ref:bump",
        "bytes/block:",
        "pages:",
    ]
    assert "reference" in BENCHES
