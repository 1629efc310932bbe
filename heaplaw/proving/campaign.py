"""All obligations decided, several processes side by side; results come in the order in which they are told.

What is sent to a process are names, and what comes back are plain records: terms stay where they were made.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from itertools import groupby
from multiprocessing import get_context
from threading import Thread, current_thread, main_thread
from time import monotonic, sleep
from typing import Any

from heaplaw.proofs.paths import INTEGERS
from heaplaw.proofs.prove import Refuted, Result, proving
from heaplaw.proofs.symbolic import Reading
from heaplaw.spec.catalogue import CATALOGUE
from heaplaw.spec.verdict import Confirmed, Proved, Unknown

from .parts import CONTRACTS, Target, names, obligations

__all__ = ["Line", "Task", "decided", "outcome", "planned", "processes", "submitted", "tasks"]

READINGS = {Reading.UNBOUNDED: "unbounded", Reading.W64: "wrapping"}
"""How a reading is called in a line."""
VECTORS = "bit-vectors"
NOT_WRAPPING = "not wrapping"
"""CrossHair's integers."""


@dataclass(frozen=True)
class Line:
    """One obligation, decided: everything that is told of it."""

    part: str
    name: str
    about: str
    """A law's name, or what else is claimed."""
    statement: str
    scope: str
    reading: str
    outcome: str
    """proved, confirmed, refuted, unknown or error."""
    seconds: float
    paths: int = 0
    hypotheses: tuple[str, ...] = ()
    used: tuple[str, ...] = ()
    trusted: tuple[str, ...] = ()
    why: str = ""
    """Of an unknown or an error: what happened."""
    observed: str = ""
    required: str = ""
    values: tuple[tuple[str, int], ...] = ()
    """Of a counterexample: the state and the request."""
    whole: bool = False
    """Its state satisfies the whole invariant, as far as that was written down for small states."""

    @property
    def law(self) -> str:
        """The law's number, where it is one's."""
        return CATALOGUE[self.about].id if self.about in CATALOGUE else ""

    @property
    def shown(self) -> bool:
        """It counts."""
        return self.outcome in ("proved", "confirmed")


@dataclass(frozen=True)
class Task:
    """What one process decides in one go: obligations that share an exploration, or one contract."""

    target: Target
    part: str
    group: int
    wanted: frozenset[str] | None
    """Names; None for all."""
    minimal: bool = False
    """Cores are made as small as they get."""


def tasks(target: Target, parts: Mapping[str, set[str] | None], minimal: bool = False) -> list[Task]:
    """The work on some parts: of each the names wanted, or None for all."""
    found: list[Task] = []
    for part, chosen in parts.items():
        wanted = None if chosen is None else frozenset(chosen)
        for number, members in enumerate(_groups(target, part)):
            if wanted is None or any(name in wanted for name in members):
                found.append(Task(target, part, number, wanted, minimal))
    return found


def _groups(target: Target, part: str) -> list[list[str]]:
    if part == CONTRACTS:
        return [[name] for name in names(target, part)]
    return [[each.name for each in group] for group in _shared(target, part)]


def _shared(target: Target, part: str) -> list[list[Any]]:
    """Obligations that share an exploration."""
    stated = obligations(target, part)
    return [list(group) for _, group in groupby(stated, lambda each: (id(each.scenario), each.reading))]


def outcome(answer: object) -> str:
    """In one word."""
    from heaplaw.proofs.contracts import ContractRefuted

    for kind, word in ((Proved, "proved"), (Confirmed, "confirmed"), (Unknown, "unknown")):
        if isinstance(answer, kind):
            return word
    return "refuted" if isinstance(answer, Refuted | ContractRefuted) else "error"


