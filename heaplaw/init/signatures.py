"""Parameters of exported functions: from a library's debug information, or from the C standard for its own names."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

Kind = Literal["void", "int", "bool", "pointer", "struct", "function", "other"]


@dataclass(frozen=True)
class Type:
    """A type in C, without qualifiers."""

    kind: Kind
    name: str
    """What it is told from others by: `struct pool` whatever a typedef calls it, `pool *`; of a pointer to nothing in
    particular the typedef's name (`tlsf_t`), for then that is all there is."""
    size: int = 0
    """Bytes; 0 where it is not known."""
    signed: bool = False
    target: "Type | None" = None
    """What a pointer points to."""

    @property
    def bytes(self) -> bool:
        """A pointer to memory of no type."""
        return self.target is not None and (
            self.target.kind == "void" or (self.target.kind == "int" and self.target.size == 1)
        )

    @property
    def pointee(self) -> "Type":
        """What a pointer points to; of other types nothing."""
        return self.target or VOID


VOID = Type("void", "void")
UNKNOWN = Type("other", "?")


@dataclass(frozen=True)
class Parameter:
    """A parameter: its name is empty where it was not given one."""

    name: str
    type: Type


@dataclass(frozen=True)
class Signature:
    """How a function is declared."""

    parameters: tuple[Parameter, ...]
    returns: Type


_SIZE, _INT = Type("int", "size_t", 8), Type("int", "int", 4, signed=True)
_ANY = Type("pointer", "void *", 8, target=VOID)
_OUT = Type("pointer", "void * *", 8, target=_ANY)


def _plain(returns: Type, **parameters: Type) -> Signature:
    return Signature(tuple(Parameter(name, kind) for name, kind in parameters.items()), returns)


STANDARD: dict[str, Signature] = {
    "malloc": _plain(_ANY, size=_SIZE),
    "calloc": _plain(_ANY, count=_SIZE, size=_SIZE),
    "realloc": _plain(_ANY, ptr=_ANY, size=_SIZE),
    "free": _plain(VOID, ptr=_ANY),
    "aligned_alloc": _plain(_ANY, align=_SIZE, size=_SIZE),
    "memalign": _plain(_ANY, align=_SIZE, size=_SIZE),
    "posix_memalign": _plain(_INT, out=_OUT, align=_SIZE, size=_SIZE),
    "malloc_usable_size": _plain(_SIZE, ptr=_ANY),
}
"""Functions of C, of POSIX and of every C library: what is exported under such a name takes its place."""


def read_signatures(path: Path, wanted: Collection[str]) -> dict[str, Signature]:
    """The functions of `wanted` that the debug information of the library at `path` describes.

    None where there is no such information; what cannot be read counts as absent, since guesses are made without it.
    """
    from elftools.elf.elffile import ELFFile

    try:
        with path.open("rb") as file:
            elf: Any = ELFFile(file)
            if not elf.has_dwarf_info(strict=True):
                return {}
            return _Reader(elf.get_dwarf_info()).read(frozenset(wanted))
    except Exception:  # noqa: BLE001 (its reader fails in many ways on what it does not know: it is a help, no more)
        return {}


class _Reader:
    """Reads functions and their types out of debug information."""

    def __init__(self, dwarf: Any) -> None:
        self._dwarf = dwarf
        self._types: dict[int, Type] = {}

    def read(self, wanted: frozenset[str]) -> dict[str, Signature]:
        """Definitions; of functions that are only declared, the declaration."""
        found: dict[str, Signature] = {}
        declared: dict[str, Signature] = {}
        for name, die in self._functions(wanted):
            known = declared if "DW_AT_declaration" in die.attributes else found
            if name not in known:
                known[name] = self._signature(die)
            if len(found) == len(wanted):
                break
        return {**declared, **found}

    def _functions(self, wanted: frozenset[str]) -> Iterator[tuple[str, Any]]:
        for unit in self._dwarf.iter_CUs():
            for die in unit.get_top_DIE().iter_children():
                # What was inlined somewhere is there twice: the one that is not a copy has the types.
                if die.tag != "DW_TAG_subprogram" or "DW_AT_abstract_origin" in die.attributes:
                    continue
                said = die
                if "DW_AT_name" not in die.attributes and "DW_AT_specification" in die.attributes:
                    said = die.get_DIE_from_attribute("DW_AT_specification")
                name, linked = _text(said, "DW_AT_name"), _text(said, "DW_AT_linkage_name")
                if name in wanted and linked in ("", name) and "DW_AT_external" in said.attributes:
                    yield name, die

    def _signature(self, die: Any) -> Signature:
        parameters = tuple(
            Parameter(_text(child, "DW_AT_name"), self._type(child))
            for child in die.iter_children()
            if child.tag == "DW_TAG_formal_parameter"
        )
        return Signature(parameters, self._type(die))

    def _type(self, die: Any) -> Type:
        """The type that an entry is of."""
        if "DW_AT_type" not in die.attributes:
            return VOID
        named = die.get_DIE_from_attribute("DW_AT_type")
        if named.offset not in self._types:
            self._types[named.offset] = self._made(named)
        return self._types[named.offset]

    def _made(self, die: Any) -> Type:
        tag = die.tag.removeprefix("DW_TAG_")
        name, size = _text(die, "DW_AT_name"), _number(die, "DW_AT_byte_size")
        if tag in ("const_type", "volatile_type", "restrict_type", "atomic_type"):
            return self._type(die)
        if tag == "typedef":
            return _called(self._type(die), name)
        if tag == "pointer_type":
            target = self._type(die)
            return Type("pointer", f"{target.name} *", 8, target=target)
        if tag == "base_type":
            encoding = _number(die, "DW_AT_encoding")
            kinds: dict[int, Kind] = {2: "bool", 5: "int", 6: "int", 7: "int", 8: "int", 16: "int"}
            return Type(kinds.get(encoding, "other"), name, size, signed=encoding in (5, 6))
        if tag == "enumeration_type":
            return Type("int", f"enum {name}", size, signed=True)
        if tag in ("structure_type", "class_type", "union_type"):
            return Type("struct", f"struct {name}" if name else "", size)
        return Type("function", "function") if tag == "subroutine_type" else UNKNOWN


def _called(kind: Type, name: str) -> Type:
    """The type under a typedef's name, where it has no better one."""
    return replace(kind, name=name) if kind.name in ("", " *", "void *") else kind


def _text(die: Any, attribute: str) -> str:
    value = die.attributes.get(attribute)
    return value.value.decode(errors="replace") if value and isinstance(value.value, bytes) else ""


def _number(die: Any, attribute: str) -> int:
    value = die.attributes.get(attribute)
    return value.value if value and isinstance(value.value, int) else 0
