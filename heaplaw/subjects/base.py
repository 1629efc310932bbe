"""What all subjects share: a command that starts them, and a host kept warm between runs."""

import json
import sys
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Any

from heaplaw.host import Command, Host, HostError
from heaplaw.spec.event import Env
from heaplaw.spec.history import History, Trace
from heaplaw.spec.protocols import Limits
from heaplaw.spec.shapes import CALLS, Kind, Shape

NativeCode = "native"
"""The driver written in C ran the subject; otherwise the Python worker did, call by call."""


_LIMITS = Limits()


class UsageError(Exception):
    """What the user asked for cannot be done: one line that says what, where, and what to do."""


def names_without_calls(shape: Shape, offers: frozenset[str]) -> list[str]:
    """Operations of the shape that the subject lacks, by their C names."""
    return [CALLS[kind] for kind in sorted(shape.operations) if CALLS[kind] not in offers]


@dataclass
class ProcessSubject:
    """A subject in a process of its own. `spec` says how to make it again, for replays on any machine."""

    identity: str
    shape: Shape
    offers: frozenset[str]
    command: Command
    spec: Mapping[str, Any]
    driver: str
    env: Env | None = None
    notes: tuple[str, ...] = ()
    operations: int = 1_000_000
    """How many operations a check runs when the user does not say."""
    _host: Host | None = field(default=None, repr=False)

    @property
    def kinds(self) -> frozenset[Kind]:
        """Operations that can be called."""
        return frozenset(kind for kind in self.shape.operations if CALLS[kind] in self.offers)

    def host(self, rows: int) -> Host:
        """The warm host, with room for `rows` operations."""
        if self._host is not None and self._host.rows < rows:
            self.close()
        if self._host is None:
            self._host = self._started(max(rows, 4096))
            self.env = self._told(self._host)
        return self._host

    def _started(self, rows: int) -> Host:
        try:
            return Host(self.command, rows)
        except HostError as error:
            raise UsageError(f"{self.identity}: {error}") from error

    def _told(self, host: Host) -> Env | None:
        """What the subject in that process says of itself: a pool's buffer lies elsewhere in every process."""
        if self.shape.name != "pool":
            return self.env
        return Env(**json.loads(host.greeting.removeprefix("ok "))["env"])

    def run(self, trace: Trace, limits: Limits = _LIMITS, payload: bool = True) -> History:
        """Run `trace` in a child of the warm host."""
        host = self.host(len(trace))
        try:
            return detached(host.run(trace, limits, payload, self.env))
        except BaseException:  # an interrupted run goes on: no other may meet its answer
            self.close()
            raise

    def run_fresh(self, trace: Trace, limits: Limits = _LIMITS) -> History:
        """Run `trace` in a process that was started for it."""
        host = self._started(max(len(trace), 16))
        try:
            return detached(host.run(trace, limits, env=self._told(host)))
        finally:
            host.close()

    def close(self) -> None:
        """End the host."""
        if self._host is not None:
            self._host.close()
            self._host = None


def detached(history: History) -> History:
    """The history with columns of its own: the host's are written over by the next run."""
    columns: dict[str, Any] = {name: copy(column) for name, column in history.columns.items()}
    return replace(history, columns=columns)


def worker_command(spec: Mapping[str, Any], environment: Mapping[str, str] | None = None) -> Command:
    """Start the Python worker on `spec`."""
    return Command(
        [sys.executable, "-m", "heaplaw.worker"],
        [json.dumps(dict(spec))],
        {"PYTHONHASHSEED": "0", **(environment or {})},
    )
