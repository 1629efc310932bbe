"""The books' sums are proved to be what the history says; faulty books are refuted."""

import pytest

from heaplaw.mutants.reference.books import BOOKS, PROOF, TAGS
from heaplaw.proofs.prove import prove
from heaplaw.proofs.statistics import obligations
from heaplaw.proofs.symbolic import Reading

from .refuting import READINGS, assert_proved, never_refuted, refuted_by

COMING = ("born", "born_above", "zeroed", "realloc")
GOING = ("died", "died_above")


def each(about: str, of: tuple[str, ...] = (*COMING, *GOING)) -> tuple[str, ...]:
    """The same of several operations."""
    return tuple(f"statistics.{call}.{about}" for call in of)


REFUTES = {
    "ref-books-peak-late": each("peak_exact", COMING),
    "ref-books-peak-falls": each("peak_exact", GOING),
    "ref-books-total-live": each("stats_exact", COMING),
    "ref-books-free-rounded": each("stats_exact", GOING),
    "ref-books-count-live": each("tags_exact", GOING),
    "ref-books-zero-uncounted": each("adds_up", ("born", "born_above", "zeroed")),
    "ref-books-realloc-twice": ("statistics.realloc.live_exact", "statistics.realloc.peak_exact"),
    "ref-books-realloc-uncounted": ("statistics.realloc.stats_exact",),
    "ref-books-leak-missed": each("leak_report_exact", ("born", "died")),
    "ref-books-leak-invented": ("statistics.died.leak_report_exact",),
    "ref-books-size-of-16-bits": ("statistics.born.stats_exact",),
    "ref-books-live-all": each("live_exact", COMING),
    "ref-books-empty-live-on": each("live_exact", GOING),
    "ref-books-above-once": ("statistics.died_above.adds_up",),
    "ref-books-above-untold": ("statistics.born_above.stats_exact",),
    "ref-books-above-halved": ("statistics.died_above.stats_exact",),
    "ref-tags-end-untagged": ("statistics.died.tags_exact",),
    "ref-tags-never-end": each("adds_up", GOING),
    "ref-tags-rounded": (*each("tags_exact", ("born", "born_above")), "statistics.realloc.adds_up"),
    "ref-tags-merged": ("statistics.born.leak_report_exact",),
    "ref-tags-realloc-loses": ("statistics.realloc.tags_exact", "statistics.realloc.leak_report_exact"),
    "ref-tags-zeroed-untagged": ("statistics.zeroed.tags_exact", "statistics.zeroed.leak_report_exact"),
    "ref-tags-peak-of-all": ("statistics.born.tags_exact",),
    "ref-tags-count-of-live": ("statistics.died.tags_exact",),
    "ref-tags-all-grow": each("others_kept", COMING),
    "ref-tags-all-shrink": each("others_kept", GOING),
}
"""Obligations that each mutant breaks, in both readings: that without bounds is for when there is time."""


def test_statistics__every_obligation_is_proved() -> None:
    assert_proved(prove(obligations()))


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("mutant", REFUTES)
def test_fault__is_refuted(mutant: str, reading: Reading) -> None:
    assert refuted_by(mutant, "system.ledger", obligations, REFUTES[mutant], [reading]) == []


def test_obligations__each_is_refuted_by_a_mutant() -> None:
    assert never_refuted(obligations, REFUTES) == set()


def test_mutants__all_are_refuted() -> None:
    assert {patch.name for patch in (*BOOKS, *TAGS, *PROOF)} == set(REFUTES)
