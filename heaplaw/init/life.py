"""How an instance is made and ended, and the memory that it is given."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from heaplaw.mapping.vocabulary import MAX_ARGUMENTS

from .arguments import Instance, Made, Places, fitted, unchecked
from .signatures import STANDARD, Signature, Type
from .words import Group, listed, words

BLOCK_SIZE, NUM_BLOCKS = 64, 100
LARGE, SMALL = 2**20, 2**16
"""Bytes of a buffer: of a malloc's, of others'."""
SOME_STORAGE = 256
"""Bytes for a struct of which the size is not known."""
PART = 2**12
"""Bytes of what an allocator takes from elsewhere at a time."""
ALIGN = 16

WORDS = {
    "malloc": "heap", "pool": "pool", "bump": "bump", "freelist": "list", "stack": "stack", "arena": "arena",
    "lua_alloc": "ud",
}  # fmt: skip
"""What the instance is called, by shape."""

_BUFFERS = listed(
    """buffer buf mem memory base storage start area region heap arena pool space addr address block ptr data bytes
    backing"""
)
_PLACED = listed("with from on place buffer static fixed")
"""Words in names of functions that make an instance in memory that they are given."""
_PARTS = listed("block item elem element object obj chunk slot cell unit node")
_ONE = listed("blocksize itemsize objsize elemsize bs")
_MANY = listed("count num number n max nblocks nmemb blocks items objects elements")
_WHOLE = listed("capacity size bytes len length limit total nbytes sz n")
_LATER = listed("initial init hint min reserve increment page chunk block default")
"""Words for sizes that an allocator may outgrow: no capacity."""
_PREPARES = listed("init setup construct initialize initialise")
_OPERATORS = listed("new open begin")
"""Beside a plain malloc, new is C++'s operator, and open opens something else."""


@dataclass
class Life:
    """How an instance comes and goes."""

    instance: Instance = field(default_factory=Instance)
    settings: dict[str, int] = field(default_factory=dict[str, int])
    """Memory and constants, by key: bytes, or a number of blocks."""
    remarks: dict[str, str] = field(default_factory=dict[str, str])
    """What about them is a guess, by key."""
    init: Made | None = None
    create: Made | None = None
    destroy: Made | None = None
    type: str = ""
    """Of what the call gives that makes an instance; operations may be given it as `void *`."""
    missing: dict[str, str] = field(default_factory=dict[str, str])
    """Keys that must be filled in, and what with."""


def life(group: Group, known: Mapping[str, Signature], shape: str, kind: str | None, maker: str) -> Life:
    """How instances live; `kind` is the type of what `maker` works on: None where that is not known, "" for nothing."""
    word = WORDS[shape]
    if kind is None:
        made = _by_names(group, known, shape, word)
    elif kind:
        made = _of_type(group, known, shape, Instance(word, kind))
        if made.create is None:
            made.missing[word] = f"what makes the {kind} that {maker} is given"
    else:
        made = Life()
    if maker not in STANDARD:
        _set_up(made, group, known, shape)
    if made.instance.word:
        made.destroy = _ending(group, known, made.instance) or _ending(group, known, Instance(word, made.type))
    _constants(made, shape)
    return made


# ------------------------------------------------------------------------------------------- without parameters


def _by_names(group: Group, known: Mapping[str, Signature], shape: str, word: str) -> Life:
    """What is usual, where the parameters of functions are not known."""
    # my_malloc and talloc are more often called like malloc than others are.
    plain = any(words(name)[-1].startswith("malloc") or len(words(name)) == 1 for name in group.roles.get("alloc", ()))
    names = [name for name in group.roles.get("create", ()) if name not in group.roles.get("initialize", ())]
    if plain and not group.thing:
        names = [name for name in names if _OPERATORS.isdisjoint(words(name))]
    makers = [name for name in names if _PREPARES.isdisjoint(words(name))]
    made = Life()
    if makers:
        placed = [name for name in makers if not _PLACED.isdisjoint(words(name))]
        name = (placed or makers)[0]
        made.instance = Instance(word)
        made.create = unchecked(name, _usual(shape, bool(placed)))
    elif (
        names and shape != "lua_alloc" and (not plain or group.roles.keys() & {"destroy", "initialize"} == {"destroy"})
    ):
        made.instance = Instance(word)
        made.settings["storage"] = SOME_STORAGE
        made.remarks["storage"] = "guessed: the bytes of the struct"
        made.create = unchecked(names[0], (word, *_usual(shape, placed=True)))
    return made


