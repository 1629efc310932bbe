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
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from heaplaw import layout
from heaplaw.callers.library import LibraryCaller, load, python_functions
from heaplaw.callers.methods import env_of, import_module, maker_of, plan_of, promised_align
from heaplaw.callers.objects import ObjectCaller
from heaplaw.calls import Caller, SubjectError, python_plan
from heaplaw.driver import Driver
from heaplaw.instances import Buffer, Instances
from heaplaw.payload import Payload, make_pattern
from heaplaw.plan import Plan
from heaplaw.spec.shapes import SHAPES
from heaplaw.viewing import ListView

FORMATS: dict[int, Any] = {1: "B", 4: "I", 8: "Q"}
SLICE = 0.02
"""Seconds between two looks at a running child."""
BUFFER_ALIGN = 16
"""What the address of the buffer that a Python object is given is a multiple of."""


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


@dataclass(frozen=True)
class Subject:
    """What is run, and what it tells about itself."""

    caller: Caller
    instances: Instances
    told: dict[str, Any]
    native: "Native | None" = None
    view: ListView | None = None
    """How the free list is looked at; then the driver in Python runs it."""


class Native:
    """The driver written in C, in this process, with a plan of its own."""

    def __init__(self, path: str, plan: Plan, functions: LibraryCaller) -> None:
        self._library = ctypes.PyDLL(path)
        self._library.hl_plan_new.restype = ctypes.c_void_p
        numbers = plan.entries()[0]
        self._plan = ctypes.c_void_p(self._library.hl_plan_new(numbers.encode()))
        calls = [(f"{slot}:{made.notation()}", made.function) for slot, made in plan.calls().items()]
        entered = [
            self._library.hl_plan_call(self._plan, text.encode(), ctypes.c_void_p(functions.address(name)))
            for text, name in calls
        ]
        if not self._plan.value or any(entered) or self._library.hl_plan_begin(self._plan):
            raise SubjectError(f"{path} does not take the plan of {', '.join(plan.functions)}")

    def run(self, job: "Job") -> int:
        """Run the trace; 0, or an errno when the driver itself lacks memory."""
        return int(self._library.hl_run(ctypes.c_void_p(job.address), self._plan, ctypes.c_uint64(job.size)))


def subject_of(spec: Mapping[str, Any]) -> Subject:
    """The subject that `spec` describes, its instances made; SubjectError when it cannot be had."""
    plan = Plan.read(spec["plan"]) if "plan" in spec else None
    if spec["kind"] == "object":
        return object_of(spec)
    if spec["kind"] == "python":
        assert plan is not None
        objects = ObjectCaller(import_module(spec["module"]))
        instances = begun(objects, plan)
        objects.check(plan)
        return Subject(objects, instances, {"owners": {}, "instances": told_by(instances)})
    if spec["kind"] == "cpython":
        functions, plan = python_functions(), plan or python_plan(spec["family"])
    else:
        functions = load(spec["library"])
    assert plan is not None
    instances = begun(functions, plan)
    told = {"owners": functions.owners(plan.functions), "instances": told_by(instances)}
    native = Native(spec["driver"], plan, functions) if spec.get("driver") else None
    view = ListView.read(spec["view"]) if spec.get("view") else None
    return Subject(functions, instances, told, native, view)


def begun(caller: Caller, plan: Plan, first: Buffer | None = None) -> Instances:
    """All instances of a plan, made."""
    instances = Instances(caller, plan, first)
    instances.begin()
    return instances


def told_by(instances: Instances) -> list[dict[str, int]]:
    """What every instance says of itself."""
    return [instance.told for instance in instances.every]


