"""Regions that are given back at once, or in the opposite order."""

from heaplaw.spec.event import Direction

from ..entry import Entry
from ..program import alloc, mark, pop, program, refused, release, renew, reset

MONOTONIC = Entry(
    "bump_monotonic",
    "A bump moves one way: each block lies beyond all those handed out since the last reset, so that nothing is ever "
    "handed out twice and neighbours in time are neighbours in memory. Where a direction is promised it is that one; "
    "else either will do, once and for all. Seen to break it: a small request that takes padding which an aligned one "
    "has left behind.",
    kept=program("bump", alloc(64, 0x80), alloc(32, 0xC0), capacity=256, direction=Direction.UP),
    broken=program("bump", alloc(64, 0x80), alloc(32, 0x40), capacity=256, direction=Direction.UP),
    legitimate="in the other direction, where none is promised. An allocator that fills gaps is no bump: map it as an "
    "`arena`.",
    settings=('direction = "any"', 'direction = "down"'),
)
RESET = Entry(
    "reset_frees_all",
    "A reset, like an instance that is made again, brings the beginning back: what was served then is served now, and "
    "from one buffer at the same addresses, with the same counters. Frames and requests are built on it. Seen to break "
    "it: a reset that counts all blocks as free and leaves the list as it is, and an instance made again that begins "
    "where the old one had come to.",
    kept=program("bump", alloc(64, 0x0), reset(), alloc(64, 0x0), capacity=256),
    broken=program("bump", alloc(64, 0x0), reset(), alloc(64, 0x40), capacity=256),
    legitimate="never, for a request that was served before. Addresses are compared only where all blocks come from "
    "one buffer in order, of a bump or a stack; a reset that gives back less is not mapped as `reset`.",
)
POP = Entry(
    "lifo_pop",
    "A pop undoes the newest live allocation and nothing else: the top of the stack is where it was before, counters "
    "are, and the same request gets the same address. At any depth, in a row, and with blocks of no bytes; on an empty "
    "stack it does nothing. Seen to break it: padding that is not given back, the place of the block below kept in one "
    "place only, so that the second pop in a row changes nothing, and depths beyond 64.",
    kept=program("stack", alloc(64, 0x10), alloc(32, 0x60), pop(), alloc(32, 0x60), capacity=256),
    broken=program("stack", alloc(64, 0x10), alloc(32, 0x60), pop(), alloc(32, 0x90), capacity=256),
    legitimate="never: it is what a stack is.",
)
RELEASE = Entry(
    "release_frees_all",
    "A release gives back everything that was made since the mark, and the mark with it: what was asked for after the "
    "mark is served again. What is older stays. Seen to break it: a release that gives back the newest chunk and no "
    "more, one that goes back to the latest mark whichever is named, and chunks of large blocks that count as in use "
    "for ever.",
    kept=program("arena", mark(0x10), alloc(96, 0x10), release(1), mark(0x10), alloc(96, 0x10)),
    broken=program("arena", mark(0x10), alloc(96, 0x10), release(1), mark(0x10), alloc(96)),
    legitimate="never, for requests that were served before. Addresses may differ: an arena may choose other chunks.",
)
MADE_AGAIN = Entry(
    "made_again",
    "An instance can be destroyed at any time, with blocks live or none, and another one made over the same memory. "
    "Tests and servers do it for every case and every connection. Seen to break it: a stack that is dropped with "
    "blocks live and then cannot be made again over the same buffer.",
    kept=program("stack", alloc(64, 0x10), renew(), alloc(64, 0x10), capacity=256),
    broken=program("stack", alloc(64, 0x10), refused(renew()), capacity=256),
    legitimate="never, where the mapping has a call that destroys. An instance that lives as long as the process is "
    "mapped without `destroy`.",
)

ENTRIES = (MONOTONIC, RESET, POP, RELEASE, MADE_AGAIN)
