"""Operations as columns, and what is done with whole stretches of them: joined, cut out, woven, merged.

A script's slots count from its own first operation, so that scripts can be played one after another, and again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
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
Flags: TypeAlias = NDArray[np.bool_]
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

    def taken(self, rows: Places) -> "Script":
        """These operations, with slots as they are."""
        return Script(self.kind[rows], self.slot[rows], self.size[rows], self.align[rows], self.count[rows])

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


def inverse(order: Places) -> Places:
    """Where each element has gone."""
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return place


def stacked(scripts: Sequence[Script]) -> Script:
    """One script after another, with slots as they are."""
    return Script(
        np.concatenate([script.kind for script in scripts]),
        np.concatenate([script.slot for script in scripts]),
        np.concatenate([script.size for script in scripts]),
        np.concatenate([script.align for script in scripts]),
        np.concatenate([script.count for script in scripts]),
    )


def joined(scripts: Sequence[Script]) -> Script:
    """One script after another, each with its own slots."""
    lengths = np.array([len(script) for script in scripts], np.int64)
    whole = stacked(scripts)
    shift = np.repeat(np.cumsum(lengths) - lengths, lengths)
    return replace(whole, slot=np.where(whole.slot < NULL, whole.slot + shift, whole.slot))


def filled(base: Script, where: Flags, asked: Script, which: Places) -> Script:
    """`base`, with the requests `which` of `asked` at the places `where`."""
    script = base.taken(np.arange(len(base)))
    script.kind[where], script.slot[where] = asked.kind[which], NONE
    script.size[where], script.align[where], script.count[where] = (
        asked.size[which],
        asked.align[which],
        asked.count[which],
    )
    return script


def composed(source: Script, starts: Places, lengths: Places) -> Script:
    """Stretches of `source`, one after another; a slot outside its own stretch becomes empty."""
    group, place = ragged(lengths)
    rows = starts[group] + place
    script = source.taken(rows)
    inside = (script.slot >= starts[group]) & (script.slot < rows)
    moved = np.where(inside, script.slot - rows + np.arange(len(rows)), np.where(script.slot == NULL, NULL, NONE))
    return replace(script, slot=moved)


def woven(base: Script, extra: Script, after: Places) -> tuple[Script, Places]:
    """`base` with each operation of `extra` behind the operation `after` of `base`; slots of both mean `base`.

    Also the order: for each operation of the result its number in `base`, or beyond it in `extra`.
    """
    order = np.argsort(np.concatenate((np.arange(len(base)) * 2, after * 2 + 1)), kind="stable")
    return _reordered(stacked([base, extra]), order), order


def _reordered(script: Script, order: Places) -> Script:
    """The operations in another order, with slots that mean the same operations as before."""
    moved, place = script.taken(order), inverse(order)
    named = moved.slot < NULL
    moved.slot[named] = place[moved.slot[named]]
    return moved


def turns(rng: Rng, lengths: Sequence[int]) -> Places:
    """Whose turn it is, for instances with so many operations each: one by one, then in bursts, and so on."""
    total, many = sum(lengths), len(lengths)
    if many == 1 or total == 0:
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
    return _reordered(joined(scripts), inverse(np.argsort(who, kind="stable"))), who.astype(np.uint8)


def labels(n: int, tags: int) -> NDArray[np.uint8]:
    """A tag for each of `n` operations, in no simple order: 0 for none, and 1 to `tags`."""
    mixed = np.arange(n, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(40)
    return (mixed % np.uint64(tags + 1)).astype(np.uint8)


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
        "label": labels(len(script), env.labels),
    }
    return Trace(shape, columns, env, profile, seed, tuple(parts or ()))


def script_of(trace: Trace) -> Script:
    """A trace of one instance as a script."""
    c: dict[str, Any] = {name: np.asarray(column) for name, column in trace.columns.items()}
    return Script(c["kind"], c["slot"].astype(np.int64), c["size"], c["align"], c["count"])
