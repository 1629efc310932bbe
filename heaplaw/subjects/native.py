"""Shared libraries with the C library's allocation functions, behind an optional prefix; the C library itself."""

import ctypes.util
import difflib
import os
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from heaplaw import native
from heaplaw.host import Command, Host, HostError
from heaplaw.spec.shapes import CALLS, MALLOC, Kind

from .base import ProcessSubject, UsageError, worker_command

USABLE = ("malloc_usable_size", "usable_size")
TLS = {"GLIBC_TUNABLES": "glibc.rtld.optional_static_tls=16384"}
"""Room for libraries with static thread-local storage that are loaded late (jemalloc)."""
_MACHINES = {"x86_64": "EM_X86_64", "aarch64": "EM_AARCH64", "arm64": "EM_AARCH64"}


@dataclass(frozen=True)
class Exports:
    """What a shared library says of itself: the functions that it defines."""

    path: str
    functions: frozenset[str]
    soname: str


def read_exports(path: Path) -> Exports:
    """The exported functions of a shared library; UsageError when the file is no such thing."""
    from elftools.common.exceptions import ELFError
    from elftools.elf.dynamic import DynamicSection
    from elftools.elf.elffile import ELFFile
    from elftools.elf.sections import SymbolTableSection

    if not path.exists():
        raise UsageError(f"{path}: no such file")
    if path.is_dir():
        raise UsageError(f"{path}: a folder, not a shared library")
    try:
        with path.open("rb") as file:
            elf: Any = ELFFile(file)
            if elf["e_type"] != "ET_DYN":
                raise UsageError(
                    f"{path}: not a shared library (ELF type {elf['e_type']}); build it with -shared -fPIC"
                )
            wanted = _MACHINES.get(platform.machine())
            if wanted and elf["e_machine"] != wanted:
                raise UsageError(
                    f"{path}: built for {str(elf['e_machine']).removeprefix('EM_')}, this machine is {platform.machine()}"
                )
            table: Any = elf.get_section_by_name(".dynsym")
            names: set[str] = set()
            if isinstance(table, SymbolTableSection):
                symbols: Any = table
                for symbol in symbols.iter_symbols():
                    if symbol["st_shndx"] != "SHN_UNDEF" and symbol["st_info"]["type"] in (
                        "STT_FUNC",
                        "STT_GNU_IFUNC",
                    ):
                        names.add(str(symbol.name))
            soname = ""
            dynamic: Any = elf.get_section_by_name(".dynamic")
            if isinstance(dynamic, DynamicSection):
                for tag in dynamic.iter_tags():
                    if tag.entry.d_tag == "DT_SONAME":
                        soname = str(tag.soname)
    except (ELFError, ValueError) as error:
        raise UsageError(f"{path}: not a shared library ({error or 'no ELF header'})") from error
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    return Exports(str(path.resolve()), frozenset(names), soname)


def find_symbols(exports: Exports, prefix: str) -> dict[str, str]:
    """C name to exported symbol, for the functions that are there; UsageError when malloc or free is missing."""
    names = [CALLS[kind] for kind in sorted(MALLOC.operations)]
    found = {name: prefix + name for name in names if prefix + name in exports.functions}
    for name in USABLE:
        if prefix + name in exports.functions:
            found.setdefault("usable_size", prefix + name)
    missing = [prefix + CALLS[kind] for kind in sorted(MALLOC.required) if CALLS[kind] not in found]
    if missing:
        raise UsageError(
            f"{exports.path}: does not export {' nor '.join(missing)}{hint(exports, missing[0], prefix)}"
        )
    return found


def hint(exports: Exports, symbol: str, prefix: str) -> str:
    """What the user may have meant."""
    prefixes = sorted(name.removesuffix("malloc") for name in exports.functions if name.endswith("malloc"))
    if prefixes:
        options = ", ".join(f"--prefix {p}" if p else "no --prefix" for p in prefixes[:4])
        return f"; it does export {', '.join(p + 'malloc' for p in prefixes[:4])}: try {options}"
    similar = difflib.get_close_matches(symbol, exports.functions, 4, 0.5)
    return f"; similar exports: {', '.join(similar)}" if similar else "; it exports no similar function"


def greeting_owners(greeting: str) -> dict[str, str]:
    """Symbol to the file that it was found in, from a host's first line."""
    pairs = (entry.partition("=") for entry in greeting.split("\t")[1:])
    return {name: owner for name, _, owner in pairs}


def check_owners(host: Host, path: str) -> None:
    """UsageError when a symbol resolved to another library than the one asked for."""
    real = os.path.realpath(path)
    for symbol, owner in greeting_owners(host.greeting).items():
        if not owner:
            raise UsageError(f"{path}: {symbol} is exported but cannot be loaded")
        if os.path.realpath(owner) != real:
            raise UsageError(
                f"{path}: {symbol} resolves to {owner}, another library; "
                "heaplaw would judge the wrong code (is the library already preloaded, or linked into it?)"
            )


def native_subject(
    path: str | None, prefix: str = "", identity: str = "", environment: dict[str, str] | None = None
) -> ProcessSubject:
    """The allocator in the shared library at `path`, or the C library's own (None).

    A library that defines plain `malloc` is preloaded, as it would be deployed; one with a prefix is loaded.
    """
    where = Path(path) if path else c_library()
    exports = read_exports(where)
    found = find_symbols(exports, prefix)
    host_program = native.find(native.HOST)
    preload = path is not None and not prefix
    settings = dict(environment or {})
    if path is not None:
        settings.update(TLS)
    name = identity or exports.soname or where.name
    spec = {"kind": "native", "path": path, "prefix": prefix, "environment": dict(environment or {})}
    offers = frozenset({*found, "C functions"})
    if host_program is None:
        worker_spec = {"kind": "native", "library": exports.path if path else None, "symbols": found}
        return ProcessSubject(
            name, MALLOC, offers, worker_command(worker_spec, settings), spec, "python", operations=100_000
        )
    kinds = [found.get(CALLS[kind], "-") for kind in Kind if kind is not Kind.CHECK]
    if preload:
        settings["LD_PRELOAD"] = exports.path
    library = exports.path if path and not preload else "-"
    command = Command([str(host_program)], [library, found.get("usable_size", "-"), *kinds], settings)
    subject = ProcessSubject(name, MALLOC, offers, command, spec, "native")
    try:
        check_owners(subject.host(4096), exports.path)
    except HostError as error:  # pragma: no cover - `host` turns it into a UsageError
        raise UsageError(str(error)) from error
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
