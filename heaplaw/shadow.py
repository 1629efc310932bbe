"""The shadow, from Python: which pairs of live blocks share bytes. See native/shadow.h."""

import ctypes
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import native

MOST_PAIRS = 1000
Array = NDArray[Any]
_V, _Q = ctypes.c_void_p, ctypes.c_uint64


@cache
def native_library() -> Any:
    """The judge's inner loops in C, or None."""
    path = native.find(native.LIBRARY)
    if path is None:
        return None
    library: Any = ctypes.CDLL(str(path))
    library.hl_shadow_new.restype = _V
    library.hl_shadow_free.argtypes = [_V]
    library.hl_shadow_pairs.restype, library.hl_shadow_pairs.argtypes = _Q, [_V]
    library.hl_shadow_feed.restype, library.hl_shadow_feed.argtypes = _Q, [_V, _Q, _Q, *[_V] * 8, _Q]
    library.hl_ghost_new.restype, library.hl_ghost_new.argtypes = _V, [ctypes.c_uint32, _Q, _Q]
    library.hl_ghost_free.argtypes = [_V]
    library.hl_ghost_feed.restype, library.hl_ghost_feed.argtypes = None, [_V, _Q, _V, _V]
    return library


class Shadow:
    """Finds pairs of live blocks that share bytes, in order of time."""

    def __init__(self) -> None:
        self._library = native_library()
        self._shadow = self._library.hl_shadow_new()
        self._pairs = np.zeros((MOST_PAIRS, 2), np.uint32)

    def feed(
        self,
        base: int,
        ends: Array,
        owner: Array,
        makes: Array,
        ptr: Array,
        extent: Array,
        sweeps: Array | None = None,
        instance: Array | None = None,
    ) -> tuple[list[tuple[int, int]], bool]:
        """Take in operations from `base` on; the pairs (older, newer) that overlap, and whether these are all.

        `sweeps` and `instance`, in every feed or in none: where all blocks of the instance made since `owner` die.
        """
        given = [ends.view(np.uint8), owner, makes.view(np.uint8), ptr, extent]
        given += [] if sweeps is None or instance is None else [sweeps.view(np.uint8), instance]
        held = [np.ascontiguousarray(column) for column in given]
        pointers = [column.ctypes.data for column in held] + [None] * (7 - len(held))
        found = self._library.hl_shadow_feed(
            self._shadow, base, len(owner), *pointers, self._pairs.ctypes.data, MOST_PAIRS
        )
        return [(int(a), int(b)) for a, b in self._pairs[: min(found, MOST_PAIRS)]], found <= MOST_PAIRS

    def together(self) -> int:
        """Pairs of blocks that were live at the same time."""
        return int(self._library.hl_shadow_pairs(self._shadow))

    def __del__(self) -> None:
        if self._shadow:
            self._library.hl_shadow_free(self._shadow)
