"""CrossHair contracts on the reference's steps.

A contract is a function that runs steps of the reference and answers by shared laws. CrossHair follows the steps, the
laws and the contract through Python itself: an engine apart from `proofs.symbolic`, which shares no code with it. Its
integers do not wrap, and what is bounded is said in each contract's scope: the length of lists, a few alignments.
"""

from . import arena, bump, freelist, layout, pool, sizes, stack
from .engine import Contract, ContractRefuted, confirm

CONTRACTS: tuple[Contract, ...] = (
    *bump.CONTRACTS,
    *stack.CONTRACTS,
    *pool.CONTRACTS,
    *freelist.CONTRACTS,
    *arena.CONTRACTS,
    *sizes.CONTRACTS,
    *layout.CONTRACTS,
)
"""All contracts."""

__all__ = ["CONTRACTS", "Contract", "ContractRefuted", "confirm"]
