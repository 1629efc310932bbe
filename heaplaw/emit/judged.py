"""What an emitted program can tell of a law, and what it demands of single requests for that."""

from heaplaw.spec.event import Status
from heaplaw.spec.heap import RUN_BLOCK_MAX
from heaplaw.spec.history import Op
from heaplaw.spec.shapes import ALIGN_TAKERS, Kind
from heaplaw.store import Stored

OWED = frozenset(
    {
        "pool_serves_while_free",
        "freed_is_reusable",
        "fits_is_served",
        "capacity_comes_back",
        "reset_frees_all",
        "lifo_pop",
        "release_frees_all",
        "zero_size_as_promised",
        "shrink_succeeds",
    }
)
"""Laws by which a request that was refused had to be served."""
EXCESSIVE = frozenset({"pool_serves_while_free", "fits_is_served", "zero_size_as_promised"})
"""Laws by which a request that was served had to be refused."""
SEEN = frozenset(
    {
        "aligned",
        "sized",
        "blocks_disjoint",
        "usable_size_covers_request",
        "in_bounds",
        "usable_sizes_disjoint",
        "buffer_respected",
        "payload_kept",
        "realloc_keeps_prefix",
        "realloc_failure_keeps_block",
        "zeroed",
        "failure_is_reported",
        "overflow_is_failure",
        "first_operation",
        "free_is_served",
        "errno_told",
        "invariant_holds",
        "made_again",
        "free_gives_null",
        "pool_on_grid",
    }
)
"""Laws of which a program sees by itself that they are broken."""


def guilty(stored: Stored) -> tuple[int, Status | None]:
    """The step that breaks the law, and how it ended; None where the witness does not say."""
    last = max(stored.operations, default=-1)
    return last, came(stored, last)


def came(stored: Stored, index: int) -> Status | None:
    """How an operation ended; None where the witness does not say."""
    return None if stored.unserved is None else stored.unserved.get(index, Status.OK)


def is_refusal_after_another(stored: Stored) -> bool:
    """A refusal breaks this law by what it changes, or by coming at all, right after another one."""
    return stored.law == "failure_changes_nothing" and "right after a refusal" in stored.observed


def demands(stored: Stored, index: int, op: Op) -> str:
    """What operation `index` is, and what must come of it, as the program's flags."""
    law, (last, end) = stored.law, guilty(stored)
    here = index == last
    flags = {
        "ZEROED": op.kind == Kind.ZALLOC,
        "ALIGNED": op.kind in ALIGN_TAKERS,
        "WAS_REFUSED": came(stored, index) == Status.FAILED,
        "SERVE": here and end == Status.FAILED and (law in OWED or is_refusal_after_another(stored)),
        "REFUSE": here and law in EXCESSIVE and end == Status.OK,
        "ALWAYS": (law == "reuse" and 1 <= op.size * op.count <= RUN_BLOCK_MAX)
        or (here and end is None and is_refusal_after_another(stored)),
        "ERRNO": here and law == "errno_told",
    }
    return " | ".join(name for name, is_so in flags.items() if is_so) or "0"


def sees(stored: Stored) -> bool:
    """The program sees by itself that the law is broken."""
    law, (_, end) = stored.law, guilty(stored)
    if law == "failure_changes_nothing":
        return end != Status.FAILED or is_refusal_after_another(stored)
    if law == "reuse":
        return not stored.observed.endswith("; 0 refused")
    return law in SEEN or (law in OWED and end == Status.FAILED) or (law in EXCESSIVE and end == Status.OK)
