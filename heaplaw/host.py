"""Run traces in a process apart and bring histories back.

A `Host` is one fork server (the native program, or the Python worker) with one piece of shared memory. Every run
happens in a child of its own: a crash, a hang or an exit ends that child, and the progress word names the operation.
"""

import contextlib
import mmap
import os
import select
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import IO, TYPE_CHECKING, Any, Protocol

import numpy as np

from heaplaw.spec.event import NONE, Env, Flag, Status
from heaplaw.spec.history import (
    EVENT_COLUMNS,
    OP_COLUMNS,
    REPORT_COLUMNS,
    Completed,
    Died,
    End,
    Exited,
    History,
    Hung,
    Trace,
)
from heaplaw.spec.protocols import Limits

from . import layout
from .columns import TYPES
from .errors import HostError, UncountedError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SPARSE = ("status", "flags", "err", "ptr", "usable", "bad_at", "held")
GREETING = 30.0
"""Seconds that a subject may take to start, its instances included."""
_COUNTERS = ("num_free", "num_allocated", "remaining", "total")


class Process(Protocol):
    """A subject's process: what a `subprocess.Popen` is, as far as it is needed."""

    @property
    def pid(self) -> int: ...
    @property
    def stdin(self) -> IO[bytes] | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def poll(self) -> int | None: ...


class Starter(Protocol):
    """Starts a subject's process, in a session of its own."""

    def start(self, descriptor: int, size: int, reply: int, said: IO[bytes]) -> Process:
        """The process: it shares the memory in `descriptor` (`size` bytes), answers through `reply`, and what it prints
        goes to `said`. HostError when it cannot be started.
        """
        ...


@dataclass(frozen=True)
class Command:
    """How a subject's process is started: `argv` follows the program and the three numbers."""

    program: Sequence[str]
    argv: Sequence[str]
    environment: Mapping[str, str]

    def start(self, descriptor: int, size: int, reply: int, said: IO[bytes]) -> Process:
        """Start the program."""
        try:
            return subprocess.Popen(
                [*self.program, str(descriptor), str(size), str(reply), *self.argv],
                stdin=subprocess.PIPE,
                stdout=said,
                stderr=said,
                pass_fds=(descriptor, reply),
                env={**os.environ, **self.environment},
                start_new_session=True,
            )
        except OSError as error:
            raise HostError(f"cannot start {self.program[0]}: {error.strerror}") from error


@dataclass(frozen=True)
class Told:
    """What a subject says of itself when it starts: what is constant for each instance, and which columns it writes."""

    envs: tuple[Env, ...]
    counted: frozenset[str] = frozenset()


