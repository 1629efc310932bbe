"""Machines of Hypothesis for allocators of one's own: what test files import. See docs/machines.md.

from heaplaw.machines import PoolMachine, blocks, rule

class MyPoolMachine(PoolMachine):
def make(self):
return MyPool(64, 4)

@rule(slot=blocks())
def look(self, slot): ...

TestMyPool = MyPoolMachine.TestCase
"""

from hypothesis.stateful import initialize, invariant, precondition, rule

from heaplaw.models.allocator_machine import (
    AllocatorMachine,
    ArenaMachine,
    BumpMachine,
    FreeListMachine,
    LuaMachine,
    MallocMachine,
    PoolMachine,
    StackMachine,
    blocks,
    marks,
)
from heaplaw.models.methods import UnfitError
from heaplaw.models.session import LawViolated, export
from heaplaw.models.strategies import alignments, requests, sizes
from heaplaw.spec.history import Op
from heaplaw.spec.shapes import Kind

__all__ = [
    "AllocatorMachine",
    "ArenaMachine",
    "BumpMachine",
    "FreeListMachine",
    "Kind",
    "LawViolated",
    "LuaMachine",
    "MallocMachine",
    "Op",
    "PoolMachine",
    "StackMachine",
    "UnfitError",
    "alignments",
    "blocks",
    "export",
    "initialize",
    "invariant",
    "marks",
    "precondition",
    "requests",
    "rule",
    "sizes",
]
