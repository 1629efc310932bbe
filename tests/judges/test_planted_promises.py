"""Promises, counters, orders: for each clause of a law, a small history, and the very operation that is blamed."""

from dataclasses import replace
from errno import EINVAL, ENOMEM

import pytest

from heaplaw import judges
from heaplaw.spec.event import Flag, Order, Padding, Status, Zero
from heaplaw.spec.shapes import Kind

from .planted import BASE, MIB, Case, Cases, counting, says, scribe
from .scribe import Scribe

FAILED, WRONG = Status.FAILED, Status.WRONG
CASES = Cases()
of = CASES.of


# ------------------------------------------------------------------------------------------ HL307, HL308


@of("zero_size_as_promised")
def nothing_is_the_failure_value() -> Case:
    made = scribe("arena", zero_size=Zero.NULL)
    made.ask(0, 0)
    bad = [made.ask(BASE, 0), made.ask(BASE, 0, kind=Kind.ALIGNED, align=16), made.ask(0, 0, status=WRONG)]
    bad.append(made.ask(BASE, 8, kind=Kind.ZALLOC, count=0))
    made.ask(BASE + 8, 8)
    return made, bad


@of("zero_size_as_promised")
def nothing_is_a_block_of_its_own() -> Case:
    made = scribe("arena", zero_size=Zero.UNIQUE)
    made.ask(0, 0)  # nobody knows yet what the empty arena can serve
    made.ask(BASE, 64)
    made.ask(BASE + 64, 0)
    made.ask(0, 0)  # it may be full
    made.reset()
    bad = [made.ask(0, 0)]
    made.reset()
    bad.append(made.ask(0, 0, kind=Kind.ALIGNED, align=16))
    made.reset()
    made.ask(0, 0, kind=Kind.ALIGNED, align=32)  # 64 bytes may not be enough for that
    bad.append(made.ask(0, 0, status=WRONG))
    return made, bad


@of("zero_size_as_promised")
def nothing_may_be_refused_by_an_arena_that_cannot_grow() -> Case:
    made = scribe("arena", zero_size=Zero.UNIQUE, capacity=0)
    made.ask(BASE, 8)
    made.ask(0, 0)
    return made, []


@of("zero_size_as_promised")
def nothing_where_a_byte_was_just_freed() -> Case:
    made = scribe("malloc", zero_size=Zero.UNIQUE, coalesces=False, capacity=0)
    kept, one, two = made.ask(BASE, 64), made.ask(BASE + 64, 1), made.ask(BASE + 96, 1)
    made.ask(0, 0)  # it may be full
    made.free(one)
    bad = made.ask(0, 0, kind=Kind.ZALLOC, count=0)
    made.free(two)
    made.ask(0, 0, kind=Kind.ALIGNED, align=64)  # a byte may lie anywhere
    made.free(kept)
    made.ask(0, 0)  # what is freed may belong to another class of sizes, and nothing was joined
    return made, [bad]


@of("zero_size_as_promised")
def nothing_where_what_was_freed_is_joined() -> Case:
    made = scribe("malloc", zero_size=Zero.UNIQUE, capacity=0)
    kept, large, small = made.ask(BASE, 8), made.ask(BASE + 64, 256), made.ask(BASE + 512, 8)
    made.free(large)
    bad = [made.ask(0, 0, kind=Kind.ALIGNED, align=64)]
    made.free(small)
    made.ask(0, 0, kind=Kind.ALIGNED, align=64)
    made.free(kept)
    bad.append(made.ask(0, 0))  # nothing is live
    return made, bad


@of("errno_told")
def errno_forgotten() -> Case:
    made = scribe("malloc", max_align=16)
    held = made.ask(BASE, 64)
    made.ask(0, 64, err=ENOMEM)
    made.ask(0, 64, err=EINVAL)
    bad = [made.ask(0, 64), made.ask(0, 64, err=1), made.resize(held, 0, 128)]
    made.ask(0, 0)
    made.ask(0, 64, kind=Kind.POSIX_ALIGNED, align=16)
    made.ask(0, 2**63)  # no object is so large: its extent counts as 0
    return made, bad


