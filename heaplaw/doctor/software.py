"""What else is installed: compilers, Python packages, the pytest plugin, and the allocators that mappings ship for.

What may be missing is imported inside the checks: where NumPy does not load, the doctor still says so.
"""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from importlib import import_module, metadata
from pathlib import Path

from .finding import BROKEN, MISSING, OK, Check, Finding

__all__ = ["CHECKS", "libraries"]

SECONDS = 60.0
NEEDED = ("numpy", "z3-solver", "crosshair-tool", "hypothesis", "hypothesis-crosshair", "pytest", "rich", "pyelftools")
"""Python packages without which heaplaw is not whole, by what they are installed as."""
MODULES = {
    "hypothesis-crosshair": "hypothesis_crosshair_provider",
    "z3-solver": "z3",
    "crosshair-tool": "crosshair",
    "pyelftools": "elftools",
}
"""Their modules, where these have another name."""
USES = {
    "numpy": "nothing can be judged",
    "z3-solver": "heaplaw prove proves nothing",
    "crosshair-tool": "heaplaw prove confirms no contract",
    "hypothesis": "there are no machines",
    "hypothesis-crosshair": 'Hypothesis has no backend="crosshair"',
    "pytest": "there are no test items, and no machines in tests",
    "rich": "nothing is shown in colour: --color never",
    "pyelftools": "symbols of libraries cannot be read: mappings and init do not work",
}
AGAIN = "pip install --force-reinstall {}"
SOURCE = "#include <stdlib.h>\nint heaplaw_doctor(void) { return (int)sizeof(size_t); }\n"
"""Valid in C and in C++; it needs the C library's headers."""


def compiler(of: str) -> Finding:
    """Whether a shared library can be made of a source in C, or in C++."""
    from heaplaw.subjects.build import FLAGS, LANGUAGES

    language = next(language for language in LANGUAGES if language.name == of)
    name = f"{of} compiler"
    shims = ", ".join(_shims(language.suffixes))
    cost = f"what must be compiled cannot be judged: {shims}, and your own sources"
    remedy = f"install {language.package}, or set {language.variable}"
    told = os.environ.get(language.variable, "")
    try:
        command = shlex.split(told) or [language.command]
    except ValueError as error:
        return Finding(name, BROKEN, f"{language.variable}={told}: {error}", cost, f"set {language.variable}")
    program = shutil.which(command[0])
    if program is None and told.strip():
        return Finding(name, BROKEN, f"{language.variable} names {command[0]}, which is not there", cost, remedy)
    if program is None:
        return Finding(name, MISSING, f"no {language.command}", cost, remedy)
    with tempfile.TemporaryDirectory(prefix="heaplaw-") as folder:
        source = Path(folder) / f"doctor{language.suffixes[0]}"
        source.write_text(SOURCE, encoding="utf-8")
        made = [program, *command[1:], *FLAGS, str(source), "-o", str(source.with_suffix(".so"))]
        done = subprocess.run(made, capture_output=True, text=True, errors="replace", timeout=SECONDS)
    if done.returncode:
        wrong = next((line for line in done.stderr.splitlines() if "error" in line), f"exit code {done.returncode}")
        return Finding(name, BROKEN, f"{program}: {wrong}", cost, "Debian: libc6-dev")
    return Finding(name, OK, program)


def _shims(suffixes: Sequence[str]) -> Iterator[str]:
    """The mappings that ship with a shim whose file ends so, by name."""
    from heaplaw import mappings

    sources = {path.stem for path in mappings.FOLDER.iterdir() if path.suffix in suffixes}
    for path in sorted(mappings.FOLDER.glob("*.toml")):
        text = path.read_text(encoding="utf-8")
        if any(f"{stem}{suffix}" in text for stem in sources for suffix in suffixes):
            yield path.stem


def other_language(name: str, command: str, remedy: str) -> Finding:
    """A compiler that only examples need."""
    program = shutil.which(command)
    if program:
        return Finding(name, OK, program)
    cost = f"examples in {name} cannot be built here; a library that was built elsewhere is judged like any other"
    return Finding(name, MISSING, f"no {command}", cost, remedy)


