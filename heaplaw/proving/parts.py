"""What can be proved, of what: the parts of the reference, a copy of it with a seeded fault, or a user's own steps."""

import difflib
import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from heaplaw.errors import UsageError
from heaplaw.proofs.prove import Obligation

__all__ = [
    "CONTRACTS",
    "PARTS",
    "Part",
    "Target",
    "matching",
    "names",
    "obligations",
    "parts_of",
    "probe",
    "said_of",
    "target_of",
    "thing_of",
]

CONTRACTS = "contracts"
"""The part that CrossHair decides."""


@dataclass(frozen=True)
class Part:
    """A group of obligations."""

    title: str
    stated: str
    """Where they are stated: a module of `heaplaw.proofs` and its function."""
    module: str = ""
    """The module of the reference whose steps are run; none for what is about no step."""
    whole: bool = True
    """All that is assumed in it has to be used in it: not so for single obligations of other parts, or for what is
    possible.
    """


PARTS: dict[str, Part] = {
    "bump": Part("the bump allocator", "bump:obligations", "steps.bump"),
    "stack": Part("the stack", "stack:obligations", "steps.stack"),
    "pool": Part("the pool", "pool:obligations", "steps.pool"),
    "fixed": Part("the freelist of one size, in chunks", "fixed:obligations", "system.freelist"),
    "sizes": Part("size classes", "sizes:obligations", "steps.sizes"),
    "freelist": Part("the first-fit free list", "freelist:obligations", "steps.freelist"),
    "coalescing": Part("the free list that joins neighbours", "freelist:coalescing", "steps.freelist"),
    "arena": Part("the arena", "arena:obligations", "steps.arena"),
    "layout": Part("layouts", "layouts:obligations", "layout"),
    "statistics": Part("statistics, in all and by tag", "statistics:obligations", "system.ledger"),
    "judge": Part("what the fast judges stand on", "lemmas:obligations"),
    "laws": Part("the laws themselves: each shape's have a model together", "consistency:obligations", whole=False),
    "facts": Part("arithmetic that the proofs instantiate", "lemmas:arithmetic"),
    "bits": Part("the same with bit-vectors, on a machine of few bits", "bits:obligations", whole=False),
    CONTRACTS: Part("contracts, followed by CrossHair through Python itself", "contracts:CONTRACTS", whole=False),
}
"""The parts, in the order in which they are told."""
OF_MUTANTS = {
    **{name: (name,) for name, part in PARTS.items() if part.module},
    "books": ("statistics",),
    "tags": ("statistics",),
    "freelist": ("freelist", "coalescing"),
}
"""Which parts speak of the mutants of a group."""


@dataclass(frozen=True)
class Target:
    """What is proved: picklable, so that other processes find it too."""

    kind: str = "reference"
    """reference, mutant or own."""
    name: str = ""
    """The mutant's, or module:Thing."""
    shape: str = ""
    """That of a user's own steps."""


REFERENCE = Target()
TRYING = float(os.environ.get("HEAPLAW_TRYING", "60"))
"""Seconds that a user's functions get to be tried once: what takes longer does not end."""


def target_of(name: str, shape: str | None) -> Target | None:
    """The mutant or the user's steps that `name` stands for; None for a part or an obligation of the reference."""
    of_module = shape is not None and name.partition(".")[0] not in PARTS and not name.startswith(("mutant:", "ref-"))
    if name and (of_module or (":" in name and not name.startswith("mutant:"))):
        from heaplaw.proofs.parts import PROVABLE

        if shape is None:
            raise UsageError(f"{name}: say which shape it has: --shape {', '.join(PROVABLE)}")
        return Target("own", name, shape)
    plain = name.removeprefix("mutant:")
    if not name.startswith("mutant:") and not plain.startswith("ref-"):
        return None
    if not _groups(plain):
        close = difflib.get_close_matches(plain, _mutants(), 3) or sorted(_mutants())[:3]
        raise UsageError(f"{name}: no such mutant of the reference; similar: {', '.join(close)}")
    return Target("mutant", plain)


def _mutants() -> dict[str, list[str]]:
    from heaplaw.mutants.reference import REFERENCE_MUTANTS, STEP_MUTANTS

    found: dict[str, list[str]] = {}
    for groups in (REFERENCE_MUTANTS, STEP_MUTANTS):
        for group, patches in groups.items():
            for patch in patches:
                found.setdefault(patch.name, []).append(group)
    return found


