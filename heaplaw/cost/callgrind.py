"""The cross-check: the same calls under valgrind's Callgrind, which counts instructions by other means."""

import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from heaplaw.errors import HostError, UsageError
from heaplaw.host import Command, Host
from heaplaw.spec.catalogue.cost import Form
from heaplaw.spec.event import NONE
from heaplaw.spec.history import Completed
from heaplaw.spec.protocols import Limits
from heaplaw.spec.shapes import Kind
from heaplaw.subjects import ProcessSubject

from .measure import CAP, Counter, Point
from .workload import Interface, Workload, workload

__all__ = ["Compared", "compare"]

SIZES = (10, 100)
"""Numbers of live blocks: few, since valgrind is slow."""
CALLS = 4
PLAIN = "glibc.cpu.hwcaps=-AVX2,-AVX512F,-AVX512VL,-AVX512BW,-ERMS,-FSRM"
"""For both: valgrind knows fewer instructions than processors have, and memcpy goes by what there is."""
_TUNABLES = "GLIBC_TUNABLES"
_PROGRAM = "valgrind"
_PART = re.compile(
    r"^desc: Trigger: (?:Client Request: )?row (\d+)$.*?^(?:totals|summary): (\d+)$", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True)
class Compared:
    """One operation at one size of the heap: instructions of each call by single steps, and by Callgrind."""

    kind: Kind
    form: Form
    blocks: int
    steps: tuple[int, ...]
    callgrind: tuple[int, ...]

    @property
    def differences(self) -> tuple[int, ...]:
        """How many more each call took by Callgrind."""
        return tuple(b - a for a, b in zip(self.steps, self.callgrind, strict=True))


def compare(subject: ProcessSubject, limits: Limits = Limits()) -> list[Compared]:
    """Count the same calls twice; UsageError where valgrind, or the driver in C, is not there."""
    program, command = shutil.which(_PROGRAM), subject.command
    if program is None:
        raise UsageError("--callgrind: valgrind is not installed; install the package valgrind")
    if subject.driver != "native" or not isinstance(command, Command):
        raise UsageError("--callgrind: only what the driver in C calls can be counted")
    tunables = ":".join(filter(None, (command.environment.get(_TUNABLES), PLAIN)))
    bound = replace(command, environment={**command.environment, "LD_BIND_NOW": "1", _TUNABLES: tunables})
    face = Interface(subject.shape.name, subject.kinds, subject.env)
    if not face.requests:
        return []
    whole = workload(face, Form.FRESH, SIZES, CALLS)
    work = replace(whole, groups=tuple(group for group in whole.groups if group.form == Form.FRESH))
    counter = Counter(subject, bound, limits, CALLS, CALLS)
    try:
        found = counter.counted(work)
    finally:
        counter.close()
    rows = noted(subject, replace(bound, program=[program, *bound.program]), work, limits)
    return compared(found, rows)


def compared(found: Sequence[Point], rows: dict[int, int]) -> list[Compared]:
    """Calls that both have counted. What Callgrind counts of a function that is one instruction is what it adds."""
    added = rows.get(NONE, 1) - 1
    result: list[Compared] = []
    for point in found:
        both = [(count, rows[row] - added) for row, count in zip(point.rows, point.counts, strict=True) if row in rows]
        if both:
            steps, others = zip(*both, strict=True)
            result.append(Compared(point.kind, point.form, point.blocks, tuple(steps), tuple(others)))
    return result


def noted(subject: ProcessSubject, command: Command, work: Workload, limits: Limits) -> dict[int, int]:
    """Instructions of each marked row, as Callgrind wrote them down; of the empty function under NONE."""
    with tempfile.TemporaryDirectory(prefix="heaplaw-") as folder:
        where = Path(folder)
        options = ["--tool=callgrind", "--collect-atstart=no", "--combine-dumps=yes", "--quiet"]
        first, *rest = command.program
        under = [first, *options, f"--callgrind-out-file={where}/out.%p", *rest]
        slow = replace(limits, cpu=20 * limits.cpu, wall=20 * limits.wall)
        environment = {**command.environment, "HEAPLAW_CALLGRIND": "1"}
        host = Host(replace(command, program=under, environment=environment), len(work.trace))
        try:
            host.start(work.trace, slow, payload=False, command="step", marks=work.marks(CAP, CALLS))
            history = host.finish(work.trace, subject.told)
        finally:
            host.close()
        if not isinstance(history.end, Completed):
            raise HostError(f"the run under valgrind did not come to its end: {history.end}")
        text = "\n".join(path.read_text(errors="replace") for path in sorted(where.iterdir()))
    return {int(row): int(count) for row, count in _PART.findall(text)}
