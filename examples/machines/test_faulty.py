# ruff: noqa: INP001
"""The same machines on faulty allocators: each of these fails, with a short program that shows why."""

from tail_bump import HastyTailBump
from test_own import TailBumpMachine, TrimPoolMachine, WatchedTrimPoolMachine
from trim_pool import ForgetfulTrimPool


class ForgetfulTrimPoolMachine(TrimPoolMachine):
    """Some block is handed out twice."""

    def make(self) -> ForgetfulTrimPool:
        return ForgetfulTrimPool(64, 4)


class WatchedForgetfulTrimPoolMachine(WatchedTrimPoolMachine):
    """The invariant sees it earlier."""

    def make(self) -> ForgetfulTrimPool:
        return ForgetfulTrimPool(64, 4)


class HastyTailBumpMachine(TailBumpMachine):
    """A block is cut off that others follow."""

    def make(self) -> HastyTailBump:
        return HastyTailBump(256)


TestForgetfulTrimPool = ForgetfulTrimPoolMachine.TestCase
TestWatchedForgetfulTrimPool = WatchedForgetfulTrimPoolMachine.TestCase
TestHastyTailBump = HastyTailBumpMachine.TestCase
