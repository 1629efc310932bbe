"""Bytes that each block costs beyond those asked for: from what the allocators hold."""

from collections.abc import Callable

from heaplaw.refimpl import system
from heaplaw.refimpl.system.interface import Allocator

from .costs import SIZE
from .stands import MAKERS

__all__ = ["BLOCKS", "SYSTEM", "overheads"]

BLOCKS = 1_000
SYSTEM: dict[str, tuple[Callable[[], Allocator], str]] = {
    "Platform": (system.Platform, "~0"),
    "Arena": (system.Arena, "~0"),
    "Fixed": (lambda: system.Freelist(SIZE), "~0"),
    "Trace": (lambda: system.Trace(system.Platform()), "~64"),
}
"""The system's allocators, with what the source says of their overhead in bytes a block. `Fixed` is its Freelist."""


def of_system(make: Callable[[], Allocator]) -> float:
    """Bytes a block, ends of chunks and records included."""
    allocator = make()
    blocks = [allocator.alloc(SIZE) for _ in range(BLOCKS)]
    held = allocator.footprint() - sum(SIZE for block in blocks if block)
    allocator.drop()
    return held / BLOCKS


def overheads() -> dict[str, float]:
    """Bytes a block of 64 bytes, by allocator."""
    found = {name: of_system(make) for name, (make, _) in SYSTEM.items()}
    for name, maker in MAKERS.items():
        if name not in found:
            stand = maker.make(BLOCKS * SIZE * 2, BLOCKS, SIZE)
            found[name] = sum(stand.alloc(SIZE).taken - SIZE for _ in range(BLOCKS)) / BLOCKS
    return found
