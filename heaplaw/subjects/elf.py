"""What a shared library says of itself, read from the file: nothing is loaded."""

import difflib
import platform
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from heaplaw.errors import UsageError

_MACHINES = {"x86_64": "EM_X86_64", "aarch64": "EM_AARCH64", "arm64": "EM_AARCH64"}
_PIE = 0x08000000
"""DF_1_PIE in DT_FLAGS_1: an executable, though of the type that shared libraries have."""
_FUNCTIONS = ("STT_FUNC", "STT_GNU_IFUNC")


@dataclass(frozen=True)
class Exports:
    """What a shared library says of itself: the functions that it defines."""

    path: str
    functions: frozenset[str]
    soname: str
    hidden: frozenset[str] = frozenset()
    """Functions that are there and not exported, where the file was not stripped of them."""


def read_exports(path: Path) -> Exports:
    """The exported functions of a shared library; UsageError when the file is no such thing."""
    from elftools.common.exceptions import ELFError

    try:
        kind = path.stat().st_mode
        if stat.S_ISDIR(kind):
            raise UsageError(f"{path}: a folder, not a shared library")
        if not stat.S_ISREG(kind):
            raise UsageError(f"{path}: not a regular file, so not a shared library")
        return _read(path)
    except FileNotFoundError as error:
        raise UsageError(f"{path}: no such file") from error
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    except ELFError as error:
        reason = "no ELF header" if str(error) in ("", "Magic number does not match") else str(error)
        raise UsageError(f"{path}: {_instead(path) or f'not a shared library, or a damaged one ({reason})'}") from error
    except UsageError:
        raise
    except Exception as error:  # the reader of a damaged file fails in many ways
        raise UsageError(f"{path}: a damaged shared library ({type(error).__name__}: {error})") from error


def _instead(path: Path) -> str:
    """What a file that is no library seems to be, by its name, and what takes it; empty where that does not tell."""
    from .build import LANGUAGES

    if any(path.suffix in language.suffixes for language in LANGUAGES):
        return (
            f'a source, not a shared library; a mapping with source = "{path.name}" has it built and says how it is '
            "called (`heaplaw explain mapping`)"
        )
    if path.suffix == ".json":
        return f"not a shared library; if it is a stored trace, `heaplaw replay {path}` runs it again"
    return ""


def _read(path: Path) -> Exports:
    from elftools.elf.elffile import ELFFile

    with path.open("rb") as file:
        elf: Any = ELFFile(file)
        _check_header(path, elf)
        dynamic: Any = next((s for s in elf.iter_segments() if s["p_type"] == "PT_DYNAMIC"), None)
        if dynamic is None:
            raise UsageError(f"{path}: not a shared library that can be loaded (it has no dynamic section)")
        soname = ""
        for tag in dynamic.iter_tags():
            if tag.entry.d_tag == "DT_SONAME":
                soname = str(tag.soname)
            if tag.entry.d_tag == "DT_FLAGS_1" and tag.entry.d_val & _PIE:
                raise UsageError(f"{path}: an executable, not a shared library; build it with -shared -fPIC")
        table: Any = elf.get_section_by_name(".dynsym") or dynamic
        exported = _functions(table.iter_symbols(), ("STB_GLOBAL", "STB_WEAK", "STB_GNU_UNIQUE", "STB_LOOS"))
        full: Any = elf.get_section_by_name(".symtab")
        hidden = frozenset[str]() if full is None else _functions(full.iter_symbols()) - exported
    return Exports(str(path.resolve()), exported, soname, hidden)


def _check_header(path: Path, elf: Any) -> None:
    if elf["e_type"] == "ET_REL":
        raise UsageError(f"{path}: an object file, not a shared library; link it with -shared")
    if elf["e_type"] == "ET_EXEC":
        raise UsageError(f"{path}: an executable, not a shared library; build it with -shared -fPIC")
    if elf["e_type"] != "ET_DYN":
        raise UsageError(f"{path}: not a shared library (ELF type {elf['e_type']})")
    wanted = _MACHINES.get(platform.machine())
    if (wanted and elf["e_machine"] != wanted) or elf.elfclass != 64:
        built = str(elf["e_machine"]).removeprefix("EM_")
        raise UsageError(
            f"{path}: built for {built} ({elf.elfclass} bits), this machine is {platform.machine()} (64 bits)"
        )
    size = path.stat().st_size
    needed = max((int(s["p_offset"]) + int(s["p_filesz"]) for s in elf.iter_segments()), default=0)
    if needed > size:
        raise UsageError(f"{path}: a damaged shared library: cut off at {size} of at least {needed} bytes")


def _functions(symbols: Iterable[Any], bindings: tuple[str, ...] = ()) -> frozenset[str]:
    return frozenset(
        str(symbol.name)
        for symbol in symbols
        if symbol["st_shndx"] != "SHN_UNDEF"
        and symbol["st_info"]["type"] in (*_FUNCTIONS, "STT_LOOS")
        and (not bindings or symbol["st_info"]["bind"] in bindings)
    )


def hint(exports: Exports, symbol: str) -> str:
    """What the user may have meant by `symbol`, and why it may not be exported."""
    if symbol in exports.hidden:
        return f"; {symbol} is in it, but static or hidden: declare it extern, with default visibility, and build again"
    mangled = [name for name in sorted(exports.functions) if name.startswith(f"_Z{len(symbol)}{symbol}")]
    if mangled:
        return f'; it exports {mangled[0]}, a C++ name: declare the function extern "C" and build again'
    prefixes = sorted(name.removesuffix("malloc") for name in exports.functions if name.endswith("malloc"))
    prefixes = [p for p in prefixes if f"{p}free" in exports.functions]
    if prefixes:
        options = " or ".join(f"--prefix {p}" if p else "no --prefix" for p in prefixes[:4])
        return f"; it does export {', '.join(p + 'malloc' for p in prefixes[:4])}: try {options}"
    similar = difflib.get_close_matches(symbol, exports.functions, 4, 0.5)
    return f"; similar exports: {', '.join(similar)}" if similar else "; it exports no similar function"
