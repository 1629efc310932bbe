"""Calls of Python objects: operations are methods of the instance, its own word among the arguments left out.

Blocks are addresses; 0 and None are refusals. An instance with an attribute `memory` (a writable buffer) deals in
offsets into that instead, and refuses with None; here these become addresses. An exception is no answer, but a
MemoryError is a refusal.
"""

import ctypes
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from heaplaw.calls import Answer, Bound, SubjectError, Words
from heaplaw.models.methods import address_of, fits
from heaplaw.plan import COUNTERS, CREATE, DESTROY, INIT, Call, Plan
from heaplaw.spec.event import Status
from heaplaw.spec.layout import SIZE_MAX
from heaplaw.spec.shapes import Kind

MOST_LINES = 20
"""Lines on standard error that one run may leave about a subject's answers."""
NATIVE_WORDS = frozenset({"&out", "&instance"})
"""Arguments that mean nothing to a Python object."""
_COUNTING = frozenset(COUNTERS.values())
_MARK = str(int(Kind.MARK))
_TOKENS = 2**48
"""Marks that are no numbers are numbered from here on."""


@dataclass(frozen=True)
class Thing:
    """An instance."""

    object: Any
    base: int | None
    """Where its `memory` is, if it has one: blocks are offsets into that."""


def thing(found: object) -> Thing:
    """An instance; SubjectError when its `memory` is none."""
    memory: Any = getattr(found, "memory", None)
    if memory is None or callable(memory):
        return Thing(found, None)
    try:
        return Thing(found, ctypes.addressof(ctypes.c_char.from_buffer(memory)))
    except (TypeError, ValueError) as error:
        raise SubjectError(
            f"{type(found).__name__}.memory is no writable buffer ({error}); a bytearray is one"
        ) from error


class ObjectCaller:
    """Makes calls of Python objects. An instance's word is its number, from 1; 0 is the module itself."""

    def __init__(self, module: object, functions: Mapping[str, Callable[..., Any]] | None = None) -> None:
        """`functions` take the place of what the names stand for in the module."""
        self.things = {0: Thing(module, None)}
        self.said, self.tells_errno = "", False
        self._functions = functions or {}
        self._marks: dict[int, object] = {}
        self._made = self._lines = 0

    def bind(self, slot: str, made: Call) -> Bound:
        """The call at `slot`: of something in the module before there is an instance, else of a method."""
        if stray := NATIVE_WORDS & set(made.arguments):
            raise SubjectError(f"{made.function}: {min(stray)} means nothing to a Python object")
        of_module = slot.startswith((INIT, CREATE)) and "instance" not in made.arguments
        arguments = [a for a in made.arguments if a != "instance"]
        find, counts = attrgetter(made.function), slot in _COUNTING

        def make(words: Words) -> Answer:
            there = self.things[0 if of_module else words["instance"]]
            given: Sequence[object] = [self._given(a, words, there) for a in arguments]
            try:
                called = self._functions.get(made.function) if of_module else None
                called = find(there.object) if called is None else called
                result = called if counts and not callable(called) else called(*given)
            except MemoryError:
                self._say(made, given, "raised MemoryError", aloud=False)
                return Status.FAILED, 0, 0
            except Exception as error:  # noqa: BLE001 - whatever the subject raises is its answer
                self._say(made, given, f"raised {type(error).__name__}: {error}")
                return Status.WRONG, 0, 0
            if slot == DESTROY:
                del self.things[words["instance"]]
            return self._answer(slot, made, given, there, result)

        return make

    def _given(self, argument: str | int, words: Words, there: Thing) -> object:
        """An argument as the subject knows it."""
        if isinstance(argument, int):
            return argument
        value = words[argument]
        if argument == "mark":
            return self._marks.get(value, value)
        if argument == "ptr" and there.base is not None:
            return value - there.base if value else None
        return value

    def _answer(self, slot: str, made: Call, given: Sequence[object], there: Thing, result: Any) -> Answer:
        """What came, as a word."""
        if slot == f"{CREATE}0":
            return Status.OK, self._enter(result), 0
        if slot == _MARK:
            return Status.OK, self._token(result), 0
        if slot == COUNTERS["base"]:
            return Status.OK, address_of(result), 0
        if made.returns == "none":
            return Status.OK, 0, 0
        if made.returns == "bool":  # a check that finds nothing wrong may say nothing: it asserts
            return Status.OK, int(bool(result) or (result is None and slot == COUNTERS["invariant"])), 0
        word: int | None = None
        number = isinstance(result, int) and not isinstance(result, bool)
        if made.returns in ("pointer", "null"):
            if result is None:
                word = 0
            elif number and 0 <= result <= SIZE_MAX:
                word = result if there.base is None else (result + there.base) & SIZE_MAX
        elif made.returns in ("size", "int"):
            word = result if number and 0 <= result <= SIZE_MAX else None
        elif result is None or (isinstance(result, int) and -(2**63) <= result <= SIZE_MAX):
            word = int(result or 0) & SIZE_MAX
        if word is None:
            what = "no address" if made.returns in ("pointer", "null") else "no number"
            self._say(made, given, f"returned {result!r:.80}, which is {what}")
            return Status.WRONG, 0, 0
        return Status.OK, word, 0

    def _enter(self, found: object) -> int:
        """The word of a new instance; 0 for None."""
        if found is None:
            return 0
        self._made += 1
        self.things[self._made] = thing(found)
        return self._made

    def _token(self, mark: object) -> int:
        """The word of a mark."""
        number = mark if isinstance(mark, int) and 0 <= mark < _TOKENS else _TOKENS + len(self._marks)
        self._marks[number] = mark
        return number

    def _say(self, made: Call, given: Sequence[object], what: str, aloud: bool = True) -> None:
        """Leave a line for the report; a run may misbehave a million times, so the first few alone."""
        self.said = f"{made.function.rpartition('.')[2]}({', '.join(map(str, given))}) {what}".replace("\n", " ")
        self._lines += aloud
        if aloud and self._lines <= MOST_LINES:
            print(self.said, file=sys.stderr, flush=True)  # noqa: T201

    def check(self, plan: Plan) -> None:
        """SubjectError when a method is missing, or cannot be called as the plan does."""
        first = self.things[min(1, self._made)].object
        for slot, made in plan.calls().items():
            self.bind(slot, made)
            if slot.startswith((INIT, CREATE)):
                continue
            try:
                method = attrgetter(made.function)(first)
            except AttributeError as error:
                raise SubjectError(f"{made.function}: {error}") from error
            count = len([a for a in made.arguments if a != "instance"])
            if callable(method):
                if not fits(method, count):
                    shown = inspect.signature(method)
                    raise SubjectError(f"{made.function}{shown} cannot be called with {count} arguments")
            elif slot not in _COUNTING:
                raise SubjectError(f"{made.function} of {type(first).__name__} cannot be called")
