"""How a subject comes to offer what laws need: by which key of a mapping, where there is one."""

from collections.abc import Mapping

from heaplaw.spec.law import AnyLaw
from heaplaw.spec.report import REPORTS

_REPORTED = "reported after each operation, as the reference's allocators do; no mapping key"
_PROMISED = "promised by the reference's allocators (`heaplaw subjects`); no mapping key"

NEEDS: Mapping[str, str] = {
    "calloc": '`zeroed = "…"`',
    "realloc": '`realloc = "…"`',
    "free": '`free = "…"`',
    "aligned_alloc": '`aligned = "…"`',
    "posix_memalign": '`posix_memalign = "…"`',
    "pop": '`pop = "…"`',
    "release": '`mark = "…"` and `release = "…"`',
    "renew": '`destroy = "…"`',
    "reset or renew": '`reset = "…"` or `destroy = "…"`',
    "giving back": "`free`, `pop`, `reset` or `release`",
    "usable_size": '`usable_size = "…"`',
    "remaining": '`remaining = "…"`',
    "total_allocated": '`total_allocated = "…"`',
    "num_free_blocks": '`num_free_blocks = "…"`',
    "num_allocated": '`num_allocated = "…"`',
    "invariant": '`invariant = "…"`',
    "buffer": "`buffer = …`, memory that the allocator is given",
    "bounds": '`buffer = …`, or `base = "…"` that tells where its own begins',
    "grid": '`base = "…"` of a pool whose blocks stand side by side',
    "C functions": "a shared library, or CPython's own allocators; not a Python object",
    "huge sizes": "`[promises] size_bits = 64`, which is taken for granted",
    "coalesces": "`[promises] coalesces = true`, which a malloc is taken to promise",
    "reuse order": '`[promises] reuse = "lifo"` or `"fifo"`',
    "zero size": '`[promises] zero_size = "null"` or `"unique"`',
    "zero resize": '`[promises] zero_resize = "null"` or `"unique"`',
    "any aligned size": '`[promises] aligned_size = "any"`',
    "usable bytes": '`[promises] usable = "writable"`',
    "misuse": "`[promises] misuse = …`, a policy: abort, ignore or error",
    "errno": "`[promises] errno = true`",
    "shrinks": "`[promises] shrinks = true`",
    "constant cost": '`[promises] cost = "constant"`',
    "limit": _PROMISED,
    "minimum": "`[promises] minimum = …`, bytes",
    "overhead": _PROMISED,
    "constant time": _PROMISED,
    "linear time": _PROMISED,
    **dict.fromkeys(sorted(REPORTS), _REPORTED),
    **dict.fromkeys(("walk", "free_shared", "live_shared"), "`view`, by which the free list is looked at"),
    **dict.fromkeys(("least_free", "least_taken"), "`view`, and `[promises] minimum = …`"),
    "first_fit": '`view`, and `[promises] fit = "first"`',
    **dict.fromkeys(("least_fit", "taken_from"), '`view`, and `[promises] fit = "best"`'),
}
"""Each thing that a law may need, and what offers it. docs/mapping.md explains the keys."""


def needed(found: AnyLaw) -> list[tuple[str, str]]:
    """What the law needs and what offers it; what is offered in the same way stands together."""
    ways: dict[str, list[str]] = {}
    for name in sorted(found.needs):
        ways.setdefault(NEEDS[name], []).append(name)
    return [(", ".join(names), way) for way, names in ways.items()]


def mappable(found: AnyLaw) -> bool:
    """A mapping can offer all that the law needs."""
    return bool(found.shapes) and not {NEEDS[name] for name in found.needs} & {_REPORTED, _PROMISED}
