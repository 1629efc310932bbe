"""The free list of a library, looked at after every operation through calls that only look.

A list may be damaged: what its links say is followed only while it is mapped, and never twice. Runs in the worker.
"""

import ctypes
from collections.abc import Mapping, MutableSequence
from dataclasses import asdict, dataclass
from typing import Any

from heaplaw.plan import Call, Plan
from heaplaw.spec.event import Status
from heaplaw.spec.layout import PTRDIFF_MAX, SIZE_MAX
from heaplaw.spec.report import Choice, Walk, choice, shared
from heaplaw.spec.shapes import REQUESTS, Kind

from .calls import MASK, Bound, Caller, number_of
from .instances import Instance
from .payload import PAGE, mapped

LONGEST = 2**14
"""Blocks on a list that is looked at: of a longer one nothing is said."""
MOST = 2**20
"""Blocks that are looked at in one run; after that nothing is said."""
WORD = 8
"""Bytes of a pointer, and of a size that is read from memory."""
SOUND = frozenset({"walk", "free_shared", "live_shared"})
"""What every view reports."""
LEAST = frozenset({"least_free", "least_taken"})
"""What it reports where a minimum is promised."""
FITS: Mapping[str, frozenset[str]] = {
    "first": frozenset({"first_fit"}),
    "best": frozenset({"least_fit", "taken_from"}),
    "any": frozenset(),
}
"""What it reports, by the promise `fit`."""


@dataclass(frozen=True)
class ListView:
    """How a free list is looked at: calls, or numbers where a word of memory says the same.

    Blocks are seen with their headers: `header` bytes at the beginning of each are nobody's.
    """

    first: Call | int
    """The first free block, NULL when there is none; a number: bytes from the instance to the word that holds it."""
    next: Call | int
    """The one after `ptr`, NULL when it is the last; a number: bytes from `ptr`."""
    size: Call | int
    """The bytes of `ptr`, header included; a number: bytes from `ptr`."""
    header: int = 0

    @property
    def calls(self) -> tuple[Call, ...]:
        """Those of the three that are calls."""
        return tuple(one for one in (self.first, self.next, self.size) if isinstance(one, Call))

    def document(self) -> dict[str, Any]:
        """The view as JSON."""
        return asdict(self)

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> "ListView":
        """The view back from JSON."""

        def one(said: Any) -> Call | int:
            return said if isinstance(said, int) else Call(said["function"], said["returns"], tuple(said["arguments"]))

        return cls(one(document["first"]), one(document["next"]), one(document["size"]), document["header"])


def is_there(address: int, length: int = WORD) -> bool:
    """So many bytes from `address` on can be read; `length` is at most a page."""
    first, last = address // PAGE * PAGE, (address + length - 1) // PAGE * PAGE
    return 0 < address <= MASK - length and all(mapped(page, PAGE) for page in {first, last})


class Sight:
    """Looks at the lists of one run, and writes down what they say."""

    def __init__(self, view: ListView, caller: Caller, plan: Plan, columns: Mapping[str, MutableSequence[int]]) -> None:
        self._view, self._plan, self._columns = view, plan, columns
        parts = (view.first, view.next, view.size)
        self._first, self._next, self._size = (
            (made, caller.bind(f"L{at}", made)) if isinstance(made, Call) else made for at, made in enumerate(parts)
        )
        self._left = MOST
        self._before: dict[int, list[tuple[int, int]]] = {}
        """By instance: its list after the latest operation."""

    def begin(self, place: int, instance: Instance) -> None:
        """Look at an instance that nothing has been asked of."""
        self._before[place] = self._walk(instance)[0]

    def look(self, index: int, place: int, instance: Instance, live: Mapping[int, int]) -> None:
        """After operation `index`: the list, and what it was like before. `live`: bytes of live blocks, by address."""
        before = self._before.get(place, [])
        nodes, walk = self._walk(instance)
        self._before[place] = nodes
        said = self._chosen(index, before)
        free, alive = shared(nodes, self._view.header, live.items())
        usable = self._columns["usable"][index]
        row = {
            **vars(said),
            "walk": int(walk),
            "free_shared": free,
            "live_shared": alive,
            "nodes": len(before),
            "least_free": min((size for _, size in nodes), default=SIZE_MAX),
            "least_taken": usable + self._view.header if usable else SIZE_MAX,
        }
        for name, value in row.items():
            self._columns[name][index] = value & MASK

    def _chosen(self, index: int, before: list[tuple[int, int]]) -> Choice:
        """What the list said of the request at `index`; nothing, where it was none that it can speak of."""
        c, plan = self._columns, self._plan
        kind, align, size = c["kind"][index], c["align"][index], c["size"][index] * c["count"][index]
        plain = kind in REQUESTS and (
            kind in (Kind.ALLOC, Kind.ZALLOC) or (Kind.ALLOC not in plan.operations and align <= plan.align)
        )
        if not plain or not 0 < size <= PTRDIFF_MAX or c["status"][index] not in (Status.OK, Status.FAILED):
            return Choice()
        return choice(before, size, plan.align, self._view.header, c["ptr"][index])

    def _walk(self, instance: Instance) -> tuple[list[tuple[int, int]], Walk]:
        """The blocks of an instance's list, in its order: start and size, as far as it can be followed."""
        found: dict[int, int] = {}
        words = {**instance.words, "ptr": 0}
        at = self._said(self._first, words, words["instance"])
        while at:
            if at in found:
                return list(found.items()), Walk.RETURNED
            if not is_there(at):
                at = None
                break
            if len(found) >= LONGEST or self._left <= 0:
                return [], Walk.UNSEEN
            self._left -= 1
            words["ptr"] = at
            size = self._said(self._size, words, at)
            if size is None:
                at = None
                break
            found[at] = size
            at = self._said(self._next, words, at)
        return list(found.items()), Walk.ENDED if at is not None else Walk.LOST

    def _said(self, part: tuple[Call, Bound] | int, words: Mapping[str, int], base: int) -> int | None:
        """What a call, or the word so many bytes from `base`, says; None where there is no such word."""
        if isinstance(part, int):
            at = base + part
            return ctypes.c_uint64.from_address(at).value if is_there(at) else None
        made, bound = part
        _, value, _ = bound(words)
        return number_of(made.returns, value)
