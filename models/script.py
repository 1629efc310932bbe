"""Operations as columns, and what is done with whole stretches of them: joined, cut out, woven, merged.

A script's slots count from its own first operation, so that scripts can be played one after another, and again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from heaplaw.spec.event import NONE, NULL, Env
from heaplaw.spec.history import Columns, Trace
from heaplaw.spec.shapes import Kind

from . import table

Floats: TypeAlias = NDArray[Any]
Words: TypeAlias = NDArray[Any]
"""Unsigned words of 64 bits."""
Places: TypeAlias = NDArray[np.int64]
"""Positions of operations, lengths of stretches."""
Kinds: TypeAlias = NDArray[np.uint8]
Rng: TypeAlias = np.random.Generator
Parts: TypeAlias = list[tuple[int, str]]
"""Where a part begins, and what it is called."""


@dataclass(frozen=True)
class Script:
    """Operations, one column for each field of an operation but its instance."""

    kind: Kinds
    slot: Places
    size: Words
    align: Words
    count: Words

    def __len__(self) -> int:
        return len(self.kind)

    def cut(self, n: int) -> "Script":
        """The first `n` operations."""
        return Script(self.kind[:n], self.slot[:n], self.size[:n], self.align[:n], self.count[:n])


def bare(kind: Kinds, slot: Places | None = None) -> Script:
    """Operations that ask for no bytes."""
    n = len(kind)
    zero = np.zeros(n, np.uint64)
    return Script(kind, np.full(n, NONE, np.int64) if slot is None else slot, zero, zero, np.ones(n, np.uint64))


def repeated(kind: Kind, n: int = 1) -> Script:
    """`n` operations of one kind that takes nothing."""
    return bare(np.full(n, kind, np.uint8))


def requests(kind: Kinds, size: Words, align: Words, count: Words) -> Script:
    """Requests, which name no slot."""
    return Script(kind, np.full(len(kind), NONE, np.int64), size, align, count)


def ragged(lengths: Places) -> tuple[Places, Places]:
    """For groups of these lengths, one after another: of each element the group's number, and its place in it."""
    group = np.repeat(np.arange(len(lengths)), lengths)
    place = np.arange(len(group)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return group, place


def joined(scripts: Sequence[Script]) -> Script:
    """One script after another."""
    lengths = np.array([len(script) for script in scripts], np.int64)
    slot = np.concatenate([script.slot for script in scripts])
    shift = np.repeat(np.cumsum(lengths) - lengths, lengths)
    return Script(
        np.concatenate([script.kind for script in scripts]),
        np.where(slot < NULL, slot + shift, slot),
        np.concatenate([script.size for script in scripts]),
        np.concatenate([script.align for script in scripts]),
        np.concatenate([script.count for script in scripts]),
    )


def composed(source: Script, starts: Places, lengths: Places) -> Script:
    """Stretches of `source`, one after another; a slot outside its own stretch becomes empty."""
    group, place = ragged(lengths)
    taken = starts[group] + place
    slot = source.slot[taken]
    inside = (slot >= starts[group]) & (slot < taken)
    moved = slot - taken + np.arange(len(taken))
    return Script(
        source.kind[taken],
        np.where(inside, moved, np.where(slot == NULL, NULL, NONE)),
        source.size[taken],
        source.align[taken],
        source.count[taken],
    )


def woven(base: Script, extra: Script, after: Places) -> tuple[Script, Places]:
    """`base` with each operation of `extra` behind the operation `after` of `base`; slots of both mean `base`.

    Also the order: for each operation of the result its number in `base`, or beyond it in `extra`.
    """
    n = len(base)
    order = np.argsort(np.concatenate((np.arange(n) * 2, after * 2 + 1)), kind="stable")
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    slot = np.concatenate((base.slot, extra.slot))[order]
    named = slot < NULL
    slot[named] = place[slot[named]]
    return Script(
        np.concatenate((base.kind, extra.kind))[order],
        slot,
        np.concatenate((base.size, extra.size))[order],
        np.concatenate((base.align, extra.align))[order],
        np.concatenate((base.count, extra.count))[order],
    ), order


def turns(rng: Rng, lengths: Sequence[int]) -> Places:
    """Whose turn it is, for instances with so many operations each: one by one, then in bursts, and so on."""
    total, many = sum(lengths), len(lengths)
    if many == 1:
        return np.zeros(total, np.int64)
    drawn: list[Places] = []
    left = 2 * total
    while left > 0:
        burst = int(rng.choice(np.array(table.BURSTS)))
        runs = max(1, min(left, 1000) // burst)
        lasting = rng.integers(1, burst, runs, endpoint=True)
        drawn.append(np.repeat(rng.integers(0, many, runs), lasting))
        left -= len(drawn[-1])
    who = np.concatenate(drawn)
    kept: list[Places] = [np.flatnonzero(who == one)[:length] for one, length in enumerate(lengths)]
    whole = [
        np.concatenate((at, np.full(length - len(at), len(who)))) for at, length in zip(kept, lengths, strict=True)
    ]
    times, owners = np.concatenate(whole), np.repeat(np.arange(many), lengths)
    return owners[np.argsort(times, kind="stable")]


def merged(rng: Rng, scripts: Sequence[Script]) -> tuple[Script, NDArray[np.uint8]]:
    """The scripts of several instances in turns, and the instance of each operation."""
    who = turns(rng, [len(script) for script in scripts])
    whole = joined(scripts)
    place = np.argsort(who, kind="stable")  # when each operation of the whole has its turn
    order = np.argsort(place)
    slot = whole.slot[order]
    named = slot < NULL
    slot[named] = place[slot[named]]
    taken = Script(whole.kind[order], slot, whole.size[order], whole.align[order], whole.count[order])
    return taken, who.astype(np.uint8)


def trace_of(
    script: Script,
    instance: NDArray[np.uint8] | None,
    shape: str,
    env: Env,
    profile: str,
    seed: int,
    parts: Parts | None = None,
) -> Trace:
    """The script as a trace; of one instance, if `instance` is left out."""
    columns: Columns = {
        "kind": script.kind,
        "slot": script.slot.astype(np.uint32),
        "size": script.size,
        "align": script.align,
        "count": script.count,
        "instance": np.zeros(len(script), np.uint8) if instance is None else instance,
    }
    return Trace(shape, columns, env, profile, seed, tuple(parts or ()))


def script_of(trace: Trace) -> Script:
    """A trace of one instance as a script."""
    c: dict[str, Any] = {name: np.asarray(column) for name, column in trace.columns.items()}
    return Script(c["kind"], c["slot"].astype(np.int64), c["size"], c["align"], c["count"])
