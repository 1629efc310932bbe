"""From what a user types to subjects."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from heaplaw import native
from heaplaw.calls import PYTHON_FAMILIES
from heaplaw.errors import UsageError
from heaplaw.mutants import CORRECT, MUTANTS
from heaplaw.mutants.lists import FILES, text_of
from heaplaw.mutants.lists import NAMES as LISTS
from heaplaw.mutants.shapes import MAPPING
from heaplaw.spec.shapes import SHAPES

from .base import ProcessSubject
from .build import kept
from .listing import find_mapping, names
from .mapped import mapped_subject
from .native import native_subject
from .python import cpython_subject, object_subject
from .reference import PREFIX, reference_subject

NAMES = ("libc", "cpython", *PYTHON_FAMILIES)
"""Subjects that are neither mappings nor files."""


def resolve(
    name: str, prefix: str = "", shape: str | None = None, arguments: dict[str, int] | None = None
) -> list[ProcessSubject]:
    """The subjects that `name` stands for; UsageError, in one line, when there are none.

    A mapping (a file, or the name of one that ships or lies in the user's folders), a path to a shared library, a name
    (`libc`, `cpython`, `pymem`, …, `mutant:NAME`), or `module:Thing`. MappingError for a mapping with mistakes.
    """
    if not name:
        raise UsageError("the subject's name is empty; leave it out to judge the C library")
    if name.startswith(PREFIX):
        refuse_stray_options(name, False, False, prefix, shape, arguments or {})
        return [reference_subject(name.removeprefix(PREFIX))]
    thing = "/" not in name and ":" in name and not name.startswith("mutant:")
    known = find_mapping(name)
    mapped = name.endswith(".toml") or known is not None
    refuse_stray_options(name, thing, mapped, prefix, shape, arguments or {})
    if thing:
        return [object_subject(name, shape or "", arguments)]
    if mapped:
        return [mapped_subject(known or Path(name), name if known else "")]
    if name == "libc":
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

    reference = f"{PREFIX}{name.lower()}"
    close = [reference] if reference in names() else difflib.get_close_matches(name.lower(), [*NAMES, *names()], 1)
    meant = f"; did you mean {close[0]}?" if close else ""
    raise UsageError(
        f"{name}: no such subject{meant} (a mapping, a path to a library, package.module:Thing, mutant:NAME, "
        "or one that `heaplaw subjects` lists)"
    )


def refuse_stray_options(
    name: str, thing: bool, mapped: bool, prefix: str, shape: str | None, arguments: Mapping[str, int]
) -> None:
    """UsageError for an option that would have no effect on this subject."""
    if name.startswith(PREFIX) and shape is not None:
        raise UsageError(f"{name}: a reference allocator has its shape; --shape {shape} is for Python objects")
    if name.startswith(PREFIX) and arguments:
        option = "--" + next(iter(arguments)).replace("_", "-")
        raise UsageError(f"{name}: {option} is for your own Python objects; its size is fixed")
    if thing and shape is None:
        raise UsageError(f"{name}: say which shape it has: --shape {', '.join(SHAPES)}")
    if mapped and shape is not None:
        raise UsageError(f"{name}: a mapping says its shape; --shape {shape} is for Python objects")
    if not thing and shape not in (None, "malloc"):
        raise UsageError(
            f"{name}: for the shape {shape} it needs a mapping; `heaplaw init {name} --shape {shape}` writes one"
        )
    if prefix and (
        thing or mapped or name in PYTHON_FAMILIES or name == "cpython" or name.startswith(("mutant:", PREFIX))
    ):
        raise UsageError(f"{name}: --prefix {prefix} is for shared libraries")
    if arguments and (not thing or shape == "malloc"):
        option = "--" + next(iter(arguments)).replace("_", "-")
        raise UsageError(f"{name}: {option} is for Python objects whose shape takes it")


def mutant_subject(name: str) -> ProcessSubject:
    """One of the seeded faults that come with heaplaw, or one of its correct allocators."""
    from heaplaw.mutants.reference import PATCHES, package, subjects_of

    if name in PATCHES and subjects_of(name):
        return reference_subject(subjects_of(name)[0], package(name), f"mutant:{name}")
    if name in LISTS:
        made = LISTS[name]
        *_, path = (kept(f"mutants/{name}/{file}", text_of(made, file)) for file in FILES)
        return mapped_subject(path, f"mutant:{name}")
    known = (*(mutant.name for mutant in MUTANTS), *CORRECT, *MAPPING, *PATCHES, *LISTS)
    if name not in known:
        import difflib

        close = difflib.get_close_matches(name, known, 3) or known[:3]
        raise UsageError(f"mutant:{name}: no such mutant; similar: {', '.join(close)}")
    library = native.find(native.SHAPES if name in MAPPING else native.MUTANTS)
    if library is None and os.environ.get("HEAPLAW_NO_NATIVE", "") not in ("", "0"):
        raise UsageError(f"mutant:{name}: the mutants are written in C, which HEAPLAW_NO_NATIVE rules out")
    if library is None:
        raise UsageError(f"mutant:{name}: the mutants are written in C: install a C compiler, then reinstall heaplaw")
    if name in MAPPING:
        return mapped_subject(MAPPING[name], f"mutant:{name}", library, {"HEAPLAW_MUTANT": name})
    return native_subject(str(library), "mut_", f"mutant:{name}", {"HEAPLAW_MUTANT": name})


def from_spec(spec: Mapping[str, Any]) -> ProcessSubject:
    """The subject that a stored trace was found on."""
    try:
        return viewing(_from_spec(spec)) if spec.get("view") else _from_spec(spec)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UsageError(f"the stored subject is described wrongly: {type(error).__name__} {error}") from error


def viewing(subject: ProcessSubject) -> ProcessSubject:
    """The subject that looks at the list of this one; UsageError where its mapping says no more how."""
    subject.close()
    if subject.viewer is None:
        raise UsageError(f"{subject.identity}: the stored trace looks at its free list, and the mapping has no [view]")
    return subject.viewer


def _from_spec(spec: Mapping[str, Any]) -> ProcessSubject:
    if spec["kind"] == "cpython":
        return cpython_subject(spec["family"])
    if spec["kind"] == "object":
        return object_subject(spec["target"], spec["shape"], dict(spec["arguments"]), spec["align"])
    if spec["kind"] == "reference":
        return reference_subject(spec["name"], spec["package"], spec.get("known_as", ""))
    if spec["kind"] == "mapping" and spec["path"].startswith("mutant:"):
        return mutant_subject(spec["path"].removeprefix("mutant:"))
    if spec["kind"] == "mapping":
        known, path = find_mapping(spec["path"]), Path(spec["path"])
        if known is None and not path.exists():
            here = Path(path.name)  # on another machine: the project's folder lies elsewhere
            if not here.exists():
                raise UsageError(
                    f"{path}: the mapping that the stored trace was found with is not there, and there is no {here} "
                    "in this folder"
                )
            path = here
        return mapped_subject(known or path, spec["path"] if known else "")
    if spec["kind"] != "native":
        raise ValueError(f"kind {spec['kind']}")
    identity = "mutant:" + spec["environment"]["HEAPLAW_MUTANT"] if "HEAPLAW_MUTANT" in spec["environment"] else ""
    if identity:
        return mutant_subject(spec["environment"]["HEAPLAW_MUTANT"])
    return native_subject(spec["path"], spec["prefix"], "", dict(spec["environment"]))
