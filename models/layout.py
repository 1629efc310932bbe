"""From a plan to operations: everything that happens to blocks is sorted in time, and blocks are named by slots."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from heaplaw.spec.event import NONE
from heaplaw.spec.shapes import Kind

from .asking import permitted
from .plan import Plan
from .script import Floats, Script


def laid_out(plan: Plan, raw: bool = False) -> tuple[Script, Floats]:
    """The plan as a script, with the time of each operation. `raw`: see `permitted`."""
    birth, death = np.concatenate(plan.births), np.concatenate(plan.deaths)
    blocks = np.arange(plan.total)
    zero, one = np.zeros(plan.total, np.uint64), np.ones(plan.total, np.uint64)
    asked = (
        np.concatenate(plan.kind),
        np.concatenate(plan.sizes),
        np.concatenate(plan.align),
        np.concatenate(plan.count),
    )
    kind, size, align, count = permitted(plan.env, plan.kinds, asked, raw)
    resized, checked = plan.resized, plan.checked
    rb = np.concatenate([b for b, _, _ in resized]) if resized else blocks[:0]
    cb = np.concatenate([b for b, _ in checked]) if checked else blocks[:0]
    columns = [
        (birth, kind, blocks, size, align, count),
        (death, np.full(plan.total, Kind.FREE, np.uint8), blocks, zero, zero, one),
        (
            np.concatenate([t for _, t, _ in resized]) if resized else birth[:0],
            np.full(len(rb), Kind.RESIZE, np.uint8),
            rb,
            np.concatenate([s for _, _, s in resized]) if resized else size[:0],
            zero[:1].repeat(len(rb)),
            one[:1].repeat(len(rb)),
        ),
        (
            np.concatenate([t for _, t in checked]) if checked else birth[:0],
            np.full(len(cb), Kind.CHECK, np.uint8),
            cb,
            zero[:1].repeat(len(cb)),
            zero[:1].repeat(len(cb)),
            one[:1].repeat(len(cb)),
        ),
    ]
    time, k, block, s, a, c = (np.concatenate(column) for column in zip(*columns, strict=True))
    order = np.argsort(time, kind="stable")
    k, block, s, a, c = k[order], block[order], s[order], a[order], c[order]
    return Script(k, slots(k, block), _resizable(plan, k, s), a, c), time[order]


def _resizable(plan: Plan, kind: NDArray[np.uint8], size: NDArray[Any]) -> NDArray[Any]:
    """Sizes, with those of resizes within what may be asked for, and at least 1."""
    beyond = (kind == Kind.RESIZE) & (size > np.uint64(plan.env.max_request))
    if beyond.any():
        size[beyond] = 1 + size[beyond] % np.uint64(plan.env.max_request)
    return size


def slots(kind: NDArray[np.uint8], block: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each operation that names a block, the latest earlier operation that made it; NONE for the others."""
    n = len(kind)
    by_block = np.argsort(block, kind="stable")
    makes = ((kind != Kind.FREE) & (kind != Kind.CHECK))[by_block]
    latest = np.maximum.accumulate(np.where(makes, np.arange(n), 0))
    before = np.concatenate(([0], latest[:-1])) if n else latest
    result = np.empty(n, np.int64)
    result[by_block] = by_block[before]
    asking = (kind != Kind.FREE) & (kind != Kind.CHECK) & (kind != Kind.RESIZE)
    result[asking] = NONE
    return result
