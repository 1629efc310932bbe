"""Reads a mapping file: all its mistakes are told at once, or there is none."""

import dataclasses
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

from heaplaw.spec.catalogue import CATALOGUE, law

from . import subject
from . import vocabulary as vocab
from .checks import Calls, missing_operations
from .fields import Section
from .model import Call, Expect, Mapping, Promises
from .positions import read
from .problems import Position, Problems, did_you_mean, listing, nearest, tick
from .view import view


def load(path: Path) -> Mapping:
    """The mapping in the file at `path`; MappingError, with every mistake in it, when it cannot be used."""
    document = read(path)
    top = Section(document, Problems(path, document.text), (), document.values)
    if not document.values:
        top.problems.add("the mapping is empty", None, 'it begins with what is judged: library = "./libmine.so"')
        top.problems.check()
    given = frozenset(document.values) | _misspelt(top)
    judged = subject.judged(top, given)
    shape_name = _shape_name(top, given)
    shape = vocab.SHAPES.get(shape_name or "")
    calls = Calls(
        top=top,
        kind=judged.kind,
        shape=shape,
        instance=_instance(top, given),
        storage="storage" in given,
        given=given,
    )
    buffer = subject.buffer(top)
    constants = subject.constants(top)
    init = calls.init()
    create = calls.create()
    operations, counters = _operations(calls)
    destroy = calls.operation("destroy", vocab.LIFE["destroy"])
    looked = view(calls, shape_name)
    if shape and shape_name:
        _fits_shape(top, shape_name, shape, given)
    _instance_is_whole(calls, given)
    whole = {
        "storage": top.number("storage", 1, vocab.MOST_STORAGE, "bytes as a whole number") or 0,
        "instances": top.number("instances", 1, vocab.MOST_INSTANCES) or 1,
    }
    promises = _promises(top, operations)
    _can_be_kept(top, judged.kind, given, operations, promises)
    expect = _expectations(top, promises.dialects)
    name = top.text("name") or path.stem
    top.problems.check()
    assert judged.kind is not None
    assert shape_name is not None
    return Mapping(
        path=path,
        name=name,
        shape=shape_name,
        kind=judged.kind,
        where=judged.where,
        package=judged.package,
        preload=judged.preload,
        environment=judged.environment,
        buffer=buffer,
        **whole,
        instance=calls.instance,
        init=init,
        create=create,
        destroy=destroy,
        operations=operations,
        counters=counters,
        constants=constants,
        promises=promises,
        expect=expect,
        view=looked,
        text=document.text,
    )


# -------------------------------------------------------------------------------------------------------- keys


def _misspelt(top: Section) -> frozenset[str]:
    """Add all unknown keys but those of calls and the buffer; give the keys that were probably meant."""
    below = dict.fromkeys(vocab.EXPECT_KEYS, "it belongs in [[expect]]")
    below |= dict.fromkeys(vocab.PROMISES, "it belongs in [promises]")
    below |= dict.fromkeys(("first", "next"), "it belongs in [view]")
    above = dict.fromkeys(vocab.TOP, "it belongs at the top, before the first [table]")
    meant = top.unknown(vocab.TOP, below)
    promises = top.below("promises")
    if promises:
        meant += promises.unknown(vocab.PROMISES, above)
    for expected in _expect_sections(top):
        meant += expected.unknown(vocab.EXPECT_KEYS, above)
    return frozenset(meant)


def _shape_name(top: Section, given: frozenset[str]) -> str | None:
    if "shape" not in given:
        top.problems.add("`shape` is missing", None, f"one of {listing(vocab.SHAPES)}")
    return top.choice("shape", vocab.SHAPES)


def _instance(top: Section, given: frozenset[str]) -> str | None:
    """The word that the instance is called by; a second one is a mistake."""
    words = [key for key in top.table if key in vocab.INSTANCE_WORDS]
    for word in words[1:]:
        first = top.document.key((words[0],))
        advice = f"{tick(words[0])} makes one in line {first.line}; a list of calls makes it in steps" if first else ""
        top.problems.add(f"{tick(word)} makes an instance again", top.document.key((word,)), advice)
    words += [word for word in vocab.INSTANCE_WORDS if word in given]
    return words[0] if words else None


# ------------------------------------------------------------------------------------------------------- calls


def _operations(calls: Calls) -> tuple[dict[str, Call], dict[str, Call]]:
    """Operations (`lua_alloc` taken apart) and counters, in the order of the file."""
    operations: dict[str, Call] = {}
    counters: dict[str, Call] = {}
    for key in calls.top.table:
        rules = vocab.OPERATIONS.get(key) or vocab.COUNTERS.get(key)
        call = rules and calls.operation(key, rules)
        if not call:
            continue
        if key == "lua_alloc":
            operations |= lua_operations(call)
        else:
            (operations if key in vocab.OPERATIONS else counters)[key] = call
    return operations, counters


