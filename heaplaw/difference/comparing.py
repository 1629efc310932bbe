"""Compare two subjects: judge both by the same traces, then run the probes on both."""

import time
from collections.abc import Callable

from heaplaw.spec.protocols import Limits
from heaplaw.subjects import ProcessSubject

from .behaving import Probing, footprint
from .common import apart, common_kinds, narrowed
from .judging import changes, judged
from .parts import Difference
from .staged import of_scenes


def compare(
    old: ProcessSubject,
    new: ProcessSubject,
    seed: int,
    operations: int | None = None,
    limits: Limits = Limits(),
    seconds: float = 20.0,
    progress: Callable[[str], None] = lambda _text: None,
) -> Difference:
    """What changed from `old` to `new`; UsageError where they are not of one shape.

    `operations`: of the main run. `seconds`: the time limit for minimising the first witness of each side.
    """
    started = time.monotonic()
    kinds = common_kinds(old, new)
    for subject in (old, new):
        subject.host(16)  # a Python object says of itself what it promises when it starts
    a, b = narrowed(old, kinds, new), narrowed(new, kinds, old)
    asked = operations or a.operations
    try:
        first = judged(old, a, seed, asked, limits, lambda text: progress(f"old: {text}"))
        second = judged(new, b, seed, asked, limits, lambda text: progress(f"new: {text}"))
        found = changes(first, second, seconds, progress)
        probing = Probing(a, b, progress)
        behaviours = [*probing.all(), *of_scenes(probing)]
        progress("comparing footprints")
        pages, compared = footprint(a, b, seed)
    finally:
        for subject in (a, b, old, new):
            subject.close()
    return Difference(
        old,
        new,
        seed,
        asked,
        first.drawn == second.drawn,
        apart(old, new),
        found,
        (list(first.verdicts.values()), [second.verdicts[name] for name in first.verdicts]),
        behaviours,
        pages,
        probing.run + compared,
        probing.unsteady,
        time.monotonic() - started,
    )
