"""Exhaustive exploration: every state that pure steps can reach, breadth first, each transition judged by the
laws.

A state is what the steps keep, the words of memory, and the set of live blocks. The user plays along so that
dead words cannot tell states apart: an owner writes its whole block with a pattern that depends on the
address alone, and zeroes it before freeing it. What the way there was does not matter then, and the first way
found is a shortest one, so a violation comes with a shortest trace. Requests are judged with the abstract
heap of that way; a law that looks back over more than one operation (`failure_changes_nothing`, for what was
freed before a refusal) is thus judged along shortest ways only.

A search that is cut short, or that misses a goal, is Unknown, never Holds.
"""

from collections import deque
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from heaplaw.refimpl.memory import WordMemory
from heaplaw.refimpl.steps import pool
from heaplaw.spec.event import Env, Event, View
from heaplaw.spec.heap import Heap
from heaplaw.spec.history import Op, Trace, make_trace
from heaplaw.spec.judge import Online, Tally
from heaplaw.spec.protocols import Step
from heaplaw.spec.shapes import SHAPES, TAKERS, Kind
from heaplaw.spec.verdict import Exhausted, Holds, Unknown, Verdict, Violated, Violation

from .live import Checked, Held, StepCalls, by_address
from .session import Slots, applicable, take

Goal: TypeAlias = Callable[[View, Event, View], bool]
"""Whether a transition (heap before, event, heap after) reaches what must be reachable."""

TWO_IN_A_ROW = frozenset({"freed_is_reusable"})
"""Laws that speak of an operation and the one right before it: on shortest ways what was freed is not asked for."""
BUFFER = 0x10000
"""Where an explored buffer starts; any multiple of 16 above 0 gives the same states."""


@dataclass(frozen=True)
class Model:
    """What is explored: a bounded allocator, and what its user may ask of it."""

    shape: str
    env: Env
    memory: WordMemory
    """Memory before construction, bounded to the allocator's buffer."""
    init: Callable[[WordMemory], Any]
    """Construction: the first state of the steps, which must be hashable."""
    step: Step
    requests: tuple[Op, ...]
    """What may be asked for at any time; operations that name a block are tried on every live one."""
    goals: Mapping[str, Goal]
    bound: str
    """The bound in words."""


@dataclass(frozen=True)
class Witness:
    """A shortest trace that breaks laws in its last operation."""

    trace: Trace
    violations: tuple[Violation, ...]


@dataclass(frozen=True)
class Exploration:
    """What came of an exploration."""

    states: int
    transitions: int
    depth: int
    """Operations on the longest of the shortest ways."""
    goals: Mapping[str, bool]
    complete: bool
    """Every state within the bound was visited."""
    witness: Witness | None
    verdicts: tuple[Verdict, ...]

    @property
    def missed(self) -> list[str]:
        """Goals that were not reached."""
        return [name for name, reached in self.goals.items() if not reached]


class _Clearing(Checked):
    """The owner zeroes a block before freeing it."""

    def _call(self, op: Op, held: Held | None, index: int) -> Event:
        if held is not None and op.kind == Kind.FREE:
            self.store.poke(held.ptr, bytes(held.size))
        return super()._call(op, held, index)


@dataclass(frozen=True)
class _Node:
    """A state with the way that led to it."""

    state: Any
    memory: WordMemory
    slots: Slots
    heap: Heap
    counted: tuple[int, int] = (0, 0)
    """What the subject said of free and allocated blocks."""
    depth: int = 0
    op: Op | None = None
    parent: "_Node | None" = None

    @property
    def key(self) -> Hashable:
        """The state without its way: slots and times are left out."""
        return self.state, self.memory.freeze(), frozenset((b.ptr, b.size) for b in self.slots.values())

    def ops(self) -> list[Op]:
        """The operations of the way."""
        found: list[Op] = []
        node: _Node | None = self
        while node is not None and node.op is not None:
            found.append(node.op)
            node = node.parent
        return found[::-1]