def lua_operations(call: Call) -> dict[str, Call]:
    """The three things that a `lua_Alloc` does, each as a call of its own.

    Without a block, osize says what kind of object the memory is for: the word "tag".
    """
    roles: dict[str, tuple[dict[str, str | int], str]] = {
        "alloc": ({"ptr": 0, "osize": "tag", "nsize": "size"}, "pointer"),
        "realloc": ({"nsize": "size"}, "pointer"),
        "free": ({"nsize": 0}, "null"),
    }
    return {
        operation: dataclasses.replace(
            call,
            arguments=tuple(
                argument if isinstance(argument, int) else changed.get(argument, argument)
                for argument in call.arguments
            ),
            returns=returns,
        )
        for operation, (changed, returns) in roles.items()
    }


def _fits_shape(top: Section, name: str, shape: vocab.Shape, given: frozenset[str]) -> None:
    """Add operations and counters that the shape does not have, and those that it lacks."""
    for key in top.table:
        counted = key in vocab.COUNTERS
        if not (counted or key in vocab.OPERATIONS):
            continue
        if key in (*shape.operations, *shape.counters, *vocab.ANY_SHAPE):
            continue
        owners = [other for other, has in vocab.SHAPES.items() if key in (*has.operations, *has.counters)]
        whose = f"{'shapes' if len(owners) > 1 else 'shape'} {listing(owners, 'and')}"
        top.problems.add(
            f"{tick(key)} is {'a counter' if counted else 'an operation'} of {whose}, not of {tick(name)}",
            top.document.key((key,)),
            f"{tick(name)} has {listing(shape.counters if counted else shape.operations, 'and')}",
        )
    missing = missing_operations(shape, given)
    if missing:
        top.refuse("shape", f"{tick(name)} needs {'; '.join(missing)}")
    unsaid = [key for key in shape.constants if key not in given]
    if unsaid:
        example = ", ".join(f"{key} = 64" for key in unsaid)
        top.refuse("shape", f"{tick(name)} needs {listing(unsaid, 'and')}", f"for example {example}")
    for pair in vocab.TOGETHER:
        there = [key for key in pair if key in given]
        if len(there) == 1 and there[0] in shape.operations:
            (absent,) = set(pair) - set(there)
            top.problems.add(f"{tick(there[0])} has no use without {tick(absent)}", top.document.key((there[0],)))


def _instance_is_whole(calls: Calls, given: frozenset[str]) -> None:
    """Add what goes on about an instance that is not made, or made and not used."""
    top = calls.top
    made = calls.instance is not None
    if calls.kind == "python":
        if not made:
            advice = 'for example pool = "MyPool(block_size, num_blocks)"'
            top.problems.add(
                "a Python subject needs a call that makes its instance", top.document.key(("python",)), advice
            )
        if "storage" in top.table:
            top.problems.add("a Python object needs no `storage`", top.document.key(("storage",)))
        return
    if calls.storage and not made:
        advice = 'calls are given it under a name, for example alloc = "my_alloc(pool, size)"'
        top.problems.add("`storage` is given, and no call uses it", top.document.key(("storage",)), advice)
    for key, what in (("destroy", "ends"), ("instances", "counts")):
        if key in top.table and not made and not calls.storage:
            advice = f'{tick("pool")} = "…", or another of its names, makes one'
            top.problems.add(f"{tick(key)} {what} instances, and none is made", top.document.key((key,)), advice)


# ---------------------------------------------------------------------------------------------------- promises


def _promises(top: Section, operations: Iterable[str]) -> Promises:
    section = top.below("promises")
    if section is None:
        return Promises()
    said: dict[str, Any] = {key: section.power(key, vocab.MOST_ALIGN) for key in vocab.ALIGNMENTS}
    said |= {key: section.choice(key, options) for key, options in vocab.CHOICES.items()}
    said |= {key: section.flag(key) for key in vocab.FLAGS}
    said["misuse"] = section.choices("misuse", vocab.POLICIES, vocab.MISUSES)
    said["dialects"] = _dialects(section)
    for key, span in vocab.NUMBERS.items():
        said[key] = section.number(key, *span, f"{'bits' if key == 'size_bits' else 'bytes'} as a whole number")
    said["cost"] = _cost(section, operations)
    return Promises(**{key: value for key, value in said.items() if value is not None})


def _cost(section: Section, operations: Iterable[str]) -> str | dict[str, str] | None:
    """One word for all operations that make or end one block, or a word for each operation."""
    if not isinstance(section.table.get("cost"), dict):
        return section.choice("cost", vocab.COSTS)
    table = section.below("cost")
    assert table is not None
    table.unknown(vocab.COSTED, {})
    called = [key for key in vocab.COSTED if key in operations]
    for key in table.table:
        if key in vocab.COSTED and key not in called:
            position = table.document.key((*table.route, key))
            advice = f"it calls {listing(called, 'and')}" if called else ""
            table.problems.add(f"the mapping has no {tick(key)}, whose cost is promised", position, advice)
    said = {key: table.choice(key, vocab.COSTS) for key in called if key in table.table}
    return {key: word for key, word in said.items() if word is not None}


