"""CrossHair confirms the contracts on the reference pool over all paths, and refutes faulty steps."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from heaplaw.proofs.contracts import (
    CONTRACTS,
    ORDERS,
    Cells,
    ContractRefuted,
    alloc_lawful,
    confirm,
    dealloc_lawful,
    drains_lawfully,
    pool_of,
)
from heaplaw.refimpl.steps import pool
from heaplaw.refimpl.steps.pool import PoolState
from heaplaw.spec.protocols import Memory
from heaplaw.spec.verdict import Confirmed, Unknown


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.__name__)
def test_reference__is_confirmed_over_all_paths(contract: Callable[..., bool]) -> None:
    assert confirm(contract) == Confirmed()


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.__name__)
def test_reference__agrees_on_plain_integers(contract: Callable[..., bool]) -> None:
    for order in range(len(ORDERS)):
        for num_free in range(3):
            assert contract(0x1000, order, num_free)


def alloc_refuses_last(state: PoolState, memory: Memory) -> tuple[PoolState, int]:
    return (state, 0) if state.num_free == 1 else pool.alloc(state, memory)


def alloc_top_of_buffer(state: PoolState, memory: Memory) -> tuple[PoolState, int]:
    after, block = pool.alloc(state, memory)
    return after, block if block == 0 else state.buffer


def dealloc_counts_twice(state: PoolState, ptr: int, memory: Memory) -> PoolState:
    after = pool.dealloc(state, ptr, memory)
    return replace(after, num_free=after.num_free + 1)


def dealloc_links_itself(state: PoolState, ptr: int, memory: Memory) -> PoolState:
    return pool.dealloc(replace(state, free_list=ptr), ptr, memory)


def faulty_progress(buffer: int, num_free: int) -> bool:
    """
    pre: buffer == 4096
    pre: 0 <= num_free <= 3
    post: _
    """
    return alloc_lawful(alloc_refuses_last, pool_of(buffer, 0, num_free))


def faulty_placement(buffer: int, order: int) -> bool:
    """
    pre: buffer >= 8 and buffer % 8 == 0
    pre: 0 <= order < 6
    post: _
    """
    return alloc_lawful(alloc_top_of_buffer, pool_of(buffer, order, 2))


def faulty_counter(buffer: int, num_free: int) -> bool:
    """
    pre: buffer >= 8 and buffer % 8 == 0
    pre: 0 <= num_free <= 2
    post: _
    """
    return dealloc_lawful(dealloc_counts_twice, pool_of(buffer, 0, num_free))


def faulty_link(buffer: int, num_free: int) -> bool:
    """
    pre: buffer >= 8 and buffer % 8 == 0
    pre: 0 <= num_free <= 2
    post: _
    """
    return drains_lawfully(pool.alloc, dealloc_links_itself, pool_of(buffer, 0, num_free))


@pytest.mark.parametrize("contract", [faulty_progress, faulty_placement, faulty_counter, faulty_link])
def test_fault__is_refuted(contract: Callable[..., bool]) -> None:
    answer = confirm(contract)
    assert isinstance(answer, ContractRefuted)
    assert "false when calling" in answer.message


def test_confirm__without_contract_is_unknown() -> None:
    assert confirm(alloc_refuses_last) == Unknown("the function has no contract")


def unreachable(buffer: int) -> bool:
    """
    pre: buffer < 0 and buffer > 0
    post: _
    """
    return buffer == 0


def test_confirm__vacuous_contract_is_unknown() -> None:
    assert isinstance(confirm(unreachable), Unknown)


def test_cells__unwritten_word_is_loud() -> None:
    with pytest.raises(LookupError, match="never written"):
        Cells().read(8)
