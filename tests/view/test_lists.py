"""A free list that a mapping shows: the right one raises no alarm, and each fault breaks the law that it was made for.

The faulty ones are the example with one change in its source.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from heaplaw.check import Check, Finding, check
from heaplaw.errors import UsageError
from heaplaw.minimise import minimise
from heaplaw.replay import run_again
from heaplaw.spec.catalogue import CATALOGUE
from heaplaw.spec.history import Completed
from heaplaw.spec.protocols import Limits
from heaplaw.store import document_of, load, save
from heaplaw.subjects import ProcessSubject
from heaplaw.subjects.mapped import mapped_subject

EXAMPLE = Path(__file__).parents[2] / "examples" / "freelist"
LAWS = ("first_fit", "split_leaves_minimum", "best_fit", "list_ends", "listed_once", "listed_is_free")
"""Those that look at the list."""
SEARCH = "  while (*link && (*link)->size < need) link = &(*link)->next;\n"
BEST = """  for (Block **at = link; *at; at = &(*at)->next)
    if ((*at)->size >= need && ((*link)->size < need || (*at)->size < (*link)->size)) link = at;
  if (*link && (*link)->size < need) return NULL;
"""
SECOND = SEARCH + "  if (*link && (*link)->next && (*link)->next->size >= need) link = &(*link)->next;\n"
BETTER_OF_TWO = """  Block *next = *link ? (*link)->next : NULL;
  if (next && next->size >= need && next->size < (*link)->size) link = &(*link)->next;
"""
LAST_REFUSED = "  if (!block || (!block->next && link != &list->first)) "
LINK = "  block->next = *link;\n"
SPLIT = "{block->size - need, block->next}"
BY_NUMBERS = {'"fl_first(list)"': "0", '"fl_next(ptr)"': "8", '"fl_size(ptr)"': "0"}
WISHES_BEST = {'fit = "first"': 'fit = "best"'}
QUICK = Limits(cpu=0.2, wall=4.0)
"""Faulty lists are searched for ever."""


@dataclass(frozen=True)
class Fault:
    """A change of the example that breaks a law."""

    name: str
    law: str
    source: dict[str, str]
    mapping: dict[str, str] = field(default_factory=dict[str, str])
    operations: int = 600


FAULTS = (
    Fault("best-fit", "first_fit", {SEARCH: BEST}),
    Fault("second-that-fits", "first_fit", {SEARCH: SECOND}),
    Fault("exact-passed-by", "first_fit", {"size < need) link": "size <= need) link"}),
    Fault("last-refused", "first_fit", {"  if (!block) ": LAST_REFUSED}),
    Fault("first-fit", "best_fit", {}, WISHES_BEST),
    Fault("better-of-two", "best_fit", {SEARCH: SEARCH + BETTER_OF_TWO}, WISHES_BEST, 2000),
    Fault("small-rest", "split_leaves_minimum", {"LEAST = 32": "LEAST = 16"}),
    Fault("small-block", "split_leaves_minimum", {}, {"minimum = 32": "minimum = 48"}),
    Fault("ring", "list_ends", {LINK: "  block->next = block->size == 64 ? block : *link;\n"}),
    Fault("wild-link", "list_ends", {LINK: "  block->next = block->size == 64 ? (Block *)0x123450 : *link;\n"}),
    Fault("joined-stays", "listed_once", {"    block->next = next->next;\n": ""}),
    Fault("rest-too-large", "listed_once", {SPLIT: "{block->size - need + 16, block->next}"}),
    Fault("taken-stays", "listed_is_free", {"    *link = block->next;\n": ""}),
    Fault("joins-beyond", "listed_is_free", {"    block->size += next->size;": "    block->size += next->size + 16;"}),
)


def written(folder: Path, source: dict[str, str], mapping: dict[str, str]) -> Path:
    """The example with changes, in `folder`: the mapping."""
    for name, changes in (("freelist.c", source), ("freelist.toml", mapping)):
        text = (EXAMPLE / name).read_text()
        for old, new in changes.items():
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        (folder / name).write_text(text)
    return folder / "freelist.toml"


@contextmanager
def mapped(path: Path) -> Iterator[tuple[ProcessSubject, ProcessSubject]]:
    """The subject of a mapping, and the one that looks at its list."""
    subject = mapped_subject(path)
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


@pytest.mark.parametrize("view", [{}, BY_NUMBERS], ids=["calls", "numbers"])
@pytest.mark.parametrize("fit", ["first", "best"])
def test_the_right_one_raises_no_alarm(tmp_path: Path, view: dict[str, str], fit: str) -> None:
    changes = {SEARCH: BEST} if fit == "best" else {}
    promised = WISHES_BEST if fit == "best" else {}
    with mapped(written(tmp_path, changes, {**view, **promised})) as (subject, viewer):
        state = looked(subject, viewer)
    assert not state.findings
    assert state.ends == [("mixed", Completed())]
    judged = {name for name, tally in state.tallies.items() if tally.judged > 100}
    assert judged == {*LAWS} - ({"best_fit"} if fit == "first" else {"first_fit"})


@pytest.mark.parametrize("made", FAULTS, ids=lambda made: made.name)
def test_faults_are_found(tmp_path: Path, made: Fault) -> None:
    with mapped(written(tmp_path, made.source, made.mapping)) as (subject, viewer):
        state = looked(subject, viewer, made.operations)
    assert made.law in state.findings
    assert state.findings[made.law].viewed


def test_what_is_not_promised_is_not_judged(tmp_path: Path) -> None:
    unsaid = {'fit = "first"\n': "", "minimum = 32\n": ""}
    with mapped(written(tmp_path, {SEARCH: SECOND, "LEAST = 32": "LEAST = 16"}, unsaid)) as (subject, viewer):
        state = looked(subject, viewer)
    assert not state.findings
    assert {name for name, tally in state.tallies.items() if tally.judged} == {*LAWS[3:]}


def test_a_witness_is_replayed_where_the_list_is_looked_at(tmp_path: Path) -> None:
    with mapped(written(tmp_path, {SEARCH: SECOND}, {})) as (subject, _):
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


@pytest.mark.parametrize("name", ["ring", "wild-link"])
def test_a_list_that_ends_nowhere_takes_two_steps(tmp_path: Path, name: str) -> None:
    (made,) = (one for one in FAULTS if one.name == name)
    with mapped(written(tmp_path, made.source, made.mapping)) as (subject, viewer):
        found: Finding = looked(subject, viewer).findings["list_ends"]
        witness = minimise(viewer, found.law, found.history, found.violation, 4.0)
    assert len(witness.trace) == 2
    assert ("comes back" in witness.violation.observed) == (name == "ring")
