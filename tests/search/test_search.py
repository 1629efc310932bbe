"""The search on allocators: it repeats itself, learns their classes, finds faults, and keeps its corpus."""

import json
import os
import re
from pathlib import Path

import numpy as np
import pytest

from heaplaw import native
from heaplaw.bench_generators import BASES, WAYS, attempt, watched
from heaplaw.check import Check
from heaplaw.cli import main
from heaplaw.conditions import drawn
from heaplaw.errors import UsageError
from heaplaw.killmatrix.cases import all_cases
from heaplaw.models.script import Script, script_of
from heaplaw.search import Corpus, Search, Searching
from heaplaw.search.corpus import document_of, name_of
from heaplaw.spec.catalogue import laws_of
from heaplaw.spec.history import Op, Trace, make_trace
from heaplaw.spec.protocols import Limits
from heaplaw.spec.shapes import Kind
from heaplaw.subjects import resolve

BUILT = all(native.find(name) for name in (native.HOST, native.MUTANTS, native.SHAPES))
pytestmark = pytest.mark.skipif(not BUILT, reason="the native parts are not built here (no C compiler)")
ONE = script_of(make_trace("malloc", [Op(Kind.ALLOC, 24), Op(Kind.RESIZE, 48, 0), Op(Kind.FREE, slot=1)]))


def searched(name: str, operations: int, kept: "list[Script] | None" = None) -> tuple[Check, Search, list[Trace]]:
    """A search of a subject, and the traces that it ran."""
    subject = resolve(name)[0]
    traces = list[Trace]()

    class Spy(Check):
        def one(self, trace: Trace) -> None:
            traces.append(trace)
            super().one(trace)

    try:
        check = Spy(subject, 1, 0, laws_of(subject.shape.name), Limits(cpu=1.0, wall=5.0))
        search = Search(subject.shape.name, 1, queue=list(kept or []))
        search.run(check, operations)
        return check, search, traces
    finally:
        subject.close()


def same(a: Trace, b: Trace) -> bool:
    return all(np.array_equal(np.asarray(column), np.asarray(b.columns[name])) for name, column in a.columns.items())


def test_the_same_seed_and_subject_give_the_same_traces_and_the_classes_are_learnt() -> None:
    check, search, traces = searched("mutant:ok-classes", 14_000)
    _, _, again = searched("mutant:ok-classes", 14_000)
    assert len(traces) == len(again) > 3
    assert all(map(same, traces, again))
    assert not check.findings
    assert {*range(16, 1024, 16)} <= set(search.learner.known().edges)
    assert check.done >= 14_000
    assert len(search.kept) > 5
    assert len({len(trace) for trace in traces}) > 1


@pytest.mark.parametrize("name", ["ok-freelist", "ok-pool-pair", "ok-stack", "ok-arena", "ok-bump", "ok-lua"])
def test_correct_allocators_of_every_shape_are_searched_and_stay_silent(name: str) -> None:
    check, search, _ = searched(f"mutant:{name}", 8_000)
    assert not check.findings
    assert check.done >= 8_000
    assert search.kept


def test_a_fault_is_found_and_a_subject_that_dies_again_and_again_is_left() -> None:
    check, search, _ = searched("mutant:lifo-triple", 60_000)
    assert "blocks_disjoint" in check.findings
    assert search.over
    assert check.done < 60_000


def test_a_kept_corpus_is_run_first() -> None:
    _, search, _ = searched("mutant:ok-pool", 4_000)
    _, later, traces = searched("mutant:ok-pool", 8_000, search.kept)
    assert later.added
    assert sum(len(script) for script in search.kept) > 0
    first = set(map(int, np.asarray(traces[0].columns["kind"])))
    assert Kind.ALLOC in first


