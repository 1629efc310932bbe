"""Subjects that a mapping describes."""

import os
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from heaplaw import mapping, plan
from heaplaw.errors import UsageError
from heaplaw.mapping import Mapping
from heaplaw.spec.event import Env
from heaplaw.spec.history import plain_env
from heaplaw.spec.shapes import SHAPES, WORDS, Shape

from .base import Expected, ProcessSubject, worker_command
from .build import compiled
from .elf import read_exports
from .native import TLS, c_library, checked, library_subject, preloaded, version_of_c_library
from .promises import costs_of, names_of, promising
from .viewed import planned, viewer_of

KINDS = {word: kind for kind, word in WORDS.items()}
STANDARD = frozenset({"malloc", "calloc", "realloc", "free"})
"""A library whose mapping calls one of these takes the C library's place: it is preloaded."""
FOLDERS = (
    "/usr/local/lib",
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib64",
    "/usr/lib",
    "/lib64",
    "/lib",
)


class NotInstalledError(UsageError):
    """What a mapping needs is not on this machine."""


def mapped_subject(
    path: Path, known_as: str = "", library: Path | None = None, environment: dict[str, str] | None = None
) -> ProcessSubject:
    """The subject that the mapping in the file `path` describes; `known_as`: the name of a mapping that ships.

    `library` and `environment` take the place of what the mapping says. MappingError for what is wrong in the file,
    UsageError for what cannot be started.
    """
    read = mapping.load(path)
    if library is not None:
        said = {**read.environment, **(environment or {})}
        read = replace(read, name=known_as or read.name, where=(str(library),), environment=said)
    # A name that the current folder alone knows (its path is relative then) means nothing in another one.
    named = known_as if path.is_absolute() else ""
    spec = {"kind": "mapping", "path": named or str(path.resolve()), "calls": calls_of(read)}
    shape, calls, env = SHAPES[read.shape], plan_of(read), env_of(read)
    if read.kind == "python":
        # The module may lie beside the mapping, wherever that is read from.
        searched = os.pathsep.join(filter(None, (str(path.resolve().parent), os.environ.get("PYTHONPATH"))))
        command = worker_command(
            {"kind": "python", "module": read.where[0], "plan": calls.document()},
            {"PYTHONPATH": searched, **read.environment},
        )
        subject = ProcessSubject(read.name, shape, calls.offers, command, spec, "python", env, operations=20_000)
        subject.instances, subject.plan = calls.instances, calls
        subject.host(4096)
        version = ""
    else:
        subject, version = library_of(read, shape, calls, env, spec)
    subject.name = known_as or read.name
    subject.offers |= promises_of(read, env)
    subject.cost = costs_of(read.promises)
    subject.expected = tuple(
        Expected(known.law, known.reason, known.issue, known.dialects)
        for known in read.expect
        if known.version is None or is_of(version, known.version)
    )
    subject.notes = notes_of(read)
    if read.destroy and "base" in read.counters and not read.buffer:
        # Where an instance's memory lies is constant over a run to laws; made again, it may lie elsewhere.
        subject.offers -= {"renew"}
        subject.notes += ("`base` is asked once: no instance is destroyed and made again while a trace runs",)
    subject.viewer = viewer_of(subject, read)
    return subject


def library_of(
    read: Mapping, shape: Shape, calls: plan.Plan, env: Env, spec: dict[str, Any]
) -> tuple[ProcessSubject, str]:
    """The subject in a library, started, and the library's version."""
    where = found_library(read)
    exports = read_exports(where)
    mapping.check_symbols(read, exports)
    plain = where == c_library()
    file = read.where[0] if read.kind == "source" else Path(os.path.realpath(where)).name
    identity = version_of_c_library() if plain else f"{read.name} ({file})"
    preload = not STANDARD.isdisjoint(calls.functions) if read.preload is None else read.preload
    settings = {**({} if plain else TLS), **read.environment}
    if not plain and preload and any(sign in exports.path for sign in " :"):
        raise UsageError(f"{where}: its path has a space or a colon, which separate libraries to preload; move it")
    subject = library_subject(
        identity, shape, calls, env, None if plain else exports.path, preload and not plain, settings, spec
    )
    return checked(subject, exports.path), version_of(where)