class Host:
    """A fork server for one subject, for traces of up to `rows` operations."""

    def __init__(self, command: Starter, rows: int) -> None:
        self.rows = rows
        self._used = 0
        self._offsets, size = layout.offsets(rows)
        descriptor = os.memfd_create("heaplaw")
        os.ftruncate(descriptor, size)
        self._memory = mmap.mmap(descriptor, size)
        self._head: NDArray[np.uint64] = np.frombuffer(self._memory, np.uint64, layout.HEAD // 8)
        self._head[0] = layout.MAGIC
        self._head[layout.OFFSETS : layout.OFFSETS + len(self._offsets)] = self._offsets
        self.columns: dict[str, NDArray[Any]] = {
            column.name: np.frombuffer(self._memory, TYPES[column.width], rows, at)
            for column, at in zip(layout.COLUMNS, self._offsets, strict=True)
        }
        reply, child_reply = os.pipe()
        self._reply = reply
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the host
        try:
            self._process = command.start(descriptor, size, child_reply, self._said)
        finally:
            os.close(child_reply)
            os.close(descriptor)
        self._pending = b""
        self.greeting, whole = self._line(GREETING)
        if not whole or not self.greeting.startswith("ok") or "\terror " in self.greeting:
            why = self._why_not(whole)
            self.close()
            raise HostError(why)

    def start(
        self,
        trace: Trace,
        limits: Limits,
        payload: bool = True,
        command: str = "run",
        marks: "NDArray[np.uint64] | None" = None,
    ) -> None:
        """Begin to run `trace`; `finish` waits for its end. The command `raw` makes the calls alone, with no checks.

        `step` makes them without checks, and counts the instructions of those that `marks` names, as native/step.h has
        it: the counts come back in the column `usable`.
        """
        n = len(trace)
        for name in _SPARSE:
            self.columns[name][: self._used] = 0
        self.columns["owner"][:n] = NONE
        for column in OP_COLUMNS:
            self.columns[column.name][:n] = np.asarray(trace.columns[column.name], TYPES[column.width])
        if marks is not None:
            self.columns["usable"][:n] = marks
        self._used = n
        self._head[layout.ROWS] = n
        self._head[layout.PROGRESS] = 0
        self._head[layout.PAYLOAD] = int(payload)
        self._head[layout.PUBLISHED] = n
        self._limits = limits
        line = f"{command} {int(limits.cpu * 1000)} {int(limits.wall * 1000)} {limits.memory}\n"
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line.encode())
            self._process.stdin.flush()
        except OSError as error:
            raise HostError("the subject's process ended between two runs: " + self.last_words()) from error

    def progress(self) -> int:
        """Operations that have returned."""
        return int(self._head[layout.PROGRESS]) // 4

    def spent(self) -> int:
        """Nanoseconds that the trace itself took in the native host, by its own clock."""
        return int(self._head[layout.SPENT])

    def peak(self) -> int:
        """Bytes of the largest resident set of a run so far, shared columns included; 0 from the Python worker."""
        return int(self._head[layout.PEAK]) * 1024

    def history(self, trace: Trace, told: Told) -> History:
        """The history so far. The columns are the host's own: they last until the next `start`."""
        reported = [column for column in REPORT_COLUMNS if column.name in told.counted]
        columns = {column.name: self.columns[column.name][: len(trace)] for column in (*EVENT_COLUMNS, *reported)}
        return History(trace, columns, env=told.envs[0], others=told.envs[1:], counted=told.counted)

    def finish(self, trace: Trace, told: Told) -> History:
        """The history, at the end of the run."""
        end = self._end(self._answer(None), len(trace))
        return replace(self.history(trace, told), end=end)

    def run(self, trace: Trace, limits: Limits, told: Told, payload: bool = True) -> History:
        """Run `trace` from beginning to end."""
        self.start(trace, limits, payload)
        return self.finish(trace, told)

    def ended(self, timeout: float) -> bool:
        """The run is over: `finish` will not wait. Waits at most `timeout` seconds."""
        return b"\n" in self._pending or bool(select.select([self._reply], [], [], timeout)[0])

    def kill(self) -> None:
        """End the run, and the fork server with it; what has returned stays readable."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def last_words(self) -> str:
        """The last line that the subject printed, cut to 200 characters."""
        try:
            size = self._said.seek(0, os.SEEK_END)
            self._said.seek(max(0, size - 4096))
            lines = [line for line in self._said.read().decode(errors="replace").splitlines() if line.strip()]
        except (OSError, ValueError):
            return ""
        return lines[-1][:200] if lines else ""

    def close(self) -> None:
        """End the fork server and whatever it started."""
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        with contextlib.suppress(OSError):
            os.close(self._reply)
        self._said.close()

    def _end(self, answer: str, n: int) -> End:
        """What the fork server's answer means; the operation that did not return is marked in the history."""
        word, _, rest = answer.partition(" ")
        if word == "completed":
            return Completed()
        if word == "nosteps":
            raise UncountedError(rest.strip())
        at, where = divmod(int(self._head[layout.PROGRESS]), 4)
        at = min(at, n - 1)
        if word == "signal":
            if where == layout.IN_PAYLOAD:
                self._died_in_payload(at)
                return Died(at, int(rest), "payload")
            self.columns["status"][at] = Status.DIED
            return Died(at, int(rest))
        if word in ("exit", "hung"):
            self.columns["status"][at] = Status.DIED
            return Exited(at, int(rest)) if word == "exit" else Hung(at, rest.strip())
        raise HostError(f"the subject's process broke down: {answer.strip() or self.last_words() or self._how_ended()}")

    def _died_in_payload(self, at: int) -> None:
        """The driver touched a block and a signal came: the block is not the owner's to use."""
        new = bool(self.columns["ptr"][at])
        self.columns["flags"][at] = Flag.UNWRITABLE if new else Flag.DAMAGED
        self.columns["bad_at"][at] = 0
        self.columns["status"][at] = Status.OK if new else Status.FAILED
        if not new and not self.columns["held"][at]:  # of the many that were about to end, one is lost
            self.columns["held"][at] = 1
        if not new and at > 0:  # the subject was not called: its counters are what they were
            for name in _COUNTERS:
                self.columns[name][at] = self.columns[name][at - 1]

    def _why_not(self, whole: bool) -> str:
        """Why the subject could not be started, in words."""
        if whole:
            return self.greeting.rpartition("error ")[2].strip() or self.last_words() or self._how_ended()
        making = (
            " while its instance was being made" if self.greeting.startswith("ok") else " while it was being started"
        )
        words = self.last_words()
        return self._how_ended() + making + (f"; its last words: {words}" if words else "")

    def _how_ended(self) -> str:
        code = self._process.poll()
        if code is None:
            return "it does not answer"
        return f"its process ended by signal {-code}" if code < 0 else f"its process ended with exit code {code}"

    def _answer(self, timeout: float | None) -> str:
        """The next line of the fork server; what there is of it when the server is gone."""
        return self._line(timeout)[0]

    def _line(self, timeout: float | None) -> tuple[str, bool]:
        """The next line of the fork server, and whether it is whole: the server may be gone, or hang."""
        while b"\n" not in self._pending:
            ready, _, _ = select.select([self._reply], [], [], timeout)
            data = os.read(self._reply, 65536) if ready else b""
            if not data:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(1)
                break
            self._pending += data
        line, ending, self._pending = self._pending.partition(b"\n")
        return line.decode(errors="replace"), bool(ending)
