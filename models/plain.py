"""The plain alternative with better sizes: what order and lifetimes do for a trace is told apart from what sizes do."""

from dataclasses import replace
from typing import Any

import numpy as np

from heaplaw.spec.history import Trace
from heaplaw.spec.shapes import MAKERS, REQUESTS, Kind

from . import table
from .asking import permitted, refused_sizes
from .plan import draw_sizes, log_uniform


def with_table_sizes(trace: Trace, kinds: frozenset[Kind]) -> Trace:
    """The trace with every size drawn anew from the table: its mixture, and its share of sizes that are refused.

    Nothing else changes: the order of operations, lifetimes, kinds and alignments stay. A pool's stay as they are.
    """
    env, columns = trace.env, {name: np.asarray(column).copy() for name, column in trace.columns.items()}
    if env.block_size:
        return trace
    rng = np.random.default_rng([trace.seed, len(trace)])
    kind = columns["kind"]
    asks = np.flatnonzero(np.isin(kind, [int(k) for k in MAKERS]))
    most = max(1, int(env.capacity) // 8) if env.capacity else table.SIZES[-1].high
    families = [family for family in table.SIZES if family.high <= most]
    sizes: Any = draw_sizes(rng, len(asks), families) if families else log_uniform(rng, len(asks), 1, most)
    sizes = sizes.astype(np.uint64)
    beyond = refused_sizes(env)
    if len(beyond):
        some = (rng.random(len(asks)) < table.BOUNDARY_SHARE) & (kind[asks] != Kind.ZALLOC)
        sizes[some] = rng.choice(beyond, int(some.sum()))
    resizes = kind[asks] == Kind.RESIZE
    sizes[resizes] = np.clip(sizes[resizes], 1, np.uint64(env.max_request))
    columns["size"][asks] = sizes
    rows = np.flatnonzero(np.isin(kind, [int(k) for k in REQUESTS]))
    asked = permitted(env, kinds, tuple(columns[name][rows] for name in ("kind", "size", "align", "count")))  # type: ignore[arg-type]
    for name, column in zip(("kind", "size", "align", "count"), asked, strict=True):
        columns[name][rows] = column
    return replace(trace, columns=columns, profile="uniform, sizes of the table")