# ------------------------------------------------------------------------------------------------- HL303


@of("failure_changes_nothing")
def refusal_takes_bytes() -> Case:
    made = counting("bump")
    made.ask(BASE, 64, **says(made, 64))
    bad = [made.ask(0, 5000, **says(made, 64, remaining=0)), made.ask(0, 5000, **says(made, 72, remaining=0))]
    bad.append(made.ask(0, 5000, **says(made, 72, remaining=0, num_free=3)))
    made.ask(0, 5000, **says(made, 72, remaining=0, num_free=3))
    return made, bad


@of("failure_changes_nothing")
def refusal_in_another_instance() -> Case:
    """Counters, and what was freed just before, are each instance's own."""
    made = counting("freelist")
    made.envs = (made.envs[0], replace(made.envs[0], base=BASE + MIB, remaining=100))
    held = made.ask(BASE, 64, remaining=4000)
    made.ask(0, 200, instance=1, remaining=100)
    made.free(held, remaining=4096)
    made.ask(0, 200, instance=1, remaining=100)
    made.ask(0, 64, instance=1, remaining=100)
    made.ask(0, 5000, remaining=4096)
    return made, [made.ask(0, 64, remaining=4096)]


# -------------------------------------------------------------------------------------- HL406, HL407, HL414


@of("freed_is_reusable")
def freed_and_refused() -> Case:
    made = scribe("freelist")
    made.free(made.ask(BASE, 64))
    bad = [made.ask(0, 64)]
    made.ask(0, 64)  # no longer right after
    made.free(made.ask(BASE, 64))
    made.ask(0, 65)
    made.free(made.ask(BASE, 64))
    made.ask(0, 64, kind=Kind.ALIGNED, align=4096)
    made.free(made.ask(BASE, 64))
    made.ask(0, 0)
    made.free(made.ask(BASE, 64))
    return made, [*bad, made.ask(0, 8, kind=Kind.ZALLOC, count=8)]


@of("freed_is_reusable")
def freed_in_another_instance() -> Case:
    made = scribe("freelist")
    made.envs = (made.envs[0], made.envs[0])
    made.free(made.ask(BASE, 64))
    made.ask(0, 64, instance=1)
    return made, [made.ask(0, 64)]


def pool(order: Order) -> Scribe:
    return scribe("pool", reuse_order=order, block_size=64, num_blocks=64, remaining=0)


@of("reuse_order")
def newest_first() -> Case:
    made = pool(Order.LIFO)
    blocks = [made.ask(BASE + 64 * k, 64) for k in range(4)]
    for block in (blocks[2], blocks[0], blocks[3]):
        made.free(block)
    made.ask(BASE + 192, 64)
    bad = [made.ask(BASE + 128, 64), made.ask(BASE + 256, 64)]
    made.ask(BASE, 64)
    made.ask(BASE + 320, 64)
    return made, bad


@of("reuse_order")
def oldest_first() -> Case:
    made = pool(Order.FIFO)
    blocks = [made.ask(BASE + 64 * k, 64) for k in range(4)]
    for block in (blocks[2], blocks[0], blocks[3]):
        made.free(block)
    bad = [made.ask(BASE, 64)]
    made.ask(BASE + 256, 64)  # never used before
    made.ask(BASE + 128, 64)
    made.ask(BASE + 192, 64)
    return made, bad


@of("reuse_order")
def no_order_without_a_promise() -> Case:
    made = pool(Order.ANY)
    blocks = [made.ask(BASE + 64 * k, 64) for k in range(2)]
    for block in blocks:
        made.free(block)
    made.ask(BASE, 64)
    return made, []


@of("reuse_order")
def order_begins_anew() -> Case:
    made = pool(Order.LIFO)
    for end in (made.reset, made.renew, lambda: made.ask(0, 64, status=WRONG)):
        made.free(made.ask(BASE, 64))
        end()
        made.ask(BASE + 64, 64)
    made.free(made.ask(BASE, 64))
    made.ask(0, 64)  # a refusal changes nothing
    return made, [made.ask(BASE + 64, 64)]