def _usual(shape: str, placed: bool) -> tuple[str, ...]:
    """The arguments of a function that makes an instance, in memory that it is given if `placed`."""
    if shape == "pool":
        return (*(("buffer",) if placed else ()), "block_size", "num_blocks")
    if placed:
        return ("buffer", "capacity")
    return ("capacity",) if shape in ("arena", "stack", "bump") else ()


# --------------------------------------------------------------------------------------------- with parameters


def _of_type(group: Group, known: Mapping[str, Signature], shape: str, instance: Instance) -> Life:
    """The best of the functions that make an instance of the type that operations work on."""
    found: list[tuple[tuple[int, int, int], Life]] = []
    for rank, name in enumerate(group.roles.get("create", ())):
        made = _creation(name, known[name], shape, instance) if name in known else None
        if made is not None and made.create is not None:
            arguments = made.create.arguments
            unbounded = "buffer" in arguments and "capacity" not in arguments and "num_blocks" not in arguments
            found.append(((made.create.remark.count(",") + bool(made.create.remark), unbounded, rank), made))
    return min(found, key=lambda pair: pair[0])[1] if found else Life(instance)


def _creation(name: str, signature: Signature, shape: str, instance: Instance) -> Life | None:
    """An instance made by a function whose parameters are known; None when that is not what it does."""
    places = Places(signature.parameters)
    made = Life(instance)
    returns, how = signature.returns, places.free()
    through = [i for i, kind in how if kind.pointee.kind == "pointer" and _same(kind.pointee, instance.type)]
    given = [(i, kind.pointee.size) for i, kind in how if kind.name == instance.type and kind.pointee.size]
    if through and returns.kind in ("int", "bool", "void"):
        places.put(f"&{instance.word}", through, 1)
        made.type = signature.parameters[through[0]].type.pointee.name
        meaning = {"bool": "bool", "void": "none"}.get(returns.kind, "")
    elif returns.kind == "pointer" and _same(returns, instance.type):
        meaning, made.type = "", returns.name
    elif given and instance.type != "void *":
        index, made.settings["storage"] = given[0]
        places.put(instance.word, [index], 1)
        meaning = {"bool": "bool", "int": "status"}.get(returns.kind, "")
    else:
        return None
    _give_memory(places, shape)
    arguments = places.whole()
    if arguments is None or len(arguments) > MAX_ARGUMENTS:
        return None
    if meaning == "status":
        places.doubt("0 is success")
    made.create = Made(name, arguments, meaning, places.remark())
    return made


def _same(kind: Type, name: str) -> bool:
    """Whether a type may be that of a pointer to an instance: `void *` may be anything's, on either side."""
    anything = name == "void *" and kind.pointee.kind not in ("pointer", "function", "other")
    return kind.kind == "pointer" and (kind.name in (name, "void *") or anything)


