"""Subjects that live in Python: CPython's own allocators, and objects that users name as `module:Thing`."""

import json
import platform
from collections.abc import Callable, Mapping
from typing import Any

from heaplaw import native
from heaplaw.calls import PYTHON_FAMILIES, python_plan
from heaplaw.errors import UsageError
from heaplaw.forked import Fork
from heaplaw.host import Starter
from heaplaw.mapping.model import Promises
from heaplaw.mapping.problems import did_you_mean
from heaplaw.plan import Plan
from heaplaw.spec.catalogue import CATALOGUE, law
from heaplaw.spec.shapes import FREELIST, LUA_ALLOC, MALLOC, POOL, SHAPES
from heaplaw.worker import object_of

from .base import Expected, ProcessSubject, promised, worker_command
from .promises import costs_of, names_of, promising, read

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
    return _started(target, spec, worker_command(spec), Promises())


def here_subject(
    make: Callable[..., object],
    shape: str,
    node: str,
    promises: Mapping[str, object] | None = None,
    expect: Mapping[str, str] | None = None,
    item: str = "",
) -> ProcessSubject:
    """Python objects of `shape` that `make` makes, as `object_subject` judges them, in a copy of this process.

    `node` tells where they come from (a test, by its id), `item` is the very test to run again. `promises` are the keys
    of a mapping's `[promises]`, `expect` gives the reasons of known violations, by law. UsageError for what cannot be
    judged.
    """
    if shape not in SHAPES:
        close = did_you_mean(shape, SHAPES).rstrip("?")
        raise UsageError(
            f"{node}: {shape!r} is no shape" + (f"; {close}" if close else f"; there are {', '.join(SHAPES)}")
        )
    if not callable(make):
        raise UsageError(f"{node}: what makes the allocator cannot be called; give a class, or lambda: MyPool(64, 100)")
    says, known = read(promises or {}, node), expectations(expect or {}, node)
    spec: dict[str, Any] = {
        "kind": "here",
        "node": node,
        "target": getattr(make, "__qualname__", type(make).__name__),
        "shape": shape,
        "arguments": {"block_size": POOL_BLOCK, "num_blocks": POOL_BLOCKS},
        "align": says.alignment or 8,
    }
    subject = _started(node, spec, Fork(lambda: object_of(spec, make)), says)
    subject.expected = known
    spec["calls"] = {**spec.get("calls", {"instance": "", "python": spec["target"]}), "item": item or node}
    return subject


def expectations(said: Mapping[str, str], where: str) -> tuple[Expected, ...]:
    """Known violations as a test writes them: `{"HL205": "the reason"}`; UsageError, with every mistake in it."""
    known: list[Expected] = []
    wrong: list[str] = []
    for key, reason in said.items():
        try:
            known.append(Expected(law(key).name, reason))
        except KeyError:
            wrong.append(f"there is no law {key!r}; {did_you_mean(key, CATALOGUE) or '`heaplaw laws` lists them'}")
        if not str(reason).strip():
            wrong.append(f"{key}: an expected violation needs its reason")
    if wrong:
        raise UsageError(f"{where}: " + "; ".join(wrong))
    return tuple(known)


def _started(target: str, spec: dict[str, Any], command: Starter, says: Promises) -> ProcessSubject:
    """The subject, its process started and asked."""
    shape = SHAPES[spec["shape"]]
    subject = ProcessSubject(target, shape, frozenset(), command, spec, "python", operations=20_000)
    subject.stated = lambda env: promising(env, says)
    try:
        told: dict[str, Any] = json.loads(subject.host(4096).greeting.removeprefix("ok "))
    except UsageError:
        subject.close()
        raise
    like_c = shape is MALLOC if says.free_null is None else says.free_null
    promises = names_of(subject.env, says, like_c)
    offers = frozenset(told["offers"])
    subject.offers = offers | promises | ({"grid"} if shape is POOL and "bounds" in offers else set())
    subject.cost = costs_of(says)
    subject.offers |= {"constant cost"} if subject.cost else set()
    subject.name = told["type"] if spec["kind"] == "here" else target.rpartition(":")[2]
    if shape is not LUA_ALLOC:
        subject.plan = Plan.read(told["plan"])
        called = "heap" if shape in (MALLOC, FREELIST) else shape.name
        spec["calls"] = {"instance": called, "python": target}
    return subject
