"""Which argument a function is given in which place: by the names and types of its parameters, else as is usual."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from heaplaw.mapping.vocabulary import CALLS, COUNTERS, MAX_ARGUMENTS, OPERATIONS

from .signatures import Parameter, Signature, Type
from .words import listed, words


@dataclass(frozen=True)
class Made:
    """A call as the mapping has it."""

    function: str
    arguments: tuple[str, ...]
    returns: str = ""
    """What its value means, where that is not the default."""
    remark: str = ""
    """What about it is a guess."""

    @property
    def value(self) -> str:
        """The call in TOML."""
        call = f'"{self.function}({", ".join(self.arguments)})"'
        return f'{{ call = {call}, returns = "{self.returns}" }}' if self.returns else call


@dataclass(frozen=True)
class Instance:
    """What operations work on."""

    word: str = ""
    """What the mapping calls it; empty: there is none."""
    type: str = ""
    """The name of its type, a pointer; empty where that is not known."""


_USUAL: dict[str, tuple[str, ...]] = {
    "alloc": ("size",), "zeroed": ("count", "size"), "aligned": ("align", "size"), "realloc": ("ptr", "size"),
    "posix_memalign": ("&out", "align", "size"), "free": ("ptr",), "usable_size": ("ptr",), "release": ("mark",),
}  # fmt: skip
"""Arguments without the instance, in the order of C and POSIX."""
_NUMBERS: dict[str, tuple[str, ...]] = {
    "alloc": ("size", "align"), "zeroed": ("count", "size", "align"), "aligned": ("align", "size"),
    "posix_memalign": ("align", "size"), "realloc": ("osize", "size", "align"), "free": ("osize", "oalign"),
    "pop": ("osize", "oalign"),
}  # fmt: skip
"""What whole numbers may be that are called so, in the order of C."""
_UNNAMED: dict[str, tuple[str, ...]] = {
    "alloc": ("size",), "zeroed": ("count", "size"), "aligned": ("align", "size"), "posix_memalign": ("align", "size"),
    "realloc": ("osize", "size"),
}  # fmt: skip
"""What they are, in that order, whose names do not tell it."""

_SIZE_FIRST = ("malloc", "aligned", "align")
"""How names end of functions that take the alignment last: malloc_aligned, aligned_malloc, unlike memalign."""

_ALIGNS = listed("align alignment aligned al boundary")
_COUNTS = listed("count num number nmemb nelem nelems elements nitems cnt")
_SIZES = listed("size bytes n len length nbytes sz amount request nsize newsize s")
_OLD = listed("old osize oldsize orig original prev previous")
_BLOCKS = listed("ptr p block mem pointer memory addr address data obj object b")
_INSTANCES = listed("pool heap arena stack bump list allocator state ud ctx context self handle")
_YES = listed("is valid sane consistent hold ok")
"""Words in the name of a check that answers 1 when all is well."""


def usual(role: str, name: str, instance: Instance, sized: bool) -> Made:
    """The call of a function of which only the name is known."""
    said = words(name)
    arguments = _USUAL.get(role, ())
    if role == "aligned" and said[-1] in _SIZE_FIRST:
        arguments = ("size", "align")
    if role == "zeroed" and said[-1] not in ("calloc", "callocate"):
        arguments = ("size",)
    if not sized and role in ("alloc", "zeroed"):
        arguments = ()
    # What is asked of a block is often asked of it alone.
    first = (instance.word,) if instance.word and role != "usable_size" else ()
    return unchecked(name, (*first, *arguments), _answer(role, said))


def unchecked(name: str, arguments: tuple[str, ...], returns: str = "") -> Made:
    """The call of a function of which only the name is known."""
    what = "the order of the arguments" if arguments else "that it has no arguments"
    return Made(name, arguments, returns, f"guessed: check {what}")


def fitted(role: str, name: str, signature: Signature, instance: Instance, sized: bool) -> Made | None:
    """The call of a function whose parameters are known; None where it cannot have that role."""
    places = Places(signature.parameters)
    takes_blocks = "ptr" in CALLS[role].words
    if role in OPERATIONS and OPERATIONS[role].returns_with_out:
        places.put("&out", (index for index, kind in places.free() if kind.pointee.kind == "pointer"), 1)
        if role == "mark" and "&out" not in places.words:
            places.put("&out", (i for i, kind in places.free() if kind.pointee.kind in ("int", "pointer")), 1)
    if instance.word:
        _give_instance(places, instance, takes_blocks)
    if takes_blocks:
        pointers = places.pointers()
        named = [index for index in pointers if places.name(index) & _BLOCKS]
        places.put("ptr", [*named, *pointers], 1)
    if role == "release":
        places.put("mark", [index for index, kind in places.free() if kind.kind in ("pointer", "int")], 1)
    _give_numbers(places, role, name)
    returns = _returns(role, name, signature.returns, "&out" in places.words)
    if places.free() and role in COUNTERS:
        return None
    if role == "invariant" and signature.returns.kind == "int":
        places.doubt(f"{1 if returns else 0} is well")
    arguments = places.whole()
    needs = [word for word in CALLS[role].needs if word != "size" or sized or takes_blocks]
    if arguments is None or returns is None or not set(needs).issubset(arguments):
        return None
    if len(arguments) > MAX_ARGUMENTS:
        return None
    return Made(name, arguments, returns, places.remark())


def lua(name: str, signature: Signature | None, instance: Instance) -> Made:
    """The call of a `lua_Alloc`."""
    arguments = (instance.word or "NULL", "ptr", "osize", "nsize")
    return Made(name, arguments) if signature else unchecked(name, arguments)


def like_lua(signature: Signature) -> bool:
    """Whether a function's type is that of `lua_Alloc`."""
    kinds = [parameter.type.kind for parameter in signature.parameters]
    return kinds == ["pointer", "pointer", "int", "int"] and signature.returns.bytes


