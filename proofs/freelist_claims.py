"""What is claimed of an operation on a free list: the laws, and the invariant that they stand on."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from heaplaw.refimpl.steps.freelist import HEADER
from heaplaw.spec.event import Block, Flag
from heaplaw.spec.heap import block_of
from heaplaw.spec.layout import PTRDIFF_MAX, SIZE_MAX
from heaplaw.spec.logic import Truth, Word, every, implies, ite, neg
from heaplaw.spec.report import Report, fits, payload_in
from heaplaw.spec.shapes import Kind

from . import claims
from .freelist_request import Done, wanted
from .freelist_state import outside, told
from .prove import Claim, law_claim
from .tables import WORD

Claims = dict[str, Callable[[Done], Claim]]
SILENT = Claim(False, True)
"""Of a turn that is not the last, nothing: the operation is not over."""


def when_over(claim: Callable[[Done], Claim]) -> Callable[[Done], Claim]:
    """A claim on an operation that is over."""
    return lambda done: claim(done) if done.walk.ended else SILENT


def on_event(name: str) -> Callable[[Done], Claim]:
    """A law on one operation."""
    return when_over(claims.on_event(name))


def on_step(name: str) -> Callable[[Done], Claim]:
    """A law on an operation with the heap before and after."""
    return when_over(claims.on_step(name))


def handed(done: Done) -> bool:
    """A block was handed out."""
    return bool(done.walk.ended) and bool(done.event.makes)


# ------------------------------------------------------------------------------------------------ the invariant


def listed(done: Done) -> Claim:
    """Any place in the list after it."""
    after = done.after
    return Claim(done.walk.ended, after.headed() & after.linked(done.places[0]))


def apart(done: Done) -> Claim:
    """Any two places."""
    return Claim(done.walk.ended, done.after.apart(*done.places))


def order_kept(done: Done) -> Claim:
    """Any two places, where the two blocks that stood there, and the one that was taken, were in order."""
    before, after = replace(done.before, ordered=True), replace(done.after, ordered=True)
    near = (done.walk.place - 1, done.walk.place)
    pairs = [near, done.former, *((one, each) for one in done.former for each in near)]
    return Claim(every(before.apart(*pair) for pair in pairs) & done.walk.ended, after.apart(*done.places))


def free_xor_live(done: Done) -> Claim:
    """Any free block, against the block handed out and any other live one."""
    after, place = done.after, done.places[0]
    return Claim(done.walk.ended, after.clear(done.other, place) & implies(handed(done), after.clear(done.made, place)))


def every_free(done: Done) -> Claim:
    """All three: where a block is given back they say the same of it."""
    return Claim(done.walk.ended, listed(done).body & apart(done).body & free_xor_live(done).body)


def headers(done: Done) -> Claim:
    """The block handed out, and any other live one: they are apart, and their headers say what they are."""
    after, made, other = done.after, done.made, done.other
    new = after.headers(made) & made.apart(other) if handed(done) else True
    return Claim(done.walk.ended, after.headers(other) & new)


def counted(done: Done) -> Claim:
    """Sums, constants, and what the history says."""
    before, after = done.before.state, done.after.state
    same = (before.buffer == after.buffer) & (before.capacity == after.capacity)
    says = (done.post.total == after.allocated) & (done.post.remaining == after.capacity - after.allocated)
    covered = done.after.covered(done.address, done.post.live) if done.after.ordered else True
    fits = implies(handed(done), done.made.requested + HEADER <= done.after.high - done.after.low)
    here = done.after.conserved() & told(done.after, done.post, done.witness) & covered & fits
    return Claim(done.walk.ended, here & same & says)


def accesses(done: Done) -> Claim:
    """Where words are read and written."""
    now, place = done.before, done.walk.place
    block, link = now.node(place), now.at[place - 1]

    def own(address: Word) -> Truth:
        """In the block that changes hands, or in the first two words of the one before it."""
        here = now.exists(place) & (address >= block.start) & (address + WORD <= block.start + block.size)
        back = (address >= done.freed.start) & (address + WORD <= done.freed.start + done.freed.length)
        return here | back | (now.exists(place - 1) & ((address == link) | (address == link + WORD)))

    def kept(address: Word) -> Truth:
        """In no payload."""
        new = outside(address, WORD, done.made.payload, done.made.requested)
        return outside(address, WORD, done.other.payload, done.other.usable) & (new if handed(done) else True)

    places = [access.address for access in done.accesses]
    return Claim(True, every((each % WORD == 0) & own(each) & kept(each) for each in places))


# ----------------------------------------------------------------------------------------------------- the walk


def initialisation(done: Done) -> Claim:
    """The loop is entered at the head of the list, and is not where there is none."""
    now, entered = done.before, done.walk.entered
    if entered is None:
        return Claim(True, now.count == 0)
    here = (entered[0].before == 0) & (entered[0].block == now.block(0))
    return Claim(True, here & neg(now.count == 0) & looked_for(done, entered))


def preservation(done: Done) -> Claim:
    """A turn that is not the last leads to the next place; the walk then is as far as it says. The last one is."""
    now, seen, place = done.before, done.walk, done.walk.place
    if seen.ended or seen.turned is None:
        return SILENT
    onward = seen.turned[1]
    here = (onward.before == now.block(place)) & (onward.block == now.block(place + 1))
    below = now.block(place) < done.freed.start if done.asked.kind == Kind.FREE else True
    return Claim(True, here & below & (not seen.beyond))


def variant(done: Done) -> Claim:
    """From the head on, the next turn is that of the place to which the last one led, where a block is: one less."""
    now, seen, place = done.before, done.walk, done.walk.place
    if seen.entered is None:
        return SILENT
    if seen.again is None:
        return Claim(True, place == now.count)
    here = seen.again[0]
    led = (here.before == now.block(place - 1)) & (here.block == now.block(place))
    return Claim(True, led & now.exists(place) & looked_for(done, seen.again) & initialisation(done).body)


def looked_for(done: Done, args: tuple[Any, ...]) -> Truth:
    """A turn looks for what was asked for, or for what nobody serves, if it was; or for the place of what is freed."""
    if done.asked.kind == Kind.FREE:
        return args[1] == done.freed.start
    size = ite(done.asked.unserviceable, args[1] > PTRDIFF_MAX, args[1] == done.asked.extent)
    return size & (args[2] == wanted(done.asked))


def first_fit(done: Done) -> Claim:
    """The law; and of a turn that passes by a block, that it does not hold the request."""
    now, place, e = done.before, done.walk.place, done.event
    size, align = done.asked.extent, wanted(done.asked)

    def got(at: Word, otherwise: Word) -> Word:
        node = now.node(at)
        return ite(now.exists(at) & fits(node, size, align, HEADER), payload_in(node, align, HEADER), otherwise)

    if not done.walk.ended:
        return Claim(neg(done.asked.unserviceable), got(place, 0) == 0)
    here = got(place, 0)
    first = ite((done.earlier < place) | e.failed, got(done.earlier, here), here)
    return law_claim("first_fit", replace(e, report=Report(first_fit=first)))


def linear_time(done: Done) -> Claim:
    """The law, where each block that was passed by cost two words; and that a turn costs no more."""
    words, seen, now = len(done.accesses), done.walk, done.before
    if not seen.ended:
        moved = not seen.beyond and seen.again is not None and seen.again[0].block == now.block(seen.place)
        return Claim(True, moved & (words <= (4 if done.asked.kind == Kind.FREE else 2)))
    report = Report(cost=2 * done.walk.place + words, nodes=done.before.count)
    return law_claim("linear_time", replace(done.event, report=report))


def constant_time(done: Done) -> Claim:
    """The law; there is no walk."""
    if not done.walk.ended:
        return Claim(True, False)
    return law_claim("constant_time", replace(done.event, report=Report(cost=len(done.accesses))))


# --------------------------------------------------------------------------------------------------- the blocks


def other_block(done: Done) -> Block:
    """The other live block, as laws see it."""
    return Block(done.other.payload, done.other.requested, 0, usable=done.other.usable)


def on_pair(name: str) -> Callable[[Done], Claim]:
    """A law on the block handed out, against any that was live."""
    return lambda done: law_claim(name, other_block(done), block_of(done.event, 1), given=handed(done))


def buffer_respected(done: Done) -> Claim:
    """The law: nothing is written outside."""
    buffer, capacity = done.before.state.buffer, done.before.state.capacity
    written = [(access.address, WORD) for access in done.accesses if access.writes]
    inside = every((low >= buffer) & (low + size <= buffer + capacity) for low, size in (*written, *done.zeroed))
    told = replace(done.event, flags=ite(inside, 0, int(Flag.OUTSIDE)))
    return law_claim("buffer_respected", told, given=done.walk.ended)


def payload_kept(done: Done) -> Claim:
    """Any word of any block that is live before and after, read back by its owner afterwards."""
    offset, held = WORD * done.word, done.other.requested
    where = done.other.payload + offset
    damaged = neg(done.after.words[where] == done.before.words[where])
    check = claims.read_back(damaged, held, offset, done.asked.env)
    return law_claim("payload_kept", check, given=done.walk.ended & (done.word >= 0) & (offset < held))


def split_leaves_minimum(done: Done) -> Claim:
    """The law, on any block in the list and on the one handed out, as their words say."""
    free = ite(done.after.exists(done.places[0]), done.after.words[done.after.at[done.places[0]]], SIZE_MAX)
    taken = done.made.length if handed(done) else SIZE_MAX
    said = replace(done.event, report=Report(least_free=free, least_taken=taken))
    return law_claim("split_leaves_minimum", said, given=done.walk.ended)


def zeroed(done: Done) -> Claim:
    """The law, on any byte of the block handed out: zero where a range covers it."""
    cleared = claims.in_ranges(done.event.ptr + done.word, done.zeroed)
    return claims.byte_zeroed(done.event, done.word, cleared, handed(done))


INVARIANT: Claims = {
    "listed": listed,
    "apart": apart,
    "free_xor_live": free_xor_live,
    "headers": headers,
    "counted": counted,
    "accesses": accesses,
}
TURNS: Claims = {"initialisation": initialisation, "preservation": preservation, "variant": variant}
WALK: Claims = {**TURNS, "first_fit": first_fit, "linear_time": linear_time}
FREED: Claims = {
    "listed": every_free,
    "headers": headers,
    "counted": counted,
    "accesses": accesses,
    "payload_kept": payload_kept,
    "buffer_respected": buffer_respected,
    "split_leaves_minimum": split_leaves_minimum,
    **{name: on_step(name) for name in ("total_is_live_bytes", "remaining_is_rest")},
    "free_is_served": on_event("free_is_served"),
}
ON_EVENT = (
    "aligned",
    "in_bounds",
    "usable_size_covers_request",
    "overflow_is_failure",
    "failure_is_reported",
)
PLACEMENT: Claims = {
    **{name: on_event(name) for name in ON_EVENT},
    **{name: on_pair(name) for name in ("blocks_disjoint", "usable_sizes_disjoint")},
    "split_leaves_minimum": split_leaves_minimum,
    "payload_kept": payload_kept,
    "buffer_respected": buffer_respected,
}
COUNTERS: Claims = {
    name: on_step(name)
    for name in ("total_is_live_bytes", "remaining_is_rest", "failure_changes_nothing", "freed_is_reusable")
}
WORDS = {
    "listed": "each free block is whole words of the buffer, says how long it is, and leads to the next",
    "apart": "any two free blocks are apart: the list has no cycle",
    "order_kept": "where free blocks are in order of address, and do not touch, they are and do not afterwards",
    "free_xor_live": "no byte is in a free block and in a live one",
    "headers": "live blocks are apart, and each has its length and its start in front of its payload",
    "counted": "the blocks, live and free, are all whole words of the buffer, and the counter counts the live ones",
    "accesses": "only words at multiples of 8 are read and written, of headers and links, and of no live payload",
    "whole": "the whole words of the buffer are one free block, unless they are fewer than 32 bytes; nothing is live",
    "unharmed": "an owner who writes all that he may use damages no header and no free block",
    "initialisation": "the walk begins at the head of the list",
    "preservation": "a turn of the walk that is not the last leads to the next block of the list",
    "variant": "each turn of the walk leaves one block less to come",
}