def _can_be_kept(
    top: Section, kind: str | None, given: frozenset[str], operations: dict[str, Call], promises: Promises
) -> None:
    """Add promises about what the mapping has no call for, or whose call cannot answer as is promised."""
    section = top.below("promises")
    if section is None:
        return
    for key, says, needed in (
        ("usable", promises.usable == "writable", "usable_size"),
        ("zero_resize", promises.zero_resize != "unspecified", "realloc"),
    ):
        if says and needed not in given:
            section.refuse(key, f"{tick(key)} promises something of {tick(needed)}, which the mapping does not have")
    free, said = operations.get("free"), promises.misuse or {}
    refuses = "error" in ([said] if isinstance(said, str) else said.values())
    if refuses and kind != "python" and free is not None and free.returns in ("none", "null"):
        advice = (
            'it returns nothing: say what a refusal is, like { call = "…", returns = "status" }, or promise another'
        )
        section.refuse("misuse", "`free` cannot refuse what it is given", advice)


def _dialects(section: Section) -> tuple[str, ...] | None:
    names = section.texts("dialects", "a list of standards and manuals, such as " + listing(vocab.DIALECTS))
    written: object = section.table.get("dialects")
    for name in (name for name in names if name not in vocab.DIALECTS):
        place = ("dialects", cast("list[object]", written).index(name)) if isinstance(written, list) else ("dialects",)
        advice = did_you_mean(name, vocab.DIALECTS) or f"known are {listing(vocab.DIALECTS, 'and')}"
        section.problems.add(
            f"there is no dialect {tick(name)}", section.document.value((*section.route, *place)), advice
        )
    return names or None


# ---------------------------------------------------------------------------------------------------- expected


def _expect_sections(top: Section) -> list[Section]:
    """The tables of `expect`; what is no table was told by `_expectations`."""
    value = top.table.get("expect")
    tables = cast("list[object]", value) if isinstance(value, list) else []
    return [
        Section(top.document, top.problems, ("expect", index), cast("dict[str, Any]", table))
        for index, table in enumerate(tables)
        if isinstance(table, dict)
    ]


def _expectations(top: Section, forced: tuple[str, ...]) -> tuple[Expect, ...]:
    value = top.table.get("expect")
    if value is not None and not isinstance(value, list):
        top.wrong("expect", value, "a list of tables", "write [[expect]], in two pairs of brackets")
    elements = Section(top.document, top.problems, ("expect",), {})
    for index, element in enumerate(cast("list[object]", value) if isinstance(value, list) else []):
        if not isinstance(element, dict):
            elements.wrong(index, element, "a table of `law` and `reason`")
    found = [_expected(section, forced) for section in _expect_sections(top)]
    return tuple(item for item in found if item)


def _expected(section: Section, forced: tuple[str, ...]) -> Expect | None:
    for key, what in (("law", "which law is broken"), ("reason", "why that is known")):
        # A key that was misspelt was told as such; it is not missed as well.
        if key not in section.table and not any(nearest(other, [key]) for other in section.table):
            position = section.document.key(section.route)
            section.problems.add(f"an expected violation needs `{key}`", position, f"{tick(key)} says {what}")
    name, reason = _law_name(section), section.text("reason")
    issue, version, dialects = section.text("issue"), _version(section), _dialects(section) or ()
    unforced = [dialect for dialect in dialects if dialect not in forced]
    if name is not None and dialects and not law(name).clauses:
        section.refuse("dialects", f"{tick(name)} is the same in every dialect", "leave `dialects` out")
    elif unforced:
        advice = "`dialects` of [promises] says which are"
        section.refuse("dialects", f"not in force: {listing(unforced, 'and')}", advice)
    if name is None or reason is None:
        return None
    position = section.document.value((*section.route, "law")) or Position(1, 1)
    return Expect(name, reason, issue, version, position, dialects)


def _version(section: Section) -> str | None:
    said = section.text("version")
    if said is not None and said.startswith("<") and not re.fullmatch(r"< *\d+(\.\d+)*", said):
        section.refuse("version", f"{tick(said)} is no version", 'for example "2.0", or "< 2.38" for all below it')
    return said


def _law_name(section: Section) -> str | None:
    said = section.text("law", "the name or the id of a law")
    if said is None:
        return None
    try:
        return law(said).name
    except KeyError:
        # Ids are numbers: one that looks like another means nothing.
        close = nearest(said, CATALOGUE, 3)
        advice = f"the nearest {'are' if len(close) > 1 else 'is'} {listing(close, 'and')}" if close else ""
        section.refuse("law", f"there is no law {tick(said)}", advice or "`heaplaw laws` lists them")
        return None