@dataclass
class _Search:
    """The breadth-first search: what is known so far."""

    model: Model
    seen: set[Hashable] = field(default_factory=set[Hashable])
    transitions: int = 0
    depth: int = 0

    def __post_init__(self) -> None:
        calls = StepCalls(self.model.step, None, self.model.memory, self.model.env, SHAPES[self.model.shape])
        stated = applicable(self.model.shape, calls.offers)
        self.online = Online([law for law in stated if law.name not in TWO_IN_A_ROW])
        self.reached = dict.fromkeys(self.model.goals, False)
        self._calls = calls

    def start(self) -> _Node:
        """The state after construction."""
        memory = self.model.memory.copy()
        return _Node(self.model.init(memory), memory, {}, Heap())

    def moves(self, node: _Node) -> Iterator[Op]:
        """Everything that the user may do next."""
        for op in self.model.requests:
            if op.kind not in TAKERS:
                yield op
            else:
                for slot in node.slots:
                    yield replace(op, slot=slot)

    def follow(self, node: _Node, op: Op) -> tuple[_Node, list[Violation]]:
        """One transition, judged."""
        memory, slots = node.memory.copy(), node.slots.copy()
        calls = self._calls
        calls.state, calls.memory = node.state, memory
        event, owner = take(_Clearing(calls, memory, by_address), slots, node.depth, op)
        event = replace(event, index=node.depth)
        before = node.heap.view(event)
        self.online.heap = node.heap.copy()
        violations = self.online.feed(node.depth, event, owner)
        self.transitions += 1
        for name, goal in self.model.goals.items():
            if not self.reached[name] and goal(before, event, self.online.heap.view(event)):
                self.reached[name] = True
        counted = int(event.num_free), int(event.num_allocated)
        after = _Node(calls.state, memory, slots, self.online.heap, counted, node.depth + 1, op, node)
        return after, violations

    def run(self, limit: int) -> tuple[bool, Witness | None]:
        """Search until all states are seen, `limit` is exceeded or a law is broken.

        Whether all were seen, and the witness of a violation.
        """
        first = self.start()
        self.seen.add(first.key)
        waiting = deque([first])
        while waiting:
            node = waiting.popleft()
            for op in self.moves(node):
                after, violations = self.follow(node, op)
                if violations:
                    trace = make_trace(self.model.shape, after.ops(), self.model.env)
                    return False, Witness(trace, tuple(violations))
                key = after.key
                if key in self.seen:
                    continue
                if len(self.seen) >= limit:
                    return False, None
                self.seen.add(key)
                self.depth = after.depth
                waiting.append(after)
        return True, None


def explore(model: Model, limit: int = 1_000_000) -> Exploration:
    """Visit every reachable state of `model`, up to `limit` states, and decide the shape's laws on every
    transition.
    """
    search = _Search(model)
    complete, witness = search.run(limit)
    missed = [name for name, reached in search.reached.items() if not reached]
    evidence = Exhausted(len(search.seen), search.transitions, model.bound)
    verdicts = tuple(_verdict(tally, evidence, complete, missed) for tally in search.online.tallies)
    return Exploration(len(search.seen), search.transitions, search.depth, search.reached, complete, witness, verdicts)


def _verdict(tally: Tally, evidence: Exhausted, complete: bool, missed: list[str]) -> Verdict:
    """The judge's outcome, with what the search adds to it."""
    judged = tally.verdict()
    if isinstance(judged.outcome, Violated) or not isinstance(judged.outcome, Holds):
        return judged
    if not complete:
        return replace(judged, outcome=Unknown(f"the search ended early, after {evidence.states:,} states"))
    if missed:
        return replace(judged, outcome=Unknown("never reached: " + ", ".join(missed)))
    return replace(judged, evidence=evidence)


# ---------------------------------------------------------------------------------------------- pools

POOL_GOALS: Mapping[str, Goal] = {
    "the pool fills": lambda pre, e, post: post.live == e.env.num_blocks,
    "a full pool refuses": lambda pre, e, post: bool(e.failed) and pre.live == e.env.num_blocks,
    "the pool empties again": lambda pre, e, post: pre.live > 0 and post.live == 0,
}


def pool_model(block_size: int, num_blocks: int, step: Step = pool.step) -> Model:
    """A pool whose user allocates and frees in every order. `step` may replace the reference steps."""
    size = pool.rounded(block_size)
    memory = WordMemory(BUFFER, BUFFER + size * num_blocks)

    def init(words: WordMemory) -> pool.PoolState:
        return pool.init(BUFFER, block_size, num_blocks, words)

    return Model(
        shape="pool",
        env=init(memory.copy()).env,
        memory=memory,
        init=init,
        step=step,
        requests=(Op(Kind.ALLOC, size), Op(Kind.FREE)),
        goals=POOL_GOALS,
        bound=f"pools of {num_blocks} block{'s' * (num_blocks != 1)} of {size} bytes",
    )


def explore_pool(block_size: int, num_blocks: int, step: Step = pool.step, limit: int = 1_000_000) -> Exploration:
    """Explore every state of a pool: 2, 5, 16, 65, 326, … states for 1, 2, 3, 4, 5, … blocks.

    That is the number of ordered choices of free blocks: every free list that can be written is reached.
    """
    return explore(pool_model(block_size, num_blocks, step), limit)


__all__ = ["Exploration", "Model", "Witness", "explore", "explore_pool", "pool_model"]
