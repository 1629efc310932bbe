"""Subjects that live in Python: CPython's own allocators, and objects that users name as `module:Thing`."""

import json
import platform
from typing import Any

from heaplaw import native
from heaplaw.calls import PYTHON_FAMILIES, python_plan
from heaplaw.spec.shapes import MALLOC, SHAPES

from .base import ProcessSubject, UsageError, promised, worker_command

POOL_BLOCK, POOL_BLOCKS = 64, 100
"""What a pool is made with when its constructor asks: bytes a block, number of blocks."""


def cpython_subject(family: str) -> ProcessSubject:
    """One of CPython's three families of functions."""
    library = native.find(native.LIBRARY)
    spec = {"kind": "cpython", "family": family}
    pattern = PYTHON_FAMILIES[family]
    offers = frozenset({"malloc", "calloc", "realloc", "free", "C functions"})
    command = worker_command({**spec, "driver": str(library) if library else None})
    identity = f"CPython {platform.python_version()} {pattern.format('*')}"
    driver = "native" if library else "python"
    env, promises = promised(MALLOC)
    operations = 1_000_000 if library else 100_000
    subject = ProcessSubject(
        identity, MALLOC, offers | promises, command, spec, driver, env, operations=operations, name=family
    )
    subject.plan = python_plan(family)
    return subject


def object_subject(target: str, shape: str, arguments: dict[str, int] | None = None, align: int = 8) -> ProcessSubject:
    """The Python object `module:Name`, in the given shape.

    `arguments` (block_size, num_blocks) reach the constructor if it has parameters of these names; `align` is the
    alignment, bytes, that a pool promises.
    """
    if shape not in SHAPES:
        raise UsageError(f"unknown shape {shape}; there are {', '.join(SHAPES)}")
    given = {"block_size": POOL_BLOCK, "num_blocks": POOL_BLOCKS, **(arguments or {})}
    spec: dict[str, Any] = {
        "kind": "object",
        "target": target,
        "shape": shape,
        "arguments": given,
        "align": align,
    }
    subject = ProcessSubject(
        target, SHAPES[shape], frozenset(), worker_command(spec), spec, "python", operations=20_000
    )
    try:
        told: dict[str, Any] = json.loads(subject.host(4096).greeting.removeprefix("ok "))
    except UsageError:
        subject.close()
        raise
    offers = frozenset(told["offers"])
    _, promises = promised(SHAPES[shape])
    subject.offers = offers | promises | ({"grid"} if shape == "pool" and "bounds" in offers else set())
    subject.name = target.rpartition(":")[2]
    return subject