@of("reuse_order")
def order_where_an_address_was_freed_twice() -> Case:
    """Two live blocks at one address, which is another law's affair. The one that was freed first comes back first."""
    made = pool(Order.LIFO)
    blocks = [made.ask(BASE + 64 * k, 64) for k in (0, 1, 0)]
    for block in blocks:
        made.free(block)
    made.ask(BASE, 64)
    made.ask(BASE, 64)
    made.ask(BASE + 64, 64)
    return made, []


@of("capacity_comes_back")
def empty_heap_serves_less() -> Case:
    made = scribe("freelist")
    for size in (100, 40):
        made.free(made.ask(BASE, size))
    made.ask(0, 101)
    bad = [made.ask(0, 100)]
    made.ask(0, 100, kind=Kind.ALIGNED, align=16)
    made.ask(0, 0)
    bad.append(made.ask(0, 20, kind=Kind.ZALLOC, count=5))
    made.ask(BASE, 8)
    made.ask(0, 100)  # not empty
    return made, bad


@of("capacity_comes_back")
def empty_heap_and_what_does_not_count() -> Case:
    made = scribe("freelist")
    made.free(made.ask(BASE, MIB + 1))
    made.free(made.ask(BASE, 200, kind=Kind.ALIGNED, align=16))
    first = made.ask(BASE, 8)
    made.free(made.ask(BASE + 64, 300))
    made.free(first)
    made.ask(0, 9)
    return made, [made.ask(0, 8)]


@of("capacity_comes_back")
def empty_heap_by_a_resize_or_a_reset() -> Case:
    made = scribe("freelist")
    made.resize(made.ask(BASE, 100), BASE, 3000)
    made.ask(0, 50)
    made.reset()
    made.ask(0, 101)
    return made, [made.ask(0, 100)]


# ----------------------------------------------------------------------------------- HL411, HL412, HL413


@of("total_is_live_bytes")
def total_is_too_small() -> Case:
    made = counting("freelist")
    first = made.ask(BASE, 64, **says(made, 64))
    bad = made.ask(BASE + 64, 64, **says(made, 127))
    made.resize(first, BASE + 256, 32, **says(made, 96))
    return made, [bad]


@of("total_is_live_bytes")
def total_of_nothing() -> Case:
    made = counting("freelist", total=16)
    bad = made.free(made.ask(BASE, 64, **says(made, 80)), **says(made, 8))
    made.ask(0, 64, **says(made, 0))
    made.ask(BASE, 0, **says(made, 0, total=0))  # a live block of no bytes
    return made, [bad, made.free(3, **says(made, 0, total=0))]


@of("total_is_live_bytes")
def total_without_padding() -> Case:
    made = counting("bump", padding=Padding.EXCLUDED)
    made.ask(BASE, 60, **says(made, 60))
    return made, [made.ask(BASE + 64, 60, **says(made, 124))]


@of("total_is_live_bytes")
def total_unread() -> Case:
    """Counters that nobody could read say nothing."""
    made = scribe("bump")
    made.ask(BASE, 60, flags=Flag.UNWRITABLE, bad_at=9)
    made.ask(0, 60, status=Status.DIED)
    return made, []


@of("remaining_is_rest")
def remaining_is_more_than_there_was() -> Case:
    made = counting("freelist")
    return made, [made.ask(0, 64, remaining=4097)]


@of("remaining_is_rest")
def remaining_counts_too_little() -> Case:
    made = counting("freelist")
    made.ask(BASE, 64, remaining=4032)
    return made, [made.ask(BASE + 64, 64, remaining=3969)]


@of("remaining_is_rest")
def remaining_of_one_buffer_is_whole_again() -> Case:
    made = counting("stack", one_buffer=True)
    made.ask(BASE, 64, remaining=4016)
    return made, [made.pop(remaining=4095)]


@of("remaining_is_rest")
def remaining_of_joined_neighbours_is_whole_again() -> Case:
    made = counting("freelist", coalesces=True)
    return made, [made.free(made.ask(BASE, 64, remaining=4000), remaining=4095)]


