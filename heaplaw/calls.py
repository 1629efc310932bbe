"""A subject's calls in the worker's process: functions of a library, of CPython, or methods of Python objects.

A `Plan` says which calls there are; a `Caller` makes them. What a call's value means is said here, once for all.
"""

from collections.abc import Callable, Mapping
from errno import EINVAL, ENOMEM
from typing import Protocol, TypeAlias

from heaplaw.plan import Call, Plan, standard_plan
from heaplaw.spec.event import Status
from heaplaw.spec.shapes import MAKERS, Kind

Words: TypeAlias = Mapping[str, int]
"""What arguments may be, by the words of `plan.WORDS`: unsigned, 64 bits."""
Answer: TypeAlias = tuple[Status, int, int]
"""(OK, the word that a call gave, errno after it); FAILED or WRONG, 0, 0 when the call said so without a word."""
Bound: TypeAlias = Callable[[Words], Answer]
"""A call, to be made with the words of an operation."""
MASK = 2**64 - 1


class SubjectError(Exception):
    """The subject cannot be had; the text says why, in one line."""


class Caller(Protocol):
    """Makes calls of a plan."""

    said: str
    """What the latest call did instead of giving a word, in words."""
    tells_errno: bool
    """Its answers hold errno."""

    def bind(self, slot: str, made: Call) -> Bound:
        """The call at `slot` of a plan; SubjectError when there is no such function."""
        ...


def signed(value: int, bits: int) -> int:
    """The two's complement number in the low `bits` of a word."""
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def number_of(returns: str, value: int) -> int:
    """What a counter says, as a column holds it."""
    return signed(value, 32) & MASK if returns == "int" else value


def is_well(returns: str, value: int) -> bool:
    """What an allocator's check of itself says."""
    if returns == "bool":
        return value & 0xFF != 0
    return (value if returns == "size" else signed(value, 32)) == 0


def is_refusal(returns: str, value: int) -> bool:
    """What begins a library, or makes an instance, was refused."""
    if returns == "pointer":
        return value == 0
    if returns == "bool":
        return value & 0xFF == 0
    return returns != "none" and signed(value, 32) != 0


def outcome(kind: int, made: Call, size: int, answer: Answer, out: int) -> tuple[Status, int, int]:
    """What an operation gave: its status, the block or mark, and the code of a refusal.

    `out` is what stands where `&out` points; `size` what was asked for, bytes.
    """
    status, value, err = answer
    if status != Status.OK:
        return status, 0, 0
    given = out if "&out" in made.arguments else number_of(made.returns, value)
    maker, code = kind in (*MAKERS, Kind.ODD_ALIGNED, Kind.ODD_POSIX_ALIGNED, Kind.RESIZE_TO_ZERO), signed(value, 32)
    match made.returns:
        case "pointer" if not value and kind != Kind.MARK:
            return Status.FAILED, 0, err
        case "status" | "errno" if code:
            refused = made.returns == "status" or code in (ENOMEM, EINVAL)
            return (Status.FAILED if refused else Status.WRONG), 0, code & 0xFFFFFFFF
        case "status" | "errno" if maker and not given:
            return (Status.WRONG if size else Status.FAILED), 0, 0
        case "bool" if not value & 0xFF:
            return Status.FAILED, 0, 0
        case "bytes" if signed(value, 64) < maker:
            return Status.FAILED, 0, 0
        case _:
            return Status.OK, given, 0


PYTHON_FAMILIES = {"pymem_raw": "PyMem_Raw{}", "pymem": "PyMem_{}", "pyobject": "PyObject_{}"}


def python_plan(family: str) -> Plan:
    """The plan of one of CPython's three families: pymem_raw, pymem, pyobject."""
    ends = {"malloc": "Malloc", "calloc": "Calloc", "realloc": "Realloc", "free": "Free"}
    return standard_plan({name: PYTHON_FAMILIES[family].format(end) for name, end in ends.items()})
