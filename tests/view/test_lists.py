"""A free list that a mapping shows: the right one raises no alarm, and each fault breaks the law that it was made for.

The faulty ones are those of heaplaw.mutants.lists.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import heaplaw.check
from heaplaw.check import Check, Finding, check
from heaplaw.errors import UsageError
from heaplaw.minimise import minimise
from heaplaw.models import generate
from heaplaw.mutants.lists import FILES, LIST_CORRECT, LIST_MUTANTS, NAMES, ListMutant, text_of
from heaplaw.replay import run_again
from heaplaw.spec.catalogue import CATALOGUE
from heaplaw.spec.history import Completed
from heaplaw.spec.protocols import Limits
from heaplaw.store import document_of, load, save
from heaplaw.subjects import ProcessSubject
from heaplaw.subjects.mapped import mapped_subject
from heaplaw.subjects.resolve import mutant_subject
from heaplaw.subjects.viewed import length_of

LAWS = ("first_fit", "split_leaves_minimum", "best_fit", "list_ends", "listed_once", "listed_is_free")
"""Those that look at the list."""
QUICK = Limits(cpu=0.2, wall=4.0)
"""Faulty lists are searched for ever."""


def written(folder: Path, source: dict[str, str], mapping: dict[str, str]) -> Path:
    """The correct list with changes, in `folder`: the mapping."""
    made = ListMutant("changed", "", "", source, mapping)
    for name in FILES:
        (folder / name).write_text(text_of(made, name))
    return folder / FILES[-1]


@contextmanager
def mapped(where: Path | str) -> Iterator[tuple[ProcessSubject, ProcessSubject]]:
    """The subject of a mapping, or a mutant's, and the one that looks at its list."""
    subject = mapped_subject(where) if isinstance(where, Path) else mutant_subject(where)
    assert subject.viewer is not None
    try:
        yield subject, subject.viewer
    finally:
        subject.close()


def looked(subject: ProcessSubject, viewer: ProcessSubject, operations: int = 600) -> Check:
    """A run in which the list is looked at, judged by the laws that do."""
    state = Check(subject, 1, operations, [CATALOGUE[name] for name in LAWS], QUICK)
    state.look(viewer)
    return state


@pytest.mark.parametrize("made", LIST_CORRECT, ids=lambda made: made.name)
def test_the_right_one_raises_no_alarm(made: ListMutant) -> None:
    with mapped(made.name) as (subject, viewer):
        state = looked(subject, viewer)
    assert not state.findings
    assert state.ends == [("mixed", Completed())]
    judged = {name for name, tally in state.tallies.items() if tally.judged > 100}
    assert judged == {*LAWS} - ({"first_fit"} if "best" in made.name else {"best_fit"})


@pytest.mark.parametrize("made", LIST_MUTANTS, ids=lambda made: made.name)
def test_faults_are_found(made: ListMutant) -> None:
    with mapped(made.name) as (subject, viewer):
        state = looked(subject, viewer, made.operations)
    assert made.law in state.findings
    assert state.findings[made.law].viewed


def test_what_is_not_promised_is_not_judged(tmp_path: Path) -> None:
    unsaid = {'fit = "first"\n': "", "minimum = 32\n": ""}
    second, small = NAMES["list-second"], NAMES["list-small-rest"]
    with mapped(written(tmp_path, {**second.source, **small.source}, unsaid)) as (subject, viewer):
        state = looked(subject, viewer)
    assert not state.findings
    assert {name for name, tally in state.tallies.items() if tally.judged} == {*LAWS[3:]}


def test_a_witness_is_replayed_where_the_list_is_looked_at(tmp_path: Path) -> None:
    with mapped(written(tmp_path, NAMES["list-second"].source, {})) as (subject, _):
        report = check(subject, 1, 2000, seconds=4.0)
    (witness,) = report.witnesses
    assert (witness.law, witness.viewed, witness.replayed) == ("first_fit", True, (3, 3))
    assert len(witness.trace) == 4
    found = report.subject_of(witness)
    stored = load(save(tmp_path, document_of(witness, found.spec, found.identity, 1)))
    assert stored.subject["view"] is True
    assert run_again(stored, 2)[1] == 2
    written(tmp_path, {}, {})
    assert run_again(stored, 2)[1] == 0
    text = (tmp_path / "freelist.toml").read_text()
    (tmp_path / "freelist.toml").write_text(text[: text.index("[view]")])
    with pytest.raises(UsageError, match=r"has no \[view\]"):
        run_again(stored, 1)


@pytest.mark.parametrize("name", ["list-ring", "list-wild-link"])
def test_a_list_that_ends_nowhere_takes_two_steps(name: str) -> None:
    with mapped(name) as (subject, viewer):
        found: Finding = looked(subject, viewer).findings["list_ends"]
        witness = minimise(viewer, found.law, found.history, found.violation, 4.0)
    assert len(witness.trace) == 2
    assert ("comes back" in witness.violation.observed) == (name == "list-ring")


def test_the_list_is_looked_at_for_longer_where_more_is_asked_for() -> None:
    assert [length_of(asked) for asked in (600, 5_000, 50_000, 50_000_000)] == [600, 2_000, 5_000, 10_000]


def test_what_hung_while_nobody_looked_is_run_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heaplaw.check, "length_of", lambda _asked: 1)
    with mapped("list-ring") as (subject, viewer):
        state = Check(subject, 1, 600, [CATALOGUE[name] for name in ("failure_is_reported", *LAWS)], QUICK)
        state.one(next(generate.campaigns("freelist", subject.kinds, subject.env, 600, 1)))
        assert [*state.findings] == ["failure_is_reported"]
        state.look(viewer)
    assert state.findings["list_ends"].viewed
    assert not state.findings["failure_is_reported"].viewed
    assert state.tallies["list_ends"].runs == 2
