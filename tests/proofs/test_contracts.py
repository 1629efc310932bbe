"""CrossHair confirms the contracts on the reference's steps over all paths, and refutes each on faulty steps."""

import re
from typing import Any

import pytest

from heaplaw.mutants.reference import load
from heaplaw.proofs.contracts import CONTRACTS, Contract, ContractRefuted, confirm, pool
from heaplaw.proofs.contracts.memory import Cells
from heaplaw.proofs.loops import swapped
from heaplaw.refimpl.steps import pool as pool_steps
from heaplaw.spec.verdict import Confirmed, Error, Unknown

REFUTES: dict[str, tuple[str, str]] = {
    "bump.alloc": ("steps.bump", "ref-bump-one-byte-over"),
    "stack.alloc": ("steps.stack", "ref-stack-header-not-counted"),
    "stack.pop": ("steps.stack", "ref-stack-header-stores-top"),
    "pool.alloc": ("steps.pool", "ref-pool-last-kept"),
    "pool.dealloc": ("steps.pool", "ref-pool-list-cut"),
    "pool.init": ("steps.pool", "ref-pool-grid-narrow"),
    "freelist.visit": ("steps.freelist", "ref-freelist-exact-refused"),
    "freelist.take": ("steps.freelist", "ref-freelist-rest-too-long"),
    "freelist.push": ("steps.freelist", "ref-freelist-pushed-behind"),
    "freelist.pass_by": ("steps.freelist", "ref-coalesce-order-lost"),
    "freelist.join": ("steps.freelist", "ref-coalesce-above-never"),
    "freelist.alloc": ("steps.freelist", "ref-freelist-last-unseen"),
    "freelist.insert": ("steps.freelist", "ref-coalesce-first-skipped"),
    "arena.fits": ("steps.arena", "ref-arena-tail-overrun"),
    "arena.bump": ("steps.arena", "ref-arena-gap-overlaps"),
    "arena.chunk_for": ("steps.arena", "ref-arena-slack-forgotten"),
    "arena.grow": ("steps.arena", "ref-arena-end-stale"),
    "arena.cut": ("steps.arena", "ref-arena-cut-keeps-total"),
    "arena.release": ("steps.arena", "ref-arena-mark-at-top"),
    "sizes.class_of": ("steps.sizes", "ref-sizes-exact-fit-missed"),
    "layout.new": ("layout", "ref-layout-half-refused"),
    "layout.extend": ("layout", "ref-layout-no-padding"),
    "layout.array": ("layout", "ref-layout-stride-unpadded"),
    "layout.padded": ("layout", "ref-layout-padded-more"),
}
"""For each contract the module of a mutant that must refute it."""
each_contract = pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.name)


LONG = {"bump.alloc", "stack.alloc", "pool.alloc", "pool.dealloc", "freelist.take", "layout.extend"}
"""Confirmed in four seconds and more each. The same laws of the same steps are proved, for any capacity, by the
obligations of these parts (test_bump.py and its neighbours); that the contracts can fail is seen below in any case.
"""


@pytest.mark.parametrize(
    "contract",
    [pytest.param(each, id=each.name, marks=[pytest.mark.slow] if each.name in LONG else []) for each in CONTRACTS],
)
def test_reference__is_confirmed_over_all_paths(contract: Contract) -> None:
    assert confirm(contract.function) == Confirmed()


@each_contract
def test_mutant__is_refuted(contract: Contract) -> None:
    module, mutant = REFUTES[contract.name]
    answer = confirm(contract.on(load(mutant, module)))
    assert isinstance(answer, ContractRefuted)
    assert re.search(r"false when calling|never written", answer.message)


def test_contracts__have_names_scopes_and_words() -> None:
    assert [contract.name for contract in CONTRACTS] == list(dict.fromkeys(contract.name for contract in CONTRACTS))
    assert {contract.name for contract in CONTRACTS} == REFUTES.keys()
    for contract in CONTRACTS:
        assert contract.scope
        assert (contract.function.__doc__ or "").strip().partition("\n")[0].endswith(".")


def test_on__other_steps_leaves_the_contract_as_it_is() -> None:
    def alloc(state: Any, memory: Any) -> tuple[Any, int]:
        return state, 0

    contract = next(contract for contract in CONTRACTS if contract.name == "pool.alloc")
    assert not contract.on(swapped(pool_steps, alloc=alloc))(8, 0, 1)
    assert contract.function(8, 0, 1)


def test_pool__agrees_on_plain_integers() -> None:
    for order in range(len(pool.ORDERS)):
        for num_free in range(3):
            assert pool.alloc(0x1000, order, num_free)
            assert pool.dealloc(0x1000, order, num_free)


def no_contract(buffer: int) -> bool:
    return buffer == 0


def test_confirm__without_contract_is_unknown() -> None:
    assert confirm(no_contract) == Unknown("the function has no contract")


def unreachable(buffer: int) -> bool:
    """
    pre: buffer < 0 and buffer > 0
    post: _
    """
    return buffer == 0


def test_confirm__vacuous_contract_is_unknown() -> None:
    assert isinstance(confirm(unreachable), Unknown)


def endless(number: int) -> bool:
    """
    pre: 0 <= number
    post: _
    """
    count = 0
    while count * count < number:
        count += 1
    return count >= 0


def test_confirm__what_takes_too_long_is_unknown() -> None:
    assert isinstance(confirm(endless, 0.5), Unknown)


def failing(number: int) -> bool:
    """
    pre: 0 <= number
    post: _
    """
    raise KeyError("no such step")


def test_confirm__a_contract_that_fails_is_an_error() -> None:
    assert isinstance(confirm(failing), Error)


def test_cells__unwritten_word_is_loud() -> None:
    with pytest.raises(LookupError, match="never written"):
        Cells().read(8)