@of("remaining_is_rest")
def remaining_may_be_in_pieces() -> Case:
    made = counting("freelist", coalesces=False)
    made.free(made.ask(BASE, 64, remaining=4000), remaining=4080)
    return made, []


@of("remaining_is_rest")
def remaining_without_padding() -> Case:
    made = counting("bump", padding=Padding.EXCLUDED)
    made.ask(BASE, 60, remaining=4036)
    return made, [made.ask(BASE + 64, 60, remaining=3972)]


def nearly_full(padding: Padding, live: bool, size: int, header: int = 16) -> Scribe:
    """100 bytes remain, and a request is refused."""
    made = scribe("stack", header=header, padding=padding, remaining=3996 if live else 100)
    if live:
        made.ask(BASE, 3896, remaining=100)
    made.ask(0, size, remaining=100)
    return made


@of("fits_is_served")
def what_surely_fits() -> Case:
    return nearly_full(Padding.COUNTED, True, 76), [1]


@of("fits_is_served")
def what_may_not_fit() -> Case:
    return nearly_full(Padding.COUNTED, True, 77), []


@of("fits_is_served")
def what_surely_fits_without_a_header() -> Case:
    return nearly_full(Padding.COUNTED, True, 92, 0), [1]


@of("fits_is_served")
def what_padding_may_have_taken() -> Case:
    return nearly_full(Padding.ANY, True, 76), []


@of("fits_is_served")
def what_padding_has_taken() -> Case:
    return nearly_full(Padding.EXCLUDED, True, 8), []


@of("fits_is_served")
def what_no_padding_has_taken() -> Case:
    return nearly_full(Padding.ANY, False, 76), [0]


@of("fits_is_served")
def what_did_not_fit() -> Case:
    made = counting("bump", remaining=100)
    made.ask(BASE, 90, remaining=10)
    made.ask(BASE + 90, 10, remaining=0)
    made.ask(BASE + 100, 0, remaining=0)
    return made, [made.ask(BASE + 100, 1, remaining=0)]


@of("fits_is_served")
def what_is_asked_for_with_an_alignment() -> Case:
    made = counting("bump", remaining=100, padding=Padding.COUNTED)
    made.ask(0, 37, kind=Kind.ALIGNED, align=64, remaining=100)
    bad = made.ask(0, 36, kind=Kind.ALIGNED, align=64, remaining=100)
    made.ask(0, 0, remaining=100)
    made.ask(0, 2**63 - 1, kind=Kind.ALIGNED, align=2**63, remaining=100)
    return made, [bad]


# ----------------------------------------------------------------------------------------- HL601, HL602


@of("free_gives_null")
def free_gives_something() -> Case:
    made = scribe("lua_alloc", max_align=16)
    made.free(made.ask(BASE, 64))
    bad = made.free(made.ask(BASE, 64), ptr=BASE)
    made.free(made.ask(BASE, 64), status=FAILED, ptr=BASE)
    return made, [bad]


@of("shrink_succeeds")
def shrink_refused() -> Case:
    made = scribe("lua_alloc", max_align=16)
    held = made.ask(BASE, 64)
    made.resize(held, 0, 65)
    return made, [made.resize(held, 0, 64), made.resize(held, 0, 1), made.resize(held, 0, 8, status=WRONG)]


# ------------------------------------------------------------------------------------------- instances


@of("in_bounds")
def bounds_are_each_instances_own() -> Case:
    made = scribe("bump")
    made.envs = (made.envs[0], replace(made.envs[0], base=BASE + MIB, capacity=64))
    made.ask(BASE, 64)
    made.ask(BASE + MIB, 64, instance=1)
    return made, [made.ask(BASE + 64, 8, instance=1), made.ask(BASE + MIB, 8)]


@pytest.mark.parametrize("window", [None, 1])
@pytest.mark.parametrize("name", CASES.every)
def test_planted__case(engine: str, name: str, window: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judges, "WINDOW", window or judges.WINDOW)
    CASES.confirm(name)