def _give_memory(places: Places, shape: str) -> None:
    """Buffers and numbers in place of the parameters that are left."""
    for index, kind in places.free():
        name = places.name(index)
        if kind.bytes and (not name or name & _BUFFERS):
            places.put("buffer", [index], 1)
            break
    meanings = {index: _meaning(places.name(index), shape) for index, kind in places.free() if kind.kind == "int"}
    if shape == "pool":
        _settle_pool(meanings, "buffer" in places.words)
    for index, meaning in meanings.items():
        # A word stands for one number: a second parameter of that meaning is something else.
        if meaning and meaning not in places.words:
            places.put(meaning, [index], 1)
    wanted = ("capacity", "block_size", "num_blocks") if "buffer" in places.words else ("block_size", "num_blocks")
    rest = [word for word in (wanted if shape == "pool" else ("capacity",)) if word not in places.words]
    for index, word in zip((i for i, kind in places.free() if kind.kind == "int"), rest, strict=False):
        places.put(word, [index], 1)
        places.doubt(word)


def _meaning(name: set[str], shape: str) -> str:
    """What a number called `name` is to a function that makes an instance; empty where the name does not tell."""
    if any(word.startswith("align") for word in name):
        return str(ALIGN)
    if shape != "pool":
        return str(PART) if name & _LATER and name & _WHOLE else "capacity" if name & _WHOLE else ""
    if name & _ONE or (name & _PARTS and name & _WHOLE - {"n", "total"}):
        return "block_size"
    if name & _MANY and not name & {"size", "bytes"}:
        return "num_blocks"
    return "capacity" if name & _WHOLE else ""


def _settle_pool(meanings: dict[int, str], buffer: bool) -> None:
    """A size is a block's where no other is, and a capacity a number of blocks where there is no buffer."""
    for index, meaning in meanings.items():
        said = meanings.values()
        if meaning == "capacity" and "num_blocks" in said and "block_size" not in said:
            meanings[index] = "block_size"
        elif meaning == "capacity" and not buffer and "num_blocks" not in said and "block_size" in said:
            meanings[index] = "num_blocks"


def _set_up(made: Life, group: Group, known: Mapping[str, Signature], shape: str) -> None:
    """What prepares the library as a whole: `initialize`, or an `init` where there are no instances."""
    names = list(group.roles.get("initialize", ()))
    if not made.instance.word and shape != "lua_alloc":
        names += [name for name in group.roles.get("create", ()) if not _PREPARES.isdisjoint(words(name))]
    for name in sorted(names, key=lambda name: len(known[name].parameters) if name in known else 0):
        if made.create is not None and name == made.create.function:
            continue
        if name not in known:
            made.init = unchecked(name, ())
            return
        signature = known[name]
        places = Places(signature.parameters)
        plain = all(kind.bytes or kind.kind == "int" for _, kind in places.free())
        if plain and signature.returns.kind in ("void", "int", "bool"):
            _give_memory(places, shape)
            arguments = places.whole()
            if arguments is not None and len(arguments) <= MAX_ARGUMENTS:
                made.init = Made(name, arguments, remark=places.remark())
                return


def _ending(group: Group, known: Mapping[str, Signature], instance: Instance) -> Made | None:
    """What ends an instance."""
    for name in group.roles.get("destroy", ()):
        if name not in known:
            return unchecked(name, (instance.word,))
        made = fitted("destroy", name, known[name], instance, sized=True)
        if made is not None and instance.word in made.arguments:
            return made
    return None


# --------------------------------------------------------------------------------------------------- constants


def _constants(made: Life, shape: str) -> None:
    """Give a value to each constant that a call is given, and ask for those that a pool must have beside them."""
    arguments = {argument for call in (made.init, made.create) if call for argument in call.arguments}
    if "buffer" in arguments:
        made.settings["buffer"] = LARGE if shape in ("malloc", "freelist") else SMALL
    elif "capacity" in arguments:
        made.settings["capacity"] = LARGE if shape in ("malloc", "freelist") else SMALL
    if shape != "pool":
        return
    for key, value in (("block_size", BLOCK_SIZE), ("num_blocks", NUM_BLOCKS)):
        if key in arguments:
            made.settings[key] = value
        else:
            made.missing[key] = "what its blocks have, bytes" if key == "block_size" else "how many it hands out"
