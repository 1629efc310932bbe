"""The Python worker: a fork server for subjects that live in Python, and for libraries where there is no native driver.

`python -m heaplaw.worker FD BYTES REPLY SPEC`: the same conversation as the native host program. Holds no NumPy.
"""

import ctypes
import json
import mmap
import os
import resource
import signal
import sys
import time
from collections.abc import Mapping
from typing import Any

from heaplaw import layout
from heaplaw.calls import LibraryCalls, ObjectCalls, SubjectError, library_calls, make_object, python_calls
from heaplaw.driver import Calls, Driver, Payload, make_pattern

FORMATS: dict[int, Any] = {1: "B", 4: "I", 8: "Q"}
SLICE = 0.02
"""Seconds between two looks at a running child."""


class Job:
    """The shared memory, as columns."""

    def __init__(self, descriptor: int, size: int) -> None:
        self.memory = mmap.mmap(descriptor, size)
        self.size = size
        view = memoryview(self.memory)
        self.head: Any = view[: layout.HEAD].cast("Q")
        self.columns: dict[str, Any] = {}
        starts = list(self.head[layout.OFFSETS : layout.OFFSETS + len(layout.COLUMNS)])
        for column, start, stop in zip(layout.COLUMNS, starts, [*starts[1:], size], strict=True):
            self.columns[column.name] = view[start:stop].cast(FORMATS[column.width])

    @property
    def address(self) -> int:
        """Where the memory is mapped."""
        return ctypes.addressof(ctypes.c_char.from_buffer(self.memory))


ADDR_NO_RANDOMIZE = 0x0040000


def repeat_addresses() -> None:
    """Start again with addresses that repeat, so that runs repeat; where the kernel refuses, they vary."""
    was = _personality(0xFFFFFFFF)
    if was == -1 or was & ADDR_NO_RANDOMIZE or _personality(was | ADDR_NO_RANDOMIZE) == -1:
        return
    os.execv(sys.executable, sys.orig_argv)


def _personality(wanted: int) -> int:
    try:
        return int(ctypes.CDLL(None).personality(ctypes.c_ulong(wanted)))
    except AttributeError:
        return -1


def subject_of(spec: Mapping[str, Any]) -> tuple[Calls, dict[str, Any]]:
    """The subject that `spec` describes, and what it tells about itself."""
    if spec["kind"] == "native":
        library = library_calls(spec["library"], spec["symbols"])
        return library, {"owners": {spec["symbols"][name]: owner for name, owner in library.owners().items()}}
    if spec["kind"] == "cpython":
        return python_calls(spec["family"]), {}
    calls = ObjectCalls(make_object(spec["target"], spec["arguments"]), spec["shape"])
    given = spec["arguments"]
    env = calls.env(given["block_size"], given["num_blocks"], spec["align"])
    return calls, {"offers": calls.offers(), "env": vars(env)}


def run(job: Job, calls: Calls, native: str | None, memory: int) -> None:
    """The child: run the trace, then end without a word."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    if native is not None and isinstance(calls, LibraryCalls):
        functions = calls.addresses()
        array = (ctypes.c_void_p * len(functions))(*[address or None for address in functions])
        library = ctypes.PyDLL(native)
        os._exit(4 if library.hl_run(ctypes.c_void_p(job.address), array, ctypes.c_uint64(job.size)) else 0)
    payload = Payload() if job.head[layout.PAYLOAD] else None
    if payload is not None:
        payload.own.append((job.address, job.address + job.size))
    try:
        Driver(calls, job.columns, job.head, payload).run(job.head[layout.ROWS])
    except SystemExit as error:  # the subject ends its process in the way of Python
        sys.stdout.flush()
        os._exit(error.code & 255 if isinstance(error.code, int) else int(error.code is not None))
    sys.stdout.flush()
    os._exit(0)


def supervise(job: Job, child: int, cpu: float, wall: float) -> str:
    """Wait for the child: how it ended, or what it used up without progress."""
    clock = (~child << 3) | 2  # the child's CPU clock (clock_getcpuclockid)
    seen, then, started = job.head[layout.PROGRESS], 0.0, time.monotonic()
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            break
        signal.sigtimedwait({signal.SIGCHLD}, SLICE)
        try:
            used = time.clock_gettime(clock)
        except OSError:
            used = 0.0
        if job.head[layout.PROGRESS] != seen:
            seen, then, started = job.head[layout.PROGRESS], used, time.monotonic()
        elif used - then > cpu or time.monotonic() - started > wall:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return "hung cpu" if used - then > cpu else "hung wall"
    if os.WIFSIGNALED(status):
        return f"signal {os.WTERMSIG(status)}"
    finished = job.head[layout.PROGRESS] == 4 * job.head[layout.ROWS] + layout.FINISHED
    return "completed" if finished and os.WEXITSTATUS(status) == 0 else f"exit {os.WEXITSTATUS(status)}"


def main(descriptor: int, size: int, reply: int, spec: Mapping[str, Any]) -> None:
    """Serve until standard input ends."""

    def say(text: str) -> None:
        os.write(reply, (text.replace("\n", " ") + "\n").encode())

    try:
        calls, told = subject_of(spec)
    except SubjectError as error:
        say(f"error {error}")
        sys.exit(2)
    except BaseException as error:  # noqa: BLE001 - what a subject's own attributes may raise
        say(f"error looking at the subject raised {type(error).__name__}: {error}")
        sys.exit(2)
    job = Job(descriptor, size)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    say("ok " + json.dumps(told))
    make_pattern()  # once, before the first fork
    for line in sys.stdin:
        _, cpu, wall, memory = line.split()
        child = os.fork()
        if child == 0:
            try:
                run(job, calls, spec.get("driver"), int(memory))
            except BaseException as error:  # noqa: BLE001 - the child must end here, whatever happens
                sys.stderr.write(f"{type(error).__name__}: {error}\n")
                sys.stderr.flush()
            os._exit(70)
        say(supervise(job, child, int(cpu) / 1000, int(wall) / 1000))


if __name__ == "__main__":
    if os.getcwd() not in sys.path:  # noqa: PTH109 - the user's own modules, as `python -m` would find them
        sys.path.insert(0, os.getcwd())  # noqa: PTH109
    repeat_addresses()
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), json.loads(sys.argv[4]))
