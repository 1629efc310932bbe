"""What all subjects share: a command that starts them, and a host kept warm between runs."""

import json
import sys
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Any

from heaplaw.errors import HostError, UsageError
from heaplaw.host import Command, Host, Starter, Told
from heaplaw.plan import COLUMN_OF, Plan
from heaplaw.spec.event import Env
from heaplaw.spec.history import History, Trace, plain_env
from heaplaw.spec.protocols import Limits
from heaplaw.spec.shapes import CALLS, Kind, Shape

NativeCode = "native"
"""The driver written in C ran the subject; otherwise the Python worker did, call by call."""

OBJECTS = frozenset({"object", "here"})
"""Kinds of `spec` whose subjects are Python objects by their methods: named to be imported, or made in a test."""
_LIMITS = Limits()


def names_without_calls(shape: Shape, offers: frozenset[str]) -> list[str]:
    """Operations of the shape that the subject lacks, by their C names."""
    return [CALLS[kind] for kind in sorted(shape.operations) if CALLS[kind] not in offers]


@dataclass(frozen=True)
class Expected:
    """A violation that is known."""

    law: str
    reason: str
    issue: str | None = None
    dialects: tuple[str, ...] = ()
    """Those in force that forbid it, where it is expected of these alone."""


@dataclass
class ProcessSubject:
    """A subject in a process of its own. `spec` says how to make it again, for replays on any machine.

    Its entry `calls`, where there is one, says how a library was called, for programs that show a fault by themselves.
    """

    identity: str
    shape: Shape
    offers: frozenset[str]
    command: Starter
    spec: Mapping[str, Any]
    driver: str
    env: Env = field(default_factory=Env)
    """What is constant over every run: promises, and what the latest process said of itself."""
    notes: tuple[str, ...] = ()
    operations: int = 1_000_000
    """How many operations a check runs when the user does not say."""
    instances: int = 1
    expected: tuple[Expected, ...] = ()
    cost: Mapping[Kind, str] = field(default_factory=dict[Kind, str])
    """What is promised of the cost of operations: "constant" or "amortised"."""
    name: str = ""
    """A short name, for tables of several subjects."""
    plan: Plan | None = None
    """How each operation is called, where that is known before the subject's process starts."""
    viewer: "ProcessSubject | None" = None
    """The same subject in a process of its own that looks at its free list after every operation."""
    stated: Callable[[Env], Env] | None = field(default=None, repr=False)
    """What is promised for a Python object, put into what it says of itself."""
    _host: Host | None = field(default=None, repr=False)
    _others: tuple[Env, ...] = ()

    @property
    def told(self) -> Told:
        """What the latest process said of itself."""
        return Told((self.env, *self._others), self._counted)

    @property
    def _counted(self) -> frozenset[str]:
        return frozenset(COLUMN_OF[name] for name in self.offers if name in COLUMN_OF)

    @property
    def kinds(self) -> frozenset[Kind]:
        """Operations that can be called."""
        found = {kind for kind in self.shape.operations if CALLS[kind] in self.offers}
        return frozenset(found | ({Kind.RENEW} if CALLS[Kind.RENEW] in self.offers else set()))

    @property
    def shown(self) -> frozenset[str]:
        """What the subject offers, with what it shows where somebody looks at its free list."""
        return self.offers | (self.viewer.offers if self.viewer else frozenset[str]())

    def host(self, rows: int) -> Host:
        """The warm host, with room for `rows` operations."""
        if self._host is not None and self._host.rows < rows:
            self.close()
        if self._host is None:
            self._host = self._started(max(rows, 4096))
            self.env, *others = self._told(self._host).envs
            self._others = tuple(others)
        return self._host

    def _started(self, rows: int) -> Host:
        try:
            return Host(self.command, rows)
        except HostError as error:
            raise UsageError(f"{self.identity}: {error}") from error

    def _told(self, host: Host) -> Told:
        """What the subject in that process says of itself: a buffer lies elsewhere in every process."""
        if self.spec["kind"] in OBJECTS:
            env = Env(**json.loads(host.greeting.removeprefix("ok "))["env"])
            return Told((self.stated(env) if self.stated else env,), self._counted)
        instances = instances_of(host.greeting)
        return Told(tuple(replace(self.env, **told) for told in instances) or (self.env,), self._counted)

    def run(self, trace: Trace, limits: Limits = _LIMITS, payload: bool = True) -> History:
        """Run `trace` in a child of the warm host."""
        host = self.host(len(trace))
        try:
            return detached(host.run(trace, limits, self.told, payload))
        except BaseException:  # an interrupted run goes on: no other may meet its answer
            self.close()
            raise

    def run_fresh(self, trace: Trace, limits: Limits = _LIMITS) -> History:
        """Run `trace` in a process that was started for it."""
        host = self._started(max(len(trace), 16))
        try:
            return detached(host.run(trace, limits, self._told(host)))
        finally:
            host.close()

    def close(self) -> None:
        """End the host."""
        if self._host is not None:
            self._host.close()
            self._host = None
        if self.viewer is not None:
            self.viewer.close()


def instances_of(greeting: str) -> list[dict[str, Any]]:
    """What a host's first line says of each instance: where its memory begins, and its counters at first, bytes."""
    if greeting.startswith("ok {"):  # the Python worker
        return list(json.loads(greeting.removeprefix("ok ")).get("instances", []))
    rows = [entry[1:].split(",") for entry in greeting.split("\t")[1:] if entry.startswith("@")]
    return [dict(zip(("base", "remaining", "total"), map(int, row), strict=True)) for row in rows]


def owners_of(greeting: str) -> dict[str, str]:
    """Symbol to the file that it was found in, from a host's first line."""
    if greeting.startswith("ok {"):
        return dict(json.loads(greeting.removeprefix("ok "))["owners"])
    pairs = (entry.partition("=") for entry in greeting.split("\t")[1:] if not entry.startswith("@"))
    return {name: owner for name, _, owner in pairs}


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


def promised(shape: Shape) -> tuple[Env, frozenset[str]]:
    """What a subject of that shape is taken to promise when it says nothing: numbers, and names that laws need."""
    env = plain_env(shape.name)
    like_c = {"coalesces", "free null"} if shape.name == "malloc" else set[str]()
    return env, frozenset({"huge sizes", *like_c})
