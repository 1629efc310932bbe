"""The first-fit free list: its walks' turns, what they find, and whole operations on short lists."""

from dataclasses import dataclass
from itertools import pairwise

from heaplaw.refimpl.steps import freelist as steps
from heaplaw.refimpl.steps.freelist import FreeListState
from heaplaw.spec.event import Block, Env, Event, Status, View
from heaplaw.spec.history import Op
from heaplaw.spec.report import Report, first_fitting
from heaplaw.spec.shapes import Kind

from .engine import Contract
from .memory import ADDRESSES, ALIGNS, Cells, disjoint, holds

MOST = 4
"""No list here gets longer."""


@dataclass(frozen=True)
class Listed:
    """A free list: its state, its memory, and its blocks, start and size, in list order."""

    state: FreeListState
    memory: Cells
    nodes: list[tuple[int, int]]


def listed(nodes: list[tuple[int, int]], coalesces: bool = False) -> Listed:
    """The list of these blocks; the buffer is all memory, and what is no free block is live."""
    memory, following = Cells(), 0
    for start, size in reversed(nodes):
        steps.write_block(start, size, following, memory)
        following = start
    free = sum(size for _, size in nodes)
    return Listed(steps.FreeListState(8, ADDRESSES - 9, following, ADDRESSES - 9 - free, coalesces), memory, nodes)


def walked(state: FreeListState, memory: Cells) -> list[tuple[int, int]]:
    """The blocks of a list, in order."""
    found: list[tuple[int, int]] = []
    block = state.free_list
    while block != 0 and len(found) <= MOST:
        found.append((block, memory.read(block)))
        block = memory.read(block + 8)
    return found


def conserved(before: int, state: FreeListState, memory: Cells, taken: list[tuple[int, int]]) -> bool:
    """Free and taken blocks share no byte, are none too small, and have as many bytes as there were."""
    free = walked(state, memory)
    everything = free + taken
    total = sum(size for _, size in everything)
    least = Report(least_free=least_of(free), least_taken=least_of(taken))
    whole = holds(("split_leaves_minimum",), Event(Kind.CHECK, 0, report=least, env=state.env))
    return whole and total == before and disjoint([Block(start, size) for start, size in everything])


def least_of(blocks: list[tuple[int, int]]) -> int:
    """The size of the smallest one."""
    return min((size for _, size in blocks), default=2**64)


def is_node(start: int, size: int) -> bool:
    """A block of the list: whole words, 32 bytes at least, inside the buffer."""
    return 8 <= start and start % 8 == 0 and size % 8 == 0 and 32 <= size and start + size < ADDRESSES


def visit(block: int, room: int, following: int, size: int, align: int) -> bool:
    """A turn of the walk says that a block fits if and only if the request gets a lawful address in it; and goes on.

    pre: is_node(block, room)
    pre: 0 <= size < 2**64
    pre: 0 <= align < 2
    post: _
    """
    memory, power = Cells(), ALIGNS[align]
    steps.write_block(block, room, following, memory)
    fits, onward = steps.visit(steps.Place(0, block), size, power, memory)
    first = Report(first_fit=first_fitting([(block, room)], size, power, steps.HEADER))
    env = Env(8, False, base=block + steps.HEADER, capacity=room - steps.HEADER)
    ptr, status = (block + steps.lead_of(block, power), Status.OK) if fits else (0, Status.FAILED)
    e = Event(Kind.ALIGNED, size, power, ptr=ptr, status=status, report=first, env=env)
    return holds(("first_fit", "aligned", "in_bounds"), e) and bool(onward == steps.Place(block, following))


def take(block: int, room: int, size: int, align: int) -> bool:
    """A block that fits is handed out: aligned, inside; what is left stays on the list; no byte is lost or shared.

    pre: is_node(block, room)
    pre: 0 <= size < 2**64
    pre: 0 <= align < 2
    post: _
    """
    now, power = listed([(block, room)]), ALIGNS[align]
    place = steps.Place(0, block)
    fits, onward = steps.visit(place, size, power, now.memory)
    if not fits:
        return True
    after, ptr = steps.take(now.state, place, size, power, onward.block, now.memory)
    start, taken = now.memory.read(ptr - 8), now.memory.read(ptr - 16)
    env = Env(8, False, base=start + steps.HEADER, capacity=taken - steps.HEADER)
    e = Event(Kind.ALIGNED, size, power, ptr=ptr, env=env)
    counted = after.allocated - now.state.allocated == taken
    return holds(("aligned", "in_bounds"), e) and counted and conserved(room, after, now.memory, [(start, taken)])


