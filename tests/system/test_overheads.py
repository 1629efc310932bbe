"""The source's table of overheads, by counts: platform 0, arena 0, freelist 0, trace 64 bytes for each live block."""

import pytest

from heaplaw.refimpl.steps.arena import HEADER
from heaplaw.refimpl.system import Arena, Freelist, Limited, Platform, SizePools, Trace
from heaplaw.refimpl.system.records import RECORD

CHUNK = 4096
RECORDS = 64 * RECORD
"""Records come 64 at a time."""


@pytest.mark.parametrize("count", [1, 10, 1000])
def test_platform__adds_nothing(count: int) -> None:
    platform = Platform()
    for size in range(1, count + 1):
        platform.alloc(size)
    assert platform.footprint() == platform.current_bytes()


@pytest.mark.parametrize("count", [1, 63, 64, 127, 1000])
def test_arena__adds_a_header_and_a_tail_for_each_chunk(count: int) -> None:
    arena = Arena(CHUNK)
    for _ in range(count):
        arena.alloc(64)
    blocks_each, tail = divmod(CHUNK - HEADER, 64)
    chunks, unused = -(-count // blocks_each), -count % blocks_each
    assert arena.footprint() - arena.current_bytes() == chunks * (HEADER + tail) + unused * 64


def test_arena__keeps_one_ordinary_chunk_over_a_reset() -> None:
    arena = Arena(CHUNK)
    first = arena.alloc(8)
    arena.alloc(10 * CHUNK)
    arena.alloc(100)
    arena.reset()
    assert (arena.footprint(), arena.alloc(8)) == (CHUNK, first)
    arena.drop()
    arena = Arena(CHUNK)
    arena.alloc(10 * CHUNK)
    arena.reset()
    assert (arena.footprint(), arena.invariant()) == (0, True)
    assert arena.alloc(8) != 0


@pytest.mark.parametrize("count", [1, 16, 17, 1000])
def test_freelist__adds_nothing_within_chunks(count: int) -> None:
    freelist = Freelist(64, 16)
    for _ in range(count):
        freelist.alloc(64)
    assert freelist.footprint() - freelist.current_bytes() == 64 * freelist.num_free
    assert freelist.num_free == -count % 16


@pytest.mark.parametrize("count", [1, 64, 65, 1000])
def test_trace__adds_64_bytes_for_each_live_block(count: int) -> None:
    assert RECORD == 64
    trace = Trace(Platform())
    blocks = [trace.alloc(10) for _ in range(count)]
    assert trace.metadata_bytes() == 64 * count
    assert trace.footprint() - trace.inner.footprint() == RECORDS * -(-count // 64)
    for block in blocks[::2]:
        trace.free(block)
    assert trace.metadata_bytes() == 64 * (count // 2)


def test_trace__records_lie_in_real_memory_apart_from_blocks() -> None:
    parent = Platform()
    trace = Trace(Arena(), parent)
    trace.alloc(10)
    assert parent.footprint() == RECORDS
    trace.drop()
    assert parent.footprint() == 0


def test_trace__without_room_for_a_record_refuses() -> None:
    trace = Trace(Platform(), Limited(Platform(), RECORDS))
    blocks = [trace.alloc(1) for _ in range(64)]
    assert 0 not in blocks
    assert (trace.alloc(1), trace.inner.current_bytes(), trace.leak_count()) == (0, 64, 64)
    assert trace.realloc(blocks[0], 100) != 0
    trace.free(blocks[1])
    assert trace.alloc(1) != 0


def test_trace__that_is_refused_a_block_keeps_no_record() -> None:
    trace = Trace(Limited(Platform(), 10))
    assert (trace.alloc(11), trace.alloc_zeroed(11), trace.metadata_bytes(), trace.leak_count()) == (0, 0, 0, 0)


def test_pools__waste_by_class_and_by_what_is_free() -> None:
    pools = SizePools(chunk_size=160)
    for _ in range(5):
        pools.alloc(30)
    assert (pools.current_bytes(), pools.footprint()) == (150, 160)