def object_of(spec: Mapping[str, Any], found: Any = None) -> Subject:
    """A Python object by the names of its methods: what `spec["target"]` stands for, or `found`."""
    shape = SHAPES[spec["shape"]]
    maker = maker_of(spec["target"], shape, spec["arguments"], found)
    buffer = Buffer(maker.arguments["capacity"], BUFFER_ALIGN) if maker.wants_buffer else None
    objects = [maker.first(buffer.address if buffer else 0)]
    align = promised_align(objects[0], shape, spec["align"])
    size = buffer.size if buffer else 0
    plan = plan_of(objects[0], shape, align, size, spec["target"], renews=buffer is not None)

    def make(at: int) -> object:
        return objects.pop() if objects else maker.make(at)

    caller = ObjectCaller(None, {spec["target"]: make})
    instances = begun(caller, plan, buffer)
    env = env_of(caller.things[1].object, shape, plan, maker.arguments, instances.every[0].told)
    return Subject(
        caller,
        instances,
        {
            "offers": sorted(plan.offers),
            "env": vars(env),
            "instances": told_by(instances),
            "plan": plan.document(),
            "type": type(caller.things[1].object).__name__,
        },
    )


def address_space() -> int:
    """Bytes of address space in use: a subject may have reserved far more than it will use before the limit begins."""
    try:
        with Path("/proc/self/statm").open() as statm:
            return int(statm.read().split()[0]) * resource.getpagesize()
    except OSError:
        return 0


def run(job: Job, subject: Subject, memory: int) -> None:
    """The child: run the trace, then end without a word."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    most = memory + address_space()
    hardest = resource.getrlimit(resource.RLIMIT_AS)[1]  # nobody may go beyond what this process was given
    most = most if hardest == resource.RLIM_INFINITY else min(most, hardest)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    if subject.native is not None:
        os._exit(4 if subject.native.run(job) else 0)
    payload = Payload() if job.head[layout.PAYLOAD] else None
    if payload is not None:
        payload.own.append((job.address, job.address + job.size))
    plan = subject.instances.plan
    try:
        driver = Driver(subject.caller, plan, subject.instances, job.columns, job.head, payload, subject.view)
        driver.run(job.head[layout.ROWS])
    except SystemExit as error:  # the subject ends its process in the way of Python
        sys.stdout.flush()
        os._exit(error.code & 255 if isinstance(error.code, int) else int(error.code is not None))
    sys.stdout.flush()
    os._exit(0)


def supervise(job: Job, child: int, cpu: float, wall: float, parent: int) -> str:
    """Wait for the child: how it ended, or what it used up without progress. `parent`: whose worker this is."""
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
        if os.getppid() != parent:  # nobody is left to answer to
            os.kill(child, signal.SIGKILL)
            os._exit(1)
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


def serve(descriptor: int, size: int, reply: int, made: Callable[[], Subject], orders: Iterable[str]) -> None:
    """Serve until the `orders` end, a line a run."""
    parent = os.getppid()

    def say(text: str) -> None:
        os.write(reply, (text.replace("\n", " ") + "\n").encode())

    try:
        subject = made()
    except SubjectError as error:
        say(f"error {error}")
        sys.exit(2)
    except BaseException as error:  # noqa: BLE001 - what a subject's own attributes may raise
        say(f"error looking at the subject raised {type(error).__name__}: {error}")
        sys.exit(2)
    job = Job(descriptor, size)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    say("ok " + json.dumps(subject.told))
    make_pattern()  # once, before the first fork
    for line in orders:
        _, cpu, wall, memory = line.split()
        child = os.fork()
        if child == 0:
            try:
                run(job, subject, int(memory))
            except BaseException as error:  # noqa: BLE001 - the child must end here, whatever happens
                sys.stderr.write(f"{type(error).__name__}: {error}\n")
                sys.stderr.flush()
            os._exit(70)
        say(supervise(job, child, int(cpu) / 1000, int(wall) / 1000, parent))


if __name__ == "__main__":
    if os.getcwd() not in sys.path:  # noqa: PTH109 - the user's own modules, as `python -m` would find them
        sys.path.insert(0, os.getcwd())  # noqa: PTH109
    repeat_addresses()
    wanted = json.loads(sys.argv[4])
    serve(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), lambda: subject_of(wanted), sys.stdin)
