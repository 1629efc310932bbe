"""Mutants of the reference: every patch applies, every copy stands apart, every fault is seen by a law that counts."""

import subprocess
import sys
from dataclasses import replace
from importlib import import_module

import pytest

import heaplaw.refimpl.allocators as original
from heaplaw.killmatrix import engines
from heaplaw.killmatrix.cases import Case, Source, all_cases
from heaplaw.killmatrix.rigs import MODELS, RIGS
from heaplaw.mutants.reference import (
    PATCHES,
    REFERENCE_MUTANTS,
    SUBJECTS,
    Patch,
    PatchError,
    load,
    package,
    subjects_of,
)
from heaplaw.references.table import REFERENCES
from heaplaw.spec.catalogue import CATALOGUE
from heaplaw.subjects.reference import reference_subject

CASES = [case for case in all_cases() if case.source is Source.REFERENCE]
IN_PROCESS = [case for case in CASES if case.group in (*RIGS, engines.LAYOUT)]
ELSEWHERE = [case for case in CASES if case not in IN_PROCESS]
EVERY = sorted(PATCHES.values(), key=lambda patch: patch.name)


# ---- patches


def applies(patch: Patch) -> bool:
    """The patch changes its module, which compiles."""
    source = patch.file.read_text()
    compile(patch.applied(source), patch.name, "exec")  # PatchError, SyntaxError
    return patch.applied(source) != source


def test_patches__apply_to_the_source_as_it_is() -> None:
    assert all(applies(patch) for patch in EVERY)
    assert {law for patch in EVERY for law in (patch.law, *patch.also)} <= CATALOGUE.keys()


def test_patch__refuses_a_source_that_has_moved_on() -> None:
    patch = PATCHES["ref-pool-last-kept"]
    with pytest.raises(PatchError, match=r"occurs 0 times in steps/pool\.py"):
        patch.applied("")
    with pytest.raises(PatchError, match="occurs 2 times"):
        patch.applied(2 * patch.file.read_text())


def test_names__are_unique_and_say_where_they_belong() -> None:
    assert len(PATCHES) == sum(len(group) for group in REFERENCE_MUTANTS.values())
    assert all(name.startswith("ref-") and name == name.lower() for name in PATCHES)
    assert len({patch.identifier for patch in EVERY}) == len(EVERY)
    assert len({(patch.module, patch.old, patch.new) for patch in EVERY}) == len(EVERY)


@pytest.mark.parametrize("group", REFERENCE_MUTANTS)
def test_every_part__has_enough_mutants_and_an_engine(group: str) -> None:
    assert len(REFERENCE_MUTANTS[group]) >= 8
    assert SUBJECTS[group] or group == engines.LAYOUT
    assert set(MODELS) | set(RIGS) <= set(REFERENCE_MUTANTS)
    assert {name for patch in REFERENCE_MUTANTS[group] for name in subjects_of(patch.name)} <= set(REFERENCES)


# ---- copies


def test_copy__stands_apart_from_the_reference() -> None:
    copy = load("ref-pool-last-kept", "allocators")
    assert copy.PoolAllocator is not original.PoolAllocator
    assert [copy.PoolAllocator(8, 2).alloc() != 0, original.PoolAllocator(8, 2).alloc() != 0] == [True, True]
    pools = copy.PoolAllocator(8, 2), original.PoolAllocator(8, 2)
    assert [[pool.alloc() != 0 for _ in range(2)] for pool in pools] == [[True, False], [True, True]]
    assert load("ref-pool-last-kept").__name__ == package("ref-pool-last-kept")
    assert import_module(package("ref-pool-last-kept") + ".steps.pool") is copy.pool.pool  # one copy, not two
    assert load("ref-stack-prev-lost", "steps.pool") is not load("ref-pool-last-kept", "steps.pool")


def test_copy__imports_nothing_of_the_reference_itself() -> None:
    script = (
        "import sys, heaplaw.mutants.reference as r\n"
        "r.load('ref-scope-first-stays', 'system'); r.load('ref-scope-first-stays', 'allocators.plain')\n"
        "print(sorted(name for name in sys.modules if name.startswith('heaplaw.refimpl')))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_copy__of_an_unknown_name_is_none() -> None:
    with pytest.raises(KeyError):
        load("ref-no-such")
    with pytest.raises(ModuleNotFoundError):
        import_module("heaplaw.mutants.reference.ref_no_such.steps.pool")


def test_copy__is_judged_in_a_process_of_its_own() -> None:
    subject = reference_subject("pool", package("ref-pool-last-kept"))
    try:
        assert "ref_pool_last_kept" in subject.identity
    finally:
        subject.close()


# ---- kills


LONG = {"coalescing"}
"""Searched for ten seconds and more; that each of its mutants is killed is asserted below in any case."""


@pytest.mark.parametrize(
    "group", [pytest.param(group, marks=[pytest.mark.slow] if group in LONG else []) for group in RIGS]
)
def test_machine_of_the_shape__kills_every_mutant_of_its_steps(group: str) -> None:
    alive = [case.name for case in CASES if case.group == group and not engines.of_machine(case, shorten=False)[0]]
    assert not alive


@pytest.mark.parametrize("case", IN_PROCESS, ids=lambda case: case.name)
def test_fault_in_steps__is_seen_in_this_process_or_by_a_check(case: Case) -> None:
    row = engines.run(case, shorten=False)
    assert row.killed, f"{case.name} survives; made for {case.law}, broken: {sorted(row.broken)}"
    assert row.kills[0].law in case.laws
    assert row.kills[0].operations >= 1


@pytest.mark.parametrize("case", ELSEWHERE, ids=lambda case: case.name)
def test_fault_in_classes__is_seen_by_a_check(case: Case) -> None:
    row = engines.run(case, shorten=False)
    assert row.killed, f"{case.name} survives; made for {case.law}, broken: {sorted(row.broken)}"


def test_no_fault__survives_every_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A patch by the identity is no fault: whatever names it as one must see it survive."""
    monkeypatch.setattr(engines, "STATES", 100)
    monkeypatch.setattr(engines, "IN_PROCESS", 1_000)
    for group in (*RIGS, engines.LAYOUT):
        case = Case("ref-identity", Source.REFERENCE, group, "heaplaw.refimpl", "", frozenset(CATALOGUE))
        assert engines.of_session(case, modules=engines.unchanged) == ((), frozenset())
        if group in MODELS:
            assert engines.of_explore(case, modules=engines.unchanged) == ((), frozenset())


def test_identity__is_reported_as_a_survivor(monkeypatch: pytest.MonkeyPatch) -> None:
    case = next(case for case in CASES if case.name == "ref-pool-last-kept")
    assert engines.run(case).killed
    monkeypatch.setattr(engines, "EXAMPLES", 10)
    monkeypatch.setattr(engines, "AT_FIRST", 100)
    monkeypatch.setattr(engines, "copy_of", lambda _case: engines.unchanged)
    monkeypatch.setattr(engines, "package", lambda _name: "")
    row = engines.run(replace(case, laws=frozenset({case.law})))
    assert not row.killed
    assert row.broken == frozenset()