def push(head: int, room: int, block: int, size: int) -> bool:
    """A freed block goes to the head of the list, and serves its size again.

    pre: is_node(head, room) and is_node(block, size)
    pre: head + room <= block or block + size <= head
    post: _
    """
    now = listed([(head, room)])
    after = steps.push(now.state, block, size, now.memory)
    if not conserved(room + size, after, now.memory, []):
        return False
    pre = View(live=1, freed=size - steps.HEADER)
    _, e = steps.step(after, Op(Kind.ALLOC, size - steps.HEADER), 0, now.memory)
    return holds(("freed_is_reusable",), pre, e, View(live=2)) and e.ptr == block + steps.HEADER


def pass_by(before: int, node: int, following: int, block: int) -> bool:
    """A turn of the walk in order of address stops in front of the first block that lies above, else goes on.

    pre: 0 <= before < node < ADDRESSES and 0 <= following and 0 < block
    pre: block != node
    post: _
    """
    memory = Cells()
    steps.write_block(node, 32, following, memory)
    place = steps.Place(before, node)
    here, onward = steps.pass_by(place, block, memory)
    return bool(onward == (place if here else steps.Place(node, following))) and here == (block < node)


def joined(before: int, state: FreeListState, memory: Cells) -> bool:
    """A list in order of address, in which no two blocks touch, of so many bytes."""
    nodes = walked(state, memory)
    apart = [Block(start, size + 1) for start, size in nodes]
    rising = all(one < other for (one, _), (other, _) in pairwise(nodes))
    return rising and disjoint(apart) and conserved(before, state, memory, [])


def join(low: int, low_size: int, block: int, size: int, high: int, high_size: int) -> bool:
    """A block put between two others becomes one with those that it touches; no byte is lost or shared.

    pre: is_node(low, low_size) and is_node(block, size) and is_node(high, high_size)
    pre: low + low_size <= block and block + size <= high
    post: _
    """
    now = listed([(low, low_size), (high, high_size)], True)
    after = steps.join(now.state, steps.Place(low, high), block, size, now.memory)
    return joined(low_size + size + high_size, after, now.memory)


def alloc(one: int, one_size: int, other: int, other_size: int, size: int) -> bool:
    """A request gets the first block, in list order, that it fits into; a refusal changes nothing.

    pre: is_node(one, one_size) and is_node(other, other_size)
    pre: one + one_size <= other
    pre: 0 <= size < 2**63
    post: _
    """
    now = listed([(other, other_size), (one, one_size)])
    after, ptr = steps.alloc(now.state, size, 8, now.memory)
    first = Report(first_fit=first_fitting(now.nodes, size, 8, steps.HEADER))
    status = Status.OK if ptr != 0 else Status.FAILED
    e = Event(Kind.ALLOC, size, ptr=ptr, status=status, report=first, env=after.env)
    pre = View(remaining=now.state.remaining, total=now.state.allocated)
    post = View(remaining=after.remaining, total=after.allocated)
    return holds(("first_fit", "aligned"), e) and holds(("failure_changes_nothing",), pre, e, post)


def insert(low: int, low_size: int, high: int, high_size: int, block: int, size: int) -> bool:
    """A freed block finds its place in order of address, in a list of two, and is joined with what it touches.

    pre: is_node(low, low_size) and is_node(block, size) and is_node(high, high_size)
    pre: low + low_size < high
    pre: block + size <= low or low + low_size <= block
    pre: block + size <= high or high + high_size <= block
    post: _
    """
    now = listed([(low, low_size), (high, high_size)], True)
    after = steps.insert(now.state, block, size, now.memory)
    return joined(low_size + size + high_size, after, now.memory)


_REQUEST = "any block and size, aligned to 8 or 64"
CONTRACTS = (
    Contract("freelist.visit", visit, _REQUEST),
    Contract("freelist.take", take, _REQUEST),
    Contract("freelist.push", push, "any block, a list of one"),
    Contract("freelist.pass_by", pass_by, "any block and place"),
    Contract("freelist.join", join, "any block between any two"),
    Contract("freelist.alloc", alloc, "lists of two blocks, any size, aligned to 8"),
    Contract("freelist.insert", insert, "lists of two blocks, any block beside these"),
)
