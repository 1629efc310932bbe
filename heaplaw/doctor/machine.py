"""The machine: the system, processes, memory, the compiled driver, the folders that are written."""

import ctypes
import os
import platform
import resource
import subprocess
import sys
from pathlib import Path

from .finding import BROKEN, MISSING, OK, Check, Finding

__all__ = ["CHECKS", "MEMORY"]

MEMORY = 16 * 2**30
"""Address space that a run gets when nothing is said, bytes: `heaplaw check --memory`."""
SECONDS = 60.0
"""What takes longer than this does not end."""
TESTED = ("x86_64",)
OUTPUT = Path("heaplaw-out")
"""Where traces are kept when nothing is said."""


def python() -> Finding:
    """The interpreter."""
    told = f"{platform.python_implementation()} {platform.python_version()}, {sys.executable}"
    if sys.version_info < (3, 11):  # noqa: UP036 - an install that went past the metadata
        return Finding("Python", BROKEN, told, "heaplaw needs 3.11 or newer", "install a newer Python")
    if sys.implementation.name != "cpython":
        return Finding("Python", MISSING, told, "pymem_raw, pymem, pyobject are CPython's: they cannot be judged")
    return Finding("Python", OK, told)


def system() -> Finding:
    """Kernel and processor."""
    told = f"{platform.system()} {platform.release()}, {platform.machine()}"
    if platform.system() != "Linux":
        return Finding("system", BROKEN, told, "subjects are run on Linux only", "use Linux, a container, or WSL 2")
    if platform.machine() not in TESTED:
        return Finding("system", OK, f"{told} (not tested on this processor)")
    return Finding("system", OK, told)


def shared_memory() -> Finding:
    """Memory that this process and a subject's share."""
    cost = "no subject can be run: traces go to it, and histories come back, in memory without a file"
    try:
        descriptor = os.memfd_create("heaplaw")
    except (AttributeError, OSError) as error:
        why = getattr(error, "strerror", None) or "this system has no memfd_create"
        return Finding("shared memory", BROKEN, why, cost, "allow memfd_create: a sandbox or an old kernel refuses it")
    try:
        os.ftruncate(descriptor, 2**20)
    finally:
        os.close(descriptor)
    return Finding("shared memory", OK, "memfd_create")


def runs(name: str) -> str:
    """Run a short trace on the subject `name`, in processes of its own, as a check does: the driver; OSError or another
    exception where that does not work.
    """
    from heaplaw.spec.history import Completed, Op, make_trace
    from heaplaw.spec.shapes import Kind
    from heaplaw.subjects import resolve

    (subject,) = resolve(name, "", None, {})
    try:
        sized = 64 if subject.shape.sized else 0
        trace = make_trace(subject.shape.name, [Op(Kind.ALLOC, sized), Op(Kind.FREE, slot=0)], subject.env)
        history = subject.run(trace)
        if not isinstance(history.end, Completed):
            raise OSError(f"the run ended early: {subject.host(0).last_words() or history.end}")
        return subject.driver
    finally:
        subject.close()


def python_driver() -> Finding:
    """Python allocators, in a process of their own."""
    try:
        runs("ref:pool")
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the finding
        told = " ".join(str(error).split()) or type(error).__name__
        return Finding("driver in Python", BROKEN, told, "Python allocators, and ref:…, cannot be judged")
    return Finding("driver in Python", OK, "a short run of ref:pool came to its end")


def compiled_driver() -> Finding:
    """The compiled host."""
    from heaplaw import native

    name = "compiled driver"
    cost = "Python calls libraries, more slowly: a check makes 100,000 operations instead of 1,000,000"
    ruled_out = os.environ.get("HEAPLAW_NO_NATIVE", "")
    if ruled_out not in ("", "0"):
        return Finding(name, MISSING, f"HEAPLAW_NO_NATIVE={ruled_out} rules it out", cost, "unset HEAPLAW_NO_NATIVE")
    path = native.find(native.HOST)
    if path is None:
        return Finding(name, MISSING, "not built here", cost, BUILD)
    try:
        driver = runs("libc")
    except Exception as error:  # noqa: BLE001 - as above
        told = " ".join(str(error).split()) or type(error).__name__
        return Finding(name, BROKEN, f"{path}: {told}", "libraries cannot be judged", AGAIN)
    return Finding(name, OK, f"{path}, a short run of the C library's malloc ({driver})")


