# ruff: noqa: INP001
"""Machines for allocators with operations of their own: `pytest examples/machines/test_own.py`."""

from typing import ClassVar

from hypothesis import strategies as st
from tail_bump import TailBump
from trim_pool import TrimPool

from heaplaw.machines import BumpMachine, Kind, Op, PoolMachine, blocks, invariant, rule


class TrimPoolMachine(PoolMachine):
    """`trim` is a call that laws do not know: afterwards every live block is read back, and the counters are judged."""

    def make(self) -> TrimPool:
        return TrimPool(64, 4)

    @rule()
    def trim(self) -> None:
        given_back = self.call("trim")
        assert 0 <= given_back <= 4 - len(self.slots())


class WatchedTrimPoolMachine(TrimPoolMachine):
    """Says what always holds, beside what the laws say."""

    @invariant()
    def live_blocks_are_below_the_top(self) -> None:
        pool = self.subject
        assert all(self.address(slot) < pool.buffer + 64 * pool.top for slot in self.slots())


class TailBumpMachine(BumpMachine):
    """A bump that resizes: `grow_last` is its `realloc`, and `shrink_last` is another one."""

    operations: ClassVar = {"realloc": "grow_last(ptr, size)"}

    def make(self) -> TailBump:
        return TailBump(256)

    def request(self, kind: Kind) -> st.SearchStrategy[Op]:
        sizes = st.integers(1, 64) | st.sampled_from([256, 2**63])
        return sizes.map(lambda size: Op(kind, size))

    @rule(slot=blocks(), less=st.integers(0, 64))
    def shrink(self, slot: int | None, less: int) -> None:
        if slot is not None and self.size(slot) > less:
            self.perform_as("realloc", "shrink_last(ptr, size) -> bool", slot, size=self.size(slot) - less)


TestTrimPool = TrimPoolMachine.TestCase
TestWatchedTrimPool = WatchedTrimPoolMachine.TestCase
TestTailBump = TailBumpMachine.TestCase
