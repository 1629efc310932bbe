"""Driving a subject of this process: payloads are written and checked around its bare calls.

A MemoryError is a refusal; what else a subject raises becomes `Status.WRONG`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from heaplaw.spec.event import Env, Event, Flag, Status
from heaplaw.spec.history import Op
from heaplaw.spec.shapes import SWEEPERS, Kind, Shape

from .payload import Held, Store, by_owner, fill, first_wrong, spans


class Live(Protocol):
    """A subject of this process, driven operation by operation."""

    @property
    def shape(self) -> Shape: ...
    @property
    def env(self) -> Env: ...
    @property
    def offers(self) -> frozenset[str]:
        """Operations, by the names of `shapes.CALLS`, counters and promises that are there."""
        ...

    @property
    def error(self) -> Exception | None:
        """What the subject raised in the latest operation, if it raised."""
        ...

    def apply(self, op: Op, held: Held | None, index: int, swept: Sequence[Held] = ()) -> tuple[Event, int]:
        """Carry out operation `index`: the event, and the new block's tag.

        `held` is the block or mark that it is about, `swept` the blocks that it ends, newest first.
        """
        ...

    def close(self) -> None:
        """The subject is not used any more."""
        ...


class Calls(Protocol):
    """The bare calls of a subject, no payload looked at."""

    shape: Shape
    env: Env
    offers: frozenset[str]

    def call(self, op: Op, held: Held | None, index: int) -> Event:
        """Call the subject; whatever it raises comes through."""
        ...

    def counters(self) -> Mapping[str, Any]:
        """The fields of an event in which the subject counts."""
        ...

    def close(self) -> None: ...


class Checked:
    """A live subject: its bare calls, and payloads written and checked around them."""

    def __init__(self, calls: Calls, store: Store, tag: Callable[[int, int], int] = by_owner) -> None:
        self.calls = calls
        self.store = store
        self.error: Exception | None = None
        self._tag = tag

    @property
    def shape(self) -> Shape:
        return self.calls.shape

    @property
    def env(self) -> Env:
        return self.calls.env

    @property
    def offers(self) -> frozenset[str]:
        return self.calls.offers

    def close(self) -> None:
        """The subject is not used any more."""
        self.calls.close()

    def apply(self, op: Op, held: Held | None, index: int, swept: Sequence[Held] = ()) -> tuple[Event, int]:
        """Carry out operation `index`, about the block `held`, ending `swept`: the event, and the new block's tag."""
        self.error = None
        damaged = self._first_damaged(swept if op.kind in SWEEPERS else [held] if held else [])
        event = self._call(op, held, index)
        if op.kind not in SWEEPERS:
            event = replace(event, held=0 if held is None else held.size)
        tag = self._tag(index, event.ptr)
        flag, bad_at = self._settle(held, event, tag)
        if damaged is not None:
            block, at = damaged
            flag, bad_at = Flag.DAMAGED, at
            if op.kind in SWEEPERS:
                event = replace(event, ptr=block.ptr, held=block.size)
        return replace(event, flags=int(flag), bad_at=bad_at), tag

    def look(self) -> Event:
        """An event that asks for nothing: what the subject's counters say now."""
        return self._bare(Op(Kind.CHECK), Status.OK)

    def _first_damaged(self, blocks: Sequence[Held]) -> tuple[Held, int] | None:
        """The first block that is not as its owner wrote it, and where it is not."""
        for block in blocks:
            at = None if block.mark else first_wrong(self.store, block.ptr, spans(block.size), block.tag)
            if at is not None:
                return block, at
        return None

    def _call(self, op: Op, held: Held | None, index: int) -> Event:
        if op.kind == Kind.CHECK:
            return self._bare(op, Status.OK)
        try:
            return self.calls.call(op, held, index)
        except MemoryError:  # Python's way to refuse
            return self._bare(op, Status.FAILED)
        except Exception as error:  # noqa: BLE001 (whatever a subject raises is what it did)
            self.error = error
            return self._bare(op, Status.WRONG)

    def _bare(self, op: Op, status: Status) -> Event:
        counted = self.calls.counters()
        return Event(op.kind, op.size, op.align, op.count, status, env=self.env, **counted)

    def _settle(self, held: Held | None, event: Event, tag: int) -> tuple[Flag, int]:
        """Check what the call did to the payload, then let the new owner write its own."""
        wrong: tuple[int | None, Flag] = None, Flag.NOTHING
        if event.kind == Kind.RESIZE and held is not None:
            if event.failed:
                wrong = first_wrong(self.store, held.ptr, spans(held.size), held.tag), Flag.FAILED_CHANGED
            elif event.makes:
                common = spans(held.size, min(held.size, int(event.extent)))
                wrong = first_wrong(self.store, event.ptr, common, held.tag), Flag.PREFIX_LOST
        elif event.kind == Kind.ZALLOC and event.makes:
            wrong = first_wrong(self.store, event.ptr, spans(int(event.extent)), None), Flag.NOT_ZERO
        unwritable = fill(self.store, event.ptr, int(event.extent), tag) if event.makes else None
        if unwritable is not None:
            return Flag.UNWRITABLE, unwritable
        return (Flag.NOTHING, 0) if wrong[0] is None else (wrong[1], wrong[0])
