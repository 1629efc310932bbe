"""A subject's process that begins as a copy of this one: for objects that only the running program can make (a test's
lambda, with the fixtures that it closes over).

The copy is a fork server as others are: every run is a child of its own, so that a crash, a hang or an exit inside the
subject leaves the test runner alone.
"""

import faulthandler
import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO
from weakref import WeakSet

from heaplaw.errors import HostError

from . import worker

_ours: "WeakSet[IO[bytes]]" = WeakSet()
"""Pipes to such processes: a copy that kept them open would keep its siblings from ending."""


@dataclass
class ForkedProcess:
    """The process, as `host.Process` wants it."""

    pid: int
    end: int
    """Of the pipe that orders go through."""
    stdin: IO[bytes] | None = field(init=False, repr=False)
    _code: int | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self.stdin = os.fdopen(self.end, "wb")
        _ours.add(self.stdin)

    def poll(self) -> int | None:
        """The exit code, below 0 for a signal; None while it lives."""
        if self._code is None:
            try:
                done, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:  # somebody else waited for all children of this process
                done, status = self.pid, 0
            if done:
                self._code = os.waitstatus_to_exitcode(status)
        return self._code

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, once it has ended; TimeoutExpired when that takes longer than `timeout` seconds."""
        until = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if until is not None and time.monotonic() > until:
                raise subprocess.TimeoutExpired("the copy of this process", timeout or 0)
            time.sleep(0.002)
        return code


@dataclass(frozen=True)
class Fork:
    """How such a process is started: `subject` is called there."""

    subject: Callable[[], worker.Subject]

    def start(self, descriptor: int, size: int, reply: int, said: IO[bytes]) -> ForkedProcess:
        """Copy this process."""
        orders, end = os.pipe()
        for stream in (sys.stdout, sys.stderr):  # what they hold back would be printed twice
            stream.flush()
        try:
            with warnings.catch_warnings():
                # Test runners have threads of their own; the copy calls nothing of theirs.
                warnings.simplefilter("ignore", DeprecationWarning)
                pid = os.fork()
        except OSError as error:
            os.close(orders)
            os.close(end)
            raise HostError(f"this process cannot be copied: {error.strerror}") from error
        if pid == 0:
            try:
                self._serve(descriptor, size, reply, said.fileno(), orders, end)
            except BaseException as error:  # noqa: BLE001 - the copy must end here, whatever happens
                os.write(said.fileno(), f"{type(error).__name__}: {error}\n".encode())
            os._exit(70)
        os.close(orders)
        return ForkedProcess(pid, end)

    def _serve(self, descriptor: int, size: int, reply: int, said: int, orders: int, end: int) -> None:
        """What the copy does."""
        os.setsid()
        os.close(end)
        for other in list(_ours):
            other.close()
        faulthandler.disable()  # a crash of the subject is told by the report, not on the runner's terminal
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
            signal.signal(number, signal.SIG_DFL)
        sys.settrace(None)
        sys.setprofile(None)
        os.dup2(orders, 0)
        os.dup2(said, 1)
        os.dup2(said, 2)
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115 - until the end
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115
        with open(0, closefd=False) as lines:
            worker.serve(descriptor, size, reply, self.subject, lines)
        os._exit(0)
