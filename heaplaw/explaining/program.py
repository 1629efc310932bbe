"""Tiny programs with their results, written down: traces and histories that laws judge like any other."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from heaplaw.spec.event import NONE, Status
from heaplaw.spec.history import Completed, Died, End, History, Op, make_history, make_trace, plain_env
from heaplaw.spec.shapes import MAKERS, Kind, Misuse

BASE = 0x20000
"""The address that those of examples are relative to; the first of the buffer, where there is one."""
SEGV = 11
"""The signal of a wild access."""


@dataclass(frozen=True)
class Step:
    """One operation and what came of it."""

    kind: Kind
    size: int = 0
    """Bytes asked for, of one element."""
    at: int | None = None
    """The address that was given, bytes from `BASE`; None where none was."""
    of: int = 0
    """The number, from 1, of the step whose block or mark is meant; 0: none."""
    align: int = 0
    count: int = 1
    label: int = 0
    status: Status = Status.OK
    signal: int = 0
    """The one that ended the process in it."""
    told: Mapping[str, int] = field(default_factory=dict[str, int])
    """Further columns of the history: counters, flags, reports."""


def _answered(step: Step) -> Step:
    """A request: refused where it gives no address."""
    return refused(step) if step.at is None else step


def alloc(size: int, at: int | None = None, label: int = 0, **told: int) -> Step:
    """A plain request; a pool's has its block size."""
    return _answered(Step(Kind.ALLOC, size, at, label=label, told=told))


def zeroed(count: int, size: int, at: int | None = None, **told: int) -> Step:
    """A request for zeroed memory."""
    return _answered(Step(Kind.ZALLOC, size, at, count=count, told=told))


def aligned(size: int, align: int, at: int | None = None, **told: int) -> Step:
    """A request that says the alignment, bytes."""
    return _answered(Step(Kind.ALIGNED, size, at, align=align, told=told))


def posix_aligned(size: int, align: int, at: int | None = None, **told: int) -> Step:
    """The same, given through an out-pointer."""
    return _answered(Step(Kind.POSIX_ALIGNED, size, at, align=align, told=told))


def odd_aligned(size: int, align: int, at: int | None = None, **told: int) -> Step:
    """A request that says an alignment that is none."""
    return _answered(Step(Kind.ODD_ALIGNED, size, at, align=align, told=told))


def odd_posix_aligned(size: int, align: int, at: int | None = None, **told: int) -> Step:
    """The same, given through an out-pointer."""
    return _answered(Step(Kind.ODD_POSIX_ALIGNED, size, at, align=align, told=told))


def resize_to_zero(of: int, at: int | None = None, **told: int) -> Step:
    """The block that step `of` made is resized to 0 bytes."""
    return _answered(Step(Kind.RESIZE_TO_ZERO, 0, at, of=of, told=told))


def misfree(of: int, misuse: Misuse, **told: int) -> Step:
    """A pointer is freed that must not be, made from the block of step `of`."""
    return Step(Kind.MISFREE, int(misuse), of=of, told=told)


def fill(of: int, usable: int, **told: int) -> Step:
    """The owner writes the block that step `of` made up to its usable size, bytes."""
    return Step(Kind.FILL_USABLE, of=of, told={"usable": usable, **told})


def resize(of: int, size: int, at: int | None = None, **told: int) -> Step:
    """The block that step `of` made gets another size."""
    return _answered(Step(Kind.RESIZE, size, at, of=of, told=told))


def free(of: int, at: int | None = None, **told: int) -> Step:
    """The block that step `of` made is given back; `at`: what the call returned, where that is an address."""
    return Step(Kind.FREE, at=at, of=of, told=told)


def check(of: int, **told: int) -> Step:
    """The owner reads the block that step `of` made."""
    return Step(Kind.CHECK, of=of, told=told)


def pop(**told: int) -> Step:
    """The newest live block is given back."""
    return Step(Kind.POP, told=told)


def reset(**told: int) -> Step:
    """All blocks are given back."""
    return Step(Kind.RESET, told=told)


def mark(at: int, **told: int) -> Step:
    """A mark is taken."""
    return Step(Kind.MARK, at=at, told=told)


def release(of: int, **told: int) -> Step:
    """All blocks made since the mark of step `of` are given back."""
    return Step(Kind.RELEASE, of=of, told=told)


def renew(**told: int) -> Step:
    """The instance is destroyed and made again."""
    return Step(Kind.RENEW, told=told)


def refused(step: Step) -> Step:
    """The same operation, refused."""
    return replace(step, status=Status.FAILED)


def died(step: Step, signal: int = SEGV) -> Step:
    """The same operation, in which a signal ends the process."""
    return replace(step, at=None, status=Status.DIED, signal=int(signal))


@dataclass
class _Owners:
    """Which operation made the block that another one is about, and how large that is."""

    live: dict[int, int] = field(default_factory=dict[int, int])
    """Requested bytes of the live blocks, by the operations that made them, in order of birth."""
    holds: dict[int, int] = field(default_factory=dict[int, int])
    """The maker of the block that each operation's slot holds: a resize that fails holds the old one."""

    def named(self, step: Step) -> int:
        """The maker of what the step names."""
        if step.kind == Kind.POP:
            return next(reversed(self.live), NONE)
        return self.holds.get(step.of - 1, step.of - 1) if step.of else NONE

    def absorb(self, index: int, step: Step, owner: int) -> None:
        """Take in a step."""
        if step.kind == Kind.RESIZE_TO_ZERO:
            self.live.pop(owner, None)
        elif step.status != Status.OK:
            self.holds[index] = owner if step.kind == Kind.RESIZE else index
        elif step.kind in (Kind.FREE, Kind.RESIZE, Kind.POP):
            self.live.pop(owner, None)
        elif step.kind in (Kind.RESET, Kind.RENEW, Kind.RELEASE):
            since = owner if step.kind == Kind.RELEASE else -1
            self.live = {maker: size for maker, size in self.live.items() if maker < since}
        if step.status == Status.OK and step.kind in MAKERS:
            self.live[index] = step.size * step.count


def program(shape: str, *steps: Step, profile: str = "mixed", **env: Any) -> History:
    """The history of a tiny program on a subject of that shape; `env` says what differs from one that promises nothing.

    Who has a `capacity` has a buffer of so many bytes at `BASE`.
    """
    promised = replace(plain_env(shape), base=BASE if "capacity" in env else 0, **env)
    ops: list[Op] = []
    rows: list[dict[str, int]] = []
    end: End = Completed()
    owners = _Owners()
    for index, step in enumerate(steps):
        owner = owners.named(step)
        slot = step.of - 1 if step.of else NONE
        ops.append(Op(step.kind, step.size, slot, step.align, step.count, label=step.label))
        ptr = 0 if step.at is None else BASE + step.at
        held = owners.live.get(owner, 0)
        rows.append({"status": int(step.status), "owner": owner, "held": held, "ptr": ptr, **step.told})
        end = Died(index, step.signal) if step.status == Status.DIED else end
        owners.absorb(index, step, owner)
    return make_history(make_trace(shape, ops, promised, profile), rows, end)
