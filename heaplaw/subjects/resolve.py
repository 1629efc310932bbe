"""From what a user types to subjects."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from heaplaw import native
from heaplaw.calls import PYTHON_FAMILIES
from heaplaw.mutants import CORRECT, MUTANTS

from .base import ProcessSubject, UsageError
from .native import native_subject
from .python import cpython_subject, object_subject

NAMES = ("glibc", "cpython", *PYTHON_FAMILIES)


def resolve(
    name: str, prefix: str = "", shape: str | None = None, arguments: dict[str, int] | None = None
) -> list[ProcessSubject]:
    """The subjects that `name` stands for; UsageError, in one line, when there are none.

    A name (`glibc`, `cpython`, `pymem`, …, `mutant:NAME`), a path to a shared library, or `module:Thing`.
    """
    if not name:
        raise UsageError("the subject's name is empty; leave it out to judge the C library")
    thing = "/" not in name and ":" in name and not name.startswith("mutant:")
    refuse_stray_options(name, thing, prefix, shape, arguments or {})
    if thing:
        return [object_subject(name, shape or "", arguments)]
    if name in ("glibc", "libc"):
        return [native_subject(None, prefix)]
    if name == "cpython":
        return [cpython_subject(family) for family in PYTHON_FAMILIES]
    if name in PYTHON_FAMILIES:
        return [cpython_subject(name)]
    if name.startswith("mutant:"):
        return [mutant_subject(name.removeprefix("mutant:"))]
    if "/" in name or ".so" in name or Path(name).exists():
        return [native_subject(name, prefix)]
    import difflib

    close = difflib.get_close_matches(name.lower(), NAMES, 1)
    meant = f"; did you mean {close[0]}?" if close else ""
    raise UsageError(
        f"{name}: no such subject{meant} (a path to a library, package.module:Thing, mutant:NAME, "
        f"or one of {', '.join(NAMES)})"
    )


def refuse_stray_options(name: str, thing: bool, prefix: str, shape: str | None, arguments: Mapping[str, int]) -> None:
    """UsageError for an option that would have no effect on this subject."""
    if thing and shape is None:
        raise UsageError(f"{name}: say which shape it has: --shape malloc, or --shape pool")
    if not thing and shape not in (None, "malloc"):
        raise UsageError(f"{name}: has the shape malloc; --shape {shape} is for Python objects")
    if prefix and (thing or name in PYTHON_FAMILIES or name == "cpython" or name.startswith("mutant:")):
        raise UsageError(f"{name}: --prefix {prefix} is for shared libraries")
    if arguments and shape != "pool":
        option = "--" + next(iter(arguments)).replace("_", "-")
        raise UsageError(f"{name}: {option} is for pools (--shape pool)")


def mutant_subject(name: str) -> ProcessSubject:
    """One of the seeded faults that come with heaplaw, or one of its correct allocators."""
    known = (*(mutant.name for mutant in MUTANTS), *CORRECT)
    if name not in known:
        import difflib

        close = difflib.get_close_matches(name, known, 3) or known[:3]
        raise UsageError(f"mutant:{name}: no such mutant; similar: {', '.join(close)}")
    library = native.find(native.MUTANTS)
    if library is None and os.environ.get("HEAPLAW_NO_NATIVE", "") not in ("", "0"):
        raise UsageError(f"mutant:{name}: the mutants are written in C, which HEAPLAW_NO_NATIVE rules out")
    if library is None:
        raise UsageError(f"mutant:{name}: the mutants are written in C: install a C compiler, then reinstall heaplaw")
    return native_subject(str(library), "mut_", f"mutant:{name}", {"HEAPLAW_MUTANT": name})


def from_spec(spec: Mapping[str, Any]) -> ProcessSubject:
    """The subject that a stored trace was found on."""
    try:
        return _from_spec(spec)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UsageError(f"the stored subject is described wrongly: {type(error).__name__} {error}") from error


def _from_spec(spec: Mapping[str, Any]) -> ProcessSubject:
    if spec["kind"] == "cpython":
        return cpython_subject(spec["family"])
    if spec["kind"] == "object":
        return object_subject(spec["target"], spec["shape"], dict(spec["arguments"]), spec["align"])
    if spec["kind"] != "native":
        raise ValueError(f"kind {spec['kind']}")
    identity = "mutant:" + spec["environment"]["HEAPLAW_MUTANT"] if "HEAPLAW_MUTANT" in spec["environment"] else ""
    if identity:
        return mutant_subject(spec["environment"]["HEAPLAW_MUTANT"])
    return native_subject(spec["path"], spec["prefix"], "", dict(spec["environment"]))