def package(name: str) -> Finding:
    """A Python package that heaplaw depends on."""
    remedy = f"pip install {name}"
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        return Finding(name, BROKEN, "not installed", USES[name], remedy)
    try:
        import_module(MODULES.get(name, name.replace("-", "_")))
    except Exception as error:  # noqa: BLE001 - a package that is there and does not load is the finding
        return Finding(name, BROKEN, f"{version}, {type(error).__name__}: {error}", USES[name], AGAIN.format(name))
    return Finding(name, OK, version)


def plugin() -> Finding:
    """Whether pytest finds heaplaw's plugin."""
    found = [point for point in metadata.entry_points(group="pytest11") if point.name == "heaplaw"]
    cost = "pytest knows no --heaplaw, and collects no mappings"
    if not found:
        return Finding("pytest plugin", BROKEN, "not registered", cost, "install heaplaw again, or -p heaplaw.plugin")
    import_module(found[0].value)
    if os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD"):
        told = "PYTEST_DISABLE_PLUGIN_AUTOLOAD is set"
        return Finding("pytest plugin", MISSING, told, cost, "pytest -p heaplaw.plugin")
    return Finding(
        "pytest plugin", OK, f"heaplaw {metadata.version('heaplaw')}, in pytest {metadata.version('pytest')}"
    )


def xdist() -> Finding:
    """Tests side by side."""
    try:
        return Finding("pytest-xdist", OK, metadata.version("pytest-xdist"))
    except metadata.PackageNotFoundError:
        cost = "pytest has no -n: items of a suite run one after the other"
        return Finding("pytest-xdist", MISSING, "not installed", cost, "pip install pytest-xdist")


def valgrind() -> Finding:
    """Callgrind. Nothing of heaplaw's asks it today."""
    program = shutil.which("valgrind")
    if program:
        return Finding("valgrind", OK, f"{program} (nothing uses it in this version)")
    return Finding("valgrind", MISSING, "not installed", "nothing today: no law is judged by it in this version")


def stepping() -> Finding:
    """Single steps by ptrace. Nothing of heaplaw's takes them today. Asked in a process apart."""
    code = "import ctypes; print(ctypes.CDLL(None).ptrace(0, 0, 0, 0))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=SECONDS)
    if done.stdout.strip() == "0":
        return Finding("stepping", OK, "ptrace (nothing uses it in this version)")
    return Finding("stepping", MISSING, "ptrace is refused", "nothing today: no law is judged by it in this version")


def terminal() -> Finding:
    """How text is shown."""
    from heaplaw.console import Output

    output = Output.standard()
    return Finding("terminal", OK, f"{output.page.columns} columns, {'colours' if output.coloured else 'no colours'}")


def libraries() -> list[Finding]:
    """The mappings that ship: how many are usable, and a finding for each whose library is not here."""
    from heaplaw import mappings
    from heaplaw.subjects.listing import USABLE, entries

    every = [entry for entry in entries() if entry.origin == str(mappings.FOLDER)]
    usable = sum(entry.state == USABLE for entry in every)
    found = [Finding("libraries", OK, f"{usable} of {len(every)} mappings that ship are usable")]
    for entry in every:
        if entry.state == USABLE or entry.state.startswith(("hidden", "needs a compiler")):
            continue  # what a compiler that is missing costs stands with the compiler
        why, _, remedy = entry.state.partition(": ")
        state = BROKEN if why == "broken" else MISSING
        found.append(Finding(entry.name, state, why, f"heaplaw check {entry.name} has nothing to judge", remedy))
    return found


CHECKS = (
    *(Check(f"{language} compiler", partial(compiler, language)) for language in ("C", "C++")),
    Check("Rust", partial(other_language, "Rust", "rustc", "Debian: rustc, or rustup.rs")),
    Check("Zig", partial(other_language, "Zig", "zig", "pip install ziglang, or ziglang.org")),
    *(Check(name, partial(package, name)) for name in NEEDED),
    Check("pytest plugin", plugin),
    Check("pytest-xdist", xdist),
    Check("valgrind", valgrind),
    Check("stepping", stepping),
    Check("terminal", terminal),
)