def test_stretches_are_kept_whole_under_the_name_of_their_content(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        Corpus(tmp_path / folder, "malloc").keep(ONE)
    corpus = Corpus(tmp_path / "a", "malloc")
    corpus.keep(ONE)
    assert (corpus.written, corpus.there) == (0, 1)
    assert [path.name for path in (tmp_path / "a").iterdir()] == [path.name for path in (tmp_path / "b").iterdir()]
    (found,) = corpus.load()
    assert all(np.array_equal(column, vars(found)[name]) for name, column in vars(ONE).items())
    assert Corpus(tmp_path / "a", "stack").load() == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "not JSON, or cut off; delete it"),
        ("[]", "not a stretch of heaplaw"),
        ('{"heaplaw": 1, "law": "HL101"}', "not a stretch of heaplaw"),
        (json.dumps({**document_of("malloc", ONE), "size": [1, 2, 3]}), "its checksum does not match"),
        (json.dumps({**document_of("malloc", ONE), "version": 9}), "written in version 9"),
        (json.dumps({"format": "heaplaw.stretch", "version": 1}), "without 'checksum'"),
        (json.dumps(document_of("malloc", ONE.cut(0))), "its columns are empty"),
        (json.dumps(document_of("malloc", ONE.taken(np.array([2])))), "names a later one"),
        (json.dumps(document_of("list", ONE)), "of shape 'list', which"),
    ],
)
def test_torn_and_foreign_files_are_told_in_a_line_and_left_out(tmp_path: Path, text: str, told: str) -> None:
    corpus = Corpus(tmp_path, "malloc")
    corpus.keep(ONE)
    (tmp_path / "other.json").write_text(text)
    assert len(corpus.load()) == 1
    (problem,) = corpus.problems
    assert problem.startswith(f"{tmp_path}/other.json: left out: ")
    assert told in problem
    assert "\n" not in problem


def test_what_is_no_file_or_no_text_is_left_out(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.json")
    (tmp_path / "b.json").mkdir()
    (tmp_path / "c.json").symlink_to("nowhere")
    (tmp_path / "d.json").write_bytes(b"\xff")
    corpus = Corpus(tmp_path, "malloc")
    assert corpus.load() == []
    said = ("not a file; move it", "not a file; move it", "not there; delete it", "not text in UTF-8; delete it")
    assert [told in problem for told, problem in zip(said, corpus.problems, strict=True)] == [True] * 4


@pytest.mark.parametrize(("name", "told"), [("", "a folder of its own"), ("none/corpus", "there is no folder none;")])
def test_a_corpus_has_a_folder_of_its_own_in_one_that_exists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=told):
        Searching(10, Path(name))
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_told_before_anything_runs(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="choose another with --corpus"):
        Searching(10, tmp_path / "file")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    told = capsys.readouterr()
    return int(str(ended.value.code)), told.out, told.err


def test_the_command_searches_and_tells_what_it_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    check = ("check", "mutant:ok-pool", "-n", "1000", "--seed", "1", "--search", "5000")
    code, out, err = run(capsys, *check, "--corpus", "corpus")
    assert code == 0
    kept = len(list((tmp_path / "corpus").glob("pool-*.json")))
    assert kept > 0
    words = (
        r"(\d+) stretch(?:es)? kept\ncorpus  0 read, (\d+) written(?:, (\d+) of those kept there already)?: corpus\n"
    )
    told = re.search(words, err)
    assert told is not None
    found, written, there = (int(number or 0) for number in told.groups())
    assert (written, found) == (kept, written + there)
    assert "corpus" not in out
    code, _, err = run(capsys, *check, "--corpus", "corpus")
    assert f"corpus  {kept} read" in err
    code, out, err = run(capsys, "check", "mutant:ok-pool", "--corpus", "corpus")
    assert (code, out) == (2, "")
    assert err.startswith("error: --corpus: ")
    assert name_of("pool", ONE).startswith("pool-")


def test_ways_of_drawing_are_measured() -> None:
    case = next(case for case in all_cases() if case.name == "size-33")
    for name, make in WAYS.items():
        outcome = attempt(case, make(), 20.0)
        assert outcome.killed, name
    wanted = drawn(50, 1)
    plain, both = (watched(BASES[0], WAYS[name](), 20_000, wanted) for name in ("uniform", "search alone"))
    assert len(plain) < len(both) < len(wanted)
