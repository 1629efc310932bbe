"""What an emitted program can tell of a law, and what it demands of single requests for that."""

from errno import EINVAL, ENOMEM
from typing import Any

from heaplaw.spec.catalogue import law
from heaplaw.spec.catalogue.misuse import policy
from heaplaw.spec.event import Event, Flag, Policy, Status
from heaplaw.spec.heap import RUN_BLOCK_MAX
from heaplaw.spec.history import Op
from heaplaw.spec.shapes import ALIGN_TAKERS, Kind
from heaplaw.store import Stored

ELSE = 1
"""An error code that no standard gives an allocator."""
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
        "zero_size_answered",
        "small_request_served",
        "odd_size_served",
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
"""Laws of which a program sees by itself that they are broken; so it does of those on single calls, of scenes."""


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
    name, (last, end) = stored.law, guilty(stored)
    here = index == last
    flags = {
        "ZEROED": op.kind == Kind.ZALLOC,
        "ALIGNED": op.kind in ALIGN_TAKERS,
        "WAS_REFUSED": came(stored, index) == Status.FAILED,
        "SERVE": here and end == Status.FAILED and (name in OWED or is_refusal_after_another(stored)),
        "REFUSE": here and name in EXCESSIVE and end == Status.OK,
        "ALWAYS": (name == "reuse" and 1 <= op.size * op.count <= RUN_BLOCK_MAX)
        or (here and end is None and is_refusal_after_another(stored)),
        "ERRNO": here and name == "errno_told",
        "ONLY_ENOMEM": here and name == "refusal_says_enomem",
    }
    return " | ".join(name for name, is_so in flags.items() if is_so) or "0"


def asked(stored: Stored, op: Op, **answer: Any) -> bool:
    """The law that was broken allows that answer to an operation."""
    event = Event(op.kind, op.size, op.align, op.count, env=stored.trace.env, **answer)
    return bool(law(stored.law).body(event))


def allowed(stored: Stored, index: int, op: Op) -> str:
    """The answers to an operation that the law allows, where it is broken there, as the program's flags; else all."""
    if index != guilty(stored)[0]:
        return "ANY_ANSWER"
    codes = {"QUIET": 0, "SAID_ENOMEM": ENOMEM, "SAID_EINVAL": EINVAL, "SAID_ELSE": ELSE}
    names = ["GAVE"] if asked(stored, op, status=Status.OK, ptr=4096) else []
    names += [name for name, code in codes.items() if asked(stored, op, status=Status.FAILED, err=code)]
    return " | ".join(names) or "0"


def null_allowed(stored: Stored, op: Op) -> bool:
    """The law allows a refused call to write NULL where `&out` points."""
    return asked(stored, op, status=Status.FAILED, flags=Flag.OUT_WRITTEN, bad_at=0)


def required_align(stored: Stored, index: int, op: Op) -> int:
    """The alignment, bytes, that the law on alignments asks of a block; 0 where another law is broken, or elsewhere."""
    if stored.law != "small_sizes_aligned" or index != guilty(stored)[0]:
        return 0
    found = (1 << k for k in range(13))
    return next(align for align in found if asked(stored, op, status=Status.OK, ptr=align))


def expected(stored: Stored, index: int, op: Op) -> Policy:
    """What is promised of a misuse, where that is the law which is broken."""
    here = index == guilty(stored)[0] and stored.law == "misuse_as_declared"
    return Policy(int(policy(Event(op.kind, op.size, env=stored.trace.env)))) if here else Policy.UNDEFINED


def sees(stored: Stored) -> bool:
    """The program sees by itself that the law is broken."""
    name, (_, end) = stored.law, guilty(stored)
    if name == "failure_changes_nothing":
        return end != Status.FAILED or is_refusal_after_another(stored)
    if name == "reuse":
        return not stored.observed.endswith("; 0 refused")
    seen = name in SEEN or law(name).scenes
    return seen or (name in OWED and end == Status.FAILED) or (name in EXCESSIVE and end == Status.OK)
