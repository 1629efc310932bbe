"""Machines of Hypothesis for allocators of one's own: what test files import. See docs/machines.md.

from heaplaw.machines import PoolMachine, blocks, rule

class MyPoolMachine(PoolMachine):
def make(self):
return MyPool(64, 4)

@rule(slot=blocks())
def look(self, slot): ...

TestMyPool = MyPoolMachine.TestCase
"""

from pathlib import Path

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
from heaplaw.models.programs import calls_of_its_own
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
    "store",
]


def store(failure: LawViolated, target: str, folder: Path | str = "heaplaw-out", **arguments: int) -> Path:
    """Write a machine's failure as checks write theirs, for `heaplaw replay`; the file's path.

    `target` is what replays it, `"package.module:MyPool"`, made with `arguments`. UsageError where the program calls
    what only its machine knows: replaying does not call that.
    """
    from heaplaw.errors import UsageError
    from heaplaw.minimise import Witness
    from heaplaw.store import document_of, save

    if own := calls_of_its_own(failure.history, failure.spelling):
        raise UsageError(
            f"the program has calls of your own, {', '.join(own)}, which heaplaw replay does not know: "
            "keep it as a test, by program()"
        )
    first, env = failure.violations[0], failure.history.told
    witness = Witness(first.law, failure.trace, first, failure.history, len(failure.trace))
    shape = failure.trace.shape
    spec = {"kind": "object", "target": target, "shape": shape, "arguments": arguments, "align": int(env.max_align)}
    return save(Path(folder), document_of(witness, spec, target, seed=0))