def instance_type(signature: Signature) -> str:
    """The type of what a function that hands out blocks works on; empty: it works on nothing that it is given."""
    for parameter in signature.parameters:
        kind = parameter.type
        text = kind.target is not None and kind.target.kind == "int" and kind.target.size == 1
        if kind.kind == "pointer" and kind.pointee.kind not in ("pointer", "function") and not text:
            return kind.name
    return ""


class Places:
    """The parameters of a function, and what was put in place of each."""

    def __init__(self, parameters: Sequence[Parameter]) -> None:
        self._parameters = parameters
        self.words: list[str] = [""] * len(parameters)
        self._unsure: list[str] = []

    def free(self) -> list[tuple[int, Type]]:
        """Parameters that nothing was put in place of yet."""
        return [(index, self._parameters[index].type) for index, word in enumerate(self.words) if not word]

    def pointers(self) -> list[int]:
        """Those of them that may point to a block."""
        return [index for index, kind in self.free() if kind.kind == "pointer" and kind.pointee.kind not in _NO_BLOCK]

    def name(self, index: int) -> set[str]:
        """The words of a parameter's name."""
        return set(words(self._parameters[index].name))

    def put(self, word: str, where: Iterable[int], most: int) -> None:
        """Put `word` in the first `most` of these places."""
        for index in list(where)[:most]:
            self.words[index] = word

    def doubt(self, what: str) -> None:
        """Say that something is a guess."""
        if what not in self._unsure:
            self._unsure.append(what)

    def whole(self) -> tuple[str, ...] | None:
        """All arguments: what is left is NULL or 0, and a guess; None where something can be neither."""
        for index, kind in self.free():
            if kind.kind not in ("pointer", "int", "bool"):
                return None
            self.words[index] = "NULL" if kind.kind == "pointer" else "0"
            self.doubt(f"{self.words[index]} for {self._parameters[index].name or f'argument {index + 1}'}")
        return tuple(self.words)

    def remark(self) -> str:
        """What is a guess."""
        return f"guessed: {', '.join(self._unsure)}" if self._unsure else ""


_NO_BLOCK = ("function", "pointer")


def _give_instance(places: Places, instance: Instance, takes_blocks: bool) -> None:
    """Where the instance stands: where its type does; among pointers to anything, by its name or before the block."""
    kinds = dict(places.free())
    same = [
        index
        for index in places.pointers()
        if (kinds[index].name == instance.type if instance.type else not kinds[index].bytes)
    ]
    named = [index for index in same if places.name(index) & _INSTANCES]
    vague = instance.type == "void *" and takes_blocks
    if not vague:
        places.put(instance.word, named or same, 1)
    elif named or len(same) > 1:
        places.put(instance.word, named or [i for i in same if not places.name(i) & _BLOCKS] or same, 1)


def _give_numbers(places: Places, role: str, name: str) -> None:
    """What each whole number is: by its name, then by its place."""
    possible = list(_NUMBERS.get(role, ()))
    if role == "zeroed" and sum(kind.kind == "int" for _, kind in places.free()) == 1:
        possible = ["size"]
    for index, kind in places.free():
        meant = _meaning(places.name(index), role) if kind.kind == "int" else ""
        if meant in possible:
            places.put(meant, [index], 1)
            possible.remove(meant)
    rest = [index for index, kind in places.free() if kind.kind == "int"]
    order = [word for word in _UNNAMED.get(role, ()) if word in possible]
    if role == "aligned" and words(name)[-1] in _SIZE_FIRST:
        order.reverse()
    for index, word in zip(rest, order[-len(rest) :], strict=False):
        places.put(word, [index], 1)
        if len(order) > 1:
            places.doubt(word)


def _meaning(name: set[str], role: str) -> str:
    """What a whole number called `name` is to a function with that role."""
    old = bool(name & _OLD) or role in ("free", "pop")
    if name & _ALIGNS:
        return "oalign" if old else "align"
    if name & _COUNTS and role == "zeroed":
        return "count"
    return ("osize" if old else "size") if name & (_SIZES | _OLD) else ""


def _returns(role: str, name: str, kind: Type, out: bool) -> str | None:
    """What a call's value means: empty, the default; None where it can mean nothing there."""
    allowed = CALLS[role].returns_with_out if out and CALLS[role].returns_with_out else CALLS[role].returns
    if allowed[0] == "pointer":
        return "" if kind.bytes else None
    if role == "invariant":
        return _verdict(name, kind)
    if allowed[0] in ("size", "int") and not out:
        return _number(role, kind)
    if not out and role != "posix_memalign":  # what ends a block
        return {"bool": "bool"}.get(kind.kind, "")
    if kind.kind == "bool":
        return "bool" if "bool" in allowed else None
    if kind.kind == "void":
        return "none" if "none" in allowed else None
    if kind.kind != "int":
        return None
    return "bytes" if kind.size == 8 and not kind.signed and "bytes" in allowed else ""


def _number(role: str, kind: Type) -> str | None:
    if role == "mark" and kind.kind == "pointer":
        return "pointer"
    return {4: "int", 8: ""}.get(kind.size) if kind.kind == "int" else None


def _verdict(name: str, kind: Type) -> str | None:
    if kind.kind == "bool":
        return "bool"
    return _answer("invariant", words(name)) if kind.kind == "int" else None


def _answer(role: str, said: Sequence[str]) -> str:
    """What the value of a check means, by the check's name."""
    return "bool" if role == "invariant" and not _YES.isdisjoint(said) else ""