def found_library(read: Mapping) -> Path:
    """The file of the library that a mapping names; NotInstalledError when no such file is there."""
    here = read.path.parent
    if read.kind == "source":
        return compiled(here / read.where[0])
    for written in read.where:
        if written == "libc":
            return c_library()
        folders = [here] if "/" in written else library_folders()
        for folder in folders:
            # Of several, the last: names of folders tell versions.
            matches = sorted(folder.glob(written) if not written.startswith("/") else Path("/").glob(written[1:]))
            if matches:
                return matches[-1]
    what = f"{' or '.join(read.where)}: no such library"
    raise NotInstalledError(f"{read.path}: {what}" + (f"; install {read.package}" if read.package else ""))


def library_folders() -> list[Path]:
    """Where a library without a path is looked for: as the loader does, then beside Python's packages."""
    given = [part for part in os.environ.get("LD_LIBRARY_PATH", "").split(":") if part]
    return [Path(folder) for folder in (*given, *FOLDERS, f"{sys.prefix}/lib") if Path(folder).is_dir()]


def version_of(where: Path) -> str:
    """The version that a library's real file name tells, or the C library's; empty when there is none."""
    if where == c_library():  # its file's name tells the interface's version
        return version_of_c_library().rpartition(" ")[2]
    found = re.search(r"\.so\.([0-9][0-9.]*)$", os.path.realpath(where))
    return found.group(1) if found else ""


def is_of(version: str, meant: str) -> bool:
    """Whether a version is one of those that an expectation is for; one that is not known is none of them."""
    if meant.startswith("<"):
        found, limit = (tuple(map(int, re.findall("[0-9]+", text))) for text in (version, meant))
        return bool(found) and found < limit
    return version.startswith(meant)


def calls_of(read: Mapping) -> dict[str, Any]:
    """What a reader, or a program, must know of the calls beside the plan: words that the mapping chose, and places."""
    here = {"source": str((read.path.parent / read.where[0]).resolve())} if read.kind == "source" else {}
    module = {"python": read.where[0]} if read.kind == "python" else {}
    return {"instance": read.instance, "environment": dict(read.environment), **here, **module}


def plan_of(read: Mapping) -> plan.Plan:
    """How the mapping's calls are made."""

    def call(made: mapping.Call) -> plan.Call:
        return planned(read, made)

    buffer = read.buffer
    return plan.Plan(
        operations={KINDS[name]: call(made) for name, made in read.operations.items()},
        counters={name: call(made) for name, made in read.counters.items()},
        init=tuple(map(call, read.init)),
        create=tuple(map(call, read.create)),
        destroy=call(read.destroy) if read.destroy else None,
        instances=read.instances,
        buffer=buffer.size if buffer else 0,
        buffer_align=buffer.align if buffer else 16,
        storage=read.storage,
        capacity=buffer.size if buffer else read.constants.get("capacity", 0),
        align=int(env_of(read).max_align),
    )


def env_of(read: Mapping) -> Env:
    """What the mapping promises, as laws see it."""
    says, plain, shape = read.promises, plain_env(read.shape), SHAPES[read.shape]
    buffer, constants = read.buffer, read.constants
    blocks, size = constants.get("num_blocks", 0), constants.get("block_size", 0)
    capacity = buffer.size if buffer else constants.get("capacity", 0)
    if shape.name == "pool" and "base" in read.counters:
        capacity = size * blocks
    zeroed = read.operations.get("zeroed")
    return replace(
        promising(plain, says),
        capacity=capacity,
        block_size=size,
        num_blocks=blocks,
        header=constants.get("header", plain.header),
        counted=zeroed is None or "count" in zeroed.arguments,
    )


def promises_of(read: Mapping, env: Env) -> frozenset[str]:
    """The promises that laws need, by the names that they ask for."""
    grid = {"grid"} if read.shape == "pool" and "base" in read.counters else set[str]()
    cost = {"constant cost"} if costs_of(read.promises) else set[str]()
    return names_of(env, read.promises, takes_null(read)) | grid | cost


def takes_null(read: Mapping) -> bool:
    """Whether NULL may be freed: as said, else where the function is C's own by its name, or Lua's."""
    free = read.operations.get("free")
    like_c = free is not None and (free.function == "free" or read.shape == "lua_alloc")
    return like_c if read.promises.free_null is None else read.promises.free_null


def notes_of(read: Mapping) -> tuple[str, ...]:
    """What is promised, and not judged."""
    says = read.promises
    told = {"thread_safe": None if says.thread_safe is None else "yes"}
    words = [f"{name} = {value}" for name, value in told.items() if value not in (None, "any", "undefined")]
    return (f"promised, and judged by no law: {', '.join(words)}",) if words else ()


__all__ = ["NotInstalledError", "found_library", "mapped_subject", "preloaded"]
