"""NumPy columns as operands of laws: the logic's helpers registered for arrays, and views of events as columns."""

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heaplaw.spec import logic
from heaplaw.spec.event import Event, View

Column = NDArray[Any]
TYPES: dict[int, Any] = {1: np.uint8, 4: np.uint32, 8: np.uint64}
"""NumPy's type for columns of that many bytes. Lists of large integers would silently become floats without it."""


@logic.neg.register(np.ndarray)
@logic.neg.register(np.bool_)
def _neg(a: Any) -> Any:
    logical_not: Any = np.logical_not
    return logical_not(a)


def _word(a: Any) -> Any:
    """Python integers become unsigned words: mixed with signed ones, words would silently become floats."""
    return np.uint64(a) if isinstance(a, int) and not isinstance(a, bool) else a


@logic.ite.register(np.ndarray)
@logic.ite.register(np.bool_)
def _ite(condition: Any, then: Any, otherwise: Any) -> Any:
    where: Any = np.where
    return where(condition, _word(then), _word(otherwise))


@logic.mod_pow2.register(np.ndarray)
@logic.mod_pow2.register(np.uint64)
def _mod_pow2(a: Any, power: Any) -> Any:
    return a & (_word(power) - np.uint64(1))


def _once(name: str) -> cached_property[Any]:
    getter: Any = getattr(Event, name).fget
    prop = cached_property(getter)
    prop.__set_name__(Event, name)
    return prop


DERIVED = tuple(name for name, value in vars(Event).items() if isinstance(value, property))
ColumnEvent: type[Event] = type("ColumnEvent", (Event,), {name: _once(name) for name in DERIVED})
"""An `Event` whose fields are columns: each derived field is computed once, by the very code of `Event`."""


def scalar(value: Any, place: int) -> Any:
    """Row `place` of an event or a view of columns, as plain integers."""
    kind = Event if isinstance(value, Event) else View
    fields: dict[str, Any] = {}
    for name in kind.__dataclass_fields__:
        column = getattr(value, name)
        fields[name] = column[place].item() if isinstance(column, np.ndarray) else column
    return kind(**fields)
