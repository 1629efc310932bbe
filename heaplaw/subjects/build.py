"""Shims in C and C++, compiled at first use and kept: a library is named by what went into it."""

import hashlib
import os
import platform
import re
import shlex
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from heaplaw.errors import UsageError

FLAGS = ("-shared", "-fPIC", "-O2", "-g")
"""How every shim is compiled."""

_QUOTED = re.compile(rb'^[ \t]*#[ \t]*include[ \t]*"([^"\n]+)"', re.MULTILINE)
_ERROR = re.compile(r"\b(?:fatal )?error: |undefined reference")
_LINKER = re.compile(r"^(?:\S*/)?ld(?:\.\w+)?: (?:\S+\.o: in function .*: )?")


@dataclass(frozen=True)
class Language:
    """A kind of source, and who compiles it."""

    name: str
    suffixes: tuple[str, ...]
    variable: str
    """The environment variable that names the compiler, and may add arguments to it."""
    command: str
    """The compiler that is taken without it."""
    package: str


LANGUAGES = (
    Language("C", (".c",), "CC", "cc", "gcc"),
    Language("C++", (".cc", ".cpp", ".cxx"), "CXX", "c++", "g++"),
)


def compiled(source: Path) -> Path:
    """The shared library made of the C or C++ file `source`; made only where it is not yet kept.

    UsageError, one line: there is no such file, no compiler, or the compiler's first error with its file and line.
    """
    source = source.absolute()
    language = _language(source)
    compiler = _compiler(source, language)
    folder = _folder()
    made = folder / f"{source.stem}-{_digest(source, compiler)}.so"
    if not made.is_file():
        _compile(source, language, compiler, made)
    return made


def _language(source: Path) -> Language:
    for language in LANGUAGES:
        if source.suffix in language.suffixes:
            return language
    known = ", ".join(suffix for language in LANGUAGES for suffix in language.suffixes)
    raise UsageError(f"{source}: neither C nor C++: the name must end in one of {known}")


def _compiler(source: Path, language: Language) -> list[str]:
    """The compiler's command, its program as a full path."""
    told = os.environ.get(language.variable, "")
    try:
        program, *arguments = shlex.split(told) or [language.command]
    except ValueError as error:
        raise UsageError(f"{language.variable}={told}: not a command ({error})") from error
    found = shutil.which(program)
    if found is None:
        wrong = f"{language.variable} names {program}, which is not there" if told.strip() else "there is no compiler"
        raise UsageError(
            f"{source}: {language.name} that must be compiled, and {wrong}: "
            f"install {language.package}, or set {language.variable}"
        )
    return [found, *arguments]


def _digest(source: Path, compiler: list[str]) -> str:
    """Of everything that the library depends on."""
    parts = [_read(path) for path in _sources(source)]
    parts.append(repr((compiler, FLAGS, platform.machine(), _version(*compiler))).encode())
    whole = hashlib.sha256()
    for part in parts:
        whole.update(hashlib.sha256(part).digest())  # each of one length: no two lists of parts run together alike
    return whole.hexdigest()[:20]


def _sources(source: Path) -> list[Path]:
    """The file and those that it includes by quotes, and so on; what is not found there belongs to the compiler."""
    seen = [source]
    for path in seen:
        for name in _QUOTED.findall(_read(path)):
            included = path.parent / os.fsdecode(name)
            if included not in seen and included.is_file():
                seen.append(included)
    return seen


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error


@cache
def _version(*compiler: str) -> str:
    """What a compiler says of its version; nothing from one that does not know the question."""
    return _run([*compiler, "--version"]).stdout


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "LC_ALL": "C"}  # messages are read below
    try:
        return subprocess.run(
            command, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL, env=environment
        )
    except OSError as error:
        raise UsageError(f"{command[0]}: cannot be run: {error.strerror}") from error


@cache
def _private() -> tempfile.TemporaryDirectory[str]:
    """A folder for this process alone, which goes with it."""
    return tempfile.TemporaryDirectory(prefix="heaplaw-")


def _folder() -> Path:
    """Where libraries are kept: the user's cache, or what ends with this process where that cannot be written."""
    told = os.environ.get("XDG_CACHE_HOME", "")
    try:
        # A relative path is to be ignored (XDG Base Directory Specification).
        cache_home = Path(told) if Path(told).is_absolute() else Path.home() / ".cache"
        folder = cache_home / "heaplaw"
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except (OSError, RuntimeError):  # RuntimeError: there is no home
        return Path(_private().name)


def kept(name: str, text: str) -> Path:
    """A file of that name and text, in the folder where libraries are kept."""
    path = _folder() / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.is_file() or path.read_text() != text:
        handle, draft = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "w") as file:
            file.write(text)
        Path(draft).replace(path)
    return path


def _compile(source: Path, language: Language, compiler: list[str], made: Path) -> None:
    """Under a name of its own first: no process ever sees half a library."""
    handle, name = tempfile.mkstemp(".so", f".{source.stem}-", made.parent)
    os.close(handle)
    draft = Path(name)
    try:
        done = _run([*compiler, *FLAGS, str(source), "-o", name])
        if done.returncode:
            raise UsageError(f"{_first_error(done.stderr) or source} ({language.name} compiled by {compiler[0]})")
        draft.replace(made)
    finally:
        draft.unlink(missing_ok=True)


def _first_error(text: str) -> str:
    """The compiler's first error, with its file and line where it tells them."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    wrong = next((line for line in lines if _ERROR.search(line)), lines[-1] if lines else "")
    return _LINKER.sub("", wrong)
