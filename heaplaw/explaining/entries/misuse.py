"""What happens to a program that frees what it must not."""

from signal import SIGABRT

from heaplaw.spec.event import Policy
from heaplaw.spec.shapes import Misuse

from ..entry import Entry
from ..program import alloc, died, free, misfree, program

AS_DECLARED = Entry(
    "misuse_as_declared",
    "To free a block twice, or a pointer that no block has, is undefined: what an allocator does then is its policy, "
    "and hardened ones are chosen for it. heaplaw makes the mistake only where the mapping declares what comes of it: "
    "`abort`, the process ends itself; `ignore`, the call returns and nothing has changed; `error`, it is refused. "
    "Blocks on both sides are read afterwards, and the heap goes on being used. Seen to break it: a double free that "
    "is caught for small blocks, and is a wild access for those whose pages went back to the operating system.",
    kept=program("malloc", alloc(64, 0x0), free(1), died(misfree(1, Misuse.DOUBLE), SIGABRT), double_free=Policy.ABORT),
    broken=program("malloc", alloc(64, 0x0), free(1), misfree(1, Misuse.DOUBLE), double_free=Policy.ABORT),
    legitimate="always, by the standard: it is judged only where a policy is declared.",
    settings=('misuse = "undefined"',),
)

ENTRIES = (AS_DECLARED,)
