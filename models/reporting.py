"""Steps that also tell what they cost and, of a free list, what it was like: laws on these apply to them.

The steps are the same; the words that they read and write are counted, and the list is looked at before and after.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from heaplaw.refimpl.steps import freelist
from heaplaw.spec.event import Env, Event
from heaplaw.spec.history import Op
from heaplaw.spec.layout import SIZE_MAX
from heaplaw.spec.protocols import Memory, Step
from heaplaw.spec.report import Report, first_fitting
from heaplaw.spec.shapes import Kind

FreeBlocks = Callable[[Any, Memory], Sequence[tuple[int, int]]]
"""The free blocks of a state, in list order: address and bytes."""


class Counting:
    """A memory that counts the words read and written; what is zeroed in one go is payload, and does not count."""

    def __init__(self, memory: Any) -> None:
        self.memory = memory
        self.words = 0

    def read(self, address: int) -> int:
        """The word at `address`."""
        self.words += 1
        return int(self.memory.read(address))

    def write(self, address: int, value: int) -> None:
        """Make `value` the word at `address`."""
        self.words += 1
        self.memory.write(address, value)

    def __getattr__(self, name: str) -> Any:
        """Whatever else the memory can do is no header's word."""
        return getattr(self.memory, name)


def costs(env: Env) -> frozenset[str]:
    """The promises on costs that `env` makes, by the names that laws need."""
    found = {"cost"}
    if env.constant_alloc or env.constant_free:
        found.add("constant time")
    if not (env.constant_alloc and env.constant_free):
        found.add("linear time")
    return frozenset(found)


class Reporting:
    """A step with what it reports, and the names of that."""

    def __init__(self, step: Step, env: Env, listed: FreeBlocks | None = None) -> None:
        """`listed`: of a free list with headers of 16 bytes, how to see its blocks."""
        self._step, self._listed = step, listed
        told = {"nodes", "first_fit", "least_free", "least_taken", "minimum"} if listed else set[str]()
        self.offers = costs(env) | told
        """What laws need and find here."""

    def __call__(self, state: Any, op: Op, ptr: Any, memory: Any, /) -> tuple[Any, Event]:
        """The step."""
        before = self._listed(state, memory) if self._listed else ()
        counting = Counting(memory)
        after, event = self._step(state, op, ptr, counting)
        if self._listed is None:
            return after, replace(event, report=Report(cost=counting.words))
        block = int(event.ptr) if event.makes else 0
        report = Report(
            cost=counting.words,
            nodes=len(before),
            first_fit=_fit(before, event),
            least_free=min((size for _, size in self._listed(after, memory)), default=SIZE_MAX),
            least_taken=int(freelist.size_of(block - freelist.HEADER, memory)) if block else SIZE_MAX,
        )
        return after, replace(event, report=report)


def _fit(blocks: Sequence[tuple[int, int]], event: Event) -> int:
    """Where a request goes in the first free block that it fits into; 0 for what is no request."""
    if not event.asks or event.kind == Kind.FREE:
        return 0
    return first_fitting(blocks, int(event.extent), int(event.required_align), freelist.HEADER)
