"""Shared libraries with the C library's allocation functions, behind an optional prefix; the C library itself."""

import ctypes.util
import os
from pathlib import Path
from typing import Any

from heaplaw import native
from heaplaw.errors import UsageError
from heaplaw.host import Command, Host
from heaplaw.plan import Plan, standard_plan
from heaplaw.spec.event import Env
from heaplaw.spec.shapes import CALLS, MALLOC, Shape

from .base import ProcessSubject, owners_of, promised, worker_command
from .elf import Exports, hint, read_exports

USABLE = ("malloc_usable_size", "usable_size")
TLS = {"GLIBC_TUNABLES": "glibc.rtld.optional_static_tls=16384"}
"""Room for libraries with static thread-local storage that are loaded late (jemalloc)."""


def find_symbols(exports: Exports, prefix: str) -> dict[str, str]:
    """C name to exported symbol, for the functions that are there; UsageError when malloc or free is missing."""
    names = [CALLS[kind] for kind in sorted(MALLOC.operations)]
    found = {name: prefix + name for name in names if prefix + name in exports.functions}
    for name in USABLE:
        if prefix + name in exports.functions:
            found.setdefault("usable_size", prefix + name)
    missing = [prefix + CALLS[kind] for kind in sorted(MALLOC.required) if CALLS[kind] not in found]
    if missing:
        raise UsageError(f"{exports.path}: does not export {' nor '.join(missing)}{hint(exports, missing[0])}")
    return found


def check_owners(host: Host, path: str) -> None:
    """UsageError when a symbol resolved to another library than the one asked for."""
    real = os.path.realpath(path)
    for symbol, owner in owners_of(host.greeting).items():
        if not owner:
            raise UsageError(f"{path}: {symbol} is exported but cannot be loaded")
        if os.path.realpath(owner) != real:
            raise UsageError(
                f"{path}: {symbol} resolves to {owner}, another library, which would be judged in its place"
                + (f" ({words})" if (words := host.last_words()) else reason(owner))
            )


def reason(owner: str) -> str:
    """Why a symbol may resolve to the library `owner`."""
    if any(os.path.realpath(p) == os.path.realpath(owner) for p in preloaded()):
        return " (LD_PRELOAD names that one: unset it)"
    return " (the library passes the call on: check that one)"


def preloaded() -> list[str]:
    """Libraries that the environment preloads into every process."""
    return os.environ.get("LD_PRELOAD", "").replace(":", " ").split()


def version_of_c_library() -> str:
    """Name and version, as `glibc 2.36`; empty where the C library does not say."""
    try:
        return os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (OSError, ValueError):
        return ""


def name_of(where: Path, soname: str) -> str:
    """What a library is called: its soname, and the file's name where that tells a version."""
    real = Path(os.path.realpath(where)).name
    return f"{soname} ({real})" if soname and real != soname else soname or where.name


def native_subject(
    path: str | None, prefix: str = "", identity: str = "", environment: dict[str, str] | None = None
) -> ProcessSubject:
    """The allocator in the shared library at `path`, or the C library's own (None).

    A library that defines plain `malloc` is preloaded, as it would be deployed; one with a prefix is loaded.
    """
    where = Path(path) if path else c_library()
    exports = read_exports(where)
    found = find_symbols(exports, prefix)
    splits = any(sign in exports.path for sign in " :")  # LD_PRELOAD separates by these
    preload = path is not None and not prefix and not splits
    settings = dict(environment or {})
    if path is not None:
        settings.update(TLS)
    if path is None:
        identity = identity or version_of_c_library()
    name = identity or name_of(where, exports.soname)
    known = None if path is None else exports.path
    spec: dict[str, Any] = {"kind": "native", "path": known, "prefix": prefix, "environment": dict(environment or {})}
    env, promises = promised(MALLOC)
    plan = standard_plan(found)
    subject = library_subject(name, MALLOC, plan, env, known, preload, settings, spec)
    subject.offers |= promises
    subject.name = prefix.rstrip("_") or (where.name.removeprefix("lib").partition(".so")[0] if path else "libc")
    return checked(subject, exports.path)


def library_subject(
    identity: str,
    shape: Shape,
    plan: Plan,
    env: Env,
    path: str | None,
    preload: bool,
    environment: dict[str, str],
    spec: dict[str, Any],
) -> ProcessSubject:
    """Functions of the library at `path` (None: of the C library), called as `plan` says: not started yet.

    With the native driver where there is one, else through the Python worker. What `spec` says of its `calls` is kept.
    """
    offers = frozenset({*plan.offers, "C functions"})
    settings = {**environment, **({"LD_PRELOAD": path} if preload and path else {})}
    calls = {"plan": plan.document(), "library": path, "preload": preload, **spec.get("calls", {})}
    spec = {**spec, "calls": calls}
    host_program = native.find(native.HOST)
    if host_program is None:
        command = worker_command({"kind": "mapped", "library": path, "plan": plan.document()}, environment)
        subject = ProcessSubject(identity, shape, offers, command, spec, "python", env, operations=100_000)
    else:
        library = path if path and not preload else "-"
        command = Command([str(host_program)], [library, *plan.entries()], settings)
        subject = ProcessSubject(identity, shape, offers, command, spec, "native", env)
    subject.instances, subject.plan = plan.instances, plan
    return subject


def checked(subject: ProcessSubject, path: str) -> ProcessSubject:
    """The subject, once it has started and its functions were found in the library at `path`."""
    try:
        check_owners(subject.host(4096), path)
    except UsageError:
        subject.close()
        raise
    return subject


def c_library() -> Path:
    """The C library of this process."""
    try:
        with Path("/proc/self/maps").open() as maps:
            for line in maps:
                name = line.split()[-1]
                base = name.rpartition("/")[2]
                if base.startswith(("libc.so", "libc-", "ld-musl")):
                    return Path(name)
    except OSError:
        pass
    raise UsageError(
        f"the C library was not found ({ctypes.util.find_library('c')}); name a library: heaplaw check ./lib.so"
    )