def _groups(mutant: str) -> list[str]:
    return _mutants().get(mutant, [])


def parts_of(target: Target) -> list[str]:
    """The parts that speak of the target; UsageError where none does."""
    if target.kind == "reference":
        return list(PARTS)
    if target.kind == "own":
        return [target.shape]
    parts = list(dict.fromkeys(part for group in _groups(target.name) for part in OF_MUTANTS.get(group, ())))
    if not parts:
        (group, *_) = _groups(target.name)
        raise UsageError(f"{target.name}: nothing is proved of the part {group}; heaplaw check mutant:{target.name}")
    return parts


@cache
def obligations(target: Target, part: str) -> tuple[Obligation[Any], ...]:
    """What is to be proved of a part of the target; the contracts are apart."""
    return tuple(_stated(target, part))


def _stated(target: Target, part: str) -> Iterator[Obligation[Any]]:
    if target.kind == "own":
        from heaplaw.proofs import own

        try:
            yield from own.obligations(thing_of(target), target.shape)
        except own.NotProvable as error:
            raise UsageError(f"{target.name}: {error}") from error
        except SystemExit as error:
            raise UsageError(f"{target.name}: it exits when it is tried ({error!r})") from error
        return
    module, _, function = PARTS[part].stated.partition(":")
    stated: Callable[..., Iterator[Obligation[Any]]] = getattr(import_module(f"heaplaw.proofs.{module}"), function)
    if target.kind == "mutant":
        from heaplaw.mutants.reference import load

        yield from stated(load(target.name, PARTS[part].module))
    else:
        yield from stated()


def thing_of(target: Target) -> Any:
    """What a user's `module:Thing` stands for; the current folder's modules are found, as by `python -m`."""
    from heaplaw.callers.methods import find, import_module

    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    return find(target.name) if ":" in target.name else import_module(target.name)


def said_of(target: Target) -> list[str]:
    """What was found of a user's steps, and what is not asked of them."""
    from heaplaw.proofs import own

    return list(own.about(thing_of(target), target.shape)) if target.kind == "own" else []


def probe(target: Target) -> None:
    """Let a process of its own try what a user wrote first; UsageError where it ends the process, or does not end."""
    from .campaign import processes, submitted

    pool = processes(1)
    try:
        (future,) = submitted(pool, [(_probed, target)])
        future.result(timeout=TRYING)
    except BrokenProcessPool as error:
        raise UsageError(f"{target.name}: its functions end the process that runs them: do they exit?") from error
    except TimeoutError as error:
        for process in list(getattr(pool, "_processes", {}).values()):
            process.kill()
        raise UsageError(
            f"{target.name}: tried on a buffer of 4096 bytes, it is not done within {TRYING:g} s: an endless loop?"
        ) from error
    finally:
        pool.shutdown()


def _probed(target: Target) -> int:
    return len(obligations(target, target.shape))


def names(target: Target, part: str) -> list[str]:
    """The names of what is to be shown of a part, in order."""
    if part == CONTRACTS:
        from heaplaw.proofs import contracts

        return [f"{CONTRACTS}.{contract.name}" for contract in contracts.CONTRACTS]
    return list(dict.fromkeys(each.name for each in obligations(target, part)))


def matching(target: Target, wanted: str) -> dict[str, set[str]]:
    """The names of obligations that `wanted` stands for, by part: a part, a step (pool.alloc), or a whole name."""
    part = wanted.partition(".")[0]
    parts = parts_of(target)
    if part not in parts:
        close = difflib.get_close_matches(part, parts, 1)
        meant = f"; did you mean {close[0]}?" if close else ""
        raise UsageError(f"{wanted}: no such part{meant} (one of {', '.join(parts)}, or a name that --list shows)")
    known = names(target, part)
    found = {name for name in known if wanted in (name, part) or name.startswith(f"{wanted}.")}
    if not found:
        close = difflib.get_close_matches(wanted, known, 1)
        meant = f"; did you mean {close[0]}?" if close else f"; `heaplaw prove --list {part}` shows all"
        raise UsageError(f"{wanted}: no such obligation{meant}")
    return {part: found}