BUILD = "install a C compiler (Debian: gcc libc6-dev), then heaplaw again"
AGAIN = "install heaplaw again, or set HEAPLAW_NO_NATIVE=1 to do without it"


def compiled_judge() -> Finding:
    """The judge's inner loops in C."""
    from heaplaw import native

    name, cost = "compiled judge", "pairs of blocks are judged in NumPy: the same verdicts, more slowly"
    path = native.find(native.LIBRARY)
    if path is None:
        return Finding(name, MISSING, "not built here, or ruled out", cost, f"as for the compiled driver: {BUILD}")
    try:
        ctypes.CDLL(str(path))
    except OSError as error:
        return Finding(name, BROKEN, str(error), "nothing can be judged", AGAIN)
    return Finding(name, OK, str(path))


def compiled_mutants() -> Finding:
    """The allocators with seeded faults that are written in C."""
    from heaplaw import native
    from heaplaw.killmatrix import all_cases
    from heaplaw.killmatrix.cases import present

    absent = [case for case in all_cases() if not present(case)]
    if absent:
        cost = f"{len(absent)} mutants are left out: mutant:{absent[0].name}, …; heaplaw mutants ends with 3"
        return Finding("mutants in C", MISSING, "not built here, or ruled out", cost, BUILD)
    return Finding("mutants in C", OK, f"{native.MUTANTS}, {native.SHAPES}")


def repeating_addresses() -> Finding:
    """Processes without address space randomisation; asked in a process apart."""
    code = "import ctypes; f = ctypes.CDLL(None).personality; print(f(ctypes.c_ulong(f(0xffffffff) | 0x0040000)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=SECONDS)
    if done.returncode == 0 and done.stdout.strip() not in ("", "-1"):
        return Finding("repeating addresses", OK, "personality(ADDR_NO_RANDOMIZE)")
    return Finding(
        "repeating addresses",
        MISSING,
        "personality(ADDR_NO_RANDOMIZE) is refused",
        "addresses vary from run to run: what depends on them may replay only sometimes, which is told",
        "in Docker: --security-opt seccomp=unconfined",
    )


def address_space() -> Finding:
    """The limit on address space."""
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    if most == resource.RLIM_INFINITY or most >= MEMORY + 2**30:
        return Finding("address space", OK, "no limit" if most == resource.RLIM_INFINITY else f"{most / 2**30:.1f} GiB")
    return Finding(
        "address space",
        MISSING,
        f"limited to {most / 2**30:.1f} GiB",
        f"a run gets no more than that, in place of {MEMORY // 2**30} GiB: allocators that reserve more are refused",
        "ulimit -v unlimited in the shell",
    )


def _written(name: str, folder: Path, cost: str, remedy: str) -> Finding:
    from heaplaw.errors import UsageError
    from heaplaw.store import check_folder

    try:
        check_folder(folder)
    except UsageError as error:
        return Finding(name, BROKEN, str(error).partition("; choose")[0], cost, remedy)
    return Finding(name, OK, f"{folder} can be written")


def output_folder() -> Finding:
    """Where traces of violations go."""
    cost = "heaplaw check runs nothing where it cannot keep the traces that it finds"
    return _written("output folder", OUTPUT, cost, "change the folder, or check --output FOLDER")


def examples_folder() -> Finding:
    """Where Hypothesis keeps what it found."""
    from hypothesis import settings

    name, cost = "Hypothesis database", "Hypothesis forgets from run to run what a machine found"
    database = settings().database
    path = getattr(database, "path", None)
    if path is None:
        kind = type(database).__name__ if database is not None else "none"
        return Finding(name, MISSING, f"in no folder ({kind})", cost, "set HYPOTHESIS_STORAGE_DIRECTORY")
    return _written(name, Path(str(path)), cost, "set HYPOTHESIS_STORAGE_DIRECTORY")


CHECKS = (
    Check("Python", python),
    Check("system", system),
    Check("shared memory", shared_memory),
    Check("driver in Python", python_driver),
    Check("compiled driver", compiled_driver),
    Check("compiled judge", compiled_judge),
    Check("mutants in C", compiled_mutants),
    Check("repeating addresses", repeating_addresses),
    Check("address space", address_space),
    Check("output folder", output_folder),
    Check("Hypothesis database", examples_folder),
)
