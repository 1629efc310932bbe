"""The books' sums are proved to be what the history says; faulty books are refuted."""

import pytest

from heaplaw.mutants.reference.books import BOOKS, PROOF, TAGS
from heaplaw.proofs.prove import prove
from heaplaw.proofs.statistics import obligations

from .refuting import assert_proved, never_refuted, refuted_by

REFUTES = {
    "ref-books-peak-late": ("statistics.born.peak_exact", "statistics.born_above.peak_exact"),
    "ref-books-peak-falls": ("statistics.died.peak_exact", "statistics.died_above.peak_exact"),
    "ref-books-total-live": ("statistics.born.stats_exact", "statistics.born_above.stats_exact"),
    "ref-books-free-rounded": ("statistics.died.stats_exact", "statistics.died_above.stats_exact"),
    "ref-books-count-live": ("statistics.died.stats_exact", "statistics.died.tags_exact"),
    "ref-books-zero-uncounted": ("statistics.born.stats_exact", "statistics.born.adds_up"),
    "ref-books-leak-missed": ("statistics.born.leak_report_exact", "statistics.died.leak_report_exact"),
    "ref-books-leak-invented": ("statistics.died.leak_report_exact",),
    "ref-books-size-of-16-bits": ("statistics.born.stats_exact",),
    "ref-books-above-once": ("statistics.died_above.tags_exact", "statistics.died_above.adds_up"),
    "ref-books-above-untold": ("statistics.born_above.stats_exact", "statistics.born_above.adds_up"),
    "ref-books-above-halved": ("statistics.died_above.stats_exact",),
    "ref-tags-end-untagged": ("statistics.died.tags_exact",),
    "ref-tags-never-end": ("statistics.died.adds_up", "statistics.died_above.adds_up"),
    "ref-tags-rounded": ("statistics.born.tags_exact", "statistics.born_above.tags_exact"),
    "ref-tags-merged": ("statistics.born.leak_report_exact",),
    "ref-tags-peak-of-all": ("statistics.born.tags_exact",),
    "ref-tags-count-of-live": ("statistics.died.tags_exact",),
    "ref-tags-all-grow": ("statistics.born.others_kept", "statistics.born_above.others_kept"),
    "ref-tags-all-shrink": ("statistics.died.others_kept", "statistics.died_above.others_kept"),
}
"""Obligations that each mutant breaks, in both readings."""


def test_statistics__every_obligation_is_proved() -> None:
    assert_proved(prove(obligations()))


@pytest.mark.parametrize("mutant", REFUTES)
def test_fault__is_refuted(mutant: str) -> None:
    assert refuted_by(mutant, "system.ledger", obligations, REFUTES[mutant]) == []


def test_obligations__each_is_refuted_by_a_mutant() -> None:
    assert never_refuted(obligations, REFUTES) == set()


def test_mutants__all_of_the_ledger_are_refuted() -> None:
    """What lies in `system/base.py` is which block is booked, and when: these proofs begin where that is decided."""
    assert {patch.name for patch in (*BOOKS, *TAGS, *PROOF) if patch.module == "system/ledger.py"} == set(REFUTES)
    assert {patch.module for patch in (*BOOKS, *TAGS, *PROOF)} == {"system/ledger.py", "system/base.py"}