def line_of(result: Result) -> Line:
    """An obligation's result as plain words and numbers."""
    made, answer = result.obligation, result.answer
    line = Line(
        made.part,
        made.name,
        made.about,
        made.statement,
        made.scope,
        READINGS[made.reading] if made.engine is INTEGERS else VECTORS,
        outcome(answer),
        result.seconds,
        result.paths,
        result.hypotheses,
        result.used,
        made.trusted,
        why=str(getattr(answer, "why", "")),
    )
    if isinstance(answer, Refuted):
        observed, required, values, whole = answer.observed, answer.required, answer.values, answer.whole
        return replace(line, observed=observed, required=required, values=values, whole=whole)
    return line


def run(task: Task) -> list[Line]:
    """Decide what a task names."""
    if task.part == CONTRACTS:
        return [_contract(task.group)]
    members = _shared(task.target, task.part)[task.group]
    chosen = [each for each in members if task.wanted is None or each.name in task.wanted]
    return [line_of(result) for result in proving(chosen, minimal=task.minimal)]


def _contract(number: int) -> Line:
    from heaplaw.proofs import contracts

    contract, started = contracts.CONTRACTS[number], monotonic()
    answer = contracts.confirm(contract.function)
    statement = " ".join((contract.function.__doc__ or "").split("pre:")[0].split("post:")[0].split())
    return Line(
        CONTRACTS,
        f"{CONTRACTS}.{contract.name}",
        "laws",
        statement,
        contract.scope,
        NOT_WRAPPING,
        outcome(answer),
        monotonic() - started,
        why=str(getattr(answer, "why", getattr(answer, "message", ""))),
    )


def decided(work: list[Task], jobs: int) -> Iterator[list[Line]]:
    """The results of all tasks, in their order; in processes of their own where there is more than one job, and always
    where a user's code is run.
    """
    apart = any(task.target.kind == "own" for task in work)
    if not apart and (jobs == 1 or len(work) < 2):
        yield from map(run, work)
        return
    pool = processes(min(jobs, len(work)))
    try:
        # Not `map`, which cancels what is left when it is interrupted, in a race with the pool's own thread.
        for task, future in zip(work, submitted(pool, [(run, task) for task in work]), strict=True):
            try:
                yield future.result()
            except BrokenProcessPool:
                yield [_lost(task, name) for name in _groups(task.target, task.part)[task.group]]
    except BaseException:
        for process in list(getattr(pool, "_processes", {}).values()):
            process.kill()
        raise
    finally:
        pool.shutdown()


def _lost(task: Task, name: str) -> Line:
    why = "the process that ran the steps ended: do they exit?"
    return Line(task.part, name, name.rpartition(".")[2], "", "", "", "error", 0.0, why=why)


def processes(count: int) -> ProcessPoolExecutor:
    """Processes that find modules as this one does."""
    return ProcessPoolExecutor(max(1, count), get_context("spawn"), _quiet, (list(sys.path),))


def submitted(pool: ProcessPoolExecutor, calls: Sequence[tuple[Callable[[Any], Any], Any]]) -> list[Future[Any]]:
    """The calls under way. Processes are started deaf to Ctrl-C, which is this one's to hear."""
    deaf = current_thread() is main_thread()
    before = signal.signal(signal.SIGINT, signal.SIG_IGN) if deaf else None
    try:
        return [pool.submit(function, argument) for function, argument in calls]
    finally:
        if deaf:
            signal.signal(signal.SIGINT, before)


def planned(work: Sequence[Task]) -> int:
    """How many obligations are to be decided."""
    members = (name for task in work for name in _groups(task.target, task.part)[task.group] if _wants(task, name))
    return sum(1 for _ in members)


def _wants(task: Task, name: str) -> bool:
    return task.wanted is None or name in task.wanted


def _quiet(path: list[str]) -> None:
    """A worker finds modules as its parent does, leaves Ctrl-C to it, and does not outlive it."""
    sys.path[:] = path
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_while_parent_lives, args=(os.getppid(),), daemon=True).start()


def _while_parent_lives(parent: int) -> None:
    while os.getppid() == parent:
        sleep(1.0)
    os._exit(1)  # in the middle of a question to z3, which nobody waits for


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
