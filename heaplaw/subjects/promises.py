"""What a subject promises beyond its shape: the keys of a mapping's `[promises]`, for mappings and for tests alike."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, cast

from heaplaw.errors import UsageError
from heaplaw.mapping import vocabulary as vocab
from heaplaw.mapping.model import Promises
from heaplaw.mapping.problems import did_you_mean, listing
from heaplaw.spec.dialects import BY_NAME
from heaplaw.spec.event import Direction, Env, Order, Padding, Policy, Zero
from heaplaw.spec.layout import PTRDIFF_MAX
from heaplaw.spec.shapes import WORDS, Kind


def promising(plain: Env, says: Promises) -> Env:
    """What is constant over a run, as laws see it, with what is promised; `plain` is what holds otherwise."""
    return replace(
        plain,
        max_align=says.alignment or plain.max_align,
        coalesces=plain.coalesces if says.coalesces is None else says.coalesces,
        zero_size=Zero[says.zero_size.upper()],
        direction=Direction[says.direction.upper()],
        padding=Padding[says.padding.upper()],
        reuse_order=Order[says.reuse.upper()],
        max_request_align=says.max_alignment or plain.max_request_align,
        max_request=2**says.size_bits - 1,
        dialects=sum(BY_NAME[name] for name in set(says.dialects) & BY_NAME.keys()),
        zero_resize=Zero[says.zero_resize.upper()],
        double_free=policy_of(says, "double"),
        interior_free=policy_of(says, "interior"),
        unaligned_free=policy_of(says, "unaligned"),
        foreign_free=policy_of(says, "foreign"),
        minimum=says.minimum or plain.minimum,
        aligned_multiple=multiples_only(plain, says),
    )


ANY_SIZE = frozenset({"C17", "C23", "POSIX.1-2024"})
"""Dialects that let aligned_alloc be asked for any size."""


def multiples_only(plain: Env, says: Promises) -> bool:
    """Whether aligned requests must be multiples of the alignment: as is said, else as the dialects have it."""
    if says.aligned_size is not None:
        return says.aligned_size == "multiple"
    return bool(plain.aligned_multiple) and not ANY_SIZE.intersection(says.dialects)


def dialects_named(names: Iterable[str], where: str) -> int:
    """Standards and manuals by their names, added up; UsageError for one that is not known."""
    known = {name.lower(): dialect for name, dialect in BY_NAME.items()}
    for name in names:
        if name.lower() not in known:
            advice = did_you_mean(name, BY_NAME) or f"known are {listing(BY_NAME, 'and')}"
            raise UsageError(f"{where}: there is no dialect `{name}`; {advice}")
    return sum({known[name.lower()] for name in names})


def policy_of(says: Promises, misuse: str) -> Policy:
    """What is promised of a misuse."""
    said = says.misuse or {}
    return Policy[(said if isinstance(said, str) else said.get(misuse, "undefined")).upper()]


def names_of(env: Env, says: Promises, free_null: bool) -> frozenset[str]:
    """The promises that laws need, by the names that they ask for. `free_null`: NULL may be freed."""
    given = {
        "coalesces": env.coalesces,
        "reuse order": env.reuse_order != Order.ANY,
        "zero size": env.zero_size != Zero.UNSPECIFIED,
        "errno": says.errno,
        "shrinks": says.shrinks,
        "free null": free_null,
        "minimum": says.minimum is not None,
        "huge sizes": env.max_request > PTRDIFF_MAX,
        "zero resize": env.zero_resize != Zero.UNSPECIFIED,
        "usable bytes": says.usable == "writable",
        "misuse": any(policy_of(says, which) for which in vocab.MISUSES),
        "any aligned size": not env.aligned_multiple,
    }
    return frozenset(name for name, promised in given.items() if promised)


def costs_of(says: Promises) -> dict[Kind, str]:
    """What is promised of the cost of operations: "constant" or "amortised"."""
    given = says.cost if isinstance(says.cost, Mapping) else dict.fromkeys(vocab.SINGLE, says.cost or "any")
    kinds = {word: kind for kind, word in WORDS.items()}
    return {kinds[name]: word for name, word in given.items() if word != "any"}


def read(said: Mapping[str, object], where: str) -> Promises:
    """Promises as a test writes them: `{"alignment": 16, "reuse": "lifo"}`; UsageError, with every mistake in it."""
    wrong: list[str] = []
    for key, value in said.items():
        if key not in vocab.PROMISES:
            advice = did_you_mean(key, vocab.PROMISES) or f"there are {listing(vocab.PROMISES, 'and')}"
            wrong.append(f"unknown promise `{key}`; {advice}")
        elif problem := _misfit(key, value):
            wrong.append(f"`{key}` is {value!r:.40}, expected {problem}")
    if wrong:
        raise UsageError(f"{where}: " + "; ".join(wrong))
    given: dict[str, Any] = dict(said)
    return Promises(**given)


def _misfit(key: str, value: object) -> str:
    """What is expected of a promise, in words, where it is something else; empty where it is well."""
    if key == "cost":
        return _misfit_of_cost(value)
    number = isinstance(value, int) and not isinstance(value, bool)
    if key == "dialects":
        names = list(cast("Iterable[object]", value)) if isinstance(value, list | tuple) else [None]
        return "" if set(names) <= set(vocab.DIALECTS) else "a list of some of " + listing(vocab.DIALECTS, "and")
    if key == "misuse":
        said = cast("Mapping[object, object]", value) if isinstance(value, dict) else {"double": value}
        fitting = set(said) <= set(vocab.MISUSES) and set(said.values()) <= set(vocab.POLICIES)
        return "" if fitting else f"one of {listing(vocab.POLICIES)}, or a table of these by {listing(vocab.MISUSES)}"
    if key in vocab.CHOICES:
        options = vocab.CHOICES[key]
        return "" if value in options else "one of " + listing(options)
    if key in vocab.FLAGS:
        return "" if isinstance(value, bool) else "True or False"
    if key in vocab.ALIGNMENTS:
        fitting = number and isinstance(value, int) and 1 <= value <= vocab.MOST_ALIGN and value & (value - 1) == 0
        return "" if fitting else f"a power of two up to {vocab.MOST_ALIGN}, bytes"
    low, high = vocab.NUMBERS[key]
    unit = "bits" if key == "size_bits" else "bytes"
    return "" if number and isinstance(value, int) and low <= value <= high else f"{low} to {high} {unit}"


def _misfit_of_cost(value: object) -> str:
    """The same of a cost: a word, or a word for each operation."""
    expected = f"one of {listing(vocab.COSTS)}, or such a word for each operation"
    if not isinstance(value, Mapping):
        return "" if value in vocab.COSTS else expected
    table = cast("Mapping[object, object]", value)
    return "" if all(key in vocab.COSTED and word in vocab.COSTS for key, word in table.items()) else expected
